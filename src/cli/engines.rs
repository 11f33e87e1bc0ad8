//! `trine engines`: the languages that this build runs, and the capabilities of each.

use super::print;
use crate::engines::Registry;
use clap::Args;
use serde_json::json;
use std::process::ExitCode;

/// List the languages of this build: versions, file extensions, capabilities.
#[derive(Debug, Args)]
pub(super) struct Engines {
    /// Print JSON.
    #[arg(long)]
    json: bool,
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
                    json!({
                        "id": info.id,
                        "name": info.name,
                        "version": info.version,
                        "extensions": info.extensions,
                        "capabilities": capabilities,
                    })
                })
                .collect();
            print(format_args!("{:#}", json!(engines)));
            return ExitCode::SUCCESS;
        }
        let head = ["ENGINE", "LANGUAGE", "VERSION", "FILES", "CAPABILITIES"].map(str::to_owned);
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
                able.join(", "),
            ]);
        }
        let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
        let widths: Vec<usize> = (0..4).map(|column| width(column).unwrap_or(0)).collect();
        for row in &rows {
            let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
            print(format_args!("{}  {}", cells.collect::<Vec<_>>().join("  "), row[4]));
        }
        ExitCode::SUCCESS
    }
}
