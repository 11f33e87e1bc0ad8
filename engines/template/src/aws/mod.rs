//! Templates of AWS SAM and CloudFormation: from their resources to functions.

mod conditions;
mod events;
mod function;
mod gateway;
mod layer;
mod openapi;
mod references;
mod resolver;

pub(crate) use events::{NO_AUTHORIZER, NO_CORS};
pub(crate) use resolver::{ACCOUNT, Resolver};

use crate::{
    error::Fault,
    node::{Entry, Map, Node, Value},
    project::Function,
    reading::Reading,
    routes::{Address, serve_addresses},
    similar,
};
use references::FUNCTIONS;
use std::{collections::HashMap, rc::Rc};

/// A template whose sections have been found.
struct Template {
    resolver: Resolver,
    /// Resources whose conditions are met.
    resources: Map,
    /// `Globals`.
    globals: Option<Rc<Node>>,
}

impl Template {
    /// Returns a resource by its logical id.
    fn resource(&self, id: &str) -> Option<&Rc<Node>> {
        self.resources.get(id)
    }

    /// Returns resources of some types.
    fn of_types(&self, types: &[&str]) -> Vec<Entry> {
        let is_one =
            |entry: &&Entry| entry.value.text_of("Type").is_some_and(|kind| types.contains(&kind));
        self.resources.entries().iter().filter(is_one).cloned().collect()
    }
}

/// Reads a template.
pub(crate) fn read(reading: &mut Reading<'_>, root: &Rc<Node>) -> Result<Vec<Function>, Fault> {
    let mut template = template(reading, root)?;
    for entry in template.of_types(&["AWS::Serverless::Application", "AWS::CloudFormation::Stack"])
    {
        let why = "functions of nested stacks are not read: name their template for them";
        reading.note(entry.place, format!("the nested stack {}", entry.key), why);
    }
    let (mut functions, mut addresses) = (Vec::new(), Vec::new());
    for entry in template.of_types(&FUNCTIONS) {
        let read = function::read(reading, &mut template, &entry)?;
        if let Some((format, line)) = read.address {
            addresses.push(Address { function: functions.len(), format, line });
        }
        functions.push(read.function);
    }
    gateway::read(reading, &mut template, &mut functions, &mut addresses)?;
    note_globals(reading, &template);
    serve_addresses(&mut functions, &addresses);
    Ok(functions)
}

fn template(reading: &mut Reading<'_>, root: &Rc<Node>) -> Result<Template, Fault> {
    let Some(section) = root.get("Resources") else {
        return Err(Fault::at(root.place, "the template has no Resources"));
    };
    let Some(resources) = section.map() else {
        let message = format!("Resources is a table, and this is {}", section.kind());
        return Err(Fault::at(section.place, message));
    };
    let folder = reading.folder.file_name().and_then(|name| name.to_str());
    let stack = folder.unwrap_or("stack").to_owned();
    let mut resolver = Resolver {
        parameters: parameters(reading, root)?,
        mappings: root.get("Mappings").cloned(),
        stack,
        region: reading.inputs.region().to_owned(),
        ..Resolver::default()
    };
    resolver.conditions.section = root.get("Conditions").cloned();
    for entry in resources.entries() {
        let kind = entry.value.text_of("Type").unwrap_or_default();
        resolver.resources.insert(entry.key.to_string(), kind.to_owned());
        if entry.key.starts_with("Fn::") {
            let why = "it is not understood: what it would make is not there";
            reading.note(entry.place, entry.key.to_string(), why);
        }
    }
    let mut met = Vec::new();
    for entry in resources.entries() {
        let is_met = match entry.value.get("Condition") {
            Some(name) => {
                let Some(name) = name.text() else {
                    return Err(Fault::at(name.place, "Condition takes a condition's name"));
                };
                resolver.is_met(reading, name, entry.place)?
            }
            None => true,
        };
        if is_met {
            met.push(entry.clone());
        }
    }
    Ok(Template { resolver, resources: Map::new(met), globals: root.get("Globals").cloned() })
}

fn parameters(
    reading: &mut Reading<'_>,
    root: &Rc<Node>,
) -> Result<HashMap<String, Option<Rc<Node>>>, Fault> {
    let section = root.get("Parameters");
    let entries = section.and_then(|section| section.map()).map(Map::entries).unwrap_or_default();
    for name in reading.inputs.parameters.keys() {
        if !entries.iter().any(|entry| *entry.key == **name) {
            let near = similar::to(name, entries.iter().map(|entry| &*entry.key));
            let hint = near.map(|near| format!(", but '{near}'")).unwrap_or_default();
            let place = section.map_or(root.place, |section| section.place);
            let why = format!("the template has no parameter of this name{hint}: it is ignored");
            reading.note(place, format!("the given parameter {name}"), why);
        }
    }
    let mut parameters = HashMap::new();
    for entry in entries {
        let kind = entry.value.text_of("Type").unwrap_or("String");
        let given = reading.inputs.parameters.get(&*entry.key).cloned();
        let default = || entry.value.get("Default")?.variable();
        let value = given.clone().or_else(default);
        if kind.starts_with("AWS::SSM::") && given.is_none() {
            let why = "its value is kept in the cloud: the name under which it is kept stands in its place";
            reading.note(entry.place, format!("the parameter {}", entry.key), why);
        }
        let is_list = kind == "CommaDelimitedList" || kind.contains("List<");
        let value = match value {
            Some(text) if is_list => {
                let items = text.split(',').map(|item| Node::scalar(entry.place, item.trim()));
                Some(Node::new(entry.place, None, Value::List(items.collect()))?)
            }
            text => text.map(|text| Node::scalar(entry.place, text)),
        };
        parameters.insert(entry.key.to_string(), value);
    }
    Ok(parameters)
}

fn note_globals(reading: &mut Reading<'_>, template: &Template) {
    let mut sections = Vec::new();
    for name in ["Api", "HttpApi"] {
        let section = template.globals.as_ref().and_then(|globals| globals.get(name));
        sections.extend(section.cloned());
    }
    for entry in template.of_types(&["AWS::Serverless::Api", "AWS::Serverless::HttpApi"]) {
        sections.extend(entry.value.get("Properties").cloned());
    }
    for section in sections {
        for entry in section.map().map(Map::entries).unwrap_or_default() {
            match &*entry.key {
                "Auth" => reading.note(entry.place, "Auth", events::NO_AUTHORIZER),
                "Cors" | "CorsConfiguration" => {
                    reading.note(entry.place, entry.key.to_string(), events::NO_CORS);
                }
                _ => {}
            }
        }
    }
}
