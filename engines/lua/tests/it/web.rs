//! Web applications: what is told to be one, what it is called with, what becomes of its answer.

mod bodies;
mod fetch;
mod pieces;
mod telling;
mod wrong;
mod wsapi;

use crate::support::{Guest, invocation};
use bytes::Bytes;
use std::{rc::Rc, sync::Arc};
use trine_engine::{
    Fields, Form, FunctionId, Interface, Invocation, Payload, RequestBody, Result, Wanted,
    WebRequest,
};

/// An application that is loaded.
struct App {
    guest: Guest,
    function: FunctionId,
    interface: Interface,
}

/// What a client gets.
#[derive(Debug)]
struct Answer {
    status: u16,
    reason: Option<String>,
    headers: Fields,
    body: Bytes,
    /// Whether it came in pieces.
    is_streamed: bool,
}

impl Answer {
    fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| std::str::from_utf8(value).unwrap())
    }
}

impl App {
    /// Loads the application of `app.lua` that nobody names.
    async fn new(source: &str) -> Self {
        Self::of(Guest::new(source), Wanted::Unnamed).await.unwrap()
    }

    /// Loads a module whose `fetch(request, context)` has this body.
    async fn fetch(body: &str) -> Self {
        Self::new(&format!("return {{ fetch = function(request, context)\n{body}\nend }}")).await
    }

    /// Loads a module whose `run(wsapi_env)` has this body.
    async fn wsapi(body: &str) -> Self {
        Self::new(&format!("return {{ run = function(wsapi_env)\n{body}\nend }}")).await
    }

    async fn of(guest: Guest, wanted: Wanted) -> Result<Self> {
        let exports = guest.instance.load(&guest.module("app", wanted)).await?;
        assert_eq!(exports.functions.len(), 1);
        let function = exports.functions[0].1;
        Ok(Self { guest, function, interface: exports.interface })
    }

    async fn call(&self, request: WebRequest, cx: &Rc<Invocation>) -> Result<Payload> {
        let input = Payload::Request(Arc::new(request));
        let result = self.guest.instance.call(self.function, input, Form::Json, cx).await;
        cx.stream.get().finish(Ok(()));
        result
    }

    /// Sends a request and reads the answer to its end.
    async fn ask(&self, request: WebRequest) -> Result<Answer> {
        self.ask_as(request, &invocation("id-1")).await
    }

    async fn ask_as(&self, request: WebRequest, cx: &Rc<Invocation>) -> Result<Answer> {
        let mut reader = cx.stream.get().reader();
        let read = async {
            let mut body = Vec::new();
            while let Some(chunk) = reader.chunk().await {
                body.extend_from_slice(&chunk);
            }
            body
        };
        let (result, body) = tokio::join!(self.call(request, cx), read);
        match result? {
            Payload::Response(response) => {
                assert!(body.is_empty());
                let (head, body) = (response.head, response.body);
                let (status, reason, headers) = (head.status, head.reason, head.headers);
                Ok(Answer { status, reason, headers, body, is_streamed: false })
            }
            Payload::Streamed => {
                let head = *cx.stream.get().head().response.unwrap();
                let (status, reason, headers) = (head.status, head.reason, head.headers);
                Ok(Answer { status, reason, headers, body: body.into(), is_streamed: true })
            }
            other => panic!("{other:?}"),
        }
    }

    /// Sends `GET /` and returns the text of the answer.
    async fn text(&self) -> String {
        self.ask(get("/")).await.unwrap().text().to_owned()
    }
}

/// Makes a request for a path with its query.
fn get(target: &str) -> WebRequest {
    with_method("GET", target)
}

fn with_method(method: &str, target: &str) -> WebRequest {
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, Some(query.to_owned())),
        None => (target, None),
    };
    let mut request = WebRequest::new(method, path, ("localhost", 8080));
    request.query = query;
    request.headers.push("host", "example.com");
    request.client = Some(([203, 0, 113, 7], 4711).into());
    request
}

/// Makes a request with a body that is there.
fn post(body: impl Into<Bytes>) -> WebRequest {
    with_method("POST", "/").with_body(RequestBody::Whole(body.into()))
}
