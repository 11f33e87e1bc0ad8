//! Web applications as Lambda functions: events become requests, responses results.

use super::{APPLICATIONS, Application};
use crate::support::{Lambda, eventually};
use serde_json::{Value, json};
use trine_emulator::Answer;

fn v2(path: &str) -> Value {
    json!({
        "version": "2.0", "rawPath": path, "rawQueryString": "x=1", "cookies": ["c=1"],
        "headers": {"host": "api.example.com", "x-a": "1", "x-forwarded-proto": "https"},
        "requestContext": {"stage": "$default", "http": {"method": "POST", "path": path, "protocol": "HTTP/1.1", "sourceIp": "10.0.0.7"}},
        "body": "aGVsbG8=", "isBase64Encoded": true
    })
}

fn start(application: &Application, change: &[(&str, &str)]) -> (crate::support::Folder, Lambda) {
    let folder = application.folder();
    let lambda = Lambda::with(&folder, |command| {
        command.env("_HANDLER", application.handler).envs(change.iter().copied());
    });
    (folder, lambda)
}

#[test]
fn an_event_of_format_2_is_answered_by_every_application() {
    for application in APPLICATIONS {
        let (_folder, lambda) = start(&application, &[]);
        let result = lambda.invoke(v2("/pets"));
        assert_eq!(result["statusCode"], 201, "{application:?}: {result}");
        assert_eq!(result["cookies"], json!(["a=1", "b=2"]), "{application:?}");
        assert_eq!(result["headers"]["x-kind"], application.kind, "{application:?}");
        let seen: Value = serde_json::from_str(result["body"].as_str().unwrap()).unwrap();
        assert_eq!((&seen["method"], &seen["path"]), (&json!("POST"), &json!("/pets")));
        assert_eq!((&seen["body"], &seen["query"]), (&json!("hello"), &json!("x=1")));
        if !seen["client"].is_null() {
            assert_eq!(seen["client"], "10.0.0.7", "{application:?}");
        }
        let result = lambda.invoke(v2("/bytes"));
        assert_eq!(result["isBase64Encoded"], true, "{application:?}");
        let result = lambda.invoke(v2("/stream"));
        assert_eq!(result["body"], "chunk 0\nchunk 1\nchunk 2\n", "{application:?}");
    }
}

#[test]
fn other_forms_of_events_have_results_of_their_own() {
    for application in APPLICATIONS {
        let (_folder, lambda) = start(&application, &[]);
        let v1 = json!({
            "httpMethod": "GET", "path": "/pets", "headers": {"Host": "h"}, "multiValueHeaders": {"Host": ["h"]},
            "queryStringParameters": {"a": "b c"}, "multiValueQueryStringParameters": {"a": ["b c"]},
            "requestContext": {"stage": "prod", "path": "/prod/pets", "identity": {"sourceIp": "10.0.0.8"}},
            "body": null, "isBase64Encoded": false
        });
        let result = lambda.invoke(v1);
        assert_eq!(
            result["multiValueHeaders"]["set-cookie"],
            json!(["a=1", "b=2"]),
            "{application:?}"
        );
        let seen: Value = serde_json::from_str(result["body"].as_str().unwrap()).unwrap();
        assert_eq!((&seen["path"], &seen["query"]), (&json!("/pets"), &json!("a=b%20c")));
        if !seen["mount"].is_null() {
            assert_eq!(seen["mount"], "/prod", "{application:?}");
        }
        let alb = json!({
            "requestContext": {"elb": {"targetGroupArn": "arn"}}, "httpMethod": "GET", "path": "/pets",
            "multiValueHeaders": {"host": ["h"], "x-forwarded-for": ["10.0.0.9"]}, "multiValueQueryStringParameters": {}, "body": "", "isBase64Encoded": false
        });
        let result = lambda.invoke(alb);
        assert_eq!(result["statusDescription"], "201 Created", "{application:?}");
        assert_eq!(result["multiValueHeaders"]["x-kind"], json!([application.kind]));
    }
}

#[test]
fn what_is_no_request_is_an_error_and_an_application_that_fails_is_a_500() {
    for application in APPLICATIONS {
        let (_folder, lambda) = start(&application, &[]);
        let (_, error) = lambda.fail(json!({"Records": []}));
        let message = error["errorMessage"].as_str().unwrap();
        assert!(message.starts_with("the event is no web request"), "{application:?}: {message}");
        let result = lambda.invoke(v2("/fail"));
        assert_eq!(
            (&result["statusCode"], &result["body"]),
            (&json!(500), &json!("Internal Server Error")),
            "{application:?}"
        );
        lambda.logged("no answer to this");
        assert_eq!(lambda.invoke(v2("/late"))["statusCode"], 500, "{application:?}");
        assert_eq!(lambda.invoke(v2("/"))["statusCode"], 201, "{application:?}");
    }
}

#[test]
fn answers_stream_where_the_function_is_set_up_for_it() {
    for application in APPLICATIONS {
        let (_folder, lambda) = start(&application, &[("TRINE_RESPONSE_MODE", "stream")]);
        for (path, status, body) in
            [("/stream", 200, Some("chunk 0\nchunk 1\nchunk 2\n")), ("/", 201, None)]
        {
            let outcome = lambda.outcome(v2(path));
            let shown = format!("{application:?} {outcome:?}");
            let Answer::Response { bytes, streamed: true, .. } = &outcome.result else {
                panic!("{shown}");
            };
            let (head, rest) = split(bytes);
            assert_eq!(head["statusCode"], status, "{shown}");
            assert_eq!(head["cookies"], json!(["a=1", "b=2"]), "{shown}");
            if let Some(body) = body {
                assert_eq!(rest, body, "{shown}");
            }
        }
    }
}

fn split(answer: &[u8]) -> (Value, &str) {
    let end = answer.windows(8).position(|bytes| bytes == [0; 8]).unwrap();
    let head = serde_json::from_slice(&answer[..end]).unwrap();
    (head, std::str::from_utf8(&answer[end + 8..]).unwrap())
}

#[test]
fn a_lifespan_belongs_to_the_start_and_its_failure_is_an_error_of_the_start() {
    let source = "import json, os\n\
        async def app(scope, receive, send):\n\
        \x20   if scope['type'] == 'lifespan':\n\
        \x20       await receive()\n\
        \x20       if os.environ.get('FAILS'):\n\
        \x20           return await send({'type': 'lifespan.startup.failed', 'message': 'no database'})\n\
        \x20       scope['state']['pool'] = 'a pool'\n\
        \x20       await send({'type': 'lifespan.startup.complete'})\n\
        \x20       await receive()\n\
        \x20       print('shut down', flush=True)\n\
        \x20       return await send({'type': 'lifespan.shutdown.complete'})\n\
        \x20   await send({'type': 'http.response.start', 'status': 200, 'headers': []})\n\
        \x20   await send({'type': 'http.response.body', 'body': scope['state']['pool'].encode()})\n";
    let application = Application { source, ..APPLICATIONS[0] };
    let (_folder, lambda) = start(&application, &[]);
    assert_eq!(lambda.invoke(v2("/"))["body"], "a pool");
    lambda.process.signal("TERM");
    eventually("the application is told of the end", || {
        lambda.process.stdout().contains("shut down").then_some(())
    });
    let (_folder, lambda) = start(&application, &[("FAILS", "1")]);
    let (_, _, error) = lambda.init_error();
    assert!(error["errorMessage"].as_str().unwrap().contains("no database"), "{error}");
}
