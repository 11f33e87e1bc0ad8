//! Web applications as handlers: what they are taken for, what they get, and what becomes of their answers.

mod fetch;
mod frameworks;
mod misuse;
mod node;
mod telling;
mod upgrades;

use crate::support::{Guest, invocation};
use bytes::Bytes;
use deno_runtime::deno_core::futures::future::join;
use std::{
    future::{Future, poll_fn},
    net::SocketAddr,
    pin::pin,
    rc::Rc,
    sync::Arc,
    task::Poll,
};
use trine_engine::{
    Error, Exports, Fields, Form, FunctionId, Interface, Invocation, Payload, RequestBody,
    ResponseHead, ResponseStream, Result, StreamReader, Wanted, WebRequest, Written,
};

/// What a client saw of a call.
#[derive(Debug)]
struct Seen {
    head: ResponseHead,
    chunks: Vec<Bytes>,
    trailers: Option<Fields>,
    is_streamed: bool,
    result: Result<()>,
}

impl Seen {
    fn body(&self) -> String {
        String::from_utf8_lossy(&self.chunks.concat()).into_owned()
    }

    /// Returns a header's values, one after the other.
    fn header(&self, name: &str) -> Option<String> {
        let values: Vec<_> = self.head.headers.all(name).map(String::from_utf8_lossy).collect();
        (!values.is_empty()).then(|| values.join("|"))
    }

    /// Returns status and body of what ended well and was not streamed.
    #[track_caller]
    fn whole(&self) -> (u16, String) {
        assert!(self.result.is_ok() && !self.is_streamed, "{self:?}");
        (self.head.status, self.body())
    }

    /// Returns status and body of what was streamed and ended well.
    #[track_caller]
    fn streamed(&self) -> (u16, String) {
        assert!(self.result.is_ok() && self.is_streamed, "{self:?}");
        (self.head.status, self.body())
    }

    /// Returns status and body of what ended well.
    #[track_caller]
    fn streamed_or_whole(&self) -> (u16, String) {
        assert!(self.result.is_ok(), "{self:?}");
        (self.head.status, self.body())
    }

    #[track_caller]
    fn error(&self) -> &Error {
        self.result.as_ref().expect_err("the call fails")
    }
}

fn get(path: &str) -> WebRequest {
    let mut request = WebRequest::new("GET", path, ("localhost", 8080));
    request.headers = Fields::from_iter([("host", "example.org"), ("accept", "*/*")]);
    request.client = Some(SocketAddr::from(([10, 0, 0, 7], 4711)));
    request
}

fn post(path: &str, content_type: &str, body: impl Into<Bytes>) -> WebRequest {
    let body = body.into();
    let mut request = get(path);
    request.method = "POST".to_owned();
    request.headers.push("content-type", content_type);
    request.headers.push("content-length", body.len().to_string());
    request.with_body(RequestBody::Whole(body))
}

/// Makes a request whose body comes in while the application runs, and what writes it.
fn upload(path: &str) -> (WebRequest, ResponseStream) {
    let body = ResponseStream::new(None);
    let mut request = get(path);
    request.method = "POST".to_owned();
    request.headers.push("transfer-encoding", "chunked");
    (request.with_body(RequestBody::Arriving(body.reader())), body)
}

async fn load(guest: &Guest, name: &str) -> Result<Exports> {
    guest.load("app.mjs", Wanted::Handler(name.to_owned())).await
}

/// Loads the default export of `app.mjs`, which has to be of this interface.
async fn application(guest: &Guest, interface: Interface) -> FunctionId {
    let exports = guest.load("app.mjs", Wanted::Unnamed).await.unwrap();
    assert_eq!(exports.interface, interface);
    exports.functions[0].1
}

/// Calls an application. `read` gets the reader of the response at every turn, and gives it back unless the client is to go.
async fn serve(
    guest: &Guest,
    function: FunctionId,
    request: WebRequest,
    invocation: &Rc<Invocation>,
    mut read: impl FnMut(&mut Seen, StreamReader) -> Option<StreamReader>,
) -> Seen {
    let input = Payload::Request(Arc::new(request));
    let mut call = pin!(guest.instance.call(function, input, Form::Json, invocation));
    let stream = invocation.stream.get().clone();
    let mut reader = Some(stream.reader());
    let mut seen = Seen {
        head: ResponseHead::default(),
        chunks: Vec::new(),
        trailers: None,
        is_streamed: false,
        result: Ok(()),
    };
    let mut result = None;
    poll_fn(|cx| {
        if result.is_none()
            && let Poll::Ready(done) = call.as_mut().poll(cx)
        {
            stream.finish(Ok(()));
            result = Some(done);
        }
        while let Some(open) = &mut reader
            && let Poll::Ready(Some(chunk)) = open.poll_chunk(cx)
        {
            seen.chunks.push(chunk);
        }
        if let Some(head) = stream.head().response {
            seen.head = *head;
        }
        if let Some(open) = reader.take() {
            reader = read(&mut seen, open);
            if reader.is_none() {
                cx.waker().wake_by_ref();
            }
        }
        if result.is_some() { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    seen.trailers = reader.as_mut().and_then(StreamReader::take_trailers);
    match result.unwrap() {
        Ok(Payload::Response(response)) => {
            assert!(seen.chunks.is_empty(), "nothing was streamed");
            seen.head = response.head;
            seen.chunks = vec![response.body];
        }
        Ok(Payload::Streamed) => seen.is_streamed = true,
        Ok(other) => panic!("no answer to a request: {other:?}"),
        Err(error) => seen.result = Err(error),
    }
    seen
}

async fn ask(guest: &Guest, function: FunctionId, request: WebRequest) -> Seen {
    serve(guest, function, request, &invocation(), |_, reader| Some(reader)).await
}

/// Writes a body in pieces, no faster than it is read.
async fn feed(body: &ResponseStream, pieces: usize, piece: &'static [u8]) -> usize {
    let mut waits = 0;
    for _ in 0..pieces {
        if body.write(Bytes::from_static(piece)).unwrap() == Written::Full {
            waits += 1;
            if !body.ready().await {
                return waits;
            }
        }
    }
    body.end();
    waits
}
