//! What a library is told in JSON: the context of a call, and the facts that it is prepared with.

use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::value::RawValue;
use std::{
    collections::BTreeMap,
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};
use trine_engine::{
    Environment, Error, ErrorKind, FunctionInfo, Hook, Invocation, Result, UNLIMITED_MS,
};

/// Version of the interface of `trine_handler.h`.
pub(crate) const ABI: u32 = 1;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Context<'a> {
    aws_request_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    invoked_function_arn: Option<&'a str>,
    deadline_ms: u64,
    remaining_time_ms: u64,
    #[serde(flatten)]
    function: Function<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_context: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    identity: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    w3c: Option<&'a BTreeMap<String, String>>,
    event_is_json: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    hook: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Function<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    function_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    function_version: Option<&'a str>,
    #[serde(rename = "memoryLimitInMB", skip_serializing_if = "Option::is_none")]
    memory_limit_in_mb: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    log_group_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    log_stream_name: Option<&'a str>,
}

impl<'a> Function<'a> {
    fn of(info: &'a FunctionInfo, name: Option<&'a str>) -> Self {
        Self {
            function_name: name.or(info.name.as_deref()),
            function_version: info.version.as_deref(),
            memory_limit_in_mb: info.memory_mb.as_deref().and_then(|text| text.parse().ok()),
            log_group_name: info.log_group.as_deref(),
            log_stream_name: info.log_stream.as_deref(),
        }
    }
}

/// Returns the context of a call.
///
/// # Errors
/// [`ErrorKind::ContextUnmarshal`] where the client context or the identity is no JSON.
pub(crate) fn of(
    info: &FunctionInfo,
    invocation: &Invocation,
    hook: Option<Hook>,
) -> Result<Vec<u8>> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
    let deadline = invocation.deadline_ms.unwrap_or(now.saturating_add(UNLIMITED_MS));
    let context = Context {
        aws_request_id: &invocation.request_id,
        invoked_function_arn: invocation.invoked_function_arn.as_deref(),
        deadline_ms: deadline,
        remaining_time_ms: deadline.saturating_sub(now),
        function: Function::of(info, invocation.function_name.as_deref()),
        trace_id: invocation.trace_id.as_deref(),
        client_context: raw("client context", invocation.client_context.as_deref())?,
        identity: raw("identity", invocation.identity.as_deref())?,
        tenant_id: invocation.tenant_id.as_deref(),
        w3c: invocation.w3c.as_ref(),
        event_is_json: invocation.event_is_json,
        hook: hook.map(Hook::name),
    };
    serde_json::to_vec(&context)
        .map_err(|error| Error::internal(format!("the context cannot be written: {error}")))
}

fn raw<'a>(what: &str, text: Option<&'a str>) -> Result<Option<&'a RawValue>> {
    let parsed = text.map(serde_json::from_str).transpose();
    parsed.map_err(|error| {
        Error::new(ErrorKind::ContextUnmarshal, format!("Unable to parse {what}: {error}"))
    })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Facts<'a> {
    abi: u32,
    task_root: &'a Path,
    layer_root: &'a Path,
    file: &'a Path,
    #[serde(flatten)]
    function: Function<'a>,
    variables: Variables<'a>,
}

struct Variables<'a>(&'a [(String, String)]);

impl Serialize for Variables<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// Returns the facts that a library of a root is prepared with.
///
/// # Errors
/// Where a path is not UTF-8.
pub(crate) fn facts(environment: &Environment, root: &Path, file: &Path) -> Result<Vec<u8>> {
    let facts = Facts {
        abi: ABI,
        task_root: root,
        layer_root: &environment.layer_root,
        file,
        function: Function::of(&environment.function, None),
        variables: Variables(&environment.variables),
    };
    serde_json::to_vec(&facts)
        .map_err(|error| Error::internal(format!("{} has no JSON form: {error}", file.display())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn what_is_not_known_is_left_out_and_the_rest_has_the_usual_names() {
        let info = FunctionInfo { memory_mb: Some("128".into()), ..FunctionInfo::default() };
        let invocation = Invocation {
            request_id: "id-1".into(),
            client_context: Some(r#"{"custom":{"a":1.50}}"#.into()),
            function_name: Some("shop".into()),
            ..Invocation::default()
        };
        let text = of(&info, &invocation, Some(Hook::Before)).unwrap();
        assert!(String::from_utf8_lossy(&text).contains("1.50"));
        let mut context: Value = serde_json::from_slice(&text).unwrap();
        assert!(context["remainingTimeMs"].as_u64().unwrap() >= UNLIMITED_MS);
        context.as_object_mut().unwrap().retain(|name, _| !name.ends_with("Ms"));
        assert_eq!(
            context,
            json!({
                "awsRequestId": "id-1", "functionName": "shop", "memoryLimitInMB": 128,
                "clientContext": {"custom": {"a": 1.5}}, "eventIsJson": false, "hook": "before",
            })
        );
    }

    #[test]
    fn a_client_context_that_is_no_json_is_an_error_of_its_kind() {
        let invocation = Invocation { client_context: Some("{".into()), ..Invocation::default() };
        let error = of(&FunctionInfo::default(), &invocation, None).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ContextUnmarshal);
    }

    #[test]
    fn a_deadline_that_has_passed_leaves_no_time() {
        let invocation = Invocation { deadline_ms: Some(5), ..Invocation::default() };
        let text = of(&FunctionInfo::default(), &invocation, None).unwrap();
        let context: Value = serde_json::from_slice(&text).unwrap();
        assert_eq!((&context["deadlineMs"], &context["remainingTimeMs"]), (&json!(5), &json!(0)));
    }
}
