//! The languages of this build. The only file that names language crates: a feature turns into a registry entry here,
//! and nowhere else does the product know which languages exist.

use std::sync::Arc;
use trine_engine::Engine;

/// The engines of this process, in the order in which their file extensions are looked for.
#[derive(Clone)]
pub struct Registry {
    engines: Vec<Arc<dyn Engine>>,
}

impl Registry {
    /// Makes a registry of every engine that this build was compiled with. Starts none of them.
    pub fn built_in() -> Self {
        Self::new(vec![
            #[cfg(feature = "js")]
            Arc::new(trine_js::engine()),
            #[cfg(feature = "python")]
            Arc::new(trine_python::engine()),
            #[cfg(feature = "lua")]
            Arc::new(trine_lua::engine()),
        ])
    }

    /// Makes a registry of other engines: the entry point for other runtimes built on this library.
    pub fn new(engines: Vec<Arc<dyn Engine>>) -> Self {
        Self { engines }
    }

    /// Returns all engines, in registry order.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<dyn Engine>> {
        self.engines.iter()
    }

    /// Sets variables of the process's environment that are not set, for guests of every language and what they start.
    /// Call it before the process has a second thread: afterwards nothing is set.
    pub fn set_missing(&self, variables: &[(&str, String)]) {
        for engine in &self.engines {
            engine.set_missing(variables);
        }
    }

    /// Returns the engine whose files end in `.{extension}`.
    pub fn by_extension(&self, extension: &str) -> Option<&Arc<dyn Engine>> {
        self.engines.iter().find(|engine| engine.info().extensions.contains(&extension))
    }

    /// Returns the engine that runs the programs of an interpreter: the one of `python` for `python` and `python3.11`.
    pub fn by_interpreter(&self, name: &str) -> Option<&Arc<dyn Engine>> {
        let name = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
        self.engines.iter().find(|engine| engine.info().interpreters.contains(&name))
    }

    /// Returns every file extension with its engine, in the order in which they are looked for.
    pub fn extensions(&self) -> impl Iterator<Item = (&'static str, &Arc<dyn Engine>)> {
        self.engines.iter().flat_map(|engine| {
            engine.info().extensions.iter().map(move |extension| (*extension, engine))
        })
    }
}
