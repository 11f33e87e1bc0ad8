//! What a Lua state's host keeps for it, and what the guest may ask of the host: waiting, and the end.

use crate::{convert::Marks, fetch, limits::Stop, output::Output};
use mlua::{
    Lua, Table, Value,
    ffi::{self, lua_State},
};
use std::{
    cell::{Cell, RefCell},
    ffi::c_int,
    rc::Rc,
    sync::Arc,
    time::Duration,
};
use trine_engine::{Environment, Error, Frame, FunctionInfo, Invocation, LocalFuture};

/// What a wait ends with.
pub(crate) enum Outcome {
    /// The time has passed.
    Slept,
    /// A response has arrived, or the text of what went wrong.
    Fetched(Result<fetch::Response, String>),
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
    /// [`Stop::epoch`] at the start of the call that runs.
    epoch: Cell<u64>,
    /// What the call that runs has given to `os.exit`.
    exit: Cell<Option<i32>>,
    in_flight: RefCell<Vec<(i64, Rc<Invocation>)>>,
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
            epoch: Cell::new(0),
            exit: Cell::new(None),
            in_flight: RefCell::new(Vec::new()),
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

    /// Whether the call that runs has to end.
    pub(crate) fn doomed(&self) -> bool {
        self.exit.get().is_some() || self.stop.epoch() != self.epoch.get()
    }

    /// Says which call runs from now on.
    pub(crate) fn run(&self, epoch: u64, invocation: Option<&Rc<Invocation>>) {
        self.epoch.set(epoch);
        self.exit.set(None);
        self.output.run(invocation);
    }

    pub(crate) fn exit(&self) -> Option<i32> {
        self.exit.get()
    }

    /// Registers a call, so that its context can be filled in, under a number of its own.
    pub(crate) fn begin(&self, call: i64, invocation: &Rc<Invocation>) {
        self.in_flight.borrow_mut().push((call, invocation.clone()));
    }

    pub(crate) fn end(&self, call: i64) {
        let mut calls = self.in_flight.borrow_mut();
        if let Some(index) = calls.iter().position(|(number, _)| *number == call) {
            calls.swap_remove(index);
        }
    }

    /// The invocation of a call in flight, valid for as long as it is.
    pub(crate) fn invocation_of(&self, call: i64) -> Option<*const Invocation> {
        let calls = self.in_flight.borrow();
        calls.iter().find(|(number, _)| *number == call).map(|(_, found)| Rc::as_ptr(found))
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
                Some(Outcome::Slept) | None => (Value::Nil, Value::Nil),
            })
        })?,
    )?;
    Ok(table)
}
