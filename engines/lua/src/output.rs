//! The output of a guest: `print`, `io.write`, `warn` and `trine.log`, in the form that the log settings ask for.

use serde_json::value::RawValue;
use std::{
    borrow::Cow,
    cell::{Cell, RefCell},
    rc::Rc,
};
use trine_engine::{GuestOutput, Invocation, Level, LogFormat, LogSettings, Stream, timestamp};

/// The output of one Lua state.
pub(crate) struct Output {
    lines: GuestOutput,
    /// Whether warnings are written, and the one that has begun.
    warnings: Cell<bool>,
    warning: RefCell<String>,
}

impl Output {
    pub(crate) fn new(log: LogSettings) -> Self {
        let lines = GuestOutput::new(log);
        Self { lines, warnings: Cell::new(false), warning: RefCell::default() }
    }

    /// Sets whose lines come next.
    pub(crate) fn run(&self, invocation: Option<&Rc<Invocation>>) {
        self.lines.run(invocation);
    }

    /// Drops the invocation of the call that has ended: what it holds must not live until the next one.
    pub(crate) fn rest(&self) {
        self.lines.run(None);
    }

    /// Returns the invocation of the running call, valid for as long as the call runs.
    pub(crate) fn invocation(&self) -> Option<*const Invocation> {
        self.lines.running().map(|invocation| Rc::as_ptr(&invocation))
    }

    /// Returns when the running call has to end, in milliseconds since the epoch.
    pub(crate) fn deadline(&self) -> Option<u64> {
        self.lines.running().and_then(|invocation| invocation.deadline_ms)
    }

    /// Returns the request id of the running call.
    pub(crate) fn request_id(&self) -> Option<String> {
        self.lines.running().map(|invocation| invocation.request_id.clone())
    }

    /// Takes text from `io.write`, and passes it on line by line.
    pub(crate) fn write(&self, stream: Stream, text: &[u8]) {
        self.lines.write(stream, text);
    }

    /// Ends the lines that `io.write` has begun.
    pub(crate) fn flush(&self) {
        self.lines.flush();
    }

    /// Takes a piece of the text passed to `warn`, and writes the whole: not before `warn("@on")`, as in Lua's own
    /// interpreter.
    pub(crate) fn warn(&self, text: &str, to_be_continued: bool) {
        let mut begun = self.warning.borrow_mut();
        if begun.is_empty() && !to_be_continued && text.starts_with('@') {
            match text {
                "@on" => self.warnings.set(true),
                "@off" => self.warnings.set(false),
                _ => {}
            }
            return;
        }
        begun.push_str(text);
        if to_be_continued {
            return;
        }
        let text = std::mem::take(&mut *begun);
        if !self.warnings.get() {
            return;
        }
        match self.lines.log().format {
            LogFormat::Text => {
                self.line(Stream::Stderr, format!("Lua warning: {text}\n").as_bytes())
            }
            LogFormat::Json => self.lines.record(Stream::Stderr, Level::Warn, &*text),
        }
    }

    /// Writes one piece of output that ends in a newline.
    pub(crate) fn line(&self, stream: Stream, line: &[u8]) {
        self.lines.line(stream, line);
    }

    /// Writes a log line, if its level is wanted. `message` is text; `json` is the JSON form of
    /// what was logged, where that is no text.
    pub(crate) fn log(&self, level: Level, message: &str, json: Option<&str>) {
        if !self.lines.wants(level) {
            return;
        }
        let log = self.lines.log();
        if log.format == LogFormat::Json {
            let json = json.and_then(|json| serde_json::from_str::<&RawValue>(json).ok());
            return match json {
                Some(json) => self.lines.record(Stream::Stdout, level, json),
                None => self.lines.record(Stream::Stdout, level, message),
            };
        }
        // As in Node's runtime, also where there is no invocation.
        let id = self.request_id();
        let id = id.as_deref().unwrap_or("undefined");
        let message = match log.sink.joins_lines() {
            true => Cow::Owned(message.replace('\n', "\r")),
            false => Cow::Borrowed(message),
        };
        let line = format!("{}\t{id}\t{}\t{message}\n", timestamp(), level.name());
        log.send(Stream::Stdout, level, &line);
    }
}
