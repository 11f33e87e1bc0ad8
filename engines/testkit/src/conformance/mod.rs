#![doc = include_str!("../../docs/conformance.md")]

mod case;
mod matcher;
mod members;
pub mod middleware;
mod plan;
mod run;
mod stream;

#[cfg(test)]
mod tests;

#[cfg(test)]
pub(crate) use tests::TemporaryFolder;

use libtest_mimic::{Failed, Trial};
use std::{path::Path, sync::Arc};
use trine_engine::Engine;

/// Makes a trial for each handler file of each case that the engines can run (`case::handler.ext`), and one for each
/// thing that must not be missing: a handler for a language (`case::engine`), a case for a declared capability
/// (`capabilities::engine::name`).
///
/// Whatever is wrong with the folder itself is a trial that fails, so that no case is lost silently.
pub fn trials(cases_dir: &Path, engines: Vec<Arc<dyn Engine>>) -> Vec<Trial> {
    let planned = plan::plan(cases_dir, &engines);
    planned
        .into_iter()
        .map(|trial| Trial::test(trial.name, || (trial.run)().map_err(Failed::from)))
        .collect()
}
