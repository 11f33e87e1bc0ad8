//! Requests under `trine serve`: what an application sees of them, and what its clients get.

use super::APPLICATIONS;
use crate::support::{Connection, Folder, Served, eventually};
use serde_json::json;

#[test]
fn every_application_sees_the_request_and_its_client_the_response() {
    for application in APPLICATIONS {
        let folder = application.folder();
        let served = Served::start(&folder, &[application.named]);
        let reply = served.request("PUT", "/a%20b/c?x=1&y=%20", &[("x-a", "1")], b"hello");
        assert_eq!(reply.status, 201, "{application:?}: {}\n{:?}", reply.text(), served.process);
        assert_eq!(reply.header("x-kind"), Some(application.kind));
        assert_eq!(reply.all("set-cookie"), ["a=1", "b=2"], "{application:?}");
        let seen = reply.json();
        let path = if application.file.ends_with(".mjs") { "/a%20b/c" } else { "/a b/c" };
        assert_eq!(seen["path"], path, "{application:?}");
        assert_eq!(seen["query"], "x=1&y=%20", "{application:?}");
        assert_eq!((&seen["method"], &seen["body"]), (&json!("PUT"), &json!("hello")));
        assert_eq!(seen["header"], json!(["1"]), "{application:?}");
        if !seen["client"].is_null() {
            assert_eq!(seen["client"], "127.0.0.1", "{application:?}");
        }
        let bytes = served.get("/bytes");
        assert_eq!(bytes.body, (0..=255).collect::<Vec<u8>>(), "{application:?}");
        assert_eq!(bytes.header("content-length"), Some("256"), "{application:?}");
    }
}

#[test]
fn answers_stream_and_failures_are_told() {
    for application in APPLICATIONS {
        let folder = application.folder();
        let served = Served::start(&folder, &[application.named]);
        let mut connection = Connection::open(served.address);
        let reply = connection.exchange("GET", "/stream", &[], b"");
        assert_eq!(
            (reply.status, reply.text()),
            (200, "chunk 0\nchunk 1\nchunk 2\n"),
            "{application:?}"
        );
        let reply = connection.exchange("GET", "/fail", &[], b"");
        assert_eq!((reply.status, reply.text()), (500, "Internal Server Error"), "{application:?}");
        eventually("the failure is told with its place", || {
            let log = served.process.stderr();
            let is_told = log.contains("no answer to this") && log.contains(application.file);
            is_told.then_some(())
        });
        if application.kind != "node" {
            // A listener may answer at any time: like every server of Node's, this one waits.
            let reply = connection.exchange("GET", "/silent", &[], b"");
            assert_eq!(reply.status, 500, "{application:?}: {}", reply.text());
        }
        // What has begun cannot be replaced: the connection ends before the response does.
        connection.write(b"GET /late HTTP/1.1\r\nhost: x\r\n\r\n");
        let ended =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| connection.receive("GET")));
        // Lua's pieces are put together as long as nothing is waited for: none of it had left.
        let is_told = ended.as_ref().map_or(true, |reply| reply.status == 500);
        assert!(is_told, "{application:?}: {ended:?}");
        eventually("the failure is told", || {
            served.process.stderr().contains("half an answer").then_some(())
        });
        assert_eq!(served.get("/").status, 201, "{application:?}");
    }
}

#[test]
fn a_body_comes_in_pieces_of_any_number() {
    for application in APPLICATIONS {
        let folder = application.folder();
        let served = Served::start(&folder, &[application.named, "--body-limit", "100000"]);
        let mut connection = Connection::open(served.address);
        connection.write(b"POST /x HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n");
        for _ in 0..100 {
            connection.write(b"3\r\nabc\r\n");
        }
        connection.write(b"0\r\n\r\n");
        let reply = connection.receive("POST");
        assert_eq!(reply.json()["body"], "abc".repeat(100), "{application:?}");
        // Also the first request to a function that nobody has loaded yet.
        let reply = served.request("POST", "/x", &[], &[b'x'; 100_001]);
        assert_eq!(reply.status, 413, "{application:?}: {}", reply.text());
    }
}

#[test]
fn an_application_of_a_folder_is_mounted_at_its_name() {
    for application in APPLICATIONS {
        let (_, extension) = application.file.rsplit_once('.').unwrap();
        let file = format!("shop/main.{extension}");
        let export = application.handler.rsplit_once('.').unwrap().1;
        let routes = format!(
            "[[route]]\npath = \"/store/{{proxy+}}\"\nhandler = \"shop/main.{extension}:{export}\"\nbase_path = \"/store\"\n"
        );
        let folder = Folder::new(&[
            (&file, application.source),
            ("other.lua", "return { handler = function(event) return event.rawPath end }"),
            ("trine.toml", &routes),
        ]);
        let served = Served::start(&folder, &["--workers", "1"]);
        let seen = served.get("/store/a?x=1").json();
        assert_eq!(seen["path"], "/a", "{application:?}");
        if !seen["mount"].is_null() {
            assert_eq!(seen["mount"], "/store", "{application:?}");
        }
    }
}

#[test]
fn head_has_the_head_of_a_get_and_nothing_else() {
    for application in APPLICATIONS {
        let folder = application.folder();
        let served = Served::start(&folder, &[application.named]);
        let mut connection = Connection::open(served.address);
        for path in ["/bytes", "/stream"] {
            let reply = connection.exchange("HEAD", path, &[], b"");
            assert_eq!(reply.header("x-kind"), Some(application.kind), "{application:?} {path}");
        }
        let reply = connection.exchange("GET", "/bytes", &[], b"");
        assert_eq!(reply.body.len(), 256, "{application:?}");
    }
}
