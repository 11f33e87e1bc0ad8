//! The handler: what its text means, which file and function answer to it, and whether that file can have it.

use crate::{
    engines::Registry,
    handler::{BUNDLE, Located, SearchPaths, absent, from_environment, no_function},
};
use std::env;
use trine_engine::{Error, Finding, HANDLER_NAMES, Presence, Wanted};

const TOPIC: &str = "handler";

/// The forms of a handler string, for whoever has written another one.
const FORMS: &str = "write file.function (src/app.handler), file:function (src/app.py:handler) or a file (src/app.mjs); \
                     Lambda gives it to the runtime in _HANDLER";

/// Looks for the handler and into its file, without running it.
pub(super) fn look(
    handler: Option<&str>,
    search: &SearchPaths,
    registry: &Registry,
) -> Vec<Finding> {
    let variable = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
    let source = match handler {
        Some(text) => format!("'{text}'"),
        None => match (variable("_HANDLER"), variable("SCW_HANDLER_PATH")) {
            (Some(text), _) => format!("_HANDLER, '{text}',"),
            (None, Some(path)) => format!("SCW_HANDLER_PATH, '{path}',"),
            (None, None) => BUNDLE.to_owned(),
        },
    };
    let is_named = source != BUNDLE || search.task_root.join(BUNDLE).is_file();
    match from_environment(handler, |name| env::var(name).ok(), search, registry) {
        Ok(located) => {
            let mut findings = vec![described(&source, &located, search)];
            findings.extend(checked(&located));
            findings
        }
        Err(error) if !is_named => {
            vec![Finding::warn(TOPIC, error.message(), "name it to have it looked at")]
        }
        Err(error) => vec![Finding::fail(TOPIC, message(&error), FORMS)],
    }
}

fn message(error: &Error) -> String {
    error.to_string()
}

fn described(source: &str, located: &Located, search: &SearchPaths) -> Finding {
    let path = &located.module.path;
    let shown = path.strip_prefix(&search.task_root).unwrap_or(path).display();
    let language = located.engine.info().name;
    let function = match &located.module.wanted {
        Wanted::Handler(export) if !export.is_empty() => format!("the function '{export}'"),
        _ => {
            let (first, others) = HANDLER_NAMES.split_first().unwrap_or((&"", &[]));
            format!("the function '{first}', else '{}',", others.join("' or '"))
        }
    };
    Finding::ok(TOPIC, format!("{source} is {function} of {shown} ({language})"))
}

/// Returns what is wrong with the handler's file.
fn checked(located: &Located) -> Option<Finding> {
    let file = located.module.path.display();
    let wrong = match located.engine.check(&located.module) {
        Ok(Presence::Possible) => return None,
        Ok(Presence::Absent { others }) => {
            let names = located.module.wanted.names();
            absent(names.first().copied().unwrap_or(HANDLER_NAMES[0]), &others)
        }
        Ok(Presence::NoFunction { name, kind }) => no_function(&name, &kind),
        Err(error) => {
            let advice = "mend the file";
            return Some(Finding::fail(TOPIC, message(&error), advice));
        }
    };
    Some(Finding::fail(TOPIC, format!("{file} {wrong}"), "export it, or name another function"))
}
