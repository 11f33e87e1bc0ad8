//! The process's outputs as a log sink.

use std::io::{IsTerminal, Write, stderr, stdout};
use trine_engine::{LogSink, Message, Stream};

/// Standard output and standard error, as guests name them.
#[derive(Debug, Clone, Copy)]
pub struct ProcessSink;

impl LogSink for ProcessSink {
    fn write(&self, stream: Stream, line: &[u8]) {
        // Output that nobody takes is dropped: there is no better place to complain.
        let _ = match stream {
            Stream::Stdout => {
                let mut out = stdout().lock();
                out.write_all(line).and_then(|()| out.flush())
            }
            Stream::Stderr => stderr().lock().write_all(line),
        };
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
        ProcessSink.write(Stream::Stdout, message.text);
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

    fn joins_lines(&self) -> bool {
        false
    }
}
