//! The functions that would end the process, and end an invocation instead: `os.exit`.

use crate::{host::Host, limits};
use mlua::ffi::{self, lua_State};
use std::ffi::c_int;
use trine_engine::{End, Error};

/// Implements `os.exit`: ends the call with this exit status.
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
        Host::of(state).watch().set_exit(status);
        limits::end(state)
    }
}

/// Returns the reason why the running call had to end, if it had to.
pub(crate) fn ended(host: &Host) -> Option<Error> {
    if let Some(status) = host.watch().exit() {
        let id = host.output().request_id();
        return Some(Error::exited(End::Status(status.into()), id.as_deref()));
    }
    host.watch().doomed().then(Error::stopped)
}
