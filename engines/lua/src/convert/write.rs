//! The conversion of Lua values to JSON text: one pass over each table, straight into a byte buffer.

use super::{
    forms::{Forms, MAX_DEPTH},
    strings::write_string,
};
use crate::limits::{self, Watch};
use mlua::ffi::{self, lua_State};
use std::{
    ffi::{CStr, c_int, c_void},
    fmt::Write,
    mem::ManuallyDrop,
};
use trine_engine::{Error, ErrorKind};

/// The reason why a value has no JSON form, and the place in it.
#[derive(Debug)]
pub(crate) struct Fault {
    reason: String,
    /// Path to the place, innermost step first.
    path: Vec<Step>,
    end: Option<End>,
}

/// The reason to end writing, whatever the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// A text larger than the heap may be. A table that holds another one twice, and so on, is small but its text is
    /// unbounded.
    Memory,
    /// The end of the call, or the warning of its deadline.
    Stopped,
}

impl End {
    /// Makes the error of a value that could not be made.
    pub(crate) fn into_error(self) -> Error {
        match self {
            Self::Memory => limits::out_of_memory(),
            Self::Stopped => Error::stopped(),
        }
    }
}

/// The parts of a value that may be left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Strictness {
    /// Metatables: only the members count.
    Ordinary,
    /// Nothing: an object of a class has no JSON form.
    Plain,
}

#[derive(Debug)]
enum Step {
    Index(i64),
    Key(String),
}

/// Number of steps of a path that are shown at either end.
const PATH_ENDS: usize = 6;

impl Fault {
    fn new(reason: impl Into<String>) -> Box<Self> {
        Box::new(Self { reason: reason.into(), path: Vec::new(), end: None })
    }

    fn ended(end: End) -> Box<Self> {
        let reason = match end {
            End::Memory => "and its text do not fit into the memory limit",
            End::Stopped => Error::STOPPED,
        };
        Box::new(Self { end: Some(end), ..*Self::new(reason) })
    }

    /// Returns what has ended writing, unless it was the value.
    pub(crate) fn end(&self) -> Option<End> {
        self.end
    }

    /// Makes the error of a value that messages call `root`.
    pub(crate) fn into_error(self, root: &str) -> Error {
        match self.end {
            None => Error::new(ErrorKind::Marshal, self.at(root)),
            Some(end @ End::Memory) => {
                let message = format!("not enough memory: {root} {}", self.reason);
                end.into_error().with_message(message)
            }
            Some(end) => end.into_error(),
        }
    }

    fn within(mut self: Box<Self>, step: Step) -> Box<Self> {
        self.path.push(step);
        self
    }

    /// Returns the whole sentence, in which the value is called `root`: `result.items[3] is a function, …`.
    pub(crate) fn at(&self, root: &str) -> String {
        let mut text = root.to_owned();
        let length = self.path.len();
        for (depth, step) in self.path.iter().rev().enumerate() {
            if length > 2 * PATH_ENDS && depth >= PATH_ENDS && depth < length - PATH_ENDS {
                if depth == PATH_ENDS {
                    text.push_str(" … ");
                }
                continue;
            }
            // Writing to a string cannot fail.
            let _ = match step {
                Step::Index(index) => write!(text, "[{index}]"),
                Step::Key(key) if is_name(key) => write!(text, ".{key}"),
                Step::Key(key) => write!(text, "[{key:?}]"),
            };
        }
        text.push(' ');
        text.push_str(&self.reason);
        text
    }
}

fn is_name(key: &str) -> bool {
    !key.is_empty()
        && !key.starts_with(|c: char| c.is_ascii_digit())
        && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// The state that tables belong to, as far as writing them needs to know it.
pub(crate) trait StateView {
    fn forms(&self) -> &Forms;

    fn watch(&self) -> &Watch;

    /// Fills in the context at `table`, whose mark says that it is unfilled.
    ///
    /// # Safety
    /// As for [`write`]; `table` is absolute.
    unsafe fn fill_context(&self, state: *mut lua_State, table: c_int);

    /// Pushes a plain table with the members of the `context.state` at `table`.
    ///
    /// # Safety
    /// As for [`StateView::fill_context`], with room for six values.
    unsafe fn push_members(&self, state: *mut lua_State, table: c_int);
}

type Written = Result<(), Box<Fault>>;

/// Writes the value at `index` to `out`.
///
/// # Safety
/// `state` runs in protected mode and belongs to `view`; there is a value at `index`.
pub(crate) unsafe fn write(
    state: *mut lua_State,
    index: c_int,
    view: &dyn StateView,
    strictness: Strictness,
    out: &mut Vec<u8>,
) -> Written {
    // SAFETY: as the caller vouches.
    unsafe {
        let index = ffi::lua_absindex(state, index);
        let top = ffi::lua_gettop(state);
        // Filling a context may raise, so this destructor is not left to the frame.
        let mut ancestors = ManuallyDrop::new(Vec::new());
        let mut writer = Writer {
            state,
            view,
            forms: view.forms(),
            out,
            ancestors: &mut ancestors,
            strictness,
            epoch: view.watch().stop().epoch(),
            longest: view.watch().memory().min(LONGEST),
            values: 0,
        };
        let written = writer.value(index);
        ManuallyDrop::drop(&mut ancestors);
        ffi::lua_settop(state, top);
        written
    }
}

/// Maximum size of a text, in bytes, whatever the memory limit.
const LONGEST: usize = 1 << 30;
/// Number of values after which the writer checks whether it has to stop.
const VALUES: u32 = 4096;

struct Writer<'a> {
    state: *mut lua_State,
    view: &'a dyn StateView,
    forms: &'a Forms,
    out: &'a mut Vec<u8>,
    /// The tables around the current value.
    ancestors: &'a mut Vec<*const c_void>,
    strictness: Strictness,
    /// Number of interrupts at the beginning, for a value that is written while no call runs.
    epoch: u64,
    longest: usize,
    values: u32,
}

/// The form in which a table is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Array,
    Object,
    /// The form that its keys decide.
    Open,
    /// `context.state`, whose members are elsewhere.
    Vm,
}

impl Writer<'_> {
    unsafe fn value(&mut self, index: c_int) -> Written {
        let state = self.state;
        self.values += 1;
        if self.values == VALUES || self.out.len() > self.longest {
            self.check()?;
        }
        // SAFETY: `index` is absolute and holds a value; reading one does not change its type.
        unsafe {
            match ffi::lua_type(state, index) {
                ffi::LUA_TSTRING => self.string(index),
                ffi::LUA_TNUMBER if ffi::lua_isinteger(state, index) != 0 => {
                    self.integer(ffi::lua_tointeger(state, index));
                    Ok(())
                }
                ffi::LUA_TNUMBER => self.float(ffi::lua_tonumber(state, index)),
                ffi::LUA_TTABLE => self.table(index),
                ffi::LUA_TBOOLEAN if ffi::lua_toboolean(state, index) != 0 => self.text("true"),
                ffi::LUA_TBOOLEAN => self.text("false"),
                ffi::LUA_TNIL => self.text("null"),
                ffi::LUA_TLIGHTUSERDATA if ffi::lua_touserdata(state, index).is_null() => {
                    self.text("null")
                }
                kind => {
                    let kind = self.type_name(kind);
                    Err(Fault::new(format!("is a {kind}, which has no JSON form")))
                }
            }
        }
    }

    fn text(&mut self, text: &str) -> Written {
        self.out.extend_from_slice(text.as_bytes());
        Ok(())
    }

    fn integer(&mut self, value: i64) {
        // Writing to a vector cannot fail.
        let _ = serde_json::to_writer(&mut *self.out, &value);
    }

    fn float(&mut self, value: f64) -> Written {
        if !value.is_finite() {
            return Err(Fault::new(format!("is {value}, which has no JSON form")));
        }
        let _ = serde_json::to_writer(&mut *self.out, &value);
        Ok(())
    }

    unsafe fn type_name(&self, kind: c_int) -> String {
        // SAFETY: `lua_typename` returns a constant for every type that `lua_type` does.
        unsafe { CStr::from_ptr(ffi::lua_typename(self.state, kind)) }
            .to_string_lossy()
            .into_owned()
    }

    /// Returns the bytes of the string at `index`, which must be one; they live as long as it is on the stack.
    unsafe fn bytes<'s>(&self, index: c_int) -> &'s [u8] {
        let mut length = 0;
        // SAFETY: the caller knows that it is a string, so nothing is converted.
        unsafe {
            let text = ffi::lua_tolstring(self.state, index, &raw mut length);
            std::slice::from_raw_parts(text.cast(), length)
        }
    }

    unsafe fn string(&mut self, index: c_int) -> Written {
        // SAFETY: `value` has seen that it is a string.
        let bytes = unsafe { self.bytes(index) };
        if self.out.len() + bytes.len() > self.longest {
            return Err(Fault::ended(End::Memory));
        }
        if write_string(self.out, bytes) {
            return Ok(());
        }
        Err(Fault::new("is a string that is not UTF-8, which has no JSON form"))
    }

    unsafe fn table(&mut self, table: c_int) -> Written {
        let state = self.state;
        // SAFETY: `table` is absolute and holds a table.
        unsafe {
            let address = ffi::lua_topointer(state, table);
            if self.ancestors.contains(&address) {
                return Err(Fault::new("contains itself"));
            }
            if self.ancestors.len() >= MAX_DEPTH {
                return Err(Fault::new(format!("is nested deeper than {MAX_DEPTH} levels")));
            }
            if ffi::lua_checkstack(state, 8) == 0 {
                return Err(Fault::ended(End::Memory));
            }
            let shape = self.shape(table)?;
            if shape == Shape::Vm {
                self.view.push_members(state, table);
                let members = ffi::lua_gettop(state);
                self.table(members)?;
                ffi::lua_pop(state, 1);
                return Ok(());
            }
            self.ancestors.push(address);
            let start = self.out.len();
            let written = match shape {
                Shape::Array => self.array_in_order(table, start),
                Shape::Object => self.object(table, true),
                Shape::Open | Shape::Vm => self.open(table, start),
            };
            self.ancestors.pop();
            written
        }
    }

    /// Checks for a reason to end.
    fn check(&mut self) -> Written {
        if self.out.len() > self.longest {
            return Err(Fault::ended(End::Memory));
        }
        self.values = 0;
        if limits::alarmed() || self.view.watch().stop().epoch() != self.epoch {
            return Err(Fault::ended(End::Stopped));
        }
        Ok(())
    }

    unsafe fn shape(&self, table: c_int) -> Result<Shape, Box<Fault>> {
        let (state, marks) = (self.state, self.forms.marks());
        // SAFETY: `table` holds a table, and there is room for its metatable.
        let mark = unsafe {
            if ffi::lua_getmetatable(state, table) == 0 {
                return Ok(Shape::Open);
            }
            let mark = ffi::lua_topointer(state, -1);
            ffi::lua_pop(state, 1);
            mark
        };
        if mark == marks.array {
            return Ok(Shape::Array);
        }
        if mark == marks.object {
            return Ok(Shape::Object);
        }
        if mark == marks.state {
            return Ok(Shape::Vm);
        }
        if mark == marks.context {
            // SAFETY: the table is an unfilled context.
            unsafe { self.view.fill_context(state, table) };
            return Ok(Shape::Open);
        }
        let known = [marks.filled, marks.headers, marks.error, marks.response].contains(&mark);
        if self.strictness == Strictness::Plain && !known {
            return Err(Fault::new("is a table with a metatable, which has no JSON form"));
        }
        Ok(Shape::Open)
    }

    /// Writes a table without a mark: its first key tells what it is, provided that the others agree.
    unsafe fn open(&mut self, table: c_int, start: usize) -> Written {
        let state = self.state;
        // SAFETY: `lua_next` gets the keys that it returned; key and value have room.
        unsafe {
            ffi::lua_pushnil(state);
            if ffi::lua_next(state, table) == 0 {
                return self.text("{}");
            }
            if ffi::lua_type(state, -2) == ffi::LUA_TSTRING {
                ffi::lua_pop(state, 2);
                return self.object(table, false);
            }
            self.items(table, start)
        }
    }

    /// Writes a table that is an array by its mark.
    unsafe fn array_in_order(&mut self, table: c_int, start: usize) -> Written {
        // SAFETY: as for `open`.
        unsafe {
            let top = ffi::lua_gettop(self.state);
            ffi::lua_pushnil(self.state);
            if ffi::lua_next(self.state, table) == 0 {
                return self.text("[]");
            }
            let written = self.items(table, start);
            if matches!(&written, Err(fault) if fault.end.is_none()) {
                // Keys that do not fit are reported first.
                ffi::lua_settop(self.state, top);
                self.length(table)?;
            }
            written
        }
    }

    /// Writes the items of an array while its keys come in order; the first pair is on top of the stack.
    unsafe fn items(&mut self, table: c_int, start: usize) -> Written {
        let state = self.state;
        // SAFETY: as for `open`.
        unsafe {
            let value = ffi::lua_gettop(state);
            self.out.push(b'[');
            let mut expected = 1;
            loop {
                let in_order = ffi::lua_isinteger(state, value - 1) != 0
                    && ffi::lua_tointeger(state, value - 1) == expected;
                if !in_order {
                    ffi::lua_settop(state, value - 2);
                    self.out.truncate(start);
                    return self.array(table);
                }
                if expected > 1 {
                    self.out.push(b',');
                }
                self.value(value).map_err(|fault| fault.within(Step::Index(expected)))?;
                ffi::lua_settop(state, value - 1);
                if ffi::lua_next(state, table) == 0 {
                    break;
                }
                expected += 1;
            }
        }
        self.out.push(b']');
        Ok(())
    }

    /// Writes an array whose integer keys are not stored in order. Holes become `null`.
    unsafe fn array(&mut self, table: c_int) -> Written {
        let state = self.state;
        // SAFETY: as for `open`.
        unsafe {
            let length = self.length(table)?;
            self.out.push(b'[');
            for index in 1..=length {
                if index > 1 {
                    self.out.push(b',');
                }
                ffi::lua_rawgeti(state, table, index);
                let value = ffi::lua_gettop(state);
                self.value(value).map_err(|fault| fault.within(Step::Index(index)))?;
                ffi::lua_pop(state, 1);
            }
        }
        self.out.push(b']');
        Ok(())
    }

    /// Returns the largest key of an array, if all its keys fit an array and few are missing.
    unsafe fn length(&self, table: c_int) -> Result<i64, Box<Fault>> {
        let state = self.state;
        // SAFETY: as for `open`.
        unsafe {
            let (mut length, mut count) = (0, 0);
            ffi::lua_pushnil(state);
            while ffi::lua_next(state, table) != 0 {
                ffi::lua_pop(state, 1);
                if ffi::lua_isinteger(state, -1) == 0 || ffi::lua_tointeger(state, -1) < 1 {
                    return Err(self.mixed());
                }
                length = length.max(ffi::lua_tointeger(state, -1));
                count += 1;
            }
            if length > 2 * count + 8 {
                return Err(Fault::new(
                    "is an array with too many holes: use trine.object for integer keys",
                ));
            }
            if length > count && self.shape(table)? != Shape::Array {
                return Err(Fault::new(
                    "is a table whose integer keys are not 1..n: \
                     use trine.object to write them as strings, or trine.array to fill the holes",
                ));
            }
            Ok(length)
        }
    }

    /// Makes the fault of keys of several kinds, of which the topmost one does not fit.
    unsafe fn mixed(&self) -> Box<Fault> {
        // SAFETY: there is a key on top.
        let kind = unsafe {
            if ffi::lua_isinteger(self.state, -1) != 0 {
                "integer below 1".to_owned()
            } else {
                self.type_name(ffi::lua_type(self.state, -1))
            }
        };
        Fault::new(format!("is a table with mixed keys (one is a {kind})"))
    }

    /// Writes a table with string keys; in one that is an object by its mark, integer keys become strings.
    unsafe fn object(&mut self, table: c_int, integers: bool) -> Written {
        let state = self.state;
        let mut first = true;
        self.out.push(b'{');
        // SAFETY: as for `open`. Keys are read in place only when they are strings.
        unsafe {
            ffi::lua_pushnil(state);
            let key = ffi::lua_gettop(state);
            while ffi::lua_next(state, table) != 0 {
                if !first {
                    self.out.push(b',');
                }
                first = false;
                if ffi::lua_type(state, key) == ffi::LUA_TSTRING {
                    if !write_string(self.out, self.bytes(key)) {
                        return Err(Fault::new("has a key that is not UTF-8"));
                    }
                } else if integers && ffi::lua_isinteger(state, key) != 0 {
                    self.out.push(b'"');
                    self.integer(ffi::lua_tointeger(state, key));
                    self.out.push(b'"');
                } else {
                    ffi::lua_pop(state, 1);
                    return Err(self.mixed());
                }
                self.out.push(b':');
                if let Err(fault) = self.value(key + 1) {
                    return Err(fault.within(self.step(key)));
                }
                ffi::lua_settop(state, key);
            }
        }
        self.out.push(b'}');
        Ok(())
    }

    /// Returns the key at `index` as a step of a path.
    unsafe fn step(&self, index: c_int) -> Step {
        // SAFETY: `object` has seen that the key is an integer or a string.
        unsafe {
            if ffi::lua_isinteger(self.state, index) != 0 {
                return Step::Index(ffi::lua_tointeger(self.state, index));
            }
            Step::Key(String::from_utf8_lossy(self.bytes(index)).into_owned())
        }
    }
}
