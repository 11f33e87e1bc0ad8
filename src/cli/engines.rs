//! `trine engines`: which languages this build runs, and what each can do.

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
    #[expect(clippy::print_stdout, reason = "printing is what this command does")]
    pub(super) fn run(self) -> ExitCode {
        let registry = Registry::built_in();
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
            println!("{:#}", json!(engines));
            return ExitCode::SUCCESS;
        }
        println!(
            "{:<8} {:<11} {:<24} {:<26} CAPABILITIES",
            "ENGINE", "LANGUAGE", "VERSION", "FILES"
        );
        for engine in registry.iter() {
            let info = engine.info();
            let files: Vec<String> =
                info.extensions.iter().map(|extension| format!(".{extension}")).collect();
            let able: Vec<&str> = info
                .capabilities
                .named()
                .into_iter()
                .filter_map(|(name, able)| able.then_some(name))
                .collect();
            println!(
                "{:<8} {:<11} {:<24} {:<26} {}",
                info.id,
                info.name,
                info.version,
                files.join(" "),
                able.join(", ")
            );
        }
        ExitCode::SUCCESS
    }
}
