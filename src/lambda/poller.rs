//! One connection's invocations: an event that was handed out, run and answered.

use super::{
    ApiError, Ended, Next, RESPONSE_LIMIT, RuntimeApi, Verdict, invocation_from,
    rescue::{Ends, Rescuer},
    spans::{self, EventSpan},
};
use crate::{
    diagnostic::{DOCUMENT_LIMIT, error_type_header, log_failure, xray_cause},
    signals::end_was_requested,
    telemetry::{Log, Opening, Tracer},
    web::metadata_of,
    worker::{Answer, Function, WorkerOptions},
};
use bytes::Bytes;
use std::{
    future::{Future, ready},
    pin::pin,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use trine_engine::{
    Error, ErrorDialect, ErrorKind, Invocation, Level, Payload, RawPayload, Result,
};

/// Time between two looks at whether the process was asked to end, where nothing else tells.
const LOOK_FOR_END: Duration = Duration::from_millis(20);

/// The longest time for which spans are waited for after an answer.
const FLUSH_TIME: Duration = Duration::from_secs(1);

/// What polls: a connection to the Runtime API, on which one invocation is answered after the other.
pub(super) struct Poller {
    pub(super) api: RuntimeApi,
    pub(super) log: Log,
    pub(super) rescuer: Arc<Rescuer>,
    tracer: Tracer,
    /// The name of spans of events that have no better one.
    name: String,
    /// Whether web applications' answers may be streams.
    takes_streams: bool,
}

/// Waits until the process is asked to end.
async fn end_is_requested() {
    while !end_was_requested() {
        tokio::time::sleep(LOOK_FOR_END).await;
    }
}

/// The part of a start that has failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Start {
    Init,
    Restore,
}

impl Start {
    fn name(self) -> &'static str {
        match self {
            Self::Init => "init",
            Self::Restore => "restore",
        }
    }
}

impl Poller {
    /// Makes a poller that has not connected yet. `ends` says what is lost with an invocation whose thread does not come
    /// back.
    pub(super) fn new(
        api: RuntimeApi,
        log: Log,
        dialect: ErrorDialect,
        ends: Ends,
        worker: &WorkerOptions,
    ) -> Self {
        let tracer = worker.tracer.clone();
        let name = worker.environment.function.name.as_deref().unwrap_or("function").to_owned();
        let rescuer = Arc::new(Rescuer {
            address: api.address().to_owned(),
            dialect,
            log: log.clone(),
            answering: AtomicBool::new(false),
            ends,
            tracer: tracer.clone(),
        });
        let takes_streams = worker.takes_streams;
        Self { api, log, rescuer, tracer, name, takes_streams }
    }

    /// Runs an event's invocation, answers it, and waits for what its guests write to files.
    ///
    /// # Errors
    /// When the API is gone or broken.
    pub(super) async fn run(&mut self, next: &Next, function: &Function) -> Result<(), ApiError> {
        let mut invocation = invocation_from(&next.headers);
        invocation.takes_stream = self.takes_streams;
        let span = spans::open(&self.tracer, next, &mut invocation, &self.name);
        let invocation = Rc::new(invocation);
        let event = event(next, &invocation);
        let rescuer = self.rescuer.clone();
        rescuer.answering.store(false, Ordering::Release);
        let rescue = || Some(rescuer.rescue(&next.delivery));
        let call = function.invoke(event, &invocation, rescue);
        let answered = self.run_call(next, &invocation, call, span.as_ref()).await;
        let sent = async {
            drop(span);
            if matches!(self.rescuer.ends, Ends::Always) {
                self.tracer.flush(FLUSH_TIME).await;
            }
        };
        // The platform may stop the process as soon as it is asked for another event.
        futures::future::join(function.rest(), sent).await;
        answered
    }

    /// Runs one call to its end, and answers: when it has ended, or from the first chunk of an answer that is streamed.
    async fn run_call(
        &mut self,
        next: &Next,
        invocation: &Rc<Invocation>,
        call: impl Future<Output = Answer>,
        span: Option<&EventSpan>,
    ) -> Result<(), ApiError> {
        let mut call = pin!(call);
        let answer = invocation.stream.until_out(call.as_mut()).await;
        if let Some((span, stream)) = span.zip(invocation.stream.out()) {
            let head = stream.head();
            let of_application = head.response.as_deref().map(metadata_of);
            span.answered(of_application.or(head.metadata).as_deref().unwrap_or_default());
        }
        let (result, claim) = match answer.map(Answer::into_parts) {
            None => {
                // From its end on nobody else need answer, however long the rest takes to be sent.
                let rest = async { call.await.into_parts().1.take() };
                return self.stream(next, invocation, rest).await;
            }
            Some((Ok(Payload::Streamed), claim)) => {
                return self.stream(next, invocation, ready(claim.take())).await;
            }
            Some(other) => other,
        };
        let result = result.and_then(sendable);
        if !claim.take() {
            return self.rescuer.answered().await;
        }
        if let (Some(span), Ok((body, _))) = (span, &result) {
            span.answered(body);
        }
        self.answer(next, invocation, result).await
    }

    /// Reports that the function could not be loaded.
    pub(super) async fn fail_init(&mut self, error: Error) -> Ended {
        let kind = error_type_header(&error);
        self.fail_start(&error, Start::Init, &kind).await;
        Ended::Init(error)
    }

    /// Logs an error because of which there will be no invocation, and reports it under this type.
    pub(super) async fn fail_start(&mut self, error: &Error, start: Start, kind: &str) {
        let dialect = self.rescuer.dialect;
        if let Some(span) = self.tracer.open(|| Opening {
            name: start.name().into(),
            facts: vec![("faas.coldstart", true.into())],
            ..Opening::default()
        }) {
            span.fail(error);
        }
        log_failure(&self.log, error, dialect, None);
        // There is no invocation; where a language's document has a request id, that member is empty.
        let document = dialect.document(error, Some(""), DOCUMENT_LIMIT);
        let cause = xray_cause(error, dialect);
        let cause = cause.as_deref();
        let post = async {
            match start {
                Start::Init => self.api.fail_init(document, kind, cause).await,
                Start::Restore => self.api.fail_restore(document, kind, cause).await,
            }
        };
        let verdict = tokio::select! {
            verdict = post => verdict,
            // Whoever asks for the end does not wait for an answer to this.
            () = end_is_requested() => return,
        };
        match verdict {
            Ok(Verdict::Accepted) => {}
            Ok(other) => {
                let name = start.name();
                let complaint = format!("the {name} error was not taken: {other:?}");
                self.log.line(Level::Warn, &complaint, &[]);
            }
            Err(error) => self.log.line(Level::Error, &error.to_string(), &[]),
        }
    }

    async fn answer(
        &mut self,
        next: &Next,
        invocation: &Invocation,
        result: Result<(Bytes, &'static str)>,
    ) -> Result<(), ApiError> {
        let (id, dialect) = (invocation.request_id.as_str(), self.rescuer.dialect);
        let verdict = match result {
            Ok((body, content_type)) => {
                self.api.respond(&next.delivery, body, content_type).await?
            }
            Err(error) => {
                log_failure(&self.log, &error, dialect, Some(invocation));
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
