//! The conversion of payloads to V8 values and back.

use crate::error::{During, from_description};
use bytes::Bytes;
use deno_runtime::deno_core::v8;
use trine_engine::{Error, ErrorKind, HttpResult, Interface, Payload, Result};

/// A reader of what the prelude returned; gives `None` when that describes an error instead.
pub(crate) type Read<T> = fn(&mut v8::PinScope<'_, '_>, v8::Local<'_, v8::Value>) -> Option<T>;

/// Functions of a module, with the names that they were found by; names without a function are those of its others.
pub(crate) type LoadedFunctions = Vec<(String, Option<v8::Global<v8::Function>>)>;

/// Makes a V8 string of the event's text.
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

/// Returns bytes as a `Uint8Array` of their own.
///
/// # Errors
/// When V8 has no room for them.
pub(crate) fn bytes_to_v8<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    bytes: &[u8],
) -> Result<v8::Local<'s, v8::Value>> {
    let store = v8::ArrayBuffer::new_backing_store_from_vec(bytes.to_vec()).make_shared();
    let buffer = v8::ArrayBuffer::with_backing_store(scope, &store);
    let array = v8::Uint8Array::new(scope, buffer, 0, bytes.len());
    array.map(Into::into).ok_or_else(|| Error::internal("V8 made no array of a response's bytes"))
}

/// Returns a V8 string as UTF-8 bytes.
fn v8_to_text(scope: &mut v8::PinScope<'_, '_>, value: v8::Local<'_, v8::String>) -> Bytes {
    Bytes::from(value.to_rust_string_lossy(scope))
}

/// Reads what the prelude returned; fails with the error that it describes instead.
pub(crate) fn read_or_fail<'s, T>(
    scope: &mut v8::PinScope<'s, '_>,
    value: v8::Local<'s, v8::Value>,
    during: During,
    read: Read<T>,
) -> Result<T> {
    read(scope, value).ok_or_else(|| failure(scope, value, during))
}

/// Reads the error of a prelude's `Failure`.
pub(crate) fn failure<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    failure: v8::Local<'s, v8::Value>,
    during: During,
) -> Error {
    let description = member(scope, failure, "description");
    let description = description.map(|text| text.to_rust_string_lossy(scope));
    from_description(&description.unwrap_or_default(), during)
}

/// Reads a member of an object of the prelude's.
pub(crate) fn member<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    object: v8::Local<'s, v8::Value>,
    name: &str,
) -> Option<v8::Local<'s, v8::Value>> {
    let key = v8::String::new(scope, name)?;
    object.to_object(scope)?.get(scope, key.into())
}

/// Reads JSON text.
pub(crate) fn read_text(
    scope: &mut v8::PinScope<'_, '_>,
    value: v8::Local<'_, v8::Value>,
) -> Option<Bytes> {
    let text: v8::Local<'_, v8::String> = value.try_into().ok()?;
    Some(v8_to_text(scope, text))
}

/// Reads a result for an HTTP server: JSON text, a text in an array of one, or an array of what a response is made of.
pub(crate) fn read_response(
    scope: &mut v8::PinScope<'_, '_>,
    value: v8::Local<'_, v8::Value>,
) -> Option<Payload> {
    let Ok(parts) = v8::Local::<'_, v8::Array>::try_from(value) else {
        return read_text(scope, value).map(Payload::Json);
    };
    if parts.length() == 1 {
        let text = parts.get_index(scope, 0)?.to_rust_string_lossy(scope);
        return Some(Payload::Http(HttpResult::text(text)));
    }
    let status = parts.get_index(scope, 0)?.uint32_value(scope)?;
    let fields = parts.get_index(scope, 1)?.to_rust_string_lossy(scope);
    let body = parts.get_index(scope, 2)?.to_rust_string_lossy(scope);
    let is_base64 = parts.get_index(scope, 3)?.is_true();
    HttpResult::new(status.try_into().ok()?, fields, body, is_base64).map(Payload::Http)
}

/// Reads a value, which the prelude passes in an array of one; `None` inside for undefined.
pub(crate) fn read_value(
    scope: &mut v8::PinScope<'_, '_>,
    value: v8::Local<'_, v8::Value>,
) -> Option<Option<v8::Global<v8::Value>>> {
    let boxed: v8::Local<'_, v8::Array> = value.try_into().ok()?;
    let value = boxed.get_index(scope, 0)?;
    Some((!value.is_undefined()).then(|| v8::Global::new(scope, value)))
}

/// Reads a text, which the prelude passes in an array of one.
pub(crate) fn read_boxed_text(
    scope: &mut v8::PinScope<'_, '_>,
    value: v8::Local<'_, v8::Value>,
) -> Option<Bytes> {
    let boxed: v8::Local<'_, v8::Array> = value.try_into().ok()?;
    let text = boxed.get_index(scope, 0)?;
    read_text(scope, text)
}

/// Reads functions as [`read_functions`] does, and the interface of the first of them, whose number may follow.
pub(crate) fn read_loaded(
    scope: &mut v8::PinScope<'_, '_>,
    value: v8::Local<'_, v8::Value>,
) -> Option<(LoadedFunctions, Interface)> {
    let found: v8::Local<'_, v8::Array> = value.try_into().ok()?;
    let mut interface = Interface::Event;
    if found.length() % 2 == 1 {
        let number = found.get_index(scope, found.length() - 1)?.uint32_value(scope)?;
        interface = if number == 1 { Interface::Fetch } else { Interface::Node };
    }
    Some((read_functions(scope, value)?, interface))
}

/// Reads functions with their names, which the prelude passes alternately.
pub(crate) fn read_functions(
    scope: &mut v8::PinScope<'_, '_>,
    value: v8::Local<'_, v8::Value>,
) -> Option<LoadedFunctions> {
    let found: v8::Local<'_, v8::Array> = value.try_into().ok()?;
    let mut functions = Vec::new();
    for index in (0..found.length() & !1).step_by(2) {
        let name = found.get_index(scope, index)?.to_rust_string_lossy(scope);
        let function = found.get_index(scope, index + 1)?;
        let function = v8::Local::<'_, v8::Function>::try_from(function).ok();
        functions.push((name, function.map(|function| v8::Global::new(scope, function))));
    }
    Some(functions)
}
