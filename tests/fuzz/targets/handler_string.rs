//! A handler string to a file: found, or refused with an error that quotes it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use std::{fs, sync::Arc, sync::LazyLock};
use tempfile::TempDir;
use trine::{
    engines::Registry,
    handler::{SearchPaths, locate},
};
use trine_engine::{
    Engine, EngineInfo, Error, ErrorKind, Invocation, Output, Result, Simple, SimpleEnvironment,
    SimpleRuntime, Wanted,
};

/// Files that can be found. Two files with the same name belong to two languages.
const FILES: &[&str] = &[
    "task/app.js",
    "task/app.ts",
    "task/src/app.py",
    "task/src/app.v2.lua",
    "task/a.b/index.mjs",
    "task/pkg/__init__.py",
    "task/both.py",
    "task/both.lua",
    "task/notes.txt",
    "task/é.lua",
    "opt/layer.py",
    "opt/app.lua",
];

/// A language that is never run.
#[derive(Default)]
struct Unused;

impl SimpleRuntime for Unused {
    fn setup(&mut self, _environment: &SimpleEnvironment) -> Result<()> {
        Err(Error::internal("nothing is loaded here"))
    }

    fn invoke(&mut self, _event: &[u8], _invocation: &Invocation) -> Result<Output> {
        Err(Error::internal("nothing is called here"))
    }
}

fn engine(id: &'static str, extensions: &'static [&'static str], first: bool) -> Arc<dyn Engine> {
    let info =
        EngineInfo::new(id, id, "0").with_extensions(extensions).with_splits_at_first_dot(first);
    Arc::new(Simple::new(info, Unused::default))
}

struct Site {
    _folder: TempDir,
    search: SearchPaths,
    registry: Registry,
}

static SITE: LazyLock<Site> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    for file in FILES {
        let path = folder.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "").unwrap();
    }
    let layer_root = folder.path().join("opt");
    let search = SearchPaths { layer_root, ..SearchPaths::new(folder.path().join("task")) };
    let registry = Registry::new(vec![
        engine("js", &["mjs", "js", "cjs", "ts", "mts"], true),
        engine("python", &["py"], false),
        engine("lua", &["lua"], false),
    ]);
    Site { _folder: folder, search, registry }
});

fuzz_target!(|text: &str| {
    let site = &*SITE;
    match locate(text, &site.search, &site.registry) {
        Ok(located) => {
            let module = located.module;
            assert!(module.path.is_file(), "{text:?} found {:?}", module.path);
            assert!(module.path.is_absolute() && module.root.is_absolute());
            assert!(!module.name.is_empty());
            match module.wanted {
                Wanted::Unnamed => {}
                Wanted::Handler(export) => {
                    assert!(!export.is_empty());
                    let named = export == "handler" || text.ends_with(&export);
                    assert!(named, "{text:?} gave {export:?}");
                }
                other => panic!("{other:?} is no handler"),
            }
        }
        Err(error) => {
            let message = error.message();
            let kinds =
                [ErrorKind::MalformedHandler, ErrorKind::AmbiguousHandler, ErrorKind::ImportModule];
            assert!(kinds.contains(&error.kind()), "{text:?}: {error}");
            let quoted = message.contains(text)
                || message.contains(&format!("{text:?}"))
                || error.context().contains(&("handler", text.to_owned()));
            assert!(quoted || text.trim().is_empty(), "{text:?} is not quoted: {error}");
        }
    }
});
