//! The loading of Node's native addons.
//!
//! Whatever the binary exports replaces each function of the same name in every library that is loaded later. So it
//! exports Node-API and nothing else; the functions of libuv, which few addons call, are visible only while such an
//! addon is being loaded ([`libuv`]).

mod libuv;

use denort_helper::{DenoRtNativeAddonLoader, LoadError};
use std::{
    borrow::Cow,
    ffi::{CStr, CString, OsStr, c_int, c_void},
    io,
    os::unix::ffi::OsStrExt,
    path::Path,
};

/// The hook that sees every addon before Deno's runtime opens it.
pub(crate) struct Addons;

impl DenoRtNativeAddonLoader for Addons {
    fn load_if_in_vfs(&self, _path: &Path) -> Option<Cow<'static, [u8]>> {
        None
    }

    fn load_and_resolve_path<'a>(&self, path: &'a Path) -> Result<Cow<'a, Path>, LoadError> {
        if path.extension() == Some(OsStr::new("node")) {
            load(path).map_err(|reason| LoadError::Io(io::Error::other(reason)))?;
        }
        Ok(Cow::Borrowed(path))
    }
}

/// Loads an addon for good. A symbol that it refers to and nobody defines is an error here, which can be caught,
/// instead of the end of the process when the addon first calls it. Opening it again returns the same library.
fn load(path: &Path) -> Result<(), String> {
    let file = CString::new(path.as_os_str().as_bytes()).map_err(|e| e.to_string())?;
    match open(&file, libc::RTLD_NOW) {
        Err(reason) if reason.contains(": undefined symbol: uv_") => {
            libuv::while_visible(|| open(&file, libc::RTLD_NOW).map(drop))?
        }
        opened => opened.map(drop),
    }
}

/// Opens a library; fails with the system's message.
fn open(file: &CStr, flags: c_int) -> Result<*mut c_void, String> {
    // SAFETY: the name is terminated. The library's constructors run, which is what whoever loads an addon wants.
    let handle = unsafe { libc::dlopen(file.as_ptr(), flags) };
    if !handle.is_null() {
        return Ok(handle);
    }
    // SAFETY: no arguments; what it returns belongs to this thread and stays valid until the next call of its kind.
    let reason = unsafe { libc::dlerror() };
    if reason.is_null() {
        return Err(format!("{} cannot be loaded", file.to_string_lossy()));
    }
    // SAFETY: not null, and terminated, until the next call.
    Err(unsafe { CStr::from_ptr(reason) }.to_string_lossy().into_owned())
}
