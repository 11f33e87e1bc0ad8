//! What triggers need of their server, and the invocations that they make there.

use super::{Trigger, counts::TriggerCounts};
use crate::{
    http::{
        closing::Closing,
        event::new_trace_id,
        functions::end_unread,
        handover::Dispatcher,
        lifeline::{Lifeline, LostThread},
        options::ServeOptions,
        queue::Admission,
        shared::Shared,
        site::{ServedFunction, Site},
    },
    telemetry::{Log, Opening, Root, Tracer},
};
use chrono::Utc;
use http::Method;
use serde_json::Value;
use std::{cell::RefCell, rc::Rc, sync::Arc};
use tokio::{
    sync::{mpsc, watch},
    time::{self, Instant},
};
use trine_engine::{Error, Invocation, Level, Payload, Result};
use uuid::Uuid;

/// What the triggers of a server need of it.
pub(in crate::http) struct Around {
    pub(in crate::http) site: Arc<Site>,
    pub(in crate::http) options: Arc<ServeOptions>,
    pub(in crate::http) log: Log,
    /// What takes spans of runs, if anything does.
    pub(in crate::http) tracer: Tracer,
    pub(in crate::http) shared: Arc<Shared>,
    pub(in crate::http) closing: Arc<Closing>,
    /// The way to the worker that invokes their functions; none any more after the grace.
    pub(in crate::http) dispatcher: RefCell<Option<Dispatcher>>,
    /// The channel that tells the server that a worker is lost to guest code.
    pub(in crate::http) stuck: mpsc::UnboundedSender<LostThread>,
    /// Whether the server has been asked to stop: nothing begins after that.
    pub(in crate::http) stopped: watch::Receiver<bool>,
}

impl Around {
    /// Waits until the server is asked to stop.
    pub(super) async fn until_stop(&self) {
        // A sender that is gone means the same as one that says so.
        let _ = self.stopped.clone().wait_for(|stop| *stop).await;
    }

    /// Returns the end of the grace of a server that has been asked to stop.
    pub(super) fn end(&self) -> Instant {
        self.closing.asked() + self.options.grace
    }

    /// Waits until what is in flight has had its grace.
    pub(super) async fn until_end(&self) {
        self.until_stop().await;
        time::sleep_until(self.end()).await;
    }

    /// Says in words that something is left in the middle.
    pub(super) fn left(&self) -> String {
        let grace = self.options.grace.as_secs_f64();
        format!("still in flight after {grace} s of grace; it is left")
    }

    /// Writes a line about a trigger.
    pub(super) fn tell(
        &self,
        trigger: &Trigger,
        level: Level,
        message: &str,
        more: &[(&str, Value)],
    ) {
        let message = format!("trigger '{}': {message}", trigger.name);
        let facts = [&[("trigger", trigger.name.as_str().into())], more].concat();
        self.log.line(level, &message, &facts);
    }

    /// Returns what is counted of a trigger, by its position.
    pub(super) fn counts(&self, trigger: usize) -> TriggerCounts {
        self.shared.triggers.get(trigger).cloned().unwrap_or_default()
    }

    /// Makes the call of a trigger's function.
    pub(super) fn call(&self, trigger: &Trigger) -> Option<Call<'_>> {
        let function = self.site.functions().get(trigger.function)?;
        let id = Uuid::new_v4();
        let trace_id = new_trace_id(Utc::now(), &id);
        let invocation = self.options.invocation(function, id.to_string(), trace_id);
        Some(Call { around: self, function, index: trigger.function, id, invocation })
    }
}

/// A call of a trigger's function.
pub(super) struct Call<'a> {
    around: &'a Around,
    pub(super) function: &'a ServedFunction,
    index: usize,
    pub(super) id: Uuid,
    invocation: Invocation,
}

impl Call<'_> {
    /// Opens the span of this call, which goes on until what is returned is dropped.
    pub(super) fn open_span(&mut self, opening: impl FnOnce() -> Opening) -> Option<Root> {
        let span = self.around.tracer.open(opening)?;
        span.carry(&mut self.invocation);
        Some(span)
    }

    /// Makes it, and drops its result.
    ///
    /// # Errors
    /// What went wrong, which is counted and logged.
    pub(super) async fn make(self, event: Payload) -> Result<()> {
        let around = self.around;
        let (index, name) = (self.index, &self.function.name);
        let (invocation, lifeline) = self.prepare();
        let call = around.invoke(index, event, &invocation, lifeline);
        match end_unread(call, &invocation).await {
            None => Ok(()),
            Some(error) => Err(around.failed(index, name, &invocation.request_id, error)),
        }
    }

    fn prepare(self) -> (Rc<Invocation>, Lifeline) {
        let Self { around, function, invocation, .. } = self;
        let invocation = Rc::new(invocation);
        let lifeline = Lifeline {
            thread: LostThread::Worker,
            hold: None,
            stuck: around.stuck.clone(),
            method: Method::POST,
            format: around.options.format_of(function),
            request_id: invocation.request_id.clone(),
            function: function.name.clone(),
            dialect: function.located.engine.info().error_dialect,
            detail: around.options.error_detail,
            log: around.log.clone(),
        };
        (invocation, lifeline)
    }
}

impl Around {
    async fn invoke(
        &self,
        index: usize,
        event: Payload,
        invocation: &Rc<Invocation>,
        lifeline: Lifeline,
    ) -> Result<Payload> {
        let dispatcher = self.dispatcher.borrow().clone();
        let dispatcher = dispatcher.ok_or_else(|| Error::internal("the server has ended"))?;
        let metrics = self.shared.metrics.as_ref();
        let _in_flight = metrics.map(|metrics| metrics.begin(index));
        let admission = Admission::default();
        dispatcher.call(index, event, invocation, Some(lifeline), admission).await
    }

    /// Counts and logs a failure.
    fn failed(&self, index: usize, name: &str, id: &str, error: Error) -> Error {
        self.shared.count_failure(index, error.kind());
        self.log.failure(name, id, &error);
        error
    }
}

#[cfg(any(feature = "mqtt", feature = "nats", feature = "sqs"))]
mod read {
    use super::{Call, Payload, Result};
    use bytes::{Bytes, BytesMut};
    use std::pin::pin;
    use trine_engine::Error;

    /// The most that is kept of an answer, in bytes.
    const LARGEST: usize = 6 * 1024 * 1024;

    impl Call<'_> {
        /// Makes it. Returns its result as bytes, also that of a function that streams.
        ///
        /// # Errors
        /// What went wrong, which is counted and logged.
        pub(in crate::http::triggers) async fn answer(self, event: Payload) -> Result<Bytes> {
            let around = self.around;
            let (index, name) = (self.index, &self.function.name);
            let (invocation, lifeline) = self.prepare();
            let mut call = pin!(around.invoke(index, event, &invocation, lifeline));
            let answer = match invocation.stream.until_out(call.as_mut()).await {
                Some(Ok(Payload::Streamed)) => collected(&invocation).await,
                Some(result) => result.and_then(|result| Ok(result.into_bytes()?.0)),
                None => {
                    let (ended, answer) = futures::join!(call, collected(&invocation));
                    ended.and(answer)
                }
            };
            answer.map_err(|error| around.failed(index, name, &invocation.request_id, error))
        }
    }

    /// Reads what a function streams, to its end.
    async fn collected(invocation: &trine_engine::Invocation) -> Result<Bytes> {
        let mut reader = invocation.stream.get().reader();
        let mut all = BytesMut::new();
        while let Some(chunk) = reader.chunk().await {
            if all.len() + chunk.len() > LARGEST {
                return Err(Error::internal("the answer is larger than 6 MiB"));
            }
            all.extend_from_slice(&chunk);
        }
        match reader.stream().take_failure() {
            Some(error) => Err(error),
            None => Ok(all.freeze()),
        }
    }
}
