//! `context.state`, `context.reply` and `context.bufferResponse`: the requests of JavaScript to an invocation's exchange.

use crate::{
    host::{Host, host_of, set_function},
    value::JsValue,
};
use deno_runtime::deno_core::v8;
use std::rc::Rc;
use trine_engine::{Error, Invocation, NativeValue, Payload};

/// Adds the functions that the prelude calls. Each takes the slot of its invocation first.
pub(crate) fn add_functions(scope: &mut v8::PinScope<'_, '_>, object: v8::Local<'_, v8::Object>) {
    set_function(scope, object, "stateGet", state_get);
    set_function(scope, object, "stateSet", state_set);
    set_function(scope, object, "stateHas", state_has);
    set_function(scope, object, "stateDelete", state_delete);
    set_function(scope, object, "stateKeys", state_keys);
    set_function(scope, object, "reply", reply);
    set_function(scope, object, "bufferResponse", buffer_response);
}

/// Returns the slot that a function was called for.
pub(crate) fn slot(
    scope: &mut v8::PinScope<'_, '_>,
    args: &v8::FunctionCallbackArguments<'_>,
) -> Option<usize> {
    args.get(0).int32_value(scope).and_then(|slot| usize::try_from(slot).ok())
}

/// Returns the invocation that a function was called for; throws when it has ended.
pub(crate) fn session(
    scope: &mut v8::PinScope<'_, '_>,
    args: &v8::FunctionCallbackArguments<'_>,
) -> Option<(Rc<Host>, Rc<Invocation>)> {
    let host = host_of(scope);
    let slot = slot(scope, args);
    if let Some(invocation) = slot.and_then(|slot| host.sessions.get(slot)) {
        return Some((host, invocation));
    }
    let message = "the invocation of this context has ended: its state is gone";
    throw(scope, &Error::guest("Error", message));
    None
}

/// Throws an error as an exception of the guest's.
pub(crate) fn throw(scope: &mut v8::PinScope<'_, '_>, error: &Error) {
    let Some(message) = v8::String::new(scope, error.message()) else { return };
    let exception = v8::Exception::error(scope, message);
    let name = v8::String::new(scope, "name").zip(v8::String::new(scope, error.name()));
    if let (Some(object), Some((key, name))) = (exception.to_object(scope), name) {
        object.define_own_property(
            scope,
            key.into(),
            name.into(),
            v8::PropertyAttribute::DONT_ENUM,
        );
    }
    scope.throw_exception(exception);
}

fn native(
    scope: &mut v8::PinScope<'_, '_>,
    host: &Host,
    value: v8::Local<'_, v8::Value>,
) -> Option<Payload> {
    let value = v8::Global::new(scope, value);
    Some(Payload::Native(Rc::new(JsValue::new(host.shared()?, value))))
}

/// Implements `stateGet(slot, key)`: a member's value, undefined where there is none. A container from another language
/// becomes JavaScript's own, so that everybody sees changes in it.
fn state_get(
    scope: &mut v8::PinScope<'_, '_>,
    args: v8::FunctionCallbackArguments<'_>,
    mut result: v8::ReturnValue<'_, v8::Value>,
) {
    let Some((host, invocation)) = session(scope, &args) else { return };
    let key = args.get(1).to_rust_string_lossy(scope);
    let own = |value: &Rc<dyn NativeValue>| host.own(&**value).is_some();
    let text = match invocation.exchange.read_state(&key, "JavaScript", own) {
        Ok(Some(Payload::Native(value))) => {
            if let Some(value) = host.own(&*value) {
                result.set(v8::Local::new(scope, &value.value));
            }
            return;
        }
        Ok(Some(Payload::Nothing) | None) => return,
        Ok(Some(other)) => other.into_bytes().map(|(text, _)| text),
        Err(error) => Err(error),
    };
    let text = match text {
        Ok(text) => text,
        Err(error) => return throw(scope, &error),
    };
    let text = v8::String::new_from_utf8(scope, &text, v8::NewStringType::Normal);
    // Invalid JSON throws a SyntaxError by itself.
    let Some(value) = text.and_then(|text| v8::json::parse(scope, text)) else { return };
    if value.is_object()
        && let Some(payload) = native(scope, &host, value)
    {
        invocation.exchange.write_state(&key, payload);
    }
    result.set(value);
}

/// Implements `stateSet(slot, key, value)`.
fn state_set(
    scope: &mut v8::PinScope<'_, '_>,
    args: v8::FunctionCallbackArguments<'_>,
    _result: v8::ReturnValue<'_, v8::Value>,
) {
    let Some((host, invocation)) = session(scope, &args) else { return };
    let key = args.get(1).to_rust_string_lossy(scope);
    if let Some(payload) = native(scope, &host, args.get(2)) {
        invocation.exchange.write_state(&key, payload);
    }
}

/// Implements `stateHas(slot, key)`.
fn state_has(
    scope: &mut v8::PinScope<'_, '_>,
    args: v8::FunctionCallbackArguments<'_>,
    mut result: v8::ReturnValue<'_, v8::Value>,
) {
    let Some((_, invocation)) = session(scope, &args) else { return };
    let key = args.get(1).to_rust_string_lossy(scope);
    result.set_bool(invocation.exchange.has_state(&key));
}

/// Implements `stateDelete(slot, key)`.
fn state_delete(
    scope: &mut v8::PinScope<'_, '_>,
    args: v8::FunctionCallbackArguments<'_>,
    _result: v8::ReturnValue<'_, v8::Value>,
) {
    let Some((_, invocation)) = session(scope, &args) else { return };
    let key = args.get(1).to_rust_string_lossy(scope);
    invocation.exchange.remove_state(&key);
}

/// Implements `stateKeys(slot)`.
fn state_keys(
    scope: &mut v8::PinScope<'_, '_>,
    args: v8::FunctionCallbackArguments<'_>,
    mut result: v8::ReturnValue<'_, v8::Value>,
) {
    let Some((_, invocation)) = session(scope, &args) else { return };
    let mut keys: Vec<v8::Local<'_, v8::Value>> = Vec::new();
    for key in invocation.exchange.state_keys() {
        if let Some(key) = v8::String::new(scope, &key) {
            keys.push(key.into());
        }
    }
    let keys = v8::Array::new_with_elements(scope, &keys);
    result.set(keys.into());
}

/// Implements `reply(slot, response)`.
fn reply(
    scope: &mut v8::PinScope<'_, '_>,
    args: v8::FunctionCallbackArguments<'_>,
    _result: v8::ReturnValue<'_, v8::Value>,
) {
    let Some((host, invocation)) = session(scope, &args) else { return };
    let Some(response) = native(scope, &host, args.get(1)) else { return };
    if let Err(error) = invocation.exchange.reply(response) {
        throw(scope, &error);
    }
}

/// Implements `bufferResponse(slot)`.
fn buffer_response(
    scope: &mut v8::PinScope<'_, '_>,
    args: v8::FunctionCallbackArguments<'_>,
    _result: v8::ReturnValue<'_, v8::Value>,
) {
    let Some((_, invocation)) = session(scope, &args) else { return };
    if let Err(error) = invocation.exchange.buffer_response() {
        throw(scope, &error);
    }
}
