//! Handler strings: any text is found or refused with a message, and a well-formed one finds what it names.

use crate::support::{Language, languages, runner};
use proptest::{collection::vec, prelude::*, sample::select};
use std::{collections::BTreeSet, fs, path::Path};
use tempfile::TempDir;
use trine::{
    engines::Registry,
    handler::{SearchPaths, locate},
};
use trine_engine::{ErrorKind, Wanted};

fn touch(path: &Path) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, "").unwrap();
}

/// Makes pieces of handler strings, sensible and not.
fn texts() -> impl Strategy<Value = String> {
    let pieces = select(
        &[
            "app", "src", "handler", "index", "layer", "both", ".", "..", "/", "//", ":", "::",
            ".py", ".js", ".mjs", ".lua", ".rb", " ", "\0", "\n", "\\", "~", "%", "*", "é",
            "\u{202e}", "'",
        ][..],
    );
    let pieces = vec(pieces, 0..9).prop_map(|pieces| pieces.concat());
    let long = (vec(any::<char>(), 1..4), 1..3000usize)
        .prop_map(|(some, times)| some.into_iter().collect::<String>().repeat(times));
    prop_oneof![6 => pieces, 3 => any::<String>(), 1 => long]
}

#[test]
fn any_text_is_found_or_refused_with_an_error_that_quotes_it() {
    let folder = tempfile::tempdir().unwrap();
    let (task, layers) = (folder.path().join("task"), folder.path().join("opt"));
    for file in ["app.py", "src/app.js", "src/app.v2.lua", "both.py", "both.lua", "é/index.mjs"] {
        touch(&task.join(file));
    }
    touch(&layers.join("layer.lua"));
    let search = SearchPaths { layer_root: layers, ..SearchPaths::new(task) };
    let registry = Registry::built_in();
    let outcome = runner(1500).run(&texts(), |text| {
        match locate(&text, &search, &registry) {
            Ok(located) => {
                let module = located.module;
                prop_assert!(module.path.is_file() && module.path.is_absolute());
                let named = matches!(&module.wanted, Wanted::Handler(export) if !export.is_empty());
                prop_assert!(named || module.wanted == Wanted::Unnamed);
            }
            Err(error) => {
                let known = [
                    ErrorKind::MalformedHandler,
                    ErrorKind::AmbiguousHandler,
                    ErrorKind::ImportModule,
                ];
                prop_assert!(known.contains(&error.kind()), "{error}");
                let (plain, escaped) = (text.clone(), format!("{text:?}"));
                let told = format!("{error:#}");
                let quoted = told.contains(&plain) || told.contains(&escaped);
                prop_assert!(quoted || text.trim().is_empty(), "{text:?} is not quoted: {told}");
            }
        }
        Ok(())
    });
    outcome.unwrap();
}

/// A file and an export, and the ways to name them.
#[derive(Debug, Clone)]
struct Named {
    language: Language,
    folders: Vec<String>,
    base: String,
    export: String,
}

fn named() -> impl Strategy<Value = Named> {
    let name = "[a-z_][a-z0-9_-]{0,8}";
    // `app.py` is the file, even if there were an export of that name.
    let known: Vec<&str> = Registry::built_in().extensions().map(|(known, _)| known).collect();
    let export = "[a-zA-Z_][a-zA-Z0-9_]{0,8}";
    let export = export.prop_filter("an extension", move |text| !known.contains(&text.as_str()));
    let parts = (select(languages()), vec(name, 0..3), name, export);
    parts.prop_map(|(language, folders, base, export)| Named { language, folders, base, export })
}

/// Tried in the file form, in Lambda's form and by the bare name; below the task root and by the absolute path.
#[test]
fn a_well_formed_text_finds_the_file_and_the_export_that_it_names() {
    let registry = Registry::built_in();
    let outcome = runner(300).run(&named(), |named| {
        let folder: TempDir = tempfile::tempdir().unwrap();
        let layer_root = folder.path().join("opt");
        let task = folder.path().join("task");
        let search = SearchPaths { layer_root, ..SearchPaths::new(&task) };
        let stem = [&named.folders[..], std::slice::from_ref(&named.base)].concat().join("/");
        let extension = named.language.extension;
        let file = task.join(format!("{stem}.{extension}"));
        touch(&file);
        let absolute = task.join(&stem).to_str().unwrap().to_owned();
        let mut found = BTreeSet::new();
        for stem in [stem.clone(), absolute] {
            let sought = Wanted::Handler(named.export.clone());
            for (text, wanted) in [
                (format!("{stem}.{}", named.export), &sought),
                (format!("{stem}.{extension}:{}", named.export), &sought),
                (format!("{stem}:{}", named.export), &sought),
                (format!("{stem}.{extension}"), &Wanted::Unnamed),
                (stem.clone(), &Wanted::Unnamed),
            ] {
                let located = locate(&text, &search, &registry);
                prop_assert!(located.is_ok(), "{text}: {}", located.unwrap_err());
                let located = located.unwrap();
                prop_assert_eq!(located.engine.info().id, named.language.id);
                prop_assert_eq!(&located.module.path, &file);
                prop_assert_eq!(&located.module.root, &task);
                prop_assert_eq!(&located.module.wanted, wanted, "{}", text);
                found.insert(located.module.name);
            }
        }
        // However it is written, it is one module.
        prop_assert_eq!(found.len(), 1, "{:?}", found);
        Ok(())
    });
    outcome.unwrap();
}
