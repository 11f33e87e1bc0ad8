//! The blobs of an image: files that are known by the hash of what is in them; and layers, which are blobs.

use super::super::{PackageError, Progress, Target, Time};
use crate::folder::{Entry, Kind};
use flate2::{Compression, GzBuilder, write::GzEncoder};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeSet,
    fs::File,
    io::{self, BufWriter, Read, Write},
    path::Path,
};

/// A finished blob, in a file without a name.
pub(super) struct Blob {
    /// The blob itself.
    pub(super) file: File,
    /// Its size in bytes.
    pub(super) size: u64,
    /// Its SHA-256, in hexadecimal.
    pub(super) digest: String,
    /// The SHA-256 of what it is when it is unpacked.
    pub(super) unpacked_digest: String,
}

impl Blob {
    /// Makes a blob of these bytes, as they are.
    pub(super) fn of_bytes(bytes: &[u8], target: &Target) -> Result<Self, PackageError> {
        let mut file = target.scratch()?;
        file.write_all(bytes).map_err(|error| target.failed(error))?;
        let digest = hexadecimal(Sha256::digest(bytes).as_slice());
        Ok(Self { file, size: bytes.len() as u64, unpacked_digest: digest.clone(), digest })
    }

    /// Returns the description by which others refer to it.
    pub(super) fn described(&self, media_type: &str) -> Value {
        json!({
            "mediaType": media_type,
            "digest": format!("sha256:{}", self.digest),
            "size": self.size,
        })
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A writer that hashes and counts what goes through it.
struct Hashed<W> {
    inner: W,
    hash: Sha256,
    size: u64,
}

impl<W> Hashed<W> {
    fn new(inner: W) -> Self {
        Self { inner, hash: Sha256::new(), size: 0 }
    }

    fn digest(self) -> (W, String, u64) {
        (self.inner, hexadecimal(self.hash.finalize().as_slice()), self.size)
    }
}

impl<W: Write> Write for Hashed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.hash.update(&bytes[..written]);
        self.size += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// The way of a layer to the disk: hashed as it is, compressed, hashed again.
pub(super) struct Pipe(Hashed<GzEncoder<Hashed<BufWriter<File>>>>);

impl Pipe {
    pub(super) fn new(file: File) -> Self {
        let compressed = Hashed::new(BufWriter::with_capacity(1 << 20, file));
        // No time and no name: the same layer gives the same bytes.
        let encoder = GzBuilder::new().mtime(0).write(compressed, Compression::default());
        Self(Hashed::new(encoder))
    }

    pub(super) fn finish(self) -> io::Result<Blob> {
        let (encoder, unpacked_digest, _) = self.0.digest();
        let (buffer, digest, size) = encoder.finish()?.digest();
        let file = buffer.into_inner().map_err(io::IntoInnerError::into_error)?;
        Ok(Blob { file, size, digest, unpacked_digest })
    }
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// A layer that is being written. Everything in it belongs to root and has the same time.
pub(super) struct Layer<'t> {
    tar: tar::Builder<Pipe>,
    target: &'t Target,
    time: Time,
    /// The folders that it has already.
    folders: BTreeSet<String>,
}

impl<'t> Layer<'t> {
    /// Begins a layer of the image that will be `target`.
    pub(super) fn new(target: &'t Target, time: Time) -> Result<Self, PackageError> {
        let tar = tar::Builder::new(Pipe::new(target.scratch()?));
        Ok(Self { tar, target, time, folders: BTreeSet::new() })
    }

    fn header(&self, kind: tar::EntryType, mode: u32, size: u64) -> tar::Header {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_size(size);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(self.time.seconds());
        header
    }

    /// Adds a folder with this mode.
    pub(super) fn folder(&mut self, name: &str, mode: u32) -> Result<(), PackageError> {
        if !self.folders.insert(name.to_owned()) {
            return Ok(());
        }
        let mut header = self.header(tar::EntryType::Directory, mode, 0);
        let added = self.tar.append_data(&mut header, format!("{name}/"), io::empty());
        added.map_err(|error| self.target.failed(error))
    }

    /// Adds a folder with a name that need not be UTF-8.
    pub(super) fn any_folder(&mut self, name: &Path, mode: u32) -> Result<(), PackageError> {
        let mut header = self.header(tar::EntryType::Directory, mode, 0);
        let added = self.tar.append_data(&mut header, name, io::empty());
        added.map_err(|error| self.target.failed(error))
    }

    /// Adds a folder and those above it.
    pub(super) fn folders(&mut self, name: &str) -> Result<(), PackageError> {
        for (at, _) in name.match_indices('/') {
            self.folder(&name[..at], 0o755)?;
        }
        self.folder(name, 0o755)
    }

    /// Adds a symbolic link.
    pub(super) fn link(&mut self, name: &str, to: &str) -> Result<(), PackageError> {
        self.link_to(Path::new(name), Path::new(to))
    }

    /// Adds a symbolic link with names that need not be UTF-8.
    pub(super) fn link_to(&mut self, name: &Path, to: &Path) -> Result<(), PackageError> {
        let mut header = self.header(tar::EntryType::Symlink, 0o777, 0);
        let added = self.tar.append_link(&mut header, name, to);
        added.map_err(|error| self.target.failed(error))
    }

    /// Adds a file.
    pub(super) fn file(
        &mut self,
        name: &Path,
        path: &Path,
        size: u64,
        mode: u32,
    ) -> Result<(), PackageError> {
        let unread = |error| PackageError::Read { path: path.to_owned(), error };
        let file = File::open(path).map_err(unread)?;
        let mut header = self.header(tar::EntryType::Regular, mode, size);
        let mut exact = Exact { inner: file, left: size, whole: true };
        let added = self.tar.append_data(&mut header, name, &mut exact);
        match added {
            Err(error) => Err(self.target.failed(error)),
            Ok(()) if exact.is_over() => Ok(()),
            Ok(()) => Err(PackageError::Changed(path.to_owned())),
        }
    }

    /// Adds entries below a folder.
    pub(super) fn entries(
        &mut self,
        below: &str,
        entries: &[Entry],
        progress: Progress<'_>,
    ) -> Result<(), PackageError> {
        for (at, entry) in entries.iter().enumerate() {
            let name = format!("{below}/{}", entry.name);
            if let Some((folder, _)) = name.rsplit_once('/') {
                self.folders(folder)?;
            }
            match &entry.kind {
                Kind::Folder => self.folder(&name, 0o755)?,
                Kind::Link { target } => self.link(&name, target)?,
                Kind::File { size } => {
                    let mode = if entry.is_executable() { 0o755 } else { 0o644 };
                    self.file(Path::new(&name), &entry.path, *size, mode)?;
                }
            }
            if at % 100 == 99 {
                progress(&format!("image: {} files in /{below}", at + 1));
            }
        }
        Ok(())
    }

    /// Ends the layer.
    pub(super) fn finish(self) -> Result<Blob, PackageError> {
        let Self { tar, target, .. } = self;
        let finished = tar.into_inner().and_then(Pipe::finish);
        finished.map_err(|error| target.failed(error))
    }
}

/// A reader that gives as many bytes as were promised, and remembers whether the file had just as many.
struct Exact {
    inner: File,
    left: u64,
    whole: bool,
}

impl Exact {
    /// Whether all was read and nothing is left.
    fn is_over(&mut self) -> bool {
        self.whole && self.left == 0 && matches!(self.inner.read(&mut [0]), Ok(0))
    }
}

impl Read for Exact {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let most = bytes.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        if most == 0 {
            return Ok(0);
        }
        let read = self.inner.read(&mut bytes[..most])?;
        if read == 0 {
            // The archive's order is kept; the caller fails.
            self.whole = false;
            bytes[..most].fill(0);
            self.left -= most as u64;
            return Ok(most);
        }
        self.left -= read as u64;
        Ok(read)
    }
}
