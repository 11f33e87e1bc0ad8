//! The limits of memories and tables, and a module whose memories and tables cannot grow beyond ours.

use super::{
    Binary,
    reader::{Broken, Reader},
};

/// Size of a memory's page, in bytes.
pub(crate) const PAGE: u64 = 1 << 16;

/// Bytes of V8's heap that an entry of a table can take for a moment, roughly: when a table grows, it is copied to a place with
/// room for more, and it has a second one for indirect calls.
const ENTRY: u64 = 256;

/// Maximum number of entries of a table, whatever memory there is: V8 fills, copies and grows tables in one go, which nothing
/// can stop, and this many take it some hundredths of a second.
const MOST_ENTRIES: u64 = 1 << 20;

const HAS_MOST: u8 = 1;
const SHARED: u8 = 2;
const IS_64: u8 = 4;
const HAS_PAGE_SIZE: u8 = 8;

/// The limits of a memory, in pages, or of a table, in entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limits {
    flags: u8,
    least: u64,
    most: Option<u64>,
    /// Binary logarithm of the page's size, where it is another.
    page_size: Option<u32>,
}

impl Limits {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, Broken> {
        let flags = reader.byte()?;
        if flags > HAS_MOST | SHARED | IS_64 | HAS_PAGE_SIZE {
            return Err(Broken {
                what: "limits are of an unknown form",
                offset: reader.offset() - 1,
            });
        }
        let least = reader.u64()?;
        let most = if flags & HAS_MOST == 0 { None } else { Some(reader.u64()?) };
        let page_size = if flags & HAS_PAGE_SIZE == 0 { None } else { Some(reader.u32()?) };
        Ok(Self { flags, least, most, page_size })
    }

    fn page(&self) -> u64 {
        self.page_size.map_or(PAGE, |size| 1_u64.checked_shl(size).unwrap_or(PAGE))
    }

    pub(super) fn least_bytes(&self) -> u64 {
        self.least.saturating_mul(self.page())
    }

    pub(super) fn is_shared(&self) -> bool {
        self.flags & SHARED != 0
    }

    pub(super) fn is_64(&self) -> bool {
        self.flags & IS_64 != 0
    }

    /// Writes the limits with a maximum of at most `most`, but not less than what there is at the start.
    fn write(&self, most: u64, to: &mut Vec<u8>) {
        let most = self.most.unwrap_or(u64::MAX).min(most).max(self.least);
        to.push(self.flags | HAS_MOST);
        write_number(self.least, to);
        write_number(most, to);
        if let Some(size) = self.page_size {
            write_number(size.into(), to);
        }
    }
}

fn write_number(mut value: u64, to: &mut Vec<u8>) {
    while value >= 0x80 {
        to.push(value as u8 | 0x80);
        value >>= 7;
    }
    to.push(value as u8);
}

/// A module that is kept within a limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bound {
    pub(crate) bytes: Vec<u8>,
    /// Number of bytes by which its code has moved towards the end.
    pub(crate) moved: i64,
}

impl Binary {
    /// Returns the module with memories that cannot outgrow this many bytes together, and tables of which none can, nor
    /// [`MOST_ENTRIES`]. What is larger from the start stays as large.
    pub(crate) fn bound(&self, bytes: &[u8], limit: Option<u64>) -> Bound {
        let mut bound = Bound { bytes: Vec::with_capacity(bytes.len() + 32), moved: 0 };
        let each = limit.map(|limit| limit / self.memories.len().max(1) as u64);
        let entries = limit.map_or(MOST_ENTRIES, |limit| MOST_ENTRIES.min(limit / ENTRY));
        let mut at = 0;
        for section in &self.sections {
            let contents = &bytes[..section.end];
            let rewritten = match section.id {
                4 => tables(contents, section.contents, entries),
                5 => each.and_then(|each| memories(contents, section.contents, each)),
                _ => None,
            };
            let Some(rewritten) = rewritten else { continue };
            bound.bytes.extend_from_slice(&bytes[at..section.start]);
            bound.bytes.push(section.id);
            write_number(rewritten.len() as u64, &mut bound.bytes);
            bound.bytes.extend_from_slice(&rewritten);
            at = section.end;
        }
        bound.bytes.extend_from_slice(&bytes[at..]);
        bound.moved = bound.bytes.len() as i64 - bytes.len() as i64;
        bound
    }
}

/// Rewrites a section of memories.
fn memories(bytes: &[u8], at: usize, most: u64) -> Option<Vec<u8>> {
    let mut reader = Reader::new(bytes, at);
    let memories = reader.memories().ok()?;
    let mut section = Vec::new();
    write_number(memories.len() as u64, &mut section);
    memories.iter().for_each(|limits| limits.write(most / limits.page(), &mut section));
    section.extend_from_slice(&bytes[reader.offset()..]);
    Some(section)
}

/// Rewrites a section of tables; `None` where one of them has an initial value, which V8's own limit has to do for.
fn tables(bytes: &[u8], at: usize, most: u64) -> Option<Vec<u8>> {
    let mut reader = Reader::new(bytes, at);
    let count = reader.count().ok()?;
    let mut section = Vec::new();
    write_number(count.into(), &mut section);
    for _ in 0..count {
        let start = reader.offset();
        if bytes.get(start) == Some(&0x40) {
            return None;
        }
        reader.value_type().ok()?;
        section.extend_from_slice(&bytes[start..reader.offset()]);
        Limits::read(&mut reader).ok()?.write(most, &mut section);
    }
    section.extend_from_slice(&bytes[reader.offset()..]);
    Some(section)
}
