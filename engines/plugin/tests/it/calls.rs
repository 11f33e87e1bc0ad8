//! Values on their way in and out, and the context beside them.

use crate::support::{Guest, run};
use serde_json::{Value, json};
use std::{collections::BTreeMap, rc::Rc, sync::Arc};
use trine_engine::{Conventions, ErrorKind, Form, FunctionId, Invocation, Payload, RawPayload};
use trine_testkit::guest;

fn invocation() -> Rc<Invocation> {
    guest::invocation("id-1").into()
}

#[test]
fn json_crosses_as_it_is() {
    let guest = Guest::new("get: echo\n");
    let event = "{\"n\": 9007199254740993, \"text\": \"é\\u0000😀\", \"f\": 1.50}";
    assert_eq!(guest.answer("get", event).unwrap(), event);
}

#[test]
fn raw_bytes_cross_with_their_media_type() {
    let guest = Guest::new("get: echo\nmake: raw image/x-own bits\nbare: raw - bits\n");
    let bytes = bytes::Bytes::from_static(b"\xff\x00\xfe");
    let input = Payload::Raw(RawPayload { bytes: bytes.clone(), content_type: "image/png" });
    let answer =
        run(guest.instance.call(guest.handler("get"), input, Form::Json, &invocation())).unwrap();
    assert_eq!(answer.into_bytes().unwrap(), (bytes, "image/png"));
    let raw = |name| {
        let input = Payload::json("null");
        let invocation = invocation();
        let call = guest.instance.call(guest.handler(name), input, Form::Json, &invocation);
        let Payload::Raw(raw) = run(call).unwrap() else { panic!("it is raw") };
        raw.content_type
    };
    assert_eq!((raw("make"), raw("bare")), ("image/x-own", "application/octet-stream"));
    assert!(std::ptr::eq(raw("make"), raw("make")), "a media type is kept once");
}

#[test]
fn nothing_is_null_outside_and_nothing_between_functions() {
    let guest = Guest::new("get: nothing\nsee: echo\n");
    assert_eq!(guest.answer("get", "1").unwrap(), "null");
    let get = guest.handler("get");
    let kept = guest.native(get, Payload::json("1"), &invocation()).unwrap();
    assert!(matches!(kept, Payload::Nothing));
    let seen = guest.native(guest.handler("see"), Payload::Nothing, &invocation()).unwrap();
    assert!(matches!(seen, Payload::Nothing));
}

#[test]
fn what_is_no_json_is_told_by_whom_it_came_from() {
    let guest = Guest::new("get: give {\"a\": nonsense}\nempty: give\nutf: echo\n");
    let fault = guest.fault("get");
    assert_eq!(fault.kind(), ErrorKind::Marshal);
    assert!(fault.message().contains("`call` has answered with what is no JSON: "), "{fault}");
    assert!(fault.message().ends_with(": \"{\\\"a\\\": nonsense}\""), "{fault}");
    assert_eq!(guest.fault("empty").kind(), ErrorKind::Marshal);
    let input = Payload::Json(bytes::Bytes::from_static(b"\"\xff\""));
    let invocation = invocation();
    let call = guest.instance.call(guest.handler("utf"), input, Form::Json, &invocation);
    assert_eq!(run(call).unwrap_err().kind(), ErrorKind::Marshal);
    assert_eq!(guest.answer("utf", "1").unwrap(), "1", "the instance lives on");
}

#[test]
fn a_function_sees_the_context_of_its_invocation() {
    let guest = Guest::new("get: context\n");
    let get = guest.handler("get");
    let call = |invocation: Invocation| {
        let invocation = Rc::new(invocation);
        let answer = run(guest.call(get, "null", &invocation));
        answer.map(|text| serde_json::from_str::<Value>(&text).unwrap())
    };
    let bare = call(guest::invocation("id-1")).unwrap();
    let expected =
        json!({"request_id": "id-1", "deadline_ms": null, "hook": null, "function_name": "shop"});
    assert_eq!(bare, expected);
    let full = call(Invocation {
        request_id: "id-\"2\"".into(),
        deadline_ms: Some(1_767_225_600_000),
        invoked_function_arn: Some("arn:1".into()),
        trace_id: Some("Root=1".into()),
        tenant_id: Some("blue".into()),
        client_context: Some("{\"a\": [1.50]}".into()),
        identity: Some("{}".into()),
        w3c: Some(BTreeMap::from([("traceparent".into(), "00-1".into())])),
        function_name: Some("pets".into()),
        conventions: Some(Arc::new(Conventions { context: "{\"m\": 1}".into(), headers: None })),
        ..Invocation::default()
    });
    let expected = json!({
        "request_id": "id-\"2\"", "deadline_ms": 1_767_225_600_000_u64, "hook": null,
        "function_name": "pets", "invoked_function_arn": "arn:1", "trace_id": "Root=1",
        "tenant_id": "blue", "client_context": {"a": [1.5]}, "identity": {},
        "w3c": {"traceparent": "00-1"}, "platform": {"m": 1},
    });
    assert_eq!(full.unwrap(), expected);
    let broken = Invocation { client_context: Some("{".into()), ..Invocation::default() };
    assert_eq!(call(broken).unwrap_err().kind(), ErrorKind::ContextUnmarshal);
}

#[test]
fn a_function_can_ask_how_long_it_has() {
    let guest = Guest::new("get: time\n");
    let get = guest.handler("get");
    for (deadline_ms, told) in
        [(None, "\"unlimited\""), (Some(1), "\"none\""), (Some(1 << 52), "\"some\"")]
    {
        let invocation = Rc::new(Invocation { deadline_ms, ..guest::invocation("id-1") });
        assert_eq!(run(guest.call(get, "null", &invocation)).unwrap(), told);
    }
}

#[test]
fn what_an_instance_has_used_is_counted() {
    let guest = Guest::new("get: say A\nfail: fail Oops no\n");
    guest.answer("get", "1").unwrap();
    guest.fault("fail");
    let usage = guest.instance.usage();
    assert_eq!((usage.calls, usage.heap_bytes), (2, 2000));
}

#[test]
fn an_instance_keeps_its_state_and_another_has_its_own() {
    let (one, other) = (Guest::new("get: count\n"), Guest::new("get: count\n"));
    assert_eq!(one.answer("get", "1").unwrap(), "1");
    assert_eq!(one.answer("get", "1").unwrap(), "2");
    assert_eq!(other.answer("get", "1").unwrap(), "1");
}

#[test]
fn an_instance_that_is_shut_down_refuses_calls() {
    let guest = Guest::new("get: say A\n");
    let get = guest.handler("get");
    guest.instance.shutdown();
    guest.instance.shutdown();
    let refused = run(guest.call(get, "1", &invocation())).unwrap_err();
    assert_eq!(refused.message(), "this instance of Shout is shut down");
    assert_eq!(guest.instance.usage().heap_bytes, 0);
    guest.instance.interrupter().interrupt();
}

#[test]
fn an_id_that_was_never_given_is_refused_before_the_plug_in_sees_it() {
    let guest = Guest::new("get: say A\n");
    let refused = run(guest.call(FunctionId(7), "1", &invocation())).unwrap_err();
    assert_eq!(refused.message(), "no function of this instance of Shout has the id 7");
}

#[test]
fn calls_hold_their_thread() {
    let guest = Guest::new("get: say A\n");
    assert!(guest.instance.holds_thread(guest.handler("get")));
}
