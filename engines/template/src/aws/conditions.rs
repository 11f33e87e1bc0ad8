//! Conditions of templates: each is looked at once, and only if something depends on it.

use crate::{
    aws::resolver::{Call, Resolver, arguments, call_of, wrong},
    error::{Fault, Place},
    node::{DEEPEST, Map, Node, too_deep},
    reading::Reading,
    similar,
};
use std::{collections::HashMap, rc::Rc};

/// The section `Conditions`, and what is known of it.
#[derive(Default)]
pub(crate) struct Conditions {
    pub(crate) section: Option<Rc<Node>>,
    /// Results; `None` while a condition is looked at.
    known: HashMap<String, Option<bool>>,
}

impl Resolver {
    /// Whether a condition is met, by its name.
    pub(crate) fn is_met(
        &mut self,
        reading: &mut Reading<'_>,
        name: &str,
        place: Place,
    ) -> Result<bool, Fault> {
        match self.conditions.known.get(name) {
            Some(Some(result)) => return Ok(*result),
            Some(None) => {
                return Err(Fault::at(place, format!("the condition '{name}' depends on itself")));
            }
            None => {}
        }
        let section = self.conditions.section.clone();
        let map = section.as_ref().and_then(|section| section.map());
        let Some(condition) = map.and_then(|map| map.get(name)) else {
            let names = map.map(Map::entries).unwrap_or_default().iter().map(|entry| &*entry.key);
            let near = similar::to(name, names);
            let hint = near.map(|near| format!(", '{near}' is one")).unwrap_or_default();
            return Err(Fault::at(place, format!("there is no condition '{name}'{hint}")));
        };
        self.conditions.known.insert(name.to_owned(), None);
        let result = self.condition(reading, condition)?;
        self.conditions.known.insert(name.to_owned(), Some(result));
        Ok(result)
    }

    fn condition(&mut self, reading: &mut Reading<'_>, node: &Rc<Node>) -> Result<bool, Fault> {
        reading.spend(node.place, 64)?;
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(Fault::at(node.place, too_deep()));
        }
        let result = match (call_of(node)?, node.get("Condition")) {
            (Some(call), _) => self.holds(reading, &call, node.place),
            (None, Some(name)) => {
                let name = name.text().ok_or_else(|| wrong(node.place, "Condition", "a name"))?;
                self.is_met(reading, name, node.place)
            }
            (None, None) => node.truth().ok_or_else(|| {
                Fault::at(node.place, format!("this is {} and no condition", node.kind()))
            }),
        };
        self.depth -= 1;
        result
    }

    /// Whether what a function of conditions asks for is so.
    pub(super) fn holds(
        &mut self,
        reading: &mut Reading<'_>,
        call: &Call,
        place: Place,
    ) -> Result<bool, Fault> {
        let Call { name, argument } = call;
        let list = || argument.list().ok_or_else(|| wrong(place, name, "a list of conditions"));
        match name.as_str() {
            "Fn::Equals" => {
                let [one, other] = arguments(argument, place, name)?;
                let one = self.text(reading, one, "a side of Fn::Equals")?;
                Ok(one == self.text(reading, other, "a side of Fn::Equals")?)
            }
            "Fn::Not" => {
                let [condition] = arguments(argument, place, name)?;
                Ok(!self.condition(reading, condition)?)
            }
            "Fn::And" | "Fn::Or" => {
                let ends = name == "Fn::Or";
                for condition in list()? {
                    if self.condition(reading, condition)? == ends {
                        return Ok(ends);
                    }
                }
                Ok(!ends)
            }
            "Condition" => {
                let name = argument.text().ok_or_else(|| wrong(place, name, "a name"))?;
                self.is_met(reading, name, place)
            }
            _ => {
                let text = self.call_as_text(reading, call, place)?;
                let node = Node::scalar(place, text);
                node.truth().ok_or_else(|| Fault::at(place, format!("{name} is no condition")))
            }
        }
    }
}
