//! The chain: hooks before, the handler, hooks after, and hooks for what failed on the way.

use super::{Member, Order, Pipeline, Step, named};
use crate::worker::Watch;
use bytes::Bytes;
use std::{ops::Range, rc::Rc};
use trine_engine::{Error, ErrorKind, Form, Hook, Invocation, NativeValue, Payload, Result};

/// How far inwards an invocation has come, and what it has for an answer so far.
struct Progress {
    /// Middlewares whose turn in `before` has come; only these take part on the way out.
    reached: usize,
    outcome: Result<Payload>,
    /// What was thrown, in its own language's form.
    thrown: Option<Rc<dyn NativeValue>>,
}

impl Pipeline {
    pub(super) async fn run_chain(
        &self,
        event: Payload,
        invocation: &Rc<Invocation>,
        watch: &Watch,
    ) -> Result<Payload> {
        invocation.exchange.keep_thrown(self.keeps_thrown);
        let mut progress = self.inwards(event, invocation, watch).await;
        for at in self.way_out(progress.reached) {
            let Some(member) = self.members.get(at) else { continue };
            progress.outcome = match progress.outcome {
                Ok(response) => self.after(member, response, invocation, watch).await,
                Err(error) => {
                    let thrown = progress.thrown.take();
                    self.error(member, error, thrown, invocation, watch).await
                }
            };
            if progress.outcome.is_err() {
                progress.thrown = invocation.exchange.take_thrown().or(progress.thrown);
            }
        }
        invocation.exchange.enter(None);
        match progress.outcome? {
            // It leaves the process: in JSON, once.
            Payload::Native(value) => value.to_json().map(Payload::Json),
            other => Ok(other),
        }
    }

    /// `before` hooks and the handler.
    async fn inwards(
        &self,
        event: Payload,
        invocation: &Rc<Invocation>,
        watch: &Watch,
    ) -> Progress {
        let exchange = &invocation.exchange;
        let mut value = event;
        for (at, member) in self.members.iter().enumerate() {
            let Some(step) = member.before else { continue };
            let returned = match self.adopted(step, value.clone(), invocation) {
                Ok(adopted) => {
                    value = adopted.clone();
                    self.hook(Hook::Before, member, step, adopted, invocation, watch).await
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
            return Progress { reached: at + 1, outcome, thrown: exchange.take_thrown() };
        }
        exchange.enter(None);
        // With nothing to follow that could look at it, the response is wanted as JSON at once.
        let looked_at = self.members.iter().any(|member| member.after.is_some());
        let form = if looked_at { Form::Native } else { Form::Json };
        let outcome = match self.call(self.handler, value, form, invocation, watch).await {
            Ok(Payload::Nothing) => Ok(Payload::Json(Bytes::from_static(b"null"))),
            other => other,
        };
        let thrown = if outcome.is_err() { exchange.take_thrown() } else { None };
        Progress { reached: self.members.len(), outcome, thrown }
    }

    /// The middlewares that take part on the way out, in their order.
    fn way_out(&self, reached: usize) -> impl Iterator<Item = usize> + use<> {
        let Range { start, end } = 0..reached;
        let listed = self.order == Order::Listed;
        (start..end).map(move |at| if listed { at } else { end - 1 - at })
    }

    async fn after(
        &self,
        member: &Member,
        response: Payload,
        invocation: &Rc<Invocation>,
        watch: &Watch,
    ) -> Result<Payload> {
        let Some(step) = member.after else { return Ok(response) };
        let response = self.adopted(step, response, invocation)?;
        match self.hook(Hook::After, member, step, response.clone(), invocation, watch).await? {
            Payload::Nothing => Ok(response),
            replaced => Ok(replaced),
        }
    }

    async fn error(
        &self,
        member: &Member,
        error: Error,
        thrown: Option<Rc<dyn NativeValue>>,
        invocation: &Rc<Invocation>,
        watch: &Watch,
    ) -> Result<Payload> {
        let Some(step) = member.error else { return self.keep(error, thrown, invocation) };
        // What had to be stopped by force must not be asked for more.
        let stopped = matches!(error.kind(), ErrorKind::Timeout | ErrorKind::OutOfMemory);
        if stopped && self.heaps.get(step.heap).is_none_or(|heap| heap.is_poisoned()) {
            return self.keep(error, thrown, invocation);
        }
        let own = |value: &Rc<dyn NativeValue>| {
            self.heaps.get(step.heap).is_some_and(|heap| heap.id() == value.engine())
        };
        let input = match &thrown {
            Some(value) if own(value) => Payload::Native(value.clone()),
            _ => {
                let dialect = self.dialect;
                let id = Some(invocation.request_id.as_str());
                Payload::Json(dialect.document(&error, id, usize::MAX).into())
            }
        };
        match self.hook(Hook::Error, member, step, input, invocation, watch).await {
            Ok(Payload::Nothing) => self.keep(error, thrown, invocation),
            Ok(response) => Ok(response),
            Err(new) => Err(new.with_cause(error)),
        }
    }

    /// The error goes on to the next middleware as it is, and with it what was thrown.
    fn keep(
        &self,
        error: Error,
        thrown: Option<Rc<dyn NativeValue>>,
        invocation: &Rc<Invocation>,
    ) -> Result<Payload> {
        if let Some(thrown) = thrown {
            invocation.exchange.set_thrown(thrown);
        }
        Err(error)
    }

    /// The value as the hook's heap has it, so that what the hook changes in place is seen by whoever comes next. That
    /// it cannot be had is not the hook's fault.
    fn adopted(&self, step: Step, value: Payload, invocation: &Rc<Invocation>) -> Result<Payload> {
        match self.heaps.get(step.heap) {
            Some(heap) if !step.takes_text => heap.instance().adopt(value, invocation),
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
        invocation: &Rc<Invocation>,
        watch: &Watch,
    ) -> Result<Payload> {
        invocation.exchange.enter(Some(hook));
        let result = self.call(step, value, Form::Native, invocation, watch).await;
        result.map_err(|error| match error.is_returned() {
            true => error,
            false => named(error, &member.name),
        })
    }
}
