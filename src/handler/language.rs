//! The language that a handler string points to when no function was found: the error takes its form.

use super::{SearchPaths, written::base_of};
use crate::engines::Registry;
use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};
use trine_engine::{Engine, ErrorDialect};

/// Returns the look of an error to a caller, where the search for the function has failed. The sources are those of
/// [`from_environment`](super::from_environment).
///
/// An extension in the handler string decides the language; else the files in the handler's place do, if they are all
/// of one language.
pub fn likely_dialect(
    argument: Option<&str>,
    env: impl Fn(&str) -> Option<String>,
    search: &SearchPaths,
    registry: &Registry,
) -> ErrorDialect {
    let set = |name: &str| env(name).filter(|value| !value.is_empty());
    let argument = argument.filter(|text| !text.is_empty()).map(str::to_owned);
    let text = argument.or_else(|| set("_HANDLER")).or_else(|| set("SCW_HANDLER_PATH"));
    let text = text.unwrap_or_default();
    by_extension(&text, registry)
        .or_else(|| by_neighbours(&text, search, registry))
        .map_or(ErrorDialect::PLAIN, |engine| engine.info().error_dialect)
}

/// Returns the engine of the last extension in the file part of a text, wherever it stands: `app.py`, `app.py:f`,
/// `app.py.f`.
fn by_extension<'r>(text: &str, registry: &'r Registry) -> Option<&'r Arc<dyn Engine>> {
    let base = base_of(text);
    let file = base.rsplit_once(':').map_or(base, |(file, _)| file);
    file.split('.')
        .skip(1)
        .collect::<Vec<_>>()
        .into_iter()
        .rev()
        .find_map(|part| registry.by_extension(part))
}

/// Returns the only engine of the files in the handler's folder, apart from those that commonly lie beside others.
fn by_neighbours<'r>(
    text: &str,
    search: &SearchPaths,
    registry: &'r Registry,
) -> Option<&'r Arc<dyn Engine>> {
    let folder = text.rsplit_once('/').map_or("", |(folder, _)| folder);
    let folder = match folder {
        // Paths that lead out of the task root are not followed.
        _ if text.contains("..") => search.task_root.clone(),
        "" if text.starts_with('/') => PathBuf::from("/"),
        folder => search.task_root.join(folder),
    };
    let folder = if folder.is_dir() { folder } else { search.task_root.clone() };
    let mut engines = fs::read_dir(folder).ok()?.flatten().filter_map(|entry| {
        let path = entry.path();
        let extension = Path::new(&path).extension()?.to_str()?;
        registry.by_extension(extension).filter(|engine| !engine.info().yields)
    });
    let first = engines.next()?;
    engines.all(|engine| engine.info().id == first.info().id).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handler::tests::fixture::{folders, registry};

    fn language(text: &str, files: &[&str]) -> Option<&'static str> {
        let (_parent, search) = folders(files);
        let registry = registry();
        let engine =
            by_extension(text, &registry).or_else(|| by_neighbours(text, &search, &registry))?;
        Some(engine.info().id)
    }

    #[test]
    fn an_extension_tells_the_language() {
        let js = language("app.mjs", &[]);
        let (py, lua) = (language("app.py", &[]), language("app.lua", &[]));
        assert!(js.is_some() && py.is_some());
        for text in
            ["src/app.mjs:handler", "../app.js", "a.b/app.mjs:", "app.ts.handler", "x.cjs:a.b"]
        {
            assert_eq!(language(text, &["task/x.py"]), js, "{text}");
        }
        for text in ["app.py:handler", "/abs/app.py", "app.py.handler"] {
            assert_eq!(language(text, &["task/x.mjs"]), py, "{text}");
        }
        assert_eq!(language("hook.lua:f", &[]), lua);
    }

    #[test]
    fn where_no_extension_does_files_of_one_language_do() {
        let (js, py) = (language("app.mjs", &[]), language("app.py", &[]));
        assert_eq!(language("app.handler", &["task/other.mjs", "task/more.ts", "task/x.txt"]), js);
        assert_eq!(language("src/app.handler", &["task/src/other.py", "task/x.mjs"]), py);
        assert_eq!(language("gone/app.handler", &["task/other.py"]), py);
        assert_eq!(language("app.handler", &["task/other.mjs", "task/other.py"]), None);
        assert_eq!(language("app.handler", &[]), None);
        assert_eq!(language("", &[]), None);
    }
}
