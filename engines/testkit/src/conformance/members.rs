//! Reading a JSON object member by member, so that a misspelt one is an error instead of being ignored.

use serde_json::{Map, Value};
use std::time::Duration;

/// The members of an object that have not been read yet.
pub(super) struct Members {
    place: String,
    left: Map<String, Value>,
}

impl Members {
    /// Takes the members of `value`, which must be an object. `place` names it in messages.
    pub(super) fn of(place: impl Into<String>, value: Value) -> Result<Self, String> {
        let place = place.into();
        match value {
            Value::Object(left) => Ok(Self { place, left }),
            other => Err(format!("{place} must be an object, not {other}")),
        }
    }

    /// Takes a member's value, if it is there.
    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        self.left.shift_remove(name)
    }

    /// Takes a member's value, if it is there and not `null`.
    pub(super) fn take_some(&mut self, name: &str) -> Option<Value> {
        self.take(name).filter(|value| !value.is_null())
    }

    pub(super) fn text(&mut self, name: &str) -> Result<Option<String>, String> {
        match self.take_some(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(self.wrong(name, "a text", &other)),
        }
    }

    pub(super) fn texts(&mut self, name: &str) -> Result<Vec<String>, String> {
        let Some(value) = self.take_some(name) else { return Ok(Vec::new()) };
        let texts = value.as_array().and_then(|items| {
            items.iter().map(|item| item.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>()
        });
        texts.ok_or_else(|| self.wrong(name, "a list of texts", &value))
    }

    pub(super) fn flag(&mut self, name: &str) -> Result<bool, String> {
        match self.take_some(name) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(flag),
            Some(other) => Err(self.wrong(name, "true or false", &other)),
        }
    }

    pub(super) fn number(&mut self, name: &str) -> Result<Option<u64>, String> {
        match self.take_some(name) {
            None => Ok(None),
            Some(value) => value
                .as_u64()
                .map(Some)
                .ok_or_else(|| self.wrong(name, "a number without sign or fraction", &value)),
        }
    }

    pub(super) fn milliseconds(&mut self, name: &str) -> Result<Option<Duration>, String> {
        Ok(self.number(name)?.map(Duration::from_millis))
    }

    /// Takes an object whose values are texts.
    pub(super) fn text_map(&mut self, name: &str) -> Result<Vec<(String, String)>, String> {
        let Some(value) = self.take_some(name) else { return Ok(Vec::new()) };
        let texts = value.as_object().and_then(|members| {
            let pair = |(key, text): (&String, &Value)| Some((key.clone(), text.as_str()?.into()));
            members.iter().map(pair).collect::<Option<Vec<(String, String)>>>()
        });
        texts.ok_or_else(|| self.wrong(name, "an object of texts", &value))
    }

    /// Fails when there is a member that has not been read.
    pub(super) fn finish(self) -> Result<(), String> {
        match self.left.keys().next() {
            None => Ok(()),
            Some(name) => Err(format!("{} has no member {name:?}", self.place)),
        }
    }

    fn wrong(&self, name: &str, wanted: &str, found: &Value) -> String {
        format!("{name:?} of {} must be {wanted}, not {found}", self.place)
    }
}
