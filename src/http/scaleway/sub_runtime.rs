//! Programs of their own that run functions, as they did behind Scaleway's core runtime: for the time until they have
//! moved. Contract: the core runtime's protocol, a `POST` for each invocation whose body has `event`, `context`, `handlerName` and
//! `handlerPath`. Nothing here is made to be fast: every call is a connection of its own.

use bytes::Bytes;
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use std::{cell::Cell, fmt::Display, io, rc::Rc, sync::Arc, time::Duration};
use tokio::{net::TcpStream, time};
use trine_engine::{
    Capabilities, Engine, EngineInfo, Environment, Error, ErrorKind, Exports, Form, FunctionId,
    Instance, Interrupter, Invocation, LocalFuture, Module, Payload, RawPayload, Result, Usage,
    json_string,
};

/// Attempts to reach a program, which may just have been started, and the time between two.
const ATTEMPTS: u32 = 200;
const PAUSE: Duration = Duration::from_millis(50);

/// The engine of functions that a program runs behind a port of its own.
#[derive(Debug)]
pub struct SubRuntime {
    info: EngineInfo,
    upstream: Arc<Upstream>,
}

/// What such a program is asked, and where.
#[derive(Debug)]
struct Upstream {
    host: String,
    port: u16,
    handler_name: String,
    handler_path: String,
}

impl SubRuntime {
    /// Makes the engine of a program that listens on this port of a host (`http://127.0.0.1`), and is told name and path of
    /// its handler.
    ///
    /// # Errors
    /// The reason why the host is none.
    pub fn new(
        host: &str,
        port: u16,
        handler_name: impl Into<String>,
        handler_path: impl Into<String>,
    ) -> std::result::Result<Self, String> {
        let bare = host.strip_prefix("http://").unwrap_or(host).trim_end_matches('/');
        if bare.is_empty() || bare.contains(['/', ' ', '@', '?', '#']) {
            return Err(format!("{host:?} is no host: write it as http://127.0.0.1"));
        }
        let capabilities =
            Capabilities { async_handlers: true, interleaving: true, ..Capabilities::default() };
        let info = EngineInfo::new("sub-runtime", "a program of its own", "upstream protocol");
        let upstream = Upstream {
            host: bare.to_owned(),
            port,
            handler_name: handler_name.into(),
            handler_path: handler_path.into(),
        };
        Ok(Self { info: info.with_capabilities(capabilities), upstream: Arc::new(upstream) })
    }
}

impl Engine for SubRuntime {
    fn info(&self) -> &EngineInfo {
        &self.info
    }

    fn start(&self, _environment: &Environment) -> Result<Rc<dyn Instance>> {
        Ok(Rc::new(Caller { upstream: self.upstream.clone(), calls: Cell::new(0) }))
    }
}

struct Caller {
    upstream: Arc<Upstream>,
    calls: Cell<u64>,
}

impl Instance for Caller {
    fn load<'a>(&'a self, _module: &'a Module) -> LocalFuture<'a, Result<Exports>> {
        // What it is able to do it says at its first call.
        Box::pin(async { Ok(Exports::handler(self.upstream.handler_name.as_str(), FunctionId(0))) })
    }

    fn call<'a>(
        &'a self,
        _function: FunctionId,
        input: Payload,
        _form: Form,
        invocation: &'a Rc<Invocation>,
    ) -> LocalFuture<'a, Result<Payload>> {
        self.calls.set(self.calls.get() + 1);
        Box::pin(async move {
            let (event, _) = input.into_bytes()?;
            let context = invocation.conventions.as_ref().map(|conventions| &*conventions.context);
            let question = self.upstream.question(&event, context.unwrap_or("{}"))?;
            let (status, answer) = self.upstream.ask(question).await?;
            let answer = String::from_utf8(answer.into());
            if status == StatusCode::INTERNAL_SERVER_ERROR {
                let message =
                    answer.unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into());
                return Err(Error::new(ErrorKind::Guest, message.trim_end()));
            }
            Ok(match answer {
                Ok(text) => Payload::json(json_string(&text)),
                Err(bytes) => Payload::Raw(RawPayload {
                    bytes: bytes.into_bytes().into(),
                    content_type: "application/octet-stream",
                }),
            })
        })
    }

    fn interrupter(&self) -> Interrupter {
        // A call only waits, and is dropped.
        Interrupter::new(|| ())
    }

    fn usage(&self) -> Usage {
        Usage { heap_bytes: 0, calls: self.calls.get() }
    }

    fn shutdown(&self) {}
}

impl Upstream {
    fn question(&self, event: &[u8], context: &str) -> Result<Bytes> {
        let event = std::str::from_utf8(event);
        let event = event.map_err(|_| Error::new(ErrorKind::Unmarshal, "the event is no text"))?;
        let (name, path) = (json_string(&self.handler_name), json_string(&self.handler_path));
        let event = if event.is_empty() { "null" } else { event };
        Ok(Bytes::from(format!(
            r#"{{"event":{event},"context":{context},"handlerName":{name},"handlerPath":{path}}}"#
        )))
    }

    async fn ask(&self, question: Bytes) -> Result<(StatusCode, Bytes)> {
        let stream = TokioIo::new(self.connect().await?);
        let failed = |error: &dyn Display| self.failed(error);
        let (mut sender, connection) =
            http1::handshake(stream).await.map_err(|error| failed(&error))?;
        // It ends with the sender.
        tokio::spawn(connection);
        let request = Request::post("/")
            .header(header::HOST, format!("{}:{}", self.host, self.port))
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::CONNECTION, "close")
            .body(Full::new(question))
            .map_err(|error| failed(&error))?;
        let response = sender.send_request(request).await.map_err(|error| failed(&error))?;
        let status = response.status();
        let body = response.into_body().collect().await.map_err(|error| failed(&error))?;
        Ok((status, body.to_bytes()))
    }

    /// Connects, for as long as nobody listens yet.
    async fn connect(&self) -> Result<TcpStream> {
        for _ in 0..ATTEMPTS {
            match TcpStream::connect((self.host.as_str(), self.port)).await {
                Ok(stream) => return Ok(stream),
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                    time::sleep(PAUSE).await;
                }
                Err(error) => return Err(self.failed(&error)),
            }
        }
        let seconds = (PAUSE * ATTEMPTS).as_secs();
        Err(self.failed(&format!(
            "too many retries, sub-runtime server did not come up in {seconds} seconds"
        )))
    }

    fn failed(&self, error: &dyn Display) -> Error {
        Error::internal(format!("the program at {}:{}: {error}", self.host, self.port))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_may_have_its_scheme_and_nothing_else() {
        for (host, bare) in [
            ("http://127.0.0.1", Some("127.0.0.1")),
            ("http://runtime/", Some("runtime")),
            ("localhost", Some("localhost")),
            ("https://localhost", None),
            ("http://", None),
            ("http://a/b", None),
        ] {
            let found = SubRuntime::new(host, 8081, "handle", "/handler").map(|made| {
                Arc::into_inner(made.upstream).map(|upstream| upstream.host).unwrap_or_default()
            });
            assert_eq!(found.as_deref().ok(), bare, "{host}");
        }
    }

    #[test]
    fn a_question_has_event_context_and_handler() {
        let made = SubRuntime::new("http://127.0.0.1", 8081, "handle", "/a\"b").unwrap();
        let question = made.upstream.question(br#"{"a":1}"#, r#"{"b":2}"#).unwrap();
        let expected =
            r#"{"event":{"a":1},"context":{"b":2},"handlerName":"handle","handlerPath":"/a\"b"}"#;
        assert_eq!(question, expected);
        assert!(made.upstream.question(b"\xff", "{}").is_err());
    }
}
