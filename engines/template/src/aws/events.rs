//! Events of a SAM function: requests become routes, everything else is a trigger.

use super::Template;
use crate::{
    error::Fault,
    node::{Entry, Map, Node},
    project::{EventForm, Function, Route, Trigger},
    reading::{Reading, line},
    routes,
};
use std::rc::Rc;

/// What is said of authorizers.
pub(crate) const NO_AUTHORIZER: &str =
    "authorizers of the cloud do not run here: everybody is let in";

/// What is said of answers to preflight requests.
pub(crate) const NO_CORS: &str = "preflight requests are not answered and no headers are added here: browsers of other \
                                  origins are refused unless the function does it";

/// Reads the events of a function.
pub(super) fn read(
    reading: &mut Reading<'_>,
    template: &mut Template,
    list: &Rc<Node>,
    function: &mut Function,
) -> Result<(), Fault> {
    let Some(list) = template.resolver.open(reading, list)? else { return Ok(()) };
    if list.is_null() {
        return Ok(());
    }
    let Some(map) = list.map() else {
        let message = format!("Events is a table, and this is {}", list.kind());
        return Err(Fault::at(list.place, message));
    };
    for entry in map.entries() {
        let Some(value) = template.resolver.open(reading, &entry.value)? else { continue };
        let entry = &Entry { value, ..entry.clone() };
        let Some(kind) = entry.value.text_of("Type") else {
            let what = format!("the event {} of {}", entry.key, function.name);
            reading.note(entry.place, what, "it has no Type: it is ignored");
            continue;
        };
        let format = match kind {
            "Api" => EventForm::AwsV1,
            "HttpApi" => EventForm::AwsV2,
            _ => {
                function.triggers.push(Trigger { kind: kind.to_owned(), line: line(entry.place) });
                continue;
            }
        };
        request(reading, template, entry, format, function)?;
    }
    Ok(())
}

fn request(
    reading: &mut Reading<'_>,
    template: &mut Template,
    entry: &Entry,
    mut format: EventForm,
    function: &mut Function,
) -> Result<(), Fault> {
    let place = entry.place;
    let properties = match entry.value.get("Properties") {
        Some(properties) => template.resolver.open(reading, properties)?,
        None => None,
    };
    // The others name gateways and models, which nothing stands for here.
    let mut text = |reading: &mut Reading<'_>, name: &str| -> Result<Option<String>, Fault> {
        let value = properties.as_ref().and_then(|properties| properties.get(name));
        value.map(|value| template.resolver.text(reading, value, name)).transpose()
    };
    let (path, method) = (text(reading, "Path")?, text(reading, "Method")?);
    if format == EventForm::AwsV2
        && text(reading, "PayloadFormatVersion")?.as_deref() == Some("1.0")
    {
        format = EventForm::AwsV1;
    }
    let auth = properties.as_ref().and_then(|properties| properties.map()?.entry("Auth"));
    if let Some(auth) = auth.filter(|auth| has_authorizer(&auth.value)) {
        reading.note(auth.place, format!("Auth of {}", function.name), NO_AUTHORIZER);
    }
    match (path, method) {
        (Some(path), Some(method)) => {
            add(reading, entry, (&method, &path, format), function);
        }
        (None, None) if entry.value.text_of("Type") == Some("HttpApi") => {
            function.routes.extend(routes::everything(None, format, line(place)));
        }
        _ => {
            let what = format!("the event {} of {}", entry.key, function.name);
            reading.note(place, what, "it has no Path or no Method: it is ignored");
        }
    }
    Ok(())
}

/// Whether something names an authorizer, and is not `NONE`.
fn has_authorizer(auth: &Node) -> bool {
    let entries = auth.map().map(Map::entries).unwrap_or_default();
    !entries.iter().all(|entry| entry.value.text() == Some("NONE"))
}

/// Adds a route to a function, or notes why it cannot be one.
pub(super) fn add(
    reading: &mut Reading<'_>,
    entry: &Entry,
    (method, path, format): (&str, &str, EventForm),
    function: &mut Function,
) {
    let line = line(entry.place);
    if path == "$default" {
        function.routes.extend(routes::everything(None, format, line));
        return;
    }
    let parts =
        routes::methods(method).and_then(|methods| Ok((methods, routes::of_gateway(path)?)));
    match parts {
        Ok((methods, path)) => {
            function.routes.push(Route { methods, path, base_path: None, format, line });
        }
        Err(why) => {
            let what = format!("the event {} of {}", entry.key, function.name);
            reading.note(entry.place, what, format!("{why}: it is ignored"));
        }
    }
}
