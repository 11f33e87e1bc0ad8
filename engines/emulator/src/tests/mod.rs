//! Tests of the emulator with a client that writes its requests by hand, because it must be able to write wrong ones.

mod faults;
mod invoke;
mod platforms;
mod rules;
mod runs;
mod states;
mod streams;

use super::{Emulator, EmulatorOptions, Outcome};
use serde_json::{Value, json};
use std::{collections::HashMap, net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    task::JoinHandle,
};

const NEXT: &str = "/2018-06-01/runtime/invocation/next";
const INIT_ERROR: &str = "/2018-06-01/runtime/init/error";
const REQUEST_ID: &str = "lambda-runtime-aws-request-id";
const INVOCATION_ID: &str = "lambda-runtime-invocation-id";

fn response_path(id: &str) -> String {
    format!("/2018-06-01/runtime/invocation/{id}/response")
}

fn error_path(id: &str) -> String {
    format!("/2018-06-01/runtime/invocation/{id}/error")
}

struct Client {
    stream: BufReader<TcpStream>,
}

#[derive(Debug)]
struct Reply {
    status: u16,
    headers: HashMap<String, String>,
    body: Vec<u8>,
}

impl Reply {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    fn error_type(&self) -> String {
        self.json()["errorType"].as_str().unwrap().to_owned()
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

impl Client {
    async fn new(emulator: &Emulator) -> Self {
        Self::at(emulator.address()).await
    }

    async fn at(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream: BufReader::new(stream) }
    }

    async fn write(&mut self, text: &str) {
        self.stream.get_mut().write_all(text.as_bytes()).await.unwrap();
    }

    async fn get(&mut self, path: &str) -> Reply {
        self.write(&format!("GET {path} HTTP/1.1\r\nHost: e\r\nUser-Agent: test/1\r\n\r\n")).await;
        self.reply().await
    }

    async fn next(&mut self) -> Reply {
        self.get(NEXT).await
    }

    /// Posts with extra header lines, each ending in a line break.
    async fn post(&mut self, path: &str, headers: &str, body: &str) -> Reply {
        let length = body.len();
        self.write(&format!(
            "POST {path} HTTP/1.1\r\nHost: e\r\nUser-Agent: test/1\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
        ))
        .await;
        self.reply().await
    }

    /// Answers an event as a correct client does.
    async fn respond(&mut self, event: &Reply, body: &str) -> Reply {
        let path = response_path(event.header(REQUEST_ID));
        self.post(&path, &echo(event), body).await
    }

    async fn fail(&mut self, event: &Reply, headers: &str, body: &str) -> Reply {
        let path = error_path(event.header(REQUEST_ID));
        self.post(&path, &format!("{}{headers}", echo(event)), body).await
    }

    async fn reply(&mut self) -> Reply {
        let mut line = String::new();
        self.stream.read_line(&mut line).await.unwrap();
        let status = line.split(' ').nth(1).unwrap_or_else(|| panic!("no status in {line:?}"));
        let status = status.parse().unwrap();
        let headers = self.fields().await;
        let mut body = Vec::new();
        if let Some(length) = headers.get("content-length") {
            body.resize(length.parse().unwrap(), 0);
            self.stream.read_exact(&mut body).await.unwrap();
        } else if headers.get("transfer-encoding").is_some_and(|coding| coding == "chunked") {
            while let Some(chunk) = self.chunk().await {
                body.extend(chunk);
            }
        }
        Reply { status, headers, body }
    }

    async fn fields(&mut self) -> HashMap<String, String> {
        let mut fields = HashMap::new();
        loop {
            let mut line = String::new();
            self.stream.read_line(&mut line).await.unwrap();
            let Some((name, value)) = line.trim_end().split_once(": ") else { return fields };
            fields.insert(name.to_ascii_lowercase(), value.to_owned());
        }
    }

    async fn chunk(&mut self) -> Option<Vec<u8>> {
        let mut line = String::new();
        self.stream.read_line(&mut line).await.unwrap();
        let size = usize::from_str_radix(line.trim(), 16).unwrap();
        let mut chunk = vec![0; size];
        self.stream.read_exact(&mut chunk).await.unwrap();
        self.fields().await;
        (size > 0).then_some(chunk)
    }

    /// Reads everything until the connection ends, and returns whether it ends in order.
    async fn rest(&mut self) -> (Vec<u8>, bool) {
        let mut bytes = Vec::new();
        let is_orderly = self.stream.read_to_end(&mut bytes).await.is_ok();
        (bytes, is_orderly)
    }

    async fn poll(&mut self) {
        self.write(&format!("GET {NEXT} HTTP/1.1\r\nHost: e\r\nUser-Agent: t\r\n\r\n")).await;
    }

    /// Posts an answer of one byte and does not wait for the reply.
    async fn post_blindly(&mut self, event: &Reply) {
        let path = response_path(event.header(REQUEST_ID));
        let echo = echo(event);
        self.write(&format!(
            "POST {path} HTTP/1.1\r\nHost: e\r\nUser-Agent: t\r\n{echo}Content-Length: 1\r\n\r\n1"
        ))
        .await;
    }

    async fn is_cut(&mut self) -> bool {
        self.stream.read(&mut [0]).await.is_ok_and(|read| read == 0)
    }
}

fn echo(event: &Reply) -> String {
    match event.headers.get(INVOCATION_ID) {
        Some(id) => format!("Lambda-Runtime-Invocation-Id: {id}\r\n"),
        None => String::new(),
    }
}

async fn start() -> Emulator {
    Emulator::start(EmulatorOptions::default()).await.unwrap()
}

async fn start_with(set: impl FnOnce(&mut EmulatorOptions)) -> Emulator {
    let mut options = EmulatorOptions::default();
    set(&mut options);
    Emulator::start(options).await.unwrap()
}

fn invoke(emulator: &Emulator, event: Value) -> JoinHandle<Outcome> {
    let emulator = emulator.clone();
    tokio::spawn(async move { emulator.invoke(event).await })
}

fn rules(emulator: &Emulator) -> Vec<&'static str> {
    emulator.violations().iter().map(|violation| violation.rule).collect()
}

async fn short_wait() {
    tokio::time::sleep(Duration::from_millis(20)).await;
}

fn error_document() -> String {
    json!({"errorMessage": "no", "errorType": "Error", "trace": []}).to_string()
}

const JSON: &str = "Content-Type: application/json\r\n";
