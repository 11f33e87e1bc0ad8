//! The process as a Lambda runtime: `bootstrap`.

use super::{fail, otlp, role::RUNTIME_API, wrapper};
use crate::{
    config::{Format, Origin, Setting, SettingError, Settings, as_managed},
    diagnostic::beyond_record,
    engines::Registry,
    handler::{Located, SearchPaths, from_environment, likely_dialect},
    lambda::{Door, Ended, ManagedDoor, RuntimeApi},
    telemetry::{FrameSink, LambdaSink, Log, Tracer},
    worker::Worker,
};
use anyhow::Context;
use nix::unistd::{dup2_stderr, dup2_stdout};
use std::{
    borrow::Cow,
    env,
    ffi::{OsStr, OsString},
    os::unix::net::UnixStream,
    process::ExitCode,
    sync::Arc,
    time::Duration,
};
use tokio::{
    runtime::Builder,
    task::{self, JoinError, LocalSet},
};
use trine_engine::{Engine, Error, ErrorDialect, ErrorKind, Level, LogFormat, Module, Wanted};

/// The exit statuses of a function that fails around a snapshot, as of AWS's own runtimes.
const SNAPSHOT_EXIT: u8 = 64;
const RESTORE_EXIT: u8 = 65;

/// The longest time for what is left of traces when everything else has ended: the platform waits no longer.
const LAST_SPANS: Duration = Duration::from_millis(200);
/// The same where the start has failed.
const SPANS_OF_START: Duration = Duration::from_secs(1);

/// Serves invocations until the platform ends it. Exit status: 0 after SIGTERM or SIGINT, 1 when the function could not
/// be loaded or the Runtime API is gone, 64 and 65 when it failed before a snapshot or after a restore, 124 when an
/// invocation that nothing could stop had to be answered in its place; 127 and 126, as from a shell, when the wrapper
/// script is missing or cannot be executed.
pub(super) fn run(
    handler: Option<&OsStr>,
    command_line: &[OsString],
    registry: &Registry,
    refused: Option<Error>,
) -> ExitCode {
    run_function(&Function::Named(handler), command_line, registry, refused)
}

/// As [`run`], for a function that is this engine's whatever the handler string says.
pub(crate) fn run_own(engine: Arc<dyn Engine>, registry: &Registry) -> ExitCode {
    let command_line: Vec<OsString> = env::args_os().collect();
    run_function(&Function::Own(engine), &command_line, registry, None)
}

/// The function to serve.
enum Function<'a> {
    /// The one that the process's argument or its environment names.
    Named(Option<&'a OsStr>),
    /// That of an engine that makes of the handler string what it likes.
    Own(Arc<dyn Engine>),
}

impl Function<'_> {
    /// Returns the argument that names a function.
    fn argument(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Named(handler) => handler.map(OsStr::to_string_lossy),
            Self::Own(_) => None,
        }
    }

    fn find(&self, search: &SearchPaths, registry: &Registry) -> trine_engine::Result<Located> {
        let variable = |name: &str| env::var(name).ok();
        let Self::Own(engine) = self else {
            return from_environment(self.argument().as_deref(), variable, search, registry);
        };
        let handler = variable("_HANDLER").unwrap_or_default();
        let (root, path) = (&search.task_root, search.task_root.join(&handler));
        let module = Module::new(root, path, handler, Wanted::Handler(String::new()));
        Ok(Located { engine: engine.clone(), module })
    }

    /// Returns the look of an error to a caller, where there is no function.
    fn likely_dialect(&self, search: &SearchPaths, registry: &Registry) -> ErrorDialect {
        match self {
            Self::Named(_) => {
                let variable = |name: &str| env::var(name).ok();
                likely_dialect(self.argument().as_deref(), variable, search, registry)
            }
            Self::Own(engine) => engine.info().error_dialect,
        }
    }
}

fn run_function(
    function: &Function<'_>,
    command_line: &[OsString],
    registry: &Registry,
    refused: Option<Error>,
) -> ExitCode {
    let wrapped = wrapper::enter(command_line);
    let status = wrapped.as_ref().err().map_or(1, |failed| failed.status);
    let wrapped = wrapped.map_err(|failed| failed.error);
    match serve(function, wrapped.and_then(|()| refused.map_or(Ok(()), Err)), registry) {
        Ok(Ended::Signal) => ExitCode::SUCCESS,
        // The record is in the log already.
        Ok(Ended::Init(_)) => ExitCode::from(status),
        Ok(Ended::Snapshot(_)) => ExitCode::from(SNAPSHOT_EXIT),
        Ok(Ended::Restore(_)) => ExitCode::from(RESTORE_EXIT),
        Ok(Ended::Api(error)) => fail(&format!("error: {error}"), 1),
        Err(error) => fail(&format!("error: {error:#}"), 1),
    }
}

fn serve(
    function: &Function<'_>,
    begun: trine_engine::Result<()>,
    registry: &Registry,
) -> anyhow::Result<Ended> {
    let address = env::var(RUNTIME_API).context(
        "AWS_LAMBDA_RUNTIME_API is not set: as 'bootstrap' this program is a Lambda runtime and needs to know where \
         the Runtime API is; run it as 'trine' for its other commands, or under 'trine emulator'",
    )?;
    let (mut settings, wrong) = Settings::sensible(|name| env::var(name).ok());
    let is_managed = settings.concurrency > 1;
    // Taken from the environment in any case.
    let frames = FrameSink::from_environment();
    let has_stream = is_managed && managed_logs(&mut settings);
    let log = match frames.filter(|_| !has_stream) {
        Some(frames) => settings.log(frames),
        None => settings.log(LambdaSink::new()),
    };
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let search = settings.search_paths();
    let located =
        begun.and_then(|()| make_sense(&wrong)).and_then(|()| function.find(&search, registry));
    let plan = match located {
        Ok(located) => {
            registry.set_missing(&as_managed(&located, function.argument().as_deref()));
            let dialect = located.engine.info().error_dialect;
            settings.plan(located, registry).map_err(|error| (error, dialect))
        }
        Err(error) => Err((error, function.likely_dialect(&search, registry))),
    };
    let tracer = otlp::on_lambda(&settings, &log).unwrap_or_else(|why| {
        // These variables may be meant for what the function brings along, which is no reason not to start.
        Log::new(log.clone()).line(Level::Warn, &format!("no traces are sent: {why}"), &[]);
        Tracer::default()
    });
    let plain = Log::new(log.clone());
    let log = tracer.attached_to(log);
    // Loop and connection are tasks of one set, which wake each other without a pass through the system's event queue.
    let local = LocalSet::new();
    let ended = if is_managed {
        let (mut main, mut others) = settings.managed_workers(log.clone());
        (main.tracer, others.tracer) = (tracer.clone(), tracer.clone());
        let door = ManagedDoor {
            address,
            concurrency: settings.concurrency,
            threads: settings.threads,
            spread: settings.spread,
            main,
            others,
            log: Log::new(log.clone()),
        };
        let run = async { task::spawn_local(door.run(plan)).await };
        returned(local.block_on(&runtime, run))?
    } else {
        let mut options = settings.sequential_worker(log.clone());
        options.tracer = tracer.clone();
        let worker = Worker::new(options);
        let door = Door::new(RuntimeApi::new(&address)?, worker, Log::new(log.clone()));
        let run = async { task::spawn_local(door.run(plan)).await };
        returned(local.block_on(&runtime, run))
    };
    // Who has failed to start is not asked to end.
    let limit = if ended.error().is_some() { SPANS_OF_START } else { LAST_SPANS };
    tracer.finish(limit, &plain);
    // The record of the error is in the log already; in JSON every line is one object.
    if let Some(error) = ended.error()
        && settings.log_format.value.0 == LogFormat::Text
    {
        let more = beyond_record(error);
        if !more.is_empty() {
            Log::new(log).verbatim(Level::Error, &more);
        }
    }
    Ok(ended)
}

/// Returns what a task has returned; its panic goes on here.
fn returned<T>(ended: Result<T, JoinError>) -> T {
    ended.unwrap_or_else(|panicked| std::panic::resume_unwind(panicked.into_panic()))
}

/// Has all logs be JSON, as where invocations come side by side, and go to the platform's socket where there is one:
/// whatever writes to the standard outputs, also what guests start. Returns whether there is one.
fn managed_logs(settings: &mut Settings) -> bool {
    let origin = Origin::Environment("AWS_LAMBDA_MAX_CONCURRENCY");
    settings.log_format = Setting { value: Format(LogFormat::Json), origin };
    let Some(path) = env::var_os("_LAMBDA_TELEMETRY_LOG_FD_PROVIDER_SOCKET") else { return false };
    // Each connection is a log stream. Without one, lines go where they went before.
    for output in [dup2_stdout as fn(UnixStream) -> nix::Result<()>, dup2_stderr] {
        if let Ok(stream) = UnixStream::connect(&path) {
            let _ = output(stream);
        }
    }
    true
}

/// Refuses settings that make no sense: the platform is told, as of any other reason why the function cannot start.
fn make_sense(wrong: &[SettingError]) -> trine_engine::Result<()> {
    if wrong.is_empty() {
        return Ok(());
    }
    let message = wrong.iter().map(SettingError::to_string).collect::<Vec<_>>().join("; ");
    Err(Error::new(ErrorKind::Unsupported, message).with_name("Runtime.InvalidSetting"))
}
