//! The facts of an invocation, as the prelude takes them.

use crate::host::text_or_undefined;
use deno_runtime::deno_core::v8;
use trine_engine::Invocation;

/// Writes the facts of an invocation in the order in which the prelude takes them. Returns how many of them are needed:
/// facts that are not passed are undefined.
pub(crate) fn add_facts<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    invocation: &Invocation,
    arguments: &mut [v8::Local<'s, v8::Value>],
) -> usize {
    let w3c = invocation.w3c.as_ref().and_then(|map| serde_json::to_string(map).ok());
    let conventions = invocation.conventions.as_deref();
    let texts = [
        invocation.invoked_function_arn.as_deref(),
        invocation.trace_id.as_deref(),
        invocation.client_context.as_deref(),
        invocation.identity.as_deref(),
        invocation.tenant_id.as_deref(),
        invocation.function_name.as_deref(),
        w3c.as_deref(),
        conventions.map(|conventions| conventions.context.as_str()),
        conventions.and_then(|conventions| conventions.headers.as_deref()),
    ];
    arguments[0] = text_or_undefined(scope, Some(&invocation.request_id));
    if let Some(deadline) = invocation.deadline_ms {
        arguments[1] = v8::Number::new(scope, deadline as f64).into();
    }
    let mut needed = 2;
    for (index, text) in texts.into_iter().enumerate() {
        if text.is_some() {
            arguments[2 + index] = text_or_undefined(scope, text);
            needed = 3 + index;
        }
    }
    needed
}
