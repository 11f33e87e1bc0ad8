//! Databases that functions may read from: found and tried when a file is loaded, attached to each of its connections.

use crate::{
    host::Host,
    settings::Attached,
    sqlite::{Connection, Failure},
};
use std::{
    cell::Cell,
    ffi::CString,
    fmt,
    os::unix::{ffi::OsStrExt as _, fs::MetadataExt as _},
    path::{Path, PathBuf},
    rc::Rc,
    time::Duration,
};
use trine_engine::{Error, ErrorKind, Permits, Result};

/// A database that was found, by the texts with which SQLite is asked for it.
#[derive(Debug)]
pub(crate) struct Database {
    name: String,
    name_text: CString,
    uri: CString,
    path: PathBuf,
    /// Its file, by device and number, when it was attached last by a connection that is kept.
    file: Cell<(u64, u64)>,
}

/// Finds databases for the functions of a root, attaches them to a connection, and tries whether they can be read.
///
/// # Errors
/// [`ErrorKind::ImportModule`] when one is missing, no database, or not to be read by these functions.
pub(crate) fn find(
    wanted: &[Attached],
    root: &Path,
    permits: Option<&Permits>,
    connection: &Connection,
) -> Result<Vec<Database>> {
    wanted.iter().map(|attached| find_one(attached, root, permits, connection)).collect()
}

fn find_one(
    attached: &Attached,
    root: &Path,
    permits: Option<&Permits>,
    connection: &Connection,
) -> Result<Database> {
    let path = root.join(&attached.path);
    let fault = |reason: String| {
        let (name, path) = (&attached.name, path.display());
        let message = format!("TRINE_SQL_ATTACH: cannot attach '{name}', {path}: {reason}");
        Error::new(ErrorKind::ImportModule, message)
    };
    // Where links lead is decided now, also for later connections.
    let real = path.canonicalize().map_err(|error| fault(error.to_string()))?;
    if let Some(permits) = permits {
        permits.read(&real).map_err(|refusal| fault(refusal.to_string()))?;
    }
    if !real.is_file() {
        return Err(fault("it is no file".to_owned()));
    }
    std::fs::File::open(&real).map_err(|error| fault(error.to_string()))?;
    let attempt = |options: &str| {
        let database = Database::new(&attached.name, &real, options);
        database.attach(connection).and_then(|()| database.try_out(connection)).map(|()| database)
    };
    attempt("mode=ro").or_else(|failure| {
        if failure.is_lock() {
            let waited = after(connection.host().patience().waited());
            return Err(fault(format!("{}: another process holds it{waited}", failure.message)));
        }
        let _ = connection.run(&format!("DETACH \"{}\"", attached.name));
        // A database with a log cannot be opened where none can be written, unless it is said to stay as it is.
        match is_still(&real) {
            true => attempt("mode=ro&immutable=1").map_err(|_| fault(failure.message)),
            false => Err(fault(failure.message)),
        }
    })
}

/// Returns the words for how long was waited.
pub(crate) fn after(waited: Option<Duration>) -> String {
    waited.map_or_else(String::new, |waited| format!("; waited {:.1} s", waited.as_secs_f64()))
}

/// Makes the error of a database that is locked while a file is loaded, after it was found free.
pub(crate) fn locked(failure: &Failure) -> Error {
    let message = format!("TRINE_SQL_ATTACH: {}: another process holds it", failure.message);
    Error::new(ErrorKind::ImportModule, message)
}

/// Whether nobody can write to a database or beside it, and nothing of it lies in a log.
fn is_still(path: &Path) -> bool {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    if PathBuf::from(log).metadata().is_ok_and(|log| log.len() > 0) {
        return false;
    }
    let is_writable = std::fs::OpenOptions::new().append(true).open(path).is_ok();
    let folder = path.parent().unwrap_or(path).metadata();
    !is_writable || folder.is_ok_and(|folder| folder.permissions().readonly())
}

/// Returns a file's device and number; nothing that a file has where there is none.
fn identity(path: &Path) -> (u64, u64) {
    path.metadata().map_or((0, 0), |file| (file.dev(), file.ino()))
}

impl Database {
    fn new(name: &str, path: &Path, options: &str) -> Self {
        let mut uri = b"file:".to_vec();
        for byte in path.as_os_str().as_bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'_' | b'-' => {
                    uri.push(*byte)
                }
                other => uri.extend_from_slice(format!("%{other:02X}").as_bytes()),
            }
        }
        uri.push(b'?');
        uri.extend_from_slice(options.as_bytes());
        let text = |bytes: Vec<u8>| CString::new(bytes).expect("paths and names have no NUL");
        Self {
            name: name.to_owned(),
            name_text: text(name.as_bytes().to_vec()),
            uri: text(uri),
            path: path.to_owned(),
            file: Cell::new(identity(path)),
        }
    }

    /// Returns the path, for messages.
    pub(crate) fn path(&self) -> impl fmt::Display + '_ {
        self.path.display()
    }

    /// Whether another process has locked it now, so that it cannot be read.
    pub(crate) fn is_locked(&self, host: &Rc<Host>) -> bool {
        let tried = Connection::open(host).and_then(|connection| {
            connection.hurry();
            self.attach(&connection).and_then(|()| self.try_out(&connection))
        });
        tried.is_err_and(|failure| failure.is_lock())
    }

    /// Whether another file has its path than when this was asked last.
    pub(crate) fn has_changed(&self) -> bool {
        let now = identity(&self.path);
        self.file.replace(now) != now
    }

    /// Attaches it to a connection that does not refuse anything yet.
    pub(crate) fn attach(&self, connection: &Connection) -> Result<(), Failure> {
        connection.run_with("ATTACH ?1 AS ?2", &[&self.uri, &self.name_text])
    }

    fn try_out(&self, connection: &Connection) -> Result<(), Failure> {
        connection.run(&format!("SELECT count(*) FROM \"{}\".sqlite_schema", self.name))
    }
}
