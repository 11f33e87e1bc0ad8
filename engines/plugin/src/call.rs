//! One call: an event in, and an answer out that is looked at before it is believed.

use crate::{
    abi::{self, Lent},
    convert,
    library::Library,
};
use bytes::Bytes;
use std::{ffi::c_void, ptr};
use trine_engine::{Error, ErrorKind, Form, Invocation, Payload, RawPayload, Result};

/// The input of a call, in the form that it crosses in.
pub(crate) struct Input {
    kind: u32,
    bytes: Bytes,
    content_type: &'static str,
}

impl Input {
    pub(crate) fn of(payload: Payload) -> Result<Self> {
        let kind = match &payload {
            Payload::Nothing => abi::NOTHING,
            Payload::Raw(_) => abi::RAW,
            _ => abi::JSON,
        };
        if kind == abi::NOTHING {
            return Ok(Self { kind, bytes: Bytes::new(), content_type: "" });
        }
        let (bytes, content_type) = payload.into_bytes()?;
        let content_type = if kind == abi::RAW { content_type } else { "" };
        Ok(Self { kind, bytes, content_type })
    }
}

/// What came of a call: its answer as it crosses, or the text of its error.
pub(crate) enum Outcome {
    Answered { kind: u32, bytes: Vec<u8>, content_type: &'static str },
    Failed(Vec<u8>),
}

/// Calls a function.
///
/// # Errors
/// When what it has given back cannot be.
///
/// # Safety
/// `instance` is what `start` has given on this thread, and has not been shut down.
pub(crate) unsafe fn call(
    library: &Library,
    instance: *mut c_void,
    function: u32,
    input: &Input,
    context: &[u8],
) -> Result<Outcome> {
    let event = abi::Event {
        size: abi::size_of::<abi::Event>(),
        kind: input.kind,
        bytes: Lent::of(&input.bytes),
        content_type: Lent::of(input.content_type.as_bytes()),
    };
    let mut answer = abi::Answer {
        size: abi::size_of::<abi::Answer>(),
        kind: abi::JSON,
        bytes: abi::Given::NONE,
        content_type: Lent { data: ptr::null(), size: 0 },
    };
    // SAFETY: the instance is alive, as the caller vouches, and everything else outlives the call.
    let status = unsafe {
        (library.call)(instance, function, &raw const event, Lent::of(context), &raw mut answer)
    };
    // SAFETY: it is as the plug-in has just filled it in.
    let bytes = unsafe { convert::take(library, answer.bytes, "call") }?;
    if status != abi::OK {
        return Ok(Outcome::Failed(bytes));
    }
    let content_type = match answer.kind {
        // SAFETY: it stays readable until the instance is called again.
        abi::RAW => unsafe { convert::media_type(library, answer.content_type) }?,
        _ => "",
    };
    Ok(Outcome::Answered { kind: answer.kind, bytes, content_type })
}

/// Makes a value of an answer.
pub(crate) fn value(
    library: &Library,
    (kind, bytes, content_type): (u32, Vec<u8>, &'static str),
    form: Form,
    invocation: &Invocation,
) -> Result<Payload> {
    match kind {
        abi::JSON => {
            convert::check_json(library, &bytes, "call")?;
            Ok(Payload::json(bytes))
        }
        abi::RAW => Ok(Payload::Raw(RawPayload { bytes: bytes.into(), content_type })),
        abi::NOTHING if form == Form::Native => Ok(Payload::Nothing),
        abi::NOTHING => Ok(Payload::json("null")),
        abi::REPLY => {
            convert::check_json(library, &bytes, "call")?;
            invocation.exchange.reply(Payload::json(bytes))?;
            Ok(Payload::Nothing)
        }
        other => {
            let message = format!(
                "{}: `call` has answered with a value of kind {other}, and there are those from 0 to {}",
                library.path.display(),
                abi::REPLY
            );
            Err(Error::new(ErrorKind::Marshal, message))
        }
    }
}
