//! Tests of how a server shares its time, and how it begins and ends.

use super::fixture::{Client, Fixture, open, site};
use crate::http::{ServeError, ServeOptions, Server};
use serde_json::json;
use std::{
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

/// Sends four requests at a time, which all wait. Returns what was logged about them.
fn four_at_a_time(interleaving: bool) -> String {
    let server = Fixture::start(site(&["hello"], interleaving));
    let mut clients: Vec<Client> = (0..4).map(|_| server.connect_and_wait()).collect();
    server.until_waiting(if interleaving { 4 } else { 1 });
    open(server.address);
    for client in &mut clients {
        assert_eq!(client.receive(false).json(), json!({"waited": true}));
    }
    server.logged()
}

#[test]
fn invocations_interleave_in_one_worker_where_the_language_can() {
    let logged = four_at_a_time(true);
    assert_eq!(logged, "1 waiting\n2 waiting\n3 waiting\n4 waiting\n");
}

#[test]
fn invocations_queue_where_the_language_cannot_interleave() {
    let logged = four_at_a_time(false);
    assert_eq!(logged, "1 waiting\n".repeat(4));
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
    let (mut idle, mut fresh) = (server.connect(), server.connect());
    assert_eq!(idle.exchange("GET / HTTP/1.1\r\nhost: x\r\n\r\n", b"").status, 200);
    let mut busy = server.connect_and_wait();
    server.until_waiting(1);
    let address = server.address;
    let opener = thread::spawn(move || {
        thread::sleep(Duration::from_millis(100));
        open(address);
    });
    server.stop();
    opener.join().unwrap();
    assert_eq!(busy.receive(false).json(), json!({"waited": true}));
    assert!(busy.is_closed() && idle.is_closed() && fresh.is_closed());
    assert!(TcpStream::connect(server.address).is_err());
}

#[test]
fn a_stop_waits_no_longer_than_the_grace() {
    let mut server = Fixture::with(site(&["hello"], true), |options| {
        options.grace = Duration::from_millis(50);
    });
    let _client = server.connect_and_wait();
    server.until_waiting(1);
    server.stop();
    assert!(server.logged().contains("still in flight after 0.05 s"));
}

#[test]
fn an_invocation_goes_on_when_its_client_hangs_up() {
    let mut server = Fixture::start(site(&["hello"], false));
    let client = server.connect_and_wait();
    server.until_waiting(1);
    drop(client);
    let (address, begin) = (server.address, Instant::now());
    let opener = thread::spawn(move || {
        thread::sleep(Duration::from_millis(100));
        open(address);
    });
    // Its turn comes after the abandoned one.
    assert_eq!(server.get("/", "").status, 200);
    let answered = begin.elapsed();
    assert!(answered >= Duration::from_millis(100), "{answered:?}");
    opener.join().unwrap();
    server.stop();
}

#[test]
fn a_busy_port_is_an_error_with_the_ways_out() {
    let server = Fixture::start(site(&["hello"], true));
    let error = Server::bind(ServeOptions::new(server.address), site(&["b"], true)).unwrap_err();
    assert!(matches!(error, ServeError::PortInUse(address) if address == server.address));
}
