//! The libraries that this process has loaded. A file is loaded once, whoever wants it, and never again.

use crate::{
    check,
    library::Library,
    limits::{Load, lock},
};
use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::PathBuf,
    sync::{Arc, Mutex},
};
use trine_engine::{Module, Result};

/// A file as it was when it was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
}

/// A file that is loaded, or is being loaded.
struct Place {
    path: PathBuf,
    stamp: Stamp,
    library: Mutex<Option<Arc<Library>>>,
}

static PLACES: Mutex<Vec<Arc<Place>>> = Mutex::new(Vec::new());

/// A library, and whether its file has changed since it was loaded.
pub(crate) struct Opened {
    pub(crate) library: Arc<Library>,
    pub(crate) has_changed: bool,
}

/// Loads a library, unless it is loaded.
pub(crate) fn open(module: &Module, load: &Load<'_>) -> Result<Opened> {
    let unreadable = |e: std::io::Error| check::unloadable(module, &format!("cannot be read: {e}"));
    let path = fs::canonicalize(&module.path).map_err(unreadable)?;
    let metadata = fs::metadata(&path).map_err(unreadable)?;
    let stamp = Stamp {
        device: metadata.dev(),
        inode: metadata.ino(),
        size: metadata.size(),
        modified: (metadata.mtime(), metadata.mtime_nsec()),
    };
    let place = place(path, stamp);
    // Others that want this file wait here; others go on.
    let mut loaded = load.lock(&place.library)?;
    if let Some(library) = &*loaded {
        return Ok(Opened { library: library.clone(), has_changed: place.stamp != stamp });
    }
    let elf = check::read(module)?;
    let library = Arc::new(Library::open(module, elf)?);
    *loaded = Some(library.clone());
    Ok(Opened { library, has_changed: false })
}

/// Returns the place of a file. The system knows a library by its path, and by its file where it has several.
fn place(path: PathBuf, stamp: Stamp) -> Arc<Place> {
    let mut places = lock(&PLACES);
    let is_it = |place: &&Arc<Place>| {
        place.path == path || (place.stamp.device, place.stamp.inode) == (stamp.device, stamp.inode)
    };
    let is_valid = |place: &&Arc<Place>| {
        // What is being loaded now is waited for, and looked at then.
        place.stamp == stamp || place.library.try_lock().map_or(true, |library| library.is_some())
    };
    if let Some(known) = places.iter().filter(is_it).find(is_valid) {
        return known.clone();
    }
    // What could not be loaded may have been mended, or its file's number is another file's now.
    places.retain(|place| !is_it(&place));
    let place = Arc::new(Place { path, stamp, library: Mutex::default() });
    places.push(place.clone());
    place
}
