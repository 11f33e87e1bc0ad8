//! The chain: hooks before, the handler, hooks after, and hooks for what failed on the way.

use super::{Called, Member, Order, Run, Step, named, web::result_for_hooks};
use bytes::Bytes;
use std::{ops::Range, rc::Rc};
use trine_engine::{
    Error, ErrorKind, Form, Hook, NativeValue, Payload, RawPayload, Result, json_string,
};

/// The way inwards that an invocation has come, and its answer so far.
struct Progress {
    /// Middlewares whose turn in `before` has come; only these take part on the way out.
    reached: usize,
    /// The number of those, on the way out, that have seen all that they are to see.
    passed: usize,
    outcome: Result<Payload>,
    /// The value that was thrown, in its own language's form.
    thrown: Option<Rc<dyn NativeValue>>,
}

impl Run<'_> {
    /// Runs hooks and handler to the answer, which is in a form that can leave the process.
    pub(super) async fn chain(&self, event: Payload) -> Result<Payload> {
        let exchange = &self.invocation.exchange;
        exchange.keep_thrown(self.pipeline.keeps_thrown);
        let mut progress = self.inwards(event).await;
        for at in self.way_out(progress.reached).skip(progress.passed) {
            let Some(member) = self.pipeline.members.get(at) else { continue };
            progress.outcome = match progress.outcome {
                // Its head has passed these hooks.
                Ok(Payload::Streamed) => Ok(Payload::Streamed),
                Ok(response) => self.after(member, response).await,
                Err(error) => {
                    let thrown = progress.thrown.take();
                    self.error(member, error, thrown).await
                }
            };
            if progress.outcome.is_err() {
                progress.thrown = exchange.take_thrown().or(progress.thrown);
            }
        }
        exchange.enter(None);
        match progress.outcome? {
            // It leaves the process: in JSON, once.
            Payload::Native(value) => value.to_json().map(Payload::Json),
            other => Ok(other),
        }
    }

    /// Runs `before` hooks and the handler.
    async fn inwards(&self, event: Payload) -> Progress {
        let (pipeline, exchange) = (self.pipeline, &self.invocation.exchange);
        let failed = |outcome| Progress { reached: 0, passed: 0, outcome, thrown: None };
        let mut value = event;
        let mut shown = None;
        if let Payload::Request(request) = &value
            && pipeline.members.iter().any(|member| member.before.is_some())
        {
            let request = request.clone();
            value = match self.event_of(&request).await {
                Ok(event) => event,
                Err(error) => return failed(Err(error)),
            };
            let text = value.clone().into_bytes().map_or_else(|_| Bytes::new(), |(text, _)| text);
            shown = Some((request, text));
        }
        for (at, member) in pipeline.members.iter().enumerate() {
            let Some(step) = member.before else { continue };
            let returned = match self.adopted(step, value.clone()) {
                Ok(adopted) => {
                    value = adopted.clone();
                    self.hook(Hook::Before, member, step, adopted).await
                }
                Err(error) => Err(error),
            };
            let outcome = match (returned, exchange.take_reply()) {
                (Err(error), _) => Err(error),
                (Ok(_), Some(reply)) => Ok(reply),
                (Ok(Payload::Nothing), None) => continue,
                (Ok(replaced), None) => {
                    value = replaced;
                    continue;
                }
            };
            return Progress {
                reached: at + 1,
                passed: 0,
                outcome,
                thrown: exchange.take_thrown(),
            };
        }
        exchange.enter(None);
        if let Some((request, text)) = shown {
            value = match self.request_again(request, &text, value) {
                Ok(request) => request,
                Err(error) => return failed(Err(error)),
            };
        }
        // If nothing that follows could look at it, the response is wanted as JSON at once.
        let looked_at = pipeline.members.iter().any(|member| member.after.is_some());
        let form = if looked_at { Form::Native } else { Form::Json };
        let (result, passed) = self.handle(value, form).await;
        let outcome = match result {
            Ok(Payload::Nothing) => Ok(Payload::Json(Bytes::from_static(b"null"))),
            Ok(result) if looked_at => Ok(result_for_hooks(self.form.get(), result)),
            other => other,
        };
        let thrown = if outcome.is_err() { exchange.take_thrown() } else { None };
        Progress { reached: pipeline.members.len(), passed, outcome, thrown }
    }

    /// Returns the positions of the middlewares that take part on the way out, in their order.
    pub(super) fn way_out(&self, reached: usize) -> impl Iterator<Item = usize> + use<> {
        let Range { start, end } = 0..reached;
        let listed = self.pipeline.order == Order::Listed;
        (start..end).map(move |at| if listed { at } else { end - 1 - at })
    }

    pub(super) async fn after(&self, member: &Member, response: Payload) -> Result<Payload> {
        let Some(step) = member.after else { return Ok(response) };
        if let Payload::Raw(raw) = &response {
            // It leaves as it is, content type included, unless the hook answers with something else.
            let seen = text_of(raw).map_or_else(|| response.clone(), Payload::json);
            let seen = self.adopted(step, seen)?;
            return Ok(match self.hook(Hook::After, member, step, seen).await? {
                Payload::Nothing => response,
                replaced => replaced,
            });
        }
        let response = self.adopted(step, response)?;
        match self.hook(Hook::After, member, step, response.clone()).await? {
            Payload::Nothing => Ok(response),
            replaced => Ok(replaced),
        }
    }

    async fn error(
        &self,
        member: &Member,
        error: Error,
        thrown: Option<Rc<dyn NativeValue>>,
    ) -> Result<Payload> {
        let Some(step) = member.error else { return self.keep(error, thrown) };
        let heap = self.pipeline.heaps.get(step.heap);
        // What had to be stopped by force must not be asked for more.
        let stopped = matches!(error.kind(), ErrorKind::Timeout | ErrorKind::OutOfMemory);
        if stopped && heap.is_none_or(|heap| heap.is_poisoned()) {
            return self.keep(error, thrown);
        }
        let own =
            |value: &Rc<dyn NativeValue>| heap.is_some_and(|heap| heap.id() == value.engine());
        let input = match &thrown {
            Some(value) if own(value) => Payload::Native(value.clone()),
            _ => {
                let id = Some(self.invocation.request_id.as_str());
                Payload::Json(self.pipeline.dialect.document(&error, id, usize::MAX).into())
            }
        };
        match self.hook(Hook::Error, member, step, input).await {
            Ok(Payload::Nothing) => self.keep(error, thrown),
            // What has been sent cannot be replaced.
            Ok(_) if self.invocation.stream.out().is_some() => self.keep(error, thrown),
            Ok(response) => Ok(response),
            Err(new) => Err(new.with_cause(error)),
        }
    }

    /// Hands the error on to the next middleware as it is, and with it what was thrown.
    fn keep(&self, error: Error, thrown: Option<Rc<dyn NativeValue>>) -> Result<Payload> {
        if let Some(thrown) = thrown {
            self.invocation.exchange.set_thrown(thrown);
        }
        Err(error)
    }

    /// Returns the value as the hook's heap has it, so that what the hook changes in place is seen by whoever comes
    /// next. A failure to do so is not the hook's fault.
    fn adopted(&self, step: Step, value: Payload) -> Result<Payload> {
        match self.pipeline.heaps.get(step.heap) {
            Some(heap) if !step.takes_text => heap.instance().adopt(value, self.invocation),
            _ => Ok(value),
        }
    }

    /// Calls a hook. What it raises gets its middleware's name; what an `error` hook returns as an error keeps its own.
    async fn hook(
        &self,
        hook: Hook,
        member: &Member,
        step: Step,
        value: Payload,
    ) -> Result<Payload> {
        self.invocation.exchange.enter(Some(hook));
        let called = Called::Hook(hook, &member.name);
        let result = self.call(called, step, value, Form::Native).await;
        result.map_err(|error| match error.is_returned() {
            true => error,
            false => named(error, &member.name),
        })
    }
}

/// Returns raw bytes as a JSON text, where they are text themselves.
fn text_of(raw: &RawPayload) -> Option<String> {
    std::str::from_utf8(&raw.bytes).ok().map(json_string)
}
