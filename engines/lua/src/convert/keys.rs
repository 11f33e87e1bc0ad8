//! A cache of keys of objects. Events look alike, and a Lua string that is used again is neither hashed nor looked
//! up.

use mlua::{
    Lua,
    ffi::{self, lua_State},
};
use std::{
    cell::Cell,
    ffi::{c_char, c_int},
};

/// Number of slots of the cache, as many as a byte has values.
const SLOTS: usize = 256;
/// Maximum length, in bytes, of a key that is kept.
const LONGEST: usize = 32;

/// The length of a key, and words that together cover all of its bytes; the two at its ends come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Key {
    length: usize,
    ends: [u64; 2],
    middle: [u64; 2],
}

impl Key {
    /// A key that matches none: no key is this long.
    const NONE: Self = Self { length: usize::MAX, ends: [0; 2], middle: [0; 2] };

    #[inline]
    fn new(bytes: &[u8]) -> Self {
        let length = bytes.len();
        let mut key = Self { length, ends: [0; 2], middle: [0; 2] };
        if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
            key.ends = [u64::from_le_bytes(*first), u64::from_le_bytes(*last)];
            if length > 16
                && let (Some(first), Some(last)) =
                    (bytes[8..].first_chunk(), bytes[..length - 8].last_chunk())
            {
                key.middle = [u64::from_le_bytes(*first), u64::from_le_bytes(*last)];
            }
        } else if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
            key.ends = [u32::from_le_bytes(*first).into(), u32::from_le_bytes(*last).into()];
        } else if let [first, .., last] = bytes {
            key.ends = [u64::from(*first) | u64::from(bytes[1]) << 8, u64::from(*last)];
        } else if let [byte] = bytes {
            key.ends[0] = u64::from(*byte);
        }
        key
    }

    #[inline]
    fn slot(&self) -> u8 {
        let ends = self.ends[0] ^ self.ends[1].rotate_left(29) ^ self.length as u64;
        (ends.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8
    }
}

/// The keys that one state has seen: their bytes here, their strings in a table of the state.
pub(crate) struct Keys {
    slots: Box<[Cell<Key>; SLOTS]>,
    /// Key of the table in the registry.
    table: Cell<c_int>,
    /// Room for strings with escapes, kept from one text to the next.
    room: Cell<String>,
}

impl Default for Keys {
    fn default() -> Self {
        Self {
            slots: Box::new([const { Cell::new(Key::NONE) }; SLOTS]),
            table: Cell::new(ffi::LUA_REFNIL),
            room: Cell::default(),
        }
    }
}

impl Keys {
    /// Makes the table.
    pub(crate) fn prepare(&self, lua: &Lua) -> mlua::Result<()> {
        // SAFETY: `exec_raw` runs this in protected mode with room for a value; `luaL_ref` takes it.
        unsafe {
            lua.exec_raw::<()>((), |state| {
                ffi::lua_createtable(state, SLOTS as c_int, 0);
                self.table.set(ffi::luaL_ref(state, ffi::LUA_REGISTRYINDEX));
            })
        }
    }

    pub(super) fn take_room(&self) -> String {
        self.room.take()
    }

    pub(super) fn give_room(&self, room: String) {
        // The room that a giant string took is not kept.
        if room.capacity() <= 1 << 16 {
            self.room.set(room);
        }
    }

    /// Pushes the table, for [`Keys::push`].
    ///
    /// # Safety
    /// `state` has room for a value.
    pub(super) unsafe fn push_table(&self, state: *mut lua_State) {
        // SAFETY: as the caller vouches.
        unsafe { ffi::lua_rawgeti(state, ffi::LUA_REGISTRYINDEX, self.table.get().into()) };
    }

    /// Pushes a key and returns its slot, which other keys may share.
    ///
    /// # Safety
    /// `state` runs in protected mode with room for two values and has this state's table at `table`.
    #[inline]
    pub(super) unsafe fn push(&self, state: *mut lua_State, table: c_int, bytes: &[u8]) -> u8 {
        let key = Key::new(bytes);
        let slot = key.slot();
        // SAFETY: as the caller vouches.
        unsafe {
            if self.slots[usize::from(slot)].get() == key {
                ffi::lua_rawgeti(state, table, ffi::lua_Integer::from(slot) + 1);
            } else {
                self.push_new(state, table, bytes, key, slot);
            }
        }
        slot
    }

    #[inline(never)]
    unsafe fn push_new(
        &self,
        state: *mut lua_State,
        table: c_int,
        bytes: &[u8],
        key: Key,
        slot: u8,
    ) {
        // SAFETY: as for `push`. Until the string is in the table, the slot has no key.
        unsafe {
            ffi::lua_pushlstring(state, bytes.as_ptr().cast::<c_char>(), bytes.len());
            if bytes.len() <= LONGEST {
                self.slots[usize::from(slot)].set(Key::NONE);
                ffi::lua_pushvalue(state, -1);
                ffi::lua_rawseti(state, table, ffi::lua_Integer::from(slot) + 1);
                self.slots[usize::from(slot)].set(key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Key, LONGEST};

    #[test]
    fn a_key_differs_at_every_byte() {
        for length in 1..=LONGEST {
            let bytes: Vec<u8> = (0..length as u8).collect();
            let key = Key::new(&bytes);
            assert_eq!(key, Key::new(&bytes.clone()));
            for place in 0..length {
                let mut other = bytes.clone();
                other[place] ^= 0x55;
                assert_ne!(key, Key::new(&other), "byte {place} of {length}");
            }
            let longer = [&bytes[..], b"\0"].concat();
            assert_ne!(key, Key::new(&longer));
        }
    }
}
