//! An extension that does nothing. Lambda sends SIGTERM to a runtime only where an extension is registered; without one
//! the process is killed, and `shutdown` hooks never run. Contract: Lambda's Extensions API, 2020-01-01.

use bytes::Bytes;
use http::{HeaderValue, Request, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

const NAME: &str = "trine-shutdown";
const IDENTIFIER: &str = "lambda-extension-identifier";

/// Registers the extension and leaves its request for an event pending, which must happen before the runtime asks for
/// its own first event.
///
/// # Errors
/// What went wrong, as text: nothing but the signal depends on it.
pub(super) async fn register(address: &str) -> Result<(), String> {
    let stream = TcpStream::connect(address).await.map_err(|e| e.to_string())?;
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(|e| e.to_string())?;
    tokio::spawn(connection);
    let request = Request::post("/2020-01-01/extension/register")
        .header(header::HOST, address)
        .header(header::CONTENT_TYPE, "application/json")
        .header("lambda-extension-name", NAME)
        .body(Full::from(r#"{"events":[]}"#))
        .map_err(|e| e.to_string())?;
    let response = sender.send_request(request).await.map_err(|e| e.to_string())?;
    let (head, body) = response.into_parts();
    body.collect().await.map_err(|e| e.to_string())?;
    if head.status != StatusCode::OK {
        return Err(format!("the Extensions API answered the registration with {}", head.status));
    }
    let identifier: HeaderValue =
        head.headers.get(IDENTIFIER).ok_or("the Extensions API gave no identifier")?.clone();
    let request = Request::get("/2020-01-01/extension/event/next")
        .header(header::HOST, address)
        .header(IDENTIFIER, identifier)
        .body(Full::<Bytes>::default())
        .map_err(|e| e.to_string())?;
    // It is answered at the end of the environment, if ever.
    tokio::spawn(async move { sender.send_request(request).await.map(drop) });
    Ok(())
}
