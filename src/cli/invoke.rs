//! `trine invoke`: one function, one event, one answer.

use super::{
    Usage,
    debug_flags::DebugFlags,
    event_flag::{Unread, read_event},
    exit_codes::EXIT_CODES,
    fail,
    indent::indented,
    log_flags::LogFlags,
    otlp::OtlpFlag,
    permission_flags::PermissionFlags,
    print_beside,
    report::Reporter,
    settings, target,
};
use crate::{
    config,
    diagnostic::{DOCUMENT_LIMIT, exit_code, explain},
    engines::Registry,
    telemetry::{ErrorSink, Log, Opening, Role, Tracer},
    worker::{Answer, Function, Lost, Rescue, Worker},
};
use anyhow::Context;
use bytes::Bytes;
use clap::Args;
use serde::de::IgnoredAny;
use std::{
    env,
    fs::{self, File},
    future::Future,
    io::{self, Write, stderr, stdout},
    path::{Path, PathBuf},
    pin::pin,
    process::ExitCode,
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use tokio::{runtime::Builder, task::LocalSet};
use trine_engine::{
    Error, ErrorDialect, ErrorKind, Invocation, Payload, Profile, ResponseStream, timed_out,
};

/// Call a function once and print its result.
///
/// The result goes to standard output as JSON, everything that the function logs to standard error.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(super) struct Invoke {
    /// The handler: app.handler, src/app.py:handler or a file. Without it, _HANDLER or SCW_HANDLER_PATH.
    handler: Option<String>,
    /// The event: JSON text, a file, - for standard input, or @ and the name of one that 'trine event list' shows, with
    /// options as @s3?bucket=photos&key=a%20b.txt
    #[arg(
        long,
        short,
        default_value = "{}",
        value_name = "JSON|FILE|-|@NAME",
        allow_negative_numbers = true
    )]
    event: String,
    /// Print the result, or the error document of a failure, on one line, without indentation.
    #[arg(long)]
    json: bool,
    /// The time that the function is given: 30s, 500ms, 5m; a number alone is seconds.
    #[arg(long, value_name = "TIME", default_value = "15m", allow_negative_numbers = true, value_parser = |text: &str| config::TIMEOUT.parse(text))]
    timeout: Duration,
    /// How much memory the interpreter may take: 512MiB, 1GB; a number alone is MiB.
    #[arg(long, value_name = "SIZE", allow_negative_numbers = true, value_parser = |text: &str| config::MEMORY.parse(text))]
    memory: Option<u64>,
    #[command(flatten)]
    middleware_flag: target::MiddlewareFlag,
    #[command(flatten)]
    permissions: PermissionFlags,
    #[command(flatten)]
    log_flags: LogFlags,
    #[command(flatten)]
    debug: DebugFlags,
    /// Write where the handler spends its time to this file: as Chrome's developer tools read it (.cpuprofile) for JavaScript,
    /// as Python's pstats, as folded stacks for Lua
    #[arg(long, value_name = "FILE")]
    cpu_profile: Option<PathBuf>,
    /// Write what is in JavaScript's heap after the call to this file, as Chrome's developer tools read it (.heapsnapshot)
    #[arg(long, value_name = "FILE")]
    heap_snapshot: Option<PathBuf>,
    #[command(flatten)]
    otlp: OtlpFlag,
    /// Write Lambda's lines START, END and REPORT to standard error, with the time and the memory that the function took;
    /// with --log-format json, its records in their place.
    #[arg(long, short)]
    verbose: bool,
    /// The request id of this invocation.
    #[arg(long, value_name = "ID")]
    request_id: Option<String>,
    /// Client context of this invocation, as JSON.
    #[arg(long, value_name = "JSON")]
    client_context: Option<String>,
}

/// The time after its deadline at which an invocation that does not return is given up.
const LOST_AFTER: Duration = Duration::from_millis(500);

/// The least time that a function is given for what it still does at its program's end.
const LEAST_END_TIME: Duration = Duration::from_millis(500);

/// The longest time for what is left of traces when everything else has ended.
const LAST_SPANS: Duration = Duration::from_secs(2);

/// A result that nobody takes.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("cannot write the result")]
struct CannotWrite;

/// The outcome of a call that has not failed.
enum Outcome {
    /// A result, and its media type.
    Whole(Bytes, &'static str),
    /// A streamed answer, which was printed while it was made, as far as that could be done.
    Printed(io::Result<()>),
}

impl Invoke {
    pub(super) fn run(self, registry: &Registry) -> ExitCode {
        match self.invoke(registry) {
            Ok(code) => code,
            Err(error) => {
                // Everything else that can fail here is what the command line asks for.
                let code = if error.is::<CannotWrite>() { 1 } else { 2 };
                fail(&format!("error: {error:#}"), code)
            }
        }
    }

    fn invoke(self, registry: &Registry) -> anyhow::Result<ExitCode> {
        let event = match read_event(&self.event) {
            Ok(event) => event,
            Err(Unread::Flag(error)) => return Err(error),
            Err(Unread::NoJson { told, shown }) => return self.refuse(told, &shown, registry),
        };
        let out = reserve_stdout()?;
        let mut settings = settings()?;
        self.middleware_flag.apply_to(&mut settings);
        self.log_flags.apply_to(&mut settings);
        self.debug.apply_to(&mut settings);
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let located = target::locate(self.handler.as_deref(), &mut settings, registry);
        settings.limit_memory(self.memory);
        self.permissions.apply_to(&mut settings).map_err(Usage)?;
        if let Ok(located) = &located {
            let root = located.module.root.clone();
            let variables = settings.stand_in(&located.module.name, &root, Some(located));
            registry.set_missing(&variables);
        }
        let log = settings.log(ErrorSink);
        let tracer = self.otlp.start(&settings, &log)?;
        let mut options = settings.sequential_worker(tracer.attached_to(log.clone()));
        options.tracer = tracer.clone();
        let worker = Rc::new(Worker::new(options));
        let mut invocation = self.invocation();
        invocation.invoked_function_arn =
            settings.function.name.as_deref().map(|name| settings.arn(name));
        let span = tracer.open_from(named_trace, || Opening {
            name: settings.function.name.clone().unwrap_or_default().into(),
            role: Role::Server,
            facts: vec![("faas.trigger", "other".into())],
            ..Opening::default()
        });
        if let Some(span) = &span {
            span.carry(&mut invocation);
        }
        let request_id = invocation.request_id.clone();
        let begun = Instant::now();
        let reporter = self.verbose.then(|| Arc::new(Reporter::new(&settings, &request_id)));
        let reporter = reporter.as_ref();
        let run = async {
            let located = located.map_err(|error| {
                let dialect = target::likely_dialect(self.handler.as_deref(), &settings, registry);
                (error, dialect)
            })?;
            let dialect = located.engine.info().error_dialect;
            let run = async {
                let plan = settings.plan(located, registry)?;
                let function = Function::new(worker.clone(), plan);
                function.load().await?;
                if let Some(reporter) = reporter {
                    reporter.start();
                }
                let profile = self.begin_profile(&function).await?;
                // Its time begins once its code is loaded.
                invocation.deadline_ms = Some(self.deadline_ms());
                let invocation = Rc::new(invocation);
                let rescue = || Some(rescue(&invocation, reporter.cloned(), tracer.clone()));
                let call = function.invoke(Payload::Json(event), &invocation, rescue);
                let (answer, printed) = printing(call, &invocation, &out).await;
                self.write_profiles(profile, &function).await;
                let (result, claim) = answer.into_parts();
                if !claim.take() {
                    // The watchdog has answered and is about to end the process.
                    std::future::pending::<()>().await;
                }
                let stream = invocation.stream.out();
                if let Some(error) = stream.and_then(ResponseStream::take_failure) {
                    return Err(error);
                }
                match result? {
                    Payload::Streamed => Ok(Outcome::Printed(printed)),
                    whole => whole.into_bytes().map(|(body, kind)| Outcome::Whole(body, kind)),
                }
            };
            run.await.map_err(|error| (error, dialect))
        };
        LocalSet::new().block_on(&runtime, async {
            let outcome = run.await;
            if let (Some(span), Err((error, _))) = (&span, &outcome)
                && !span.has_failed()
            {
                span.fail(error);
            }
            drop(span);
            if let Some(reporter) = reporter {
                reporter.end(outcome.as_ref().err().map(|(error, _)| error), self.timeout);
            }
            let code = match outcome {
                Ok(Outcome::Whole(body, content_type)) => {
                    self.print(&out, &body, content_type == "application/json")?;
                    0
                }
                Ok(Outcome::Printed(printed)) => {
                    printed.context(CannotWrite)?;
                    0
                }
                Err((error, dialect)) => self.print_failure(&out, &error, dialect, &request_id)?,
            };
            // The answer is there; what the function still does at its program's end gets the rest of its time.
            let rest = self.timeout.saturating_sub(begun.elapsed());
            worker.end_by_itself(rest.max(LEAST_END_TIME), code.into()).await;
            tracer.finish(LAST_SPANS, &Log::new(log));
            Ok(ExitCode::from(code))
        })
    }

    /// Begins a profile where one is asked for.
    async fn begin_profile(&self, function: &Function) -> Result<Option<Profile>, Error> {
        match self.cpu_profile {
            Some(_) => function.profile().await.map(Some),
            None => Ok(None),
        }
    }

    /// Writes the files that are asked for beside the answer. What fails is told, and the answer stays.
    async fn write_profiles(&self, profile: Option<Profile>, function: &Function) {
        let told = |path: &Path, written: Result<(), String>| {
            let line = match written {
                Ok(()) => format!("wrote {}\n", path.display()),
                Err(why) => format!("warning: cannot write {}: {why}\n", path.display()),
            };
            print_beside(&line);
        };
        if let (Some(path), Some(profile)) = (&self.cpu_profile, profile) {
            let bytes = profile.finish().map_err(|error| error.message().to_owned());
            let written = bytes.and_then(|bytes| fs::write(path, bytes).map_err(|e| e.to_string()));
            told(path, written);
        }
        if let Some(path) = &self.heap_snapshot {
            let written = match File::create(path) {
                Ok(mut file) => {
                    let mut file = io::BufWriter::new(&mut file);
                    let taken = function.heap_snapshot(&mut file).await;
                    let flushed = file.flush().map_err(|error| error.to_string());
                    taken.map_err(|error| error.message().to_owned()).and(flushed)
                }
                Err(error) => Err(error.to_string()),
            };
            told(path, written);
        }
    }

    /// Tells that the event is no JSON, before any language has been started for it.
    fn refuse(&self, told: String, shown: &str, registry: &Registry) -> anyhow::Result<ExitCode> {
        let error = Error::new(ErrorKind::Unmarshal, told);
        if self.json {
            let dialect = target::likely_dialect(self.handler.as_deref(), &settings()?, registry);
            let document = dialect.document(&error, self.request_id.as_deref(), DOCUMENT_LIMIT);
            self.print(&reserve_stdout()?, document.as_bytes(), true)?;
        }
        Ok(fail(&format!("{}\n{shown}", explain(&error)), exit_code(error.kind())))
    }

    fn invocation(&self) -> Invocation {
        Invocation {
            request_id: self.request_id.clone().unwrap_or_else(|| uuid::Uuid::new_v4().to_string()),
            trace_id: env::var("_X_AMZN_TRACE_ID").ok(),
            client_context: self.client_context.clone(),
            event_is_json: true,
            ..Invocation::default()
        }
    }

    fn deadline_ms(&self) -> u64 {
        let deadline = SystemTime::now() + self.timeout;
        deadline.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as u64
    }

    fn print(&self, mut out: &File, body: &[u8], is_json: bool) -> anyhow::Result<()> {
        let pretty = is_json && !self.json;
        let text = std::str::from_utf8(body).ok().filter(|_| pretty);
        match text.filter(|text| serde_json::from_str::<IgnoredAny>(text).is_ok()) {
            Some(text) => writeln!(out, "{}", indented(text)),
            None => out.write_all(body).and_then(|()| if is_json { writeln!(out) } else { Ok(()) }),
        }
        .context(CannotWrite)
    }

    fn print_failure(
        &self,
        out: &File,
        error: &Error,
        dialect: ErrorDialect,
        request_id: &str,
    ) -> anyhow::Result<u8> {
        if self.json {
            let document = dialect.document(error, Some(request_id), DOCUMENT_LIMIT);
            self.print(out, document.as_bytes(), true)?;
        }
        let code = exit_code(error.kind());
        fail(&explain(error), code);
        Ok(code)
    }
}

/// Runs a call, and prints what it streams as it comes.
async fn printing(
    call: impl Future<Output = Answer>,
    invocation: &Invocation,
    mut out: &File,
) -> (Answer, io::Result<()>) {
    let mut call = pin!(call);
    let answer = invocation.stream.until_out(call.as_mut()).await;
    let Some(stream) = invocation.stream.out() else {
        return match answer {
            Some(answer) => (answer, Ok(())),
            None => (call.await, Ok(())),
        };
    };
    let mut reader = stream.reader();
    let print = async move {
        // Whoever no longer reads ends the stream: the reader's end is dropped with the error.
        while let Some(chunk) = reader.chunk().await {
            out.write_all(&chunk)?;
        }
        Ok(())
    };
    match answer {
        Some(answer) => (answer, print.await),
        None => futures::future::join(call, print).await,
    }
}

/// Returns what names the trace that an invocation is part of: variables, as of a program that another one has started.
fn named_trace(field: &str) -> Option<String> {
    let name = match field {
        "traceparent" => "TRACEPARENT",
        "tracestate" => "TRACESTATE",
        "baggage" => "BAGGAGE",
        _ => "_X_AMZN_TRACE_ID",
    };
    env::var(name).ok()
}

/// Returns what the watchdog does when the invocation overruns its time: nobody else could report it.
fn rescue(invocation: &Invocation, reporter: Option<Arc<Reporter>>, tracer: Tracer) -> Rescue {
    let id = invocation.request_id.clone();
    let act = move |lost: &Lost| {
        let message =
            format!("{}; it runs native code that cannot be stopped", timed_out(&id, lost.given));
        let error = Error::new(ErrorKind::Timeout, message);
        if let Some(reporter) = &reporter {
            reporter.end(Some(&error), lost.given);
        }
        fail(&explain(&error), 0);
        tracer.flush_blocking(LAST_SPANS);
        trine_process::end(exit_code(ErrorKind::Timeout).into());
    };
    Rescue { act: Box::new(act), lost_after: Some(LOST_AFTER) }
}

/// Reserves standard output for the result. What a guest writes to it from now on, by whatever means, goes to standard
/// error: subprocesses and compiled extensions bypass the runtime.
fn reserve_stdout() -> anyhow::Result<File> {
    let out = nix::unistd::dup(stdout()).context("cannot use standard output")?;
    nix::unistd::dup2_stdout(stderr()).context("cannot redirect standard output")?;
    Ok(File::from(out))
}
