//! Environment variables of a function, put together from several tables.

use crate::{
    error::Fault,
    node::{Entry, Node},
    reading::Reading,
};
use std::collections::HashMap;

/// The longest value that a process can be given on Linux.
const LONGEST: usize = 128 * 1024 - 1;

/// Variables in the order in which they were first set.
#[derive(Default)]
pub(crate) struct Variables {
    list: Vec<(String, String)>,
    index: HashMap<String, usize>,
}

impl Variables {
    /// Sets a variable to what a file has for it, or notes why that cannot be.
    pub(crate) fn set(
        &mut self,
        reading: &mut Reading<'_>,
        function: &str,
        entry: &Entry,
        value: &Node,
    ) -> Result<(), Fault> {
        let name = &entry.key;
        let what = || format!("the variable {name} of {function}");
        let Some(text) = value.variable() else {
            let why =
                format!("its value is {}, and has to be a text: it is left out", value.kind());
            reading.note(entry.place, what(), why);
            return Ok(());
        };
        reading.spend(entry.place, text.len() + name.len())?;
        if text.contains("{{resolve:") {
            let why = "what it resolves exists only in the cloud: the text stands as it is";
            reading.note(entry.place, what(), why);
        }
        if name.is_empty()
            || name.contains(['=', '\0'])
            || text.contains('\0')
            || text.len() > LONGEST
        {
            let why = "no process can be given such a variable: it is left out";
            reading.note(entry.place, what(), why);
            return Ok(());
        }
        self.put(name, text);
        Ok(())
    }

    /// Sets a variable.
    pub(crate) fn put(&mut self, name: &str, text: String) {
        match self.index.get(name) {
            Some(at) => self.list[*at].1 = text,
            None => {
                self.index.insert(name.to_owned(), self.list.len());
                self.list.push((name.to_owned(), text));
            }
        }
    }

    /// Returns all of them.
    pub(crate) fn into_list(self) -> Vec<(String, String)> {
        self.list
    }
}
