//! References within templates: to parameters, to resources and their attributes, and to what AWS itself knows.

use crate::{
    aws::resolver::{ACCOUNT, Call, Resolver, arguments, list_of, wrong},
    error::{Fault, Place},
    node::Node,
    reading::Reading,
    similar,
};
use std::rc::Rc;

/// Types of resources that are functions.
pub(crate) const FUNCTIONS: [&str; 2] = ["AWS::Serverless::Function", "AWS::Lambda::Function"];

/// The most names for which others that are like them are looked for.
const MOST_SUGGESTIONS: usize = 100;

/// Types of resources that are layers.
pub(crate) const LAYERS: [&str; 2] = ["AWS::Serverless::LayerVersion", "AWS::Lambda::LayerVersion"];

impl Resolver {
    /// Returns the value of a reference.
    pub(super) fn reference(
        &mut self,
        reading: &mut Reading<'_>,
        name: &str,
        place: Place,
    ) -> Result<Option<Rc<Node>>, Fault> {
        let text = match name {
            "AWS::NoValue" => return Ok(None),
            "AWS::NotificationARNs" => {
                return list_of(reading, place, std::iter::empty()).map(Some);
            }
            "AWS::Region" => self.region.clone(),
            "AWS::AccountId" => ACCOUNT.to_owned(),
            "AWS::StackName" => self.stack.clone(),
            "AWS::StackId" => {
                let (region, stack) = (&self.region, &self.stack);
                format!("arn:aws:cloudformation:{region}:{ACCOUNT}:stack/{stack}/local")
            }
            "AWS::Partition" => "aws".to_owned(),
            "AWS::URLSuffix" => "amazonaws.com".to_owned(),
            _ => match self.parameters.get(name) {
                Some(Some(value)) => return Ok(Some(Rc::clone(value))),
                Some(None) => {
                    let why =
                        "it has neither a default nor a given value: its name stands in its place";
                    reading.note(place, format!("the parameter {name}"), why);
                    name.to_owned()
                }
                None => self.resource(reading, name, place),
            },
        };
        Ok(Some(Node::scalar(place, text)))
    }

    /// Returns what stands for a resource.
    fn resource(&mut self, reading: &mut Reading<'_>, name: &str, place: Place) -> String {
        match self.resources.get(name).map(String::as_str) {
            Some(kind) if FUNCTIONS.contains(&kind) || LAYERS.contains(&kind) => {}
            Some(kind) => {
                let why = format!(
                    "this {kind} exists only in the cloud: its logical id stands in its place"
                );
                reading.note(place, format!("the reference to {name}"), why);
            }
            None => {
                // What SAM makes of a function: `!Ref Function.Version`.
                let made = name.strip_suffix(".Version").or_else(|| name.strip_suffix(".Alias"));
                let kind = made.and_then(|made| self.resources.get(made));
                if kind.is_some_and(|kind| FUNCTIONS.contains(&kind.as_str())) {
                    return made.unwrap_or(name).to_owned();
                }
                self.note_unknown(reading, name, place);
            }
        }
        name.to_owned()
    }

    fn note_unknown(&mut self, reading: &mut Reading<'_>, name: &str, place: Place) {
        let known = self.parameters.keys().chain(self.resources.keys()).map(String::as_str);
        // Comparing names takes its time, and whoever has many of these notes has another problem.
        self.unknown += 1;
        let is_asked = !self.is_open && self.unknown <= MOST_SUGGESTIONS;
        let near = is_asked.then(|| similar::to(name, known)).flatten();
        let why = match near {
            Some(near) => {
                format!("nothing is called so, but '{near}' is: its name stands in its place")
            }
            None if self.is_open => {
                "it exists only in the cloud: its name stands in its place".to_owned()
            }
            None => "this file does not declare it: its name stands in its place".to_owned(),
        };
        reading.note(place, format!("the reference to {name}"), why);
    }

    /// Returns the value of an attribute, whose argument is `Name.Attribute` or a list of both.
    pub(super) fn attribute(
        &mut self,
        reading: &mut Reading<'_>,
        argument: &Rc<Node>,
        place: Place,
    ) -> Result<String, Fault> {
        let (name, attribute) = match argument.text() {
            Some(text) => {
                let parts = text.split_once('.');
                let parts = parts.ok_or_else(|| wrong(place, "Fn::GetAtt", "Name.Attribute"))?;
                (parts.0.to_owned(), parts.1.to_owned())
            }
            None => {
                let [name, attribute] = arguments(argument, place, "Fn::GetAtt")?;
                let name = name.text().ok_or_else(|| wrong(place, "Fn::GetAtt", "a name"))?;
                (name.to_owned(), self.text(reading, attribute, "an attribute")?)
            }
        };
        Ok(self.attribute_of(reading, &name, &attribute, place))
    }

    fn attribute_of(
        &mut self,
        reading: &mut Reading<'_>,
        name: &str,
        attribute: &str,
        place: Place,
    ) -> String {
        match self.resources.get(name).map(String::as_str) {
            Some(kind) if FUNCTIONS.contains(&kind) && attribute == "Arn" => {
                let region = &self.region;
                return format!("arn:aws:lambda:{region}:{ACCOUNT}:function:{name}");
            }
            Some(kind) => {
                let why = format!(
                    "attributes of this {kind} exist only in the cloud: its name stands in its place"
                );
                reading.note(place, format!("the attribute {name}.{attribute}"), why);
            }
            None => self.note_unknown(reading, name, place),
        }
        format!("{name}.{attribute}")
    }

    /// Returns the text of `Fn::Sub`.
    pub(super) fn substitute(
        &mut self,
        reading: &mut Reading<'_>,
        argument: &Rc<Node>,
        place: Place,
    ) -> Result<String, Fault> {
        let (template, own) = match argument.list() {
            None => (argument, None),
            Some([template, own]) => (template, own.map()),
            Some([template]) => (template, None),
            Some(_) => return Err(wrong(place, "Fn::Sub", "a text, or a text and a table")),
        };
        let template = template.text().ok_or_else(|| wrong(place, "Fn::Sub", "a text"))?;
        let mut text = String::new();
        let mut left = template;
        while let Some(start) = left.find("${") {
            text.push_str(&left[..start]);
            left = &left[start + 2..];
            let Some(end) = left.find('}') else {
                text.push_str("${");
                break;
            };
            let name = left[..end].trim();
            left = &left[end + 1..];
            if let Some(literal) = name.strip_prefix('!') {
                text.push_str(&format!("${{{literal}}}"));
                continue;
            }
            let value = match (own.and_then(|own| own.get(name)), name.split_once('.')) {
                (Some(value), _) => self.text(reading, value, "a value of Fn::Sub")?,
                (None, Some((name, attribute))) if !name.contains("::") => {
                    self.attribute_of(reading, name, attribute, place)
                }
                (None, _) => {
                    let value = self.reference(reading, name, place)?;
                    // A list of a parameter is what its text was.
                    value.map(|value| flat(&value)).unwrap_or_default()
                }
            };
            reading.spend(place, value.len())?;
            text.push_str(&value);
        }
        text.push_str(left);
        reading.spend(place, text.len())?;
        Ok(text)
    }

    /// Returns the text of a call, of whatever function.
    pub(super) fn call_as_text(
        &mut self,
        reading: &mut Reading<'_>,
        call: &Call,
        place: Place,
    ) -> Result<String, Fault> {
        let value = self.call(reading, call, place)?;
        Ok(value.map(|value| flat(&value)).unwrap_or_default())
    }
}

/// Returns a text, or texts with commas between them.
fn flat(node: &Node) -> String {
    match node.list() {
        Some(items) => items.iter().filter_map(|item| item.text()).collect::<Vec<_>>().join(","),
        None => node.variable().unwrap_or_default(),
    }
}
