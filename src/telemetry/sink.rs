//! The process's outputs as a log sink.

use std::{
    io::{self, IsTerminal, Write, stderr, stdout},
    sync::atomic::{AtomicBool, Ordering},
};
use trine_engine::{LogFormat, LogSink, Message, Stream};

/// Whether the last line on standard output and the one on standard error have begun and not ended. Only whoever holds an
/// output's lock reads and writes its flag.
static HAS_BEGUN: [AtomicBool; 2] = [AtomicBool::new(false), AtomicBool::new(false)];

/// Standard output and standard error, as guests name them.
#[derive(Debug, Clone, Copy)]
pub struct ProcessSink;

impl ProcessSink {
    /// Writes text, on a line of its own if so asked. Output that nobody takes is dropped: there is no better place to
    /// complain.
    fn send(stream: Stream, text: &[u8], on_own_line: bool) {
        let _ = match stream {
            Stream::Stdout => {
                let mut out = stdout().lock();
                put(&mut out, &HAS_BEGUN[0], text, on_own_line).and_then(|()| out.flush())
            }
            Stream::Stderr => put(&mut stderr().lock(), &HAS_BEGUN[1], text, on_own_line),
        };
    }
}

fn put(
    out: &mut impl Write,
    has_begun: &AtomicBool,
    text: &[u8],
    on_own_line: bool,
) -> io::Result<()> {
    if on_own_line && has_begun.load(Ordering::Relaxed) {
        out.write_all(b"\n")?;
    }
    if let Some(last) = text.last() {
        has_begun.store(*last != b'\n', Ordering::Relaxed);
    }
    out.write_all(text)
}

impl LogSink for ProcessSink {
    fn write(&self, stream: Stream, line: &[u8]) {
        Self::send(stream, line, false);
    }

    fn message(&self, message: Message<'_>) {
        // Behind the beginning of another line nobody would take an object for one.
        Self::send(message.stream, message.text, message.format == LogFormat::Json);
    }

    fn joins_lines(&self) -> bool {
        false
    }
}

/// Lambda's log stream, which takes each line that the process writes for a message of its own.
#[derive(Debug, Clone, Copy)]
pub struct LambdaSink {
    is_terminal: bool,
}

impl LambdaSink {
    /// Makes a sink of the outputs as Lambda reads them. Where a person does, at a terminal, lines stay lines.
    pub fn new() -> Self {
        Self { is_terminal: stdout().is_terminal() }
    }
}

impl Default for LambdaSink {
    fn default() -> Self {
        Self::new()
    }
}

impl LogSink for LambdaSink {
    fn write(&self, stream: Stream, line: &[u8]) {
        ProcessSink.write(stream, line);
    }

    fn message(&self, message: Message<'_>) {
        // All of them on one output, as the official clients write them: what is read of two has no order.
        ProcessSink.message(Message { stream: Stream::Stdout, ..message });
    }

    fn joins_lines(&self) -> bool {
        !self.is_terminal
    }
}

/// Standard error for everything: for commands whose standard output is a result.
#[derive(Debug, Clone, Copy)]
pub struct ErrorSink;

impl LogSink for ErrorSink {
    fn write(&self, _stream: Stream, line: &[u8]) {
        ProcessSink.write(Stream::Stderr, line);
    }

    fn message(&self, message: Message<'_>) {
        ProcessSink.message(Message { stream: Stream::Stderr, ..message });
    }

    fn joins_lines(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_wants_a_line_of_its_own_ends_the_one_that_has_begun() {
        let has_begun = AtomicBool::new(false);
        let mut out = Vec::new();
        for (text, on_own_line) in [
            ("{}\n", true),
            ("part", false),
            ("", false),
            ("{}\n", true),
            ("part", false),
            (" and rest\n", false),
            ("{}\n", true),
        ] {
            put(&mut out, &has_begun, text.as_bytes(), on_own_line).unwrap();
        }
        assert_eq!(String::from_utf8(out).unwrap(), "{}\npart\n{}\npart and rest\n{}\n");
    }
}
