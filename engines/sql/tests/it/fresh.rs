//! Tests that every call has a database to itself.

use crate::support::{Guest, answer, fault, run};
use trine_engine::Wanted;

/// Calls a file three times and checks that its answers are alike.
fn alike(source: &str) -> String {
    run(async {
        let guest = Guest::new(source);
        let function = guest.load("app").await.unwrap();
        let first = guest.call(function, "{}").await.unwrap();
        for _ in 0..2 {
            assert_eq!(guest.call(function, "{}").await.unwrap(), first, "{source}");
        }
        first
    })
}

#[test]
fn tables_and_rows_are_gone_after_a_call() {
    let source = "CREATE TABLE t (a); INSERT INTO t VALUES (1); SELECT count(*) AS n FROM t";
    assert_eq!(alike(source), r#"{"n":1}"#);
    let source = "CREATE TEMP TABLE t (a); INSERT INTO t VALUES (1); SELECT count(*) AS n FROM t";
    assert_eq!(alike(source), r#"{"n":1}"#);
    let source =
        "CREATE TABLE IF NOT EXISTS t (a); INSERT INTO t VALUES (1); SELECT count(*) AS n FROM t";
    assert_eq!(alike(source), r#"{"n":1}"#);
}

#[test]
fn transactions_pragmas_and_counters_are_gone_after_a_call() {
    assert_eq!(alike("BEGIN; CREATE TABLE t (a); SELECT count(*) AS n FROM t"), r#"{"n":0}"#);
    assert_eq!(alike("SAVEPOINT s; CREATE TABLE t (a); SELECT 1 AS n"), r#"{"n":1}"#);
    let source = "CREATE TEMP TABLE before AS SELECT user_version AS v, foreign_keys AS f FROM pragma_user_version, pragma_foreign_keys;
        PRAGMA user_version = 7; PRAGMA foreign_keys = ON;
        SELECT before.v, before.f, now.user_version AS now FROM before, pragma_user_version AS now";
    assert_eq!(alike(source), r#"{"v":0,"f":0,"now":7}"#);
    let source = "CREATE TEMP TABLE before AS SELECT last_insert_rowid() AS l, changes() AS c, total_changes() AS t;
        INSERT INTO before VALUES (0, 0, 0), (0, 0, 0); SELECT * FROM before";
    assert_eq!(alike(source), r#"{"l":0,"c":0,"t":0}"#);
}

#[test]
fn a_call_that_failed_leaves_nothing_behind() {
    run(async {
        let guest = Guest::new(
            "BEGIN; CREATE TABLE t (a CHECK (a <> 'bad')); INSERT INTO t VALUES (event('a')); SELECT a FROM t",
        );
        let function = guest.load("app").await.unwrap();
        for _ in 0..2 {
            guest.call(function, r#"{"a":"bad"}"#).await.expect_err("the check");
            assert_eq!(guest.call(function, r#"{"a":"x"}"#).await.unwrap(), r#"{"a":"x"}"#);
        }
    });
    run(async {
        let guest = Guest::new("SELECT json(event('')) AS j; SELECT json(event('')) AS j");
        let function = guest.load("app").await.unwrap();
        guest.call(function, "{").await.expect_err("malformed JSON");
        assert_eq!(guest.call(function, "{}").await.unwrap(), r#"{"j":"{}"}"#);
    });
}

#[test]
fn functions_of_one_instance_know_nothing_of_each_other() {
    run(async {
        let files = [
            ("a.sql", "CREATE TABLE t (a); INSERT INTO t VALUES (event('x')); SELECT a FROM t"),
            ("b.sql", "CREATE TABLE t (b); SELECT count(*) AS n FROM t"),
            ("c.sql", "SELECT event('x') AS c"),
        ];
        let guest = Guest::within(&files, |_| ());
        let [a, b, c] = [guest.load("a").await, guest.load("b").await, guest.load("c").await]
            .map(Result::unwrap);
        for x in ["1", "2"] {
            let event = format!("{{\"x\":{x}}}");
            assert_eq!(guest.call(a, &event).await.unwrap(), format!("{{\"a\":\"{x}\"}}"));
            assert_eq!(guest.call(b, &event).await.unwrap(), r#"{"n":0}"#);
            assert_eq!(guest.call(c, &event).await.unwrap(), format!("{{\"c\":\"{x}\"}}"));
        }
        assert_eq!(guest.load("a").await.unwrap(), a);
        assert_eq!(guest.instance.usage().calls, 6);
        assert!(guest.instance.holds_thread(a));
        guest.instance.shutdown();
        guest.call(a, "{}").await.expect_err("a call after the end");
        guest.instance.load(&guest.0.module("b.sql", Wanted::Unnamed)).await.expect_err("a load");
    });
}

#[test]
fn foreign_keys_are_off_until_they_are_asked_for() {
    let schema = "CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE c (p REFERENCES p (id));";
    let insert = "INSERT INTO c VALUES (1); SELECT count(*) AS n FROM c";
    assert_eq!(answer(&format!("{schema} {insert}"), "{}"), r#"{"n":1}"#);
    let error = fault(&format!("PRAGMA foreign_keys = ON; {schema} {insert}"));
    assert!(error.message().ends_with("FOREIGN KEY constraint failed"), "{error}");
}

#[test]
fn random_numbers_go_on_after_a_snapshot() {
    run(async {
        let guest = Guest::new("SELECT random() AS r, randomblob(8) AS b");
        let function = guest.load("app").await.unwrap();
        let first = guest.call(function, "{}").await.unwrap();
        guest.instance.before_snapshot().await.unwrap();
        guest.instance.after_restore().await.unwrap();
        assert_ne!(guest.call(function, "{}").await.unwrap(), first);
    });
}
