//! The process-wide part: the engine's description, and the start of instances.

use crate::{ID, check, examine, find, instance::LuaInstance};
use std::{
    ffi::{CStr, c_char},
    rc::Rc,
};
use trine_engine::{
    Capabilities, Engine, EngineInfo, Environment, ErrorKind, Examination, Finding, Hint, Instance,
    Interface, LayerPlace, Lookup, Module, Presence, Result, Search, TypeFile, VariableInfo,
};
use trine_process::environment;

unsafe extern "C" {
    /// Lua's own version text: `$LuaVersion: Lua 5.4.9  Copyright … $…`.
    static lua_ident: c_char;
}

/// The Lua engine.
pub struct LuaEngine {
    info: EngineInfo,
}

/// Returns the Lua engine, for a registry.
pub fn engine() -> impl Engine {
    LuaEngine::new()
}

impl LuaEngine {
    /// Describes the engine. Starts no interpreter.
    pub fn new() -> Self {
        Self {
            info: EngineInfo::new(ID, "Lua", version())
                .with_extensions(&["lua"])
                .with_interpreters(&["lua"])
                .with_globals_per_root(true)
                .with_index_files(&["init"])
                .with_hints(&[Hint {
                    kind: ErrorKind::ImportModule,
                    words: &["not found"],
                    text: "is the dependency vendored beside the handler? Lua looks into the function's folder and layers",
                }])
                .with_waits_hold_thread(true)
                .with_interfaces(&[Interface::Fetch, Interface::Wsapi])
                .with_capabilities(Capabilities {
                    async_handlers: true,
                    interleaving: true,
                    streaming: true,
                    interrupt: true,
                    native_values: true,
                    exact_integers: true,
                    typescript: false,
                    // Lua is linked statically and its symbols are not exported, so a C module finds none.
                    native_extensions: false,
                    memory_limit: true,
                    permissions: true,
                }),
        }
    }
}

impl Default for LuaEngine {
    fn default() -> Self {
        Self::new()
    }
}

/// The variables that the language reads.
const VARIABLES: &[VariableInfo] = &[
    VariableInfo {
        name: "LUA_PATH_5_4",
        default: "",
        what: "further patterns of modules; goes before LUA_PATH",
    },
    VariableInfo { name: "LUA_PATH", default: "", what: "further patterns of modules" },
];

impl Engine for LuaEngine {
    fn info(&self) -> &EngineInfo {
        &self.info
    }

    fn check(&self, module: &Module) -> Result<Presence> {
        check::check(module)
    }

    fn find(&self, lookup: &Lookup<'_>) -> Result<Search> {
        Ok(find::find(lookup))
    }

    fn examine(&self, examination: &Examination<'_>) -> Vec<Finding> {
        examine::examine(examination)
    }

    fn layer_places(&self) -> Vec<LayerPlace> {
        examine::layer_places()
    }

    fn types(&self) -> &'static [TypeFile] {
        &[TypeFile { name: "trine.lua", text: include_str!("../types/trine.lua") }]
    }

    fn variables(&self) -> &'static [VariableInfo] {
        VARIABLES
    }

    fn set_missing(&self, variables: &[(&str, String)]) -> bool {
        environment::set_missing(variables)
    }

    fn start(&self, environment: &Environment) -> Result<Rc<dyn Instance>> {
        environment::mark_children();
        Ok(Rc::new(LuaInstance::new(environment)?))
    }
}

/// Returns `Lua 5.4.9`, read from the library that is linked in.
fn version() -> String {
    // SAFETY: `lua_ident` is a constant, NUL-terminated array in Lua's lapi.c.
    let ident = unsafe { CStr::from_ptr(&raw const lua_ident) }.to_string_lossy();
    let release = ident.split_whitespace().skip_while(|word| *word != "Lua").nth(1);
    format!("Lua {}", release.unwrap_or("5.4"))
}
