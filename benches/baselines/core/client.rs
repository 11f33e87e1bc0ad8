//! An HTTP client for one address, with one connection that is kept open.

use anyhow::Context;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// A client for the server at one address.
pub(crate) struct Client {
    address: String,
    host: HeaderValue,
    connection: Option<SendRequest<Full<Bytes>>>,
}

/// A response whose body has arrived.
pub(crate) struct Response {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Client {
    /// Makes a client for the server at `address` (`host:port`), which connects at first use.
    pub(crate) fn new(address: String) -> anyhow::Result<Self> {
        let host = HeaderValue::from_str(&address)
            .with_context(|| format!("{address:?} is no host and port"))?;
        Ok(Self { address, host, connection: None })
    }

    /// Sends a request and reads the whole response.
    pub(crate) async fn exchange(
        &mut self,
        mut request: Request<Full<Bytes>>,
    ) -> anyhow::Result<Response> {
        request.headers_mut().insert(header::HOST, self.host.clone());
        let mut connection = match self.connection.take() {
            Some(connection) if !connection.is_closed() => connection,
            _ => self.connect().await?,
        };
        let broke_off = || format!("{} broke off", self.address);
        let response = connection.send_request(request).await.with_context(broke_off)?;
        let (head, body) = response.into_parts();
        let body = body.collect().await.with_context(broke_off)?.to_bytes();
        self.connection = Some(connection);
        Ok(Response { status: head.status, headers: head.headers, body })
    }

    async fn connect(&self) -> anyhow::Result<SendRequest<Full<Bytes>>> {
        let stream = TcpStream::connect(&self.address)
            .await
            .with_context(|| format!("cannot connect to {}", self.address))?;
        stream.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        // Its errors reach the affected request.
        tokio::spawn(connection);
        Ok(sender)
    }
}
