//! Function URLs: functions as plain HTTP servers, answers streamed where functions stream them.
//! Contract: AWS Lambda developer guide, function URLs. A URL's host names its function: here the first label of the
//! host (`shop.localhost`), or any host where there is one function.

mod event;
mod reply;

pub(super) use reply::Pieces;

use super::{
    body::{self, Collected, ReplyBody},
    directory::{Directory, Submitted},
    durable,
    options::{EmulatorOptions, MAX_EVENT_BYTES},
    outcome::{Answer, Event, Outcome},
    parts::{PARTS_IN_FLIGHT, Parts},
    prelude::Beginning,
    state::StreamPart,
};
use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{convert::Infallible, net::SocketAddr, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::mpsc,
    task::JoinSet,
};

/// Serves until the future is dropped, and every connection with it.
pub(super) async fn run(listener: TcpListener, directory: Directory) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                // A connection that fails while it is accepted is only its client's loss.
                let Ok((stream, peer)) = accepted else { continue };
                let _ = stream.set_nodelay(true);
                connections.spawn(serve(stream, peer, directory.clone()));
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve(stream: TcpStream, peer: SocketAddr, directory: Directory) {
    let service = service_fn(|request| {
        let directory = directory.clone();
        async move { Ok::<_, Infallible>(answer(&directory, peer, request).await) }
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(None);
    // A connection that breaks is its client's affair.
    let _ = builder.serve_connection(TokioIo::new(stream), service).await;
}

/// Returns the function that a host names.
fn function_of<'d>(directory: &'d Directory, host: &str) -> Option<(usize, &'d EmulatorOptions)> {
    let label = host.split([':', '.']).next().unwrap_or_default();
    let named = || {
        let mut functions = directory.functions().enumerate();
        functions.find(|(_, options)| options.function_name.eq_ignore_ascii_case(label))
    };
    let mut functions = directory.functions();
    match (functions.next(), functions.next()) {
        (Some(only), None) => Some((0, only)),
        _ => named(),
    }
}

async fn answer(
    directory: &Directory,
    peer: SocketAddr,
    request: Request<Incoming>,
) -> Response<ReplyBody> {
    let (head, incoming) = request.into_parts();
    let host = head.headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let host = host.or_else(|| head.uri.host()).unwrap_or("localhost").to_owned();
    let Some((place, options)) = function_of(directory, &host) else {
        body::drain(incoming).await;
        let names: Vec<&str> =
            directory.functions().map(|options| options.function_name.as_str()).collect();
        let names = names.join(", ");
        let port = host.rsplit_once(':').map_or("", |(_, port)| port);
        let words = format!(
            "{host} is no function's host: use http://NAME.localhost:{port}/ with one of {names}\n"
        );
        return reply::text(StatusCode::NOT_FOUND, &words);
    };
    let body = match body::collect(incoming, MAX_EVENT_BYTES).await {
        Collected::Whole { bytes, .. } => bytes,
        Collected::TooLarge { .. } => {
            return reply::text(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large");
        }
        Collected::Truncated => return reply::text(StatusCode::BAD_REQUEST, "Bad Request"),
    };
    let request_id = uuid::Uuid::new_v4().to_string();
    let trace_id = trace_id();
    let made = event::event(&head, &body, &host, peer, &request_id, &trace_id);
    let event = Event {
        request_id: Some(request_id),
        trace_id: Some(trace_id),
        ..Event::new(made.to_string())
    };
    if options.durable.is_some() {
        return answer_durably(directory, place, options, event).await;
    }
    let version = options.function_version.clone();
    let (sender, parts) = mpsc::channel(PARTS_IN_FLIGHT);
    let Submitted { pending, .. } = directory.submit(place, event, &version, Some(sender), false);
    let mut parts = Parts::new(parts, pending);
    let Some(StreamPart::Head { content_type }) = parts.next().await else {
        return match parts.finished().and_then(Option::as_mut) {
            Some(finished) => reply::of_outcome(&finished.outcome),
            None => reply::failed(),
        };
    };
    let Beginning::Expected(mut splitter) = Beginning::of(content_type.as_deref()) else {
        let pieces = Pieces::new(Bytes::new(), parts);
        return reply::of_stream(None, content_type.as_deref(), pieces);
    };
    while let Some(part) = parts.next().await {
        let StreamPart::Chunk(piece) = part else { continue };
        match splitter.push(piece) {
            Ok(None) => {}
            Ok(Some((prelude, first))) => {
                return reply::of_stream(Some(&prelude), None, Pieces::new(first, parts));
            }
            Err(_) => break,
        }
    }
    reply::failed()
}

/// Runs a durable execution from its start to its end. The URL is that of the function's newest version.
async fn answer_durably(
    directory: &Directory,
    place: usize,
    options: &EmulatorOptions,
    event: Event,
) -> Response<ReplyBody> {
    let arn = format!("{}:{}", options.function_arn(), options.function_version);
    let invoked = (arn.as_str(), Some(options.function_version.as_str()));
    let request_id = event.request_id.clone().unwrap_or_default();
    let started = match durable::run(directory, place, options, invoked, event, None, true) {
        Ok(started) => started,
        Err(rejection) => return rejection.reply(),
    };
    let Some(ended) = started.ended().await else { return reply::failed() };
    let (bytes, content_type) = (Bytes::from(ended.body), None);
    let result = match ended.is_error {
        true => Answer::Error { type_header: None, xray_cause: None, body: bytes },
        false => Answer::Response { bytes, content_type, streamed: false, trailers: Vec::new() },
    };
    reply::of_outcome(&Outcome { request_id, duration: Duration::ZERO, result })
}

/// Makes a trace of its own for a request.
fn trace_id() -> String {
    let id = uuid::Uuid::new_v4().simple().to_string();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let seconds = now.unwrap_or_default().as_secs();
    format!("Root=1-{seconds:08x}-{}", &id[..24])
}
