//! From a handler string to a file and an engine.
//!
//! The way in is [`from_environment`], which knows the sources and their order, or [`locate`] for a string that is at
//! hand. The HTTP server finds whole folders of functions with [`discover`].
//!
//! A handler string is written in one of three forms:
//!
//! | form | example | export |
//! | --- | --- | --- |
//! | file | `src/app.ts`, `app.py:main`, `/opt/x/hook.lua` | after the colon, else `handler` |
//! | Lambda's | `src/app.handler`, in JavaScript also `app.api.get` | after the dot |
//! | bare | `app` | `handler` |
//!
//! A file that exists under its full name wins over the other forms. In Lambda's form the language is settled before
//! the text is split, because languages split differently: each engine proposes the files that the text could mean to
//! it, and the file that exists decides. Files of two languages that exist are an error, never a guess.

mod discover;
mod environment;
mod locate;
mod not_found;
mod written;

#[cfg(test)]
pub(crate) mod fixture;

pub(crate) use discover::absent;
pub use discover::{Discovered, Discovery, PassedOver, discover};
pub use environment::from_environment;
pub(crate) use locate::is_file;
pub use locate::{locate, locate_file};

use std::{path::PathBuf, sync::Arc};
use trine_engine::{Engine, Module};

/// The export that is called where a handler string names none.
pub const DEFAULT_EXPORT: &str = "handler";

/// The file that is run when nothing else is named or found: a bundle that exports `handler`.
pub const BUNDLE: &str = "function.bundle.js";

/// A function that was found: which engine runs it and what that engine has to load.
#[derive(Clone)]
pub struct Located {
    /// The engine of its file's extension.
    pub engine: Arc<dyn Engine>,
    /// What to load.
    pub module: Module,
}

/// Where a handler's file is looked for, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchPaths {
    /// The function's own folder, absolute: `LAMBDA_TASK_ROOT`.
    pub task_root: PathBuf,
    /// Where layers are unpacked: `/opt`.
    pub layer_root: PathBuf,
}

impl SearchPaths {
    /// A task root, with layers in `/opt`. A relative one starts at the working directory.
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
