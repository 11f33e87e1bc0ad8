//! Events of the Serverless Framework: `http`, `httpApi` and `alb` become routes, everything else is a trigger.

use super::Service;
use crate::{
    aws::{NO_AUTHORIZER, NO_CORS},
    error::{Fault, Place},
    node::{Entry, Map, Node},
    project::{EventForm, Function, Route, Trigger},
    reading::{Reading, line},
    routes,
};
use std::rc::Rc;

/// Reads the events of a function. `payload` is its own version of the payload of HTTP APIs.
pub(super) fn read(
    reading: &mut Reading<'_>,
    service: &mut Service,
    node: &Rc<Node>,
    payload: Option<&str>,
    function: &mut Function,
) -> Result<(), Fault> {
    let Some(list) = service.expander.get(reading, node, "events")? else { return Ok(()) };
    if list.is_null() {
        return Ok(());
    }
    let Some(items) = list.list() else {
        let message = format!("events is a list, and this is {}", list.kind());
        return Err(Fault::at(list.place, message));
    };
    let shared = match service.of_provider(reading, "httpApi")? {
        Some(api) => service.expander.text(reading, &api, "payload")?,
        None => None,
    };
    let is_old = payload.or(shared.as_deref()) == Some("1.0");
    let form = if is_old { EventForm::AwsV1 } else { EventForm::AwsV2 };
    for item in items {
        let Some(event) = service.expander.deep(reading, item)? else { continue };
        if let Some(kind) = event.text() {
            function.triggers.push(Trigger { kind: kind.to_owned(), line: line(event.place) });
        }
        for entry in event.map().map(Map::entries).unwrap_or_default() {
            match &*entry.key {
                "http" => request(reading, entry, EventForm::AwsV1, function),
                "httpApi" => request(reading, entry, form, function),
                "alb" => balanced(reading, entry, function),
                kind => {
                    let line = line(entry.place);
                    function.triggers.push(Trigger { kind: kind.to_owned(), line });
                }
            }
        }
    }
    Ok(())
}

fn request(reading: &mut Reading<'_>, entry: &Entry, format: EventForm, function: &mut Function) {
    let (value, place) = (&entry.value, entry.place);
    let what = format!("the event {} of {}", entry.key, function.name);
    for (name, why) in [
        ("authorizer", NO_AUTHORIZER),
        ("private", "keys of APIs are not asked for"),
        ("cors", NO_CORS),
    ] {
        if value.get(name).is_some_and(|value| value.truth() != Some(false)) {
            reading.note(value.place, format!("{name} of {}", function.name), why);
        }
    }
    let integration = value.text_of("integration").unwrap_or("lambda-proxy");
    let is_proxy = matches!(
        integration.to_ascii_lowercase().as_str(),
        "lambda-proxy" | "lambda_proxy" | "aws_proxy"
    );
    if entry.key.as_ref() == "http" && !is_proxy {
        let why =
            "templates of requests and answers are not run: the event is that of lambda-proxy";
        reading.note(value.place, format!("integration {integration} of {}", function.name), why);
    }
    let (method, path) = match value.text() {
        Some("*") => ("*", "*"),
        Some(text) => match text.trim().split_once(char::is_whitespace) {
            Some((method, path)) => (method, path.trim()),
            None => {
                let why =
                    format!("'{text}' is neither '*' nor a method with a path: it is ignored");
                reading.note(place, what, why);
                return;
            }
        },
        None => {
            let path = value.text_of("path");
            let fallback = if path.is_some() { "*" } else { "" };
            (value.text_of("method").unwrap_or(fallback), path.unwrap_or("*"))
        }
    };
    if value.map().is_some() && method.is_empty() {
        reading.note(place, what, "it has neither a method nor a path: it is ignored");
        return;
    }
    let line = line(place);
    if path == "*" || path == "$default" {
        let methods = routes::methods(method).unwrap_or_default();
        let all = routes::everything(None, format, line);
        function
            .routes
            .extend(all.into_iter().map(|route| Route { methods: methods.clone(), ..route }));
        return;
    }
    match routes::methods(method).and_then(|methods| Ok((methods, routes::of_gateway(path)?))) {
        Ok((methods, path)) => {
            function.routes.push(Route { methods, path, base_path: None, format, line });
        }
        Err(why) => reading.note(place, what, format!("{why}: it is ignored")),
    }
}

/// Reads an event of a load balancer: paths, and methods if there are any.
fn balanced(reading: &mut Reading<'_>, entry: &Entry, function: &mut Function) {
    let conditions = entry.value.get("conditions");
    let texts = |name: &str| -> Vec<(String, Place)> {
        let Some(node) = conditions.and_then(|conditions| conditions.get(name)) else {
            return Vec::new();
        };
        let items = node.list().unwrap_or(std::slice::from_ref(node));
        items.iter().filter_map(|item| Some((item.text()?.to_owned(), item.place))).collect()
    };
    let what = format!("the event alb of {}", function.name);
    let mut methods = Vec::new();
    for (method, place) in texts("method") {
        match routes::methods(&method) {
            Ok(known) => methods.extend(known),
            Err(why) => reading.note(place, what.clone(), why),
        }
    }
    for (path, place) in texts("path") {
        match routes::of_pattern(&path, routes::PROXY) {
            Ok(paths) => function.routes.extend(paths.into_iter().map(|path| Route {
                methods: methods.clone(),
                path,
                base_path: None,
                format: EventForm::Alb,
                line: line(entry.place),
            })),
            Err(why) => reading.note(place, what.clone(), format!("{why}: it is ignored")),
        }
    }
    for other in conditions.and_then(|all| all.map()).map(Map::entries).unwrap_or_default() {
        if !matches!(&*other.key, "path" | "method") {
            let what = format!("the condition {} of {}", other.key, function.name);
            reading.note(other.place, what, "only paths and methods are looked at");
        }
    }
}

/// Notes what the provider's section has consequences for.
pub(super) fn note_provider(reading: &mut Reading<'_>, service: &mut Service) -> Result<(), Fault> {
    for (section, keys) in
        [("httpApi", ["authorizers", "cors"]), ("apiGateway", ["apiKeys", "resourcePolicy"])]
    {
        let Some(api) = service.of_provider(reading, section)? else { continue };
        for key in keys {
            let Some(value) = service.expander.get(reading, &api, key)? else { continue };
            let why = if key == "cors" { NO_CORS } else { NO_AUTHORIZER };
            if value.truth() != Some(false) {
                reading.note(value.place, format!("{section}.{key}"), why);
            }
        }
    }
    Ok(())
}
