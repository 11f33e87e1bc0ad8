//! Python's garbage collector while modules are loaded.
//!
//! Loading makes objects that stay: looking through them again and again for garbage finds next to none, and takes a
//! tenth of the time and more.

use pyo3::{prelude::*, types::PyModule};

/// How many more objects there may be before the collector runs nevertheless. Real dependencies stay below it; what
/// leaves more behind is still cleaned up after.
const ROOM: i64 = 100_000;

/// A rarer collector, until it is dropped.
///
/// A threshold, not `gc.disable()`: that is a guest's to use while it is loaded, and to find as it left it.
pub(crate) struct Rarely<'py>(Option<(Bound<'py, PyModule>, Thresholds)>);

type Thresholds = (i64, i64, i64);

impl<'py> Rarely<'py> {
    pub(crate) fn begin(py: Python<'py>) -> Self {
        let begun = || {
            let gc = py.import("gc")?;
            let before: Thresholds = gc.call_method0("get_threshold")?.extract()?;
            // 0 is a collector that a guest has stopped.
            if !(1..ROOM).contains(&before.0) {
                return Ok(None);
            }
            gc.call_method1("set_threshold", (ROOM, before.1, before.2))?;
            PyResult::Ok(Some((gc, before)))
        };
        Self(begun().unwrap_or_default())
    }
}

impl Drop for Rarely<'_> {
    fn drop(&mut self) {
        let Some((gc, before)) = self.0.take() else { return };
        let end = || {
            let now: Thresholds = gc.call_method0("get_threshold")?.extract()?;
            // Unless the guest chose its own meanwhile.
            if now == (ROOM, before.1, before.2) {
                gc.call_method1("set_threshold", before)?;
            }
            // What was loaded counts as old, or the first invocation would pay for looking through all of it. Nothing
            // stays frozen; a guest that froze objects itself keeps them so.
            if gc.call_method0("get_freeze_count")?.extract::<i64>()? == 0 {
                gc.call_method0("freeze")?;
                gc.call_method0("unfreeze")?;
            }
            PyResult::Ok(())
        };
        // Only a guest that replaced these functions can make them fail, and then the collector is its own affair.
        let _ = end();
    }
}
