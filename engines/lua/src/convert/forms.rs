//! The marks of tables, and other facts that conversions know of one state.

use super::keys::Keys;
use mlua::{
    Lua,
    ffi::{self, lua_State},
};
use std::{
    cell::Cell,
    ffi::{c_int, c_void},
    ptr,
};

/// Maximum depth of nested arrays and objects, in both directions.
pub(crate) const MAX_DEPTH: usize = 1000;

/// The metatables that mark tables, by address. The registry keeps them alive and Lua never moves them.
#[derive(Clone, Copy)]
pub(crate) struct Marks {
    /// Metatable of arrays, and its key in the registry.
    pub(crate) array: *const c_void,
    pub(crate) array_key: c_int,
    /// Metatable of tables that are objects whatever their keys.
    pub(crate) object: *const c_void,
    /// Metatable of contexts whose members are not filled in yet.
    pub(crate) context: *const c_void,
    pub(crate) context_key: c_int,
    /// Metatable of filled contexts.
    pub(crate) filled: *const c_void,
    pub(crate) filled_key: c_int,
    /// Metatable of headers that are found in any case.
    pub(crate) headers: *const c_void,
    pub(crate) headers_key: c_int,
    /// Metatable of `context.state`.
    pub(crate) state: *const c_void,
    pub(crate) state_key: c_int,
    /// Metatable of what `trine.response` makes.
    pub(crate) response: *const c_void,
    /// Metatable of errors thrown by another language.
    pub(crate) error: *const c_void,
    pub(crate) error_key: c_int,
}

impl Marks {
    /// Marks that no table has.
    const NONE: Self = Self {
        array: ptr::null(),
        array_key: ffi::LUA_REFNIL,
        object: ptr::null(),
        context: ptr::null(),
        context_key: ffi::LUA_REFNIL,
        filled: ptr::null(),
        filled_key: ffi::LUA_REFNIL,
        headers: ptr::null(),
        headers_key: ffi::LUA_REFNIL,
        state: ptr::null(),
        state_key: ffi::LUA_REFNIL,
        response: ptr::null(),
        error: ptr::null(),
        error_key: ffi::LUA_REFNIL,
    };
}

/// The knowledge that conversions have of one state: how its tables are marked, and the keys that were seen in it.
pub(crate) struct Forms {
    marks: Cell<Marks>,
    pub(super) keys: Keys,
}

impl Default for Forms {
    fn default() -> Self {
        Self { marks: Cell::new(Marks::NONE), keys: Keys::default() }
    }
}

impl Forms {
    /// Sets up what is kept inside Lua.
    pub(crate) fn prepare(&self, lua: &Lua, marks: Marks) -> mlua::Result<()> {
        self.marks.set(marks);
        self.keys.prepare(lua)
    }

    pub(crate) fn marks(&self) -> Marks {
        self.marks.get()
    }

    /// Pushes the table of known keys, for [`Forms::push_key`].
    ///
    /// # Safety
    /// `state` has room for a value and belongs to these forms.
    pub(crate) unsafe fn push_keys(&self, state: *mut lua_State) {
        // SAFETY: as the caller vouches.
        unsafe { self.keys.push_table(state) };
    }

    /// Pushes a string that is the key of many tables.
    ///
    /// # Safety
    /// `state` runs in protected mode with room for two values and has the table of known keys at `keys`.
    pub(crate) unsafe fn push_key(&self, state: *mut lua_State, keys: c_int, key: &[u8]) {
        // SAFETY: as the caller vouches.
        unsafe { self.keys.push(state, keys, key) };
    }
}
