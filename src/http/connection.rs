//! One worker's connections: accepted until the server stops, then drained.

use super::{lifeline::Line, service::Service};
use crate::telemetry::Log;
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{convert::Infallible, net::SocketAddr, pin::pin, rc::Rc, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
    time,
};
use trine_engine::Level;

/// The longest request head, in bytes.
const HEAD_LIMIT: usize = 1024 * 1024;
/// How long a client may take to send a request's head; also how long an idle connection is kept.
const HEAD_TIMEOUT: Duration = Duration::from_secs(75);
/// The pause after a failure to accept, most likely for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves connections until `stop` holds true, then lets those in flight finish, for as long as the grace lasts.
pub(super) async fn serve(
    listener: TcpListener,
    service: Rc<Service>,
    stop: watch::Receiver<bool>,
) {
    let mut connections = JoinSet::new();
    accept(listener, &service, stop, &mut connections).await;
    let grace = service.options.grace;
    let drained = async {
        while connections.join_next().await.is_some() {}
        service.functions.finish().await;
    };
    if time::timeout(grace, drained).await.is_err() {
        let message = format!(
            "requests were still in flight after {} s of grace; their connections are closed",
            grace.as_secs_f64()
        );
        service.log.line(Level::Warn, &message, &[]);
    }
}

async fn accept(
    listener: TcpListener,
    service: &Rc<Service>,
    stop: watch::Receiver<bool>,
    connections: &mut JoinSet<()>,
) {
    let mut stopped = stop.clone();
    loop {
        tokio::select! {
            // A sender that is gone means the same as a sender that says so.
            _ = stopped.wait_for(|stop| *stop) => return,
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, client)) => {
                    let connection = connection(stream, client, service.clone(), stop.clone());
                    connections.spawn_local(connection);
                }
                Err(e) => {
                    refuse(&service.log, &e);
                    time::sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
}

fn refuse(log: &Log, error: &std::io::Error) {
    log.line(Level::Error, &format!("cannot accept a connection: {error}"), &[]);
}

async fn connection(
    stream: TcpStream,
    client: SocketAddr,
    service: Rc<Service>,
    mut stop: watch::Receiver<bool>,
) {
    // Only a request with a deadline can be answered by anybody else.
    let limited = service.options.timeout.is_some();
    let line = limited.then(|| Line::new(&stream, &service.stuck)).flatten();
    // Without it, small answers wait for the client's acknowledgement; if it fails they do.
    let _ = stream.set_nodelay(true);
    let answer = service_fn(move |request| {
        let (service, line) = (service.clone(), line.clone());
        async move { Ok::<_, Infallible>(service.answer(client, line, request).await) }
    });
    let mut connection = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIMEOUT)
            .max_buf_size(HEAD_LIMIT)
            .serve_connection(TokioIo::new(stream), answer)
    );
    let stopped = async {
        let _ = stop.wait_for(|stop| *stop).await;
    };
    // How a connection ends is the client's affair: it may hang up at any time.
    tokio::select! {
        _ = connection.as_mut() => return,
        () = stopped => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = connection.await;
}
