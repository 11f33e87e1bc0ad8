//! Tests of errors while a file runs: message, kind, code and place.

use crate::support::{fault, place};
use trine_engine::{Error, ErrorKind};

fn code(error: &Error) -> &str {
    error.context().iter().find(|(key, _)| *key == "code").map_or("", |(_, value)| value)
}

#[test]
fn a_constraint_that_is_violated_is_told_with_its_statement() {
    let error = fault(
        "CREATE TABLE t (a UNIQUE);\nINSERT INTO t VALUES (1);\n  INSERT INTO t VALUES (1);\nSELECT 1",
    );
    assert_eq!(error.kind(), ErrorKind::Guest);
    assert_eq!(error.name(), "SqlError");
    assert_eq!(error.message(), "failed to execute query: UNIQUE constraint failed: t.a");
    assert_eq!(place(&error), (3, 3));
    assert!(error.frames()[0].file.ends_with("app.sql"));
    assert_eq!(code(&error), "SQLITE_CONSTRAINT_UNIQUE");
    assert!(!error.poisons());
}

#[test]
fn every_kind_of_constraint_has_its_code() {
    for (source, expected) in [
        ("CREATE TABLE t (a NOT NULL); INSERT INTO t VALUES (NULL); SELECT 1", "NOTNULL"),
        ("CREATE TABLE t (a CHECK (a > 0)); INSERT INTO t VALUES (0); SELECT 1", "CHECK"),
        ("CREATE TABLE t (a INTEGER) STRICT; INSERT INTO t VALUES ('x'); SELECT 1", "DATATYPE"),
        (
            "CREATE TABLE t (a TEXT PRIMARY KEY); INSERT INTO t VALUES (1), (1); SELECT 1",
            "PRIMARYKEY",
        ),
        (
            "CREATE TABLE t (a); CREATE TRIGGER r BEFORE INSERT ON t BEGIN SELECT RAISE(ABORT, 'no entry'); END; INSERT INTO t VALUES (1); SELECT 1",
            "TRIGGER",
        ),
    ] {
        let error = fault(source);
        assert_eq!(code(&error), format!("SQLITE_CONSTRAINT_{expected}"), "{error:#}");
    }
}

#[test]
fn raise_in_a_trigger_gives_its_own_words() {
    let error = fault(
        "CREATE TABLE t (a);\nCREATE TRIGGER r BEFORE INSERT ON t\nWHEN new.a < 0\nBEGIN\n  SELECT RAISE(FAIL, 'a is negative; no');\nEND;\n\nINSERT INTO t VALUES (-1);\nSELECT 1",
    );
    assert_eq!(error.message(), "failed to execute query: a is negative; no");
    assert_eq!(place(&error), (8, 1));
}

#[test]
fn arithmetic_fails_where_sqlite_says_so() {
    assert_eq!(crate::support::answer("SELECT 1 / 0 AS z", "{}"), r#"{"z":null}"#);
    let error = fault("SELECT abs(-9223372036854775808)");
    assert_eq!(error.message(), "failed to execute query: integer overflow");
    let error =
        fault("SELECT sum(value) FROM (SELECT 9223372036854775807 AS value UNION ALL SELECT 1)");
    assert_eq!(error.message(), "failed to execute query: integer overflow");
}

#[test]
fn a_failure_in_the_last_statement_is_told_with_its_place() {
    let error = fault("SELECT 1;\n\n-- the last\n  SELECT json_extract('{', '$')");
    assert_eq!(error.message(), "failed to execute query: malformed JSON");
    assert_eq!(place(&error), (4, 3));
    let error = fault("CREATE TABLE t (a);\nSELECT json_extract('{', '$') FROM (SELECT 1)");
    assert_eq!(place(&error), (2, 1));
}

#[test]
fn what_only_a_call_can_tell_has_line_and_column() {
    // The column is one only while the event makes it so: loading cannot know.
    let source = "CREATE TABLE t AS SELECT json_extract(coalesce(event('j'), '{'), '$') AS a;\nSELECT a,\n  absent FROM t";
    let error = fault(source);
    assert_eq!(error.message(), "failed to execute query: malformed JSON");
    let error = crate::support::run(async {
        crate::support::Guest::new(source).handle(r#"{"j":"{}"}"#).await
    })
    .expect_err("no such column");
    assert_eq!(error.message(), "failed to execute query: no such column: absent");
    assert_eq!(place(&error), (3, 3));
}

#[test]
fn what_reaches_files_or_the_process_is_refused() {
    for (source, part) in [
        ("ATTACH 'x.db' AS x; SELECT 1", "ATTACH"),
        ("DETACH main; SELECT 1", "DETACH"),
        ("SELECT load_extension('x.so')", "load_extension"),
        ("SELECT fts3_tokenizer('simple')", "fts3_tokenizer"),
        ("PRAGMA hard_heap_limit = 1; SELECT 1", "hard_heap_limit"),
        ("PRAGMA temp_store_directory = '/'; SELECT 1", "temp_store_directory"),
        ("PRAGMA writable_schema = ON; SELECT 1", "writable_schema"),
        ("PRAGMA journal_mode = DELETE; SELECT 1", "journal_mode"),
        (
            "CREATE TABLE t (a); CREATE TRIGGER r AFTER INSERT ON t BEGIN SELECT load_extension('x'); END; INSERT INTO t VALUES (1); SELECT 1",
            "load_extension",
        ),
    ] {
        let error = crate::support::load_fault(source);
        assert!(error.message().contains("not authorized"), "{source}: {error:#}");
        assert!(error.message().contains(part), "{source}: {error:#}");
    }
    // What SQLite asks for as it runs.
    for source in ["VACUUM; SELECT 1", "SELECT 1; VACUUM INTO 'copy.db'"] {
        let error = fault(source);
        assert!(
            error.message().contains("authorization denied: ATTACH and VACUUM"),
            "{source}: {error:#}"
        );
    }
}

#[test]
fn functions_that_read_and_write_files_are_not_there() {
    for source in
        ["SELECT readfile('/etc/passwd')", "SELECT writefile('x', 'y')", "SELECT edit('x')"]
    {
        let error = crate::support::load_fault(source);
        assert!(error.message().contains("no such function"), "{error}");
    }
    let error = crate::support::load_fault("SELECT * FROM fsdir('/')");
    assert!(error.message().contains("no such table"), "{error}");
}
