//! JSON ⇄ Lua values, straight from text to tables and back.
//!
//! What a table is: one marked by `trine.array` or `trine.object` is what its mark says. An unmarked one is an array
//! when its keys are 1..n and n ≥ 1, else an object; an empty one is an object. Arrays that were read from JSON are
//! marked, so that an empty one stays an array. `null` is a light userdata of address zero, `trine.null`.
//!
//! Everything here runs inside of a protected call: creating a value may raise "not enough memory", which skips Rust
//! frames. So no frame holds a value with a destructor when it calls a function that may raise.

mod decode;
mod encode;
mod keys;
mod source;
mod strings;

pub(crate) use decode::{Parser, decode};
pub(crate) use encode::{End, Fault, Strictness, encode};
pub(crate) use keys::Keys;

use crate::{host::Host, limits};
use mlua::ffi::{self, lua_State};
use std::{
    ffi::{CStr, c_int, c_void},
    mem::ManuallyDrop,
    ptr,
};

/// Arrays and objects may be nested this deep, in both directions.
pub(crate) const MAX_DEPTH: usize = 1000;

/// Lua's own message for memory that it did not get.
pub(crate) const NO_MEMORY: &CStr = c"not enough memory";

/// The metatables that say what a table is, by address. The registry keeps them alive and Lua never moves them.
#[derive(Clone, Copy)]
pub(crate) struct Marks {
    /// Metatable of arrays, and its key in the registry.
    pub(crate) array: *const c_void,
    pub(crate) array_key: c_int,
    /// Metatable of tables that are objects whatever their keys.
    pub(crate) object: *const c_void,
    /// Metatable of contexts whose members are not filled in yet.
    pub(crate) context: *const c_void,
    pub(crate) context_key: c_int,
    /// Metatable of filled contexts.
    pub(crate) filled: *const c_void,
    pub(crate) filled_key: c_int,
    /// Metatable of `context.state`.
    pub(crate) state: *const c_void,
    pub(crate) state_key: c_int,
    /// Metatable of errors that another language has thrown.
    pub(crate) error: *const c_void,
    pub(crate) error_key: c_int,
    /// `trine.deadline_exceeded` itself.
    pub(crate) deadline: *const c_void,
    pub(crate) deadline_key: c_int,
}

impl Marks {
    /// Marks that no table has.
    pub(crate) const NONE: Self = Self {
        array: ptr::null(),
        array_key: ffi::LUA_REFNIL,
        object: ptr::null(),
        context: ptr::null(),
        context_key: ffi::LUA_REFNIL,
        filled: ptr::null(),
        filled_key: ffi::LUA_REFNIL,
        state: ptr::null(),
        state_key: ffi::LUA_REFNIL,
        error: ptr::null(),
        error_key: ffi::LUA_REFNIL,
        deadline: ptr::null(),
        deadline_key: ffi::LUA_REFNIL,
    };
}

/// `trine.json.encode(value)`.
///
/// # Safety
/// To be called by Lua as a C closure whose first upvalue is the [`Host`] of its state.
pub(crate) unsafe extern "C-unwind" fn json_encode(state: *mut lua_State) -> c_int {
    // SAFETY: Lua calls this with its arguments on the stack; values with destructors are kept from being dropped, or
    // are dropped, before anything may raise.
    unsafe {
        ffi::luaL_checkany(state, 1);
        let host = Host::of(state);
        let mut out = ManuallyDrop::new(Vec::with_capacity(256));
        match encode(state, 1, host, Strictness::Ordinary, &mut out) {
            Ok(()) => {
                ffi::lua_pushlstring(state, out.as_ptr().cast(), out.len());
                ManuallyDrop::drop(&mut out);
                1
            }
            Err(fault) => {
                ManuallyDrop::drop(&mut out);
                let end = fault.end();
                let message = ManuallyDrop::new(format!("cannot encode: {}", fault.at("value")));
                match end {
                    Some(end) => {
                        drop(ManuallyDrop::into_inner(message));
                        leave(state, end)
                    }
                    None => fail(state, message),
                }
            }
        }
    }
}

/// Leaves a C function that could not go on, whatever its value.
///
/// # Safety
/// To be returned as the last act of a C function that holds nothing with a destructor.
pub(crate) unsafe fn leave(state: *mut lua_State, end: End) -> c_int {
    // SAFETY: as the caller vouches.
    unsafe {
        match end {
            End::Stopped => limits::stop(state),
            End::Memory => {
                ffi::lua_pushstring(state, NO_MEMORY.as_ptr());
                ffi::lua_error(state)
            }
        }
    }
}

/// `trine.json.decode(text)`.
///
/// # Safety
/// As for [`json_encode`].
pub(crate) unsafe extern "C-unwind" fn json_decode(state: *mut lua_State) -> c_int {
    // SAFETY: the text stays on the stack, at index 1, for as long as the parser reads it; destructors as above.
    unsafe {
        let mut length = 0;
        let text = ffi::luaL_checklstring(state, 1, &raw mut length);
        let text = std::slice::from_raw_parts(text.cast::<u8>(), length);
        let host = Host::of(state);
        let mut parser = ManuallyDrop::new(Parser::new(text));
        let fault = match decode(state, &mut parser, host) {
            Ok(()) => None,
            Err(fault) => {
                if let Some(end) = fault.end() {
                    drop(fault);
                    ManuallyDrop::drop(&mut parser);
                    return leave(state, end);
                }
                Some(ManuallyDrop::new(format!("cannot decode: {}", fault.text(&parser))))
            }
        };
        ManuallyDrop::drop(&mut parser);
        match fault {
            None => 1,
            Some(message) => fail(state, message),
        }
    }
}

/// Raises `message` with the caller's position.
unsafe fn fail(state: *mut lua_State, mut message: ManuallyDrop<String>) -> ! {
    // SAFETY: called as the last act of a C function; the message is dropped before the error is raised.
    unsafe {
        ffi::luaL_where(state, 1);
        ffi::lua_pushlstring(state, message.as_ptr().cast(), message.len());
        ManuallyDrop::drop(&mut message);
        ffi::lua_concat(state, 2);
        ffi::lua_error(state)
    }
}
