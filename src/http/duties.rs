//! The division of work in a server: how functions are spread over threads, and the work of each thread from its start
//! to its end.

use super::{
    closing::Closing,
    connection,
    functions::{Functions, Share},
    handover::{self, Inbox},
    lifeline::LostThread,
    options::ServeOptions,
    queue::Places,
    reported::Reported,
    request_id::RequestIds,
    service::Service,
    shared::Shared,
    site::{ServedFunction, Site},
    socket::{Acceptor, Listener},
    threads::{self, ThreadSeat, Threads},
};
use crate::{
    telemetry::Log,
    worker::{Isolation, Worker},
};
use std::{
    rc::{Rc, Weak},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};
use tokio::{
    sync::{mpsc, watch},
    time,
};
use trine_engine::{Environment, Level};

/// Time beyond the grace for workers to end their interpreters.
pub(super) const AFTER_GRACE: Duration = Duration::from_secs(1);
/// The time between two looks at the sizes of heaps, where there are metrics.
const MEASURE_INTERVAL: Duration = Duration::from_secs(1);
/// The time between two checks whether other threads have ended.
pub(super) const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// The distribution of functions over the threads of a server.
pub(super) enum Spread {
    /// This many workers that accept and run all functions.
    Even(usize),
    /// All functions on the main thread, which accepts as well.
    OnMain,
    /// This many workers that accept and hand over to the main thread what lives there.
    Mixed(usize),
}

impl Spread {
    /// Returns the number of workers that accept.
    pub(super) fn accepting(&self) -> usize {
        match self {
            Self::Even(workers) | Self::Mixed(workers) => *workers,
            Self::OnMain => 1,
        }
    }

    /// Chooses how these functions are spread where this many workers are wanted.
    pub(super) fn of(functions: &[ServedFunction], workers: usize) -> Self {
        let mut on_main = functions.iter().map(ServedFunction::on_main_thread);
        match (on_main.clone().any(|main| main), on_main.all(|main| main)) {
            (false, _) => Self::Even(workers),
            (true, true) => Self::OnMain,
            (true, false) => Self::Mixed(workers),
        }
    }
}

/// Whether the functions of the main thread have one root and nothing to keep apart: invocations on threads have
/// contexts of their own, and those that share nothing must not even see what others have set.
pub(super) fn has_lone_root(site: &Site, options: &ServeOptions, isolation: Isolation) -> bool {
    let mut on_main = site.functions().iter().filter(|function| function.on_main_thread());
    let first = on_main.clone().next().map(|function| &function.located.module.root);
    isolation != Isolation::Fresh
        && on_main.all(|function| {
            let threads = function.threads.unwrap_or(options.threads);
            threads < 2
                && Some(&function.located.module.root) == first
                // Where a root has variables of its own, nobody else may see them.
                && function.variables.is_empty()
        })
}

/// The groups of threads of a server.
pub(super) struct Groups {
    /// For each function the way to its threads, if it has any.
    pub(super) of_functions: Vec<Option<Threads>>,
    /// The number of threads in each group, and what each of them needs.
    pub(super) seats: Vec<(usize, ThreadSeat)>,
    /// Their requests to the main thread.
    pub(super) renewals: Option<mpsc::UnboundedReceiver<()>>,
}

impl Groups {
    /// Groups the threads of functions that hold theirs: one group for all without a number of their own, and one for
    /// each that has a number.
    pub(super) fn of(
        site: &Site,
        options: &ServeOptions,
        isolation: Isolation,
        main_lost: &watch::Receiver<bool>,
    ) -> Self {
        let functions = site.functions();
        let (ask, asked) = mpsc::unbounded_channel();
        let mut groups = Self {
            of_functions: vec![None; functions.len()],
            seats: Vec::new(),
            renewals: Some(asked),
        };
        // With an instance for each invocation there is nothing to share.
        if isolation == Isolation::Fresh {
            return groups;
        }
        let mut shared = None;
        for (index, function) in functions.iter().enumerate() {
            let count = function.threads.unwrap_or(options.threads);
            if !function.on_main_thread() || count < 2 {
                continue;
            }
            let mut begin = || {
                let places = Places::new([count]);
                let dispatcher =
                    handover::dispatcher(LostThread::Worker, main_lost.clone(), places);
                let (threads, seat) = threads::group(functions.len(), dispatcher, ask.clone());
                groups.seats.push((count, seat));
                threads
            };
            let threads = match function.threads {
                Some(_) => begin(),
                None => shared.get_or_insert_with(begin).clone(),
            };
            groups.of_functions[index] = Some(threads);
        }
        groups
    }
}

/// The work of one worker, and what it needs for it.
pub(super) struct Seat {
    pub(super) share: Share,
    pub(super) source: Source,
    /// Threads of functions that have any.
    pub(super) threads: Vec<Option<Threads>>,
    /// Those threads themselves, where this is the main thread's seat.
    pub(super) following: Vec<JoinHandle<()>>,
    /// Their requests.
    pub(super) renewals: Option<mpsc::UnboundedReceiver<()>>,
    pub(super) site: Arc<Site>,
    pub(super) options: Arc<ServeOptions>,
    pub(super) log: Log,
    pub(super) port: u16,
    pub(super) stuck: mpsc::UnboundedSender<LostThread>,
    pub(super) stopped: watch::Receiver<bool>,
    pub(super) closing: Arc<Closing>,
    pub(super) reported: Arc<Reported>,
    pub(super) shared: Arc<Shared>,
    /// The runs of the server's triggers, where this worker takes them.
    pub(super) triggers: Option<Inbox>,
    pub(super) alive: Alive,
}

/// A guard held for as long as a worker has more to do than to end its interpreters, however it ends.
pub(super) struct Alive {
    /// A flag that is set when this is dropped.
    pub(super) left: Arc<AtomicBool>,
    /// A sender whose end tells the server that no worker has anything left to do.
    _all: mpsc::Sender<()>,
}

impl Alive {
    /// Makes the guard of one more worker, whose end tells `all`.
    pub(super) fn new(all: mpsc::Sender<()>) -> Self {
        Self { left: Arc::default(), _all: all }
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.left.store(true, Ordering::Release);
    }
}

/// The source of a worker's invocations.
pub(super) enum Source {
    /// Connections that it accepts.
    Door(Listener),
    /// Other workers.
    Inbox(Inbox),
    /// Other workers, for one of several threads.
    Thread(ThreadSeat),
}

impl Seat {
    /// Works until the end of the server.
    pub(super) async fn work(self, worker: Rc<Worker>) {
        let _alive = self.alive;
        let (site, options, log) = (self.site, self.options, self.log);
        let (share, shared) = (&self.share, &self.shared);
        let functions = Functions::new(&site, &worker, &options, share, &self.threads, shared);
        let watch = self.shared.console.as_ref().map(|console| console.watch.clone());
        let functions = Rc::new(functions.watched_by(watch));
        let follows = matches!(share, Share::Following);
        // They keep the ways to other threads open, which end when all of these are gone.
        drop((self.share, self.threads));
        if let Some(renewals) = self.renewals {
            tokio::task::spawn_local(renew(Rc::downgrade(&functions), renewals));
        }
        if self.shared.metrics.is_some() || self.shared.console.is_some() {
            tokio::task::spawn_local(measure(Rc::downgrade(&worker)));
        }
        if options.eager && !follows {
            load_all(&site, &functions, &log, &self.reported, &self.shared).await;
        }
        match self.source {
            Source::Inbox(inbox) => {
                handover::serve(inbox, functions, options, self.stopped).await;
            }
            Source::Thread(seat) => seat.work(&worker, &functions, &options).await,
            Source::Door(listener) => match Acceptor::new(listener) {
                Ok(listener) => {
                    let service = Service {
                        site,
                        functions,
                        options,
                        log,
                        port: self.port,
                        stuck: self.stuck,
                        ids: RequestIds::default(),
                        stopped: self.stopped.clone(),
                        closing: self.closing,
                        reported: self.reported,
                        shared: self.shared,
                        triggers: self.triggers,
                        no_time: watch::Sender::default(),
                    };
                    service.closing.may_accept(self.stopped.clone()).await;
                    connection::serve(listener, Rc::new(service), self.stopped).await;
                }
                Err(e) => log.line(Level::Fatal, &format!("cannot accept: {e}"), &[]),
            },
        }
        // The interpreter that they share ends here, and last.
        let _ = time::timeout(AFTER_GRACE, all_finished(&self.following)).await;
    }
}

/// Measures a worker's instances again and again, until it is gone.
async fn measure(worker: Weak<Worker>) {
    while let Some(worker) = worker.upgrade() {
        worker.measure();
        drop(worker);
        time::sleep(MEASURE_INTERVAL).await;
    }
}

/// Reloads what threads ask for, until these functions are gone.
async fn renew(functions: Weak<Functions>, mut renewals: mpsc::UnboundedReceiver<()>) {
    while renewals.recv().await.is_some() {
        let Some(functions) = functions.upgrade() else { return };
        functions.renew().await;
    }
}

async fn all_finished(threads: &[JoinHandle<()>]) {
    while !threads.iter().all(JoinHandle::is_finished) {
        time::sleep(POLL_INTERVAL).await;
    }
}

/// Returns the facts for an instance of a server, on the main thread or on another one. Invocations run side by side,
/// so none may claim a variable of the process.
pub(super) fn environment_of(
    environment: &Environment,
    main_thread: bool,
    lone_root: bool,
) -> Environment {
    environment
        .clone()
        .with_main_thread(main_thread)
        .with_trace_in_environment(false)
        .with_shares_process(true)
        .with_lone_root(lone_root)
}

/// Loads a worker's functions before the first request, so that errors show early; the rest is served all the same.
async fn load_all(
    site: &Site,
    functions: &Functions,
    log: &Log,
    reported: &Reported,
    shared: &Shared,
) {
    for (index, function) in site.functions().iter().enumerate() {
        if !functions.has(index) {
            continue;
        }
        let loaded = functions.load(index).await;
        shared.readiness.note(index, loaded.is_ok());
        if let Some(console) = &shared.console {
            console.watch.note_loaded(index, loaded.as_ref().err());
        }
        if let Err(error) = loaded
            && reported.note(&function.name, &error)
        {
            log.failure(&function.name, "-", &error);
        }
    }
}
