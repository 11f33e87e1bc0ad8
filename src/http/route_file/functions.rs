//! `[[function]]`: the settings of single functions.

use super::{
    document::{Entry, Fault, Placed, Variables},
    lookup::Functions,
    sharing::{self, Shared},
};
use crate::{
    http::{
        Auth, EventFormat,
        site::{Asked, ServedFunction},
    },
    pipeline::{MiddlewareNames, Order},
};
use std::{path::Path, time::Duration};

/// Reads the settings, and notes them at the functions.
pub(super) fn read(
    entries: Vec<Entry>,
    folder: &Path,
    functions: &mut Functions<'_>,
    faults: &mut Vec<Fault>,
) {
    let mut known: Vec<(usize, usize)> = Vec::new();
    let mut shared: Vec<Shared> = Vec::new();
    for mut entry in entries {
        // Without one, that has been told.
        let name = entry.text("name");
        let settings = Settings::take(&mut entry);
        entry.end();
        let Some(Placed { value: name, line }) = name else { continue };
        let index = match functions.known(&name) {
            Ok(index) => index,
            Err(message) => {
                faults.push(Fault { line, message });
                continue;
            }
        };
        if let Some((_, first)) = known.iter().find(|(known, _)| *known == index) {
            let message = format!("the function '{name}' stands in line {first} already");
            faults.push(Fault { line, message });
            continue;
        }
        known.push((index, line));
        let function = &mut functions.all[index];
        shared.push(Shared::of(index, function, &settings));
        settings.note(function, folder, faults);
    }
    sharing::spread(&shared, functions.all, faults);
}

/// The settings of one function, as they stand in the file.
pub(super) struct Settings {
    pub(super) variables: Option<Placed<Variables>>,
    pub(super) memory: Option<Placed<u64>>,
    timeout: Option<Placed<Duration>>,
    middlewares: Option<Placed<Vec<Placed<String>>>>,
    concurrency: Option<Placed<u64>>,
    threads: Option<Placed<u64>>,
    event_format: Option<Placed<EventFormat>>,
    auth: Option<Placed<serde_json::Value>>,
}

impl Settings {
    fn take(entry: &mut Entry) -> Self {
        Self {
            variables: entry.variables("env"),
            memory: entry.size("memory"),
            timeout: entry.time("timeout"),
            middlewares: entry.texts("middlewares"),
            concurrency: entry.count("concurrency"),
            threads: entry.count("threads"),
            event_format: entry.format("event-format"),
            auth: entry.anything("auth"),
        }
    }

    /// Notes at a function what is its alone.
    fn note(self, function: &mut ServedFunction, folder: &Path, faults: &mut Vec<Fault>) {
        let info = function.located.engine.info();
        if let Some(Placed { line, .. }) = self.memory
            && !info.capabilities.memory_limit
        {
            let message = format!(
                "'{}' is {}, whose interpreter has no limit of its own: limit the process with --memory",
                function.name, info.name
            );
            faults.push(Fault { line, message });
        }
        if let Some(Placed { value, line }) = self.threads {
            if info.on_main_thread {
                function.threads = usize::try_from(value).ok();
            } else {
                let message = format!(
                    "'{}' is {}, which runs in every worker: threads are for languages that run on one thread",
                    function.name, info.name
                );
                faults.push(Fault { line, message });
            }
        }
        if let Some(Placed { value, line }) = self.middlewares {
            let names = value.into_iter().map(|name| name.value).collect();
            let names = MiddlewareNames { names, order: Order::Onion };
            function.asked = Some(Asked { names, line });
        }
        if let Some(Placed { value, line }) = self.auth {
            match Auth::read(&value, folder) {
                Ok(auth) => function.auth = auth,
                Err(message) => faults.push(Fault { line, message }),
            }
        }
        function.timeout = self.timeout.map(|timeout| timeout.value);
        function.concurrency = self.concurrency.and_then(|count| usize::try_from(count.value).ok());
        function.event_format = self.event_format.map(|format| format.value);
    }
}
