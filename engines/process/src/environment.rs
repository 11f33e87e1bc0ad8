//! Variables of the process's environment that are set before guests run.

use std::{env, ffi::OsString, sync::Once};
use trine_engine::CHILD_MARK;

/// Notes in the environment that this process runs guests, so that a child of theirs which is this very program knows
/// that it is not Lambda's runtime. To be called once, before any guest has run.
pub fn mark_children() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let api = env::var_os("AWS_LAMBDA_RUNTIME_API").unwrap_or_default();
        if env::var_os(CHILD_MARK).is_some_and(|mark| mark == api) {
            return;
        }
        // SAFETY: no guest runs yet. Other threads of the host may read the environment meanwhile, through the standard
        // library, which has a lock for that, or through C's `getenv`: the first change that a process makes leaves
        // what it was started with in place.
        unsafe { env::set_var(CHILD_MARK, api) };
    });
}

/// Sets those of the variables that are not set, if this is the only thread of the process. Returns whether it is.
pub fn set_missing(variables: &[(&str, String)]) -> bool {
    if threads() != Some(1) {
        return false;
    }
    for (name, value) in variables {
        if env::var_os(name).is_none() && !value.contains('\0') {
            // SAFETY: nobody reads or writes the environment at the same time, because there is no other thread. The
            // name is one of ours, without `=` and NUL.
            unsafe { env::set_var(name, value) };
        }
    }
    true
}

/// Returns the value of a variable that is meant for the host alone, and removes it from the environment. To be called before
/// any guest has run; where other threads run already, the variable stays.
pub fn take(name: &str) -> Option<OsString> {
    let value = env::var_os(name)?;
    if threads() == Some(1) {
        // SAFETY: nobody reads or writes the environment at the same time, because there is no other thread.
        unsafe { env::remove_var(name) };
    }
    Some(value)
}

/// Returns the number of the process's threads; `None` where the system does not say.
fn threads() -> Option<usize> {
    Some(std::fs::read_dir("/proc/self/task").ok()?.count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_set_while_other_threads_run() {
        // The test harness runs this on a thread of its own.
        let name = "TRINE_TEST_OF_SET_MISSING";
        assert!(!set_missing(&[(name, "x".to_owned())]));
        assert!(env::var_os(name).is_none());
    }
}
