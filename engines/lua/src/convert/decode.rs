//! JSON text to Lua values: a pull parser whose events become pushes on Lua's stack.

use super::{End, MAX_DEPTH, NO_MEMORY};
use crate::{host::Host, limits};
use jiter::{Jiter, JiterError, Peek};
use mlua::ffi::{self, lua_State};
use std::ffi::c_int;

/// Reads JSON text.
pub(crate) type Parser<'j> = Jiter<'j>;

/// Why a text has no Lua value.
pub(crate) enum DecodeFault {
    Json(JiterError),
    Deep,
    /// There is no room for the parser's values.
    Memory,
    /// The call has to end, or is warned of its deadline.
    Stopped,
}

impl DecodeFault {
    /// What has ended decoding, if it was not the text.
    pub(crate) fn end(&self) -> Option<End> {
        match self {
            Self::Memory => Some(End::Memory),
            Self::Stopped => Some(End::Stopped),
            Self::Json(_) | Self::Deep => None,
        }
    }

    /// What is wrong, and where.
    pub(crate) fn text(&self, parser: &Parser<'_>) -> String {
        match self {
            Self::Json(error) => error.description(parser),
            Self::Deep => {
                format!("nested deeper than {MAX_DEPTH} levels at {}", parser.current_position())
            }
            Self::Memory => NO_MEMORY.to_string_lossy().into_owned(),
            Self::Stopped => limits::STOPPED.to_owned(),
        }
    }
}

impl From<JiterError> for DecodeFault {
    fn from(error: JiterError) -> Self {
        Self::Json(error)
    }
}

/// This many items or members are collected on the stack before their table is made, so that most tables are made in
/// their final size: growing one is what costs most here.
const BATCH: c_int = 32;

/// After so many values the decoder asks whether it has to stop.
const VALUES: u32 = 4096;

/// Pushes the value of the parser's text, which must be one JSON value and nothing else.
///
/// Integers beyond 64 bits and numbers beyond a double's precision become the nearest double.
///
/// # Safety
/// `state` runs in protected mode with room for three values, and belongs to `host`. Memory errors skip the caller's
/// frames.
pub(crate) unsafe fn decode(
    state: *mut lua_State,
    parser: &mut Parser<'_>,
    host: &Host,
) -> Result<(), DecodeFault> {
    let peek = parser.peek()?;
    let array = host.marks().array_key;
    // SAFETY: as the caller vouches.
    unsafe { Decoder { state, parser, array, depth: 0, values: 0 }.value(peek)? };
    Ok(parser.finish()?)
}

struct Decoder<'p, 'j> {
    state: *mut lua_State,
    parser: &'p mut Parser<'j>,
    array: c_int,
    depth: usize,
    values: u32,
}

impl Decoder<'_, '_> {
    unsafe fn value(&mut self, peek: Peek) -> Result<(), DecodeFault> {
        self.values += 1;
        if self.values == VALUES {
            self.values = 0;
            if limits::alarmed() {
                return Err(DecodeFault::Stopped);
            }
        }
        // SAFETY: there is room for one value: `enter` has made it, or the caller of `decode`.
        unsafe {
            match peek {
                Peek::String => {
                    let text = self.parser.known_str()?;
                    ffi::lua_pushlstring(self.state, text.as_ptr().cast(), text.len());
                }
                Peek::Object => self.object()?,
                Peek::Array => self.array()?,
                Peek::True | Peek::False => {
                    let truth = self.parser.known_bool(peek)?;
                    ffi::lua_pushboolean(self.state, c_int::from(truth));
                }
                Peek::Null => {
                    self.parser.known_null()?;
                    ffi::lua_pushlightuserdata(self.state, std::ptr::null_mut());
                }
                _ if peek.is_num() => {
                    let text = self.parser.known_number_bytes(peek)?;
                    match number(text) {
                        Number::Integer(value) => ffi::lua_pushinteger(self.state, value),
                        Number::Float(value) => ffi::lua_pushnumber(self.state, value),
                    }
                }
                // Nothing begins like this: skipping it gives the right error.
                _ => self.parser.known_skip(peek)?,
            }
        }
        Ok(())
    }

    /// Makes room for one level and returns the slot of its table, still empty.
    unsafe fn enter(&mut self) -> Result<c_int, DecodeFault> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(DecodeFault::Deep);
        }
        // SAFETY: `state` is live; a failing `lua_checkstack` returns 0.
        unsafe {
            if ffi::lua_checkstack(self.state, 2 * BATCH + 8) == 0 {
                return Err(DecodeFault::Memory);
            }
            ffi::lua_pushnil(self.state);
            Ok(ffi::lua_gettop(self.state))
        }
    }

    unsafe fn array(&mut self) -> Result<(), DecodeFault> {
        let state = self.state;
        // SAFETY: `enter` makes room for a batch, the table and what building it takes.
        unsafe {
            let table = self.enter()?;
            let mut next = self.parser.known_array()?;
            let mut count = 0;
            while let Some(peek) = next {
                self.value(peek)?;
                count += 1;
                if count == BATCH {
                    Self::array_of_batch(state, table, count);
                } else if count > BATCH {
                    ffi::lua_rawseti(state, table, count.into());
                }
                next = self.parser.array_step()?;
            }
            if count < BATCH {
                Self::array_of_batch(state, table, count);
            }
            ffi::lua_rawgeti(state, ffi::LUA_REGISTRYINDEX, self.array.into());
            ffi::lua_setmetatable(state, table);
        }
        self.depth -= 1;
        Ok(())
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

    unsafe fn object(&mut self) -> Result<(), DecodeFault> {
        let state = self.state;
        // SAFETY: as for `array`, with two values a member.
        unsafe {
            let table = self.enter()?;
            let mut count = 0;
            let mut key = self.parser.known_object()?;
            while let Some(name) = key {
                ffi::lua_pushlstring(state, name.as_ptr().cast(), name.len());
                let peek = self.parser.peek()?;
                self.value(peek)?;
                count += 1;
                if count == BATCH {
                    Self::object_of_batch(state, table, count);
                } else if count > BATCH {
                    ffi::lua_rawset(state, table);
                }
                key = self.parser.next_key()?;
            }
            if count < BATCH {
                Self::object_of_batch(state, table, count);
            }
        }
        self.depth -= 1;
        Ok(())
    }

    /// Makes a table of the topmost `count` pairs and puts it into its slot. Of equal keys the last one holds.
    unsafe fn object_of_batch(state: *mut lua_State, table: c_int, count: c_int) {
        // SAFETY: `object` has pushed these pairs above the slot; `enter` has made room for three more values.
        unsafe {
            ffi::lua_createtable(state, 0, count);
            ffi::lua_replace(state, table);
            for pair in 0..count {
                ffi::lua_pushvalue(state, table + 1 + 2 * pair);
                ffi::lua_pushvalue(state, table + 2 + 2 * pair);
                ffi::lua_rawset(state, table);
            }
            ffi::lua_settop(state, table);
        }
    }
}

enum Number {
    Integer(i64),
    Float(f64),
}

/// The value of a number that the parser has checked.
fn number(text: &[u8]) -> Number {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    // Eighteen digits always fit, and most numbers are short.
    if digits.len() <= 18 && digits.iter().all(u8::is_ascii_digit) {
        let value = digits.iter().fold(0, |value, digit| value * 10 + i64::from(digit - b'0'));
        return Number::Integer(if negative { -value } else { value });
    }
    let text = std::str::from_utf8(text).unwrap_or_default();
    match text.parse() {
        Ok(value) => Number::Integer(value),
        // What the parser lets through always parses.
        Err(_) => Number::Float(text.parse().unwrap_or(f64::NAN)),
    }
}
