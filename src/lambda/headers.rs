//! The headers of `GET /runtime/invocation/next`, as an invocation's context.

use http::HeaderMap;
use serde_json::Value;
use std::collections::BTreeMap;
use trine_engine::{Invocation, json_string};

/// Reads an invocation's context. A header that is not UTF-8 is ignored: it must not cost the invocation.
pub fn invocation_from(headers: &HeaderMap) -> Invocation {
    let text = |name: &str| {
        let value = std::str::from_utf8(headers.get(name)?.as_bytes()).ok()?;
        (!value.is_empty()).then(|| value.to_owned())
    };
    let (client_context, w3c) = match text("lambda-runtime-client-context") {
        Some(context) => split_w3c(context),
        None => (None, None),
    };
    Invocation {
        request_id: text("lambda-runtime-aws-request-id").unwrap_or_default(),
        deadline_ms: text("lambda-runtime-deadline-ms").and_then(|ms| ms.trim().parse().ok()),
        invoked_function_arn: text("lambda-runtime-invoked-function-arn"),
        trace_id: text("lambda-runtime-trace-id"),
        client_context,
        identity: text("lambda-runtime-cognito-identity"),
        tenant_id: text("lambda-runtime-aws-tenant-id"),
        w3c,
        function_name: None,
        event_is_json: headers
            .get(http::header::CONTENT_TYPE)
            .is_none_or(|kind| kind.as_bytes() == b"application/json"),
        ..Invocation::default()
    }
}

/// Takes the member `w3c` out of a client context: users see it as `context.w3c()` instead.
fn split_w3c(context: String) -> (Option<String>, Option<BTreeMap<String, String>>) {
    if !context.contains("\"w3c\"") {
        return (Some(context), None);
    }
    let Ok(Value::Object(mut members)) = serde_json::from_str(&context) else {
        return (Some(context), None);
    };
    let Some(Value::Object(fields)) = members.remove("w3c") else { return (Some(context), None) };
    let fields = fields
        .into_iter()
        .filter_map(|(key, value)| Some((key, value.as_str()?.to_owned())))
        .collect();
    let rest = (!members.is_empty()).then(|| {
        let members: Vec<String> =
            members.iter().map(|(key, value)| format!("{}:{value}", json_string(key))).collect();
        format!("{{{}}}", members.join(","))
    });
    (rest, Some(fields))
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
        assert_eq!(
            invocation,
            Invocation {
                request_id: "id".into(),
                deadline_ms: Some(1_700_000_000_000),
                invoked_function_arn: Some("arn".into()),
                trace_id: Some("Root=1".into()),
                identity: Some("{}".into()),
                tenant_id: Some("t".into()),
                event_is_json: true,
                ..Invocation::default()
            }
        );
    }

    #[test]
    fn trace_context_leaves_the_client_context() {
        let context = r#"{"custom":{"a":1},"w3c":{"traceparent":"00-1"}}"#;
        let invocation = invocation_from(&headers(&[("lambda-runtime-client-context", context)]));
        assert_eq!(invocation.client_context.as_deref(), Some(r#"{"custom":{"a":1}}"#));
        assert_eq!(invocation.w3c.unwrap()["traceparent"], "00-1");
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
