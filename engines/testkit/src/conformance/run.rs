//! Running one case in one language: a fresh instance on a thread of its own, all invocations, then the log.

use super::{
    case::{Expectation, Script, Step},
    matcher::{check_bytes, check_json, shortened},
    stream::{Called, read_along},
};
use serde_json::Value;
use std::{
    future::Future,
    path::{Path, PathBuf},
    rc::Rc,
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::task::LocalSet;
use trine_engine::{
    Engine, Environment, Error, Form, FunctionId, FunctionInfo, Instance, Invocation, LogSettings,
    LogSink, Module, Payload, RawPayload, Stream, Wanted,
};

/// Maximum time a case may take before it counts as hung.
const CASE_TIMEOUT: Duration = Duration::from_secs(60);

/// A handler file of a case, and the engine that runs it.
#[derive(Clone)]
pub(super) struct Subject {
    pub(super) engine: Arc<dyn Engine>,
    pub(super) folder: PathBuf,
    pub(super) file: PathBuf,
    pub(super) extension: String,
}

/// A sink that keeps what guests write.
#[derive(Debug, Default)]
pub(super) struct CapturingSink {
    written: Mutex<Vec<u8>>,
}

impl LogSink for CapturingSink {
    fn write(&self, _stream: Stream, line: &[u8]) {
        self.written.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(line);
    }
}

impl CapturingSink {
    pub(super) fn text(&self) -> String {
        let written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&written).into_owned()
    }
}

/// Runs a script; fails with what differed from the expectations, and the log.
pub(super) fn run(subject: Subject, script: Script) -> Result<(), String> {
    on_a_thread(move |sink| drive(&subject, script, sink))
}

/// Runs `drive` on a thread of its own, for a limited time; fails with its error and what guests wrote meanwhile.
pub(super) fn on_a_thread(
    drive: impl FnOnce(&Arc<CapturingSink>) -> Result<(), String> + Send + 'static,
) -> Result<(), String> {
    let sink = Arc::new(CapturingSink::default());
    let (sender, receiver) = mpsc::channel();
    let log = Arc::clone(&sink);
    let spawned = thread::Builder::new().name("instance".into()).spawn(move || {
        // Nobody listens any more once time has run out.
        let _ = sender.send(drive(&log));
    });
    let instance = spawned.map_err(|e| format!("cannot start a thread: {e}"))?;
    let result = match receiver.recv_timeout(CASE_TIMEOUT) {
        Ok(result) => {
            // The interpreter's thread-locals must go before the next trial may start in this place.
            let _ = instance.join();
            result
        }
        Err(mpsc::RecvTimeoutError::Timeout) => {
            Err(format!("the case still runs after {} s", CASE_TIMEOUT.as_secs()))
        }
        Err(mpsc::RecvTimeoutError::Disconnected) => Err(match instance.join() {
            Err(panic) => format!("the engine panicked: {}", panic_text(&*panic)),
            Ok(()) => "the engine's thread ended without a result".into(),
        }),
    };
    result.map_err(|message| match sink.text() {
        log if log.is_empty() => message,
        log => format!("{message}\nlog:\n{}", shortened(&log)),
    })
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    match panic.downcast_ref::<String>() {
        Some(text) => text,
        None => panic.downcast_ref::<&str>().copied().unwrap_or("no message"),
    }
}

fn drive(subject: &Subject, script: Script, sink: &Arc<CapturingSink>) -> Result<(), String> {
    let environment = environment(&subject.folder, &script, sink);
    block_on(async {
        let instance = subject
            .engine
            .start(&environment)
            .map_err(|e| format!("the engine did not start: {e:#}"))?;
        let result = load_and_call(subject, &script, &instance).await;
        instance.shutdown();
        result
    })?;
    check_log(&script, &sink.text())
}

/// Runs a future that stays on this thread, on a runtime of its own.
pub(super) fn block_on(future: impl Future<Output = Result<(), String>>) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| format!("cannot start a runtime: {e}"))?;
    LocalSet::new().block_on(&runtime, future)
}

/// Makes the environment for instances of a case whose task root is `root`.
pub(super) fn environment(root: &Path, script: &Script, sink: &Arc<CapturingSink>) -> Environment {
    let function = FunctionInfo {
        name: Some("conformance".into()),
        version: Some("$LATEST".into()),
        memory_mb: Some("128".into()),
        log_group: Some("/aws/lambda/conformance".into()),
        log_stream: Some("2026/01/31/[$LATEST]0123456789abcdef".into()),
    };
    let log = LogSettings {
        sink: Arc::clone(sink) as Arc<dyn LogSink>,
        format: script.log_format,
        level: script.log_level,
    };
    // No trace id in the environment: trials run side by side in one process, which has one.
    Environment::new(root.join("opt"), log)
        .with_function(function)
        .with_memory_limit(Some(128 << 20))
        .with_permissions(script.permissions.clone())
}

async fn load_and_call(
    subject: &Subject,
    script: &Script,
    instance: &Rc<dyn Instance>,
) -> Result<(), String> {
    let module = Module::new(
        &subject.folder,
        &subject.file,
        "handler",
        script.export.clone().map_or(Wanted::Unnamed, Wanted::Handler),
    );
    let loaded = instance.load(&module).await;
    let exports = match (&script.load_error, loaded) {
        (None, Ok(exports)) => exports,
        (None, Err(error)) => return Err(format!("the handler did not load: {error:#}")),
        (Some(_), Ok(_)) => return Err("the handler loaded, which it should not".into()),
        (Some(matcher), Err(error)) => return matcher.check(&error, &subject.extension),
    };
    let [(_, function)] = exports.functions.as_slice() else {
        return Err(format!("loading gave {} functions, not one", exports.functions.len()));
    };
    let native = subject.engine.info().capabilities.native_values;
    let mut results = Vec::new();
    if script.side_by_side {
        let calls: Vec<_> = script
            .steps
            .iter()
            .enumerate()
            .map(|(at, step)| {
                let call = call(Rc::clone(instance), *function, prepare(at, step), native);
                tokio::task::spawn_local(call)
            })
            .collect();
        for call in calls {
            results.push(call.await.map_err(|e| format!("a call did not end: {e}"))?);
        }
    }
    for (at, step) in script.steps.iter().enumerate() {
        let result = match results.get_mut(at) {
            Some(result) => {
                let nothing = Called { result: Ok(Payload::json("")), read: None };
                std::mem::replace(result, nothing)
            }
            None => call(Rc::clone(instance), *function, prepare(at, step), native).await,
        };
        check(step, result, &subject.extension).map_err(|e| format!("invocation {at}: {e}"))?;
    }
    Ok(())
}

/// Everything that a call needs, owned.
pub(super) struct Prepared {
    pub(super) event: Payload,
    pub(super) invocation: Rc<Invocation>,
    hops: u64,
    interrupt_in: Option<Duration>,
    /// The number of chunks after which nobody reads any more.
    pub(super) gone_after: Option<u64>,
}

pub(super) fn prepare(at: usize, step: &Step) -> Prepared {
    let context = &step.context;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let invocation = Invocation {
        request_id: context
            .request_id
            .clone()
            .unwrap_or_else(|| format!("00000000-0000-4000-8000-{at:012}")),
        deadline_ms: context.deadline_in.map(|limit| (now + limit).as_millis() as u64),
        invoked_function_arn: context.invoked_function_arn.clone(),
        trace_id: context.trace_id.clone(),
        client_context: context.client_context.clone(),
        identity: context.identity.clone(),
        tenant_id: context.tenant_id.clone(),
        w3c: context.w3c.clone(),
        function_name: None,
        event_is_json: step.event_is_json,
        ..Invocation::default()
    };
    Prepared {
        event: match step.event_is_json {
            true => Payload::Json(step.event.clone()),
            false => Payload::Raw(RawPayload {
                bytes: step.event.clone(),
                content_type: "application/octet-stream",
            }),
        },
        invocation: Rc::new(invocation),
        hops: step.hops,
        interrupt_in: step.interrupt_in,
        gone_after: match &step.expectation {
            Expectation::Stream(stream) => stream.gone_after,
            _ => None,
        },
    }
}

/// Calls the handler as often as the step says, from the second time on with its own result.
async fn call(
    instance: Rc<dyn Instance>,
    function: FunctionId,
    prepared: Prepared,
    native: bool,
) -> Called {
    let Prepared { event, invocation, hops, interrupt_in, gone_after } = prepared;
    // Dropping the sender at the end of the call tells the thread that there is nothing left to stop.
    let _running = interrupt_in.map(|limit| {
        let (running, ended) = mpsc::channel::<()>();
        let interrupter = instance.interrupter();
        thread::spawn(move || {
            if ended.recv_timeout(limit) == Err(mpsc::RecvTimeoutError::Timeout) {
                interrupter.interrupt();
            }
        });
        running
    });
    let calls = async {
        let mut payload = event;
        for hop in 1..=hops {
            let form = if hop < hops { Form::Native } else { Form::Json };
            payload = instance.call(function, payload, form, &invocation).await?;
            let is_native = matches!(payload, Payload::Native(_));
            if native && is_native != (form == Form::Native) {
                let text = format!("asked for {form:?}, got {payload:?}");
                return Err(Error::internal(text));
            }
        }
        Ok(payload)
    };
    read_along(&invocation, gone_after, calls).await
}

pub(super) fn check(step: &Step, called: Called, extension: &str) -> Result<(), String> {
    if let Expectation::Stream(expected) = &step.expectation {
        return expected.check(called, extension);
    }
    let payload = match (called.whole(), &step.expectation) {
        (Err(error), Expectation::Error(matcher)) => return matcher.check(&error, extension),
        (Err(error), _) => return Err(format!("an error came instead of a result: {error:#}")),
        (Ok(payload), _) => payload,
    };
    let (bytes, _) = payload.into_bytes().map_err(|e| format!("the result has no bytes: {e:#}"))?;
    match &step.expectation {
        Expectation::Error(_) | Expectation::Stream(_) => Err(format!(
            "a result came instead of an error: {}",
            shortened(&String::from_utf8_lossy(&bytes))
        )),
        Expectation::Bytes(expected) => check_bytes(expected, &bytes),
        Expectation::Json(expected) => {
            let found: Value = serde_json::from_slice(&bytes).map_err(|e| {
                let text = shortened(&String::from_utf8_lossy(&bytes));
                format!("the result is no JSON ({e}): {text}")
            })?;
            check_json(expected, &found)
        }
    }
}

pub(super) fn check_log(script: &Script, log: &str) -> Result<(), String> {
    if let Some(missing) = script.log_contains.iter().find(|part| !log.contains(*part)) {
        return Err(format!("the log does not contain {missing:?}"));
    }
    if let Some(present) = script.log_lacks.iter().find(|part| log.contains(*part)) {
        return Err(format!("the log contains {present:?}, which it should not"));
    }
    Ok(())
}
