//! `trine settings`: every environment variable and flag, what it is for, and what is set.

use super::{definition, print};
use crate::{
    config::{KnownVariable, Settings, VARIABLES, is_secret},
    engines::Registry,
};
use clap::{Arg, Args, Command, builder::StyledStr};
use serde_json::{Value, json};
use std::{env, process::ExitCode};

/// List every environment variable and flag: what it is for, its default, what is set.
///
/// Values of variables that look like secrets are not shown. Flags go before variables.
#[derive(Debug, Args)]
pub(super) struct SettingsPage {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What is set for a variable.
enum Present {
    Nothing,
    Value(String),
    /// Something that is not shown.
    Hidden,
}

/// A variable as it is listed.
struct Row {
    known: KnownVariable,
    present: Present,
    /// What is wrong with its value.
    problem: Option<String>,
}

/// A flag or an argument as it is listed.
struct Flag {
    name: String,
    default: String,
    what: String,
}

impl SettingsPage {
    pub(super) fn run(self, registry: &Registry) -> ExitCode {
        let groups = groups(registry);
        let definition = definition();
        let commands: Vec<(&str, Vec<Flag>)> = definition
            .get_subcommands()
            .map(|command| (command.get_name(), flags(command)))
            .filter(|(_, flags)| !flags.is_empty())
            .collect();
        match self.json {
            true => print_json(&groups, &commands),
            false => print_page(&groups, &commands),
        }
        ExitCode::SUCCESS
    }
}

/// Returns the variables of the product, then those of its languages.
fn groups(registry: &Registry) -> Vec<(String, Vec<Row>)> {
    let (_, wrong) = Settings::sensible(|name| env::var(name).ok());
    let row = |known: KnownVariable| Row {
        present: present(known.name),
        problem: wrong
            .iter()
            .find(|error| error.name() == known.name)
            .map(|error| error.reason().to_owned()),
        known,
    };
    let own = VARIABLES
        .iter()
        .map(|group| (group.title.to_owned(), group.variables.iter().copied().map(row).collect()));
    let languages = registry.iter().filter_map(|engine| {
        let rows: Vec<Row> = engine
            .variables()
            .iter()
            .map(|known| {
                row(KnownVariable {
                    name: known.name,
                    default: known.default,
                    place: "wherever functions run",
                    what: known.what,
                })
            })
            .collect();
        (!rows.is_empty()).then(|| (engine.info().name.to_owned(), rows))
    });
    own.chain(languages).collect()
}

fn present(name: &str) -> Present {
    match env::var_os(name).map(|value| value.to_string_lossy().into_owned()) {
        None => Present::Nothing,
        Some(value) if value.is_empty() => Present::Nothing,
        Some(value) if is_secret(name, &value) => Present::Hidden,
        Some(value) => Present::Value(value),
    }
}

/// Returns the flags and arguments of a command.
fn flags(command: &Command) -> Vec<Flag> {
    let own =
        command.get_arguments().filter(|arg| !["help", "version"].contains(&arg.get_id().as_str()));
    own.map(flag).collect()
}

fn flag(arg: &Arg) -> Flag {
    let names = arg
        .get_value_names()
        .map(|names| names.iter().map(ToString::to_string).collect::<Vec<_>>());
    // What stands on its own takes no value.
    let takes_value = arg.get_action().takes_values();
    let value = names.filter(|_| takes_value).map(|names| names.join(" "));
    let value = value.or_else(|| takes_value.then(|| arg.get_id().as_str().to_uppercase()));
    let long = arg.get_long().map(|long| format!("--{long}"));
    let name = match (arg.get_short(), long) {
        (Some(short), Some(long)) => format!("{long}, -{short}"),
        (None, Some(long)) => long,
        (Some(short), None) => format!("-{short}"),
        (None, None) => {
            let word = value.unwrap_or_default();
            let name = match arg.is_required_set() {
                true => format!("<{word}>"),
                false => format!("[{word}]"),
            };
            return Flag { name, ..described(arg) };
        }
    };
    let name = value.map_or(name.clone(), |value| format!("{name} {value}"));
    Flag { name, ..described(arg) }
}

/// Returns what the help tells of a flag, the default taken out of its text.
fn described(arg: &Arg) -> Flag {
    let text = arg.get_help().map(StyledStr::to_string).unwrap_or_default();
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let (what, said) = match text.split_once(" [default: ") {
        Some((what, rest)) => {
            (what.to_owned(), rest.split(']').next().unwrap_or_default().to_owned())
        }
        None => (text, String::new()),
    };
    let values: Vec<_> =
        arg.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
    let default = match values.is_empty() || !arg.get_action().takes_values() {
        true => said,
        false => values.join(","),
    };
    Flag { name: String::new(), default, what: what.trim_end_matches('.').to_owned() }
}

fn print_json(groups: &[(String, Vec<Row>)], commands: &[(&str, Vec<Flag>)]) {
    let variables: Vec<Value> = groups
        .iter()
        .flat_map(|(title, rows)| rows.iter().map(move |row| (title, row)))
        .map(|(title, Row { known, present, problem })| {
            let (value, origin) = match present {
                Present::Nothing => (None, "default"),
                Present::Value(value) => (Some(value), "environment"),
                Present::Hidden => (None, "environment"),
            };
            json!({
                "name": known.name,
                "group": title,
                "default": Some(known.default).filter(|default| !default.is_empty()),
                "for": known.place,
                "what": known.what,
                "origin": origin,
                "value": value,
                "hidden": matches!(present, Present::Hidden),
                "problem": problem,
            })
        })
        .collect();
    let flags: Vec<Value> = commands
        .iter()
        .flat_map(|(command, flags)| flags.iter().map(move |flag| (command, flag)))
        .map(|(command, Flag { name, default, what })| {
            json!({
                "command": command,
                "name": name,
                "default": Some(default).filter(|default| !default.is_empty()),
                "what": what,
            })
        })
        .collect();
    print(format_args!("{:#}", json!({ "variables": variables, "flags": flags })));
}

fn print_page(groups: &[(String, Vec<Row>)], commands: &[(&str, Vec<Flag>)]) {
    let rows = || groups.iter().flat_map(|(_, rows)| rows);
    let set: Vec<&Row> = rows().filter(|row| !matches!(row.present, Present::Nothing)).collect();
    print("Set at present:");
    for Row { known, present, problem } in &set {
        let value = match present {
            Present::Value(value) => format!("{value:?}"),
            _ => "(not shown)".to_owned(),
        };
        let problem = problem.as_ref().map(|why| format!(", which makes no sense: {why}"));
        print(format_args!(
            "  {} = {value} (environment){}",
            known.name,
            problem.unwrap_or_default()
        ));
    }
    if set.is_empty() {
        print("  nothing: all is as by default");
    }
    for (title, rows) in groups {
        print(format_args!("\nVariables: {title}"));
        for Row { known, .. } in rows {
            let default = match known.default {
                "" => String::new(),
                default => format!(" [default: {default}]"),
            };
            print(format_args!("  {}\n      {}{default}; {}", known.name, known.what, known.place));
        }
    }
    for (command, flags) in commands {
        print(format_args!("\nFlags: trine {command}"));
        for Flag { name, default, what } in flags {
            let default = match default.as_str() {
                "" => String::new(),
                default => format!(" [default: {default}]"),
            };
            print(format_args!("  {name}\n      {what}{default}"));
        }
    }
}
