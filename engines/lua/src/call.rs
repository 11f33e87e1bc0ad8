//! One call: a coroutine, driven until it returns, with waits for the host in between.

use crate::{
    context, convert,
    convert::{End, Strictness},
    error, guard, headers,
    host::Host,
    limits, observe, stream,
    trace::Trace,
    value::LuaValue,
    vm::{Coroutine, Vm},
    waits::Outcome,
    web::{self, WebCall},
};
use bytes::Bytes;
use mlua::ffi::{self, lua_State};
use std::{
    ffi::{c_int, c_void},
    future::poll_fn,
    mem::ManuallyDrop,
    pin::pin,
    ptr,
    rc::Rc,
};
use trine_engine::{
    Error, ErrorKind, Form, Hook, Interface, Invocation, Level, LocalFuture, Payload, Result,
    Shaped,
};

/// A coroutine in use, given back to its state when it has returned, otherwise left to Lua's collector.
pub(crate) struct Run<'r> {
    vm: &'r Rc<Vm>,
    coroutine: Option<Coroutine>,
    epoch: u64,
    /// Number of the call, by which it is warned; 0 for anything that is not a call.
    number: i64,
    /// Whether the call has had its warning.
    warned: bool,
    /// Whether it is a handler's call, which may give its answer in pieces.
    is_handler: bool,
    /// The call of a web application, where it is one.
    web: Option<Rc<WebCall>>,
    /// The coroutine whose chunks the call sends, once it does. The stack of the call's own keeps it alive.
    source: Option<*mut lua_State>,
    invocation: Option<&'r Rc<Invocation>>,
    label: &'r str,
}

/// The point that a coroutine has reached.
enum Segment {
    /// The end: this many results are on its stack.
    Returned(c_int),
    /// A wait for the host.
    Waits(LocalFuture<'static, Outcome>),
}

impl<'r> Run<'r> {
    /// Takes a coroutine for a call of a function, which messages call `label`.
    pub(crate) fn new(
        vm: &'r Rc<Vm>,
        invocation: Option<&'r Rc<Invocation>>,
        label: &'r str,
    ) -> Result<Self> {
        let coroutine = Some(vm.coroutine()?);
        let epoch = vm.host().watch().stop().epoch();
        Ok(Self {
            vm,
            coroutine,
            epoch,
            number: 0,
            warned: false,
            is_handler: false,
            web: None,
            source: None,
            invocation,
            label,
        })
    }

    /// Says which call this is, so that it can be warned.
    pub(crate) fn is_call(&mut self, call: &InFlight<'_>) {
        self.number = call.number;
    }

    /// Returns the coroutine, on which the caller pushes a function and its arguments.
    pub(crate) fn raw(&self) -> *mut lua_State {
        self.coroutine.as_ref().map_or(ptr::null_mut(), |coroutine| coroutine.raw)
    }

    /// Runs the function on the coroutine's stack, with this many arguments, until it returns. Its results are then on
    /// the coroutine's stack; returns their number.
    pub(crate) async fn finish(&mut self, arguments: c_int) -> Result<c_int> {
        let first = self.segment(arguments)?;
        self.go_on(first).await
    }

    async fn go_on(&mut self, mut segment: Segment) -> Result<c_int> {
        let host = self.vm.host();
        loop {
            let wait = match segment {
                Segment::Returned(results) => return Ok(results),
                Segment::Waits(wait) => wait,
            };
            if let Some(web) = &self.web {
                web.before_wait();
            }
            let mut stopped = pin!(host.watch().stop().waiting().notified());
            // From here on an interrupt wakes us; an earlier one shows in the epoch.
            stopped.as_mut().enable();
            if host.watch().stop().epoch() != self.epoch {
                return Err(self.timeout());
            }
            let number = self.number;
            tokio::select! {
                biased;
                () = stopped => return Err(self.timeout()),
                () = poll_fn(|context| host.warnings().poll(number, context)) => {
                    self.warned = true;
                    host.waits().end(Outcome::Warned);
                }
                () = stream::gone(self.source.and(self.invocation)) => {
                    host.waits().end(Outcome::Room(false));
                }
                outcome = wait => host.waits().end(outcome),
            }
            if let Some(web) = &self.web {
                web.after_wait();
            }
            segment = self.segment(0)?;
        }
    }

    /// Resumes the coroutine once.
    fn segment(&mut self, arguments: c_int) -> Result<Segment> {
        let (vm, coroutine) = (self.vm, self.raw());
        let host = vm.host();
        host.run(self.epoch, self.warned, self.invocation);
        host.streaming().allow(self.is_handler);
        host.watch().begin(self.label);
        let mut results = 0;
        let status = {
            let _entered = limits::enter(coroutine, host.watch());
            if host.watch().doomed() {
                return Err(Error::stopped());
            }
            host.web().run(self.web.as_ref());
            // SAFETY: the coroutine is live and ours, with a function and `arguments` values on its stack, or
            // suspended by a wait. Nothing else runs on its state at this instant.
            let status =
                unsafe { ffi::lua_resume(coroutine, vm.main(), arguments, &raw mut results) };
            // Finalizers may run guest code at any time, and find no request then.
            host.web().run(None);
            if status > ffi::LUA_YIELD {
                // SAFETY: the coroutine has failed, and its error is on top.
                unsafe { observe::failed(coroutine, status) };
            }
            status
        };
        if host.watch().warned() && !self.warned {
            self.warned = true;
            host.warnings().set_warned(self.number);
        }
        self.source = host.streaming().take_source().or(self.source);
        let returned = status == ffi::LUA_OK && host.watch().exit().is_none();
        if !returned && (status != ffi::LUA_YIELD || host.watch().doomed()) {
            let place = host.streaming().take_place();
            let trace = place.unwrap_or_else(|| match status {
                ffi::LUA_YIELD => self.trace(),
                _ => Trace::of(coroutine, self.label),
            });
            return Err(error::failed(vm, coroutine, status, trace, self.invocation));
        }
        if status == ffi::LUA_OK {
            return Ok(Segment::Returned(results));
        }
        // SAFETY: the coroutine has yielded this many values.
        let waits = unsafe { guard::waits(coroutine, results) };
        // SAFETY: as above.
        unsafe { ffi::lua_pop(coroutine, results) };
        match host.waits().take() {
            Some(wait) if waits => Ok(Segment::Waits(wait)),
            _ => Err(Error::guest("LuaError", "attempt to yield from outside a coroutine")),
        }
    }

    /// Returns the error of a call that is interrupted while it waits, with the place where it waits.
    fn timeout(&self) -> Error {
        self.trace().give(Error::stopped())
    }

    /// Finds where a suspended call is: where it sends chunks, in what makes them.
    fn trace(&self) -> Trace {
        let source = self.source.map(|source| Trace::of(source, ""));
        let source = source.filter(|trace| !trace.frames.is_empty());
        source.unwrap_or_else(|| Trace::of(self.raw(), self.label))
    }

    /// Gives the coroutine back: it has returned and its results are no longer needed.
    pub(crate) fn done(mut self) {
        if let Some(coroutine) = self.coroutine.take() {
            self.vm.host().watch().end(coroutine.raw);
            self.vm.recycle(coroutine);
        }
    }
}

impl Drop for Run<'_> {
    fn drop(&mut self) {
        if let Some(coroutine) = self.coroutine.take() {
            self.vm.host().watch().end(coroutine.raw);
            self.vm.abandon(coroutine);
        }
    }
}

/// A call on the list of those in flight, taken off when it ends, however it ends.
pub(crate) struct InFlight<'h> {
    vm: &'h Vm,
    number: i64,
}

impl<'h> InFlight<'h> {
    pub(crate) fn begin(vm: &'h Vm, invocation: &Rc<Invocation>) -> Self {
        let number = vm.next_call();
        vm.host().warnings().begin(number, invocation);
        Self { vm, number }
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.vm.host().output().flush();
        self.vm.host().end(self.number);
    }
}

/// The way a function is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// A handler, called with a value and the context.
    Handler,
    /// A web application, called with a request by one of the conventions.
    Web(Interface),
    Hook(Hook),
}

/// The input of a call, kept until its function runs: read by [`entry`], then gone.
struct Job<'j> {
    vm: &'j Vm,
    function: c_int,
    role: Role,
    input: Input<'j>,
    form: Form,
    invocation: &'j Rc<Invocation>,
    web: Option<&'j WebCall>,
}

enum Input<'j> {
    Json(&'j mut convert::Parser<'j>),
    Shaped(&'j Shaped),
    Text(&'j [u8]),
    /// Key in the registry of the same state.
    Value(c_int),
    Nothing,
}

/// A function of a state.
pub(crate) struct Callee<'c> {
    /// Key in the registry.
    pub(crate) key: c_int,
    /// The function's name in messages.
    pub(crate) label: &'c str,
    pub(crate) role: Role,
}

/// Calls a function with an event and its context.
pub(crate) async fn call(
    vm: &Rc<Vm>,
    callee: Callee<'_>,
    input: Payload,
    form: Form,
    invocation: &Rc<Invocation>,
) -> Result<Payload> {
    let in_flight = InFlight::begin(vm, invocation);
    let mut run = Run::new(vm, Some(invocation), callee.label)?;
    run.is_call(&in_flight);
    run.is_handler = callee.role == Role::Handler;
    if let Role::Web(interface) = callee.role {
        let Payload::Request(request) = &input else {
            let message = format!("'{}' is a web application: it takes requests", callee.label);
            return Err(Error::new(ErrorKind::Unsupported, message));
        };
        let call = WebCall::new(interface, request.clone(), invocation.clone());
        run.web = Some(Rc::new(call));
    }
    let finished = match start(&mut run, &callee, input, form) {
        Ok(first) => run.go_on(first).await,
        Err(error) => Err(error),
    };
    let host = vm.host();
    let finished = match host.answer().take_fault() {
        Some(error) => Err(error),
        None => finished,
    };
    if let Some(web) = run.web.clone() {
        let answer = finished.and_then(|_| web.end());
        let answer = answer.map_err(|error| web::placed(vm, callee.key, error))?;
        run.done();
        return Ok(answer);
    }
    let results = finished?;
    if host.answer().take_returned() {
        let error = error::returned(vm, run.raw());
        run.done();
        return Err(error);
    }
    if host.streaming().take_streamed() {
        run.done();
        return Ok(Payload::Streamed);
    }
    let payload = match (form, results) {
        (Form::Native, 0) => Payload::Nothing,
        (Form::Native, _) => {
            // SAFETY: `finish_entry` has left the key of the result.
            let key = unsafe { ffi::lua_tointeger(run.raw(), -1) } as c_int;
            Payload::Native(Rc::new(LuaValue::new(vm.clone(), key)))
        }
        (Form::Json, _) => match host.answer().take_http() {
            Some(result) => Payload::Http(result),
            None => Payload::Json(Bytes::from(host.answer().take_reply())),
        },
    };
    run.done();
    Ok(payload)
}

/// Runs the first segment of a call, for which the input is turned into Lua's values.
fn start(run: &mut Run<'_>, callee: &Callee<'_>, input: Payload, form: Form) -> Result<Segment> {
    let vm = run.vm;
    let Some(invocation) = run.invocation else {
        return Err(Error::internal("a call has an invocation"));
    };
    let text;
    let mut parser;
    let input = match &input {
        Payload::Nothing => Input::Nothing,
        Payload::Request(_) if run.web.is_some() => Input::Nothing,
        Payload::Raw(raw) => Input::Text(&raw.bytes),
        Payload::Native(value) => match value.as_any().downcast_ref::<LuaValue>() {
            Some(own) if own.belongs_to(vm) => Input::Value(own.key()),
            _ => {
                text = value.to_json()?;
                parser = convert::Parser::new(&text);
                Input::Json(&mut parser)
            }
        },
        Payload::Json(text) => {
            parser = convert::Parser::new(text);
            Input::Json(&mut parser)
        }
        Payload::Shaped(event) => Input::Shaped(event),
        _ => {
            return Err(Error::new(ErrorKind::Unsupported, "Lua cannot take this kind of payload"));
        }
    };
    let web = run.web.clone();
    let web = web.as_deref();
    let mut job = Job { vm, function: callee.key, role: callee.role, input, form, invocation, web };
    // SAFETY: a new coroutine has room for more than two values, and neither of these allocates. The job lives until
    // the segment is over, and `entry` reads it before anything can suspend the coroutine.
    unsafe {
        ffi::lua_pushcfunction(run.raw(), entry);
        ffi::lua_pushlightuserdata(run.raw(), ptr::from_mut(&mut job).cast::<c_void>());
    }
    run.segment(1)
}

/// Serves as the first function of a call's coroutine: makes event and context, calls the guest, and takes its result
/// apart, all in protected mode, because creating values may fail.
unsafe extern "C-unwind" fn entry(coroutine: *mut lua_State) -> c_int {
    // SAFETY: `start` passes the job. What has a destructor lives in `start`'s frame, below the protected call.
    unsafe {
        let job = &mut *ffi::lua_touserdata(coroutine, 1).cast::<Job<'_>>();
        let host = job.vm.host();
        // From here on the first slot is the host's, for `finish_entry`.
        ffi::lua_pushlightuserdata(coroutine, ptr::from_ref(host).cast_mut().cast::<c_void>());
        ffi::lua_replace(coroutine, 1);
        ffi::lua_rawgeti(coroutine, ffi::LUA_REGISTRYINDEX, job.function.into());
        if let Some(call) = job.web {
            return web::enter(coroutine, host, call);
        }
        let with_value = match job.role {
            Role::Handler | Role::Web(_) => true,
            Role::Hook(hook) => hook.takes_value(),
        };
        let is_error = job.role == Role::Hook(Hook::Error);
        if with_value && !push_input(coroutine, host, &mut job.input, is_error) {
            return 0;
        }
        if job.role == Role::Handler
            && let Some(conventions) = &job.invocation.conventions
            && let Some(name) = &conventions.headers
        {
            headers::find_in_any_case(coroutine, host, name);
        }
        if let Err(error) = context::push(coroutine, host, job.invocation) {
            host.answer().set_fault(error);
            return 0;
        }
        let kind = if job.form == Form::Native { NATIVE } else { 0 };
        let kind = if is_error { kind | ERROR } else { kind };
        let kind = if job.role == Role::Handler { kind | HANDLER } else { kind };
        let takes_http =
            job.role == Role::Handler && job.form == Form::Json && job.invocation.takes_http_result;
        let kind = if takes_http { kind | HTTP } else { kind };
        let (arguments, results) = (1 + c_int::from(with_value), 1 + c_int::from(is_error));
        ffi::lua_callk(coroutine, arguments, results, kind, Some(finish_entry));
        finish_entry(coroutine, ffi::LUA_OK, kind)
    }
}

/// Bits that tell [`finish_entry`] that the result stays a value, that an `error` hook has run, or a handler, or that the
/// result is for an HTTP server.
const NATIVE: ffi::lua_KContext = 1;
const ERROR: ffi::lua_KContext = 2;
const HANDLER: ffi::lua_KContext = 4;
const HTTP: ffi::lua_KContext = 8;

/// Pushes the value that a function gets; returns false when there is none and the fault is with the host.
unsafe fn push_input(
    coroutine: *mut lua_State,
    host: &Host,
    input: &mut Input<'_>,
    is_error: bool,
) -> bool {
    // SAFETY: called by `entry`, with room for some values.
    unsafe {
        match input {
            Input::Nothing => ffi::lua_pushnil(coroutine),
            Input::Value(key) => {
                ffi::lua_rawgeti(coroutine, ffi::LUA_REGISTRYINDEX, (*key).into());
            }
            Input::Shaped(event) => {
                if !convert::build(coroutine, event, host.forms()) {
                    convert::leave(coroutine, End::Memory);
                    return false;
                }
            }
            Input::Text(text) => {
                ffi::lua_pushlstring(coroutine, text.as_ptr().cast(), text.len());
            }
            Input::Json(parser) => {
                if let Err(fault) = convert::read(coroutine, parser, host.forms()) {
                    if let Some(end) = fault.end() {
                        convert::leave(coroutine, end);
                        return false;
                    }
                    let message = format!("Unable to unmarshal input: {}", fault.text(parser));
                    host.answer().set_fault(Error::new(ErrorKind::Unmarshal, message));
                    return false;
                }
                if is_error {
                    error::from_document(coroutine, &host.forms().marks());
                }
            }
        }
    }
    true
}

/// Turns the guest's result into what the next hop needs: a key in the registry, or text. An `error` hook may have
/// returned nil and an error, which replaces the one it got.
unsafe extern "C-unwind" fn finish_entry(
    coroutine: *mut lua_State,
    _: c_int,
    kind: ffi::lua_KContext,
) -> c_int {
    // SAFETY: `lua_callk` has left one result, or two of an `error` hook. `entry` has left the host in the first slot.
    // What has a destructor is kept from the frame while anything may raise.
    unsafe {
        let host = &*ffi::lua_touserdata(coroutine, 1).cast::<Host>();
        if kind & ERROR != 0 {
            let returned = ffi::lua_type(coroutine, -2) == ffi::LUA_TNIL
                && ffi::lua_type(coroutine, -1) != ffi::LUA_TNIL;
            if returned {
                host.answer().set_returned();
                return 1;
            }
            ffi::lua_pop(coroutine, 1);
        }
        if kind & HANDLER != 0 {
            let result = ffi::lua_type(coroutine, -1);
            if matches!(result, ffi::LUA_TTHREAD | ffi::LUA_TFUNCTION) {
                let driver = host.streaming().driver();
                ffi::lua_rawgeti(coroutine, ffi::LUA_REGISTRYINDEX, driver.into());
                ffi::lua_insert(coroutine, -2);
                ffi::lua_callk(coroutine, 1, 1, kind, Some(finish_stream));
                return finish_stream(coroutine, ffi::LUA_OK, kind);
            }
            if stream::has_begun(host) {
                return finish_stream(coroutine, ffi::LUA_OK, kind);
            }
        }
        if kind & NATIVE != 0 {
            if ffi::lua_type(coroutine, -1) == ffi::LUA_TNIL {
                return 0;
            }
            let key = ffi::luaL_ref(coroutine, ffi::LUA_REGISTRYINDEX);
            ffi::lua_pushinteger(coroutine, key.into());
            return 1;
        }
        if kind & HTTP != 0
            && let Some(result) = convert::http_result(coroutine)
        {
            host.answer().set_http(result);
            return 0;
        }
        let mut text = ManuallyDrop::new(Vec::with_capacity(host.answer().reply_size()));
        match convert::write(coroutine, -1, host, Strictness::Ordinary, &mut text) {
            Ok(()) => host.answer().set_reply(ManuallyDrop::into_inner(text)),
            Err(fault) => {
                ManuallyDrop::drop(&mut text);
                if fault.end() == Some(End::Stopped) {
                    return limits::stop(coroutine);
                }
                let error = fault.into_error("result");
                let message = match error.kind() {
                    ErrorKind::Marshal => {
                        format!("Unable to marshal response: {}", error.message())
                    }
                    _ => error.message().to_owned(),
                };
                host.answer().set_fault(error.with_message(message));
            }
        }
    }
    0
}

/// Ends a call whose answer has gone out in pieces. What it returns has no place to go.
unsafe extern "C-unwind" fn finish_stream(
    coroutine: *mut lua_State,
    _: c_int,
    _: ffi::lua_KContext,
) -> c_int {
    // SAFETY: there is one result on top; `entry` has left the host in the first slot.
    unsafe {
        let host = &*ffi::lua_touserdata(coroutine, 1).cast::<Host>();
        if ffi::lua_type(coroutine, -1) != ffi::LUA_TNIL {
            let message =
                "the response has been streamed: what the handler returns after that is not sent";
            host.output().log(Level::Warn, message, None);
        }
        host.streaming().set_streamed();
    }
    0
}
