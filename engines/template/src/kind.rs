//! Which kind a file is of, by its content.

use crate::{
    aws,
    error::{Fault, Place},
    fn_project, knative, netlify,
    node::Node,
    project::{Function, Kind},
    reading::Reading,
    serverless, toml, vercel, yaml,
};
use std::{path::Path, rc::Rc};

/// What is said of a file of another kind.
const READ: &str = "templates of AWS SAM and CloudFormation (Resources), serverless.yml (service and provider), \
                    func.yaml of Knative (name, runtime and specVersion) and of Fn (schema_version), netlify.toml and \
                    vercel.json are read";

/// Reads the project's file as what it is.
pub(crate) fn read(reading: &mut Reading<'_>) -> Result<(Kind, Vec<Function>), Fault> {
    let (root, is_toml) = parse(reading)?;
    let kind = of(&root, reading.file(), is_toml).map_err(|why| Fault::at(root.place, why))?;
    let functions = match kind {
        Kind::Sam | Kind::CloudFormation => aws::read(reading, &root),
        Kind::Serverless | Kind::Scaleway => serverless::read(reading, &root),
        Kind::Knative => knative::read(reading, &root),
        Kind::Fn => fn_project::read(reading, &root),
        Kind::Netlify => netlify::read(reading, &root),
        Kind::Vercel => vercel::read(reading, &root),
    }?;
    Ok((kind, functions))
}

/// Returns what the file says, and whether it is TOML.
fn parse(reading: &Reading<'_>) -> Result<(Rc<Node>, bool), Fault> {
    let whole = Place { file: 0, line: 0, column: 0 };
    let extension = reading.file().extension().and_then(|extension| extension.to_str());
    if let Some(program @ ("js" | "cjs" | "mjs" | "ts" | "cts" | "mts" | "py" | "tf" | "go")) =
        extension
    {
        let message = format!("a .{program} file is a program or in a language of its own: {READ}");
        return Err(Fault::at(whole, message));
    }
    let text = reading.text()?;
    match extension {
        Some("toml") => Ok((toml::read(&text, 0)?, true)),
        Some("yaml" | "yml" | "json" | "template") => Ok((yaml::read(&text, 0)?, false)),
        // Of a file with another name both are tried: what reads as a table in TOML is no table in YAML.
        _ => match toml::read(&text, 0) {
            Ok(root) if root.map().is_some_and(|map| !map.entries().is_empty()) => Ok((root, true)),
            _ => Ok((yaml::read(&text, 0)?, false)),
        },
    }
}

fn of(root: &Node, file: &Path, is_toml: bool) -> Result<Kind, String> {
    let Some(map) = root.map() else {
        return Err(format!("this is {} and no project's file: {READ}", root.kind()));
    };
    let has = |key: &str| map.get(key).is_some();
    let is_type_of_aws =
        |resource: &Node| resource.text_of("Type").is_some_and(|kind| kind.starts_with("AWS::"));
    let resources = || map.get("Resources").and_then(|resources| resources.map());
    if has("AWSTemplateFormatVersion")
        || has("Transform") && has("Resources")
        || resources().is_some_and(|all| all.entries().iter().any(|e| is_type_of_aws(&e.value)))
    {
        let is_sam = |node: &Node| node.text().is_some_and(|t| t.starts_with("AWS::Serverless"));
        let transform = map.get("Transform");
        let sam = transform.is_some_and(|transform| match transform.list() {
            Some(all) => all.iter().any(|one| is_sam(one)),
            None => is_sam(transform),
        });
        return Ok(if sam { Kind::Sam } else { Kind::CloudFormation });
    }
    if has("provider") && (has("service") || has("functions")) {
        let provider = map.get("provider").expect("it has one");
        let name = provider.text().or_else(|| provider.text_of("name"));
        return Ok(if name == Some("scaleway") { Kind::Scaleway } else { Kind::Serverless });
    }
    if has("schema_version") || has("entrypoint") && has("runtime") {
        return Ok(Kind::Fn);
    }
    if has("apiVersion") && has("kind") {
        let kind = root.text_of("kind").unwrap_or_default();
        return Err(format!("this is a {kind} of Kubernetes, which names images: {READ}"));
    }
    if has("specVersion") || has("name") && has("runtime") {
        return Ok(Kind::Knative);
    }
    let is_named = |name: &str| file.file_name().is_some_and(|known| known == name);
    let sections = ["functions", "redirects", "edge_functions"];
    let builds = || map.get("build").is_some_and(|build| build.map().is_some());
    if is_named("netlify.toml") || is_toml && (sections.iter().any(|name| has(name)) || builds()) {
        return Ok(Kind::Netlify);
    }
    let schema = root.text_of("$schema").unwrap_or_default();
    let keys = ["rewrites", "builds", "routes", "crons"];
    if is_named("vercel.json") || schema.contains("vercel") || keys.iter().any(|key| has(key)) {
        return Ok(Kind::Vercel);
    }
    let names: Vec<_> = map.entries().iter().take(5).map(|entry| &*entry.key).collect();
    let found = if names.is_empty() { "nothing".to_owned() } else { names.join(", ") };
    Err(format!("this is no project's file, its keys are {found}: {READ}"))
}
