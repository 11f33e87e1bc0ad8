//! The reader of a module's bytes: numbers, names, and the sections that say what a module needs and has.

use super::{Signature, ValueType, limits::Limits};
use std::rc::Rc;

/// Numbers of value types that stand alone.
const I32: u8 = 0x7f;
const I64: u8 = 0x7e;

/// The place where bytes make no sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Broken {
    pub(super) what: &'static str,
    pub(super) offset: usize,
}

type Result<T> = std::result::Result<T, Broken>;

/// The kind of an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ImportKind {
    /// A function, with the number of its type.
    Function(u32),
    Table,
    Memory,
    Global,
    Tag,
}

/// Bytes that are read from front to end.
#[derive(Debug, Clone)]
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at }
    }

    /// Returns the offset within the whole file.
    pub(super) fn offset(&self) -> usize {
        self.at
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.at >= self.bytes.len()
    }

    fn broken<T>(&self, what: &'static str) -> Result<T> {
        Err(Broken { what, offset: self.at })
    }

    /// Returns a reader of the next bytes alone, with the same offsets.
    pub(super) fn part(&mut self, size: usize, what: &'static str) -> Result<Reader<'a>> {
        match self.at.checked_add(size).filter(|end| *end <= self.bytes.len()) {
            Some(end) => {
                let part = Reader { bytes: &self.bytes[..end], at: self.at };
                self.at = end;
                Ok(part)
            }
            None => self.broken(what),
        }
    }

    pub(super) fn byte(&mut self) -> Result<u8> {
        match self.bytes.get(self.at) {
            Some(byte) => {
                self.at += 1;
                Ok(*byte)
            }
            None => self.broken("bytes are missing"),
        }
    }

    pub(super) fn u32(&mut self) -> Result<u32> {
        let offset = self.at;
        let value = self.number(5)?;
        u32::try_from(value).map_err(|_| Broken { what: "a number is too large", offset })
    }

    pub(super) fn u64(&mut self) -> Result<u64> {
        self.number(10)
    }

    /// Reads a LEB128 number of at most this many bytes.
    fn number(&mut self, most: u32) -> Result<u64> {
        let mut value = 0_u64;
        for place in 0..most {
            let byte = self.byte()?;
            let part = u64::from(byte & 0x7f);
            let shift = place * 7;
            if shift == 63 && part > 1 {
                return self.broken("a number is too large");
            }
            value |= part << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        self.broken("a number is too long")
    }

    /// Skips a signed number.
    fn skip_number(&mut self) -> Result<()> {
        self.number(10).map(drop)
    }

    /// Reads the number of items that follow, each of which takes a byte at least.
    pub(super) fn count(&mut self) -> Result<u32> {
        let count = self.u32()?;
        match count as usize <= self.bytes.len() - self.at {
            true => Ok(count),
            false => self.broken("more items are announced than there are bytes"),
        }
    }

    fn name(&mut self) -> Result<String> {
        let size = self.u32()? as usize;
        let name = self.part(size, "a name is cut off")?;
        Ok(String::from_utf8_lossy(&name.bytes[name.at..]).into_owned())
    }

    /// Reads the numbers of types.
    pub(super) fn indices(&mut self) -> Result<Vec<u32>> {
        (0..self.count()?).map(|_| self.u32()).collect()
    }

    /// Reads the types. Those after one of an unknown form are left out, for V8 to judge.
    pub(super) fn types(&mut self) -> Result<Vec<Option<Rc<Signature>>>> {
        let mut types = Vec::new();
        for _ in 0..self.count()? {
            let group = match self.peek() {
                Some(0x4e) => {
                    self.at += 1;
                    self.count()?
                }
                _ => 1,
            };
            for _ in 0..group {
                match self.one_type()? {
                    Some(one) => types.push(one),
                    None => return Ok(types),
                }
            }
        }
        Ok(types)
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Reads a type: `Some(None)` for one that is not a function's, `None` for an unknown form.
    #[allow(clippy::option_option, reason = "the two mean different things")]
    fn one_type(&mut self) -> Result<Option<Option<Rc<Signature>>>> {
        if matches!(self.peek(), Some(0x4f | 0x50)) {
            self.at += 1;
            self.indices()?;
        }
        match self.byte()? {
            0x60 => {
                let parameters = self.value_types()?;
                let results = self.value_types()?;
                Ok(Some(Some(Rc::new(Signature { parameters, results }))))
            }
            0x5f => {
                for _ in 0..self.count()? {
                    self.field()?;
                }
                Ok(Some(None))
            }
            0x5e => {
                self.field()?;
                Ok(Some(None))
            }
            _ => Ok(None),
        }
    }

    fn field(&mut self) -> Result<()> {
        self.value_type()?;
        self.byte().map(drop)
    }

    fn value_types(&mut self) -> Result<Vec<ValueType>> {
        (0..self.count()?).map(|_| self.value_type()).collect()
    }

    pub(super) fn value_type(&mut self) -> Result<ValueType> {
        Ok(match self.byte()? {
            I32 => ValueType::I32,
            I64 => ValueType::I64,
            0x63 | 0x64 => {
                self.skip_number()?;
                ValueType::Other
            }
            _ => ValueType::Other,
        })
    }

    pub(super) fn imports(&mut self) -> Result<Vec<(String, String, ImportKind)>> {
        let mut imports = Vec::new();
        for _ in 0..self.count()? {
            let (module, name) = (self.name()?, self.name()?);
            let kind = match self.byte()? {
                0 => ImportKind::Function(self.u32()?),
                1 => {
                    self.value_type()?;
                    Limits::read(self)?;
                    ImportKind::Table
                }
                2 => {
                    Limits::read(self)?;
                    ImportKind::Memory
                }
                3 => {
                    self.field()?;
                    ImportKind::Global
                }
                4 => {
                    self.byte()?;
                    self.u32()?;
                    ImportKind::Tag
                }
                _ => return self.broken("an import is of an unknown kind"),
            };
            imports.push((module, name, kind));
        }
        Ok(imports)
    }

    pub(super) fn memories(&mut self) -> Result<Vec<Limits>> {
        (0..self.count()?).map(|_| Limits::read(self)).collect()
    }

    /// Reads the exports: name, kind and number.
    pub(super) fn exports(&mut self) -> Result<Vec<(String, u8, u32)>> {
        let mut exports = Vec::new();
        for _ in 0..self.count()? {
            let name = self.name()?;
            let kind = self.byte()?;
            if kind > 4 {
                return self.broken("an export is of an unknown kind");
            }
            exports.push((name, kind, self.u32()?));
        }
        Ok(exports)
    }
}
