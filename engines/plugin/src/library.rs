//! A shared library: its way into the process, and the table of functions in it.

use crate::{
    abi::{self, Table},
    crash, file,
    refusal::LoadError,
};
use libloading::os::unix::{Library as Handle, RTLD_LOCAL, RTLD_NOW};
use std::path::{Path, PathBuf};

/// The highest version whose function is looked for where that of this version is missing.
const LATEST: u32 = 32;

/// What is known about a plug-in: its file and its functions. It stays in the process until the end.
pub(crate) struct Library {
    pub(crate) path: PathBuf,
    pub(crate) info: abi::Info,
    pub(crate) start: abi::Start,
    pub(crate) load: abi::Load,
    pub(crate) call: abi::Call,
    pub(crate) interrupt: Option<abi::OfInstance>,
    pub(crate) usage: Option<abi::GetUsage>,
    pub(crate) shutdown: abi::OfInstance,
    pub(crate) free_buffer: abi::FreeBuffer,
}

impl Library {
    /// Loads a library and reads its table.
    pub(crate) fn open(path: &Path) -> Result<Self, LoadError> {
        // With a slash in it: a bare name would be looked for along the system's own path.
        let path = &std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        file::look(path)?;
        let table = crash::guarded(path, "while it was loaded", || enter(path))?;
        Self::of(path, &table)
    }

    fn of(path: &Path, table: &Table) -> Result<Self, LoadError> {
        let missing = |name: &str| LoadError::InvalidTable {
            path: path.to_owned(),
            reason: format!("`{name}` is NULL"),
        };
        Ok(Self {
            path: path.to_owned(),
            info: table.info.ok_or_else(|| missing("info"))?,
            start: table.start.ok_or_else(|| missing("start"))?,
            load: table.load.ok_or_else(|| missing("load"))?,
            call: table.call.ok_or_else(|| missing("call"))?,
            interrupt: table.interrupt,
            usage: table.usage,
            shutdown: table.shutdown.ok_or_else(|| missing("shutdown"))?,
            free_buffer: table.free_buffer.ok_or_else(|| missing("free_buffer"))?,
        })
    }
}

/// Loads the library for good and asks its function for the table.
fn enter(path: &Path) -> Result<Table, LoadError> {
    // SAFETY: the user has named this file as code that is to run in the process. What its initialisers do cannot be known.
    let opened = unsafe { Handle::open(Some(path), RTLD_NOW | RTLD_LOCAL) };
    let handle = opened.map_err(|error| LoadError::Unloadable {
        path: path.to_owned(),
        reason: error.to_string(),
    })?;
    let table = entry(path, &handle).and_then(|entry| {
        // SAFETY: a function of this name has this type, says the interface.
        let table = unsafe { entry() };
        // SAFETY: what it returns is a table that stays readable, or NULL.
        unsafe { read(path, table) }
    });
    // Its code may have started threads, or may be asked for by those that it has registered with: it stays.
    std::mem::forget(handle);
    table
}

/// Finds the function of this version.
fn entry(path: &Path, handle: &Handle) -> Result<abi::Entry, LoadError> {
    let find = |version: u32| {
        let name = format!("trine_engine_v{version}\0");
        // SAFETY: a function of this name has this type, says the interface. Of other versions it is not called.
        let symbol = unsafe { handle.get::<abi::Entry>(name.as_bytes()) };
        symbol.ok().map(|symbol| *symbol)
    };
    find(abi::VERSION).ok_or_else(|| {
        let path = path.to_owned();
        match (1..=LATEST).find(|version| find(*version).is_some()) {
            Some(found) => LoadError::OtherVersion { path, found },
            None => LoadError::NoEntry { path },
        }
    })
}

/// Reads a table.
///
/// # Safety
/// `table` is NULL, or there is a table that does not change, of a size that it tells in its second member.
unsafe fn read(path: &Path, table: *const Table) -> Result<Table, LoadError> {
    let invalid = |reason: String| LoadError::InvalidTable { path: path.to_owned(), reason };
    if table.is_null() {
        return Err(invalid("`trine_engine_v1` has returned NULL".to_owned()));
    }
    if !table.is_aligned() {
        return Err(invalid(format!("it lies at {table:p}, which no table can")));
    }
    // SAFETY: every table has these two members, in this order, whatever its version.
    let (version, size) = unsafe { ((*table).abi_version, (*table).size) };
    if version != abi::VERSION {
        return Err(LoadError::OtherVersion { path: path.to_owned(), found: version });
    }
    let least = abi::size_of::<Table>();
    if size < least {
        return Err(invalid(format!("its `size` is {size}, and version 1 has {least} bytes")));
    }
    // SAFETY: it has all members, as its size says, and is not written to.
    Ok(unsafe { *table })
}
