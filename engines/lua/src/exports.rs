//! The exports of a module that has run.

use mlua::{Table, Value};
use std::collections::BTreeMap;
use trine_engine::HANDLER_NAMES;

/// A module that has run.
pub(crate) struct Loaded {
    /// The value that its file returned.
    pub(crate) value: Value,
    /// The globals that it has set.
    pub(crate) globals: BTreeMap<String, Value>,
}

impl Loaded {
    /// Returns the value of `name` in the module's table, or else among the globals that it has set. A module that is
    /// itself a function is its own handler, whatever the name. So is a callable table, unless another function in it
    /// may have been meant.
    pub(crate) fn lookup(&self, name: &str, handler: bool) -> Value {
        let named = match &self.value {
            Value::Table(table) if !name.is_empty() => walk(table, name),
            _ => Value::Nil,
        };
        let named = if named.is_nil() { self.global(name) } else { named };
        if !named.is_nil() || !handler || !callable(&self.value) {
            return named;
        }
        let is_meant = match &self.value {
            Value::Table(_) => {
                name.is_empty() || name == HANDLER_NAMES[0] || self.functions().is_empty()
            }
            _ => true,
        };
        if is_meant { self.value.clone() } else { Value::Nil }
    }

    fn global(&self, name: &str) -> Value {
        let Some((first, rest)) = name.split_once('.') else {
            return self.globals.get(name).cloned().unwrap_or(Value::Nil);
        };
        match self.globals.get(first) {
            Some(Value::Table(table)) => walk(table, rest),
            _ => Value::Nil,
        }
    }

    /// Returns the names of the functions that a handler string could mean.
    pub(crate) fn functions(&self) -> Vec<String> {
        let mut names: Vec<_> = self
            .globals
            .iter()
            .filter(|(_, value)| callable(value))
            .map(|(name, _)| name.clone())
            .collect();
        if let Value::Table(table) = &self.value {
            let pairs = table.pairs::<Value, Value>().flatten();
            names.extend(pairs.filter_map(|(name, value)| match name {
                Value::String(name) if callable(&value) => Some(name.to_string_lossy()),
                _ => None,
            }));
        }
        names.sort();
        names.dedup();
        names
    }

    /// Returns the names of functions in tables that the module's table holds: `api.get`.
    pub(crate) fn inner_functions(&self) -> Vec<String> {
        let Value::Table(table) = &self.value else { return Vec::new() };
        let mut names = Vec::new();
        for (outer, value) in table.pairs::<Value, Value>().flatten() {
            let (Value::String(outer), Value::Table(inner)) = (outer, value) else { continue };
            for (name, value) in inner.pairs::<Value, Value>().flatten() {
                if let Value::String(name) = name
                    && callable(&value)
                {
                    names.push(format!("{}.{}", outer.to_string_lossy(), name.to_string_lossy()));
                }
            }
        }
        names.sort();
        names
    }
}

/// Returns the value of a dotted name.
fn walk(table: &Table, name: &str) -> Value {
    if let Ok(value) = table.get::<Value>(name)
        && !value.is_nil()
    {
        return value;
    }
    let Some((first, rest)) = name.split_once('.') else { return Value::Nil };
    match table.get::<Value>(first) {
        Ok(Value::Table(inner)) => walk(&inner, rest),
        _ => Value::Nil,
    }
}

pub(crate) fn callable(value: &Value) -> bool {
    match value {
        Value::Function(_) => true,
        Value::Table(table) => {
            table.metatable().is_some_and(|meta| meta.contains_key("__call").unwrap_or(false))
        }
        _ => false,
    }
}

/// Returns a value's type with its article.
pub(crate) fn kind_of(value: &Value) -> String {
    let kind = match value {
        Value::Nil => return "nil".to_owned(),
        Value::LightUserData(_) if value.is_null() => return "null".to_owned(),
        value => value.type_name(),
    };
    let article = if kind.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {kind}")
}
