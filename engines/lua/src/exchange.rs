//! The parts of a context that functions share: `context.state`, common to all functions of an invocation in every
//! language, `context.reply` and `context.buffer_response`.
//!
//! The functions here are called by Lua and may leave by an error, which skips Rust frames: what has a destructor is
//! dropped, or handed to the host, before anything may raise.

use crate::{
    convert::{self, Parser, leave, text_at},
    host::Host,
    value::LuaValue,
};
use bytes::Bytes;
use mlua::ffi::{self, lua_State};
use std::{ffi::c_int, mem::ManuallyDrop, rc::Rc};
use trine_engine::{Error, NativeValue, Payload};

/// This language's name in messages.
const READER: &str = "Lua";

/// Implements `__index` of `context.state`.
///
/// # Safety
/// To be called by Lua as a C closure whose first upvalue is the [`Host`] of its state.
pub(crate) unsafe extern "C-unwind" fn index(state: *mut lua_State) -> c_int {
    // SAFETY: Lua calls this with the table and the key.
    unsafe {
        let host = Host::of(state);
        ffi::luaL_checktype(state, 1, ffi::LUA_TTABLE);
        ffi::lua_settop(state, 2);
        match text_at(state, 2) {
            Some(key) => read(state, host, 1, key),
            None => ffi::lua_pushnil(state),
        }
    }
    1
}

/// Implements `__newindex` of `context.state`.
///
/// # Safety
/// As for [`index`].
pub(crate) unsafe extern "C-unwind" fn newindex(state: *mut lua_State) -> c_int {
    // SAFETY: Lua calls this with the table, the key and the value.
    unsafe {
        let host = Host::of(state);
        ffi::luaL_checktype(state, 1, ffi::LUA_TTABLE);
        ffi::lua_settop(state, 3);
        let Some(key) = text_at(state, 2) else {
            let name = ffi::luaL_typename(state, 2);
            return ffi::luaL_error(
                state,
                c"the keys of context.state are strings in UTF-8, this one is a %s".as_ptr(),
                name,
            );
        };
        let Some(invocation) = host.contexts().of_state(ffi::lua_topointer(state, 1)) else {
            return ffi::luaL_error(
                state,
                c"context.state cannot be written: its invocation has ended".as_ptr(),
            );
        };
        if ffi::lua_type(state, 3) == ffi::LUA_TNIL {
            (*invocation).exchange.remove_state(key);
            return 0;
        }
        let reference = ffi::luaL_ref(state, ffi::LUA_REGISTRYINDEX);
        if let Some(value) = host.make_value(reference) {
            (*invocation).exchange.write_state(key, Payload::Native(value));
        }
    }
    0
}

/// Implements `state_keys(state)`: returns the keys of `context.state` as an array.
///
/// # Safety
/// As for [`index`].
pub(crate) unsafe extern "C-unwind" fn keys(state: *mut lua_State) -> c_int {
    // SAFETY: Lua calls this with its arguments on the stack.
    unsafe {
        let host = Host::of(state);
        let invocation = host.contexts().of_state(ffi::lua_topointer(state, 1));
        let keys = invocation.map(|invocation| (*invocation).exchange.state_keys());
        // Lost when memory is short, like everything that such an error skips.
        let mut keys = ManuallyDrop::new(keys.unwrap_or_default());
        ffi::lua_createtable(state, keys.len() as c_int, 0);
        for (index, key) in keys.iter().enumerate() {
            ffi::lua_pushlstring(state, key.as_ptr().cast(), key.len());
            ffi::lua_rawseti(state, -2, index as i64 + 1);
        }
        ManuallyDrop::drop(&mut keys);
    }
    1
}

/// Pushes a plain table with the members of `context.state`, which is at `table`.
///
/// # Safety
/// `state` runs in protected mode with room for six values and belongs to `host`; `table` is absolute.
pub(crate) unsafe fn push_members(state: *mut lua_State, table: c_int, host: &Host) {
    // SAFETY: as the caller vouches.
    unsafe {
        ffi::lua_newtable(state);
        let Some(invocation) = host.contexts().of_state(ffi::lua_topointer(state, table)) else {
            return;
        };
        let mut keys = ManuallyDrop::new((*invocation).exchange.state_keys());
        for key in keys.iter() {
            ffi::lua_pushlstring(state, key.as_ptr().cast(), key.len());
            read(state, host, table, key);
            ffi::lua_rawset(state, -3);
        }
        ManuallyDrop::drop(&mut keys);
    }
}

/// Pushes a member of `context.state`, which is at `table`.
unsafe fn read(state: *mut lua_State, host: &Host, table: c_int, key: &str) {
    // SAFETY: the invocation is alive while `read_state` runs: some call holds it, and none ends meanwhile.
    unsafe {
        let Some(invocation) = host.contexts().of_state(ffi::lua_topointer(state, table)) else {
            return ffi::lua_pushnil(state);
        };
        let own = |value: &Rc<dyn NativeValue>| {
            value.as_any().downcast_ref::<LuaValue>().is_some_and(|value| value.is_of(host))
        };
        match (*invocation).exchange.read_state(key, READER, own) {
            Ok(None | Some(Payload::Nothing)) => ffi::lua_pushnil(state),
            Ok(Some(Payload::Native(value))) => {
                let own = value
                    .as_any()
                    .downcast_ref::<LuaValue>()
                    .map_or(ffi::LUA_REFNIL, LuaValue::key);
                // The exchange holds it, too.
                drop(value);
                ffi::lua_rawgeti(state, ffi::LUA_REGISTRYINDEX, own.into());
            }
            Ok(Some(Payload::Raw(raw))) => {
                let bytes = host.stash(raw.bytes);
                ffi::lua_pushlstring(state, bytes.as_ptr().cast(), bytes.len());
            }
            Ok(Some(Payload::Json(text))) => {
                parse(state, host, text, key);
                if ffi::lua_type(state, -1) != ffi::LUA_TTABLE {
                    return;
                }
                // From now on everybody sees this very table.
                ffi::lua_pushvalue(state, -1);
                let reference = ffi::luaL_ref(state, ffi::LUA_REGISTRYINDEX);
                if let Some(value) = host.make_value(reference) {
                    (*invocation).exchange.write_state(key, Payload::Native(value));
                }
            }
            Ok(Some(_)) => raise(state, host, format!("context.state.{key} has no form in Lua")),
            Err(error) => raise_error(state, host, error),
        }
    }
}

/// Pushes the value of JSON text.
unsafe fn parse(state: *mut lua_State, host: &Host, text: Bytes, key: &str) {
    // SAFETY: the host keeps the text; the parser is dropped here unless a memory error skips this frame.
    unsafe {
        ffi::luaL_checkstack(state, 6, std::ptr::null());
        let mut parser = ManuallyDrop::new(Parser::new(host.stash(text)));
        let fault = convert::read(state, &mut parser, host.forms()).err();
        let fault = fault.map(|fault| (fault.end(), fault.text(&parser)));
        ManuallyDrop::drop(&mut parser);
        if let Some((end, fault)) = fault {
            if let Some(end) = end {
                drop(fault);
                leave(state, end);
                return;
            }
            raise(state, host, format!("context.state.{key} cannot be read by {READER}: {fault}"));
        }
    }
}

/// Implements `context.reply(response)`, also with a colon: a first argument that is a context is skipped.
///
/// # Safety
/// As for [`index`].
pub(crate) unsafe extern "C-unwind" fn reply(state: *mut lua_State) -> c_int {
    // SAFETY: Lua calls this with its arguments on the stack; the invocation lives as long as its call.
    unsafe {
        let host = Host::of(state);
        let context = host.contexts().of_context(ffi::lua_topointer(state, 1));
        ffi::lua_settop(state, if context.is_some() { 2 } else { 1 });
        let Some(invocation) = context.or_else(|| host.output().invocation()) else {
            return ffi::luaL_error(
                state,
                c"context.reply answers an invocation; none runs".as_ptr(),
            );
        };
        let response = if ffi::lua_type(state, -1) == ffi::LUA_TNIL {
            Payload::json("null")
        } else {
            let reference = ffi::luaL_ref(state, ffi::LUA_REGISTRYINDEX);
            match host.make_value(reference) {
                Some(value) => Payload::Native(value),
                None => return 0,
            }
        };
        if let Err(error) = (*invocation).exchange.reply(response) {
            raise_error(state, host, error);
        }
    }
    0
}

/// Implements `context.buffer_response()`, also with a colon.
///
/// # Safety
/// As for [`index`].
pub(crate) unsafe extern "C-unwind" fn buffer_response(state: *mut lua_State) -> c_int {
    // SAFETY: Lua calls this with its arguments on the stack; the invocation lives as long as its call.
    unsafe {
        let host = Host::of(state);
        let context = host.contexts().of_context(ffi::lua_topointer(state, 1));
        let Some(invocation) = context.or_else(|| host.output().invocation()) else {
            return ffi::luaL_error(
                state,
                c"context.buffer_response is about an invocation's response; none runs".as_ptr(),
            );
        };
        if let Err(error) = (*invocation).exchange.buffer_response() {
            raise_error(state, host, error);
        }
    }
    0
}

unsafe fn raise_error(state: *mut lua_State, host: &Host, error: Error) {
    let message = error.message().to_owned();
    drop(error);
    // SAFETY: as for `raise`.
    unsafe { raise(state, host, message) }
}

/// Raises `message` with the caller's position.
unsafe fn raise(state: *mut lua_State, host: &Host, message: String) {
    // SAFETY: the message is the host's when the error is raised; the callers hold nothing that has a destructor.
    unsafe {
        let message = host.stash(Bytes::from(message));
        ffi::luaL_where(state, 1);
        ffi::lua_pushlstring(state, message.as_ptr().cast(), message.len());
        ffi::lua_concat(state, 2);
        ffi::lua_error(state);
    }
}
