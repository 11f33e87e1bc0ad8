//! Collectors that are away, slow or broken: no invocation notices.

use super::{Collector, Manner, reporter, serve_with};
use crate::support::{Folder, Lambda, PROBE_LANGUAGES, Process, Served, eventually, trine};
use serde_json::json;
use std::{net::TcpListener, thread};

fn folder() -> Folder {
    let (name, source) = reporter(PROBE_LANGUAGES[0]);
    Folder::new(&[(&name, source)])
}

/// Returns a URL at which nobody listens.
fn nowhere() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

#[test]
fn a_collector_that_does_not_take_spans_costs_nothing_but_them() {
    let folder = folder();
    for (answer, told) in [
        ("HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n", "400 Bad Request"),
        ("HTTP/1.1 401 Unauthorized\r\ncontent-length: 3\r\n\r\nno!", "401 Unauthorized"),
        (
            "HTTP/1.1 503 Busy\r\nretry-after: 1\r\ncontent-length: 0\r\n\r\n",
            "503 Service Unavailable",
        ),
        ("HTTP/1.1 500 Oops\r\ncontent-length: 100\r\n\r\n", ""),
        ("garbage\r\n\r\n", "the exchange has failed"),
    ] {
        let collector = Collector::start(Manner::Answers(answer));
        let variables = [("OTEL_EXPORTER_OTLP_TIMEOUT", "5000"), ("OTEL_LOGS_EXPORTER", "none")];
        let served = serve_with(&folder, &collector, &["--grace", "1s"], &variables);
        for _ in 0..20 {
            assert_eq!(served.get("/app").status, 200);
        }
        eventually("the log tells of it", || {
            served.process.stderr().contains("spans cannot be sent to").then_some(())
        });
        for _ in 0..20 {
            assert_eq!(served.get("/app").status, 200);
        }
        served.process.signal("TERM");
        assert_eq!(served.process.wait(), Some(0));
        let log = served.process.stderr();
        assert!(log.contains(told), "{told} {log}");
        // Told once, and once more how many there were.
        assert_eq!(log.matches("spans cannot be sent to").count(), 1, "{log}");
        assert!(log.contains("have not reached the collector"), "{log}");
    }
}

#[test]
fn nobody_waits_for_a_collector_that_is_away_or_hangs() {
    let hanging = Collector::start(Manner::Hangs);
    for url in [nowhere(), hanging.url()] {
        let folder = folder();
        let mut command =
            trine(&folder, &["serve", "--port", "0", "--otlp", &url, "--grace", "1s"]);
        command.env("OTEL_BSP_SCHEDULE_DELAY", "20").env("OTEL_BSP_MAX_QUEUE_SIZE", "10");
        let served = Served::ready(Process::start(command));
        for _ in 0..100 {
            assert_eq!(served.get("/app").status, 200);
        }
        served.process.signal("TERM");
        assert_eq!(served.process.wait(), Some(0));
        // With room for ten, most of them were dropped.
        let log = served.process.stderr();
        let (count, _) = log.split_once(" spans and ").expect(&log);
        let count: u32 = count.rsplit(' ').next().unwrap().parse().unwrap();
        assert!(count > 50, "{log}");
    }
}

#[test]
fn a_collector_that_comes_back_gets_what_follows() {
    let folder = folder();
    let collector =
        Collector::start(Manner::Answers("HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n"));
    let served = serve_with(&folder, &collector, &[], &[]);
    served.request("GET", "/app", &[("x-request-id", "lost")], b"");
    eventually("the log tells of it", || {
        served.process.stderr().contains("spans cannot be sent to").then_some(())
    });
    collector.set(Manner::Takes);
    served.request("GET", "/app", &[("x-request-id", "kept")], b"");
    collector.invocation("kept");
    eventually("the log tells of that as well", || {
        served.process.stdout().contains("again; 3 were dropped meanwhile").then_some(())
    });
    assert!(collector.spans().iter().all(|span| span.facts["faas.invocation_id"] != "lost"));
}

#[test]
fn what_a_collector_has_no_time_for_is_sent_again() {
    let folder = folder();
    let busy = "HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n";
    let collector = Collector::start(Manner::Answers(busy));
    let served = serve_with(&folder, &collector, &[], &[]);
    served.request("GET", "/app", &[("x-request-id", "x")], b"");
    eventually("it has been asked", || (collector.count() > 0).then_some(()));
    collector.set(Manner::Takes);
    collector.invocation("x");
    assert!(!served.process.stderr().contains("cannot be sent"), "{:?}", served.process);
}

#[test]
fn lambdas_answers_do_not_wait_for_a_collector() {
    let hanging = Collector::start(Manner::Hangs);
    for url in [nowhere(), hanging.url()] {
        let folder = folder();
        let lambda = Lambda::with(&folder, |command| {
            command.env("_HANDLER", "app.handler").env("TRINE_OTLP", &url);
        });
        for _ in 0..20 {
            let seen = lambda.invoke(json!({}));
            assert!(seen["traceparent"].is_string(), "{seen}");
        }
        lambda.emulator.assert_clean();
    }
}

#[test]
fn a_burst_reaches_the_collector_whole() {
    let folder = folder();
    let collector = Collector::start(Manner::Takes);
    let variables = [("OTEL_BSP_SCHEDULE_DELAY", "3600000"), ("OTEL_BSP_MAX_QUEUE_SIZE", "100000")];
    let served = serve_with(&folder, &collector, &[], &variables);
    // Whole batches are sent without a wait, and the rest at the end.
    let requests = 700;
    let clients = 7;
    let all: Vec<_> = (0..clients)
        .map(|_| {
            let address = served.address;
            thread::spawn(move || {
                let mut connection = crate::support::Connection::open(address);
                for _ in 0..requests / clients {
                    assert_eq!(connection.exchange("GET", "/app", &[], b"").status, 200);
                }
            })
        })
        .collect();
    for client in all {
        client.join().unwrap();
    }
    eventually("the first batch has come", || (!collector.spans().is_empty()).then_some(()));
    served.process.signal("TERM");
    assert_eq!(served.process.wait(), Some(0));
    assert_eq!(collector.spans().iter().filter(|span| span.kind == 2).count(), requests);
}
