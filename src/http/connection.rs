//! One worker's connections: accepted until the server stops, then drained.
//!
//! When the server stops, every request that has come is answered: waiting connections are accepted, waiting requests
//! read, and a connection is closed when no answer is owed on it and nothing more has come. The last answer on a
//! connection says that it is the last.

use super::{
    handover, http2,
    limits::Limits,
    service::Service,
    socket::{Acceptor, Socket, Stream},
    tls,
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
    sync::{OwnedSemaphorePermit, watch},
    task::JoinSet,
    time,
};
use trine_engine::Level;

/// The longest request head, in bytes.
pub(super) const HEAD_LIMIT: usize = 1024 * 1024;
/// The pause after a failure to accept, most likely for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// The least time between two looks at what a connection waits for.
const LOOK_INTERVAL: Duration = Duration::from_millis(10);
/// Time for the last answers to leave, after the grace.
pub(super) const LAST_ANSWERS: Duration = Duration::from_millis(500);

/// Serves connections until `stop` holds true, then answers what has come, for as long as the grace lasts; what is left
/// then is turned away.
pub(super) async fn serve(listener: Acceptor, service: Rc<Service>, stop: watch::Receiver<bool>) {
    let mut connections = WorkerConnections { service: service.clone(), stop, all: JoinSet::new() };
    let mut runs = JoinSet::new();
    if let Some(inbox) = service.triggers.clone() {
        let (functions, options) = (service.functions.clone(), service.options.clone());
        runs.spawn_local(handover::serve_beside(inbox, functions, options));
    }
    connections.accept(&listener).await;
    drop(listener);
    connections.accept_what_waits();
    let WorkerConnections { all: mut connections, .. } = connections;
    let grace = service.options.grace;
    let drained = async {
        while connections.join_next().await.is_some() {}
        while runs.join_next().await.is_some() {}
        service.functions.finish().await;
    };
    if time::timeout_at(service.closing.asked() + grace, drained).await.is_ok() {
        return;
    }
    let seconds = grace.as_secs_f64();
    let tell = |message: String| service.log.line(Level::Warn, &message, &[]);
    if !connections.is_empty() {
        tell(format!(
            "requests were still in flight after {seconds} s of grace; they are answered with 503"
        ));
    } else if service.triggers.is_none() {
        tell(format!("invocations were still in flight after {seconds} s of grace; they are left"));
    }
    // Runs are taken back, and told of, by what has begun them.
    service.no_time.send_replace(true);
    let ended = async {
        while connections.join_next().await.is_some() {}
        while runs.join_next().await.is_some() {}
    };
    let _ = time::timeout(LAST_ANSWERS, ended).await;
}

/// The connections of a worker.
struct WorkerConnections {
    service: Rc<Service>,
    stop: watch::Receiver<bool>,
    all: JoinSet<()>,
}

impl WorkerConnections {
    async fn accept(&mut self, listener: &Acceptor) {
        let mut stopped = self.stop.clone();
        loop {
            tokio::select! {
                // Nothing is accepted that comes after the stop. A sender that is gone means the same as one that says so.
                biased;
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
        service.closing.leave_door(|socket, client| self.admit(socket, client, None));
    }

    /// Serves a connection, which has this place until its end.
    fn admit(&mut self, socket: Socket, client: SocketAddr, place: Option<OwnedSemaphorePermit>) {
        let serving = connection(socket, client, self.service.clone(), self.stop.clone());
        self.all.spawn_local(async move {
            let _place = place;
            serving.await;
        });
    }
}

fn refuse(log: &Log, error: &io::Error) {
    log.line(Level::Error, &format!("cannot accept a connection: {error}"), &[]);
}

/// What a client gets that speaks no TLS where it should.
const NO_TLS: &[u8] = b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\
    content-type: application/json\r\ncontent-length: 54\r\n\r\n\
    {\"message\":\"this port speaks TLS: ask for https://\"}\r\n";

/// Serves a connection from its first byte to its last.
async fn connection(
    socket: Socket,
    client: SocketAddr,
    service: Rc<Service>,
    mut stop: watch::Receiver<bool>,
) {
    let Some((stream, agreed)) = secured(socket, &service, stop.clone()).await else { return };
    let wire = Wire::new(stream);
    let hold = wire.hold();
    let _entry = service.closing.connections.enter(hold.clone());
    let is_http2 = match agreed {
        Some(is_http2) => is_http2,
        None => tokio::select! {
            biased;
            is_http2 = wire.is_http2() => match is_http2 {
                Ok(is_http2) => is_http2,
                Err(_) => return,
            },
            // What has come so far is looked at below.
            _ = stop.wait_for(|stop| *stop) => false,
            () = out_of_patience(&hold, &service.options.limits) => return,
        },
    };
    match is_http2 {
        true => http2::serve(wire, hold, client, service.clone(), stop).await,
        false => http1(wire, hold, client, service.clone(), stop).await,
    }
}

/// Speaks TLS with a client, where the server does. The second part says whether they have agreed on HTTP/2, where they
/// agree on anything beforehand.
async fn secured(
    socket: Socket,
    service: &Service,
    mut stop: watch::Receiver<bool>,
) -> Option<(Stream, Option<bool>)> {
    let Some(tls) = &service.shared.tls else { return Some((Stream::Plain(socket), None)) };
    let greeting = async {
        if socket.begins_without_tls().await {
            // It is the client's loss if it no longer listens.
            let _ = Wire::new(Stream::Plain(socket)).hold().answer_instead(NO_TLS);
            return None;
        }
        let stream = tls.acceptor().accept(socket).await.ok()?;
        let is_http2 = stream.get_ref().1.alpn_protocol() == Some(tls::HTTP2);
        Some((Stream::Tls(Box::new(stream)), Some(is_http2)))
    };
    let too_late = async {
        // A sender that is gone means the same as one that says so.
        let _ = stop.wait_for(|stop| *stop).await;
        time::sleep_until(service.closing.asked() + LAST_ANSWERS).await;
    };
    tokio::select! {
        biased;
        greeted = greeting => greeted,
        () = time::sleep(service.options.limits.header_timeout) => None,
        () = too_late => None,
    }
}

/// Serves a connection that speaks HTTP/1.1 or 1.0.
async fn http1(
    wire: Wire,
    hold: Hold,
    client: SocketAddr,
    service: Rc<Service>,
    mut stop: watch::Receiver<bool>,
) {
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
        .serve_connection(wire, answer)
        .with_upgrades();
    // How a connection ends is the client's affair: it may hang up at any time.
    tokio::select! {
        biased;
        _ = &mut connection => return,
        // A sender that is gone means the same as one that says so.
        _ = stop.wait_for(|stop| *stop) => {}
        () = out_of_patience(&hold, &service.options.limits) => return,
    }
    let mut calm = pin!(time::sleep_until(service.closing.asked() + service.closing.calm()));
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
pub(super) async fn out_of_patience(hold: &Hold, limits: &Limits) {
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
