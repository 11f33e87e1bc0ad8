//! The answer of a guest: its bytes, as they are, under the media type that fits them.

use bytes::Bytes;
use serde::de::IgnoredAny;
use std::path::Path;
use trine_engine::{Error, ErrorKind, Form, Hook, Payload, RawPayload, Result};

/// Maximum number of bytes of an answer in a message.
const SHOWN: usize = 60;

/// Makes the answer of what a handler printed or returned. Nothing is `null`.
pub(crate) fn of(bytes: Bytes) -> Payload {
    if is_blank(&bytes) {
        return Payload::Json(Bytes::from_static(b"null"));
    }
    if json_fault(&bytes).is_none() {
        return Payload::Json(bytes);
    }
    let content_type = match std::str::from_utf8(&bytes) {
        Ok(text) if !text.contains('\0') => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    };
    Payload::Raw(RawPayload { bytes, content_type })
}

/// Makes the value of what a hook of a file returned. Nothing keeps the value that there is.
///
/// # Errors
/// [`ErrorKind::Marshal`] where it is no JSON: functions of other languages have no use for anything else.
pub(crate) fn of_hook(bytes: Bytes, form: Form, hook: Hook, path: &Path) -> Result<Payload> {
    if is_blank(&bytes) {
        return Ok(match form {
            Form::Native => Payload::Nothing,
            _ => Payload::Json(Bytes::from_static(b"null")),
        });
    }
    let Some(fault) = json_fault(&bytes) else { return Ok(Payload::Json(bytes)) };
    let message = format!(
        "{} of {} has returned what is no JSON: {fault}: it begins with {:?}",
        hook.name(),
        path.display(),
        String::from_utf8_lossy(&bytes[..bytes.len().min(SHOWN)])
    );
    Err(Error::new(ErrorKind::Marshal, message))
}

fn is_blank(bytes: &[u8]) -> bool {
    bytes.iter().all(u8::is_ascii_whitespace)
}

/// Returns why bytes are no JSON; `None` where they are.
fn json_fault(bytes: &[u8]) -> Option<String> {
    // What is ignored is not checked for UTF-8 by the parser.
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(fault) => return Some(fault.to_string()),
    };
    serde_json::from_str::<IgnoredAny>(text).err().map(|fault| fault.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(bytes: &'static [u8]) -> (Bytes, &'static str) {
        of(Bytes::from_static(bytes)).into_bytes().unwrap()
    }

    #[test]
    fn bytes_stay_as_they_are_under_the_type_that_fits() {
        let number = &b"{\"n\": 12345678901234567890.10}\n"[..];
        assert_eq!(told(number), (Bytes::from_static(number), "application/json"));
        assert_eq!(told(b"Hello\n").1, "text/plain; charset=utf-8");
        assert_eq!(told(b"\x89PNG\xff").1, "application/octet-stream");
        assert_eq!(told(b" \n").0, "null");
        assert_eq!(told(b"\"\xff\"").1, "application/octet-stream", "JSON is UTF-8");
    }

    #[test]
    fn a_hook_returns_json_or_nothing() {
        let hook = |bytes: &'static [u8]| {
            of_hook(Bytes::from_static(bytes), Form::Native, Hook::Before, Path::new("/opt/m.wasm"))
        };
        assert!(matches!(hook(b""), Ok(Payload::Nothing)));
        assert!(matches!(hook(b" \n"), Ok(Payload::Nothing)));
        assert_eq!(hook(b" [1.50] ").unwrap().into_bytes().unwrap().0, &b" [1.50] "[..]);
        for (bytes, shown) in [
            (&b"Hello"[..], "\"Hello\""),
            (b"{\"a\":1", "{\\\"a\\\":1"),
            (b"1 2", "1 2"),
            (b"\"\xff\"", "\u{fffd}"),
            (b"\x89PNG", "PNG"),
        ] {
            let error = hook(bytes).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Marshal, "{error}");
            let start = "before of /opt/m.wasm has returned what is no JSON: ";
            assert!(error.message().starts_with(start), "{error}");
            assert!(error.message().contains(shown), "{error}");
        }
    }
}
