//! The languages of this build. The only file that names language crates: a feature turns into a registry entry here,
//! and nowhere else does the product know which languages exist.

use std::{
    env,
    path::{Path, PathBuf},
    sync::Arc,
};
use trine_engine::{Engine, Error, ErrorKind, Result};

/// A file extension that belongs to two languages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("files that end in .{extension} are {owner}'s already, so {other} cannot have them")]
pub struct Taken {
    extension: &'static str,
    owner: &'static str,
    other: &'static str,
}

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
            #[cfg(feature = "sql")]
            Arc::new(trine_sql::engine()),
            #[cfg(feature = "wasm")]
            Arc::new(trine_wasm::engine()),
            #[cfg(feature = "native")]
            Arc::new(trine_native::engine()),
        ])
    }

    /// Adds the languages of plug-ins: shared libraries, by their paths. Relative ones start at `folder`.
    ///
    /// # Errors
    /// When a file is no plug-in, or not for this build; when its language is there already, or one of its file extensions
    /// belongs to another one.
    pub fn plug_in(&mut self, files: &[PathBuf], folder: &Path) -> Result<()> {
        for file in files {
            let engine = plug_in(&folder.join(file))?;
            let id = engine.info().id;
            let is_known = self.engines.iter().any(|known| known.info().id == id);
            let taken = match is_known {
                true => Err(format!("the language '{id}' is there already")),
                false => self.add(engine).map_err(|taken| taken.to_string()),
            };
            taken.map_err(|why| refused(format!("the plug-in {}: {why}", file.display())))?;
        }
        Ok(())
    }

    /// Adds a language, or puts it in the place of the one that has its id.
    ///
    /// # Panics
    /// When one of its file extensions belongs to another language: a mistake of whoever writes the program. Where it is
    /// not up to them, see [`Registry::add`].
    #[must_use]
    pub fn with(mut self, engine: impl Engine) -> Self {
        if let Err(taken) = self.add(Arc::new(engine)) {
            panic!("{taken}");
        }
        self
    }

    /// Adds a language, or puts it in the place of the one that has its id.
    ///
    /// # Errors
    /// [`Taken`] when one of its file extensions belongs to another language.
    pub fn add(&mut self, engine: Arc<dyn Engine>) -> Result<(), Taken> {
        let info = engine.info();
        let others = self.engines.iter().filter(|known| known.info().id != info.id);
        for other in others {
            let other = other.info();
            if let Some(extension) =
                info.extensions.iter().find(|own| other.extensions.contains(own))
            {
                return Err(Taken { extension, owner: other.name, other: info.name });
            }
        }
        match self.engines.iter_mut().find(|known| known.info().id == engine.info().id) {
            Some(known) => *known = engine,
            None => self.engines.push(engine),
        }
        Ok(())
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

/// The variable that names plug-ins, between commas.
pub(crate) const PLUG_INS: &str = "TRINE_ENGINES";

/// Returns the files that [`PLUG_INS`] names, from wherever they are looked for; none where it is not set. Relative ones start
/// at the task root, where one is set, else at the working directory.
pub(crate) fn plug_ins() -> Vec<PathBuf> {
    // Most processes have none, and look no further.
    let Some(list) = env::var_os(PLUG_INS) else { return Vec::new() };
    let folder = env::var_os("LAMBDA_TASK_ROOT").map_or_else(|| PathBuf::from("."), PathBuf::from);
    let folder = std::path::absolute(&folder).unwrap_or(folder);
    let list = list.to_string_lossy();
    let files = list.split(',').map(str::trim).filter(|file| !file.is_empty());
    files.map(|file| folder.join(file)).collect()
}

/// Returns [`PLUG_INS`] for a process that starts in another folder.
pub(crate) fn plug_ins_of_children() -> Option<(&'static str, String)> {
    let files: Vec<String> = plug_ins().iter().map(|file| file.display().to_string()).collect();
    (!files.is_empty()).then(|| (PLUG_INS, files.join(",")))
}

/// Loads the language of a plug-in.
#[cfg(feature = "plugin")]
fn plug_in(path: &Path) -> Result<Arc<dyn Engine>> {
    trine_plugin::load(path).map_err(|why| refused(why.to_string()))
}

#[cfg(not(feature = "plugin"))]
fn plug_in(path: &Path) -> Result<Arc<dyn Engine>> {
    let message = format!("this build takes no plug-ins, so {} is not loaded", path.display());
    Err(refused(message))
}

fn refused(message: String) -> Error {
    Error::new(ErrorKind::Unsupported, message).with_name("Runtime.InvalidEngine")
}

#[cfg(test)]
mod tests {
    use super::*;
    use trine_engine::{EngineInfo, Environment, Instance};

    struct Named(EngineInfo);

    impl Engine for Named {
        fn info(&self) -> &EngineInfo {
            &self.0
        }

        fn start(&self, _environment: &Environment) -> Result<std::rc::Rc<dyn Instance>> {
            unreachable!("nothing is started")
        }
    }

    fn named(id: &'static str, version: &str, extensions: &'static [&'static str]) -> Named {
        Named(EngineInfo::new(id, id, version).with_extensions(extensions))
    }

    #[test]
    fn an_own_language_comes_last_and_one_of_a_known_id_takes_its_place() {
        let registry = Registry::new(vec![Arc::new(named("a", "1", &["a"]))]);
        let registry = registry.with(named("b", "1", &["b"])).with(named("a", "2", &["a", "aa"]));
        let found: Vec<_> =
            registry.extensions().map(|(own, engine)| (own, engine.info())).collect();
        let found: Vec<_> = found.iter().map(|(own, info)| (*own, &*info.version)).collect();
        assert_eq!(found, [("a", "2"), ("aa", "2"), ("b", "1")]);
    }

    #[test]
    fn an_extension_belongs_to_one_language() {
        let mut registry = Registry::new(vec![Arc::new(named("a", "1", &["a"]))]);
        let taken = registry.add(Arc::new(named("b", "1", &["b", "a"]))).unwrap_err();
        assert_eq!(
            taken.to_string(),
            "files that end in .a are a's already, so b cannot have them"
        );
        assert_eq!(registry.iter().count(), 1);
    }
}
