//! `string.find`, `match`, `gmatch` and `gsub`, as Lua's own but that they can be stopped.
//!
//! The functions here are called by Lua and may leave by an error, which skips Rust frames: none of them holds a value
//! with a destructor when it calls Lua.

use super::{Captured, Fault, Matcher, literal};
use crate::limits;
use mlua::ffi::{self, lua_State};
use std::{
    ffi::{CStr, c_int},
    mem::MaybeUninit,
};

/// Library, name and function of everything in this module.
pub(crate) const FUNCTIONS: [(&str, &str, ffi::lua_CFunction); 4] = [
    ("string", "find", find),
    ("string", "match", match_),
    ("string", "gmatch", gmatch),
    ("string", "gsub", gsub),
];

/// No match has ended here.
const NOWHERE: usize = usize::MAX;

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
            return match literal::find(&source[init..], pattern, limits::alarmed) {
                Ok(Some(at)) => {
                    ffi::lua_pushinteger(state, (init + at + 1) as i64);
                    ffi::lua_pushinteger(state, (init + at + pattern.len()) as i64);
                    2
                }
                Ok(None) => {
                    ffi::lua_pushnil(state);
                    1
                }
                Err(literal::Stopped) => limits::stop(state),
            };
        }
        let (anchored, pattern) = anchor(pattern);
        let mut matcher = Matcher::new(source, pattern, limits::alarmed);
        let found = if anchored {
            matcher.match_at(init).map(|end| end.map(|end| (init, end)))
        } else {
            matcher.find(init)
        };
        match found {
            Ok(None) => {
                ffi::lua_pushnil(state);
                1
            }
            Ok(Some((start, end))) if find => {
                ffi::lua_pushinteger(state, start as i64 + 1);
                ffi::lua_pushinteger(state, end as i64);
                2 + push_captures(state, &matcher, matcher.level, start, end)
            }
            Ok(Some((start, end))) => {
                push_captures(state, &matcher, matcher.level.max(1), start, end)
            }
            Err(fault) => raise(state, fault),
        }
    }
}

/// What an iteration of `gmatch` remembers, in a userdata beside the strings that it points into.
struct Iteration {
    matcher: Matcher,
    next: usize,
    last_end: usize,
}

unsafe extern "C-unwind" fn gmatch(state: *mut lua_State) -> c_int {
    // SAFETY: the strings become upvalues of the iterator, and Lua never moves strings.
    unsafe {
        let source = text(state, 1);
        let pattern = text(state, 2);
        let init = from_start(ffi::luaL_optinteger(state, 3, 1), source.len()) - 1;
        ffi::lua_settop(state, 2);
        let place = ffi::lua_newuserdatauv(state, size_of::<Iteration>(), 0).cast::<Iteration>();
        place.write(Iteration {
            matcher: Matcher::new(source, pattern, limits::alarmed),
            next: init.min(source.len() + 1),
            last_end: NOWHERE,
        });
        ffi::lua_pushcclosure(state, next_match, 3);
    }
    1
}

unsafe extern "C-unwind" fn next_match(state: *mut lua_State) -> c_int {
    // SAFETY: `gmatch` has made the third upvalue, and the first two keep the strings. No other reference to the
    // iteration exists while this function runs: nothing that it calls runs guest code.
    unsafe {
        let iteration =
            &mut *ffi::lua_touserdata(state, ffi::lua_upvalueindex(3)).cast::<Iteration>();
        let mut start = iteration.next;
        while start <= iteration.matcher.length {
            match iteration.matcher.find(start) {
                Ok(None) => break,
                Ok(Some((at, end))) if end == iteration.last_end => start = at + 1,
                Ok(Some((at, end))) => {
                    iteration.next = end;
                    iteration.last_end = end;
                    let count = iteration.matcher.level.max(1);
                    return push_captures(state, &iteration.matcher, count, at, end);
                }
                Err(fault) => return raise(state, fault),
            }
        }
    }
    0
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
        let (anchored, pattern) = anchor(pattern);
        let mut matcher = Matcher::new(source, pattern, limits::alarmed);
        let mut buffer = MaybeUninit::<ffi::luaL_Buffer>::uninit();
        let buffer = buffer.as_mut_ptr();
        ffi::luaL_buffinit(state, buffer);
        let (mut count, mut changed) = (0, false);
        // What is added already, where to look next, and where the last match has ended.
        let (mut added, mut start, mut last_end) = (0, 0, NOWHERE);
        while count < most && start <= source.len() {
            let found = if anchored {
                matcher.match_at(start).map(|end| end.map(|end| (start, end)))
            } else {
                matcher.find(start)
            };
            match found {
                Ok(None) => break,
                Ok(Some((at, end))) if end == last_end => start = at + 1,
                Ok(Some((at, end))) => {
                    count += 1;
                    add(buffer, &source[added..at]);
                    added = at;
                    let replaced = match kind {
                        ffi::LUA_TFUNCTION => {
                            ffi::lua_pushvalue(state, 3);
                            let arguments =
                                push_captures(state, &matcher, matcher.level.max(1), at, end);
                            ffi::lua_call(state, arguments, 1);
                            add_value(state, buffer)
                        }
                        ffi::LUA_TTABLE => {
                            push_capture(state, &matcher, 0, at, end);
                            ffi::lua_gettable(state, 3);
                            add_value(state, buffer)
                        }
                        _ => {
                            add_template(state, buffer, &matcher, at, end);
                            true
                        }
                    };
                    if replaced {
                        added = end;
                        changed = true;
                    }
                    (start, last_end) = (end, end);
                }
                Err(fault) => return raise(state, fault),
            }
            if anchored {
                break;
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

/// Adds what a replacement function or table gave, unless that is nil or false.
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

/// Adds a replacement string, in which `%0` to `%9` stand for captures.
unsafe fn add_template(
    state: *mut lua_State,
    buffer: *mut ffi::luaL_Buffer,
    matcher: &Matcher,
    start: usize,
    end: usize,
) {
    // SAFETY: index 3 holds a string or a number; once read as a string it is one, and stays where it is.
    unsafe {
        let mut length = 0;
        let template = ffi::lua_tolstring(state, 3, &raw mut length);
        let mut rest = std::slice::from_raw_parts(template.cast::<u8>(), length);
        while let Some(escape) = literal::position(rest, b'%') {
            add(buffer, &rest[..escape]);
            match rest.get(escape + 1) {
                Some(b'%') => add(buffer, b"%"),
                Some(b'0') => add(buffer, matched(matcher, start, end)),
                Some(digit @ b'1'..=b'9') => {
                    match matcher.captured(usize::from(digit - b'1'), start, end) {
                        Ok(Captured::Text(from, to)) => add(buffer, matched(matcher, from, to)),
                        Ok(Captured::Position(position)) => {
                            ffi::lua_pushinteger(state, position as i64);
                            ffi::luaL_addvalue(buffer);
                        }
                        Err(fault) => {
                            raise(state, fault);
                        }
                    }
                }
                _ => {
                    ffi::luaL_error(
                        state,
                        c"invalid use of '%c' in replacement string".as_ptr(),
                        c_int::from(b'%'),
                    );
                }
            }
            rest = &rest[escape + 2..];
        }
        add(buffer, rest);
    }
}

/// The source between two places of a match.
unsafe fn matched<'s>(matcher: &Matcher, from: usize, to: usize) -> &'s [u8] {
    // SAFETY: the matcher's source is on the stack or in an upvalue of the function that runs.
    unsafe { std::slice::from_raw_parts(matcher.source.add(from), to - from) }
}

/// Pushes this many captures of a match.
unsafe fn push_captures(
    state: *mut lua_State,
    matcher: &Matcher,
    count: usize,
    start: usize,
    end: usize,
) -> c_int {
    // SAFETY: this makes room.
    unsafe {
        ffi::luaL_checkstack(state, count as c_int, c"too many captures".as_ptr());
        for index in 0..count {
            push_capture(state, matcher, index, start, end);
        }
    }
    count as c_int
}

unsafe fn push_capture(
    state: *mut lua_State,
    matcher: &Matcher,
    index: usize,
    start: usize,
    end: usize,
) {
    // SAFETY: the callers have made room.
    unsafe {
        match matcher.captured(index, start, end) {
            Ok(Captured::Text(from, to)) => {
                ffi::lua_pushlstring(state, matcher.source.add(from).cast(), to - from);
            }
            Ok(Captured::Position(position)) => ffi::lua_pushinteger(state, position as i64),
            Err(fault) => {
                raise(state, fault);
            }
        }
    }
}

/// The string at `index`; raises when there is none.
unsafe fn text<'s>(state: *mut lua_State, index: c_int) -> &'s [u8] {
    let mut length = 0;
    // SAFETY: the string stays on the stack until the function returns.
    unsafe {
        let text = ffi::luaL_checklstring(state, index, &raw mut length);
        std::slice::from_raw_parts(text.cast(), length)
    }
}

/// A position counted from 1, of one that may be relative to the end.
pub(crate) fn from_start(position: i64, length: usize) -> usize {
    if position > 0 {
        position as usize
    } else if position == 0 || position < -(length as i64) {
        1
    } else {
        (length as i64 + position + 1) as usize
    }
}

/// Whether a pattern has no special character.
fn is_plain(pattern: &[u8]) -> bool {
    static SPECIAL: [bool; 256] = {
        let mut table = [false; 256];
        let mut specials = b"^$*+?.([%-".as_slice();
        while let [first, rest @ ..] = specials {
            table[*first as usize] = true;
            specials = rest;
        }
        table
    };
    !pattern.iter().any(|&byte| SPECIAL[usize::from(byte)])
}

/// Whether a pattern is anchored, and the rest of it.
fn anchor(pattern: &[u8]) -> (bool, &[u8]) {
    match pattern.strip_prefix(b"^") {
        Some(rest) => (true, rest),
        None => (false, pattern),
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
    let message: &CStr = match fault {
        // SAFETY: the callers hold nothing that has a destructor.
        Fault::Stopped => return unsafe { limits::stop(state) },
        Fault::InvalidIndex(index) => {
            // SAFETY: as above.
            return unsafe {
                ffi::luaL_error(state, c"invalid capture index %%%d".as_ptr(), index)
            };
        }
        Fault::EndsWithEscape => c"malformed pattern (ends with '%%')",
        Fault::MissingBracket => c"malformed pattern (missing ']')",
        Fault::MissingBalance => c"malformed pattern (missing arguments to '%%b')",
        Fault::MissingFrontier => c"missing '[' after '%%f' in pattern",
        Fault::InvalidCapture => c"invalid pattern capture",
        Fault::UnfinishedCapture => c"unfinished capture",
        Fault::TooManyCaptures => c"too many captures",
        Fault::TooComplex => c"pattern too complex",
    };
    // SAFETY: as above; the format takes no arguments.
    unsafe { ffi::luaL_error(state, message.as_ptr()) }
}
