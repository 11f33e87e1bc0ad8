//! The platform's address: connections of callers, and what they ask for.

use super::{
    super::{
        body::{self, ReplyBody},
        directory::{Directory, Task},
        invoke_api,
        server::Endpoint,
    },
    Fleet,
};
use http::{HeaderValue, Request, Response, header};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{convert::Infallible, sync::Arc};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

/// Serves until the future is dropped, and with it every connection, environment and invocation.
pub(super) async fn run(listener: TcpListener, fleet: Arc<Fleet>) {
    let Some(mut background) = fleet.background.take() else { return };
    let mut tasks: JoinSet<()> = JoinSet::new();
    loop {
        let task: Task = tokio::select! {
            accepted = listener.accept() => {
                // A connection that fails while it is accepted is only its client's loss.
                let Ok((stream, _)) = accepted else { continue };
                let _ = stream.set_nodelay(true);
                Box::pin(serve(stream, Arc::clone(&fleet)))
            }
            Some(task) = background.recv() => task,
            Some(_) = tasks.join_next() => continue,
        };
        tasks.spawn(task);
    }
}

async fn serve(stream: TcpStream, fleet: Arc<Fleet>) {
    let directory = Directory::Fleet(fleet);
    let service = service_fn(|request| answer(directory.clone(), request));
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(None).title_case_headers(true);
    // A connection that breaks is its client's affair.
    let _ = builder.serve_connection(TokioIo::new(stream), service).await;
}

async fn answer(
    directory: Directory,
    request: Request<Incoming>,
) -> Result<Response<ReplyBody>, Infallible> {
    let path = request.uri().path().to_owned();
    let (endpoint, subject) = Endpoint::of(&path);
    if !endpoint.is_callers() {
        body::drain(request.into_body()).await;
        return Ok(invoke_api::not_found(&path));
    }
    let method = request.method().clone();
    match endpoint.method() {
        Some(expected) if expected != method => {
            body::drain(request.into_body()).await;
            let mut reply = invoke_api::wrong_method(&method, &expected);
            if let Ok(value) = HeaderValue::from_str(expected.as_str()) {
                reply.headers_mut().insert(header::ALLOW, value);
            }
            Ok(reply)
        }
        _ => Ok(invoke_api::answer(&directory, endpoint, subject, request).await),
    }
}
