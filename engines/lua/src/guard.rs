//! `pcall`, `xpcall` and the coroutine functions, like Lua's own except for two things: what ends the call (timeout,
//! `os.exit`) passes through them, and a coroutine that waits for the host hands the wait on to whoever resumed it.
//! A message handler of `xpcall` that gets the error of a near deadline runs when the stack has been unwound.
//!
//! The functions here are called by Lua and may leave by an error, which skips Rust frames: none of them holds a value
//! with a destructor when it calls Lua.

use crate::{
    limits::{self, Watch},
    observe,
};
use mlua::ffi::{self, lua_State};
use std::{
    ffi::{c_int, c_void},
    ptr,
};

/// The byte whose address, as a light userdata, a coroutine yields to wait for the host.
static WAIT: u8 = 0;

/// The byte whose address, as a light userdata, stands for a deadline's error whose message handler has yet to run.
static DEFERRED: u8 = 0;

/// Returns the value that a coroutine yields to wait for the host.
pub(crate) fn wait_token() -> *mut c_void {
    ptr::from_ref(&WAIT).cast_mut().cast()
}

/// Whether a coroutine that yielded `results` values waits for the host.
///
/// # Safety
/// `state` is live and has at least `results` values on its stack.
pub(crate) unsafe fn waits(state: *mut lua_State, results: c_int) -> bool {
    // SAFETY: as the caller vouches.
    results >= 1 && unsafe { ffi::lua_touserdata(state, -results) } == wait_token()
}

/// Name and function of everything in this module, by library (`_G` or `coroutine`).
pub(crate) const FUNCTIONS: [(&str, &str, ffi::lua_CFunction); 5] = [
    ("_G", "pcall", pcall),
    ("_G", "xpcall", xpcall),
    ("coroutine", "resume", resume),
    ("coroutine", "wrap", wrap),
    ("coroutine", "close", close),
];

/// Whether a function of Lua's library is one of these that catch errors of what they call.
pub(crate) fn catches(function: ffi::lua_CFunction) -> bool {
    let own: [ffi::lua_CFunction; 3] = [pcall, xpcall, resume];
    own.iter().any(|own| *own as usize == function as usize)
}

/// Implements `debug.sethook`, which is the closure's upvalue: the guest's hook must not replace ours.
///
/// # Safety
/// To be called by Lua as a C closure whose second upvalue is Lua's own function.
pub(crate) unsafe extern "C-unwind" fn sethook(state: *mut lua_State) -> c_int {
    // SAFETY: Lua calls this with its arguments on the stack; see the module's note on destructors.
    unsafe {
        ffi::lua_pushvalue(state, ffi::lua_upvalueindex(2));
        ffi::lua_insert(state, 1);
        let arguments = ffi::lua_gettop(state) - 1;
        ffi::lua_call(state, arguments, 0);
        if let Some(watch) = limits::running() {
            watch.attend(state);
        }
        limits::look_again(state);
    }
    0
}

unsafe extern "C-unwind" fn pcall(state: *mut lua_State) -> c_int {
    // SAFETY: Lua calls this with its arguments on the stack; see the module's note on destructors.
    unsafe {
        ffi::luaL_checkany(state, 1);
        ffi::lua_pushboolean(state, 1);
        ffi::lua_insert(state, 1);
        let arguments = ffi::lua_gettop(state) - 2;
        let status = ffi::lua_pcallk(state, arguments, ffi::LUA_MULTRET, 0, 0, Some(finish_pcall));
        finish_pcall(state, status, 0)
    }
}

unsafe extern "C-unwind" fn xpcall(state: *mut lua_State) -> c_int {
    // SAFETY: Lua calls this with its arguments on the stack; see the module's note on destructors.
    unsafe {
        let top = ffi::lua_gettop(state);
        ffi::luaL_checktype(state, 2, ffi::LUA_TFUNCTION);
        // C functions like `debug.traceback` need no watching, and show the stack without a level of ours.
        if ffi::lua_iscfunction(state, 2) == 0 {
            ffi::lua_pushvalue(state, 2);
            ffi::lua_pushcclosure(state, handle, 1);
            ffi::lua_replace(state, 2);
        }
        ffi::lua_pushboolean(state, 1);
        ffi::lua_pushvalue(state, 1);
        ffi::lua_rotate(state, 3, 2);
        let status = ffi::lua_pcallk(state, top - 2, ffi::LUA_MULTRET, 2, 2, Some(finish_pcall));
        finish_pcall(state, status, 2)
    }
}

/// Calls the message handler that is its upvalue, unless the call has to end, or a hook has raised the error: Lua runs
/// handlers of such errors with hooks off, so a handler could not be stopped. It then runs later.
unsafe extern "C-unwind" fn handle(state: *mut lua_State) -> c_int {
    // SAFETY: Lua calls this with the error.
    unsafe {
        if limits::doomed() {
            return 1;
        }
        if limits::running().is_some_and(Watch::in_hook) {
            ffi::lua_pushlightuserdata(state, deferred());
            return 1;
        }
        ffi::lua_settop(state, 1);
        ffi::lua_pushvalue(state, ffi::lua_upvalueindex(1));
        ffi::lua_insert(state, 1);
        ffi::lua_call(state, 1, 1);
    }
    1
}

fn deferred() -> *mut c_void {
    ptr::from_ref(&DEFERRED).cast_mut().cast()
}

/// Returns the results of `pcall` and `xpcall`; `below` values under them are ours.
unsafe extern "C-unwind" fn finish_pcall(
    state: *mut lua_State,
    status: c_int,
    below: ffi::lua_KContext,
) -> c_int {
    // SAFETY: called where `lua_pcallk` returned or resumed, with its results on the stack.
    unsafe {
        if status == ffi::LUA_OK || status == ffi::LUA_YIELD {
            return ffi::lua_gettop(state) - below as c_int;
        }
        if limits::doomed() {
            return limits::end(state);
        }
        if let Some(watch) = limits::running() {
            watch.set_in_hook(false);
            if below != 0 && ffi::lua_touserdata(state, -1) == deferred() {
                ffi::lua_pushvalue(state, below as c_int);
                watch.push_warning(state);
                let status = ffi::lua_pcallk(state, 1, 1, 0, 0, Some(finish_handler));
                return finish_handler(state, status, 0);
            }
        }
        ffi::lua_pushboolean(state, 0);
        ffi::lua_pushvalue(state, -2);
        2
    }
}

/// Returns the results of an `xpcall` whose message handler ran late: false and what the handler returned, or raised.
unsafe extern "C-unwind" fn finish_handler(
    state: *mut lua_State,
    _: c_int,
    _: ffi::lua_KContext,
) -> c_int {
    // SAFETY: called where `lua_pcallk` returned or resumed, with one result or the error on the stack.
    unsafe {
        if limits::doomed() {
            return limits::end(state);
        }
        ffi::lua_pushboolean(state, 0);
        ffi::lua_insert(state, -2);
    }
    2
}

/// The outcome of resuming a coroutine.
pub(crate) enum Step {
    /// Results, this many, on the resumer's stack.
    Values(c_int),
    /// An error, on the resumer's stack.
    Failed,
    /// A wait of the coroutine for the host.
    Waiting,
    /// The end of the call.
    Ended,
}

/// Resumes `coroutine` with the topmost `arguments` values of `state`.
///
/// # Safety
/// Both are live: `coroutine` is on the stack of `state` or an upvalue of what runs there.
pub(crate) unsafe fn step(
    state: *mut lua_State,
    coroutine: *mut lua_State,
    arguments: c_int,
) -> Step {
    // SAFETY: as the caller vouches.
    unsafe {
        if ffi::lua_checkstack(coroutine, arguments) == 0 {
            ffi::lua_pushstring(state, c"too many arguments to resume".as_ptr());
            return Step::Failed;
        }
        ffi::lua_xmove(state, coroutine, arguments);
        let mut results = 0;
        let before = limits::switch(coroutine);
        let status = ffi::lua_resume(coroutine, state, arguments, &raw mut results);
        if status > ffi::LUA_YIELD {
            observe::failed(coroutine, status);
        }
        limits::switch(before);
        if limits::doomed() {
            return Step::Ended;
        }
        match status {
            ffi::LUA_YIELD if waits(coroutine, results) => {
                ffi::lua_pop(coroutine, results);
                Step::Waiting
            }
            ffi::LUA_OK | ffi::LUA_YIELD => {
                if ffi::lua_checkstack(state, results + 1) == 0 {
                    ffi::lua_pop(coroutine, results);
                    ffi::lua_pushstring(state, c"too many results to resume".as_ptr());
                    return Step::Failed;
                }
                ffi::lua_xmove(coroutine, state, results);
                Step::Values(results)
            }
            _ => {
                if let Some(watch) = limits::running() {
                    watch.origin().remember(coroutine);
                }
                ffi::lua_xmove(coroutine, state, 1);
                Step::Failed
            }
        }
    }
}

/// Hands a wait on to whoever resumed `state`; `next` continues afterwards.
///
/// # Safety
/// To be returned as the last act of a C function that runs on `state`.
pub(crate) unsafe fn wait(state: *mut lua_State, next: ffi::lua_KFunction) -> c_int {
    // SAFETY: as the caller vouches.
    unsafe {
        ffi::lua_pushlightuserdata(state, wait_token());
        ffi::lua_yieldk(state, 1, 0, Some(next))
    }
}

unsafe extern "C-unwind" fn resume(state: *mut lua_State) -> c_int {
    // SAFETY: Lua calls this with its arguments on the stack; the first one stays there for `resume_on`.
    unsafe {
        let coroutine = checked(state);
        let arguments = ffi::lua_gettop(state) - 1;
        finish_resume(state, step(state, coroutine, arguments))
    }
}

unsafe extern "C-unwind" fn resume_on(
    state: *mut lua_State,
    _: c_int,
    _: ffi::lua_KContext,
) -> c_int {
    // SAFETY: index 1 is the coroutine that `resume` checked.
    unsafe { finish_resume(state, step(state, ffi::lua_tothread(state, 1), 0)) }
}

unsafe fn finish_resume(state: *mut lua_State, step: Step) -> c_int {
    // SAFETY: `step` says what is on the stack.
    unsafe {
        match step {
            Step::Values(results) => {
                ffi::lua_pushboolean(state, 1);
                ffi::lua_insert(state, -(results + 1));
                results + 1
            }
            Step::Failed => {
                ffi::lua_pushboolean(state, 0);
                ffi::lua_insert(state, -2);
                2
            }
            Step::Waiting => wait(state, resume_on),
            Step::Ended => limits::end(state),
        }
    }
}

unsafe extern "C-unwind" fn wrap(state: *mut lua_State) -> c_int {
    // SAFETY: Lua calls this with its arguments on the stack.
    unsafe {
        ffi::luaL_checktype(state, 1, ffi::LUA_TFUNCTION);
        let coroutine = ffi::lua_newthread(state);
        ffi::lua_pushvalue(state, 1);
        ffi::lua_xmove(state, coroutine, 1);
        ffi::lua_pushcclosure(state, call_wrapped, 1);
        1
    }
}

/// Puts the coroutine of a function that [`wrap`] has made in its place at `index`, if it is one.
///
/// # Safety
/// `state` is live, with room for a value; `index` is absolute.
pub(crate) unsafe fn unwrap(state: *mut lua_State, index: c_int) {
    // SAFETY: as the caller vouches; a closure of `call_wrapped` has its coroutine as its upvalue.
    unsafe {
        let function = ffi::lua_tocfunction(state, index);
        if function.is_some_and(|function| function as usize == call_wrapped as *const () as usize)
            && !ffi::lua_getupvalue(state, index, 1).is_null()
        {
            ffi::lua_replace(state, index);
        }
    }
}

unsafe extern "C-unwind" fn call_wrapped(state: *mut lua_State) -> c_int {
    // SAFETY: upvalue 1 is the coroutine that `wrap` made; all of the stack are arguments.
    unsafe {
        let coroutine = ffi::lua_tothread(state, ffi::lua_upvalueindex(1));
        finish_wrapped(state, coroutine, step(state, coroutine, ffi::lua_gettop(state)))
    }
}

unsafe extern "C-unwind" fn wrapped_on(
    state: *mut lua_State,
    _: c_int,
    _: ffi::lua_KContext,
) -> c_int {
    // SAFETY: the continuation of `call_wrapped` has its upvalues.
    unsafe {
        let coroutine = ffi::lua_tothread(state, ffi::lua_upvalueindex(1));
        finish_wrapped(state, coroutine, step(state, coroutine, 0))
    }
}

unsafe fn finish_wrapped(state: *mut lua_State, coroutine: *mut lua_State, step: Step) -> c_int {
    // SAFETY: `step` says what is on the stack. The rest is what Lua's own `auxwrap` does.
    unsafe {
        match step {
            Step::Values(results) => results,
            Step::Waiting => wait(state, wrapped_on),
            Step::Ended => limits::end(state),
            Step::Failed => {
                let status = close_failed(state, coroutine);
                if status != ffi::LUA_ERRMEM && ffi::lua_type(state, -1) == ffi::LUA_TSTRING {
                    ffi::luaL_where(state, 1);
                    ffi::lua_insert(state, -2);
                    ffi::lua_concat(state, 2);
                }
                ffi::lua_error(state)
            }
        }
    }
}

/// Closes a coroutine that has failed; its error is on top of `state`, and in its place is then what closing has made of
/// it. Returns its status.
///
/// # Safety
/// As for [`step`], which has said that it failed.
pub(crate) unsafe fn close_failed(state: *mut lua_State, coroutine: *mut lua_State) -> c_int {
    // SAFETY: as the caller vouches.
    unsafe {
        let mut status = ffi::lua_status(coroutine);
        if status != ffi::LUA_OK && status != ffi::LUA_YIELD {
            let before = limits::switch(coroutine);
            status = ffi::lua_closethread(coroutine, state);
            limits::switch(before);
            ffi::lua_xmove(coroutine, state, 1);
        }
        status
    }
}

unsafe extern "C-unwind" fn close(state: *mut lua_State) -> c_int {
    // SAFETY: Lua calls this with its arguments on the stack.
    unsafe {
        let coroutine = checked(state);
        if let Some(status) = busy(state, coroutine) {
            return ffi::luaL_error(
                state,
                c"cannot close a %s coroutine".as_ptr(),
                status.as_ptr(),
            );
        }
        let before = limits::switch(coroutine);
        let status = ffi::lua_closethread(coroutine, state);
        limits::switch(before);
        if limits::doomed() {
            return limits::end(state);
        }
        if status == ffi::LUA_OK {
            ffi::lua_pushboolean(state, 1);
            return 1;
        }
        ffi::lua_pushboolean(state, 0);
        ffi::lua_xmove(coroutine, state, 1);
        2
    }
}

/// Returns the coroutine that is the first argument; raises when there is none.
unsafe fn checked(state: *mut lua_State) -> *mut lua_State {
    // SAFETY: Lua's stack holds the arguments.
    unsafe {
        let coroutine = ffi::lua_tothread(state, 1);
        if coroutine.is_null() {
            ffi::luaL_argerror(state, 1, c"coroutine expected".as_ptr());
        }
        coroutine
    }
}

/// Returns why a coroutine cannot be closed: it runs, or waits for one that it resumed.
unsafe fn busy(
    state: *mut lua_State,
    coroutine: *mut lua_State,
) -> Option<&'static std::ffi::CStr> {
    // SAFETY: both are live; `lua_Debug` is plain data that `lua_getstack` fills in.
    unsafe {
        if state == coroutine {
            return Some(c"running");
        }
        let mut frame: ffi::lua_Debug = std::mem::zeroed();
        let active = ffi::lua_status(coroutine) == ffi::LUA_OK
            && ffi::lua_getstack(coroutine, 0, &raw mut frame) != 0;
        active.then_some(c"normal")
    }
}
