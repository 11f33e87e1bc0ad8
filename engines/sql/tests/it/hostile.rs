//! Tests of files and events that nobody would write in good faith.

use crate::support::{Guest, answer, fault, load_fault, place, run};
use trine_engine::{ErrorKind, Payload};

fn write(guest: &Guest, bytes: &[u8]) {
    std::fs::write(guest.folder.join("app.sql"), bytes).unwrap();
}

fn load_bytes(bytes: &[u8]) -> trine_engine::Error {
    run(async {
        let guest = Guest::new("");
        write(&guest, bytes);
        guest.load("app").await
    })
    .expect_err("odd bytes")
}

#[test]
fn bytes_that_are_no_text_are_told_with_their_place() {
    let error = load_bytes(b"SELECT 1;\nSELECT '\xff'");
    assert_eq!(error.kind(), ErrorKind::UserCodeSyntax);
    assert!(error.message().contains("byte 0xff is no UTF-8"), "{error}");
    assert_eq!(place(&error), (2, 9));
    let error = load_bytes(b"SELECT 1;\0SELECT 2");
    assert!(error.message().contains("a NUL byte"), "{error}");
    assert_eq!(place(&error), (1, 10));
    load_bytes(&[0xff, 0xfe, b'S', 0]);
    load_bytes(b"\x7fELF\x02\x01\x01\0\0\0");
    for byte in 1..=255_u8 {
        let _ = run(async {
            let guest = Guest::new("");
            write(&guest, &[byte, b'1', byte]);
            guest.load("app").await
        });
    }
}

#[test]
fn a_hundred_thousand_statements_are_run() {
    let mut source = "CREATE TABLE t (a);\n".to_owned();
    for n in 0..100_000 {
        source.push_str(&format!("INSERT INTO t VALUES ({n});\n"));
    }
    source.push_str("SELECT count(*) AS n, max(a) AS m FROM t");
    assert_eq!(answer(&source, "{}"), r#"{"n":100000,"m":99999}"#);
    let many = "SELECT 1;".repeat(100_000);
    assert_eq!(answer(&many, "{}"), r#"{"1":1}"#);
}

#[test]
fn a_file_of_ten_megabytes_is_run() {
    let source =
        format!("SELECT length('{}') AS n -- {}", "x".repeat(10 << 20), "y".repeat(1 << 20));
    assert_eq!(answer(&source, "{}"), format!("{{\"n\":{}}}", 10 << 20));
    let error = load_fault(&format!("SELECT {}\nSELECT", "\n".repeat(10 << 20)));
    assert_eq!(error.kind(), ErrorKind::UserCodeSyntax);
    let semicolons = format!("{}SELECT 1 AS one", ";".repeat(1 << 20));
    assert_eq!(answer(&semicolons, "{}"), r#"{"one":1}"#);
}

#[test]
fn deep_expressions_are_refused() {
    let error = load_fault(&format!("SELECT {}1{}", "(".repeat(100_000), ")".repeat(100_000)));
    assert!(error.message().contains("Recursion limit"), "{error}");
    let error = load_fault(&format!("SELECT 1{}", " + 1".repeat(100_000)));
    assert!(error.message().contains("depth"), "{error}");
    load_fault(&format!("SELECT 1{}", " UNION ALL SELECT 1".repeat(100_000)));
}

#[test]
fn triggers_that_call_each_other_for_ever_end() {
    let error = fault(
        "PRAGMA recursive_triggers = ON; CREATE TABLE t (a);
         CREATE TRIGGER r AFTER INSERT ON t BEGIN INSERT INTO t VALUES (new.a + 1); END;
         INSERT INTO t VALUES (1); SELECT 1",
    );
    assert!(error.message().contains("too many levels of trigger recursion"), "{error}");
}

#[test]
fn events_of_any_bytes_are_taken() {
    run(async {
        let guest =
            Guest::new("SELECT length(event('')) AS n, event('a') AS a, event('@this') AS t");
        let function = guest.load("app").await.unwrap();
        for event in [
            &b""[..],
            b"\0",
            b"\xff\xfe",
            b"{\"a\":\"\xff\"}",
            b"{\"a\":\"\\ud800\"}",
            b"[[[[",
            b"\"",
            b"{\"a\"",
        ] {
            let input = Payload::json(event.to_vec());
            let form = trine_engine::Form::Json;
            let answer =
                guest.instance.call(function, input, form, &crate::support::invocation("i")).await;
            let (text, _) = answer.unwrap().into_bytes().unwrap();
            serde_json::from_slice::<serde_json::Value>(&text).unwrap();
        }
        let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
        let error = guest.call(function, &deep).await.unwrap_err();
        assert!(error.message().contains("nested deeper"), "{error}");
    });
}

#[test]
fn odd_paths_find_nothing_or_fail() {
    let pieces = [
        "a", ".", "#", "(", ")", "[", "]", "{", "}", "@", "|", "\\", "*", "?", "\"", ":", ",", "=",
        "!", "~", "é", "%", "0", "-", "@this", "@flatten", "#(", ")#", "@join:{", "@pretty:",
    ];
    let event = r#"{"a":[{"b":"x\u00e9","é":1},[1,[2]],"t",null,true,-1.5e3],"0":{}}"#;
    // A small generator of numbers, so that a failure can be repeated.
    let mut state = 7_u64;
    let mut next = |below: usize| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    run(async {
        let guest = Guest::new("SELECT event(json_extract(event(''), '$.path')) AS v");
        let function = guest.load("app").await.unwrap();
        for _ in 0..20_000 {
            let path: String = (0..1 + next(8)).map(|_| pieces[next(pieces.len())]).collect();
            let event = format!("{{\"path\":{},{}", serde_json::json!(path), &event[1..]);
            match guest.call(function, &event).await {
                Ok(answer) => {
                    serde_json::from_str::<serde_json::Value>(&answer).unwrap();
                }
                Err(error) => assert_eq!(error.kind(), ErrorKind::Guest, "{path}: {error}"),
            }
        }
    });
}

#[test]
fn patterns_that_backtrack_end() {
    let source =
        "SELECT replace(hex(zeroblob(500)), '0', 'a') LIKE '%a%a%a%a%a%a%a%a%a%a%a%b' AS l,
        replace(hex(zeroblob(500)), '0', 'a') GLOB '*a*a*a*a*a*a*a*a*a*a*b' AS g";
    assert_eq!(answer(source, "{}"), r#"{"l":0,"g":0}"#);
}
