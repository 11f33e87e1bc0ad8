//! A service of queues that speaks SQS's JSON protocol, as far as triggers use it, and keeps account of what it is asked.

use super::eventually;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex, MutexGuard},
    thread,
    time::{Duration, Instant},
};

const ACCOUNT: &str = "123456789012";

/// A running service. It ends with the tests' process.
pub(crate) struct Sqs {
    pub(crate) address: SocketAddr,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    queues: BTreeMap<String, Vec<Message>>,
    /// Everything that was asked, with what it was asked with.
    asked: Vec<(String, Value)>,
    /// Whether it hangs up on everybody.
    is_away: bool,
    /// What some actions are refused with.
    refusals: BTreeMap<String, (&'static str, usize)>,
    count: usize,
}

/// A message of a queue.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) id: String,
    pub(crate) body: String,
    pub(crate) received: u32,
    pub(crate) is_deleted: bool,
    pub(crate) attributes: Value,
    group: Option<String>,
    handle: String,
    visible: Instant,
}

impl Message {
    fn is_there(&self) -> bool {
        !self.is_deleted && self.visible <= Instant::now()
    }
}

impl Sqs {
    /// Starts one with these queues.
    pub(crate) fn start(queues: &[&str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let queues = queues.iter().map(|name| ((*name).to_owned(), Vec::new())).collect();
        let state = Arc::new(Mutex::new(State { queues, ..State::default() }));
        let shared = state.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = shared.clone();
                thread::spawn(move || serve(&stream, address, &state));
            }
        });
        Self { address, state }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Returns its URL.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Puts a message into a queue, and returns its id.
    pub(crate) fn send(&self, queue: &str, body: &str) -> String {
        self.state().send(queue, body, None, Value::Null)
    }

    /// Puts a message of a group into a queue.
    pub(crate) fn send_to(&self, queue: &str, group: &str, body: &str) -> String {
        self.state().send(queue, body, Some(group), Value::Null)
    }

    /// Returns the messages that were ever in a queue.
    pub(crate) fn messages(&self, queue: &str) -> Vec<Message> {
        self.state().queues[queue].clone()
    }

    /// Returns the bodies of those that are in a queue.
    pub(crate) fn left(&self, queue: &str) -> Vec<String> {
        let messages = self.messages(queue).into_iter();
        messages.filter(|message| !message.is_deleted).map(|message| message.body).collect()
    }

    /// Returns what it was asked with, for each time that it was asked this.
    pub(crate) fn asked(&self, action: &str) -> Vec<Value> {
        let state = self.state();
        let same = state.asked.iter().filter(|(asked, _)| asked == action);
        same.map(|(_, with)| with.clone()).collect()
    }

    /// Hangs up on everybody from now on, or no longer.
    pub(crate) fn goes_away(&self, is_away: bool) {
        self.state().is_away = is_away;
    }

    /// Refuses an action, this many times, with an error of this type.
    pub(crate) fn refuses(&self, action: &str, error: &'static str, times: usize) {
        self.state().refusals.insert(action.to_owned(), (error, times));
    }

    /// Waits until a queue is empty.
    #[track_caller]
    pub(crate) fn empties(&self, queue: &str) {
        eventually("the queue is empty", || self.left(queue).is_empty().then_some(()));
    }
}

impl State {
    fn send(&mut self, queue: &str, body: &str, group: Option<&str>, attributes: Value) -> String {
        self.count += 1;
        let id = format!("m-{}", self.count);
        let message = Message {
            id: id.clone(),
            body: body.to_owned(),
            received: 0,
            is_deleted: false,
            attributes,
            group: group.map(str::to_owned),
            handle: String::new(),
            visible: Instant::now(),
        };
        self.queues.get_mut(queue).unwrap().push(message);
        id
    }
}

fn serve(stream: &TcpStream, address: SocketAddr, state: &Mutex<State>) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    loop {
        let (mut action, mut length, mut line) = (String::new(), 0, String::new());
        loop {
            line.clear();
            if reader.read_line(&mut line).ok()? == 0 {
                return None;
            }
            let (name, value) = line.trim_end().split_once(':').unwrap_or_default();
            match name.to_ascii_lowercase().as_str() {
                "x-amz-target" => action = value.rsplit('.').next().unwrap_or_default().to_owned(),
                "content-length" => length = value.trim().parse().ok()?,
                _ if line.trim_end().is_empty() => break,
                _ => {}
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        let with: Value = serde_json::from_slice(&body).ok()?;
        let (status, answer) = answer(&action, with, address, state, stream)?;
        let answer = answer.to_string();
        write!(
            &*stream,
            "HTTP/1.1 {status}\r\ncontent-type: application/x-amz-json-1.0\r\ncontent-length: {}\r\n\r\n{answer}",
            answer.len()
        )
        .ok()?;
    }
}

/// Answers a request; `None` to hang up.
fn answer(
    action: &str,
    with: Value,
    address: SocketAddr,
    state: &Mutex<State>,
    stream: &TcpStream,
) -> Option<(&'static str, Value)> {
    let wait = with["WaitTimeSeconds"].as_u64().unwrap_or(0);
    let until = Instant::now() + Duration::from_secs(wait);
    {
        let mut state = state.lock().unwrap();
        state.asked.push((action.to_owned(), with.clone()));
        if state.is_away {
            return None;
        }
        if let Some((error, times)) = state.refusals.get_mut(action).filter(|(_, times)| *times > 0)
        {
            *times -= 1;
            let message = "not here, not now";
            return Some(("400 Bad Request", json!({"__type": *error, "message": message})));
        }
        let url = with["QueueUrl"].as_str().and_then(|url| url.rsplit('/').next());
        let queue = url.or(with["QueueName"].as_str()).unwrap_or_default().to_owned();
        if !state.queues.contains_key(&queue) {
            let kind = "com.amazonaws.sqs#QueueDoesNotExist";
            let message = "The specified queue does not exist.";
            return Some(("400 Bad Request", json!({"__type": kind, "message": message})));
        }
        if action != "ReceiveMessage" {
            return Some(("200 OK", done(action, &with, &queue, address, &mut state)));
        }
    }
    loop {
        if has_hung_up(stream) {
            return None;
        }
        let messages = receive(&with, &mut state.lock().unwrap());
        if !messages.is_empty() || Instant::now() >= until {
            return Some(("200 OK", json!({ "Messages": messages })));
        }
        if state.lock().unwrap().is_away {
            return None;
        }
        thread::sleep(Duration::from_millis(10));
    }
}

/// Whether whoever asks has gone: what would be handed out then, nobody would get until its time is over.
fn has_hung_up(stream: &TcpStream) -> bool {
    stream.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
    let peeked = stream.peek(&mut [0]);
    stream.set_read_timeout(None).unwrap();
    peeked.is_ok_and(|length| length == 0)
}

fn done(action: &str, with: &Value, queue: &str, address: SocketAddr, state: &mut State) -> Value {
    let entries = with["Entries"].as_array().cloned().unwrap_or_default();
    match action {
        "GetQueueUrl" => json!({ "QueueUrl": format!("http://{address}/{ACCOUNT}/{queue}") }),
        "GetQueueAttributes" => json!({ "Attributes": {
            "QueueArn": format!("arn:aws:sqs:eu-west-1:{ACCOUNT}:{queue}"),
            "VisibilityTimeout": "30",
        }}),
        "SendMessage" => {
            let body = with["MessageBody"].as_str().unwrap();
            let id = state.send(queue, body, None, with["MessageAttributes"].clone());
            json!({ "MessageId": id, "MD5OfMessageBody": "0" })
        }
        "DeleteMessageBatch" | "ChangeMessageVisibilityBatch" => {
            let messages = state.queues.get_mut(queue).unwrap();
            for entry in &entries {
                let handle = entry["ReceiptHandle"].as_str().unwrap();
                let message = messages.iter_mut().find(|message| message.handle == handle);
                let Some(message) = message else { continue };
                match entry["VisibilityTimeout"].as_u64() {
                    Some(seconds) => {
                        message.visible = Instant::now() + Duration::from_secs(seconds);
                    }
                    None => message.is_deleted = true,
                }
            }
            let ids: Vec<Value> =
                entries.iter().map(|entry| json!({ "Id": entry["Id"] })).collect();
            json!({ "Successful": ids, "Failed": [] })
        }
        other => panic!("nobody should ask for {other}"),
    }
}

fn receive(with: &Value, state: &mut State) -> Vec<Value> {
    let most = with["MaxNumberOfMessages"].as_u64().unwrap_or(1) as usize;
    let hidden = Duration::from_secs(with["VisibilityTimeout"].as_u64().unwrap_or(30));
    let queue = with["QueueUrl"].as_str().unwrap().rsplit('/').next().unwrap();
    let messages = state.queues.get_mut(queue).unwrap();
    let held: Vec<String> = messages
        .iter()
        .filter(|message| !message.is_deleted && !message.is_there())
        .filter_map(|message| message.group.clone())
        .collect();
    let mut found = Vec::new();
    for (index, message) in messages.iter_mut().enumerate() {
        let waits = message.group.as_ref().is_some_and(|group| held.contains(group));
        if found.len() == most || waits || !message.is_there() {
            continue;
        }
        message.received += 1;
        message.visible = Instant::now() + hidden;
        message.handle = format!("{}-{}", message.id, message.received);
        let mut attributes = json!({
            "ApproximateReceiveCount": message.received.to_string(),
            "SentTimestamp": "1700000000000",
            "SenderId": "AIDA",
            "ApproximateFirstReceiveTimestamp": "1700000000001",
        });
        if let Some(group) = &message.group {
            attributes["MessageGroupId"] = group.as_str().into();
            attributes["SequenceNumber"] = index.to_string().into();
        }
        found.push(json!({
            "MessageId": message.id,
            "ReceiptHandle": message.handle,
            "Body": message.body,
            "MD5OfBody": "d41d8cd98f00b204e9800998ecf8427e",
            "Attributes": attributes,
            "MessageAttributes": { "kind": { "StringValue": "full", "DataType": "String" } },
        }));
    }
    found
}
