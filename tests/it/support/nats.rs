//! A server of NATS for one client, as far as triggers use it without a stream. It keeps account of what it hears.

use super::eventually;
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex, MutexGuard},
    thread,
};

/// A running server. It ends with the tests' process.
pub(crate) struct Nats {
    pub(crate) address: SocketAddr,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    connection: Option<TcpStream>,
    /// What was subscribed to, by number: the subject with its group.
    subjects: Vec<(String, String)>,
    /// What clients say of themselves.
    came: Vec<String>,
    /// What was published: the subject, headers and payload.
    published: Vec<(String, String)>,
    is_away: bool,
}

impl Nats {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State::default()));
        let shared = state.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if !shared.lock().unwrap().is_away {
                    let state = shared.clone();
                    thread::spawn(move || serve(stream, &state));
                }
            }
        });
        Self { address, state }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Waits until the client listens, and returns the subject and the group.
    #[track_caller]
    pub(crate) fn is_listened_to(&self) -> String {
        eventually("the client listens", || {
            let state = self.state();
            state.connection.as_ref()?;
            state.subjects.first().map(|(subject, _)| subject.clone())
        })
    }

    /// Sends a message, with a subject for the answer if there is one.
    pub(crate) fn send(&self, subject: &str, reply: &str, payload: &[u8]) {
        let state = self.state();
        let number = &state.subjects[0].1;
        let line = format!("MSG {subject} {number} {reply} {}\r\n", payload.len());
        let message = [line.replace("  ", " ").as_bytes(), payload, b"\r\n"].concat();
        state.connection.as_ref().unwrap().write_all(&message).unwrap();
    }

    pub(crate) fn came(&self) -> Vec<String> {
        self.state().came.clone()
    }

    pub(crate) fn published(&self) -> Vec<(String, String)> {
        self.state().published.clone()
    }

    /// Ends the connection, and lets nobody in from now on, or lets everybody in again.
    pub(crate) fn goes_away(&self, is_away: bool) {
        let mut state = self.state();
        state.is_away = is_away;
        state.subjects.clear();
        if let Some(connection) = state.connection.take() {
            connection.shutdown(Shutdown::Both).unwrap();
        }
    }
}

fn serve(mut stream: TcpStream, state: &Mutex<State>) -> Option<()> {
    let info = "INFO {\"server_id\":\"T\",\"server_name\":\"t\",\"version\":\"2.10.0\",\"go\":\"\",\"host\":\"h\",\
                \"port\":1,\"headers\":true,\"max_payload\":1048576,\"proto\":1,\"client_id\":1}\r\n";
    stream.write_all(info.as_bytes()).ok()?;
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut line = String::new();
    loop {
        line.clear();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["CONNECT", ..] => {
                let mut state = state.lock().unwrap();
                state.came.push(line.clone());
                state.connection = Some(stream.try_clone().ok()?);
            }
            ["PING"] => stream.write_all(b"PONG\r\n").ok()?,
            ["SUB", subject, number] => {
                let subject = ((*subject).to_owned(), (*number).to_owned());
                state.lock().unwrap().subjects.push(subject);
            }
            ["SUB", subject, group, number] => {
                let subject = (format!("{subject} {group}"), (*number).to_owned());
                state.lock().unwrap().subjects.push(subject);
            }
            ["PUB" | "HPUB", subject, .., length] => {
                let mut payload = vec![0; length.parse::<usize>().ok()? + 2];
                reader.read_exact(&mut payload).ok()?;
                let text = String::from_utf8_lossy(&payload).trim_end_matches("\r\n").to_owned();
                state.lock().unwrap().published.push(((*subject).to_owned(), text));
            }
            // UNSUB, PONG
            _ => {}
        }
    }
}
