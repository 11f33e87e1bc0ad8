//! The server itself: limits, connections, what runs side by side.

use crate::support::{
    Connection, Folder, LANGUAGES, PROBE_LANGUAGES, Served, eventually, in_each_language,
};
use serde_json::json;
use std::{thread, time::Instant};

in_each_language! {
    requests_that_wait_do_so_side_by_side(language) {
        let folder = Folder::probe(language);
        let served = Served::start(&folder, &["--workers", "1"]);
        assert_eq!(served.get("/?do=count").status, 200);
        let mut slow = Connection::open(served.address);
        slow.send("GET", "/?do=wait&ms=600000&note=slow", &[], b"");
        // The one worker answers others while this one waits, for much longer than this test.
        thread::scope(|scope| {
            for number in 0..8 {
                let served = &served;
                scope.spawn(move || {
                    let path = format!("/?do=wait&ms=20&note={number}");
                    let reply = served.get(&path);
                    assert_eq!((reply.status, reply.text()), (200, number.to_string().as_str()));
                });
            }
        });
    }
}

#[test]
fn a_connection_is_kept_for_the_next_request() {
    for language in PROBE_LANGUAGES {
        let folder = Folder::probe(language);
        let served = Served::start(&folder, &["--workers", "1"]);
        let mut connection = Connection::open(served.address);
        for count in 1..=100 {
            let reply = connection.exchange("POST", "/?do=count", &[], b"{}");
            assert_eq!((reply.status, reply.json()), (200, json!(count)));
        }
    }
}

#[test]
fn requests_may_follow_each_other_without_a_wait() {
    let folder = Folder::probe(LANGUAGES[4]);
    let served = Served::start(&folder, &["--workers", "1"]);
    let mut connection = Connection::open(served.address);
    for _ in 0..20 {
        connection.send("GET", "/?do=count", &[], b"");
    }
    for count in 1..=20 {
        assert_eq!(connection.receive("GET").json(), json!(count));
    }
}

#[test]
fn a_body_in_chunks_is_put_together() {
    let folder = Folder::probe(LANGUAGES[0]);
    let served = Served::start(&folder, &["--workers", "1"]);
    let mut connection = Connection::open(served.address);
    connection.write(
        b"POST /?do=mirror HTTP/1.1\r\nhost: x\r\ncontent-type: text/plain\r\n\
          transfer-encoding: chunked\r\n\r\n3\r\none\r\n4\r\n two\r\n0\r\n\r\n",
    );
    let reply = connection.receive("POST");
    assert_eq!((reply.status, reply.text()), (201, "one two"));
}

#[test]
fn a_client_that_asks_before_it_sends_is_told_to_go_on() {
    let folder = Folder::probe(LANGUAGES[0]);
    let served = Served::start(&folder, &["--workers", "1"]);
    let mut connection = Connection::open(served.address);
    connection.write(
        b"POST /?do=mirror HTTP/1.1\r\nhost: x\r\ncontent-type: text/plain\r\n\
          expect: 100-continue\r\ncontent-length: 4\r\n\r\n",
    );
    assert_eq!(connection.receive("HEAD").status, 100);
    connection.write(b"body");
    assert_eq!(connection.receive("POST").text(), "body");
}

#[test]
fn a_body_over_the_limit_is_refused_before_the_function_sees_it() {
    let folder = Folder::probe(LANGUAGES[4]);
    let served = Served::start(&folder, &["--workers", "1", "--body-limit", "1000"]);
    let reply = served.request("POST", "/?do=count", &[], &[b'x'; 1001]);
    assert_eq!(reply.status, 413);
    assert_eq!(reply.json()["message"], "the request's body is larger than 1000 bytes");
    let mut connection = Connection::open(served.address);
    connection
        .write(b"POST /?do=count HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n7d0\r\n");
    connection.write(&[b'x'; 2000]);
    connection.write(b"\r\n0\r\n\r\n");
    assert_eq!(connection.receive("POST").status, 413);
    let reply = served.request("POST", "/?do=count", &[], &[b'x'; 1000]);
    assert_eq!((reply.status, reply.text()), (200, "1"));
}

#[test]
fn six_megabytes_go_both_ways_where_nothing_else_is_said() {
    for language in PROBE_LANGUAGES {
        let folder = Folder::probe(language);
        let served = Served::start(&folder, &["--workers", "1"]);
        let headers = [("content-type", "text/plain")];
        let body = vec![b'x'; 6 * 1024 * 1024];
        let reply = served.request("POST", "/?do=mirror", &headers, &body);
        assert!(reply.status == 201 && reply.body == body, "{} {}", reply.status, reply.body.len());
        let reply = served.request("POST", "/?do=mirror", &headers, &vec![b'x'; body.len() + 1]);
        assert_eq!(reply.status, 413);
    }
}

#[test]
fn every_worker_serves() {
    let folder = Folder::probe(LANGUAGES[4]);
    let served = Served::start(&folder, &["--workers", "3"]);
    eventually("three workers are there", || {
        let names = served.process.threads();
        let workers = names.iter().filter(|name| name.starts_with("trine-worker"));
        (workers.count() == 3).then_some(())
    });
    let begin = Instant::now();
    // Each worker has its own module of the function.
    while served.get("/?do=count").json() != json!(2) {
        assert!(begin.elapsed() < crate::support::LIMIT);
    }
}

#[test]
fn a_client_that_goes_away_harms_nobody() {
    for language in PROBE_LANGUAGES {
        let folder = Folder::probe(language);
        let served = Served::start(&folder, &["--workers", "1"]);
        for _ in 0..20 {
            let mut connection = Connection::open(served.address);
            connection.send("GET", "/?do=wait&ms=5", &[], b"");
            drop(connection);
            let mut connection = Connection::open(served.address);
            connection.write(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nhalf");
        }
        assert_eq!(served.get("/?do=count").text(), "1");
    }
}
