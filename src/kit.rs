//! One's own Lambda runtime: three methods, and one call that runs them.
//!
//! ```no_run
//! use std::process::{Command, ExitCode};
//! use trine::kit::{self, Environment, Error, Invocation, Output, Result, Runtime};
//!
//! #[derive(Default)]
//! struct Date;
//!
//! impl Runtime for Date {
//!     fn setup(&mut self, _environment: &Environment) -> Result<()> {
//!         Ok(())
//!     }
//!
//!     fn invoke(&mut self, _event: &[u8], _invocation: &Invocation) -> Result<Output> {
//!         let date = Command::new("date").output();
//!         let date = date.map_err(|error| Error::guest("Date.NotThere", error.to_string()))?;
//!         Ok(Output::Raw(date.stdout.into()))
//!     }
//! }
//!
//! fn main() -> ExitCode {
//!     kit::run(Date::default)
//! }
//! ```
//!
//! The program is a Lambda runtime then, called `bootstrap` in a function's zip or a layer: it sets up, asks for events,
//! answers them, reports errors and goes on, and cleans up when the platform ends it. It has what every Trine runtime has:
//! the trace variable, logs, hooks of middlewares in the languages that the build has, time limits, spans.
//! `trine emulator -- ./bootstrap` runs it without Lambda.
//!
//! A runtime whose handlers are files of a type of their own, beside other languages and also over HTTP, is an engine:
//! [`Simple`] makes one of the same three methods, [`cli::run`](crate::cli::run) takes it.

pub use trine_engine::{
    Error, ErrorKind, Invocation, Output, Result, SimpleEnvironment as Environment,
    SimpleRuntime as Runtime,
};

use crate::{cli::run_own, engines::Registry};
use std::{process::ExitCode, sync::Arc};
use trine_engine::{EngineInfo, Simple};

/// Runs the process as a Lambda runtime, to which `_HANDLER` may mean anything: [`Environment::name`] is its text and
/// [`Environment::path`] the path of that name in the task root. `make` makes the runtime; it is called once more if the
/// runtime has to be replaced.
///
/// Returns the exit status: 0 when the platform asked it to end, 1 when the setup failed or the Runtime API is gone.
pub fn run<R: Runtime>(make: impl Fn() -> R + Clone + Send + Sync + 'static) -> ExitCode {
    let info = EngineInfo::new("own", "own runtime", env!("CARGO_PKG_VERSION"));
    run_own(Arc::new(Simple::new(info, make)), &Registry::built_in())
}
