//! The JSON that a plug-in gets beside an event: about the process, about a module, about an invocation.

use serde::Serialize;
use serde_json::{Value, json, value::RawValue};
use std::collections::BTreeMap;
use trine_engine::{
    Environment, Error, ErrorKind, FunctionInfo, Hook, Invocation, LogFormat, Module, Result,
    Wanted,
};

/// Returns what an instance is started with.
pub(crate) fn environment(environment: &Environment) -> String {
    let FunctionInfo { name, version, memory_mb, log_group, log_stream } = &environment.function;
    let format = match environment.log.format {
        LogFormat::Text => "text",
        LogFormat::Json => "json",
    };
    json!({
        "layer_root": environment.layer_root.to_string_lossy(),
        "function": {
            "name": name,
            "version": version,
            "memory_mb": memory_mb,
            "log_group": log_group,
            "log_stream": log_stream,
        },
        "log": { "format": format, "level": environment.log.level.map(|level| level.name()) },
        "main_thread": environment.main_thread,
        "shares_process": environment.shares_process,
        "snap_start": environment.snap_start,
        "memory_limit": environment.memory_limit,
        "variables": variables(environment),
    })
    .to_string()
}

/// Returns what a module is loaded with. `place` is the environment of its root.
pub(crate) fn module(module: &Module, place: &Environment) -> Result<String> {
    let text = |path: &std::path::Path| {
        path.to_str().map(str::to_owned).ok_or_else(|| {
            let message =
                format!("the path {} is not UTF-8, and plug-ins take no other", path.display());
            Error::new(ErrorKind::ImportModule, message)
        })
    };
    let (wanted, handler) = match &module.wanted {
        Wanted::Handler(name) => ("handler", Some(name)),
        Wanted::Unnamed => ("unnamed", None),
        Wanted::Hooks => ("hooks", None),
        Wanted::Program => {
            let message =
                format!("{} is a program, which plug-ins do not run", module.path.display());
            return Err(Error::new(ErrorKind::Unsupported, message));
        }
    };
    let mut members = json!({
        "root": text(&module.root)?,
        "path": text(&module.path)?,
        "name": module.name,
        "wanted": wanted,
    });
    if let Some(handler) = handler {
        members["handler"] = handler.as_str().into();
    }
    members["variables"] = variables(place);
    members["memory_limit"] = place.memory_limit.into();
    Ok(members.to_string())
}

fn variables(environment: &Environment) -> Value {
    let variables = environment.variables.iter();
    variables.map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect()
}

/// The members of a context, in the order in which plug-ins get them.
#[derive(Serialize)]
struct Context<'a> {
    request_id: &'a str,
    deadline_ms: Option<u64>,
    hook: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    function_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    function_version: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    memory_mb: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    log_group: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    log_stream: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    invoked_function_arn: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_context: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    identity: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    w3c: Option<&'a BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    platform: Option<&'a RawValue>,
}

/// Writes the context of a call.
///
/// # Errors
/// [`ErrorKind::ContextUnmarshal`] when the client context or the identity is not JSON.
pub(crate) fn write(
    room: &mut Vec<u8>,
    invocation: &Invocation,
    function: &FunctionInfo,
    hook: Option<Hook>,
) -> Result<()> {
    let platform = invocation.conventions.as_deref().map(|conventions| &conventions.context);
    let context = Context {
        request_id: &invocation.request_id,
        deadline_ms: invocation.deadline_ms,
        hook: hook.map(Hook::name),
        function_name: invocation.function_name.as_deref().or(function.name.as_deref()),
        function_version: function.version.as_deref(),
        memory_mb: function.memory_mb.as_deref(),
        log_group: function.log_group.as_deref(),
        log_stream: function.log_stream.as_deref(),
        invoked_function_arn: invocation.invoked_function_arn.as_deref(),
        trace_id: invocation.trace_id.as_deref(),
        tenant_id: invocation.tenant_id.as_deref(),
        client_context: raw("client context", invocation.client_context.as_deref())?,
        identity: raw("Cognito identity", invocation.identity.as_deref())?,
        w3c: invocation.w3c.as_ref(),
        platform: raw("context of the platform", platform.map(String::as_str))?,
    };
    room.clear();
    serde_json::to_writer(room, &context)
        .map_err(|error| Error::internal(format!("the context cannot be written: {error}")))
}

fn raw<'a>(what: &str, text: Option<&'a str>) -> Result<Option<&'a RawValue>> {
    let Some(text) = text else { return Ok(None) };
    serde_json::from_str(text).map(Some).map_err(|error| {
        Error::new(ErrorKind::ContextUnmarshal, format!("the {what} is no JSON: {error}"))
    })
}
