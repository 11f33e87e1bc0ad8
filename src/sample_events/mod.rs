//! Sample events: what AWS's services and others send to functions, made of options, the same each time. Contracts: the
//! shapes of events as the services document them, and "CloudEvents" 1.0.
//!
//! Every sample is a row of a table: name, options, and the builder that makes JSON of them.

mod buses;
mod conversation;
mod delivery;
mod edge;
mod fields;
mod form;
mod identity;
mod messages;
mod queues;
mod requests;
mod storage;
mod streams;
#[cfg(test)]
mod tests;

pub(crate) use fields::{Field, Kind};

use fields::Values;
use percent_encoding::percent_decode_str;
use serde_json::Value;
use trine_engine::nearest;

/// A kind of event that can be made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sample {
    /// Its name.
    pub(crate) name: &'static str,
    /// Other names that it answers to.
    pub(crate) aliases: &'static [&'static str],
    /// What sends it and when, in a few words.
    pub(crate) about: &'static str,
    /// Its options.
    pub(crate) fields: &'static [Field],
    build: Build,
}

type Build = fn(&Values) -> Result<Value, String>;

impl Sample {
    const fn new(
        name: &'static str,
        aliases: &'static [&'static str],
        about: &'static str,
        fields: &'static [Field],
        build: Build,
    ) -> Self {
        Self { name, aliases, about, fields, build }
    }

    /// Makes the event. `given` are the values of options by their names, without dashes; of an option that takes one the
    /// last counts.
    ///
    /// # Errors
    /// What is wrong with an option: unknown, with the nearest name, or of another form.
    pub(crate) fn make(&self, given: &[(String, String)]) -> Result<Value, String> {
        for (name, _) in given {
            self.field(name)?;
        }
        (self.build)(&Values::read(self.fields, given)?)
    }

    /// Returns the option of this name.
    ///
    /// # Errors
    /// When there is none, with the nearest name.
    pub(crate) fn field(&self, name: &str) -> Result<&'static Field, String> {
        if let Some(field) = self.fields.iter().find(|field| field.name == name) {
            return Ok(field);
        }
        let names = || self.fields.iter().map(|field| field.name);
        let meant = match nearest(name, names()) {
            Some(nearest) => format!("did you mean --{nearest}? "),
            None => String::new(),
        };
        let all: Vec<String> = names().map(|name| format!("--{name}")).collect();
        let sample = self.name;
        Err(format!(
            "the event '{sample}' has no option --{name}: {meant}It has {}",
            all.join(", ")
        ))
    }
}

/// Returns all samples, in the order in which they are listed.
pub(crate) fn samples() -> impl Iterator<Item = &'static Sample> {
    [
        messages::SAMPLES,
        storage::SAMPLES,
        queues::SAMPLES,
        streams::SAMPLES,
        buses::SAMPLES,
        requests::SAMPLES,
        edge::SAMPLES,
        identity::SAMPLES,
        conversation::SAMPLES,
        delivery::SAMPLES,
    ]
    .into_iter()
    .flatten()
}

/// Finds the sample of this name.
///
/// # Errors
/// When there is none, with the nearest name.
pub(crate) fn sample(name: &str) -> Result<&'static Sample, String> {
    let is_named = |sample: &&Sample| sample.name == name || sample.aliases.contains(&name);
    if let Some(sample) = samples().find(is_named) {
        return Ok(sample);
    }
    let names = samples().flat_map(|sample| sample.aliases.iter().copied().chain([sample.name]));
    let meant = match nearest(name, names) {
        Some(nearest) => format!("did you mean '{nearest}'? "),
        None => String::new(),
    };
    Err(format!("there is no sample event '{name}': {meant}'trine event list' shows them all"))
}

/// Makes the event that a text names: `s3`, or with options `s3?bucket=b&key=a%20b.txt`.
///
/// # Errors
/// As [`sample`] and [`Sample::make`].
pub(crate) fn named(text: &str) -> Result<Value, String> {
    let (name, options) = text.split_once('?').unwrap_or((text, ""));
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let given = options.split('&').filter(|option| !option.is_empty()).map(|option| {
        let (name, value) = option.split_once('=').unwrap_or((option, ""));
        (decoded(name), decoded(value))
    });
    sample(name)?.make(&given.collect::<Vec<_>>())
}
