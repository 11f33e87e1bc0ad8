//! Documents of OpenAPI whose operations name functions (`x-amazon-apigateway-integration`), in a template or beside it.

use super::{Template, events, gateway::Functions};
use crate::{
    error::Fault,
    node::{Entry, Map, Node},
    project::EventForm,
    reading::Reading,
};
use std::rc::Rc;

/// Resources with such documents, the properties that hold them, and the form of their events.
const HOLDERS: [(&str, &str, &str, EventForm); 4] = [
    ("AWS::Serverless::Api", "DefinitionBody", "DefinitionUri", EventForm::AwsV1),
    ("AWS::Serverless::HttpApi", "DefinitionBody", "DefinitionUri", EventForm::AwsV2),
    ("AWS::ApiGateway::RestApi", "Body", "BodyS3Location", EventForm::AwsV1),
    ("AWS::ApiGatewayV2::Api", "Body", "BodyS3Location", EventForm::AwsV2),
];

/// Reads the documents of all APIs.
pub(super) fn read(
    reading: &mut Reading<'_>,
    template: &mut Template,
    functions: &mut Functions<'_>,
) -> Result<(), Fault> {
    for (kind, inside, beside, format) in HOLDERS {
        for entry in template.of_types(&[kind]) {
            let Some(properties) = entry.value.get("Properties") else { continue };
            let document = match (properties.get(inside), properties.get(beside)) {
                (Some(inside), _) => included(reading, inside)?,
                (None, Some(beside)) => match beside.text().filter(|text| !text.contains("://")) {
                    Some(path) => Some(reading.node(path, beside.place)?),
                    None => {
                        let why = "its document is kept in the cloud: its routes are not there";
                        reading.note(beside.place, format!("the API {}", entry.key), why);
                        None
                    }
                },
                (None, None) => None,
            };
            if let Some(document) = document {
                operations(reading, template, functions, &document, format)?;
            }
        }
    }
    Ok(())
}

/// Returns a document, from the file that it includes if it does (`Fn::Transform: {Name: AWS::Include}`).
fn included(reading: &mut Reading<'_>, body: &Rc<Node>) -> Result<Option<Rc<Node>>, Fault> {
    let is_tagged = body.tag.as_deref() == Some("Transform");
    let Some(transform) = body.get("Fn::Transform").or(is_tagged.then_some(body)) else {
        return Ok(Some(Rc::clone(body)));
    };
    let location =
        transform.get("Parameters").and_then(|parameters| parameters.text_of("Location"));
    match location.filter(|location| !location.contains("://")) {
        Some(path) => reading.node(path, transform.place).map(Some),
        None => {
            let why = "what it includes is not a file of this folder: its routes are not there";
            reading.note(transform.place, "Fn::Transform", why);
            Ok(None)
        }
    }
}

fn operations(
    reading: &mut Reading<'_>,
    template: &mut Template,
    functions: &mut Functions<'_>,
    document: &Node,
    format: EventForm,
) -> Result<(), Fault> {
    let paths = document.get("paths").and_then(|paths| paths.map());
    for path in paths.map(Map::entries).unwrap_or_default() {
        for method in path.value.map().map(Map::entries).unwrap_or_default() {
            let Some(integration) = method.value.get("x-amazon-apigateway-integration") else {
                continue;
            };
            let uri = match integration.get("uri") {
                Some(uri) => template.resolver.resolve(reading, uri)?,
                None => None,
            };
            let Some(at) = uri.as_ref().and_then(|uri| functions.named_in(uri.text()?)) else {
                if !method.key.eq_ignore_ascii_case("options") {
                    let what = format!("the operation {} {}", method.key, path.key);
                    reading.note(
                        method.place,
                        what,
                        "its integration is no function of the template",
                    );
                }
                continue;
            };
            let is_old = integration.text_of("payloadFormatVersion") == Some("1.0");
            let format = if is_old { EventForm::AwsV1 } else { format };
            if method.value.get("security").is_some() {
                let what = format!("security of {} {}", method.key, path.key);
                reading.note(method.place, what, events::NO_AUTHORIZER);
            }
            let entry = Entry { value: Rc::clone(&method.value), ..path.clone() };
            events::add(reading, &entry, (&method.key, &path.key, format), functions.get(at));
        }
    }
    Ok(())
}
