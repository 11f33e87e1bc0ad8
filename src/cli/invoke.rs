//! `trine invoke`: one function, one event, one answer.

use super::{fail, settings};
use crate::{
    config::{Origin, Setting, Settings},
    diagnostic::{DOCUMENT_LIMIT, exit_code, explain},
    engines::Registry,
    handler::from_environment,
    telemetry::ErrorSink,
    worker::Worker,
};
use anyhow::Context;
use bytes::Bytes;
use clap::Args;
use std::{
    env,
    fs::{self, File},
    io::{Read, Write, stderr, stdin, stdout},
    path::{Path, PathBuf},
    process::ExitCode,
    rc::Rc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::{runtime::Builder, task::LocalSet};
use trine_engine::{Error, ErrorDialect, Invocation, Payload};

/// Call a function once and print its result.
///
/// The result goes to standard output as JSON, everything that the function logs to standard error.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(super) struct Invoke {
    /// The handler: app.handler, src/app.py:handler or a file. Without it, _HANDLER or SCW_HANDLER_PATH.
    handler: Option<String>,
    /// The event: JSON text, a file, or - for standard input.
    #[arg(long, short, default_value = "{}", value_name = "JSON|FILE|-")]
    event: String,
    /// Print the result, or the error document of a failure, on one line, without indentation.
    #[arg(long)]
    json: bool,
    /// The time that the function sees itself given, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 900.0)]
    timeout: f64,
    /// The request id of this invocation.
    #[arg(long, value_name = "ID")]
    request_id: Option<String>,
    /// Client context of this invocation, as JSON.
    #[arg(long, value_name = "JSON")]
    client_context: Option<String>,
}

const EXIT_CODES: &str = "\
Exit codes:
  0   the function answered
  1   the function failed
  2   the command line is wrong
  3   the function could not be found or loaded
  4   the event is no valid input
  5   the result has no JSON form or is too large
  6   the function was stopped: time or memory
  70  a fault of the runtime";

impl Invoke {
    pub(super) fn run(self) -> ExitCode {
        match self.invoke() {
            Ok(code) => code,
            Err(error) => fail(&format!("error: {error:#}"), 2),
        }
    }

    fn invoke(self) -> anyhow::Result<ExitCode> {
        let event = read_event(&self.event)?;
        let mut out = reserve_stdout()?;
        let mut settings = settings()?;
        if let Some(folder) = self.own_folder(&settings) {
            settings.task_root = Setting { value: folder, origin: Origin::Argument };
        }
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let registry = Registry::built_in();
        let worker = Worker::new(settings.sequential_environment(settings.log(ErrorSink)));
        let invocation = Rc::new(self.invocation()?);
        let outcome = LocalSet::new().block_on(&runtime, async {
            let located = from_environment(
                self.handler.as_deref().map(|handler| file_name_of(handler, &settings)),
                |name| env::var(name).ok(),
                &settings.search_paths(),
                &registry,
            )
            .map_err(|error| (error, ErrorDialect::PLAIN))?;
            let dialect = located.engine.info().error_dialect;
            let run = async {
                let pipeline = worker.load(&located).await?;
                pipeline.run(Payload::Json(event), &invocation).await?.into_bytes()
            };
            let outcome = run.await.map_err(|error| (error, dialect));
            worker.shutdown();
            outcome
        });
        match outcome {
            Ok((body, content_type)) => {
                self.print(&mut out, &body, content_type == "application/json")?;
                Ok(ExitCode::SUCCESS)
            }
            Err((error, dialect)) => {
                self.print_failure(&mut out, &error, dialect, &invocation.request_id)
            }
        }
    }

    /// The folder of a handler that is given as a file: its imports start there, as when a language's own command runs
    /// it. Where a task root is set, that one counts.
    fn own_folder(&self, settings: &Settings) -> Option<PathBuf> {
        if settings.task_root.origin != Origin::Default {
            return None;
        }
        let (file, _) = split_export(self.handler.as_deref()?);
        let path = Path::new(file);
        if !path.is_file() {
            return None;
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty())?;
        std::path::absolute(folder).ok()
    }

    fn invocation(&self) -> anyhow::Result<Invocation> {
        anyhow::ensure!(
            self.timeout.is_finite() && self.timeout > 0.0 && self.timeout <= 1e9,
            "--timeout takes a positive number of seconds, not {}",
            self.timeout
        );
        let deadline = SystemTime::now() + Duration::from_secs_f64(self.timeout);
        let since_epoch = deadline.duration_since(UNIX_EPOCH).unwrap_or_default();
        Ok(Invocation {
            request_id: self.request_id.clone().unwrap_or_else(|| uuid::Uuid::new_v4().to_string()),
            deadline_ms: Some(since_epoch.as_millis() as u64),
            trace_id: env::var("_X_AMZN_TRACE_ID").ok(),
            client_context: self.client_context.clone(),
            event_is_json: true,
            ..Invocation::default()
        })
    }

    fn print(&self, out: &mut File, body: &[u8], is_json: bool) -> anyhow::Result<()> {
        let pretty = is_json && !self.json;
        match pretty.then(|| serde_json::from_slice::<serde_json::Value>(body)) {
            Some(Ok(value)) => writeln!(out, "{value:#}"),
            _ => out.write_all(body).and_then(|()| if is_json { writeln!(out) } else { Ok(()) }),
        }
        .context("cannot write the result")
    }

    fn print_failure(
        &self,
        out: &mut File,
        error: &Error,
        dialect: ErrorDialect,
        request_id: &str,
    ) -> anyhow::Result<ExitCode> {
        if self.json {
            let document = dialect.document(error, Some(request_id), DOCUMENT_LIMIT);
            self.print(out, document.as_bytes(), true)?;
        }
        Ok(fail(&explain(error), exit_code(error.kind())))
    }
}

/// Standard output for the result alone. What a guest writes to it from now on, by whatever means, goes to standard
/// error: subprocesses and compiled extensions do not ask the runtime.
fn reserve_stdout() -> anyhow::Result<File> {
    let out = nix::unistd::dup(stdout()).context("cannot use standard output")?;
    nix::unistd::dup2_stdout(stderr()).context("cannot redirect standard output")?;
    Ok(File::from(out))
}

/// `app.py:main` as file and export.
fn split_export(handler: &str) -> (&str, Option<&str>) {
    match handler.rsplit_once(':') {
        Some((file, export)) if !export.contains('/') => (file, Some(export)),
        _ => (handler, None),
    }
}

/// The handler as it is seen from the task root: without the folder that has become it.
fn file_name_of<'a>(handler: &'a str, settings: &Settings) -> &'a str {
    match settings.task_root.origin {
        Origin::Argument => handler.rsplit_once('/').map_or(handler, |(_, name)| name),
        _ => handler,
    }
}

/// The event that `--event` names. What looks like JSON is JSON; anything else is a file.
fn read_event(argument: &str) -> anyhow::Result<Bytes> {
    if argument == "-" {
        let mut event = Vec::new();
        stdin()
            .lock()
            .read_to_end(&mut event)
            .context("cannot read the event from standard input")?;
        return Ok(event.into());
    }
    let first = argument.trim_start().bytes().next();
    let looks_like_json = first
        .is_some_and(|byte| matches!(byte, b'{' | b'[' | b'"' | b'-') || byte.is_ascii_digit())
        || ["true", "false", "null"].contains(&argument.trim());
    if looks_like_json {
        return Ok(Bytes::from(argument.to_owned()));
    }
    fs::read(argument).map(Bytes::from).with_context(|| {
        format!("the event {argument:?} is neither JSON nor a file that can be read")
    })
}
