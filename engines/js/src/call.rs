//! Calls into an isolate.
//!
//! Every call drives the isolate's one event loop for as long as its own promise is pending. The loop knows one waker:
//! it wakes all calls in flight, and each checks its own promise.

use crate::{
    blame::Assigned,
    convert::{
        LoadedFunctions, Read, bytes_to_v8, failure, member, read_boxed_text, read_functions,
        read_or_fail, read_response, read_text, read_value, text_to_v8,
    },
    error::{During, from_core},
    exits::How,
    facts::add_facts,
    instance::{Function, Kind, Shared, ended},
    isolate::{Entered, Prelude},
    sessions::Place,
    stream::Turn,
    turns::OF_NOBODY,
};
use deno_runtime::deno_core::{PollEventLoopOptions, v8};
use std::{
    cell::Ref,
    future::poll_fn,
    rc::Rc,
    task::{Context, Poll},
};
use trine_engine::{
    Error, ErrorKind, Form, FunctionId, Hook, Invocation, Payload, ResponseStream, Result,
};
use trine_process::trace;

/// The state of a call into the isolate.
pub(crate) enum Step<T> {
    /// A call that returned at once. The prelude has checked whether anything is in the event loop.
    Returned(T),
    /// A call whose promise is settled.
    Done(T),
    Pending(v8::Global<v8::Promise>),
}

/// The form in which the prelude is to give a result, by the number that it knows it by.
#[derive(Clone, Copy)]
enum Given {
    Value = 0,
    Text = 1,
    Response = 2,
}

/// The facts about a call in progress.
pub(crate) struct Current<'a> {
    during: During,
    /// Number of interrupts before it began: when there are more, it has been stopped.
    interrupts: u64,
    session: Option<(&'a Rc<Invocation>, usize)>,
    is_program: bool,
    is_web: bool,
}

impl<'a> Current<'a> {
    /// Makes the facts of a call that belongs to no invocation.
    pub(crate) fn new(during: During, interrupts: u64) -> Self {
        Self { during, interrupts, session: None, is_program: false, is_web: false }
    }

    /// Makes the facts of a call of a web application.
    pub(crate) fn of_web(interrupts: u64, invocation: &'a Rc<Invocation>, slot: usize) -> Self {
        let session = Some((invocation, slot));
        Self { during: During::Call, interrupts, session, is_program: false, is_web: true }
    }

    /// Whether the call is one of a web application.
    pub(crate) fn is_web(&self) -> bool {
        self.is_web
    }

    /// Returns the call's invocation, and the slot of that.
    pub(crate) fn session(&self) -> Option<(&'a Rc<Invocation>, usize)> {
        self.session
    }

    /// Whether the call is one of an `after` hook.
    fn is_after(&self) -> bool {
        self.session.is_some_and(|(invocation, _)| invocation.exchange.hook() == Some(Hook::After))
    }

    /// Returns the slot of the call's invocation.
    pub(crate) fn slot(&self) -> Option<usize> {
        self.session.map(|(_, slot)| slot)
    }
}

impl Shared {
    /// Calls a function and returns its result in the requested form.
    pub(crate) async fn call(
        self: &Rc<Self>,
        function: FunctionId,
        input: &Payload,
        form: Form,
        invocation: &Rc<Invocation>,
    ) -> Result<Payload> {
        let kind = self.function(function)?.kind;
        if matches!(kind, Kind::Fetch | Kind::Node) {
            return self.serve(function, input, invocation).await;
        }
        let result = match (kind, form) {
            (Kind::Program, _) => self
                .run(function, input, form, invocation, read_boxed_text)
                .await
                .map(Payload::Json),
            (Kind::Handler, Form::Json) if invocation.takes_http_result => {
                self.run(function, input, form, invocation, read_response).await
            }
            (_, Form::Json) => {
                self.run(function, input, form, invocation, read_text).await.map(Payload::Json)
            }
            (_, Form::Native) => {
                let value = self.run(function, input, form, invocation, read_value).await?;
                Ok(self.payload(value))
            }
        }?;
        // Then the result is what hooks around the handler have made of nothing.
        let streamed =
            kind == Kind::Handler && invocation.stream.made().is_some_and(ResponseStream::is_begun);
        Ok(if streamed { Payload::Streamed } else { result })
    }

    /// Makes a value of JSON text.
    pub(crate) fn adopt(self: &Rc<Self>, text: &[u8]) -> Result<Payload> {
        let mut isolate = self.isolate()?;
        let mut isolate = isolate.enter();
        let (runtime, prelude) = isolate.parts();
        deno_runtime::deno_core::scope!(scope, runtime);
        let text = text_to_v8(scope, text)?;
        let undefined = v8::undefined(scope).into();
        let adopt = v8::Local::new(scope, &prelude.adopt);
        match adopt.call(scope, undefined, &[text]) {
            Some(value) => read_or_fail(scope, value, During::Call, read_value)
                .map(|value| self.payload(value)),
            None => Err(self.stopped(scope, None)),
        }
    }

    /// Calls a `wrap` hook with a handler; returns the one function that it returns.
    pub(crate) async fn wrap(
        &self,
        wrapper: FunctionId,
        handler: FunctionId,
    ) -> Result<LoadedFunctions> {
        let (step, current) = {
            let (wrapper, handler) = (self.function(wrapper)?, self.function(handler)?);
            let mut isolate = self.isolate()?;
            let mut isolate = isolate.enter();
            let current = Current::new(During::Call, self.forget_old_interrupts(&mut isolate));
            let (runtime, prelude) = isolate.parts();
            deno_runtime::deno_core::scope!(scope, runtime);
            let is_web = matches!(handler.kind, Kind::Fetch | Kind::Node);
            let arguments = [
                v8::Local::new(scope, &wrapper.function).into(),
                v8::Local::new(scope, &handler.function).into(),
                v8::Boolean::new(scope, is_web).into(),
            ];
            let undefined = v8::undefined(scope).into();
            let wrap = v8::Local::new(scope, &prelude.wrap);
            let result = wrap.call(scope, undefined, &arguments);
            (self.step(scope, prelude, result, &current, read_functions)?, current)
        };
        self.finish(step, &current, read_functions).await
    }

    /// Aborts the signal of an invocation.
    pub(crate) fn warn(&self, invocation: &Rc<Invocation>) {
        let Some(slot) = self.host.sessions.find(invocation) else { return };
        let Ok(mut isolate) = self.isolate() else { return };
        let mut isolate = isolate.enter();
        let (runtime, prelude) = isolate.parts();
        deno_runtime::deno_core::scope!(scope, runtime);
        let undefined = v8::undefined(scope).into();
        let slot = v8::Integer::new(scope, slot as i32).into();
        let warn = v8::Local::new(scope, &prelude.warn);
        warn.call(scope, undefined, &[slot]);
        scope.perform_microtask_checkpoint();
        self.wakers.wake_all();
    }

    pub(crate) fn function(&self, id: FunctionId) -> Result<Ref<'_, Function>> {
        Ref::filter_map(self.functions.borrow(), |functions| functions.get(id.0 as usize)).map_err(
            |functions| match functions.is_empty() {
                true => ended(),
                false => Error::internal(format!("no function has the id {}", id.0)),
            },
        )
    }

    async fn run<T>(
        &self,
        function: FunctionId,
        input: &Payload,
        form: Form,
        invocation: &Rc<Invocation>,
        read: Read<T>,
    ) -> Result<T> {
        let (step, current, _streaming) = {
            let function = self.function(function)?;
            let mut isolate = self.isolate()?;
            let mut isolate = isolate.enter();
            if let Some(memory) = &self.memory {
                memory.begin(isolate.runtime().v8_isolate())?;
            }
            let interrupts = self.forget_old_interrupts(&mut isolate);
            let place = self.host.sessions.enter(invocation);
            let current = Current {
                during: During::Call,
                interrupts,
                session: Some((invocation, place.slot())),
                is_program: function.kind == Kind::Program,
                is_web: false,
            };
            let streaming =
                (function.kind == Kind::Handler).then(|| self.host.streams.begin(place.slot()));
            let step =
                self.begin_call(&mut isolate, &function, input, form, place, &current, read)?;
            self.turn_for_work(&mut isolate, &step, current.slot())?;
            (step, current, streaming)
        };
        self.finish(step, &current, read).await
    }

    /// Returns the number of the isolate's interrupts so far; those that came while nothing ran lose their effect.
    pub(crate) fn forget_old_interrupts(&self, isolate: &mut Entered<'_>) -> u64 {
        let interrupts = self.limits.interrupts();
        if self.interrupts_seen.replace(interrupts) != interrupts {
            self.limits.go_on(isolate.runtime().v8_isolate());
        }
        interrupts
    }

    #[allow(clippy::too_many_arguments, reason = "one call, taken apart for its length")]
    fn begin_call<T>(
        &self,
        isolate: &mut Entered<'_>,
        function: &Function,
        input: &Payload,
        form: Form,
        place: Place,
        current: &Current<'_>,
        read: Read<T>,
    ) -> Result<Step<T>> {
        let (runtime, prelude) = isolate.parts();
        deno_runtime::deno_core::scope!(scope, runtime);
        let callee = v8::Local::new(scope, &function.function);
        let undefined = v8::undefined(scope).into();
        let (event, parses) = match input {
            Payload::Native(value) => match self.host.own(&**value) {
                Some(own) if function.kind == Kind::Program => {
                    // A program reads text.
                    let value = v8::Local::new(scope, &own.value);
                    let stringify = v8::Local::new(scope, &prelude.stringify);
                    let Some(text) = stringify.call(scope, undefined, &[value]) else {
                        return Err(self.stopped(scope, current.slot()));
                    };
                    let text = read_or_fail(scope, text, During::Call, read_text)?;
                    (text_to_v8(scope, &text)?, true)
                }
                Some(own) => (v8::Local::new(scope, &own.value), false),
                None => (text_to_v8(scope, &value.to_json()?)?, true),
            },
            Payload::Json(text) => (text_to_v8(scope, text)?, true),
            Payload::Shaped(event) if function.kind == Kind::Handler => {
                match self.makers.make(scope, event)? {
                    Some(event) => (event, false),
                    None => return Err(self.stopped(scope, current.slot())),
                }
            }
            Payload::Shaped(event) => (text_to_v8(scope, &event.to_json())?, true),
            // An `after` hook's response, which need be no text.
            Payload::Raw(raw) if std::str::from_utf8(&raw.bytes).is_err() && current.is_after() => {
                (bytes_to_v8(scope, &raw.bytes)?, false)
            }
            Payload::Raw(raw) => (text_to_v8(scope, &raw.bytes)?, true),
            Payload::Nothing if function.kind == Kind::Program => {
                (text_to_v8(scope, b"null")?, true)
            }
            Payload::Nothing => (v8::undefined(scope).into(), false),
            Payload::Request(_) => {
                return Err(Error::internal("this function takes events and no requests"));
            }
            _ => return Err(Error::internal("this form of payload is not known")),
        };
        // Filled in place: copied from a smaller array, the stores just made would stall the loads.
        let mut arguments = [undefined; 17];
        arguments[0] = v8::Integer::new(scope, function.kind as i32).into();
        arguments[1] = callee.into();
        arguments[2] = event;
        arguments[3] = v8::Boolean::new(scope, parses).into();
        let takes_response = function.kind == Kind::Handler
            && current.session.is_some_and(|(invocation, _)| invocation.takes_http_result);
        let wanted = match form {
            Form::Native => Given::Value,
            Form::Json if takes_response => Given::Response,
            Form::Json => Given::Text,
        };
        arguments[4] = v8::Integer::new(scope, wanted as i32).into();
        arguments[5] = v8::Integer::new(scope, place.slot() as i32).into();
        let result = match (place, current.session) {
            (Place::New(_), Some((invocation, _))) => {
                self.note_trace(invocation);
                let facts = add_facts(scope, invocation, &mut arguments[6..]);
                let invoke = v8::Local::new(scope, &prelude.invoke);
                invoke.call(scope, undefined, &arguments[..6 + facts])
            }
            _ => {
                let again = v8::Local::new(scope, &prelude.again);
                again.call(scope, undefined, &arguments[..6])
            }
        };
        self.step(scope, prelude, result, current, read)
    }

    /// Sets an invocation's trace in the environment, where it is to be there.
    pub(crate) fn note_trace(&self, invocation: &Invocation) {
        if self.host.environment.trace_in_environment {
            trace::set(invocation.trace_id.as_deref());
            self.variables().follow_trace(invocation.trace_id.as_deref());
        }
    }

    /// Determines the state of a call into the prelude. A promise that settles without a turn of the event loop counts
    /// as done.
    pub(crate) fn step<'s, T>(
        &self,
        scope: &mut v8::PinScope<'s, '_>,
        prelude: &Prelude,
        result: Option<v8::Local<'s, v8::Value>>,
        current: &Current<'_>,
        read: Read<T>,
    ) -> Result<Step<T>> {
        let Some(result) = result else {
            return self.cut_short(scope, prelude, current, read).map(Step::Done);
        };
        let Ok(promise) = v8::Local::<'_, v8::Promise>::try_from(result) else {
            return self.read(scope, result, current, read).map(Step::Returned);
        };
        scope.perform_microtask_checkpoint();
        match self.settled(scope, prelude, promise, current, read) {
            Some(outcome) => outcome.map(Step::Done),
            None => Ok(Step::Pending(v8::Global::new(scope, promise))),
        }
    }

    /// Reads what the prelude returned; fails with the error that it returned instead.
    fn read<'s, T>(
        &self,
        scope: &mut v8::PinScope<'s, '_>,
        value: v8::Local<'s, v8::Value>,
        current: &Current<'_>,
        read: Read<T>,
    ) -> Result<T> {
        if let Some(value) = read(scope, value) {
            return Ok(value);
        }
        if let Some((invocation, _)) = current.session
            && invocation.exchange.keeps_thrown()
            && let Some(thrown) = member(scope, value, "thrown")
            && let Some(shared) = self.host.shared()
            && let Payload::Native(thrown) = shared.payload(Some(v8::Global::new(scope, thrown)))
        {
            invocation.exchange.set_thrown(thrown);
        }
        Err(failure(scope, value, current.during))
    }

    /// Returns the outcome of a promise of the prelude's, if it has one. These promises are never rejected.
    fn settled<'s, T>(
        &self,
        scope: &mut v8::PinScope<'s, '_>,
        prelude: &Prelude,
        promise: v8::Local<'s, v8::Promise>,
        current: &Current<'_>,
        read: Read<T>,
    ) -> Option<Result<T>> {
        if self.was_stopped(scope, current) {
            return Some(self.cut_short(scope, prelude, current, read));
        }
        if promise.state() == v8::PromiseState::Pending {
            return None;
        }
        let value = promise.result(scope);
        Some(self.read(scope, value, current, read))
    }

    /// Whether this call's code was stopped by force. An exit that another invocation requested ends only that one.
    fn was_stopped(&self, isolate: &v8::Isolate, current: &Current<'_>) -> bool {
        if self.host.exit_is_of_another(current.slot()) {
            isolate.cancel_terminate_execution();
            self.wakers.wake_all();
        }
        isolate.is_execution_terminating()
            || self.host.has_exit() && !self.host.exit_is_of_another(current.slot())
            || self.limits.interrupts() != current.interrupts
            || self.is_out_of_memory()
    }

    pub(crate) fn is_out_of_memory(&self) -> bool {
        self.memory.as_ref().is_some_and(|memory| memory.is_crossed())
    }

    /// Ends a call whose code was stopped. A program that asked for its end has reached it.
    fn cut_short<'s, T>(
        &self,
        scope: &mut v8::PinScope<'s, '_>,
        prelude: &Prelude,
        current: &Current<'_>,
        read: Read<T>,
    ) -> Result<T> {
        if current.is_program
            && let Some(slot) = current.slot()
            && let Some(exit) = self.host.take_exit(Some(slot))
        {
            scope.cancel_terminate_execution();
            let status = match exit.how {
                How::Status(status) => status,
                // As a shell reports it.
                How::Signal(signal) => 128 + signal,
            };
            let arguments = [
                v8::Integer::new(scope, slot as i32).into(),
                v8::Integer::new(scope, status).into(),
            ];
            let undefined = v8::undefined(scope).into();
            let end = v8::Local::new(scope, &prelude.program_end);
            if let Some(value) = end.call(scope, undefined, &arguments) {
                return self.read(scope, value, current, read);
            }
        }
        Err(self.stopped(scope, current.slot()))
    }

    /// Returns the error of a call whose code was stopped, and makes the isolate ready for the next one.
    pub(crate) fn stopped(&self, isolate: &v8::Isolate, slot: Option<usize>) -> Error {
        self.limits.go_on(isolate);
        self.was_stopped_before.set(true);
        self.interrupts_seen.set(self.limits.interrupts());
        if let Some(exit) = self.host.take_exit(slot) {
            return exit.error();
        }
        match &self.memory {
            Some(memory) if memory.is_crossed() => memory.error(),
            _ => Error::stopped(),
        }
    }

    /// Drives the event loop until the step is done.
    pub(crate) async fn finish<T>(
        &self,
        step: Step<T>,
        current: &Current<'_>,
        read: Read<T>,
    ) -> Result<T> {
        let promise = match step {
            Step::Returned(value) | Step::Done(value) => return Ok(value),
            Step::Pending(promise) => promise,
        };
        let ticket = self.wakers.ticket();
        let awaiting = self.awaited.add(&ticket, current.slot(), promise.clone());
        poll_fn(|cx| {
            ticket.register(cx.waker());
            let mut isolate = match self.isolate() {
                Ok(isolate) => isolate,
                Err(error) => return Poll::Ready(Err(error)),
            };
            let mut isolate = isolate.enter();
            let polled = self.poll_promise(&mut isolate, &promise, current, read, cx);
            if polled.is_ready() {
                awaiting.forget();
            }
            polled
        })
        .await
    }

    fn poll_promise<T>(
        &self,
        isolate: &mut Entered<'_>,
        promise: &v8::Global<v8::Promise>,
        current: &Current<'_>,
        read: Read<T>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<T>> {
        self.tell_news(isolate, current, Turn::Begins, cx);
        let waker = self.wakers.waker();
        loop {
            // Another call's turn of the loop may have brought this one's failure, or settled its promise.
            if let Some(error) = self.take_failure(current.slot()) {
                return Poll::Ready(Err(error));
            }
            if let Some(outcome) = self.look_at(isolate, promise, current, read) {
                return Poll::Ready(outcome);
            }
            let turn = isolate
                .runtime()
                .poll_event_loop(&mut Context::from_waker(&waker), PollEventLoopOptions::default());
            let stopped = self.host.has_exit()
                || self.limits.interrupts() != current.interrupts
                || self.is_out_of_memory();
            let turn = match turn {
                // Also where this turn settled the promise: an unseen failure must not be lost.
                Poll::Ready(Err(error)) if !stopped => {
                    Self::go_on(isolate);
                    match self.assign(from_core(error), current.slot()) {
                        Assigned::Unknown(error) if self.is_one_of_many(current) => {
                            self.host.log_lost(&error, OF_NOBODY, None);
                            continue;
                        }
                        Assigned::Ours(error) | Assigned::Unknown(error) => {
                            self.wakers.wake_all();
                            return Poll::Ready(Err(error));
                        }
                        Assigned::Others => continue,
                    }
                }
                turn => turn,
            };
            // Whatever was thrown has been caught after all.
            self.host.blamed.borrow_mut().take();
            if let Some(outcome) = self.look_at(isolate, promise, current, read) {
                // Where nothing is left in the loop, others that wait in vain have to find out.
                self.wakers.wake_all();
                return Poll::Ready(outcome);
            }
            match turn {
                // Another invocation has been stopped; it has been woken to find out, and so has this one.
                Poll::Ready(Err(_)) => return Poll::Pending,
                _ if self.tell_news(isolate, current, Turn::Ends, cx) => {}
                // An answer that waits for an empty loop would wait for that of others.
                Poll::Pending
                    if self.host.holds_answers.get()
                        && self.awaited.count() > 1
                        && Self::idle(isolate, current, false) => {}
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(()))
                    if self.waits_for_reader(current) || self.waits_for_client(current) =>
                {
                    return Poll::Pending;
                }
                Poll::Ready(Ok(())) if Self::idle(isolate, current, true) => {}
                Poll::Ready(Ok(())) => return Poll::Ready(Err(never_settled())),
            }
        }
    }

    /// Whether a call is that of a web application that works at several requests: it need not be the cause of a failure.
    fn is_one_of_many(&self, current: &Current<'_>) -> bool {
        current.is_web() && self.awaited.count() > 1
    }

    fn look_at<T>(
        &self,
        isolate: &mut Entered<'_>,
        promise: &v8::Global<v8::Promise>,
        current: &Current<'_>,
        read: Read<T>,
    ) -> Option<Result<T>> {
        let (runtime, prelude) = isolate.parts();
        deno_runtime::deno_core::scope!(scope, runtime);
        let promise = v8::Local::new(scope, promise);
        self.settled(scope, prelude, promise, current, read)
    }

    /// Tells the prelude that the event loop is empty, or that there are others' calls in it; returns whether that brings an
    /// answer.
    fn idle(isolate: &mut Entered<'_>, current: &Current<'_>, is_empty: bool) -> bool {
        let Some(slot) = current.slot() else { return false };
        let (runtime, prelude) = isolate.parts();
        deno_runtime::deno_core::scope!(scope, runtime);
        let undefined = v8::undefined(scope).into();
        let slot = v8::Integer::new(scope, slot as i32).into();
        let idle = v8::Local::new(scope, &prelude.idle);
        let is_empty = v8::Boolean::new(scope, is_empty).into();
        let answered = idle.call(scope, undefined, &[slot, is_empty]);
        let answered = answered.is_some_and(|answered| answered.is_true());
        scope.perform_microtask_checkpoint();
        answered
    }
}

fn never_settled() -> Error {
    Error::new(
        ErrorKind::NeverSettled,
        "the handler's promise can no longer settle: nothing is left in the event loop that it could wait for",
    )
}
