//! `func.yaml` of Knative's functions: one function in its own folder.

use crate::{
    error::Fault,
    node::{Entry, Node},
    project::{EventForm, Function},
    reading::{Reading, line},
    routes, runtimes,
    variables::Variables,
};
use std::{path::Path, rc::Rc};

/// Reads a file.
pub(crate) fn read(reading: &mut Reading<'_>, root: &Rc<Node>) -> Result<Vec<Function>, Fault> {
    let name = root.text_of("name").unwrap_or("function").to_owned();
    let runtime = root.text_of("runtime").map(str::to_owned);
    let mut function = Function {
        line: line(root.place),
        folder: reading.folder.clone(),
        handler: handler(&reading.folder, runtime.as_deref()).unwrap_or_default(),
        ..Function::default()
    };
    let why = runtimes::not_served(runtime.as_deref(), &function.handler, None);
    let why = why.or_else(|| {
        let unknown =
            || format!("its runtime {} is not known", runtime.as_deref().unwrap_or("(none)"));
        function.handler.is_empty().then(unknown)
    });
    match why {
        Some(why) => {
            reading.note(
                root.place,
                format!("the function {name}"),
                format!("{why}: it is not served"),
            );
            function.not_served = Some(why);
        }
        None => {
            let why = "it is called with an event and a context, where Knative passes a context and the body";
            reading.note(root.place, format!("the function {name}"), why);
        }
    }
    let environment = [root.get("envs"), root.get("run").and_then(|run| run.get("envs"))];
    function.environment = variables(reading, &name, &environment)?;
    let invocation = root.get("invocation").and_then(|all| all.text_of("format"));
    let invoke = root.text_of("invoke").or(invocation).unwrap_or("http");
    let format = if invoke == "cloudevent" { EventForm::CloudEvents } else { EventForm::Raw };
    function.routes = routes::everything(None, format, line(root.place));
    for key in ["volumes", "pvc"] {
        let volumes = root.get("run").and_then(|run| run.get(key)).or(root.get(key));
        if let Some(volumes) = volumes.filter(|volumes| !volumes.is_null()) {
            reading.note(volumes.place, key, "volumes of the cluster are not there");
        }
    }
    (function.name, function.runtime) = (name, runtime);
    Ok(vec![function])
}

/// Returns the handler in the file that Knative's templates have for a runtime.
fn handler(folder: &Path, runtime: Option<&str>) -> Option<String> {
    let choices: &[(&str, &str)] = match runtime? {
        "node" => &[("index.js", "index.handle"), ("index.mjs", "index.handle")],
        "typescript" => &[("src/index.ts", "src/index.handle"), ("index.ts", "index.handle")],
        "python" => &[
            ("func.py", "func.main"),
            ("function/func.py", "function/func.handle"),
            ("parliament/func.py", "parliament/func.main"),
        ],
        _ => return None,
    };
    let there = choices.iter().find(|(file, _)| folder.join(file).is_file());
    there.or(choices.first()).map(|(_, handler)| (*handler).to_owned())
}

/// Returns the variables of lists of names and values.
fn variables(
    reading: &mut Reading<'_>,
    function: &str,
    lists: &[Option<&Rc<Node>>],
) -> Result<Vec<(String, String)>, Fault> {
    let mut all = Variables::default();
    for item in lists.iter().flatten().filter_map(|list| list.list()).flatten() {
        let value = item.text_of("value").unwrap_or_default();
        let name = item.text_of("name");
        let what = format!("the variable {} of {function}", name.unwrap_or("without a name"));
        let mut text = value.to_owned();
        let call = value.trim().strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}"));
        if let Some((kind, of)) = call.and_then(|call| call.trim().split_once(':')) {
            let (kind, of) = (kind.trim(), of.trim());
            match reading.inputs.environment.get(of).filter(|_| kind == "env") {
                Some(known) => text.clone_from(known),
                None if kind == "env" => {
                    reading.note(item.place, what, format!("{of} is not set: it is left out"));
                    continue;
                }
                None => {
                    let why = format!("a {kind} of the cluster is not there: it is left out");
                    reading.note(item.place, what, why);
                    continue;
                }
            }
        }
        let Some(name) = name else {
            reading.note(item.place, what, "it has no name: it is left out");
            continue;
        };
        let value = Node::scalar(item.place, text);
        let entry = Entry { key: name.into(), place: item.place, value: Rc::clone(&value) };
        all.set(reading, function, &entry, &value)?;
    }
    Ok(all.into_list())
}
