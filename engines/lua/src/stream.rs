//! Answers in pieces: the chunks that a handler's coroutine yields, and those that the handler writes itself.
//!
//! The loop over chunks is a prelude's, `host.stream`; what it is built on is here. The functions are called by Lua and
//! may leave by an error, which skips Rust frames: what has a destructor is dropped, or handed to the host, before
//! anything may raise.

use crate::{
    convert::{self, Fault, Strictness},
    guard::{self, Step},
    host::Host,
    limits,
    trace::Trace,
    waits::Outcome,
};
use bytes::Bytes;
use mlua::ffi::{self, lua_State};
use serde_json::{Map, Value};
use std::{
    cell::Cell,
    ffi::{CStr, c_int},
    future,
    mem::ManuallyDrop,
    rc::Rc,
};
use trine_engine::{
    BYTE_CHUNKS, Error, ErrorKind, Invocation, JSON_LINES, ResponseStream, StreamHead, TEXT_CHUNKS,
    Written,
};

/// The parts of a state's host that are about answers in pieces.
pub(crate) struct Streaming {
    /// The key of `host.stream`.
    driver: Cell<c_int>,
    /// Whether the running call may write its answer.
    allowed: Cell<bool>,
    /// The coroutine that was asked for a chunk last, in this segment of a call.
    source: Cell<Option<*mut lua_State>>,
    /// The place in a coroutine at which its chunks came to an end, for the error that is raised about it.
    place: Cell<Option<Trace>>,
    /// Whether the answer of the call that has just returned has gone out in pieces.
    streamed: Cell<bool>,
}

impl Default for Streaming {
    fn default() -> Self {
        Self {
            driver: Cell::new(ffi::LUA_REFNIL),
            allowed: Cell::new(false),
            source: Cell::new(None),
            place: Cell::new(None),
            streamed: Cell::new(false),
        }
    }
}

impl Streaming {
    pub(crate) fn set_driver(&self, key: c_int) {
        self.driver.set(key);
    }

    /// Returns the key in the registry of the function that sends what a coroutine or a function gives.
    pub(crate) fn driver(&self) -> c_int {
        self.driver.get()
    }

    /// Notes whether the call that runs from now on may write its answer.
    pub(crate) fn allow(&self, allowed: bool) {
        self.allowed.set(allowed);
    }

    /// Takes the coroutine that was asked for a chunk.
    pub(crate) fn take_source(&self) -> Option<*mut lua_State> {
        self.source.take()
    }

    pub(crate) fn take_place(&self) -> Option<Trace> {
        self.place.take()
    }

    pub(crate) fn set_streamed(&self) {
        self.streamed.set(true);
    }

    pub(crate) fn take_streamed(&self) -> bool {
        self.streamed.take()
    }
}

/// Name and function of everything here that the preludes build on.
pub(crate) const CLOSURES: [(&str, ffi::lua_CFunction); 4] =
    [("advance", advance), ("place", place), ("send", send), ("write_chunk", write_chunk)];

/// Waits until nobody reads an invocation's answer; for ever where there is none.
pub(crate) async fn gone(invocation: Option<&Rc<Invocation>>) {
    match invocation {
        Some(invocation) => invocation.stream.get().gone().await,
        None => future::pending().await,
    }
}

/// Whether the running handler has written a part of its answer.
pub(crate) fn has_begun(host: &Host) -> bool {
    let is_used =
        |stream: &ResponseStream| stream.is_begun() || stream.head() != StreamHead::default();
    let invocation = host.output().invocation();
    // SAFETY: the call keeps its invocation alive while its code runs.
    invocation.is_some_and(|invocation| unsafe { (*invocation).stream.made().is_some_and(is_used) })
}

/// Implements `advance(coroutine)`: resumes it. Returns true and its chunk, false and its result, or nil where nobody
/// reads any more; a wait of the coroutine's ends then. An error is raised when the coroutine is closed.
unsafe extern "C-unwind" fn advance(state: *mut lua_State) -> c_int {
    // SAFETY: the prelude calls this with a coroutine, which stays there.
    unsafe {
        let coroutine = ffi::lua_tothread(state, 1);
        Host::of(state).streaming().source.set(Some(coroutine));
        let step = guard::step(state, coroutine, 0);
        finish_advance(state, coroutine, step)
    }
}

unsafe extern "C-unwind" fn advance_on(
    state: *mut lua_State,
    _: c_int,
    _: ffi::lua_KContext,
) -> c_int {
    // SAFETY: the continuation of `advance` has its arguments and its upvalues; the call keeps its invocation alive.
    unsafe {
        let running = Host::of(state).output().invocation();
        let stream = running.and_then(|invocation| (*invocation).stream.made());
        if stream.is_some_and(ResponseStream::is_gone) {
            ffi::lua_pushnil(state);
            return 1;
        }
        let coroutine = ffi::lua_tothread(state, 1);
        let step = guard::step(state, coroutine, 0);
        finish_advance(state, coroutine, step)
    }
}

unsafe fn finish_advance(state: *mut lua_State, coroutine: *mut lua_State, step: Step) -> c_int {
    // SAFETY: `step` says what is on the stack.
    unsafe {
        match step {
            Step::Values(results) => {
                let goes_on = ffi::lua_status(coroutine) == ffi::LUA_YIELD;
                match results {
                    0 if goes_on => {
                        // A chunk without bytes, which is not sent.
                        ffi::lua_pushlstring(state, c"".as_ptr(), 0);
                    }
                    0 => ffi::lua_pushnil(state),
                    more => ffi::lua_pop(state, more - 1),
                }
                ffi::lua_pushboolean(state, c_int::from(goes_on));
                ffi::lua_insert(state, -2);
                2
            }
            Step::Waiting => guard::wait(state, advance_on),
            Step::Ended => limits::end(state),
            Step::Failed => {
                // Of an error that is a text, `step` has kept the place.
                if ffi::lua_type(state, -1) != ffi::LUA_TSTRING {
                    Host::of(state).streaming().place.set(Some(Trace::of(coroutine, "")));
                }
                guard::close_failed(state, coroutine);
                ffi::lua_error(state)
            }
        }
    }
}

/// Implements `place(coroutine)`: notes where a suspended one is, for the error that is raised next.
unsafe extern "C-unwind" fn place(state: *mut lua_State) -> c_int {
    // SAFETY: the prelude calls this with a coroutine.
    unsafe {
        let coroutine = ffi::lua_tothread(state, 1);
        if ffi::lua_status(coroutine) == ffi::LUA_YIELD {
            Host::of(state).streaming().place.set(Some(Trace::of(coroutine, "")));
        }
    }
    0
}

/// Implements `send(value)`: sends a chunk of the running call, or sets the head of its answer. Returns true, and has
/// begun a wait for room; false where nobody reads any more; or nil and what is wrong.
unsafe extern "C-unwind" fn send(state: *mut lua_State) -> c_int {
    // SAFETY: the prelude calls this with a value; the call keeps its invocation alive while its code runs.
    unsafe {
        let host = Host::of(state);
        ffi::lua_settop(state, 1);
        match host.output().invocation() {
            Some(invocation) => put(state, host, (*invocation).stream.get()),
            None => refuse(state, c"nothing can be sent: no invocation runs"),
        }
    }
}

/// Implements `write_chunk(…)`, which is `context.write(chunk)` without the wait, also with a colon: a first argument that
/// is a context is skipped. Returns what [`send`] does.
unsafe extern "C-unwind" fn write_chunk(state: *mut lua_State) -> c_int {
    // SAFETY: Lua calls this with its arguments on the stack; the invocation lives as long as its call.
    unsafe {
        let host = Host::of(state);
        let marks = host.forms().marks();
        let mut invocation = host.output().invocation();
        if [marks.context, marks.filled].contains(&mark(state, 1)) {
            invocation = host.contexts().of_context(ffi::lua_topointer(state, 1));
            ffi::lua_remove(state, 1);
        }
        match invocation {
            None => refuse(state, c"context.write writes a response; its invocation has ended"),
            Some(_) if host.web().is_running() => refuse(
                state,
                c"context.write writes the answer to an event; a web application returns its response",
            ),
            Some(_) if !host.streaming().allowed.get() => {
                refuse(state, c"context.write writes the response of a handler; this is none")
            }
            Some(_) if ffi::lua_gettop(state) == 0 => {
                refuse(state, c"bad argument #1 to 'write' (a chunk expected)")
            }
            Some(invocation) => {
                ffi::lua_settop(state, 1);
                put(state, host, (*invocation).stream.get())
            }
        }
    }
}

/// Returns the address of the metatable of the table at `index`; null where there is none.
unsafe fn mark(state: *mut lua_State, index: c_int) -> *const std::ffi::c_void {
    // SAFETY: the callers have room for a value.
    unsafe {
        if ffi::lua_type(state, index) != ffi::LUA_TTABLE
            || ffi::lua_getmetatable(state, index) == 0
        {
            return std::ptr::null();
        }
        let mark = ffi::lua_topointer(state, -1);
        ffi::lua_pop(state, 1);
        mark
    }
}

/// Sends the value at index 1, alone on the stack; pushes the results of [`send`].
unsafe fn put(state: *mut lua_State, host: &Host, stream: &ResponseStream) -> c_int {
    // SAFETY: called as the last act of a C function. What has a destructor goes into the stream, or is dropped, before
    // anything may raise.
    unsafe {
        if mark(state, 1) == host.forms().marks().response {
            let head = match head(state, host) {
                Ok(head) => head,
                Err(fault) => return unwritable(state, host, fault),
            };
            return match stream.set_head(head) {
                Ok(()) if stream.is_gone() => written(state, host, stream, Written::Gone),
                Ok(()) => written(state, host, stream, Written::Room),
                Err(error) => fail(state, host, error),
            };
        }
        let (chunk, media_type) = if ffi::lua_type(state, 1) == ffi::LUA_TSTRING {
            let mut length = 0;
            let text = ffi::lua_tolstring(state, 1, &raw mut length);
            let text = std::slice::from_raw_parts(text.cast::<u8>(), length);
            (Bytes::copy_from_slice(text), media_type(text))
        } else {
            match json(state, host) {
                Ok(mut line) => {
                    line.push(b'\n');
                    (Bytes::from(line), JSON_LINES)
                }
                Err(fault) => return unwritable(state, host, fault),
            }
        };
        if !chunk.is_empty() && !stream.is_begun() {
            complete(stream, media_type);
        }
        match stream.write(chunk) {
            Ok(became) => written(state, host, stream, became),
            Err(error) => fail(state, host, error),
        }
    }
}

/// Pushes the results for what was written.
///
/// # Safety
/// `state` has room for a value and belongs to `host`.
pub(crate) unsafe fn written(
    state: *mut lua_State,
    host: &Host,
    stream: &ResponseStream,
    became: Written,
) -> c_int {
    let is_open = became != Written::Gone;
    if is_open {
        let room = stream.passed_on();
        host.waits().begin(async { Outcome::Room(room.await) });
    }
    // SAFETY: a C function has room for a value.
    unsafe { ffi::lua_pushboolean(state, c_int::from(is_open)) };
    1
}

/// Returns the JSON text of the value at index 1.
unsafe fn json(state: *mut lua_State, host: &Host) -> Result<Vec<u8>, Box<Fault>> {
    let mut text = ManuallyDrop::new(Vec::with_capacity(256));
    // SAFETY: C functions run in protected mode. A memory error loses the text.
    unsafe {
        convert::write(state, 1, host, Strictness::Ordinary, &mut text)
            .inspect_err(|_| ManuallyDrop::drop(&mut text))?;
    }
    Ok(ManuallyDrop::into_inner(text))
}

/// Returns the head that `trine.response` has made at index 1. One without a status is a media type alone.
unsafe fn head(state: *mut lua_State, host: &Host) -> Result<StreamHead, Box<Fault>> {
    // SAFETY: as for `json`.
    let text = Bytes::from(unsafe { json(state, host) }?);
    let members: Map<String, Value> = serde_json::from_slice(&text).unwrap_or_default();
    if members.contains_key("statusCode") {
        return Ok(StreamHead { metadata: Some(text), ..StreamHead::default() });
    }
    let content_type = content_type_of(&members).map(str::to_owned);
    Ok(StreamHead { content_type, ..StreamHead::default() })
}

fn content_type_of(members: &Map<String, Value>) -> Option<&str> {
    let mut headers = members.get("headers")?.as_object()?.iter();
    headers.find(|(name, _)| name.eq_ignore_ascii_case("content-type"))?.1.as_str()
}

/// Names the media type of a stream whose first chunk is about to be written, unless the guest has.
fn complete(stream: &ResponseStream, media_type: &str) {
    let mut head = stream.head();
    let is_named = |metadata: &Bytes| {
        let members: Map<String, Value> = serde_json::from_slice(metadata).unwrap_or_default();
        content_type_of(&members).is_some()
    };
    if head.content_type.is_none() && !head.metadata.as_ref().is_some_and(is_named) {
        head.content_type = Some(media_type.to_owned());
        // Refused only where there has been a chunk, whose type it has.
        let _ = stream.set_head(head);
    }
}

/// Returns what a string is: text, also where it ends within a character, or bytes. No text has zeros.
pub(crate) fn media_type(chunk: &[u8]) -> &'static str {
    match std::str::from_utf8(chunk) {
        Err(error) if error.error_len().is_some() => BYTE_CHUNKS,
        _ if chunk.contains(&0) => BYTE_CHUNKS,
        _ => TEXT_CHUNKS,
    }
}

/// Pushes the results for a value that has no JSON form.
unsafe fn unwritable(state: *mut lua_State, host: &Host, fault: Box<Fault>) -> c_int {
    // SAFETY: called as the last act of a C function.
    unsafe {
        if let Some(end) = fault.end() {
            drop(fault);
            return convert::leave(state, end);
        }
        let message = format!("Unable to marshal response: {}", fault.at("chunk"));
        drop(fault);
        fail(state, host, Error::new(ErrorKind::Marshal, message))
    }
}

/// Pushes nil and an error, as Lua gets those of other languages.
///
/// # Safety
/// To be returned as the last act of a C function that holds nothing with a destructor.
pub(crate) unsafe fn fail(state: *mut lua_State, host: &Host, error: Error) -> c_int {
    let name = error.name().len();
    let text = [error.name(), error.message()].concat();
    drop(error);
    // SAFETY: C functions have room for some values; the host keeps the text. The table is new and has no metatable.
    unsafe {
        let (name, message) = host.stash(Bytes::from(text)).split_at(name);
        ffi::lua_pushnil(state);
        ffi::lua_createtable(state, 0, 2);
        for (key, text) in [(c"type", name), (c"message", message)] {
            ffi::lua_pushlstring(state, text.as_ptr().cast(), text.len());
            ffi::lua_setfield(state, -2, key.as_ptr());
        }
        let mark = host.forms().marks().error_key;
        ffi::lua_rawgeti(state, ffi::LUA_REGISTRYINDEX, mark.into());
        ffi::lua_setmetatable(state, -2);
    }
    2
}

/// Pushes nil and a message.
unsafe fn refuse(state: *mut lua_State, message: &CStr) -> c_int {
    // SAFETY: a C function has room for two values.
    unsafe {
        ffi::lua_pushnil(state);
        ffi::lua_pushstring(state, message.as_ptr());
    }
    2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_text_unless_they_cannot_be() {
        let cut = &"é".as_bytes()[..1];
        for (chunk, expected) in [
            (&b"plain"[..], TEXT_CHUNKS),
            (b"", TEXT_CHUNKS),
            (cut, TEXT_CHUNKS),
            (b"\xff", BYTE_CHUNKS),
            (b"\xc3x", BYTE_CHUNKS),
            (b"a\0", BYTE_CHUNKS),
        ] {
            assert_eq!(media_type(chunk), expected, "{chunk:?}");
        }
    }

    #[test]
    fn a_media_type_of_the_guests_own_stays() {
        let head = |content_type: Option<&str>, metadata: Option<&'static str>| {
            let stream = ResponseStream::new(None);
            let content_type = content_type.map(str::to_owned);
            let metadata = metadata.map(Bytes::from);
            stream
                .set_head(StreamHead { content_type, metadata, ..StreamHead::default() })
                .unwrap();
            complete(&stream, JSON_LINES);
            stream.head().content_type
        };
        assert_eq!(head(None, None).as_deref(), Some(JSON_LINES));
        assert_eq!(head(Some("text/html"), None).as_deref(), Some("text/html"));
        assert_eq!(head(None, Some(r#"{"statusCode":201}"#)).as_deref(), Some(JSON_LINES));
        assert_eq!(head(None, Some(r#"{"headers":{"Content-Type":"a/b"}}"#)), None);
    }
}
