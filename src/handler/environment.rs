//! The sources of a handler string: argument, `_HANDLER`, `SCW_HANDLER_*`, or the bundle.

use super::{BUNDLE, Located, SearchPaths, locate, locate::bundle, locate_file};
use crate::engines::Registry;
use std::path::Path;
use trine_engine::{Error, ErrorKind, Result};

/// Finds the function that this process is to run. The first source that is set and not empty decides:
///
/// 1. `argument`: what a container image's command names (`argv[1]`).
/// 2. `_HANDLER`, which Lambda sets.
/// 3. `SCW_HANDLER_PATH`, a path with or without extension, and `SCW_HANDLER_NAME`, which may be left out.
/// 4. `function.bundle.js` in the task root, export `handler`.
///
/// `env` looks up an environment variable.
///
/// # Errors
/// As [`locate()`]; [`ErrorKind::HandlerNotFound`] when no source is set.
pub fn from_environment(
    argument: Option<&str>,
    env: impl Fn(&str) -> Option<String>,
    search: &SearchPaths,
    registry: &Registry,
) -> Result<Located> {
    let set = |name: &str| env(name).filter(|value| !value.is_empty());
    if let Some(text) = argument.filter(|text| !text.is_empty()) {
        return locate(text, search, registry);
    }
    if let Some(text) = set("_HANDLER") {
        return locate(&text, search, registry);
    }
    if let Some(path) = set("SCW_HANDLER_PATH") {
        let export = set("SCW_HANDLER_NAME").unwrap_or_default();
        return locate_file(Path::new(&path), &export, search, registry);
    }
    bundle(search, registry)?.ok_or_else(|| {
        Error::new(
            ErrorKind::HandlerNotFound,
            format!(
                "no handler is named: give one as argument, set _HANDLER or SCW_HANDLER_PATH, or \
                 put {BUNDLE} into '{}'",
                search.task_root.display()
            ),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handler::tests::fixture::{folders, registry};

    /// Returns the path that is found below the task root.
    fn found(argument: Option<&str>, variables: &[(&str, &str)], files: &[&str]) -> Result<String> {
        let (_parent, search) = folders(files);
        let env = |name: &str| {
            let (_, value) = variables.iter().find(|(known, _)| *known == name)?;
            Some((*value).to_owned())
        };
        let located = from_environment(argument, env, &search, &registry())?;
        let path = located.module.path.strip_prefix(&search.task_root).unwrap();
        Ok(format!("{} {:?}", path.display(), located.module.wanted))
    }

    #[test]
    fn the_first_source_that_is_set_decides() {
        let files = &["task/a.py", "task/b.py", "task/c.py", "task/function.bundle.js"];
        let both = &[("_HANDLER", "b.f"), ("SCW_HANDLER_PATH", "c")];
        let scw = &[("_HANDLER", ""), ("SCW_HANDLER_PATH", "c"), ("SCW_HANDLER_NAME", "handle")];
        assert_eq!(found(Some("a.f"), both, files).unwrap(), "a.py Handler(\"f\")");
        assert_eq!(found(Some(""), both, files).unwrap(), "b.py Handler(\"f\")");
        assert_eq!(found(None, scw, files).unwrap(), "c.py Handler(\"handle\")");
        assert_eq!(found(None, &scw[..2], files).unwrap(), "c.py Unnamed");
        let bundle = "function.bundle.js Handler(\"handler\")";
        assert_eq!(found(None, &[], files).unwrap(), bundle);
    }

    #[test]
    fn without_any_source_the_message_names_them_all() {
        let error = found(None, &[], &["task/a.py"]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::HandlerNotFound);
        for source in ["argument", "_HANDLER", "SCW_HANDLER_PATH", "function.bundle.js"] {
            assert!(error.message().contains(source), "{error}");
        }
    }
}
