//! A look at a folder as the server would serve it, without serving it: what in its `trine.toml`, its functions and their
//! middlewares would go wrong. Nothing of theirs runs.

use super::{
    error::ServeError,
    route_file::ROUTE_FILE,
    site::{Site, fault_of},
};
use crate::{
    engines::Registry,
    pipeline::{Middleware, MiddlewareNames},
};
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};
use trine_engine::{Error, Hook, Presence, Wanted};

/// What would go wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Flaw {
    /// The file, as seen from the folder that is served.
    pub file: PathBuf,
    /// The line, counted from 1; 0 where it is the file as a whole.
    pub line: usize,
    /// The column, counted from 1; 0 where it is the line as a whole.
    pub column: usize,
    /// What is wrong there.
    pub message: String,
}

/// What a look has shown.
#[derive(Debug)]
pub struct Checked {
    /// What is served, as far as it is right.
    pub site: Site,
    /// What is wrong, in the order of files and lines.
    pub flaws: Vec<Flaw>,
}

/// Looks at a path as [`Site::open`] does, and at the middlewares around its functions.
///
/// # Errors
/// [`ServeError::NothingToServe`] and [`ServeError::Function`] where there is nothing to look at.
pub fn check(
    path: &str,
    asked: &MiddlewareNames,
    layer_root: &Path,
    registry: &Registry,
) -> Result<Checked, ServeError> {
    let mut faults = Vec::new();
    let mut site = match Path::new(path) {
        folder if folder.is_dir() => {
            let site = Site::folder_with_faults(folder, registry, &mut faults);
            // Without functions, what is wrong in the file may be why.
            site.map_err(|error| fault_of(folder, &faults).unwrap_or(error))?
        }
        _ => Site::open(path, registry)?,
    };
    let root = site.root().to_owned();
    let mut flaws = BTreeSet::new();
    for fault in faults {
        let (file, column) = (PathBuf::from(ROUTE_FILE), 0);
        flaws.insert(Flaw { file, line: fault.line, column, message: fault.message });
    }
    for error in site.surround_each(asked, layer_root, registry) {
        flaws.insert(match error {
            ServeError::Routes { line, message, .. } => {
                Flaw { file: ROUTE_FILE.into(), line, column: 0, message }
            }
            other => Flaw { file: "".into(), line: 0, column: 0, message: other.to_string() },
        });
    }
    for function in site.functions() {
        if let Some(problem) = &function.problem {
            flaws.insert(placed(problem, &function.located.module.path, &root));
        }
        for middleware in &function.middlewares {
            flaws.extend(without_hooks(middleware, &root));
        }
    }
    Ok(Checked { site, flaws: flaws.into_iter().collect() })
}

/// Returns a problem with its place: the one that it names, else the file that it is about.
fn placed(problem: &Error, file: &Path, root: &Path) -> Flaw {
    let message = problem.message().to_owned();
    match problem.frames().first().filter(|frame| !frame.file.is_empty()) {
        Some(frame) => Flaw {
            file: seen_from(Path::new(&frame.file), root),
            line: frame.line as usize,
            column: frame.column as usize,
            message,
        },
        None => Flaw { file: seen_from(file, root), line: 0, column: 0, message },
    }
}

/// Returns what is wrong with a middleware whose file can be seen to export no hook.
fn without_hooks(middleware: &Middleware, root: &Path) -> Option<Flaw> {
    let Middleware { engine, module, .. } = middleware;
    if module.wanted != Wanted::Hooks {
        return None;
    }
    let mut sought = module.clone();
    let mut others = Vec::new();
    for hook in Hook::ALL {
        // An engine tells of one name whether a file can export it.
        sought.wanted = Wanted::Handler(hook.name().to_owned());
        let Ok(Presence::Absent { others: exported }) = engine.check(&sought) else { return None };
        others = exported;
    }
    let hooks: Vec<&str> = Hook::ALL.iter().map(|hook| hook.name()).collect();
    let mut message = format!("the file has no hook: it exports none of {}", hooks.join(", "));
    if !others.is_empty() {
        message.push_str(&format!("; it exports {}", others.join(", ")));
    }
    Some(Flaw { file: seen_from(&module.path, root), line: 0, column: 0, message })
}

fn seen_from(file: &Path, root: &Path) -> PathBuf {
    file.strip_prefix(root).unwrap_or(file).to_owned()
}
