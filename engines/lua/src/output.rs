//! What a guest writes: `print`, `io.write`, `warn` and `trine.log`, in the form that the log settings ask for.

use crate::host::Host;
use mlua::ffi::{self, lua_State};
use std::{
    borrow::Cow,
    cell::{Cell, RefCell},
    ffi::{CStr, c_char, c_int, c_void},
    mem::ManuallyDrop,
    rc::Rc,
};
use trine_engine::{Invocation, Level, LogFormat, LogSettings, Stream, json_string, timestamp};

/// A line that grows longer than this, in bytes, is broken.
const LONGEST_LINE: usize = 1 << 20;

/// The output of one Lua state.
pub(crate) struct Output {
    log: LogSettings,
    /// Whose lines these are.
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

    /// Says whose lines come now.
    pub(crate) fn run(&self, invocation: Option<&Rc<Invocation>>) {
        let before = self.running.replace(invocation.cloned());
        // The last owner of an invocation ends what its functions shared, which may be another language's code.
        drop(before);
    }

    /// The call whose lines these were has ended: what its invocation holds must not live until the next one.
    pub(crate) fn rest(&self) {
        drop(self.running.take());
    }

    /// The invocation of the call that runs, valid for as long as it does.
    pub(crate) fn invocation(&self) -> Option<*const Invocation> {
        self.running.borrow().as_ref().map(Rc::as_ptr)
    }

    /// When the call that runs has to end, in milliseconds since the epoch.
    pub(crate) fn deadline(&self) -> Option<u64> {
        self.running.borrow().as_ref().and_then(|invocation| invocation.deadline_ms)
    }

    /// The request id of the call that runs.
    pub(crate) fn request_id(&self) -> Option<String> {
        self.running.borrow().as_ref().map(|invocation| invocation.request_id.clone())
    }

    /// Takes what `io.write` wrote, and passes it on line by line.
    fn write(&self, stream: Stream, text: &[u8]) {
        let mut begun = self.begun.borrow_mut();
        let begun = &mut begun[usize::from(stream == Stream::Stderr)];
        begun.extend_from_slice(text);
        if begun.len() > LONGEST_LINE && !text.contains(&b'\n') {
            // This memory is not the guest's, so that its limit does not hold.
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

    /// Writes what the guest gave to `warn`.
    fn warn(&self, text: &str) {
        match self.log.format {
            LogFormat::Text => {
                self.line(Stream::Stderr, format!("Lua warning: {text}\n").as_bytes())
            }
            LogFormat::Json => self.record(Stream::Stderr, Level::Warn, &json_string(text)),
        }
    }

    /// Writes one piece of output that ends in a newline.
    fn line(&self, stream: Stream, line: &[u8]) {
        if self.log.format == LogFormat::Text {
            return self.log.sink.write(stream, line);
        }
        let text = String::from_utf8_lossy(line.strip_suffix(b"\n").unwrap_or(line));
        self.record(stream, Level::Info, &json_string(&text));
    }

    /// Writes a log line, if its level is wanted. `message` is text; `json` is its JSON form.
    fn log(&self, level: Level, message: &str, json: &str) {
        if self.log.level.is_some_and(|lowest| level < lowest) {
            return;
        }
        if self.log.format == LogFormat::Json {
            return self.record(Stream::Stdout, level, json);
        }
        let id = self.request_id().unwrap_or_default();
        // As in Node's runtime.
        let message = match self.log.sink.joins_lines() {
            true => Cow::Owned(message.replace('\n', "\r")),
            false => Cow::Borrowed(message),
        };
        let line = format!("{}\t{id}\t{}\t{message}\n", timestamp(), level.name());
        self.log.sink.write(Stream::Stdout, line.as_bytes());
    }

    fn record(&self, stream: Stream, level: Level, message: &str) {
        let mut line =
            format!("{{\"timestamp\":\"{}\",\"level\":\"{}\"", timestamp(), level.name());
        if let Some(invocation) = &*self.running.borrow() {
            line.push_str(&format!(",\"requestId\":{}", json_string(&invocation.request_id)));
            if let Some(tenant) = &invocation.tenant_id {
                line.push_str(&format!(",\"tenantId\":{}", json_string(tenant)));
            }
        }
        line.push_str(&format!(",\"message\":{message}}}\n"));
        self.log.sink.write(stream, line.as_bytes());
    }
}

/// The host's functions that are C closures whose first upvalue is the [`Host`]: output, which finalizers may also
/// write while a state is closed.
pub(crate) const CLOSURES: [(&str, ffi::lua_CFunction); 5] =
    [("print", print), ("write", write), ("flush", flush), ("log", log), ("trace_id", trace_id)];

/// The string at `index`; raises when there is none.
unsafe fn argument<'a>(state: *mut lua_State, index: c_int) -> &'a [u8] {
    let mut length = 0;
    // SAFETY: called with arguments on the stack, where the string stays until the function returns.
    unsafe {
        let text = ffi::luaL_checklstring(state, index, &raw mut length);
        std::slice::from_raw_parts(text.cast(), length)
    }
}

/// `print(line)`: one line, without its newline.
unsafe extern "C-unwind" fn print(state: *mut lua_State) -> c_int {
    // SAFETY: a closure of this host; nothing with a destructor is alive where an argument may be wrong.
    unsafe {
        let text = argument(state, 1);
        Host::of(state).output().line(Stream::Stdout, &[text, b"\n"].concat());
    }
    0
}

/// `write(stderr, text)`.
unsafe extern "C-unwind" fn write(state: *mut lua_State) -> c_int {
    // SAFETY: as for `print`.
    unsafe {
        let stderr = ffi::lua_toboolean(state, 1) != 0;
        let text = argument(state, 2);
        Host::of(state).output().write(if stderr { Stream::Stderr } else { Stream::Stdout }, text);
    }
    0
}

/// `flush()`.
unsafe extern "C-unwind" fn flush(state: *mut lua_State) -> c_int {
    // SAFETY: as for `print`.
    unsafe { Host::of(state).output().flush() };
    0
}

/// `log(level, text, json or nil)`; returns what is wrong with the level, if anything.
unsafe extern "C-unwind" fn log(state: *mut lua_State) -> c_int {
    // SAFETY: as for `print`; the message about the level is kept from the frame while it is pushed.
    unsafe {
        let (level, text) = (argument(state, 1), argument(state, 2));
        let json = (ffi::lua_type(state, 3) == ffi::LUA_TSTRING).then(|| argument(state, 3));
        match String::from_utf8_lossy(level).parse() {
            Ok(level) => {
                let text = String::from_utf8_lossy(text);
                let json = match json {
                    Some(json) => String::from_utf8_lossy(json).into_owned(),
                    None => json_string(&text),
                };
                Host::of(state).output().log(level, &text, &json);
                0
            }
            Err(message) => {
                let mut message = ManuallyDrop::<String>::new(message);
                ffi::lua_pushlstring(state, message.as_ptr().cast(), message.len());
                ManuallyDrop::drop(&mut message);
                1
            }
        }
    }
}

/// `trace_id()` of the call that runs.
unsafe extern "C-unwind" fn trace_id(state: *mut lua_State) -> c_int {
    // SAFETY: as for `print`. The call keeps its invocation alive while its code runs.
    unsafe {
        let output = Host::of(state).output();
        let running = output.running.borrow().as_ref().map(Rc::as_ptr);
        match running.and_then(|invocation| (*invocation).trace_id.as_deref()) {
            Some(id) => {
                ffi::lua_pushlstring(state, id.as_ptr().cast(), id.len());
            }
            None => ffi::lua_pushnil(state),
        }
    }
    1
}

/// What `warn` does: off until `warn("@on")`, as in Lua's own interpreter.
///
/// # Safety
/// To be set with `lua_setwarnf` and the state's [`Host`].
pub(crate) unsafe extern "C-unwind" fn warn(
    host: *mut c_void,
    text: *const c_char,
    to_be_continued: c_int,
) {
    // SAFETY: Lua passes the host on, and a text that ends in NUL.
    let (output, text) =
        unsafe { ((*host.cast::<Host>()).output(), CStr::from_ptr(text).to_string_lossy()) };
    let mut begun = output.warning.borrow_mut();
    if begun.is_empty() && to_be_continued == 0 && text.starts_with('@') {
        match &*text {
            "@on" => output.warnings.set(true),
            "@off" => output.warnings.set(false),
            _ => {}
        }
        return;
    }
    begun.push_str(&text);
    if to_be_continued == 0 {
        let text = std::mem::take(&mut *begun);
        if output.warnings.get() {
            output.warn(&text);
        }
    }
}
