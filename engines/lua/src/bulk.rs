//! `string.rep` and `table.move`, like Lua's own except that they can be stopped: a short line of Lua keeps either busy
//! for as long as it likes.

use crate::limits;
use mlua::ffi::{self, lua_State};
use std::{ffi::c_int, mem::MaybeUninit, ptr};

/// Library, name and function of everything in this module.
pub(crate) const FUNCTIONS: [(&str, &str, ffi::lua_CFunction); 2] =
    [("string", "rep", rep), ("table", "move", move_)];

/// Lua's limit for strings made by library functions.
const LONGEST: usize = i32::MAX as usize;
/// Maximum size, in bytes, of a repetition that is made in one go.
const SMALL: usize = 1 << 16;
/// Number of pieces from which a larger repetition is joined.
const PIECES: usize = 64;

unsafe extern "C-unwind" fn rep(state: *mut lua_State) -> c_int {
    // SAFETY: Lua calls this with its arguments on the stack, where both strings stay. No value has a destructor.
    unsafe {
        let (mut length, mut separator_length) = (0, 0);
        let text = ffi::luaL_checklstring(state, 1, &raw mut length).cast::<u8>();
        let count = ffi::luaL_checkinteger(state, 2);
        let separator =
            ffi::luaL_optlstring(state, 3, c"".as_ptr(), &raw mut separator_length).cast::<u8>();
        let Some(count) = usize::try_from(count).ok().filter(|&count| count > 0) else {
            ffi::lua_pushlstring(state, c"".as_ptr(), 0);
            return 1;
        };
        let unit = length + separator_length;
        if unit > LONGEST / count {
            return ffi::luaL_error(state, c"resulting string too large".as_ptr());
        }
        // Lua's own loop runs to the end for empty strings, too.
        let total = unit * count - separator_length * usize::from(unit > 0);
        if unit == 0 || count == 1 {
            ffi::lua_pushlstring(state, text.cast(), length);
            return 1;
        }
        if total <= SMALL || count < 2 * PIECES {
            repeat(state, (text, length), (separator, separator_length), count);
            return 1;
        }
        // One large piece, many times, and a rest that ends without a separator. Joining them makes the result in one
        // allocation, where a buffer would need it twice.
        let each = count / PIECES;
        ffi::luaL_checkstack(state, 2 * PIECES as c_int + 4, c"string too large".as_ptr());
        ffi::lua_pushvalue(state, 1);
        if separator_length > 0 {
            ffi::lua_pushvalue(state, 3);
            ffi::lua_concat(state, 2);
        }
        let mut unit_length = 0;
        let unit = ffi::lua_tolstring(state, -1, &raw mut unit_length).cast::<u8>();
        repeat(state, (unit, unit_length), (ptr::null(), 0), each);
        if limits::alarmed() {
            return limits::stop(state);
        }
        let piece = ffi::lua_gettop(state);
        let whole = (count - 1) / each;
        for _ in 1..whole {
            ffi::lua_pushvalue(state, piece);
        }
        repeat(state, (text, length), (separator, separator_length), count - whole * each);
        ffi::lua_concat(state, whole as c_int + 1);
    }
    1
}

/// Pushes a text `count` (at least 1) times, with a separator between.
unsafe fn repeat(
    state: *mut lua_State,
    (text, length): (*const u8, usize),
    (separator, separator_length): (*const u8, usize),
    count: usize,
) {
    // SAFETY: the buffer has room for all of it, and what is copied lies before where it goes to.
    unsafe {
        let unit = length + separator_length;
        let total = unit * count - separator_length;
        let mut buffer = MaybeUninit::<ffi::luaL_Buffer>::uninit();
        let buffer = buffer.as_mut_ptr();
        let target = ffi::luaL_buffinitsize(state, buffer, total).cast::<u8>();
        ptr::copy_nonoverlapping(text, target, length);
        if count > 1 {
            ptr::copy_nonoverlapping(separator, target.add(length), separator_length);
            let mut done = unit;
            while done < total {
                let next = done.min(total - done);
                ptr::copy_nonoverlapping(target, target.add(done), next);
                done += next;
            }
        }
        ffi::luaL_pushresultsize(buffer, total);
    }
}

/// Number of elements after which `table.move` checks whether it has to stop.
const ELEMENTS: i64 = 1 << 14;

unsafe extern "C-unwind" fn move_(state: *mut lua_State) -> c_int {
    // SAFETY: Lua calls this with its arguments on the stack. No value has a destructor.
    unsafe {
        let from = ffi::luaL_checkinteger(state, 2);
        let end = ffi::luaL_checkinteger(state, 3);
        let to = ffi::luaL_checkinteger(state, 4);
        let target = if ffi::lua_type(state, 5) > ffi::LUA_TNIL { 5 } else { 1 };
        check_table(state, 1, c"__index");
        check_table(state, target, c"__newindex");
        if end >= from {
            if from <= 0 && end >= i64::MAX.wrapping_add(from) {
                return ffi::luaL_argerror(state, 3, c"too many elements to move".as_ptr());
            }
            let count = end - from + 1;
            if to > i64::MAX - count + 1 {
                return ffi::luaL_argerror(state, 4, c"destination wrap around".as_ptr());
            }
            let other = target != 1 && ffi::lua_compare(state, 1, target, ffi::LUA_OPEQ) == 0;
            let upwards = to > end || to <= from || other;
            for step in 0..count {
                if step % ELEMENTS == ELEMENTS - 1 && limits::alarmed() {
                    return limits::stop(state);
                }
                let offset = if upwards { step } else { count - 1 - step };
                ffi::lua_geti(state, 1, from + offset);
                ffi::lua_seti(state, target, to + offset);
            }
        }
        ffi::lua_pushvalue(state, target);
    }
    1
}

/// Raises unless there is a table at `index`, or something with this metamethod.
unsafe fn check_table(state: *mut lua_State, index: c_int, metamethod: &std::ffi::CStr) {
    // SAFETY: a C function has room for a value.
    unsafe {
        if ffi::lua_type(state, index) == ffi::LUA_TTABLE {
            return;
        }
        if ffi::luaL_getmetafield(state, index, metamethod.as_ptr()) == ffi::LUA_TNIL {
            ffi::luaL_checktype(state, index, ffi::LUA_TTABLE);
        } else {
            ffi::lua_pop(state, 1);
        }
    }
}
