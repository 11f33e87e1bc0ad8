//! The results of `cargo bench`: criterion's own estimates, adopted as they are.

use crate::{record::Figure, sheet::Sheet};
use anyhow::Context;
use serde::{Deserialize, de::DeserializeOwned};
use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

/// Age difference from the latest estimate beyond which estimates belong to an earlier run.
const ONE_RUN: Duration = Duration::from_secs(2 * 60 * 60);

#[derive(Deserialize)]
struct Benchmark {
    group_id: String,
    function_id: Option<String>,
    value_str: Option<String>,
}

#[derive(Deserialize)]
struct Estimates {
    median: Estimate,
}

/// An estimate, in nanoseconds.
#[derive(Deserialize)]
struct Estimate {
    confidence_interval: Interval,
    point_estimate: f64,
}

#[derive(Deserialize)]
struct Interval {
    lower_bound: f64,
    upper_bound: f64,
}

/// Adds the latest run's figures to the sheet, with the median's lower bound, itself and its upper bound as rounds.
///
/// # Errors
/// When what is there cannot be understood.
pub(crate) fn collect(folder: &Path, sheet: &mut Sheet) -> anyhow::Result<()> {
    let mut found = Vec::new();
    look(folder, &mut found);
    let latest = found.iter().map(|(when, _)| *when).max();
    found.retain(|(when, _)| latest.is_some_and(|latest| *when + ONE_RUN >= latest));
    let mut figures = Vec::new();
    for (_, folder) in found {
        figures.push(figure(&folder)?);
    }
    figures.sort_by(|one, other| (&one.case, &one.entrant).cmp(&(&other.case, &other.entrant)));
    figures.into_iter().for_each(|figure| sheet.insert(figure));
    Ok(())
}

/// Finds all folders `new` with estimates in them, and their ages.
fn look(folder: &Path, found: &mut Vec<(SystemTime, PathBuf)>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.filter_map(Result::ok) {
        let path = entry.path();
        if !path.is_dir() {
            continue;
        }
        let estimates = path.join("estimates.json");
        match fs::metadata(estimates).and_then(|metadata| metadata.modified()) {
            Ok(when) if entry.file_name() == "new" => found.push((when, path)),
            _ => look(&path, found),
        }
    }
}

fn figure(folder: &Path) -> anyhow::Result<Figure> {
    let Benchmark { group_id, function_id, value_str } = read(&folder.join("benchmark.json"))?;
    let Estimates { median } = read(&folder.join("estimates.json"))?;
    let mut parts = vec![group_id];
    parts.extend(function_id);
    parts.extend(value_str);
    // The last part names the language, everything before it the case.
    let entrant = if parts.len() > 1 { parts.pop().unwrap_or_default() } else { String::new() };
    let Estimate { confidence_interval: Interval { lower_bound, upper_bound }, point_estimate } =
        median;
    Ok(Figure {
        suite: "criterion".to_owned(),
        entrant,
        case: parts.join("/"),
        metric: "time".to_owned(),
        unit: "µs".to_owned(),
        rounds: [lower_bound, point_estimate, upper_bound].map(|value| value / 1e3).to_vec(),
    })
}

fn read<T: DeserializeOwned>(file: &Path) -> anyhow::Result<T> {
    let text = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    serde_json::from_slice(&text).with_context(|| format!("cannot understand {}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn estimates_become_figures() {
        let folder = tempfile::tempdir().unwrap();
        for (path, benchmark) in [
            ("call/js", r#"{"group_id":"call","function_id":"js","value_str":null}"#),
            ("call/echo/lua", r#"{"group_id":"call","function_id":"echo","value_str":"lua"}"#),
        ] {
            for run in ["base", "new"] {
                let folder = folder.path().join(path).join(run);
                fs::create_dir_all(&folder).unwrap();
                fs::write(folder.join("benchmark.json"), benchmark).unwrap();
                let estimates = r#"{"median":{"confidence_interval":{"confidence_level":0.95,
                    "lower_bound":1000.0,"upper_bound":3000.0},"point_estimate":2500.0}}"#;
                fs::write(folder.join("estimates.json"), estimates).unwrap();
            }
        }
        let mut sheet = Sheet::default();
        collect(folder.path(), &mut sheet).unwrap();
        let (figures, _) = sheet.finish();
        let names: Vec<(&str, &str)> =
            figures.iter().map(|figure| (&*figure.case, &*figure.entrant)).collect();
        assert_eq!(names, [("call", "js"), ("call/echo", "lua")]);
        assert_eq!(figures[0].rounds, [1.0, 2.5, 3.0]);
        assert_eq!(figures[0].median(), 2.5);
    }

    #[test]
    fn without_a_run_there_is_nothing() {
        let mut sheet = Sheet::default();
        collect(Path::new("/nowhere"), &mut sheet).unwrap();
        assert!(sheet.finish().0.is_empty());
    }
}
