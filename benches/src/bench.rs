//! State that all parts of a run share.

use crate::{
    affinity::Cores,
    console,
    contestant::{Identity, Places},
    plan::{Plan, absence},
    process::Launch,
    sheet::Sheet,
};
use std::{
    collections::BTreeMap,
    env,
    path::{Path, PathBuf},
    time::Duration,
};

/// Maximum time a contestant may take to come up.
pub(crate) const START_LIMIT: Duration = Duration::from_secs(30);

/// A run under way.
#[derive(Debug)]
pub(crate) struct Bench<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) cores: Option<Cores>,
    /// A folder that is removed with the run.
    pub(crate) scratch: PathBuf,
}

/// Returns a contestant's own environment with its placeholders filled.
pub(crate) fn filled(
    variables: &BTreeMap<String, String>,
    fill: impl Fn(&str) -> String,
) -> Vec<(String, String)> {
    variables.iter().map(|(name, value)| (name.clone(), fill(value))).collect()
}

impl Bench<'_> {
    pub(crate) fn places(&self) -> &Places {
        &self.plan.places
    }

    /// Makes a text fit for results: without any folder of this machine.
    pub(crate) fn hide(&self, text: &str) -> String {
        let text = self.places().hide(text);
        match env::var("HOME") {
            Ok(home) if home.len() > 1 => text.replace(&home, "~"),
            _ => text,
        }
    }

    /// Reports the round of a suite and whose turn it is. Round 0 is what comes before the first.
    pub(crate) fn progress(&self, suite: &str, round: usize, identity: &Identity) {
        let rounds = self.plan.rounds;
        let when =
            if round == 0 { "warm-up".to_owned() } else { format!("round {round} of {rounds}") };
        console::progress(&format!("{suite}, {when}: {}", identity.id));
    }

    /// Leaves out contestants that are not installed.
    pub(crate) fn present<'c, C>(
        &self,
        suite: &'static str,
        contestants: Vec<&'c C>,
        identity: impl Fn(&C) -> &Identity,
        sheet: &mut Sheet,
    ) -> Vec<&'c C> {
        let mut present = contestants;
        present.retain(|contestant| {
            let identity = identity(contestant);
            let why = absence(self.places(), identity);
            if let Some(why) = &why {
                self.give_up(suite, identity, why, sheet);
            }
            why.is_none()
        });
        present
    }

    /// Leaves a contestant out of a suite and reports it.
    pub(crate) fn give_up(
        &self,
        suite: &'static str,
        whose: &Identity,
        reason: &str,
        sheet: &mut Sheet,
    ) {
        let reason = self.hide(reason);
        console::say(&format!("{suite}: {} is left out: {reason}", whose.id));
        sheet.give_up(suite, whose, &reason);
    }

    /// Describes how a contestant's process is started.
    pub(crate) fn launch<'l>(
        &'l self,
        command: &[String],
        folder: &'l Path,
        fill: impl Fn(&str) -> String,
        environment: Vec<(String, String)>,
    ) -> Launch<'l> {
        let command = command.iter().map(|part| fill(part)).collect();
        let scratch = Some(self.scratch.as_path());
        Launch { command, folder, environment, scratch, cores: self.cores }
    }
}
