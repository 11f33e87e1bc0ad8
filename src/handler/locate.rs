//! The search for the file that a handler string means, and with it for the engine.

use super::{
    BUNDLE, Located, SearchPaths, import,
    not_found::{self, Tried},
    wanted_of,
    written::{Reading, Written},
};
use crate::engines::Registry;
use std::{
    fs,
    io::ErrorKind as Io,
    path::{Path, PathBuf},
    sync::Arc,
};
use trine_engine::{Engine, Error, ErrorKind, HANDLER_NAMES, Module, Presence, Result};

/// Finds the function that `text` names: as a file in the task root, then in the layers, then as the languages' own
/// imports would, then as a file of a language that yields to others. [`crate::handler`] describes what it means;
/// `function.bundle.js` of the task root answers when nothing else does. What cannot be loaded is found all the same where
/// nothing else answers: loading it tells why.
///
/// Contract: the managed Node runtime's and Python runtime's parsing of `_HANDLER`, widened by file extensions and
/// bare names.
///
/// # Errors
/// - [`ErrorKind::MalformedHandler`]: the text has no valid form.
/// - [`ErrorKind::AmbiguousHandler`]: several files answer to it in one folder, or modules of several languages; the
///   message names them.
/// - [`ErrorKind::ImportModule`]: nothing answers to it, or a folder could not be read. The message tells what was
///   looked for, what exists, and the nearest name.
pub fn locate(text: &str, search: &SearchPaths, registry: &Registry) -> Result<Located> {
    let written = Written::parse(text)?;
    let roots = roots(written.file, search);
    if let Some(located) = by_full_name(&written, &roots, search, registry)? {
        return Ok(located);
    }
    let mut tried = Tried::default();
    let names_a_file = written.is_like_a_file(registry)
        || written.extension().is_some()
            && not_found::unsuited(&written, &roots, registry).is_some();
    let by_name = |yields: bool, loadable: bool, tried: &mut Tried| -> Result<Option<Located>> {
        for root in &roots {
            for ways in [as_file, as_folder] {
                let mut found = matches(&written, root, registry, ways, yields, tried)?;
                if loadable {
                    found.retain(|found| may_have_its_export(&found.clone().located(search)));
                }
                if let Some(only) = unambiguous(text, root, found)? {
                    return Ok(Some(only.located(search)));
                }
            }
        }
        Ok(None)
    };
    if let Some(located) = by_name(false, names_a_file, &mut tried)? {
        return Ok(located);
    }
    if let Some(located) = import::find(&written, names_a_file, search, registry, &mut tried)? {
        return Ok(rightful(located, registry));
    }
    if let Some(located) = by_name(true, true, &mut tried)? {
        return Ok(located);
    }
    if let Some(located) = bundle(search, registry)? {
        return Ok(located);
    }
    match by_name(true, names_a_file, &mut tried)? {
        Some(located) => Ok(located),
        None => Err(not_found::error(&written, &tried, &roots, search, registry)),
    }
}

/// Finds a function by the path of its file, with or without extension; a relative path starts at the task root. An
/// empty `export` names none. Contract: `SCW_HANDLER_PATH` and `SCW_HANDLER_NAME`.
///
/// # Errors
/// As [`locate`]; [`ErrorKind::Unsupported`] when the file exists and no engine of this build runs its extension.
pub fn locate_file(
    path: &Path,
    export: &str,
    search: &SearchPaths,
    registry: &Registry,
) -> Result<Located> {
    let export = (!export.is_empty()).then_some(export);
    let path = search.task_root.join(path);
    let extension = path.extension().and_then(|extension| extension.to_str());
    if is_file(&path)? {
        let Some(engine) = extension.and_then(|extension| registry.by_extension(extension)) else {
            return Err(not_found::unknown_extension(&path, registry));
        };
        let found = Match {
            engine: engine.clone(),
            stem: path.with_extension(""),
            path,
            name: None,
            by_path: true,
            export: export.map(str::to_owned),
        };
        return Ok(found.located(search));
    }
    let text = path.to_str().ok_or_else(|| {
        Error::new(
            ErrorKind::MalformedHandler,
            format!("{path:?} is not a valid handler path: it is not UTF-8"),
        )
    })?;
    let written = Written { text, file: text, export };
    let roots = [PathBuf::from("/")];
    let mut tried = Tried::default();
    // Where an extension is written, that file is meant, not a function `py` of a file beside it.
    let is_whole = extension.is_some_and(|extension| registry.by_extension(extension).is_some());
    let ways = [(as_file as Ways, false), (as_folder, false), (as_file, true)];
    for (ways, yields) in ways.into_iter().filter(|_| !is_whole) {
        let found = matches(&written, &roots[0], registry, ways, yields, &mut tried)?;
        if let Some(only) = unambiguous(text, &search.task_root, found)? {
            return Ok(only.located(search));
        }
    }
    Err(not_found::error(&written, &tried, &roots, search, registry))
}

/// Returns the bundle of the task root, if it exists and an engine of this build runs it.
pub(super) fn bundle(search: &SearchPaths, registry: &Registry) -> Result<Option<Located>> {
    let path = search.task_root.join(BUNDLE);
    let Some((_, extension)) = BUNDLE.rsplit_once('.') else { return Ok(None) };
    let Some(engine) = registry.by_extension(extension) else { return Ok(None) };
    if !is_file(&path)? {
        return Ok(None);
    }
    let found = Match {
        engine: engine.clone(),
        stem: path.with_extension(""),
        path,
        name: None,
        by_path: false,
        export: Some(HANDLER_NAMES[0].to_owned()),
    };
    Ok(Some(found.located(search)))
}

/// Returns what was found with the engine whose handler the file can be seen to be: a language may be ready to import any
/// shared library, and one that yields to it knows better.
fn rightful(located: Located, registry: &Registry) -> Located {
    let extension = located.module.path.extension().and_then(|extension| extension.to_str());
    let Some(engine) = extension.and_then(|extension| registry.by_extension(extension)) else {
        return located;
    };
    let is_its = engine.info().yields
        && match engine.check(&located.module) {
            Ok(Presence::Absent { others }) => !others.is_empty(),
            // One that is damaged, or for another machine, is nobody else's.
            _ => true,
        };
    match is_its {
        true => Located { engine: engine.clone(), ..located },
        false => located,
    }
}

/// Whether a look at its file leaves room for the export. What was written like a file, `app.ts`, means the function
/// `ts` of `app.js` only where there is one.
pub(super) fn may_have_its_export(located: &Located) -> bool {
    matches!(located.engine.check(&located.module), Ok(Presence::Possible))
}

/// A file that answers to a handler string.
#[derive(Clone)]
struct Match {
    engine: Arc<dyn Engine>,
    path: PathBuf,
    /// The path without its extension, or the folder whose index file it is.
    stem: PathBuf,
    /// The module as it was written, where that differs from the stem.
    name: Option<String>,
    /// Whether it was written with its extension.
    by_path: bool,
    export: Option<String>,
}

impl Match {
    fn located(self, search: &SearchPaths) -> Located {
        // A layer's handler still imports the user's modules, so the task root stays its root.
        let inside =
            self.path.starts_with(&search.task_root) || self.path.starts_with(&search.layer_root);
        let own_folder = self.stem.parent().unwrap_or(Path::new("/"));
        let root = if inside { &search.task_root } else { own_folder };
        let relative = [root, &search.layer_root]
            .into_iter()
            .find_map(|root| self.stem.strip_prefix(root).ok())
            .unwrap_or(&self.stem);
        let name = self.name.unwrap_or_else(|| relative.to_string_lossy().into_owned());
        Located {
            engine: self.engine,
            module: Module::new(root, self.path, name, wanted_of(self.export.as_deref()))
                .with_by_path(self.by_path),
        }
    }
}

fn roots(file: &str, search: &SearchPaths) -> Vec<PathBuf> {
    if file.starts_with('/') {
        return vec![PathBuf::from("/")];
    }
    vec![search.task_root.clone(), search.layer_root.clone()]
}

/// Finds a handler in the file form: `src/app.ts`, `app.py:main`.
fn by_full_name(
    written: &Written<'_>,
    roots: &[PathBuf],
    search: &SearchPaths,
    registry: &Registry,
) -> Result<Option<Located>> {
    let Some(extension) = written.extension() else { return Ok(None) };
    let Some(engine) = registry.by_extension(extension) else { return Ok(None) };
    for root in roots {
        let path = root.join(written.file);
        if is_file(&path)? {
            let found = Match {
                engine: engine.clone(),
                stem: path.with_extension(""),
                path,
                name: None,
                by_path: true,
                export: written.export.map(str::to_owned),
            };
            return Ok(Some(found.located(search)));
        }
    }
    Ok(None)
}

/// The candidates for a reading's stem: files without their extensions, and one that something else names.
struct Candidates {
    named: Option<PathBuf>,
    stems: Vec<String>,
}

type Ways = fn(&dyn Engine, &Path, &str) -> Candidates;

fn as_file(engine: &dyn Engine, root: &Path, stem: &str) -> Candidates {
    Candidates { named: engine.before_extensions(&root.join(stem)), stems: vec![stem.to_owned()] }
}

/// Returns the candidates for a folder: the file that a file in it names, `index`, or a package's own.
fn as_folder(engine: &dyn Engine, root: &Path, stem: &str) -> Candidates {
    let names = engine.info().index_files;
    Candidates {
        named: engine.main_of(&root.join(stem)),
        stems: names.iter().map(|name| format!("{stem}/{name}")).collect(),
    }
}

/// Returns the files that answer, of the languages that yield to others or of those that do not.
fn matches(
    written: &Written<'_>,
    root: &Path,
    registry: &Registry,
    ways: Ways,
    yields: bool,
    tried: &mut Tried,
) -> Result<Vec<Match>> {
    let mut found: Vec<Match> = Vec::new();
    for engine in registry.iter().filter(|engine| engine.info().yields == yields) {
        let info = engine.info();
        for Reading { stem, name, export } in written.readings(info) {
            let mut add = |path: PathBuf| {
                let name = (name != stem).then(|| name.clone());
                let (stem, export) = (root.join(&stem), export.clone());
                let (engine, by_path) = (engine.clone(), false);
                found.push(Match { engine, path, stem, name, by_path, export });
            };
            let candidates = ways(&**engine, root, &stem);
            candidates.named.into_iter().for_each(&mut add);
            for candidate in candidates.stems {
                tried.add(&candidate, info.extensions);
                for extension in info.extensions {
                    let path = root.join(format!("{candidate}.{extension}"));
                    if is_file(&path)? {
                        add(path);
                    }
                }
            }
        }
    }
    Ok(found)
}

/// Returns the one file that is meant. Of one engine's files of the same name the first counts, in the order of its
/// extensions: a compiled `app.js` beside its source `app.ts` is not ambiguous, files of two engines are.
fn unambiguous(text: &str, root: &Path, mut found: Vec<Match>) -> Result<Option<Match>> {
    let same = |a: &Match, b: &Match| a.engine.info().id == b.engine.info().id && a.stem == b.stem;
    found.dedup_by(|later, first| same(later, first));
    if found.len() < 2 {
        return Ok(found.pop());
    }
    let shown =
        |found: &Match| found.path.strip_prefix(root).unwrap_or(&found.path).display().to_string();
    let files: Vec<String> = found.iter().map(shown).collect();
    let exports = found.iter().map(|found| found.export.as_deref());
    Err(ambiguous(text, &files, exports))
}

/// Returns the error for a handler string that means several files: each with the string that selects it.
pub(super) fn ambiguous<'e>(
    text: &str,
    files: &[String],
    exports: impl Iterator<Item = Option<&'e str>>,
) -> Error {
    let choices = files.iter().zip(exports).map(|(file, export)| match export {
        Some(export) => format!("'{file}:{export}'"),
        None => format!("'{file}'"),
    });
    let message = format!(
        "handler '{text}' fits {} files: {}\nname the file to choose one: {}",
        files.len(),
        files.join(", "),
        choices.collect::<Vec<_>>().join(" or ")
    );
    Error::new(ErrorKind::AmbiguousHandler, message)
}

/// Whether a file exists; if that cannot be determined, the error names the folder.
pub(crate) fn is_file(path: &Path) -> Result<bool> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(metadata.is_file()),
        // No file has a name that is too long for the system.
        Err(e) if matches!(e.kind(), Io::NotFound | Io::NotADirectory | Io::InvalidFilename) => {
            Ok(false)
        }
        Err(e) => {
            let folder = path.parent().unwrap_or(path);
            let file = path.file_name().unwrap_or_default();
            Err(Error::new(
                ErrorKind::ImportModule,
                format!("cannot look for {file:?} in the folder '{}': {e}", folder.display()),
            ))
        }
    }
}

#[cfg(test)]
mod tests;
