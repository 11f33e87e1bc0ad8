//! `trine.toml` of a served folder: the routes to functions, and the settings of single functions.
//!
//! ```toml
//! [[function]]
//! name = "report"             # of the folder, or the handler string of a route
//! threads = 4                 # for a `def` in Python, see `trine serve --threads`
//! event-format = "aws-v1"     # see `trine serve --event-format`
//!
//! [auth]                      # see `auth/settings.rs`; a function's own, or false, under [[function]]
//! jwks = "https://login.example.com/.well-known/jwks.json"
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

use super::{
    auth::Auth, error::ServeError, options::MOST_THREADS, route::Route, site::ServedFunction,
};
use crate::{
    engines::Registry,
    handler::{Located, SearchPaths, locate},
};
use serde::Deserialize;
use std::{fs, io, path::Path};
use toml::Spanned;
use trine_engine::{HANDLER_NAMES, Wanted};

/// The name of the file.
pub(super) const ROUTE_FILE: &str = "trine.toml";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    auth: Option<Spanned<toml::Value>>,
    #[serde(default)]
    function: Vec<Settings>,
    #[serde(default)]
    route: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    name: Spanned<String>,
    threads: Option<Spanned<toml::Value>>,
    #[serde(rename = "event-format", alias = "event_format")]
    event_format: Option<Spanned<String>>,
    auth: Option<Spanned<toml::Value>>,
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

/// Reads the routes that a folder declares, none if it has no such file. A handler string that is not a function yet is
/// added to `functions`; the settings of a function are noted there.
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
    let search = SearchPaths::new(folder);
    let mut routes: Vec<(Route, usize)> = Vec::with_capacity(parsed.route.len());
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
        let same = |(known, _): &&(Route, usize)| known.takes_the_same_as(&route);
        if let Some((known, first)) = routes.iter().find(same) {
            let why = match known.key == route.key {
                true => format!("the route '{}' stands in line {first} already", known.key),
                false => format!(
                    "the route '{}' takes the same requests as '{}' in line {first}",
                    route.key, known.key
                ),
            };
            return Err(wrong(line, why));
        }
        routes.push((route, line));
    }
    // Only here are the functions known that only routes name.
    if let Some(auth) = parsed.auth {
        let line = line_at(auth.span().start);
        let auth = Auth::read(auth.as_ref(), folder).map_err(|why| wrong(line, why))?;
        functions.iter_mut().for_each(|function| function.auth = auth.clone());
    }
    let mut known: Vec<(usize, usize)> = Vec::new();
    for settings in parsed.function {
        let name = settings.name.as_ref();
        let line = line_at(settings.name.span().start);
        let index = by_name(name, functions)
            .or_else(|why| by_same_handler(name, functions, &search, registry).ok_or(why))
            .map_err(|why| wrong(line, why))?;
        if let Some((_, first)) = known.iter().find(|(known, _)| *known == index) {
            let why = format!("the function '{name}' stands in line {first} already");
            return Err(wrong(line, why));
        }
        known.push((index, line));
        if let Some(threads) = settings.threads {
            let line = line_at(threads.span().start);
            functions[index].threads =
                Some(count(threads.as_ref(), &functions[index]).map_err(|why| wrong(line, why))?);
        }
        if let Some(auth) = settings.auth {
            let line = line_at(auth.span().start);
            let auth = Auth::read(auth.as_ref(), folder).map_err(|why| wrong(line, why))?;
            functions[index].auth = auth;
        }
        if let Some(format) = settings.event_format {
            let line = line_at(format.span().start);
            let parsed = format.as_ref().parse();
            functions[index].event_format = Some(parsed.map_err(|why: String| {
                wrong(line, format!("event-format = {:?}: {why}", format.as_ref()))
            })?);
        }
    }
    Ok(routes.into_iter().map(|(route, _)| route).collect())
}

/// Reads how many threads a function is to have.
fn count(threads: &toml::Value, function: &ServedFunction) -> Result<usize, String> {
    let range = 1..=MOST_THREADS;
    let count = threads.as_integer().and_then(|count| u64::try_from(count).ok());
    let Some(count) = count.filter(|count| range.contains(count)) else {
        return Err(format!("threads = {threads}: use a whole number from 1 to {MOST_THREADS}"));
    };
    if !function.located.engine.info().on_main_thread {
        return Err(format!(
            "'{}' is {}, which runs in every worker: threads are for languages that run on one thread",
            function.name,
            function.located.engine.info().name
        ));
    }
    Ok(count as usize)
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
    if let Some(near) = trine_engine::nearest(name, names) {
        why.push_str(&format!("; did you mean '{near}'?"));
    }
    Err(why)
}

/// Whether it is the default name of a function of the folder.
fn usual(wanted: &Wanted) -> bool {
    matches!(wanted, Wanted::Handler(name) if *name == HANDLER_NAMES[0])
}

fn by_handler(
    text: &str,
    functions: &mut Vec<ServedFunction>,
    search: &SearchPaths,
    registry: &Registry,
) -> Result<usize, String> {
    let located = locate(text, search, registry).map_err(|e| e.message().to_owned())?;
    if let Some(index) = position(&located, functions) {
        return Ok(index);
    }
    functions.push(ServedFunction::looked_at(text, located));
    Ok(functions.len() - 1)
}

/// Finds the function that a handler string names, if it is one of these.
fn by_same_handler(
    text: &str,
    functions: &[ServedFunction],
    search: &SearchPaths,
    registry: &Registry,
) -> Option<usize> {
    position(&locate(text, search, registry).ok()?, functions)
}

fn position(located: &Located, functions: &[ServedFunction]) -> Option<usize> {
    let same = |known: &ServedFunction| {
        known.located.module.path == located.module.path
            && (known.located.module.wanted == located.module.wanted
                || usual(&located.module.wanted))
    };
    functions.iter().position(same)
}
