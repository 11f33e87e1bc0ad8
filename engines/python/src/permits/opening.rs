//! `os.open` with a folder to which paths refer, of which CPython tells hooks nothing: the function itself notes it.

use pyo3::{
    prelude::*,
    types::{PyCFunction, PyDict, PyTuple},
};
use std::cell::Cell;

thread_local! {
    /// The folder's descriptor of the call that this thread is about to make; -1 for the working directory.
    static FOLDER: Cell<Option<i32>> = const { Cell::new(None) };
}

/// Takes the folder's descriptor of the call that is made here; `None` where it is not known.
pub(super) fn take_folder() -> Option<i32> {
    FOLDER.try_with(Cell::take).ok().flatten()
}

/// Makes `os.open` note the folder.
pub(super) fn follow(py: Python<'_>) -> PyResult<()> {
    let posix = py.import("posix")?;
    let os = py.import("os")?;
    let plain = posix.getattr("open")?;
    let called = plain.clone().unbind();
    let call = move |arguments: &Bound<'_, PyTuple>, named: Option<&Bound<'_, PyDict>>| {
        let py = arguments.py();
        let folder = named.and_then(|named| named.get_item("dir_fd").ok().flatten());
        let folder = folder.filter(|folder| !folder.is_none());
        let folder = folder.map(|folder| folder.extract::<i32>()).transpose();
        FOLDER.set(Some(folder.ok().flatten().unwrap_or(-1)));
        let opened = called.bind(py).call(arguments, named);
        FOLDER.set(None);
        PyResult::Ok(opened?.unbind())
    };
    let noting = PyCFunction::new_closure(py, Some(c"open"), None, call)?;
    for module in [posix.as_any(), os.as_any()] {
        module.setattr("open", &noting)?;
    }
    // It stands in this set, too.
    let supporting = os.getattr("supports_dir_fd")?;
    supporting.call_method1("discard", (&plain,))?;
    supporting.call_method1("add", (&noting,)).map(drop)
}
