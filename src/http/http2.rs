//! One connection that speaks HTTP/2: several requests at a time, each answered by the same service as any other.
//!
//! Nobody but the worker knows what a client can read next. So an answer cannot be given from outside it, as over
//! HTTP/1.1: where the worker's thread is lost, the connection is closed.

use super::{
    connection::{HEAD_LIMIT, LAST_ANSWERS, out_of_patience},
    service::Service,
    wire::{Hold, Wire},
};
use hyper::{rt::Executor, server::conn::http2, service::service_fn};
use hyper_util::rt::TokioTimer;
use std::{convert::Infallible, future::Future, net::SocketAddr, pin::pin, rc::Rc};
use tokio::{sync::watch, task::spawn_local, time};

/// Maximum number of a connection's requests at a time.
const STREAMS: u32 = 200;

/// Runs a connection's requests as tasks of its worker's thread.
#[derive(Debug, Clone, Copy)]
struct OnThisThread;

impl<F: Future<Output: 'static> + 'static> Executor<F> for OnThisThread {
    fn execute(&self, request: F) {
        spawn_local(request);
    }
}

/// Serves a connection until it ends, nothing has been asked on it for too long, or the server stops.
pub(super) async fn serve(
    wire: Wire,
    hold: Hold,
    client: SocketAddr,
    service: Rc<Service>,
    mut stop: watch::Receiver<bool>,
) {
    hold.speak_http2();
    let (serving, held) = (service.clone(), hold.clone());
    let answer = service_fn(move |request| {
        let (service, hold) = (serving.clone(), held.clone());
        async move {
            let _counted = hold.count();
            Ok::<_, Infallible>(service.answer(client, &hold, request).await)
        }
    });
    let mut connection = pin!(
        http2::Builder::new(OnThisThread)
            .timer(TokioTimer::new())
            .max_concurrent_streams(STREAMS)
            .max_header_list_size(HEAD_LIMIT as u32)
            .serve_connection(wire, answer)
    );
    // How a connection ends is the client's affair: it may hang up at any time.
    tokio::select! {
        biased;
        _ = connection.as_mut() => return,
        // A sender that is gone means the same as one that says so.
        _ = stop.wait_for(|stop| *stop) => {
            let calm = time::sleep_until(service.closing.asked() + service.closing.calm());
            tokio::select! {
                biased;
                _ = connection.as_mut() => return,
                () = calm => {}
            }
        }
        () = out_of_patience(&hold, &service.options.limits) => {}
    }
    // The client learns which of its requests are answered, and the rest of them come.
    connection.as_mut().graceful_shutdown();
    while time::timeout(LAST_ANSWERS, connection.as_mut()).await.is_err() {
        if hold.is_quiet() {
            // It does not say that it has understood.
            return;
        }
    }
}
