//! Functions on descriptors: reading, writing, seeking, facts.

use super::{
    Call,
    descriptors::Descriptor,
    errno::{Errno, Result},
    memory::Buffer,
    stat,
};
use rustix::fs::{
    FallocateFlags, FileType, OFlags, fallocate, fcntl_getfl, fcntl_setfl, fstat, futimens,
};
use std::{
    io::{Read, Seek, SeekFrom, Write},
    os::unix::fs::FileExt as _,
};
use trine_engine::Stream;

/// Rights, by which guests see what a descriptor can do.
pub(super) const READS: u64 = 1 << 1 | 1 << 14;
pub(super) const WRITES: u64 = 1 << 6 | 1 << 8 | 1 << 22;
const READ: u64 = 1 << 1;
const WRITE: u64 = 1 << 6;
const ALL: u64 = (1 << 29) - 1;
/// What can be done with an input or output besides reading or writing it: its facts, and waiting.
const STANDARD: u64 = 1 << 3 | 1 << 21 | 1 << 27;

pub(super) const APPEND: u16 = 1;

/// The most of `fd_advise`'s kinds of advice.
const MOST_ADVICE: u32 = 5;

pub(super) fn fd_read(call: &mut Call<'_>) -> Result<()> {
    let (number, to) = (call.u32(0), call.u32(3));
    let buffers = call.memory.buffers(call.u32(1), call.u32(2))?;
    let mut total = 0_usize;
    for buffer in buffers {
        let bytes = call.memory.bytes(buffer)?;
        let read = match call.wasi.descriptors.get(number)? {
            Descriptor::Input => {
                let read = bytes.len().min(call.wasi.input.len());
                bytes[..read].copy_from_slice(&call.wasi.input.split_to(read));
                read
            }
            Descriptor::File(file) if file.reads => (&file.file).read(bytes)?,
            Descriptor::Folder(_) => return Err(Errno::IsDirectory),
            _ => return Err(Errno::BadDescriptor),
        };
        total += read;
        if read < buffer.length as usize {
            break;
        }
    }
    call.memory.write_u32(to, total as u32)
}

pub(super) fn fd_write(call: &mut Call<'_>) -> Result<()> {
    let (number, to) = (call.u32(0), call.u32(3));
    let buffers = call.memory.buffers(call.u32(1), call.u32(2))?;
    let mut total = 0_usize;
    for buffer in buffers {
        let bytes = &*call.memory.bytes(buffer)?;
        let written = match call.wasi.descriptors.get(number)? {
            Descriptor::Output(stream) => {
                let stream = *stream;
                call.wasi.print(stream, bytes)?;
                bytes.len()
            }
            Descriptor::File(file) if file.writes => (&file.file).write(bytes)?,
            Descriptor::Folder(_) => return Err(Errno::IsDirectory),
            _ => return Err(Errno::BadDescriptor),
        };
        total += written;
        if written < buffer.length as usize {
            break;
        }
    }
    call.memory.write_u32(to, total as u32)
}

/// Runs `one` for each buffer at its place in a file, until one is not filled; returns the sum.
fn at_places(
    call: &mut Call<'_>,
    mut one: impl FnMut(&mut [u8], u64) -> Result<usize>,
) -> Result<u32> {
    let buffers = call.memory.buffers(call.u32(1), call.u32(2))?;
    let mut at = call.u64(3);
    let mut total = 0_u32;
    for Buffer { pointer, length } in buffers {
        let done = one(call.memory.bytes(Buffer { pointer, length })?, at)?;
        total = total.saturating_add(done as u32);
        at = at.checked_add(done as u64).ok_or(Errno::Overflow)?;
        if done < length as usize {
            break;
        }
    }
    Ok(total)
}

pub(super) fn fd_pread(call: &mut Call<'_>) -> Result<()> {
    let file = call.wasi.descriptors.file(call.u32(0))?;
    if !file.reads {
        return Err(Errno::BadDescriptor);
    }
    let file = file.file.try_clone()?;
    let read = at_places(call, |bytes, at| Ok(file.read_at(bytes, at)?))?;
    call.memory.write_u32(call.u32(4), read)
}

pub(super) fn fd_pwrite(call: &mut Call<'_>) -> Result<()> {
    let file = call.wasi.descriptors.file(call.u32(0))?;
    if !file.writes {
        return Err(Errno::BadDescriptor);
    }
    let file = file.file.try_clone()?;
    let written = at_places(call, |bytes, at| Ok(file.write_at(bytes, at)?))?;
    call.memory.write_u32(call.u32(4), written)
}

pub(super) fn fd_seek(call: &mut Call<'_>) -> Result<()> {
    let offset = call.u64(1) as i64;
    let to = match call.u32(2) {
        0 => SeekFrom::Start(u64::try_from(offset).map_err(|_| Errno::Invalid)?),
        1 => SeekFrom::Current(offset),
        2 => SeekFrom::End(offset),
        _ => return Err(Errno::Invalid),
    };
    let at = (&call.wasi.descriptors.file(call.u32(0))?.file).seek(to)?;
    call.memory.write_u64(call.u32(3), at)
}

pub(super) fn fd_tell(call: &mut Call<'_>) -> Result<()> {
    let at = (&call.wasi.descriptors.file(call.u32(0))?.file).stream_position()?;
    call.memory.write_u64(call.u32(1), at)
}

pub(super) fn fd_close(call: &mut Call<'_>) -> Result<()> {
    let number = call.u32(0);
    call.wasi.descriptors.close(number)
}

pub(super) fn fd_renumber(call: &mut Call<'_>) -> Result<()> {
    let (from, to) = (call.u32(0), call.u32(1));
    call.wasi.descriptors.renumber(from, to)
}

pub(super) fn fd_sync(call: &mut Call<'_>) -> Result<()> {
    match call.wasi.descriptors.get(call.u32(0))? {
        Descriptor::File(file) => Ok(file.file.sync_all()?),
        Descriptor::Folder(_) => Ok(()),
        _ => Err(Errno::Invalid),
    }
}

pub(super) fn fd_advise(call: &mut Call<'_>) -> Result<()> {
    call.wasi.descriptors.file(call.u32(0))?;
    if call.u32(3) > MOST_ADVICE {
        return Err(Errno::Invalid);
    }
    Ok(())
}

pub(super) fn fd_allocate(call: &mut Call<'_>) -> Result<()> {
    let file = call.wasi.descriptors.file(call.u32(0))?;
    if !file.writes {
        return Err(Errno::BadDescriptor);
    }
    Ok(fallocate(&file.file, FallocateFlags::empty(), call.u64(1), call.u64(2))?)
}

/// Returns the kind of an input or output: guests buffer by lines what they take for a terminal, as a log wants it.
fn standard_kind(call: &Call<'_>, descriptor: &Descriptor) -> u8 {
    match descriptor {
        Descriptor::Output(Stream::Stdout) if call.wasi.printed.is_some() => stat::UNKNOWN,
        Descriptor::Input => stat::UNKNOWN,
        _ => stat::CHARACTER_DEVICE,
    }
}

pub(super) fn fd_fdstat_get(call: &mut Call<'_>) -> Result<()> {
    let descriptor = call.wasi.descriptors.get(call.u32(0))?;
    let (kind, flags, rights) = match descriptor {
        Descriptor::Folder(_) => (stat::DIRECTORY, 0, ALL),
        Descriptor::File(file) => {
            let appends = fcntl_getfl(&file.file)?.contains(OFlags::APPEND);
            let reads = if file.reads { 0 } else { READ };
            let writes = if file.writes { 0 } else { WRITES };
            (stat::REGULAR, u16::from(appends) * APPEND, ALL & !reads & !writes)
        }
        Descriptor::Input => (standard_kind(call, descriptor), 0, STANDARD | READ),
        Descriptor::Output(_) => (standard_kind(call, descriptor), 0, STANDARD | WRITE),
    };
    let mut bytes = [0; 24];
    bytes[0] = kind;
    bytes[2..4].copy_from_slice(&flags.to_le_bytes());
    bytes[8..16].copy_from_slice(&rights.to_le_bytes());
    if kind == stat::DIRECTORY {
        bytes[16..24].copy_from_slice(&ALL.to_le_bytes());
    }
    call.memory.write(call.u32(1), &bytes)
}

pub(super) fn fd_fdstat_set_flags(call: &mut Call<'_>) -> Result<()> {
    let appends = call.u32(1) as u16 & APPEND != 0;
    match call.wasi.descriptors.get(call.u32(0))? {
        Descriptor::File(file) => {
            let mut flags = fcntl_getfl(&file.file)?;
            flags.set(OFlags::APPEND, appends);
            Ok(fcntl_setfl(&file.file, flags)?)
        }
        // Nothing of these blocks, whatever is asked for.
        _ => Ok(()),
    }
}

pub(super) fn fd_fdstat_set_rights(call: &mut Call<'_>) -> Result<()> {
    let (number, rights) = (call.u32(0), call.u64(1));
    if let Descriptor::File(file) = call.wasi.descriptors.get_mut(number)? {
        if rights & READ != 0 && !file.reads || rights & WRITE != 0 && !file.writes {
            return Err(Errno::NotCapable);
        }
        file.reads &= rights & READ != 0;
        file.writes &= rights & WRITE != 0;
    }
    Ok(())
}

pub(super) fn fd_filestat_get(call: &mut Call<'_>) -> Result<()> {
    let to = call.u32(1);
    let descriptor = call.wasi.descriptors.get(call.u32(0))?;
    let facts = match descriptor {
        Descriptor::File(file) => fstat(&file.file)?,
        Descriptor::Folder(open) => fstat(&*open.folder.handle)?,
        standard => {
            let kind = standard_kind(call, standard);
            return stat::write_standard(&mut call.memory, to, kind);
        }
    };
    stat::write(&mut call.memory, to, &facts)
}

pub(super) fn fd_filestat_set_size(call: &mut Call<'_>) -> Result<()> {
    let file = call.wasi.descriptors.file(call.u32(0))?;
    if !file.writes {
        return Err(Errno::BadDescriptor);
    }
    Ok(file.file.set_len(call.u64(1))?)
}

pub(super) fn fd_filestat_set_times(call: &mut Call<'_>) -> Result<()> {
    let times = stat::times(call.u64(1), call.u64(2), call.u32(3))?;
    match call.wasi.descriptors.get(call.u32(0))? {
        Descriptor::File(file) if file.writes => Ok(futimens(&file.file, &times)?),
        Descriptor::Folder(open) if open.folder.is_writable => {
            Ok(futimens(&*open.folder.handle, &times)?)
        }
        Descriptor::Folder(_) => Err(Errno::ReadOnly),
        _ => Err(Errno::BadDescriptor),
    }
}

/// Whether a file that was opened is one that never makes anybody wait: neither a pipe nor a device.
pub(super) fn never_waits(kind: FileType) -> bool {
    matches!(kind, FileType::RegularFile | FileType::Directory)
}
