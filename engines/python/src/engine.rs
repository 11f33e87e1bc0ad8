//! The engine as the rest of the process sees it: plain facts, and instances on demand. The interpreter behind them
//! starts with the first instance.

use crate::{check, children, instance::PythonInstance, interpreter};
use std::rc::Rc;
use trine_engine::{
    Capabilities, Engine, EngineInfo, Environment, ErrorDialect, ErrorRecord, Instance, Module,
    Outlook, Result,
};

/// The [`EngineInfo::id`] of this engine.
pub(crate) const ID: &str = "python";

/// The Python engine.
pub fn engine() -> PythonEngine {
    PythonEngine {
        info: EngineInfo {
            id: ID,
            name: "Python",
            version: concat!("CPython ", env!("TRINE_PYTHON_VERSION")).to_owned(),
            extensions: &["py"],
            interpreters: &["python"],
            globals_per_root: false,
            on_main_thread: true,
            instance_per_function: false,
            splits_at_first_dot: false,
            capabilities: Capabilities {
                async_handlers: true,
                interleaving: true,
                interrupt: true,
                native_values: true,
                exact_integers: true,
                typescript: false,
                native_extensions: true,
                memory_limit: false,
            },
            error_dialect: ErrorDialect {
                stack_member: "stackTrace",
                with_request_id: true,
                record: ErrorRecord::Traceback,
                type_first: false,
            },
        },
    }
}

/// CPython, one interpreter per process. Its instances share modules and the global interpreter lock; each has its
/// thread, its functions and its event loop.
#[derive(Debug)]
pub struct PythonEngine {
    info: EngineInfo,
}

impl Engine for PythonEngine {
    fn info(&self) -> &EngineInfo {
        &self.info
    }

    fn check(&self, module: &Module) -> Result<Outlook> {
        check::check(module)
    }

    fn start(&self, environment: &Environment) -> Result<Rc<dyn Instance>> {
        children::mark();
        let python = interpreter::start(environment.main_thread)?;
        Ok(Rc::new(PythonInstance::new(python, environment)?))
    }
}
