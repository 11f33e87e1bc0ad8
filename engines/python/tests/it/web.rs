//! Web applications: requests in, responses out.

mod asgi;
mod lifespan;
mod sockets;
mod streams;
mod telling;
mod wsgi;
mod wsgi_bodies;

use crate::harness::{Case, LIMIT, block_on, invocation};
use bytes::Bytes;
use std::{rc::Rc, sync::Arc};
use trine_engine::{
    Error, Fields, Form, FunctionId, Interface, Invocation, Payload, RequestBody, ResponseHead,
    ResponseStream, Result, Wanted, WebRequest,
};

/// An application that was loaded.
struct App {
    case: Case,
    function: FunctionId,
    interface: Interface,
}

/// A response, as its client has seen it.
#[derive(Debug)]
struct Seen {
    head: ResponseHead,
    chunks: Vec<Bytes>,
    /// Whether it went through the stream.
    streamed: bool,
    trailers: Option<Fields>,
    /// How the call ended.
    result: Result<()>,
}

impl Seen {
    fn body(&self) -> String {
        String::from_utf8(self.chunks.concat()).unwrap()
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.head.headers.get(name).map(|value| std::str::from_utf8(value).unwrap())
    }
}

impl App {
    /// Loads `app` from an `app.py` with this text.
    fn new(source: &str) -> Self {
        Self::loaded(source, Wanted::Handler("app".to_owned()), None).unwrap()
    }

    fn loaded(source: &str, wanted: Wanted, interface: Option<Interface>) -> Result<Self> {
        let case = Case::new(&[("app.py", source)]);
        let module = case.module("app", wanted).with_interface(interface);
        let exports = block_on(case.instance.load(&module))?;
        let function = exports.functions[0].1;
        Ok(Self { case, function, interface: exports.interface })
    }

    /// Sends a request, and reads its response to the end.
    async fn send(&self, request: WebRequest) -> Seen {
        self.send_for(request, &Rc::new(invocation())).await
    }

    async fn send_for(&self, request: WebRequest, invocation: &Rc<Invocation>) -> Seen {
        let stream = invocation.stream.get().clone();
        let call = async {
            let result = self.call(request, invocation).await;
            stream.finish(Ok(()));
            result
        };
        let reading = async {
            let mut reader = stream.reader();
            let mut chunks = Vec::new();
            while let Some(chunk) = reader.chunk().await {
                chunks.push(chunk);
            }
            (chunks, reader.take_trailers())
        };
        let (result, (chunks, trailers)) = tokio::join!(call, reading);
        let head = stream.head().response.map(|head| *head);
        match result {
            Ok(Payload::Response(response)) => {
                assert!(head.is_none() && chunks.is_empty(), "{chunks:?}");
                let chunks = vec![response.body];
                Seen { head: response.head, chunks, streamed: false, trailers, result: Ok(()) }
            }
            Ok(Payload::Streamed) => {
                let head = head.unwrap_or_default();
                Seen { head, chunks, streamed: true, trailers, result: Ok(()) }
            }
            Ok(other) => panic!("{other:?}"),
            Err(error) => {
                let streamed = head.is_some();
                let head = head.unwrap_or_default();
                Seen { head, chunks, streamed, trailers, result: Err(error) }
            }
        }
    }

    async fn call(&self, request: WebRequest, invocation: &Rc<Invocation>) -> Result<Payload> {
        let input = Payload::Request(Arc::new(request));
        let call = self.case.instance.call(self.function, input, Form::Json, invocation);
        tokio::time::timeout(LIMIT, call).await.expect("it does not hang")
    }

    fn get(&self, path: &str) -> Seen {
        block_on(self.send(get(path)))
    }

    fn post(&self, body: &str) -> Seen {
        let body = RequestBody::Whole(body.to_owned().into());
        block_on(self.send(request("POST", "/").with_body(body)))
    }

    fn error(&self) -> Error {
        self.get("/").result.unwrap_err()
    }
}

fn get(path: &str) -> WebRequest {
    request("GET", path)
}

fn request(method: &str, target: &str) -> WebRequest {
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, Some(query.to_owned())),
        None => (target, None),
    };
    let mut request = WebRequest::new(method, path, ("example.test", 8080));
    request.query = query;
    request.headers = Fields::from_iter([("host", "example.test:8080"), ("accept", "*/*")]);
    request.client = Some("10.0.0.7:5123".parse().unwrap());
    request
}

/// Makes a body that arrives, and the way by which it does.
fn arriving() -> (RequestBody, ResponseStream) {
    let stream = ResponseStream::new(None);
    (RequestBody::Arriving(stream.reader()), stream)
}

/// Interrupts what an instance runs, once that has printed that it has begun.
fn interrupt_once_begun(case: &Case) -> std::thread::JoinHandle<()> {
    let (interrupter, log) = (case.instance.interrupter(), case.log.clone());
    std::thread::spawn(move || {
        log.wait_for("begun");
        interrupter.interrupt();
    })
}
