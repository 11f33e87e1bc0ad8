//! The loop: load, then take an event, run it, answer it, for as long as the platform wants.

use super::{
    ApiError, Next, RESPONSE_LIMIT, RuntimeApi, Verdict, extension, invocation_from,
    rescue::Rescuer,
};
use crate::{
    diagnostic::{DOCUMENT_LIMIT, error_type_header, invoke_record, xray_cause},
    pipeline::Plan,
    signals::{Signals, end_was_requested},
    telemetry::Log,
    worker::{Answer, END_TIME, Function, Worker},
};
use bytes::Bytes;
use std::{
    future::{Future, poll_fn, ready},
    pin::{Pin, pin},
    rc::Rc,
    sync::{Arc, atomic::AtomicBool},
    task::Poll,
};
use trine_engine::{
    Error, ErrorDialect, ErrorKind, Invocation, Level, Payload, RawPayload, Result,
};

/// The front door of one function.
pub struct Door {
    pub(super) api: RuntimeApi,
    worker: Rc<Worker>,
    pub(super) log: Log,
}

/// The reason why the loop ended.
#[derive(Debug)]
pub enum Ended {
    /// A signal from the platform.
    Signal,
    /// A function that could not be loaded; the platform has been told.
    Init(Error),
    /// A Runtime API that is gone or refuses to go on.
    Api(ApiError),
}

impl Door {
    /// Makes a door to the Runtime API `api` whose functions run on `worker`.
    pub fn new(api: RuntimeApi, worker: Worker, log: Log) -> Self {
        Self { api, worker: Rc::new(worker), log }
    }

    /// Loads the function and serves invocations until the platform ends it. `plan` is the outcome of the search for
    /// the handler and its middlewares: its failure is an init error like any other, in the dialect beside it.
    pub async fn run(mut self, plan: Result<Plan, (Error, ErrorDialect)>) -> Ended {
        // From here on a signal means an orderly end, even while the function is being loaded.
        let signals = Signals::new();
        let ended = match plan {
            Ok(plan) => {
                let function = Function::new(self.worker.clone(), plan);
                match signals {
                    Ok(signals) => self.serve(&function, signals).await,
                    Err(error) => {
                        let error = Error::internal(format!("cannot listen for signals: {error}"));
                        self.fail_init(error, function.dialect()).await
                    }
                }
            }
            Err((error, dialect)) => self.fail_init(error, dialect).await,
        };
        self.worker.shutdown().await;
        ended
    }

    async fn serve(&mut self, function: &Function, mut signals: Signals) -> Ended {
        let dialect = function.dialect();
        // One wait for all invocations: when it is over, so is the loop.
        let mut stop = pin!(async {
            let _ = signals.next().await;
        });
        match self.load(stop.as_mut(), function.load()).await {
            None => return Ended::Signal,
            Some(Err(error)) => return self.fail_init(error, dialect).await,
            Some(Ok(())) => {}
        }
        if self.worker.has_shutdown_hooks()
            && let Err(reason) = extension::register(self.api.address()).await
        {
            let message = format!(
                "shutdown hooks may not run, because the platform will send no SIGTERM: {reason}"
            );
            self.log.line(Level::Warn, &message, &[]);
        }
        let rescuer = Arc::new(Rescuer {
            address: self.api.address().to_owned(),
            dialect,
            log: self.log.clone(),
            streams: AtomicBool::new(false),
        });
        loop {
            let next = match self.api.next(stop.as_mut()).await {
                Ok(Some(next)) => next,
                Ok(None) => return Ended::Signal,
                Err(error) => return Ended::Api(error),
            };
            let invocation = Rc::new(invocation_from(&next.headers));
            let event = event(&next, &invocation);
            let rescue = || Some(rescuer.rescue(&next.delivery));
            let call = function.invoke(event, &invocation, rescue);
            if let Err(error) = self.run_one(&next, &invocation, call, &rescuer).await {
                return Ended::Api(error);
            }
            if !function.is_worn() {
                continue;
            }
            match self.load(stop.as_mut(), function.refresh()).await {
                None => return Ended::Signal,
                Some(Err(error)) => {
                    let record = invoke_record(&error, dialect, self.log.format(), None);
                    self.log.verbatim(Level::Error, &record);
                    return Ended::Init(error);
                }
                Some(Ok(())) => {}
            }
        }
    }

    /// Runs one call to its end, and answers: when it has ended, or from the first chunk of an answer that is streamed.
    async fn run_one(
        &mut self,
        next: &Next,
        invocation: &Rc<Invocation>,
        call: impl Future<Output = Answer>,
        rescuer: &Rescuer,
    ) -> Result<(), ApiError> {
        let mut call = pin!(call);
        let answer = poll_fn(|cx| match call.as_mut().poll(cx) {
            Poll::Ready(answer) => Poll::Ready(Some(answer)),
            Poll::Pending => invocation.stream.poll_out(cx).map(|_| None),
        });
        let (result, claim) = match answer.await.map(Answer::into_parts) {
            None => {
                let rest = async { call.await.into_parts().1 };
                return self.stream(next, invocation, rest, rescuer).await;
            }
            Some((Ok(Payload::Streamed), claim)) => {
                return self.stream(next, invocation, ready(claim), rescuer).await;
            }
            Some(other) => other,
        };
        let result = result.and_then(sendable);
        if !claim.take() {
            // The watchdog has answered and is about to end the process.
            std::future::pending::<()>().await;
        }
        self.answer(next, invocation, result, rescuer.dialect).await
    }

    /// Waits for what may run a guest's modules. Returns `None` if the process was asked to end meanwhile: what waits
    /// is given up at once, and what holds the thread takes the process with it when its time is over.
    async fn load(
        &self,
        stop: Pin<&mut impl Future<Output = ()>>,
        loading: impl Future<Output = Result<()>>,
    ) -> Option<Result<()>> {
        let watchdog = &self.worker.options().watchdog;
        let _watched = watchdog.arm_unless(end_was_requested, END_TIME, || std::process::exit(0));
        tokio::select! {
            biased;
            // What fails when the end has begun fails because of it.
            loaded = loading => Some(loaded).filter(|loaded| loaded.is_ok() || !end_was_requested()),
            () = stop => {
                self.worker.give_up();
                None
            }
        }
    }

    async fn answer(
        &mut self,
        next: &Next,
        invocation: &Invocation,
        result: Result<(Bytes, &'static str)>,
        dialect: ErrorDialect,
    ) -> Result<(), ApiError> {
        let id = invocation.request_id.as_str();
        let verdict = match result {
            Ok((body, content_type)) => {
                self.api.respond(&next.delivery, body, content_type).await?
            }
            Err(error) => {
                let record = invoke_record(&error, dialect, self.log.format(), Some(invocation));
                self.log.verbatim(Level::Error, &record);
                let document = dialect.document(&error, Some(id), DOCUMENT_LIMIT);
                let cause = xray_cause(&error, dialect);
                let kind = error_type_header(&error);
                self.api.fail(&next.delivery, document, &kind, cause.as_deref()).await?
            }
        };
        self.complain(id, verdict);
        Ok(())
    }

    /// Logs what became of an answer that was not taken.
    pub(super) fn complain(&self, id: &str, verdict: Verdict) {
        let complaint = match verdict {
            Verdict::Accepted => return,
            Verdict::Stale => "the answer came too late: its attempt is over".to_owned(),
            Verdict::TooLarge => "the answer was larger than the platform takes".to_owned(),
            Verdict::Refused(reason) => reason,
        };
        let complaint = format!("RequestId: {id} {complaint}");
        self.log.line(Level::Warn, &complaint, &[("requestId", id.into())]);
    }

    async fn fail_init(&mut self, error: Error, dialect: ErrorDialect) -> Ended {
        let record = invoke_record(&error, dialect, self.log.format(), None);
        self.log.verbatim(Level::Error, &record);
        // There is no invocation; where a language's document has a request id, that member is empty.
        let document = dialect.document(&error, Some(""), DOCUMENT_LIMIT);
        let kind = error_type_header(&error);
        let cause = xray_cause(&error, dialect);
        match self.api.fail_init(document, &kind, cause.as_deref()).await {
            Ok(Verdict::Accepted) => {}
            Ok(other) => {
                let complaint = format!("the init error was not taken: {other:?}");
                self.log.line(Level::Warn, &complaint, &[]);
            }
            Err(error) => self.log.line(Level::Error, &error.to_string(), &[]),
        }
        Ended::Init(error)
    }
}

fn event(next: &Next, invocation: &Invocation) -> Payload {
    if invocation.event_is_json {
        return Payload::Json(next.body.clone());
    }
    let content_type = "application/octet-stream";
    Payload::Raw(RawPayload { bytes: next.body.clone(), content_type })
}

/// Returns a result as bytes that the platform takes.
fn sendable(result: Payload) -> Result<(Bytes, &'static str)> {
    let (body, content_type) = result.into_bytes()?;
    if body.len() > RESPONSE_LIMIT {
        // The platform would say the same, but only after taking the whole body.
        return Err(Error::new(
            ErrorKind::ResponseTooLarge,
            format!(
                "Response payload size ({} bytes) exceeded maximum allowed payload size ({RESPONSE_LIMIT} bytes).",
                body.len()
            ),
        ));
    }
    Ok((body, content_type))
}
