//! The function that a table of the file names: one of the folder by its name, or any by a handler string.

use super::document::{Entry, Fault, Placed};
use crate::{
    engines::Registry,
    handler::{Located, SearchPaths, locate},
    http::site::ServedFunction,
};
use trine_engine::{HANDLER_NAMES, Wanted, nearest};

/// The functions that are known so far, and where others are looked for.
pub(super) struct Functions<'a> {
    pub(super) all: &'a mut Vec<ServedFunction>,
    pub(super) search: &'a SearchPaths,
    pub(super) registry: &'a Registry,
}

impl Functions<'_> {
    /// Returns the function of a table's `function` or `handler`. One that only a handler string names is added. `line` is
    /// where it is told that there is neither.
    pub(super) fn of(
        &mut self,
        table: &str,
        line: usize,
        entry: &mut Entry,
        faults: &mut Vec<Fault>,
    ) -> Option<usize> {
        let found = match (entry.text("function"), entry.text("handler")) {
            (Some(Placed { value, line }), None) => {
                self.by_name(&value).map_err(|message| Fault { line, message })
            }
            (None, Some(Placed { value, line })) => {
                self.by_handler(&value).map_err(|message| Fault { line, message })
            }
            (Some(both), Some(_)) => {
                let message = format!("a {table} has either 'function' or 'handler'");
                Err(Fault { line: both.line, message })
            }
            (None, None) if entry.doubtful => return None,
            (None, None) => {
                let message = format!("the {table} has neither 'function' nor 'handler'");
                Err(Fault { line, message })
            }
        };
        found.map_err(|fault| faults.push(fault)).ok()
    }

    /// Returns a function by its name, or by the handler string of another table.
    pub(super) fn known(&self, name: &str) -> Result<usize, String> {
        self.by_name(name).or_else(|why| {
            let located = locate(name, self.search, self.registry).ok();
            located.and_then(|located| self.position(&located)).ok_or(why)
        })
    }

    fn by_name(&self, name: &str) -> Result<usize, String> {
        if let Some(index) = self.all.iter().position(|function| function.name == name) {
            return Ok(index);
        }
        let names: Vec<&str> = self.all.iter().map(|function| function.name.as_str()).collect();
        let mut why = match names.as_slice() {
            [] => format!("no function is named '{name}': the folder has none"),
            names => format!("no function is named '{name}': there are {}", names.join(", ")),
        };
        if let Some(near) = nearest(name, names) {
            why.push_str(&format!("; did you mean '{near}'?"));
        }
        Err(why)
    }

    fn by_handler(&mut self, text: &str) -> Result<usize, String> {
        let located = locate(text, self.search, self.registry);
        let located = located.map_err(|e| e.message().to_owned())?;
        if let Some(index) = self.position(&located) {
            return Ok(index);
        }
        self.all.push(ServedFunction::looked_at(text, located));
        Ok(self.all.len() - 1)
    }

    fn position(&self, located: &Located) -> Option<usize> {
        let same = |known: &ServedFunction| {
            known.located.module.path == located.module.path
                && (known.located.module.wanted == located.module.wanted
                    || usual(&located.module.wanted))
        };
        self.all.iter().position(same)
    }
}

/// Whether it is the default name of a function of the folder.
fn usual(wanted: &Wanted) -> bool {
    matches!(wanted, Wanted::Handler(name) if *name == HANDLER_NAMES[0])
}
