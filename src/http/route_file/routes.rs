//! `[[route]]`: methods and paths, and the functions behind them.

use super::{
    document::{Entry, Fault, Placed},
    lookup::Functions,
    spelling,
};
use crate::http::route::Route;

/// Reads the routes. What one names and nobody has is added to the functions.
pub(super) fn read(
    entries: Vec<Entry>,
    functions: &mut Functions<'_>,
    faults: &mut Vec<Fault>,
) -> Vec<Route> {
    let mut known: Vec<(Route, usize)> = Vec::with_capacity(entries.len());
    for mut entry in entries {
        let line = entry.line_of("path").unwrap_or(entry.line);
        let function = functions.of("route", line, &mut entry, faults);
        let (methods, path) = (entry.texts("method"), entry.text("path"));
        let base_path = entry.text("base_path");
        entry.end();
        let methods = methods.map_or_else(|| Ok(vec![any(0)]), checked);
        let (function, path, methods) = match (function, path, methods) {
            (Some(function), Some(path), Ok(methods)) => (function, path, methods),
            (_, _, methods) => {
                faults.extend(methods.err());
                continue;
            }
        };
        for method in methods {
            match route(&method, &path, base_path.as_ref(), function, &known) {
                Ok(route) => known.push((route, path.line)),
                Err(fault) => {
                    faults.push(fault);
                    break;
                }
            }
        }
    }
    known.into_iter().map(|(route, _)| route).collect()
}

fn any(line: usize) -> Placed<String> {
    Placed { value: "ANY".to_owned(), line }
}

/// Checks a list of methods: none twice, and `ANY` alone.
fn checked(methods: Placed<Vec<Placed<String>>>) -> Result<Vec<Placed<String>>, Fault> {
    let wrong = |message: String| Err(Fault { line: methods.line, message });
    let all = &methods.value;
    if all.is_empty() {
        return wrong(
            "the list of methods is empty: leave 'method' out for all of them".to_owned(),
        );
    }
    if all.len() > 1 && all.iter().any(|method| method.value == "ANY") {
        return wrong("ANY stands for all methods: write it alone".to_owned());
    }
    for (at, method) in all.iter().enumerate() {
        if all[..at].iter().any(|other| other.value == method.value) {
            return wrong(format!("the list of methods has {} twice", method.value));
        }
    }
    Ok(methods.value)
}

fn route(
    method: &Placed<String>,
    path: &Placed<String>,
    base_path: Option<&Placed<String>>,
    function: usize,
    known: &[(Route, usize)],
) -> Result<Route, Fault> {
    let line = path.line;
    let wrong = |line, message| Fault { line, message };
    check_spelling(path)?;
    let route = Route::declared(&method.value, &path.value, function);
    let mut route = route.map_err(|why| wrong(line, why))?;
    if let Some(base_path) = base_path {
        let mounted = route.mounted_at(&base_path.value);
        route = mounted.map_err(|why| wrong(base_path.line, why))?;
    }
    let same = |(known, _): &&(Route, usize)| known.takes_the_same_as(&route);
    match known.iter().find(same) {
        None => Ok(route),
        Some((known, first)) => Err(wrong(
            line,
            match known.key == route.key {
                true => format!("the route '{}' stands in line {first} already", known.key),
                false => format!(
                    "the route '{}' takes the same requests as '{}' in line {first}",
                    route.key, known.key
                ),
            },
        )),
    }
}

/// Checks that a pattern of paths is in no other program's spelling.
pub(super) fn check_spelling(path: &Placed<String>) -> Result<(), Fault> {
    let wrong = |message| Err(Fault { line: path.line, message });
    let pattern = &path.value;
    if let Some(here) = spelling::here(pattern) {
        return wrong(format!(
            "the path {pattern:?} is in the spelling of another program: write {here:?}"
        ));
    }
    match pattern.find(['?', '#']) {
        Some(at) => wrong(format!(
            "the path {pattern:?} goes on behind the path of a URL: write {:?}, whatever the query",
            &pattern[..at]
        )),
        None => Ok(()),
    }
}
