//! One function of the Serverless Framework's file on AWS.

use super::{Service, events};
use crate::{
    error::Fault,
    node::{Entry, Map, Node},
    project::{EventForm, Function},
    reading::{Reading, line},
    runtimes,
};
use std::{path::PathBuf, rc::Rc, time::Duration};

/// A function, and the form and the line of its own address.
pub(super) struct Read {
    pub(super) function: Function,
    pub(super) address: Option<(EventForm, usize)>,
}

/// Reads a function; `None` for one that is switched off.
pub(super) fn read(
    reading: &mut Reading<'_>,
    service: &mut Service,
    entry: &Entry,
    is_aws: bool,
) -> Result<Option<Read>, Fault> {
    let Some(node) = begin(reading, service, entry)? else { return Ok(None) };
    let mut function = common(reading, service, entry, &node)?;
    let service_name = service.expander.service(reading)?;
    let stage = service.expander.stage(reading)?;
    let named = service.expander.text(reading, &node, "name")?;
    let usual = format!("{service_name}-{stage}-{}", entry.key);
    function.deployed_name = Some(named.unwrap_or(usual));
    function.memory_mb = number(reading, service, &node, "memorySize")?;
    function.timeout = number(reading, service, &node, "timeout")?.map(Duration::from_secs);
    let why = match service.expander.get(reading, &node, "image")? {
        Some(_) => Some("it is a container image (image)".to_owned()),
        None => runtimes::not_served(function.runtime.as_deref(), &function.handler, None),
    };
    finish(reading, entry, &mut function, why);
    let tables = [
        service.of_provider(reading, "environment")?,
        service.expander.get(reading, &node, "environment")?,
    ];
    function.environment = service.environment(reading, &entry.key, &tables)?;
    function.layers = layers(reading, service, &node)?;
    note_rest(reading, service, &node, &function)?;
    let mut address = None;
    if is_aws {
        let version = service.expander.get(reading, &node, "httpApi")?;
        let version = match version {
            Some(own) => service.expander.text(reading, &own, "payload")?,
            None => None,
        };
        events::read(reading, service, &node, version.as_deref(), &mut function)?;
        address = url(reading, service, &node, &mut function)?;
    }
    Ok(Some(Read { function, address }))
}

/// Returns what a function's entry stands for.
pub(super) fn begin(
    reading: &mut Reading<'_>,
    service: &mut Service,
    entry: &Entry,
) -> Result<Option<Rc<Node>>, Fault> {
    let node = service.expander.expand(reading, &entry.value)?;
    let Some(node) = node.filter(|node| !node.is_null()) else { return Ok(None) };
    if node.map().is_none() {
        let message = format!("the function {} is a table, and this is {}", entry.key, node.kind());
        return Err(Fault::at(entry.place, message));
    }
    Ok(Some(node))
}

/// Reads what functions of all providers have.
pub(super) fn common(
    reading: &mut Reading<'_>,
    service: &mut Service,
    entry: &Entry,
    node: &Rc<Node>,
) -> Result<Function, Fault> {
    let runtime = service.of_either(reading, node, "runtime")?;
    let runtime = runtime.and_then(|runtime| runtime.variable());
    reading.spend(node.place, runtime.as_ref().map_or(0, String::len))?;
    Ok(Function {
        name: entry.key.to_string(),
        line: line(entry.place),
        folder: reading.folder.clone(),
        handler: service.expander.text(reading, node, "handler")?.unwrap_or_default(),
        runtime,
        ..Function::default()
    })
}

/// Notes why a function is not served, if so.
pub(super) fn finish(
    reading: &mut Reading<'_>,
    entry: &Entry,
    function: &mut Function,
    why: Option<String>,
) {
    let no_handler = || "it has no handler, which names its code".to_owned();
    let why = why.or_else(|| function.handler.is_empty().then(no_handler));
    if let Some(why) = &why {
        let what = format!("the function {}", entry.key);
        reading.note(entry.place, what, format!("{why}: it is not served"));
    }
    function.not_served = why;
}

/// Returns a whole number of a function's, else the provider's.
fn number(
    reading: &mut Reading<'_>,
    service: &mut Service,
    node: &Rc<Node>,
    key: &str,
) -> Result<Option<u64>, Fault> {
    let Some(value) = service.of_either(reading, node, key)? else { return Ok(None) };
    let number = value.text().and_then(|text| text.trim().parse().ok());
    if number.is_none() {
        let found = value.text().unwrap_or(value.kind());
        reading.note(
            value.place,
            format!("{key}: {found}"),
            "this is no whole number: it is ignored",
        );
    }
    Ok(number)
}

/// Returns the folders of a function's layers, which are in the place of the provider's.
fn layers(
    reading: &mut Reading<'_>,
    service: &mut Service,
    node: &Rc<Node>,
) -> Result<Vec<PathBuf>, Fault> {
    let Some(list) = service.of_either(reading, node, "layers")? else { return Ok(Vec::new()) };
    let Some(list) = service.expander.deep(reading, &list)? else { return Ok(Vec::new()) };
    let root = Rc::clone(&service.root);
    let declared = service.expander.get(reading, &root, "layers")?;
    let mut folders = Vec::new();
    for layer in list.list().unwrap_or(std::slice::from_ref(&list)) {
        let is_reference = layer.tag.as_deref() == Some("Ref");
        let id = layer.text_of("Ref").or(layer.text().filter(|_| is_reference));
        let entries = declared.as_ref().and_then(|all| all.map()).map(Map::entries);
        reading.spend(layer.place, entries.unwrap_or_default().len().saturating_mul(64))?;
        let found =
            entries.unwrap_or_default().iter().find(|entry| id == Some(&logical_id(&entry.key)));
        let what = format!("the layer {}", id.or(layer.text()).unwrap_or("of a call"));
        let Some(found) = found else {
            reading.note(layer.place, what, "it lies in the cloud: what is in it is not there");
            continue;
        };
        match service.expander.text(reading, &found.value, "path")? {
            Some(path) => folders.push(reading.path(&path)),
            None => reading.note(layer.place, what, "it names no path: what is in it is not there"),
        }
    }
    Ok(folders)
}

/// Returns the logical id of a layer, as the framework makes it.
fn logical_id(name: &str) -> String {
    let name: String = name
        .split(['-', '_'])
        .enumerate()
        .fold(String::new(), |text, (at, part)| text + if at == 0 { "" } else { "Dash" } + part);
    let mut letters = name.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).chain("LambdaLayer".chars()).collect()
}

fn note_rest(
    reading: &mut Reading<'_>,
    service: &mut Service,
    node: &Rc<Node>,
    function: &Function,
) -> Result<(), Fault> {
    if let Some(vpc) = service.of_either(reading, node, "vpc")? {
        let what = format!("vpc of {}", function.name);
        reading.note(vpc.place, what, "it runs in this machine's network");
    }
    let root = Rc::clone(&service.root);
    for owner in [&root, node] {
        let Some(package) = service.expander.get(reading, owner, "package")? else { continue };
        if let Some(artifact) = service.expander.get(reading, &package, "artifact")? {
            let why =
                "archives are not unpacked: the handler is looked for in the folder of this file";
            reading.note(artifact.place, "package.artifact", why);
        }
    }
    Ok(())
}

/// Reads a function's URL.
fn url(
    reading: &mut Reading<'_>,
    service: &mut Service,
    node: &Rc<Node>,
    function: &mut Function,
) -> Result<Option<(EventForm, usize)>, Fault> {
    let Some(url) = service.expander.get(reading, node, "url")? else { return Ok(None) };
    if url.is_null() || url.truth() == Some(false) {
        return Ok(None);
    }
    let place = node.map().and_then(|map| map.entry("url")).map_or(url.place, |entry| entry.place);
    function.streams =
        service.expander.text(reading, &url, "invokeMode")?.as_deref() == Some("RESPONSE_STREAM");
    let authorizer = service.expander.text(reading, &url, "authorizer")?;
    if authorizer.as_deref() == Some("aws_iam") {
        let why = "signatures are not checked here: everybody is let in";
        reading.note(place, format!("authorizer of the URL of {}", function.name), why);
    }
    if service.expander.get(reading, &url, "cors")?.is_some_and(|cors| cors.truth() != Some(false))
    {
        let what = format!("cors of the URL of {}", function.name);
        reading.note(place, what, crate::aws::NO_CORS);
    }
    Ok(Some((EventForm::FunctionUrl, line(place))))
}
