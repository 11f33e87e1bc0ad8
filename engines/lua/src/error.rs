//! What a guest raised, as our error: name, message, and the guest's frames without Lua's and our own.

use crate::{
    convert::NO_MEMORY,
    host::{Host, Origin},
    limits,
    state::State,
    value::LuaValue,
};
use mlua::{
    Value,
    ffi::{self, lua_State},
};
use std::{
    ffi::{CStr, c_char, c_int},
    rc::Rc,
};
use trine_engine::{Error, ErrorKind, Frame, Invocation};

/// `errorType` of what was raised without a type of its own.
const NAME: &str = "LuaError";

/// A stack of more levels than these two together is shown without its middle.
const INNERMOST: c_int = 10;
const OUTERMOST: c_int = 11;

/// Where a coroutine is.
#[derive(Default)]
struct Trace {
    /// Guest frames, innermost first.
    frames: Vec<Frame>,
    /// The same as Lua's `debug.traceback` writes them.
    stack: Vec<String>,
    /// What Lua puts before a message that was raised in one of these frames: `app.lua:3: `.
    positions: Vec<String>,
}

/// The error on top of a coroutine that failed with `status`. `label` is the name of the function that was called.
pub(crate) fn failed(
    state: &Rc<State>,
    coroutine: *mut lua_State,
    status: c_int,
    label: &str,
    invocation: Option<&Rc<Invocation>>,
) -> Error {
    let trace = trace(coroutine, label);
    let host = state.host();
    if let Some(error) = ended(host) {
        return trace.of(error);
    }
    if status == ffi::LUA_ERRMEM {
        return trace.of(out_of_memory());
    }
    // Asking a thrown table for its members may run guest code, which an interrupt must be able to stop.
    let _entered = limits::enter(state.main(), host);
    let error = match state.take(coroutine) {
        Ok(value) => {
            if let Some(invocation) = invocation.filter(|cx| cx.exchange.keeps_thrown())
                && let Ok(key) = state.keep(&value)
            {
                let thrown = LuaValue::new(state.clone(), key);
                invocation.exchange.set_thrown(Rc::new(thrown));
            }
            describe(state, &value, trace, host.take_origin())
        }
        Err(error) => internal(&error),
    };
    // What was to be closed is closed, as when Lua's own `pcall` catches the error. SAFETY: the coroutine is live, has
    // ended by an error and is not used any more; its closing functions run in protected mode.
    unsafe { ffi::lua_closethread(coroutine, state.main()) };
    ended(host).unwrap_or(error)
}

/// The error that an `error` hook has returned, on top of its coroutine, instead of raising it.
pub(crate) fn returned(state: &State, coroutine: *mut lua_State) -> Error {
    let host = state.host();
    let _entered = limits::enter(state.main(), host);
    let error = match state.take(coroutine) {
        Ok(Value::String(text)) => from_returned_text(&text.to_string_lossy()),
        Ok(value) => describe(state, &value, Trace::default(), None).returned(),
        Err(error) => internal(&error),
    };
    ended(host).unwrap_or(error)
}

/// Makes the error document of another language, on top of the stack, what Lua's users expect: a table with `type`,
/// `message` and `stack` that says as a string what it is. Anything else stays as it is.
///
/// # Safety
/// `state` runs in protected mode with room for six values and belongs to `host`; there is a value on top.
pub(crate) unsafe fn from_document(state: *mut lua_State, host: &Host) {
    // SAFETY: as the caller vouches; keys are looked up in what is known to be a table.
    unsafe {
        if ffi::lua_type(state, -1) != ffi::LUA_TTABLE {
            return;
        }
        let document = ffi::lua_gettop(state);
        ffi::lua_pushstring(state, c"errorType".as_ptr());
        let is_document = ffi::lua_rawget(state, document) != ffi::LUA_TNIL;
        ffi::lua_pop(state, 1);
        if !is_document {
            return;
        }
        ffi::lua_createtable(state, 0, 3);
        for (names, to) in [
            (&[c"errorType"][..], c"type"),
            (&[c"errorMessage"], c"message"),
            (&[c"trace", c"stackTrace"], c"stack"),
        ] {
            for name in names {
                ffi::lua_pushstring(state, name.as_ptr());
                if ffi::lua_rawget(state, document) == ffi::LUA_TNIL {
                    ffi::lua_pop(state, 1);
                } else {
                    ffi::lua_setfield(state, document + 1, to.as_ptr());
                    break;
                }
            }
        }
        ffi::lua_rawgeti(state, ffi::LUA_REGISTRYINDEX, host.marks().error_key.into());
        ffi::lua_setmetatable(state, document + 1);
        ffi::lua_replace(state, document);
    }
}

/// A message that begins with the place at which it was raised loses it, as it does when it is raised.
fn from_returned_text(text: &str) -> Error {
    let (file, line, message) = match split_position(text) {
        (line, message) if line > 0 => {
            let place = text.len() - message.len() - ": ".len();
            (text[..place].rsplit_once(':').map(|(file, _)| file), line, message)
        }
        _ => (None, 0, text),
    };
    match file.filter(|file| file.ends_with(".lua")) {
        Some(file) => {
            let frame = Frame { file: file.to_owned(), line, ..Frame::default() };
            let error = Error::guest(NAME, message).with_frames([frame]);
            error.with_stack([format!("{file}:{line}:")]).returned()
        }
        None => Error::guest(NAME, text).returned(),
    }
}

/// Line and rest of a message that begins with `file:line: `.
pub(crate) fn split_position(message: &str) -> (u32, &str) {
    for (colon, _) in message.match_indices(':') {
        let rest = &message[colon + 1..];
        let Some((digits, reason)) = rest.split_once(": ") else { continue };
        if let Ok(line) = digits.parse() {
            return (line, reason);
        }
    }
    (0, message)
}

/// What Lua refused us.
pub(crate) fn internal(error: &mlua::Error) -> Error {
    if is_memory(error) { out_of_memory() } else { Error::internal(error.to_string()) }
}

fn is_memory(error: &mlua::Error) -> bool {
    match error {
        // We ask for a few values' room only, which fails where memory does.
        mlua::Error::MemoryError(_) | mlua::Error::StackError => true,
        mlua::Error::CallbackError { cause, .. } => is_memory(cause),
        _ => false,
    }
}

fn out_of_memory() -> Error {
    Error::new(ErrorKind::OutOfMemory, "not enough memory").poisoning()
}

/// Why the call that runs had to end, if it had to.
pub(crate) fn ended(host: &Host) -> Option<Error> {
    if let Some(status) = host.exit() {
        let id = host.output().request_id();
        let start = id.map_or_else(String::new, |id| format!("RequestId: {id} "));
        let reason = if status == 0 {
            "Runtime exited without providing a reason".to_owned()
        } else {
            format!("Runtime exited with error: exit status {status}")
        };
        let message = format!("{start}Error: {reason}");
        return Some(Error::new(ErrorKind::Exit, message).poisoning());
    }
    host.doomed().then(timeout)
}

/// The error of an interrupted call.
pub(crate) fn timeout() -> Error {
    Error::new(ErrorKind::Timeout, limits::STOPPED).poisoning()
}

/// The same for a call that waits, with the place where it does.
pub(crate) fn timeout_of(coroutine: *mut lua_State, label: &str) -> Error {
    trace(coroutine, label).of(timeout())
}

/// Keeps where the error on top of a dead coroutine was raised, for the case that it goes on to our caller.
pub(crate) fn remember(coroutine: *mut lua_State) {
    // SAFETY: the reference ends with this function.
    let Some(host) = (unsafe { limits::running_host() }) else { return };
    // SAFETY: a failed coroutine has its error on top; reading a string does not convert it.
    let message = unsafe {
        if ffi::lua_type(coroutine, -1) != ffi::LUA_TSTRING {
            return;
        }
        bytes(coroutine, -1)
    };
    let trace = trace(coroutine, "");
    let inner = host.take_origin().filter(|inner| message.ends_with(&inner.message));
    let (mut frames, mut stack) =
        inner.map_or_else(Default::default, |inner| (inner.frames, inner.stack));
    frames.extend(trace.frames);
    stack.extend(trace.stack);
    let message = stripped(&message, &trace.positions).to_vec();
    host.set_origin(Some(Origin { message, frames, stack }));
}

/// The bytes of the string at `index`.
///
/// # Safety
/// There is a string at `index`.
unsafe fn bytes(state: *mut lua_State, index: c_int) -> Vec<u8> {
    let mut length = 0;
    // SAFETY: as the caller vouches.
    unsafe {
        let text = ffi::lua_tolstring(state, index, &raw mut length);
        std::slice::from_raw_parts(text.cast::<u8>(), length).to_vec()
    }
}

fn describe(state: &State, value: &Value, mut trace: Trace, origin: Option<Origin>) -> Error {
    let error = match value {
        Value::String(text) if text.as_bytes() == NO_MEMORY.to_bytes() => out_of_memory(),
        Value::String(text) => {
            let text = text.as_bytes().to_vec();
            let message = match origin.filter(|origin| text.ends_with(&origin.message)) {
                Some(mut origin) => {
                    origin.frames.append(&mut trace.frames);
                    origin.stack.append(&mut trace.stack);
                    (trace.frames, trace.stack) = (origin.frames, origin.stack);
                    origin.message
                }
                None => stripped(&text, &trace.positions).to_vec(),
            };
            Error::guest(NAME, String::from_utf8_lossy(&message))
        }
        Value::Table(table)
            if table.to_pointer() == state.host().marks().deadline && state.host().warned() =>
        {
            Error::new(ErrorKind::Timeout, limits::STOPPED)
        }
        Value::Table(table) => from_table(state, table, value, &mut trace),
        Value::Nil => Error::guest(NAME, "nil"),
        Value::Error(error) if is_memory(error) => out_of_memory(),
        Value::Error(error) => Error::guest(NAME, error.to_string()),
        other => Error::guest(NAME, other.to_string().unwrap_or_else(|_| kind_of(other))),
    };
    trace.of(error)
}

/// `{type = …, message = …, code = …}`; members may come from a metatable.
fn from_table(state: &State, table: &mlua::Table, value: &Value, trace: &mut Trace) -> Error {
    let text = |name: &str| match table.get::<Value>(name) {
        Ok(Value::String(text)) => Some(text.to_string_lossy()),
        Ok(number @ (Value::Integer(_) | Value::Number(_))) => number.to_string().ok(),
        _ => None,
    };
    let meta = table.metatable();
    if meta.as_ref().is_some_and(|meta| meta.to_pointer() == state.host().marks().error)
        && let Ok(Value::Table(stack)) = table.raw_get::<Value>("stack")
    {
        // It comes from another language, whose places say more than ours.
        trace.stack = stack.sequence_values::<String>().flatten().collect();
        trace.frames.clear();
    }
    let speaks = meta.is_some_and(|meta| meta.contains_key("__tostring").unwrap_or(false));
    let message = text("message")
        .or_else(|| speaks.then(|| value.to_string().ok()).flatten())
        .or_else(|| state.json(table))
        .unwrap_or_else(|| kind_of(value));
    let name = text("type").or_else(|| text("name")).unwrap_or_else(|| NAME.to_owned());
    let error = Error::guest(name, message);
    match text("code") {
        Some(code) => error.with_context("code", code),
        None => error,
    }
}

fn kind_of(value: &Value) -> String {
    format!("(error object is a {} value)", value.type_name())
}

/// `message` without the position that Lua put before it, if that is one of `positions`: the frames say it too.
fn stripped<'m>(message: &'m [u8], positions: &[String]) -> &'m [u8] {
    positions
        .iter()
        .find_map(|position| message.strip_prefix(position.as_bytes()))
        .unwrap_or(message)
}

/// Where `coroutine` is. Works on one that has failed, whose stack is still there.
fn trace(coroutine: *mut lua_State, label: &str) -> Trace {
    let mut trace = Trace::default();
    // SAFETY: `lua_Debug` is plain data; `lua_getstack` and `lua_getinfo` with these options fill it in, push nothing
    // and raise nothing. Its texts live as long as the frame's function, which nothing ends meanwhile.
    unsafe {
        let mut frame: ffi::lua_Debug = std::mem::zeroed();
        let levels = levels(coroutine);
        let mut level = 0;
        while level < levels {
            if level == INNERMOST && levels > INNERMOST + OUTERMOST {
                let skipped = levels - INNERMOST - OUTERMOST;
                trace.stack.push(format!("...\t(skipping {skipped} levels)"));
                level += skipped;
            }
            if ffi::lua_getstack(coroutine, level, &raw mut frame) == 0 {
                break;
            }
            ffi::lua_getinfo(coroutine, c"Sln".as_ptr(), &raw mut frame);
            trace.add(&frame);
            level += 1;
        }
    }
    if let Some(outermost) = trace.frames.last_mut()
        && outermost.function.is_empty()
        && !label.is_empty()
    {
        outermost.function = label.to_owned();
        if let Some(line) = trace.stack.last_mut() {
            let place = line.split(": in ").next().unwrap_or(line);
            *line = format!("{place}: in function '{label}'");
        }
    }
    trace
}

/// The number of levels on a coroutine's stack.
unsafe fn levels(coroutine: *mut lua_State) -> c_int {
    // SAFETY: as for `trace`.
    let exists = |level| unsafe {
        let mut frame: ffi::lua_Debug = std::mem::zeroed();
        ffi::lua_getstack(coroutine, level, &raw mut frame) != 0
    };
    let (mut low, mut high) = (0, 1);
    while exists(high) {
        (low, high) = (high, high.saturating_mul(2));
    }
    while low < high {
        let middle = low + (high - low) / 2;
        if exists(middle) { low = middle + 1 } else { high = middle }
    }
    low
}

impl Trace {
    /// Gives an error its places.
    fn of(self, error: Error) -> Error {
        error.with_frames(self.frames).with_stack(self.stack)
    }

    /// Adds a frame that `lua_getinfo` has filled in, if it is the guest's.
    unsafe fn add(&mut self, frame: &ffi::lua_Debug) {
        // SAFETY: the texts are NUL-terminated or null, and alive as `trace` says.
        unsafe {
            let source = text(frame.source);
            // "=[C]" and our own preludes.
            if source.starts_with('=') {
                return;
            }
            let short = text(frame.short_src.as_ptr());
            let line = u32::try_from(frame.currentline).unwrap_or(0);
            let (name, kind) = (text(frame.name), text(frame.namewhat));
            let place = match line {
                0 => short.clone(),
                line => format!("{short}:{line}"),
            };
            let function = match (kind.as_str(), text(frame.what).as_str()) {
                ("", "main") => "main chunk".to_owned(),
                ("", _) => format!("function <{short}:{}>", frame.linedefined),
                ("global", _) => format!("function '{name}'"),
                (kind, _) => format!("{kind} '{name}'"),
            };
            self.stack.push(format!("{place}: in {function}"));
            self.positions.push(format!("{place}: "));
            let file = source.strip_prefix('@').map_or(short, str::to_owned);
            self.frames.push(Frame { function: name, file, line, column: 0 });
        }
    }
}

unsafe fn text(text: *const c_char) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: as the caller vouches.
    unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
}
