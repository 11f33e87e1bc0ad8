//! What functions share because they run in one interpreter: environment variables, a limit of memory, permissions.
//!
//! An interpreter's guests see one environment. Which functions share one depends on their language: where every function
//! has an instance of its own (JavaScript), those of the same file do; elsewhere (Python, Lua) those of the same root
//! folder do, whose globals are apart from others'. What one of them sets, all of them see; two that want different values
//! for one variable, different limits or different permissions, are refused.

use super::{document::Fault, functions::Settings};
use crate::http::site::ServedFunction;
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};
use trine_engine::Permissions;

/// The settings of one function that others see as well.
pub(super) struct Shared {
    function: usize,
    engine: &'static str,
    place: PathBuf,
    /// Variables with their lines.
    variables: Vec<(String, String, usize)>,
    /// The limit of memory, and its line.
    memory: Option<(u64, usize)>,
    /// The permissions, and the first line of them.
    permissions: Option<(Arc<Permissions>, usize)>,
}

impl Shared {
    /// Picks them out of a function's settings.
    pub(super) fn of(index: usize, function: &ServedFunction, settings: &Settings) -> Self {
        let variables = settings.variables.iter().flat_map(|variables| &variables.value);
        let variables = variables.map(|variable| {
            let (name, value) = variable.value.clone();
            (name, value, variable.line)
        });
        Self {
            function: index,
            engine: function.located.engine.info().id,
            place: function.place().to_owned(),
            variables: variables.collect(),
            memory: settings.memory.as_ref().map(|memory| (memory.value, memory.line)),
            permissions: settings
                .permissions
                .as_ref()
                .map(|permissions| (permissions.value.clone(), permissions.line)),
        }
    }

    fn is_with(&self, engine: &str, place: &Path) -> bool {
        self.engine == engine && self.place == place
    }
}

/// Gives each function what those that it shares an environment with have set, itself among them.
pub(super) fn spread(shared: &[Shared], functions: &mut [ServedFunction], faults: &mut Vec<Fault>) {
    for (at, later) in shared.iter().enumerate() {
        let earlier = shared[..at].iter().filter(|one| one.is_with(later.engine, &later.place));
        for one in earlier {
            faults.extend(conflicts(one, later, functions));
        }
    }
    for function in functions {
        let (engine, place) = (function.located.engine.info().id, function.place().to_owned());
        for one in shared.iter().filter(|one| one.is_with(engine, &place)) {
            for (name, value, _) in &one.variables {
                if !function.variables.iter().any(|(known, _)| known == name) {
                    function.variables.push((name.clone(), value.clone()));
                }
            }
            function.memory = function.memory.or(one.memory.map(|(limit, _)| limit));
            let permissions = one.permissions.as_ref().map(|(permissions, _)| permissions.clone());
            function.permissions = function.permissions.take().or(permissions);
        }
    }
}

/// Returns what two functions that share an environment want differently.
fn conflicts(one: &Shared, later: &Shared, functions: &[ServedFunction]) -> Vec<Fault> {
    let name = |shared: &Shared| functions[shared.function].name.as_str();
    let info = functions[later.function].located.engine.info();
    let (language, [first, second]) = (info.name, [one, later].map(name));
    let (which, way_out) = match info.instance_per_function {
        true => ("functions of one file", "put them into files of their own"),
        false => ("functions of one folder", "put them into folders of their own"),
    };
    let fault = |line, what: String, at: usize| {
        let message = format!(
            "'{second}' wants another {what} than '{first}' in line {at}, and {which} share an interpreter's \
             environment in {language}: use one value, or {way_out}"
        );
        Fault { line, message }
    };
    let mut faults = Vec::new();
    for (name, value, line) in &later.variables {
        let other = one.variables.iter().find(|(known, other, _)| known == name && other != value);
        if let Some((_, _, at)) = other {
            faults.push(fault(*line, format!("value of the variable '{name}'"), *at));
        }
    }
    if let (Some((a, at)), Some((b, line))) = (one.memory, later.memory)
        && a != b
    {
        faults.push(fault(line, "limit of memory".to_owned(), at));
    }
    if let (Some((a, at)), Some((b, line))) = (&one.permissions, &later.permissions)
        && a != b
    {
        faults.push(fault(*line, "set of permissions".to_owned(), *at));
    }
    faults
}
