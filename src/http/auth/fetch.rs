//! One `GET`, for the keys of an issuer: HTTP/1.1, over TLS with the system's certificates for `https`. Redirects are not
//! followed.

use crate::http::trust::client_tls;
use bytes::Bytes;
use http::{Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use std::{sync::Arc, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time,
};
use tokio_rustls::{TlsConnector, rustls::pki_types::ServerName};

/// Time for the whole exchange.
const TIME: Duration = Duration::from_secs(10);
/// The largest answer, in bytes.
const LARGEST: usize = 1024 * 1024;
/// An answer.
pub(super) struct Fetched {
    pub(super) text: String,
    /// The time for which it may be kept, if it says so.
    pub(super) max_age: Option<Duration>,
}

/// Fetches a URL. Blocks the thread.
///
/// # Errors
/// The reason why there is no answer, or none with status 200 and a text.
pub(super) fn get(url: &Uri) -> Result<Fetched, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("no runtime could be started: {error}"))?;
    let late = || format!("it has not answered in {} s", TIME.as_secs());
    runtime.block_on(async {
        time::timeout(TIME, exchange(url)).await.unwrap_or_else(|_| Err(late()))
    })
}

async fn exchange(url: &Uri) -> Result<Fetched, String> {
    let is_secure = url.scheme_str() == Some("https");
    let host = url.host().unwrap_or_default();
    let port = url.port_u16().unwrap_or(if is_secure { 443 } else { 80 });
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let stream = TcpStream::connect((bare, port)).await;
    let stream = stream.map_err(|error| format!("cannot connect to {host}:{port}: {error}"))?;
    if !is_secure {
        return ask(url, stream).await;
    }
    let name = ServerName::try_from(bare.to_owned());
    let name = name.map_err(|error| format!("'{bare}' is no name of a server: {error}"))?;
    let connector = TlsConnector::from(Arc::new(client_tls(None)?));
    let stream = connector.connect(name, stream).await;
    ask(url, stream.map_err(|error| format!("no secure connection to {host}: {error}"))?).await
}

async fn ask(
    url: &Uri,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
) -> Result<Fetched, String> {
    let failed = |error: hyper::Error| format!("the exchange has failed: {error}");
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(failed)?;
    tokio::spawn(connection);
    let target = url.path_and_query().map_or("/", |target| target.as_str());
    let request = Request::get(target)
        .header(header::HOST, url.authority().map_or("", |authority| authority.as_str()))
        .header(header::ACCEPT, "application/json")
        .header(header::USER_AGENT, concat!("trine/", env!("CARGO_PKG_VERSION")))
        .body(Empty::<Bytes>::new())
        .map_err(|error| format!("it cannot be asked for: {error}"))?;
    let response = sender.send_request(request).await.map_err(failed)?;
    if response.status() != StatusCode::OK {
        return Err(format!("it has answered with status {}", response.status().as_u16()));
    }
    let max_age = response.headers().get(header::CACHE_CONTROL).and_then(|value| {
        let directives = value.to_str().ok()?.split(',').map(str::trim);
        let seconds = directives.filter_map(|one| one.strip_prefix("max-age=")).next()?;
        seconds.parse().ok().map(Duration::from_secs)
    });
    let body = Limited::new(response.into_body(), LARGEST).collect().await;
    let body = body.map_err(|error| format!("its answer cannot be read: {error}"))?.to_bytes();
    let text = String::from_utf8(body.to_vec()).map_err(|_| "its answer is no text".to_owned())?;
    Ok(Fetched { text, max_age })
}
