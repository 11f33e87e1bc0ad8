//! `trine.toml` of a served folder: the routes to functions, the settings of single functions, folders of files, and what
//! invokes functions beside requests.
//!
//! ```toml
//! [[function]]
//! name = "report"              # of the folder, or the handler string of a route
//! env = { STAGE = "test" }     # on top of the process's; see `sharing` for who shares them
//! timeout = "5s"               # and memory, middlewares, concurrency, threads, event-format
//!
//! [auth]                       # for all functions; a function's own, or false, under [[function]]
//! jwks = "https://login.example.com/.well-known/jwks.json"
//!
//! [[route]]
//! method = ["GET", "HEAD"]     # one, a list, or all when it is left out
//! path = "/pets/{id}"
//! function = "pets"            # a function of the folder, by name …
//!
//! [[route]]
//! path = "/files/{path+}"
//! handler = "files/app.py:get" # … or any handler string
//! base_path = "/files"         # what of the path the function does not see; nothing when it is left out
//!
//! [[static]]
//! path = "/assets"
//! folder = "public"
//!
//! [[engine]]
//! file = "engines/upper.so"    # a plug-in: a language of its own
//!
//! [[trigger]]
//! kind = "cron"
//! cron = "*/5 * * * *"
//! function = "report"
//! ```
//!
//! `keys` lists what the tables may hold, `document` reads them by these lists, and a file for each table makes something
//! of it.

mod document;
mod functions;
mod keys;
mod lookup;
mod routes;
mod schema;
mod sharing;
mod spelling;
mod statics;
#[cfg(test)]
mod tests;
mod trigger_keys;
mod triggers;

pub(super) use document::{Fault, Placed};
pub use schema::schema;

use super::{
    auth::Auth, files::StaticFolder, route::Route, site::ServedFunction, triggers::Trigger,
};
use crate::{engines::Registry, handler::SearchPaths};
use document::Document;
use lookup::Functions;
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// The name of the file.
pub(super) const ROUTE_FILE: &str = "trine.toml";

/// What the file declares beside the settings of functions.
#[derive(Debug, Default)]
pub(super) struct Declared {
    pub(super) routes: Vec<Route>,
    pub(super) folders: Vec<StaticFolder>,
    pub(super) triggers: Vec<Trigger>,
    /// Number of the functions that the folder holds: those behind them are named by handler strings only.
    pub(super) discovered: usize,
}

/// Returns the plug-ins that a folder declares, as far as its file can be read: what is wrong there is told by [`read`].
pub(super) fn engines(folder: &Path) -> Vec<Placed<PathBuf>> {
    let Ok(text) = fs::read_to_string(folder.join(ROUTE_FILE)) else { return Vec::new() };
    engines_of(&mut Document::read(&text, &mut Vec::new()))
}

fn engines_of(document: &mut Document) -> Vec<Placed<PathBuf>> {
    let mut files = Vec::new();
    for mut entry in document.take(&keys::ENGINE) {
        let file = entry.text("file");
        entry.end();
        files.extend(file.map(|Placed { value, line }| Placed { value: value.into(), line }));
    }
    files
}

/// Reads what a folder declares, nothing if it has no such file. A handler string that is not a function yet is added to
/// `functions`; the settings of a function are noted there; what lies in a folder of files is none. What is wrong is noted
/// in the order of its lines, and left out of the result.
pub(super) fn read(
    folder: &Path,
    functions: &mut Vec<ServedFunction>,
    registry: &Registry,
    faults: &mut Vec<Fault>,
) -> Declared {
    let text = match fs::read_to_string(folder.join(ROUTE_FILE)) {
        Ok(text) => text,
        Err(e) => {
            if e.kind() != io::ErrorKind::NotFound {
                faults.push(Fault { line: 1, message: format!("cannot be read: {e}") });
            }
            return Declared { discovered: functions.len(), ..Declared::default() };
        }
    };
    let mut document = Document::read(&text, faults);
    // They have been loaded before: without them, not all functions would have been found.
    engines_of(&mut document);
    let folders = statics::read(document.take(&keys::STATIC), folder, faults);
    functions.retain(|function| !folders.iter().any(|(files, _)| files.holds(function)));
    let discovered = functions.len();
    for (files, line) in &folders {
        // Its function has that path, and all below it.
        if let Some(function) = functions.iter().find(|f| f.name == files.segments.join("/")) {
            let message = format!(
                "the path {:?} is that of the function '{}': give the files another one",
                files.path, function.name
            );
            faults.push(Fault { line: *line, message });
        }
    }
    let folders = folders.into_iter().map(|(files, _)| files).collect();
    let search = SearchPaths::new(folder);
    let mut known = Functions { all: functions, search: &search, registry };
    let routes = routes::read(document.take(&keys::ROUTE), &mut known, faults);
    let entries = document.take(&trigger_keys::TRIGGER);
    let triggers = triggers::read(entries, folder, &mut known, faults);
    // Only here are the functions known that only routes and triggers name.
    if let Some(Placed { value, line }) = document.auth.take() {
        match Auth::read(&value, folder) {
            Ok(auth) => known.all.iter_mut().for_each(|function| function.auth = auth.clone()),
            Err(message) => faults.push(Fault { line, message }),
        }
    }
    functions::read(document.take(&keys::FUNCTION), folder, &mut known, faults);
    faults.sort_by_key(|fault| fault.line);
    Declared { routes, folders, triggers, discovered }
}
