//! The trials of a folder of cases, one for each combination, and what is missing or known to fail.

use super::{
    super::{
        case::{Case, Script},
        members::Members,
        plan::{Planned, check_names, folders},
    },
    Isolation, Order, Runner,
    combine::{Cast, Combination, is_difference_key},
    drive::{Trial, run},
};
use serde_json::Value;
use std::{collections::BTreeSet, path::Path, sync::Arc};
use trine_engine::EngineInfo;

/// A combination that is known to fail.
struct Gap {
    case: String,
    /// The one combination that it is about, by its name; `None` for all.
    pair: Option<String>,
    reason: String,
}

/// Plans every trial.
pub(super) fn plan(
    cases: &Path,
    languages: &[EngineInfo],
    runner: &Arc<dyn Runner>,
) -> Vec<Planned> {
    let folders = match folders(cases) {
        Ok(folders) => folders,
        Err(message) => return vec![Planned::failed("cases", message)],
    };
    let mut planned = Vec::new();
    let gaps = read_gaps(cases).unwrap_or_else(|message| {
        planned.push(Planned::failed("known-gaps", message));
        Vec::new()
    });
    let mut used = BTreeSet::new();
    for (name, folder) in &folders {
        let combined = combine(name, folder, languages, &mut planned);
        let (case, combinations) = match combined {
            Ok(combined) => combined,
            Err(message) => {
                planned.push(Planned::failed(name.as_str(), message));
                continue;
            }
        };
        for combination in combinations {
            let pair = combination.name();
            let name_of_trial = format!("{name}::{pair}");
            let is_known =
                |gap: &Gap| gap.case == *name && gap.pair.as_ref().is_none_or(|only| *only == pair);
            let gap = gaps.iter().position(is_known);
            used.extend(gap);
            let trial = match prepare(&case, folder, combination, languages, runner) {
                Ok(trial) => trial,
                // A script that cannot be read is not a gap.
                Err(message) => {
                    planned.push(Planned::failed(name_of_trial, message));
                    continue;
                }
            };
            planned.push(match gap.map(|at| gaps[at].reason.clone()) {
                None => Planned::new(name_of_trial, move || run(trial)),
                Some(reason) => Planned::new(name_of_trial, move || {
                    if run(trial).is_err() {
                        return Ok(());
                    }
                    Err(format!("passes now: remove its entry from known-gaps.json ({reason})"))
                }),
            });
        }
    }
    for (at, gap) in gaps.iter().enumerate() {
        if !used.contains(&at) {
            let name = format!("known-gaps::{at}::{}", gap.case);
            planned.push(Planned::failed(name, "there is no such case, or no such pair in it"));
        }
    }
    planned
}

fn combine(
    name: &str,
    folder: &Path,
    languages: &[EngineInfo],
    planned: &mut Vec<Planned>,
) -> Result<(Case, Vec<Combination>), String> {
    let mut case = Case::read(folder)?;
    planned.extend(check_names(name, &case));
    let cast = Cast::take(&mut case)?;
    if let Some(unknown) = case.difference_keys().find(|key| !is_difference_key(key)) {
        return Err(format!(
            "by_language.{unknown}: differences of pairs stand under same, different, or a pair as in \
             python-around-lua, python-around-*, *-around-lua"
        ));
    }
    let combinations = cast.combinations(&case, folder, languages)?;
    Ok((case, combinations))
}

fn prepare(
    case: &Case,
    folder: &Path,
    combination: Combination,
    languages: &[EngineInfo],
    runner: &Arc<dyn Runner>,
) -> Result<Trial, String> {
    let keys = combination.difference_keys();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let mut script = case.members(&keys)?;
    let mut own = |name: &str| match script.shift_remove(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(other) => Err(format!("{name:?} of the case must be a text, not {other}")),
    };
    let order = own("order")?.map_or(Ok(Order::default()), |text| text.parse())?;
    let isolation = own("isolation")?.map_or(Ok(Isolation::default()), |text| text.parse())?;
    let script = Script::parse(script)?;
    if script.steps.iter().any(|step| step.hops != 1 || step.interrupt_in.is_some()) {
        return Err("hops and interrupt_in_ms are for cases without middlewares".into());
    }
    Ok(Trial {
        runner: Arc::clone(runner),
        folder: folder.to_owned(),
        languages: languages.to_vec(),
        combination,
        order,
        isolation,
        script,
    })
}

/// Reads the entries of `known-gaps.json`; none when there is no such file.
fn read_gaps(cases: &Path) -> Result<Vec<Gap>, String> {
    let Ok(text) = std::fs::read(cases.join("known-gaps.json")) else { return Ok(Vec::new()) };
    let value: Value =
        serde_json::from_slice(&text).map_err(|e| format!("known-gaps.json is no JSON: {e}"))?;
    let Value::Array(entries) = value else {
        return Err("known-gaps.json must hold a list".into());
    };
    let entry = |entry| {
        let mut members = Members::of("a known gap", entry)?;
        let mut required = |name: &str| {
            members.text(name)?.ok_or_else(|| format!("a known gap must name its {name}"))
        };
        let (case, reason) = (required("case")?, required("reason")?);
        let pair = members.text("pair")?;
        members.finish()?;
        Ok(Gap { case, pair, reason })
    };
    entries.into_iter().map(entry).collect()
}
