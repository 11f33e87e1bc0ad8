//! Tests of a connection's states, with both ends of one.

use super::*;
use crate::http::socket::Socket;
use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream as Client},
};

/// Runs a check with both ends of a connection.
fn connected<F: Future<Output = ()>>(check: impl FnOnce(Wire, Client) -> F) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = Client::connect(listener.local_addr().unwrap()).unwrap();
        let (stream, _) = listener.accept().unwrap();
        stream.set_nonblocking(true).unwrap();
        let stream = tokio::net::TcpStream::from_std(stream).unwrap();
        check(Wire::new(Stream::Plain(Socket::Tcp(stream))), client).await;
    });
}

async fn read(wire: &mut Wire) -> io::Result<usize> {
    let mut bytes = [0; 100];
    let mut buffer = hyper::rt::ReadBuf::new(&mut bytes);
    poll_fn(|cx| Pin::new(&mut *wire).poll_read(cx, buffer.unfilled())).await?;
    Ok(buffer.filled().len())
}

/// Whether nothing is there to read.
async fn is_exhausted(wire: &mut Wire) -> bool {
    let mut bytes = [0; 100];
    let mut buffer = hyper::rt::ReadBuf::new(&mut bytes);
    poll_fn(|cx| Poll::Ready(Pin::new(&mut *wire).poll_read(cx, buffer.unfilled()).is_pending()))
        .await
}

async fn write(wire: &mut Wire, bytes: &[u8]) -> io::Result<()> {
    poll_fn(|cx| Pin::new(&mut *wire).poll_write(cx, bytes)).await?;
    poll_fn(|cx| Pin::new(&mut *wire).poll_flush(cx)).await
}

#[test]
fn a_connection_is_quiet_when_nothing_is_owed_and_nothing_has_come() {
    connected(async |mut wire, mut client| {
        let hold = wire.hold();
        assert!(hold.is_quiet());
        client.write_all(b"first").unwrap();
        // Nobody has read it, but it counts.
        assert!(!hold.is_quiet());
        assert_eq!(read(&mut wire).await.unwrap(), 5);
        assert!(is_exhausted(&mut wire).await && !hold.is_quiet());
        hold.owe();
        assert!(!hold.is_quiet() && hold.is_last());
        hold.answer();
        assert!(!hold.is_quiet());
        write(&mut wire, b"answer").await.unwrap();
        assert!(hold.is_quiet());
    });
}

#[test]
fn what_a_client_sends_first_shows_its_protocol_and_is_not_lost() {
    for (pieces, is_http2) in [
        (&["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nrest"][..], true),
        (&["PRI * HT", "TP/2.0\r\n\r\nSM\r\n\r", "\nrest"], true),
        (&["PRI * HTTP/1.1\r\n"], false),
        (&["P", "OST / HTTP/1.1"], false),
        (&["G"], false),
        (&[], false),
    ] {
        connected(async |mut wire, mut client| {
            let sending = async {
                for piece in pieces {
                    client.write_all(piece.as_bytes()).unwrap();
                    tokio::task::yield_now().await;
                }
                client.shutdown(std::net::Shutdown::Write).unwrap();
            };
            let (found, ()) = tokio::join!(wire.is_http2(), sending);
            assert_eq!(found.unwrap(), is_http2, "{pieces:?}");
            assert_eq!(wire.hold().is_quiet(), pieces.is_empty());
            let mut length = 0;
            while let Ok(more @ 1..) = read(&mut wire).await {
                length += more;
            }
            assert_eq!(length, pieces.concat().len());
        });
    }
}

#[test]
fn what_has_come_after_a_request_is_the_beginning_of_another() {
    connected(async |mut wire, mut client| {
        let hold = wire.hold();
        client.write_all(b"first second").unwrap();
        assert_eq!(read(&mut wire).await.unwrap(), 12);
        // The reader has not asked for more, so something is left of what it has.
        hold.owe();
        assert!(!hold.is_last());
        hold.answer();
        write(&mut wire, b"answer").await.unwrap();
        assert!(!hold.is_quiet());
        hold.turn_away();
        let mut all = String::new();
        client.read_to_string(&mut all).unwrap();
        assert!(all.starts_with("answerHTTP/1.1 503 "), "{all}");
    });
}

#[test]
fn a_connection_is_taken_over_once_and_not_from_under_an_answer() {
    connected(async |mut wire, mut client| {
        let hold = wire.hold();
        hold.turn_away();
        client.write_all(b"first").unwrap();
        assert_eq!(read(&mut wire).await.unwrap(), 5);
        hold.answer();
        hold.turn_away();
        let refused = hold.answer_instead(b"HTTP/1.1 504 x").unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::AlreadyExists);
        write(&mut wire, b"answer").await.unwrap();
        client.write_all(b"second").unwrap();
        hold.answer_instead(b"instead").unwrap();
        hold.turn_away();
        assert_eq!(read(&mut wire).await.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
        hold.answer();
        assert!(write(&mut wire, b"too late").await.is_err());
        let mut all = String::new();
        client.read_to_string(&mut all).unwrap();
        assert_eq!(all, "answerinstead");
    });
}

#[test]
fn whatever_waits_on_any_connection_is_turned_away_and_the_idle_are_left() {
    connected(async |wire, mut client| {
        let connections = Arc::<Connections>::default();
        let _entry = connections.enter(wire.hold());
        connections.turn_away();
        assert!(wire.hold().is_quiet());
        client.write_all(b"GET").unwrap();
        connections.turn_away();
        let mut all = String::new();
        client.read_to_string(&mut all).unwrap();
        assert_eq!(all.as_bytes(), TURNED_AWAY);
        drop(_entry);
        assert!(connections.open().is_empty());
    });
}
