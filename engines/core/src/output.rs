//! What a guest prints and logs: lines of the invocation that runs, in the form that the log settings ask for.

use crate::{Invocation, Level, LogFormat, LogSettings, Stream, json_line};
use serde::Serialize;
use std::{
    cell::{Ref, RefCell},
    fmt, mem,
    rc::Rc,
};

/// Maximum length of a printed line, in bytes; a longer one is broken.
const LONGEST_LINE: usize = 1 << 20;

/// Maximum number of bytes of room that is kept for the next line that begins.
const KEPT: usize = 1 << 12;

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

/// The output of one interpreter heap: what its guests print goes out line by line, as it is in text form, and as the message
/// of an object with the invocation's ids in JSON form. A language whose log has a text form of its own renders that itself.
///
/// ```
/// use std::{rc::Rc, sync::{Arc, Mutex}};
/// use trine_engine::{GuestOutput, Invocation, LogSettings, LogSink, Stream};
///
/// #[derive(Default)]
/// struct Kept(Mutex<Vec<u8>>);
///
/// impl LogSink for Kept {
///     fn write(&self, _: Stream, line: &[u8]) {
///         self.0.lock().unwrap().extend_from_slice(line);
///     }
/// }
///
/// let kept = Arc::new(Kept::default());
/// let output = GuestOutput::new(LogSettings { sink: kept.clone(), ..LogSettings::default() });
/// output.run(Some(&Rc::new(Invocation::json("id-1"))));
/// output.write(Stream::Stdout, b"one\ntw");
/// output.write(Stream::Stdout, b"o");
/// assert_eq!(*kept.0.lock().unwrap(), b"one\n");
/// output.flush();
/// assert_eq!(*kept.0.lock().unwrap(), b"one\ntwo\n");
/// ```
pub struct GuestOutput {
    log: LogSettings,
    /// The invocation whose lines these are.
    running: RefCell<Option<Rc<Invocation>>>,
    /// The lines that have begun on stdout and stderr.
    begun: RefCell<[Vec<u8>; 2]>,
}

impl GuestOutput {
    /// Makes the output of guests that write to this log.
    pub fn new(log: LogSettings) -> Self {
        Self { log, running: RefCell::default(), begun: RefCell::default() }
    }

    /// Returns the settings of the log.
    pub fn log(&self) -> &LogSettings {
        &self.log
    }

    /// Sets whose lines come next; `None` when a call has ended, so that nothing of its invocation lives until the next one.
    pub fn run(&self, invocation: Option<&Rc<Invocation>>) {
        let before = self.running.replace(invocation.cloned());
        // The last owner of an invocation ends what its functions shared, which may be another language's code.
        drop(before);
    }

    /// Returns the invocation whose lines these are.
    pub fn running(&self) -> Option<Ref<'_, Rc<Invocation>>> {
        Ref::filter_map(self.running.borrow(), Option::as_ref).ok()
    }

    /// Takes what a guest writes, and passes it on line by line. This memory is not the guest's, and its limit does not
    /// apply to it, so that lines of more than a mebibyte are broken.
    pub fn write(&self, stream: Stream, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let mut begun = self.begun.borrow_mut();
            let begun = &mut begun[usize::from(stream == Stream::Stderr)];
            let room = LONGEST_LINE - begun.len();
            let end = bytes.iter().take(room).position(|byte| *byte == b'\n');
            let (taken, rest) = bytes.split_at(end.map_or(bytes.len().min(room), |end| end + 1));
            bytes = rest;
            if end.is_some() && begun.is_empty() {
                self.line(stream, taken);
                continue;
            }
            begun.extend_from_slice(taken);
            if end.is_none() && begun.len() == LONGEST_LINE {
                begun.push(b'\n');
            }
            if begun.ends_with(b"\n") {
                self.line(stream, begun);
                begun.clear();
                begun.shrink_to(KEPT);
            }
        }
    }

    /// Ends the lines that have begun.
    pub fn flush(&self) {
        for stream in [Stream::Stdout, Stream::Stderr] {
            let index = usize::from(stream == Stream::Stderr);
            let mut line = mem::take(&mut self.begun.borrow_mut()[index]);
            if !line.is_empty() {
                line.push(b'\n');
                self.line(stream, &line);
            }
        }
    }

    /// Writes one piece of what a guest prints, which ends in a newline.
    pub fn line(&self, stream: Stream, line: &[u8]) {
        if self.log.format == LogFormat::Text {
            return self.log.sink.write(stream, line);
        }
        let text = String::from_utf8_lossy(line.strip_suffix(b"\n").unwrap_or(line));
        self.record(stream, Level::Info, &*text);
    }

    /// Writes a message of the engine's own, which has no newline at its end yet, if its level is wanted.
    pub fn message(&self, stream: Stream, level: Level, text: &str) {
        if !self.wants(level) {
            return;
        }
        match self.log.format {
            LogFormat::Text => self.log.send(stream, level, &format!("{text}\n")),
            LogFormat::Json => self.record(stream, level, text),
        }
    }

    /// Whether messages of a level are written.
    pub fn wants(&self, level: Level) -> bool {
        self.log.level.is_none_or(|lowest| level >= lowest)
    }

    /// Writes a line in JSON form, whatever the settings ask for: an object with the time, the level, the invocation's ids
    /// and this message.
    pub fn record(&self, stream: Stream, level: Level, message: &(impl Serialize + ?Sized)) {
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

impl fmt::Debug for GuestOutput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GuestOutput").field("log", &self.log).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::LogSink;
    use std::sync::{Arc, Mutex};

    #[derive(Default)]
    struct Kept(Mutex<Vec<(Stream, Vec<u8>)>>);

    impl LogSink for Kept {
        fn write(&self, stream: Stream, line: &[u8]) {
            self.0.lock().unwrap().push((stream, line.to_vec()));
        }
    }

    fn output(format: LogFormat, level: Option<Level>) -> (GuestOutput, Arc<Kept>) {
        let kept = Arc::new(Kept::default());
        (GuestOutput::new(LogSettings { sink: kept.clone(), format, level }), kept)
    }

    fn taken(kept: &Kept) -> Vec<(Stream, String)> {
        let lines = mem::take(&mut *kept.0.lock().unwrap()).into_iter();
        lines.map(|(stream, line)| (stream, String::from_utf8(line).unwrap())).collect()
    }

    #[test]
    fn pieces_are_put_together_to_lines_of_their_stream() {
        let (output, kept) = output(LogFormat::Text, None);
        output.write(Stream::Stdout, b"a\nb\nc");
        output.write(Stream::Stderr, b"x");
        output.write(Stream::Stdout, b"d\n");
        let (out, err) = (Stream::Stdout, Stream::Stderr);
        let line = |stream, text: &str| (stream, text.to_owned());
        assert_eq!(taken(&kept), [line(out, "a\n"), line(out, "b\n"), line(out, "cd\n")]);
        output.flush();
        output.flush();
        assert_eq!(taken(&kept), [line(err, "x\n")]);
    }

    #[test]
    fn a_line_without_end_is_broken_and_loses_nothing() {
        let (output, kept) = output(LogFormat::Text, None);
        for _ in 0..5 {
            output.write(Stream::Stdout, &vec![b'x'; LONGEST_LINE / 2]);
        }
        output.write(Stream::Stdout, b"\n");
        let lengths: Vec<_> = taken(&kept).iter().map(|(_, line)| line.len()).collect();
        assert_eq!(lengths, [LONGEST_LINE + 1, LONGEST_LINE + 1, LONGEST_LINE / 2 + 1]);
        output.write(Stream::Stdout, &[vec![b'y'; LONGEST_LINE + 7], b"\n".to_vec()].concat());
        let lengths: Vec<_> = taken(&kept).iter().map(|(_, line)| line.len()).collect();
        assert_eq!(lengths, [LONGEST_LINE + 1, 8]);
    }

    #[test]
    fn lines_in_json_form_have_the_ids_of_the_invocation_that_runs() {
        let (output, kept) = output(LogFormat::Json, Some(Level::Warn));
        let invocation = Invocation { tenant_id: Some("blue".into()), ..Invocation::json("id-1") };
        output.run(Some(&Rc::new(invocation)));
        output.write(Stream::Stdout, b"a \xff\n");
        output.run(None);
        assert!(output.running().is_none());
        output.message(Stream::Stderr, Level::Info, "unwanted");
        output.message(Stream::Stderr, Level::Warn, "odd");
        let lines = taken(&kept);
        let parsed = |at: usize| serde_json::from_str::<serde_json::Value>(&lines[at].1).unwrap();
        assert_eq!(lines.len(), 2);
        assert_eq!(
            (&parsed(0)["requestId"], &parsed(0)["tenantId"]),
            (&"id-1".into(), &"blue".into())
        );
        assert_eq!(
            (&parsed(0)["message"], &parsed(0)["level"]),
            (&"a \u{fffd}".into(), &"INFO".into())
        );
        assert_eq!((&parsed(1)["message"], &parsed(1)["level"]), (&"odd".into(), &"WARN".into()));
        assert!(parsed(1).get("requestId").is_none());
    }

    #[test]
    fn messages_in_text_form_are_lines() {
        let (output, kept) = output(LogFormat::Text, None);
        output.message(Stream::Stderr, Level::Warn, "odd");
        assert_eq!(taken(&kept), [(Stream::Stderr, "odd\n".to_owned())]);
    }
}
