//! A case as written in its folder: what is sent, what is expected, and for which languages.

use super::{matcher::ErrorMatcher, members::Members, stream::StreamExpectation};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use serde_json::{Map, Value};
use std::{collections::BTreeMap, path::Path, time::Duration};
use trine_engine::{Access, Extent, HANDLER_NAMES, Level, LogFormat, Permissions};

/// Names of the members that say what is expected of an invocation. An override of one replaces all of them.
const EXPECTATIONS: [&str; 6] =
    ["expect", "expect_raw", "expect_base64", "expect_repeat", "stream", "error"];

/// A case, read but not yet applied to a language.
#[derive(Debug, Clone)]
pub(super) struct Case {
    /// Capabilities that an engine must have for the case to concern it.
    pub(super) needs: Vec<String>,
    /// Engines without a handler here, and why.
    pub(super) not_for: BTreeMap<String, String>,
    script: Map<String, Value>,
    by_language: Map<String, Value>,
}

/// The actions and expectations of a case in one language.
#[derive(Debug)]
pub(super) struct Script {
    /// The handler's export path; `None` where it is to be found unnamed.
    pub(super) export: Option<String>,
    pub(super) log_format: LogFormat,
    pub(super) log_level: Option<Level>,
    /// What the handler may do.
    pub(super) permissions: Permissions,
    /// Whether the invocations run side by side instead of one after the other.
    pub(super) side_by_side: bool,
    pub(super) load_error: Option<ErrorMatcher>,
    pub(super) steps: Vec<Step>,
    pub(super) log_contains: Vec<String>,
    pub(super) log_lacks: Vec<String>,
}

/// One invocation of a script.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) event: Bytes,
    pub(super) event_is_json: bool,
    pub(super) context: StepContext,
    /// Number of times the handler is called, each time with its last result in the engine's own form.
    pub(super) hops: u64,
    pub(super) interrupt_in: Option<Duration>,
    pub(super) expectation: Expectation,
}

/// The content of an invocation's context.
#[derive(Debug)]
pub(super) struct StepContext {
    pub(super) request_id: Option<String>,
    pub(super) client_context: Option<String>,
    pub(super) identity: Option<String>,
    pub(super) tenant_id: Option<String>,
    pub(super) trace_id: Option<String>,
    pub(super) w3c: Option<BTreeMap<String, String>>,
    pub(super) invoked_function_arn: Option<String>,
    pub(super) deadline_in: Option<Duration>,
}

/// The expected outcome of an invocation.
#[derive(Debug)]
pub(super) enum Expectation {
    Json(Value),
    Bytes(Bytes),
    Stream(StreamExpectation),
    Error(ErrorMatcher),
}

impl Case {
    /// Reads `case.json` of a folder.
    pub(super) fn read(folder: &Path) -> Result<Self, String> {
        let path = folder.join("case.json");
        let text = std::fs::read(&path).map_err(|e| format!("cannot read case.json: {e}"))?;
        let value: Value =
            serde_json::from_slice(&text).map_err(|e| format!("case.json is no JSON: {e}"))?;
        let Value::Object(mut script) = value else {
            return Err("case.json must hold an object".into());
        };
        let mut own = Map::new();
        for name in ["about", "needs", "not_for"] {
            own.extend(script.shift_remove(name).map(|value| (name.to_owned(), value)));
        }
        let mut own = Members::of("the case", Value::Object(own))?;
        if own.text("about")?.is_none_or(|about| about.is_empty()) {
            return Err("the case must say in \"about\" what it is about".into());
        }
        let by_language = match script.shift_remove("by_language") {
            None => Map::new(),
            Some(Value::Object(by_language)) => by_language,
            Some(other) => return Err(format!("\"by_language\" must be an object, not {other}")),
        };
        let needs = own.texts("needs")?;
        let not_for = own.text_map("not_for")?.into_iter().collect();
        Ok(Self { needs, not_for, script, by_language })
    }

    /// Returns the case's script for one engine's files with one extension.
    pub(super) fn script(&self, engine: &str, extension: &str) -> Result<Script, String> {
        let mut keys = vec![engine];
        if extension != engine {
            keys.push(extension);
        }
        Script::parse(self.members(&keys)?)
    }

    /// Returns what is done and expected, with the differences under these keys applied in their order.
    pub(super) fn members(&self, keys: &[&str]) -> Result<Map<String, Value>, String> {
        let mut script = self.script.clone();
        for key in keys {
            if let Some(changes) = self.by_language.get(*key) {
                apply(&mut script, changes).map_err(|e| format!("by_language.{key}: {e}"))?;
            }
        }
        Ok(script)
    }

    /// Takes out a member that says how a case is planned rather than what is done.
    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        self.script.shift_remove(name)
    }

    /// Returns the keys of `by_language`.
    pub(super) fn difference_keys(&self) -> impl Iterator<Item = &str> {
        self.by_language.keys().map(String::as_str)
    }
}

/// Applies a language's differences to the script: members replace members, and `invocations` may be an object whose
/// keys are positions.
fn apply(script: &mut Map<String, Value>, changes: &Value) -> Result<(), String> {
    let changes = changes.as_object().ok_or("must be an object")?;
    for (name, change) in changes {
        let Some(positions) = change.as_object().filter(|_| name == "invocations") else {
            script.insert(name.clone(), change.clone());
            continue;
        };
        let steps = script.get_mut("invocations").and_then(Value::as_array_mut);
        let steps = steps.ok_or("there are no invocations to change")?;
        for (position, change) in positions {
            let step = position.parse().ok().and_then(|at: usize| steps.get_mut(at));
            let step = step.and_then(Value::as_object_mut);
            let step = step.ok_or_else(|| format!("there is no invocation {position:?}"))?;
            let change = change.as_object().ok_or("an invocation must be an object")?;
            if EXPECTATIONS.iter().any(|name| change.contains_key(*name)) {
                step.retain(|name, _| !EXPECTATIONS.contains(&name.as_str()));
            }
            step.extend(change.clone());
        }
    }
    Ok(())
}

impl Script {
    pub(super) fn parse(script: Map<String, Value>) -> Result<Self, String> {
        let mut members = Members::of("the case", Value::Object(script))?;
        let log_format = match members.text("log_format")?.as_deref() {
            None | Some("text") => LogFormat::Text,
            Some("json") => LogFormat::Json,
            Some(other) => return Err(format!("log_format {other:?} is neither text nor json")),
        };
        let load_error = match members.take_some("load_error") {
            Some(matcher) => Some(ErrorMatcher::parse(matcher)?),
            None => None,
        };
        let steps = match members.take_some("invocations") {
            None => Vec::new(),
            Some(Value::Array(steps)) => {
                steps.into_iter().map(Step::parse).collect::<Result<_, _>>()?
            }
            Some(other) => return Err(format!("\"invocations\" must be a list, not {other}")),
        };
        if steps.is_empty() == load_error.is_none() {
            return Err("a case has either invocations or a load_error".into());
        }
        let unnamed = members.flag("unnamed")?;
        let parsed = Self {
            export: members
                .text("handler")?
                .or_else(|| (!unnamed).then(|| HANDLER_NAMES[0].to_owned())),
            log_format,
            log_level: members.text("log_level")?.map(|level| level.parse()).transpose()?,
            permissions: permissions(members.take_some("permissions"))?,
            side_by_side: members.flag("side_by_side")?,
            load_error,
            steps,
            log_contains: members.texts("log_contains")?,
            log_lacks: members.texts("log_lacks")?,
        };
        members.finish()?;
        Ok(parsed)
    }
}

/// Reads what a handler may do: `{"allow_net": ["localhost"], "deny_run": true}`.
fn permissions(value: Option<Value>) -> Result<Permissions, String> {
    let mut permissions = Permissions::default();
    let Some(value) = value else { return Ok(permissions) };
    let mut members = Members::of("permissions", value)?;
    for access in Access::ALL {
        for verb in ["allow", "deny"] {
            let name = format!("{verb}_{}", access.name());
            let extent = match members.take_some(&name) {
                None => continue,
                Some(Value::Bool(true)) => Extent::Everything,
                Some(Value::Bool(false)) => Extent::Only(Vec::new()),
                Some(texts) => Extent::Only(
                    serde_json::from_value(texts).map_err(|e| format!("{name:?}: {e}"))?,
                ),
            };
            match verb {
                "allow" => permissions.allow(access, extent)?,
                _ => permissions.deny(access, extent)?,
            }
        }
    }
    members.finish()?;
    Ok(permissions)
}

impl Step {
    fn parse(step: Value) -> Result<Self, String> {
        let mut members = Members::of("an invocation", step)?;
        let content_type = members.text("content_type")?;
        let essence = content_type.as_deref().map_or("application/json", |content_type| {
            content_type.split(';').next().unwrap_or_default().trim()
        });
        let parsed = Self {
            event: event(&mut members)?,
            event_is_json: essence == "application/json" || essence.ends_with("+json"),
            context: StepContext::parse(members.take_some("context"))?,
            hops: members.number("hops")?.unwrap_or(1).max(1),
            interrupt_in: members.milliseconds("interrupt_in_ms")?,
            expectation: Expectation::parse(&mut members)?,
        };
        members.finish()?;
        Ok(parsed)
    }
}

fn event(members: &mut Members) -> Result<Bytes, String> {
    let found = [
        members.take("event").map(|event| Ok(event.to_string().into())),
        members.text("event_text")?.map(|text| Ok(text.into())),
        members.text("event_base64")?.map(|text| decoded(&text)),
        members.take("event_repeat").map(repeated),
    ];
    let mut found = found.into_iter().flatten();
    match (found.next(), found.next()) {
        (None, _) => Ok(Bytes::from_static(b"null")),
        (Some(event), None) => event,
        _ => Err("an invocation has one event".into()),
    }
}

fn decoded(text: &str) -> Result<Bytes, String> {
    STANDARD.decode(text).map(Bytes::from).map_err(|e| format!("{text:?} is no base64: {e}"))
}

/// Expands the short notation for a large text: prefix, unit times count, suffix.
pub(super) fn repeated(value: Value) -> Result<Bytes, String> {
    let mut members = Members::of("a repeat", value)?;
    let prefix = members.text("prefix")?.unwrap_or_default();
    let unit = members.text("unit")?.ok_or("a repeat has a unit")?;
    let count = members.number("count")?.ok_or("a repeat has a count")?;
    let suffix = members.text("suffix")?.unwrap_or_default();
    let suffix_count = members.number("suffix_count")?.unwrap_or(1);
    members.finish()?;
    let (middle, end) = (unit.repeat(count as usize), suffix.repeat(suffix_count as usize));
    Ok(format!("{prefix}{middle}{end}").into())
}

impl StepContext {
    fn parse(context: Option<Value>) -> Result<Self, String> {
        let mut members = Members::of("a context", context.unwrap_or(Value::Object(Map::new())))?;
        let deadline = match members.take("deadline_in_ms") {
            None => Some(Duration::from_secs(30)),
            Some(Value::Null) => None,
            Some(value) => Some(Duration::from_millis(
                value.as_u64().ok_or_else(|| format!("deadline_in_ms {value} is no number"))?,
            )),
        };
        // Texts go out as they are, so that a case can send what is not JSON.
        let json_text = |value: Value| match value {
            Value::String(text) => text,
            value => value.to_string(),
        };
        let w3c = members.text_map("w3c")?;
        let parsed = Self {
            request_id: members.text("request_id")?,
            client_context: members.take_some("client_context").map(json_text),
            identity: members.take_some("identity").map(json_text),
            tenant_id: members.text("tenant_id")?,
            trace_id: members.text("trace_id")?,
            w3c: (!w3c.is_empty()).then(|| w3c.into_iter().collect()),
            invoked_function_arn: members.text("invoked_function_arn")?,
            deadline_in: deadline,
        };
        members.finish()?;
        Ok(parsed)
    }
}

impl Expectation {
    fn parse(members: &mut Members) -> Result<Self, String> {
        let found = [
            members.take("expect").map(|value| Ok(Self::Json(value))),
            members.text("expect_raw")?.map(|text| Ok(Self::Bytes(text.into()))),
            members.text("expect_base64")?.map(|text| decoded(&text).map(Self::Bytes)),
            members.take("expect_repeat").map(|value| repeated(value).map(Self::Bytes)),
            members.take("stream").map(|value| StreamExpectation::parse(value).map(Self::Stream)),
            members.take("error").map(|matcher| ErrorMatcher::parse(matcher).map(Self::Error)),
        ];
        let mut found = found.into_iter().flatten();
        match (found.next(), found.next()) {
            (Some(expectation), None) => expectation,
            _ => Err(format!("an invocation has exactly one of {}", EXPECTATIONS.join(", "))),
        }
    }
}
