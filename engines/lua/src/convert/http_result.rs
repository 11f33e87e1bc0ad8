//! Results that are plainly responses to HTTP requests.

use super::text_at;
use mlua::ffi::{self, lua_State};
use std::ffi::c_int;
use trine_engine::HttpResult;

/// Takes a result on top of the stack apart if it leaves nothing to interpret: a text, or a table of `statusCode`,
/// `headers`, `body` and `isBase64Encoded` and nothing else, all of the types that they should be. `None` for any other.
///
/// # Safety
/// `state` is live, and there is a value on top of its stack, which stays there.
pub(crate) unsafe fn http_result(state: *mut lua_State) -> Option<HttpResult> {
    // SAFETY: the stack is left as it was found. Nothing here raises: `lua_next` does only for a key that is not in its
    // table, and nothing is made or converted.
    unsafe {
        let top = ffi::lua_gettop(state);
        if ffi::lua_checkstack(state, 10) == 0 {
            return None;
        }
        let result = of_value(state, top);
        ffi::lua_settop(state, top);
        result
    }
}

/// # Safety
/// As for [`http_result`], with the value at `at` and room for ten more.
unsafe fn of_value(state: *mut lua_State, at: c_int) -> Option<HttpResult> {
    // SAFETY: as the caller vouches. Texts are copied while their strings are on the stack.
    unsafe {
        if let Some(text) = text_at(state, at) {
            return Some(HttpResult::text(text.to_owned()));
        }
        if !is_plain_table(state, at) {
            return None;
        }
        let (mut status, mut is_base64) = (None, false);
        // The places of headers and body, once they are found.
        ffi::lua_pushnil(state);
        ffi::lua_pushnil(state);
        let (headers, body) = (at + 1, at + 2);
        ffi::lua_pushnil(state);
        while ffi::lua_next(state, at) != 0 {
            match text_at(state, -2)? {
                "statusCode" if ffi::lua_isinteger(state, -1) != 0 => {
                    let number = ffi::lua_tointeger(state, -1);
                    status = Some(u16::try_from(number).ok()?);
                }
                "isBase64Encoded" if ffi::lua_type(state, -1) == ffi::LUA_TBOOLEAN => {
                    is_base64 = ffi::lua_toboolean(state, -1) != 0;
                }
                "headers" => ffi::lua_copy(state, -1, headers),
                "body" => ffi::lua_copy(state, -1, body),
                _ => return None,
            }
            ffi::lua_pop(state, 1);
        }
        let fields = match ffi::lua_type(state, headers) {
            ffi::LUA_TNIL => String::new(),
            _ => fields(state, headers)?,
        };
        let body = match ffi::lua_type(state, body) {
            ffi::LUA_TNIL => String::new(),
            _ => text_at(state, body)?.to_owned(),
        };
        HttpResult::new(status?, fields, body, is_base64)
    }
}

/// Whether the value is a table without a mark.
///
/// # Safety
/// As for [`http_result`], with room for one value.
unsafe fn is_plain_table(state: *mut lua_State, at: c_int) -> bool {
    // SAFETY: as the caller vouches.
    unsafe {
        if ffi::lua_type(state, at) != ffi::LUA_TTABLE {
            return false;
        }
        let is_marked = ffi::lua_getmetatable(state, at) != 0;
        if is_marked {
            ffi::lua_pop(state, 1);
        }
        !is_marked
    }
}

/// Returns headers as [`HttpResult::new`] takes them.
///
/// # Safety
/// As for [`http_result`], with the headers at `at` and room for two values.
unsafe fn fields(state: *mut lua_State, at: c_int) -> Option<String> {
    // SAFETY: as the caller vouches.
    unsafe {
        if !is_plain_table(state, at) {
            return None;
        }
        let mut fields = String::with_capacity(128);
        ffi::lua_pushnil(state);
        while ffi::lua_next(state, at) != 0 {
            for place in [-2, -1] {
                let text = text_at(state, place).filter(|text| !text.contains('\n'))?;
                fields.push_str(text);
                fields.push('\n');
            }
            ffi::lua_pop(state, 1);
        }
        Some(fields)
    }
}
