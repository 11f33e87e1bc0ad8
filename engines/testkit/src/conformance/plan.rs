//! The trials of a folder of cases and a list of engines: which case runs in which language, which gaps are known, and
//! what is missing.

use super::{
    case::Case,
    members::Members,
    run::{Subject, run},
};
use serde_json::Value;
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::Arc,
};
use trine_engine::{Capabilities, Engine, EngineInfo};

/// A trial before it is handed to the test harness.
pub(super) struct Planned {
    pub(super) name: String,
    pub(super) run: Box<dyn FnOnce() -> Result<(), String> + Send>,
}

impl Planned {
    pub(super) fn new(
        name: impl Into<String>,
        run: impl FnOnce() -> Result<(), String> + Send + 'static,
    ) -> Self {
        Self { name: name.into(), run: Box::new(run) }
    }

    pub(super) fn failed(name: impl Into<String>, message: impl Into<String>) -> Self {
        let message = message.into();
        Self::new(name, move || Err(message))
    }
}

/// A case that an engine is known to fail.
struct Gap {
    case: String,
    engine: String,
    /// The one handler file that it is about; `None` for all of that engine's.
    file: Option<String>,
    reason: String,
}

/// Plans every trial.
pub(super) fn plan(cases: &Path, engines: &[Arc<dyn Engine>]) -> Vec<Planned> {
    let folders = match folders(cases) {
        Ok(folders) => folders,
        Err(message) => return vec![Planned::failed("cases", message)],
    };
    let mut planner = Planner::default();
    match read_gaps(cases) {
        Ok(gaps) => planner.gaps = gaps,
        Err(message) => planner.planned.push(Planned::failed("known-gaps", message)),
    }
    for (name, folder) in &folders {
        match Case::read(folder) {
            Err(message) => planner.planned.push(Planned::failed(name.as_str(), message)),
            Ok(case) => {
                planner.planned.extend(check_names(name, &case));
                for engine in engines {
                    planner.add(name, folder, &case, engine);
                }
            }
        }
    }
    planner.finish(engines)
}

/// The plan as it grows.
#[derive(Default)]
struct Planner {
    gaps: Vec<Gap>,
    /// Positions of the gaps that apply to a trial.
    used: BTreeSet<usize>,
    /// Engines with the capabilities that a case proves.
    covered: BTreeSet<(&'static str, String)>,
    planned: Vec<Planned>,
}

impl Planner {
    /// Adds one case in all files of one engine.
    fn add(&mut self, name: &str, folder: &Path, case: &Case, engine: &Arc<dyn Engine>) {
        let info = engine.info();
        let handlers: Vec<_> = info
            .extensions
            .iter()
            .map(|extension| (*extension, folder.join(format!("handler.{extension}"))))
            .filter(|(_, file)| file.is_file())
            .collect();
        if let Some(message) = misplaced(case, info, handlers.is_empty()) {
            self.planned.push(Planned::failed(format!("{name}::{}", info.id), message));
        }
        for (extension, file) in handlers {
            let file_name = format!("handler.{extension}");
            let gap = self.gap(name, info.id, &file_name);
            let trial = format!("{name}::{file_name}");
            let (engine, folder) = (Arc::clone(engine), folder.to_owned());
            let subject = Subject { engine, folder, file, extension: extension.to_owned() };
            let planned = match (case.script(info.id, extension), gap) {
                // A script that cannot be read is not a gap of the engine.
                (Err(message), _) => Planned::failed(trial, message),
                (Ok(script), None) => {
                    self.covered.extend(case.needs.iter().map(|need| (info.id, need.clone())));
                    Planned::new(trial, move || run(subject, script))
                }
                (Ok(script), Some(reason)) => Planned::new(trial, move || {
                    if run(subject, script).is_err() {
                        return Ok(());
                    }
                    Err(format!("passes now: remove its entry from known-gaps.json ({reason})"))
                }),
            };
            self.planned.push(planned);
        }
    }

    /// Returns the reason of the known gap for a handler file, if there is one.
    fn gap(&mut self, case: &str, engine: &str, file: &str) -> Option<String> {
        let (at, gap) = self.gaps.iter().enumerate().find(|(_, gap)| {
            gap.case == case
                && gap.engine == engine
                && gap.file.as_deref().is_none_or(|only| only == file)
        })?;
        self.used.insert(at);
        Some(gap.reason.clone())
    }

    fn finish(mut self, engines: &[Arc<dyn Engine>]) -> Vec<Planned> {
        for (at, gap) in self.gaps.iter().enumerate() {
            let is_here = engines.iter().any(|engine| engine.info().id == gap.engine);
            if is_here && !self.used.contains(&at) {
                let name = format!("known-gaps::{at}::{}::{}", gap.case, gap.engine);
                let message = "there is no such case for this engine";
                self.planned.push(Planned::failed(name, message));
            }
        }
        for engine in engines {
            self.planned.extend(capabilities(engine, &self.covered));
        }
        self.planned
    }
}

/// Returns what is wrong with a case having, or not having, handlers for an engine.
fn misplaced(case: &Case, info: &EngineInfo, is_absent: bool) -> Option<String> {
    match (is_absent, lacking(&case.needs, &info.capabilities), case.not_for.get(info.id)) {
        // A language that is no place for general code has handlers where it can express them.
        (true, None, None) if info.yields => None,
        (true, None, None) => {
            let files: Vec<_> = info.extensions.iter().map(|e| format!("handler.{e}")).collect();
            Some(format!(
                "the case has no handler in {}: add one of {}, or say why not in \"not_for\"",
                info.name,
                files.join(", ")
            ))
        }
        (false, None, Some(_)) => {
            Some(format!("the case is \"not_for\" {} and yet has a handler for it", info.id))
        }
        (false, Some(lacking), _) => {
            Some(format!("the case has a handler in {}, which lacks {lacking:?}", info.name))
        }
        (true, ..) | (false, None, None) => None,
    }
}

/// Returns the first capability that is needed but missing.
pub(super) fn lacking(needs: &[String], capabilities: &Capabilities) -> Option<String> {
    let named = capabilities.named();
    needs.iter().find(|need| !named.contains(&(need.as_str(), true))).cloned()
}

pub(super) fn check_names(name: &str, case: &Case) -> Option<Planned> {
    let known = Capabilities::default().named().map(|(name, _)| name);
    let unknown = case.needs.iter().find(|need| !known.contains(&need.as_str()))?;
    let message = format!("{unknown:?} is no capability: use {}", known.join(", "));
    Some(Planned::failed(format!("{name}::needs"), message))
}

/// Adds a trial for each capability that an engine declares: some case must need it and have a handler there.
fn capabilities<'a>(
    engine: &'a Arc<dyn Engine>,
    covered: &'a BTreeSet<(&'static str, String)>,
) -> impl Iterator<Item = Planned> + 'a {
    let info = engine.info();
    info.capabilities.named().into_iter().filter(|(_, declared)| *declared).map(move |(name, _)| {
        let is_covered = covered.contains(&(info.id, name.to_owned()));
        let message = format!(
            "{} declares {name:?}, and no case that needs it has a handler there that must pass",
            info.name
        );
        Planned::new(format!("capabilities::{}::{name}", info.id), move || {
            if is_covered { Ok(()) } else { Err(message) }
        })
    })
}

/// Returns the case folders in alphabetical order: those that hold a `case.json`.
pub(super) fn folders(cases: &Path) -> Result<Vec<(String, PathBuf)>, String> {
    let unreadable = |e: std::io::Error| format!("cannot read {}: {e}", cases.display());
    // Guests see absolute paths.
    let root = cases.canonicalize().map_err(unreadable)?;
    let mut folders = Vec::new();
    for entry in root.read_dir().map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let path = entry.path();
        if path.is_dir() {
            folders.push((entry.file_name().to_string_lossy().into_owned(), path));
        }
    }
    if folders.is_empty() {
        return Err(format!("{} holds no cases", cases.display()));
    }
    folders.sort();
    Ok(folders)
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
        let (case, engine, reason) = (required("case")?, required("engine")?, required("reason")?);
        let file = members.text("file")?;
        members.finish()?;
        Ok(Gap { case, engine, file, reason })
    };
    entries.into_iter().map(entry).collect()
}
