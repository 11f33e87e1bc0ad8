//! From a middleware's name to its file: `<name>.<ext>`, `<name>/index.<ext>`, or a program with a shebang line.

use super::plan::{Middleware, MiddlewareNames};
use crate::{engines::Registry, handler::is_file};
use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
    sync::Arc,
};
use trine_engine::{Engine, Error, ErrorKind, Module, Presence, Result, Wanted};

/// The longest first line of a program that is looked at.
const SHEBANG_LIMIT: usize = 256;
const NOT_FOUND: &str = "Runtime.MiddlewareNotFound";

/// Finds the middleware of this name: the first folder that has it decides.
pub(super) fn middleware(
    name: &str,
    folders: &[PathBuf],
    root: &Path,
    registry: &Registry,
) -> Result<Middleware> {
    check(name)?;
    for folder in folders {
        let mut found = candidates(name, folder, registry)?;
        // Of one engine's files the first counts, in the order of its extensions, as for handlers.
        found.dedup_by(|later, first| later.engine.info().id == first.engine.info().id);
        match found.len() {
            0 => {}
            1 => return Ok(found.remove(0).into_middleware(name, root)),
            _ => return Err(ambiguous(name, folder, &found)),
        }
        if let Some(engine) = program(&folder.join(name), registry)? {
            let path = folder.join(name);
            let found = Candidate { engine, path, wanted: Wanted::Program };
            return Ok(found.into_middleware(name, root));
        }
    }
    match without_hooks(name, folders, registry) {
        Some(error) => Err(error),
        None => Err(unknown(name, folders, registry)),
    }
}

/// Returns the error about a file of this name that could be a middleware if it had hooks.
fn without_hooks(name: &str, folders: &[PathBuf], registry: &Registry) -> Option<Error> {
    let named = |extension: &str| [name.to_owned(), format!("{name}.{extension}")];
    let mut files = folders.iter().flat_map(|folder| {
        let yielding = registry.extensions().filter(|(_, engine)| engine.info().yields);
        yielding.flat_map(move |(extension, engine)| {
            let files = named(extension).into_iter().filter(move |file| {
                file.rsplit_once('.').is_some_and(|(_, found)| found == extension)
            });
            files.map(move |file| (folder.join(file), engine))
        })
    });
    let (path, engine) = files.find(|(path, _)| path.is_file())?;
    let module = Module::new("", path.clone(), name, Wanted::Hooks);
    let why = match engine.check(&module) {
        Err(error) => error.message().to_owned(),
        Ok(_) => format!("{} has no hook", path.display()),
    };
    let message = format!("there is no middleware '{name}': {why}");
    Some(Error::new(ErrorKind::HandlerNotFound, message).with_name(NOT_FOUND))
}

/// Returns a list of names with [`MiddlewareNames::REST`] spelt out: what the layers' folder holds and the list does
/// not name, in the order of names. A file there that begins with a dot or an underscore is somebody's helper, and one
/// with another dot in its name (`jwt.d.ts`, `jwt.test.mjs`) only accompanies a middleware.
pub(super) fn with_rest(
    asked: &[String],
    layers: &Path,
    registry: &Registry,
) -> Result<Vec<String>> {
    let Some(at) = asked.iter().position(|name| name == MiddlewareNames::REST) else {
        return Ok(asked.to_vec());
    };
    let (before, after) = (&asked[..at], &asked[at + 1..]);
    if after.iter().any(|name| name == MiddlewareNames::REST) {
        let message = "the list of middlewares has '*' twice: it stands for all that the list does not name, \
                       so keep one, where the rest is to go";
        return Err(Error::new(ErrorKind::HandlerNotFound, message).with_name(NOT_FOUND));
    }
    let mut rest = rest(layers, registry)?;
    rest.retain(|name| {
        let is_it = |asked: &String| {
            // `jwt` and `jwt.py` are one, whichever way it is written.
            asked == name || stem(asked, registry) == name || stem(name, registry) == asked
        };
        !before.iter().chain(after).any(is_it)
    });
    Ok([before, &rest, after].concat())
}

/// Returns every middleware of a folder, by the name that finds it there, in order.
fn rest(folder: &Path, registry: &Registry) -> Result<Vec<String>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => {
            let message = format!("cannot look for middlewares in {}: {e}", folder.display());
            return Err(Error::new(ErrorKind::ImportModule, message));
        }
    };
    let files = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let mut names = BTreeSet::new();
    for file in files.filter(|file| !file.starts_with(['.', '_'])) {
        let path = folder.join(&file);
        if path.is_dir() {
            if !candidates(&file, folder, registry)?.is_empty() {
                names.insert(file);
            }
        } else if stem(&file, registry) != file {
            let name = stem(&file, registry).to_owned();
            if name.contains('.') {
                continue;
            }
            let mut same = candidates(&name, folder, registry)?;
            if same.is_empty() {
                continue;
            }
            same.dedup_by_key(|found| found.engine.info().id);
            // In several languages: each counts on its own.
            names.insert(if same.len() > 1 { file } else { name });
        } else if is_program(&path) {
            names.insert(file);
        }
    }
    Ok(names.into_iter().collect())
}

/// Returns a file's name without the extension of a language.
fn stem<'n>(file: &'n str, registry: &Registry) -> &'n str {
    match file.rsplit_once('.') {
        Some((stem, extension)) if registry.by_extension(extension).is_some() => stem,
        _ => file,
    }
}

/// Whether a file says which interpreter it is for.
fn is_program(path: &Path) -> bool {
    let mut first = [0; 2];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut first));
    read.is_ok() && &first == b"#!"
}

/// A file that answers to a name.
struct Candidate {
    engine: Arc<dyn Engine>,
    path: PathBuf,
    wanted: Wanted,
}

impl Candidate {
    /// Whether a look at the file leaves room for hooks.
    fn has_hooks(&self) -> bool {
        let module = Module::new("", self.path.clone(), "", Wanted::Hooks);
        matches!(self.engine.check(&module), Ok(Presence::Possible))
    }

    fn into_middleware(self, name: &str, root: &Path) -> Middleware {
        Middleware {
            name: name.to_owned(),
            engine: self.engine,
            module: Module::new(root, self.path, name, self.wanted),
        }
    }
}

/// Checks that a name is a relative path without detours, because it may come from a deployment's settings.
fn check(name: &str) -> Result<()> {
    let plain = name.split('/').all(|part| !part.is_empty() && part != "." && part != "..");
    if plain && !name.contains('\0') {
        return Ok(());
    }
    let message = format!(
        "{name:?} is no name of a middleware: write the name of a file in the folder middlewares, \
         with or without its extension"
    );
    Err(Error::new(ErrorKind::HandlerNotFound, message).with_name(NOT_FOUND))
}

fn candidates(name: &str, folder: &Path, registry: &Registry) -> Result<Vec<Candidate>> {
    let mut found = Vec::new();
    let mut add = |engine: &Arc<dyn Engine>, file: String| -> Result<()> {
        let path = folder.join(file);
        if is_file(&path)? {
            found.push(Candidate { engine: engine.clone(), path, wanted: Wanted::Hooks });
        }
        Ok(())
    };
    if let Some((_, extension)) = name.rsplit_once('.')
        && let Some(engine) = registry.by_extension(extension)
    {
        add(engine, name.to_owned())?;
    }
    for (extension, engine) in registry.extensions() {
        add(engine, format!("{name}.{extension}"))?;
    }
    for (extension, engine) in registry.extensions() {
        add(engine, format!("{name}/index.{extension}"))?;
    }
    // What commonly lies beside others without being a middleware is one only where there is no other, and it has hooks.
    let yields = |found: &Candidate| found.engine.info().yields;
    let are_others = found.iter().any(|found| !yields(found));
    found.retain(|found| !yields(found) || !are_others && found.has_hooks());
    Ok(found)
}

/// Returns the engine of an earlier runtime's program: a file without extension whose first line names an interpreter.
fn program(path: &Path, registry: &Registry) -> Result<Option<Arc<dyn Engine>>> {
    if !is_file(path)? {
        return Ok(None);
    }
    let mut first = Vec::new();
    let read =
        File::open(path).and_then(|file| file.take(SHEBANG_LIMIT as u64).read_to_end(&mut first));
    read.map_err(|e| {
        let message = format!("cannot read the middleware {}: {e}", path.display());
        Error::new(ErrorKind::ImportModule, message)
    })?;
    let line = first.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let interpreter = interpreter(&String::from_utf8_lossy(line));
    match interpreter.as_deref().and_then(|name| registry.by_interpreter(name)) {
        Some(engine) => Ok(Some(engine.clone())),
        None => {
            let known: Vec<&str> =
                registry.iter().flat_map(|engine| engine.info().interpreters).copied().collect();
            let found = match interpreter {
                Some(name) => format!("its first line names the interpreter {name:?}"),
                None => "its first line names no interpreter (#!/usr/bin/env …)".to_owned(),
            };
            let message = format!(
                "the middleware {} cannot be run in this process: {found}; this build runs {}",
                path.display(),
                known.join(", ")
            );
            Err(Error::new(ErrorKind::Unsupported, message))
        }
    }
}

/// Returns a shebang line's interpreter, without its folder: `python3.11` for `#!/usr/bin/env python3.11`.
fn interpreter(line: &str) -> Option<String> {
    let mut words = line.strip_prefix("#!")?.split_ascii_whitespace();
    let file = |word: &str| word.rsplit('/').next().unwrap_or_default().to_owned();
    let mut name = file(words.next()?);
    if name == "env" {
        // Flags of env (`-S`) and assignments precede the command.
        name = file(words.find(|word| !word.starts_with('-') && !word.contains('='))?);
    }
    (!name.is_empty()).then_some(name)
}

fn ambiguous(name: &str, folder: &Path, found: &[Candidate]) -> Error {
    let files: Vec<String> = found
        .iter()
        .map(|found| found.path.strip_prefix(folder).unwrap_or(&found.path).display().to_string())
        .collect();
    let message = format!(
        "the middleware '{name}' is there in {} languages in {}: {}\nname the file to choose one: {}",
        files.len(),
        folder.display(),
        files.join(", "),
        files.join(" or ")
    );
    Error::new(ErrorKind::AmbiguousHandler, message)
}

fn unknown(name: &str, folders: &[PathBuf], registry: &Registry) -> Error {
    let mut names = BTreeSet::new();
    for folder in folders {
        names.extend(rest(folder, registry).unwrap_or_default());
    }
    let places: Vec<String> = folders.iter().map(|folder| folder.display().to_string()).collect();
    let mut message = format!("there is no middleware '{name}' in {}", places.join(", "));
    if names.is_empty() {
        message.push_str("\nno middleware is there at all");
    } else {
        let listed: Vec<&str> = names.iter().map(String::as_str).take(20).collect();
        message.push_str(&format!("\nwhat is there: {}", listed.join(", ")));
        if names.len() > listed.len() {
            message.push_str(&format!(" and {} more", names.len() - listed.len()));
        }
    }
    if let Some(near) = trine_engine::nearest(name, &names) {
        message.push_str(&format!("\ndid you mean '{near}'?"));
    }
    Error::new(ErrorKind::HandlerNotFound, message).with_name(NOT_FOUND)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handler::tests::fixture::{folders, registry, scripts};

    fn found(files: &[&str], name: &str) -> Result<(String, &'static str)> {
        let (_parent, search) = folders(files);
        let places = [search.layer_root.join("middlewares"), search.task_root.join("middlewares")];
        let parent = search.task_root.parent().unwrap().to_owned();
        let found = middleware(name, &places, &search.task_root, &registry())?;
        assert_eq!(found.module.root, search.task_root);
        let path = found.module.path.strip_prefix(parent).unwrap().display().to_string();
        Ok((path, found.engine.info().id))
    }

    #[test]
    fn layers_come_before_the_task_root_and_files_before_folders() {
        let files =
            ["opt/middlewares/a.py", "task/middlewares/a.lua", "task/middlewares/b/index.js"];
        assert_eq!(found(&files, "a").unwrap(), ("opt/middlewares/a.py".into(), "python"));
        assert_eq!(found(&files, "b").unwrap(), ("task/middlewares/b/index.js".into(), "js"));
        let both = ["task/middlewares/a.lua", "task/middlewares/a/index.lua"];
        assert_eq!(found(&both, "a").unwrap().0, "task/middlewares/a.lua");
    }

    #[test]
    fn files_of_languages_that_yield_are_no_middlewares() {
        let (_parent, search) = folders(&["task/middlewares/a.sh", "task/middlewares/a.py"]);
        let folder = search.task_root.join("middlewares");
        let mut registry = registry();
        registry.add(scripts()).unwrap();
        let find =
            |name| middleware(name, std::slice::from_ref(&folder), &search.task_root, &registry);
        assert_eq!(find("a").unwrap().engine.info().id, "python");
        assert_eq!(find("a.sh").unwrap_err().kind(), ErrorKind::Unsupported);
        let all = with_rest(&["*".to_owned()], &folder, &registry).unwrap();
        assert_eq!(all, ["a"]);
    }

    #[test]
    fn two_languages_are_told_apart_by_extension() {
        let files = ["task/middlewares/a.lua", "task/middlewares/a.py"];
        let error = found(&files, "a").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AmbiguousHandler);
        assert!(error.message().contains("a.py or a.lua"), "{error}");
        assert_eq!(found(&files, "a.lua").unwrap().1, "lua");
    }

    #[test]
    fn an_unknown_name_is_answered_with_what_is_there_and_the_nearest_name() {
        let files = ["opt/middlewares/authenticate.py", "task/middlewares/cors/index.lua"];
        let error = found(&files, "autenticate").unwrap_err();
        assert_eq!(error.name(), "Runtime.MiddlewareNotFound");
        let message = error.message();
        assert!(message.contains("what is there: authenticate, cors"), "{message}");
        assert!(message.contains("did you mean 'authenticate'?"), "{message}");
        let error = found(&[], "x").unwrap_err();
        assert!(error.message().contains("no middleware is there at all"), "{error}");
        for name in ["../a", "/etc/passwd", "", "a//b"] {
            assert!(found(&files, name).unwrap_err().message().contains("is no name"), "{name}");
        }
    }

    #[test]
    fn an_asterisk_is_what_the_layers_hold_and_the_list_does_not_name() {
        let files = [
            "opt/middlewares/jwt.py",
            "opt/middlewares/audit/index.js",
            "opt/middlewares/cors.lua",
            "opt/middlewares/twice.js",
            "opt/middlewares/twice.mjs",
            "opt/middlewares/both.lua",
            "opt/middlewares/both.py",
            "opt/middlewares/_shared.py",
            "opt/middlewares/.hidden.py",
            "opt/middlewares/README.md",
            "opt/middlewares/cors.test.lua",
            "opt/middlewares/node_modules/index.html",
            "task/middlewares/own.py",
        ];
        let (_parent, search) = folders(&files);
        let layers = search.layer_root.join("middlewares");
        fs::write(layers.join("old"), "#!/usr/bin/env node\n1\n").unwrap();
        let list = |text: &str| {
            let asked = MiddlewareNames::list(text, crate::pipeline::Order::Onion);
            with_rest(&asked.names, &layers, &registry()).map(|names| names.join(","))
        };
        assert_eq!(list("*").unwrap(), "audit,both.lua,both.py,cors,jwt,old,twice");
        assert_eq!(list("*,jwt").unwrap(), "audit,both.lua,both.py,cors,old,twice,jwt");
        assert_eq!(list("jwt.py, *").unwrap(), "jwt.py,audit,both.lua,both.py,cors,old,twice");
        assert_eq!(
            list("own,*,audit,cors.lua").unwrap(),
            "own,both.lua,both.py,jwt,old,twice,audit,cors.lua"
        );
        assert_eq!(list("both.py,*,old").unwrap(), "both.py,audit,both.lua,cors,jwt,twice,old");
        assert_eq!(list("jwt").unwrap(), "jwt");
        assert!(list("*,jwt,*").unwrap_err().message().contains("'*' twice"));
        let nowhere = search.layer_root.join("nowhere");
        assert_eq!(with_rest(&["*".to_owned()], &nowhere, &registry()).unwrap(), [""; 0]);
    }

    #[test]
    fn a_shebang_names_its_interpreter() {
        for (line, name) in [
            ("#!/usr/bin/env node", Some("node")),
            ("#!/usr/bin/env -S python3.11 -u", Some("python3.11")),
            ("#! /usr/bin/python3", Some("python3")),
            ("#!/usr/bin/env LANG=C lua5.4", Some("lua5.4")),
            ("#!/bin/sh", Some("sh")),
            ("#!", None),
            ("\u{7f}ELF", None),
        ] {
            assert_eq!(interpreter(line).as_deref(), name, "{line}");
        }
    }

    #[test]
    fn a_program_runs_in_the_engine_of_its_interpreter() {
        let (_parent, search) = folders(&["task/middlewares/old", "task/middlewares/shell"]);
        let folder = search.task_root.join("middlewares");
        fs::write(folder.join("old"), "#!/usr/bin/env node\n1\n").unwrap();
        fs::write(folder.join("shell"), "#!/bin/sh\ncat\n").unwrap();
        let find = |name: &str| {
            middleware(name, std::slice::from_ref(&folder), &search.task_root, &registry())
        };
        let old = find("old").unwrap();
        assert_eq!((old.engine.info().id, old.module.wanted), ("js", Wanted::Program));
        let error = find("shell").unwrap_err();
        assert!(error.message().contains("names the interpreter \"sh\""), "{error}");
        assert!(error.message().contains("this build runs node"), "{error}");
    }
}
