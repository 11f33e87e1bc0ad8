//! `[[function]]`: the settings of single functions.

use super::{
    document::{Entry, Fault, Placed, Variables},
    keys::{ALLOW_ALL, Kind, PERMISSIONS},
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
use std::{path::Path, sync::Arc, time::Duration};
use trine_engine::{Interface, Permissions};

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
        let settings = Settings::take(&mut entry, faults);
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
    pub(super) permissions: Option<Placed<Arc<Permissions>>>,
    timeout: Option<Placed<Duration>>,
    middlewares: Option<Placed<Vec<Placed<String>>>>,
    concurrency: Option<Placed<u64>>,
    threads: Option<Placed<u64>>,
    event_format: Option<Placed<EventFormat>>,
    interface: Option<Placed<Interface>>,
    auth: Option<Placed<serde_json::Value>>,
}

impl Settings {
    fn take(entry: &mut Entry, faults: &mut Vec<Fault>) -> Self {
        Self {
            variables: entry.variables("env"),
            memory: entry.size("memory"),
            permissions: permissions(entry, faults),
            timeout: entry.time("timeout"),
            middlewares: entry.texts("middlewares"),
            concurrency: entry.count("concurrency"),
            threads: entry.count("threads"),
            event_format: entry.format("event-format"),
            interface: entry.interface("interface"),
            auth: entry.anything("auth"),
        }
    }

    /// Notes at a function what is its alone.
    fn note(self, function: &mut ServedFunction, folder: &Path, faults: &mut Vec<Fault>) {
        let info = function.located.engine.info();
        for Placed { value: (name, _), line } in self.variables.iter().flat_map(|all| &all.value) {
            if name.starts_with("TRINE_") && !info.settings.contains(&name.as_str()) {
                let message = format!(
                    "the variable '{name}' is a setting of the process's: set it where that is started"
                );
                faults.push(Fault { line: *line, message });
            }
        }
        if let Some(Placed { line, .. }) = self.memory
            && !info.capabilities.memory_limit
        {
            let message = format!(
                "'{}' is {}, whose interpreter has no limit of its own: limit the process with --memory",
                function.name, info.name
            );
            faults.push(Fault { line, message });
        }
        if let Some(Placed { value, line }) = &self.permissions
            && value.are_narrowed()
            && !info.capabilities.permissions
        {
            let message = format!(
                "'{}' is {}, which is not held to any permissions: leave them out, or narrow its process",
                function.name, info.name
            );
            faults.push(Fault { line: *line, message });
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
        if let Some(Placed { value, line }) = self.interface
            && let Err(error) = function.located.set_interface(value)
        {
            faults
                .push(Fault { line, message: format!("'{}': {}", function.name, error.message()) });
        }
        function.timeout = self.timeout.map(|timeout| timeout.value);
        function.concurrency = self.concurrency.and_then(|count| usize::try_from(count.value).ok());
        function.event_format = self.event_format.map(|format| format.value);
    }
}

/// Takes what a function may do, if anything is said of it; the line is that of the first key.
fn permissions(entry: &mut Entry, faults: &mut Vec<Fault>) -> Option<Placed<Arc<Permissions>>> {
    let mut permissions = Permissions::default();
    let mut lines = Vec::new();
    if let Some(Placed { value, line }) = entry.flag(ALLOW_ALL.name) {
        lines.push(line);
        if value {
            permissions.allow_all();
        }
    }
    for (allowed, denied) in PERMISSIONS {
        let Kind::Extent(access) = allowed.kind else { continue };
        let mut say = |key: &str, is_denied: bool| {
            let Some(Placed { value, line }) = entry.extent(key) else { return };
            lines.push(line);
            let said = match is_denied {
                false => permissions.allow(access, value),
                true => permissions.deny(access, value),
            };
            if let Err(why) = said {
                faults.push(Fault { line, message: format!("{key}: {why}") });
            }
        };
        say(allowed.name, false);
        say(denied.name, true);
    }
    let line = lines.into_iter().min()?;
    Some(Placed { value: Arc::new(permissions), line })
}
