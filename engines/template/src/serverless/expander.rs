//! Values of variables. They are looked up when somebody needs them, each once; one that depends on itself is an error.

use super::written::{Part, Source, parts, sources};
use crate::{
    error::{Fault, Place},
    node::{DEEPEST, Entry, Map, Node, Value, too_deep},
    reading::Reading,
};
use std::{
    collections::{BTreeMap, HashMap},
    rc::Rc,
};

/// The stage of a deployment that names none.
const STAGE: &str = "dev";

/// The values of a file's variables.
pub(super) struct Expander {
    pub(super) root: Rc<Node>,
    /// Variables of `.env` files.
    pub(super) dotenv: BTreeMap<String, String>,
    known: HashMap<String, Option<Rc<Node>>>,
    deeply_known: HashMap<String, Option<Rc<Node>>>,
    /// Variables that are being looked up.
    active: Vec<String>,
    depth: usize,
}

impl Expander {
    /// Makes an expander of a file.
    pub(super) fn new(reading: &mut Reading<'_>, root: &Rc<Node>) -> Result<Self, Fault> {
        let (known, deeply_known) = (HashMap::new(), HashMap::new());
        let (dotenv, active) = (BTreeMap::new(), Vec::new());
        let root = Rc::clone(root);
        let mut expander = Self { root, dotenv, known, deeply_known, active, depth: 0 };
        super::dotenv::read(reading, &mut expander)?;
        // What was looked up on the way may depend on the variables of these files.
        expander.known.clear();
        Ok(expander)
    }

    /// Returns what a node stands for: itself, or what its variable names. Below, variables stay what they are.
    pub(super) fn expand(
        &mut self,
        reading: &mut Reading<'_>,
        node: &Rc<Node>,
    ) -> Result<Option<Rc<Node>>, Fault> {
        let Some(text) = node.text().filter(|text| text.contains("${")) else {
            return Ok(Some(Rc::clone(node)));
        };
        let parts = parts(text);
        if let [Part::Variable(content)] = &parts[..] {
            let value = self.variable(reading, content, node.place)?;
            // The tag of the text applies to its value: `!Ref ${self:…}`.
            return match (&node.tag, value) {
                (Some(tag), Some(value)) => {
                    let value = Value::Scalar { text: joinable(&value, node.place)?, quoted: true };
                    Node::new(node.place, Some(tag.clone()), value).map(Some)
                }
                (_, value) => Ok(value),
            };
        }
        let text = self.joined(reading, &parts, node.place)?;
        let value = Value::Scalar { text, quoted: true };
        Node::new(node.place, node.tag.clone(), value).map(Some)
    }

    /// Returns a text with the values of its variables.
    fn joined(
        &mut self,
        reading: &mut Reading<'_>,
        parts: &[Part<'_>],
        place: Place,
    ) -> Result<String, Fault> {
        let mut text = String::new();
        for part in parts {
            match part {
                Part::Text(plain) => text.push_str(plain),
                Part::Variable(content) => {
                    if let Some(value) = self.variable(reading, content, place)? {
                        text.push_str(&joinable(&value, place)?);
                    }
                }
            }
            reading.spend(place, 64)?;
        }
        reading.spend(place, text.len())?;
        Ok(text)
    }

    /// Returns what a node stands for, with all variables below.
    pub(super) fn deep(
        &mut self,
        reading: &mut Reading<'_>,
        node: &Rc<Node>,
    ) -> Result<Option<Rc<Node>>, Fault> {
        reading.spend(node.place, 64)?;
        self.enter(node.place)?;
        let value = match &node.value {
            Value::Scalar { text, .. } if text.contains("${") => {
                let key = text.clone();
                if let Some(known) = self.deeply_known.get(&key).filter(|_| node.tag.is_none()) {
                    let known = known.clone();
                    self.depth -= 1;
                    return Ok(known);
                }
                let value = self.expand(reading, node)?;
                let value = match value {
                    Some(value) if value.text().is_none() => {
                        self.begin(&key, node.place)?;
                        let value = self.deep(reading, &value)?;
                        self.active.pop();
                        value
                    }
                    value => value,
                };
                if node.tag.is_none() {
                    self.deeply_known.insert(key, value.clone());
                }
                value
            }
            Value::Scalar { .. } => Some(Rc::clone(node)),
            Value::List(items) => {
                let mut all = Vec::with_capacity(items.len());
                for item in items {
                    all.extend(self.deep(reading, item)?);
                }
                Some(Node::new(node.place, node.tag.clone(), Value::List(all))?)
            }
            Value::Map(map) => {
                let mut all = Vec::with_capacity(map.entries().len());
                for entry in map.entries() {
                    if let Some(value) = self.deep(reading, &entry.value)? {
                        all.push(Entry { value, ..entry.clone() });
                    }
                }
                Some(Node::new(node.place, node.tag.clone(), Value::Map(Map::new(all)))?)
            }
        };
        self.depth -= 1;
        Ok(value)
    }

    /// Returns the value of a key, if what a node stands for has it.
    pub(super) fn get(
        &mut self,
        reading: &mut Reading<'_>,
        node: &Rc<Node>,
        key: &str,
    ) -> Result<Option<Rc<Node>>, Fault> {
        let Some(table) = self.expand(reading, node)? else { return Ok(None) };
        match table.get(key) {
            Some(value) => self.expand(reading, value),
            None => Ok(None),
        }
    }

    /// Returns the text of a key.
    pub(super) fn text(
        &mut self,
        reading: &mut Reading<'_>,
        node: &Rc<Node>,
        key: &str,
    ) -> Result<Option<String>, Fault> {
        let value = self.get(reading, node, key)?;
        let text = value.filter(|value| !value.is_null()).and_then(|value| value.variable());
        reading.spend(node.place, text.as_ref().map_or(0, String::len))?;
        Ok(text)
    }

    /// Returns the stage.
    pub(super) fn stage(&mut self, reading: &mut Reading<'_>) -> Result<String, Fault> {
        if let Some(stage) = reading.inputs.options.get("stage") {
            return Ok(stage.clone());
        }
        Ok(self.written(reading, "stage")?.unwrap_or_else(|| STAGE.to_owned()))
    }

    /// Returns the region.
    pub(super) fn region(&mut self, reading: &mut Reading<'_>) -> Result<String, Fault> {
        if let Some(region) = reading.inputs.options.get("region") {
            return Ok(region.clone());
        }
        Ok(self.written(reading, "region")?.unwrap_or_else(|| reading.inputs.region().to_owned()))
    }

    /// Returns a text of the provider's.
    fn written(&mut self, reading: &mut Reading<'_>, key: &str) -> Result<Option<String>, Fault> {
        let root = Rc::clone(&self.root);
        let Some(provider) = self.get(reading, &root, "provider")? else { return Ok(None) };
        let value = self.text(reading, &provider, key)?;
        Ok(value.filter(|value| !value.is_empty()))
    }

    /// Returns the name of the service.
    pub(super) fn service(&mut self, reading: &mut Reading<'_>) -> Result<String, Fault> {
        let root = Rc::clone(&self.root);
        let Some(service) = self.get(reading, &root, "service")? else { return Ok(String::new()) };
        let name = match service.text() {
            Some(name) => {
                reading.spend(service.place, name.len())?;
                Some(name.to_owned())
            }
            None => self.text(reading, &service, "name")?,
        };
        Ok(name.unwrap_or_default())
    }

    fn enter(&mut self, place: Place) -> Result<(), Fault> {
        self.depth += 1;
        // Each level of variables is several calls.
        if self.depth > DEEPEST / 2 {
            return Err(Fault::at(place, too_deep()));
        }
        Ok(())
    }

    fn begin(&mut self, content: &str, place: Place) -> Result<(), Fault> {
        if let Some(at) = self.active.iter().position(|active| active == content) {
            let mut circle: Vec<&str> = self.active[at..].iter().map(String::as_str).collect();
            circle.push(content);
            let circle = circle.join(" → ");
            return Err(Fault::at(place, format!("a variable depends on itself: {circle}")));
        }
        self.active.push(content.to_owned());
        Ok(())
    }

    /// Returns the value of a variable, from the first of its sources that has one.
    fn variable(
        &mut self,
        reading: &mut Reading<'_>,
        content: &str,
        place: Place,
    ) -> Result<Option<Rc<Node>>, Fault> {
        if let Some(known) = self.known.get(content) {
            return Ok(known.clone());
        }
        reading.spend(place, 64)?;
        self.enter(place)?;
        self.begin(content, place)?;
        let mut reason = None;
        let mut found = None;
        for source in sources(content) {
            let value = match source {
                Source::Literal(text, quoted) => {
                    let value = Value::Scalar { text: text.to_owned(), quoted };
                    Ok(Some(Node::new(place, None, value)?))
                }
                Source::Lookup { kind, parameters, address } => {
                    let address = self.joined(reading, &parts(address), place)?;
                    let parameters = match parameters {
                        Some(written) => Some(self.joined(reading, &parts(written), place)?),
                        None => None,
                    };
                    self.look_up(reading, kind, parameters.as_deref(), &address, place)?
                }
            };
            match value {
                Ok(Some(value)) => {
                    // What was found may be a variable itself.
                    found = self.expand(reading, &value)?;
                    if found.is_some() {
                        break;
                    }
                }
                Ok(None) => {}
                Err(why) => reason = reason.or(Some(why)),
            }
        }
        if found.is_none() && content.trim() == "opt:stage" {
            let why = format!("the option stage is not given: '{STAGE}' stands in its place");
            reading.note(place, "${opt:stage}", why);
            found = Some(Node::scalar(place, STAGE));
        }
        if found.is_none() {
            let why = reason.unwrap_or_else(|| "nothing has a value for it".to_owned());
            reading.note(place, format!("${{{content}}}"), format!("{why}: it is left out"));
        }
        self.active.pop();
        self.depth -= 1;
        self.known.insert(content.to_owned(), found.clone());
        Ok(found)
    }
}

/// Returns the text of a value that stands within another text.
fn joinable(value: &Node, place: Place) -> Result<String, Fault> {
    value.variable().ok_or_else(|| {
        let kind = value.kind();
        Fault::at(
            place,
            format!("a variable within a text has a text as its value, and this one is {kind}"),
        )
    })
}
