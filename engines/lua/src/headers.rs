//! Headers of an event whose names are found in any case, for handlers of platforms that expect that.

use crate::{convert::text_at, host::Host};
use mlua::ffi::{self, lua_State};
use std::ffi::c_int;

/// The longest name that is looked for, in bytes. It stands on the stack, as nothing with a destructor may where Lua raises.
const LONGEST: usize = 256;

/// Has the member `name` of the event on top of the stack, if it is a table, found in any case.
///
/// # Safety
/// `state` runs in protected mode with room for three values and belongs to `host`.
pub(crate) unsafe fn find_in_any_case(state: *mut lua_State, host: &Host, name: &str) {
    // SAFETY: as the caller vouches; the event is a table before it is read as one.
    unsafe {
        if ffi::lua_type(state, -1) != ffi::LUA_TTABLE {
            return;
        }
        let event = ffi::lua_gettop(state);
        ffi::lua_pushlstring(state, name.as_ptr().cast(), name.len());
        // A hook may have put a metatable of its own there.
        if ffi::lua_rawget(state, event) == ffi::LUA_TTABLE && ffi::lua_getmetatable(state, -1) == 0
        {
            let key = host.forms().marks().headers_key;
            ffi::lua_rawgeti(state, ffi::LUA_REGISTRYINDEX, key.into());
            ffi::lua_setmetatable(state, -2);
        }
        ffi::lua_settop(state, event);
    }
}

/// Implements `__index` of such headers: looks for the name with a capital at the beginning of each word.
///
/// # Safety
/// To be called by Lua as a C closure.
pub(crate) unsafe extern "C-unwind" fn index(state: *mut lua_State) -> c_int {
    // SAFETY: Lua calls this with the table and the key; anybody else's first argument is checked.
    unsafe {
        ffi::luaL_checktype(state, 1, ffi::LUA_TTABLE);
        ffi::lua_settop(state, 2);
        let Some(name) = text_at(state, 2) else {
            ffi::lua_pushnil(state);
            return 1;
        };
        let mut buffer = [0_u8; LONGEST];
        if name.len() > LONGEST {
            ffi::lua_pushnil(state);
            return 1;
        }
        let mut begins = true;
        for (place, byte) in buffer.iter_mut().zip(name.bytes()) {
            *place = if begins { byte.to_ascii_uppercase() } else { byte.to_ascii_lowercase() };
            begins = byte == b'-';
        }
        ffi::lua_pushlstring(state, buffer.as_ptr().cast(), name.len());
        ffi::lua_rawget(state, 1);
    }
    1
}
