//! The search for a handler's module as in Node, where no file has its name and a known extension: by the `main` of a
//! folder, as a file without an extension, as a package.

use crate::{
    loader::{Loader, package_folders},
    rules::Rules,
};
use node_resolver::{NodeResolutionKind, ResolutionMode, UrlOrPath};
use std::{
    fs::{self, File},
    io::Read,
    path::{Path, PathBuf},
    rc::Rc,
};
use trine_engine::{Error, ErrorKind, Lookup, Result, Search};

/// Extensions that Node adds to a path that names no file, and those that only this runtime knows.
const EXTENSIONS: [&str; 9] = ["js", "cjs", "mjs", "node", "ts", "cts", "mts", "tsx", "jsx"];

/// Finds the file that `main` of a folder's `package.json` names.
pub(crate) fn main_of(folder: &Path) -> Option<PathBuf> {
    let text = fs::read_to_string(folder.join("package.json")).ok()?;
    let package: serde_json::Value = serde_json::from_str(&text).ok()?;
    let main = folder.join(package.get("main")?.as_str()?);
    // Without the detours of a path in `package.json`: `./dist/../index.js`.
    let main = fs::canonicalize(&main).unwrap_or(main);
    file_of(&main).or_else(|| index_of(&main))
}

/// Finds the file that comes before those with an extension, by the rules of Lambda's own runtimes: one without any; by the
/// older rules also a folder, unless there is a `.js` file of this name.
pub(crate) fn before_extensions(stem: &Path, rules: Rules) -> Option<PathBuf> {
    if rules == Rules::Permissive {
        return None;
    }
    if is_script(stem) {
        return Some(stem.to_owned());
    }
    let is_folder =
        rules == Rules::Node22 && stem.is_dir() && !with_extension(stem, "js").is_file();
    if is_folder { main_of(stem).or_else(|| index_of(stem)) } else { None }
}

fn with_extension(stem: &Path, extension: &str) -> PathBuf {
    let mut path = stem.as_os_str().to_owned();
    path.push(".");
    path.push(extension);
    PathBuf::from(path)
}

/// Finds what an import of the module would run: a path without an extension, then a package.
pub(crate) fn find(lookup: &Lookup<'_>) -> Result<Search> {
    let mut search = Search::default();
    for root in [lookup.root, lookup.layer_root] {
        let path = root.join(lookup.name);
        if is_script(&path) {
            search.found = Some(path);
            return Ok(search);
        }
    }
    let (loader, _) = Loader::new(&package_folders(lookup.layer_root));
    if lookup.name.starts_with(['/', '.']) || loader.is_builtin(lookup.name) {
        return Ok(search);
    }
    let mut refusal = None;
    for (specifier, start) in requests(lookup) {
        for folder in folders_from(&start, lookup.layer_root) {
            match package_file(&loader, &folder, specifier) {
                Ok(Some(found)) if search.found.is_none() => search.found = Some(found),
                Ok(_) => {}
                Err(error) => refusal = refusal.or(Some(error)),
            }
            let place = folder.display().to_string();
            if !search.places.contains(&place) {
                search.places.push(place);
            }
        }
    }
    match refusal {
        Some(refusal) if search.found.is_none() => Err(refusal),
        _ => Ok(search),
    }
}

/// Lists what to look for, and from which folder: the whole name, then the name that Node's managed runtime uses, whose
/// packages have no slash in their handlers' names.
///
/// Contract: `require.resolve(module, {paths: [taskRoot, moduleRoot]})`.
fn requests<'a>(lookup: &Lookup<'a>) -> Vec<(&'a str, PathBuf)> {
    let mut requests = vec![(lookup.name, lookup.root.to_owned())];
    if let Some((folder, base)) = lookup.name.rsplit_once('/') {
        requests.push((base, lookup.root.to_owned()));
        requests.push((base, lookup.root.join(folder)));
    }
    requests
}

/// Lists the existing folders of packages that code in a folder sees: `node_modules` beside it and above it, then
/// `NODE_PATH` and the layers.
fn folders_from(start: &Path, layer_root: &Path) -> Vec<PathBuf> {
    let above = start.ancestors().filter(|folder| !folder.ends_with("node_modules"));
    let mut folders: Vec<PathBuf> = above.map(|folder| folder.join("node_modules")).collect();
    folders.extend(package_folders(layer_root));
    folders.retain(|folder| folder.is_dir());
    folders
}

/// Finds the file that a specifier (`pkg`, `@scope/pkg/sub`) means in a folder of packages.
fn package_file(loader: &Rc<Loader>, folder: &Path, specifier: &str) -> Result<Option<PathBuf>> {
    let parts = specifier.splitn(3, '/').collect::<Vec<_>>();
    let (name, sub) = match parts.as_slice() {
        [scope, name, rest @ ..] if scope.starts_with('@') => {
            (format!("{scope}/{name}"), rest.first().copied())
        }
        [scope] if scope.starts_with('@') => return Ok(None),
        [name, ..] => ((*name).to_owned(), specifier.split_once('/').map(|(_, sub)| sub)),
        [] => return Ok(None),
    };
    let package = folder.join(&name);
    if !package.is_dir() {
        // A package may be one file.
        return Ok(file_of(&package).filter(|_| sub.is_none()));
    }
    let found = if has_exports(&package) {
        exported(loader, &package, sub, specifier)?
    } else {
        let path = sub.map_or_else(|| package.clone(), |sub| package.join(sub));
        file_of(&path).or_else(|| main_of(&path)).or_else(|| index_of(&path))
    };
    // A package's imports are resolved from its real location.
    Ok(found.map(|path| fs::canonicalize(&path).unwrap_or(path)))
}

fn has_exports(package: &Path) -> bool {
    let text = fs::read_to_string(package.join("package.json")).unwrap_or_default();
    let package: Option<serde_json::Value> = serde_json::from_str(&text).ok();
    package.is_some_and(|package| package.get("exports").is_some_and(|exports| !exports.is_null()))
}

/// Reads what the `exports` of a package offer: to `require`, else to `import`.
fn exported(
    loader: &Rc<Loader>,
    package: &Path,
    sub: Option<&str>,
    specifier: &str,
) -> Result<Option<PathBuf>> {
    let mut refusal = None;
    for mode in [ResolutionMode::Require, ResolutionMode::Import] {
        let resolved = loader.resolver().resolve_package_subpath_from_deno_module(
            package,
            sub,
            None,
            mode,
            NodeResolutionKind::Execution,
        );
        let path = match resolved {
            Ok(UrlOrPath::Path(path)) => path,
            Ok(UrlOrPath::Url(url)) => match url.to_file_path() {
                Ok(path) => path,
                Err(()) => continue,
            },
            Err(error) => {
                refusal.get_or_insert_with(|| error.to_string());
                continue;
            }
        };
        if path.is_file() {
            return Ok(Some(path));
        }
        refusal.get_or_insert_with(|| format!("its file {} does not exist", path.display()));
    }
    let message = format!(
        "Cannot find module '{specifier}': the package is there, in {}, but {}",
        package.display(),
        refusal.unwrap_or_default()
    );
    Err(Error::new(ErrorKind::ImportModule, message))
}

/// Finds a path that is a file as it is, or with an extension.
fn file_of(path: &Path) -> Option<PathBuf> {
    if path.is_file() {
        return Some(path.to_owned());
    }
    let name = path.file_name()?.to_str()?;
    let mut candidates =
        EXTENSIONS.iter().map(|extension| path.with_file_name(format!("{name}.{extension}")));
    candidates.find(|candidate| candidate.is_file())
}

/// Finds the file that stands for a folder by default.
fn index_of(folder: &Path) -> Option<PathBuf> {
    file_of(&folder.join("index")).filter(|_| folder.is_dir())
}

/// Whether a file without an extension may be a script: a text, and not for another interpreter.
fn is_script(path: &Path) -> bool {
    let mut start = [0; 256];
    if path.extension().is_some() || !path.is_file() {
        return false;
    }
    let read = File::open(path).and_then(|mut file| file.read(&mut start));
    let Ok(start) = read.map(|length| &start[..length]) else { return false };
    let line = start.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = String::from_utf8_lossy(line);
    !start.contains(&0) && (!line.starts_with("#!") || line.contains("node"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A task root and a layer root below one folder.
    struct Places(PathBuf);

    impl Places {
        fn new(name: &str, files: &[(&str, &str)]) -> Self {
            let path = std::env::temp_dir().join(format!("trine-js-{name}-{}", std::process::id()));
            fs::create_dir_all(path.join("task")).expect("the folder is writable");
            let places = Self(fs::canonicalize(path).expect("it exists"));
            for (file, text) in files {
                let file = places.0.join(file);
                fs::create_dir_all(file.parent().expect("it has one")).expect("it is writable");
                fs::write(file, text).expect("it is writable");
            }
            places
        }

        fn find(&self, name: &str) -> Result<Option<String>> {
            let (root, layer_root) = (&self.0.join("task"), &self.0.join("opt"));
            let search = find(&Lookup { name, root, layer_root })?;
            let below = |path: PathBuf| path.strip_prefix(&self.0).expect("inside").to_owned();
            Ok(search.found.map(|path| below(path).display().to_string()))
        }

        #[track_caller]
        fn assert_found(&self, name: &str, expected: &str) {
            assert_eq!(self.find(name).expect(name).as_deref(), Some(expected), "{name}");
        }
    }

    impl Drop for Places {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn packages_are_found_as_node_finds_them() {
        let files = [
            ("task/node_modules/plain/index.js", ""),
            ("task/node_modules/single.js", ""),
            ("task/node_modules/main/package.json", r#"{"main": "./lib"}"#),
            ("task/node_modules/main/lib/index.js", ""),
            ("task/node_modules/main/tools/run.js", ""),
            (
                "opt/nodejs/node_modules/@scope/pkg/package.json",
                r#"{"exports": {".": "./a.js", "./sub": {"import": "./b.mjs"}}}"#,
            ),
            ("opt/nodejs/node_modules/@scope/pkg/a.js", ""),
            ("opt/nodejs/node_modules/@scope/pkg/b.mjs", ""),
            ("opt/nodejs/node_modules/@scope/pkg/hidden.js", ""),
            ("opt/nodejs/node20/node_modules/versioned/index.mjs", ""),
            ("opt/nodejs/node_modules/versioned/index.mjs", ""),
            ("task/src/node_modules/near/index.js", ""),
        ];
        let places = Places::new("packages", &files);
        places.assert_found("plain", "task/node_modules/plain/index.js");
        places.assert_found("single", "task/node_modules/single.js");
        places.assert_found("main", "task/node_modules/main/lib/index.js");
        places.assert_found("main/tools/run", "task/node_modules/main/tools/run.js");
        places.assert_found("@scope/pkg", "opt/nodejs/node_modules/@scope/pkg/a.js");
        places.assert_found("@scope/pkg/sub", "opt/nodejs/node_modules/@scope/pkg/b.mjs");
        places.assert_found("versioned", "opt/nodejs/node20/node_modules/versioned/index.mjs");
        places.assert_found("src/near", "task/src/node_modules/near/index.js");
        places.assert_found("src/plain", "task/node_modules/plain/index.js");
        for name in ["absent", "@scope", "fs", "node:fs", "@scope/absent", "./plain", "/plain"] {
            assert_eq!(places.find(name).expect(name), None, "{name}");
        }
        let refused = places.find("@scope/pkg/hidden").expect_err("it is not exported");
        assert!(refused.message().contains("\"exports\""), "{refused}");
    }

    #[test]
    fn a_file_without_an_extension_is_a_script_unless_another_interpreter_runs_it() {
        let files = [
            ("task/plain", "exports.handler = () => 1;"),
            ("task/tool", "#!/usr/bin/env node\n"),
            ("task/shell", "#!/bin/sh\n"),
            ("task/binary", "\u{7f}ELF\0"),
            ("opt/shared", "exports.handler = () => 1;"),
        ];
        let places = Places::new("scripts", &files);
        places.assert_found("plain", "task/plain");
        places.assert_found("tool", "task/tool");
        places.assert_found("shared", "opt/shared");
        for name in ["shell", "binary"] {
            assert_eq!(places.find(name).expect(name), None, "{name}");
        }
    }

    #[test]
    fn the_rules_of_lambdas_own_runtimes_have_an_order() {
        let files = [
            ("task/bare", ""),
            ("task/folder/index.js", ""),
            ("task/both/index.js", ""),
            ("task/both.js", ""),
        ];
        let places = Places::new("order", &files);
        let found = |rules, name: &str| {
            let found = before_extensions(&places.0.join("task").join(name), rules)?;
            Some(found.strip_prefix(places.0.join("task")).ok()?.display().to_string())
        };
        for (rules, bare, folder) in [
            (Rules::Permissive, None, None),
            (Rules::Node22, Some("bare"), Some("folder/index.js")),
            (Rules::Node24, Some("bare"), None),
        ] {
            assert_eq!(found(rules, "bare").as_deref(), bare, "{rules:?}");
            assert_eq!(found(rules, "folder").as_deref(), folder, "{rules:?}");
            assert_eq!(found(rules, "both"), None, "{rules:?}");
            assert_eq!(found(rules, "absent"), None, "{rules:?}");
        }
    }

    #[test]
    fn the_main_of_a_folder_is_a_file_or_a_folder() {
        let files = [
            ("task/a/package.json", r#"{"main": "dist/server"}"#),
            ("task/a/dist/server.js", ""),
            ("task/b/package.json", r#"{"main": "."}"#),
            ("task/b/index.cjs", ""),
            ("task/c/package.json", "no JSON"),
            ("task/d/package.json", r#"{"main": "gone.js"}"#),
        ];
        let places = Places::new("mains", &files);
        let main = |folder: &str| main_of(&places.0.join("task").join(folder));
        assert_eq!(main("a"), Some(places.0.join("task/a/dist/server.js")));
        assert_eq!(main("b"), Some(places.0.join("task/b/index.cjs")));
        for folder in ["c", "d", "e"] {
            assert_eq!(main(folder), None, "{folder}");
        }
    }
}
