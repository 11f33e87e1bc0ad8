//! A worker: one thread's share of the runtime. It owns one instance per language in use and hands them to the
//! pipelines that it loads.

mod thread;

pub use thread::spawn;

use crate::{handler::Located, pipeline::Pipeline};
use std::{cell::RefCell, rc::Rc, sync::Arc};
use trine_engine::{Engine, Environment, Instance, Result};

/// One thread's instances. Never leaves the thread on which it was made.
pub struct Worker {
    environment: Environment,
    instances: RefCell<Vec<(&'static str, Rc<dyn Instance>)>>,
}

impl Worker {
    /// A worker without instances: an engine starts when the first function of its language is loaded.
    pub fn new(environment: Environment) -> Self {
        Self { environment, instances: RefCell::default() }
    }

    /// Loads a function: starts its engine if this worker has no instance of it yet, and runs its top-level code.
    ///
    /// # Errors
    /// What [`Engine::start`] and [`Instance::load`] report.
    pub async fn load(&self, located: &Located) -> Result<Pipeline> {
        let instance = self.instance(&located.engine)?;
        let exports = instance.load(&located.module).await?;
        Pipeline::new(instance, &exports, located)
    }

    /// Ends the instance of a function's language, because it must not be called again. Loading a function starts a
    /// new one.
    pub fn recycle(&self, located: &Located) {
        let id = located.engine.info().id;
        let mut instances = self.instances.borrow_mut();
        if let Some(index) = instances.iter().position(|(known, _)| *known == id) {
            let (_, instance) = instances.remove(index);
            instance.shutdown();
        }
    }

    /// Ends every instance of this worker.
    pub fn shutdown(&self) {
        for (_, instance) in self.instances.borrow_mut().drain(..) {
            instance.shutdown();
        }
    }

    fn instance(&self, engine: &Arc<dyn Engine>) -> Result<Rc<dyn Instance>> {
        let id = engine.info().id;
        if let Some((_, instance)) = self.instances.borrow().iter().find(|(known, _)| *known == id)
        {
            return Ok(instance.clone());
        }
        let instance = engine.start(&self.environment)?;
        self.instances.borrow_mut().push((id, instance.clone()));
        Ok(instance)
    }
}
