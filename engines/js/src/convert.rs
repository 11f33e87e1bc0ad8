//! Payloads to V8 values and back.

use bytes::Bytes;
use deno_runtime::deno_core::v8;
use trine_engine::{Error, ErrorKind, Result};

/// The event's text as a V8 string.
///
/// # Errors
/// [`ErrorKind::Unmarshal`] when it is not UTF-8 or longer than V8's strings can be.
pub(crate) fn text_to_v8<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    text: &[u8],
) -> Result<v8::Local<'s, v8::Value>> {
    let string = if text.is_ascii() {
        v8::String::new_from_one_byte(scope, text, v8::NewStringType::Normal)
    } else {
        if let Err(error) = std::str::from_utf8(text) {
            let at = error.valid_up_to();
            return Err(Error::new(
                ErrorKind::Unmarshal,
                format!("the event is not valid UTF-8: the byte at {at} begins no character"),
            ));
        }
        v8::String::new_from_utf8(scope, text, v8::NewStringType::Normal)
    };
    string.map(Into::into).ok_or_else(|| {
        Error::new(
            ErrorKind::Unmarshal,
            format!("an event of {} bytes is longer than V8's strings can be", text.len()),
        )
    })
}

/// A V8 string as UTF-8 bytes.
pub(crate) fn v8_to_text(
    scope: &mut v8::PinScope<'_, '_>,
    value: v8::Local<'_, v8::String>,
) -> Bytes {
    Bytes::from(value.to_rust_string_lossy(scope))
}
