//! How a server shares its time, and how it begins and ends.

use super::fixture::{Client, Fixture, site};
use crate::http::{ServeError, ServeOptions, Server};
use serde_json::json;
use std::{
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

/// How long four requests at a time take that wait 300 ms each.
fn four_at_a_time(interleaving: bool) -> Duration {
    let server = Fixture::start(site(&["hello"], interleaving));
    let begin = Instant::now();
    let mut clients: Vec<Client> = (0..4).map(|_| server.connect()).collect();
    for client in &mut clients {
        client.send("GET / HTTP/1.1\r\nhost: x\r\nx-do: wait\r\n\r\n", b"");
    }
    for client in &mut clients {
        assert_eq!(client.receive(false).json(), json!({"waited": true}));
    }
    begin.elapsed()
}

#[test]
fn invocations_interleave_in_one_worker_where_the_language_can() {
    let took = four_at_a_time(true);
    assert!(took < Duration::from_millis(1100), "{took:?}");
}

#[test]
fn invocations_queue_where_the_language_cannot_interleave() {
    let took = four_at_a_time(false);
    assert!(took >= Duration::from_millis(1200), "{took:?}");
}

#[test]
fn every_worker_accepts() {
    let server = Fixture::with(site(&["hello"], true), |options| options.workers = 3);
    for _ in 0..20 {
        assert_eq!(server.get("/", "").status, 200);
    }
}

#[test]
fn a_stop_lets_requests_in_flight_finish_and_closes_idle_connections() {
    let mut server = Fixture::start(site(&["hello"], true));
    let (mut busy, mut idle, mut fresh) = (server.connect(), server.connect(), server.connect());
    assert_eq!(idle.exchange("GET / HTTP/1.1\r\nhost: x\r\n\r\n", b"").status, 200);
    busy.send("GET / HTTP/1.1\r\nhost: x\r\nx-do: wait\r\n\r\n", b"");
    thread::sleep(Duration::from_millis(100));
    let begin = Instant::now();
    server.stop();
    assert!(begin.elapsed() < Duration::from_secs(5));
    assert_eq!(busy.receive(false).json(), json!({"waited": true}));
    assert!(busy.is_closed() && idle.is_closed() && fresh.is_closed());
    assert!(TcpStream::connect(server.address).is_err());
}

#[test]
fn a_stop_waits_no_longer_than_the_grace() {
    let mut server = Fixture::with(site(&["hello"], true), |options| {
        options.grace = Duration::from_millis(50);
    });
    server.connect().send("GET / HTTP/1.1\r\nhost: x\r\nx-do: wait\r\n\r\n", b"");
    thread::sleep(Duration::from_millis(100));
    server.stop();
    assert!(server.logged().contains("still in flight after 0.05 s"));
}

#[test]
fn an_invocation_goes_on_when_its_client_hangs_up() {
    let mut server = Fixture::start(site(&["hello"], false));
    let mut client = server.connect();
    client.send("GET / HTTP/1.1\r\nhost: x\r\nx-do: wait\r\n\r\n", b"");
    thread::sleep(Duration::from_millis(50));
    drop(client);
    // Its turn comes after the abandoned one.
    let begin = Instant::now();
    assert_eq!(server.get("/", "").status, 200);
    assert!(begin.elapsed() >= Duration::from_millis(200), "{:?}", begin.elapsed());
    server.stop();
}

#[test]
fn a_busy_port_is_an_error_with_the_ways_out() {
    let server = Fixture::start(site(&["hello"], true));
    let error = Server::bind(ServeOptions::new(server.address), site(&["b"], true)).unwrap_err();
    assert!(matches!(error, ServeError::PortInUse(address) if address == server.address));
}
