//! The loop: load, then take an event, run it, answer it, for as long as the platform wants.

use super::{ApiError, Next, RESPONSE_LIMIT, RuntimeApi, Verdict, invocation_from};
use crate::{
    diagnostic::{DOCUMENT_LIMIT, error_type_header, invoke_record, xray_cause},
    handler::Located,
    pipeline::Pipeline,
    telemetry::Log,
    worker::Worker,
};
use bytes::Bytes;
use std::{io, rc::Rc};
use tokio::signal::unix::{Signal, SignalKind, signal};
use trine_engine::{
    Error, ErrorDialect, ErrorKind, Invocation, Level, Payload, RawPayload, Result,
};

/// The front door of one function.
pub struct Door {
    api: RuntimeApi,
    worker: Worker,
    log: Log,
}

/// Why the loop ended.
#[derive(Debug)]
pub enum Ended {
    /// The platform asked for it.
    Signal,
    /// The function could not be loaded; the platform knows.
    Init(Error),
    /// The Runtime API is gone or refuses to go on.
    Api(ApiError),
}

impl Door {
    /// A door to the Runtime API `api` whose functions run on `worker`.
    pub fn new(api: RuntimeApi, worker: Worker, log: Log) -> Self {
        Self { api, worker, log }
    }

    /// Loads the function and serves invocations until the platform ends it. `located` is what the search for the
    /// handler has come to: its failure is an init error like any other.
    pub async fn run(mut self, located: Result<Located>) -> Ended {
        // From here on SIGTERM is an orderly end, also while the function is being loaded.
        let terminate = signal(SignalKind::terminate());
        let ended = match located {
            Ok(located) => match self.worker.load(&located).await {
                Ok(pipeline) => self.serve(&located, pipeline, terminate).await,
                Err(error) => self.fail_init(error, located.engine.info().error_dialect).await,
            },
            Err(error) => self.fail_init(error, ErrorDialect::PLAIN).await,
        };
        self.worker.shutdown();
        ended
    }

    async fn serve(
        &mut self,
        located: &Located,
        mut pipeline: Pipeline,
        terminate: io::Result<Signal>,
    ) -> Ended {
        let mut terminate = match terminate {
            Ok(terminate) => terminate,
            Err(error) => {
                let error = Error::internal(format!("cannot listen for SIGTERM: {error}"));
                return self.fail_init(error, pipeline.dialect()).await;
            }
        };
        loop {
            let next = match self.next(&mut terminate).await {
                Some(Ok(next)) => next,
                Some(Err(error)) => return Ended::Api(error),
                None => return Ended::Signal,
            };
            let invocation = Rc::new(invocation_from(&next.headers));
            let result = run_one(&pipeline, &next, &invocation).await;
            let poisoned = result.as_ref().is_err_and(Error::poisons);
            if let Err(error) = self.answer(&next, &invocation, result, pipeline.dialect()).await {
                return Ended::Api(error);
            }
            if poisoned {
                self.worker.recycle(located);
                pipeline = match self.worker.load(located).await {
                    Ok(pipeline) => pipeline,
                    Err(error) => return Ended::Init(error),
                };
            }
        }
    }

    /// The next event; `None` when the platform ends the process instead.
    async fn next(&mut self, terminate: &mut Signal) -> Option<Result<Next, ApiError>> {
        tokio::select! {
            biased;
            next = self.api.next() => Some(next),
            _ = terminate.recv() => None,
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
                let record = invoke_record(&error, dialect, self.log.format(), Some(id));
                self.log.verbatim(Level::Error, &record);
                let document = dialect.document(&error, Some(id), DOCUMENT_LIMIT);
                let cause = xray_cause(&error);
                let kind = error_type_header(&error);
                self.api.fail(&next.delivery, document, &kind, cause.as_deref()).await?
            }
        };
        let complaint = match verdict {
            Verdict::Accepted => return Ok(()),
            Verdict::Stale => "the answer came too late: its attempt is over".to_owned(),
            Verdict::TooLarge => "the answer was larger than the platform takes".to_owned(),
            Verdict::Refused(reason) => reason,
        };
        let complaint = format!("RequestId: {id} {complaint}");
        self.log.line(Level::Warn, &complaint, &[("requestId", trine_engine::json_string(id))]);
        Ok(())
    }

    async fn fail_init(&mut self, error: Error, dialect: ErrorDialect) -> Ended {
        let record = invoke_record(&error, dialect, self.log.format(), None);
        self.log.verbatim(Level::Error, &record);
        let document = dialect.document(&error, None, DOCUMENT_LIMIT);
        let kind = error_type_header(&error);
        match self.api.fail_init(document, &kind, xray_cause(&error).as_deref()).await {
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

/// Runs one invocation to bytes that the platform takes.
async fn run_one(
    pipeline: &Pipeline,
    next: &Next,
    invocation: &Rc<Invocation>,
) -> Result<(Bytes, &'static str)> {
    let event = if invocation.event_is_json {
        Payload::Json(next.body.clone())
    } else {
        Payload::Raw(RawPayload {
            bytes: next.body.clone(),
            content_type: "application/octet-stream",
        })
    };
    let (body, content_type) = pipeline.run(event, invocation).await?.into_bytes()?;
    if body.len() > RESPONSE_LIMIT {
        // The platform would say the same, after having taken the whole body.
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
