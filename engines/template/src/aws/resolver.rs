//! CloudFormation's intrinsic functions, in both of their forms: `!Sub x` and `{Fn::Sub: x}`.

use crate::{
    aws::conditions::Conditions,
    error::{Fault, Place},
    node::{DEEPEST, Entry, Map, Node, Value, too_deep},
    reading::Reading,
};
use std::{collections::HashMap, rc::Rc};

/// The account in which functions are taken to be, as other emulators do.
pub(crate) const ACCOUNT: &str = "123456789012";

/// The sections of a template that its values refer to.
#[derive(Default)]
pub(crate) struct Resolver {
    /// Values of parameters; `None` for those without one.
    pub(crate) parameters: HashMap<String, Option<Rc<Node>>>,
    pub(crate) mappings: Option<Rc<Node>>,
    pub(crate) conditions: Conditions,
    /// Types of resources, by logical id.
    pub(crate) resources: HashMap<String, String>,
    /// Whether there are resources that the file does not declare, because the tool adds them.
    pub(crate) is_open: bool,
    /// The number of references to what nothing is called.
    pub(crate) unknown: usize,
    pub(crate) stack: String,
    pub(crate) region: String,
    pub(crate) depth: usize,
}

/// A call of an intrinsic function.
pub(crate) struct Call {
    pub(crate) name: String,
    pub(crate) argument: Rc<Node>,
}

/// Returns the call that a node is, if it is one.
pub(crate) fn call_of(node: &Rc<Node>) -> Result<Option<Call>, Fault> {
    if let Some(tag) = node.tag.as_deref() {
        let name = match tag {
            "Ref" | "Condition" => tag.to_owned(),
            tag => format!("Fn::{tag}"),
        };
        let value = match &node.value {
            Value::Scalar { text, quoted } => Value::Scalar { text: text.clone(), quoted: *quoted },
            Value::List(items) => Value::List(items.clone()),
            Value::Map(map) => Value::Map(Map::new(map.entries().to_vec())),
        };
        let argument = Node::new(node.place, None, value)?;
        return Ok(Some(Call { name, argument }));
    }
    let Some([entry]) = node.map().map(Map::entries) else { return Ok(None) };
    let is_call = &*entry.key == "Ref" || entry.key.starts_with("Fn::");
    Ok(is_call.then(|| Call { name: entry.key.to_string(), argument: Rc::clone(&entry.value) }))
}

impl Resolver {
    /// Puts values in the place of a node's calls. `None` is `AWS::NoValue`: the property is not there.
    pub(crate) fn resolve(
        &mut self,
        reading: &mut Reading<'_>,
        node: &Rc<Node>,
    ) -> Result<Option<Rc<Node>>, Fault> {
        reading.spend(node.place, 64)?;
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(Fault::at(node.place, too_deep()));
        }
        let result = match call_of(node)? {
            Some(call) => self.call(reading, &call, node.place),
            None => self.resolve_inside(reading, node),
        };
        self.depth -= 1;
        result
    }

    /// Resolves a node if it is a call itself; what stands below a plain one stays as it is.
    pub(crate) fn open(
        &mut self,
        reading: &mut Reading<'_>,
        node: &Rc<Node>,
    ) -> Result<Option<Rc<Node>>, Fault> {
        if call_of(node)?.is_some() {
            return self.resolve(reading, node);
        }
        Ok(Some(Rc::clone(node)))
    }

    fn resolve_inside(
        &mut self,
        reading: &mut Reading<'_>,
        node: &Rc<Node>,
    ) -> Result<Option<Rc<Node>>, Fault> {
        let value = match &node.value {
            Value::Scalar { .. } => return Ok(Some(Rc::clone(node))),
            Value::List(items) => {
                let mut resolved = Vec::with_capacity(items.len());
                for item in items {
                    resolved.extend(self.resolve(reading, item)?);
                }
                Value::List(resolved)
            }
            Value::Map(map) => {
                let mut resolved = Vec::with_capacity(map.entries().len());
                for entry in map.entries() {
                    if let Some(value) = self.resolve(reading, &entry.value)? {
                        resolved.push(Entry { value, ..entry.clone() });
                    }
                }
                Value::Map(Map::new(resolved))
            }
        };
        Node::new(node.place, None, value).map(Some)
    }

    /// Resolves what has to be a text.
    pub(crate) fn text(
        &mut self,
        reading: &mut Reading<'_>,
        node: &Rc<Node>,
        what: &str,
    ) -> Result<String, Fault> {
        let Some(value) = self.resolve(reading, node)? else { return Ok(String::new()) };
        let text = value.variable().ok_or_else(|| {
            Fault::at(node.place, format!("{what} is a text, and this is {}", value.kind()))
        })?;
        reading.spend(node.place, text.len())?;
        Ok(text)
    }

    /// Resolves what has to be a list.
    pub(crate) fn list(
        &mut self,
        reading: &mut Reading<'_>,
        node: &Rc<Node>,
        what: &str,
    ) -> Result<Vec<Rc<Node>>, Fault> {
        let Some(value) = self.resolve(reading, node)? else { return Ok(Vec::new()) };
        value.list().map(<[_]>::to_vec).ok_or_else(|| {
            Fault::at(node.place, format!("{what} is a list, and this is {}", value.kind()))
        })
    }

    pub(super) fn call(
        &mut self,
        reading: &mut Reading<'_>,
        call: &Call,
        place: Place,
    ) -> Result<Option<Rc<Node>>, Fault> {
        let Call { name, argument } = call;
        let text = match name.as_str() {
            "Ref" => {
                let name = argument.text().ok_or_else(|| wrong(place, "Ref", "a name"))?;
                return self.reference(reading, name, place);
            }
            "Condition" => {
                let name = argument.text().ok_or_else(|| wrong(place, "Condition", "a name"))?;
                self.is_met(reading, name, place)?.to_string()
            }
            "Fn::Equals" | "Fn::And" | "Fn::Or" | "Fn::Not" => {
                self.holds(reading, call, place)?.to_string()
            }
            "Fn::GetAtt" => self.attribute(reading, argument, place)?,
            "Fn::Sub" => self.substitute(reading, argument, place)?,
            "Fn::Join" => {
                let [delimiter, items] = arguments(argument, place, "Fn::Join")?;
                let delimiter = self.text(reading, delimiter, "the delimiter of Fn::Join")?;
                let mut joined = String::new();
                for (at, item) in
                    self.list(reading, items, "what Fn::Join joins")?.iter().enumerate()
                {
                    let text = self.text(reading, item, "an item of Fn::Join")?;
                    reading.spend(place, delimiter.len())?;
                    joined.push_str(if at > 0 { &delimiter } else { "" });
                    joined.push_str(&text);
                }
                joined
            }
            "Fn::Split" => {
                let [delimiter, source] = arguments(argument, place, "Fn::Split")?;
                let delimiter = self.text(reading, delimiter, "the delimiter of Fn::Split")?;
                if delimiter.is_empty() {
                    return Err(Fault::at(place, "the delimiter of Fn::Split is empty"));
                }
                let source = self.text(reading, source, "what Fn::Split splits")?;
                return list_of(reading, place, source.split(delimiter.as_str())).map(Some);
            }
            "Fn::Select" => {
                let [index, items] = arguments(argument, place, "Fn::Select")?;
                let index = self.text(reading, index, "the index of Fn::Select")?;
                let items = self.list(reading, items, "what Fn::Select selects from")?;
                let item = index.trim().parse::<usize>().ok().and_then(|at| items.get(at));
                let item = item.ok_or_else(|| {
                    let count = items.len();
                    Fault::at(
                        place,
                        format!("Fn::Select has no item {index}: the list has {count}"),
                    )
                })?;
                return Ok(Some(Rc::clone(item)));
            }
            "Fn::If" => {
                let [condition, then, otherwise] = arguments(argument, place, "Fn::If")?;
                let name = condition.text().ok_or_else(|| wrong(place, "Fn::If", "a condition"))?;
                let chosen = if self.is_met(reading, name, place)? { then } else { otherwise };
                return self.resolve(reading, chosen);
            }
            "Fn::FindInMap" => return self.find_in_map(reading, argument, place),
            "Fn::Base64" => {
                use base64::Engine as _;
                let text = self.text(reading, argument, "what Fn::Base64 encodes")?;
                base64::engine::general_purpose::STANDARD.encode(text)
            }
            "Fn::Length" => {
                self.list(reading, argument, "what Fn::Length counts")?.len().to_string()
            }
            "Fn::GetAZs" => {
                let region = self.text(reading, argument, "the region of Fn::GetAZs")?;
                let region = if region.is_empty() { self.region.clone() } else { region };
                let zones: Vec<_> = ["a", "b", "c"].map(|zone| format!("{region}{zone}")).into();
                return list_of(reading, place, zones.iter().map(String::as_str)).map(Some);
            }
            "Fn::ImportValue" => {
                let name = self.text(reading, argument, "the name of Fn::ImportValue")?;
                let why =
                    "exports of other stacks exist only in the cloud: its name stands in its place";
                reading.note(place, format!("Fn::ImportValue {name}"), why);
                name
            }
            name => {
                reading.note(place, name.to_owned(), "it is not understood, and left out");
                return Ok(None);
            }
        };
        Ok(Some(Node::scalar(place, text)))
    }

    fn find_in_map(
        &mut self,
        reading: &mut Reading<'_>,
        argument: &Rc<Node>,
        place: Place,
    ) -> Result<Option<Rc<Node>>, Fault> {
        let items = argument.list().filter(|items| items.len() >= 3);
        let [map, first, second, more @ ..] =
            items.ok_or_else(|| wrong(place, "Fn::FindInMap", "a map and two keys"))?
        else {
            unreachable!("there are three")
        };
        let map = self.text(reading, map, "the map of Fn::FindInMap")?;
        let first = self.text(reading, first, "a key of Fn::FindInMap")?;
        let second = self.text(reading, second, "a key of Fn::FindInMap")?;
        let mappings = self.mappings.clone();
        let found = mappings.as_ref().and_then(|all| all.get(&map)?.get(&first)?.get(&second));
        match (found, more.first().and_then(|options| options.get("DefaultValue"))) {
            (Some(value), _) => self.resolve(reading, value),
            (None, Some(value)) => self.resolve(reading, value),
            (None, None) => {
                let message = format!("the mappings have no {map}.{first}.{second}");
                Err(Fault::at(place, message))
            }
        }
    }
}

/// Returns the arguments of a function that takes so many.
pub(super) fn arguments<'n, const N: usize>(
    argument: &'n Rc<Node>,
    place: Place,
    name: &str,
) -> Result<&'n [Rc<Node>; N], Fault> {
    let items = argument.list().and_then(|items| <&[_; N]>::try_from(items).ok());
    items.ok_or_else(|| wrong(place, name, &format!("a list of {N}")))
}

pub(super) fn wrong(place: Place, name: &str, wanted: &str) -> Fault {
    Fault::at(place, format!("{name} takes {wanted}"))
}

/// Returns a list of texts.
pub(super) fn list_of<'t>(
    reading: &mut Reading<'_>,
    place: Place,
    items: impl Iterator<Item = &'t str>,
) -> Result<Rc<Node>, Fault> {
    let items: Vec<_> = items.map(|item| Node::scalar(place, item)).collect();
    reading.spend(place, items.len().saturating_mul(64))?;
    Node::new(place, None, Value::List(items))
}
