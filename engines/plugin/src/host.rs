//! The host of one instance: what a plug-in may ask of the process.

use crate::{
    abi::{self, Lent},
    convert,
    exchange::{Found, Shared},
    limits::Line,
};
use serde::Serialize;
use std::{
    borrow::Cow,
    ffi::c_void,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};
use trine_engine::{Invocation, Level, LogFormat, LogSettings, Stream, json_line, timestamp};

/// Maximum size of a message, in bytes; what is beyond it is cut off.
const LONGEST: usize = 1 << 20;

/// The host of one instance, which does not move and outlives it.
pub(crate) struct Host {
    log: LogSettings,
    pub(crate) line: Arc<Line>,
    /// The deadline of the running call, in milliseconds since the epoch; [`i64::MAX`] where there is none.
    deadline: AtomicI64,
    running: Mutex<Run>,
    shared: Shared,
}

/// The call that runs.
#[derive(Default)]
struct Run {
    request_id: String,
    tenant_id: Option<String>,
}

/// The members of a log line in JSON form, besides its time and its level.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Record<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    request_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant_id: Option<&'a str>,
    message: &'a str,
}

impl Host {
    pub(crate) fn new(log: LogSettings, line: Arc<Line>, language: &'static str) -> Self {
        Self {
            log,
            line,
            deadline: AtomicI64::new(i64::MAX),
            running: Mutex::default(),
            shared: Shared::new(language),
        }
    }

    /// Returns the host as a plug-in sees it.
    pub(crate) fn table(&self) -> abi::Host {
        abi::Host {
            abi_version: abi::VERSION,
            size: abi::size_of::<abi::Host>(),
            context: std::ptr::from_ref(self).cast_mut().cast(),
            log,
            remaining_ms,
            interrupted,
            get_state,
            set_state,
        }
    }

    /// Notes whose call runs from now on.
    pub(crate) fn run(&self, invocation: &Invocation) {
        self.shared.run(invocation);
        let deadline = invocation.deadline_ms.and_then(|deadline| i64::try_from(deadline).ok());
        self.deadline.store(deadline.unwrap_or(i64::MAX), Ordering::SeqCst);
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.request_id.clear();
        running.request_id.push_str(&invocation.request_id);
        running.tenant_id.clone_from(&invocation.tenant_id);
    }

    /// Notes that no call runs.
    pub(crate) fn rest(&self) {
        self.shared.rest();
        self.deadline.store(i64::MAX, Ordering::SeqCst);
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.request_id.clear();
        running.tenant_id = None;
    }

    fn log(&self, level: Level, message: &str, request_id: &str) {
        if self.log.level.is_some_and(|lowest| level < lowest) {
            return;
        }
        let (own, tenant_id) = {
            let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
            let is_own = request_id.is_empty() || request_id == running.request_id;
            let own =
                if request_id.is_empty() { running.request_id.clone() } else { String::new() };
            (own, running.tenant_id.clone().filter(|_| is_own))
        };
        let request_id = if request_id.is_empty() { own.as_str() } else { request_id };
        if self.log.format == LogFormat::Json {
            let record = Record { request_id, tenant_id: tenant_id.as_deref(), message };
            return self.log.send(Stream::Stdout, level, &json_line(level, &record));
        }
        // As in Node's runtime, also where there is no invocation.
        let id = if request_id.is_empty() { "undefined" } else { request_id };
        let message = match self.log.sink.joins_lines() {
            true => Cow::Owned(message.replace('\n', "\r")),
            false => Cow::Borrowed(message),
        };
        let line = format!("{}\t{id}\t{}\t{message}\n", timestamp(), level.name());
        self.log.send(Stream::Stdout, level, &line);
    }

    /// Returns the host of the instance whose functions are called.
    ///
    /// # Safety
    /// `context` is [`abi::Host::context`] of an instance that has not been shut down.
    unsafe fn of<'a>(context: *mut c_void) -> &'a Self {
        // SAFETY: as the caller vouches; the instance keeps its host until then.
        unsafe { &*context.cast::<Self>() }
    }
}

/// Implements [`abi::Host::log`].
///
/// # Safety
/// As [`Host::of`]; the bytes are readable.
unsafe extern "C" fn log(context: *mut c_void, level: u32, message: Lent, request_id: Lent) {
    let level = match level {
        0 => Level::Trace,
        1 => Level::Debug,
        2 => Level::Info,
        3 => Level::Warn,
        4 => Level::Error,
        _ => Level::Fatal,
    };
    // SAFETY: as the caller vouches.
    let (host, message, request_id) =
        unsafe { (Host::of(context), lent(message), lent(request_id)) };
    let message = String::from_utf8_lossy(&message[..message.len().min(LONGEST)]);
    let message = message.strip_suffix('\n').unwrap_or(&message);
    host.log(level, message, &String::from_utf8_lossy(request_id));
}

/// Implements [`abi::Host::remaining_ms`].
///
/// # Safety
/// As [`Host::of`].
unsafe extern "C" fn remaining_ms(context: *mut c_void) -> i64 {
    // SAFETY: as the caller vouches.
    let deadline = unsafe { Host::of(context) }.deadline.load(Ordering::SeqCst);
    if deadline == i64::MAX {
        return i64::MAX;
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
    deadline.saturating_sub(i64::try_from(now).unwrap_or(i64::MAX))
}

/// Implements [`abi::Host::interrupted`].
///
/// # Safety
/// As [`Host::of`].
unsafe extern "C" fn interrupted(context: *mut c_void) -> i32 {
    // SAFETY: as the caller vouches.
    unsafe { Host::of(context) }.line.is_interrupted().into()
}

/// Implements [`abi::Host::get_state`].
///
/// # Safety
/// As [`Host::of`]; the key is readable, and `value` writable or NULL.
unsafe extern "C" fn get_state(context: *mut c_void, key: Lent, value: *mut Lent) -> i32 {
    // SAFETY: as the caller vouches.
    let (host, key) = unsafe { (Host::of(context), lent(key)) };
    let (found, data, size) = host.shared.get(&String::from_utf8_lossy(key));
    if !value.is_null() {
        // SAFETY: as the caller vouches.
        unsafe { value.write(Lent { data, size }) };
    }
    match found {
        Found::Value => 1,
        Found::Nothing => 0,
        Found::Error => -1,
    }
}

/// Implements [`abi::Host::set_state`].
///
/// # Safety
/// As [`Host::of`]; the bytes are readable.
unsafe extern "C" fn set_state(context: *mut c_void, key: Lent, value: Lent) -> i32 {
    // SAFETY: as the caller vouches.
    let (host, key, value) = unsafe { (Host::of(context), lent(key), lent(value)) };
    let Ok(key) = std::str::from_utf8(key) else { return abi::FAILED };
    let text = convert::json_text(value);
    if text.is_none() && !value.is_empty() {
        return abi::FAILED;
    }
    if host.shared.set(key, text) { abi::OK } else { abi::FAILED }
}

/// Returns the bytes that a plug-in lends.
///
/// # Safety
/// They are readable for as long as they are used.
unsafe fn lent<'a>(lent: Lent) -> &'a [u8] {
    if lent.data.is_null() || lent.size > isize::MAX as usize {
        return &[];
    }
    // SAFETY: as the caller vouches.
    unsafe { std::slice::from_raw_parts(lent.data, lent.size) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Plug-ins have its address, and call it from wherever they like.
    #[test]
    fn a_host_may_be_called_from_any_thread() {
        fn is_shared<T: Send + Sync>() {}
        is_shared::<Host>();
    }
}
