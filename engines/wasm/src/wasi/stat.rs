//! Facts about files in the form in which WASI gives them.

use super::{
    errno::{Errno, Result},
    memory::Memory,
};
use rustix::fs::{FileType, Stat, Timespec, Timestamps, UTIME_NOW, UTIME_OMIT};

pub(super) const UNKNOWN: u8 = 0;
pub(super) const CHARACTER_DEVICE: u8 = 2;
pub(super) const DIRECTORY: u8 = 3;
pub(super) const REGULAR: u8 = 4;

const BILLION: u64 = 1_000_000_000;

const SET_ACCESS: u32 = 1;
const SET_ACCESS_NOW: u32 = 2;
const SET_CHANGE: u32 = 4;
const SET_CHANGE_NOW: u32 = 8;

/// Returns the number of a kind of file.
pub(super) fn kind(kind: FileType) -> u8 {
    match kind {
        FileType::BlockDevice => 1,
        FileType::CharacterDevice => CHARACTER_DEVICE,
        FileType::Directory => DIRECTORY,
        FileType::RegularFile => REGULAR,
        FileType::Socket => 6,
        FileType::Symlink => 7,
        _ => UNKNOWN,
    }
}

/// Writes the facts about a file to a guest's memory.
#[allow(clippy::unnecessary_cast, reason = "the types differ between machines")]
pub(super) fn write(memory: &mut Memory<'_>, to: u32, stat: &Stat) -> Result<()> {
    let nanoseconds = |seconds: i64, rest: u64| {
        u64::try_from(seconds).unwrap_or(0).saturating_mul(BILLION).saturating_add(rest)
    };
    let mut bytes = [0; 64];
    let numbers = [
        (0, stat.st_dev as u64),
        (8, stat.st_ino as u64),
        (24, stat.st_nlink as u64),
        (32, stat.st_size as u64),
        (40, nanoseconds(stat.st_atime as i64, stat.st_atime_nsec as u64)),
        (48, nanoseconds(stat.st_mtime as i64, stat.st_mtime_nsec as u64)),
        (56, nanoseconds(stat.st_ctime as i64, stat.st_ctime_nsec as u64)),
    ];
    for (at, number) in numbers {
        bytes[at..at + 8].copy_from_slice(&number.to_le_bytes());
    }
    bytes[16] = kind(FileType::from_raw_mode(stat.st_mode));
    memory.write(to, &bytes)
}

/// Writes the facts about an input or output.
pub(super) fn write_standard(memory: &mut Memory<'_>, to: u32, kind: u8) -> Result<()> {
    let mut bytes = [0; 64];
    bytes[16] = kind;
    bytes[24] = 1;
    memory.write(to, &bytes)
}

/// Returns the times that a guest wants a file to have.
pub(super) fn times(access: u64, change: u64, flags: u32) -> Result<Timestamps> {
    let time = |time: u64, given: bool, now: bool| match (given, now) {
        (true, true) => Err(Errno::Invalid),
        (false, true) => Ok(Timespec { tv_sec: 0, tv_nsec: UTIME_NOW }),
        (false, false) => Ok(Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT }),
        (true, false) => {
            Ok(Timespec { tv_sec: (time / BILLION) as i64, tv_nsec: (time % BILLION) as _ })
        }
    };
    Ok(Timestamps {
        last_access: time(access, flags & SET_ACCESS != 0, flags & SET_ACCESS_NOW != 0)?,
        last_modification: time(change, flags & SET_CHANGE != 0, flags & SET_CHANGE_NOW != 0)?,
    })
}
