//! The values that an invocation's functions share, whatever their language: a table, an early answer, the last error.

use crate::{Error, ErrorKind, Hook, NativeValue, Payload, Result};
use bytes::Bytes;
use serde::{
    Serialize, Serializer,
    ser::{Error as _, SerializeMap},
};
use serde_json::value::RawValue;
use std::{
    cell::{Cell, RefCell},
    fmt,
    rc::Rc,
};

/// The values that the functions of one invocation share.
#[derive(Default)]
pub struct Exchange {
    state: RefCell<Vec<(String, Payload)>>,
    hook: Cell<Option<Hook>>,
    reply: RefCell<Option<Payload>>,
    replied: Cell<bool>,
    buffers: Cell<bool>,
    keeps_thrown: Cell<bool>,
    thrown: RefCell<Option<Rc<dyn NativeValue>>>,
}

impl Exchange {
    /// Returns the keys of `context.state`, in the order in which they were first written.
    pub fn state_keys(&self) -> Vec<String> {
        self.state.borrow().iter().map(|(key, _)| key.clone()).collect()
    }

    /// Whether `context.state` has this key.
    pub fn has_state(&self, key: &str) -> bool {
        self.state.borrow().iter().any(|(known, _)| known == key)
    }

    /// Reads a member of `context.state` for the engine whose own values `own` recognises: its own value as it is, any
    /// other as JSON text. An engine that makes a container of such text writes it back as its own
    /// ([`Exchange::write_state`]), so that what a function then changes in it is seen by everybody.
    ///
    /// # Errors
    /// [`ErrorKind::Marshal`], naming the key, when the value has no form outside its language. `reader` is the
    /// language that asked, as people write it.
    pub fn read_state(
        &self,
        key: &str,
        reader: &str,
        own: impl FnOnce(&Rc<dyn NativeValue>) -> bool,
    ) -> Result<Option<Payload>> {
        let found = self.state.borrow().iter().find(|(known, _)| known == key).cloned();
        match found {
            Some((_, Payload::Native(value))) if !own(&value) => {
                let text = value.to_plain_json().map_err(|error| {
                    let reason = error.message();
                    let message =
                        format!("context.state.{key} cannot be read by {reader}: {reason}");
                    Error::new(ErrorKind::Marshal, message)
                })?;
                Ok(Some(Payload::Json(text)))
            }
            other => Ok(other.map(|(_, value)| value)),
        }
    }

    /// Writes a member of `context.state`. Never fails: a value that cannot cross is the reader's error there.
    pub fn write_state(&self, key: &str, value: Payload) {
        let mut state = self.state.borrow_mut();
        let replaced = match state.iter_mut().find(|(known, _)| known == key) {
            Some((_, old)) => Some(std::mem::replace(old, value)),
            None => {
                state.push((key.to_owned(), value));
                None
            }
        };
        // Dropping a value may run guest code, which may come back here.
        drop(state);
        drop(replaced);
    }

    /// Removes a member of `context.state`. Returns whether it was there.
    pub fn remove_state(&self, key: &str) -> bool {
        let mut state = self.state.borrow_mut();
        let at = state.iter().position(|(known, _)| known == key);
        let removed = at.map(|at| state.remove(at));
        drop(state);
        removed.is_some()
    }

    /// Returns all of `context.state` as a JSON object, for tests and listings.
    ///
    /// # Errors
    /// [`ErrorKind::Marshal`] as [`Exchange::read_state`], and when a member that is kept as JSON text is none.
    pub fn state_to_json(&self) -> Result<Bytes> {
        let mut members = Vec::new();
        for key in self.state_keys() {
            if let Some(value) = self.read_state(&key, "JSON", |_| false)? {
                members.push((key, value.into_bytes()?.0));
            }
        }
        let text = serde_json::to_vec(&State(&members)).map_err(|error| {
            Error::new(ErrorKind::Marshal, format!("context.state cannot be written: {error}"))
        })?;
        Ok(text.into())
    }

    /// Notes what the pipeline runs now: a hook, or the handler.
    pub fn enter(&self, hook: Option<Hook>) {
        self.hook.set(hook);
    }

    /// Returns the hook that runs now; `None` while the handler does.
    pub fn hook(&self) -> Option<Hook> {
        self.hook.get()
    }

    /// Answers the invocation (`context.reply(response)`) from a `before` hook. The response is in the engine's own
    /// form where it has one.
    ///
    /// # Errors
    /// [`ErrorKind::Guest`] outside a `before` hook, and at the second call. The guest is to see it as an exception of
    /// its own.
    pub fn reply(&self, response: Payload) -> Result<()> {
        if self.hook.get() != Some(Hook::Before) {
            let message = format!(
                "context.reply answers from a before hook only; this is {}",
                self.what_runs()
            );
            return Err(Error::guest("ReplyError", message));
        }
        if self.replied.replace(true) {
            let message = "context.reply was called twice: the invocation has its answer already";
            return Err(Error::guest("ReplyError", message));
        }
        *self.reply.borrow_mut() = Some(response);
        Ok(())
    }

    /// Takes the answer that a `before` hook has given.
    pub fn take_reply(&self) -> Option<Payload> {
        if !self.replied.get() {
            return None;
        }
        self.reply.borrow_mut().take()
    }

    /// Asks for the whole of an answer that may be streamed (`context.bufferResponse()`): from a `before` hook for all
    /// hooks on the way out, from an `after` hook, which is called once more, for itself and those that follow.
    ///
    /// # Errors
    /// [`ErrorKind::Guest`] outside of these hooks. The guest is to see it as an exception of its own.
    pub fn buffer_response(&self) -> Result<()> {
        if matches!(self.hook.get(), Some(Hook::Before | Hook::After)) {
            self.buffers.set(true);
            return Ok(());
        }
        let message = format!(
            "the whole response can be asked for in a before or an after hook; this is {}",
            self.what_runs()
        );
        Err(Error::guest("BufferError", message))
    }

    /// Has a streamed answer taken as a whole, because nobody outside reads it piece by piece.
    pub fn buffer(&self) {
        self.buffers.set(true);
    }

    /// Whether a hook has asked for the whole answer.
    pub fn buffers_response(&self) -> bool {
        self.buffers.get()
    }

    fn what_runs(&self) -> String {
        match self.hook.get() {
            Some(hook) => format!("the hook {hook}"),
            None => "the handler".to_owned(),
        }
    }

    /// Notes whether anybody wants what guests throw as a value of their language.
    pub fn keep_thrown(&self, keeps: bool) {
        self.keeps_thrown.set(keeps);
    }

    /// Whether engines are to hand over what a guest throws ([`Exchange::set_thrown`]).
    pub fn keeps_thrown(&self) -> bool {
        self.keeps_thrown.get()
    }

    /// Keeps what the guest threw, in its language's own form, for an `error` hook of that language.
    pub fn set_thrown(&self, thrown: Rc<dyn NativeValue>) {
        *self.thrown.borrow_mut() = Some(thrown);
    }

    /// Takes what was thrown last.
    pub fn take_thrown(&self) -> Option<Rc<dyn NativeValue>> {
        self.thrown.borrow_mut().take()
    }
}

/// The members of `context.state` with the JSON text of each.
struct State<'a>(&'a [(String, Bytes)]);

impl Serialize for State<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut members = serializer.serialize_map(Some(self.0.len()))?;
        for (key, text) in self.0 {
            let value: &RawValue = serde_json::from_slice(text)
                .map_err(|error| S::Error::custom(format!("{key} is no JSON: {error}")))?;
            members.serialize_entry(key, value)?;
        }
        members.end()
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange").field("hook", &self.hook.get()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::any::Any;

    struct Own(Result<&'static str, &'static str>);

    impl NativeValue for Own {
        fn engine(&self) -> &'static str {
            "own"
        }

        fn to_json(&self) -> Result<Bytes> {
            match self.0 {
                Ok(text) => Ok(Bytes::from_static(text.as_bytes())),
                Err(reason) => Err(Error::new(ErrorKind::Marshal, reason)),
            }
        }

        fn as_any(&self) -> &dyn Any {
            self
        }
    }

    fn native(value: Result<&'static str, &'static str>) -> Payload {
        Payload::Native(Rc::new(Own(value)))
    }

    #[test]
    fn state_crosses_when_it_is_read_and_fails_there() {
        let exchange = Exchange::default();
        exchange.write_state("user", native(Ok("{\"id\":1}")));
        exchange.write_state("timer", native(Err("a function has no JSON form")));
        let own = |value: &Rc<dyn NativeValue>| value.engine() == "own";
        assert!(matches!(exchange.read_state("user", "Own", own), Ok(Some(Payload::Native(_)))));
        assert!(matches!(exchange.read_state("timer", "Own", own), Ok(Some(Payload::Native(_)))));
        let crossed = exchange.read_state("user", "Lua", |_| false).unwrap().unwrap();
        assert_eq!(crossed.into_bytes().unwrap().0, "{\"id\":1}");
        let error = exchange.read_state("timer", "Lua", |_| false).unwrap_err();
        assert_eq!(
            error.message(),
            "context.state.timer cannot be read by Lua: a function has no JSON form"
        );
        assert!(exchange.remove_state("timer") && !exchange.remove_state("timer"));
        exchange.write_state("a \"text\"", Payload::json("{\"b\": 1.50, \"a\": []}"));
        assert_eq!(
            exchange.state_to_json().unwrap(),
            r#"{"user":{"id":1},"a \"text\"":{"b": 1.50, "a": []}}"#
        );
        exchange.write_state("cut", Payload::json("{"));
        let error = exchange.state_to_json().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Marshal);
        assert!(
            error.message().starts_with("context.state cannot be written: cut is no JSON: "),
            "{error}"
        );
    }

    #[test]
    fn a_reply_comes_once_and_from_a_before_hook() {
        let exchange = Exchange::default();
        let outside = exchange.reply(Payload::json("1")).unwrap_err();
        assert_eq!(
            outside.message(),
            "context.reply answers from a before hook only; this is the handler"
        );
        exchange.enter(Some(Hook::Before));
        exchange.reply(Payload::json("1")).unwrap();
        assert!(exchange.reply(Payload::json("2")).unwrap_err().message().contains("twice"));
        assert_eq!(exchange.take_reply().unwrap().into_bytes().unwrap().0, "1");
        assert!(exchange.take_reply().is_none());
    }
}
