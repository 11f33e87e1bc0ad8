//! A collector's stand-in: it takes OTLP over a real socket, decodes the protobuf with the protocol's own messages, and
//! keeps what it was sent.

use crate::support::eventually;
use flate2::read::GzDecoder;
use opentelemetry_proto::tonic::{
    collector::{logs::v1::ExportLogsServiceRequest, trace::v1::ExportTraceServiceRequest},
    common::v1::{AnyValue, KeyValue, any_value},
    logs::v1::LogRecord,
    trace::v1::Span,
};
use prost::Message;
use serde_json::{Map, Value, json};
use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

/// What a collector does with a request.
#[derive(Debug, Clone, Copy)]
pub(super) enum Manner {
    /// Takes what was sent.
    Takes,
    /// Takes nothing, and answers with these bytes.
    Answers(&'static str),
    /// Takes nothing, and does not answer.
    Hangs,
}

/// A request, as it came.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) path: String,
    pub(super) headers: BTreeMap<String, String>,
    /// The attributes of what sent it.
    pub(super) resource: Value,
}

#[derive(Debug, Default)]
struct Taken {
    requests: Vec<Request>,
    spans: Vec<Span>,
    records: Vec<LogRecord>,
    /// Requests of any kind, taken or not.
    count: usize,
}

/// A collector on this machine, for as long as the test runs.
pub(super) struct Collector {
    address: SocketAddr,
    manner: Arc<Mutex<Manner>>,
    taken: Arc<Mutex<Taken>>,
}

impl Collector {
    pub(super) fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (manner, taken) = (Arc::new(Mutex::new(manner)), Arc::<Mutex<Taken>>::default());
        let (how, where_to) = (manner.clone(), taken.clone());
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (how, where_to) = (how.clone(), where_to.clone());
                thread::spawn(move || while exchange(&stream, &how, &where_to).is_some() {});
            }
        });
        Self { address, manner, taken }
    }

    /// Returns its base URL.
    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(super) fn set(&self, manner: Manner) {
        *self.manner.lock().unwrap() = manner;
    }

    /// Returns the requests that it has taken.
    pub(super) fn requests(&self) -> Vec<Request> {
        self.taken.lock().unwrap().requests.clone()
    }

    /// Returns the number of requests that have come.
    pub(super) fn count(&self) -> usize {
        self.taken.lock().unwrap().count
    }

    /// Returns the spans that it has taken.
    pub(super) fn spans(&self) -> Vec<Told> {
        self.taken.lock().unwrap().spans.iter().map(Told::of).collect()
    }

    /// Waits for a span that `is_wanted`, and returns it.
    #[track_caller]
    pub(super) fn span(&self, what: &str, is_wanted: impl Fn(&Told) -> bool) -> Told {
        eventually(&format!("the collector has {what}: {:#?}", self.spans()), || {
            self.spans().into_iter().find(&is_wanted)
        })
    }

    /// Waits for the span of the invocation with this request id.
    #[track_caller]
    pub(super) fn invocation(&self, id: &str) -> Told {
        self.span(&format!("the span of {id}"), |span| span.facts["faas.invocation_id"] == id)
    }

    /// Waits until a span has as many children, and returns them in the order in which they began.
    #[track_caller]
    pub(super) fn children(&self, of: &Told, count: usize) -> Vec<Told> {
        eventually(&format!("{} has {count} parts: {:#?}", of.name, self.spans()), || {
            let mut all = self.spans();
            all.retain(|span| span.parent == of.id && span.trace == of.trace);
            all.sort_by_key(|span| span.begun);
            (all.len() >= count).then_some(all)
        })
    }

    /// Returns the messages that it has taken.
    pub(super) fn records(&self) -> Vec<Line> {
        self.taken.lock().unwrap().records.iter().map(Line::of).collect()
    }

    /// Waits for a message with this text.
    #[track_caller]
    pub(super) fn record(&self, text: &str) -> Line {
        eventually(&format!("the collector has {text:?}: {:#?}", self.records()), || {
            self.records().into_iter().find(|line| line.body.to_string().contains(text))
        })
    }
}

/// Takes one request of a connection; `None` at its end.
fn exchange(stream: &TcpStream, manner: &Mutex<Manner>, taken: &Mutex<Taken>) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let path = line.split(' ').nth(1)?.to_owned();
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.insert(name.to_lowercase(), value.trim().to_owned());
    }
    let mut body = vec![0; headers.get("content-length")?.parse().ok()?];
    reader.read_exact(&mut body).ok()?;
    let manner = *manner.lock().unwrap();
    taken.lock().unwrap().count += 1;
    match manner {
        Manner::Takes => {}
        Manner::Answers(bytes) => return (&mut &*stream).write_all(bytes.as_bytes()).ok(),
        Manner::Hangs => {
            // Until the other side has had enough.
            let _ = reader.read(&mut [0]);
            return None;
        }
    }
    if headers.get("content-encoding").is_some_and(|encoding| encoding == "gzip") {
        let mut plain = Vec::new();
        GzDecoder::new(&*body).read_to_end(&mut plain).unwrap();
        body = plain;
    }
    take(&mut taken.lock().unwrap(), path, headers, &body);
    let answer =
        "HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n";
    (&mut &*stream).write_all(answer.as_bytes()).ok()
}

/// Decodes what was sent. What is no protobuf of the protocol fails the connection, and so the test.
fn take(taken: &mut Taken, path: String, headers: BTreeMap<String, String>, body: &[u8]) {
    let resource = if path.ends_with("/logs") {
        let sent = ExportLogsServiceRequest::decode(body).unwrap();
        let of = sent.resource_logs.first().and_then(|logs| logs.resource.clone());
        let scopes = sent.resource_logs.into_iter().flat_map(|logs| logs.scope_logs);
        taken.records.extend(scopes.flat_map(|scope| scope.log_records));
        of
    } else {
        let sent = ExportTraceServiceRequest::decode(body).unwrap();
        let of = sent.resource_spans.first().and_then(|spans| spans.resource.clone());
        let scopes = sent.resource_spans.into_iter().flat_map(|spans| spans.scope_spans);
        taken.spans.extend(scopes.flat_map(|scope| scope.spans));
        of
    };
    let resource = facts(&resource.unwrap_or_default().attributes);
    taken.requests.push(Request { path, headers, resource });
}

/// A span, in a form to compare.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Told {
    pub(super) trace: String,
    pub(super) id: String,
    pub(super) parent: String,
    pub(super) name: String,
    /// 1 for a part, 2 for a server's, 5 for a consumer's.
    pub(super) kind: i32,
    pub(super) facts: Value,
    /// The attributes of its events.
    pub(super) events: Vec<(String, Value)>,
    /// The traces that it is linked to.
    pub(super) links: Vec<String>,
    pub(super) has_failed: bool,
    pub(super) status: String,
    pub(super) begun: u64,
    pub(super) ended: u64,
}

impl Told {
    fn of(span: &Span) -> Self {
        let status = span.status.clone().unwrap_or_default();
        let events = span.events.iter();
        Self {
            trace: hex(&span.trace_id),
            id: hex(&span.span_id),
            parent: hex(&span.parent_span_id),
            name: span.name.clone(),
            kind: span.kind,
            facts: facts(&span.attributes),
            events: events.map(|event| (event.name.clone(), facts(&event.attributes))).collect(),
            links: span.links.iter().map(|link| hex(&link.trace_id)).collect(),
            has_failed: status.code == 2,
            status: status.message,
            begun: span.start_time_unix_nano,
            ended: span.end_time_unix_nano,
        }
    }

    /// Returns it as a `traceparent` of a trace that is recorded.
    pub(super) fn traceparent(&self) -> String {
        format!("00-{}-{}-01", self.trace, self.id)
    }

    /// Returns the attributes of the only exception that it tells of.
    #[track_caller]
    pub(super) fn exception(&self) -> &Value {
        let [(name, facts)] = self.events.as_slice() else { panic!("{self:#?}") };
        assert_eq!(name, "exception");
        facts
    }
}

/// A message, in a form to compare.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Line {
    pub(super) trace: String,
    pub(super) span: String,
    pub(super) severity: i32,
    pub(super) level: String,
    pub(super) body: Value,
    pub(super) facts: Value,
}

impl Line {
    fn of(record: &LogRecord) -> Self {
        Self {
            trace: hex(&record.trace_id),
            span: hex(&record.span_id),
            severity: record.severity_number,
            level: record.severity_text.clone(),
            body: record.body.as_ref().map_or(Value::Null, value),
            facts: facts(&record.attributes),
        }
    }
}

fn facts(attributes: &[KeyValue]) -> Value {
    let of = |attribute: &KeyValue| {
        (attribute.key.clone(), attribute.value.as_ref().map_or(Value::Null, value))
    };
    Value::Object(attributes.iter().map(of).collect::<Map<_, _>>())
}

fn value(of: &AnyValue) -> Value {
    match &of.value {
        Some(any_value::Value::StringValue(text)) => json!(text),
        Some(any_value::Value::BoolValue(is)) => json!(is),
        Some(any_value::Value::IntValue(number)) => json!(number),
        Some(any_value::Value::DoubleValue(number)) => json!(number),
        Some(any_value::Value::ArrayValue(all)) => all.values.iter().map(value).collect(),
        Some(any_value::Value::KvlistValue(members)) => facts(&members.values),
        _ => Value::Null,
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
