//! The life of a server, from its first line to its last request.

use crate::support::{
    Connection, Folder, LANGUAGES, PROBE_LANGUAGES, Served, eventually, free_port, run, trine,
};
use std::net::TcpListener;

#[test]
fn the_first_lines_say_what_is_served_and_how_to_try_it() {
    let folder = Folder::probe(LANGUAGES[0]);
    let served = Served::start(&folder, &["--workers", "2"]);
    let address = served.address;
    let text = eventually("the last line is there", || {
        Some(served.process.stdout()).filter(|text| text.contains("Ctrl-C stops."))
    });
    assert!(text.starts_with(&format!("Serving 1 function on http://{address} with 2 workers\n")));
    assert!(text.contains("probe") && text.contains("JavaScript"), "{text}");
    assert!(text.contains(&format!("\n  curl http://{address}/\n")), "{text}");
}

#[test]
fn a_port_in_use_is_told_with_the_ways_out() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let folder = Folder::probe(LANGUAGES[4]);
    let finished = run(trine(&folder, &["serve", "--port", &port]));
    assert_eq!((finished.code, finished.stdout.as_str()), (Some(1), ""));
    let expected = format!("error: port {port} is in use on 127.0.0.1: ");
    assert!(finished.stderr.starts_with(&expected), "{finished:?}");
    assert!(finished.stderr.contains("--port"), "{finished:?}");
}

#[test]
fn the_port_comes_from_the_variable_where_no_flag_names_one() {
    let folder = Folder::probe(LANGUAGES[4]);
    let port = free_port();
    let mut command = trine(&folder, &["serve", "--workers", "1"]);
    command.env("PORT", port.to_string());
    let served = Served::of(command);
    assert_eq!(served.address.port(), port);
    assert_eq!(served.get("/?do=count").text(), "1");
    let mut command = trine(&folder, &["serve"]);
    command.env("PORT", "http");
    let finished = run(command);
    assert_eq!(finished.code, Some(2));
    assert!(
        finished
            .stderr
            .contains("the environment variable PORT: \"http\" is no port: write a whole"),
        "{finished:?}"
    );
}

#[test]
fn sigterm_lets_the_request_in_flight_finish() {
    for language in PROBE_LANGUAGES {
        let folder = Folder::probe(language);
        let served = Served::start(&folder, &["--workers", "1", "--grace", "60"]);
        let mut connection = Connection::open(served.address);
        connection.send("GET", "/?do=wait&ms=700&note=done", &[], b"");
        // One that the same worker answers after that was sent.
        assert_eq!(served.get("/?do=count").text(), "1");
        served.process.signal("TERM");
        let reply = connection.receive("GET");
        assert_eq!((reply.status, reply.text()), (200, "done"), "{}", language.engine);
        assert_eq!(served.process.wait(), Some(0), "{}", language.engine);
    }
}

#[test]
fn a_server_that_stops_closes_idle_connections() {
    let folder = Folder::probe(LANGUAGES[0]);
    let served = Served::start(&folder, &["--workers", "1"]);
    let mut connection = Connection::open(served.address);
    assert_eq!(connection.exchange("GET", "/?do=count", &[], b"").text(), "1");
    served.process.signal("INT");
    assert!(connection.is_closed());
    assert_eq!(served.process.wait(), Some(0));
}

#[test]
fn a_second_signal_ends_the_process_at_once() {
    for language in PROBE_LANGUAGES {
        let folder = Folder::probe(language);
        let served = Served::start(&folder, &["--workers", "1", "--grace", "600"]);
        let mut connection = Connection::open(served.address);
        connection.send("GET", "/?do=wait&ms=600000", &[], b"");
        assert_eq!(served.get("/?do=count").text(), "1");
        served.process.signal("TERM");
        eventually("nobody listens any more", || {
            std::net::TcpStream::connect(served.address).is_err().then_some(())
        });
        served.process.signal("TERM");
        assert_eq!(served.process.wait(), Some(128 + 15), "{}", language.engine);
    }
}

#[test]
fn the_grace_ends_what_does_not_finish() {
    for language in PROBE_LANGUAGES {
        let folder = Folder::probe(language);
        let served = Served::start(&folder, &["--workers", "1", "--grace", "0.2"]);
        let mut connection = Connection::open(served.address);
        connection.send("GET", "/?do=wait&ms=600000", &[], b"");
        assert_eq!(served.get("/?do=count").text(), "1");
        served.process.signal("TERM");
        assert_eq!(connection.receive("GET").status, 503);
        assert!(connection.is_closed());
        assert_eq!(served.process.wait(), Some(0), "{}", language.engine);
    }
}

#[test]
fn a_function_that_cannot_be_loaded_is_loaded_once_it_is_mended() {
    for (file, broken, mended) in [
        ("app.mjs", "export const handler = = 1;", "export const handler = () => 'mended';"),
        ("app.py", "handler = = 1\n", "def handler(event, context):\n    return 'mended'\n"),
        ("app.lua", "local a = = 1", "return { handler = function() return 'mended' end }"),
    ] {
        let folder = Folder::new(&[(file, broken)]);
        let served = Served::start(&folder, &[file, "--workers", "1"]);
        for _ in 0..2 {
            let reply = served.get("/");
            assert_eq!(reply.status, 500, "{file}: {reply:?}");
            assert_eq!(reply.json()["errorType"], "Runtime.UserCodeSyntaxError");
        }
        folder.write(file, mended);
        let reply = served.get("/");
        assert_eq!((reply.status, reply.text()), (200, "mended"), "{file}");
    }
}

#[test]
fn a_function_that_fails_to_load_does_not_keep_others_from_being_served() {
    let folder = Folder::new(&[
        ("bad.py", "def handler(event, context): pass\nraise ValueError('no database')\n"),
        ("good.py", "def handler(event, context):\n    return 'good'\n"),
    ]);
    let served = Served::start(&folder, &["--workers", "1", "--eager"]);
    assert_eq!(served.get("/good").text(), "good");
    let reply = served.get("/bad");
    assert_eq!((reply.status, &reply.json()["errorType"]), (500, &"ValueError".into()));
    eventually("the failure is logged", || {
        let log = served.process.stderr();
        log.contains("function 'bad' failed: ValueError: no database").then_some(())
    });
}

#[test]
fn errors_are_logged_in_full_and_hidden_where_asked() {
    for language in PROBE_LANGUAGES {
        let folder = Folder::probe(language);
        let served = Served::start(&folder, &["--workers", "1", "--hide-errors"]);
        let reply = served.get("/?do=fail");
        assert_eq!(reply.status, 500);
        assert_eq!(reply.text(), r#"{"message":"Internal Server Error"}"#);
        let file = format!("probe.{}", language.extension);
        let id = reply.header("x-amzn-requestid").unwrap();
        eventually("the error is logged", || {
            let log = served.process.stderr();
            let has = |part: &str| log.contains(part);
            (has("OutOfStock: no anvil left") && has(&file) && has(id)).then_some(())
        });
    }
}

#[test]
fn requests_are_logged_where_asked() {
    let folder = Folder::probe(LANGUAGES[4]);
    let served = Served::start(&folder, &["--workers", "1", "--log-requests"]);
    served.get("/a/path?do=count");
    eventually("the request is logged", || {
        served.process.stdout().contains("GET /a/path 200 ").then_some(())
    });
}

#[test]
fn what_cannot_be_served_is_told_once() {
    let folder = Folder::new(&[("hello.py", "def handler(event, context): return 1\n")]);
    for (path, told) in
        [("nope", "nope"), ("hello.lua", "hello.lua"), ("hello.py:handlr", "handlr")]
    {
        let finished =
            run(trine(&folder, &["serve", "--port", "0", path, "--middlewares", "nobody"]));
        assert_ne!(finished.code, Some(0), "{finished:?}");
        let first = finished.stderr.lines().next().unwrap_or_default();
        assert_eq!(first.matches("error: ").count(), 1, "{finished:?}");
        let text = first.trim_start_matches("error: ");
        assert!(
            !text.is_empty() && finished.stderr.matches(text).count() == 1,
            "{told}: {finished:?}"
        );
    }
}
