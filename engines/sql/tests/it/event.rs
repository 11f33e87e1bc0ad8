//! Tests of what SQL sees of an invocation: `event` and `context`.

use crate::support::{Guest, answer, fault, run};
use std::rc::Rc;
use trine_engine::Invocation;

#[test]
fn paths_find_texts_in_the_event() {
    let event = r#"{"name":"Ada","tags":["a","b"],"n":1.50,"on":true,"no":null,"o":{"x":1}}"#;
    for (path, expected) in [
        ("name", r#""Ada""#),
        ("tags.1", r#""b""#),
        ("tags.#", r#""2""#),
        ("tags", r#""[\"a\",\"b\"]""#),
        ("n", r#""1.5""#),
        ("on", r#""true""#),
        ("no", r#""""#),
        ("missing.deep", r#""""#),
        ("o", r#""{\"x\":1}""#),
    ] {
        let source = format!("SELECT event('{path}') AS v, typeof(event('{path}')) AS t");
        assert_eq!(
            answer(&source, event),
            format!("{{\"v\":{expected},\"t\":\"text\"}}"),
            "{path}"
        );
    }
}

#[test]
fn what_this_gjson_lacks_finds_nothing() {
    let event = r#"{"a":{"b":1},"list":[{"x":1,"in":[{"y":2}]},{"x":3}]}"#;
    for path in ["@keys", "a.@values", "a.@tostr", "@dig:b", "list.@group", "!\"text\""] {
        let source = format!("SELECT event('{path}') AS v");
        assert_eq!(answer(&source, event), r#"{"v":""}"#, "{path}");
    }
    for (path, expected) in [
        ("list.#(x>2).x", "3"),
        ("list.#(in.#(y=2)).x", "1"),
        ("list.#(x>0)#.x", "[1,3]"),
        ("list.#.x", "[1,3]"),
        ("[a.b,list.#]", "[1,2]"),
        ("a|b", "1"),
    ] {
        let source = format!("SELECT event('{path}') AS v");
        assert_eq!(answer(&source, event), format!("{{\"v\":\"{expected}\"}}"), "{path}");
    }
}

#[test]
fn the_whole_event_is_its_text() {
    let expected = r#"{"a":"{ \"x\": 1 }","b":1}"#;
    assert_eq!(
        answer("SELECT event('') AS a, event() = event('') AS b", r#"{ "x": 1 }"#),
        expected
    );
    assert_eq!(answer("SELECT event('') AS a, event('x') AS b", "a=b"), r#"{"a":"a=b","b":""}"#);
}

#[test]
fn a_path_has_to_be_a_text() {
    for (value, kind) in
        [("1", "an integer"), ("1.5", "a number"), ("NULL", "NULL"), ("x'00'", "a blob")]
    {
        let error = fault(&format!("SELECT event({value})"));
        assert_eq!(
            error.message(),
            format!("failed to execute query: event() takes a path as text, not {kind}")
        );
    }
    // What SQLite can tell without running anything.
    assert!(
        crate::support::load_fault("SELECT event(1, 2)")
            .message()
            .contains("wrong number of arguments")
    );
}

#[test]
fn every_call_sees_its_own_event() {
    run(async {
        let guest = Guest::new("SELECT event('n') AS n, (SELECT event('n')) AS again");
        let function = guest.load("app").await.unwrap();
        for n in 0..3 {
            let answer = guest.call(function, &format!("{{\"n\":{n}}}")).await.unwrap();
            assert_eq!(answer, format!("{{\"n\":\"{n}\",\"again\":\"{n}\"}}"));
        }
    });
}

#[test]
fn json_functions_work_on_the_event() {
    let event = r#"{"items":[{"price":2,"quantity":3},{"price":0.5,"quantity":4}]}"#;
    let source = "SELECT sum(value ->> 'price' * (value ->> 'quantity')) AS total, count(*) AS n FROM json_each(event('items'))";
    assert_eq!(answer(source, event), r#"{"total":8.0,"n":2}"#);
    let source =
        "SELECT json_extract(event(''), '$.items[1].price') AS p, event() -> 'items' ->> 0 AS i";
    assert_eq!(answer(source, event), r#"{"p":0.5,"i":"{\"price\":2,\"quantity\":3}"}"#);
}

#[test]
fn views_and_triggers_see_the_event() {
    let source = "CREATE TABLE t (a); CREATE TABLE log (a);
        CREATE VIEW v AS SELECT event('x') AS x;
        CREATE TRIGGER r AFTER INSERT ON t BEGIN INSERT INTO log VALUES (new.a || event('x')); SELECT 1; END;
        INSERT INTO t SELECT x FROM v;
        SELECT a FROM log;";
    assert_eq!(answer(source, r#"{"x":"e"}"#), r#"{"a":"ee"}"#);
}

#[test]
fn the_context_tells_about_the_invocation() {
    run(async {
        let guest = Guest::new(
            "SELECT context('request_id') AS id, context('function_name') AS f, context('function_version') AS v,
                context('tenant_id') AS t, context('trace_id') AS x, context('deadline_ms') AS d,
                context('remaining_ms') AS r, context('invoked_function_arn') AS arn,
                context('memory_limit_in_mb') AS m, context('client_context') ->> 'a' AS c",
        );
        let function = guest.load("app").await.unwrap();
        let invocation = Invocation {
            request_id: "id-7".into(),
            tenant_id: Some("t1".into()),
            trace_id: Some("Root=1".into()),
            deadline_ms: Some(5),
            client_context: Some("{\"a\":1}".into()),
            ..Invocation::default()
        };
        let answer = guest.0.call(function, "{}", &Rc::new(invocation)).await.unwrap();
        assert_eq!(
            answer,
            r#"{"id":"id-7","f":"shop","v":"7","t":"t1","x":"Root=1","d":5,"r":0,"arn":null,"m":"128","c":1}"#
        );
        let answer = guest.0.call(function, "{}", &Rc::default()).await.unwrap();
        assert!(answer.contains(r#""d":null,"r":900000"#), "{answer}");
    });
    let error = fault("SELECT context('nme')");
    assert!(error.message().contains("\"nme\") is not known: use one of request_id"), "{error}");
}
