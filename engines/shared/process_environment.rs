//! Variables of the process's environment that are set before anything runs. One source for every language crate: the rest
//! of the product has no way to change the environment.

/// Sets those of the variables that are not set, if this is the only thread of the process. Whether it is.
pub(crate) fn set_missing(variables: &[(&str, String)]) -> bool {
    if threads() != Some(1) {
        return false;
    }
    for (name, value) in variables {
        if std::env::var_os(name).is_none() && !value.contains('\0') {
            // SAFETY: nobody reads or writes the environment at the same time, because there is no other thread. The
            // name is one of ours, without `=` and NUL.
            unsafe { std::env::set_var(name, value) };
        }
    }
    true
}

/// How many threads the process has; `None` where the system does not say.
fn threads() -> Option<usize> {
    Some(std::fs::read_dir("/proc/self/task").ok()?.count())
}

#[cfg(test)]
mod tests {
    #[test]
    fn nothing_is_set_while_other_threads_run() {
        // The test harness runs this on a thread of its own.
        let name = "TRINE_TEST_OF_SET_MISSING";
        assert!(!super::set_missing(&[(name, "x".to_owned())]));
        assert!(std::env::var_os(name).is_none());
    }
}
