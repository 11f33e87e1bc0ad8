//! Says in the process's environment that it runs guests, so that a child of theirs which is this very program knows what it
//! is not: Lambda's runtime. One source for every language crate.

use std::{env, sync::Once};
use trine_engine::CHILD_MARK;

/// Marks the environment, once, before any guest has run.
pub(crate) fn mark() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let api = env::var_os("AWS_LAMBDA_RUNTIME_API").unwrap_or_default();
        if env::var_os(CHILD_MARK).is_some_and(|mark| mark == api) {
            return;
        }
        // SAFETY: no guest runs yet. Other threads of the host may read the environment meanwhile, through the standard
        // library, which has a lock for that, or through C's `getenv`: the first change that a process makes leaves what it
        // was started with in place.
        unsafe { env::set_var(CHILD_MARK, api) };
    });
}
