//! The process-wide part: the engine's description, and the start of instances.

use crate::{ID, check, context::ABI, examine, instance::NativeInstance};
use std::rc::Rc;
use trine_engine::{
    Engine, EngineInfo, Environment, Examination, Finding, Instance, Module, Presence, Result,
};
use trine_process::environment;

/// The engine of native code.
pub struct NativeEngine {
    info: EngineInfo,
}

/// Returns the engine of native code, for a registry.
pub fn engine() -> impl Engine {
    NativeEngine::new()
}

impl NativeEngine {
    /// Describes the engine. Loads nothing.
    ///
    /// Of the abilities it declares none: native code cannot be stopped, held to permissions or kept within memory, and
    /// what it makes of an event's values is its own affair.
    pub fn new() -> Self {
        Self {
            info: EngineInfo::new(ID, "Native code", format!("C ABI {ABI}"))
                .with_extensions(&["so"])
                // Libraries that say nothing else are called on one thread, one call at a time.
                .with_yields(true)
                .with_on_main_thread(true)
                .with_waits_hold_thread(true),
        }
    }
}

impl Default for NativeEngine {
    fn default() -> Self {
        Self::new()
    }
}

impl Engine for NativeEngine {
    fn info(&self) -> &EngineInfo {
        &self.info
    }

    fn check(&self, module: &Module) -> Result<Presence> {
        check::check(module)
    }

    fn examine(&self, examination: &Examination<'_>) -> Vec<Finding> {
        examine::examine(examination)
    }

    fn set_missing(&self, variables: &[(&str, String)]) -> bool {
        environment::set_missing(variables)
    }

    fn start(&self, environment: &Environment) -> Result<Rc<dyn Instance>> {
        environment::mark_children();
        Ok(Rc::new(NativeInstance::new(environment)))
    }
}
