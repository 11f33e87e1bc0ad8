//! `func.yaml` of the Fn project: one function in its own folder.

use crate::{
    error::Fault,
    node::{Map, Node},
    project::{EventForm, Function, Route, Trigger},
    reading::{Reading, line},
    routes::{self, Address, serve_addresses},
    runtimes,
    variables::Variables,
};
use std::{rc::Rc, time::Duration};

/// The time that Fn gives to a function which asks for none.
const TIMEOUT: u64 = 30;

/// Reads a file.
pub(crate) fn read(reading: &mut Reading<'_>, root: &Rc<Node>) -> Result<Vec<Function>, Fault> {
    let name = root.text_of("name").map(str::to_owned);
    let name = name.or_else(|| Some(reading.folder.file_name()?.to_str()?.to_owned()));
    let name = name.unwrap_or_else(|| "function".to_owned());
    let number = |key: &str| root.text_of(key).and_then(|text| text.trim().parse::<u64>().ok());
    let runtime = root.text_of("runtime").map(str::to_owned);
    let entrypoint = root.text_of("entrypoint").or(root.text_of("cmd")).unwrap_or_default();
    let handler = handler(entrypoint);
    let mut function = Function {
        line: line(root.place),
        folder: reading.folder.clone(),
        timeout: Some(Duration::from_secs(number("timeout").unwrap_or(TIMEOUT))),
        memory_mb: number("memory"),
        ..Function::default()
    };
    let why = runtimes::not_served(runtime.as_deref(), "", None);
    let what = format!("the function {name}");
    match why.map_or(handler, Err) {
        Ok(handler) => {
            let why =
                "it is called with an event and a context, where Fn passes a context and a stream";
            reading.note(root.place, what, why);
            function.handler = handler;
        }
        Err(why) => {
            reading.note(root.place, what, format!("{why}: it is not served"));
            function.not_served = Some(why);
        }
    }
    let mut all = Variables::default();
    for entry in
        root.get("config").and_then(|config| config.map()).map(Map::entries).unwrap_or_default()
    {
        all.set(reading, &name, entry, &entry.value)?;
    }
    function.environment = all.into_list();
    for trigger in root.get("triggers").and_then(|all| all.list()).unwrap_or_default() {
        let line = line(trigger.place);
        let kind = trigger.text_of("type").unwrap_or("http");
        if kind != "http" {
            function.triggers.push(Trigger { kind: kind.to_owned(), line });
            continue;
        }
        match routes::of_pattern(trigger.text_of("source").unwrap_or("/"), routes::PROXY) {
            Ok(paths) => function.routes.extend(paths.into_iter().map(|path| Route {
                methods: Vec::new(),
                path,
                base_path: None,
                format: EventForm::Raw,
                line,
            })),
            Err(why) => {
                let what = format!("the trigger {}", trigger.text_of("name").unwrap_or_default());
                reading.note(trigger.place, what, format!("{why}: it is ignored"));
            }
        }
    }
    (function.name, function.runtime) = (name, runtime);
    let mut functions = vec![function];
    if functions[0].routes.is_empty() {
        let (format, line) = (EventForm::Raw, functions[0].line);
        serve_addresses(&mut functions, &[Address { function: 0, format, line }]);
    }
    Ok(functions)
}

/// Returns the handler of an entry point: `/python/bin/fdk /function/func.py handler`.
fn handler(entrypoint: &str) -> Result<String, String> {
    let words: Vec<&str> = entrypoint.split_whitespace().collect();
    match words[..] {
        [] => Err("it has no entrypoint, which names its code".to_owned()),
        [fdk, file, export] if fdk.ends_with("fdk") => {
            let file = file.trim_start_matches("/function/");
            Ok(format!("{}.{export}", file.strip_suffix(".py").unwrap_or(file)))
        }
        _ => Err(format!("its entrypoint is a program of its own ({entrypoint})")),
    }
}
