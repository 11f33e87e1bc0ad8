//! The building of Lua values that were taken apart, without a text in between.

use super::{forms::Forms, keys::Keys};
use mlua::ffi::{self, lua_State};
use std::{ffi::c_int, slice::Iter};
use trine_engine::{Leaf, Part, Shaped};

/// Room on the stack for all that is open at once: a value may be no deeper than 16 levels, of three values each.
const ROOM: c_int = 64;

/// Pushes the value; returns false where the stack has no room for it.
///
/// # Safety
/// `state` runs in protected mode with room for three values, and belongs to the state of `forms`. Memory errors skip
/// the caller's frames.
pub(crate) unsafe fn build(state: *mut lua_State, value: &Shaped, forms: &Forms) -> bool {
    let (keys, array) = (&forms.keys, forms.marks().array_key);
    // SAFETY: as the caller vouches. Nothing in these frames has a destructor.
    unsafe {
        if ffi::lua_checkstack(state, ROOM) == 0 {
            return false;
        }
        keys.push_table(state);
        let known = ffi::lua_gettop(state);
        let (parts, leaves) = (value.shape().parts().iter(), value.leaves());
        let mut builder = Builder { state, parts, leaves, keys, known, array };
        let part = builder.parts.next();
        builder.value(part);
        ffi::lua_replace(state, known);
    }
    true
}

struct Builder<'v, 'k, L> {
    state: *mut lua_State,
    parts: Iter<'v, Part>,
    leaves: L,
    keys: &'k Keys,
    /// Stack index of the table of known keys.
    known: c_int,
    array: c_int,
}

impl<'v, L: Iterator<Item = Leaf<'v>>> Builder<'v, '_, L> {
    /// Pushes the value that begins with this part.
    unsafe fn value(&mut self, part: Option<&Part>) {
        // SAFETY: `build` has made room, and runs in protected mode.
        unsafe {
            match part {
                Some(Part::Object(count)) => self.object(*count as c_int),
                Some(Part::List(count)) => self.list(*count as c_int),
                _ => self.leaf(),
            }
        }
    }

    unsafe fn leaf(&mut self) {
        let state = self.state;
        // SAFETY: as for `value`.
        unsafe {
            match self.leaves.next().unwrap_or(Leaf::Null) {
                Leaf::Text(text) => {
                    ffi::lua_pushlstring(state, text.as_ptr().cast(), text.len());
                }
                Leaf::Integer(number) => ffi::lua_pushinteger(state, number),
                Leaf::Float(number) => ffi::lua_pushnumber(state, number),
                Leaf::Truth(truth) => ffi::lua_pushboolean(state, truth.into()),
                Leaf::Null => ffi::lua_pushlightuserdata(state, std::ptr::null_mut()),
            }
        }
    }

    unsafe fn object(&mut self, count: c_int) {
        let state = self.state;
        // SAFETY: as for `value`; the table is new and has no metatable.
        unsafe {
            ffi::lua_createtable(state, 0, count);
            while let Some(Part::Name(name)) = self.parts.next() {
                self.keys.push(state, self.known, name.as_bytes());
                let part = self.parts.next();
                self.value(part);
                ffi::lua_rawset(state, -3);
            }
        }
    }

    unsafe fn list(&mut self, count: c_int) {
        let state = self.state;
        // SAFETY: as for `value`.
        unsafe {
            ffi::lua_createtable(state, count, 0);
            let mut index = 0;
            loop {
                match self.parts.next() {
                    Some(Part::End) | None => break,
                    part => self.value(part),
                }
                index += 1;
                ffi::lua_rawseti(state, -2, index);
            }
            ffi::lua_rawgeti(state, ffi::LUA_REGISTRYINDEX, self.array.into());
            ffi::lua_setmetatable(state, -2);
        }
    }
}
