//! The output of a guest: `print`, `io.write`, `warn` and `trine.log`, in the form that the log settings ask for.

use serde::Serialize;
use serde_json::value::RawValue;
use std::{
    borrow::Cow,
    cell::{Cell, RefCell},
    rc::Rc,
};
use trine_engine::{Invocation, Level, LogFormat, LogSettings, Stream, json_line, timestamp};

/// Maximum length of a line, in bytes; a longer one is broken.
const LONGEST_LINE: usize = 1 << 20;

/// The members of a log line in JSON form, besides its time and its level.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Record<'a, M: ?Sized> {
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant_id: Option<&'a str>,
    message: &'a M,
}

/// The output of one Lua state.
pub(crate) struct Output {
    log: LogSettings,
    /// The invocation whose lines these are.
    running: RefCell<Option<Rc<Invocation>>>,
    /// The lines that `io.write` has begun on stdout and stderr.
    begun: RefCell<[Vec<u8>; 2]>,
    /// Whether warnings are written, and the one that has begun.
    warnings: Cell<bool>,
    warning: RefCell<String>,
}

impl Output {
    pub(crate) fn new(log: LogSettings) -> Self {
        Self {
            log,
            running: RefCell::default(),
            begun: RefCell::default(),
            warnings: Cell::new(false),
            warning: RefCell::default(),
        }
    }

    /// Sets whose lines come next.
    pub(crate) fn run(&self, invocation: Option<&Rc<Invocation>>) {
        let before = self.running.replace(invocation.cloned());
        // The last owner of an invocation ends what its functions shared, which may be another language's code.
        drop(before);
    }

    /// Drops the invocation of the call that has ended: what it holds must not live until the next one.
    pub(crate) fn rest(&self) {
        drop(self.running.take());
    }

    /// Returns the invocation of the running call, valid for as long as the call runs.
    pub(crate) fn invocation(&self) -> Option<*const Invocation> {
        self.running.borrow().as_ref().map(Rc::as_ptr)
    }

    /// Returns when the running call has to end, in milliseconds since the epoch.
    pub(crate) fn deadline(&self) -> Option<u64> {
        self.running.borrow().as_ref().and_then(|invocation| invocation.deadline_ms)
    }

    /// Returns the request id of the running call.
    pub(crate) fn request_id(&self) -> Option<String> {
        self.running.borrow().as_ref().map(|invocation| invocation.request_id.clone())
    }

    /// Takes text from `io.write`, and passes it on line by line.
    pub(crate) fn write(&self, stream: Stream, text: &[u8]) {
        let mut begun = self.begun.borrow_mut();
        let begun = &mut begun[usize::from(stream == Stream::Stderr)];
        begun.extend_from_slice(text);
        if begun.len() > LONGEST_LINE && !text.contains(&b'\n') {
            // This memory is not the guest's, so the guest's limit does not apply.
            begun.push(b'\n');
        }
        if let Some(end) = begun.iter().rposition(|&byte| byte == b'\n') {
            let lines: Vec<u8> = begun.drain(..=end).collect();
            lines.split_inclusive(|&byte| byte == b'\n').for_each(|line| self.line(stream, line));
        }
    }

    /// Ends the lines that `io.write` has begun.
    pub(crate) fn flush(&self) {
        for stream in [Stream::Stdout, Stream::Stderr] {
            let index = usize::from(stream == Stream::Stderr);
            if self.begun.borrow()[index].is_empty() {
                continue;
            }
            let mut line = std::mem::take(&mut self.begun.borrow_mut()[index]);
            line.push(b'\n');
            self.line(stream, &line);
        }
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
        match self.log.format {
            LogFormat::Text => {
                self.line(Stream::Stderr, format!("Lua warning: {text}\n").as_bytes())
            }
            LogFormat::Json => self.record(Stream::Stderr, Level::Warn, &*text),
        }
    }

    /// Writes one piece of output that ends in a newline.
    pub(crate) fn line(&self, stream: Stream, line: &[u8]) {
        if self.log.format == LogFormat::Text {
            return self.log.sink.write(stream, line);
        }
        let text = String::from_utf8_lossy(line.strip_suffix(b"\n").unwrap_or(line));
        self.record(stream, Level::Info, &*text);
    }

    /// Writes a log line, if its level is wanted. `message` is text; `json` is the JSON form of
    /// what was logged, where that is no text.
    pub(crate) fn log(&self, level: Level, message: &str, json: Option<&str>) {
        if self.log.level.is_some_and(|lowest| level < lowest) {
            return;
        }
        if self.log.format == LogFormat::Json {
            let json = json.and_then(|json| serde_json::from_str::<&RawValue>(json).ok());
            return match json {
                Some(json) => self.record(Stream::Stdout, level, json),
                None => self.record(Stream::Stdout, level, message),
            };
        }
        // As in Node's runtime, also where there is no invocation.
        let id = self.request_id();
        let id = id.as_deref().unwrap_or("undefined");
        let message = match self.log.sink.joins_lines() {
            true => Cow::Owned(message.replace('\n', "\r")),
            false => Cow::Borrowed(message),
        };
        let line = format!("{}\t{id}\t{}\t{message}\n", timestamp(), level.name());
        self.log.send(Stream::Stdout, level, &line);
    }

    fn record(&self, stream: Stream, level: Level, message: &(impl Serialize + ?Sized)) {
        let running = self.running.borrow();
        let invocation = running.as_deref();
        let record = Record {
            request_id: invocation.map(|invocation| &*invocation.request_id),
            tenant_id: invocation.and_then(|invocation| invocation.tenant_id.as_deref()),
            message,
        };
        self.log.send(stream, level, &json_line(level, &record));
    }
}
