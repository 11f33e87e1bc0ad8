//! Bytes on their way out of a plug-in, none of which are believed before they have been looked at.

use crate::{abi, library::Library};
use serde::de::IgnoredAny;
use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};
use trine_engine::{Error, ErrorKind, Result};

/// Maximum size of a buffer. What a plug-in tells beyond that is taken for a slip.
const LARGEST: usize = 1 << 30;

/// Maximum number of media types that are kept beside the usual ones.
const MOST_TYPES: usize = 1000;

/// Maximum length of a media type.
const LONGEST_TYPE: usize = 256;

/// Media types that are kept anyway.
const USUAL_TYPES: [&str; 6] = [
    "application/octet-stream",
    "application/json",
    "text/plain",
    "text/plain; charset=utf-8",
    "text/html",
    "text/html; charset=utf-8",
];

/// Copies a buffer that a function of the plug-in has given away, and gives it back.
///
/// # Errors
/// When there cannot be such a buffer; then it is left alone.
///
/// # Safety
/// The buffer is empty, or as the plug-in has just given it.
pub(crate) unsafe fn take(
    library: &Library,
    buffer: abi::Given,
    function: &str,
) -> Result<Vec<u8>> {
    if buffer.data.is_null() && buffer.size == 0 {
        return Ok(Vec::new());
    }
    if buffer.data.is_null() || buffer.size > LARGEST {
        let abi::Given { data, size } = buffer;
        let message = format!("`{function}` has given {size} bytes at {data:p}, which cannot be");
        return Err(fault(library, &message));
    }
    // SAFETY: the plug-in says that there are so many bytes.
    let bytes = unsafe { std::slice::from_raw_parts(buffer.data, buffer.size) }.to_vec();
    // SAFETY: it is the plug-in's own buffer, and is given back once.
    unsafe { (library.free_buffer)(buffer) };
    Ok(bytes)
}

/// Checks that bytes are JSON text, so that what is no JSON is told here and not by whoever reads it.
pub(crate) fn check_json(library: &Library, bytes: &[u8], function: &str) -> Result<()> {
    if json_text(bytes).is_some() {
        return Ok(());
    }
    let message = format!(
        "{}: `{function}` has answered with what is no JSON: {}: {}",
        library.path.display(),
        trine_json::describe(bytes),
        shortened(bytes)
    );
    Err(Error::new(ErrorKind::Marshal, message))
}

/// Returns bytes as JSON text, if they are that.
pub(crate) fn json_text(bytes: &[u8]) -> Option<&str> {
    // What is skipped is not looked into, so that bytes that are no text would pass.
    let text = std::str::from_utf8(bytes).ok()?;
    serde_json::from_str::<IgnoredAny>(text).is_ok().then_some(text)
}

/// Returns a media type as one that stays.
///
/// # Safety
/// The bytes are readable.
pub(crate) unsafe fn media_type(library: &Library, lent: abi::Lent) -> Result<&'static str> {
    if lent.size == 0 {
        return Ok(USUAL_TYPES[0]);
    }
    let told = |what: String| {
        let message = format!("{}: {what}", library.path.display());
        Error::new(ErrorKind::Marshal, message)
    };
    if lent.data.is_null() || lent.size > LONGEST_TYPE {
        let size = lent.size;
        return Err(told(format!(
            "the media type of an answer has {size} bytes at {:p}",
            lent.data
        )));
    }
    // SAFETY: as the caller vouches.
    let bytes = unsafe { std::slice::from_raw_parts(lent.data, lent.size) };
    let text = std::str::from_utf8(bytes).ok();
    let fit =
        |text: &&str| text.bytes().all(|byte| matches!(byte, b' '..=b'~')) && text.contains('/');
    let text = text.filter(fit).ok_or_else(|| {
        told(format!("{:?} is no media type of an answer", String::from_utf8_lossy(bytes)))
    })?;
    kept(text).ok_or_else(|| told(format!("answers have had more than {MOST_TYPES} media types")))
}

/// Keeps a text until the end of the process, each once.
fn kept(text: &str) -> Option<&'static str> {
    static KEPT: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    if let Some(usual) = USUAL_TYPES.into_iter().find(|usual| *usual == text) {
        return Some(usual);
    }
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = kept.get(text) {
        return Some(known);
    }
    if kept.len() >= MOST_TYPES {
        return None;
    }
    let new: &'static str = text.to_owned().leak();
    kept.insert(new);
    Some(new)
}

/// Returns the error of a plug-in that does not keep to the interface: it must not be called again.
pub(crate) fn fault(library: &Library, message: &str) -> Error {
    Error::internal(format!("the plug-in {}: {message}", library.path.display())).poisoning()
}

/// Returns the beginning of a text, quoted, for a message.
pub(crate) fn shortened(bytes: &[u8]) -> String {
    const LONGEST: usize = 200;
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(LONGEST)]);
    let more = if bytes.len() > LONGEST { " …" } else { "" };
    format!("{text:?}{more}")
}
