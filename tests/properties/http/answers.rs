//! Results to responses: whatever a handler returns, its caller gets one well-formed answer.

use super::Served;
use crate::support::runner;
use bytes::Bytes;
use http::Method;
use proptest::{collection::vec, option, prelude::*, sample::select, test_runner::TestCaseError};
use serde_json::{Map, Value, json};
use trine::http::{EventFormat, response_of};
use trine_engine::Payload;

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1e9..1e9f64).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[ -~]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 10, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-z]{0,5}", inner, 0..4)
                .prop_map(|members| json!(members)),
        ]
    })
}

/// Makes sets of headers, most of them legal, some that belong to the connection.
fn headers() -> impl Strategy<Value = Value> {
    let names = select(
        &[
            "content-type",
            "Content-Type",
            "content-length",
            "transfer-encoding",
            "Connection",
            "date",
            "set-cookie",
            "x-a",
            "X-A",
            "trailer",
            "upgrade",
            "te",
            "x b",
            "x:",
            "",
            "é",
            "x\r\ny",
            "server",
        ][..],
    );
    let names = prop_oneof![3 => names.prop_map(str::to_owned), 1 => "[a-zA-Z-]{1,10}"];
    let scalar = prop_oneof![
        4 => "[ -~]{0,15}".prop_map(Value::from),
        1 => any::<i32>().prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
        1 => select(&["a\nb", "\0", "\u{7f}", "é", "a\r\nset-cookie: b"][..]).prop_map(Value::from),
    ];
    let value = prop_oneof![6 => scalar.clone(), 2 => vec(scalar, 0..4).prop_map(Value::from), 1 => values()];
    vec((names, value), 0..5).prop_map(|fields| Value::Object(fields.into_iter().collect()))
}

/// Makes results that are meant as responses, and any others.
fn results() -> impl Strategy<Value = Value> {
    let code = prop_oneof![
        4 => (200..600u16).prop_map(Value::from),
        1 => select(vec![json!("201"), json!("404.0"), json!(200.0), json!(100), json!(101), json!(204),
            json!(304), json!(0), json!(-1), json!(1000), json!(99999), json!("x"), json!(null), json!([])]),
        1 => values(),
    ];
    let set = || prop_oneof![6 => headers(), 1 => values()];
    let cookies = prop_oneof![3 => vec("[ -~]{0,12}", 0..3).prop_map(Value::from), 1 => values()];
    let body = prop_oneof![
        2 => any::<String>().prop_map(Value::from),
        1 => "([A-Za-z0-9+/]{4}){0,8}".prop_map(Value::from),
        1 => values(),
    ];
    let flag = prop_oneof![4 => any::<bool>().prop_map(Value::from), 1 => values()];
    let members = (
        option::weighted(0.9, code),
        option::of(set()),
        option::weighted(0.2, set()),
        option::weighted(0.3, cookies),
        option::weighted(0.8, body),
        option::weighted(0.3, flag),
    );
    let responses = members.prop_map(|(code, headers, multiple, cookies, body, flag)| {
        let members = [
            ("statusCode", code),
            ("headers", headers),
            ("multiValueHeaders", multiple),
            ("cookies", cookies),
            ("body", body),
            ("isBase64Encoded", flag),
        ];
        let present =
            members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        Value::Object(present.collect::<Map<_, _>>())
    });
    prop_oneof![5 => responses, 1 => values()]
}

/// Returns the status that must come of a result, where it is clear.
fn expected(result: &Value) -> Option<u16> {
    let Some(code) = result.get("statusCode").filter(|code| !code.is_null()) else {
        return Some(200);
    };
    let code = code.as_u64().filter(|code| (200..1000).contains(code))?;
    let rest = ["headers", "multiValueHeaders", "cookies", "isBase64Encoded"];
    rest.iter().all(|name| result.get(name).is_none()).then_some(code as u16)
}

#[test]
fn any_result_gets_one_well_formed_answer() {
    let Some(served) = Served::start() else { return };
    let methods = select(&["POST", "POST", "GET", "HEAD"][..]);
    let outcome = runner(2000).run(&(results(), methods), |(result, method)| {
        let body = result.to_string();
        let head = format!(
            "{method} / HTTP/1.1\r\nhost: x\r\nx-answer: 1\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n",
            body.len()
        );
        let mut connection = served.connect();
        connection.send(&[head.as_bytes(), body.as_bytes()].concat()).unwrap();
        let answer = connection.receive(method).map_err(TestCaseError::fail)?;
        prop_assert!((200..1000).contains(&answer.status), "{}", answer.status);
        if let Some(status) = expected(&result) {
            prop_assert_eq!(answer.status, status);
        }
        let bodiless = method == "HEAD" || matches!(answer.status, 204 | 304);
        if answer.status == 502 && !bodiless && result["statusCode"] != 502 {
            let told: Value = serde_json::from_slice(&answer.body).unwrap();
            let told = told["message"].as_str().unwrap();
            prop_assert!(told.starts_with("the handler's result is no HTTP response: "), "{told}");
        }
        prop_assert!(answer.header("x-amzn-requestid").is_some());
        // The connection stays open, unless the status says otherwise.
        connection.send(b"GET /next HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
        let next = connection.receive("GET").map_err(TestCaseError::fail)?;
        prop_assert_eq!(next.status, 200);
        prop_assert_eq!(connection.finish().map_err(TestCaseError::fail)?, b"");
        Ok(())
    });
    outcome.unwrap();
}

/// Without a server: bytes that are not a result at all, and JSON that is.
#[test]
fn any_bytes_become_a_response_or_a_reason() {
    let bytes = prop_oneof![
        2 => results().prop_map(|result| result.to_string().into_bytes()),
        1 => "\\{\"statusCode\":[ -~]{0,20}\\}".prop_map(String::into_bytes),
        1 => "[\\[\\]{}\":,0-9a-z]{0,20}".prop_map(String::into_bytes),
        1 => vec(any::<u8>(), 0..40),
    ];
    let methods = select(vec![Method::GET, Method::HEAD]);
    let outcome = runner(2000).run(&(bytes, methods), |(bytes, method)| {
        for format in EventFormat::ALL {
            match response_of(format, &method, Payload::Json(Bytes::from(bytes.clone()))) {
                Ok(reply) => prop_assert!(!reply.status().is_informational()),
                Err(reason) => prop_assert!(reason.to_string().len() > 45, "{reason}"),
            }
        }
        Ok(())
    });
    outcome.unwrap();
}
