//! The foundation of the tests: the real binary as a guarded process, folders of functions, sockets.

mod folder;
mod http;
mod lambda;
mod log;
mod mqtt;
mod nats;
#[allow(dead_code, unused_imports, reason = "streams are read by tests of languages that stream")]
mod platform;
mod port;
mod process;
mod serve;
mod sqs;

pub(crate) use folder::{Folder, LANGUAGES, Language, PROBE_LANGUAGES, line_of, repository};
pub(crate) use http::{Connection, Reply};
pub(crate) use lambda::{Lambda, ask};
pub(crate) use log::timeless;
pub(crate) use mqtt::Mqtt;
pub(crate) use nats::Nats;
#[allow(unused_imports, reason = "as above")]
pub(crate) use platform::{Exchange, Platform};
pub(crate) use port::free_port;
pub(crate) use process::{Finished, Process, binary, command, run, run_with_input, trine};
pub(crate) use serve::Served;
pub(crate) use sqs::Sqs;

use std::{
    thread,
    time::{Duration, Instant},
};

/// Maximum time anything may take before a test gives up on it. Passing tests never come close.
pub(crate) const LIMIT: Duration = Duration::from_secs(90);

/// Waits until `done` returns something.
///
/// # Panics
/// When it does not within [`LIMIT`].
#[track_caller]
pub(crate) fn eventually<T>(what: &str, mut done: impl FnMut() -> Option<T>) -> T {
    let until = Instant::now() + LIMIT;
    loop {
        if let Some(value) = done() {
            return value;
        }
        assert!(Instant::now() < until, "waited in vain until {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Makes a test of its own for each of these languages out of a check that takes one.
macro_rules! in_each_language {
    ($($(#[$note:meta])* $name:ident($language:ident) $check:block)*) => {$(
        mod $name {
            #[allow(unused_imports, reason = "not every check needs everything of its file")]
            use super::*;
            $(#[$note])*
            fn check($language: crate::support::Language) $check
            #[test]
            fn mjs() { check(crate::support::LANGUAGES[0]); }
            #[test]
            fn cjs() { check(crate::support::LANGUAGES[1]); }
            #[test]
            fn ts() { check(crate::support::LANGUAGES[2]); }
            #[test]
            fn py() { check(crate::support::LANGUAGES[3]); }
            #[test]
            fn lua() { check(crate::support::LANGUAGES[4]); }
        }
    )*};
}
pub(crate) use in_each_language;
