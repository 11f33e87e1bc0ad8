//! What is no response: told with what was found, and with the place of the application.

use super::{App, get};
use crate::support::run;
use trine_engine::ErrorKind;

#[test]
fn what_fetch_returns_wrongly_is_told() {
    run(async {
        const MEMBERS: &str =
            "status, reason, headers, cookies, content_type and body are those of a response";
        for (result, message) in [
            ("true", "has returned a boolean: return a table of status, headers and body, a string, or a status".to_owned()),
            ("print", "has returned a function: return a table".to_owned()),
            ("coroutine.create(print)", "has returned a thread: return a table".to_owned()),
            ("trine.null", "has returned null: return a table".to_owned()),
            ("99", "has returned the status 99: an integer from 200 to 999 is expected".to_owned()),
            ("200.5", "has returned the status 200.5: an integer".to_owned()),
            ("{}", format!("has returned an empty table: {MEMBERS}")),
            ("{ hello = 'world' }", format!("has returned a table with the member 'hello': {MEMBERS}; to answer with JSON, return it as the body")),
            ("{ 1, 2 }", format!("has returned a table with a key that is a number: {MEMBERS}")),
            ("{ statusCode = 200, body = 'x' }", format!("has returned a table with 'statusCode', which is how handlers of events answer: {MEMBERS}")),
            ("trine.response { status = 200 }", "has returned a table with 'statusCode'".to_owned()),
            ("{ status = 'x' }", "has returned a status that is a string: a number is expected".to_owned()),
            ("{ status = 1000 }", "has returned the status 1000".to_owned()),
            ("{ body = 5 }", "has returned a body that is a number: it is a string, a function that gives chunks, a coroutine, or a table for JSON".to_owned()),
            ("{ body = true }", "has returned a body that is a boolean".to_owned()),
            ("{ body = io.tmpfile() }", "has returned a body that is a userdata".to_owned()),
            ("{ body = 'x', reason = 'a\\r\\nb' }", "has returned a reason that is a string: a string without control characters is expected".to_owned()),
            ("{ body = 'x', content_type = 5 }", "has returned a content_type that is a number".to_owned()),
            ("{ body = 'x', headers = 'a: b' }", "has returned a response that is wrong: headers are a string: a table is expected".to_owned()),
            ("{ body = 'x', headers = { 'a: b' } }", "has returned a response that is wrong: headers have the key 1: names are strings".to_owned()),
            ("{ body = 'x', headers = { ['a b'] = 'c' } }", "has returned a response that is wrong: 'a b' is no name of a header".to_owned()),
            ("{ body = 'x', headers = { ['a\\r\\nb'] = 'c' } }", "has returned a response that is wrong: 'a\\r\\nb' is no name of a header".to_owned()),
            ("{ body = 'x', headers = { a = 'b\\r\\nx: y' } }", "has returned a response that is wrong: the header 'a' has a line break or a zero in its value".to_owned()),
            ("{ body = 'x', headers = { a = true } }", "has returned a response that is wrong: the header 'a' is a boolean: a string, a number or a list of them is expected".to_owned()),
            ("{ body = 'x', headers = { a = { b = 'c' } } }", "has returned a response that is wrong: the header 'a' is a table that is no list".to_owned()),
            ("{ body = 'x', headers = { a = { 'b', {} } } }", "has returned a response that is wrong: the header 'a' is a table".to_owned()),
            ("{ body = 'x', cookies = 'a=b' }", "has returned a response that is wrong: cookies are a string: a list of strings is expected".to_owned()),
            ("{ body = 'x', cookies = { 'a=b\\n' } }", "has returned a response that is wrong: the header 'set-cookie' has a line break".to_owned()),
        ] {
            let app = App::fetch(&format!("return {result}")).await;
            let error = app.ask(get("/")).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Guest);
            assert_eq!(error.name(), "Runtime.InvalidResponse");
            let found = error.message();
            assert!(found.starts_with(&format!("the application {message}")), "{result}: {found}");
            assert!(error.frames()[0].file.ends_with("/app.lua"), "{error:#}");
            assert_eq!(error.frames()[0].line, 1);
            assert!(!error.poisons());
        }
    });
}

#[test]
fn what_run_returns_wrongly_is_told() {
    run(async {
        for (result, message) in [
            ("true", "has returned a status that is a boolean: a number is expected"),
            (
                "'OK'",
                "has returned the status 'OK': a number is expected, or a text such as '200 OK'",
            ),
            ("'200 a\\nb'", "has returned the status '200 a\\nb'"),
            (
                "100, {}, print",
                "has returned the status 100: an integer from 200 to 999 is expected",
            ),
            ("200, 'a', print", "has returned a response that is wrong: headers are a string"),
            (
                "200, {}",
                "has returned nil as its iterator: a function is expected that returns the chunks of the body, then nil",
            ),
            ("200, {}, 'text'", "has returned a string as its iterator: a function is expected"),
            ("200, {}, {}", "has returned a table as its iterator"),
            (
                "200, { a = print }, print",
                "has returned a response that is wrong: the header 'a' is a function",
            ),
        ] {
            let app = App::wsapi(&format!("return {result}")).await;
            let error = app.ask(get("/")).await.unwrap_err();
            assert_eq!(error.name(), "Runtime.InvalidResponse");
            let found = error.message();
            assert!(found.starts_with(&format!("the application {message}")), "{result}: {found}");
            assert_eq!(error.frames()[0].line, 1);
        }
    });
}

#[test]
fn an_application_that_returns_nothing_is_told_what_to_return() {
    run(async {
        let error = App::fetch("").await.ask(get("/")).await.unwrap_err();
        assert_eq!(error.name(), "Runtime.NoResponse");
        assert_eq!(
            error.message(),
            "the application has returned nothing: return a table of status, headers and body, a string, or a status"
        );
        let error = App::wsapi("").await.ask(get("/")).await.unwrap_err();
        assert_eq!(error.name(), "Runtime.NoResponse");
        assert_eq!(
            error.message(),
            "the application has returned nothing: return status, headers and an iterator"
        );
        assert_eq!(error.frames()[0].line, 1);
    });
}

#[test]
fn the_length_of_another_body_is_left_out() {
    run(async {
        let app =
            App::wsapi("return 302, { ['Content-Length'] = 22, Location = '/' }, function() end")
                .await;
        let answer = app.ask(get("/")).await.unwrap();
        assert!(!answer.headers.contains("content-length") && answer.headers.contains("location"));
        let answer = app.ask(super::with_method("HEAD", "/")).await.unwrap();
        assert_eq!(answer.header("content-length"), "22");
    });
}

#[test]
fn chunks_that_are_no_strings_are_errors_where_they_are_given() {
    run(async {
        for (chunk, kind) in [("{}", "a table"), ("true", "a boolean"), ("print", "a function")] {
            for body in [
                format!(
                    "return {{ body = coroutine.create(function()\ncoroutine.yield({chunk})\nend) }}"
                ),
                format!(
                    "return {{ body = coroutine.wrap(function()\ncoroutine.yield({chunk})\nend) }}"
                ),
            ] {
                let error = App::fetch(&body).await.ask(get("/")).await.unwrap_err();
                assert_eq!(error.name(), "Runtime.InvalidResponse", "{error:#}");
                assert_eq!(
                    error.message(),
                    format!("a chunk of the body is {kind}: chunks are strings")
                );
                assert_eq!(error.frames()[0].line, 3, "{error:#}");
            }
        }
        let error = App::fetch("return { body = function() return false end }").await;
        let error = error.ask(get("/")).await.unwrap_err();
        assert_eq!(error.message(), "a chunk of the body is a boolean: chunks are strings");
    });
}
