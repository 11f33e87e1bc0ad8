//! JSON ⇄ Lua values, straight from text to tables and back.
//!
//! Kinds of tables: one marked by `trine.array` or `trine.object` is what its mark says. An unmarked one is an array
//! when its keys are 1..n and n ≥ 1, else an object; an empty one is an object. Arrays that were read from JSON are
//! marked, so that an empty one stays an array. `null` is a light userdata of address zero, `trine.null`.
//!
//! Everything here runs inside a protected call: creating a value may raise "not enough memory", which skips Rust
//! frames. So no frame holds a value with a destructor when it calls a function that may raise.

mod build;
mod forms;
mod http_result;
mod keys;
mod read;
mod strings;
mod write;

pub(crate) use build::build;
pub(crate) use forms::{Forms, Marks};
pub(crate) use http_result::http_result;
pub(crate) use read::{Parser, read};
pub(crate) use write::{End, Fault, StateView, Strictness, write};

use crate::limits;
use mlua::ffi::{self, lua_State};
use std::ffi::c_int;

/// Returns the string at `index` as text, if it is one in UTF-8.
///
/// # Safety
/// `state` is live; the result is used only while the string is on its stack.
pub(crate) unsafe fn text_at<'s>(state: *mut lua_State, index: c_int) -> Option<&'s str> {
    let mut length = 0;
    // SAFETY: reading a string does not convert it, and it stays on the stack until the function returns.
    unsafe {
        if ffi::lua_type(state, index) != ffi::LUA_TSTRING {
            return None;
        }
        let text = ffi::lua_tolstring(state, index, &raw mut length);
        std::str::from_utf8(std::slice::from_raw_parts(text.cast(), length)).ok()
    }
}

/// Leaves a C function that could not continue, whatever its value.
///
/// # Safety
/// To be returned as the last act of a C function that holds nothing with a destructor.
pub(crate) unsafe fn leave(state: *mut lua_State, end: End) -> c_int {
    // SAFETY: as the caller vouches.
    unsafe {
        match end {
            End::Stopped => limits::stop(state),
            End::Memory => {
                ffi::lua_pushstring(state, limits::NO_MEMORY.as_ptr());
                ffi::lua_error(state)
            }
        }
    }
}
