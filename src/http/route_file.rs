//! `trine.toml` of a served folder: which routes lead to which functions, and what is special about a function.
//!
//! ```toml
//! [[function]]
//! name = "report"             # of the folder
//! threads = 4                 # for a `def` in Python, see `trine serve --threads`
//!
//! [[route]]
//! method = "GET"              # ANY when it is left out
//! path = "/pets/{id}"
//! function = "pets"           # a function of the folder, by name …
//!
//! [[route]]
//! path = "/files/{path+}"
//! handler = "files/app.py:get" # … or any handler string
//! base_path = "/files"        # what of the path the function does not see; nothing when it is left out
//! ```

use super::{error::ServeError, options::MOST_THREADS, route::Route, site::ServedFunction};
use crate::{
    engines::Registry,
    handler::{SearchPaths, locate},
};
use serde::Deserialize;
use std::{fs, io, path::Path};
use toml::Spanned;
use trine_engine::{HANDLER_NAMES, Seek};

/// The name of the file.
pub(super) const ROUTE_FILE: &str = "trine.toml";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    function: Vec<Settings>,
    #[serde(default)]
    route: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    name: Spanned<String>,
    threads: Option<Spanned<u64>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    method: Option<Spanned<String>>,
    path: Spanned<String>,
    function: Option<Spanned<String>>,
    handler: Option<Spanned<String>>,
    base_path: Option<Spanned<String>>,
}

/// The routes that a folder declares, none if it has no such file. A handler string that is no function yet is added to
/// `functions`; what is said about a function is noted there.
///
/// # Errors
/// [`ServeError::Routes`] with file and line.
pub(super) fn read(
    folder: &Path,
    functions: &mut Vec<ServedFunction>,
    registry: &Registry,
) -> Result<Vec<Route>, ServeError> {
    let file = folder.join(ROUTE_FILE);
    let wrong = |line, message| ServeError::Routes { file: file.clone(), line, message };
    let text = match fs::read_to_string(&file) {
        Ok(text) => text,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(wrong(1, format!("cannot be read: {e}"))),
    };
    let line_at = |offset: usize| {
        1 + text.as_bytes()[..offset.min(text.len())].iter().filter(|b| **b == b'\n').count()
    };
    let parsed: File = toml::from_str(&text).map_err(|e| {
        wrong(e.span().map_or(1, |span| line_at(span.start)), e.message().to_owned())
    })?;
    for settings in parsed.function {
        let name = settings.name.as_ref();
        let line = line_at(settings.name.span().start);
        let index = by_name(name, functions).map_err(|why| wrong(line, why))?;
        let Some(threads) = settings.threads else { continue };
        let info = functions[index].located.engine.info();
        let line = line_at(threads.span().start);
        let count = threads.into_inner();
        if !(1..=MOST_THREADS).contains(&count) {
            let why = format!("threads = {count}: use a whole number from 1 to {MOST_THREADS}");
            return Err(wrong(line, why));
        }
        if !info.on_main_thread {
            let why = format!(
                "'{name}' is {}, which runs in every worker: threads are for languages that run on one thread",
                info.name
            );
            return Err(wrong(line, why));
        }
        functions[index].threads = Some(count as usize);
    }
    let search = SearchPaths::new(folder);
    let mut routes = Vec::with_capacity(parsed.route.len());
    for entry in parsed.route {
        let line = line_at(entry.path.span().start);
        let function = match (entry.function, entry.handler) {
            (Some(name), None) => {
                let line = line_at(name.span().start);
                by_name(name.as_ref(), functions).map_err(|why| wrong(line, why))?
            }
            (None, Some(handler)) => {
                let line = line_at(handler.span().start);
                by_handler(handler.as_ref(), functions, &search, registry)
                    .map_err(|why| wrong(line, why))?
            }
            (Some(both), Some(_)) => {
                let line = line_at(both.span().start);
                return Err(wrong(line, "a route has either 'function' or 'handler'".into()));
            }
            (None, None) => {
                return Err(wrong(line, "the route has neither 'function' nor 'handler'".into()));
            }
        };
        let method = entry.method.as_ref();
        let method_line = method.map_or(line, |method| line_at(method.span().start));
        let method = method.map_or("ANY", |method| method.as_ref().as_str());
        let mut route = Route::declared(method, entry.path.as_ref(), function).map_err(|why| {
            let of_method = why.contains("method");
            wrong(if of_method { method_line } else { line }, why)
        })?;
        if let Some(base_path) = entry.base_path {
            let line = line_at(base_path.span().start);
            route = route.mounted_at(base_path.as_ref()).map_err(|why| wrong(line, why))?;
        }
        if let Some(same) = routes.iter().find(|known: &&Route| known.key == route.key) {
            return Err(wrong(line, format!("the route '{}' stands here twice", same.key)));
        }
        routes.push(route);
    }
    Ok(routes)
}

fn by_name(name: &str, functions: &[ServedFunction]) -> Result<usize, String> {
    if let Some(index) = functions.iter().position(|function| function.name == name) {
        return Ok(index);
    }
    let names: Vec<&str> = functions.iter().map(|function| function.name.as_str()).collect();
    let mut why = match names.as_slice() {
        [] => format!("no function is named '{name}': the folder has none"),
        names => format!("no function is named '{name}': there are {}", names.join(", ")),
    };
    if let Some(near) = super::site::nearest(name, names.into_iter()) {
        why.push_str(&format!("; did you mean '{near}'?"));
    }
    Err(why)
}

/// Whether it is the name that a function of the folder has where nobody names it.
fn usual(seek: &Seek) -> bool {
    matches!(seek, Seek::Handler(name) if *name == HANDLER_NAMES[0])
}

fn by_handler(
    text: &str,
    functions: &mut Vec<ServedFunction>,
    search: &SearchPaths,
    registry: &Registry,
) -> Result<usize, String> {
    let located = locate(text, search, registry).map_err(|e| e.message().to_owned())?;
    let same = |known: &ServedFunction| {
        known.located.module.path == located.module.path
            && (known.located.module.seek == located.module.seek || usual(&located.module.seek))
    };
    if let Some(index) = functions.iter().position(same) {
        return Ok(index);
    }
    functions.push(ServedFunction::looked_at(text, located));
    Ok(functions.len() - 1)
}
