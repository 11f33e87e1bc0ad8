//! The server: one port, workers that accept from it, the main thread for what lives there, and an orderly end.

use super::{
    closing::Closing,
    console::Console,
    duties::{
        AFTER_GRACE, Alive, Groups, POLL_INTERVAL, Seat, Source, Spread, environment_of,
        has_lone_root,
    },
    error::ServeError,
    functions::{Share, places},
    generation::Generation,
    handover::{self, Inbox},
    lifeline::LostThread,
    metrics::MetricsPlace,
    metrics_port::MetricsPort,
    options::ServeOptions,
    queue::Places,
    reported::Reported,
    shared::Shared,
    site::Site,
    socket::{Endpoint, Listener},
    supervisor::{Supervisor, succeeded},
    tls::Tls,
    triggers,
};
use crate::{
    diagnostic::STUCK_EXIT,
    signals::Signals,
    telemetry::{Log, Tracer},
    worker::{self, WorkerOptions},
};
use std::{
    net::{SocketAddr, TcpListener},
    panic::{self, AssertUnwindSafe},
    sync::{Arc, atomic::Ordering},
    thread::JoinHandle,
};
use tokio::{
    sync::{mpsc, watch},
    time,
};
use trine_engine::Level;

/// The way in which a server ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// A requested stop: everything that was accepted has been answered. Exit code 0.
    Drained,
    /// A second signal before that; the process is to end at once. Exit code 128 plus the signal's number.
    Forced {
        /// The signal's number: 2 or 15.
        signal: u8,
    },
    /// The loss of a worker to guest code that cannot be stopped; the others have finished. The process is to end so
    /// that its platform starts another one. Exit code 124.
    Stuck,
}

impl Ended {
    /// Returns the exit code of the process.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Drained => 0,
            Self::Forced { signal } => 128 + signal,
            Self::Stuck => STUCK_EXIT as u8,
        }
    }
}

/// Serves until SIGTERM or SIGINT, then lets requests in flight finish.
///
/// # Errors
/// As [`Server::bind`] and [`Server::start`]; [`ServeError::WorkersLost`].
pub fn serve(
    options: ServeOptions,
    site: Site,
    worker: &WorkerOptions,
) -> Result<Ended, ServeError> {
    Server::bind(options, site)?.serve_until_signal(worker, |_| ())
}

/// A bound port, with all that is to be served on it. Nothing is answered yet.
#[derive(Debug)]
pub struct Server {
    listener: Listener,
    endpoint: Endpoint,
    tls: Option<Arc<Tls>>,
    /// The port of the metrics, if they have one.
    metrics: Option<TcpListener>,
    options: Arc<ServeOptions>,
    site: Arc<Site>,
    reported: Arc<Reported>,
    console: Option<Arc<Console>>,
}

impl Server {
    /// Binds the port, once for all workers, and reads the certificate.
    ///
    /// # Errors
    /// [`ServeError::PortInUse`], [`ServeError::Listen`], [`ServeError::Socket`], [`ServeError::Tls`] and
    /// [`ServeError::Metrics`].
    pub fn bind(options: ServeOptions, site: Site) -> Result<Self, ServeError> {
        let tls = options.tls.as_ref().map(Tls::open).transpose()?.map(Arc::new);
        let listener = Listener::open(&options)?;
        Self::with(listener, tls, options, site)
    }

    /// Makes a server on a port that is open already; see [`Server::listen`]. Reads the certificate.
    ///
    /// # Errors
    /// As [`Server::bind`], but for the port.
    pub fn on(port: TcpListener, options: ServeOptions, site: Site) -> Result<Self, ServeError> {
        let tls = options.tls.as_ref().map(Tls::open).transpose()?.map(Arc::new);
        port.set_nonblocking(true).map_err(ServeError::Start)?;
        Self::with(Listener::Tcp(port), tls, options, site)
    }

    /// Opens the port of a server, for one that is started elsewhere.
    ///
    /// # Errors
    /// [`ServeError::PortInUse`], [`ServeError::Listen`]; [`ServeError::Socket`] where the options name no port.
    pub fn listen(options: &ServeOptions) -> Result<TcpListener, ServeError> {
        match Listener::open(options)? {
            Listener::Tcp(port) => Ok(port),
            Listener::Unix(..) => {
                let why = "it is no port, and cannot be handed from one server to the next";
                Err(ServeError::Socket("the socket".to_owned(), why.to_owned()))
            }
        }
    }

    fn with(
        listener: Listener,
        tls: Option<Arc<Tls>>,
        options: ServeOptions,
        site: Site,
    ) -> Result<Self, ServeError> {
        let endpoint = listener.endpoint().map_err(ServeError::Start)?;
        let metrics = match options.metrics {
            Some(MetricsPlace::Port(address)) => Some(bind_metrics(address)?),
            _ => None,
        };
        let (options, site) = (Arc::new(options), Arc::new(site));
        let (reported, console) = Default::default();
        Ok(Self { listener, endpoint, tls, metrics, options, site, reported, console })
    }

    /// Returns where clients reach it, with the port that was taken if any was asked for.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Returns the options that it was made with.
    pub fn options(&self) -> &ServeOptions {
        &self.options
    }

    /// Returns the address of the metrics, if they have a port of their own.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics.as_ref()?.local_addr().ok()
    }

    /// Returns what is served.
    pub fn site(&self) -> &Site {
        &self.site
    }

    /// Notes that whatever keeps functions from being loaded (their [`problem`](super::ServedFunction::problem)) has
    /// been reported: their requests do not print it in full again.
    pub fn note_problems_reported(&self) {
        for function in self.site.functions() {
            if let Some(problem) = &function.problem {
                self.reported.note(&function.name, problem);
            }
        }
    }

    /// Returns the number of workers, each a thread with interpreters of its own: those that accept connections, and
    /// the main thread's where functions live that the others hand over to it.
    pub fn workers(&self) -> usize {
        match self.spread() {
            Spread::Even(workers) => workers,
            Spread::OnMain => 1,
            Spread::Mixed(workers) => workers + 1,
        }
    }

    fn spread(&self) -> Spread {
        Spread::of(self.site.functions(), self.options.workers.max(1))
    }

    /// Starts the workers, each on a thread of its own, also the one that stands for the main thread. Each gets its own
    /// copy of `worker`.
    ///
    /// # Errors
    /// [`ServeError::Start`].
    pub fn start(mut self, worker: &WorkerOptions) -> Result<Running, ServeError> {
        let worker = &self.equip(worker);
        let (mut running, main) = self.prepare(worker)?;
        if let Some(seat) = main {
            running.spawn(0, seat, worker.clone())?;
        }
        Ok(running)
    }

    /// Starts the workers and serves until SIGTERM or SIGINT. Even before the first request, a signal means a drain;
    /// `ready` is called when that holds. Meant for the process's main thread: functions that live there run on the
    /// calling one. Where one of them does not come back after a second signal or the grace, the process ends here.
    ///
    /// # Errors
    /// [`ServeError::Start`] when threads or signals are not available, [`ServeError::WorkersLost`] when the workers
    /// ended by themselves.
    pub fn serve_until_signal(
        self,
        worker: &WorkerOptions,
        ready: impl FnOnce(&Self),
    ) -> Result<Ended, ServeError> {
        self.serve_under(Supervisor::new()?, worker, ready)
    }

    /// Serves as [`Server::serve_until_signal`] does, with a supervisor that has been listening since earlier.
    ///
    /// # Errors
    /// The same.
    pub fn serve_under(
        mut self,
        supervisor: Supervisor,
        worker: &WorkerOptions,
        ready: impl FnOnce(&Self),
    ) -> Result<Ended, ServeError> {
        let Supervisor { runtime, mut signals, generation } = supervisor;
        ready(&self);
        let worker = &self.equip(worker);
        let lone_root = has_lone_root(&self.site, &self.options, worker.recycling.isolation);
        let (running, main) = self.prepare(worker)?;
        let Some(seat) = main else {
            return runtime.block_on(running.run_until(&mut signals, generation));
        };
        // Guests hold this thread from here on, so another one has to look after signals and time.
        let (left, tracer) = (seat.alive.left.clone(), worker.tracer.clone());
        let supervise = move || {
            let ended = runtime.block_on(running.run_until(&mut signals, generation));
            if let (Ok(ended), false) = (&ended, left.load(Ordering::Acquire)) {
                if !matches!(ended, Ended::Forced { .. }) {
                    tracer.flush_blocking(AFTER_GRACE);
                }
                trine_process::end(ended.exit_code().into());
            }
            ended
        };
        let supervisor = worker::spawn_beside("trine-signals", supervise);
        let supervisor = supervisor.map_err(ServeError::Start)?;
        let environment = environment_of(&worker.environment, true, lone_root);
        let options = WorkerOptions { environment, ..worker.clone() };
        let work = async move |worker| seat.work(worker).await;
        // A panic is the loss of a worker, as on any other thread.
        let worked = panic::catch_unwind(AssertUnwindSafe(|| worker::run_here(options, work)));
        let ended = supervisor.join().map_err(|_| ServeError::WorkersLost)??;
        match worked {
            Ok(worked) => worked.map(|()| ended).map_err(ServeError::Start),
            Err(_) => Err(ServeError::WorkersLost),
        }
    }

    /// Returns the options of workers with what this server's functions get on top of what all get, and has its console look on.
    fn equip(&mut self, worker: &WorkerOptions) -> WorkerOptions {
        let mut worker = self.site.equip(worker);
        let options = self.options.console.as_ref();
        self.console = options.map(|options| Console::begin(options, &self.site, &mut worker));
        worker
    }

    /// Starts all workers but the main thread's, whose seat is the second part.
    fn prepare(mut self, worker: &WorkerOptions) -> Result<(Running, Option<Seat>), ServeError> {
        let log = Log::new(worker.environment.log.clone());
        let (stuck, lost) = mpsc::unbounded_channel();
        let (stop, stopped) = watch::channel(false);
        let (main_is_lost, main_lost) = watch::channel(false);
        let (alive, ended) = mpsc::channel::<()>(1);
        let spread = self.spread();
        let own = self.listener.try_clone().map_err(ServeError::Start)?;
        let closing = Arc::new(Closing::new(own, self.tls.is_some(), spread.accepting()));
        if self.options.is_let_in {
            closing.keep_shut();
        }
        if let Some(tls) = &self.tls {
            tls.warn(&log);
        }
        let port = match &self.endpoint {
            Endpoint::Tcp(address) => address.port(),
            Endpoint::Unix(_) => {
                if self.tls.is_some() {
                    443
                } else {
                    80
                }
            }
        };
        let isolation = worker.recycling.isolation;
        let groups = Groups::of(&self.site, &self.options, isolation, &main_lost);
        let threads = &groups.of_functions;
        let (tls, console) = (self.tls.clone(), self.console.clone());
        let shared = Shared::new(&self.site, &self.options, &worker.census, tls, console);
        let shared = Arc::new(shared);
        let seat = |share, source| Seat {
            share,
            source,
            threads: threads.clone(),
            following: Vec::new(),
            renewals: None,
            site: self.site.clone(),
            options: self.options.clone(),
            log: log.clone(),
            port,
            stuck: stuck.clone(),
            stopped: stopped.clone(),
            closing: closing.clone(),
            reported: self.reported.clone(),
            shared: shared.clone(),
            triggers: None,
            alive: Alive::new(alive.clone()),
        };
        let door = || self.listener.try_clone().map(Source::Door).map_err(ServeError::Start);
        let (accepting, dispatcher, mut main) = match spread {
            Spread::Even(workers) => (workers, None, None),
            Spread::OnMain => (0, None, Some(seat(Share::All, door()?))),
            Spread::Mixed(workers) => {
                let functions = self.site.functions().iter();
                let places = functions.map(|function| places(function, &self.options, isolation));
                let lost = main_lost.clone();
                let (dispatcher, inbox) =
                    handover::dispatcher(LostThread::Main, lost, Places::new(places));
                let main = seat(Share::MainThread, Source::Inbox(inbox));
                (workers, Some(dispatcher), Some(main))
            }
        };
        let mut running = Running {
            endpoint: self.endpoint.clone(),
            tls: self.tls.clone(),
            options: self.options.clone(),
            log: log.clone(),
            metrics: self.metrics.take().map(|listener| MetricsPort {
                listener,
                shared: shared.clone(),
                closing: closing.clone(),
            }),
            stop: Stop { stop, closing: closing.clone() },
            lost,
            main_is_lost,
            ended,
            threads: Vec::new(),
        };
        let mut runs = {
            let told = (&shared, &worker.tracer);
            self.start_triggers(&mut running, told, &stuck, &stopped, &main_lost)?
        };
        for number in 1..=accepting {
            let share = dispatcher.clone().map_or(Share::All, Share::AnyThread);
            // The first worker that accepts takes them, or the only one.
            let seat = Seat { triggers: runs.take(), ..seat(share, door()?) };
            running.spawn(number, seat, worker.clone())?;
        }
        if let Some(main) = &mut main {
            main.triggers = runs;
        }
        if let Some(main) = &mut main {
            main.renewals = groups.renewals;
            let seats = groups.seats.into_iter().flat_map(|(count, seat)| vec![seat; count]);
            for (number, of_thread) in seats.enumerate() {
                let source = Source::Thread(of_thread);
                let seat = Seat { threads: Vec::new(), ..seat(Share::Following, source) };
                let environment = environment_of(&worker.environment, false, false);
                let worker = WorkerOptions { environment, ..worker.clone() };
                let work = async move |worker| seat.work(worker).await;
                let thread = worker::spawn_following(number + 1, worker, work);
                main.following.push(thread.map_err(ServeError::Start)?);
            }
        }
        Ok((running, main))
    }
}

impl Server {
    /// Starts what looks after the triggers, if there are any. Returns the runs that they begin, for a worker.
    fn start_triggers(
        &self,
        running: &mut Running,
        (shared, tracer): (&Arc<Shared>, &Tracer),
        stuck: &mpsc::UnboundedSender<LostThread>,
        stopped: &watch::Receiver<bool>,
        main_lost: &watch::Receiver<bool>,
    ) -> Result<Option<Inbox>, ServeError> {
        if self.site.triggers().is_empty() {
            return Ok(None);
        }
        let (dispatcher, runs) =
            handover::dispatcher(LostThread::Worker, main_lost.clone(), Places::new([]));
        let around = triggers::Around {
            site: self.site.clone(),
            options: self.options.clone(),
            log: running.log.clone(),
            tracer: tracer.clone(),
            shared: shared.clone(),
            closing: running.stop.closing.clone(),
            dispatcher: Some(dispatcher).into(),
            stuck: stuck.clone(),
            stopped: stopped.clone(),
        };
        running.threads.push(triggers::start(around).map_err(ServeError::Start)?);
        Ok(Some(runs))
    }
}

fn bind_metrics(address: SocketAddr) -> Result<TcpListener, ServeError> {
    let bound = TcpListener::bind(address).and_then(|listener| {
        listener.set_nonblocking(true)?;
        Ok(listener)
    });
    bound.map_err(|source| ServeError::Metrics { address, source })
}

/// A running server.
#[derive(Debug)]
pub struct Running {
    endpoint: Endpoint,
    tls: Option<Arc<Tls>>,
    options: Arc<ServeOptions>,
    log: Log,
    metrics: Option<MetricsPort>,
    stop: Stop,
    /// The channel that is closed when the last worker has ended.
    ended: mpsc::Receiver<()>,
    /// The channel with one message for each worker whose thread is lost to guest code.
    lost: mpsc::UnboundedReceiver<LostThread>,
    /// The channel that tells those who handed over to the main thread that it is lost.
    main_is_lost: watch::Sender<bool>,
    threads: Vec<JoinHandle<()>>,
}

/// A handle that stops a server from any thread.
#[derive(Debug, Clone)]
pub struct Stop {
    stop: watch::Sender<bool>,
    closing: Arc<Closing>,
}

impl Stop {
    /// Stops accepting and lets requests in flight finish. Returns at once.
    pub fn stop(&self) {
        self.closing.asked();
        self.stop.send_replace(true);
    }

    fn was_asked(&self) -> bool {
        *self.stop.borrow()
    }
}

impl Running {
    /// Returns where clients reach it.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Returns a handle that stops this server.
    pub fn stopper(&self) -> Stop {
        self.stop.clone()
    }

    /// Waits until the server was stopped and all its workers have ended.
    ///
    /// # Errors
    /// [`ServeError::WorkersLost`] when they ended by themselves.
    pub fn join(mut self) -> Result<(), ServeError> {
        while self.ended.blocking_recv().is_some() {}
        reap(self.threads, &self.stop)
    }

    /// Starts a worker on a thread of its own.
    fn spawn(
        &mut self,
        number: usize,
        seat: Seat,
        worker: WorkerOptions,
    ) -> Result<(), ServeError> {
        let environment = environment_of(&worker.environment, false, false);
        let worker = WorkerOptions { environment, ..worker };
        let work = async move |worker| seat.work(worker).await;
        self.threads.push(worker::spawn(number, worker, work).map_err(ServeError::Start)?);
        Ok(())
    }

    async fn run_until(
        mut self,
        signals: &mut Signals,
        generation: Option<Generation>,
    ) -> Result<Ended, ServeError> {
        if let Some(metrics) = self.metrics.take() {
            tokio::spawn(metrics.serve());
        }
        if let Some(tls) = self.tls.take() {
            let log = self.log.clone();
            tokio::spawn(async move { tls.follow(&log).await });
        }
        let mut lost = None;
        let mut is_told = true;
        tokio::select! {
            _ = signals.next() => {}
            () = succeeded(generation.as_ref(), &self.stop.closing) => {
                self.stop.closing.hand_over();
                is_told = false;
            }
            _ = self.ended.recv() => return reap(self.threads, &self.stop).map(|()| Ended::Drained),
            Some(thread) = self.lost.recv() => lost = Some(thread),
        }
        self.stop.stop();
        let closing = self.stop.closing.clone();
        if let Some(generation) = generation {
            tokio::spawn(async move {
                closing.all_have_left().await;
                generation.tell_left();
            });
        }
        let grace = self.options.grace.as_secs_f64();
        let message = format!("asked to stop: what has come has {grace} s to be answered");
        if is_told {
            self.log.line(Level::Info, &message, &[]);
        }
        let until = self.stop.closing.asked() + self.options.grace;
        let forced = |signal| Ok(Ended::Forced { signal });
        let ended = if let Some(thread) = lost {
            // With that worker the process is lost; the others may finish what they have in flight.
            let others = others(thread, &self.ended, &mut self.lost, &self.main_is_lost);
            tokio::select! {
                signal = signals.next() => return forced(signal),
                () = others => {}
                () = time::sleep_until(until) => {}
            }
            Ended::Stuck
        } else {
            tokio::select! {
                signal = signals.next() => return forced(signal),
                _ = self.ended.recv() => reap(self.threads, &self.stop)?,
                () = time::sleep_until(until + AFTER_GRACE) => {
                    let message = "a worker still runs guest code after the grace; it is left behind";
                    self.log.line(Level::Warn, message, &[]);
                }
            }
            Ended::Drained
        };
        // What waits for a thread that does not come back gets its answer from here.
        self.stop.closing.connections.turn_away();
        tokio::select! {
            signal = signals.next() => forced(signal),
            () = self.stop.closing.shut() => Ok(ended),
        }
    }
}

/// Waits until all workers have ended except those that are lost.
async fn others(
    first: LostThread,
    ended: &mpsc::Receiver<()>,
    lost: &mut mpsc::UnboundedReceiver<LostThread>,
    main_is_lost: &watch::Sender<bool>,
) {
    // What waits for the main thread waits in vain once that is lost.
    let note = |thread| {
        if thread == LostThread::Main {
            main_is_lost.send_replace(true);
        }
    };
    note(first);
    let mut count = 1;
    while ended.sender_strong_count() > count {
        tokio::select! {
            Some(thread) = lost.recv() => {
                note(thread);
                count += 1;
            }
            () = time::sleep(POLL_INTERVAL) => {}
        }
    }
}

/// Notes how the threads ended. To be called when all have.
fn reap(threads: Vec<JoinHandle<()>>, stop: &Stop) -> Result<(), ServeError> {
    let was_asked = stop.was_asked();
    // What begins runs of triggers does not end with the workers.
    stop.stop();
    let mut lost = false;
    for thread in threads {
        lost |= thread.join().is_err();
    }
    if lost || !was_asked { Err(ServeError::WorkersLost) } else { Ok(()) }
}
