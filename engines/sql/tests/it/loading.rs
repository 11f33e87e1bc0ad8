//! Tests of loading: statements, syntax errors, names of handlers.

use crate::support::{Guest, answer, load_fault, place, run};
use trine_engine::{Engine as _, ErrorKind, Presence, Wanted};
use trine_sql::SqlEngine;

#[test]
fn sqlite_itself_tells_where_statements_end() {
    assert_eq!(
        answer("SELECT ';' AS a; -- b;\n /* c; */ SELECT 'd;e' AS d;", "{}"),
        r#"{"d":"d;e"}"#
    );
    assert_eq!(answer(";;SELECT 1 AS a;;;\n", "{}"), r#"{"a":1}"#);
    assert_eq!(answer("\u{feff}SELECT 1 AS a -- done", "{}"), r#"{"a":1}"#);
    assert_eq!(answer("SELECT 1 AS a; /* open", "{}"), r#"{"a":1}"#);
    assert_eq!(answer("SELECT [;] AS \"x;\" FROM (SELECT 2 AS `;`);\r\n", "{}"), r#"{"x;":2}"#);
    let source = "CREATE TABLE t (a); CREATE TABLE l (a);
        CREATE TRIGGER r AFTER INSERT ON t BEGIN
            INSERT INTO l VALUES (CASE new.a WHEN 1 THEN 'one; end;' ELSE 'x' END);
            UPDATE l SET a = a || '!';
        END;
        INSERT INTO t VALUES (1); SELECT a FROM l; -- and that is it";
    assert_eq!(answer(source, "{}"), r#"{"a":"one; end;!"}"#);
}

#[test]
fn a_file_without_a_statement_cannot_be_loaded() {
    for source in ["", " \n", ";", "-- SELECT 1", "/* SELECT 1 */;", "\u{feff}"] {
        let error = load_fault(source);
        assert_eq!(error.kind(), ErrorKind::UserCodeSyntax, "{source:?}");
        assert!(error.message().contains("the file has no statement"), "{error}");
    }
}

#[test]
fn a_syntax_error_is_told_with_line_column_and_the_line() {
    let error = load_fault("SELECT 1;\n\n  SELECT a,, b FROM t;\nSELECT 2");
    assert_eq!(error.kind(), ErrorKind::UserCodeSyntax);
    assert_eq!(error.message(), "Syntax error in module 'app': near \",\": syntax error");
    assert_eq!(place(&error), (3, 12));
    let text = format!("{error:#}");
    assert!(text.contains("app.sql:3:12"), "{text}");
    assert!(text.contains("\n    SELECT a,, b FROM t;\n             ^"), "{text}");
    for source in
        ["SELECT 'open", "SELECT (1", "SELEC 1", "CREATE TABLE t (a", "SELECT 1 FROM", "SELECT #"]
    {
        assert_eq!(load_fault(source).kind(), ErrorKind::UserCodeSyntax, "{source}");
    }
}

#[test]
fn names_that_nothing_has_are_told_when_a_file_is_loaded() {
    let error = load_fault("CREATE TABLE items (price);\nSELECT prize\nFROM items");
    assert!(error.message().contains("no such column: prize"), "{error}");
    assert_eq!(place(&error), (2, 8));
    let error = load_fault("SELECT 1 FROM itmes");
    assert!(error.message().contains("no such table: itmes"), "{error}");
    let error = load_fault("CREATE TABLE t (a); DROP TABLE t; INSERT INTO t VALUES (1); SELECT 1");
    assert!(error.message().contains("no such table: t"), "{error}");
    load_fault("CREATE TABLE t (a); CREATE TABLE t (a); SELECT 1");
}

#[test]
fn statements_see_what_earlier_ones_make() {
    let source =
        "BEGIN; CREATE TABLE t (a); ALTER TABLE t ADD COLUMN b DEFAULT 2; CREATE INDEX i ON t (a);
        CREATE VIEW v AS SELECT a + b AS s FROM t; COMMIT;
        INSERT INTO t (a) VALUES (1); SELECT s FROM v";
    assert_eq!(answer(source, "{}"), r#"{"s":3}"#);
    let source = "CREATE TABLE t AS SELECT value AS v FROM json_each(event('items')); SELECT sum(v) AS s FROM t";
    assert_eq!(answer(source, r#"{"items":[1,2,3]}"#), r#"{"s":6}"#);
}

#[test]
fn a_table_whose_making_needs_the_event_is_left_to_the_call() {
    let source = "CREATE TABLE t AS SELECT value AS v FROM json_each(event('items') || ''' ') WHERE json(coalesce(event('x'), '{'));
        SELECT count(v) AS n FROM t; -- end";
    let error = run(async { Guest::new(source).handle(r#"{"items":[1]}"#).await }).unwrap_err();
    assert!(error.message().starts_with("failed to execute query: malformed JSON"), "{error}");
    // What follows is looked at for its grammar only.
    let broken = source.replace("SELECT count", "SELEC count");
    assert!(load_fault(&broken).message().contains("near \"SELEC\""));
}

#[test]
fn an_endless_rehearsal_ends() {
    let endless = "WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c)";
    let source = format!("CREATE TABLE t AS {endless} SELECT n FROM c; SELECT 1");
    run(async { Guest::new(&source).load("app").await.map(|_| ()) }).unwrap();
}

#[test]
fn parameters_are_refused() {
    for (source, name, line) in [
        ("SELECT 1;\nSELECT ?", "?", 2),
        ("SELECT :name", ":name", 1),
        ("SELECT @x", "@x", 1),
        ("SELECT $y", "$y", 1),
        ("SELECT ?17", "?17", 1),
    ] {
        let error = load_fault(source);
        assert!(error.message().contains(&format!("has a parameter, {name}:")), "{error}");
        assert_eq!(place(&error).0, line, "{source}");
    }
}

#[test]
fn any_name_is_that_of_the_handler() {
    run(async {
        let guest = Guest::new("SELECT 1 AS one");
        for (wanted, name) in [
            (Wanted::Handler("handler".into()), "handler"),
            (Wanted::Handler("api.users.get".into()), "api.users.get"),
            (Wanted::Handler(String::new()), "handler"),
            (Wanted::Unnamed, "handler"),
        ] {
            let exports = guest.instance.load(&guest.0.module("app.sql", wanted)).await.unwrap();
            assert_eq!(exports.functions.len(), 1);
            assert_eq!(exports.functions[0].0, name);
        }
    });
}

#[test]
fn sql_holds_no_middleware() {
    run(async {
        let guest = Guest::new("SELECT 1");
        for wanted in [Wanted::Hooks, Wanted::Program] {
            let error = guest.instance.load(&guest.0.module("app.sql", wanted)).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unsupported);
            assert!(error.message().contains("app.sql cannot hold middleware"), "{error}");
        }
    });
}

#[test]
fn a_file_that_is_not_there_is_told() {
    run(async {
        let error = Guest::new("SELECT 1").load("gone").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ImportModule);
        assert!(error.message().starts_with("Unable to import module 'gone': /"), "{error}");
    });
}

#[test]
fn a_check_runs_nothing() {
    let engine = SqlEngine::new();
    let check = |source: &str| {
        let guest = Guest::new(source);
        let checked = engine.check(&guest.module("app"));
        assert_eq!(guest.log.text(), "");
        checked
    };
    assert_eq!(check("SELECT print('x')").unwrap(), Presence::Possible);
    assert_eq!(
        check("CREATE TABLE t AS SELECT print('x') AS a; SELECT a FROM t").unwrap(),
        Presence::Possible
    );
    let error = check("SELECT 1;\nSELECT FROM").unwrap_err();
    assert_eq!((error.kind(), place(&error).0), (ErrorKind::UserCodeSyntax, 2));
    assert!(check("").unwrap_err().message().contains("no statement"));
}

#[test]
fn the_engine_says_what_it_is() {
    let engine = SqlEngine::default();
    let info = engine.info();
    assert_eq!((info.id, info.extensions), ("sql", &["sql"][..]));
    assert!(info.version.starts_with("SQLite 3."), "{}", info.version);
    assert!(info.capabilities.interrupt && info.capabilities.memory_limit);
}
