//! A broker of MQTT 3.1.1 for one client, as far as triggers use it: it keeps the session, sends what was not acknowledged once
//! more, and keeps account of what it hears.

use super::eventually;
use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex, MutexGuard},
    thread,
};

/// A running broker. It ends with the tests' process.
pub(crate) struct Mqtt {
    pub(crate) address: SocketAddr,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    connection: Option<TcpStream>,
    /// The topics and qualities that were asked for.
    topics: Vec<(String, u8)>,
    /// What was not acknowledged: its number, topic and payload, and whether it was sent before.
    kept: Vec<(u16, String, Vec<u8>, bool)>,
    sent: u16,
    acknowledged: Vec<u16>,
    published: Vec<(String, Vec<u8>)>,
    /// Names, users and passwords of those who came.
    came: Vec<(String, String, String)>,
    left: usize,
    /// Messages of quality 2 that whoever comes is told to forget, and those that were forgotten.
    released: Vec<u16>,
    forgotten: Vec<u16>,
    /// The code with which everybody is turned away.
    refusal: u8,
    is_away: bool,
}

impl Mqtt {
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

    /// Sends a message with quality 1, now or when the client comes, and returns its number.
    pub(crate) fn send(&self, topic: &str, payload: &[u8]) -> u16 {
        let mut state = self.state();
        state.sent += 1;
        let number = state.sent;
        state.kept.push((number, topic.to_owned(), payload.to_vec(), false));
        state.flush();
        number
    }

    /// Waits until the client listens.
    #[track_caller]
    pub(crate) fn is_listened_to(&self) {
        eventually("the client listens", || {
            let state = self.state();
            (state.connection.is_some() && !state.topics.is_empty()).then_some(())
        });
    }

    /// Waits until everything is acknowledged.
    #[track_caller]
    pub(crate) fn empties(&self) {
        eventually("all is acknowledged", || self.state().kept.is_empty().then_some(()));
    }

    pub(crate) fn kept(&self) -> Vec<u16> {
        self.state().kept.iter().map(|(number, ..)| *number).collect()
    }

    pub(crate) fn acknowledged(&self) -> Vec<u16> {
        self.state().acknowledged.clone()
    }

    pub(crate) fn published(&self) -> Vec<(String, Vec<u8>)> {
        self.state().published.clone()
    }

    pub(crate) fn topics(&self) -> Vec<(String, u8)> {
        self.state().topics.clone()
    }

    pub(crate) fn came(&self) -> Vec<(String, String, String)> {
        self.state().came.clone()
    }

    /// Returns the number of clients that have said goodbye.
    pub(crate) fn left(&self) -> usize {
        self.state().left
    }

    /// Has a session with this topic, and these messages of quality 2 that the client said to have got in the session before.
    pub(crate) fn remembers(&self, topic: &str, messages: &[u16]) {
        let mut state = self.state();
        state.topics.push((topic.to_owned(), 2));
        state.released = messages.to_vec();
    }

    /// Returns the messages that the client has confirmed to have forgotten.
    pub(crate) fn forgotten(&self) -> Vec<u16> {
        self.state().forgotten.clone()
    }

    pub(crate) fn refuses(&self, code: u8) {
        self.state().refusal = code;
    }

    /// Ends the connection, and lets nobody in from now on, or lets everybody in again.
    pub(crate) fn goes_away(&self, is_away: bool) {
        let mut state = self.state();
        state.is_away = is_away;
        if let Some(connection) = state.connection.take() {
            connection.shutdown(std::net::Shutdown::Both).unwrap();
        }
    }
}

impl State {
    /// Sends what was not sent on this connection yet.
    fn flush(&mut self) {
        let Some(connection) = &mut self.connection else { return };
        if self.topics.is_empty() {
            return;
        }
        for (number, topic, payload, is_sent) in &mut self.kept {
            if self.acknowledged.contains(number) || *is_sent {
                continue;
            }
            *is_sent = true;
            let mut body = text(topic);
            body.extend(number.to_be_bytes());
            body.extend(payload.iter());
            let duplicate = if self.came.len() > 1 { 0b1000 } else { 0 };
            let _ = connection.write_all(&packet(0x32 | duplicate, &body));
        }
    }
}

fn text(text: &str) -> Vec<u8> {
    [&(text.len() as u16).to_be_bytes()[..], text.as_bytes()].concat()
}

fn packet(first: u8, body: &[u8]) -> Vec<u8> {
    let (mut packet, mut length) = (vec![first], body.len());
    loop {
        let low = (length % 128) as u8;
        length /= 128;
        packet.push(if length > 0 { low | 0x80 } else { low });
        if length == 0 {
            break;
        }
    }
    packet.extend(body);
    packet
}

/// Takes a text from the front of a packet.
fn take(body: &mut &[u8]) -> Vec<u8> {
    let length = usize::from(u16::from_be_bytes([body[0], body[1]]));
    let taken = body[2..2 + length].to_vec();
    *body = &body[2 + length..];
    taken
}

fn read(stream: &mut TcpStream) -> Option<(u8, Vec<u8>)> {
    let mut byte = [0];
    stream.read_exact(&mut byte).ok()?;
    let (first, mut length, mut shift) = (byte[0], 0, 0);
    loop {
        stream.read_exact(&mut byte).ok()?;
        length |= usize::from(byte[0] & 0x7f) << shift;
        shift += 7;
        if byte[0] & 0x80 == 0 {
            break;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    Some((first, body))
}

fn serve(mut stream: TcpStream, state: &Mutex<State>) {
    let lossy = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    while let Some((first, body)) = read(&mut stream) {
        let mut state = state.lock().unwrap();
        let mut body = &body[..];
        match first >> 4 {
            1 => {
                let (_, flags) = (take(&mut body), body[1]);
                body = &body[4..];
                let name = lossy(take(&mut body));
                let user = if flags & 0x80 > 0 { lossy(take(&mut body)) } else { String::new() };
                let password =
                    if flags & 0x40 > 0 { lossy(take(&mut body)) } else { String::new() };
                let is_known = !state.topics.is_empty() && flags & 2 == 0;
                state.came.push((name, user, password));
                let refusal = state.refusal;
                let _ = stream.write_all(&packet(0x20, &[u8::from(is_known), refusal]));
                if refusal > 0 {
                    return;
                }
                for number in state.released.clone() {
                    let _ = stream.write_all(&packet(0x62, &number.to_be_bytes()));
                }
                state.kept.iter_mut().for_each(|kept| kept.3 = false);
                state.connection = Some(stream.try_clone().unwrap());
                state.flush();
            }
            3 => {
                let topic = lossy(take(&mut body));
                if first & 0b110 > 0 {
                    let _ = stream.write_all(&packet(0x40, &body[..2]));
                    body = &body[2..];
                }
                state.published.push((topic, body.to_vec()));
            }
            4 => {
                let number = u16::from_be_bytes([body[0], body[1]]);
                state.acknowledged.push(number);
                state.kept.retain(|(kept, ..)| *kept != number);
            }
            7 => state.forgotten.push(u16::from_be_bytes([body[0], body[1]])),
            8 => {
                let mut answer = body[..2].to_vec();
                body = &body[2..];
                state.topics.clear();
                while !body.is_empty() {
                    let topic = lossy(take(&mut body));
                    answer.push(body[0]);
                    state.topics.push((topic, body[0]));
                    body = &body[1..];
                }
                let _ = stream.write_all(&packet(0x90, &answer));
                state.flush();
            }
            12 => drop(stream.write_all(&packet(0xd0, &[]))),
            14 => {
                state.left += 1;
                state.connection = None;
                return;
            }
            other => panic!("nobody should send packets of the type {other}"),
        }
    }
}
