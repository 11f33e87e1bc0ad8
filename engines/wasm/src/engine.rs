//! The process-wide part: the engine's description, and the start of instances.

use crate::{ID, check, instance::WasmInstance};
use std::rc::Rc;
use trine_engine::{
    Capabilities, Engine, EngineInfo, Environment, Instance, Module, Presence, Result,
};
use trine_process::environment;
use trine_v8::v8;

/// The engine for WebAssembly.
pub struct WasmEngine {
    info: EngineInfo,
}

/// Returns the engine for WebAssembly, for a registry.
pub fn engine() -> impl Engine {
    WasmEngine::new()
}

impl WasmEngine {
    /// Describes the engine. Does not start V8.
    pub fn new() -> Self {
        Self {
            info: EngineInfo::new(ID, "WebAssembly", format!("V8 {}", v8::VERSION_STRING))
                .with_extensions(&["wasm"])
                .with_yields(true)
                .with_waits_hold_thread(true)
                .with_capabilities(Capabilities {
                    interrupt: true,
                    // Bytes go in and out as they are.
                    exact_integers: true,
                    memory_limit: true,
                    permissions: true,
                    ..Capabilities::default()
                }),
        }
    }
}

impl Default for WasmEngine {
    fn default() -> Self {
        Self::new()
    }
}

impl Engine for WasmEngine {
    fn info(&self) -> &EngineInfo {
        &self.info
    }

    fn check(&self, module: &Module) -> Result<Presence> {
        check::check(module)
    }

    fn set_missing(&self, variables: &[(&str, String)]) -> bool {
        environment::set_missing(variables)
    }

    fn start(&self, environment: &Environment) -> Result<Rc<dyn Instance>> {
        environment::mark_children();
        Ok(Rc::new(WasmInstance::new(environment)?))
    }
}
