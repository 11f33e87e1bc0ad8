//! What a function has put into `out`, and the payload that comes of it.

use crate::library::{JSON, Library};
use bytes::Bytes;
use serde::de::IgnoredAny;
use std::{marker::PhantomData, ptr, slice};
use trine_engine::{Error, ErrorKind, Payload, RawPayload, Result};

/// Maximum length of an answer, in bytes. What is beyond is no answer, but a length that nobody has set.
const LIMIT: usize = 1 << 30;

/// The bytes that a function of a library has given, until they are given back.
pub(crate) struct Out<'l> {
    bytes: *mut u8,
    length: usize,
    free: unsafe extern "C" fn(*mut u8, usize),
    library: PhantomData<&'l Library>,
}

impl Out<'_> {
    /// Makes the place for an answer, which is empty.
    pub(crate) fn new(free: unsafe extern "C" fn(*mut u8, usize)) -> Self {
        Self { bytes: ptr::null_mut(), length: 0, free, library: PhantomData }
    }

    /// Returns where a function puts its answer, and its length.
    pub(crate) fn places(&mut self) -> (*mut *mut u8, *mut usize) {
        (&raw mut self.bytes, &raw mut self.length)
    }

    /// Returns the bytes.
    ///
    /// # Errors
    /// Where they cannot be there.
    pub(crate) fn bytes(&self, label: &str) -> Result<&[u8]> {
        let Self { bytes, length, .. } = *self;
        let broken = |what: String| Err(Error::new(ErrorKind::Marshal, format!("{label} {what}")));
        if length == 0 {
            return Ok(&[]);
        }
        if bytes.is_null() {
            return broken(format!("has set out_len to {length} and left out NULL"));
        }
        if length > LIMIT {
            return broken(format!(
                "has set out_len to {length}, and an answer may have {LIMIT} bytes at most"
            ));
        }
        // SAFETY: the function vouches for so many bytes at this place, until they are given back.
        Ok(unsafe { slice::from_raw_parts(bytes, length) })
    }
}

impl Drop for Out<'_> {
    fn drop(&mut self) {
        if !self.bytes.is_null() {
            // SAFETY: the function gave these bytes to be given back, and nobody reads them any more.
            unsafe { (self.free)(self.bytes, self.length) };
        }
    }
}

/// Returns the answer of a handler that gave no bytes: `null`, or an empty answer of another type.
pub(crate) fn without_bytes(library: &Library) -> Payload {
    match library.content_type() {
        JSON => Payload::Json(Bytes::from_static(b"null")),
        content_type => Payload::Raw(RawPayload { bytes: Bytes::new(), content_type }),
    }
}

/// Returns the payload of a function that has succeeded; `None` where it gave no bytes.
///
/// # Errors
/// [`ErrorKind::Marshal`] where the bytes cannot be there, or are no JSON where they should be.
pub(crate) fn payload(library: &Library, symbol: &str, out: &Out<'_>) -> Result<Option<Payload>> {
    let bytes = out.bytes(library.label())?;
    if bytes.is_empty() {
        return Ok(None);
    }
    let content_type = library.content_type();
    // They may be given back on this thread alone, so they are copied.
    let copied = || Bytes::copy_from_slice(bytes);
    if content_type != JSON {
        return Ok(Some(Payload::Raw(RawPayload { bytes: copied(), content_type })));
    }
    // What is ignored is not checked for UTF-8 by the parser.
    let checked = std::str::from_utf8(bytes).map_err(|fault| fault.to_string()).and_then(|text| {
        serde_json::from_str::<IgnoredAny>(text).map_err(|fault| fault.to_string())
    });
    if let Err(fault) = checked {
        let message = format!(
            "the answer of {symbol} of {} is no JSON: {fault}: it begins with {:?}; answers of another kind need \
             trine_content_type",
            library.label(),
            String::from_utf8_lossy(&bytes[..bytes.len().min(60)])
        );
        return Err(Error::new(ErrorKind::Marshal, message));
    }
    Ok(Some(Payload::Json(copied())))
}
