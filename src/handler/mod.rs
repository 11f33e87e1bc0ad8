//! The way from a handler string to a file and an engine.
//!
//! The way in is [`from_environment`], which knows the sources and their order, or [`locate`] for a given string. The
//! HTTP server finds whole folders of functions with [`discover`].
//!
//! A handler string is written in one of three forms:
//!
//! | form | example | export |
//! | --- | --- | --- |
//! | file | `src/app.ts`, `app.py:main`, `/opt/x/hook.lua` | after the colon |
//! | Lambda's | `src/app.handler`, in JavaScript also `app.api.get` | after the dot |
//! | bare | `app` | – |
//!
//! Where none is named, the export is the one that a handler usually has ([`trine_engine::unnamed_handler`]).
//!
//! A file that exists under its full name wins over the other forms. In Lambda's form the language is settled before
//! the text is split, because languages split differently: each engine proposes the files that the text could mean to
//! it, and the file that exists decides. Where no file answers in the task root and the layers, every engine is asked
//! for the module as its language's own import would find it ([`trine_engine::Engine::find`]): in `node_modules`, on
//! `PYTHONPATH`, on `LUA_PATH`. What two languages find is an error, never a guess.

mod discover;
mod environment;
mod import;
mod language;
mod locate;
mod not_found;
mod written;

#[cfg(test)]
pub(crate) mod tests;

pub use discover::{Discovered, Discovery, PassedOver, discover};
pub(crate) use discover::{HANDLER_FILES, absent, no_function};
pub use environment::from_environment;
pub use language::likely_dialect;
pub(crate) use locate::is_file;
pub use locate::{locate, locate_file};

use std::{path::PathBuf, sync::Arc};
use trine_engine::{Engine, Error, ErrorKind, HANDLER_NAMES, Interface, Module, Result, Wanted};

/// The file that is run when nothing else is named or found: a bundle that exports `handler`.
pub const BUNDLE: &str = "function.bundle.js";

/// A function that was found: which engine runs it and what that engine has to load.
#[derive(Clone)]
pub struct Located {
    /// The engine of its file's extension.
    pub engine: Arc<dyn Engine>,
    /// The module to load.
    pub module: Module,
}

impl Located {
    /// Has the handler called by this interface.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] when its language has no such interface, with those that it has.
    pub fn set_interface(&mut self, interface: Interface) -> Result<()> {
        let info = self.engine.info();
        if interface.is_web() && !info.interfaces.contains(&interface) {
            let known = [Interface::Event].iter().chain(info.interfaces).map(|known| known.name());
            let message = format!(
                "the interface {interface} is none of {}'s, which are: {}",
                info.name,
                known.collect::<Vec<_>>().join(", ")
            );
            return Err(Error::new(ErrorKind::Unsupported, message));
        }
        self.module.interface = Some(interface);
        Ok(())
    }

    /// Returns the handler string that names it in Lambda's form: `src/app.handler`.
    pub fn handler(&self) -> String {
        let export = match &self.module.wanted {
            Wanted::Handler(export) if !export.is_empty() => export,
            _ => HANDLER_NAMES[0],
        };
        format!("{}.{export}", self.module.name)
    }
}

/// Returns what is sought in a module, by the export that a handler string names.
fn wanted_of(export: Option<&str>) -> Wanted {
    export.map_or(Wanted::Unnamed, |export| Wanted::Handler(export.to_owned()))
}

/// The folders in which a handler's file is looked for, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchPaths {
    /// The function's own folder, absolute: `LAMBDA_TASK_ROOT`.
    pub task_root: PathBuf,
    /// The folder that layers are unpacked to: `/opt`.
    pub layer_root: PathBuf,
}

impl SearchPaths {
    /// Returns the paths of a task root, with layers in `/opt`. A relative root starts at the working directory.
    pub fn new(task_root: impl Into<PathBuf>) -> Self {
        let task_root = task_root.into();
        let task_root = std::path::absolute(&task_root).unwrap_or(task_root);
        Self { task_root, layer_root: PathBuf::from("/opt") }
    }
}

impl std::fmt::Debug for Located {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Located")
            .field("engine", &self.engine.info().id)
            .field("module", &self.module)
            .finish()
    }
}
