//! Python's garbage collector during the load of modules.
//!
//! Loading makes objects that stay: repeated searches for garbage among them find next to none, and take a tenth of the
//! time or more.

use pyo3::{prelude::*, types::PyModule};

/// Number of additional objects at which the collector runs nevertheless. Real dependencies stay below it; after those
/// that exceed it, garbage is still collected.
const ROOM: i64 = 100_000;

/// A collector that runs more rarely until this is dropped.
///
/// It sets a threshold instead of calling `gc.disable()`, which a guest may use in its load and must find unchanged.
pub(crate) struct RareCollection<'py>(Option<(Bound<'py, PyModule>, Thresholds)>);

type Thresholds = (i64, i64, i64);

impl<'py> RareCollection<'py> {
    pub(crate) fn begin(py: Python<'py>) -> Self {
        let begun = || {
            let gc = py.import("gc")?;
            let before: Thresholds = gc.call_method0("get_threshold")?.extract()?;
            // 0 means that a guest has stopped the collector.
            if !(1..ROOM).contains(&before.0) {
                return Ok(None);
            }
            gc.call_method1("set_threshold", (ROOM, before.1, before.2))?;
            PyResult::Ok(Some((gc, before)))
        };
        Self(begun().unwrap_or_default())
    }
}

impl Drop for RareCollection<'_> {
    fn drop(&mut self) {
        let Some((gc, before)) = self.0.take() else { return };
        let end = || {
            let now: Thresholds = gc.call_method0("get_threshold")?.extract()?;
            // Unless the guest chose its own meanwhile.
            if now == (ROOM, before.1, before.2) {
                gc.call_method1("set_threshold", before)?;
            }
            // Loaded objects count as old, or the first invocation would pay for a search through all of them. Nothing
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
