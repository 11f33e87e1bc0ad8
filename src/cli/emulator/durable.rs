//! Which functions are durable, and how long their executions may take.

use crate::{
    cli::Usage,
    config::{self, CountForm, TimeForm},
};
use clap::Args;
use std::{env, path::Path, time::Duration};
use trine_emulator::DurableOptions;

/// Stands for the names of all functions.
const ALL: &str = "*";
/// Valid lengths of an execution: up to 366 days.
const EXECUTION_TIMEOUT: TimeForm = TimeForm {
    least: Duration::from_secs(1),
    most: Duration::from_secs(31_622_400),
    ..config::TIMEOUT
};
/// Valid speeds of waits.
const SPEED: CountForm = CountForm { least: 1, most: 1_000_000 };

/// Variables and files, below the home folder, in which AWS's SDKs look for credentials.
const CREDENTIALS: [&str; 8] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_CONFIG_FILE",
];
const CREDENTIALS_FILES: [&str; 2] = [".aws/credentials", ".aws/config"];

/// The flags about durable functions.
#[derive(Debug, Args)]
pub(super) struct DurableFlags {
    /// Run functions as durable ones: all, or those of these names
    #[arg(long, value_name = "NAMES", num_args = 0..=1, require_equals = true, value_delimiter = ',', default_missing_value = ALL)]
    durable: Vec<String>,
    /// The time that an execution of a durable function may take: 30s, 1h, 7d; callers can wait for those of up to 15m
    #[arg(long, value_name = "TIME", default_value = "15m", allow_negative_numbers = true, value_parser = |text: &str| EXECUTION_TIMEOUT.parse(text))]
    execution_timeout: Duration,
    /// How many times as fast waits of durable functions pass, and the pauses before their retries
    #[arg(long, value_name = "N", default_value = "1", allow_negative_numbers = true, value_parser = |text: &str| SPEED.parse(text))]
    durable_speed: u64,
}

impl DurableFlags {
    /// Checks that the functions exist that are to be durable.
    ///
    /// # Errors
    /// When one does not.
    pub(super) fn check(&self, names: &[String]) -> anyhow::Result<()> {
        match self.durable.iter().find(|name| *name != ALL && !names.contains(name)) {
            None => Ok(()),
            Some(unknown) => {
                let known = names.join(", ");
                Err(Usage(format!("--durable names {unknown:?}, and there is: {known}")).into())
            }
        }
    }

    /// Returns the settings of a function; `None` where it is an ordinary one.
    pub(super) fn options(&self, name: &str) -> Option<DurableOptions> {
        let is_durable = self.durable.iter().any(|own| own == ALL || own == name);
        // At most a million, see the form.
        let speed = self.durable_speed as u32;
        let execution_timeout = self.execution_timeout;
        is_durable.then_some(DurableOptions { execution_timeout, speed })
    }
}

/// Returns variables that stand in for credentials where the user has none, so that SDKs sign their requests without
/// looking for any in the network. `set` looks up what the user has set.
pub(super) fn credentials(set: &impl Fn(&str) -> Option<String>) -> Vec<(&'static str, String)> {
    let home = env::var_os("HOME").unwrap_or_default();
    let has_file = || CREDENTIALS_FILES.iter().any(|file| Path::new(&home).join(file).exists());
    if CREDENTIALS.iter().any(|name| set(name).is_some()) || has_file() {
        return Vec::new();
    }
    ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"].map(|name| (name, "emulator".to_owned())).into()
}
