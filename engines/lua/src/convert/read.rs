//! The conversion of JSON text to Lua values: a pull parser whose events become pushes on Lua's stack.

use super::{
    forms::{Forms, MAX_DEPTH},
    keys::Keys,
    write::End,
};
use crate::limits::{self, NO_MEMORY};
use mlua::ffi::{self, lua_State};
use std::ffi::c_int;
use trine_engine::Error;
use trine_json::{Number, Peek, Place, Reader, Refused, describe};

/// A text that is about to be read. What reading it needs has a destructor, so it lives here, outside frames that a Lua
/// error may skip.
pub(crate) struct Parser<'j> {
    text: &'j [u8],
    reader: Option<Reader<'j>>,
}

impl<'j> Parser<'j> {
    pub(crate) fn new(text: &'j [u8]) -> Self {
        Self { text, reader: None }
    }
}

/// The reason why a text has no Lua value.
pub(crate) enum ReadFault {
    /// Text that is not JSON.
    Refused,
    /// Text that is nested too deeply.
    Deep,
    /// Lack of room for the parser's values.
    Memory,
    /// The end of the call, or the warning of its deadline.
    Stopped,
}

impl From<Refused> for ReadFault {
    fn from(_: Refused) -> Self {
        Self::Refused
    }
}

impl ReadFault {
    /// Returns what has ended reading, unless it was the text.
    pub(crate) fn end(&self) -> Option<End> {
        match self {
            Self::Memory => Some(End::Memory),
            Self::Stopped => Some(End::Stopped),
            Self::Refused | Self::Deep => None,
        }
    }

    /// Says what is wrong, and where.
    pub(crate) fn text(&self, parser: &Parser<'_>) -> String {
        match self {
            Self::Refused => describe(parser.text),
            Self::Deep => {
                let at = parser.reader.as_ref().map_or(0, Reader::position);
                let place = Place::of(parser.text, at);
                format!("nested deeper than {MAX_DEPTH} levels at {place}")
            }
            Self::Memory => NO_MEMORY.to_string_lossy().into_owned(),
            Self::Stopped => Error::STOPPED.to_owned(),
        }
    }
}

/// Number of items or members collected on the stack before their table is made, so that most tables are made in
/// their final size: growing them is the largest cost here.
const BATCH: c_int = 32;

/// Number of values after which the reader checks whether it has to stop.
const VALUES: u32 = 4096;

/// Pushes the value of the parser's text, which must be one JSON value and nothing else.
///
/// Integers beyond 64 bits and numbers beyond a double's precision become the nearest double.
///
/// # Safety
/// `state` runs in protected mode with room for three values, and belongs to the state of `forms`. Memory errors skip
/// the caller's frames.
pub(crate) unsafe fn read(
    state: *mut lua_State,
    parser: &mut Parser<'_>,
    forms: &Forms,
) -> Result<(), ReadFault> {
    let keys = &forms.keys;
    let array = forms.marks().array_key;
    // SAFETY: as the caller vouches. What has a destructor is in the parser, which is not in this frame.
    unsafe {
        keys.push_table(state);
        let base = ffi::lua_gettop(state);
        let reader = parser.reader.insert(Reader::new(parser.text, keys.take_room())?);
        Builder::new(state, reader, keys, array).whole()?;
        keys.give_room(parser.reader.take().map(Reader::into_room).unwrap_or_default());
        ffi::lua_replace(state, base);
    }
    Ok(())
}

struct Builder<'p, 'j> {
    state: *mut lua_State,
    reader: &'p mut Reader<'j>,
    keys: &'p Keys,
    /// Stack index of the table of known keys.
    known: c_int,
    array: c_int,
    depth: usize,
    values: u32,
}

impl<'p, 'j> Builder<'p, 'j> {
    /// # Safety
    /// The table of `keys` is on top of the stack.
    unsafe fn new(
        state: *mut lua_State,
        reader: &'p mut Reader<'j>,
        keys: &'p Keys,
        array: c_int,
    ) -> Self {
        // SAFETY: `state` is live.
        let known = unsafe { ffi::lua_gettop(state) };
        Self { state, reader, keys, known, array, depth: 0, values: 0 }
    }

    unsafe fn whole(&mut self) -> Result<(), ReadFault> {
        let peek = self.reader.peek()?;
        // SAFETY: as for `read`.
        unsafe { self.value(peek)? };
        Ok(self.reader.finish()?)
    }

    unsafe fn value(&mut self, peek: Peek) -> Result<(), ReadFault> {
        self.values += 1;
        if self.values == VALUES {
            self.values = 0;
            if limits::alarmed() {
                return Err(ReadFault::Stopped);
            }
        }
        // SAFETY: there is room for one value: `enter` has made it, or the caller of `read`.
        unsafe {
            match peek {
                Peek::String => {
                    let text = self.reader.string()?.text;
                    ffi::lua_pushlstring(self.state, text.as_ptr().cast(), text.len());
                }
                Peek::Object => self.object()?,
                Peek::Array => self.array()?,
                Peek::True => ffi::lua_pushboolean(self.state, 1),
                Peek::False => ffi::lua_pushboolean(self.state, 0),
                Peek::Null => ffi::lua_pushlightuserdata(self.state, std::ptr::null_mut()),
                Peek::Number => match self.reader.number()? {
                    Number::Integer(value) => ffi::lua_pushinteger(self.state, value),
                    Number::Float(value) => ffi::lua_pushnumber(self.state, value),
                    Number::Long(text) => match text.parse() {
                        Ok(value) => ffi::lua_pushinteger(self.state, value),
                        // What the parser accepts always parses.
                        Err(_) => {
                            ffi::lua_pushnumber(self.state, text.parse().unwrap_or(f64::NAN));
                        }
                    },
                },
            }
        }
        Ok(())
    }

    /// Makes room for one level and returns the slot of its table, still empty.
    unsafe fn enter(&mut self) -> Result<c_int, ReadFault> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(ReadFault::Deep);
        }
        // SAFETY: `state` is live; a failing `lua_checkstack` returns 0.
        unsafe {
            if ffi::lua_checkstack(self.state, 2 * BATCH + 8) == 0 {
                return Err(ReadFault::Memory);
            }
            ffi::lua_pushnil(self.state);
            Ok(ffi::lua_gettop(self.state))
        }
    }

    unsafe fn array(&mut self) -> Result<(), ReadFault> {
        let state = self.state;
        // SAFETY: `enter` makes room for a batch, the table and what building it takes.
        unsafe {
            let table = self.enter()?;
            let mut next = self.reader.array()?;
            let mut count = 0;
            while let Some(peek) = next {
                self.value(peek)?;
                count += 1;
                if count == BATCH {
                    array_of_batch(state, table, count);
                } else if count > BATCH {
                    ffi::lua_rawseti(state, table, count.into());
                }
                next = self.reader.next_item()?;
            }
            if count < BATCH {
                array_of_batch(state, table, count);
            }
            ffi::lua_rawgeti(state, ffi::LUA_REGISTRYINDEX, self.array.into());
            ffi::lua_setmetatable(state, table);
        }
        self.depth -= 1;
        Ok(())
    }

    unsafe fn object(&mut self) -> Result<(), ReadFault> {
        let (state, keys, known) = (self.state, self.keys, self.known);
        // The slots of the object's keys, and whether two share one.
        let (mut slots, mut twice) = ([0_u64; 4], false);
        // SAFETY: as for `array`, with two values a member.
        unsafe {
            let table = self.enter()?;
            let mut count = 0;
            let mut key = self.reader.object()?;
            while let Some(name) = key {
                let slot = keys.push(state, known, name.as_bytes());
                let (word, bit) = (&mut slots[usize::from(slot >> 6)], 1 << (slot & 63));
                twice |= *word & bit != 0;
                *word |= bit;
                let peek = self.reader.peek()?;
                self.value(peek)?;
                count += 1;
                if count == BATCH {
                    object_of_batch(state, table, count, twice);
                } else if count > BATCH {
                    ffi::lua_rawset(state, table);
                }
                key = self.reader.next_key()?;
            }
            if count < BATCH {
                object_of_batch(state, table, count, twice);
            }
        }
        self.depth -= 1;
        Ok(())
    }
}

/// Makes a table of the topmost `count` values and puts it into its slot.
unsafe fn array_of_batch(state: *mut lua_State, table: c_int, count: c_int) {
    // SAFETY: `array` has pushed these values above the slot.
    unsafe {
        ffi::lua_createtable(state, count, 0);
        ffi::lua_replace(state, table);
        for index in (1..=count).rev() {
            ffi::lua_rawseti(state, table, index.into());
        }
    }
}

/// Makes a table of the topmost `count` pairs and puts it into its slot. Of equal keys the last one wins: if there may
/// be any, pairs are set in their order, otherwise from the top of the stack, which takes no copies.
unsafe fn object_of_batch(state: *mut lua_State, table: c_int, count: c_int, equal: bool) {
    // SAFETY: `object` has pushed these pairs above the slot; `enter` has made room for three more values.
    unsafe {
        ffi::lua_createtable(state, 0, count);
        ffi::lua_replace(state, table);
        if !equal {
            for _ in 0..count {
                ffi::lua_rawset(state, table);
            }
            return;
        }
        for pair in 0..count {
            ffi::lua_pushvalue(state, table + 1 + 2 * pair);
            ffi::lua_pushvalue(state, table + 2 + 2 * pair);
            ffi::lua_rawset(state, table);
        }
        ffi::lua_settop(state, table);
    }
}
