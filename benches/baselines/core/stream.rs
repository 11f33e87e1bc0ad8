//! The floor of a streamed answer: its bytes in one chunk, on a connection of its own, as Lambda's contract wants it.

use crate::runtime_api::{BASE, Invocation};
use anyhow::{Context, ensure};
use std::env;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// Posts the answer to an event as a stream.
pub(crate) async fn respond(invocation: &Invocation) -> anyhow::Result<()> {
    let address =
        env::var("AWS_LAMBDA_RUNTIME_API").context("AWS_LAMBDA_RUNTIME_API is not set")?;
    let mut stream = TcpStream::connect(&address).await?;
    stream.set_nodelay(true)?;
    let attempt = invocation.attempt.as_ref().and_then(|attempt| attempt.to_str().ok());
    let attempt =
        attempt.map_or(String::new(), |id| format!("lambda-runtime-invocation-id: {id}\r\n"));
    let head = format!(
        "POST {BASE}/{}/response HTTP/1.1\r\nhost: {address}\r\nuser-agent: trine-baseline/1\r\n\
         content-type: application/octet-stream\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\
         lambda-runtime-function-response-mode: streaming\r\n\
         trailer: Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body\r\n{attempt}\r\n{:x}\r\n",
        invocation.request_id,
        invocation.event.len(),
    );
    let chunk = [head.as_bytes(), &invocation.event, b"\r\n"].concat();
    stream.write_all(&chunk).await?;
    stream.write_all(b"0\r\n\r\n").await?;
    let mut reply = Vec::new();
    stream.read_to_end(&mut reply).await?;
    let reply = String::from_utf8_lossy(&reply);
    ensure!(reply.starts_with("HTTP/1.1 202 "), "the Runtime API answered /response with {reply}");
    Ok(())
}
