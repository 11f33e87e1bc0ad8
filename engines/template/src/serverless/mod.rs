//! The Serverless Framework's file, for AWS and for Scaleway.

mod dotenv;
mod events;
mod expander;
mod function;
mod scaleway;
mod sources;
mod written;

use crate::{
    aws::Resolver,
    error::Fault,
    node::{Entry, Map, Node},
    project::Function,
    reading::Reading,
    routes::{Address, serve_addresses},
};
use expander::Expander;
use std::rc::Rc;

/// A file whose sections have been found.
struct Service {
    expander: Expander,
    provider: Option<Rc<Node>>,
    root: Rc<Node>,
    /// What stands for resources in the cloud.
    resolver: Resolver,
}

/// Reads a file.
pub(crate) fn read(reading: &mut Reading<'_>, root: &Rc<Node>) -> Result<Vec<Function>, Fault> {
    let mut expander = Expander::new(reading, root)?;
    let provider = expander.get(reading, root, "provider")?;
    let name = match &provider {
        Some(provider) if provider.text().is_some() => provider.text().map(str::to_owned),
        Some(provider) => expander.text(reading, provider, "name")?,
        None => None,
    };
    let name = name.unwrap_or_else(|| "aws".to_owned());
    let region = expander.region(reading)?;
    let stack = expander.service(reading)?;
    let resolver = Resolver { is_open: true, stack, region, ..Resolver::default() };
    let mut service = Service { expander, provider, root: Rc::clone(root), resolver };
    if !matches!(name.as_str(), "aws" | "scaleway") {
        let place = root.get("provider").map_or(root.place, |provider| provider.place);
        let why = "its events are not understood: functions are read without their routes";
        reading.note(place, format!("the provider {name}"), why);
    }
    let entries = service.functions(reading)?;
    if entries.is_empty() {
        let place =
            root.map().and_then(|map| map.entry("functions")).map_or(root.place, |e| e.place);
        reading.note(place, "functions", "the file declares none");
    }
    let (mut functions, mut addresses) = (Vec::new(), Vec::new());
    for entry in entries {
        let read = match name.as_str() {
            "scaleway" => scaleway::read(reading, &mut service, &entry)?,
            "aws" => function::read(reading, &mut service, &entry, true)?,
            _ => function::read(reading, &mut service, &entry, false)?,
        };
        let Some(read) = read else { continue };
        if let Some((format, line)) = read.address {
            addresses.push(Address { function: functions.len(), format, line });
        }
        functions.push(read.function);
    }
    if name == "aws" {
        events::note_provider(reading, &mut service)?;
    } else if name == "scaleway" {
        scaleway::note_rest(reading, &mut service)?;
    }
    serve_addresses(&mut functions, &addresses);
    Ok(functions)
}

impl Service {
    /// Returns the entries of `functions`, which is a table or a list of tables, each from a file perhaps.
    fn functions(&mut self, reading: &mut Reading<'_>) -> Result<Vec<Entry>, Fault> {
        let root = Rc::clone(&self.root);
        let Some(section) = self.expander.get(reading, &root, "functions")? else {
            return Ok(Vec::new());
        };
        if section.is_null() {
            return Ok(Vec::new());
        }
        let one = std::slice::from_ref(&section);
        let mut entries: Vec<Entry> = Vec::new();
        for table in section.list().unwrap_or(one) {
            let Some(table) = self.expander.expand(reading, table)? else { continue };
            let Some(map) = table.map() else {
                let message = format!("functions is a table, and this is {}", table.kind());
                return Err(Fault::at(table.place, message));
            };
            entries.extend(map.entries().iter().cloned());
        }
        Ok(entries)
    }

    /// Returns a key of the provider's.
    fn of_provider(
        &mut self,
        reading: &mut Reading<'_>,
        key: &str,
    ) -> Result<Option<Rc<Node>>, Fault> {
        let Some(provider) = self.provider.clone() else { return Ok(None) };
        self.expander.get(reading, &provider, key)
    }

    /// Returns a key of a function's, else the provider's.
    fn of_either(
        &mut self,
        reading: &mut Reading<'_>,
        function: &Rc<Node>,
        key: &str,
    ) -> Result<Option<Rc<Node>>, Fault> {
        match self.expander.get(reading, function, key)? {
            Some(value) if !value.is_null() => Ok(Some(value)),
            _ => self.of_provider(reading, key),
        }
    }

    /// Puts tables of variables together, of which later ones win.
    fn environment(
        &mut self,
        reading: &mut Reading<'_>,
        function: &str,
        tables: &[Option<Rc<Node>>],
    ) -> Result<Vec<(String, String)>, Fault> {
        let mut all = crate::variables::Variables::default();
        for table in tables.iter().flatten() {
            for entry in table.map().map(Map::entries).unwrap_or_default() {
                let Some(value) = self.expander.deep(reading, &entry.value)? else { continue };
                // The framework's own way to leave a variable out.
                if value.is_null() {
                    continue;
                }
                if let Some(value) = self.resolver.resolve(reading, &value)? {
                    all.set(reading, function, entry, &value)?;
                }
            }
        }
        Ok(all.into_list())
    }
}
