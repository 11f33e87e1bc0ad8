//! A handler's result as a response, by the rules of the form of its events. Contracts: the results of Lambda's payload
//! formats 2.0 and 1.0 and of load balancers' targets, and a little more.

mod cloudevents;
mod scaleway;

use super::{
    body::{ReplyBody, StreamedBody},
    format::EventFormat,
    result::{Envelope, HeaderFields, compact, scalars, shared, string, unknown_member},
};
use base64::{
    Engine as _,
    alphabet::STANDARD as ALPHABET,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header, request::Parts,
};
use serde_json::value::RawValue;
use std::borrow::Cow;
use trine_engine::{HttpResult, Payload, StreamHead};

/// A response on its way out.
pub type Reply = Response<ReplyBody>;

/// A decoder of base64 with or without padding: encoders disagree about it.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &ALPHABET,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The largest body that load balancers pass in either direction: 1 MB.
pub(super) const ALB_LIMIT: usize = 1024 * 1024;

/// Headers that belong to the connection and not to the handler; so does the length of what is sent, but for `HEAD`.
pub(super) const OF_THE_CONNECTION: &[&str] = &[
    "connection",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// The reason why a result is not a response, in words for the handler's author. Answered with 502.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the handler's result is no HTTP response: {0}")]
pub struct Malformed(pub(super) String);

/// Makes the response for a result, as the form of the events has it.
///
/// # Errors
/// [`Malformed`] when the result is meant as a response and cannot be one.
pub fn of(format: EventFormat, method: &Method, result: Payload) -> Result<Reply, Malformed> {
    match format {
        EventFormat::AwsV2 | EventFormat::FunctionUrl => lenient(method, result),
        EventFormat::AwsV1 => strict(method, result, &OF_A_REST_API),
        EventFormat::Alb => strict(method, result, &OF_A_LOAD_BALANCER),
        EventFormat::AlbMultiValue => strict(method, result, &OF_ONE_WITH_LISTS),
        EventFormat::Scaleway => scaleway::of(method, result),
        EventFormat::CloudEvents => cloudevents::of(method, result, false),
        EventFormat::Raw => {
            let (body, content_type) = result.into_bytes().map_err(|e| Malformed(e.to_string()))?;
            Ok(finish(method, StatusCode::OK, HeaderMap::new(), body, content_type))
        }
    }
}

/// Makes the response to a request, in the mode that it asks for where its form has several.
///
/// # Errors
/// As [`of`].
pub(super) fn to(parts: &Parts, format: EventFormat, result: Payload) -> Result<Reply, Malformed> {
    match format {
        EventFormat::CloudEvents => {
            let structured = cloudevents::is_wanted_structured(&parts.headers);
            cloudevents::of(&parts.method, result, structured)
        }
        EventFormat::Scaleway => scaleway::to(parts, result),
        _ => of(format, &parts.method, result),
    }
}

/// Whether results in a form may be [`Payload::Http`]: where no text of them has to be looked at.
pub(super) fn takes_http_result(format: EventFormat) -> bool {
    matches!(format, EventFormat::AwsV2 | EventFormat::FunctionUrl)
}

/// The rules of a form whose results have to be response objects.
struct Strict {
    /// The members that a result may have besides those that are always known; `None` where others are ignored.
    members: Option<&'static [&'static str]>,
    /// Whether there has to be a status.
    needs_status: bool,
    /// The members that have headers.
    headers: Named,
    /// The largest result, in bytes of JSON.
    limit: usize,
}

/// The members of a result that have headers.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Named {
    Both,
    Single,
    Lists,
}

const OF_A_REST_API: Strict = Strict {
    members: Some(&[
        "statusCode",
        "headers",
        "multiValueHeaders",
        "body",
        "isBase64Encoded",
        "base64Encoded",
    ]),
    needs_status: false,
    headers: Named::Both,
    limit: usize::MAX,
};
const OF_A_LOAD_BALANCER: Strict =
    Strict { members: None, needs_status: true, headers: Named::Single, limit: ALB_LIMIT };
const OF_ONE_WITH_LISTS: Strict =
    Strict { members: None, needs_status: true, headers: Named::Lists, limit: ALB_LIMIT };

/// Makes the response for a result that has to be a response object.
fn strict(method: &Method, result: Payload, rules: &Strict) -> Result<Reply, Malformed> {
    let is_raw = matches!(result, Payload::Raw(_));
    let (json, content_type) = result.into_bytes().map_err(|e| Malformed(e.to_string()))?;
    let wrong = |why: String| Err(Malformed(why));
    if is_raw || json.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{') {
        return wrong("it is no object with statusCode and body".into());
    }
    if json.len() > rules.limit {
        return wrong(format!("it has {} bytes, and {} are allowed", json.len(), rules.limit));
    }
    let mut envelope: Envelope<'_> = serde_json::from_slice(&json)
        .map_err(|e| Malformed(format!("it is no valid JSON: {e}")))?;
    if let Some(known) = rules.members
        && let Some(other) = unknown_member(&json, known)
    {
        return wrong(format!("it has the member '{other}', and may have {}", known.join(", ")));
    }
    let status = match envelope.status_code {
        Some(code) => status(code.get())?,
        None if rules.needs_status => return wrong("it has no statusCode".into()),
        None => StatusCode::OK,
    };
    match rules.headers {
        Named::Both => {}
        Named::Single => envelope.multi_value_headers = None,
        Named::Lists => envelope.headers = None,
    }
    if rules.members.is_none() {
        envelope.base64_encoded = None;
    }
    // Other forms have them.
    envelope.cookies = None;
    let headers = headers(&envelope)?;
    if envelope.body.is_some_and(|body| string(body.get()).is_none()) {
        return wrong("its body is no string".into());
    }
    let body = body(&json, &envelope)?;
    Ok(finish(method, status, headers, body, content_type))
}

/// Makes the response for a result that may be any value.
///
/// - An object with `statusCode` (a number or its digits) is a response: `headers` (texts, numbers, booleans, lists of
///   them), `multiValueHeaders`, `cookies`, `body` (a text, or any value, which is sent as JSON), `isBase64Encoded`.
/// - Any other value is the body of a 200, as JSON, or a string's text. Bytes are sent as they are.
///
/// # Errors
/// [`Malformed`] when the result is meant as a response and cannot be one.
fn lenient(method: &Method, result: Payload) -> Result<Reply, Malformed> {
    if let Payload::Raw(raw) = result {
        return Ok(finish(method, StatusCode::OK, HeaderMap::new(), raw.bytes, raw.content_type));
    }
    if let Payload::Http(result) = result {
        return of_http(method, result);
    }
    let (json, content_type) = result.into_bytes().map_err(|e| Malformed(e.to_string()))?;
    let whole = |body| Ok(finish(method, StatusCode::OK, HeaderMap::new(), body, content_type));
    match json.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'{') => {}
        Some(b'"') => {
            let text = std::str::from_utf8(&json).ok().and_then(string);
            let text = text.ok_or_else(|| Malformed("it is no valid JSON".into()))?;
            return whole(shared(&json, text));
        }
        _ => return whole(json),
    }
    if !may_be_response(&json) {
        return whole(json);
    }
    let mut envelope: Envelope<'_> = serde_json::from_slice(&json)
        .map_err(|e| Malformed(format!("it is no valid JSON: {e}")))?;
    envelope.base64_encoded = None;
    let Some(code) = envelope.status_code else { return whole(json.clone()) };
    let status = status(code.get())?;
    let headers = headers(&envelope)?;
    let body = body(&json, &envelope)?;
    Ok(finish(method, status, headers, body, content_type))
}

/// Makes the response for a result that was taken apart; the same as for its JSON text.
fn of_http(method: &Method, result: HttpResult) -> Result<Reply, Malformed> {
    let mut headers = HeaderMap::new();
    for (name, value) in result.headers() {
        add(&mut headers, name, value)?;
    }
    let status = result.status().and_then(|status| StatusCode::from_u16(status).ok());
    let body = match result.is_base64() {
        true => decoded(result.into_body().as_bytes())?,
        false => Bytes::from(result.into_body()),
    };
    Ok(finish(method, status.unwrap_or(StatusCode::OK), headers, body, "application/json"))
}

/// Whether an object can have a member `statusCode`, also one with escapes: a quick check that saves most results the
/// way through a parser.
fn may_be_response(json: &[u8]) -> bool {
    let may = |text: &str| text.contains("statusCode") || text.contains("\\u");
    std::str::from_utf8(json).map_or(true, may)
}

/// Puts a response together; `content_type` is for those that name none themselves.
pub(super) fn finish(
    method: &Method,
    status: StatusCode,
    mut headers: HeaderMap,
    body: Bytes,
    content_type: &'static str,
) -> Reply {
    let bodiless = is_bodiless(status);
    if !bodiless && !headers.contains_key(header::CONTENT_TYPE) {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    }
    let declared = headers.remove(header::CONTENT_LENGTH);
    let body = match (bodiless, method) {
        (true, _) => Bytes::new(),
        (false, &Method::HEAD) => {
            // The client learns the length of what a GET would send: the body's, or the one that the handler declares.
            let length = declared.filter(|_| body.is_empty()).and_then(|value| length(&value));
            let length = length.unwrap_or(body.len() as u64);
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
            Bytes::new()
        }
        (false, _) => body,
    };
    reply(status, headers, body.into())
}

fn reply(status: StatusCode, headers: HeaderMap, body: ReplyBody) -> Reply {
    let mut reply = Response::new(body);
    *reply.status_mut() = status;
    *reply.headers_mut() = headers;
    reply
}

/// Whether responses of this status have no body.
fn is_bodiless(status: StatusCode) -> bool {
    matches!(status, StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT | StatusCode::NOT_MODIFIED)
}

/// Makes the response for a streamed result, from its head: that of [`of`] for an object with `statusCode`, `headers` and
/// `cookies`, 200 where there is none.
///
/// # Errors
/// [`Malformed`] when the head cannot be one of a response.
pub(super) fn streamed(
    method: &Method,
    head: &StreamHead,
    body: StreamedBody,
) -> Result<Reply, Malformed> {
    let envelope = match &head.metadata {
        Some(metadata) => serde_json::from_slice(metadata)
            .map_err(|e| Malformed(format!("its metadata are no JSON object: {e}")))?,
        None => Envelope::default(),
    };
    let status = envelope.status_code.map_or(Ok(StatusCode::OK), |code| status(code.get()))?;
    let mut headers = headers(&envelope)?;
    if is_bodiless(status) {
        headers.remove(header::CONTENT_LENGTH);
        return Ok(reply(status, headers, ReplyBody::default()));
    }
    if !headers.contains_key(header::CONTENT_TYPE) {
        let named =
            head.content_type.as_deref().and_then(|named| HeaderValue::from_str(named).ok());
        let content_type = named.unwrap_or(HeaderValue::from_static("application/octet-stream"));
        headers.insert(header::CONTENT_TYPE, content_type);
    }
    let declared = headers.remove(header::CONTENT_LENGTH);
    if method == Method::HEAD {
        headers.extend(declared.map(|length| (header::CONTENT_LENGTH, length)));
        return Ok(reply(status, headers, ReplyBody::default()));
    }
    Ok(reply(status, headers, ReplyBody::Streamed(body)))
}

fn length(value: &HeaderValue) -> Option<u64> {
    let digits = value.to_str().ok()?;
    digits.parse().ok().filter(|_| digits.bytes().all(|byte| byte.is_ascii_digit()))
}

fn status(json: &str) -> Result<StatusCode, Malformed> {
    let text = string(json).unwrap_or(Cow::Borrowed(json));
    // A language with one kind of number writes 200 as 200.0.
    let digits = match text.split_once('.') {
        Some((digits, zeros)) if zeros.bytes().all(|digit| digit == b'0') => digits,
        _ => text.as_ref(),
    };
    let code = digits.parse::<u16>().ok().and_then(|code| StatusCode::from_u16(code).ok());
    match code {
        Some(code) if !code.is_informational() => Ok(code),
        Some(_) => Err(Malformed(format!("statusCode {json} cannot end an exchange"))),
        None => Err(Malformed(format!("statusCode is {json}, not a number from 200 to 999"))),
    }
}

fn headers(envelope: &Envelope<'_>) -> Result<HeaderMap, Malformed> {
    let mut headers = HeaderMap::new();
    let fields = |member: &str, value: Option<&RawValue>| match value {
        Some(value) => match serde_json::from_str::<HeaderFields<'_>>(value.get()) {
            Ok(fields) => Ok(fields
                .0
                .into_iter()
                .map(|(name, value)| (name.into_owned(), value.into_owned()))
                .collect()),
            Err(e) => Err(Malformed(format!("'{member}' is no set of headers: {e}"))),
        },
        None => Ok(Vec::new()),
    };
    let mut all: Vec<(String, String)> = fields("multiValueHeaders", envelope.multi_value_headers)?;
    for (name, value) in fields("headers", envelope.headers)? {
        // A pair that occurs in both members is sent once.
        let twice = all.iter().any(|(n, v)| n.eq_ignore_ascii_case(&name) && *v == value);
        if envelope.multi_value_headers.is_none() || !twice {
            all.push((name, value));
        }
    }
    for (name, value) in all {
        add(&mut headers, &name, &value)?;
    }
    // A member that is not a list is ignored, as on the platform.
    if let Some(cookies) = envelope.cookies.filter(|cookies| cookies.get().starts_with('[')) {
        let cookies =
            scalars(cookies).map_err(|why| Malformed(format!("an item of 'cookies' is {why}")))?;
        for cookie in cookies {
            append(&mut headers, header::SET_COOKIE, &cookie)?;
        }
    }
    Ok(headers)
}

/// Adds a header, unless it is the connection's business.
fn add(headers: &mut HeaderMap, name: &str, value: &str) -> Result<(), Malformed> {
    let parsed = HeaderName::from_bytes(name.as_bytes())
        .map_err(|_| Malformed(format!("{name:?} is no valid header name")))?;
    if OF_THE_CONNECTION.contains(&parsed.as_str()) {
        return Ok(());
    }
    append(headers, parsed, value)
}

fn append(headers: &mut HeaderMap, name: HeaderName, value: &str) -> Result<(), Malformed> {
    let value = HeaderValue::from_bytes(value.as_bytes())
        .map_err(|_| Malformed(format!("{value:?} is no valid value for the header '{name}'")))?;
    headers
        .try_append(name, value)
        .map_err(|_| Malformed("it has more headers than a response can carry".into()))?;
    Ok(())
}

fn body(json: &Bytes, envelope: &Envelope<'_>) -> Result<Bytes, Malformed> {
    let flag = envelope.base64_encoded.or(envelope.is_base64_encoded);
    let encoded = flag.is_some_and(|flag| matches!(flag.get(), "true" | "\"true\""));
    let Some(body) = envelope.body else { return Ok(Bytes::new()) };
    let Some(text) = string(body.get()) else {
        if encoded {
            return Err(Malformed("isBase64Encoded is true, yet 'body' is no string".into()));
        }
        return Ok(compact(json, body.get()));
    };
    if !encoded {
        return Ok(shared(json, text));
    }
    decoded(text.as_bytes())
}

fn decoded(base64: &[u8]) -> Result<Bytes, Malformed> {
    let bytes = BASE64
        .decode(base64)
        .map_err(|e| Malformed(format!("isBase64Encoded is true, yet 'body' is no base64: {e}")))?;
    Ok(Bytes::from(bytes))
}

/// Returns the body of a response, for tests.
#[cfg(test)]
pub(super) fn sent_body(reply: Reply) -> Vec<u8> {
    use futures::FutureExt;
    use http_body_util::BodyExt;
    let body = reply.into_body().collect().now_or_never().expect("the body is at hand");
    body.unwrap().to_bytes().to_vec()
}

#[cfg(test)]
mod tests;
