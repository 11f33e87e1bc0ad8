//! Web requests and their responses, for handlers that are web applications.

use crate::{Fields, Payload, StreamReader, WebSocket};
use bytes::Bytes;
use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// A web request on its way to an application, which takes its body once.
///
/// It may change threads. [`crate::Invocation::stream`] is where an answer goes that is not whole, and where the application
/// finds out that its client is gone, also before it answers.
pub struct WebRequest {
    /// The method, as it was sent.
    pub method: String,
    /// `http` or `https`.
    pub scheme: String,
    /// The protocol's version: `1.0`, `1.1` or `2`.
    pub version: String,
    /// The path, as it was sent: with its percent signs, without the query, with [`WebRequest::mount`].
    pub path: String,
    /// The part of the path that leads to the application, without a slash at its end: `/shop`. Empty where the application
    /// has the whole of its host.
    pub mount: String,
    /// The query, as it was sent, without its question mark; `None` where there is no question mark.
    pub query: Option<String>,
    /// The header fields, names in lower case. `host` is there unless the client sent none.
    pub headers: Fields,
    /// The client's address, where it is known; its port is 0 where that is not.
    pub client: Option<SocketAddr>,
    /// The host and the port at which the request came in.
    pub server: (String, u16),
    /// The event that the request was made of, as JSON text, where one was.
    pub event: Option<Bytes>,
    /// Whether its body, once it has been answered with a status of 101, is what comes over the connection in the protocol
    /// that was agreed on.
    pub upgrades: bool,
    body: Mutex<Option<RequestBody>>,
    socket: Mutex<Option<WebSocket>>,
    write_event: Mutex<Option<WriteEvent>>,
}

/// Writes the event that a request would be, of the request's body.
struct WriteEvent {
    write: Box<dyn FnOnce(Bytes) -> Payload + Send>,
    /// The largest body that it is for, in bytes.
    limit: usize,
}

/// The body of a request.
#[derive(Debug)]
pub enum RequestBody {
    /// All of it.
    Whole(Bytes),
    /// What comes in while the application runs. The failure with which it ends where it does not come whole
    /// ([`crate::ResponseStream::take_failure`] of [`StreamReader::stream`]) tells why. Dropping the reader says that nobody
    /// reads the rest.
    Arriving(StreamReader),
}

impl WebRequest {
    /// Makes a request to a path without a query, by HTTP/1.1, that has no headers and no body. `server` is the host and the
    /// port at which it came in.
    ///
    /// ```
    /// use trine_engine::{Fields, RequestBody, WebRequest};
    ///
    /// let mut request = WebRequest::new("POST", "/shop/cart%20a", ("localhost", 8080));
    /// request.mount = "/shop".to_owned();
    /// request.headers = Fields::from_iter([("content-type", "text/plain")]);
    /// let request = request.with_body(RequestBody::Whole("hello".into()));
    /// assert_eq!(request.path_in_mount(), "/cart%20a");
    /// assert!(matches!(request.take_body(), RequestBody::Whole(body) if body == "hello"));
    /// assert!(matches!(request.take_body(), RequestBody::Whole(body) if body.is_empty()));
    /// ```
    pub fn new(
        method: impl Into<String>,
        path: impl Into<String>,
        server: (impl Into<String>, u16),
    ) -> Self {
        Self {
            method: method.into(),
            scheme: "http".to_owned(),
            version: "1.1".to_owned(),
            path: path.into(),
            mount: String::new(),
            query: None,
            headers: Fields::default(),
            client: None,
            server: (server.0.into(), server.1),
            event: None,
            upgrades: false,
            body: Mutex::default(),
            socket: Mutex::default(),
            write_event: Mutex::default(),
        }
    }

    /// Sets the body.
    #[must_use]
    pub fn with_body(self, body: RequestBody) -> Self {
        Self { body: Mutex::new(Some(body)), ..self }
    }

    /// Sets the WebSocket that the request asks for.
    #[must_use]
    pub fn with_socket(self, socket: WebSocket) -> Self {
        Self { socket: Mutex::new(Some(socket)), ..self }
    }

    /// Sets what makes an event of the request and its body of at most `limit` bytes, for functions that are no web
    /// applications.
    #[must_use]
    pub fn with_event_writer(
        self,
        limit: usize,
        write: impl FnOnce(Bytes) -> Payload + Send + 'static,
    ) -> Self {
        let write = Box::new(write);
        Self { write_event: Mutex::new(Some(WriteEvent { write, limit })), ..self }
    }

    /// Returns the size in bytes of the largest body with which the request can be an event.
    pub fn event_body_limit(&self) -> usize {
        locked(&self.write_event).as_ref().map_or(usize::MAX, |writer| writer.limit)
    }

    /// Returns the body; an empty one from the second time on.
    pub fn take_body(&self) -> RequestBody {
        locked(&self.body).take().unwrap_or(RequestBody::Whole(Bytes::new()))
    }

    /// Gives back a body that was taken, or another one.
    pub fn put_body(&self, body: RequestBody) {
        *locked(&self.body) = Some(body);
    }

    /// Returns the WebSocket that the request asks for, once; `None` where it asks for none.
    pub fn take_socket(&self) -> Option<WebSocket> {
        locked(&self.socket).take()
    }

    /// Whether the request asks for a WebSocket that nobody has taken.
    pub fn has_socket(&self) -> bool {
        locked(&self.socket).is_some()
    }

    /// Returns the event that the request would be with this body, once; `None` where its front door does not make events.
    pub fn write_event(&self, body: Bytes) -> Option<Payload> {
        let writer = locked(&self.write_event).take()?;
        Some((writer.write)(body))
    }

    /// Returns the path below [`WebRequest::mount`], as it was sent; at least `/`.
    pub fn path_in_mount(&self) -> &str {
        let below = self.path.strip_prefix(&self.mount).filter(|rest| rest.starts_with('/'));
        match below {
            Some(below) => below,
            None if self.path == self.mount => "/",
            None => &self.path,
        }
    }

    /// Returns the path below [`WebRequest::mount`] with the query, as it was sent.
    pub fn target_in_mount(&self) -> String {
        let path = self.path_in_mount();
        match &self.query {
            Some(query) => format!("{path}?{query}"),
            None => path.to_owned(),
        }
    }

    /// Returns the client's address without its port.
    pub fn client_ip(&self) -> Option<IpAddr> {
        self.client.map(|client| client.ip())
    }
}

fn locked<T>(place: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is kept there is valid after every step.
    place.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for WebRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebRequest")
            .field("method", &self.method)
            .field("path", &self.path)
            .field("mount", &self.mount)
            .field("query", &self.query)
            .field("headers", &self.headers)
            .finish_non_exhaustive()
    }
}

/// The head of a response.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ResponseHead {
    /// The status: 100 to 999.
    pub status: u16,
    /// The reason that goes with it, where the application has words of its own.
    pub reason: Option<String>,
    /// The header fields.
    pub headers: Fields,
}

/// A response that is whole.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WebResponse {
    /// Its head.
    pub head: ResponseHead,
    /// Its body.
    pub body: Bytes,
}

impl WebResponse {
    /// Makes a response of a text.
    pub fn text(status: u16, text: impl Into<Bytes>) -> Self {
        let headers = Fields::from_iter([("content-type", "text/plain; charset=utf-8")]);
        Self { head: ResponseHead { status, reason: None, headers }, body: text.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_of_an_application_begins_below_its_mount() {
        let path = |path: &str, mount: &str| {
            let mut request = WebRequest::new("GET", path, ("localhost", 80));
            request.mount = mount.to_owned();
            request.path_in_mount().to_owned()
        };
        assert_eq!(path("/a/b", ""), "/a/b");
        assert_eq!(path("/a/b", "/a"), "/b");
        assert_eq!(path("/a", "/a"), "/");
        assert_eq!(path("/ab", "/a"), "/ab");
        assert_eq!(path("/a/", "/a"), "/");
    }

    #[test]
    fn an_event_is_written_once_and_a_target_keeps_its_question_mark() {
        let mut request =
            WebRequest::new("GET", "/a", ("localhost", 80)).with_event_writer(5, Payload::json);
        request.query = Some(String::new());
        assert_eq!(request.event_body_limit(), 5);
        assert_eq!(request.target_in_mount(), "/a?");
        assert!(
            matches!(request.write_event("1".into()), Some(Payload::Json(text)) if text == "1")
        );
        assert!(request.write_event(Bytes::new()).is_none() && request.take_socket().is_none());
    }
}
