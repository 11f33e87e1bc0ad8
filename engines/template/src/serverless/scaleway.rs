//! Scaleway's functions, with their plug-in for the Serverless Framework.

use super::{
    Service,
    function::{Read, begin, common, finish},
};
use crate::{
    error::Fault,
    node::{Entry, Map},
    project::{EventForm, Trigger},
    reading::{Reading, line},
    runtimes,
};
use std::{rc::Rc, time::Duration};

/// Keys that matter for many instances of a function, and not for one server.
const NOT_NEEDED: [&str; 7] = [
    "minScale",
    "maxScale",
    "maxConcurrency",
    "sandbox",
    "httpOption",
    "custom_domains",
    "privateNetworkId",
];

/// Reads a function.
pub(super) fn read(
    reading: &mut Reading<'_>,
    service: &mut Service,
    entry: &Entry,
) -> Result<Option<Read>, Fault> {
    let Some(node) = begin(reading, service, entry)? else { return Ok(None) };
    let mut function = common(reading, service, entry, &node)?;
    let why = runtimes::not_served(function.runtime.as_deref(), &function.handler, None);
    finish(reading, entry, &mut function, why);
    let memory = service.of_either(reading, &node, "memoryLimit")?;
    function.memory_mb = memory.and_then(|memory| memory.text()?.trim().parse().ok());
    if let Some(time) = service.of_either(reading, &node, "timeout")? {
        let text = time.text().unwrap_or_default().trim();
        function.timeout = text.trim_end_matches('s').parse().ok().map(Duration::from_secs);
        if function.timeout.is_none() {
            let why = "this is no number of seconds: it is ignored";
            reading.note(time.place, format!("timeout: {text}"), why);
        }
    }
    let provider = service.of_provider(reading, "env")?;
    let mut tables = vec![provider, service.expander.get(reading, &node, "env")?];
    for owner in [service.provider.clone(), Some(Rc::clone(&node))].into_iter().flatten() {
        let Some(secrets) = service.expander.get(reading, &owner, "secret")? else { continue };
        for secret in secrets.map().map(Map::entries).unwrap_or_default() {
            let is_there = service.expander.expand(reading, &secret.value)?;
            if is_there.is_none_or(|value| value.is_null()) {
                let why = format!("it has no value: set {} in the environment", secret.key);
                reading.note(secret.place, format!("the secret {}", secret.key), why);
            }
        }
        tables.push(Some(secrets));
    }
    function.environment = service.environment(reading, &entry.key, &tables)?;
    let map = node.map().map(Map::entries).unwrap_or_default();
    let unneeded: Vec<&str> =
        map.iter().map(|entry| &*entry.key).filter(|key| NOT_NEEDED.contains(key)).collect();
    if !unneeded.is_empty() {
        let what = format!("{} of {}", unneeded.join(", "), entry.key);
        reading.note(entry.place, what, "one server serves all requests: it is not needed");
    }
    if let Some(privacy) = service.expander.get(reading, &node, "privacy")?
        && privacy.text() == Some("private")
    {
        let why = "tokens are asked for only where SCW_PUBLIC_KEY is set";
        reading.note(privacy.place, format!("privacy of {}", entry.key), why);
    }
    if let Some(events) = service.expander.get(reading, &node, "events")? {
        for event in events.list().unwrap_or_default() {
            for kind in event.map().map(Map::entries).unwrap_or_default() {
                let line = line(kind.place);
                function.triggers.push(Trigger { kind: kind.key.to_string(), line });
            }
        }
    }
    let address = Some((EventForm::Scaleway, line(entry.place)));
    Ok(Some(Read { function, address }))
}

/// Notes what is no function.
pub(super) fn note_rest(reading: &mut Reading<'_>, service: &mut Service) -> Result<(), Fault> {
    let containers = match service.root.get("custom") {
        Some(custom) => service.expander.get(reading, &Rc::clone(custom), "containers")?,
        None => None,
    };
    for container in
        containers.as_ref().and_then(|all| all.map()).map(Map::entries).unwrap_or_default()
    {
        let what = format!("the container {}", container.key);
        reading.note(container.place, what, "container images are not served");
    }
    Ok(())
}
