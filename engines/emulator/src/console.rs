//! Where lines go: what a function's processes write, and what the platform says about invocations.

use std::{fmt, sync::Arc};

/// Who wrote a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writer {
    /// A runtime's process, to its standard output.
    Stdout,
    /// A runtime's process, to its standard error.
    Stderr,
    /// The platform, about an invocation: START, END, REPORT.
    Platform,
    /// The emulator, about something that Lambda does silently or elsewhere.
    Note,
    /// The emulator, about a rule that the runtime has broken.
    Violation,
}

/// The receiver of lines. Called with the function's name, the writer, and one or more whole lines.
#[derive(Clone)]
pub struct Console(Arc<Receive>);

type Receive = dyn Fn(&str, Writer, &[u8]) + Send + Sync;

impl Console {
    /// Makes a console that calls `receive`, on any of the emulator's threads.
    pub fn new(receive: impl Fn(&str, Writer, &[u8]) + Send + Sync + 'static) -> Self {
        Self(Arc::new(receive))
    }

    pub(super) fn receive(&self, function: &str, writer: Writer, lines: &[u8]) {
        (self.0)(function, writer, lines);
    }
}

impl fmt::Debug for Console {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Console")
    }
}
