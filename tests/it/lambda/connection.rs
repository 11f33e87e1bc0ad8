//! The connection to the Runtime API: what becomes of it while nobody looks, and what comes over it.

use crate::support::{
    Folder, LIMIT, Lambda, PROBE_LANGUAGES, Process, ask, command, eventually, in_each_language,
};
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader, ErrorKind, Read, Write},
    net::{TcpListener, TcpStream},
    thread,
    time::Duration,
};
use trine_emulator::{Event, rule};

/// The platform's side of a connection.
struct Platform(BufReader<TcpStream>);

impl Platform {
    /// Waits for the runtime to connect.
    fn accept(listener: &TcpListener, process: &Process) -> Self {
        listener.set_nonblocking(true).unwrap();
        let stream = eventually("the runtime connects", || match listener.accept() {
            Ok((stream, _)) => Some(stream),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::WouldBlock);
                assert_eq!(process.status(), None, "{process:?}");
                None
            }
        });
        stream.set_nonblocking(false).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        Self(BufReader::new(stream))
    }

    /// Reads a request; returns its first line and its body.
    fn request(&mut self) -> (String, String) {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            assert_ne!(self.0.read_line(&mut line).unwrap(), 0, "{lines:?}");
            match line.trim_end() {
                "" => break,
                line => lines.push(line.to_owned()),
            }
        }
        let length = lines.iter().find_map(|line| line.strip_prefix("content-length: "));
        let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
        self.0.read_exact(&mut body).unwrap();
        (lines.swap_remove(0), String::from_utf8(body).unwrap())
    }

    fn reply(&mut self, head: &str, body: &Value) {
        let body = body.to_string();
        let head = format!("HTTP/1.1 {head}\r\ncontent-length: {}\r\n\r\n", body.len());
        self.0.get_mut().write_all((head + &body).as_bytes()).unwrap();
    }

    /// Hands out an event when it is asked for one.
    fn hand_out(&mut self, event: &Value) {
        let (line, _) = self.request();
        assert!(line.starts_with("GET /2018-06-01/runtime/invocation/next "), "{line}");
        self.reply("200 OK\r\nlambda-runtime-aws-request-id: one", event);
    }
}

#[test]
fn an_answer_finds_another_way_when_its_connection_ended_while_the_process_stood_still() {
    for language in PROBE_LANGUAGES {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let folder = Folder::probe(language);
        let mut command = command(folder.bootstrap(), &folder);
        command
            .env("AWS_LAMBDA_RUNTIME_API", listener.local_addr().unwrap().to_string())
            .env("LAMBDA_TASK_ROOT", folder.task())
            .env("_HANDLER", "probe.handler");
        let process = Process::start(command);
        let mut first = Platform::accept(&listener, &process);
        first.hand_out(&json!({"do": "wait", "ms": 400, "note": "done"}));
        thread::sleep(Duration::from_millis(150));
        process.signal("STOP");
        drop(first);
        // What it waits for is over when it goes on: the answer and the connection's end come to it at once.
        thread::sleep(Duration::from_millis(500));
        process.signal("CONT");
        let mut second = Platform::accept(&listener, &process);
        let (line, body) = second.request();
        assert_eq!(line, "POST /2018-06-01/runtime/invocation/one/response HTTP/1.1");
        assert_eq!(body, "\"done\"", "{}", language.engine);
        second.reply("202 Accepted", &json!({"status": "OK"}));
        let (line, _) = second.request();
        assert!(line.starts_with("GET "), "{}: {line}", language.engine);
        process.signal("TERM");
        assert_eq!(process.wait(), Some(0), "{}", language.engine);
    }
}

in_each_language! {
    an_event_may_come_with_as_many_headers_as_fit_into_a_megabyte(language) {
        let (_folder, lambda) = Lambda::probe(language);
        let with = |count: usize, length: usize| Event {
            headers: (0..count).map(|n| (format!("x-{n}"), "v".repeat(length))).collect(),
            ..Event::from(ask("count"))
        };
        for (nth, event) in [with(0, 0), with(120, 1), with(0, 0), with(10_000, 60), with(9, 110_000)]
            .into_iter()
            .enumerate()
        {
            assert_eq!(lambda.invoke(event), nth + 1);
        }
        assert_eq!(lambda.process.status(), None);
        // The first large head was not read to its end, and was asked for again.
        let rules = lambda.emulator.violations().into_iter().map(|violation| violation.rule);
        assert!(rules.clone().all(|broken| broken == rule::NEXT_WHILE_RUNNING), "{rules:?}");
        assert!(rules.count() <= 1);
    }
}
