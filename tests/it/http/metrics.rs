//! Metrics, as Prometheus reads them.

use crate::support::{Connection, Folder, LANGUAGES, PROBE_LANGUAGES, Served, eventually};
use std::net::SocketAddr;

/// Returns the value of a series, or of the sum of those that begin so.
fn value(text: &str, series: &str) -> Option<f64> {
    let mut values = text
        .lines()
        .filter(|line| line.starts_with(series))
        .map(|line| line.rsplit_once(' ').unwrap().1.parse::<f64>().unwrap());
    let first = values.next()?;
    Some(first + values.sum::<f64>())
}

fn scrape(address: SocketAddr, path: &str) -> String {
    let reply = Connection::open(address).exchange("GET", path, &[], b"");
    assert_eq!(reply.status, 200);
    let expected = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    assert_eq!(reply.header("content-type"), Some(expected));
    let text = reply.text().to_owned();
    assert!(text.ends_with("# EOF\n"), "{text}");
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (series, value) = line.rsplit_once(' ').unwrap();
        assert!(series.starts_with("trine_") && value.parse::<f64>().is_ok(), "{line}");
    }
    text
}

#[test]
fn requests_errors_and_interpreters_are_counted_by_function_and_language() {
    for language in PROBE_LANGUAGES {
        let folder = Folder::probe(language);
        let served = Served::start(&folder, &["--workers", "1", "--metrics"]);
        let of = format!("function=\"probe\",language=\"{}\"", language.engine);
        for _ in 0..3 {
            assert_eq!(served.get("/?do=count").status, 200);
        }
        assert_eq!(served.get("/?do=fail").status, 500);
        assert_eq!(served.get("/.trine/health").status, 200);
        let mut waiting = Connection::open(served.address);
        waiting.send("GET", "/?do=wait&ms=600000", &[], b"");
        let text = eventually("one is in flight", || {
            let text = scrape(served.address, "/.trine/metrics");
            let in_flight = value(&text, &format!("trine_requests_in_flight{{{of}}}"));
            (in_flight == Some(1.0)).then_some(text)
        });
        let counted = |series: &str| value(&text, series);
        let requests =
            |class: &str| counted(&format!("trine_requests_total{{{of},status=\"{class}\"}}"));
        assert_eq!((requests("2xx"), requests("5xx")), (Some(3.0), Some(1.0)), "{text}");
        assert_eq!(
            counted(&format!("trine_errors_total{{{of},type=\"Error\"}}")),
            Some(1.0),
            "{text}"
        );
        let durations = format!("trine_request_duration_seconds_count{{{of}}}");
        assert_eq!(counted(&durations), Some(4.0), "{text}");
        let bucket = format!("trine_request_duration_seconds_bucket{{le=\"+Inf\",{of}}}");
        let other = format!("trine_request_duration_seconds_bucket{{{of},le=\"+Inf\"}}");
        assert_eq!(counted(&bucket).or(counted(&other)), Some(4.0), "{text}");
        assert_eq!(counted(&format!("trine_requests_waiting{{{of}}}")), Some(0.0), "{text}");
        let own = "trine_requests_total{function=\"-\",language=\"-\",status=\"2xx\"}";
        assert!(counted(own) >= Some(1.0), "{text}");
        let engine = format!("{{language=\"{}\"}}", language.engine);
        assert!(counted(&format!("trine_instances{engine}")) >= Some(1.0), "{text}");
        assert!(counted(&format!("trine_instances_started_total{engine}")) >= Some(1.0), "{text}");
        assert_eq!(counted(&format!("trine_instances_replaced_total{engine}")), Some(0.0));
        assert!(counted("trine_resident_bytes ") > Some(1e6), "{text}");
        assert!(counted("trine_connections ") >= Some(2.0), "{text}");
        if language.engine != "python" {
            eventually("the heap has been measured", || {
                let text = scrape(served.address, "/.trine/metrics");
                value(&text, &format!("trine_heap_bytes{engine}")).filter(|bytes| *bytes > 0.0)
            });
        }
    }
}

#[test]
fn interpreters_that_are_replaced_are_counted() {
    let folder = Folder::probe(LANGUAGES[0]);
    let arguments = ["--workers", "1", "--metrics", "--max-invocations", "2"];
    let served = Served::start(&folder, &arguments);
    for _ in 0..5 {
        assert_eq!(served.get("/?do=count").status, 200);
    }
    let replaced = eventually("they are replaced", || {
        let text = scrape(served.address, "/.trine/metrics");
        value(&text, "trine_instances_replaced_total").filter(|count| *count >= 2.0)
    });
    assert!(replaced <= 3.0);
}

#[test]
fn what_waits_and_what_is_refused_shows() {
    let folder = Folder::new(&[(
        "app.mjs",
        "import { existsSync } from 'node:fs';\n\
         export const handler = async () => {\n  \
         while (!existsSync('go')) await new Promise((done) => setTimeout(done, 5));\n};\n",
    )]);
    let limits = ["--workers", "1", "--concurrency", "1", "--queue", "1", "--metrics"];
    let served = Served::start(&folder, &[&["app.mjs"], &limits[..]].concat());
    let mut all: Vec<Connection> = (0..3).map(|_| Connection::open(served.address)).collect();
    for connection in &mut all {
        connection.send("GET", "/", &[], b"");
    }
    let of = "function=\"app\",language=\"js\"";
    eventually("one waits and one was refused", || {
        let text = scrape(served.address, "/.trine/metrics");
        let waiting = value(&text, &format!("trine_requests_waiting{{{of}}}"));
        let refused = value(&text, &format!("trine_errors_total{{{of},type=\"Server.Busy\"}}"));
        ((waiting, refused) == (Some(1.0), Some(1.0))).then_some(())
    });
    folder.write("go", "");
    let mut statuses: Vec<u16> = all.iter_mut().map(|one| one.receive("GET").status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 200, 503]);
}

#[test]
fn metrics_on_a_port_of_their_own_are_there_while_guests_hold_the_workers() {
    let folder = Folder::new(&[(
        "app.py",
        "import os, time\n\
         def handler(event, context):\n    \
         open('begun', 'w').close()\n    \
         while not os.path.exists('go'):\n        \
         time.sleep(0.005)\n",
    )]);
    let served = Served::start(&folder, &["app.py", "--workers", "1", "--metrics=127.0.0.1:0"]);
    let address: SocketAddr = {
        let text = eventually("the address is told", || {
            let text = served.process.stdout();
            text.contains("Metrics on ").then_some(text)
        });
        let (_, rest) = text.split_once("Metrics on http://").unwrap();
        rest.split_once('/').unwrap().0.parse().unwrap()
    };
    let mut held = Connection::open(served.address);
    held.send("GET", "/", &[], b"");
    eventually("the thread is held", || folder.task().join("begun").exists().then_some(()));
    let text = scrape(address, "/metrics");
    let in_flight = "trine_requests_in_flight{function=\"app\",language=\"python\"}";
    assert_eq!(value(&text, in_flight), Some(1.0), "{text}");
    let mut connection = Connection::open(address);
    assert_eq!(connection.exchange("POST", "/metrics", &[], b"").status, 405);
    assert_eq!(connection.exchange("GET", "/", &[], b"").status, 404);
    folder.write("go", "");
    assert_eq!(held.receive("GET").status, 200);
    // Beside the functions there is nothing then.
    assert_eq!(served.get("/.trine/metrics").status, 404);
}

#[test]
fn metrics_that_nobody_has_asked_for_are_not_there() {
    let folder = Folder::probe(LANGUAGES[4]);
    let served = Served::start(&folder, &["--workers", "1"]);
    assert_eq!(served.get("/.trine/metrics").status, 404);
    let served = Served::start(&folder, &["--workers", "1", "--metrics"]);
    assert_eq!(served.request("POST", "/.trine/metrics", &[], b"").status, 405);
    assert_eq!(served.request("HEAD", "/.trine/metrics", &[], b"").body, b"");
}

#[test]
fn an_address_that_is_taken_is_told() {
    let folder = Folder::probe(LANGUAGES[4]);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let flag = format!("--metrics={}", taken.local_addr().unwrap());
    let command = crate::support::trine(&folder, &["serve", "--port", "0", &flag]);
    let finished = crate::support::run(command);
    assert_eq!(finished.code, Some(1));
    assert!(finished.stderr.contains("which --metrics names"), "{}", finished.stderr);
}
