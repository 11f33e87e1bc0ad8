//! The data that a call's first function, which runs inside Lua, leaves for the call outside.

use std::cell::Cell;
use trine_engine::{Error, HttpResult};

/// The outcome of the call that has just returned, besides what is on its coroutine's stack.
pub(crate) struct Answer {
    fault: Cell<Option<Error>>,
    /// Whether the `error` hook that has just returned gave an error to replace the one it got.
    returned: Cell<bool>,
    reply: Cell<Vec<u8>>,
    http: Cell<Option<HttpResult>>,
    last_length: Cell<usize>,
}

impl Default for Answer {
    fn default() -> Self {
        Self {
            fault: Cell::new(None),
            returned: Cell::new(false),
            reply: Cell::new(Vec::new()),
            http: Cell::new(None),
            last_length: Cell::new(192),
        }
    }
}

impl Answer {
    pub(crate) fn set_fault(&self, error: Error) {
        self.fault.set(Some(error));
    }

    pub(crate) fn take_fault(&self) -> Option<Error> {
        self.fault.take()
    }

    pub(crate) fn set_returned(&self) {
        self.returned.set(true);
    }

    pub(crate) fn take_returned(&self) -> bool {
        self.returned.take()
    }

    pub(crate) fn set_reply(&self, reply: Vec<u8>) {
        self.last_length.set(reply.len().min(1 << 20));
        self.reply.set(reply);
    }

    pub(crate) fn take_reply(&self) -> Vec<u8> {
        self.reply.take()
    }

    /// Takes the place of a reply.
    pub(crate) fn set_http(&self, result: HttpResult) {
        self.http.set(Some(result));
    }

    pub(crate) fn take_http(&self) -> Option<HttpResult> {
        self.http.take()
    }

    /// Returns how much room to make for a reply: a little more than the last one took.
    pub(crate) fn reply_size(&self) -> usize {
        self.last_length.get() + 64
    }
}
