//! The beginning of a streamed HTTP response: status, headers and cookies as JSON, then eight NUL bytes, then the body.
//! Contract: function URLs with `RESPONSE_STREAM` and API Gateway's response streaming, which wants the delimiter
//! within the first 16 KiB.

use super::{state::Breach, violation::rule};
use bytes::{Bytes, BytesMut};
use serde_json::{Map, Value};

/// The media type that says that a response begins with a [`Prelude`].
pub const PRELUDE_CONTENT_TYPE: &str = "application/vnd.awslambda.http-integration-response";
/// The bytes between the JSON text and the body.
const DELIMITER: [u8; 8] = [0; 8];
/// Largest JSON text with its delimiter.
const MAX_BYTES: usize = 16 * 1024;

/// What an HTTP response has before its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prelude {
    /// The status; 200 where the function names none.
    pub status: u16,
    /// Names and values of headers, those with several values once for each.
    pub headers: Vec<(String, String)>,
    /// Values of `Set-Cookie` headers.
    pub cookies: Vec<String>,
}

impl Prelude {
    /// Reads the JSON text of a prelude.
    ///
    /// # Errors
    /// When it is not an object of the documented members; the text says why.
    pub fn parse(text: &[u8]) -> Result<Self, String> {
        let parsed: Value =
            serde_json::from_slice(text).map_err(|error| format!("is no JSON: {error}"))?;
        let Value::Object(members) = parsed else {
            return Err(format!("is no object: {parsed}"));
        };
        let status = match members.get("statusCode") {
            None | Some(Value::Null) => 200,
            Some(code) => code
                .as_u64()
                .filter(|code| (100..=999).contains(code))
                .and_then(|code| u16::try_from(code).ok())
                .ok_or_else(|| format!("has no status: {code}"))?,
        };
        let mut headers = Vec::new();
        for (name, value) in object(&members, "headers")?.into_iter().flatten() {
            headers.push((name.clone(), text_of(name, value)?));
        }
        for (name, values) in object(&members, "multiValueHeaders")?.into_iter().flatten() {
            for value in list(name, values)? {
                headers.push((name.clone(), text_of(name, value)?));
            }
        }
        let cookies = match members.get("cookies") {
            None | Some(Value::Null) => Vec::new(),
            Some(cookies) => list("cookies", cookies)?
                .iter()
                .map(|cookie| text_of("cookies", cookie))
                .collect::<Result<_, _>>()?,
        };
        Ok(Self { status, headers, cookies })
    }
}

fn object<'v>(
    members: &'v Map<String, Value>,
    name: &str,
) -> Result<Option<&'v Map<String, Value>>, String> {
    match members.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(found)) => Ok(Some(found)),
        Some(other) => Err(format!("has {name} that are no object: {other}")),
    }
}

fn list<'v>(name: &str, value: &'v Value) -> Result<&'v [Value], String> {
    value
        .as_array()
        .map(Vec::as_slice)
        .ok_or_else(|| format!("has {name} that is no list: {value}"))
}

fn text_of(name: &str, value: &Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(_) | Value::Bool(_) => Ok(value.to_string()),
        other => Err(format!("has {name} that is no text: {other}")),
    }
}

/// Splits a stream into its prelude and its body, piece by piece.
///
/// ```
/// use trine_emulator::PreludeSplitter;
///
/// let mut splitter = PreludeSplitter::new();
/// assert_eq!(splitter.push(b"{\"statusCode\": 404}\0\0\0".as_slice().into()), Ok(None));
/// let (prelude, body) = splitter.push(b"\0\0\0\0\0nothing".as_slice().into()).unwrap().unwrap();
/// assert_eq!((prelude.status, &*body), (404, b"nothing".as_slice()));
/// ```
#[derive(Debug, Default)]
pub struct PreludeSplitter {
    seen: BytesMut,
}

impl PreludeSplitter {
    /// Makes a splitter at the beginning of a stream.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next piece of the stream. Once the prelude is whole, returns it with what of the body has come along;
    /// all later pieces are body.
    ///
    /// # Errors
    /// When the stream does not begin with a prelude; the text says why.
    pub fn push(&mut self, piece: Bytes) -> Result<Option<(Prelude, Bytes)>, String> {
        // The delimiter may lie across two pieces.
        let from = self.seen.len().saturating_sub(DELIMITER.len() - 1);
        self.seen.extend_from_slice(&piece);
        let at = self.seen[from..].windows(DELIMITER.len()).position(|bytes| *bytes == DELIMITER);
        match at.map(|at| from + at) {
            Some(at) if at + DELIMITER.len() <= MAX_BYTES => {
                let mut body = std::mem::take(&mut self.seen).freeze();
                let text = body.split_to(at);
                Prelude::parse(&text).map(|prelude| Some((prelude, body.slice(DELIMITER.len()..))))
            }
            None if self.seen.len() < MAX_BYTES => Ok(None),
            _ => Err(format!("has no eight NUL bytes within its first {MAX_BYTES}")),
        }
    }
}

/// The look at a response's first bytes.
#[derive(Debug)]
pub(super) enum Beginning {
    /// Nothing more is expected.
    Seen,
    /// A prelude is expected.
    Expected(PreludeSplitter),
    /// It is not what it says it is.
    Wrong(String),
}

impl Beginning {
    /// Begins to look at a response of this media type.
    pub(super) fn of(content_type: Option<&str>) -> Self {
        let essence = content_type.and_then(|kind| kind.split(';').next()).map(str::trim);
        match essence {
            Some(PRELUDE_CONTENT_TYPE) => Self::Expected(PreludeSplitter::new()),
            _ => Self::Seen,
        }
    }

    /// Looks at the next piece.
    pub(super) fn see(&mut self, piece: &Bytes) {
        let Self::Expected(splitter) = self else { return };
        match splitter.push(piece.clone()) {
            Ok(None) => {}
            Ok(Some(_)) => *self = Self::Seen,
            Err(why) => *self = Self::Wrong(why),
        }
    }

    /// Returns what was wrong with the beginning of a response that has ended.
    pub(super) fn breach(self) -> Option<Breach> {
        let why = match self {
            Self::Seen => return None,
            Self::Expected(_) => "ends before its eight NUL bytes".to_owned(),
            Self::Wrong(why) => why,
        };
        Some((rule::PRELUDE, format!("the prelude {why}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(pieces: &[&[u8]]) -> Result<Option<(Prelude, Bytes)>, String> {
        let mut splitter = PreludeSplitter::new();
        let mut found = Ok(None);
        for piece in pieces {
            found = splitter.push(Bytes::copy_from_slice(piece));
        }
        found
    }

    #[test]
    fn a_prelude_is_found_wherever_its_pieces_end() {
        let text = br#"{"statusCode":201,"headers":{"a":"b","n":1},"multiValueHeaders":{"m":["1","2"]},"cookies":["c=d"]}"#;
        let whole = [text.as_slice(), &DELIMITER, b"body"].concat();
        for at in 0..whole.len() - 4 {
            let (prelude, body) = split(&[&whole[..at], &whole[at..]]).unwrap().unwrap();
            assert_eq!((prelude.status, &*body), (201, b"body".as_slice()), "{at}");
            assert_eq!(prelude.cookies, ["c=d"]);
            let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
            let headers = [header("a", "b"), header("n", "1"), header("m", "1"), header("m", "2")];
            assert_eq!(prelude.headers, headers);
        }
    }

    #[test]
    fn what_is_no_prelude_is_told() {
        let parse = |text: &str| Prelude::parse(text.as_bytes());
        assert_eq!(parse("{}").unwrap().status, 200);
        assert!(parse("[]").unwrap_err().contains("no object"));
        assert!(parse("{").unwrap_err().contains("no JSON"));
        assert!(parse(r#"{"statusCode":"x"}"#).unwrap_err().contains("no status"));
        assert!(parse(r#"{"headers":[]}"#).unwrap_err().contains("headers"));
        assert!(parse(r#"{"headers":{"a":[]}}"#).unwrap_err().contains("no text"));
        assert!(parse(r#"{"cookies":"a=b"}"#).unwrap_err().contains("no list"));
        assert_eq!(split(&[&[b'x'; MAX_BYTES - 1]]), Ok(None));
        assert!(split(&[&[b'x'; MAX_BYTES]]).unwrap_err().contains("eight NUL bytes"));
    }
}
