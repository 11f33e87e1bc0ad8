//! The process-wide part: the engine's description, and the start of instances.

use crate::{
    ID,
    instance::SqlInstance,
    loader, memory,
    settings::{self, Settings},
};
use std::rc::Rc;
use trine_engine::{
    Capabilities, Engine, EngineInfo, Environment, Instance, Module, Presence, Result,
    VariableInfo, Wanted,
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
    /// Describes the engine.
    pub fn new() -> Self {
        let version = libsqlite3_sys::SQLITE_VERSION.to_string_lossy();
        Self {
            info: EngineInfo::new(ID, "SQL", format!("SQLite {version}"))
                .with_extensions(&["sql"])
                .with_yields(true)
                .with_settings(&[settings::ROWS, settings::ATTACH])
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

/// The variables that it reads.
const VARIABLES: &[VariableInfo] = &[
    VariableInfo {
        name: settings::ROWS,
        default: "first",
        what: "the rows of the last statement that are the answer: first or all",
    },
    VariableInfo {
        name: settings::ATTACH,
        default: "",
        what: "databases that queries may read, as name=path between commas",
    },
];

impl Default for SqlEngine {
    fn default() -> Self {
        Self::new()
    }
}

impl Engine for SqlEngine {
    fn info(&self) -> &EngineInfo {
        &self.info
    }

    fn variables(&self) -> &'static [VariableInfo] {
        VARIABLES
    }

    fn check(&self, module: &Module) -> Result<Presence> {
        memory::install();
        match module.wanted {
            Wanted::Hooks => Ok(Presence::Absent { others: Vec::new() }),
            _ => loader::check(module).map(|()| Presence::Possible),
        }
    }

    fn start(&self, environment: &Environment) -> Result<Rc<dyn Instance>> {
        memory::install();
        // Those of single places are read when their files are loaded.
        Settings::of(environment)?;
        Ok(Rc::new(SqlInstance::new(environment)))
    }
}
