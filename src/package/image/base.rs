//! The base of an image: a minimal root, as a folder or as a tar file, which becomes its first layer.

use super::{
    super::{PackageError, Target, Time},
    blob::{Blob, Layer, Pipe},
};
use flate2::read::MultiGzDecoder;
use std::{
    ffi::OsString,
    fs::{self, File},
    io::{self, Read, Seek},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

/// A minimal root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    path: PathBuf,
    is_folder: bool,
}

impl Base {
    /// Looks at a folder or a tar file, which may be compressed with gzip.
    ///
    /// # Errors
    /// [`PackageError::Base`] when it is neither, or the archive of a whole image.
    pub fn open(path: &Path) -> Result<Self, PackageError> {
        let wrong = |why: String| PackageError::Base { path: path.to_owned(), why };
        let facts =
            fs::metadata(path).map_err(|error| wrong(format!("cannot be read: {error}")))?;
        let base = Self { path: path.to_owned(), is_folder: facts.is_dir() };
        if facts.is_dir() {
            return Ok(base);
        }
        let unusable = |error: io::Error| {
            wrong(format!("is no folder and no tar file, plain or with gzip: {error}"))
        };
        let mut archive = tar::Archive::new(base.reader().map_err(unusable)?);
        let mut found = 0;
        for entry in archive.entries().map_err(unusable)? {
            let entry = entry.map_err(unusable)?;
            let name = entry.path().map_err(unusable)?.into_owned();
            if ["oci-layout", "manifest.json"].iter().any(|file| name == Path::new(file)) {
                let why = "is the archive of an image, not of a root: unpack it first, and name the folder";
                return Err(wrong(why.to_owned()));
            }
            found += 1;
        }
        match found {
            0 => Err(wrong("holds nothing".to_owned())),
            _ => Ok(base),
        }
    }

    /// Makes the layer.
    pub(super) fn blob(&self, target: &Target, time: Time) -> Result<Blob, PackageError> {
        if self.is_folder {
            let mut layer = Layer::new(target, time)?;
            add(&mut layer, &self.path, Path::new(""))?;
            return layer.finish();
        }
        let unread = |error| PackageError::Read { path: self.path.clone(), error };
        let mut reader = self.reader().map_err(unread)?;
        let mut pipe = Pipe::new(target.scratch()?);
        let mut piece = vec![0; 128 << 10];
        loop {
            let read = reader.read(&mut piece).map_err(unread)?;
            if read == 0 {
                return pipe.finish().map_err(|error| target.failed(error));
            }
            io::Write::write_all(&mut pipe, &piece[..read])
                .map_err(|error| target.failed(error))?;
        }
    }

    /// Opens the tar file, unpacked where it is compressed.
    fn reader(&self) -> io::Result<Box<dyn Read>> {
        let mut file = File::open(&self.path)?;
        let mut start = [0; 2];
        let read = file.read(&mut start)?;
        file.rewind()?;
        match start {
            [0x1f, 0x8b] if read == 2 => Ok(Box::new(MultiGzDecoder::new(file))),
            _ => Ok(Box::new(io::BufReader::new(file))),
        }
    }
}

/// Adds a folder of the root with everything in it but devices, pipes and sockets, which containers bring themselves.
fn add(layer: &mut Layer<'_>, folder: &Path, name: &Path) -> Result<(), PackageError> {
    let unread = |path: &Path, error| PackageError::Read { path: path.to_owned(), error };
    let mut names: Vec<OsString> = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| unread(folder, error))? {
        names.push(entry.map_err(|error| unread(folder, error))?.file_name());
    }
    names.sort();
    for own in names {
        let (path, name) = (folder.join(&own), name.join(&own));
        let facts = fs::symlink_metadata(&path).map_err(|error| unread(&path, error))?;
        let mode = facts.permissions().mode() & 0o7777;
        if facts.is_dir() {
            layer.any_folder(&name, mode)?;
            add(layer, &path, &name)?;
        } else if facts.is_symlink() {
            let to = fs::read_link(&path).map_err(|error| unread(&path, error))?;
            layer.link_to(&name, &to)?;
        } else if facts.is_file() {
            layer.file(&name, &path, facts.len(), mode)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, GzBuilder};
    use std::io::Write;

    fn why(bytes: &[u8]) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("base.tar");
        fs::write(&path, bytes).unwrap();
        Base::open(&path).unwrap_err().to_string()
    }

    fn tar(name: &str) -> Vec<u8> {
        let mut tar = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_size(2);
        header.set_mode(0o644);
        tar.append_data(&mut header, name, b"{}".as_slice()).unwrap();
        tar.into_inner().unwrap()
    }

    #[test]
    fn what_is_no_root_is_told() {
        assert!(why(&[]).contains("holds nothing"));
        assert!(why(b"a text that is not an archive").contains("is no folder and no tar file"));
        assert!(why(&tar("oci-layout")).contains("is the archive of an image"));
        assert!(why(&tar("etc/passwd")[..700]).contains("is no folder and no tar file"));
        let mut gzip = GzBuilder::new().write(Vec::new(), Compression::default());
        gzip.write_all(&tar("etc/passwd")).unwrap();
        let gzip = gzip.finish().unwrap();
        assert!(why(&gzip[..gzip.len() / 2]).contains("is no folder and no tar file"));
        let missing = Base::open(Path::new("/no/such/root")).unwrap_err().to_string();
        assert!(missing.contains("cannot be read"), "{missing}");
    }
}
