//! JSON text to Lua values: a pull parser whose events become pushes on Lua's stack.

use super::{
    forms::{Forms, MAX_DEPTH},
    keys::Keys,
    source::{Careful, Source},
    write::End,
};
use crate::limits::{self, NO_MEMORY};
use jiter::JiterError;
use mlua::ffi::{self, lua_State};
use std::ffi::c_int;
use trine_engine::{JsonNumber, JsonPeek, JsonReader};

/// Reads JSON text: quickly, and again with care when there is something odd.
pub(crate) struct Parser<'j> {
    text: &'j [u8],
    quick: Option<JsonReader<'j>>,
    careful: Option<Careful<'j>>,
}

impl<'j> Parser<'j> {
    pub(crate) fn new(text: &'j [u8]) -> Self {
        Self { text, quick: None, careful: None }
    }
}

/// Why a text has no Lua value.
pub(crate) enum ReadFault {
    Json(JiterError),
    Deep,
    /// There is no room for the parser's values.
    Memory,
    /// The call has to end, or is warned of its deadline.
    Stopped,
}

impl ReadFault {
    /// What has ended reading, if it was not the text.
    pub(crate) fn end(&self) -> Option<End> {
        match self {
            Self::Memory => Some(End::Memory),
            Self::Stopped => Some(End::Stopped),
            Self::Json(_) | Self::Deep => None,
        }
    }

    /// What is wrong, and where.
    pub(crate) fn text(&self, parser: &Parser<'_>) -> String {
        match (self, &parser.careful) {
            (Self::Json(error), Some(careful)) => careful.description(error),
            (Self::Deep, Some(careful)) => {
                format!("nested deeper than {MAX_DEPTH} levels at {}", careful.position())
            }
            (Self::Json(error), None) => error.to_string(),
            (Self::Deep, None) => format!("nested deeper than {MAX_DEPTH} levels"),
            (Self::Memory, _) => NO_MEMORY.to_string_lossy().into_owned(),
            (Self::Stopped, _) => limits::STOPPED.to_owned(),
        }
    }
}

/// This many items or members are collected on the stack before their table is made, so that most tables are made in
/// their final size: growing one is what costs most here.
const BATCH: c_int = 32;

/// After so many values the reader asks whether it has to stop.
const VALUES: u32 = 4096;

/// Pushes the value of the parser's text, which must be one JSON value and nothing else.
///
/// Integers beyond 64 bits and numbers beyond a double's precision become the nearest double.
///
/// # Safety
/// `state` runs in protected mode with room for three values, and belongs to the state of `forms`. Memory
/// errors skip the caller's
/// frames.
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
        parser.quick = JsonReader::new(parser.text, keys.take_room()).ok();
        if let Some(source) = &mut parser.quick {
            let done = Reader::new(state, source, keys, array).whole();
            match done {
                Ok(()) => {
                    keys.give_room(
                        parser.quick.take().map(JsonReader::into_room).unwrap_or_default(),
                    );
                    ffi::lua_replace(state, base);
                    return Ok(());
                }
                Err(Fault::Memory) => return Err(ReadFault::Memory),
                Err(Fault::Stopped) => return Err(ReadFault::Stopped),
                Err(Fault::Json(_) | Fault::Deep) => ffi::lua_settop(state, base),
            }
        }
        let source = parser.careful.insert(Careful::new(parser.text));
        match Reader::new(state, source, keys, array).whole() {
            Ok(()) => ffi::lua_replace(state, base),
            Err(Fault::Json(error)) => return Err(ReadFault::Json(error)),
            Err(Fault::Deep) => return Err(ReadFault::Deep),
            Err(Fault::Memory) => return Err(ReadFault::Memory),
            Err(Fault::Stopped) => return Err(ReadFault::Stopped),
        }
    }
    Ok(())
}

/// [`ReadFault`], of either parser.
enum Fault<E> {
    Json(E),
    Deep,
    Memory,
    Stopped,
}

impl<E> From<E> for Fault<E> {
    fn from(error: E) -> Self {
        Self::Json(error)
    }
}

struct Reader<'p, S> {
    state: *mut lua_State,
    source: &'p mut S,
    keys: &'p Keys,
    /// Where the table of known keys is.
    known: c_int,
    array: c_int,
    depth: usize,
    values: u32,
}

impl<'p, S: Source> Reader<'p, S> {
    /// # Safety
    /// The table of `keys` is on top of the stack.
    unsafe fn new(state: *mut lua_State, source: &'p mut S, keys: &'p Keys, array: c_int) -> Self {
        // SAFETY: `state` is live.
        let known = unsafe { ffi::lua_gettop(state) };
        Self { state, source, keys, known, array, depth: 0, values: 0 }
    }

    unsafe fn whole(&mut self) -> Result<(), Fault<S::Error>> {
        let peek = self.source.peek()?;
        // SAFETY: as for `read`.
        unsafe { self.value(peek)? };
        Ok(self.source.finish()?)
    }

    unsafe fn value(&mut self, peek: JsonPeek) -> Result<(), Fault<S::Error>> {
        self.values += 1;
        if self.values == VALUES {
            self.values = 0;
            if limits::alarmed() {
                return Err(Fault::Stopped);
            }
        }
        // SAFETY: there is room for one value: `enter` has made it, or the caller of `read`.
        unsafe {
            match peek {
                JsonPeek::String => {
                    let text = self.source.string()?;
                    ffi::lua_pushlstring(self.state, text.as_ptr().cast(), text.len());
                }
                JsonPeek::Object => self.object()?,
                JsonPeek::Array => self.array()?,
                JsonPeek::True => ffi::lua_pushboolean(self.state, 1),
                JsonPeek::False => ffi::lua_pushboolean(self.state, 0),
                JsonPeek::Null => ffi::lua_pushlightuserdata(self.state, std::ptr::null_mut()),
                JsonPeek::Number => match self.source.number()? {
                    JsonNumber::Integer(value) => ffi::lua_pushinteger(self.state, value),
                    JsonNumber::Float(value) => ffi::lua_pushnumber(self.state, value),
                    JsonNumber::Long(text) => match text.parse() {
                        Ok(value) => ffi::lua_pushinteger(self.state, value),
                        // What the parser lets through always parses.
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
    unsafe fn enter(&mut self) -> Result<c_int, Fault<S::Error>> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Fault::Deep);
        }
        // SAFETY: `state` is live; a failing `lua_checkstack` returns 0.
        unsafe {
            if ffi::lua_checkstack(self.state, 2 * BATCH + 8) == 0 {
                return Err(Fault::Memory);
            }
            ffi::lua_pushnil(self.state);
            Ok(ffi::lua_gettop(self.state))
        }
    }

    unsafe fn array(&mut self) -> Result<(), Fault<S::Error>> {
        let state = self.state;
        // SAFETY: `enter` makes room for a batch, the table and what building it takes.
        unsafe {
            let table = self.enter()?;
            let mut next = self.source.array()?;
            let mut count = 0;
            while let Some(peek) = next {
                self.value(peek)?;
                count += 1;
                if count == BATCH {
                    array_of_batch(state, table, count);
                } else if count > BATCH {
                    ffi::lua_rawseti(state, table, count.into());
                }
                next = self.source.next_item()?;
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

    unsafe fn object(&mut self) -> Result<(), Fault<S::Error>> {
        let (state, keys, known) = (self.state, self.keys, self.known);
        // The slots that the object's keys have, and whether two have the same.
        let (mut slots, mut twice) = ([0_u64; 4], false);
        // SAFETY: as for `array`, with two values a member.
        unsafe {
            let table = self.enter()?;
            let mut count = 0;
            let mut key = self.source.object()?;
            while let Some(name) = key {
                let slot = keys.push(state, known, name.as_bytes());
                let (word, bit) = (&mut slots[usize::from(slot >> 6)], 1 << (slot & 63));
                twice |= *word & bit != 0;
                *word |= bit;
                let peek = self.source.peek()?;
                self.value(peek)?;
                count += 1;
                if count == BATCH {
                    object_of_batch(state, table, count, twice);
                } else if count > BATCH {
                    ffi::lua_rawset(state, table);
                }
                key = self.source.next_key()?;
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

/// Makes a table of the topmost `count` pairs and puts it into its slot. Of equal keys the last one holds: if there may
/// be such, pairs are set in their order, else from the top of the stack, which takes no copies.
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
