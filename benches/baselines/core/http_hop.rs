//! A resident sub-process that serves functions over HTTP on the loopback. The event, its context and the function's
//! location are posted to it on a connection that is kept; a hook is one more function, and so one more post.

use crate::{
    client::Client,
    function::{Function, spawn},
};
use anyhow::{Context, bail, ensure};
use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use http_body_util::Full;
use serde_json::json;
use std::{
    env,
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::{self, Child, Stdio},
    thread,
    time::{Duration, Instant},
};

/// Maximum time the sub-process may take to listen, and the interval between attempts.
const UP_LIMIT: Duration = Duration::from_secs(10);
const ASK_AGAIN: Duration = Duration::from_millis(2);

/// A sub-process that listens.
pub(crate) struct HttpHop {
    client: Client,
    /// Text that follows the event in the body of a post, for each function: the hooks, then the handler.
    calls: Vec<String>,
    /// Keeps stdin open: the sub-process ends when that closes.
    _child: Child,
}

impl HttpHop {
    /// Starts the sub-process and waits until it listens. It loads a function when it is first asked for it.
    pub(crate) fn start(function: Function) -> anyhow::Result<Self> {
        let address = free_address()?;
        let mut command = function.command("serve")?;
        command.arg(address.port().to_string());
        let mut child = spawn(command.stdin(Stdio::piped()))?;
        wait_until_up(&mut child, address)?;

        let mut calls = Vec::new();
        for hook in &function.hooks {
            calls.push(call(&function.hook_file(hook)?, "before"));
        }
        calls.push(call(&function.file, &function.name));
        Ok(Self { client: Client::new(address.to_string())?, calls, _child: child })
    }

    /// Returns the answer to an event that has gone through the hooks.
    pub(crate) async fn answer(&mut self, mut event: Bytes) -> anyhow::Result<Bytes> {
        for call in &self.calls {
            // The event is JSON already: it is inserted as it is.
            let body = [br#"{"event":"#, &*event, call.as_bytes()].concat();
            let request = Request::builder()
                .method(Method::POST)
                .uri("/")
                .header(header::CONTENT_TYPE, "application/json")
                .body(Full::from(body))?;
            let response = self.client.exchange(request).await?;
            ensure!(
                response.status == StatusCode::OK,
                "the function failed: {}",
                String::from_utf8_lossy(&response.body)
            );
            event = response.body;
        }
        Ok(event)
    }
}

/// Returns what follows the event in the body of a post.
fn call(file: &Path, name: &str) -> String {
    let variable = |name| env::var(name).unwrap_or_default();
    let context = json!({
        "memoryLimitInMb": variable("AWS_LAMBDA_FUNCTION_MEMORY_SIZE").parse().unwrap_or(128),
        "functionName": variable("AWS_LAMBDA_FUNCTION_NAME"),
        "functionVersion": variable("AWS_LAMBDA_FUNCTION_VERSION"),
    });
    let (name, path) = (json!(name), json!(file.with_extension("")));
    format!(r#","context":{context},"handlerName":{name},"handlerPath":{path}}}"#)
}

/// Finds an address that nobody listens on. It lies below the range that the system uses for ports of outgoing
/// connections, and starts elsewhere in every process, so that nobody else takes it before the sub-process does.
fn free_address() -> anyhow::Result<SocketAddr> {
    let first = u16::try_from(u64::from(process::id()) * 37 % 10_000)?;
    (0..10_000)
        .map(|further| SocketAddr::from((Ipv4Addr::LOCALHOST, 20_000 + (first + further) % 10_000)))
        .find(|address| TcpListener::bind(address).is_ok())
        .context("no port is free")
}

fn wait_until_up(child: &mut Child, address: SocketAddr) -> anyhow::Result<()> {
    let limit = Instant::now() + UP_LIMIT;
    while TcpStream::connect(address).is_err() {
        if let Some(status) = child.try_wait()? {
            bail!("the sub-process did not start: {status}");
        }
        ensure!(Instant::now() < limit, "the sub-process did not come up in {UP_LIMIT:?}");
        thread::sleep(ASK_AGAIN);
    }
    Ok(())
}
