//! `vercel.json`: the files below `api`, and what is rewritten to them.

use crate::{
    code_files::{self, CodeFile},
    error::Fault,
    node::{Map, Node},
    project::{EventForm, Function, Route, Trigger},
    reading::{Reading, line},
    routes,
};
use std::{rc::Rc, time::Duration};

/// The folder of functions.
const FOLDER: &str = "api";

/// Reads a file.
pub(crate) fn read(reading: &mut Reading<'_>, root: &Rc<Node>) -> Result<Vec<Function>, Fault> {
    let mut functions = Vec::new();
    for file in code_files::below(&reading.path(FOLDER)) {
        let path = format!("{FOLDER}/{}", file.path);
        let mut function = Function {
            name: format!("{FOLDER}/{}", file.stem),
            line: line(root.place),
            folder: reading.folder.clone(),
            handler: handler(&file),
            routes: routes_of(reading, root, &file),
            ..Function::default()
        };
        let settings = root.get("functions").and_then(|functions| functions.map());
        let all = settings.map(Map::entries).unwrap_or_default();
        for entry in all {
            reading.spend(entry.place, path.len() + entry.key.len())?;
            if !is_match(&entry.key, &path) {
                continue;
            }
            let number = |key: &str| entry.value.text_of(key)?.trim().parse::<u64>().ok();
            function.line = line(entry.place);
            function.timeout = number("maxDuration").map(Duration::from_secs).or(function.timeout);
            function.memory_mb = number("memory").or(function.memory_mb);
            function.runtime =
                entry.value.text_of("runtime").map(str::to_owned).or(function.runtime);
        }
        functions.push(function);
    }
    if functions.is_empty() {
        reading.note(root.place, "functions", format!("no file in the folder {FOLDER} is one"));
    } else {
        let why = "they are called with an event and a context, where Vercel passes a request and a response";
        reading.note(root.place, format!("the functions of {FOLDER}"), why);
    }
    for rewrite in root.get("rewrites").and_then(|all| all.list()).unwrap_or_default() {
        reading.spend(rewrite.place, functions.len().saturating_mul(16))?;
        rewritten(reading, rewrite, &mut functions);
    }
    for cron in root.get("crons").and_then(|all| all.list()).unwrap_or_default() {
        reading.spend(cron.place, functions.len().saturating_mul(16))?;
        let path = cron.text_of("path").unwrap_or_default();
        let answers =
            |function: &&mut Function| function.routes.iter().any(|route| route.path == path);
        if let Some(function) = functions.iter_mut().find(answers) {
            function.triggers.push(Trigger { kind: "cron".to_owned(), line: line(cron.place) });
        }
    }
    for key in ["builds", "routes", "redirects", "headers"] {
        if let Some(value) = root.get(key) {
            reading.note(value.place, key, "it is not understood, and left out");
        }
    }
    Ok(functions)
}

/// Returns the handler of a file, with the export that such files have.
fn handler(file: &CodeFile) -> String {
    let export = if file.path.ends_with(".py") { "handler" } else { "default" };
    format!("{FOLDER}/{}:{export}", file.path)
}

/// Returns the routes of a file, whose path is its own: `api/users/[id].js` answers `/api/users/{id}`.
fn routes_of(reading: &mut Reading<'_>, root: &Node, file: &CodeFile) -> Vec<Route> {
    let stem =
        file.stem.strip_suffix("index").filter(|rest| rest.is_empty() || rest.ends_with('/'));
    let mut pattern = format!("/{FOLDER}");
    for part in stem.unwrap_or(&file.stem).split('/').filter(|part| !part.is_empty()) {
        let inner = part.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        match inner.map(|inner| (inner, inner.strip_prefix("..."))) {
            Some((_, Some(rest))) => pattern.push_str(&format!("/:{rest}+")),
            Some((name, None)) => pattern.push_str(&format!("/:{name}")),
            None => pattern.push_str(&format!("/{part}")),
        }
    }
    routed(reading, root, &pattern, &format!("the function {FOLDER}/{}", file.path))
}

fn routed(reading: &mut Reading<'_>, node: &Node, pattern: &str, what: &str) -> Vec<Route> {
    match routes::of_pattern(pattern, routes::PROXY) {
        Ok(paths) => paths
            .into_iter()
            .map(|path| Route {
                methods: Vec::new(),
                path,
                base_path: None,
                format: EventForm::AwsV2,
                line: line(node.place),
            })
            .collect(),
        Err(why) => {
            reading.note(node.place, what, format!("{why}: it is ignored"));
            Vec::new()
        }
    }
}

fn rewritten(reading: &mut Reading<'_>, rewrite: &Node, functions: &mut [Function]) {
    let source = rewrite.text_of("source").unwrap_or_default();
    let target = rewrite.text_of("destination").unwrap_or_default();
    let what = format!("the rewrite of {source}");
    if rewrite.get("has").is_some() || rewrite.get("missing").is_some() {
        reading.note(rewrite.place, what.clone(), "its conditions are not looked at");
    }
    let path = target.split('?').next().unwrap_or_default();
    let clean = path.trim_matches('/');
    let is_target = |function: &&mut Function| {
        let bare = function.name.strip_suffix("/index").unwrap_or(&function.name);
        function.name == clean || bare == clean || handled(function) == clean
    };
    let Some(function) = functions.iter_mut().find(is_target) else {
        reading.note(rewrite.place, what, format!("'{target}' is no function: it is ignored"));
        return;
    };
    let more = routed(reading, rewrite, source, &what);
    function.routes.extend(more);
}

/// Returns the file of a function's handler.
fn handled(function: &Function) -> &str {
    function.handler.rsplit_once(':').map_or("", |(file, _)| file)
}

/// Whether a pattern of files takes a path: `*` is a part of a name, `**` any number of folders.
fn is_match(pattern: &str, path: &str) -> bool {
    let pattern: Vec<&str> = pattern.split('/').collect();
    let path: Vec<&str> = path.split('/').collect();
    // Whether the patterns from a place on take the path from a place on, found from the ends.
    let mut takes = vec![vec![false; path.len() + 1]; pattern.len() + 1];
    takes[pattern.len()][path.len()] = true;
    for at in (0..pattern.len()).rev() {
        for from in (0..=path.len()).rev() {
            takes[at][from] = if pattern[at] == "**" {
                takes[at + 1][from] || from < path.len() && takes[at][from + 1]
            } else {
                from < path.len() && is_name(pattern[at], path[from]) && takes[at + 1][from + 1]
            };
        }
    }
    takes[0][0]
}

/// Whether a pattern with stars takes a name.
fn is_name(pattern: &str, name: &str) -> bool {
    let mut pieces = pattern.split('*');
    let first = pieces.next().unwrap_or_default();
    let Some(mut left) = name.strip_prefix(first) else { return false };
    let pieces: Vec<&str> = pieces.collect();
    let Some((last, middle)) = pieces.split_last() else { return left.is_empty() };
    for piece in middle {
        let Some(at) = left.find(piece) else { return false };
        left = &left[at + piece.len()..];
    }
    left.len() >= last.len() && left.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::is_match;

    #[test]
    fn patterns_of_files_take_names_and_folders() {
        for (pattern, path) in [
            ("api/a.js", "api/a.js"),
            ("api/*.js", "api/a.js"),
            ("api/**/*.ts", "api/x/y/a.ts"),
            ("api/**", "api/x/y/a.ts"),
            ("**/*", "api/a.ts"),
            ("api/*a*.js", "api/xay.js"),
        ] {
            assert!(is_match(pattern, path), "{pattern} {path}");
        }
        for (pattern, path) in [("api/*.js", "api/x/a.js"), ("api/a.js", "api/b.js"), ("a*a", "a")]
        {
            assert!(!is_match(pattern, path), "{pattern} {path}");
        }
    }
}
