//! The runs of cases: each function in a worker of its own, kept warm from case to case.

use super::{
    capture::Capture,
    outcome::{Ran, Status},
};
use crate::{
    cli::indent::indented,
    config::Settings,
    diagnostic::{DOCUMENT_LIMIT, explain},
    engines::Registry,
    suite::{Case, Expectation, Outcome, Suite, Verdict, event, expect, judge},
    worker::{Answer, Function, Lost, Rescue, Worker, WorkerOptions},
};
use bytes::Bytes;
use std::{
    fs::File,
    future::Future,
    io::Write,
    pin::pin,
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use trine_engine::{
    Error, ErrorKind, FunctionInfo, Invocation, Payload, ResponseStream, timed_out,
};

/// The time after its deadline at which a case that does not return is given up.
const LOST_AFTER: Duration = Duration::from_millis(500);

/// What holds for all cases.
pub(super) struct Run<'a> {
    pub(super) settings: &'a Settings,
    pub(super) registry: &'a Registry,
    pub(super) options: WorkerOptions,
    pub(super) capture: &'a Capture,
    pub(super) timeout: Duration,
    pub(super) update: bool,
    pub(super) force: bool,
    /// The report, for cases that never come back.
    pub(super) out: Arc<File>,
}

/// What a case has come to, and whether a file may expect it.
struct Called {
    outcome: Outcome,
    may_be_expected: bool,
    time: Duration,
}

impl Run<'_> {
    /// Runs the cases of a function, in order; `each` is told of every one. Returns its worker, which is to be ended when
    /// all have run.
    pub(super) async fn suite(&self, suite: Suite, each: &mut impl FnMut(Ran)) -> Rc<Worker> {
        let Suite { located, cases, .. } = suite;
        let name = self.settings.function.name.clone();
        let name = name.unwrap_or_else(|| located.module.name.clone());
        let mut options = self.options.clone();
        let info = FunctionInfo { name: Some(name.clone()), ..self.settings.function.clone() };
        options.environment = options.environment.with_function(info);
        let worker = Rc::new(Worker::new(options));
        let begun = Instant::now();
        let loaded = match self.settings.plan(located, self.registry) {
            Ok(plan) => {
                let function = Function::new(worker.clone(), plan);
                function.load().await.map(|()| function)
            }
            Err(error) => Err(error),
        };
        match loaded {
            Ok(function) => {
                for case in cases {
                    each(self.case(&function, case, &name).await);
                }
            }
            Err(error) => {
                let told: Vec<String> = explain(&error).lines().map(str::to_owned).collect();
                for (number, case) in cases.into_iter().enumerate() {
                    let lines = match number {
                        0 => told.clone(),
                        _ => vec!["the function cannot be loaded, see above".to_owned()],
                    };
                    let time = if number == 0 { begun.elapsed() } else { Duration::ZERO };
                    each(self.ran(case, Status::Failed, lines, time));
                }
            }
        }
        worker
    }

    fn ran(&self, case: Case, status: Status, lines: Vec<String>, time: Duration) -> Ran {
        let log = self.capture.take();
        let event = case.shown(&case.event).to_owned();
        Ran { name: case.name, event, status, lines, log, time }
    }

    async fn case(&self, function: &Function, case: Case, name: &str) -> Ran {
        let event = match event(&case) {
            Ok(event) => event,
            Err(lines) => return self.ran(case, Status::Failed, lines, Duration::ZERO),
        };
        let called = self.call(function, event, &case, name).await;
        // What it has begun to write belongs to it.
        function.rest().await;
        let verdict = judge(&case, &called.outcome);
        let writes = match (&verdict, &case.expectation) {
            (Verdict::Passed, _) | (_, Expectation::Unclear(_)) => false,
            (_, Expectation::Nothing) => self.update,
            _ => self.force,
        };
        let (status, lines) = if writes && called.may_be_expected {
            match expect(&case, &called.outcome, indented) {
                Ok(file) => {
                    let file = case.shown(&file).display();
                    let told = match &called.outcome {
                        Outcome::Answer { .. } => file.to_string(),
                        Outcome::Failure { told, .. } => {
                            // What was no mistake is expected from now on, so it is said.
                            format!(
                                "{file}, of a failure: {}",
                                told.lines().next().unwrap_or_default()
                            )
                        }
                    };
                    (Status::Written, vec![told])
                }
                Err(told) => (Status::Failed, vec![told]),
            }
        } else {
            match verdict {
                Verdict::Passed => (Status::Passed, Vec::new()),
                Verdict::Open => (Status::Open, Vec::new()),
                Verdict::Failed(lines) => (Status::Failed, lines),
            }
        };
        let ran = self.ran(case, status, lines, called.time);
        // An error of this comes again with the next case, where it can be told.
        let _ = function.refresh().await;
        ran
    }

    async fn call(&self, function: &Function, event: Bytes, case: &Case, name: &str) -> Called {
        let deadline = SystemTime::now() + self.timeout;
        let deadline = deadline.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let invocation = Rc::new(Invocation {
            deadline_ms: Some(deadline as u64),
            invoked_function_arn: Some(self.settings.arn(name)),
            function_name: Some(name.to_owned()),
            ..Invocation::json(uuid::Uuid::new_v4().to_string())
        });
        let begun = Instant::now();
        let rescue = || Some(self.rescue(&invocation.request_id, &case.name));
        let call = function.invoke(Payload::Json(event), &invocation, rescue);
        let (answer, streamed) = collecting(call, &invocation).await;
        let (result, claim) = answer.into_parts();
        if !claim.take() {
            // The watchdog has told of it and is about to end the process.
            std::future::pending::<()>().await;
        }
        let failure = invocation.stream.out().and_then(ResponseStream::take_failure);
        let result = failure.map_or(result, Err).and_then(|payload| match payload {
            Payload::Streamed => Ok((Bytes::from(streamed), "")),
            whole => whole.into_bytes(),
        });
        let time = begun.elapsed();
        match result {
            Ok((body, kind)) => {
                let outcome = Outcome::Answer { body, is_json: kind == "application/json" };
                Called { outcome, may_be_expected: true, time }
            }
            Err(error) => {
                let document = function.dialect().document(&error, None, DOCUMENT_LIMIT);
                let outcome = Outcome::Failure { document, told: explain(&error) };
                // What stopped it is no answer.
                Called { outcome, may_be_expected: error.kind() == ErrorKind::Guest, time }
            }
        }
    }

    /// Returns what the watchdog does when a case overruns its time: nobody else could tell.
    fn rescue(&self, request_id: &str, name: &str) -> Rescue {
        let (id, name, out) = (request_id.to_owned(), name.to_owned(), self.out.clone());
        let act = move |lost: &Lost| {
            let message = format!(
                "{}; it runs native code that cannot be stopped, so no other case is run",
                timed_out(&id, lost.given)
            );
            let error = explain(&Error::new(ErrorKind::Timeout, message));
            // Whoever has closed the other end does not want to know.
            let _ = writeln!(&*out, "  FAIL  {name}\n        {error}");
            trine_process::end(1);
        };
        Rescue { act: Box::new(act), lost_after: Some(LOST_AFTER) }
    }
}

/// Runs a call to its end, and collects what it streams.
async fn collecting(
    call: impl Future<Output = Answer>,
    invocation: &Invocation,
) -> (Answer, Vec<u8>) {
    let mut call = pin!(call);
    let answer = invocation.stream.until_out(call.as_mut()).await;
    let Some(stream) = invocation.stream.out() else {
        return match answer {
            Some(answer) => (answer, Vec::new()),
            None => (call.await, Vec::new()),
        };
    };
    let mut reader = stream.reader();
    let collect = async move {
        let mut all = Vec::new();
        while let Some(chunk) = reader.chunk().await {
            all.extend_from_slice(&chunk);
        }
        all
    };
    match answer {
        Some(answer) => (answer, collect.await),
        None => futures::future::join(call, collect).await,
    }
}
