//! The search for a handler that no file answers to, as the languages' own imports would: every engine is asked.

use super::{
    Located, SearchPaths,
    locate::{ambiguous, may_have_its_export},
    not_found::Tried,
    wanted_of,
    written::{Reading, Written},
};
use crate::engines::Registry;
use std::sync::Arc;
use trine_engine::{Engine, Error, Lookup, Module, Result};

/// Returns the module that one engine has found; notes in `tried` where all of them have looked. Where the text
/// `names_a_file`, it is read as a module and its export only if that may be there.
///
/// # Errors
/// [`trine_engine::ErrorKind::AmbiguousHandler`] when several engines have found one; an engine's own error about a
/// module that is there and cannot be loaded, when none has.
pub(super) fn find(
    written: &Written<'_>,
    names_a_file: bool,
    search: &SearchPaths,
    registry: &Registry,
    tried: &mut Tried,
) -> Result<Option<Located>> {
    let mut found = Vec::new();
    let mut refusal: Option<Error> = None;
    for engine in registry.iter() {
        let readings = written.readings(engine.info()).into_iter();
        // A file of the engine's own, which lies where its language looks for modules.
        let own = written.extension().filter(|own| engine.info().extensions.contains(own));
        let (name, export) = match own {
            Some(_) if written.export.is_none() => (written.file.to_owned(), None),
            _ => match readings.map(|Reading { name, export, .. }| (name, export)).next() {
                Some(reading) => reading,
                None => continue,
            },
        };
        for name in names(engine, &name) {
            let lookup = Lookup { name, root: &search.task_root, layer_root: &search.layer_root };
            match engine.find(&lookup) {
                Ok(answer) => {
                    if let Some(path) = answer.found {
                        let module = Module::new(
                            &search.task_root,
                            path,
                            name,
                            wanted_of(export.as_deref()),
                        );
                        let located = Located { engine: engine.clone(), module };
                        if !names_a_file || own.is_some() || may_have_its_export(&located) {
                            found.push((located, export));
                        }
                        break;
                    }
                    tried.imported(engine.info().name, answer.places);
                }
                Err(error) => refusal = refusal.or(Some(error)),
            }
        }
    }
    match (found.len(), refusal) {
        (0, None) => Ok(None),
        (0, Some(refusal)) => Err(refusal.with_context("handler", written.text)),
        (1, _) => Ok(found.pop().map(|(located, _)| located)),
        _ => {
            let file = |(located, _): &(Located, _)| located.module.path.display().to_string();
            let files: Vec<String> = found.iter().map(file).collect();
            let exports = found.iter().map(|(_, export)| export.as_deref());
            Err(ambiguous(written.text, &files, exports))
        }
    }
}

/// Returns the names of a module that was written like a file: `bignumber.js` is a package, `wrapper.py` a module.
fn names<'n>(engine: &Arc<dyn Engine>, name: &'n str) -> impl Iterator<Item = &'n str> {
    let stem = name.rsplit_once('.').filter(|(stem, extension)| {
        engine.info().extensions.contains(extension) && !stem.is_empty()
    });
    [Some(name), stem.map(|(stem, _)| stem)].into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::super::{
        locate,
        tests::fixture::{Importing, folders, registry},
    };
    use super::*;
    use trine_engine::{ErrorKind, Wanted};

    fn registry_with(finds: &[(&'static str, &'static str)]) -> Registry {
        let plain = registry();
        let engines = plain.iter().map(|engine| {
            let own = finds.iter().filter(|(id, _)| *id == engine.info().id);
            let names = own.map(|(_, name)| *name).collect();
            Arc::new(Importing { engine: engine.clone(), names }) as Arc<dyn Engine>
        });
        Registry::new(engines.collect())
    }

    #[test]
    fn what_no_file_answers_to_is_imported_by_the_language_that_knows_it() {
        let (_parent, search) = folders(&["task/app.py"]);
        let registry = registry_with(&[("js", "@scope/pkg/sub"), ("python", "apm.wrap")]);
        let located = locate("@scope/pkg/sub.api.get", &search, &registry).unwrap();
        assert_eq!(located.engine.info().id, "js");
        assert_eq!(located.module.name, "@scope/pkg/sub");
        assert_eq!(located.module.wanted, Wanted::Handler("api.get".into()));
        assert_eq!(located.module.root, search.task_root);
        for text in ["apm.wrap.f", "apm.wrap.py:f"] {
            let located = locate(text, &search, &registry).unwrap();
            assert_eq!((located.engine.info().id, &*located.module.name), ("python", "apm.wrap"));
            assert_eq!(located.module.wanted, Wanted::Handler("f".into()));
        }
    }

    #[test]
    fn a_file_comes_before_what_can_be_imported() {
        let (_parent, search) = folders(&["task/apm.py", "task/web/index.js"]);
        let registry = registry_with(&[("js", "apm"), ("lua", "web")]);
        assert_eq!(locate("apm.f", &search, &registry).unwrap().engine.info().id, "python");
        assert_eq!(locate("web.f", &search, &registry).unwrap().engine.info().id, "js");
    }

    #[test]
    fn a_module_of_two_languages_is_an_error_that_names_both() {
        let (_parent, search) = folders(&[]);
        let registry = registry_with(&[("js", "apm"), ("lua", "apm")]);
        let error = locate("apm.f", &search, &registry).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AmbiguousHandler);
        assert_eq!(
            error.message(),
            "handler 'apm.f' fits 2 files: /js/apm, /lua/apm\n\
             name the file to choose one: '/js/apm:f' or '/lua/apm:f'"
        );
    }

    #[test]
    fn a_module_that_is_refused_is_told_unless_another_language_has_it() {
        let (_parent, search) = folders(&[]);
        let refused = locate("refused.f", &search, &registry_with(&[])).unwrap_err();
        assert_eq!(refused.message(), "refused is there");
        let registry = registry_with(&[("python", "refused")]);
        assert_eq!(locate("refused.f", &search, &registry).unwrap().engine.info().id, "python");
    }

    #[test]
    fn the_message_tells_where_each_language_has_looked() {
        let (_parent, search) = folders(&["task/zebra.py"]);
        let error = locate("apm.f", &search, &registry_with(&[])).unwrap_err();
        let lines = "\nlooked for a module of js in '/js'\nlooked for a module of python in '/python'\n\
                     looked for a module of lua in '/lua'\nfound in ";
        assert!(error.message().contains(lines), "{error}");
        // A name that may be a file's is looked for with and without its extension, and reported once.
        for text in ["apm.py:f", "apm.js:f", "apm.lua:f"] {
            let error = locate(text, &search, &registry_with(&[])).unwrap_err();
            assert!(error.message().contains(lines), "{text} {error}");
            assert_eq!(error.message().matches("looked for a module of").count(), 3, "{error}");
        }
    }
}
