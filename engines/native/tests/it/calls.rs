//! Calls: events in, answers and errors out.

use crate::support::{FREE, Guest, bytes, handler, invocation, run};
use std::rc::Rc;
use trine_engine::{ErrorKind, Form, Invocation, Payload};

const ECHO: &str =
    "*out = malloc(event_len + 1); memcpy(*out, event, event_len); *out_len = event_len; return 0;";

#[test]
fn bytes_go_in_and_come_out_as_they_are() {
    let guest = Guest::handling(ECHO);
    for event in [r#"{"a":  1.50, "b": 9007199254740993}"#, "\"ü\"", "null"] {
        assert_eq!(guest.handle(event).unwrap(), event);
    }
    let large = format!("\"{}\"", "x".repeat(8 << 20));
    assert!(guest.handle(&large).unwrap() == large, "8 MiB");
}

#[test]
fn other_functions_have_their_names() {
    let guest = Guest::new(&format!(
        "TRINE_HANDLER(other) {{ UNUSED; return give(\"2\", out, out_len, 0); }}\n{}",
        handler("return give(\"1\", out, out_len, 0);")
    ));
    for (name, answer) in [("", "1"), ("handler", "1"), ("handle", "1"), ("other", "2")] {
        assert_eq!(run(guest.answer(name, "0")).unwrap(), answer, "{name:?}");
    }
}

#[test]
fn the_context_is_an_object_with_the_usual_names() {
    let guest = Guest::handling(
        "*out = malloc(context_len); memcpy(*out, context, context_len); *out_len = context_len; return 0;",
    );
    let answer = run(async {
        let function = guest.load("app.so", "handler").await?;
        let invocation = Rc::new(Invocation {
            request_id: "id-7".into(),
            tenant_id: Some("blue".into()),
            deadline_ms: Some(5),
            ..Invocation::default()
        });
        guest.0.call(function, "1", &invocation).await
    });
    let context: serde_json::Value = serde_json::from_str(&answer.unwrap()).unwrap();
    assert_eq!(
        context,
        serde_json::json!({
            "awsRequestId": "id-7", "deadlineMs": 5, "remainingTimeMs": 0, "functionName": "shop",
            "memoryLimitInMB": 128, "tenantId": "blue", "eventIsJson": false,
        })
    );
}

#[test]
fn no_bytes_are_null() {
    for body in [
        "return 0;",
        "*out = malloc(1); *out_len = 0; return 0;",
        "*out_len = 0; *out = NULL; return 0;",
    ] {
        assert_eq!(Guest::handling(body).handle("1").unwrap(), "null", "{body}");
    }
}

#[test]
fn a_message_or_an_object_is_an_error() {
    let text = Guest::handling(r#"return give("no anvil left\n", out, out_len, 1);"#).fault();
    assert_eq!(
        (text.kind(), text.name(), text.message()),
        (ErrorKind::Guest, "Error", "no anvil left")
    );
    assert!(!text.poisons());
    let object = Guest::handling(
        r#"return give("{\"errorType\":\"OutOfStock\",\"errorMessage\":\"no anvil\",\"stackTrace\":[\"a\",\"b\"]}", out, out_len, -7);"#,
    )
    .fault();
    assert_eq!((object.name(), object.message()), ("OutOfStock", "no anvil"));
    assert_eq!(object.stack(), ["a", "b"]);
    let silent = Guest::handling("return 5;").fault();
    assert_eq!(silent.message(), "trine_handle of app.so returned 5 without a message");
}

#[test]
fn an_answer_that_cannot_be_there_is_an_error_and_the_next_call_goes_on() {
    let guest = Guest::handling(
        "if (event[0] == '1') { *out_len = 8; return 0; }\n\
         if (event[0] == '2') { *out = malloc(1); *out_len = SIZE_MAX / 2; return 0; }\n\
         if (event[0] == '3') { return give(\"{broken\", out, out_len, 0); }\n\
         if (event[0] == '4') { return give(\"\\\"\\xff\\\"\", out, out_len, 0); }\n\
         return give(\"\\\"fine\\\"\", out, out_len, 0);",
    );
    for (event, part) in [
        ("1", "has set out_len to 8 and left out NULL"),
        ("2", "an answer may have 1073741824 bytes at most"),
        ("3", "the answer of trine_handle of app.so is no JSON: "),
        ("4", "invalid utf-8"),
    ] {
        let error = guest.handle(event).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Marshal);
        assert!(error.message().contains(part), "{error}");
    }
    assert_eq!(guest.handle("5").unwrap(), "\"fine\"");
}

#[test]
fn a_library_says_of_what_type_its_answers_are() {
    let of = |content_type: &str, body: &str| {
        let guest = Guest::new(&format!(
            "const char *trine_content_type(void) {{ return {content_type}; }}\n{}",
            handler(body)
        ));
        run(async {
            let function = guest.load("app.so", "handler").await?;
            let input = Payload::json("1");
            guest.instance.call(function, input, Form::Json, &invocation("id-1")).await.map(bytes)
        })
    };
    let page = r#"return give("<p>", out, out_len, 0);"#;
    assert_eq!(
        of("\"text/html; charset=utf-8\"", page).unwrap(),
        (b"<p>".to_vec(), "text/html; charset=utf-8")
    );
    assert_eq!(of("\"text/plain\"", "return 0;").unwrap(), (Vec::new(), "text/plain"));
    let number = r#"return give("1", out, out_len, 0);"#;
    assert_eq!(
        of("\"application/json; charset=utf-8\"", number).unwrap(),
        (b"1".to_vec(), "application/json")
    );
    assert_eq!(of("NULL", number).unwrap(), (b"1".to_vec(), "application/json"));
    let error = of("\"html\"", page).unwrap_err();
    assert!(error.message().contains("\"html\", which is no media type"), "{error}");
}

#[test]
fn what_is_given_is_given_back_once() {
    let guest = Guest::new(
        "static int given, taken;\n\
         int32_t trine_handle(PARAMETERS) { UNUSED;\n\
             if (event[0] == '0') { char text[40]; sprintf(text, \"[%d,%d]\", given, taken); given--; \
                                    int s = give(text, out, out_len, 0); given++; return s; }\n\
             given++; return give(\"x\", out, out_len, event[0] == '1' ? 0 : 1); }\n\
         void trine_free(uint8_t *out, size_t out_len) { if (out_len == 1) taken++; free(out); }\n",
    );
    for event in ["1", "2", "2"] {
        guest.handle(event).unwrap_err();
    }
    assert_eq!(guest.handle("0").unwrap(), "[3,3]");
}

#[test]
fn an_event_that_is_no_json_arrives_as_it_is() {
    let guest = Guest::new(&handler(ECHO).replace(FREE, &format!(
        "{FREE}const char *trine_content_type(void) {{ return \"application/octet-stream\"; }}\n"
    )));
    let answer = run(async {
        let function = guest.load("app.so", "handler").await?;
        let event = Payload::json(&b"\xff\x00raw"[..]);
        guest.instance.call(function, event, Form::Json, &invocation("id-1")).await
    });
    assert_eq!(bytes(answer.unwrap()).0, b"\xff\x00raw");
}
