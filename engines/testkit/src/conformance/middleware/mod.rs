//! Cases with middlewares: one folder, run for every pair of a hook's language and a handler's.
//!
//! The runner knows nothing of what it tests: it makes a task root for each combination of files and hands it to a
//! [`Runner`], which is a trait so that a product can be plugged in. See the chapter "Cases with middlewares" of the
//! documentation of [`conformance`](super).

mod combine;
mod drive;
mod plan;
mod root;

#[cfg(test)]
mod tests;

use libtest_mimic::{Failed, Trial};
use std::{
    path::{Path, PathBuf},
    rc::Rc,
    str::FromStr,
    sync::Arc,
};
use trine_engine::{
    Engine, EngineInfo, Environment, Invocation, LocalFuture, Payload, Result as EngineResult,
};

/// A product that runs functions with middlewares around them.
pub trait Runner: Send + Sync + 'static {
    /// Finds and loads a function with its middlewares, on the calling thread, which is the only one that will use them.
    /// A tokio runtime with a `LocalSet` runs there.
    ///
    /// # Errors
    /// The fault of the function, or of one of its middlewares.
    fn prepare<'a>(&'a self, setup: &'a Setup) -> LocalFuture<'a, EngineResult<Rc<dyn Subject>>>;
}

/// A function that a [`Runner`] has loaded.
pub trait Subject {
    /// Runs one invocation through the middlewares and the handler.
    ///
    /// # Errors
    /// The error that a caller would get.
    fn invoke<'a>(
        &'a self,
        event: Payload,
        invocation: &'a Rc<Invocation>,
    ) -> LocalFuture<'a, EngineResult<Payload>>;

    /// Runs what is due at the end of the process. Called once, after everything else.
    fn finish(&self) -> LocalFuture<'_, ()>;
}

/// The description of what a [`Runner`] has to load.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Setup {
    /// The task root. Its folder `middlewares` holds the middlewares, `opt` is the layer root.
    pub root: PathBuf,
    /// The handler's file in the task root.
    pub handler: PathBuf,
    /// The handler's export path.
    pub export: String,
    /// Names of the middlewares, as in a setting.
    pub middlewares: Vec<String>,
    /// Order in which their `after` hooks run.
    pub order: Order,
    /// The isolation of invocations from each other.
    pub isolation: Isolation,
    /// The environment that instances start in.
    pub environment: Environment,
}

/// The order of `after` hooks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Order {
    /// The last one listed first.
    #[default]
    Onion,
    /// As listed.
    Listed,
}

impl FromStr for Order {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "onion" => Ok(Self::Onion),
            "listed" => Ok(Self::Listed),
            other => Err(format!("order {other:?} is neither onion nor listed")),
        }
    }
}

/// The isolation of invocations from each other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Isolation {
    /// One warm instance for all of them.
    #[default]
    Shared,
    /// A fresh instance for each.
    Fresh,
}

impl FromStr for Isolation {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "shared" => Ok(Self::Shared),
            "fresh" => Ok(Self::Fresh),
            other => Err(format!("isolation {other:?} is neither shared nor fresh")),
        }
    }
}

/// Makes a trial for each combination of files of each case, named `middleware::case::hooks-around-handler`.
///
/// Whatever is wrong with the folder itself is a trial that fails, so that no case is lost silently.
pub fn trials(
    cases_dir: &Path,
    engines: &[Arc<dyn Engine>],
    runner: &Arc<dyn Runner>,
) -> Vec<Trial> {
    let languages: Vec<EngineInfo> = engines.iter().map(|engine| engine.info().clone()).collect();
    let planned = plan::plan(cases_dir, &languages, runner);
    planned
        .into_iter()
        .map(|trial| {
            let name = format!("middleware::{}", trial.name);
            Trial::test(name, || (trial.run)().map_err(Failed::from))
        })
        .collect()
}
