//! Tests of handlers that wait: timers, HTTP requests, and calls that interleave.

use crate::support::{Guest, answer, fault, handler, invocation, run};
use std::{
    io::{Read, Write},
    net::TcpListener,
    time::Duration,
};
use trine_engine::{ErrorKind, LogFormat};

#[test]
fn calls_interleave_where_they_wait() {
    run(async {
        let guest = Guest::within(
            &[(
                "app.lua",
                &handler(
                    "print('in ' .. event) trine.sleep(0.05) print('out ' .. event) return {event, context.aws_request_id}",
                ),
            )],
            |environment| environment.log.format = LogFormat::Json,
        );
        let function = guest.load("app", "handler").await.unwrap();
        let (one, two) = (invocation("one"), invocation("two"));
        let (a, b) = tokio::join!(
            guest.call_with(function, "1", &one),
            guest.call_with(function, "2", &two)
        );
        assert_eq!((a.unwrap(), b.unwrap()), ("[1,\"one\"]".into(), "[2,\"two\"]".into()));
        let seen: Vec<(String, String)> = guest
            .log
            .lines()
            .iter()
            .map(|line| {
                let line: serde_json::Value = serde_json::from_str(line).unwrap();
                (
                    line["message"].as_str().unwrap().into(),
                    line["requestId"].as_str().unwrap().into(),
                )
            })
            .collect();
        for (message, id) in &seen {
            assert_eq!(id, if message.ends_with('1') { "one" } else { "two" });
        }
        assert_eq!(seen.len(), 4);
        assert_eq!(seen[1].0, "in 2");
    });
}

#[test]
fn waiting_works_inside_of_pcall_coroutines_iterators_and_metamethods() {
    run(async {
        let body = "local r = {} \
            r[1] = select(2, pcall(function() trine.sleep(0.001) return 'pcall' end)) \
            r[2] = select(2, xpcall(function() trine.sleep(0.001) error('e') end, function(m) return 'xpcall' end)) \
            local co = coroutine.create(function(a) trine.sleep(0.001) local b = coroutine.yield(a + 1) trine.sleep(0.001) return b * 2 end) \
            r[3] = select(2, coroutine.resume(co, 1)) r[4] = select(2, coroutine.resume(co, 4)) r[5] = coroutine.status(co) \
            local gen = coroutine.wrap(function() for i = 1, 2 do local inner = coroutine.wrap(function() trine.sleep(0.001) return i end) coroutine.yield(inner()) end end) \
            for v in gen do r[#r + 1] = v end \
            local t = setmetatable({}, {__index = function(_, k) trine.sleep(0.001) return k end}) \
            r[#r + 1] = t.meta return r";
        assert_eq!(answer(body, "0").await.unwrap(), r#"["pcall","xpcall",2,8,"dead",1,2,"meta"]"#);
    });
}

#[test]
fn where_lua_cannot_be_suspended_waiting_is_an_error() {
    run(async {
        let error =
            fault("table.sort({2, 1}, function(a, b) trine.sleep(0.001) return a < b end)").await;
        assert!(error.message().contains("cannot wait here"), "{error}");
        let body = "local ok = pcall(table.sort, {2, 1}, function(a, b) trine.sleep(0.001) return a < b end) trine.sleep(0.001) return ok";
        assert_eq!(answer(body, "0").await.unwrap(), "false");
    });
}

#[test]
fn bad_arguments_of_waits_are_errors() {
    run(async {
        for body in [
            "trine.sleep('x')",
            "trine.sleep(-1)",
            "trine.sleep(0/0)",
            "trine.sleep()",
            "trine.fetch()",
            "trine.fetch('http://x', 1)",
            "trine.fetch('no url')",
            "trine.fetch('http://x', {method = 'BAD METHOD'})",
            "trine.fetch('http://x', {headers = 1})",
            "trine.fetch('http://x', {headers = {['a b'] = 'c'}})",
            "trine.fetch('http://x', {headers = {a = 'b\\nc'}})",
            "trine.fetch('http://x', {headers = {1}})",
            "trine.fetch('http://x', {body = {}})",
            "trine.fetch('http://x', {timeout = 'soon'})",
            "trine.fetch('http://x', {timeout = -1})",
        ] {
            let error = fault(body).await;
            assert_eq!(error.kind(), ErrorKind::Guest, "{body}");
            assert!(error.message().starts_with("bad "), "{body}: {error}");
        }
    });
}

/// Answers one request per response and returns what it read.
fn serve(responses: Vec<String>) -> (String, std::thread::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let thread = std::thread::spawn(move || {
        let mut requests = Vec::new();
        for response in responses {
            let (mut stream, _) = listener.accept().unwrap();
            let (mut text, mut buffer) = (String::new(), [0; 4096]);
            loop {
                let count = stream.read(&mut buffer).unwrap();
                text.push_str(&String::from_utf8_lossy(&buffer[..count]));
                let body = text.split_once("\r\n\r\n").map(|(_, body)| body.len());
                let wanted = text
                    .lines()
                    .find_map(|line| {
                        line.to_lowercase().strip_prefix("content-length: ")?.parse().ok()
                    })
                    .unwrap_or(0);
                if count == 0 || body.is_some_and(|body| body >= wanted) {
                    break;
                }
            }
            requests.push(text);
            stream.write_all(response.as_bytes()).unwrap();
        }
        requests
    });
    (url, thread)
}

#[test]
fn fetch_sends_a_request_and_gives_the_response() {
    run(async {
        let body = r#"{"got":[1,2]}"#;
        let (url, server) = serve(vec![format!(
            "HTTP/1.1 201 Created\r\nX-One: a\r\nX-One: b\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )]);
        let source = handler(
            "local r = trine.fetch(event.url .. '/path', {method = 'post', headers = {['X-Test'] = 'yes', ['X-Number'] = 3}, body = 'payload', timeout = 5}) \
             return {r.status, r.ok, r.headers['x-one'], r.body, r:json().got[2]}",
        );
        let answer = Guest::new(&source).handle(&format!("{{\"url\":\"{url}\"}}")).await.unwrap();
        assert_eq!(answer, r#"[201,true,"a, b","{\"got\":[1,2]}",2]"#);
        let request = server.join().unwrap().remove(0);
        assert!(request.starts_with("POST /path HTTP/1.1\r\n"), "{request}");
        assert!(request.contains("x-test: yes") && request.contains("x-number: 3"), "{request}");
        assert!(request.ends_with("\r\n\r\npayload"), "{request}");
    });
}

#[test]
fn a_fetch_that_fails_is_an_error_to_catch() {
    run(async {
        let (url, server) = serve(vec![
            "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".into(),
        ]);
        let body = "local r = trine.fetch(event) return {r.status, r.ok, r.body}";
        assert_eq!(answer(body, &format!("\"{url}\"")).await.unwrap(), "[404,false,\"\"]");
        server.join().unwrap();
        let refused = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let body = "local ok, e = pcall(trine.fetch, event) return {ok, e}";
        let answer = answer(body, &format!("\"http://{refused}\"")).await.unwrap();
        assert!(
            answer.starts_with("[false,") && answer.contains("cannot fetch http://127"),
            "{answer}"
        );
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = silent.local_addr().unwrap();
        let error = fault(&format!("trine.fetch('http://{address}', {{timeout = 0.05}})")).await;
        assert!(error.message().contains("cannot fetch"), "{error}");
    });
}

#[test]
fn a_call_that_is_dropped_while_it_waits_leaves_the_instance_usable() {
    run(async {
        let guest = Guest::new(&handler("if event == 1 then trine.sleep(60) end return event"));
        let function = guest.load("app", "handler").await.unwrap();
        let waiting = guest.call(function, "1");
        assert!(tokio::time::timeout(Duration::from_millis(20), waiting).await.is_err());
        assert_eq!(guest.call(function, "2").await.unwrap(), "2");
    });
}

#[test]
fn many_calls_leave_nothing_behind() {
    run(async {
        let guest = Guest::new(&handler(
            "if event % 3 == 0 then error('x') end if event % 5 == 0 then trine.sleep(0) end return {event}",
        ));
        let function = guest.load("app", "handler").await.unwrap();
        let round = async || {
            for event in 0..2000 {
                let _ = guest.call(function, &event.to_string()).await;
            }
            guest.instance.usage().heap_bytes
        };
        round().await;
        let before = round().await;
        let after = round().await.max(round().await);
        assert!(after < before + 400_000, "{before} {after}");
    });
}
