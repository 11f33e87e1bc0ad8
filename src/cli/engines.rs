//! `trine engines`: the languages that this build runs, and the capabilities of each.

use super::{print, version::facts};
use crate::engines::Registry;
use clap::Args;
use serde_json::json;
use std::process::ExitCode;
use trine_engine::{EngineInfo, Interface};

/// List the languages of this build: versions, file extensions, the ways in which handlers are called, capabilities.
#[derive(Debug, Args)]
pub(super) struct Engines {
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// Add what else is known of each: the version of Node.js that functions see, Lambda's runtime that it takes the place of,
    /// the folder of Python's library
    #[arg(long, short)]
    verbose: bool,
}

impl Engines {
    pub(super) fn run(self, registry: &Registry) -> ExitCode {
        if self.json {
            let engines: Vec<_> = registry
                .iter()
                .map(|engine| {
                    let info = engine.info();
                    let capabilities: serde_json::Map<_, _> = info
                        .capabilities
                        .named()
                        .into_iter()
                        .map(|(name, able)| (name.to_owned(), able.into()))
                        .collect();
                    let details: serde_json::Map<_, _> = engine
                        .details()
                        .into_iter()
                        .map(|(name, value)| (name.to_owned(), value.into()))
                        .collect();
                    json!({
                        "id": info.id,
                        "name": info.name,
                        "version": info.version,
                        "managedRuntime": info.managed_runtime,
                        "details": details,
                        "extensions": info.extensions,
                        "interfaces": interfaces(info),
                        "capabilities": capabilities,
                    })
                })
                .collect();
            print(format_args!("{:#}", json!(engines)));
            return ExitCode::SUCCESS;
        }
        let head = ["ENGINE", "LANGUAGE", "VERSION", "FILES", "INTERFACES", "CAPABILITIES"];
        let head = head.map(str::to_owned);
        let mut rows = vec![head];
        for engine in registry.iter() {
            let info = engine.info();
            let files: Vec<String> =
                info.extensions.iter().map(|extension| format!(".{extension}")).collect();
            let able = info.capabilities.named().into_iter();
            let able: Vec<&str> = able.filter_map(|(name, able)| able.then_some(name)).collect();
            rows.push([
                info.id.to_owned(),
                info.name.to_owned(),
                info.version.clone(),
                files.join(" "),
                interfaces(info).join(" "),
                able.join(", "),
            ]);
        }
        let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
        let widths: Vec<usize> = (0..5).map(|column| width(column).unwrap_or(0)).collect();
        for row in &rows {
            let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
            let line = format!("{}  {}", cells.collect::<Vec<_>>().join("  "), row[5]);
            print(line.trim_end());
        }
        for engine in registry.iter().filter(|_| self.verbose) {
            let facts = facts(engine.as_ref());
            if !facts.is_empty() {
                print(format_args!("\n{}", engine.info().name));
            }
            for (name, value) in facts {
                print(format_args!("  {name}: {value}"));
            }
        }
        ExitCode::SUCCESS
    }
}

/// Returns the interfaces by which handlers of a language are called.
fn interfaces(info: &EngineInfo) -> Vec<&'static str> {
    [Interface::Event].iter().chain(info.interfaces).map(|interface| interface.name()).collect()
}
