//! `string.find`, `match`, `gmatch` and `gsub`, like Lua's own except that they can be stopped: the matching is that of
//! `trine_lua_pattern`.
//!
//! The functions here are called by Lua and may leave by an error, which skips Rust frames: none of them holds a value
//! with a destructor when it calls Lua.

#[cfg(test)]
mod tests;

use crate::limits;
use mlua::ffi::{self, lua_State};
use std::{
    ffi::c_int,
    mem::{MaybeUninit, needs_drop},
};
use trine_lua_pattern::{Capture, Cursor, Fault, Piece, Scratch, Template, find_plain, is_plain};

/// A matcher that checks whether what runs on this thread has to stop.
type Matcher<'t, 'r> = trine_lua_pattern::Matcher<'t, 'r, fn() -> bool>;

const _: () = assert!(
    !needs_drop::<Matcher<'_, '_>>() && !needs_drop::<Scratch>() && !needs_drop::<Cursor>()
);

/// Library, name and function of everything in this module.
pub(crate) const FUNCTIONS: [(&str, &str, ffi::lua_CFunction); 4] = [
    ("string", "find", find),
    ("string", "match", match_),
    ("string", "gmatch", gmatch),
    ("string", "gsub", gsub),
];

unsafe extern "C-unwind" fn find(state: *mut lua_State) -> c_int {
    // SAFETY: Lua calls this with its arguments on the stack.
    unsafe { find_or_match(state, true) }
}

unsafe extern "C-unwind" fn match_(state: *mut lua_State) -> c_int {
    // SAFETY: as for `find`.
    unsafe { find_or_match(state, false) }
}

unsafe fn find_or_match(state: *mut lua_State, find: bool) -> c_int {
    // SAFETY: both strings stay on the stack until the function returns.
    unsafe {
        let source = text(state, 1);
        let pattern = text(state, 2);
        let init = from_start(ffi::luaL_optinteger(state, 3, 1), source.len()) - 1;
        if init > source.len() {
            ffi::lua_pushnil(state);
            return 1;
        }
        if find && (ffi::lua_toboolean(state, 4) != 0 || is_plain(pattern)) {
            return match find_plain(&source[init..], pattern, limits::alarmed) {
                Ok(Some(at)) => {
                    ffi::lua_pushinteger(state, (init + at + 1) as i64);
                    ffi::lua_pushinteger(state, (init + at + pattern.len()) as i64);
                    2
                }
                Ok(None) => {
                    ffi::lua_pushnil(state);
                    1
                }
                Err(fault) => raise(state, fault),
            };
        }
        let mut scratch = Scratch::new();
        let mut matcher = Matcher::new(source, pattern, &mut scratch, limits::alarmed);
        match matcher.find(init) {
            Ok(None) => {
                ffi::lua_pushnil(state);
                1
            }
            Ok(Some(found)) if find => {
                ffi::lua_pushinteger(state, found.start as i64 + 1);
                ffi::lua_pushinteger(state, found.end as i64);
                2 + push_captures(state, &matcher, matcher.captures())
            }
            Ok(Some(_)) => push_captures(state, &matcher, matcher.captures().max(1)),
            Err(fault) => raise(state, fault),
        }
    }
}

unsafe extern "C-unwind" fn gmatch(state: *mut lua_State) -> c_int {
    // SAFETY: the strings become upvalues of the iterator, as does the userdata, which has room for a cursor.
    unsafe {
        let source = text(state, 1);
        text(state, 2);
        let init = from_start(ffi::luaL_optinteger(state, 3, 1), source.len()) - 1;
        ffi::lua_settop(state, 2);
        let place = ffi::lua_newuserdatauv(state, size_of::<Cursor>(), 0).cast::<Cursor>();
        place.write(Cursor::new(init));
        ffi::lua_pushcclosure(state, next_match, 3);
    }
    1
}

unsafe extern "C-unwind" fn next_match(state: *mut lua_State) -> c_int {
    // SAFETY: `gmatch` has made the upvalues. No other reference to the cursor exists while this function runs: nothing
    // that it calls runs guest code.
    unsafe {
        let source = text(state, ffi::lua_upvalueindex(1));
        let pattern = text(state, ffi::lua_upvalueindex(2));
        let cursor = &mut *ffi::lua_touserdata(state, ffi::lua_upvalueindex(3)).cast::<Cursor>();
        let mut scratch = Scratch::new();
        let mut matcher = Matcher::without_anchor(source, pattern, &mut scratch, limits::alarmed);
        match matcher.next_match(cursor) {
            Ok(None) => 0,
            Ok(Some(_)) => push_captures(state, &matcher, matcher.captures().max(1)),
            Err(fault) => raise(state, fault),
        }
    }
}

unsafe extern "C-unwind" fn gsub(state: *mut lua_State) -> c_int {
    // SAFETY: the strings stay on the stack until the function returns. A buffer's rule is kept: between two additions
    // the stack is as high as before.
    unsafe {
        let source = text(state, 1);
        let pattern = text(state, 2);
        let kind = ffi::lua_type(state, 3);
        let most = ffi::luaL_optinteger(state, 4, source.len() as i64 + 1);
        if !matches!(
            kind,
            ffi::LUA_TNUMBER | ffi::LUA_TSTRING | ffi::LUA_TFUNCTION | ffi::LUA_TTABLE
        ) {
            return wrong_replacement(state);
        }
        let mut scratch = Scratch::new();
        let mut matcher = Matcher::new(source, pattern, &mut scratch, limits::alarmed);
        let mut cursor = Cursor::new(0);
        let mut buffer = MaybeUninit::<ffi::luaL_Buffer>::uninit();
        let buffer = buffer.as_mut_ptr();
        ffi::luaL_buffinit(state, buffer);
        let (mut count, mut changed, mut added) = (0, false, 0);
        while count < most {
            let found = match matcher.next_match(&mut cursor) {
                Ok(Some(found)) => found,
                Ok(None) => break,
                Err(fault) => return raise(state, fault),
            };
            count += 1;
            add(buffer, &source[added..found.start]);
            added = found.start;
            let replaced = match kind {
                ffi::LUA_TFUNCTION => {
                    ffi::lua_pushvalue(state, 3);
                    let arguments = push_captures(state, &matcher, matcher.captures().max(1));
                    ffi::lua_call(state, arguments, 1);
                    add_value(state, buffer)
                }
                ffi::LUA_TTABLE => {
                    push_capture(state, &matcher, 0);
                    ffi::lua_gettable(state, 3);
                    add_value(state, buffer)
                }
                _ => {
                    add_template(state, buffer, &matcher, &source[found.start..found.end]);
                    true
                }
            };
            if replaced {
                added = found.end;
                changed = true;
            }
        }
        if changed {
            add(buffer, &source[added..]);
            ffi::luaL_pushresult(buffer);
        } else {
            ffi::lua_pushvalue(state, 1);
        }
        ffi::lua_pushinteger(state, count);
    }
    2
}

unsafe fn add(buffer: *mut ffi::luaL_Buffer, text: &[u8]) {
    // SAFETY: the callers' buffer is in use.
    unsafe { ffi::luaL_addlstring(buffer, text.as_ptr().cast(), text.len()) };
}

/// Adds the result of a replacement function or table, unless that is nil or false.
unsafe fn add_value(state: *mut lua_State, buffer: *mut ffi::luaL_Buffer) -> bool {
    // SAFETY: the value is on top of the stack.
    unsafe {
        if ffi::lua_toboolean(state, -1) == 0 {
            ffi::lua_pop(state, 1);
            return false;
        }
        if ffi::lua_isstring(state, -1) == 0 {
            let name = ffi::luaL_typename(state, -1);
            ffi::luaL_error(state, c"invalid replacement value (a %s)".as_ptr(), name);
        }
        ffi::luaL_addvalue(buffer);
    }
    true
}

/// Adds the replacement string for a match.
unsafe fn add_template(
    state: *mut lua_State,
    buffer: *mut ffi::luaL_Buffer,
    matcher: &Matcher<'_, '_>,
    found: &[u8],
) {
    // SAFETY: index 3 holds a string or a number; once read as a string it is one, and stays where it is.
    unsafe {
        let mut length = 0;
        let template = ffi::lua_tolstring(state, 3, &raw mut length);
        for piece in Template::new(std::slice::from_raw_parts(template.cast(), length)) {
            let capture = match piece {
                Ok(Piece::Text(text)) => Ok(Capture::Text(text)),
                Ok(Piece::Match) => Ok(Capture::Text(found)),
                Ok(Piece::Capture(index)) => matcher.capture(index),
                Err(fault) => Err(fault),
            };
            match capture {
                Ok(Capture::Text(text)) => add(buffer, text),
                Ok(Capture::Position(position)) => {
                    ffi::lua_pushinteger(state, position as i64);
                    ffi::luaL_addvalue(buffer);
                }
                Err(fault) => {
                    raise(state, fault);
                }
            }
        }
    }
}

/// Pushes this many captures of a match.
unsafe fn push_captures(state: *mut lua_State, matcher: &Matcher<'_, '_>, count: usize) -> c_int {
    // SAFETY: this makes room.
    unsafe {
        ffi::luaL_checkstack(state, count as c_int, c"too many captures".as_ptr());
        for index in 0..count {
            push_capture(state, matcher, index);
        }
    }
    count as c_int
}

unsafe fn push_capture(state: *mut lua_State, matcher: &Matcher<'_, '_>, index: usize) {
    // SAFETY: the callers have made room.
    unsafe {
        match matcher.capture(index) {
            Ok(Capture::Text(text)) => {
                ffi::lua_pushlstring(state, text.as_ptr().cast(), text.len());
            }
            Ok(Capture::Position(position)) => ffi::lua_pushinteger(state, position as i64),
            Err(fault) => {
                raise(state, fault);
            }
        }
    }
}

/// Returns the string at `index`; raises when there is none.
unsafe fn text<'s>(state: *mut lua_State, index: c_int) -> &'s [u8] {
    let mut length = 0;
    // SAFETY: the string stays where it is until the function returns, on the stack or as an upvalue.
    unsafe {
        let text = ffi::luaL_checklstring(state, index, &raw mut length);
        std::slice::from_raw_parts(text.cast(), length)
    }
}

/// Returns a position counted from 1, given one that may be relative to the end.
fn from_start(position: i64, length: usize) -> usize {
    if position > 0 {
        position as usize
    } else if position == 0 || position < -(length as i64) {
        1
    } else {
        (length as i64 + position + 1) as usize
    }
}

unsafe fn wrong_replacement(state: *mut lua_State) -> c_int {
    // SAFETY: a C function has room for these values.
    unsafe {
        let name = if ffi::luaL_getmetafield(state, 3, c"__name".as_ptr()) == ffi::LUA_TSTRING {
            ffi::lua_tolstring(state, -1, std::ptr::null_mut())
        } else if ffi::lua_type(state, 3) == ffi::LUA_TLIGHTUSERDATA {
            c"light userdata".as_ptr()
        } else {
            ffi::luaL_typename(state, 3)
        };
        let expected = c"string/function/table expected, got %s";
        let message = ffi::lua_pushfstring(state, expected.as_ptr(), name);
        ffi::luaL_argerror(state, 3, message)
    }
}

/// Raises what is wrong with a pattern, or ends what has to end. To be returned as the last act of a C function.
unsafe fn raise(state: *mut lua_State, fault: Fault) -> c_int {
    // SAFETY: the callers hold nothing that has a destructor, and a C function has room for a few values.
    unsafe {
        if fault == Fault::Stopped {
            return limits::stop(state);
        }
        ffi::luaL_where(state, 1);
        let message = fault.message();
        ffi::lua_pushlstring(state, message.as_ptr().cast(), message.len());
        match fault {
            Fault::InvalidIndex(index) => {
                ffi::lua_pushinteger(state, index.into());
                ffi::lua_concat(state, 3);
            }
            _ => ffi::lua_concat(state, 2),
        }
        ffi::lua_error(state)
    }
}
