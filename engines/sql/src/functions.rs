//! The functions that SQL has here on top of SQLite's own: `event`, `print` and `context`.

use crate::{
    convert,
    host::Host,
    sqlite::{Connection, Failure, Value},
};
use libsqlite3_sys as ffi;
use std::{
    ffi::c_int,
    panic::{AssertUnwindSafe, catch_unwind},
};
use trine_engine::{Stream, UNLIMITED_MS};

/// The names that `context` knows.
const FACTS: [&str; 14] = [
    "request_id",
    "function_name",
    "function_version",
    "invoked_function_arn",
    "memory_limit_in_mb",
    "log_group_name",
    "log_stream_name",
    "deadline_ms",
    "remaining_ms",
    "tenant_id",
    "trace_id",
    "traceparent",
    "client_context",
    "identity",
];

/// The result of a function.
enum Answer<'a> {
    Null,
    Integer(i64),
    /// A text that stays as it is until the call in flight ends.
    Lasting(&'a str),
    Text(String),
    /// A text of bytes that are not known to be UTF-8.
    Bytes(Vec<u8>),
}

/// Registers the functions for a connection.
pub(crate) fn register(connection: &Connection) -> Result<(), Failure> {
    connection.function(c"event", 0, call::<Event>)?;
    connection.function(c"event", 1, call::<Event>)?;
    connection.function(c"print", 1, call::<Print>)?;
    connection.function(c"context", 1, call::<Context>)
}

/// A function of SQL.
trait Function {
    /// Calls it; at most one value is given.
    fn call<'a>(host: &'a Host, value: Option<Value<'_>>) -> Result<Answer<'a>, String>;
}

/// `event(path)`: what a path finds in the event, as text; the whole event without a path.
struct Event;

impl Function for Event {
    fn call<'a>(host: &'a Host, value: Option<Value<'_>>) -> Result<Answer<'a>, String> {
        let path = match &value {
            None => "",
            Some(value) => text("event", "a path", value)?,
        };
        let Some(running) = host.running() else { return Ok(Answer::Null) };
        if path.is_empty() {
            let text: *const str = running.event.text();
            // SAFETY: the event stays where it is until the call ends, and the host with it.
            return Ok(Answer::Lasting(unsafe { &*text }));
        }
        running.event.find(path).map(Answer::Text).map_err(|reason| format!("event(): {reason}"))
    }
}

/// `print(value)`: writes a line to the log, and returns it.
struct Print;

impl Function for Print {
    fn call<'a>(host: &'a Host, value: Option<Value<'_>>) -> Result<Answer<'a>, String> {
        let mut line = match value.unwrap_or(Value::Null) {
            Value::Text(text) => text.to_vec(),
            other => {
                let mut line = Vec::new();
                convert::write_value(&other, &mut line)
                    .map_err(|_| "print(): the number is infinite")?;
                line
            }
        };
        if host.running().is_some() {
            line.push(b'\n');
            host.output().line(Stream::Stderr, &line);
            line.pop();
        }
        Ok(Answer::Bytes(line))
    }
}

/// `context(name)`: a fact about the invocation or the function; NULL where it is not known.
struct Context;

impl Function for Context {
    fn call<'a>(host: &'a Host, value: Option<Value<'_>>) -> Result<Answer<'a>, String> {
        let value = value.unwrap_or(Value::Null);
        let name = text("context", "a name", &value)?;
        if !FACTS.contains(&name) {
            return Err(format!("context({name:?}) is not known: use one of {}", FACTS.join(", ")));
        }
        let Some(running) = host.running() else { return Ok(Answer::Null) };
        let (invocation, function) = (&running.invocation, host.function());
        let number = |number: u64| Ok(Answer::Integer(i64::try_from(number).unwrap_or(i64::MAX)));
        let fact = match name {
            "deadline_ms" => {
                return invocation.deadline_ms.map_or(Ok(Answer::Null), number);
            }
            "remaining_ms" => {
                let unlimited = i64::try_from(UNLIMITED_MS).unwrap_or(i64::MAX);
                let left = invocation.remaining_ms().unwrap_or(unlimited);
                return Ok(Answer::Integer(left.max(0)));
            }
            "request_id" => Some(&invocation.request_id),
            "function_name" => invocation.function_name.as_ref().or(function.name.as_ref()),
            "function_version" => function.version.as_ref(),
            "invoked_function_arn" => invocation.invoked_function_arn.as_ref(),
            "memory_limit_in_mb" => function.memory_mb.as_ref(),
            "log_group_name" => function.log_group.as_ref(),
            "log_stream_name" => function.log_stream.as_ref(),
            "tenant_id" => invocation.tenant_id.as_ref(),
            "trace_id" => invocation.trace_id.as_ref(),
            "traceparent" => invocation.w3c.as_ref().and_then(|w3c| w3c.get("traceparent")),
            "client_context" => invocation.client_context.as_ref(),
            _ => invocation.identity.as_ref(),
        };
        Ok(fact.map_or(Answer::Null, |text| Answer::Text(text.clone())))
    }
}

/// Returns a value that has to be a text.
fn text<'v>(function: &str, what: &str, value: &'v Value<'_>) -> Result<&'v str, String> {
    let kind = match value {
        Value::Text(text) => {
            return std::str::from_utf8(text)
                .map_err(|_| format!("{function}() takes {what} in UTF-8"));
        }
        Value::Null => "NULL",
        Value::Integer(_) => "an integer",
        Value::Real(_) => "a number",
        Value::Blob(_) => "a blob",
    };
    Err(format!("{function}() takes {what} as text, not {kind}"))
}

/// Calls a function for SQLite.
///
/// # Safety
/// To be called by SQLite, with the [`Host`] of the connection as user data.
unsafe extern "C" fn call<F: Function>(
    context: *mut ffi::sqlite3_context,
    count: c_int,
    values: *mut *mut ffi::sqlite3_value,
) {
    // SAFETY: the host outlives its connection, values stay during the call; a panic goes no further than this.
    unsafe {
        let host = &*ffi::sqlite3_user_data(context).cast::<Host>();
        let value = (count > 0).then(|| value(*values));
        let value = match value {
            Some(None) => return ffi::sqlite3_result_error_nomem(context),
            Some(Some(value)) => Some(value),
            None => None,
        };
        let answer = catch_unwind(AssertUnwindSafe(|| F::call(host, value)))
            .unwrap_or_else(|_| Err("a function has failed inside".to_owned()));
        match answer {
            Ok(Answer::Null) => ffi::sqlite3_result_null(context),
            Ok(Answer::Integer(number)) => ffi::sqlite3_result_int64(context, number),
            Ok(Answer::Lasting(text)) => give(context, text.as_bytes(), ffi::SQLITE_STATIC()),
            Ok(Answer::Text(text)) => give(context, text.as_bytes(), ffi::SQLITE_TRANSIENT()),
            Ok(Answer::Bytes(text)) => give(context, &text, ffi::SQLITE_TRANSIENT()),
            Err(reason) => {
                let length = c_int::try_from(reason.len()).unwrap_or(c_int::MAX);
                ffi::sqlite3_result_error(context, reason.as_ptr().cast(), length);
            }
        }
    }
}

/// Gives SQLite a text.
///
/// # Safety
/// `context` is that of a call in flight; a text that is not copied must stay until the statement is reset.
unsafe fn give(
    context: *mut ffi::sqlite3_context,
    text: &[u8],
    destructor: ffi::sqlite3_destructor_type,
) {
    let utf8 = u8::try_from(ffi::SQLITE_UTF8).unwrap_or(1);
    // SAFETY: as the caller vouches.
    unsafe {
        ffi::sqlite3_result_text64(
            context,
            text.as_ptr().cast(),
            text.len() as _,
            destructor,
            utf8,
        );
    }
}

/// Returns a value of SQLite's; `None` where memory does not suffice for it.
///
/// # Safety
/// The value must be one of a call in flight, and the result must not outlive that.
unsafe fn value<'v>(raw: *mut ffi::sqlite3_value) -> Option<Value<'v>> {
    // SAFETY: as the caller vouches. Bytes are asked for after the pointer, as SQLite wants it.
    unsafe {
        let kind = ffi::sqlite3_value_type(raw);
        let start = match kind {
            ffi::SQLITE_NULL => return Some(Value::Null),
            ffi::SQLITE_INTEGER => return Some(Value::Integer(ffi::sqlite3_value_int64(raw))),
            ffi::SQLITE_FLOAT => return Some(Value::Real(ffi::sqlite3_value_double(raw))),
            ffi::SQLITE_TEXT => ffi::sqlite3_value_text(raw),
            _ => ffi::sqlite3_value_blob(raw).cast::<u8>(),
        };
        let length = usize::try_from(ffi::sqlite3_value_bytes(raw)).unwrap_or(0);
        let bytes = match start.is_null() {
            true if length > 0 || kind == ffi::SQLITE_TEXT => return None,
            true => &[],
            false => std::slice::from_raw_parts(start, length),
        };
        Some(if kind == ffi::SQLITE_TEXT { Value::Text(bytes) } else { Value::Blob(bytes) })
    }
}
