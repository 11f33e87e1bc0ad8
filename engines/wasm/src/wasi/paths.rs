//! Functions on paths: opening, facts, making, moving and removing, and the listing of folders.

use super::{
    Call,
    descriptors::{Descriptor, Entry, OpenFile, OpenFolder},
    errno::{Errno, Result},
    files::{APPEND, READS, WRITES, never_waits},
    memory::Buffer,
    place::{Folder, Found, find},
    stat,
};
use rustix::fs::{
    AtFlags, Dir, FileType, Mode, OFlags, fstat, linkat, mkdirat, openat, readlinkat, renameat,
    statat, symlinkat, unlinkat, utimensat,
};
use std::{ffi::OsStr, fs::File, os::unix::ffi::OsStrExt as _, rc::Rc};

const FOLLOW: u32 = 1;

const CREATE: u32 = 1;
const DIRECTORY: u32 = 2;
const EXCLUSIVE: u32 = 4;
const TRUNCATE: u32 = 8;

/// Size of the fixed part of an entry in a listing.
const ENTRY: usize = 24;

/// Reads a path from a guest's memory and finds what it names, from one of its folders.
fn found(
    call: &mut Call<'_>,
    folder: u32,
    path: Buffer,
    follows: bool,
) -> Result<(Rc<Folder>, Found)> {
    let folder = call.wasi.descriptors.folder(folder)?;
    let path = call.memory.path(path)?;
    let found = find(&folder, &path, follows)?;
    Ok((folder, found))
}

/// Does the same for what is to be made, changed or removed: the folder has to be writable.
fn found_to_write(call: &mut Call<'_>, folder: u32, path: Buffer) -> Result<Found> {
    let (folder, found) = found(call, folder, path, false)?;
    if !folder.is_writable {
        return Err(Errno::ReadOnly);
    }
    Ok(found)
}

fn buffer(call: &Call<'_>, at: usize) -> Buffer {
    Buffer { pointer: call.u32(at), length: call.u32(at + 1) }
}

pub(super) fn fd_prestat_get(call: &mut Call<'_>) -> Result<()> {
    let length = given(call)?.name.len() as u64;
    // The kind of what is given, a folder, and the length of its name.
    call.memory.write_u64(call.u32(1), length << 32)
}

pub(super) fn fd_prestat_dir_name(call: &mut Call<'_>) -> Result<()> {
    let folder = given(call)?;
    if (call.u32(2) as usize) < folder.name.len() {
        return Err(Errno::NameTooLong);
    }
    call.memory.write(call.u32(1), &folder.name)
}

/// Returns a folder that was open from the start.
fn given(call: &Call<'_>) -> Result<Rc<Folder>> {
    match call.wasi.descriptors.get(call.u32(0))? {
        Descriptor::Folder(open) if open.is_given => Ok(open.folder.clone()),
        _ => Err(Errno::BadDescriptor),
    }
}

pub(super) fn path_open(call: &mut Call<'_>) -> Result<()> {
    let (how, rights, flags) = (call.u32(4), call.u64(5), call.u32(7) as u16);
    let wants_folder = how & DIRECTORY != 0;
    let follows = call.u32(1) & FOLLOW != 0 && how & EXCLUSIVE == 0;
    let (folder, found) = found(call, call.u32(0), buffer(call, 2), follows)?;
    if wants_folder && how & (CREATE | EXCLUSIVE | TRUNCATE) != 0 {
        return Err(Errno::Invalid);
    }
    let wants_folder = wants_folder || found.must_be_folder;
    let writes = !wants_folder && (rights & WRITES != 0 || how & TRUNCATE != 0);
    let reads = rights & READS != 0 || !writes;
    if (writes || how & CREATE != 0) && !folder.is_writable {
        return Err(Errno::ReadOnly);
    }
    let program = call.wasi.program.clone();
    if reads {
        program.permit(|permits| permits.read(&found.path))?;
    }
    if writes || how & CREATE != 0 {
        program.permit(|permits| permits.write(&found.path))?;
    }
    // What could make its opener wait is opened without waiting, and then refused.
    let mut options = OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    options |= match (reads, writes) {
        (true, true) => OFlags::RDWR,
        (false, true) => OFlags::WRONLY,
        _ => OFlags::RDONLY,
    };
    options.set(OFlags::DIRECTORY, wants_folder);
    options.set(OFlags::CREATE, how & CREATE != 0);
    options.set(OFlags::EXCL, how & EXCLUSIVE != 0);
    options.set(OFlags::TRUNC, how & TRUNCATE != 0);
    options.set(OFlags::APPEND, writes && flags & APPEND != 0);
    let opened = openat(&*found.folder, found.name(), options, Mode::from_raw_mode(0o666))?;
    let kind = FileType::from_raw_mode(fstat(&opened)?.st_mode);
    if !never_waits(kind) {
        return Err(Errno::NotSupported);
    }
    let descriptor = if kind == FileType::Directory {
        let is_writable = folder.is_writable;
        let (handle, path, name) = (Rc::new(opened), found.path, Vec::new());
        let folder = Rc::new(Folder { handle, path, name, is_writable });
        Descriptor::Folder(OpenFolder { folder, is_given: false, entries: Vec::new() })
    } else {
        Descriptor::File(OpenFile { file: File::from(opened), reads, writes })
    };
    let number = call.wasi.descriptors.add(descriptor)?;
    call.memory.write_u32(call.u32(8), number)
}

pub(super) fn path_filestat_get(call: &mut Call<'_>) -> Result<()> {
    let (follows, to) = (call.u32(1) & FOLLOW != 0, call.u32(4));
    let (_, found) = found(call, call.u32(0), buffer(call, 2), follows)?;
    let program = call.wasi.program.clone();
    program.permit(|permits| match follows {
        true => permits.read(&found.path),
        false => permits.read_entry(&found.path),
    })?;
    let facts = statat(&*found.folder, found.name(), AtFlags::SYMLINK_NOFOLLOW)?;
    if found.must_be_folder && FileType::from_raw_mode(facts.st_mode) != FileType::Directory {
        return Err(Errno::NotDirectory);
    }
    stat::write(&mut call.memory, to, &facts)
}

pub(super) fn path_filestat_set_times(call: &mut Call<'_>) -> Result<()> {
    let follows = call.u32(1) & FOLLOW != 0;
    let times = stat::times(call.u64(4), call.u64(5), call.u32(6))?;
    let (folder, found) = found(call, call.u32(0), buffer(call, 2), follows)?;
    if !folder.is_writable {
        return Err(Errno::ReadOnly);
    }
    call.wasi.program.permit(|permits| permits.write(&found.path))?;
    Ok(utimensat(&*found.folder, found.name(), &times, AtFlags::SYMLINK_NOFOLLOW)?)
}

pub(super) fn path_create_directory(call: &mut Call<'_>) -> Result<()> {
    let found = found_to_write(call, call.u32(0), buffer(call, 1))?;
    call.wasi.program.permit(|permits| permits.write(&found.path))?;
    Ok(mkdirat(&*found.folder, found.name(), Mode::from_raw_mode(0o777))?)
}

pub(super) fn path_unlink_file(call: &mut Call<'_>) -> Result<()> {
    remove(call, AtFlags::empty())
}

pub(super) fn path_remove_directory(call: &mut Call<'_>) -> Result<()> {
    remove(call, AtFlags::REMOVEDIR)
}

fn remove(call: &mut Call<'_>, flags: AtFlags) -> Result<()> {
    let found = found_to_write(call, call.u32(0), buffer(call, 1))?;
    if found.must_be_folder && flags.is_empty() {
        return Err(Errno::IsDirectory);
    }
    call.wasi.program.permit(|permits| permits.write_entry(&found.path))?;
    Ok(unlinkat(&*found.folder, found.name(), flags)?)
}

pub(super) fn path_rename(call: &mut Call<'_>) -> Result<()> {
    let from = found_to_write(call, call.u32(0), buffer(call, 1))?;
    let to = found_to_write(call, call.u32(3), buffer(call, 4))?;
    // What moves can be read where it was, and will be where it goes.
    for found in [&from, &to] {
        call.wasi.program.permit(|permits| {
            permits.write_entry(&found.path)?;
            permits.read_entry(&found.path)
        })?;
    }
    Ok(renameat(&*from.folder, from.name(), &*to.folder, to.name())?)
}

/// Makes a second name of a file: both folders have to be writable, or what is written through one changes the other.
pub(super) fn path_link(call: &mut Call<'_>) -> Result<()> {
    let follows = call.u32(1) & FOLLOW != 0;
    let (folder, from) = found(call, call.u32(0), buffer(call, 2), follows)?;
    let to = found_to_write(call, call.u32(4), buffer(call, 5))?;
    if !folder.is_writable {
        return Err(Errno::ReadOnly);
    }
    call.wasi.program.permit(|permits| {
        permits.read_entry(&from.path)?;
        permits.write_entry(&from.path)?;
        permits.write_entry(&to.path)
    })?;
    Ok(linkat(&*from.folder, from.name(), &*to.folder, to.name(), AtFlags::empty())?)
}

pub(super) fn path_symlink(call: &mut Call<'_>) -> Result<()> {
    let target = call.memory.path(buffer(call, 0))?;
    let found = found_to_write(call, call.u32(2), buffer(call, 3))?;
    if target.starts_with(b"/") {
        return Err(Errno::NotCapable);
    }
    call.wasi.program.permit(|permits| permits.write_entry(&found.path))?;
    Ok(symlinkat(OsStr::from_bytes(&target), &*found.folder, found.name())?)
}

pub(super) fn path_readlink(call: &mut Call<'_>) -> Result<()> {
    let to = buffer(call, 3);
    let (_, found) = found(call, call.u32(0), buffer(call, 1), false)?;
    call.wasi.program.permit(|permits| permits.read_entry(&found.path))?;
    let target = readlinkat(&*found.folder, found.name(), Vec::new())?.into_bytes();
    let bytes = call.memory.bytes(to)?;
    let length = target.len().min(bytes.len());
    bytes[..length].copy_from_slice(&target[..length]);
    call.memory.write_u32(call.u32(5), length as u32)
}

/// Lists a folder. What is in it is read when the guest begins, so that a listing in several parts is of one moment.
pub(super) fn fd_readdir(call: &mut Call<'_>) -> Result<()> {
    let (number, to, cookie) = (call.u32(0), buffer(call, 1), call.u64(3));
    let program = call.wasi.program.clone();
    let Descriptor::Folder(open) = call.wasi.descriptors.get_mut(number)? else {
        return Err(Errno::NotDirectory);
    };
    if cookie == 0 || open.entries.is_empty() {
        program.permit(|permits| permits.read(&open.folder.path))?;
        open.entries = entries(&open.folder)?;
    }
    let bytes = call.memory.bytes(to)?;
    let mut used = 0;
    let first = usize::try_from(cookie).unwrap_or(usize::MAX);
    for (index, entry) in open.entries.iter().enumerate().skip(first) {
        let mut text = vec![0; ENTRY];
        text[..8].copy_from_slice(&(index as u64 + 1).to_le_bytes());
        text[8..16].copy_from_slice(&entry.inode.to_le_bytes());
        text[16..20].copy_from_slice(&(entry.name.len() as u32).to_le_bytes());
        text[20] = entry.kind;
        text.extend_from_slice(&entry.name);
        let length = text.len().min(bytes.len() - used);
        bytes[used..used + length].copy_from_slice(&text[..length]);
        used += length;
        if used == bytes.len() {
            break;
        }
    }
    call.memory.write_u32(call.u32(4), used as u32)
}

fn entries(folder: &Folder) -> Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for entry in Dir::read_from(&*folder.handle)? {
        let entry = entry?;
        entries.push(Entry {
            name: entry.file_name().to_bytes().to_vec(),
            inode: entry.ino(),
            kind: stat::kind(entry.file_type()),
        });
    }
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(entries)
}
