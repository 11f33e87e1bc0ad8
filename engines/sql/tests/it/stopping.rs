//! Tests of limits: time and memory.

use crate::support::{Guest, run};
use std::time::Duration;
use trine_engine::ErrorKind;

const COUNT: &str = "WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c)";

/// Interrupts a file once it has printed that it began; checks that it ends and that the next call works.
fn stops(body: &str) {
    run(async {
        let source = body.replace("COUNT", COUNT);
        let guest = Guest::within(&[("app.sql", &source), ("fine.sql", "SELECT 1 AS one")], |_| ());
        let function = guest.load("app").await.unwrap();
        let fine = guest.load("fine").await.unwrap();
        for _ in 0..2 {
            let (log, interrupter) = (guest.log.clone(), guest.instance.interrupter());
            let seen = log.lines().len();
            let thread = std::thread::spawn(move || {
                while log.lines().len() == seen {
                    std::thread::sleep(Duration::from_millis(1));
                }
                interrupter.interrupt();
            });
            let error = guest.call(function, "{}").await.expect_err(body);
            thread.join().unwrap();
            assert_eq!(error.kind(), ErrorKind::Timeout, "{body}: {error:#}");
            assert_eq!(error.message(), "the invocation was stopped because its time was up");
            assert!(!error.poisons());
            assert_eq!(guest.call(fine, "{}").await.unwrap(), r#"{"one":1}"#);
        }
    });
}

#[test]
fn what_never_ends_is_stopped() {
    stops("SELECT print('begun'); COUNT SELECT count(*) FROM c");
    stops("CREATE TABLE t (a); SELECT print('begun'); COUNT SELECT max(n) FROM c; SELECT 1");
    stops("SELECT print('begun'); COUNT SELECT n FROM c WHERE n < 0");
    stops(
        "CREATE TABLE t (a); INSERT INTO t SELECT value FROM json_each('[1,2,3,4,5,6,7,8,9,0]');
         SELECT print('begun');
         SELECT count(*) FROM t a, t b, t c, t d, t e, t f, t g, t h, t i, t j, t k, t l, t m, t n, t o",
    );
    stops(
        "SELECT print('begun'); COUNT SELECT length(replace(hex(zeroblob(1000000)), '0', 'ab')) AS n FROM c WHERE n % 2 = -1",
    );
    stops("SELECT print('begun'); COUNT SELECT group_concat(n) FROM c WHERE n < 0");
}

#[test]
fn an_interrupt_between_calls_does_no_harm() {
    run(async {
        let guest = Guest::new("SELECT 1 AS one");
        let function = guest.load("app").await.unwrap();
        guest.instance.interrupter().interrupt();
        assert_eq!(guest.call(function, "{}").await.unwrap(), r#"{"one":1}"#);
    });
}

/// Checks that a file fails for lack of memory, and the next call works.
fn exceeds(body: &str) {
    run(async {
        let source = body.replace("COUNT", COUNT);
        let guest = Guest::limited(&source, 8);
        guest.folder.write("fine.sql", "CREATE TABLE t (a); INSERT INTO t VALUES (hex(zeroblob(100000))); SELECT length(a) AS n FROM t");
        let function = guest.load("app").await.unwrap();
        let fine = guest.load("fine").await.unwrap();
        for _ in 0..2 {
            let error = guest.call(function, "{}").await.expect_err(body);
            assert_eq!(error.kind(), ErrorKind::OutOfMemory, "{body}: {error:#}");
            assert_eq!(guest.call(fine, "{}").await.unwrap(), r#"{"n":200000}"#);
        }
    });
}

#[test]
fn what_takes_too_much_memory_fails() {
    exceeds("SELECT zeroblob(100000000)");
    exceeds("SELECT hex(zeroblob(100000000))");
    exceeds("SELECT printf('%100000000d', 1)");
    exceeds("SELECT replace(hex(zeroblob(1000000)), '0', 'abcdefghij')");
    exceeds("CREATE TABLE t (a); INSERT INTO t COUNT SELECT n FROM c; SELECT 1");
    exceeds("CREATE TEMP TABLE t (a); INSERT INTO t COUNT SELECT n FROM c; SELECT 1");
    exceeds("CREATE TABLE t AS COUNT SELECT zeroblob(1000) AS a FROM c; SELECT 1");
    exceeds("COUNT SELECT n FROM c ORDER BY n DESC");
    exceeds("COUNT SELECT count(DISTINCT n) FROM c");
    exceeds("COUNT SELECT group_concat(n) FROM c");
    exceeds("COUNT SELECT json_group_array(n) FROM c");
    exceeds("COUNT SELECT n, count(*) FROM c GROUP BY n");
    exceeds("COUNT SELECT sum(n) OVER (ORDER BY n DESC) FROM c");
    exceeds("WITH RECURSIVE c (n) AS (SELECT 1 UNION SELECT n + 1 FROM c) SELECT count(*) FROM c");
    exceeds(
        "WITH RECURSIVE c (n) AS (SELECT '1' UNION ALL SELECT n || n FROM c) SELECT length(n) AS n FROM c WHERE n = ''",
    );
    exceeds(
        "CREATE VIRTUAL TABLE f USING fts5(a); INSERT INTO f COUNT SELECT n || 'word' FROM c; SELECT 1",
    );
}

#[test]
fn rows_that_are_too_many_for_the_answer_fail() {
    run(async {
        let source =
            format!("{COUNT} SELECT n, 'some text that is there in every row' AS t FROM c");
        let guest = Guest::within(&[("app.sql", &source)], |environment| {
            environment.memory_limit = Some(8 << 20);
            crate::support::set(environment, &[("TRINE_SQL_ROWS", "all")]);
        });
        let error = guest.handle("{}").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::OutOfMemory, "{error:#}");
    });
}

#[test]
fn only_the_first_row_is_waited_for() {
    let source = format!("{COUNT} SELECT n FROM c");
    assert_eq!(crate::support::answer(&source, "{}"), r#"{"n":1}"#);
}

#[test]
fn memory_is_given_back() {
    run(async {
        let guest = Guest::limited(
            "CREATE TABLE t (a); INSERT INTO t VALUES (zeroblob(1000000)); SELECT length(a) AS n FROM t",
            8,
        );
        let function = guest.load("app").await.unwrap();
        for _ in 0..50 {
            assert_eq!(guest.call(function, "{}").await.unwrap(), r#"{"n":1000000}"#);
        }
        assert!(guest.instance.usage().heap_bytes < 1 << 20, "{:?}", guest.instance.usage());
    });
}

/// SQLite's own functions would take the product of both lengths, which nothing could stop.
#[test]
fn long_texts_are_searched_in_time_that_grows_with_them() {
    run(async {
        let text = "a".repeat(3_000_000);
        let sought = format!("{}b", "a".repeat(1_500_000));
        let event = format!("{{\"a\":\"{text}\",\"b\":\"{sought}\"}}");
        let guest = Guest::new(
            "SELECT instr(event('a'), event('b')) AS at, length(replace(event('a'), event('b'), '')) AS left",
        );
        assert_eq!(guest.handle(&event).await.unwrap(), "{\"at\":0,\"left\":3000000}");
        let guest = Guest::new("SELECT 'a' LIKE event('b') AS found");
        let error = guest.handle(&event).await.unwrap_err();
        assert!(error.message().contains("pattern too complex"), "{error}");
    });
}
