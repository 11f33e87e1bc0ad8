//! The process as a Python interpreter, when it is started by the name of one: what `python3` does with a command line.

use pyo3::{ffi, prelude::*};
use std::{
    env,
    ffi::{CString, OsString},
    os::unix::ffi::OsStringExt as _,
    process::exit,
    ptr,
};
use trine_process::{signal, tree};

/// The variables by which OpenSSL is told where certificates are.
const CERTIFICATES: [&str; 2] = ["SSL_CERT_FILE", "SSL_CERT_DIR"];

/// Runs the command line and ends the process. Python finds its standard library by the place of the executable, and a
/// virtual environment by the name that it was started by.
pub(crate) fn run(command_line: &[OsString]) -> bool {
    if let Some(file) = certificates() {
        trine_process::environment::set_missing(&[(CERTIFICATES[0], file)]);
    }
    signal::leave_faults_to_the_system();
    let words = command_line.iter().cloned().map(OsString::into_vec).map(CString::new);
    // The system's own arguments have no zero bytes.
    let Ok(words) = words.collect::<Result<Vec<_>, _>>() else { return false };
    let mut pointers: Vec<_> = words.into_iter().map(CString::into_raw).collect();
    let count = pointers.len().try_into().unwrap_or(i32::MAX);
    pointers.push(ptr::null_mut());
    // SAFETY: nothing of Python has run in this process. The texts are terminated, the list ends with a null pointer,
    // and both stay where they are until the process ends.
    exit(unsafe { ffi::Py_BytesMain(count, pointers.as_mut_ptr()) })
}

/// Returns the file that OpenSSL is to be told of: shipped with the binary, it would look where its build machine had
/// certificates.
fn certificates() -> Option<String> {
    if CERTIFICATES.into_iter().any(|name| env::var_os(name).is_some()) {
        return None;
    }
    tree::certificates()?.into_os_string().into_string().ok()
}

/// Configures `_ssl` once it has been imported.
#[pyfunction]
pub(crate) fn configure_certificates(py: Python<'_>) -> PyResult<()> {
    match certificates() {
        Some(file) => py.import("posix")?.call_method1("putenv", (CERTIFICATES[0], file)).map(drop),
        None => Ok(()),
    }
}
