//! One call: a coroutine, driven until it returns, with waits for the host in between.

use crate::{
    context, convert,
    error::{failed, timeout},
    guard,
    host::Outcome,
    limits,
    state::{Coroutine, LuaValue, State},
};
use bytes::Bytes;
use mlua::ffi::{self, lua_State};
use std::{
    ffi::{c_int, c_void},
    pin::pin,
    ptr,
    rc::Rc,
};
use trine_engine::{Error, ErrorKind, Form, Invocation, LocalFuture, Payload, Result};

/// A coroutine in use. Given back to its state when it has returned, else left to Lua's collector.
pub(crate) struct Run<'r> {
    state: &'r Rc<State>,
    coroutine: Option<Coroutine>,
    epoch: u64,
    invocation: Option<&'r Rc<Invocation>>,
    label: &'r str,
}

/// How far a coroutine got.
enum Segment {
    /// It returned; this many results are on its stack.
    Returned(c_int),
    /// It waits for the host.
    Waits(LocalFuture<'static, Outcome>),
}

impl<'r> Run<'r> {
    /// Takes a coroutine for a call of the function that messages call `label`.
    pub(crate) fn new(
        state: &'r Rc<State>,
        invocation: Option<&'r Rc<Invocation>>,
        label: &'r str,
    ) -> Result<Self> {
        let coroutine = Some(state.coroutine()?);
        Ok(Self { state, coroutine, epoch: state.host().stop().epoch(), invocation, label })
    }

    /// The coroutine, on which the caller pushes a function and its arguments.
    pub(crate) fn raw(&self) -> *mut lua_State {
        self.coroutine.as_ref().map_or(ptr::null_mut(), |coroutine| coroutine.raw)
    }

    /// Runs the function on the coroutine's stack, with this many arguments, until it returns. Its results are on the
    /// coroutine's stack then; returns their number.
    pub(crate) async fn finish(&mut self, arguments: c_int) -> Result<c_int> {
        let first = self.segment(arguments)?;
        self.go_on(first).await
    }

    async fn go_on(&mut self, mut segment: Segment) -> Result<c_int> {
        let host = self.state.host();
        loop {
            let wait = match segment {
                Segment::Returned(results) => return Ok(results),
                Segment::Waits(wait) => wait,
            };
            let mut stopped = pin!(host.stop().waiting().notified());
            // From here on an interrupt wakes us; one that came before shows in the epoch.
            stopped.as_mut().enable();
            if host.stop().epoch() != self.epoch {
                return Err(timeout());
            }
            tokio::select! {
                biased;
                () = stopped => return Err(timeout()),
                outcome = wait => host.set_outcome(outcome),
            }
            segment = self.segment(0)?;
        }
    }

    /// Resumes the coroutine once.
    fn segment(&mut self, arguments: c_int) -> Result<Segment> {
        let (state, coroutine) = (self.state, self.raw());
        let host = state.host();
        host.run(self.epoch, self.invocation);
        let mut results = 0;
        let status = {
            let _entered = limits::enter(coroutine, host);
            if host.doomed() {
                return Err(timeout());
            }
            // SAFETY: the coroutine is live and ours, with a function and `arguments` values on its stack, or
            // suspended by a wait. Nothing else runs on its state at this instant.
            unsafe { ffi::lua_resume(coroutine, state.main(), arguments, &raw mut results) }
        };
        let returned = status == ffi::LUA_OK && host.exit().is_none();
        if !returned && (status != ffi::LUA_YIELD || host.doomed()) {
            return Err(failed(state, coroutine, status, self.label));
        }
        if status == ffi::LUA_OK {
            return Ok(Segment::Returned(results));
        }
        // SAFETY: the coroutine has yielded this many values.
        let waits = unsafe { guard::waits(coroutine, results) };
        // SAFETY: as above.
        unsafe { ffi::lua_pop(coroutine, results) };
        match host.take_wait() {
            Some(wait) if waits => Ok(Segment::Waits(wait)),
            _ => Err(Error::guest("LuaError", "attempt to yield from outside a coroutine")),
        }
    }

    /// Gives the coroutine back: it has returned and its results are no longer needed.
    pub(crate) fn done(mut self) {
        if let Some(coroutine) = self.coroutine.take() {
            self.state.recycle(coroutine);
        }
    }
}

impl Drop for Run<'_> {
    fn drop(&mut self) {
        if let Some(coroutine) = self.coroutine.take() {
            self.state.abandon(coroutine);
        }
    }
}

/// Takes a call off the list of those in flight when it ends, however it ends.
struct InFlight<'h> {
    state: &'h State,
    number: i64,
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.state.host().end(self.number);
        self.state.host().output().flush();
    }
}

/// What a call needs until its function runs: read by [`entry`], then gone.
struct Job<'j> {
    state: &'j State,
    function: c_int,
    input: Input<'j>,
    form: Form,
    number: i64,
    invocation: &'j Invocation,
}

enum Input<'j> {
    Json(&'j mut convert::Parser<'j>),
    Text(&'j [u8]),
    /// Key in the registry of the same state.
    Value(c_int),
}

/// Calls the function that the registry holds under `function` with an event and its context.
pub(crate) async fn call(
    state: &Rc<State>,
    function: c_int,
    label: &str,
    input: Payload,
    form: Form,
    invocation: &Rc<Invocation>,
) -> Result<Payload> {
    let number = state.next_call();
    state.host().begin(number, invocation);
    let _in_flight = InFlight { state, number };
    let mut run = Run::new(state, Some(invocation), label)?;
    let first = start(&mut run, function, input, form, number)?;
    let results = run.go_on(first).await?;
    if let Some(error) = state.host().take_fault() {
        return Err(error);
    }
    let payload = match form {
        Form::Native if results == 1 => {
            // SAFETY: `finish_entry` has left the key of the result.
            let key = unsafe { ffi::lua_tointeger(run.raw(), -1) } as c_int;
            Payload::Native(Rc::new(LuaValue::new(state.clone(), key)))
        }
        _ => Payload::Json(Bytes::from(state.host().take_reply())),
    };
    run.done();
    Ok(payload)
}

/// Runs the first segment of a call, for which the input is turned into Lua's values.
fn start(
    run: &mut Run<'_>,
    function: c_int,
    input: Payload,
    form: Form,
    number: i64,
) -> Result<Segment> {
    let state = run.state;
    let Some(invocation) = run.invocation else {
        return Err(Error::internal("a call has an invocation"));
    };
    let text;
    let mut parser;
    let input = match &input {
        Payload::Raw(raw) => Input::Text(&raw.bytes),
        Payload::Native(value) => match value.as_any().downcast_ref::<LuaValue>() {
            Some(own) if own.belongs_to(state) => Input::Value(own.key()),
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
        _ => {
            return Err(Error::new(ErrorKind::Unsupported, "Lua cannot take this kind of payload"));
        }
    };
    let mut job = Job { state, function, input, form, number, invocation };
    // SAFETY: a new coroutine has room for more than two values, and neither of these allocates. The job lives until
    // the segment is over, and `entry` reads it before anything can suspend the coroutine.
    unsafe {
        ffi::lua_pushcfunction(run.raw(), entry);
        ffi::lua_pushlightuserdata(run.raw(), ptr::from_mut(&mut job).cast::<c_void>());
    }
    run.segment(1)
}

/// First function of a call's coroutine: makes event and context, calls the guest, and takes its result apart, all in
/// protected mode, because creating values may fail.
unsafe extern "C-unwind" fn entry(coroutine: *mut lua_State) -> c_int {
    // SAFETY: `start` passes the job. What has a destructor lives in `start`'s frame, below the protected call.
    unsafe {
        let job = &mut *ffi::lua_touserdata(coroutine, 1).cast::<Job<'_>>();
        let host = job.state.host();
        ffi::lua_rawgeti(coroutine, ffi::LUA_REGISTRYINDEX, job.function.into());
        match &mut job.input {
            Input::Value(key) => {
                ffi::lua_rawgeti(coroutine, ffi::LUA_REGISTRYINDEX, (*key).into());
            }
            Input::Text(text) => {
                ffi::lua_pushlstring(coroutine, text.as_ptr().cast(), text.len());
            }
            Input::Json(parser) => {
                if let Err(fault) = convert::decode(coroutine, parser, host) {
                    let message = format!("Unable to unmarshal input: {}", fault.text(parser));
                    host.set_fault(Error::new(ErrorKind::Unmarshal, message));
                    return 0;
                }
            }
        }
        if let Err(error) = context::push(coroutine, host, job.number, job.invocation) {
            host.set_fault(error);
            return 0;
        }
        let native = isize::from(job.form == Form::Native);
        ffi::lua_callk(coroutine, 2, 1, native, Some(finish_entry));
        finish_entry(coroutine, ffi::LUA_OK, native)
    }
}

/// Turns the guest's result into what the next hop needs: a key in the registry, or text. `nil` is always text.
unsafe extern "C-unwind" fn finish_entry(
    coroutine: *mut lua_State,
    _: c_int,
    native: ffi::lua_KContext,
) -> c_int {
    // SAFETY: `lua_callk` has left one result. The host is the one that `segment` entered. What has a destructor is
    // kept from the frame while anything may raise.
    unsafe {
        if native != 0 && ffi::lua_type(coroutine, -1) != ffi::LUA_TNIL {
            let key = ffi::luaL_ref(coroutine, ffi::LUA_REGISTRYINDEX);
            ffi::lua_pushinteger(coroutine, key.into());
            return 1;
        }
        if let Some(host) = limits::running_host() {
            let mut text = std::mem::ManuallyDrop::new(Vec::with_capacity(host.reply_size()));
            match convert::encode(coroutine, -1, host, &mut text) {
                Ok(()) => host.set_reply(std::mem::ManuallyDrop::into_inner(text)),
                Err(fault) => {
                    std::mem::ManuallyDrop::drop(&mut text);
                    let message = format!("Unable to marshal response: {}", fault.at("result"));
                    host.set_fault(Error::new(ErrorKind::Marshal, message));
                }
            }
        }
    }
    0
}
