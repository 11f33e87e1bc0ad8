//! The C functions of `trine.json`.

use crate::{
    convert::{Parser, Strictness, leave, read, write},
    host::Host,
};
use mlua::ffi::{self, lua_State};
use std::{ffi::c_int, mem::ManuallyDrop};

/// Implements `trine.json.encode(value)`.
///
/// # Safety
/// To be called by Lua as a C closure whose first upvalue is the [`Host`] of its state.
pub(super) unsafe extern "C-unwind" fn encode(state: *mut lua_State) -> c_int {
    // SAFETY: Lua calls this with its arguments on the stack; values with destructors are kept from being dropped, or
    // are dropped, before anything may raise.
    unsafe {
        ffi::luaL_checkany(state, 1);
        let host = Host::of(state);
        let mut out = ManuallyDrop::new(Vec::with_capacity(256));
        match write(state, 1, host, Strictness::Ordinary, &mut out) {
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

/// Implements `trine.json.decode(text)`.
///
/// # Safety
/// As for [`encode`].
pub(super) unsafe extern "C-unwind" fn decode(state: *mut lua_State) -> c_int {
    // SAFETY: the text stays on the stack, at index 1, for as long as the parser reads it; destructors as above.
    unsafe {
        let mut length = 0;
        let text = ffi::luaL_checklstring(state, 1, &raw mut length);
        let text = std::slice::from_raw_parts(text.cast::<u8>(), length);
        let host = Host::of(state);
        let mut parser = ManuallyDrop::new(Parser::new(text));
        let fault = match read(state, &mut parser, host.forms()) {
            Ok(()) => None,
            Err(fault) => {
                if let Some(end) = fault.end() {
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
