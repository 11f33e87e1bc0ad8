//! APIs that stand in a template as resources of their own: gateways' routes and methods, function URLs, and documents of
//! OpenAPI. What is written by the CDK is of this form.

use super::{Template, events, function, openapi};
use crate::{
    error::Fault,
    node::{Entry, Map, Node},
    project::{EventForm, Function},
    reading::{Reading, line},
    routes::Address,
};
use std::{collections::HashMap, rc::Rc};

/// Functions by their logical ids.
pub(super) struct Functions<'f> {
    list: &'f mut [Function],
    index: HashMap<String, usize>,
}

impl<'f> Functions<'f> {
    fn new(list: &'f mut [Function]) -> Self {
        let index = list.iter().enumerate().map(|(at, function)| (function.name.clone(), at));
        Self { index: index.collect(), list }
    }

    /// Returns the function that an ARN or the URI of an integration names.
    pub(super) fn named_in(&self, text: &str) -> Option<usize> {
        let after = text.rsplit_once(":function:").map_or(text, |(_, after)| after);
        let name = after.split(['/', ':', '}', '.']).next()?;
        self.index.get(name).copied()
    }

    /// Returns a function.
    pub(super) fn get(&mut self, at: usize) -> &mut Function {
        &mut self.list[at]
    }
}

/// Reads all APIs.
pub(super) fn read(
    reading: &mut Reading<'_>,
    template: &mut Template,
    functions: &mut [Function],
    addresses: &mut Vec<Address>,
) -> Result<(), Fault> {
    let mut functions = Functions::new(functions);
    for entry in template.of_types(&["AWS::Lambda::Url"]) {
        let Some(properties) = properties(reading, template, &entry)? else { continue };
        let target = properties.text_of("TargetFunctionArn").unwrap_or_default();
        let Some(at) = functions.named_in(target) else {
            reading.note(
                entry.place,
                format!("the URL {}", entry.key),
                "its function is not in the template",
            );
            continue;
        };
        function::note_url(reading, &properties, entry.place, functions.get(at));
        let (format, line) = (EventForm::FunctionUrl, line(entry.place));
        addresses.push(Address { function: at, format, line });
    }
    http_routes(reading, template, &mut functions)?;
    rest_methods(reading, template, &mut functions)?;
    openapi::read(reading, template, &mut functions)
}

fn properties(
    reading: &mut Reading<'_>,
    template: &mut Template,
    entry: &Entry,
) -> Result<Option<Rc<Node>>, Fault> {
    match entry.value.get("Properties") {
        Some(properties) => template.resolver.resolve(reading, properties),
        None => Ok(None),
    }
}

/// Returns the value of a property that may be a call, without notes on what else is beside it.
fn property(
    reading: &mut Reading<'_>,
    template: &mut Template,
    entry: &Entry,
    name: &str,
) -> Result<Option<Rc<Node>>, Fault> {
    match entry.value.get("Properties").and_then(|properties| properties.get(name)) {
        Some(value) => template.resolver.resolve(reading, value),
        None => Ok(None),
    }
}

/// Reads `AWS::ApiGatewayV2::Route`, whose target is an integration, whose URI is a function.
fn http_routes(
    reading: &mut Reading<'_>,
    template: &mut Template,
    functions: &mut Functions<'_>,
) -> Result<(), Fault> {
    let mut integrations = HashMap::new();
    for entry in template.of_types(&["AWS::ApiGatewayV2::Integration"]) {
        let uri = property(reading, template, &entry, "IntegrationUri")?;
        let at = uri.as_ref().and_then(|uri| functions.named_in(uri.text()?));
        let version = property(reading, template, &entry, "PayloadFormatVersion")?;
        let is_old = version.is_some_and(|version| version.text() == Some("1.0"));
        let format = if is_old { EventForm::AwsV1 } else { EventForm::AwsV2 };
        integrations.insert(entry.key.to_string(), at.map(|at| (at, format)));
    }
    for entry in template.of_types(&["AWS::ApiGatewayV2::Route"]) {
        let what = format!("the route {}", entry.key);
        // The reference to the integration stays a call here: its target is looked for by its logical id.
        let target = entry.value.get("Properties").and_then(|properties| properties.get("Target"));
        let target = target.and_then(|target| reference_in(target, &integrations, 0));
        let Some((at, format)) = target else {
            reading.note(entry.place, what, "its target is no function of the template");
            continue;
        };
        let key = property(reading, template, &entry, "RouteKey")?;
        let key = key.as_ref().and_then(|key| key.text()).unwrap_or_default();
        let kind = property(reading, template, &entry, "AuthorizationType")?;
        if kind.is_some_and(|kind| kind.text() != Some("NONE")) {
            reading.note(entry.place, what.clone(), events::NO_AUTHORIZER);
        }
        let (method, path) = key.split_once(' ').unwrap_or(("ANY", key));
        if path.starts_with('/') || path == "$default" {
            events::add(reading, &entry, (method, path, format), functions.get(at));
        } else {
            reading.note(
                entry.place,
                what,
                format!("'{key}' is no method with a path: it is ignored"),
            );
        }
    }
    Ok(())
}

/// Finds the integration that a target names somewhere: `integrations/${Integration}` in one of its many spellings.
fn reference_in(
    node: &Node,
    known: &HashMap<String, Option<(usize, EventForm)>>,
    depth: usize,
) -> Option<(usize, EventForm)> {
    if let Some(text) = node.text() {
        let name = text.trim_start_matches("integrations/");
        let name = name.trim_start_matches("${").trim_end_matches('}');
        return *known.get(name)?;
    }
    if depth > 4 {
        return None;
    }
    let items = node.list().unwrap_or_default().iter();
    let values = node.map().map(Map::entries).unwrap_or_default().iter();
    let mut all = items.chain(values.map(|entry| &entry.value));
    all.find_map(|inner| reference_in(inner, known, depth + 1))
}

/// Reads `AWS::ApiGateway::Method`, whose path is put together of the resources above it.
fn rest_methods(
    reading: &mut Reading<'_>,
    template: &mut Template,
    functions: &mut Functions<'_>,
) -> Result<(), Fault> {
    let mut parts = HashMap::new();
    for entry in template.of_types(&["AWS::ApiGateway::Resource"]) {
        let part = property(reading, template, &entry, "PathPart")?;
        let part = part.as_ref().and_then(|part| part.text()).unwrap_or_default().to_owned();
        parts.insert(entry.key.to_string(), (part, name_of(&entry, "ParentId")));
    }
    for entry in template.of_types(&["AWS::ApiGateway::Method"]) {
        let what = format!("the method {}", entry.key);
        let method = property(reading, template, &entry, "HttpMethod")?;
        let method = method.as_ref().and_then(|method| method.text()).unwrap_or("ANY").to_owned();
        let integration = entry.value.get("Properties").and_then(|all| all.get("Integration"));
        let uri = match integration.and_then(|integration| integration.get("Uri")) {
            Some(uri) => template.resolver.resolve(reading, uri)?,
            None => None,
        };
        let Some(at) = uri.as_ref().and_then(|uri| functions.named_in(uri.text()?)) else {
            // Mocks answer preflight requests, mostly.
            if !method.eq_ignore_ascii_case("OPTIONS") {
                reading.note(entry.place, what, "its integration is no function of the template");
            }
            continue;
        };
        let kind = property(reading, template, &entry, "AuthorizationType")?;
        if kind.is_some_and(|kind| kind.text() != Some("NONE")) {
            reading.note(entry.place, what.clone(), events::NO_AUTHORIZER);
        }
        let mut path = Vec::new();
        let mut next = name_of(&entry, "ResourceId");
        while let Some((part, parent)) = next.as_deref().and_then(|name| parts.get(name)) {
            path.insert(0, part.as_str());
            next.clone_from(parent);
            if path.len() > 64 {
                return Err(Fault::at(
                    entry.place,
                    "the resources above this method form a circle",
                ));
            }
        }
        let path = format!("/{}", path.join("/"));
        events::add(reading, &entry, (&method, &path, EventForm::AwsV1), functions.get(at));
    }
    Ok(())
}

/// Returns the logical id in a property that is a reference or an attribute.
fn name_of(entry: &Entry, property: &str) -> Option<String> {
    let value = entry.value.get("Properties")?.get(property)?;
    let inner = value.get("Ref").or_else(|| value.get("Fn::GetAtt")).unwrap_or(value);
    let text = inner.text().or_else(|| inner.list()?.first()?.text())?;
    Some(text.split('.').next().unwrap_or(text).to_owned())
}
