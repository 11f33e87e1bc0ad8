//! One worker's connections: accepted until the server stops, then drained.
//!
//! When the server stops, every request that has come is answered: waiting connections are accepted, waiting requests
//! read, and a connection is closed when no answer is owed on it and nothing more has come. The last answer on a
//! connection says that it is the last.

use super::{
    handover,
    limits::Limits,
    service::Service,
    wire::{Hold, Wait, Wire},
};
use crate::telemetry::Log;
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::TokioTimer;
use std::{
    convert::Infallible,
    future::{Future, poll_fn},
    io,
    net::SocketAddr,
    pin::{Pin, pin},
    rc::Rc,
    task::Poll,
    time::{Duration, Instant},
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, watch},
    task::JoinSet,
    time,
};
use trine_engine::Level;

/// The longest request head, in bytes.
const HEAD_LIMIT: usize = 1024 * 1024;
/// The pause after a failure to accept, most likely for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// The least time between two looks at what a connection waits for.
const LOOK_INTERVAL: Duration = Duration::from_millis(10);
/// Time for which an idle connection is kept after the stop: the next request on it may be on its way.
const IDLE_AFTER_STOP: Duration = Duration::from_millis(250);
/// Time for the last answers to leave, after the grace.
const LAST_ANSWERS: Duration = Duration::from_millis(500);

/// Serves connections until `stop` holds true, then answers what has come, for as long as the grace lasts; what is left
/// then is turned away.
pub(super) async fn serve(
    listener: TcpListener,
    service: Rc<Service>,
    stop: watch::Receiver<bool>,
) {
    let mut connections = WorkerConnections { service: service.clone(), stop, all: JoinSet::new() };
    let runs = service.triggers.clone().map(|runs| {
        let (functions, options) = (service.functions.clone(), service.options.clone());
        tokio::task::spawn_local(handover::serve_beside(runs, functions, options))
    });
    connections.accept(&listener).await;
    drop(listener);
    connections.accept_what_waits();
    let WorkerConnections { all: mut connections, .. } = connections;
    let grace = service.options.grace;
    let drained = async {
        while connections.join_next().await.is_some() {}
        if let Some(runs) = runs {
            // What of them went wrong has been told.
            let _ = runs.await;
        }
        service.functions.finish().await;
    };
    if time::timeout_at(service.closing.asked() + grace, drained).await.is_err() {
        let seconds = grace.as_secs_f64();
        let message = match connections.is_empty() {
            true => format!(
                "invocations were still in flight after {seconds} s of grace; they are left"
            ),
            false => format!(
                "requests were still in flight after {seconds} s of grace; they are answered with 503"
            ),
        };
        service.log.line(Level::Warn, &message, &[]);
        service.no_time.send_replace(true);
        let ended = async { while connections.join_next().await.is_some() {} };
        let _ = time::timeout(LAST_ANSWERS, ended).await;
    }
}

/// The connections of a worker.
struct WorkerConnections {
    service: Rc<Service>,
    stop: watch::Receiver<bool>,
    all: JoinSet<()>,
}

impl WorkerConnections {
    async fn accept(&mut self, listener: &TcpListener) {
        let mut stopped = self.stop.clone();
        loop {
            tokio::select! {
                // A sender that is gone means the same as one that says so.
                _ = stopped.wait_for(|stop| *stop) => return,
                Some(_) = self.all.join_next(), if !self.all.is_empty() => {}
                accepted = listener.accept() => match accepted {
                    Ok((stream, client)) => {
                        let place = self.place().await;
                        self.admit(stream, client, place);
                    }
                    Err(e) => {
                        refuse(&self.service.log, &e);
                        time::sleep(ACCEPT_PAUSE).await;
                    }
                },
            }
        }
    }

    /// Waits for a place for a connection that was accepted. What has come before the stop is served in any case.
    async fn place(&mut self) -> Option<OwnedSemaphorePermit> {
        let mut stopped = self.stop.clone();
        let mut place = pin!(self.service.shared.one_more_connection());
        loop {
            tokio::select! {
                biased;
                place = &mut place => return place,
                _ = stopped.wait_for(|stop| *stop) => return None,
                Some(_) = self.all.join_next(), if !self.all.is_empty() => {}
            }
        }
    }

    /// Accepts what the system has accepted already, and nothing after it.
    fn accept_what_waits(&mut self) {
        let service = self.service.clone();
        service.closing.leave_door(|stream| {
            if let Ok(client) = stream.peer_addr() {
                self.admit(stream, client, None);
            }
        });
    }

    /// Serves a connection, which has this place until its end.
    fn admit(
        &mut self,
        stream: TcpStream,
        client: SocketAddr,
        place: Option<OwnedSemaphorePermit>,
    ) {
        let serving = connection(stream, client, self.service.clone(), self.stop.clone());
        self.all.spawn_local(async move {
            let _place = place;
            serving.await;
        });
    }
}

fn refuse(log: &Log, error: &io::Error) {
    log.line(Level::Error, &format!("cannot accept a connection: {error}"), &[]);
}

async fn connection(
    stream: TcpStream,
    client: SocketAddr,
    service: Rc<Service>,
    mut stop: watch::Receiver<bool>,
) {
    // Without it, small answers wait for the client's acknowledgement; if it fails, they do.
    let _ = stream.set_nodelay(true);
    let wire = Wire::new(stream);
    let hold = wire.hold();
    let _entry = service.closing.connections.enter(hold.clone());
    let mut over = service.no_time.subscribe();
    let (serving, held) = (service.clone(), hold.clone());
    let answer = service_fn(move |request| {
        let (service, hold) = (serving.clone(), held.clone());
        async move { Ok::<_, Infallible>(service.answer(client, &hold, request).await) }
    });
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(None)
        .max_buf_size(HEAD_LIMIT)
        .serve_connection(wire, answer);
    // How a connection ends is the client's affair: it may hang up at any time.
    tokio::select! {
        biased;
        _ = &mut connection => return,
        // A sender that is gone means the same as one that says so.
        _ = stop.wait_for(|stop| *stop) => {}
        () = out_of_patience(&hold, &service.options.limits) => return,
    }
    let mut calm = pin!(time::sleep_until(service.closing.asked() + IDLE_AFTER_STOP));
    let mut no_time = pin!(over.wait_for(|over| *over));
    let (mut calmed, mut closing, mut out_of_time) = (false, false, false);
    poll_fn(|cx| {
        loop {
            if Pin::new(&mut connection).poll(cx).is_ready() {
                return Poll::Ready(());
            }
            calmed = calmed || calm.as_mut().poll(cx).is_ready();
            if closing || !calmed {
                return Poll::Pending;
            }
            if hold.is_quiet() {
                Pin::new(&mut connection).graceful_shutdown();
                closing = true;
                continue;
            }
            out_of_time = out_of_time || no_time.as_mut().poll(cx).is_ready();
            // Whole requests have got their answers from the service by now, a partial one gets it here.
            if out_of_time && hold.turn_away() {
                return Poll::Ready(());
            }
            return Poll::Pending;
        }
    })
    .await;
}

/// Waits until nothing has been asked on a connection for too long, or the head of a request has not come in time.
async fn out_of_patience(hold: &Hold, limits: &Limits) {
    loop {
        let now = Instant::now();
        let until = match hold.wait() {
            Some(Wait::Request(since)) => since + limits.idle_timeout,
            Some(Wait::Head(since)) => since + limits.header_timeout,
            None => now + limits.idle_timeout,
        };
        if until <= now && hold.give_up() {
            return;
        }
        // A head may begin meanwhile, and has its own time then.
        let next = until.min(now + limits.header_timeout).max(now + LOOK_INTERVAL);
        time::sleep_until(next.into()).await;
    }
}
