//! Tests of JSON ⇄ Lua values, contexts, and values that stay in their state.

use crate::support::{Guest, answer, fault, handler, invocation, run};
use std::rc::Rc;
use trine_engine::{ErrorKind, Form, Invocation, Payload, RawPayload};

async fn echo(event: &str) -> String {
    answer("return event", event).await.unwrap()
}

#[test]
fn scalars_come_back_as_they_went() {
    run(async {
        for event in ["null", "true", "false", "0", "-7", "1.5", "\"\"", "\"text\"", "1.0", "-0.5"]
        {
            assert_eq!(echo(event).await, event);
        }
    });
}

#[test]
fn integers_keep_all_of_their_64_bits() {
    run(async {
        for event in ["9223372036854775807", "-9223372036854775808", "9007199254740993"] {
            assert_eq!(echo(event).await, event);
        }
        assert_eq!(answer("return math.type(event)", "3").await.unwrap(), "\"integer\"");
        assert_eq!(answer("return math.type(event)", "3.0").await.unwrap(), "\"float\"");
    });
}

#[test]
fn integers_beyond_64_bits_become_floats() {
    run(async {
        assert_eq!(
            answer("return math.type(event)", "9223372036854775808").await.unwrap(),
            "\"float\""
        );
        assert_eq!(
            echo("18446744073709551615").await.parse::<f64>().unwrap(),
            18446744073709551615.0
        );
        assert_eq!(echo("1e3").await, "1000.0");
    });
}

#[test]
fn an_empty_array_stays_an_array_and_an_empty_object_an_object() {
    run(async {
        assert_eq!(echo("[]").await, "[]");
        assert_eq!(echo("{}").await, "{}");
        assert_eq!(echo("[[],{}]").await, "[[],{}]");
        assert_eq!(answer("table.remove(event) return event", "[1]").await.unwrap(), "[]");
    });
}

#[test]
fn unmarked_tables_are_arrays_when_their_keys_are_1_to_n() {
    run(async {
        assert_eq!(answer("return {1, 2, 3}", "0").await.unwrap(), "[1,2,3]");
        assert_eq!(answer("return {}", "0").await.unwrap(), "{}");
        assert_eq!(answer("return {a = 1}", "0").await.unwrap(), "{\"a\":1}");
        let reversed = "local t = {} for i = 5, 1, -1 do t[i] = i end return t";
        assert_eq!(answer(reversed, "0").await.unwrap(), "[1,2,3,4,5]");
    });
}

#[test]
fn constructors_say_what_a_table_is() {
    run(async {
        assert_eq!(answer("return trine.array()", "0").await.unwrap(), "[]");
        assert_eq!(answer("return trine.array {1, nil, 3}", "0").await.unwrap(), "[1,null,3]");
        assert_eq!(answer("return trine.object()", "0").await.unwrap(), "{}");
        assert_eq!(answer("return trine.object {[7] = 1}", "0").await.unwrap(), "{\"7\":1}");
        assert!(
            fault("return trine.array(3)").await.message().contains("table expected, got number")
        );
    });
}

#[test]
fn null_is_a_value_of_its_own() {
    run(async {
        assert_eq!(answer("return event.a == trine.null", "{\"a\":null}").await.unwrap(), "true");
        assert_eq!(answer("return {a = trine.json.null}", "0").await.unwrap(), "{\"a\":null}");
        assert_eq!(answer("return tostring(trine.null)", "0").await.unwrap(), "\"null\"");
        assert_eq!(answer("return nil", "0").await.unwrap(), "null");
        assert_eq!(answer("", "0").await.unwrap(), "null");
    });
}

#[test]
fn strings_are_escaped_and_unescaped() {
    run(async {
        let odd = r#""a\"b\\c\n\r\t\b\f\u0001\u001f é 😀 /""#;
        assert_eq!(echo(odd).await, odd);
        assert_eq!(echo(r#""\ud83d\ude00\u00e9\/""#).await, "\"😀é/\"");
        let long = format!("\"{}\\\"{}\"", "x".repeat(1000), "é".repeat(100));
        assert_eq!(echo(&long).await, long);
    });
}

#[test]
fn large_tables_and_deep_ones_come_back() {
    run(async {
        let many: Vec<String> = (0..1000).map(|n| n.to_string()).collect();
        let array = format!("[{}]", many.join(","));
        assert_eq!(echo(&array).await, array);
        let object: Vec<String> = (0..100).map(|n| format!("\"k{n}\":{n}")).collect();
        let object = format!("{{{}}}", object.join(","));
        let back: serde_json::Value = serde_json::from_str(&echo(&object).await).unwrap();
        assert_eq!(back, serde_json::from_str::<serde_json::Value>(&object).unwrap());
        let deep = format!("{}{}", "[".repeat(1000), "]".repeat(1000));
        assert_eq!(echo(&deep).await, deep);
    });
}

#[test]
fn of_equal_keys_the_last_one_holds() {
    run(async {
        assert_eq!(echo(r#"{"a":1,"a":2}"#).await, r#"{"a":2}"#);
    });
}

#[test]
fn keys_that_were_seen_before_are_the_same_keys() {
    run(async {
        let guest = Guest::new(&handler("return event"));
        let function = guest.load("app", "handler").await.unwrap();
        // Keys of all lengths, more than are kept, and some that differ only in the middle.
        let mut event = serde_json::Map::new();
        for number in 0..600 {
            let long = format!("{}{number:03}{}", "k".repeat(number % 23), "k".repeat(number % 19));
            event.insert(long, serde_json::json!({"a": number, "abcdefgh": {"a": 1, "": number}}));
        }
        let event = serde_json::Value::Object(event);
        for _ in 0..3 {
            let echoed = guest.call(function, &event.to_string()).await.unwrap();
            assert_eq!(serde_json::from_str::<serde_json::Value>(&echoed).unwrap(), event);
        }
        for (event, expected) in [
            (r#"[{"a":1,"b":2,"a":3}]"#, r#"[{"a":3,"b":2}]"#),
            (r#"[{"b":1,"a":2,"b":[{"a":1,"a":4}],"a":5}]"#, r#"[{"a":5,"b":[{"a":4}]}]"#),
            (r#"{"\u0061":1,"a":2}"#, r#"{"a":2}"#),
        ] {
            let echoed = guest.call(function, event).await.unwrap();
            let [echoed, expected] = [&echoed, expected]
                .map(|text| serde_json::from_str::<serde_json::Value>(text).unwrap());
            assert_eq!(echoed, expected);
        }
    });
}

#[test]
fn an_event_that_is_no_json_names_the_place() {
    run(async {
        let guest = Guest::new(&handler("return 1"));
        let function = guest.load("app", "handler").await.unwrap();
        for (event, part) in [
            ("", "line 1 column"),
            ("{\"a\":}", "line 1 column 6"),
            ("[1,\n2,]", "line 2"),
            ("x", "line 1 column 1"),
            ("NaN", "line 1"),
            ("01", "line 1"),
            ("1 2", "line 1 column 3"),
            ("\"\u{1}\"", "line 1"),
        ] {
            let error = guest.call(function, event).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unmarshal, "{event}");
            assert!(error.message().starts_with("Unable to unmarshal input: "), "{error}");
            assert!(error.message().contains(part), "{event}: {error}");
        }
        let input = Payload::json(&b"\"\xFF\""[..]);
        let error = guest.instance.call(function, input, Form::Json, &invocation("1")).await;
        assert_eq!(error.unwrap_err().kind(), ErrorKind::Unmarshal);
        assert_eq!(guest.call(function, "2").await.unwrap(), "1");
    });
}

#[test]
fn an_event_nested_too_deeply_is_refused() {
    run(async {
        let deep = "[".repeat(1001) + &"]".repeat(1001);
        let error = answer("return 1", &deep).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unmarshal);
        assert!(error.message().contains("nested deeper than 1000 levels"), "{error}");
        let endless = "[".repeat(100_000);
        assert_eq!(answer("return 1", &endless).await.unwrap_err().kind(), ErrorKind::Unmarshal);
    });
}

#[test]
fn what_has_no_json_form_is_named_with_its_path() {
    run(async {
        for (body, message) in [
            ("return {items = {1, 2, function() end}}", "result.items[3] is a function"),
            ("return {['a b'] = {io.stdin}}", "result[\"a b\"][1] is a userdata"),
            ("return {coroutine.create(print)}", "result[1] is a thread"),
            ("return 0/0", "which has no JSON form"),
            ("return {a = 1/0}", "result.a is inf"),
            ("return {x = '\\xff'}", "result.x is a string that is not UTF-8"),
            ("return {['\\xff'] = 1}", "has a key that is not UTF-8"),
            ("local t = {} t.me = {t} return t", "result.me[1] contains itself"),
            ("return {1, 2, x = 3}", "mixed keys"),
            ("return {[true] = 1}", "mixed keys (one is a boolean)"),
            ("return {[1] = 1, [3] = 3}", "not 1..n"),
            ("return {[1000000] = 3}", "trine.object"),
            ("return {[0] = 3}", "integer below 1"),
            ("return trine.array {1, x = 2}", "mixed keys"),
            (
                "local t = {} for i = 1, 1001 do t = {t} end return t",
                "nested deeper than 1000 levels",
            ),
        ] {
            let error = fault(body).await;
            assert_eq!(error.kind(), ErrorKind::Marshal, "{body}: {error}");
            assert!(error.message().starts_with("Unable to marshal response: "), "{error}");
            assert!(error.message().contains(message), "{body}: {error}");
        }
    });
}

#[test]
fn guests_encode_and_decode_with_the_same_code() {
    run(async {
        let body = "local json = require('trine').json return json.encode(json.decode(event))";
        assert_eq!(
            answer(body, r#""{\"a\":[1,2.5,null,[]]}""#).await.unwrap(),
            r#""{\"a\":[1,2.5,null,[]]}""#
        );
        let error = fault("return trine.json.decode('[1,')").await;
        assert!(error.message().contains("cannot decode: EOF"), "{error}");
        let error = fault("return trine.json.encode({a = print})").await;
        assert_eq!(error.message(), "cannot encode: value.a is a function, which has no JSON form");
        assert!(fault("return trine.json.decode()").await.message().contains("bad argument #1"));
        assert!(fault("return trine.json.encode()").await.message().contains("bad argument #1"));
        let caught = "local ok, e = pcall(trine.json.decode, 'x') return {ok, type(e)}";
        assert_eq!(answer(caught, "0").await.unwrap(), "[false,\"string\"]");
    });
}

#[test]
fn an_event_that_is_not_json_is_a_string_of_its_bytes() {
    run(async {
        let guest = Guest::new(&handler("return {#event, event:byte(1)}"));
        let function = guest.load("app", "handler").await.unwrap();
        let bytes = bytes::Bytes::from_static(b"\xFFabc");
        let raw = Payload::Raw(RawPayload { bytes, content_type: "text/plain" });
        let answer =
            guest.instance.call(function, raw, Form::Json, &invocation("1")).await.unwrap();
        assert_eq!(answer.into_bytes().unwrap().0, "[4,255]");
    });
}

#[test]
fn a_context_has_the_fields_of_its_invocation() {
    run(async {
        let guest = Guest::new(
            "function handler(event, context) local all = {} \
             for k, v in pairs(context) do if type(v) ~= 'function' then all[k] = v end end return all end \
             function one(event, context) return context[event] end \
             function left(event, context) return {context.get_remaining_time_in_millis(), context:get_remaining_time_in_millis()} end",
        );
        let invocation = Rc::new(Invocation {
            request_id: "id-9".into(),
            deadline_ms: Some(9_000_000_000_000),
            invoked_function_arn: Some("arn:x".into()),
            trace_id: Some("Root=1".into()),
            client_context: Some(r#"{"custom":{"a":1}}"#.into()),
            identity: Some(r#"{"cognitoIdentityId":"i","cognitoIdentityPoolId":"p"}"#.into()),
            tenant_id: Some("t".into()),
            ..Invocation::default()
        });
        let all = guest.load("app", "handler").await.unwrap();
        let all = guest.call_with(all, "0", &invocation).await.unwrap();
        let all: serde_json::Value = serde_json::from_str(&all).unwrap();
        let expected = serde_json::json!({
            "aws_request_id": "id-9", "invoked_function_arn": "arn:x", "function_name": "shop",
            "function_version": "7", "log_group_name": "/aws/lambda/shop", "tenant_id": "t",
            "trace_id": "Root=1", "deadline_ms": 9_000_000_000_000_i64,
            "client_context": {"custom": {"a": 1}},
            "identity": {
                "cognitoIdentityId": "i", "cognitoIdentityPoolId": "p",
                "cognito_identity_id": "i", "cognito_identity_pool_id": "p",
            },
        });
        assert_eq!(all, expected);
        let one = guest.load("app", "one").await.unwrap();
        let plain = crate::support::invocation("id-2");
        assert_eq!(guest.call_with(one, "\"aws_request_id\"", &plain).await.unwrap(), "\"id-2\"");
        assert_eq!(guest.call_with(one, "\"identity\"", &plain).await.unwrap(), "null");
        let left = guest.load("app", "left").await.unwrap();
        let left = guest.call_with(left, "0", &invocation).await.unwrap();
        let left: Vec<i64> = serde_json::from_str(&left).unwrap();
        assert!(left[0] > 1_000_000 && left[1] > 1_000_000, "{left:?}");
    });
}

#[test]
fn a_context_without_a_deadline_has_the_longest_time_and_a_past_one_has_none_left() {
    run(async {
        let guest = Guest::new(&handler(
            "local deadline = context.deadline_ms - os.time() * 1000
            return { context.get_remaining_time_in_millis(), deadline // 100000 }",
        ));
        let function = guest.load("app", "handler").await.unwrap();
        assert_eq!(guest.call(function, "0").await.unwrap(), "[900000,9]");
        let past = Rc::new(Invocation { deadline_ms: Some(5), ..Invocation::default() });
        assert!(guest.call_with(function, "0", &past).await.unwrap().starts_with("[0,-"));
    });
}

#[test]
fn the_trace_header_is_in_the_environment_where_that_is_wanted() {
    run(async {
        let source =
            handler("return {os.getenv('_X_AMZN_TRACE_ID') or 'none', os.getenv('PATH') ~= nil}");
        let traced =
            Rc::new(Invocation { trace_id: Some("Root=1".into()), ..Invocation::default() });
        for (trace_in_environment, expected) in
            [(true, r#"["Root=1",true]"#), (false, r#"["none",true]"#)]
        {
            let guest = Guest::within(&[("app.lua", &source)], |environment| {
                environment.trace_in_environment = trace_in_environment;
            });
            let function = guest.load("app", "handler").await.unwrap();
            assert_eq!(guest.call_with(function, "0", &traced).await.unwrap(), expected);
            assert_eq!(guest.call(function, "0").await.unwrap(), r#"["none",true]"#);
        }
    });
}

#[test]
fn a_context_is_an_ordinary_table() {
    run(async {
        let guest = Guest::new(
            "function handler(event, context) context.mine = 1 context.aws_request_id = nil \
             return {context.mine, context.function_name, tostring(context.aws_request_id), trine.json.encode(context) ~= nil} end \
             function whole(event, context) return context end \
             function keep(event, context) kept = kept or context return kept.function_name end \
             function odd(event, context) local meta = getmetatable(context) \
               return {pcall(meta.__index, 1, 2), pcall(meta.__pairs, {})} end",
        );
        let function = guest.load("app", "handler").await.unwrap();
        let answer = guest.call(function, "0").await.unwrap();
        assert_eq!(answer, r#"[1,"shop","nil",true]"#);
        let whole = guest.load("app", "whole").await.unwrap();
        assert!(guest.call(whole, "0").await.unwrap().contains("\"aws_request_id\":\"id-1\""));
        let odd = guest.load("app", "odd").await.unwrap();
        assert_eq!(guest.call(odd, "0").await.unwrap_err().kind(), ErrorKind::Marshal);
        let keep = guest.load("app", "keep").await.unwrap();
        assert_eq!(guest.call(keep, "0").await.unwrap(), "\"shop\"");
        assert_eq!(guest.call(keep, "0").await.unwrap(), "\"shop\"");
    });
}

#[test]
fn an_untouched_context_that_outlives_its_call_is_empty() {
    run(async {
        let guest = Guest::new(&handler(
            "if kept then return {kept.function_name or 'empty'} end kept = context return 1",
        ));
        let function = guest.load("app", "handler").await.unwrap();
        guest.call(function, "0").await.unwrap();
        assert_eq!(guest.call(function, "0").await.unwrap(), "[\"empty\"]");
    });
}

#[test]
fn a_client_context_that_is_no_json_is_an_error_of_its_own() {
    run(async {
        let guest = Guest::new(&handler("return 1"));
        let function = guest.load("app", "handler").await.unwrap();
        for invocation in [
            Invocation { client_context: Some("{".into()), ..Invocation::default() },
            Invocation { identity: Some("nope".into()), ..Invocation::default() },
        ] {
            let error = guest.call_with(function, "0", &Rc::new(invocation)).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ContextUnmarshal);
            assert!(error.message().starts_with("Unable to parse "), "{error}");
        }
    });
}

#[test]
fn a_native_value_keeps_its_identity_within_its_state() {
    run(async {
        let guest = Guest::new(
            "function make(event) event.seen = {} made = event return event end \
             function same(event) return event == made end \
             function call(event) return event.fun() end \
             function fun() return {fun = function() return 'called' end} end",
        );
        let native = |function, input| {
            let instance = guest.instance.clone();
            async move { instance.call(function, input, Form::Native, &invocation("1")).await.unwrap() }
        };
        let make = guest.load("app", "make").await.unwrap();
        let same = guest.load("app", "same").await.unwrap();
        let value = native(make, Payload::json("{\"a\":1}")).await;
        let Payload::Native(inner) = &value else { panic!("a native value") };
        assert_eq!(inner.engine(), "lua");
        let answer = guest.instance.call(same, value, Form::Json, &invocation("1")).await.unwrap();
        assert_eq!(answer.into_bytes().unwrap().0, "true");

        let fun = native(guest.load("app", "fun").await.unwrap(), Payload::json("0")).await;
        let Payload::Native(inner) = &fun else { panic!("a native value") };
        assert_eq!(inner.to_json().unwrap_err().kind(), ErrorKind::Marshal);
        let call = guest.load("app", "call").await.unwrap();
        let answer = guest.instance.call(call, fun, Form::Json, &invocation("1")).await.unwrap();
        assert_eq!(answer.into_bytes().unwrap().0, "\"called\"");
    });
}

#[test]
fn a_native_value_goes_to_another_state_as_json() {
    run(async {
        let guest = Guest::with(&[
            ("app.lua", "return {handler = function(event) return event end}"),
            ("other/app.lua", "return {handler = function(event) event.b = 2 return event.a end}"),
        ]);
        let first = guest.load("app", "handler").await.unwrap();
        let input = Payload::json("{\"a\":[]}");
        let value =
            guest.instance.call(first, input, Form::Native, &invocation("1")).await.unwrap();
        let mut module = guest.module("other/app", trine_engine::Wanted::Handler("handler".into()));
        module.root = guest.folder.join("other");
        let second = guest.instance.load(&module).await.unwrap().functions[0].1;
        let answer =
            guest.instance.call(second, value, Form::Json, &invocation("1")).await.unwrap();
        assert_eq!(answer.into_bytes().unwrap().0, "[]");
    });
}

#[test]
fn nothing_is_null_as_json_and_nothing_as_a_value() {
    run(async {
        let guest =
            Guest::new("function handler() return nil end function null() return trine.null end");
        let native = async |export: &str| {
            let function = guest.load("app", export).await.unwrap();
            let input = Payload::json("1");
            guest.instance.call(function, input, Form::Native, &invocation("1")).await.unwrap()
        };
        assert_eq!(guest.handle("1").await.unwrap(), "null");
        assert!(matches!(native("handler").await, Payload::Nothing));
        let null = native("null").await;
        assert!(matches!(null, Payload::Native(_)));
        assert_eq!(null.into_bytes().unwrap().0, "null");
    });
}

#[test]
fn a_value_with_a_text_without_bounds_is_refused() {
    run(async {
        let source = handler("local t = {} for i = 1, 200 do t = {t, t} end return t");
        let guest = Guest::limited(&source, 64);
        let error = guest.handle("0").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::OutOfMemory, "{error}");
        assert!(error.poisons());
    });
}

#[test]
fn an_adopted_value_is_the_same_for_every_function() {
    run(async {
        let guest = Guest::new(
            "function handler(event) seen = event return 1 end \
             function same(event) return event == seen and event.a[1] end",
        );
        let (first, same) =
            (guest.load("app", "handler").await.unwrap(), guest.load("app", "same").await.unwrap());
        let cx = invocation("1");
        let value = guest.instance.adopt(Payload::json("{\"a\":[7]}"), &cx).unwrap();
        assert!(matches!(value, Payload::Native(_)));
        guest.instance.call(first, value.clone(), Form::Json, &cx).await.unwrap();
        let answer = guest.instance.call(same, value, Form::Json, &cx).await.unwrap();
        assert_eq!(answer.into_bytes().unwrap().0, "7");
        let error = guest.instance.adopt(Payload::json("{"), &cx).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unmarshal);
    });
}
