//! The search for functions that have events: folders `events` beside a handler's file.

use super::case::{Case, cases};
use crate::{
    engines::Registry,
    handler::{HANDLER_FILES, Located, SearchPaths, locate, locate_file},
};
use std::{
    fs, io,
    path::{Path, PathBuf},
};
use trine_engine::{Engine, Presence, nearest};

/// The folder that holds a function's events.
const EVENTS: &str = "events";
/// Folders with code of others.
const SKIPPED: &[&str] = &["node_modules", "__pycache__", "target", "vendor", "venv"];

/// A function and its cases.
pub(crate) struct Suite {
    /// Its file, as people name it.
    pub(crate) name: String,
    pub(crate) located: Located,
    pub(crate) cases: Vec<Case>,
}

/// What was found.
#[derive(Default)]
pub(crate) struct Found {
    /// Functions with cases, in order of their paths.
    pub(crate) suites: Vec<Suite>,
    /// Folders of events without a function, each with the reason.
    pub(crate) passed_over: Vec<String>,
}

/// The search, and what it goes by.
pub(crate) struct Search<'a> {
    /// The handler beside every folder of events, where the usual names are not meant.
    pub(crate) handler: Option<&'a str>,
    /// The folder that layers are unpacked to.
    pub(crate) layers: &'a Path,
    pub(crate) registry: &'a Registry,
}

impl Search<'_> {
    /// Finds the functions that these paths mean: folders, which are searched as a whole; handlers' files; folders of
    /// events; single events.
    ///
    /// # Errors
    /// When there is no such file or folder, with the nearest name.
    pub(crate) fn find(&self, paths: &[PathBuf]) -> Result<Found, String> {
        let mut found = Found::default();
        for path in paths {
            if !path.exists() {
                return Err(missing(path));
            }
            if path.is_dir() {
                self.walk(path, &mut found)?;
            } else {
                self.file(path, &mut found)?;
            }
        }
        // A folder and one in it may both be named.
        let mut known: Vec<(PathBuf, PathBuf)> = Vec::new();
        for suite in &mut found.suites {
            let handler = fs::canonicalize(&suite.located.module.path).unwrap_or_default();
            suite.cases.retain(|case| {
                let key = (handler.clone(), fs::canonicalize(&case.event).unwrap_or_default());
                let is_new = !known.contains(&key);
                if is_new {
                    known.push(key);
                }
                is_new
            });
        }
        found.suites.retain(|suite| !suite.cases.is_empty());
        let here = std::env::current_dir().map_err(|error| unreadable(Path::new("."), &error))?;
        for case in found.suites.iter_mut().flat_map(|suite| &mut suite.cases) {
            case.fasten(&here);
        }
        Ok(found)
    }

    fn walk(&self, folder: &Path, found: &mut Found) -> Result<(), String> {
        if is_named(folder, EVENTS) {
            let all = cases(folder).map_err(|error| unreadable(folder, &error))?;
            if !all.is_empty() {
                return self.suites(folder, all, found);
            }
        }
        let mut folders = Vec::new();
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) => {
                found.passed_over.push(format!("{}: {error}", folder.display()));
                return Ok(());
            }
        };
        for entry in entries {
            let path = entry.map_err(|error| unreadable(folder, &error))?.path();
            let path = path.strip_prefix(".").map(Path::to_owned).unwrap_or(path);
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let is_skipped = name.starts_with('.') || SKIPPED.contains(&&*name);
            // A link may lead back to a folder above it.
            if !is_skipped && path.is_dir() && !path.is_symlink() {
                folders.push(path);
            }
        }
        folders.sort();
        folders.iter().try_for_each(|folder| self.walk(folder, found))
    }

    /// Adds what a file means: a handler, or one event.
    fn file(&self, path: &Path, found: &mut Found) -> Result<(), String> {
        let folder = parent(path);
        let extension = path.extension().unwrap_or_default().to_string_lossy();
        if self.registry.by_extension(&extension).is_some() {
            let events = folder.join(EVENTS);
            let cases = cases(&events).map_err(|error| unreadable(&events, &error))?;
            let located = self.named(&folder, path)?;
            found.suites.push(suite(path, located, cases));
            return Ok(());
        }
        let all = cases(&folder).map_err(|error| unreadable(&folder, &error))?;
        let one: Vec<Case> = all.into_iter().filter(|case| case.has(path)).collect();
        if one.is_empty() || !is_named(&folder, EVENTS) {
            return Err(format!(
                "{} is neither a handler's file nor an event in a folder {EVENTS}",
                path.display()
            ));
        }
        self.suites(&folder, one, found)
    }

    /// Adds the functions that a folder of events belongs to.
    fn suites(&self, events: &Path, cases: Vec<Case>, found: &mut Found) -> Result<(), String> {
        let folder = events.parent().filter(|_| events.file_name().is_some());
        let events = match folder.map(|folder| folder.as_os_str().is_empty()) {
            Some(false) => events.to_owned(),
            Some(true) => Path::new(".").join(events),
            // The working directory itself.
            None => fs::canonicalize(events).map_err(|error| unreadable(events, &error))?,
        };
        let folder = parent(&events);
        if let Some(handler) = self.handler {
            let search =
                SearchPaths { layer_root: self.layers.to_owned(), ..SearchPaths::new(&folder) };
            let located = locate(handler, &search, self.registry)
                .map_err(|error| format!("{}: {}", events.display(), error.message()))?;
            let path = located.module.path.clone();
            found.suites.push(suite(&shortest(&path), located, cases));
            return Ok(());
        }
        let handlers = self.handlers(&folder);
        if handlers.is_empty() {
            found.passed_over.push(format!(
                "{}: no handler lies beside it ({} in a language of this build); name it with --handler",
                events.display(),
                HANDLER_FILES[..6].join(", ")
            ));
        }
        for path in handlers {
            let located = self.named(&folder, &path)?;
            found.suites.push(suite(&path, located, cases.clone()));
        }
        Ok(())
    }

    fn named(&self, folder: &Path, file: &Path) -> Result<Located, String> {
        let file = std::path::absolute(file).map_err(|error| unreadable(folder, &error))?;
        let search =
            SearchPaths { layer_root: self.layers.to_owned(), ..SearchPaths::new(parent(&file)) };
        let located = locate_file(&file, "", &search, self.registry);
        located.map_err(|error| format!("{}: {}", file.display(), error.message()))
    }

    /// Returns the handler's file of each language that a folder has one of; where it has none, those of the folders that
    /// are named after languages.
    fn handlers(&self, folder: &Path) -> Vec<PathBuf> {
        let of = |engine: &dyn Engine, folder: &Path| -> Option<PathBuf> {
            let files: Vec<PathBuf> = HANDLER_FILES
                .iter()
                .flat_map(|stem| {
                    let extensions = engine.info().extensions.iter();
                    extensions.map(move |extension| folder.join(format!("{stem}.{extension}")))
                })
                .filter(|path| path.is_file())
                .collect();
            let may_handle = |path: &&PathBuf| {
                let located = self.named(folder, path);
                located.is_ok_and(|located| {
                    matches!(engine.check(&located.module), Ok(Presence::Possible))
                })
            };
            // Where none can be one, the first tells why.
            files.iter().find(may_handle).or(files.first()).cloned()
        };
        let engines = || self.registry.iter();
        let beside: Vec<_> = engines().filter_map(|engine| of(engine.as_ref(), folder)).collect();
        if !beside.is_empty() {
            return beside;
        }
        engines().filter_map(|engine| of(engine.as_ref(), &folder.join(engine.info().id))).collect()
    }
}

fn suite(path: &Path, located: Located, cases: Vec<Case>) -> Suite {
    let name = path.strip_prefix(".").unwrap_or(path).display().to_string();
    Suite { name, located, cases }
}

/// Returns a path as seen from the working directory, where it lies below.
fn shortest(path: &Path) -> PathBuf {
    let here = std::env::current_dir().unwrap_or_default();
    path.strip_prefix(here).unwrap_or(path).to_owned()
}

fn parent(path: &Path) -> PathBuf {
    path.parent().unwrap_or(path).to_owned()
}

fn is_named(folder: &Path, name: &str) -> bool {
    // `.` has the name of the working directory.
    match folder.file_name() {
        Some(own) => own == name,
        None => fs::canonicalize(folder).is_ok_and(|folder| folder.ends_with(name)),
    }
}

fn unreadable(path: &Path, error: &io::Error) -> String {
    format!("cannot read {}: {error}", path.display())
}

fn missing(path: &Path) -> String {
    let folder = parent(path);
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { &folder };
    let names = fs::read_dir(folder).into_iter().flatten().flatten();
    let names: Vec<String> =
        names.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    let wanted = path.file_name().unwrap_or_default().to_string_lossy();
    let meant = match nearest(&wanted, &names) {
        Some(name) => format!("; did you mean {}?", path.with_file_name(name).display()),
        None => String::new(),
    };
    format!("there is no file or folder {}{meant}", path.display())
}
