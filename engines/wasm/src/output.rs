//! The output of a guest: lines of standard error, and of standard output where that is not the answer, in the form that
//! the log settings ask for.

use serde::Serialize;
use std::{cell::RefCell, rc::Rc};
use trine_engine::{Invocation, Level, LogFormat, LogSettings, Stream, json_line};

/// Maximum length of a line, in bytes; a longer one is broken.
const LONGEST_LINE: usize = 1 << 20;

/// The members of a log line in JSON form, besides its time and its level.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Record<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant_id: Option<&'a str>,
    message: &'a str,
}

/// The output of the guests of an instance.
pub(crate) struct Output {
    log: LogSettings,
    /// The invocation whose lines these are.
    running: RefCell<Option<Rc<Invocation>>>,
    /// The lines that have begun on stdout and stderr.
    begun: RefCell<[Vec<u8>; 2]>,
}

impl Output {
    pub(crate) fn new(log: LogSettings) -> Self {
        Self { log, running: RefCell::default(), begun: RefCell::default() }
    }

    /// Sets whose lines come next.
    pub(crate) fn run(&self, invocation: Option<Rc<Invocation>>) {
        let before = self.running.replace(invocation);
        // The last owner of an invocation ends what its functions shared, which may be another language's code.
        drop(before);
    }

    /// Takes what a guest writes, and passes it on line by line.
    pub(crate) fn write(&self, stream: Stream, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let mut begun = self.begun.borrow_mut();
            let begun = &mut begun[usize::from(stream == Stream::Stderr)];
            let room = LONGEST_LINE - begun.len();
            let end = bytes.iter().take(room).position(|byte| *byte == b'\n');
            let taken = end.map_or(bytes.len().min(room), |end| end + 1);
            begun.extend_from_slice(&bytes[..taken]);
            bytes = &bytes[taken..];
            if end.is_none() && begun.len() == LONGEST_LINE {
                begun.push(b'\n');
            }
            if begun.ends_with(b"\n") {
                let line = std::mem::take(begun);
                self.line(stream, &line);
            }
        }
    }

    /// Ends the lines that have begun.
    pub(crate) fn flush(&self) {
        for stream in [Stream::Stdout, Stream::Stderr] {
            let index = usize::from(stream == Stream::Stderr);
            let mut line = std::mem::take(&mut self.begun.borrow_mut()[index]);
            if !line.is_empty() {
                line.push(b'\n');
                self.line(stream, &line);
            }
        }
    }

    /// Writes one piece of output that ends in a newline.
    pub(crate) fn line(&self, stream: Stream, line: &[u8]) {
        if self.log.format == LogFormat::Text {
            return self.log.sink.write(stream, line);
        }
        let text = String::from_utf8_lossy(line.strip_suffix(b"\n").unwrap_or(line));
        let running = self.running.borrow();
        let invocation = running.as_deref();
        let record = Record {
            request_id: invocation.map(|invocation| &*invocation.request_id),
            tenant_id: invocation.and_then(|invocation| invocation.tenant_id.as_deref()),
            message: &text,
        };
        self.log.send(stream, Level::Info, &json_line(Level::Info, &record));
    }
}
