//! `context.state`, which functions of an invocation share whatever their language, for the call that runs.

use bytes::Bytes;
use serde_json::json;
use std::{
    ptr,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicPtr, Ordering},
    },
    thread::{self, ThreadId},
};
use trine_engine::{ErrorKind, Invocation, Payload};

/// The way from an instance to what its running call shares with others.
pub(crate) struct Shared {
    /// The name of the language, as people write it.
    language: &'static str,
    /// The instance's thread, the only one on which an invocation may be looked at.
    thread: ThreadId,
    invocation: AtomicPtr<Invocation>,
    /// What was lent last.
    lent: Mutex<Bytes>,
}

/// What became of a look for a member.
pub(crate) enum Found {
    Nothing,
    Value,
    Error,
}

impl Shared {
    pub(crate) fn new(language: &'static str) -> Self {
        Self {
            language,
            thread: thread::current().id(),
            invocation: AtomicPtr::new(ptr::null_mut()),
            lent: Mutex::default(),
        }
    }

    /// Notes whose call runs from now on; to be followed by [`Shared::rest`] while the invocation is there.
    pub(crate) fn run(&self, invocation: &Invocation) {
        self.invocation.store(ptr::from_ref(invocation).cast_mut(), Ordering::SeqCst);
    }

    /// Notes that no call runs.
    pub(crate) fn rest(&self) {
        self.invocation.store(ptr::null_mut(), Ordering::SeqCst);
    }

    /// Reads a member, or the error of one that cannot cross. Its text stays until the next look.
    pub(crate) fn get(&self, key: &str) -> (Found, *const u8, usize) {
        let (found, text) = self.find(key);
        let mut lent = self.lent.lock().unwrap_or_else(PoisonError::into_inner);
        *lent = text;
        (found, lent.as_ptr(), lent.len())
    }

    fn find(&self, key: &str) -> (Found, Bytes) {
        let Some(invocation) = self.invocation() else { return (Found::Nothing, Bytes::new()) };
        let read = invocation.exchange.read_state(key, self.language, |_| false);
        match read.and_then(|value| value.map(Payload::into_bytes).transpose()) {
            Ok(Some((text, _))) => (Found::Value, text),
            Ok(None) => (Found::Nothing, Bytes::new()),
            Err(error) => {
                let kind = if error.kind() == ErrorKind::Marshal { "marshal" } else { "internal" };
                let text = json!({"kind": kind, "message": error.message()}).to_string();
                (Found::Error, text.into())
            }
        }
    }

    /// Writes a member, or removes it. Returns whether there is a call to write it for.
    pub(crate) fn set(&self, key: &str, value: Option<&str>) -> bool {
        let Some(invocation) = self.invocation() else { return false };
        match value {
            Some(text) => invocation.exchange.write_state(key, Payload::json(text.to_owned())),
            None => drop(invocation.exchange.remove_state(key)),
        }
        true
    }

    fn invocation(&self) -> Option<&Invocation> {
        if thread::current().id() != self.thread {
            return None;
        }
        // SAFETY: it is NULL, or the invocation of the call that runs on this very thread, further down on its stack.
        unsafe { self.invocation.load(Ordering::SeqCst).as_ref() }
    }
}
