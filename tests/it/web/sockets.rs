//! WebSockets: of applications that take whole messages, and by Node's `upgrade`.

use super::Application;
use crate::support::{Connection, Folder, Served, eventually};

const KEY: [(&str, &str); 4] = [
    ("connection", "keep-alive, Upgrade"),
    ("upgrade", "websocket"),
    ("sec-websocket-version", "13"),
    ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
];

/// Returns a frame as a client sends it: masked.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mask = [1, 2, 3, 4];
    let mut bytes = vec![first];
    match payload.len() {
        short @ 0..126 => bytes.push(0x80 | short as u8),
        long => {
            bytes.push(0x80 | 126);
            bytes.extend((long as u16).to_be_bytes());
        }
    }
    bytes.extend(mask);
    bytes.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    bytes
}

/// Reads one frame of a server's: its first byte and its payload.
fn read(connection: &mut Connection) -> (u8, Vec<u8>) {
    let head = connection.read(2);
    let length = match head[1] {
        126 => usize::from(u16::from_be_bytes(connection.read(2).try_into().unwrap())),
        short => usize::from(short),
    };
    (head[0], connection.read(length))
}

#[test]
fn messages_go_both_ways_until_the_application_or_the_client_ends() {
    let application = Application::with_sockets();
    let folder = application.folder();
    let served = Served::start(&folder, &[application.named]);
    let mut connection = Connection::open(served.address);
    connection.send("GET", "/chat", &KEY, b"");
    let reply = connection.receive("HEAD");
    assert_eq!(reply.status, 101, "{reply:?} {:?}", served.process);
    assert_eq!(reply.header("sec-websocket-accept"), Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    assert_eq!(reply.header("sec-websocket-protocol"), Some("chat"));
    connection.write(&frame(0x81, "hällo".as_bytes()));
    assert_eq!(read(&mut connection), (0x81, "hällo".as_bytes().to_vec()));
    // In pieces, with a ping in between.
    connection.write(&frame(0x02, &[0, 1]));
    connection.write(&frame(0x89, b"ping"));
    connection.write(&frame(0x80, &[2; 200]));
    assert_eq!(read(&mut connection), (0x8a, b"ping".to_vec()));
    assert_eq!(read(&mut connection), (0x82, [&[0, 1][..], &[2; 200]].concat()));
    connection.write(&frame(0x81, b"bye"));
    let (first, payload) = read(&mut connection);
    assert_eq!(
        (first, &payload[..2], &payload[2..]),
        (0x88, &4001_u16.to_be_bytes()[..], &b"as asked"[..])
    );
    connection.write(&frame(0x88, &payload));
    assert!(connection.is_closed());

    let mut connection = Connection::open(served.address);
    connection.send("GET", "/chat", &KEY, b"");
    assert_eq!(connection.receive("HEAD").status, 101);
    connection.write(&frame(0x88, &[&4002_u16.to_be_bytes()[..], b"enough"].concat()));
    assert_eq!(read(&mut connection).0, 0x88);
    eventually("the application is told", || {
        served.process.stdout().contains("closed with 4002").then_some(())
    });
}

#[test]
fn a_client_that_breaks_the_protocol_is_told_and_one_that_is_gone_is_noticed() {
    let application = Application::with_sockets();
    let folder = application.folder();
    let served = Served::start(&folder, &[application.named]);
    for (broken, code) in [(frame(0x81, b"\xff\xfe"), 1007_u16), (frame(0x83, b"x"), 1002)] {
        let mut connection = Connection::open(served.address);
        connection.send("GET", "/chat", &KEY, b"");
        assert_eq!(connection.receive("HEAD").status, 101);
        connection.write(&broken);
        let (first, payload) = read(&mut connection);
        assert_eq!((first, payload), (0x88, code.to_be_bytes().to_vec()));
    }
    let mut connection = Connection::open(served.address);
    connection.send("GET", "/chat", &KEY, b"");
    assert_eq!(connection.receive("HEAD").status, 101);
    drop(connection);
    eventually("the application is told", || {
        served.process.stdout().contains("closed with 1006").then_some(())
    });
    assert_eq!(served.get("/").status, 201);
}

#[test]
fn the_end_of_the_server_closes_what_is_open() {
    let application = Application::with_sockets();
    let folder = application.folder();
    let served = Served::start(&folder, &[application.named]);
    let mut connection = Connection::open(served.address);
    connection.send("GET", "/chat", &KEY, b"");
    assert_eq!(connection.receive("HEAD").status, 101);
    served.process.signal("TERM");
    let (first, payload) = read(&mut connection);
    assert_eq!((first, payload), (0x88, 1012_u16.to_be_bytes().to_vec()));
    connection.write(&frame(0x88, &1012_u16.to_be_bytes()));
    assert_eq!(served.process.wait(), Some(0));
}

#[test]
fn a_listener_of_node_has_the_connection_to_itself_after_an_upgrade() {
    let source = "import http from 'node:http';\n\
        const server = http.createServer((req, res) => res.end('plain'));\n\
        server.on('upgrade', (req, socket, head) => {\n\
        \x20 socket.write('HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: shout\\r\\nConnection: Upgrade\\r\\n\\r\\n');\n\
        \x20 socket.on('data', (data) => socket.write(data.toString().toUpperCase()));\n\
        \x20 socket.on('end', () => socket.end());\n\
        });\n\
        server.listen(3000);\n";
    let folder = Folder::new(&[("main.mjs", source)]);
    let served = Served::start(&folder, &["main.mjs"]);
    assert_eq!(served.get("/").text(), "plain");
    let mut connection = Connection::open(served.address);
    connection.send("GET", "/", &[("connection", "Upgrade"), ("upgrade", "shout")], b"");
    let reply = connection.receive("HEAD");
    assert_eq!((reply.status, reply.header("upgrade")), (101, Some("shout")));
    for text in [&b"hello"[..], b"again"] {
        connection.write(text);
        assert_eq!(connection.read(text.len()), text.to_ascii_uppercase());
    }
}
