//! The sources that variables name: this file, others, options, parameters and the environment.

use super::expander::Expander;
use crate::{
    aws,
    error::{Fault, Place},
    node::Node,
    reading::Reading,
    similar,
};
use std::rc::Rc;

/// The sources that are read.
const KNOWN: [&str; 9] = ["self", "opt", "env", "param", "sls", "aws", "file", "strToBool", "git"];

impl Expander {
    /// Returns a source's value, or why there can be none here.
    pub(super) fn look_up(
        &mut self,
        reading: &mut Reading<'_>,
        kind: &str,
        parameters: Option<&str>,
        address: &str,
        place: Place,
    ) -> Result<Result<Option<Rc<Node>>, String>, Fault> {
        let text = |text: String| Ok(Some(Node::scalar(place, text)));
        let found = match (kind, address) {
            ("self", _) => {
                let root = Rc::clone(&self.root);
                match self.walk(reading, &root, address)? {
                    Some(value) => Ok(Some(value)),
                    None if address == "provider.stage" => text(self.stage(reading)?),
                    None if address == "provider.region" => text(self.region(reading)?),
                    None => Err(format!("the file has no {address}")),
                }
            }
            ("opt", _) => match reading.inputs.options.get(address) {
                Some(value) => text(value.clone()),
                None => Err(format!("the option {address} is not given")),
            },
            ("env", _) => {
                let known = reading.inputs.environment.get(address);
                match known.or_else(|| self.dotenv.get(address)) {
                    Some(value) => text(value.clone()),
                    None => Err(format!("the environment variable {address} is not set")),
                }
            }
            ("param", _) => match self.parameter(reading, address)? {
                Some(value) => Ok(Some(value)),
                None => Err(format!("the parameter {address} is not given")),
            },
            ("sls", "stage") => text(self.stage(reading)?),
            ("sls", "instanceId") => text("local".to_owned()),
            ("aws", "region") => text(self.region(reading)?),
            ("aws", "accountId") => text(aws::ACCOUNT.to_owned()),
            ("strToBool", _) => match parameters.unwrap_or(address) {
                "true" | "1" => text("true".to_owned()),
                "false" | "0" => text("false".to_owned()),
                other => Err(format!("'{other}' is neither true nor false")),
            },
            ("file", _) => {
                return self.file(reading, parameters.unwrap_or_default(), address, place);
            }
            ("git", _) => Err("what git knows is not asked for".to_owned()),
            (kind, _) => {
                let near = similar::to(kind, KNOWN);
                let hint = near.map(|near| format!(", '{near}' is one that is read"));
                let hint = hint.unwrap_or_default();
                Err(format!("the source '{kind}' exists only in the cloud or in plug-ins{hint}"))
            }
        };
        Ok(found)
    }

    /// Follows an address with dots into a node.
    fn walk(
        &mut self,
        reading: &mut Reading<'_>,
        node: &Rc<Node>,
        address: &str,
    ) -> Result<Option<Rc<Node>>, Fault> {
        let mut value = Rc::clone(node);
        for part in address.split('.').filter(|part| !part.is_empty()) {
            reading.spend(node.place, 64)?;
            let Some(table) = self.expand(reading, &value)? else { return Ok(None) };
            let item = || table.list()?.get(part.parse::<usize>().ok()?);
            let Some(next) = table.get(part).or_else(item) else { return Ok(None) };
            value = Rc::clone(next);
        }
        Ok(Some(value).filter(|value| !value.is_null()))
    }

    /// Returns a parameter: given, of the stage, or of all stages, as `params` and `stages` have them.
    fn parameter(
        &mut self,
        reading: &mut Reading<'_>,
        name: &str,
    ) -> Result<Option<Rc<Node>>, Fault> {
        let root = Rc::clone(&self.root);
        if let Some(given) = reading.inputs.parameters.get(name) {
            return Ok(Some(Node::scalar(root.place, given.clone())));
        }
        let stage = self.stage(reading)?;
        for stage in [stage.as_str(), "default"] {
            for address in [format!("params.{stage}"), format!("stages.{stage}.params")] {
                let Some(table) = self.walk(reading, &root, &address)? else { continue };
                if let Some(value) = self.get(reading, &table, name)? {
                    return Ok(Some(value));
                }
            }
        }
        Ok(None)
    }

    fn file(
        &mut self,
        reading: &mut Reading<'_>,
        path: &str,
        address: &str,
        place: Place,
    ) -> Result<Result<Option<Rc<Node>>, String>, Fault> {
        let path = path.trim();
        let programs = [".js", ".cjs", ".mjs", ".ts", ".cts", ".mts"];
        if programs.iter().any(|end| path.ends_with(end)) {
            return Ok(Err(format!("'{path}' is a program, which is not run")));
        }
        if !reading.path(path).is_file() {
            return Ok(Err(format!("there is no file '{path}'")));
        }
        let node = reading.node(path, place)?;
        match self.walk(reading, &node, address)? {
            Some(value) => Ok(Ok(Some(value))),
            None => Ok(Err(format!("'{path}' has no {address}"))),
        }
    }
}
