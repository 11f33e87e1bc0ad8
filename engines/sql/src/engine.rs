//! The process-wide part: the engine's description, and the start of instances.

use crate::{ID, instance::SqlInstance, loader, memory, settings::Settings};
use std::{ffi::CStr, rc::Rc};
use trine_engine::{
    Capabilities, Engine, EngineInfo, Environment, Instance, Module, Presence, Result,
};

/// The SQL engine.
pub struct SqlEngine {
    info: EngineInfo,
}

/// Returns the SQL engine, for a registry.
pub fn engine() -> impl Engine {
    SqlEngine::new()
}

impl SqlEngine {
    /// Describes the engine. Opens no database, but must be called before anybody does: memory is counted only where SQLite
    /// is told in time.
    pub fn new() -> Self {
        memory::install();
        // SAFETY: SQLite returns a constant, NUL-terminated text.
        let version = unsafe { CStr::from_ptr(libsqlite3_sys::sqlite3_libversion()) };
        Self {
            info: EngineInfo::new(ID, "SQL", format!("SQLite {}", version.to_string_lossy()))
                .with_extensions(&["sql"])
                .with_waits_hold_thread(true)
                .with_capabilities(Capabilities {
                    interrupt: true,
                    exact_integers: true,
                    memory_limit: true,
                    permissions: true,
                    ..Capabilities::default()
                }),
        }
    }
}

impl Default for SqlEngine {
    fn default() -> Self {
        Self::new()
    }
}

impl Engine for SqlEngine {
    fn info(&self) -> &EngineInfo {
        &self.info
    }

    fn check(&self, module: &Module) -> Result<Presence> {
        loader::check(module).map(|()| Presence::Possible)
    }

    fn start(&self, environment: &Environment) -> Result<Rc<dyn Instance>> {
        // Those of single places are read when their files are loaded.
        Settings::of(environment)?;
        Ok(Rc::new(SqlInstance::new(environment)))
    }
}
