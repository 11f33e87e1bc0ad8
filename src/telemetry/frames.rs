//! The platform's own channel for logs: a descriptor that takes messages in frames, so that a message may have any number of
//! lines and its level is known without a look into it. Contract: the official clients' framing protocol.

use super::{LambdaSink, ProcessSink};
use std::{
    env,
    fs::File,
    io::{self, Write},
    sync::{Mutex, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};
use trine_engine::{LogFormat, LogSink, Message, Stream};

/// The variable that names the descriptor. It is for the runtime: guests do not see it.
const VARIABLE: &str = "_LAMBDA_TELEMETRY_LOG_FD";

/// The type of a frame with a message in text form, of no level; with one in JSON form.
const TEXT: u32 = 0xA55A_0003;
const JSON: u32 = 0xA55A_0002;

/// The sink that writes messages in frames, and what guests print to the process's outputs.
#[derive(Debug)]
pub struct FrameSink(Mutex<File>);

impl FrameSink {
    /// Makes a sink of the descriptor that the environment names, and removes the variable. `None` where there is no variable,
    /// or nothing open under its number.
    pub fn from_environment() -> Option<Self> {
        // Looked up first: nearly always there is none.
        env::var_os(VARIABLE)?;
        let number = trine_process::environment::take(VARIABLE)?;
        let number = number.to_str()?.trim().parse().ok()?;
        let descriptor = trine_process::descriptor::inherited(number).ok()?;
        Some(Self(Mutex::new(File::from(descriptor))))
    }

    fn send(&self, message: Message<'_>) -> io::Result<()> {
        let mut frame = Vec::with_capacity(HEADER + message.text.len());
        frame.extend_from_slice(&header(&message, SystemTime::now()));
        frame.extend_from_slice(message.text);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write_all(&frame)
    }
}

impl LogSink for FrameSink {
    fn write(&self, stream: Stream, line: &[u8]) {
        ProcessSink.write(stream, line);
    }

    fn message(&self, message: Message<'_>) {
        if self.send(message).is_err() {
            // Nobody reads any more. A line is better than nothing.
            let mut line = message.text.to_vec();
            if line.last() != Some(&b'\n') {
                line.push(b'\n');
            }
            LambdaSink::new().message(Message { text: &line, ..message });
        }
    }

    fn joins_lines(&self) -> bool {
        false
    }

    fn keeps_messages_apart(&self) -> bool {
        true
    }
}

/// Length of a frame's header, in bytes: type, length and microseconds since the epoch, all of them big-endian.
const HEADER: usize = 16;

fn header(message: &Message<'_>, now: SystemTime) -> [u8; HEADER] {
    let form = if message.format == LogFormat::Json { JSON } else { TEXT };
    // None is 0, trace 1, and so on.
    let level = message.level.map_or(0, |level| level as u32 + 1);
    let micros = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_micros() as u64;
    let mut header = [0; HEADER];
    header[..4].copy_from_slice(&(form | (level << 2)).to_be_bytes());
    header[4..8].copy_from_slice(&(message.text.len() as u32).to_be_bytes());
    header[8..].copy_from_slice(&micros.to_be_bytes());
    header
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use trine_engine::Level;

    #[test]
    fn a_header_has_type_length_and_time() {
        let now = UNIX_EPOCH + Duration::from_micros(0x0102_0304_0506_0708);
        let of = |format, level| {
            let stream = Stream::Stdout;
            header(&Message { stream, level, format, text: b"abc" }, now)
        };
        assert_eq!(
            of(LogFormat::Text, None),
            [0xA5, 0x5A, 0, 3, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6, 7, 8]
        );
        let levels =
            [Level::Trace, Level::Debug, Level::Info, Level::Warn, Level::Error, Level::Fatal];
        let types = |format| levels.map(|level| of(format, Some(level))[3]);
        assert_eq!(types(LogFormat::Text), [0x07, 0x0B, 0x0F, 0x13, 0x17, 0x1B]);
        assert_eq!(types(LogFormat::Json), [0x06, 0x0A, 0x0E, 0x12, 0x16, 0x1A]);
        assert_eq!(of(LogFormat::Json, None)[..4], [0xA5, 0x5A, 0, 2]);
    }
}
