//! The port of the metrics: answered on the thread of the signals, so also while guests hold every worker.

use super::{closing::Closing, metrics::CONTENT_TYPE, shared::Shared};
use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{convert::Infallible, net::TcpListener, sync::Arc, time::Duration};
use tokio::{sync::Semaphore, time};

/// Maximum number of connections at a time.
const CONNECTIONS: usize = 32;
/// Time for which a connection is kept.
const LIFETIME: Duration = Duration::from_secs(60);
/// Time for a request's head.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// The pause after a failure to accept.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What is told there.
#[derive(Debug)]
pub(super) struct MetricsPort {
    pub(super) listener: TcpListener,
    pub(super) shared: Arc<Shared>,
    pub(super) closing: Arc<Closing>,
}

impl MetricsPort {
    /// Answers for as long as the runtime lives.
    pub(super) async fn serve(self) {
        let Self { listener, shared, closing } = self;
        let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
        let places = Arc::new(Semaphore::new(CONNECTIONS));
        loop {
            // It is never closed.
            let Ok(place) = places.clone().acquire_owned().await else { return };
            let Ok((stream, _)) = listener.accept().await else {
                time::sleep(ACCEPT_PAUSE).await;
                continue;
            };
            let (shared, closing) = (shared.clone(), closing.clone());
            tokio::spawn(async move {
                let _place = place;
                let answer = service_fn(move |request| {
                    let reply = answer(&shared, &closing, &request);
                    async move { Ok::<_, Infallible>(reply) }
                });
                let connection = http1::Builder::new()
                    .timer(TokioTimer::new())
                    .header_read_timeout(HEAD_TIMEOUT)
                    .serve_connection(TokioIo::new(stream), answer);
                // How it ends is the client's affair.
                let _ = time::timeout(LIFETIME, connection).await;
            });
        }
    }
}

fn answer(
    shared: &Shared,
    closing: &Closing,
    request: &Request<Incoming>,
) -> Response<Full<Bytes>> {
    let plain = "text/plain; charset=utf-8";
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let (status, content_type, text) = match request.uri().path() {
        _ if !reads => (StatusCode::METHOD_NOT_ALLOWED, plain, "GET and HEAD only\n".to_owned()),
        "/metrics" | "/.trine/metrics" => {
            (StatusCode::OK, CONTENT_TYPE, shared.render_metrics(closing).unwrap_or_default())
        }
        _ => (StatusCode::NOT_FOUND, plain, "the metrics are at /metrics\n".to_owned()),
    };
    let mut reply = Response::new(Full::new(Bytes::from(text)));
    *reply.status_mut() = status;
    reply.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    if status == StatusCode::METHOD_NOT_ALLOWED {
        reply.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
    }
    reply
}
