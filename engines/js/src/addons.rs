//! Native addons of Node's, as they are loaded.
//!
//! Whatever the binary exports takes the place of each function of the same name in every library that is loaded later.
//! So it exports Node-API and nothing else; the functions of libuv, which few addons call, can be seen only while one of
//! those is being loaded ([`libuv`]).

mod libuv;

use denort_helper::{DenoRtNativeAddonLoader, LoadError};
use std::{
    borrow::Cow,
    ffi::{CStr, CString, OsStr, c_int, c_void},
    io,
    os::unix::ffi::OsStrExt,
    path::Path,
};

/// Sees every addon before Deno's runtime opens it.
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

/// Loads an addon for good. What it refers to and nobody has is an error here, which can be caught, and not the end of the
/// process when the addon first calls it. Opening it again gives the same library.
fn load(path: &Path) -> Result<(), String> {
    let file = CString::new(path.as_os_str().as_bytes()).map_err(|e| e.to_string())?;
    match open(&file, libc::RTLD_NOW) {
        Err(reason) if reason.contains(": undefined symbol: uv_") => {
            libuv::while_visible(|| open(&file, libc::RTLD_NOW).map(drop))?
        }
        opened => opened.map(drop),
    }
}

/// Opens a library; what the system says where that fails.
fn open(file: &CStr, flags: c_int) -> Result<*mut c_void, String> {
    // SAFETY: the name is terminated. The library's constructors run, as whoever asks for an addon wants.
    let handle = unsafe { libc::dlopen(file.as_ptr(), flags) };
    if !handle.is_null() {
        return Ok(handle);
    }
    // SAFETY: no arguments; what it returns is this thread's own and stays until the next call of its kind.
    let reason = unsafe { libc::dlerror() };
    if reason.is_null() {
        return Err(format!("{} cannot be loaded", file.to_string_lossy()));
    }
    // SAFETY: not null, and terminated, until the next call.
    Err(unsafe { CStr::from_ptr(reason) }.to_string_lossy().into_owned())
}
