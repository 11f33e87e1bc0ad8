//! The end of a server, as its workers and its supervisor share it: when it began, which connections are open, and the
//! port, which is closed by whoever accepts last.

use super::{
    socket::{Listener, Socket, Stream},
    wire::{Connections, Wire},
};
use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{self, Instant},
};

/// Time for a connected client to send its request, when it is turned away.
const LAST_REQUEST_TIMEOUT: Duration = Duration::from_millis(500);

/// Time for which an idle connection is kept after the stop.
const IDLE_AFTER_STOP: Duration = Duration::from_millis(250);

/// The shared state of the end.
#[derive(Debug)]
pub(super) struct Closing {
    /// The connections that are open.
    pub(super) connections: Arc<Connections>,
    asked: OnceLock<Instant>,
    /// Whether another server takes this one's place at the port: whoever waits there is for that one.
    hands_over: AtomicBool,
    /// Number of workers that are ready to accept, and of those that do so no longer.
    ready: watch::Sender<usize>,
    left: watch::Sender<usize>,
    /// Whether those that are ready wait for the others, and for a word.
    is_shut: watch::Sender<bool>,
    /// Number of workers that accept.
    workers: usize,
    door: Mutex<Door>,
}

/// The port, beside the handles that workers accept from.
#[derive(Debug)]
struct Door {
    listener: Option<Listener>,
    /// Whether clients speak TLS, and could not read an answer without it.
    is_secured: bool,
    /// Number of workers that accept.
    accepting: usize,
}

impl Closing {
    /// Makes the state of a server on this port, with this number of workers that accept.
    pub(super) fn new(listener: Listener, is_secured: bool, accepting: usize) -> Self {
        let door = Mutex::new(Door { listener: Some(listener), is_secured, accepting });
        Self {
            connections: Arc::default(),
            asked: OnceLock::new(),
            hands_over: AtomicBool::new(false),
            ready: watch::Sender::default(),
            is_shut: watch::Sender::default(),
            left: watch::Sender::default(),
            workers: accepting,
            door,
        }
    }

    /// Has workers that are ready wait until [`Closing::open`] is called.
    pub(super) fn keep_shut(&self) {
        self.is_shut.send_replace(true);
    }

    /// Lets workers accept.
    pub(super) fn open(&self) {
        self.is_shut.send_replace(false);
    }

    /// Notes that a worker is ready to accept, and waits until it may, or until the server is to stop.
    pub(super) async fn may_accept(&self, mut stopped: watch::Receiver<bool>) {
        self.ready.send_modify(|count| *count += 1);
        let mut is_shut = self.is_shut.subscribe();
        tokio::select! {
            // The senders live as long as the server.
            _ = is_shut.wait_for(|is_shut| !is_shut) => {}
            _ = stopped.wait_for(|stop| *stop) => {}
        }
    }

    /// Waits until all workers are ready to accept that will.
    pub(super) async fn all_are_ready(&self) {
        // The sender lives as long as this.
        let _ = self.ready.subscribe().wait_for(|count| *count >= self.workers).await;
    }

    /// Waits until none of them accepts any more.
    pub(super) async fn all_have_left(&self) {
        // The sender lives as long as this.
        let _ = self.left.subscribe().wait_for(|count| *count >= self.workers).await;
    }

    /// Notes that another server takes this one's place at the port, before anybody is asked to stop.
    pub(super) fn hand_over(&self) {
        self.hands_over.store(true, Ordering::Release);
        self.door().listener = None;
    }

    /// Returns the time for which a connection is kept on which nothing is asked, after the server was asked to stop: the
    /// next request on it may be on its way.
    pub(super) fn calm(&self) -> Duration {
        if self.hands_over.load(Ordering::Acquire) { Duration::ZERO } else { IDLE_AFTER_STOP }
    }

    /// Returns the time at which the server was asked to stop: now, if nobody has asked before.
    pub(super) fn asked(&self) -> Instant {
        *self.asked.get_or_init(Instant::now)
    }

    /// Ends a worker's accepting, after what has come by now. The last one closes the port, with nothing between its
    /// last look and the end.
    pub(super) fn leave_door(&self, mut admit: impl FnMut(Socket, SocketAddr)) {
        let mut door = self.door();
        door.backlog().for_each(|(socket, client)| admit(socket, client));
        door.accepting = door.accepting.saturating_sub(1);
        if door.accepting == 0 {
            door.listener = None;
        }
        self.left.send_modify(|count| *count += 1);
    }

    /// Closes the port, if workers whose threads are not free have not, and turns away whoever waits there.
    pub(super) async fn shut(&self) {
        let mut waiting = JoinSet::new();
        {
            let mut door = self.door();
            for (socket, _) in door.backlog().filter(|_| !door.is_secured) {
                waiting.spawn(turn_away(Stream::Plain(socket)));
            }
            door.listener = None;
        }
        while waiting.join_next().await.is_some() {}
    }

    fn door(&self) -> MutexGuard<'_, Door> {
        self.door.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Door {
    fn backlog(&self) -> impl Iterator<Item = (Socket, SocketAddr)> {
        self.listener.iter().flat_map(Backlog)
    }
}

async fn turn_away(stream: Stream) {
    // Whether it has sent anything shows below.
    let _ = time::timeout(LAST_REQUEST_TIMEOUT, stream.readable()).await;
    Wire::new(stream).hold().turn_away();
}

/// Connections that the system has accepted and no worker has. The system itself is asked: what the runtime knows may
/// be outdated where guest code has held the thread.
struct Backlog<'l>(&'l Listener);

impl Iterator for Backlog<'_> {
    type Item = (Socket, SocketAddr);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.0.accept_now() {
                Ok(accepted) => return Some(accepted),
                // The client has gone in the meantime.
                Err(e)
                    if matches!(
                        e.kind(),
                        io::ErrorKind::ConnectionAborted | io::ErrorKind::Interrupted
                    ) => {}
                Err(_) => return None,
            }
        }
    }
}
