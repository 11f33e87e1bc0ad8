//! Tests of answers: rows, columns and the types of values.

use crate::support::{Guest, answer, fault, run, set};
use trine_engine::{ErrorKind, Payload};

fn all(source: &str) -> String {
    run(async { Guest::with(source, &[("TRINE_SQL_ROWS", "all")]).handle("{}").await }).unwrap()
}

#[test]
fn the_first_row_of_the_last_statement_is_the_answer() {
    assert_eq!(answer("SELECT 0; SELECT 1 AS one, 'b' AS two", "{}"), r#"{"one":1,"two":"b"}"#);
    assert_eq!(answer("VALUES (1), (2)", "{}"), r#"{"column1":1}"#);
    assert_eq!(answer("SELECT 1 WHERE 0", "{}"), "null");
    assert_eq!(answer("CREATE TABLE t (a)", "{}"), "null");
    assert_eq!(answer("SELECT 1 + 1", "{}"), r#"{"1 + 1":2}"#);
}

#[test]
fn all_rows_are_an_array() {
    assert_eq!(all("SELECT value AS v FROM json_each('[1,2,3]')"), r#"[{"v":1},{"v":2},{"v":3}]"#);
    assert_eq!(all("SELECT 1 WHERE 0"), "[]");
    assert_eq!(all("CREATE TABLE t (a); INSERT INTO t VALUES (1), (2)"), "[]");
    assert_eq!(
        all("CREATE TABLE t (a); INSERT INTO t VALUES (1), (2) RETURNING a"),
        r#"[{"a":1},{"a":2}]"#
    );
}

#[test]
fn the_last_statement_may_write_and_return() {
    let source = "CREATE TABLE t (id INTEGER PRIMARY KEY, a); INSERT INTO t (a) VALUES ('x') RETURNING id, a;";
    assert_eq!(answer(source, "{}"), r#"{"id":1,"a":"x"}"#);
}

#[test]
fn a_wrong_setting_is_an_error_at_the_start() {
    let engine = trine_sql::SqlEngine::new();
    let mut environment = trine_engine::Environment::new("/opt", Default::default());
    set(&mut environment, &[("TRINE_SQL_ROWS", "some")]);
    let Err(error) = trine_engine::Engine::start(&engine, &environment) else { panic!("starts") };
    assert_eq!(error.message(), r#"TRINE_SQL_ROWS is "some": use first or all"#);
    set(&mut environment, &[("TRINE_SQL_ATTACH", "nothing")]);
    let Err(error) = trine_engine::Engine::start(&engine, &environment) else { panic!("starts") };
    assert!(error.message().starts_with("TRINE_SQL_ATTACH: \"nothing\" has no '='"), "{error}");
}

#[test]
fn values_keep_their_types() {
    let source = "SELECT 9223372036854775807 AS max, -9223372036854775808 AS min, 1.0 AS whole, 0.1 AS tenth, \
                  1e300 AS large, 'é\u{1F600}' AS text, NULL AS absent, x'00ff' AS bytes, x'' AS none, '' AS empty";
    assert_eq!(
        answer(source, "{}"),
        "{\"max\":9223372036854775807,\"min\":-9223372036854775808,\"whole\":1.0,\"tenth\":0.1,\
         \"large\":1e+300,\"text\":\"é\u{1F600}\",\"absent\":null,\"bytes\":\"AP8=\",\"none\":\"\",\"empty\":\"\"}"
    );
}

#[test]
fn infinity_has_no_json_form_and_nan_is_null() {
    let error = fault("SELECT 1 AS a, 9e999 AS b");
    assert_eq!(error.kind(), ErrorKind::Marshal);
    assert!(error.message().starts_with("column 'b' is infinite"), "{error}");
    assert_eq!(answer("SELECT 9e999 - 9e999 AS n", "{}"), r#"{"n":null}"#);
}

#[test]
fn of_columns_with_one_name_the_last_counts() {
    assert_eq!(answer("SELECT 1 AS a, 2 AS b, 3 AS a", "{}"), r#"{"b":2,"a":3}"#);
    assert_eq!(answer("SELECT 1 AS \"a\"\"b\n\"", "{}"), r#"{"a\"b\n":1}"#);
}

#[test]
fn declared_types_of_columns_make_booleans_and_times() {
    let source = "CREATE TABLE t (yes BOOLEAN, no boolean, odd BOOLEAN, at DATETIME, stamp TIMESTAMP, day DATE, never DATETIME, n INTEGER);
        INSERT INTO t VALUES (1, 0, 'maybe', '2026-01-31 10:00:00', 1769903999, '2026-01-31', 'soon', 1);
        SELECT *, yes AS again, yes + 0 AS number FROM t;";
    assert_eq!(
        answer(source, "{}"),
        r#"{"yes":true,"no":false,"odd":"maybe","at":"2026-01-31T10:00:00Z","stamp":"2026-01-31T23:59:59Z","day":"2026-01-31T00:00:00Z","never":"soon","n":1,"again":true,"number":1}"#
    );
}

#[test]
fn texts_that_are_no_utf_8_are_replaced_and_nul_is_kept() {
    assert_eq!(answer("SELECT CAST(x'61ff62' AS TEXT) AS t", "{}"), "{\"t\":\"a\u{fffd}b\"}");
    assert_eq!(answer("SELECT char(0, 97) AS t", "{}"), r#"{"t":"\u0000a"}"#);
}

#[test]
fn the_answer_is_json() {
    run(async {
        let guest = Guest::new("SELECT 1 AS one");
        let function = guest.load("app").await.unwrap();
        let form = trine_engine::Form::Native;
        let answer = guest
            .instance
            .call(function, Payload::Nothing, form, &crate::support::invocation("id"))
            .await
            .unwrap();
        assert!(matches!(answer, Payload::Json(_)), "{answer:?}");
    });
}

#[test]
fn full_text_search_and_trees_are_there() {
    let source = "CREATE VIRTUAL TABLE docs USING fts5(body); INSERT INTO docs VALUES ('the quick fox'), ('slow');
        SELECT count(*) AS n FROM docs WHERE docs MATCH 'quick'";
    assert_eq!(answer(source, "{}"), r#"{"n":1}"#);
    let source =
        "CREATE VIRTUAL TABLE boxes USING rtree(id, a, b); INSERT INTO boxes VALUES (1, 0, 10);
        SELECT id FROM boxes WHERE a < 5";
    assert_eq!(answer(source, "{}"), r#"{"id":1}"#);
}

#[test]
fn texts_are_found_and_replaced_as_sqlite_does_it() {
    let one = |expression: &str| answer(&format!("SELECT {expression} AS v"), "{}");
    for (expression, value) in [
        ("instr('héllo', 'l')", "3"),
        ("instr('hello', '')", "1"),
        ("instr('hello', 'x')", "0"),
        ("instr('', 'x')", "0"),
        ("instr(NULL, 'x')", "null"),
        ("instr('x', NULL)", "null"),
        ("instr(12345, 34)", "3"),
        ("instr(x'00ff61', x'61')", "3"),
        ("instr(x'c3a961', 'a')", "2"),
        ("replace('banana', 'an', 'o')", "\"booa\""),
        ("replace('aaaa', 'aa', 'b')", "\"bb\""),
        ("replace('abc', '', 'x')", "\"abc\""),
        ("replace('abc', 'c', '')", "\"ab\""),
        ("replace(1213, 1, 'x')", "\"x2x3\""),
        ("replace('a', NULL, 'x')", "null"),
        ("replace('é', 'é', 'ü')", "\"ü\""),
    ] {
        assert_eq!(one(expression), format!("{{\"v\":{value}}}"), "{expression}");
    }
    // An index on a function needs one that is deterministic.
    let index = "CREATE TABLE t (a); CREATE INDEX i ON t (instr(a, 'x'), replace(a, 'x', 'y')); SELECT 1 AS v";
    assert_eq!(answer(index, "{}"), "{\"v\":1}");
}
