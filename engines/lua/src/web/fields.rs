//! The header fields of a response, out of the tables in which applications give them.

use crate::web::result::kind_at;
use mlua::ffi::{self, lua_State};
use std::ffi::c_int;
use trine_engine::Fields;

/// Adds the fields of the table at `at`: strings or numbers, or lists of them, by their names.
///
/// # Errors
/// What is wrong with it.
///
/// # Safety
/// `state` is live and has room for ten values; `at` is absolute. Raises nothing, and leaves the stack as it was unless it
/// fails.
pub(super) unsafe fn read(
    state: *mut lua_State,
    at: c_int,
    fields: &mut Fields,
) -> Result<(), String> {
    // SAFETY: as the caller vouches: `lua_next` raises only for a key that is not in its table, and nothing is converted.
    unsafe {
        match ffi::lua_type(state, at) {
            ffi::LUA_TNIL => return Ok(()),
            ffi::LUA_TTABLE => {}
            _ => return Err(format!("headers are {}: a table is expected", kind_at(state, at))),
        }
        ffi::lua_pushnil(state);
        while ffi::lua_next(state, at) != 0 {
            let Some(name) = bytes_at(state, -2) else {
                let key = shown(state, -2);
                return Err(format!("headers have the key {key}: names are strings"));
            };
            let shown_name = || String::from_utf8_lossy(name).into_owned();
            if name.is_empty() || !name.iter().all(|byte| is_token(*byte)) {
                return Err(format!("'{}' is no name of a header", shown_name().escape_debug()));
            }
            if ffi::lua_type(state, -1) != ffi::LUA_TTABLE {
                add(state, -1, name, fields)?;
                ffi::lua_pop(state, 1);
                continue;
            }
            let list = ffi::lua_gettop(state);
            let count = ffi::lua_rawlen(state, list);
            if count == 0 && !is_empty(state, list) {
                return Err(format!(
                    "the header '{}' is a table that is no list: several values are a list of strings",
                    shown_name()
                ));
            }
            for index in 1..=count {
                ffi::lua_rawgeti(state, list, index as ffi::lua_Integer);
                add(state, -1, name, fields)?;
                ffi::lua_pop(state, 1);
            }
            ffi::lua_pop(state, 1);
        }
    }
    Ok(())
}

/// Adds a cookie for each string of the list at `at`.
///
/// # Errors
/// What is wrong with it.
///
/// # Safety
/// As for [`read`].
pub(super) unsafe fn read_cookies(
    state: *mut lua_State,
    at: c_int,
    fields: &mut Fields,
) -> Result<(), String> {
    // SAFETY: as for `read`.
    unsafe {
        match ffi::lua_type(state, at) {
            ffi::LUA_TNIL => return Ok(()),
            ffi::LUA_TTABLE => {}
            _ => {
                return Err(format!(
                    "cookies are {}: a list of strings is expected",
                    kind_at(state, at)
                ));
            }
        }
        for index in 1..=ffi::lua_rawlen(state, at) {
            ffi::lua_rawgeti(state, at, index as ffi::lua_Integer);
            add(state, -1, b"set-cookie", fields)?;
            ffi::lua_pop(state, 1);
        }
    }
    Ok(())
}

/// Adds a field with the value at `at`.
unsafe fn add(
    state: *mut lua_State,
    at: c_int,
    name: &[u8],
    fields: &mut Fields,
) -> Result<(), String> {
    // SAFETY: as for `read`.
    unsafe {
        if let Some(value) = bytes_at(state, at) {
            if value.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0)) {
                let name = String::from_utf8_lossy(name);
                return Err(format!("the header '{name}' has a line break or a zero in its value"));
            }
            fields.push(name, value);
        } else if ffi::lua_isinteger(state, at) != 0 {
            fields.push(name, ffi::lua_tointeger(state, at).to_string());
        } else if ffi::lua_type(state, at) == ffi::LUA_TNUMBER {
            fields.push(name, ffi::lua_tonumber(state, at).to_string());
        } else {
            let (name, kind) = (String::from_utf8_lossy(name), kind_at(state, at));
            return Err(format!(
                "the header '{name}' is {kind}: a string, a number or a list of them is expected"
            ));
        }
    }
    Ok(())
}

/// Returns the bytes of the string at `at`, if it is one.
///
/// # Safety
/// `state` is live; the result is used only while the string is on its stack.
pub(super) unsafe fn bytes_at<'s>(state: *mut lua_State, at: c_int) -> Option<&'s [u8]> {
    // SAFETY: reading a string does not convert it.
    unsafe {
        if ffi::lua_type(state, at) != ffi::LUA_TSTRING {
            return None;
        }
        let mut length = 0;
        let text = ffi::lua_tolstring(state, at, &raw mut length);
        Some(std::slice::from_raw_parts(text.cast::<u8>(), length))
    }
}

unsafe fn is_empty(state: *mut lua_State, table: c_int) -> bool {
    // SAFETY: as for `read`.
    unsafe {
        ffi::lua_pushnil(state);
        let is_empty = ffi::lua_next(state, table) == 0;
        if !is_empty {
            ffi::lua_pop(state, 2);
        }
        is_empty
    }
}

/// Returns a key as messages show it.
unsafe fn shown(state: *mut lua_State, at: c_int) -> String {
    // SAFETY: as for `read`.
    unsafe {
        if ffi::lua_isinteger(state, at) != 0 {
            return ffi::lua_tointeger(state, at).to_string();
        }
        kind_at(state, at)
    }
}

/// Whether a byte may be in the name of a header (RFC 9110, 5.6.2).
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
