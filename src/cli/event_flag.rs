//! `--event`: JSON text, a file, standard input, or the name of a sample event.

use crate::{
    event_text::{check, event_of},
    sample_events::named,
};
use anyhow::Context;
use bytes::Bytes;
use std::{
    fs,
    io::{Read, stdin},
    path::Path,
};

/// What stands before the name of a sample event.
const SAMPLE: char = '@';

/// The reason why there is no event.
pub(super) enum Unread {
    /// The flag makes no sense, or names what cannot be read.
    Flag(anyhow::Error),
    /// It is no JSON: where and why, and the line with a mark.
    NoJson { told: String, shown: String },
}

impl From<anyhow::Error> for Unread {
    fn from(error: anyhow::Error) -> Self {
        Self::Flag(error)
    }
}

/// Reads the event that `--event` names. What looks like JSON is JSON, what begins with `@` names a sample event, and
/// anything else is a file; a file of that very name comes first.
pub(super) fn read_event(argument: &str) -> Result<Bytes, Unread> {
    if argument == "-" {
        let mut event = Vec::new();
        stdin()
            .lock()
            .read_to_end(&mut event)
            .context("cannot read the event from standard input")?;
        return checked("the event on standard input", event_of(event));
    }
    let text = argument.trim_start();
    if text.is_empty() {
        return Err(Unread::Flag(anyhow::anyhow!(
            "the event is empty: write JSON such as '{{\"name\": \"you\"}}', the name of a file, or - for standard input"
        )));
    }
    let is_file = || Path::new(argument).is_file();
    if let Some(name) = argument.strip_prefix(SAMPLE)
        && !is_file()
    {
        let event = named(name).map_err(|told| unnamed(name, told))?;
        return Ok(event.to_string().into());
    }
    let looks_like_json =
        text.starts_with(|c: char| matches!(c, '{' | '[' | '"' | '-') || c.is_ascii_digit());
    // A name such as `2026.json` begins like a number.
    let is_word = ["true", "false", "null"].contains(&text.trim_end());
    if is_word || looks_like_json && !is_file() {
        return checked("the event", Bytes::from(argument.to_owned()));
    }
    // A number is one, whatever files there are.
    if looks_like_json && check(text.as_bytes()).is_ok() {
        return Ok(Bytes::from(argument.to_owned()));
    }
    let read = fs::read(argument).with_context(|| {
        format!("the event {argument:?} is neither JSON nor a file that can be read")
    })?;
    checked(argument, event_of(read))
}

/// Returns what is told of a name that no sample event has.
fn unnamed(name: &str, told: String) -> anyhow::Error {
    // As other programs have it.
    if Path::new(name).is_file() {
        return anyhow::anyhow!("{told}; a file is named without {SAMPLE}: --event {name}");
    }
    match name {
        "" => anyhow::anyhow!("which event? 'trine event list' shows them all: {SAMPLE}s3 is one"),
        _ => anyhow::anyhow!(told),
    }
}

fn checked(what: &str, event: Bytes) -> Result<Bytes, Unread> {
    match check(&event) {
        Ok(()) => Ok(event),
        Err(fault) => Err(Unread::NoJson { told: fault.told(what), shown: fault.shown() }),
    }
}
