//! `netlify.toml`: the folder of functions, and what is rewritten to them.

use crate::{
    code_files,
    error::Fault,
    node::{Map, Node},
    project::{EventForm, Function, Route, Trigger},
    reading::{Reading, line},
    routes,
    variables::Variables,
};
use std::rc::Rc;

/// The folder of functions that no key names.
const FOLDER: &str = "netlify/functions";

/// The path below which functions are found by their names.
const BELOW: &str = "/.netlify/functions/";

/// Reads a file.
pub(crate) fn read(reading: &mut Reading<'_>, root: &Rc<Node>) -> Result<Vec<Function>, Fault> {
    let build = root.get("build");
    let section = root.get("functions");
    let folder = section.and_then(|section| section.text_of("directory"));
    let folder = folder.or(build.and_then(|build| build.text_of("functions"))).unwrap_or(FOLDER);
    let base = build.and_then(|build| build.text_of("base")).unwrap_or_default();
    // Paths that begin with a slash are those from the base, too.
    let relative = |path: &str| path.trim_start_matches('/').to_owned();
    let folder =
        reading.path(format!("{}/{}", relative(base), relative(folder)).trim_start_matches('/'));
    let environment = environment(reading, root)?;
    let mut functions = Vec::new();
    for file in code_files::below(&folder) {
        let parts: Vec<&str> = file.stem.split('/').collect();
        let name = match parts[..] {
            [name] => name,
            [name, "index"] => name,
            [name, other] if name == other => name,
            _ => continue,
        };
        if functions.iter().any(|known: &Function| known.name == name) {
            continue;
        }
        let place = section.map_or(root.place, |section| section.place);
        let mut function = Function {
            name: name.to_owned(),
            line: line(place),
            folder: folder.clone(),
            handler: format!("{}.handler", file.stem),
            environment: environment.clone(),
            ..Function::default()
        };
        reading
            .spend(place, environment.iter().map(|(name, value)| name.len() + value.len()).sum())?;
        let text = code_files::text(&folder.join(&file.path)).unwrap_or_default();
        if !text.contains("handler") && text.contains("export default") {
            let why = format!("{} exports no 'handler' but a function of requests", file.path);
            reading.note(place, format!("the function {name}"), format!("{why}: it is not served"));
            function.not_served = Some(why);
        }
        function.routes = mounted(&format!("{BELOW}{}", routes::segment(name)), function.line);
        let own = section.and_then(|section| section.get(name));
        if let Some(schedule) = own.and_then(|own| own.get("schedule")) {
            let kind = "schedule".to_owned();
            function.triggers.push(Trigger { kind, line: line(schedule.place) });
        }
        functions.push(function);
    }
    if functions.is_empty() {
        let place = section.map_or(root.place, |section| section.place);
        reading.note(place, "functions", format!("no file in {} is one", folder.display()));
    }
    for rewrite in root.get("redirects").and_then(|all| all.list()).unwrap_or_default() {
        reading.spend(rewrite.place, functions.len().saturating_mul(256))?;
        redirect(reading, rewrite, &mut functions);
    }
    for key in ["edge_functions", "headers", "plugins"] {
        if let Some(value) = root.get(key) {
            reading.note(value.place, key, "it is not understood, and left out");
        }
    }
    Ok(functions)
}

/// Returns routes to a path and to all below it.
fn mounted(path: &str, line: usize) -> Vec<Route> {
    let of = |path: String| Route {
        methods: Vec::new(),
        path,
        base_path: None,
        format: EventForm::AwsV1,
        line,
    };
    vec![of(path.to_owned()), of(format!("{path}/{{splat+}}"))]
}

fn environment(reading: &mut Reading<'_>, root: &Node) -> Result<Vec<(String, String)>, Fault> {
    let mut all = Variables::default();
    let build = root.get("build").and_then(|build| build.get("environment"));
    let context = root.get("context").and_then(|context| context.get("dev"));
    let dev = context.and_then(|dev| dev.get("environment"));
    for table in [build, dev].into_iter().flatten() {
        for entry in table.map().map(Map::entries).unwrap_or_default() {
            all.set(reading, "all functions", entry, &entry.value)?;
        }
    }
    Ok(all.into_list())
}

fn redirect(reading: &mut Reading<'_>, rewrite: &Node, functions: &mut [Function]) {
    let from = rewrite.text_of("from").unwrap_or_default();
    let to = rewrite.text_of("to").unwrap_or_default();
    let what = format!("the redirect from {from}");
    let Some(target) = to.strip_prefix(BELOW).filter(|_| rewrite.text_of("status") == Some("200"))
    else {
        reading.note(rewrite.place, what, "only rewrites (status 200) to functions are read");
        return;
    };
    if rewrite.get("conditions").is_some() || rewrite.get("query").is_some() {
        reading.note(rewrite.place, what.clone(), "its conditions are not looked at");
    }
    let name = target.split(['/', '?']).next().unwrap_or_default();
    let line = line(rewrite.place);
    if name == ":splat" {
        let Some(prefix) = from.strip_suffix("/*") else {
            reading.note(rewrite.place, what, "':splat' without '/*' at the end is nothing");
            return;
        };
        let prefix = match routes::of_pattern(prefix, "splat") {
            Ok(paths) => paths.into_iter().next().unwrap_or_default(),
            Err(why) => {
                reading.note(rewrite.place, what, format!("{why}: it is ignored"));
                return;
            }
        };
        let prefix = prefix.trim_end_matches('/');
        for function in functions {
            let path = format!("{prefix}/{}", routes::segment(&function.name));
            function.routes.extend(mounted(&path, line));
        }
        return;
    }
    let Some(function) = functions.iter_mut().find(|function| function.name == name) else {
        reading.note(rewrite.place, what, format!("there is no function '{name}'"));
        return;
    };
    match routes::of_pattern(from, "splat") {
        Ok(paths) => function.routes.extend(paths.into_iter().map(|path| Route {
            methods: Vec::new(),
            path,
            base_path: None,
            format: EventForm::AwsV1,
            line,
        })),
        Err(why) => reading.note(rewrite.place, what, format!("{why}: it is ignored")),
    }
}
