//! The value on its way through: what a front door received, what one function hands to the next, what goes out.

use crate::{Error, ErrorKind, HttpResult, Result, Shaped, WebRequest, WebResponse};
use bytes::Bytes;
use std::{any::Any, fmt, rc::Rc, sync::Arc};

/// A value in flight.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Payload {
    /// JSON text in UTF-8. Not checked: whoever parses it reports what is wrong with it.
    Json(Bytes),
    /// A value in one engine's own form. Serialised only when it crosses to another engine or leaves the process.
    Native(Rc<dyn NativeValue>),
    /// A value of a shape that is known. An engine without a use for that takes [`Payload::into_bytes`].
    Shaped(Shaped),
    /// The result of a handler, where [`crate::Invocation::takes_http_result`] allows for it.
    Http(HttpResult),
    /// Bytes that go out as they are.
    Raw(RawPayload),
    /// The result of a function that returns nothing (`undefined`, `None`, `nil`), where [`Form::Native`] was asked
    /// for: a hook that keeps the value as it is. As an input: no value, for hooks that take the context alone.
    Nothing,
    /// The result of a handler whose answer has gone into [`crate::Invocation::stream`].
    Streamed,
    /// A web request, for a function whose [`crate::Exports::interface`] takes one ([`crate::Interface::is_web`]).
    Request(Arc<WebRequest>),
    /// The answer to a web request, where it is whole when its function ends.
    Response(Box<WebResponse>),
}

/// Bytes that go out as they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawPayload {
    /// The bytes.
    pub bytes: Bytes,
    /// Their media type.
    pub content_type: &'static str,
}

/// The form in which the next hop can take a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// [`Payload::Json`] (or [`Payload::Raw`], where the guest gave bytes): the value leaves the engine.
    Json,
    /// [`Payload::Native`] where the engine has it, [`Payload::Nothing`] for nothing: the value stays in the engine.
    Native,
}

/// A value in one engine's own form, held for the instance that made it.
pub trait NativeValue {
    /// Returns the [`crate::EngineInfo::id`] of the engine that it belongs to.
    fn engine(&self) -> &'static str;

    /// Returns the value as JSON text.
    ///
    /// # Errors
    /// [`ErrorKind::Marshal`] when it has no JSON form.
    fn to_json(&self) -> Result<Bytes>;

    /// Returns the value as JSON text, for members of `context.state`: what has no JSON form is an error wherever it
    /// stands in the value, also where the language's own serialiser leaves it out or writes something poorer.
    ///
    /// # Errors
    /// [`ErrorKind::Marshal`] when it, or a part of it, has no JSON form.
    fn to_plain_json(&self) -> Result<Bytes> {
        self.to_json()
    }

    /// Returns the value for the engine that made it, to find its own type again.
    fn as_any(&self) -> &dyn Any;
}

impl fmt::Debug for dyn NativeValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NativeValue({})", self.engine())
    }
}

impl Payload {
    /// Returns the value as JSON text where it was taken apart; anything else as it is.
    #[must_use]
    pub fn whole(self) -> Self {
        match self {
            Self::Shaped(value) => Self::Json(value.to_json()),
            other => other,
        }
    }

    /// Makes JSON text from anything that holds bytes.
    pub fn json(text: impl Into<Bytes>) -> Self {
        Self::Json(text.into())
    }

    /// Returns the bytes that leave the process, and their media type.
    ///
    /// # Errors
    /// [`ErrorKind::Marshal`] when a native value has no JSON form.
    pub fn into_bytes(self) -> Result<(Bytes, &'static str)> {
        match self {
            Self::Json(text) => Ok((text, "application/json")),
            Self::Native(value) => Ok((value.to_json()?, "application/json")),
            Self::Shaped(value) => Ok((value.to_json(), "application/json")),
            Self::Http(result) => Ok((result.to_json(), "application/json")),
            Self::Raw(raw) => Ok((raw.bytes, raw.content_type)),
            Self::Nothing => Ok((Bytes::from_static(b"null"), "application/json")),
            Self::Streamed => {
                Err(Error::internal("a streamed answer has been sent and is no value any more"))
            }
            Self::Request(_) | Self::Response(_) => {
                Err(Error::internal("web requests and responses have no form of their own in JSON"))
            }
        }
    }
}

impl From<&serde_json::Value> for Payload {
    fn from(value: &serde_json::Value) -> Self {
        Self::Json(Bytes::from(value.to_string()))
    }
}

impl TryFrom<Payload> for serde_json::Value {
    type Error = Error;

    fn try_from(payload: Payload) -> Result<Self> {
        let (bytes, _) = payload.into_bytes()?;
        serde_json::from_slice(&bytes).map_err(|e| {
            Error::new(ErrorKind::Unmarshal, format!("the value is not valid JSON: {e}"))
        })
    }
}
