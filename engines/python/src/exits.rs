//! What would end the process, and ends an invocation instead: `sys.exit`, and the exits that the prelude turns into it.

use crate::error;
use pyo3::{prelude::*, types::PyInt};
use trine_engine::{End, Error};

/// Handles `sys.exit`: the end of the invocation, in the words in which the platform reports a process that ended.
pub(crate) fn exit(py: Python<'_>, raised: &PyErr, request_id: &str) -> Error {
    let (status, said) = exit_status(py, raised);
    let signal = raised.value(py).getattr_opt("trine_signal").ok().flatten();
    let signal = signal.map(|signal| signal.to_string());
    let end = signal.as_deref().map_or(End::Status(status), End::Signal);
    let id = (!request_id.is_empty()).then_some(request_id);
    let exit = error::with_place(py, Error::exited(end, id), raised);
    if let Some(said) = said {
        print_error(py, &said);
    }
    exit
}

/// Prints what a program says at its end, as the interpreter would.
fn print_error(py: Python<'_>, said: &str) {
    let printed: PyResult<()> = (|| {
        let stream = py.import("sys")?.getattr("stderr")?;
        stream.call_method1("write", (format!("{said}\n"),))?;
        stream.call_method0("flush").map(drop)
    })();
    if let Err(raised) = printed {
        raised.write_unraisable(py, None);
    }
}

/// Returns the status of a `SystemExit`, and its message. As in the interpreter itself, no code means success, a number
/// is the status, and anything else is printed and fails.
pub(crate) fn exit_status(py: Python<'_>, raised: &PyErr) -> (i64, Option<String>) {
    let code = raised.value(py).getattr("code").ok().filter(|code| !code.is_none());
    match code {
        None => (0, None),
        Some(code) => match code.extract::<i64>() {
            Ok(status) => (status & 0xff, None),
            Err(_) if code.is_instance_of::<PyInt>() => (0xff, None),
            Err(_) => (1, code.str().ok().map(|text| text.to_string_lossy().into_owned())),
        },
    }
}
