//! Connections that a function keeps from one invocation to the next.

use crate::support::{Folder, Served};
use std::{
    io::{Read, Write},
    net::TcpListener,
    sync::mpsc,
    thread,
};

const HANDLER: &str = "
import http from 'node:http';
const agent = new http.Agent({ keepAlive: true });
export const handler = (event) =>
  new Promise((resolve, reject) => {
    const request = http.get({ port: Number(event.rawQueryString), host: '127.0.0.1', agent }, (response) => {
      response.resume();
      response.on('end', () => resolve({ reused: request.reusedSocket }));
    });
    request.on('error', reject);
  });
";

#[test]
fn a_connection_that_its_server_closed_between_two_invocations_is_not_used_again() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (close, closing) = mpsc::channel::<()>();
    let (closed, is_closed) = mpsc::channel();
    let server = thread::spawn(move || {
        for _ in 0..2 {
            let (mut stream, _) = listener.accept().unwrap();
            let mut bytes = [0; 1024];
            assert!(stream.read(&mut bytes).unwrap() > 0);
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").unwrap();
            closing.recv().unwrap();
            drop(stream);
            closed.send(()).unwrap();
        }
    });
    let folder = Folder::new(&[("app.mjs", HANDLER)]);
    let served = Served::start(&folder, &["app.mjs", "--workers", "1"]);
    for _ in 0..2 {
        let answer = served.get(&format!("/?{port}")).json();
        assert_eq!(answer["reused"], false, "{answer}");
        close.send(()).unwrap();
        is_closed.recv().unwrap();
    }
    server.join().unwrap();
}
