//! Tests of what `print` writes.

use crate::support::{Guest, answer, run};
use trine_engine::{LogFormat, Stream};

#[test]
fn print_writes_lines_and_returns_them() {
    run(async {
        let guest = Guest::new(
            "SELECT print('a'); SELECT print(1), print(1.5), print(NULL), print(x'ff');
             SELECT print('last') AS p, typeof(print(7)) AS t",
        );
        assert_eq!(guest.handle("{}").await.unwrap(), r#"{"p":"last","t":"text"}"#);
        let lines = ["a\n", "1\n", "1.5\n", "null\n", "\"/w==\"\n", "last\n", "7\n"];
        assert_eq!(guest.log.of(Stream::Stderr), lines);
    });
}

#[test]
fn calls_of_print_are_not_folded() {
    run(async {
        let guest = Guest::new("SELECT print('x') FROM json_each('[1,2,3]'); SELECT 1 AS one");
        guest.handle("{}").await.unwrap();
        guest.handle("{}").await.unwrap();
        assert_eq!(guest.log.text(), "x\n".repeat(6));
    });
}

#[test]
fn lines_in_json_form_have_the_request_id() {
    run(async {
        let guest = Guest::within(&[("app.sql", "SELECT print('hello')")], |environment| {
            environment.log.format = LogFormat::Json;
        });
        guest.handle("{}").await.unwrap();
        let line: serde_json::Value = serde_json::from_str(&guest.log.text()).unwrap();
        assert_eq!((&line["message"], &line["requestId"]), (&"hello".into(), &"id-1".into()));
        assert_eq!(line["level"], "INFO");
    });
}

#[test]
fn nothing_is_printed_when_a_file_is_loaded() {
    run(async {
        let guest = Guest::new("CREATE TABLE t AS SELECT print('x') AS a; SELECT a FROM t");
        let function = guest.load("app").await.unwrap();
        assert_eq!(guest.log.text(), "");
        assert_eq!(guest.call(function, "{}").await.unwrap(), r#"{"a":"x"}"#);
        assert_eq!(guest.log.text(), "x\n");
    });
}

#[test]
fn an_infinite_number_is_not_printed() {
    let error = crate::support::fault("SELECT print(9e999)");
    assert!(error.message().contains("print(): the number is infinite"), "{error}");
    assert_eq!(answer("SELECT print('') AS p", "{}"), r#"{"p":""}"#);
}
