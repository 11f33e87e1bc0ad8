//! The conversion of guests' errors to ours: name, message, and the guest's frames without Lua's and our own.

use crate::{
    convert::Marks,
    exits, limits,
    limits::{NO_MEMORY, internal, is_memory, out_of_memory},
    trace::{Origin, Trace, split_position},
    value::LuaValue,
    vm::Vm,
};
use mlua::{
    Value,
    ffi::{self, lua_State},
};
use std::{ffi::c_int, rc::Rc};
use trine_engine::{Error, ErrorKind, Frame, Invocation};

/// The `errorType` of errors raised without a type of their own.
const NAME: &str = "LuaError";

/// Converts the error on top of a coroutine that failed with `status`, at the place that `trace` shows.
pub(crate) fn failed(
    vm: &Rc<Vm>,
    coroutine: *mut lua_State,
    status: c_int,
    trace: Trace,
    invocation: Option<&Rc<Invocation>>,
) -> Error {
    let host = vm.host();
    if let Some(error) = exits::ended(host) {
        return trace.give(error);
    }
    if status == ffi::LUA_ERRMEM {
        return trace.give(out_of_memory());
    }
    // Asking a thrown table for its members may run guest code, which an interrupt must be able to stop.
    let _entered = limits::enter(vm.main(), host.watch());
    let error = match vm.take(coroutine) {
        Ok(value) => {
            if let Some(invocation) = invocation.filter(|cx| cx.exchange.keeps_thrown())
                && let Ok(key) = vm.keep(&value)
            {
                let thrown = LuaValue::new(vm.clone(), key);
                invocation.exchange.set_thrown(Rc::new(thrown));
            }
            describe(vm, &value, trace, host.watch().origin().take())
        }
        Err(error) => internal(&error),
    };
    // Closes what was to be closed, as when Lua's own `pcall` catches the error. SAFETY: the coroutine is live, has
    // ended by an error and is not used any more; its closing functions run in protected mode.
    unsafe { ffi::lua_closethread(coroutine, vm.main()) };
    exits::ended(host).unwrap_or(error)
}

/// Converts the error that an `error` hook has returned, on top of its coroutine, instead of raising it.
pub(crate) fn returned(vm: &Vm, coroutine: *mut lua_State) -> Error {
    let host = vm.host();
    let _entered = limits::enter(vm.main(), host.watch());
    let error = match vm.take(coroutine) {
        Ok(Value::String(text)) => from_returned_text(&text.to_string_lossy()),
        Ok(value) => describe(vm, &value, Trace::default(), None).returned(),
        Err(error) => internal(&error),
    };
    exits::ended(host).unwrap_or(error)
}

/// Turns the error document of another language, on top of the stack, into what Lua's users expect: a table with
/// `type`, `message` and `stack` that converts to a string. Anything else stays as it is.
///
/// # Safety
/// `state` runs in protected mode with room for six values and has these marks; there is a value on top.
pub(crate) unsafe fn from_document(state: *mut lua_State, marks: &Marks) {
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
        ffi::lua_rawgeti(state, ffi::LUA_REGISTRYINDEX, marks.error_key.into());
        ffi::lua_setmetatable(state, document + 1);
        ffi::lua_replace(state, document);
    }
}

/// Makes an error of a message, without the place at its beginning, like one that is raised.
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

fn describe(vm: &Vm, value: &Value, mut trace: Trace, origin: Option<Origin>) -> Error {
    let error = match value {
        Value::String(text) if text.as_bytes() == NO_MEMORY.to_bytes() => out_of_memory(),
        Value::String(text) => {
            let text = text.as_bytes().to_vec();
            let message = match origin.filter(|origin| origin.is_of(&text)) {
                Some(mut origin) => {
                    origin.frames.append(&mut trace.frames);
                    origin.stack.append(&mut trace.stack);
                    (trace.frames, trace.stack) = (origin.frames, origin.stack);
                    origin.message
                }
                None => trace.stripped(&text).to_vec(),
            };
            Error::guest(NAME, String::from_utf8_lossy(&message))
        }
        Value::Table(table) if vm.host().watch().warned_with(table.to_pointer()) => {
            Error::new(ErrorKind::Timeout, Error::STOPPED)
        }
        Value::Table(table) => from_table(vm, table, value, &mut trace),
        Value::Nil => Error::guest(NAME, "nil"),
        Value::Error(error) if is_memory(error) => out_of_memory(),
        Value::Error(error) => Error::guest(NAME, error.to_string()),
        other => Error::guest(NAME, other.to_string().unwrap_or_else(|_| kind_of(other))),
    };
    trace.give(error)
}

/// Makes an error of `{type = …, message = …, code = …}`; members may come from a metatable.
fn from_table(vm: &Vm, table: &mlua::Table, value: &Value, trace: &mut Trace) -> Error {
    let text = |name: &str| match table.get::<Value>(name) {
        Ok(Value::String(text)) => Some(text.to_string_lossy()),
        Ok(number @ (Value::Integer(_) | Value::Number(_))) => number.to_string().ok(),
        _ => None,
    };
    let meta = table.metatable();
    let marked = |meta: &mlua::Table| meta.to_pointer() == vm.host().forms().marks().error;
    let is_marked = meta.as_ref().is_some_and(marked);
    if is_marked && let Ok(Value::Table(stack)) = table.raw_get::<Value>("stack") {
        // The error comes from another language, whose places say more than ours.
        trace.stack = stack.sequence_values::<String>().flatten().collect();
        trace.frames.clear();
    }
    let speaks = meta.is_some_and(|meta| meta.contains_key("__tostring").unwrap_or(false));
    let message = text("message")
        .or_else(|| speaks.then(|| value.to_string().ok()).flatten())
        .or_else(|| vm.json(table))
        .unwrap_or_else(|| kind_of(value));
    let name = text("type").or_else(|| text("name")).unwrap_or_else(|| NAME.to_owned());
    let mut known = [ErrorKind::Marshal, ErrorKind::ResponseTooLarge].into_iter();
    let kind = known.find(|kind| is_marked && kind.default_name() == name);
    let error = Error::new(kind.unwrap_or(ErrorKind::Guest), message).with_name(name);
    match text("code") {
        Some(code) => error.with_context("code", code),
        None => error,
    }
}

fn kind_of(value: &Value) -> String {
    format!("(error object is a {} value)", value.type_name())
}
