//! The search for the functions of a folder, for a server that serves all of them.

use super::{BUNDLE, Located, not_found::SKIPPED_FOLDERS};
use crate::engines::Registry;
use std::{
    ffi::OsStr,
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};
use trine_engine::{Engine, Error, ErrorKind, Module, Presence, Result, Wanted};

/// A function of a folder.
#[derive(Debug, Clone)]
pub struct Discovered {
    /// Its name, which is also its URL path without the first slash: `hello`, `hello/python`.
    pub name: String,
    /// Its file and engine. The root is the folder of the file.
    pub located: Located,
    /// The reason why it cannot be loaded as it is, where a look at its file shows one.
    pub problem: Option<Arc<Error>>,
}

/// A file or folder that may have been meant as a function and is not one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PassedOver {
    /// The file or folder, seen from the folder that is served; folders end in a slash.
    pub path: String,
    /// The reason, in words for its author.
    pub why: String,
}

/// The contents of a folder.
#[derive(Debug, Clone, Default)]
pub struct Discovery {
    /// Its functions, in order of their names.
    pub functions: Vec<Discovered>,
    /// Files and folders that were passed over, in order of their paths.
    pub passed_over: Vec<PassedOver>,
}

/// Names, without extension, by which a folder's handler file is known; the first that a language has is its handler.
pub(crate) const HANDLER_FILES: &[&str] =
    &["handler", "index", "app", "main", "function", "lambda_function", "function.bundle"];
/// The file that declares functions which a look at the folder does not find.
const ROUTE_FILE: &str = "trine.toml";
/// Levels of folders below a function's own in which the folders of its languages may lie.
const LEVELS: usize = 2;

/// Finds the functions of `folder`. None of them names its handler; files that cannot have one are not functions. Looks
/// at files ([`Engine::check`]), and runs nothing.
///
/// - `<name>.<ext>` in the folder itself is the function `<name>`, unless the name has a dot or a leading underscore. A file
///   of a language that yields to others ([`trine_engine::EngineInfo::yields`]) needs one of the names below.
/// - A sub-folder with a file `handler.<ext>`, or `index`, `app`, `main`, `function`, `lambda_function`,
///   `function.bundle.js`, is a function with the sub-folder's name.
/// - Where one name has files of several languages, each is a function of its own below it, named after its engine
///   (`hello/python`); where one language has several files, each is named after its extension (`hello/ts`).
/// - A sub-folder may hold a folder per language instead, or, if that is named after its engine, beside other files:
///   `hello/js/handler.mjs` is `hello/js`.
/// - A folder that holds nothing but one such set of handler files (`handler.mjs`, `handler.py`) serves those under
///   their engines' names alone.
///
/// # Errors
/// [`ErrorKind::ImportModule`] when the folder cannot be read.
pub fn discover(folder: &Path, registry: &Registry) -> Result<Discovery> {
    let unreadable = |e: io::Error| {
        Error::new(
            ErrorKind::ImportModule,
            format!("cannot read the folder '{}': {e}", folder.display()),
        )
    };
    let folder = &std::path::absolute(folder).map_err(unreadable)?;
    let entries = Entries::read(folder).map_err(unreadable)?;
    let mut search = Search { root: folder, registry, found: Discovery::default() };
    for (name, path) in &entries.folders {
        let told = search.found.passed_over.len();
        let functions = search.function_folder(name, path, LEVELS);
        let is_told = search.found.passed_over.len() > told;
        if functions.is_empty() && !is_told && search.has_code(path, LEVELS) {
            let names = HANDLER_FILES.join(", ");
            search.pass_over(path, format!("holds no file with a handler that is named {names}"));
        }
        search.found.functions.extend(functions);
    }
    for (path, why) in &entries.unservable {
        let extension = path.extension().and_then(OsStr::to_str).unwrap_or_default();
        let is_code = registry.by_extension(extension).is_some();
        if is_code && !path.is_dir() || path.is_dir() && search.has_code(path, LEVELS) {
            search.pass_over(path, (*why).to_owned());
        }
    }
    let mut sets: Vec<(&str, Vec<File>)> = Vec::new();
    for (name, path) in &entries.files {
        let stem = stem_of(name);
        let known = sets.iter().any(|(known, _)| *known == stem);
        if known || registry.by_extension(extension_of(name)).is_none() {
            continue;
        }
        if stem.starts_with('_') {
            search.pass_over(path, "its name begins with an underscore".to_owned());
        } else if stem.contains('.') && name != BUNDLE {
            search.pass_over(path, "its name has more than one dot".to_owned());
        } else {
            sets.push((stem, search.with_stem(folder, &entries, stem, &[])));
        }
    }
    sets.retain(|(_, files)| !files.is_empty());
    let no_folders = search.found.functions.is_empty();
    let alone = no_folders && matches!(*sets, [(stem, _)] if HANDLER_FILES.contains(&stem));
    for (stem, files) in sets {
        let prefix = if alone && files.len() > 1 { "" } else { stem };
        push(prefix, folder, files, false, &mut search.found.functions);
    }
    Ok(search.finish())
}

/// A file that some engine runs, with nothing in it that rules a handler out.
struct File {
    engine: Arc<dyn Engine>,
    extension: &'static str,
    stem: String,
    path: PathBuf,
    problem: Option<Arc<Error>>,
}

/// A search in progress.
struct Search<'a> {
    /// The folder that is served.
    root: &'a Path,
    registry: &'a Registry,
    found: Discovery,
}

impl Search<'_> {
    /// Returns the functions of one sub-folder. What cannot be read is passed over, so that the others are served.
    fn function_folder(&mut self, name: &str, folder: &Path, levels: usize) -> Vec<Discovered> {
        let entries = match Entries::read(folder) {
            Ok(entries) => entries,
            Err(e) => {
                self.pass_over(folder, format!("cannot be read: {e}"));
                return Vec::new();
            }
        };
        let files = self.handlers(folder, &entries);
        let beside_files = !files.is_empty();
        let mut below = Vec::new();
        if levels > 0 {
            for (sub, path) in &entries.folders {
                let language = self.registry.iter().any(|engine| engine.info().id == *sub);
                // Beside handler files, other folders hold what these import.
                if language || !beside_files {
                    let name = format!("{name}/{sub}");
                    below.extend(self.function_folder(&name, path, levels - 1));
                }
            }
        }
        let mut functions = Vec::new();
        push(name, folder, files, !below.is_empty(), &mut functions);
        functions.append(&mut below);
        functions
    }

    /// Returns the files of this stem that engines run, in registry order, without engines already `served`.
    fn with_stem(
        &mut self,
        folder: &Path,
        entries: &Entries,
        stem: &str,
        served: &[&str],
    ) -> Vec<File> {
        let mut found = Vec::new();
        for (extension, engine) in self.registry.extensions() {
            if served.contains(&engine.info().id) {
                continue;
            }
            let wanted = format!("{stem}.{extension}");
            let Some((_, path)) = entries.files.iter().find(|(name, _)| *name == wanted) else {
                continue;
            };
            if engine.info().yields && !HANDLER_FILES.contains(&stem) {
                let names = HANDLER_FILES.join(", ");
                let why = format!(
                    "a .{extension} file is served where it is named {names}, or by {ROUTE_FILE}"
                );
                self.pass_over(path, why);
                continue;
            }
            let problem = match engine.check(&module(folder, path.clone(), stem.to_owned())) {
                Ok(Presence::Possible) => None,
                Ok(Presence::Absent { others }) => {
                    self.pass_over(path, absent(trine_engine::HANDLER_NAMES[0], &others));
                    continue;
                }
                Ok(Presence::NoFunction { name, kind }) => {
                    self.pass_over(path, no_function(&name, &kind));
                    continue;
                }
                Err(error) => Some(Arc::new(error)),
            };
            let (engine, path, stem) = (engine.clone(), path.clone(), stem.to_owned());
            found.push(File { engine, extension, stem, path, problem });
        }
        found
    }

    /// Returns, for each engine, the files of the first handler name that it has.
    fn handlers(&mut self, folder: &Path, entries: &Entries) -> Vec<File> {
        let mut found: Vec<File> = Vec::new();
        for stem in HANDLER_FILES {
            let known: Vec<&str> = found.iter().map(|file| file.engine.info().id).collect();
            let files = self.with_stem(folder, entries, stem, &known);
            found.extend(files);
        }
        found
    }

    /// Whether an engine runs any file in a folder or near below it.
    fn has_code(&self, folder: &Path, levels: usize) -> bool {
        let Ok(entries) = Entries::read(folder) else { return false };
        let runs = |name: &str| {
            let engine = self.registry.by_extension(extension_of(name));
            engine.is_some_and(|engine| !engine.info().yields)
        };
        entries.files.iter().any(|(name, _)| runs(name))
            || levels > 0 && entries.folders.iter().any(|(_, path)| self.has_code(path, levels - 1))
    }

    fn pass_over(&mut self, path: &Path, why: String) {
        let path_below = path.strip_prefix(self.root).unwrap_or(path).to_string_lossy();
        let mut shown = String::with_capacity(path_below.len());
        for c in path_below.chars() {
            match c.is_control() {
                true => shown.extend(c.escape_default()),
                false => shown.push(c),
            }
        }
        if path.is_dir() {
            shown.push('/');
        }
        self.found.passed_over.push(PassedOver { path: shown, why });
    }

    fn finish(mut self) -> Discovery {
        let mut functions = std::mem::take(&mut self.found.functions);
        functions.sort_by(|a, b| a.name.cmp(&b.name));
        // Of a file and a folder of the same name, the folder is kept: its files come first in the order.
        let mut hidden: Vec<PathBuf> = Vec::new();
        functions.dedup_by(|second, first| {
            let same = second.name == first.name;
            if same {
                hidden.push(second.located.module.path.clone());
            }
            same
        });
        for path in hidden {
            self.pass_over(&path, "a folder has its name".to_owned());
        }
        self.found.passed_over.sort_by(|a, b| a.path.cmp(&b.path));
        Discovery { functions, ..self.found }
    }
}

/// Returns the message about a module that has no function of this name.
pub(crate) fn absent(name: &str, others: &[String]) -> String {
    match others {
        [] => format!("exports no function '{name}'"),
        others => format!("exports no function '{name}', only {}", others.join(", ")),
    }
}

/// Returns the message about a module in which something else has the function's name.
pub(crate) fn no_function(name: &str, kind: &str) -> String {
    format!("exports '{name}', which is no function but {kind}")
}

fn module(folder: &Path, path: PathBuf, name: String) -> Module {
    Module::new(folder, path, name, Wanted::Unnamed).with_by_path(true)
}

/// Adds one folder's files under `prefix`: by themselves, or below it when there are several or `others`.
fn push(prefix: &str, folder: &Path, files: Vec<File>, others: bool, found: &mut Vec<Discovered>) {
    let alone = files.len() == 1 && !others;
    let ids: Vec<&str> = files.iter().map(|file| file.engine.info().id).collect();
    for file in files {
        let id = file.engine.info().id;
        let only_of_its_engine = ids.iter().filter(|known| **known == id).count() == 1;
        let sub = if only_of_its_engine { id } else { file.extension };
        let name = match prefix {
            _ if alone => prefix.to_owned(),
            "" => sub.to_owned(),
            _ => format!("{prefix}/{sub}"),
        };
        let module = module(folder, file.path, file.stem);
        let located = Located { engine: file.engine, module };
        found.push(Discovered { name, located, problem: file.problem });
    }
}

/// The entries of a folder, in order of names: files, and folders that may hold functions.
struct Entries {
    files: Vec<(String, PathBuf)>,
    folders: Vec<(String, PathBuf)>,
    /// Entries with names that no URL and no table should have, and dangling links; each with the reason.
    unservable: Vec<(PathBuf, &'static str)>,
}

impl Entries {
    fn read(folder: &Path) -> io::Result<Self> {
        let (mut files, mut folders, mut unservable) = (Vec::new(), Vec::new(), Vec::new());
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
                unservable.push((path, "its name is no UTF-8"));
                continue;
            };
            let name = name.to_owned();
            if name.starts_with('.') {
                continue;
            }
            if name.contains(char::is_control) {
                unservable.push((path, "its name contains a control character"));
            } else if path.is_file() {
                files.push((name, path));
            } else if path.is_dir() && !SKIPPED_FOLDERS.contains(&name.as_str()) {
                folders.push((name, path));
            } else if path.is_symlink() && !path.exists() {
                unservable.push((path, "it is a link to a file that does not exist"));
            }
        }
        files.sort();
        folders.sort();
        Ok(Self { files, folders, unservable })
    }
}

fn stem_of(name: &str) -> &str {
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

fn extension_of(name: &str) -> &str {
    name.rsplit_once('.').map_or("", |(_, extension)| extension)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handler::tests::fixture::{folders, registry};

    fn found(files: &[&str]) -> Vec<String> {
        let files: Vec<String> = files.iter().map(|file| format!("task/{file}")).collect();
        let files: Vec<&str> = files.iter().map(String::as_str).collect();
        let (_parent, search) = folders(&files);
        let found = discover(&search.task_root, &registry()).unwrap().functions;
        let line = |f: Discovered| {
            let path = f.located.module.path.strip_prefix(&search.task_root).unwrap().to_owned();
            format!("{} = {}", f.name, path.display())
        };
        found.into_iter().map(line).collect()
    }

    #[test]
    fn plain_files_are_functions_of_their_names() {
        assert_eq!(
            found(&["pets.py", "cart.lua", "README.md", "_private.py", "app.test.js", "a.d.ts"]),
            ["cart = cart.lua", "pets = pets.py"]
        );
    }

    #[test]
    fn a_sub_folder_with_a_handler_file_is_a_function() {
        assert_eq!(
            found(&["one/handler.py", "two/index.mjs", "two/lib/index.js", "three/lib.py"]),
            ["one = one/handler.py", "two = two/index.mjs"]
        );
        assert_eq!(found(&["b/function.bundle.js"]), ["b = b/function.bundle.js"]);
    }

    #[test]
    fn several_languages_stand_below_the_name() {
        assert_eq!(
            found(&["hello/handler.mjs", "hello/handler.py", "hello/handler.lua"]),
            [
                "hello/js = hello/handler.mjs",
                "hello/lua = hello/handler.lua",
                "hello/python = hello/handler.py"
            ]
        );
    }

    #[test]
    fn several_files_of_one_language_are_told_apart_by_extension() {
        assert_eq!(
            found(&["hello/handler.mjs", "hello/handler.ts", "hello/handler.py"]),
            [
                "hello/mjs = hello/handler.mjs",
                "hello/python = hello/handler.py",
                "hello/ts = hello/handler.ts"
            ]
        );
    }

    #[test]
    fn a_language_may_have_its_own_folder_beside_other_languages() {
        assert_eq!(
            found(&[
                "hello/js/handler.mjs",
                "hello/js/node_modules/index.js",
                "hello/python/handler.py",
                "hello/handler.lua",
                "hello/lib/index.js"
            ]),
            [
                "hello/js = hello/js/handler.mjs",
                "hello/lua = hello/handler.lua",
                "hello/python = hello/python/handler.py"
            ]
        );
    }

    #[test]
    fn functions_may_be_grouped_in_folders() {
        assert_eq!(
            found(&["shop/cart/app.py", "shop/deep/er/app.py"]),
            ["shop/cart = shop/cart/app.py", "shop/deep/er = shop/deep/er/app.py"]
        );
        assert!(found(&["1/2/3/4/app.py"]).is_empty());
    }

    #[test]
    fn a_folder_of_nothing_but_one_handler_serves_its_languages() {
        assert_eq!(
            found(&["handler.mjs", "handler.py"]),
            ["js = handler.mjs", "python = handler.py"]
        );
        assert_eq!(found(&["handler.py"]), ["handler = handler.py"]);
        assert_eq!(
            found(&["app.js", "app.py", "x.py"]),
            ["app/js = app.js", "app/python = app.py", "x = x.py"]
        );
    }

    #[test]
    fn the_first_handler_name_of_a_language_wins() {
        assert_eq!(
            found(&["f/app.py", "f/handler.py", "f/main.lua"]),
            ["f/lua = f/main.lua", "f/python = f/handler.py"]
        );
    }

    #[test]
    fn other_peoples_code_is_passed_over() {
        let files = &["node_modules/x/index.js", "package/app.py", ".git/app.py", "deploy/app.py"];
        assert!(found(files).is_empty());
    }

    #[test]
    fn what_is_passed_over_is_told_with_the_reason() {
        let files = ["pets.py", "_private.py", "app.test.js", "README.md", "lib/parse.py"];
        let more = ["static/logo.svg", "node_modules/x/index.js", "cart.py", "cart/app.py"];
        let files = files.iter().chain(&more).map(|file| format!("task/{file}"));
        let files: Vec<String> = files.collect();
        let files: Vec<&str> = files.iter().map(String::as_str).collect();
        let (_parent, search) = folders(&files);
        let found = discover(&search.task_root, &registry()).unwrap();
        let told: Vec<String> =
            found.passed_over.iter().map(|p| format!("{}: {}", p.path, p.why)).collect();
        assert_eq!(
            told,
            [
                "_private.py: its name begins with an underscore",
                "app.test.js: its name has more than one dot",
                "cart.py: a folder has its name",
                "lib/: holds no file with a handler that is named handler, index, app, main, function, lambda_function, \
                 function.bundle"
            ]
        );
    }

    #[cfg(unix)]
    #[test]
    fn names_and_links_that_cannot_be_served_are_told() {
        use std::os::unix::{ffi::OsStrExt, fs::symlink};
        let (_parent, search) = folders(&["task/a\nb.py", "task/good.py"]);
        fs::write(search.task_root.join(OsStr::from_bytes(b"caf\xe9.py")), "").unwrap();
        fs::write(search.task_root.join(OsStr::from_bytes(b"caf\xe9.txt")), "").unwrap();
        symlink("gone.lua", search.task_root.join("link.lua")).unwrap();
        symlink("gone", search.task_root.join("link")).unwrap();
        let found = discover(&search.task_root, &registry()).unwrap();
        let told: Vec<String> =
            found.passed_over.iter().map(|p| format!("{}: {}", p.path, p.why)).collect();
        assert_eq!(
            told,
            [
                r"a\nb.py: its name contains a control character",
                "caf\u{fffd}.py: its name is no UTF-8",
                "link.lua: it is a link to a file that does not exist",
            ]
        );
        assert_eq!(found.functions.len(), 1);
    }

    #[test]
    fn a_module_without_a_handler_is_told_with_what_it_has() {
        assert_eq!(absent("handler", &[]), "exports no function 'handler'");
        let others = ["parse".to_owned(), "format".to_owned()];
        assert_eq!(absent("handler", &others), "exports no function 'handler', only parse, format");
    }

    #[test]
    fn imports_start_at_the_functions_own_folder() {
        let (_parent, search) = folders(&["task/hello/python/app.py"]);
        let found = discover(&search.task_root, &registry()).unwrap().functions;
        assert_eq!(found[0].located.module.root, search.task_root.join("hello/python"));
        assert_eq!(found[0].located.module.name, "app");
    }

    #[test]
    fn a_folder_that_cannot_be_read_is_named() {
        let error = discover(Path::new("/no/such/folder"), &registry()).unwrap_err();
        assert!(error.message().starts_with("cannot read the folder '/no/such/folder': No such"));
    }
}
