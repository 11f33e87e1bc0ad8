//! A whole run: from a plan to a record.

use crate::{
    affinity::Cores,
    bench::Bench,
    console,
    contestant::{Group, Identity},
    criterion, http, lambda, machine,
    plan::{Part, Plan},
    process::Launch,
    record::{Entrant, Record},
    sheet::Sheet,
};
use std::{collections::BTreeMap, time::Duration};

/// Maximum time a contestant may take to print its version.
const VERSION_LIMIT: Duration = Duration::from_secs(10);
/// Maximum length of a version.
const VERSION_LENGTH: usize = 100;

/// Measures what the plan says. `command` is recorded as the origin of the results.
///
/// # Errors
/// When the driver itself cannot work. What happens to contestants is in the record.
pub async fn run(plan: &Plan, command: String) -> anyhow::Result<Record> {
    let began = std::time::Instant::now();
    let started = machine::now();
    let machine = machine::machine();
    let scratch = tempfile::tempdir()?;
    let cores = Cores::take()?;
    let bench = Bench { plan, cores, scratch: scratch.path().to_owned() };
    console::say(&format!("this takes about {}", minutes(plan.estimate())));
    let mut sheet = Sheet::default();
    for part in Part::ALL.into_iter().filter(|part| plan.parts.contains(part)) {
        match part {
            Part::Http => http::measure(&bench, &mut sheet).await,
            Part::Criterion if plan.wants_criterion() => {
                // Cargo's target folder holds both the profile's folder and criterion's.
                let folder = plan.places.target.join("../criterion");
                if let Err(error) = criterion::collect(&folder, &mut sheet) {
                    console::say(&format!("criterion: {error:#}"));
                }
            }
            Part::Criterion => {}
            part => lambda::measure(&bench, part, &mut sheet).await,
        }
    }
    let entrants = entrants(&bench, &sheet).await;
    let (figures, missing) = sheet.finish();
    let seconds = began.elapsed().as_secs_f64();
    console::say(&format!("measured in {}", minutes(began.elapsed())));
    Ok(Record {
        command,
        started,
        seconds: (seconds * 10.0).round() / 10.0,
        machine,
        entrants,
        missing,
        figures,
    })
}

fn minutes(time: Duration) -> String {
    let seconds = time.as_secs();
    if seconds < 90 { format!("{seconds} s") } else { format!("{} min", (seconds + 30) / 60) }
}

/// Returns all entrants that have figures.
async fn entrants(bench: &Bench<'_>, sheet: &Sheet) -> Vec<Entrant> {
    let contestants = &bench.plan.contestants;
    let none = BTreeMap::new();
    let lambda = contestants.lambda.iter();
    let lambda = lambda.map(|lambda| (&lambda.identity, &lambda.command, &lambda.goals));
    let http = contestants.http.iter().map(|server| (&server.identity, &server.command, &none));
    let mut versions: BTreeMap<&[String], String> = BTreeMap::new();
    let mut entrants = Vec::new();
    for (identity, command, goals) in lambda.chain(http) {
        if !sheet.has(&identity.id) {
            continue;
        }
        let asked = identity.version.as_slice();
        let version = match versions.get(asked) {
            Some(known) => known.clone(),
            None => version(bench, identity).await,
        };
        versions.insert(asked, version.clone());
        entrants.push(Entrant {
            id: identity.id.clone(),
            name: identity.name.clone(),
            group: group(identity.group).to_owned(),
            language: identity.language.clone(),
            version,
            command: command.join(" "),
            goals: goals.clone(),
        });
    }
    entrants
}

fn group(group: Group) -> &'static str {
    match group {
        Group::Trine => "trine",
        Group::Floor => "floor",
        Group::Baseline => "baseline",
        Group::Peer => "peer",
    }
}

/// Returns a contestant's own description of its version; empty when there is none.
async fn version(bench: &Bench<'_>, identity: &Identity) -> String {
    if identity.version.is_empty() {
        return String::new();
    }
    let places = bench.places();
    let launch = Launch {
        command: identity.version.iter().map(|part| places.fill(part)).collect(),
        folder: &places.benches,
        environment: Vec::new(),
        scratch: Some(&bench.scratch),
        cores: None,
    };
    let Ok(mut child) = launch.spawn() else { return String::new() };
    // A process that hangs may already have printed it.
    let _ = tokio::time::timeout(VERSION_LIMIT, child.wait()).await;
    bench.hide(&version_in(&child.output()))
}

/// Returns the first line with a digit in it.
fn version_in(output: &str) -> String {
    let line = output.lines().find(|line| line.chars().any(|c| c.is_ascii_digit()));
    line.unwrap_or_default().trim().chars().take(VERSION_LENGTH).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_has_a_digit() {
        assert_eq!(version_in("Welcome\n  v20.1.0 \nmore 2\n"), "v20.1.0");
        assert_eq!(version_in("none"), "");
    }

    #[test]
    fn times_are_told_roughly() {
        assert_eq!(minutes(Duration::from_secs(89)), "89 s");
        assert_eq!(minutes(Duration::from_secs(100)), "2 min");
    }
}
