//! The shared parts of the tests: two languages that split handler strings differently, and folders of files.

use crate::{engines::Registry, handler::SearchPaths};
use std::{fs, path::Path, rc::Rc, sync::Arc};
use tempfile::TempDir;
use trine_engine::{
    Engine, EngineInfo, Environment, Error, ErrorKind, Instance, Invocation, Lookup, Module,
    Output, Presence, Result, Search, Simple, SimpleEnvironment, SimpleRuntime, Wanted,
};

/// Returns a language that splits at the first dot, as JavaScript does.
pub(crate) fn first_dot() -> EngineInfo {
    info("js", &["mjs", "js", "cjs", "ts"], true).with_managed_runtime("nodejs24.x")
}

/// Returns a language that splits at the last dot, as Python does.
pub(crate) fn last_dot() -> EngineInfo {
    info("python", &["py"], false)
}

/// Returns both, and a third one.
pub(crate) fn registry() -> Registry {
    Registry::new(vec![
        silent(first_dot()),
        silent(last_dot()),
        silent(info("lua", &["lua"], false)),
    ])
}

/// Makes a task root and a layer root with these files, relative to the parent of both: `task/app.py`, `opt/x.lua`.
pub(crate) fn folders(files: &[&str]) -> (TempDir, SearchPaths) {
    let parent = tempfile::tempdir().unwrap();
    for folder in ["task", "opt"] {
        fs::create_dir(parent.path().join(folder)).unwrap();
    }
    for file in files {
        write(parent.path(), file);
    }
    let search = SearchPaths {
        task_root: parent.path().join("task"),
        layer_root: parent.path().join("opt"),
    };
    (parent, search)
}

/// Writes an empty file, its folders included.
pub(crate) fn write(parent: &Path, file: &str) {
    let path = parent.join(file);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, "").unwrap();
}

/// Makes an engine of a language that answers nothing.
pub(crate) fn silent(info: EngineInfo) -> Arc<dyn Engine> {
    Arc::new(Simple::new(info, || Silent))
}

fn info(
    id: &'static str,
    extensions: &'static [&'static str],
    splits_at_first_dot: bool,
) -> EngineInfo {
    EngineInfo::new(id, id, "0")
        .with_extensions(extensions)
        .with_interpreters(match id {
            "js" => &["node"],
            "python" => &["python"],
            _ => &["lua"],
        })
        .with_splits_at_first_dot(splits_at_first_dot)
        .with_index_files(match id {
            "js" => &["index"],
            "python" => &["__init__"],
            _ => &["init"],
        })
}

/// An engine that can import these modules, from `/<engine>/<name>`. JavaScript's refuses the module `refused`.
pub(crate) struct Importing {
    pub(crate) engine: Arc<dyn Engine>,
    pub(crate) names: Vec<&'static str>,
}

impl Engine for Importing {
    fn info(&self) -> &EngineInfo {
        self.engine.info()
    }

    fn find(&self, lookup: &Lookup<'_>) -> Result<Search> {
        let id = self.info().id;
        if (id, lookup.name) == ("js", "refused") {
            return Err(Error::new(ErrorKind::ImportModule, "refused is there"));
        }
        let found = self.names.contains(&lookup.name);
        let found = found.then(|| format!("/{id}/{}", lookup.name).into());
        Ok(Search { found, places: vec![format!("/{id}")] })
    }

    fn start(&self, environment: &Environment) -> Result<Rc<dyn Instance>> {
        self.engine.start(environment)
    }
}

/// A language whose files are handlers and never middlewares.
pub(crate) struct Scripts {
    pub(crate) info: EngineInfo,
    /// What a look at a file for a handler shows.
    pub(crate) presence: fn() -> Result<Presence>,
}

impl Engine for Scripts {
    fn info(&self) -> &EngineInfo {
        &self.info
    }

    fn check(&self, module: &Module) -> Result<Presence> {
        match module.wanted {
            Wanted::Hooks => Ok(Presence::Absent { others: Vec::new() }),
            _ => (self.presence)(),
        }
    }

    fn start(&self, environment: &Environment) -> Result<Rc<dyn Instance>> {
        silent(self.info.clone()).start(environment)
    }
}

/// Returns a language of scripts, which yields to others.
pub(crate) fn scripts() -> Arc<dyn Engine> {
    let info = EngineInfo::new("sh", "Shell", "0").with_extensions(&["sh"]).with_yields(true);
    Arc::new(Scripts { info, presence: || Ok(Presence::Possible) })
}

struct Silent;

impl SimpleRuntime for Silent {
    fn setup(&mut self, _environment: &SimpleEnvironment) -> Result<()> {
        Ok(())
    }

    fn invoke(&mut self, _event: &[u8], _invocation: &Invocation) -> Result<Output> {
        Ok(Output::Json(serde_json::Value::Null))
    }
}
