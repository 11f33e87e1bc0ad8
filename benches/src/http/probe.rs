//! One request at a time, to see whether a server answers as it should before wrk counts answers that it does not read.

use crate::lambda::{Exchange, difference, head};
use anyhow::{Context, bail, ensure};
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};
use tokio::{
    net::{TcpListener, TcpStream},
    time::{Instant, sleep, timeout},
};

/// Maximum time for one answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);
/// Maximum time for which a listening server may answer wrongly: some listen before they have loaded.
const WRONG_LIMIT: Duration = Duration::from_secs(5);

/// Finds a port that nobody is listening on at this moment.
pub(crate) async fn free_port() -> anyhow::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    Ok(listener.local_addr()?.port())
}

/// Asks until the server answers correctly.
///
/// # Errors
/// When it listens but keeps answering something else.
pub(crate) async fn until_right(port: u16, path: &str, exchange: &Exchange) -> anyhow::Result<()> {
    let mut wrong_since = None;
    loop {
        if let Ok(stream) = TcpStream::connect(address(port)).await {
            let since = *wrong_since.get_or_insert_with(Instant::now);
            match timeout(ANSWER_LIMIT, ask(stream, port, path, exchange)).await {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(error)) if since.elapsed() > WRONG_LIMIT => return Err(error),
                Err(_) => bail!("did not answer within {} s", ANSWER_LIMIT.as_secs()),
                Ok(Err(_)) => {}
            }
        }
        sleep(Duration::from_millis(20)).await;
    }
}

/// Asks once.
///
/// # Errors
/// When the answer is not the right one.
pub(crate) async fn once(port: u16, path: &str, exchange: &Exchange) -> anyhow::Result<()> {
    let asked = async {
        let stream = TcpStream::connect(address(port)).await.context("cannot connect")?;
        ask(stream, port, path, exchange).await
    };
    let limit = format!("did not answer within {} s", ANSWER_LIMIT.as_secs());
    timeout(ANSWER_LIMIT, asked).await.context(limit)?
}

fn address(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

async fn ask(stream: TcpStream, port: u16, path: &str, exchange: &Exchange) -> anyhow::Result<()> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let request = Request::post(path)
        .header(header::HOST, address(port).to_string())
        .header(header::CONTENT_TYPE, "application/json")
        .body(Full::new(exchange.event.clone()))?;
    // A connection that ends has nothing to add to what the answer, or its absence, says.
    let connection = tokio::spawn(connection);
    let answered = async {
        let response = sender.send_request(request).await?;
        let (parts, body) = response.into_parts();
        anyhow::Ok((parts, body.collect().await?.to_bytes()))
    };
    let answered = answered.await.context("broke off");
    connection.abort();
    let (parts, body) = answered?;
    ensure!(parts.status == StatusCode::OK, "answered {}: {}", parts.status, head(&body));
    let media = parts.headers.get(header::CONTENT_TYPE).map(http::HeaderValue::as_bytes);
    ensure!(
        media.is_some_and(|media| media.to_ascii_lowercase().starts_with(b"application/json")),
        "answered with content-type {}",
        String::from_utf8_lossy(media.unwrap_or(b"(none)"))
    );
    match difference(&body, &exchange.answer) {
        Some(difference) => bail!(difference),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    /// Serves the first request with this text and checks whether it counts as the right answer.
    async fn answer_of(text: String) -> anyhow::Result<()> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = vec![0; 4096];
            let _ = stream.read(&mut request).await.unwrap();
            stream.write_all(text.as_bytes()).await.unwrap();
        });
        let result = once(port, "/", &Exchange::echo(100)).await;
        server.await.unwrap();
        result
    }

    fn answer(status: &str, media: &str, body: &str) -> String {
        let length = body.len();
        format!(
            "HTTP/1.1 {status}\r\ncontent-type: {media}\r\ncontent-length: {length}\r\n\r\n{body}"
        )
    }

    #[tokio::test]
    async fn only_the_right_answer_is_right() {
        let Exchange { event, .. } = Exchange::echo(100);
        let event = String::from_utf8(event.to_vec()).unwrap();
        let json = "application/json; charset=utf-8";
        answer_of(answer("200 OK", json, &event)).await.unwrap();
        for (text, expected) in [
            (answer("200 OK", "text/plain", &event), "answered with content-type text/plain"),
            (answer("404 Not Found", json, "{}"), "answered 404 Not Found: {}"),
            (answer("200 OK", json, "{}"), "answered {}, not {\"id\":7"),
        ] {
            let error = answer_of(text).await.unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
        assert!(answer_of(String::new()).await.is_err());
    }
}
