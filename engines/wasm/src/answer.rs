//! The answer of a guest: its bytes, as they are, under the media type that fits them.

use bytes::Bytes;
use serde::de::IgnoredAny;
use trine_engine::{Form, Payload, RawPayload};

/// Makes the answer of what a guest printed or returned. Nothing is `null`; for a hook, that it keeps the value.
pub(crate) fn of(bytes: Bytes, form: Form, is_hook: bool) -> Payload {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return match is_hook && form == Form::Native {
            true => Payload::Nothing,
            false => Payload::Json(Bytes::from_static(b"null")),
        };
    }
    if is_hook || serde_json::from_slice::<IgnoredAny>(&bytes).is_ok() {
        return Payload::Json(bytes);
    }
    let content_type = match std::str::from_utf8(&bytes) {
        Ok(text) if !text.contains('\0') => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    };
    Payload::Raw(RawPayload { bytes, content_type })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(bytes: &'static [u8]) -> (Bytes, &'static str) {
        of(Bytes::from_static(bytes), Form::Json, false).into_bytes().unwrap()
    }

    #[test]
    fn bytes_stay_as_they_are_under_the_type_that_fits() {
        let number = &b"{\"n\": 12345678901234567890.10}\n"[..];
        assert_eq!(told(number), (Bytes::from_static(number), "application/json"));
        assert_eq!(told(b"Hello\n").1, "text/plain; charset=utf-8");
        assert_eq!(told(b"\x89PNG\xff").1, "application/octet-stream");
        assert_eq!(told(b" \n").0, "null");
        let hook = of(Bytes::new(), Form::Native, true);
        assert!(matches!(hook, Payload::Nothing));
    }
}
