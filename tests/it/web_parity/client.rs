//! A client that sends bytes as they are in `cases.json` and tells what it got, and what the application says it saw. It
//! does what `tests/web/client.py`, which documents the steps, does.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::{
    io::{ErrorKind, Read, Write},
    net::{Shutdown, SocketAddr, TcpStream},
    thread,
    time::{Duration, Instant},
};

/// Maximum time for anything to happen.
const PATIENCE: Duration = Duration::from_secs(20);
const PROBE: &[u8] = b"GET /plain HTTP/1.1\r\nhost: probe\r\n\r\n";
/// The one date that is an application's own.
const OWN_DATE: &str = "Thu, 01 Jan 1970 00:00:00 GMT";

/// Why a case came to no end.
enum Stop {
    /// Nothing came within [`PATIENCE`].
    Timeout,
    /// What came is no HTTP.
    Garbage(String),
}

/// What a parser of what has come needs: more of it.
struct Incomplete;

type Parsed<T> = Result<T, Incomplete>;

/// A connection, with what has been received and how much of that has been taken.
struct Connection {
    stream: TcpStream,
    received: Vec<u8>,
    taken: usize,
    is_over: bool,
    /// When it is given up, whatever still comes.
    end: Instant,
    ports: [(u16, &'static str); 2],
}

/// Returns the bytes of a text whose letters are bytes.
fn bytes_of(text: &str) -> Vec<u8> {
    text.chars().map(|letter| u8::try_from(u32::from(letter)).unwrap()).collect()
}

fn text_of(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

/// Returns a body as text, or how long it is and its digest where it is long.
fn shown(bytes: &[u8]) -> Value {
    if bytes.len() <= 1000 {
        return json!(text_of(bytes));
    }
    let digest = Sha256::digest(bytes);
    let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    json!({"length": bytes.len(), "sha256": digest})
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

impl Connection {
    fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        let own = stream.local_addr().unwrap().port();
        let ports = [(address.port(), "SERVER_PORT"), (own, "CLIENT_PORT")];
        let (received, end) = (Vec::new(), Instant::now());
        Self { stream, received, taken: 0, is_over: false, end, ports }
    }

    fn send(&mut self, bytes: &[u8]) {
        // What was answered before a failure can still be read.
        let _ = self.stream.write_all(bytes);
    }

    /// Waits for more; returns whether any came.
    fn more(&mut self) -> Result<bool, Stop> {
        if self.is_over {
            return Ok(false);
        }
        if Instant::now() > self.end {
            return Err(Stop::Timeout);
        }
        let mut piece = vec![0; 1 << 16];
        let length = match self.stream.read(&mut piece) {
            Ok(length) => length,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Err(Stop::Timeout),
            Err(_) => 0,
        };
        self.received.extend_from_slice(&piece[..length]);
        self.is_over = length == 0;
        Ok(length > 0)
    }

    /// Waits until this has come.
    fn until(&mut self, wanted: &[u8]) -> Result<(), Stop> {
        self.end = Instant::now() + PATIENCE;
        while find(&self.received, wanted).is_none() && self.more()? {}
        Ok(())
    }

    /// Takes one answer; returns none where the connection ends instead.
    fn answer(&mut self, method: &str) -> Result<Option<Value>, Stop> {
        self.end = Instant::now() + PATIENCE;
        loop {
            if let Ok((answer, end)) = self.parse(method)? {
                self.taken = end;
                return Ok(Some(answer));
            }
            if !self.more()? && self.taken == self.received.len() {
                return Ok(None);
            }
        }
    }

    fn line(&self, at: usize) -> Parsed<(String, usize)> {
        let rest = self.received.get(at..).ok_or(Incomplete)?;
        let end = at + find(rest, b"\r\n").ok_or(Incomplete)?;
        Ok((text_of(&self.received[at..end]), end + 2))
    }

    fn fields(&self, mut at: usize) -> Parsed<(Vec<(String, String)>, usize)> {
        let mut fields = Vec::new();
        loop {
            let (line, next) = self.line(at)?;
            at = next;
            if line.is_empty() {
                return Ok((fields, at));
            }
            let (name, value) = line.split_once(':').unwrap_or((&line, ""));
            fields.push((name.to_lowercase(), value.trim_matches([' ', '\t']).to_owned()));
        }
    }

    /// Returns one answer, and where it ends. One that the end of the connection cuts off is so marked.
    fn parse(&self, method: &str) -> Result<Parsed<(Value, usize)>, Stop> {
        let head = self.line(self.taken).and_then(|(line, at)| Ok((line, self.fields(at)?)));
        let Ok((line, (fields, at))) = head else {
            let rest = &self.received[self.taken..];
            let is_cut = self.is_over && !rest.is_empty();
            let garbage = (json!({"garbage": shown(rest)}), self.received.len());
            return Ok(if is_cut { Ok(garbage) } else { Err(Incomplete) });
        };
        let (version, rest) = line.split_once(' ').unwrap_or((&line, ""));
        let (code, reason) = rest.split_once(' ').unwrap_or((rest, ""));
        let (Some(version), Ok(status)) = (version.strip_prefix("HTTP/"), code.parse::<u16>())
        else {
            return Err(Stop::Garbage(format!("no status line: {line}")));
        };
        let mut answer = json!({"status": status, "reason": reason, "version": version});
        if status < 200 {
            answer["headers"] = listed(&fields);
            return Ok(Ok((answer, at)));
        }
        Ok(self.body(method, status, &fields, at).map(|(framing, body, end)| {
            answer["framing"] = json!(framing);
            answer["headers"] = listed(&fields);
            self.tell_body(&mut answer, &fields, &body.bytes);
            if !body.trailers.is_empty() {
                answer["trailers"] = listed(&body.trailers);
            }
            if body.is_cut {
                answer["cut"] = json!(true);
            }
            (answer, end)
        }))
    }

    /// Returns how a body is framed, the body, and where it ends.
    fn body(
        &self,
        method: &str,
        status: u16,
        fields: &[(String, String)],
        at: usize,
    ) -> Parsed<(&'static str, Body, usize)> {
        let field = |wanted: &str| fields.iter().rfind(|(name, _)| name == wanted);
        if method == "HEAD" || matches!(status, 204 | 304) {
            return Ok(("none", Body::default(), at));
        }
        let encoding = field("transfer-encoding").map(|(_, value)| value.to_lowercase());
        if encoding.as_deref() == Some("chunked") {
            let (body, end) = self.chunks(at)?;
            return Ok(("chunked", body, end));
        }
        let rest = &self.received[at..];
        let Some((_, length)) = field("content-length") else {
            let body = Body { bytes: rest.to_vec(), ..Body::default() };
            return if self.is_over {
                Ok(("close", body, at + rest.len()))
            } else {
                Err(Incomplete)
            };
        };
        let length: usize = length.parse().unwrap();
        let is_cut = rest.len() < length;
        if is_cut && !self.is_over {
            return Err(Incomplete);
        }
        let bytes = rest[..length.min(rest.len())].to_vec();
        let end = at + bytes.len();
        Ok(("length", Body { bytes, is_cut, ..Body::default() }, end))
    }

    fn chunks(&self, mut at: usize) -> Parsed<(Body, usize)> {
        let mut body = Body::default();
        while let Ok((size, start)) = self.line(at) {
            let size = size.split(';').next().unwrap();
            let size = usize::from_str_radix(size.trim(), 16).unwrap();
            if size == 0 {
                let Ok((trailers, end)) = self.fields(start) else { break };
                body.trailers = trailers;
                return Ok((body, end));
            }
            let end = (start + size).min(self.received.len());
            body.bytes.extend_from_slice(&self.received[start..end]);
            at = start + size + 2;
            if at > self.received.len() {
                break;
            }
        }
        body.is_cut = true;
        if self.is_over { Ok((body, self.received.len())) } else { Err(Incomplete) }
    }

    /// Puts a body into an answer; what an application saw is JSON, in which ports are not known before.
    fn tell_body(&self, answer: &mut Value, fields: &[(String, String)], body: &[u8]) {
        let is_json =
            fields.iter().any(|(name, value)| name == "content-type" && value.contains("json"));
        let saw: Option<Value> = if is_json { serde_json::from_slice(body).ok() } else { None };
        let Some(mut saw) = saw else {
            answer["body"] = shown(body);
            return;
        };
        self.hide_ports(&mut saw);
        // Of a document about an error its class counts.
        answer["saw"] = match saw.get("errorType") {
            Some(class) => json!({"errorType": class}),
            None => saw,
        };
        for field in answer["headers"].as_array_mut().unwrap() {
            if field[0] == "content-length" {
                field[1] = json!("*");
            }
        }
    }

    fn hide_ports(&self, value: &mut Value) {
        match value {
            Value::Object(members) => members.values_mut().for_each(|item| self.hide_ports(item)),
            Value::Array(items) => items.iter_mut().for_each(|item| self.hide_ports(item)),
            Value::String(text) => {
                for (port, name) in self.ports {
                    *text = match *text == port.to_string() {
                        true => name.to_owned(),
                        false => text.replace(&format!(":{port}"), &format!(":{name}")),
                    };
                }
            }
            Value::Number(number) => {
                let hidden =
                    self.ports.iter().find(|(port, _)| number.as_u64() == Some(u64::from(*port)));
                if let Some((_, name)) = hidden {
                    *value = json!(name);
                }
            }
            _ => {}
        }
    }
}

/// A body, as it came.
#[derive(Default)]
struct Body {
    bytes: Vec<u8>,
    trailers: Vec<(String, String)>,
    is_cut: bool,
}

/// Returns header fields as they are recorded.
fn listed(fields: &[(String, String)]) -> Value {
    let value = |name: &str, value: &str| match name == "date" && value != OWN_DATE {
        true => "*".to_owned(),
        false => value.to_owned(),
    };
    fields.iter().map(|(name, text)| json!([name, value(name, text)])).collect()
}

/// Asks for a path on a connection of its own.
fn ask(address: SocketAddr, path: &str) -> Option<Value> {
    let mut connection = Connection::open(address);
    let head = format!("GET {path} HTTP/1.1\r\nhost: also\r\nconnection: close\r\n\r\n");
    connection.send(head.as_bytes());
    connection.answer("GET").ok().flatten()
}

/// Returns what the application has noted, as soon as that is enough.
fn notes(address: SocketAddr, name: &str, is_enough: impl Fn(&[Value]) -> bool) -> Vec<Value> {
    let until = Instant::now() + PATIENCE;
    loop {
        let answer = ask(address, &format!("/seen/{name}"));
        let noted = answer.and_then(|answer| answer["saw"].as_array().cloned());
        let mut noted = noted.unwrap_or_default();
        if is_enough(&noted) {
            return noted;
        }
        if Instant::now() > until {
            noted.push(json!("no end"));
            return noted;
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// Runs a case; returns what came of it.
pub(super) fn play(case: &Value, address: SocketAddr) -> Value {
    let mut told = json!({"answers": []});
    match run(case, address, &mut told) {
        Ok(()) => {}
        Err(Stop::Timeout) => told["timeout"] = json!(true),
        Err(Stop::Garbage(text)) => told["garbage"] = json!(text),
    }
    told
}

fn run(case: &Value, address: SocketAddr, told: &mut Value) -> Result<(), Stop> {
    let mut connection = Connection::open(address);
    let method = case["method"].as_str().unwrap_or("GET");
    let mut has_read = false;
    for step in case["steps"].as_array().unwrap() {
        let text = |name: &str| step[name].as_str();
        if let Some(text) = step.as_str() {
            connection.send(&bytes_of(text));
        } else if let Some(text) = text("repeat") {
            let times = usize::try_from(step["times"].as_u64().unwrap()).unwrap();
            connection.send(&bytes_of(text).repeat(times));
        } else if let Some(text) = text("until") {
            connection.until(&bytes_of(text))?;
        } else if let Some(count) = step["read"].as_u64() {
            has_read = true;
            take(&mut connection, method, count, told)?;
        } else if let Some(path) = text("also") {
            ask(address, path);
        } else if let Some(name) = text("seen") {
            let noted =
                notes(address, name, |noted| noted.last().is_some_and(|note| note == "end"));
            let mut noted = json!(noted);
            connection.hide_ports(&mut noted);
            told["seen"] = noted;
        } else if let Some(name) = text("note") {
            notes(address, name, |noted| noted.contains(&step["is"]));
        } else if text("gone") == Some("half") {
            // A server that has ended the connection already is not told.
            let _ = connection.stream.shutdown(Shutdown::Write);
        } else {
            return go(case, address, connection, step, told);
        }
    }
    if !has_read {
        take(&mut connection, method, 1, told)?;
    }
    if told.get("raw").is_none() {
        connection.send(PROBE);
        let answer = connection.answer("GET")?;
        told["kept"] = json!(answer.is_some_and(|answer| answer["body"] == "plain"));
    }
    Ok(())
}

/// Goes away, and then asks the application what it noted.
fn go(
    case: &Value,
    address: SocketAddr,
    connection: Connection,
    step: &Value,
    told: &mut Value,
) -> Result<(), Stop> {
    if step["gone"] == "reset" {
        let socket = socket2::SockRef::from(&connection.stream);
        socket.set_linger(Some(Duration::ZERO)).unwrap();
    }
    drop(connection);
    let steps = case["steps"].as_array().unwrap();
    let seen = steps.iter().find_map(|step| step["seen"].as_str());
    if let Some(name) = seen {
        let noted = notes(address, name, |noted| noted.last().is_some_and(|note| note == "end"));
        told["seen"] = json!(noted);
    }
    Ok(())
}

/// Takes so many answers, and all that follows an upgrade.
fn take(
    connection: &mut Connection,
    method: &str,
    mut count: u64,
    told: &mut Value,
) -> Result<(), Stop> {
    while count > 0 {
        let Some(answer) = connection.answer(method)? else { return Ok(()) };
        let status = answer["status"].as_u64();
        if status.is_none_or(|status| status >= 200 || status == 101) {
            count -= 1;
        }
        told["answers"].as_array_mut().unwrap().push(answer);
        if status == Some(101) {
            while connection.more()? {}
            told["raw"] = shown(&connection.received[connection.taken..]);
        }
    }
    Ok(())
}
