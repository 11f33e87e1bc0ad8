//! Layers of a function: folders for those that the template declares.

use super::{Template, function::local, references::LAYERS};
use crate::{error::Fault, node::Node, reading::Reading};
use std::{path::PathBuf, rc::Rc};

/// Returns the folders of a list of layers.
pub(super) fn read(
    reading: &mut Reading<'_>,
    template: &mut Template,
    list: &Rc<Node>,
) -> Result<Vec<PathBuf>, Fault> {
    let Some(resolved) = template.resolver.resolve(reading, list)? else { return Ok(Vec::new()) };
    let one = std::slice::from_ref(&resolved);
    let mut folders = Vec::new();
    for layer in resolved.list().unwrap_or(one) {
        let Some(written) = layer.text() else {
            reading.note(
                layer.place,
                "a layer",
                format!("it is {}, and has to be a text", layer.kind()),
            );
            continue;
        };
        reading.spend(layer.place, written.len())?;
        match folder(reading, template, written)? {
            Ok(folder) => folders.push(folder),
            Err(why) => reading.note(layer.place, format!("the layer {written}"), why),
        }
    }
    Ok(folders)
}

fn folder(
    reading: &mut Reading<'_>,
    template: &mut Template,
    written: &str,
) -> Result<Result<PathBuf, String>, Fault> {
    // The attribute of a layer's ARN is its logical id, as its reference is.
    let id = written.strip_suffix(".LayerVersionArn").unwrap_or(written);
    let Some(resource) = template.resource(id).cloned() else {
        return Ok(Err("it lies in the cloud: what is in it is not there".to_owned()));
    };
    let kind = resource.text_of("Type").unwrap_or_default();
    if !LAYERS.contains(&kind) {
        return Ok(Err(format!("this is no layer but a resource of type {kind}")));
    }
    if let Some(path) = resource.get("Metadata").and_then(|all| all.text_of("aws:asset:path")) {
        return Ok(local(path).map(|path| reading.path(&path)));
    }
    let name = if kind.contains("Serverless") { "ContentUri" } else { "Content" };
    let Some(content) = resource.get("Properties").and_then(|all| all.get(name)).cloned() else {
        return Ok(Err(format!("it has no {name}")));
    };
    let content = template.resolver.resolve(reading, &content)?;
    let Some(path) = content.as_ref().and_then(|content| content.text()) else {
        return Ok(Err("its content is kept in the cloud: what is in it is not there".to_owned()));
    };
    if let Some(method) = resource.get("Metadata").and_then(|all| all.text_of("BuildMethod")) {
        let why = format!(
            "its folder is used as it is, what BuildMethod {method} would make of it is not there"
        );
        reading.note(resource.place, format!("the layer {id}"), why);
    }
    reading.spend(resource.place, path.len())?;
    Ok(local(path).map(|path| reading.path(&path)))
}
