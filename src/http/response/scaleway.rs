//! Results of Scaleway's functions. Contract: what their core runtime makes of what a handler returns.
//!
//! | result | response |
//! | --- | --- |
//! | an object with `statusCode` | status, headers, body |
//! | an object with `body` alone | the same, with 200 |
//! | any other object, a list, a number, a boolean | 200, as JSON |
//! | a string | 200, its text; that of an object with `statusCode` or `body` counts as that object |
//! | nothing | 200, empty |

use super::{
    super::{
        result::{Envelope, compact, shared, string},
        scaleway::Trigger,
    },
    Malformed, Reply, body, finish, headers, status,
};
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, request::Parts};
use trine_engine::Payload;

const JSON: &str = "application/json";
const TEXT: &str = "text/plain; charset=utf-8";
/// What a trigger gets to hear that has no use for a response.
const EXECUTED: &str = "executed properly";

/// Makes the response to a request. What a trigger other than `http` called for has no use for one: it hears of success,
/// or of the status with which the function asks to be called again.
pub(super) fn to(parts: &Parts, result: Payload) -> Result<Reply, Malformed> {
    let executed = |method| {
        let body = Bytes::from_static(EXECUTED.as_bytes());
        finish(method, StatusCode::OK, HeaderMap::new(), body, TEXT)
    };
    match Trigger::of(&parts.headers) {
        Some(Trigger::Http) | None => of(&parts.method, result),
        Some(Trigger::Mqtt) => Ok(executed(&parts.method)),
        Some(Trigger::Queue) => {
            let reply = of(&parts.method, result)?;
            let is_done = reply.status().is_success();
            Ok(if is_done { executed(&parts.method) } else { reply })
        }
    }
}

/// Makes the response for a result.
///
/// # Errors
/// [`Malformed`] when the result is meant as a response and cannot be one.
pub(super) fn of(method: &Method, result: Payload) -> Result<Reply, Malformed> {
    let whole = |body, content_type| {
        Ok(finish(method, StatusCode::OK, HeaderMap::new(), body, content_type))
    };
    let is_raw = matches!(result, Payload::Raw(_));
    let (json, content_type) = result.into_bytes().map_err(|e| Malformed(e.to_string()))?;
    if is_raw {
        return whole(json, content_type);
    }
    let text = std::str::from_utf8(&json).map_err(|_| Malformed("it is no UTF-8".into()))?.trim();
    match text.as_bytes().first() {
        Some(b'{') => {
            let reply = of_object(method, &json)?;
            reply.map_or_else(|| whole(compact(&json, text), JSON), Ok)
        }
        Some(b'"') => {
            let text = string(text).ok_or_else(|| Malformed("it is no valid JSON".into()))?;
            let text = shared(&json, text);
            let is_object = text.trim_ascii_start().starts_with(b"{");
            let reply = if is_object { of_object(method, &text).ok().flatten() } else { None };
            reply.map_or_else(|| whole(text, TEXT), Ok)
        }
        _ if matches!(text, "null" | "") => whole(Bytes::new(), TEXT),
        _ => whole(compact(&json, text), JSON),
    }
}

/// Makes the response for an object; `None` for one that says nothing of a response.
fn of_object(method: &Method, json: &Bytes) -> Result<Option<Reply>, Malformed> {
    let mut envelope: Envelope<'_> =
        serde_json::from_slice(json).map_err(|e| Malformed(format!("it is no valid JSON: {e}")))?;
    envelope.base64_encoded = None;
    let status = match envelope.status_code {
        Some(code) => status(code.get())?,
        None if envelope.body.is_none() => return Ok(None),
        None => StatusCode::OK,
    };
    let headers = headers(&envelope)?;
    let is_bytes = envelope.is_base64_encoded.is_some_and(|flag| flag.get() == "true");
    let content_type = match envelope.body.map(|body| body.get().as_bytes()[0]) {
        Some(b'"') if is_bytes => "application/octet-stream",
        Some(b'"') | None => TEXT,
        Some(_) => JSON,
    };
    let body = body(json, &envelope)?;
    Ok(Some(finish(method, status, headers, body, content_type)))
}

#[cfg(test)]
mod tests {
    use super::{super::sent_body, *};
    use http::Request;
    use serde_json::json;

    /// Returns the status, the content type and the body of the response for a result.
    fn response(json: &str) -> (u16, String, String) {
        shown(of(&Method::GET, Payload::json(json.to_owned())).unwrap())
    }

    fn shown(reply: Reply) -> (u16, String, String) {
        let content_type = reply.headers().get("content-type");
        let content_type = content_type.map_or("", |value| value.to_str().unwrap()).to_owned();
        let status = reply.status().as_u16();
        (status, content_type, String::from_utf8(sent_body(reply)).unwrap())
    }

    #[test]
    fn a_result_is_a_response_or_the_body_of_one() {
        for (result, status, content_type, body) in [
            (r#"{"statusCode":201,"body":"a"}"#, 201, TEXT, "a"),
            (r#"{"statusCode":"404"}"#, 404, TEXT, ""),
            (r#"{"statusCode":200,"body":null}"#, 200, TEXT, ""),
            (r#"{"body":{"a": [1, true]}}"#, 200, JSON, r#"{"a":[1,true]}"#),
            (r#"{"body":12}"#, 200, JSON, "12"),
            (r#"{"message": "x"}"#, 200, JSON, r#"{"message":"x"}"#),
            (r#"{"headers":{"a":1}}"#, 200, JSON, r#"{"headers":{"a":1}}"#),
            ("[1, 2]", 200, JSON, "[1,2]"),
            ("1.5", 200, JSON, "1.5"),
            ("true", 200, JSON, "true"),
            ("null", 200, TEXT, ""),
            (r#""a \"b\"""#, 200, TEXT, "a \"b\""),
            (r#""{\"statusCode\":202,\"body\":\"x\"}""#, 202, TEXT, "x"),
            (r#""{\"a\":1}""#, 200, TEXT, r#"{"a":1}"#),
            (r#""{not json""#, 200, TEXT, "{not json"),
            (r#""[1]""#, 200, TEXT, "[1]"),
            (r#"{"body":"aGk=","isBase64Encoded":true}"#, 200, "application/octet-stream", "hi"),
            (r#"{"statusCode":204,"isBase64Encoded":true}"#, 204, "", ""),
        ] {
            let expected = (status, content_type.to_owned(), body.to_owned());
            assert_eq!(response(result), expected, "{result}");
        }
    }

    #[test]
    fn headers_are_texts_numbers_booleans_and_lists() {
        let result = json!({"statusCode": 200, "headers": {
            "a": "x", "b": 1, "c": true, "Set-Cookie": ["d=1", "e=2"], "Content-Type": ["text/css"],
        }});
        let reply = of(&Method::GET, Payload::json(result.to_string())).unwrap();
        let all = |name: &str| -> Vec<String> {
            let values = reply.headers().get_all(name).iter();
            values.map(|value| value.to_str().unwrap().to_owned()).collect()
        };
        assert_eq!([all("a"), all("b"), all("c")], [["x"], ["1"], ["true"]]);
        assert_eq!(all("set-cookie"), ["d=1", "e=2"]);
        assert_eq!(all("content-type"), ["text/css"]);
    }

    #[test]
    fn what_cannot_be_a_response_is_told() {
        for (result, why) in [
            (json!({"statusCode": "abc"}), "statusCode is \"abc\", not a number"),
            (json!({"statusCode": 1000}), "not a number from 200 to 999"),
            (json!({"statusCode": 101}), "cannot end an exchange"),
            (json!({"body": 5, "isBase64Encoded": true}), "'body' is no string"),
            (json!({"body": "*", "isBase64Encoded": true}), "'body' is no base64"),
            (json!({"body": "", "headers": {"a\nb": "1"}}), "no valid header name"),
        ] {
            let error = of(&Method::GET, Payload::json(result.to_string())).unwrap_err();
            assert!(error.to_string().contains(why), "{error}");
        }
    }

    #[test]
    fn a_trigger_hears_of_success_or_of_the_status() {
        let reply = |trigger: &str, result: &str| {
            let request = Request::post("/").header("SCW_TRIGGER_TYPE", trigger);
            let (parts, ()) = request.body(()).unwrap().into_parts();
            let (status, _, body) = shown(to(&parts, Payload::json(result.to_owned())).unwrap());
            (status, body)
        };
        let executed = || (200, EXECUTED.to_owned());
        assert_eq!(reply("mqtt", r#"{"statusCode":500}"#), executed());
        for trigger in ["cron", "nats", "sqs", "queue"] {
            assert_eq!(reply(trigger, r#"{"statusCode":201,"body":"x"}"#), executed());
            assert_eq!(reply(trigger, r#"{"statusCode":503,"body":"x"}"#), (503, "x".to_owned()));
        }
        assert_eq!(reply("http", r#"{"statusCode":201,"body":"x"}"#), (201, "x".to_owned()));
    }
}
