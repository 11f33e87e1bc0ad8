//! The functions a guest writes with: `print`, `io.write`, `warn` and `trine.log`, where preludes leave it to the host.

use crate::host::Host;
use mlua::ffi::{self, lua_State};
use std::{
    ffi::{CStr, c_char, c_int, c_void},
    mem::ManuallyDrop,
};
use trine_engine::Stream;

/// Name and function of everything here except [`warn`]. Finalizers may call them while a state is closed.
pub(super) const CLOSURES: [(&str, ffi::lua_CFunction); 5] =
    [("print", print), ("write", write), ("flush", flush), ("log", log), ("trace_id", trace_id)];

/// Returns the string at `index`; raises when there is none.
unsafe fn argument<'a>(state: *mut lua_State, index: c_int) -> &'a [u8] {
    let mut length = 0;
    // SAFETY: called with arguments on the stack, where the string stays until the function returns.
    unsafe {
        let text = ffi::luaL_checklstring(state, index, &raw mut length);
        std::slice::from_raw_parts(text.cast(), length)
    }
}

/// Implements `print(line)`: writes one line, given without its newline.
unsafe extern "C-unwind" fn print(state: *mut lua_State) -> c_int {
    // SAFETY: a closure of this host; nothing with a destructor is alive where an argument may be wrong.
    unsafe {
        let text = argument(state, 1);
        Host::of(state).output().line(Stream::Stdout, &[text, b"\n"].concat());
    }
    0
}

/// Implements `write(stderr, text)`.
unsafe extern "C-unwind" fn write(state: *mut lua_State) -> c_int {
    // SAFETY: as for `print`.
    unsafe {
        let stderr = ffi::lua_toboolean(state, 1) != 0;
        let text = argument(state, 2);
        Host::of(state).output().write(if stderr { Stream::Stderr } else { Stream::Stdout }, text);
    }
    0
}

/// Implements `flush()`.
unsafe extern "C-unwind" fn flush(state: *mut lua_State) -> c_int {
    // SAFETY: as for `print`.
    unsafe { Host::of(state).output().flush() };
    0
}

/// Implements `log(level, text, json or nil)`; returns what is wrong with the level, if anything.
unsafe extern "C-unwind" fn log(state: *mut lua_State) -> c_int {
    // SAFETY: as for `print`; the message about the level is kept from the frame while it is pushed.
    unsafe {
        let (level, text) = (argument(state, 1), argument(state, 2));
        let json = (ffi::lua_type(state, 3) == ffi::LUA_TSTRING).then(|| argument(state, 3));
        match String::from_utf8_lossy(level).parse() {
            Ok(level) => {
                let text = String::from_utf8_lossy(text);
                let json = json.map(String::from_utf8_lossy);
                Host::of(state).output().log(level, &text, json.as_deref());
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

/// Implements `trace_id()` of the running call.
unsafe extern "C-unwind" fn trace_id(state: *mut lua_State) -> c_int {
    // SAFETY: as for `print`. The call keeps its invocation alive while its code runs.
    unsafe {
        let running = Host::of(state).output().invocation();
        match running.and_then(|invocation| (*invocation).trace_id.as_deref()) {
            Some(id) => {
                ffi::lua_pushlstring(state, id.as_ptr().cast(), id.len());
            }
            None => ffi::lua_pushnil(state),
        }
    }
    1
}

/// Takes a piece of the arguments of `warn(…)`.
///
/// # Safety
/// To be set with `lua_setwarnf` and the state's [`Host`].
pub(super) unsafe extern "C-unwind" fn warn(
    host: *mut c_void,
    text: *const c_char,
    to_be_continued: c_int,
) {
    // SAFETY: Lua passes the host on, and a text that ends in NUL.
    unsafe {
        let text = CStr::from_ptr(text).to_string_lossy();
        (*host.cast::<Host>()).output().warn(&text, to_be_continued != 0);
    }
}
