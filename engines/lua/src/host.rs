//! What a Lua state's host keeps for it, and what the guest may ask of the host: waiting, and the end.

use crate::{
    context::Contexts,
    convert::{Keys, Marks},
    fetch, limits,
    limits::Stop,
    output::Output,
    state::State,
    value::LuaValue,
};
use bytes::Bytes;
use mlua::{
    Lua, Table, Value,
    ffi::{self, lua_State},
};
use std::{
    cell::{Cell, RefCell},
    ffi::c_int,
    rc::{Rc, Weak},
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};
use trine_engine::{Environment, Error, Frame, FunctionInfo, Invocation, LocalFuture};

/// What a wait ends with.
pub(crate) enum Outcome {
    /// The time has passed.
    Slept,
    /// A response has arrived, or the text of what went wrong.
    Fetched(Result<fetch::Response, String>),
    /// The deadline is near.
    Warned,
}

/// A call between its begin and its end.
struct Call {
    number: i64,
    invocation: Rc<Invocation>,
    /// Whether its next wait is to end with [`Outcome::Warned`], and whether it has been warned.
    warning: bool,
    warned: bool,
    waker: Option<Waker>,
}

/// Where an error inside of a coroutine came from; the coroutine is dead by the time somebody asks.
pub(crate) struct Origin {
    pub(crate) message: Vec<u8>,
    pub(crate) frames: Vec<Frame>,
    pub(crate) stack: Vec<String>,
}

/// What the host keeps for one Lua state. C functions find it through an upvalue, so it stays where it is and outlives
/// the state.
pub(crate) struct Host {
    output: Output,
    function: FunctionInfo,
    stop: Arc<Stop>,
    marks: Cell<Marks>,
    keys: Keys,
    /// [`Stop::epoch`] at the start of the call that runs.
    epoch: Cell<u64>,
    /// What the call that runs has given to `os.exit`.
    exit: Cell<Option<i32>>,
    /// [`Stop::warnings`] when the code that runs began to, and whether its call has had its warning.
    warnings: Cell<u64>,
    warned: Cell<bool>,
    /// Whether a hook has just raised an error: message handlers run with hooks off then.
    in_hook: Cell<bool>,
    /// Whether the `error` hook that has just returned gave an error to replace the one it got.
    returned: Cell<bool>,
    calls: RefCell<Vec<Call>>,
    contexts: Contexts,
    state: RefCell<Weak<State>>,
    memory: usize,
    /// Text that a C function reads while it makes values of it, which may skip the function's own frame.
    stash: RefCell<Bytes>,
    wait: RefCell<Option<LocalFuture<'static, Outcome>>>,
    outcome: RefCell<Option<Outcome>>,
    fault: Cell<Option<Error>>,
    reply: Cell<Vec<u8>>,
    last_reply: Cell<usize>,
    origin: RefCell<Option<Origin>>,
    client: fetch::Client,
}

impl Host {
    pub(crate) fn new(environment: &Environment, stop: Arc<Stop>) -> Self {
        Self {
            output: Output::new(environment.log.clone()),
            function: environment.function.clone(),
            stop,
            marks: Cell::new(Marks::NONE),
            keys: Keys::default(),
            epoch: Cell::new(0),
            exit: Cell::new(None),
            warnings: Cell::new(0),
            warned: Cell::new(false),
            in_hook: Cell::new(false),
            returned: Cell::new(false),
            calls: RefCell::new(Vec::new()),
            contexts: Contexts::default(),
            state: RefCell::default(),
            memory: limits::memory(environment),
            stash: RefCell::default(),
            wait: RefCell::new(None),
            outcome: RefCell::new(None),
            fault: Cell::new(None),
            reply: Cell::new(Vec::new()),
            last_reply: Cell::new(192),
            origin: RefCell::new(None),
            client: fetch::Client::default(),
        }
    }

    /// The host of the state that calls a C closure.
    ///
    /// # Safety
    /// The closure's first upvalue must be its host, which the state puts there and keeps until it is closed.
    pub(crate) unsafe fn of<'a>(state: *mut lua_State) -> &'a Self {
        // SAFETY: as the caller vouches.
        unsafe { &*ffi::lua_touserdata(state, ffi::lua_upvalueindex(1)).cast::<Self>() }
    }

    pub(crate) fn output(&self) -> &Output {
        &self.output
    }

    pub(crate) fn function(&self) -> &FunctionInfo {
        &self.function
    }

    pub(crate) fn stop(&self) -> &Arc<Stop> {
        &self.stop
    }

    pub(crate) fn marks(&self) -> Marks {
        self.marks.get()
    }

    pub(crate) fn set_marks(&self, marks: Marks) {
        self.marks.set(marks);
    }

    pub(crate) fn keys(&self) -> &Keys {
        &self.keys
    }

    /// Whether the call that runs has to end.
    pub(crate) fn doomed(&self) -> bool {
        self.exit.get().is_some() || self.stop.epoch() != self.epoch.get()
    }

    /// Says which call runs from now on, and whether it has been warned before.
    pub(crate) fn run(&self, epoch: u64, warned: bool, invocation: Option<&Rc<Invocation>>) {
        self.epoch.set(epoch);
        self.exit.set(None);
        self.in_hook.set(false);
        self.warned.set(warned);
        self.warnings.set(self.stop.warnings());
        self.output.run(invocation);
    }

    pub(crate) fn exit(&self) -> Option<i32> {
        self.exit.get()
    }

    /// Whether the code that runs is to hear that its time is nearly up.
    pub(crate) fn warning(&self) -> bool {
        !self.warned.get() && self.stop.warnings() != self.warnings.get()
    }

    /// Whether to tell it now; once a call.
    pub(crate) fn take_warning(&self) -> bool {
        self.warning() && !self.warned.replace(true)
    }

    /// Whether the call that runs has had its warning.
    pub(crate) fn warned(&self) -> bool {
        self.warned.get()
    }

    pub(crate) fn set_in_hook(&self, in_hook: bool) {
        self.in_hook.set(in_hook);
    }

    pub(crate) fn in_hook(&self) -> bool {
        self.in_hook.get()
    }

    pub(crate) fn set_returned(&self) {
        self.returned.set(true);
    }

    pub(crate) fn take_returned(&self) -> bool {
        self.returned.take()
    }

    /// Registers a call, so that it can be warned, under a number of its own.
    pub(crate) fn begin(&self, number: i64, invocation: &Rc<Invocation>) {
        let invocation = invocation.clone();
        let call = Call { number, invocation, warning: false, warned: false, waker: None };
        self.calls.borrow_mut().push(call);
    }

    pub(crate) fn end(&self, number: i64) {
        let mut calls = self.calls.borrow_mut();
        let index = calls.iter().position(|call| call.number == number);
        let ended = index.map(|index| calls.swap_remove(index));
        drop(calls);
        // Its end may be the invocation's, and that of whatever its functions shared.
        drop(ended);
        self.output.rest();
    }

    /// Notes that a call has had its warning while its code ran.
    pub(crate) fn set_warned(&self, number: i64) {
        let mut calls = self.calls.borrow_mut();
        if let Some(call) = calls.iter_mut().find(|call| call.number == number) {
            call.warned = true;
        }
    }

    /// Ends the waits of an invocation's calls with a warning.
    pub(crate) fn warn(&self, invocation: &Rc<Invocation>) {
        let mut wakers = Vec::new();
        for call in &mut *self.calls.borrow_mut() {
            if Rc::ptr_eq(&call.invocation, invocation) && !call.warned {
                call.warning = true;
                wakers.extend(call.waker.take());
            }
        }
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Ready when a call that waits is to be warned.
    pub(crate) fn poll_warning(&self, number: i64, context: &Context<'_>) -> Poll<()> {
        let mut calls = self.calls.borrow_mut();
        let Some(call) = calls.iter_mut().find(|call| call.number == number) else {
            return Poll::Pending;
        };
        if call.warning && !call.warned {
            call.warned = true;
            return Poll::Ready(());
        }
        call.waker = Some(context.waker().clone());
        Poll::Pending
    }

    pub(crate) fn contexts(&self) -> &Contexts {
        &self.contexts
    }

    /// How large the heap may grow, in bytes.
    pub(crate) fn memory(&self) -> usize {
        self.memory
    }

    pub(crate) fn set_state(&self, state: &Rc<State>) {
        *self.state.borrow_mut() = Rc::downgrade(state);
    }

    /// A value of this state that its registry holds under `key`; takes over the key. `None` while the state is closed.
    pub(crate) fn own(&self, key: c_int) -> Option<Rc<LuaValue>> {
        let state = self.state.borrow().upgrade()?;
        Some(Rc::new(LuaValue::new(state, key)))
    }

    /// Keeps text until the next one is kept, and lends it.
    ///
    /// # Safety
    /// The result must not be used after this is called again.
    pub(crate) unsafe fn stash<'s>(&self, text: Bytes) -> &'s [u8] {
        // SAFETY: the bytes stay where they are when their owner moves into the host.
        let lent = unsafe { std::slice::from_raw_parts(text.as_ptr(), text.len()) };
        let before = self.stash.replace(text);
        drop(before);
        lent
    }

    pub(crate) fn take_wait(&self) -> Option<LocalFuture<'static, Outcome>> {
        self.wait.borrow_mut().take()
    }

    pub(crate) fn set_outcome(&self, outcome: Outcome) {
        *self.outcome.borrow_mut() = Some(outcome);
    }

    pub(crate) fn set_fault(&self, error: Error) {
        self.fault.set(Some(error));
    }

    pub(crate) fn take_fault(&self) -> Option<Error> {
        self.fault.take()
    }

    pub(crate) fn set_reply(&self, reply: Vec<u8>) {
        self.last_reply.set(reply.len().min(1 << 20));
        self.reply.set(reply);
    }

    pub(crate) fn take_reply(&self) -> Vec<u8> {
        self.reply.take()
    }

    /// How much room to make for a reply: a little more than the last one took.
    pub(crate) fn reply_size(&self) -> usize {
        self.last_reply.get() + 64
    }

    pub(crate) fn set_origin(&self, origin: Option<Origin>) {
        *self.origin.borrow_mut() = origin;
    }

    pub(crate) fn take_origin(&self) -> Option<Origin> {
        self.origin.borrow_mut().take()
    }
}

/// `os.exit`: ends the call with this exit status.
///
/// # Safety
/// To be called by Lua as a C closure whose first upvalue is the [`Host`] of its state.
pub(crate) unsafe extern "C-unwind" fn os_exit(state: *mut lua_State) -> c_int {
    // SAFETY: Lua calls this with its arguments on the stack; nothing here has a destructor.
    unsafe {
        let status = match ffi::lua_type(state, 1) {
            ffi::LUA_TNONE | ffi::LUA_TNIL => 0,
            ffi::LUA_TBOOLEAN => c_int::from(ffi::lua_toboolean(state, 1) == 0),
            _ => ffi::luaL_checkinteger(state, 1) as c_int,
        };
        Host::of(state).exit.set(Some(status));
        crate::limits::end(state)
    }
}

/// The functions of the host that the preludes build on and that wait, as a table.
pub(crate) fn functions(lua: &Lua, host: &Rc<Host>) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    // Closures must not keep the host alive: it outlives the state, which owns them.
    let weak = || Rc::downgrade(host);

    let host = weak();
    table.set(
        "sleep",
        lua.create_function(move |_, seconds: f64| {
            let time = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
            if let Some(host) = host.upgrade() {
                *host.wait.borrow_mut() = Some(Box::pin(async move {
                    tokio::time::sleep(time).await;
                    Outcome::Slept
                }));
            }
            Ok(())
        })?,
    )?;

    let host = weak();
    table.set(
        "fetch",
        lua.create_function(move |_, request: Table| {
            let Some(host) = host.upgrade() else { return Ok(None) };
            match fetch::Request::from_lua(&request) {
                Ok(request) => {
                    let response = host.client.send(request);
                    *host.wait.borrow_mut() =
                        Some(Box::pin(async move { Outcome::Fetched(response.await) }));
                    Ok(None)
                }
                Err(message) => Ok(Some(message)),
            }
        })?,
    )?;

    let host = weak();
    table.set(
        "outcome",
        lua.create_function(move |lua, ()| {
            let outcome = host.upgrade().and_then(|host| host.outcome.borrow_mut().take());
            Ok(match outcome {
                Some(Outcome::Fetched(Ok(response))) => (response.into_lua(lua)?, Value::Nil),
                Some(Outcome::Fetched(Err(message))) => {
                    (Value::Nil, Value::String(lua.create_string(message)?))
                }
                Some(Outcome::Warned) => (Value::Nil, Value::Boolean(true)),
                Some(Outcome::Slept) | None => (Value::Nil, Value::Nil),
            })
        })?,
    )?;
    Ok(table)
}
