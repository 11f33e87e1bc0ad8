//! The files that run for a function's invocations, before anything of them is loaded.

use super::find;
use crate::{engines::Registry, handler::Located};
use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};
use trine_engine::{Engine, Module, Result};

/// The order in which the `after` hooks of several middlewares run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// The first middleware is the outermost: its `before` runs first, its `after` last. Goes with `TRINE_MIDDLEWARES`.
    #[default]
    Onion,
    /// `before` and `after` both run in the order of the list, as Serverless Open Runtime ran them. Goes with
    /// `SLSMIDDLEWARES`.
    Listed,
}

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Onion => "onion",
            Self::Listed => "listed",
        })
    }
}

/// The middlewares that are asked for, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MiddlewareNames {
    /// Names as they were written, outermost first; one of them may be [`MiddlewareNames::REST`].
    pub names: Vec<String>,
    /// The order that goes with the way they were given.
    pub order: Order,
}

impl MiddlewareNames {
    /// The name that stands for every middleware of the layers that the list does not name, in order of names.
    pub const REST: &str = "*";

    /// Reads names as settings and flags list them: between commas, blanks around them cut, empty ones left out.
    pub fn list(text: &str, order: Order) -> Self {
        let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
        Self { names: names.map(str::to_owned).collect(), order }
    }
}

/// A middleware that was found.
#[derive(Clone)]
pub struct Middleware {
    /// The name by which it was asked for.
    pub name: String,
    /// The engine of its file.
    pub engine: Arc<dyn Engine>,
    /// The module to load: its hooks, or a program of the earlier runtime.
    pub module: Module,
}

impl fmt::Debug for Middleware {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Middleware")
            .field("name", &self.name)
            .field("engine", &self.engine.info().id)
            .field("module", &self.module)
            .finish()
    }
}

/// The files that run for a function's invocations.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The function itself.
    pub handler: Located,
    /// The middlewares around it, outermost first.
    pub middlewares: Vec<Middleware>,
    /// The order of their `after` hooks.
    pub order: Order,
}

impl Plan {
    /// Returns the plan of a handler with nothing around it.
    pub fn bare(handler: Located) -> Self {
        Self { handler, middlewares: Vec::new(), order: Order::default() }
    }

    /// Finds the middlewares that are asked for, in `folders` (each a `middlewares` folder, looked through in order;
    /// the layers' comes first).
    ///
    /// # Errors
    /// [`trine_engine::ErrorKind::HandlerNotFound`] under the name `Runtime.MiddlewareNotFound` when there is none of
    /// that name, with what exists and the nearest name, and when the rest is asked for twice;
    /// [`trine_engine::ErrorKind::AmbiguousHandler`] when files of two languages have it.
    pub fn find(
        handler: Located,
        asked: &MiddlewareNames,
        folders: &[PathBuf],
        registry: &Registry,
    ) -> Result<Self> {
        let root = handler.module.root.as_path();
        let layers = folders.first().map_or(Path::new(""), PathBuf::as_path);
        let middlewares = find::with_rest(&asked.names, layers, registry)?
            .iter()
            .map(|name| find::middleware(name, folders, root, registry))
            .collect::<Result<_>>()?;
        Ok(Self { handler, middlewares, order: asked.order })
    }

    /// Returns the owner of the engine's instance in which the function runs: its own file, where the engine has an
    /// instance for each function and the function is in its language. Middlewares around functions of other languages
    /// share an instance, and so do the exports of one file, as they do anywhere.
    pub(crate) fn owner(&self, engine: &Arc<dyn Engine>) -> Option<&Path> {
        let info = engine.info();
        let own = info.instance_per_function && info.id == self.handler.engine.info().id;
        own.then_some(self.handler.module.path.as_path())
    }
}

/// Returns the folders in which the middlewares of a function are looked for: `middlewares` in the layers, then in its
/// own folder, then in the folder that is served.
pub fn middleware_folders(layer_root: &Path, task_root: &Path, served: &Path) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = Vec::new();
    for root in [layer_root, task_root, served] {
        let folder = root.join("middlewares");
        if !folders.contains(&folder) {
            folders.push(folder);
        }
    }
    folders
}
