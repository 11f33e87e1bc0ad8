//! The process-wide part: a plug-in as an engine.

use crate::{
    info::{self, Description},
    instance::{Plugin, PluginInstance},
    library::Library,
    refusal::LoadError,
};
use std::{path::Path, rc::Rc, sync::Arc};
use trine_engine::{Engine, EngineInfo, Environment, Instance, Result};

/// A language in a shared library.
pub(crate) struct PluginEngine(Arc<Plugin>);

impl PluginEngine {
    pub(crate) fn load(path: &Path) -> Result<Self, LoadError> {
        let library = Library::open(path)?;
        let Description { info, hooks } = info::of(&library)?;
        Ok(Self(Arc::new(Plugin { library, info, hooks })))
    }
}

impl Engine for PluginEngine {
    fn info(&self) -> &EngineInfo {
        &self.0.info
    }

    fn start(&self, environment: &Environment) -> Result<Rc<dyn Instance>> {
        Ok(Rc::new(PluginInstance::start(self.0.clone(), environment)?))
    }
}

/// Loads a plug-in. Runs the library's initialisers and asks it what it is; starts nothing.
///
/// The library stays in the process until its end, and with it the texts of [`Engine::info`]: a few hundred bytes for each
/// call of this function.
///
/// # Errors
/// When the file is not there, is no library of this machine's, is no plug-in, or is one for another version of the
/// interface; when it says of itself what cannot be.
pub fn load(path: &Path) -> Result<Arc<dyn Engine>, LoadError> {
    Ok(Arc::new(PluginEngine::load(path)?))
}
