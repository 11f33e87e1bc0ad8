//! The way of an invocation through a function: hooks of its middlewares, in any language, around its handler.
//!
//! [`Plan`] finds the files, [`Worker::load`](crate::worker::Worker::load) makes a [`Pipeline`] of it, which runs
//! invocations. A value stays in the form of the engine that made it for as long as the next function is of the same
//! one; it is serialised where it crosses to another, and at the end.

mod chain;
mod find;
mod load;
mod observer;
mod plan;
mod stream;
#[cfg(test)]
mod tests;
mod web;

pub use plan::{Middleware, MiddlewareNames, Order, Plan, middleware_folders};

pub(crate) use load::inspect;
pub(crate) use observer::{Called, Ends, Observer};
pub(crate) use web::BODY_TOO_LARGE;

use crate::{heap::Heap, watchdog::Watch, web::WebForm};
use std::{cell::Cell, rc::Rc, sync::Arc};
use trine_engine::{
    Error, ErrorDialect, Form, FunctionId, Hook, Interface, Interrupter, Invocation, Payload,
    Result,
};

/// A function of a loaded module, and the heap that it is in.
#[derive(Debug, Clone, Copy)]
struct Step {
    heap: usize,
    function: FunctionId,
    /// Whether it takes JSON text: a program of the earlier runtime.
    takes_text: bool,
}

/// The hooks of a middleware, as they were loaded.
struct Member {
    name: Rc<str>,
    before: Option<Step>,
    after: Option<Step>,
    error: Option<Step>,
    timeout: Option<Step>,
}

/// A function that one worker has loaded, with its middlewares, ready to be invoked.
pub struct Pipeline {
    heaps: Vec<Rc<Heap>>,
    interrupters: Arc<[Interrupter]>,
    handler: Step,
    /// The interface of the handler.
    interface: Interface,
    members: Vec<Member>,
    order: Order,
    dialect: ErrorDialect,
    /// Whether any `error` hook wants to see what guests throw.
    keeps_thrown: bool,
    /// Whether one of its languages cannot limit its memory itself.
    unlimited: bool,
    /// The heap that the last call went to.
    current: Cell<usize>,
}

impl Pipeline {
    /// Runs one invocation to its answer, in a form that can leave the process. `watch` learns which heap runs, `observer` is
    /// told of each call.
    ///
    /// # Errors
    /// What the handler or a hook raised and no `error` hook recovered from, or an event or result that could not be
    /// converted.
    pub(crate) async fn run(
        &self,
        event: Payload,
        invocation: &Rc<Invocation>,
        watch: &Watch,
        observer: Option<&dyn Observer>,
    ) -> Result<Payload> {
        for heap in &self.heaps {
            heap.serve();
        }
        let form = Cell::default();
        let run = Run { pipeline: self, invocation, watch, observer, form };
        if self.interface.is_web() {
            return run.serve(event).await;
        }
        let event = match event {
            Payload::Request(request) => run.event_of(&request).await?,
            other => other,
        };
        if self.members.is_empty() && !invocation.exchange.buffers_response() {
            return run.call(Called::Handler, self.handler, event, Form::Json).await;
        }
        // Hooks may change it, and the next function may be of another language.
        run.chain(event.whole()).await
    }

    /// Returns the interface by which its handler is called.
    pub fn interface(&self) -> Interface {
        self.interface
    }

    /// Returns the look of this function's errors to a caller.
    pub fn dialect(&self) -> ErrorDialect {
        self.dialect
    }

    /// Runs the `timeout` hooks, in the order of the list; what they raise goes to `report`.
    pub(crate) async fn run_timeouts(
        &self,
        invocation: &Rc<Invocation>,
        watch: &Watch,
        observer: Option<&dyn Observer>,
        report: impl Fn(&Error),
    ) {
        let form = Cell::default();
        let run = Run { pipeline: self, invocation, watch, observer, form };
        for member in &self.members {
            let Some(step) = member.timeout else { continue };
            let hook = invocation.exchange.hook();
            invocation.exchange.enter(Some(Hook::Timeout));
            let called = Called::Hook(Hook::Timeout, &member.name);
            let result = run.call(called, step, Payload::Nothing, Form::Native).await;
            invocation.exchange.enter(hook);
            if let Err(error) = result {
                report(&named(error, &member.name));
            }
        }
    }

    pub(crate) fn has_timeouts(&self) -> bool {
        self.members.iter().any(|member| member.timeout.is_some())
    }

    /// Tells the languages of this pipeline that an invocation's time is nearly up.
    pub(crate) fn warn(&self, invocation: &Rc<Invocation>, watch: &Watch) {
        for (at, heap) in self.heaps.iter().enumerate() {
            watch.enter(at);
            heap.instance().warn(invocation);
        }
        watch.leave();
    }

    /// Whether everything that it calls holds its thread meanwhile; see [`trine_engine::Instance::holds_thread`].
    pub(crate) fn holds_thread(&self) -> bool {
        let holds = |step: Step| {
            let heap = self.heaps.get(step.heap);
            heap.is_some_and(|heap| heap.instance().holds_thread(step.function))
        };
        let hooks = self.members.iter().flat_map(|member| {
            [member.before, member.after, member.error, member.timeout].into_iter().flatten()
        });
        holds(self.handler) && hooks.into_iter().all(holds)
    }

    /// Returns the names of the middlewares with those of the hooks that invocations meet.
    pub(crate) fn hooks(&self) -> Vec<(String, Vec<&'static str>)> {
        let of = |member: &Member| {
            let steps = [
                (Hook::Before, member.before),
                (Hook::After, member.after),
                (Hook::Error, member.error),
                (Hook::Timeout, member.timeout),
            ];
            let known = steps.into_iter().filter(|(_, step)| step.is_some());
            (member.name.to_string(), known.map(|(hook, _)| hook.name()).collect())
        };
        self.members.iter().map(of).collect()
    }

    pub(crate) fn heaps(&self) -> &[Rc<Heap>] {
        &self.heaps
    }

    /// Returns the heap of the handler.
    pub(crate) fn handlers_heap(&self) -> Option<&Rc<Heap>> {
        self.heaps.get(self.handler.heap)
    }

    pub(crate) fn interrupters(&self) -> &Arc<[Interrupter]> {
        &self.interrupters
    }

    /// Whether one of its languages cannot limit its memory itself.
    pub(crate) fn is_unlimited(&self) -> bool {
        self.unlimited
    }

    /// Returns the position of the heap that the last call went to.
    pub(crate) fn current(&self) -> usize {
        self.current.get()
    }

    /// Marks the heap that the last call went to as one that must not be called again.
    pub(crate) fn poison_current(&self) {
        if let Some(heap) = self.heaps.get(self.current.get()) {
            heap.poison();
        }
    }
}

/// One invocation on its way through a pipeline.
struct Run<'a> {
    pipeline: &'a Pipeline,
    invocation: &'a Rc<Invocation>,
    /// The watch, which learns which heap runs.
    watch: &'a Watch,
    /// Who is told of each call, if anybody is.
    observer: Option<&'a dyn Observer>,
    /// The form of the event, where the handler is a web application.
    form: Cell<WebForm>,
}

impl Run<'_> {
    /// Calls a function in its heap. An error after which the heap cannot be trusted poisons it.
    async fn call(
        &self,
        called: Called<'_>,
        step: Step,
        input: Payload,
        form: Form,
    ) -> Result<Payload> {
        let Some(heap) = self.pipeline.heaps.get(step.heap) else {
            return Err(Error::internal("a function's heap is not there"));
        };
        self.pipeline.current.set(step.heap);
        self.watch.enter(step.heap);
        let ends = self.observer.map(|observer| observer.begins(called));
        let result = heap.instance().call(step.function, input, form, self.invocation).await;
        if let Some(ends) = ends {
            ends(result.as_ref().err());
        }
        if let Err(error) = &result
            && error.poisons()
        {
            heap.poison();
        }
        result
    }
}

/// Returns the error of a middleware's function under that middleware's name.
fn named(error: Error, middleware: &str) -> Error {
    let message = format!("{}: {}", error.name(), error.message());
    error.with_name(format!("Middleware.{middleware}")).with_message(message)
}
