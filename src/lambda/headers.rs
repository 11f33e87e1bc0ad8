//! The headers of `GET /runtime/invocation/next`, as an invocation's context.

use http::HeaderMap;
use serde_json::Value;
use std::collections::BTreeMap;
use trine_engine::{Invocation, StreamPlace};

/// Reads an invocation's context. A header that is not UTF-8 is ignored: it must not cost the invocation.
pub fn invocation_from(headers: &HeaderMap) -> Invocation {
    let stream = StreamPlace::limited(super::STREAM_LIMIT);
    let mut invocation = Invocation { stream, ..Invocation::json("") };
    let mut context = None;
    // One pass through the few headers costs less than a search for each name.
    for (name, value) in headers {
        let text = || {
            let text = std::str::from_utf8(value.as_bytes()).ok()?;
            (!text.is_empty()).then(|| text.to_owned())
        };
        match name.as_str() {
            "lambda-runtime-aws-request-id" => invocation.request_id = text().unwrap_or_default(),
            "lambda-runtime-deadline-ms" => invocation.deadline_ms = deadline(value.as_bytes()),
            "lambda-runtime-invoked-function-arn" => invocation.invoked_function_arn = text(),
            "lambda-runtime-trace-id" => invocation.trace_id = text(),
            "lambda-runtime-client-context" => context = text(),
            "lambda-runtime-cognito-identity" => invocation.identity = text(),
            "lambda-runtime-aws-tenant-id" => invocation.tenant_id = text(),
            "content-type" => invocation.event_is_json = value == "application/json",
            _ => {}
        }
    }
    if let Some(context) = context {
        (invocation.client_context, invocation.w3c) = split_w3c(context);
    }
    invocation
}

/// The latest deadline, in milliseconds since the epoch: the largest number that every language can count with.
const LATEST_DEADLINE: i128 = (1 << 53) - 1;

/// Reads a deadline, in milliseconds since the epoch. What is no number is none. One before the epoch has passed, as the
/// epoch has.
fn deadline(text: &[u8]) -> Option<u64> {
    let milliseconds: i128 = std::str::from_utf8(text).ok()?.trim().parse().ok()?;
    u64::try_from(milliseconds.clamp(0, LATEST_DEADLINE)).ok()
}

/// Fields of the W3C trace context that reach users; whatever else a caller puts there does not.
const W3C_FIELDS: [&str; 3] = ["traceparent", "tracestate", "baggage"];

/// Takes the member `w3c` out of a client context: users see it as `context.w3c()` instead. What is no trace context is
/// taken out as well, and gives no fields.
fn split_w3c(context: String) -> (Option<String>, Option<BTreeMap<String, String>>) {
    if !context.contains("\"w3c\"") {
        return (Some(context), None);
    }
    let Ok(Value::Object(mut members)) = serde_json::from_str(&context) else {
        return (Some(context), None);
    };
    let Some(mut given) = members.remove("w3c") else { return (Some(context), None) };
    let fields = W3C_FIELDS.into_iter().filter_map(|name| match given.get_mut(name)?.take() {
        Value::String(value) => Some((name.to_owned(), value)),
        _ => None,
    });
    let fields = fields.collect();
    (Some(Value::Object(members).to_string()), Some(fields))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|&(name, value)| {
                (name.parse().unwrap(), HeaderValue::from_bytes(value.as_bytes()).unwrap())
            })
            .collect()
    }

    #[test]
    fn every_header_of_the_contract_has_its_field() {
        let invocation = invocation_from(&headers(&[
            ("lambda-runtime-aws-request-id", "id"),
            ("lambda-runtime-deadline-ms", "1700000000000"),
            ("lambda-runtime-invoked-function-arn", "arn"),
            ("lambda-runtime-trace-id", "Root=1"),
            ("lambda-runtime-cognito-identity", "{}"),
            ("lambda-runtime-aws-tenant-id", "t"),
            ("content-type", "application/json"),
        ]));
        let expected = Invocation {
            request_id: "id".into(),
            deadline_ms: Some(1_700_000_000_000),
            invoked_function_arn: Some("arn".into()),
            trace_id: Some("Root=1".into()),
            identity: Some("{}".into()),
            tenant_id: Some("t".into()),
            event_is_json: true,
            ..Invocation::default()
        };
        assert_eq!(format!("{invocation:?}"), format!("{expected:?}"));
    }

    #[test]
    fn trace_context_leaves_the_client_context() {
        let context = r#"{"custom":{"a":1},"w3c":{"traceparent":"00-1"}}"#;
        let invocation = invocation_from(&headers(&[("lambda-runtime-client-context", context)]));
        assert_eq!(invocation.client_context.as_deref(), Some(r#"{"custom":{"a":1}}"#));
        assert_eq!(invocation.w3c.unwrap()["traceparent"], "00-1");
    }

    #[test]
    fn nothing_but_texts_of_the_trace_context_passes() {
        for (w3c, passes) in [
            (r#"{"evil":"x","tracestate":"a=b"}"#, &[("tracestate", "a=b")][..]),
            (r#"{"traceparent":1,"tracestate":null,"baggage":{"a":"b"}}"#, &[]),
            (r#"{"__proto__":{"traceparent":"00"},"Traceparent":"00"}"#, &[]),
            (r#"{"baggage":"","traceparent":"00"}"#, &[("baggage", ""), ("traceparent", "00")]),
            ("{}", &[]),
            ("null", &[]),
            ("[\"traceparent\"]", &[]),
            ("\"traceparent\"", &[]),
        ] {
            let context = format!(r#"{{"w3c":{w3c}}}"#);
            let given = headers(&[("lambda-runtime-client-context", &context)]);
            let invocation = invocation_from(&given);
            assert_eq!(invocation.client_context.as_deref(), Some("{}"), "{w3c}");
            let passes = passes.iter().map(|&(name, value)| (name.to_owned(), value.to_owned()));
            assert_eq!(invocation.w3c, Some(passes.collect()), "{w3c}");
        }
        // Only the client context's own member is one.
        let nested = r#"{"custom":{"w3c":{"traceparent":"00"}}}"#;
        let invocation = invocation_from(&headers(&[("lambda-runtime-client-context", nested)]));
        assert_eq!(invocation.client_context.as_deref(), Some(nested));
        assert_eq!(invocation.w3c, None);
    }

    #[test]
    fn a_deadline_is_a_number_that_every_language_can_hold_or_none() {
        let latest = (1 << 53) - 1;
        for (text, deadline) in [
            ("1", Some(1)),
            (" 1700000000000 ", Some(1_700_000_000_000)),
            ("-5", Some(0)),
            ("9007199254740992", Some(latest)),
            ("18446744073709551615", Some(latest)),
            ("99999999999999999999", Some(latest)),
            ("", None),
            ("soon", None),
            ("1e3", None),
        ] {
            let given = headers(&[("lambda-runtime-deadline-ms", text)]);
            assert_eq!(invocation_from(&given).deadline_ms, deadline, "{text:?}");
        }
    }

    #[test]
    fn odd_headers_cost_nothing() {
        let invocation = invocation_from(&headers(&[
            ("lambda-runtime-aws-request-id", "id"),
            ("lambda-runtime-deadline-ms", "soon"),
            ("lambda-runtime-client-context", r#"{"w3c": 5"#),
        ]));
        assert_eq!(invocation.deadline_ms, None);
        assert_eq!(invocation.client_context.as_deref(), Some(r#"{"w3c": 5"#));
        assert!(invocation.event_is_json);
        let mut latin = headers(&[("lambda-runtime-aws-request-id", "id")]);
        latin.insert("lambda-runtime-trace-id", HeaderValue::from_bytes(b"caf\xe9").unwrap());
        assert_eq!(invocation_from(&latin).trace_id, None);
    }
}
