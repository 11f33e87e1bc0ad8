//! Zip files, as Lambda takes them.

use super::{PackageError, Progress, Target, Time};
use crate::folder::{Entry, Kind, ZIP_COMMENT};
use std::{
    fs::File,
    io::{BufWriter, Read, Write},
};
use zip::{CompressionMethod, ZipWriter, result::ZipError, write::SimpleFileOptions};

/// Size of the pieces in which files are read.
const PIECE: usize = 128 << 10;
/// Size from which on a file needs the longer form of its sizes.
const LARGE: u64 = u32::MAX as u64;

/// Writes these entries, which are sorted by name, as a zip file.
///
/// # Errors
/// When a file cannot be read, or the zip file cannot be written.
pub fn write_zip<'e>(
    entries: impl IntoIterator<Item = &'e Entry>,
    time: Time,
    target: &mut Target,
    progress: Progress<'_>,
) -> Result<(), PackageError> {
    let path = target.path().to_owned();
    let failed = |error: ZipError| {
        let error = match error {
            ZipError::Io(error) => error,
            other => std::io::Error::other(other),
        };
        PackageError::Write { path: path.clone(), error }
    };
    let mut zip = ZipWriter::new(BufWriter::with_capacity(1 << 20, target.file()));
    zip.set_comment(ZIP_COMMENT).map_err(failed)?;
    let mut piece = vec![0; PIECE];
    let mut written = 0;
    for entry in entries {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .compression_level(Some(9))
            .last_modified_time(time.in_zip())
            .unix_permissions(if entry.is_executable() { 0o755 } else { 0o644 });
        match &entry.kind {
            Kind::Folder => {
                let options = options.unix_permissions(0o755);
                zip.add_directory(entry.name.as_str(), options).map_err(failed)?;
            }
            Kind::Link { target } => {
                let options = options.unix_permissions(0o777);
                zip.add_symlink(entry.name.as_str(), target.as_str(), options).map_err(failed)?;
            }
            Kind::File { size } => {
                let options = options.large_file(*size >= LARGE);
                zip.start_file(entry.name.as_str(), options).map_err(failed)?;
                let unread = |error| PackageError::Read { path: entry.path.clone(), error };
                let mut file = File::open(&entry.path).map_err(unread)?;
                let mut length = 0;
                loop {
                    let read = file.read(&mut piece).map_err(unread)?;
                    if read == 0 {
                        break;
                    }
                    length += read as u64;
                    zip.write_all(&piece[..read]).map_err(|error| failed(error.into()))?;
                }
                if length != *size {
                    return Err(PackageError::Changed(entry.path.clone()));
                }
            }
        }
        written += 1;
        if written % 100 == 0 {
            progress(&format!("packing: {written} files"));
        }
    }
    let mut buffer = zip.finish().map_err(failed)?;
    buffer.flush().map_err(|error| failed(error.into()))
}
