//! What a Lua state's host keeps for it, and what the guest may ask of the host: output, log lines, waiting, the end.

use crate::{convert::Marks, fetch, limits::Stop};
use mlua::{
    Lua, Table, Value,
    ffi::{self, lua_State},
};
use std::{
    cell::{Cell, RefCell},
    ffi::{CStr, c_char, c_int, c_void},
    mem::ManuallyDrop,
    rc::Rc,
    sync::Arc,
    time::Duration,
};
use trine_engine::{
    Environment, Error, Frame, FunctionInfo, Invocation, Level, LocalFuture, LogFormat,
    LogSettings, Stream, json_string, timestamp,
};

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
    log: LogSettings,
    function: FunctionInfo,
    stop: Arc<Stop>,
    marks: Cell<Marks>,
    /// [`Stop::epoch`] at the start of the call that runs.
    epoch: Cell<u64>,
    /// What the call that runs has given to `os.exit`.
    exit: Cell<Option<i32>>,
    running: RefCell<Option<Rc<Invocation>>>,
    in_flight: RefCell<Vec<(i64, Rc<Invocation>)>>,
    wait: RefCell<Option<LocalFuture<'static, Outcome>>>,
    outcome: RefCell<Option<Outcome>>,
    fault: Cell<Option<Error>>,
    reply: Cell<Vec<u8>>,
    last_reply: Cell<usize>,
    origin: RefCell<Option<Origin>>,
    /// The lines that `io.write` has begun on stdout and stderr.
    begun: RefCell<[Vec<u8>; 2]>,
    /// Whether warnings are written, and the one that has begun.
    warnings: Cell<bool>,
    warning: RefCell<String>,
    client: fetch::Client,
}

impl Host {
    pub(crate) fn new(environment: &Environment, stop: Arc<Stop>) -> Self {
        Self {
            log: environment.log.clone(),
            function: environment.function.clone(),
            stop,
            marks: Cell::new(Marks::NONE),
            epoch: Cell::new(0),
            exit: Cell::new(None),
            running: RefCell::new(None),
            in_flight: RefCell::new(Vec::new()),
            wait: RefCell::new(None),
            outcome: RefCell::new(None),
            fault: Cell::new(None),
            reply: Cell::new(Vec::new()),
            last_reply: Cell::new(192),
            origin: RefCell::new(None),
            begun: RefCell::new([Vec::new(), Vec::new()]),
            warnings: Cell::new(false),
            warning: RefCell::default(),
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
        *self.running.borrow_mut() = invocation.cloned();
    }

    pub(crate) fn exit(&self) -> Option<i32> {
        self.exit.get()
    }

    /// When the call that runs has to end, in milliseconds since the epoch.
    pub(crate) fn deadline(&self) -> Option<u64> {
        self.running.borrow().as_ref().and_then(|invocation| invocation.deadline_ms)
    }

    /// The request id of the call that runs.
    pub(crate) fn request_id(&self) -> Option<String> {
        self.running.borrow().as_ref().map(|invocation| invocation.request_id.clone())
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

    /// Takes what `io.write` wrote, and passes it on line by line.
    fn write(&self, stream: Stream, text: &[u8]) {
        let mut begun = self.begun.borrow_mut();
        let begun = &mut begun[usize::from(stream == Stream::Stderr)];
        begun.extend_from_slice(text);
        if let Some(end) = begun.iter().rposition(|&byte| byte == b'\n') {
            let lines: Vec<u8> = begun.drain(..=end).collect();
            lines.split_inclusive(|&byte| byte == b'\n').for_each(|line| self.line(stream, line));
        }
    }

    /// Ends the lines that `io.write` has begun.
    pub(crate) fn flush(&self) {
        for stream in [Stream::Stdout, Stream::Stderr] {
            let index = usize::from(stream == Stream::Stderr);
            if self.begun.borrow()[index].is_empty() {
                continue;
            }
            let mut line = std::mem::take(&mut self.begun.borrow_mut()[index]);
            line.push(b'\n');
            self.line(stream, &line);
        }
    }

    /// Writes what the guest gave to `warn`.
    pub(crate) fn warn(&self, text: &str) {
        match self.log.format {
            LogFormat::Text => self.line(Stream::Stderr, format!("Lua warning: {text}\n").as_bytes()),
            LogFormat::Json => self.record(Stream::Stderr, Level::Warn, &json_string(text)),
        }
    }

    /// Writes one piece of output that ends in a newline.
    fn line(&self, stream: Stream, line: &[u8]) {
        if self.log.format == LogFormat::Text {
            return self.log.sink.write(stream, line);
        }
        let text = String::from_utf8_lossy(line.strip_suffix(b"\n").unwrap_or(line));
        self.record(stream, Level::Info, &json_string(&text));
    }

    /// Writes a log line, if its level is wanted. `message` is text; `json` is its JSON form.
    fn log(&self, level: Level, message: &str, json: &str) {
        if self.log.level.is_some_and(|lowest| level < lowest) {
            return;
        }
        if self.log.format == LogFormat::Json {
            return self.record(Stream::Stdout, level, json);
        }
        let id = self.request_id().unwrap_or_default();
        // One line is one event, so newlines inside become carriage returns, as in Node's runtime.
        let message = message.replace('\n', "\r");
        let line = format!("{}\t{id}\t{}\t{message}\n", timestamp(), level.name());
        self.log.sink.write(Stream::Stdout, line.as_bytes());
    }

    fn record(&self, stream: Stream, level: Level, message: &str) {
        let mut line =
            format!("{{\"timestamp\":\"{}\",\"level\":\"{}\"", timestamp(), level.name());
        if let Some(invocation) = &*self.running.borrow() {
            line.push_str(&format!(",\"requestId\":{}", json_string(&invocation.request_id)));
            if let Some(tenant) = &invocation.tenant_id {
                line.push_str(&format!(",\"tenantId\":{}", json_string(tenant)));
            }
        }
        line.push_str(&format!(",\"message\":{message}}}\n"));
        self.log.sink.write(stream, line.as_bytes());
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

/// The host's functions that are C closures whose first upvalue is the [`Host`]: output, which finalizers may also
/// write while a state is closed.
pub(crate) const CLOSURES: [(&str, ffi::lua_CFunction); 5] = [
    ("print", print),
    ("write", write),
    ("flush", flush),
    ("log", log),
    ("trace_id", trace_id),
];

/// The string at `index`; raises when there is none.
unsafe fn argument<'a>(state: *mut lua_State, index: c_int) -> &'a [u8] {
    let mut length = 0;
    // SAFETY: called with arguments on the stack, where the string stays until the function returns.
    unsafe {
        let text = ffi::luaL_checklstring(state, index, &raw mut length);
        std::slice::from_raw_parts(text.cast(), length)
    }
}

/// `print(line)`: one line, without its newline.
unsafe extern "C-unwind" fn print(state: *mut lua_State) -> c_int {
    // SAFETY: a closure of this host; nothing with a destructor is alive where an argument may be wrong.
    unsafe {
        let text = argument(state, 1);
        Host::of(state).line(Stream::Stdout, &[text, b"\n"].concat());
    }
    0
}

/// `write(stderr, text)`.
unsafe extern "C-unwind" fn write(state: *mut lua_State) -> c_int {
    // SAFETY: as for `print`.
    unsafe {
        let stderr = ffi::lua_toboolean(state, 1) != 0;
        let text = argument(state, 2);
        Host::of(state).write(if stderr { Stream::Stderr } else { Stream::Stdout }, text);
    }
    0
}

/// `flush()`.
unsafe extern "C-unwind" fn flush(state: *mut lua_State) -> c_int {
    // SAFETY: as for `print`.
    unsafe { Host::of(state).flush() };
    0
}

/// `log(level, text, json or nil)`; returns what is wrong with the level, if anything.
unsafe extern "C-unwind" fn log(state: *mut lua_State) -> c_int {
    // SAFETY: as for `print`; the message about the level is kept from the frame while it is pushed.
    unsafe {
        let (level, text) = (argument(state, 1), argument(state, 2));
        let json = (ffi::lua_type(state, 3) == ffi::LUA_TSTRING).then(|| argument(state, 3));
        match String::from_utf8_lossy(level).parse() {
            Ok(level) => {
                let text = String::from_utf8_lossy(text);
                let json = match json {
                    Some(json) => String::from_utf8_lossy(json).into_owned(),
                    None => json_string(&text),
                };
                Host::of(state).log(level, &text, &json);
                0
            }
            Err(message) => {
                let mut message = ManuallyDrop::<String>::new(message);
                ffi::lua_pushlstring(state, message.as_ptr().cast(), message.len());
                ManuallyDrop::drop(&mut message);
                1
            }
        }
    }
}

/// `trace_id()` of the call that runs.
unsafe extern "C-unwind" fn trace_id(state: *mut lua_State) -> c_int {
    // SAFETY: as for `print`. The call keeps its invocation alive while its code runs.
    unsafe {
        let host = Host::of(state);
        let running = host.running.borrow().as_ref().map(Rc::as_ptr);
        match running.and_then(|invocation| (*invocation).trace_id.as_deref()) {
            Some(id) => {
                ffi::lua_pushlstring(state, id.as_ptr().cast(), id.len());
            }
            None => ffi::lua_pushnil(state),
        }
    }
    1
}

/// What `warn` does: off until `warn("@on")`, as in Lua's own interpreter.
///
/// # Safety
/// To be set with `lua_setwarnf` and the state's [`Host`].
pub(crate) unsafe extern "C-unwind" fn warn(
    host: *mut c_void,
    text: *const c_char,
    to_be_continued: c_int,
) {
    // SAFETY: Lua passes the host on, and a text that ends in NUL.
    let (host, text) = unsafe { (&*host.cast::<Host>(), CStr::from_ptr(text).to_string_lossy()) };
    let mut begun = host.warning.borrow_mut();
    if begun.is_empty() && to_be_continued == 0 && text.starts_with('@') {
        match &*text {
            "@on" => host.warnings.set(true),
            "@off" => host.warnings.set(false),
            _ => {}
        }
        return;
    }
    begun.push_str(&text);
    if to_be_continued == 0 {
        let text = std::mem::take(&mut *begun);
        if host.warnings.get() {
            host.warn(&text);
        }
    }
}

/// The functions of the host that the preludes build on and that wait, as a table.
pub(crate) fn functions(lua: &Lua, host: &Rc<Host>) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    // Closures must not keep the host alive: it outlives the state, which owns them.
    let weak = || Rc::downgrade(host);

    let host = weak();
    table.set("sleep", lua.create_function(move |_, seconds: f64| {
        let time = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
        if let Some(host) = host.upgrade() {
            *host.wait.borrow_mut() = Some(Box::pin(async move {
                tokio::time::sleep(time).await;
                Outcome::Slept
            }));
        }
        Ok(())
    })?)?;

    let host = weak();
    table.set("fetch", lua.create_function(move |_, request: Table| {
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
    })?)?;

    let host = weak();
    table.set("outcome", lua.create_function(move |lua, ()| {
        let outcome = host.upgrade().and_then(|host| host.outcome.borrow_mut().take());
        Ok(match outcome {
            Some(Outcome::Fetched(Ok(response))) => (response.into_lua(lua)?, Value::Nil),
            Some(Outcome::Fetched(Err(message))) => {
                (Value::Nil, Value::String(lua.create_string(message)?))
            }
            Some(Outcome::Slept) | None => (Value::Nil, Value::Nil),
        })
    })?)?;
    Ok(table)
}
