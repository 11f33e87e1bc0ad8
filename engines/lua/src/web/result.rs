//! What an application has returned, made a head and a body; and what is wrong with it, where it is no response.

use super::{
    WebCall,
    fields::{self, bytes_at},
};
use crate::{
    frames::text,
    guard,
    host::Host,
    stream::{self, media_type},
};
use mlua::ffi::{self, lua_State};
use std::ffi::{CStr, c_int};
use trine_engine::{Error, Fields, Interface, ResponseHead};

/// What is left to do for a response whose head is known.
pub(super) enum Rest {
    Nothing,
    /// The value at this index is to be the body, as JSON.
    Json(c_int),
    /// A function or a coroutine at this index gives the body. It may say its end by nil.
    Pieces {
        index: c_int,
        ends_at_nil: bool,
    },
}

/// What is wrong with what an application has returned.
pub(super) enum Wrong {
    /// It has returned nothing.
    Nothing,
    Other(String),
}

impl From<String> for Wrong {
    fn from(what: String) -> Self {
        Self::Other(what)
    }
}

/// The members of a response.
const MEMBERS: [&CStr; 6] =
    [c"status", c"reason", c"headers", c"cookies", c"content_type", c"body"];

/// Takes the result of `fetch` at `at` apart.
///
/// # Errors
/// What is wrong with it.
///
/// # Safety
/// `state` is live and has room for twenty values; `at` is absolute, and the result is there with nothing above it but what
/// else was returned. Raises nothing unless there is no memory left.
pub(super) unsafe fn of_fetch(
    state: *mut lua_State,
    at: c_int,
    call: &WebCall,
) -> Result<Rest, Wrong> {
    // SAFETY: as the caller vouches.
    unsafe {
        let head = |status, headers| ResponseHead { status, reason: None, headers };
        match ffi::lua_type(state, at) {
            ffi::LUA_TNIL => Err(Wrong::Nothing),
            ffi::LUA_TSTRING => {
                call.reply.set_head(head(200, Fields::default()), true);
                let body = bytes_at(state, at).unwrap_or_default();
                call.reply.set_body(body.to_vec(), media_type(body));
                Ok(Rest::Nothing)
            }
            ffi::LUA_TNUMBER => {
                call.reply.set_head(head(status(state, at)?, Fields::default()), false);
                Ok(Rest::Nothing)
            }
            ffi::LUA_TTABLE => of_table(state, at, call),
            _ => Err(Wrong::Other(format!(
                "has returned {}: return a table of status, headers and body, a string, or a status",
                kind_at(state, at)
            ))),
        }
    }
}

/// # Safety
/// As for [`of_fetch`].
unsafe fn of_table(state: *mut lua_State, at: c_int, call: &WebCall) -> Result<Rest, Wrong> {
    // SAFETY: as for `of_fetch`.
    unsafe {
        check_members(state, at)?;
        let first = ffi::lua_gettop(state) + 1;
        for member in MEMBERS {
            ffi::lua_pushstring(state, member.as_ptr());
            ffi::lua_rawget(state, at);
        }
        let [code, reason, headers, cookies, content_type, body] =
            std::array::from_fn(|index| first + index as c_int);
        let is_called = is_callable(state, body);
        let mut head = ResponseHead { status: 200, ..ResponseHead::default() };
        if ffi::lua_type(state, code) != ffi::LUA_TNIL {
            head.status = status(state, code)?;
        }
        head.reason = optional_text(state, reason, "reason")?;
        fields::read(state, headers, &mut head.headers)?;
        fields::read_cookies(state, cookies, &mut head.headers)?;
        if let Some(named) = optional_text(state, content_type, "content_type")? {
            head.headers.push("content-type", named);
        }
        let rest = match ffi::lua_type(state, body) {
            ffi::LUA_TNIL | ffi::LUA_TSTRING => Rest::Nothing,
            ffi::LUA_TFUNCTION | ffi::LUA_TTHREAD => pieces(state, body),
            ffi::LUA_TTABLE if is_called => pieces(state, body),
            ffi::LUA_TTABLE => Rest::Json(body),
            _ => {
                return Err(Wrong::Other(format!(
                    "has returned a body that is {}: it is a string, a function that gives chunks, a coroutine, or a table for JSON",
                    kind_at(state, body)
                )));
            }
        };
        call.reply.set_head(head, true);
        if let Some(text) = bytes_at(state, body) {
            call.reply.set_body(text.to_vec(), media_type(text));
        }
        Ok(rest)
    }
}

/// Takes the results of `run` from `at` on apart: status, headers and iterator.
///
/// # Errors
/// As [`of_fetch`].
///
/// # Safety
/// As for [`of_fetch`], with three results.
pub(super) unsafe fn of_wsapi(
    state: *mut lua_State,
    at: c_int,
    call: &WebCall,
) -> Result<Rest, Wrong> {
    // SAFETY: as for `of_fetch`.
    unsafe {
        let (headers, iterator) = (at + 1, at + 2);
        let is_called = is_callable(state, iterator);
        let mut head = ResponseHead::default();
        match ffi::lua_type(state, at) {
            ffi::LUA_TNIL => return Err(Wrong::Nothing),
            ffi::LUA_TSTRING => {
                let line = String::from_utf8_lossy(bytes_at(state, at).unwrap_or_default());
                let Some((status, reason)) = status_line(&line) else {
                    return Err(Wrong::Other(format!(
                        "has returned the status '{}': a number is expected, or a text such as '200 OK'",
                        line.escape_debug()
                    )));
                };
                (head.status, head.reason) = (status, reason);
            }
            _ => head.status = status(state, at)?,
        }
        fields::read(state, headers, &mut head.headers)?;
        let kind = ffi::lua_type(state, iterator);
        if !matches!(kind, ffi::LUA_TFUNCTION | ffi::LUA_TTHREAD) && !is_called {
            return Err(Wrong::Other(format!(
                "has returned {} as its iterator: a function is expected that returns the chunks of the body, then nil",
                kind_at(state, iterator)
            )));
        }
        call.reply.set_head(head, false);
        Ok(pieces(state, iterator))
    }
}

/// Has a function or a coroutine at `index` give the body. What `coroutine.wrap` has made becomes its coroutine, which can
/// be closed.
unsafe fn pieces(state: *mut lua_State, index: c_int) -> Rest {
    // SAFETY: as for `of_fetch`.
    unsafe {
        let ends_at_nil = ffi::lua_type(state, index) != ffi::LUA_TTHREAD;
        guard::unwrap(state, index);
        Rest::Pieces { index, ends_at_nil }
    }
}

/// Refuses members that a response does not have, and tables that have none of its members.
unsafe fn check_members(state: *mut lua_State, at: c_int) -> Result<(), Wrong> {
    let expected =
        "status, reason, headers, cookies, content_type and body are those of a response";
    let mut known = 0;
    // SAFETY: as for `of_fetch`.
    unsafe {
        ffi::lua_pushnil(state);
        while ffi::lua_next(state, at) != 0 {
            let name = bytes_at(state, -2);
            ffi::lua_pop(state, 1);
            if name.is_some_and(|name| MEMBERS.iter().any(|known| known.to_bytes() == name)) {
                known += 1;
                continue;
            }
            let name = name.map(String::from_utf8_lossy);
            return Err(Wrong::Other(match name.as_deref() {
                Some(name @ ("statusCode" | "isBase64Encoded")) => format!(
                    "has returned a table with '{name}', which is how handlers of events answer: {expected}"
                ),
                Some(name) => format!(
                    "has returned a table with the member '{}': {expected}; to answer with JSON, return it as the body",
                    name.escape_debug()
                ),
                None => format!(
                    "has returned a table with a key that is {}: {expected}; to answer with JSON, return it as the body",
                    kind_at(state, -1)
                ),
            }));
        }
        if known == 0 {
            return Err(Wrong::Other(format!("has returned an empty table: {expected}")));
        }
    }
    Ok(())
}

unsafe fn is_callable(state: *mut lua_State, index: c_int) -> bool {
    // SAFETY: as for `of_fetch`.
    unsafe {
        if ffi::lua_getmetatable(state, index) == 0 {
            return false;
        }
        ffi::lua_pushstring(state, c"__call".as_ptr());
        let is_callable = ffi::lua_rawget(state, -2) != ffi::LUA_TNIL;
        ffi::lua_pop(state, 2);
        is_callable
    }
}

/// Returns the status at `at`.
unsafe fn status(state: *mut lua_State, at: c_int) -> Result<u16, Wrong> {
    // SAFETY: as for `of_fetch`; a number converts to an integer without a change of the stack.
    unsafe {
        if ffi::lua_type(state, at) != ffi::LUA_TNUMBER {
            let kind = kind_at(state, at);
            return Err(Wrong::Other(format!(
                "has returned a status that is {kind}: a number is expected"
            )));
        }
        let mut is_integer = 0;
        let number = ffi::lua_tointegerx(state, at, &raw mut is_integer);
        if is_integer != 0 && (200..=999).contains(&number) {
            return Ok(number as u16);
        }
        let number = ffi::lua_tonumber(state, at);
        Err(Wrong::Other(format!(
            "has returned the status {number}: an integer from 200 to 999 is expected"
        )))
    }
}

/// Reads `404 Not Found`, or `404`.
fn status_line(line: &str) -> Option<(u16, Option<String>)> {
    let (code, reason) = line.split_once(' ').unwrap_or((line, ""));
    let is_code = code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_digit());
    let code: u16 = code.parse().ok().filter(|code| is_code && *code >= 200)?;
    let reason = reason.trim();
    let is_plain = reason.chars().all(|c| !c.is_control());
    is_plain.then(|| (code, (!reason.is_empty()).then(|| reason.to_owned())))
}

unsafe fn optional_text(
    state: *mut lua_State,
    at: c_int,
    what: &str,
) -> Result<Option<String>, Wrong> {
    // SAFETY: as for `of_fetch`.
    unsafe {
        if ffi::lua_type(state, at) == ffi::LUA_TNIL {
            return Ok(None);
        }
        let text = bytes_at(state, at).and_then(|text| std::str::from_utf8(text).ok());
        match text.filter(|text| !text.chars().any(char::is_control)) {
            Some(text) => Ok(Some(text.to_owned())),
            None => {
                let kind = kind_at(state, at);
                Err(Wrong::Other(format!(
                    "has returned a {what} that is {kind}: a string without control characters is expected"
                )))
            }
        }
    }
}

/// Returns the type of the value at `at`, with its article.
///
/// # Safety
/// `state` is live.
pub(super) unsafe fn kind_at(state: *mut lua_State, at: c_int) -> String {
    // SAFETY: as the caller vouches; the names of types are constants.
    let kind = unsafe {
        if ffi::lua_islightuserdata(state, at) != 0 && ffi::lua_touserdata(state, at).is_null() {
            return "null".to_owned();
        }
        text(ffi::lua_typename(state, ffi::lua_type(state, at)))
    };
    match kind.as_str() {
        "nil" => kind,
        _ => format!("a {kind}"),
    }
}

/// Makes the error of a result that is no response.
pub(super) fn wrong(call: &WebCall, what: Wrong) -> Error {
    let what = match (what, call.interface) {
        (Wrong::Nothing, Interface::Wsapi) => {
            let message =
                "the application has returned nothing: return status, headers and an iterator";
            return Error::guest("Runtime.NoResponse", message);
        }
        (Wrong::Nothing, _) => {
            let message = "the application has returned nothing: return a table of status, headers and body, a string, or a status";
            return Error::guest("Runtime.NoResponse", message);
        }
        (Wrong::Other(what), _) => what,
    };
    // What is wrong with a part has that as its subject.
    let subject =
        if what.starts_with("has ") { "" } else { "has returned a response that is wrong: " };
    Error::guest("Runtime.InvalidResponse", format!("the application {subject}{what}"))
}

/// Implements `web_put(chunk)`: takes a chunk of the running call's body. Returns nothing where the next one may be made at
/// once; true, and has begun a wait for room; false where nobody reads any more; or nil and what is wrong.
pub(super) unsafe extern "C-unwind" fn put(state: *mut lua_State) -> c_int {
    // SAFETY: the prelude calls this with a value; the call is alive while its code runs. What has a destructor goes to the
    // host, or is dropped, before anything may raise.
    unsafe {
        let host = Host::of(state);
        let Some(call) = host.web().running() else { return 0 };
        let call = &*call;
        ffi::lua_settop(state, 1);
        if !matches!(ffi::lua_type(state, 1), ffi::LUA_TSTRING | ffi::LUA_TNUMBER) {
            let kind = kind_at(state, 1);
            let message = format!("a chunk of the body is {kind}: chunks are strings");
            return stream::fail(state, host, Error::guest("Runtime.InvalidResponse", message));
        }
        let mut length = 0;
        let chunk = ffi::lua_tolstring(state, 1, &raw mut length);
        let chunk = std::slice::from_raw_parts(chunk.cast::<u8>(), length);
        let place = &call.invocation.stream;
        match call.reply.put(chunk, media_type, place) {
            Ok(None) => 0,
            Ok(Some(became)) => stream::written(state, host, place.get(), became),
            Err(error) => stream::fail(state, host, error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_a_number_with_or_without_its_reason() {
        let read =
            |line| status_line(line).map(|(code, reason)| (code, reason.unwrap_or_default()));
        assert_eq!(read("404 Not Found"), Some((404, "Not Found".to_owned())));
        assert_eq!(read("200"), Some((200, String::new())));
        assert_eq!(read("200 "), Some((200, String::new())));
        for line in ["", "OK", "20", "2000", "100 Continue", "+20 x", "200\r\nx: y", "200 a\r\nb"] {
            assert_eq!(read(line), None, "{line:?}");
        }
    }
}
