//! Sockets that are no ports of this server's choice: Unix sockets, and what systemd hands over.

use crate::support::{
    Connection, Folder, LANGUAGES, PROBE_LANGUAGES, Process, Served, binary, command, eventually,
    run, trine,
};
use std::{
    net::TcpListener,
    os::{
        fd::OwnedFd,
        unix::net::{UnixListener, UnixStream},
    },
    path::Path,
    process::Stdio,
};

fn connect(path: &Path) -> Connection {
    let stream = UnixStream::connect(path).unwrap();
    stream.set_read_timeout(Some(crate::support::LIMIT)).unwrap();
    Connection::over(stream)
}

#[test]
fn a_server_listens_at_a_path_and_takes_it_away_at_its_end() {
    for language in PROBE_LANGUAGES {
        let folder = Folder::probe(language);
        let path = folder.task().join("trine.sock");
        let listen = format!("unix:{}", path.display());
        let process =
            Process::start(trine(&folder, &["serve", "--workers", "2", "--listen", &listen]));
        eventually("the server says where it listens", || {
            process.stdout().contains(&format!(" on {listen} with ")).then_some(())
        });
        let mut connection = connect(&path);
        let event = connection.exchange("GET", "/a", &[], b"").json();
        assert_eq!(event["requestContext"]["http"]["sourceIp"], "127.0.0.1");
        assert_eq!(event["headers"]["x-forwarded-port"], "80");
        for _ in 0..10 {
            assert_eq!(connect(&path).exchange("GET", "/?do=count", &[], b"").status, 200);
        }
        // Another server cannot have it.
        let finished = run(trine(&folder, &["serve", "--listen", &listen]));
        assert_eq!(finished.code, Some(1));
        let why = format!("cannot listen on {listen}: another process listens there");
        assert!(finished.stderr.contains(&why), "{}", finished.stderr);
        let mut late = connect(&path);
        late.write(b"GET /late HTTP/1.1\r\nho");
        process.signal("TERM");
        late.write(b"st: x\r\n\r\n");
        assert_eq!(late.receive("GET").status, 200);
        assert_eq!(process.wait(), Some(0));
        assert!(!path.exists());
    }
}

#[test]
fn a_path_that_cannot_be_listened_on_is_told() {
    let folder = Folder::probe(LANGUAGES[4]);
    folder.write("file", "text");
    let long = "s".repeat(200);
    for (path, why) in [
        ("file", "a file of another kind"),
        ("no/folder.sock", "its folder does not exist"),
        (long.as_str(), "107 bytes"),
    ] {
        let listen = format!("unix:{}", folder.file(path));
        let finished = run(trine(&folder, &["serve", "--listen", &listen]));
        assert_eq!(finished.code, Some(1));
        assert!(finished.stderr.contains(why), "{}", finished.stderr);
    }
    // What a server that was killed has left behind is no obstacle.
    let path = folder.task().join("left.sock");
    drop(UnixListener::bind(&path).unwrap());
    let listen = format!("unix:{}", path.display());
    let process = Process::start(trine(&folder, &["serve", "--listen", &listen]));
    eventually("it listens", || process.stdout().contains(" on unix:").then_some(()));
    assert_eq!(connect(&path).exchange("GET", "/?do=count", &[], b"").text(), "1");
}

/// Starts a server to which a socket is handed over as systemd does it: as descriptor 3.
fn handed(folder: &Folder, socket: OwnedFd, count: u32) -> Process {
    let line = format!(
        "exec 3<&0 0</dev/null; LISTEN_FDS={count} LISTEN_PID=$$ exec '{}' serve --workers 2",
        binary()
    );
    let mut sh = command("sh", folder);
    sh.args(["-c", &line]);
    Process::begin(sh, Stdio::from(socket))
}

#[test]
fn a_socket_that_systemd_hands_over_is_taken() {
    let folder = Folder::probe(LANGUAGES[0]);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    // It waits there before the server is started.
    let mut early = Connection::open(address);
    early.send("GET", "/?do=count", &[], b"");
    let served = Served::ready(handed(&folder, listener.into(), 1));
    assert_eq!(served.address, address);
    assert_eq!(early.receive("GET").status, 200);
    assert_eq!(served.get("/?do=echo").status, 200);
    served.process.signal("TERM");
    assert_eq!(served.process.wait(), Some(0));
    let path = folder.task().join("handed.sock");
    let process = handed(&folder, UnixListener::bind(&path).unwrap().into(), 1);
    eventually("it listens", || process.stdout().contains(" on unix:").then_some(()));
    assert_eq!(connect(&path).exchange("GET", "/?do=echo", &[], b"").status, 200);
    process.signal("TERM");
    assert_eq!(process.wait(), Some(0));
    // It belongs to whoever has made it.
    assert!(path.exists());
}

#[test]
fn what_is_handed_over_and_cannot_be_used_is_told() {
    let folder = Folder::probe(LANGUAGES[4]);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let finished = handed(&folder, listener.into(), 2).finish();
    assert_eq!(finished.code, Some(1));
    assert!(finished.stderr.contains("there are 2 sockets"), "{}", finished.stderr);
    let file = std::fs::File::open(folder.file("probe.lua")).unwrap();
    let finished = handed(&folder, file.into(), 1).finish();
    assert_eq!(finished.code, Some(1));
    assert!(finished.stderr.contains("LISTEN_FDS"), "{}", finished.stderr);
    // What is meant for another process is none of ours.
    let mut serve = trine(&folder, &["serve", "--port", "0", "--workers", "1"]);
    serve.env("LISTEN_FDS", "1").env("LISTEN_PID", "1");
    assert_eq!(Served::of(serve).get("/?do=count").text(), "1");
}
