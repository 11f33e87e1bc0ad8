//! `trine version`: what this program is made of.

use super::print;
use crate::engines::Registry;
use clap::Args;
use std::{env::consts, process::ExitCode};
use trine_engine::Engine;

/// Print the version; -v adds languages, features and the machine that this build is for.
#[derive(Debug, Args)]
pub(super) struct Version {
    /// Add the languages with their versions, the features of this build, and the machine that it is for
    #[arg(long, short)]
    verbose: bool,
}

/// Features that a build may lack, besides languages.
const FEATURES: &[(&str, bool)] = &[
    ("cron", cfg!(feature = "cron")),
    ("mqtt", cfg!(feature = "mqtt")),
    ("nats", cfg!(feature = "nats")),
    ("otel", cfg!(feature = "otel")),
    ("sqs", cfg!(feature = "sqs")),
];

impl Version {
    pub(super) fn run(self, registry: &Registry) -> ExitCode {
        print(concat!("trine ", env!("CARGO_PKG_VERSION")));
        if self.verbose {
            for engine in registry.iter() {
                let info = engine.info();
                print(format_args!("{:11} {}", format!("{}:", info.id), info.version));
                facts(engine.as_ref()).iter().for_each(|(name, value)| {
                    print(format_args!("{:11} {name} {value}", ""));
                });
            }
            let features = FEATURES.iter().filter(|(_, is_there)| *is_there).map(|(name, _)| *name);
            let features = features.collect::<Vec<_>>().join(", ");
            print(format_args!(
                "{:11} {}",
                "features:",
                if features.is_empty() { "none" } else { &features }
            ));
            print(format_args!("{:11} {}", "target:", target()));
        }
        ExitCode::SUCCESS
    }
}

/// Returns what is known of a language beyond its version, with names.
pub(super) fn facts(engine: &dyn Engine) -> Vec<(&'static str, String)> {
    let runtime = engine.info().managed_runtime.clone();
    let runtime = runtime.map(|identifier| ("in the place of Lambda's", identifier));
    engine.details().into_iter().chain(runtime).collect()
}

/// Returns the machine that this build is for.
fn target() -> String {
    let library = if cfg!(target_env = "gnu") {
        "-gnu"
    } else if cfg!(target_env = "musl") {
        "-musl"
    } else {
        ""
    };
    format!("{}-{}{library}", consts::ARCH, consts::OS)
}
