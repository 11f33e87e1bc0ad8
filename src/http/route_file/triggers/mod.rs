//! `[[trigger]]`: what invokes functions beside requests.

mod address;
mod mqtt;
mod nats;
mod sqs;

use super::{
    document::{Entry, Fault, Placed},
    lookup::Functions,
};
use crate::http::triggers::{
    Clock, Delivery, Login, NoSchedule, Schedule, Secret, Source, Trigger,
};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

/// Number of invocations at a time where nothing else is set.
const CONCURRENCY: usize = 5;
/// The number of attempts where nothing else is set.
const ATTEMPTS: u32 = 5;
/// The first pause between two attempts, and the longest, where nothing else is set.
const BACKOFF: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(300));

/// Reads the triggers. A function that one names and nobody has is added to the functions.
pub(super) fn read(
    entries: Vec<Entry>,
    folder: &Path,
    functions: &mut Functions<'_>,
    faults: &mut Vec<Fault>,
) -> Vec<Trigger> {
    let mut known: Vec<(Trigger, usize)> = Vec::new();
    for mut entry in entries {
        let function = functions.of("trigger", entry.line, &mut entry, faults);
        let (name, kind, line) = (entry.text("name"), entry.text("kind"), entry.line);
        // Without a kind, that has been told, and nobody can tell what the other keys are for.
        let Some(kind) = kind else { continue };
        let told = faults.len();
        let of_function = function.map(|index| functions.all[index].name.as_str());
        let place = Place { folder, trigger: name.as_ref(), function: of_function };
        let source = source(&kind, &mut entry, &place, faults);
        entry.end();
        let (Some(function), Some(source), true) = (function, source, faults.len() == told) else {
            continue;
        };
        let (name, line) = match name {
            Some(name) => (name.value, name.line),
            None => (functions.all[function].name.clone(), line),
        };
        if let Some((_, first)) = known.iter().find(|(other, _)| other.name == name) {
            let message = format!(
                "the trigger in line {first} is called '{name}' already: give this one another 'name'"
            );
            faults.push(Fault { line, message });
            continue;
        }
        known.push((Trigger { name, function, source }, line));
    }
    known.into_iter().map(|(trigger, _)| trigger).collect()
}

/// What a source may need to know of its trigger.
struct Place<'p> {
    folder: &'p Path,
    trigger: Option<&'p Placed<String>>,
    function: Option<&'p str>,
}

/// Reads the source of a trigger of this kind, and takes all of its keys. What is missing has been told.
fn source(
    kind: &Placed<String>,
    entry: &mut Entry,
    place: &Place<'_>,
    faults: &mut Vec<Fault>,
) -> Option<Source> {
    let mut missing = |feature: &str| {
        let message = format!(
            "kind = \"{feature}\": this build has no such triggers: it was made without the feature '{feature}'"
        );
        faults.push(Fault { line: kind.line, message });
    };
    match kind.value.as_str() {
        "cron" => cron(entry, faults),
        "sqs" => {
            if !cfg!(feature = "sqs") {
                missing("sqs");
            }
            sqs::read(entry, faults)
        }
        "mqtt" => {
            if !cfg!(feature = "mqtt") {
                missing("mqtt");
            }
            mqtt::read(entry, place, faults)
        }
        _ => {
            if !cfg!(feature = "nats") {
                missing("nats");
            }
            nats::read(entry, place, faults)
        }
    }
}

fn cron(entry: &mut Entry, faults: &mut Vec<Fault>) -> Option<Source> {
    let (cron, zone) = (entry.text("cron"), entry.text("timezone"));
    let input = entry.anything("input").map(|input| input.value);
    match schedule(&cron?, zone.as_ref()) {
        Ok(schedule) => Some(Source::Cron(Box::new(Clock { schedule, input }))),
        Err(fault) => {
            faults.push(fault);
            None
        }
    }
}

fn schedule(cron: &Placed<String>, zone: Option<&Placed<String>>) -> Result<Schedule, Fault> {
    let schedule = Schedule::parse(&cron.value, zone.map(|zone| zone.value.as_str()));
    schedule.map_err(|NoSchedule { of_zone, message }| {
        let at = zone.filter(|_| of_zone).unwrap_or(cron);
        Fault { line: at.line, message }
    })
}

/// Reads how messages are delivered. `has_end` says whether a message fails for good even if nobody says when.
fn delivery(entry: &mut Entry, has_end: bool, faults: &mut Vec<Fault>) -> Delivery {
    let concurrency = entry.count("max-concurrency").and_then(|n| usize::try_from(n.value).ok());
    let attempts = entry.count("max-attempts");
    let dead_letter = entry.text("dead-letter").map(|place| place.value);
    if let Some(attempts) = attempts.as_ref().filter(|_| !has_end && dead_letter.is_none()) {
        let message = "max-attempts: without a 'dead-letter' a message stays in the queue until the queue gives it up: \
                       name one, or leave it to the queue's own redrive policy";
        faults.push(Fault { line: attempts.line, message: message.to_owned() });
    }
    let attempts = attempts.and_then(|count| u32::try_from(count.value).ok());
    let backoff = entry.time("backoff").map_or(BACKOFF.0, |time| time.value);
    let longest = entry.time("longest-backoff");
    if let Some(longest) = longest.as_ref().filter(|longest| longest.value < backoff) {
        let message = "longest-backoff: it is shorter than the first pause, 'backoff'".to_owned();
        faults.push(Fault { line: longest.line, message });
    }
    Delivery {
        concurrency: concurrency.unwrap_or(CONCURRENCY),
        attempts: attempts.or((has_end || dead_letter.is_some()).then_some(ATTEMPTS)),
        backoff,
        longest_backoff: longest.map_or(BACKOFF.1.max(backoff), |longest| longest.value),
        dead_letter,
    }
}

/// Reads a user and a password, of which a URL may have told either.
fn login(entry: &mut Entry, place: &Place<'_>, of_url: Login, faults: &mut Vec<Fault>) -> Login {
    let user = entry.text("user").map(|user| user.value);
    let file = entry.text("password-file").and_then(|file| secret(&file, place, faults));
    let variable = entry.text("password-env").map(|name| Secret::Variable(name.value));
    let password = variable.or(file).or(of_url.password);
    Login { user: user.or(of_url.user), password }
}

/// Takes the path of a file, which is to be there.
fn file(
    entry: &mut Entry,
    key: &str,
    place: &Place<'_>,
    faults: &mut Vec<Fault>,
) -> Option<PathBuf> {
    let named = entry.text(key)?;
    let path = place.folder.join(&named.value);
    if !path.is_file() {
        let message = format!("{key} = {:?}: there is no such file", named.value);
        faults.push(Fault { line: named.line, message });
    }
    Some(path)
}

/// Returns the secret of a file, which is to be there.
fn secret(file: &Placed<String>, place: &Place<'_>, faults: &mut Vec<Fault>) -> Option<Secret> {
    let secret = Secret::File(place.folder.join(&file.value));
    match secret.read() {
        Ok(_) => Some(secret),
        Err(message) => {
            faults.push(Fault { line: file.line, message });
            None
        }
    }
}
