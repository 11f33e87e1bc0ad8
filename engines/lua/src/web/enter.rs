//! The call itself: makes what the application is called with, calls it, and has its result taken apart.

use super::{WebCall, request, result, result::Rest, wsapi};
use crate::{
    context,
    convert::{self, End, Strictness},
    host::Host,
    limits,
};
use mlua::ffi::{self, lua_State};
use std::{ffi::c_int, mem::ManuallyDrop};
use trine_engine::{ErrorKind, Interface, Level};

/// The places on the stack of a call: its host, the application's function, the first of its results.
const HOST: c_int = 1;
const FUNCTION: c_int = 2;
const RESULT: c_int = 3;

/// The number of an application's results that count.
const RESULTS: c_int = 3;

/// Calls the application that is on top of a call's stack, whose first slot is the host.
///
/// # Safety
/// To be returned as the last act of the first function of a call's coroutine. The call is the one that runs.
pub(crate) unsafe fn enter(state: *mut lua_State, host: &Host, call: &WebCall) -> c_int {
    // SAFETY: as the caller vouches. Nothing in this frame has a destructor while anything may raise.
    unsafe {
        ffi::luaL_checkstack(state, 40, std::ptr::null());
        ffi::lua_pushvalue(state, FUNCTION);
        let arguments = match call.interface {
            Interface::Wsapi => {
                wsapi::push(state, host, call);
                1
            }
            _ => {
                request::push(state, host, call);
                if let Err(error) = context::push(state, host, &call.invocation) {
                    host.answer().set_fault(error);
                    return 0;
                }
                2
            }
        };
        ffi::lua_callk(state, arguments, RESULTS, 0, Some(finish));
        finish(state, ffi::LUA_OK, 0)
    }
}

/// Takes the application's results apart. Has its body sent where that is made piece by piece.
unsafe extern "C-unwind" fn finish(state: *mut lua_State, _: c_int, _: ffi::lua_KContext) -> c_int {
    // SAFETY: `lua_callk` has left three results above the function; `enter`'s caller has left the host in the first slot.
    // What has a destructor goes to the host, or is dropped, before anything may raise.
    unsafe {
        let host = &*ffi::lua_touserdata(state, HOST).cast::<Host>();
        let Some(call) = host.web().running() else { return 0 };
        let call = &*call;
        let rest = match call.interface {
            Interface::Wsapi => result::of_wsapi(state, RESULT, call),
            _ => result::of_fetch(state, RESULT, call),
        };
        let rest = match rest {
            Ok(rest) => rest,
            Err(what) => {
                host.answer().set_fault(result::wrong(call, what));
                return 0;
            }
        };
        match rest {
            Rest::Nothing => 0,
            Rest::Json(index) => write_json(state, host, call, index),
            Rest::Pieces { index, ends_at_nil } => {
                let driver = host.web().keys.get().driver;
                ffi::lua_rawgeti(state, ffi::LUA_REGISTRYINDEX, driver.into());
                ffi::lua_pushvalue(state, index);
                ffi::lua_pushboolean(state, c_int::from(ends_at_nil));
                let ends_at_false = call.interface == Interface::Wsapi;
                ffi::lua_pushboolean(state, c_int::from(ends_at_false));
                ffi::lua_callk(state, 3, 1, 0, Some(sent));
                sent(state, ffi::LUA_OK, 0)
            }
        }
    }
}

/// Makes JSON text of the value at `index`, which is the body.
unsafe fn write_json(state: *mut lua_State, host: &Host, call: &WebCall, index: c_int) -> c_int {
    let mut text = ManuallyDrop::new(Vec::with_capacity(host.answer().reply_size()));
    // SAFETY: called as the last act of a C function. A memory error loses the text.
    unsafe {
        match convert::write(state, index, host, Strictness::Ordinary, &mut text) {
            Ok(()) => call.reply.set_body(ManuallyDrop::into_inner(text), "application/json"),
            Err(fault) => {
                ManuallyDrop::drop(&mut text);
                if fault.end() == Some(End::Stopped) {
                    drop(fault);
                    return limits::stop(state);
                }
                let mut error = fault.into_error("body");
                if error.kind() == ErrorKind::Marshal {
                    let message = format!("Unable to marshal response: {}", error.message());
                    error = error.with_message(message);
                }
                host.answer().set_fault(error);
            }
        }
    }
    0
}

/// Ends a call whose body was made piece by piece.
unsafe extern "C-unwind" fn sent(state: *mut lua_State, _: c_int, _: ffi::lua_KContext) -> c_int {
    // SAFETY: there is one result on top; the host is in the first slot.
    unsafe {
        if ffi::lua_type(state, -1) != ffi::LUA_TNIL {
            let host = &*ffi::lua_touserdata(state, HOST).cast::<Host>();
            let message = "what the coroutine of a body returns is not sent: only what it yields";
            host.output().log(Level::Warn, message, None);
        }
    }
    0
}
