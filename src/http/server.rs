//! The server: one port, workers that accept from it, the main thread for what lives there, and an orderly end.

use super::{
    connection,
    error::ServeError,
    functions::{Functions, Share},
    handover::{self, Orders},
    lifeline::LostThread,
    options::ServeOptions,
    request_id::RequestIds,
    service::Service,
    site::{ServedFunction, Site},
};
use crate::{
    diagnostic::STUCK_EXIT,
    signals::Signals,
    telemetry::Log,
    worker::{self, Worker, WorkerOptions},
};
use std::{
    io,
    net::{SocketAddr, TcpListener},
    panic::{self, AssertUnwindSafe},
    rc::Rc,
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

/// How long workers may take beyond the grace, to end their interpreters.
const AFTER_GRACE: Duration = Duration::from_secs(1);
/// Between two looks at whether the other workers have ended.
const LOOK: Duration = Duration::from_millis(10);

/// How a server came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It was asked to stop and has answered what it had accepted. Exit code 0.
    Drained,
    /// A second signal came before that; the process is to end at once. Exit code 128 and the signal's number.
    Forced {
        /// The signal's number: 2 or 15.
        signal: u8,
    },
    /// A worker was lost to guest code that cannot be stopped; the others have finished. The process is to end so that
    /// its platform starts another one. Exit code 124.
    Stuck,
}

impl Ended {
    /// The exit code of the process.
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

/// A port that is bound, with all that is to be served on it. Nothing is answered yet.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    options: Arc<ServeOptions>,
    site: Arc<Site>,
}

impl Server {
    /// Binds the port, once for all workers.
    ///
    /// # Errors
    /// [`ServeError::PortInUse`] and [`ServeError::Listen`].
    pub fn bind(options: ServeOptions, site: Site) -> Result<Self, ServeError> {
        let address = options.address;
        let failed = |source: io::Error| match source.kind() {
            io::ErrorKind::AddrInUse => ServeError::PortInUse(address),
            _ => ServeError::Listen { address, source },
        };
        let listener = TcpListener::bind(address).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, address, options: Arc::new(options), site: Arc::new(site) })
    }

    /// The address that clients reach, with the port that was taken if any was asked for.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What is served.
    pub fn site(&self) -> &Site {
        &self.site
    }

    /// How many workers there are, each a thread with interpreters of its own. Those that accept connections, and the
    /// main thread's where functions live that the others hand over to it.
    pub fn workers(&self) -> usize {
        match self.spread() {
            Spread::Even(workers) => workers,
            Spread::OnMain => 1,
            Spread::Mixed(workers) => workers + 1,
        }
    }

    fn spread(&self) -> Spread {
        let workers = self.options.workers.max(1);
        let mut on_main = self.site.functions().iter().map(ServedFunction::on_main_thread);
        match (on_main.clone().any(|main| main), on_main.all(|main| main)) {
            (false, _) => Spread::Even(workers),
            (true, true) => Spread::OnMain,
            (true, false) => Spread::Mixed(workers),
        }
    }

    /// Starts the workers, each on a thread of its own, also the one that stands for the main thread. Each gets its own
    /// copy of `worker`.
    ///
    /// # Errors
    /// [`ServeError::Start`].
    pub fn start(self, worker: &WorkerOptions) -> Result<Running, ServeError> {
        let (mut running, main) = self.prepare(worker)?;
        if let Some(seat) = main {
            let environment = Environment { main_thread: false, ..worker.environment.clone() };
            running.spawn(0, seat, WorkerOptions { environment, ..worker.clone() })?;
        }
        Ok(running)
    }

    /// Starts the workers and serves until SIGTERM or SIGINT. From before the first request on, a signal means a drain;
    /// `ready` is called when that holds. Meant for the process's main thread: functions that live there run on the
    /// calling one. Where one of them does not come back after a second signal or the grace, the process ends here.
    ///
    /// # Errors
    /// [`ServeError::Start`] when threads or signals cannot be had, [`ServeError::WorkersLost`] when the workers ended
    /// by themselves.
    pub fn serve_until_signal(
        self,
        worker: &WorkerOptions,
        ready: impl FnOnce(&Self),
    ) -> Result<Ended, ServeError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(ServeError::Start)?;
        let mut signals = {
            let _inside = runtime.enter();
            Signals::new().map_err(ServeError::Start)?
        };
        ready(&self);
        let (mut running, main) = self.prepare(worker)?;
        let Some(seat) = main else { return runtime.block_on(running.run_until(&mut signals)) };
        // Guests hold this thread from here on, so that another one has to look after signals and time.
        let left = seat.alive.left.clone();
        let supervise = move || {
            let ended = runtime.block_on(running.run_until(&mut signals));
            if let (Ok(ended), false) = (&ended, left.load(Ordering::Acquire)) {
                std::process::exit(ended.exit_code().into());
            }
            ended
        };
        let supervisor = worker::spawn_beside("trine-signals", supervise);
        let supervisor = supervisor.map_err(ServeError::Start)?;
        let environment = Environment { main_thread: true, ..worker.environment.clone() };
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

    /// Starts the workers but for the main thread's, whose seat is the second part.
    fn prepare(self, worker: &WorkerOptions) -> Result<(Running, Option<Seat>), ServeError> {
        let log = Log::new(worker.environment.log.clone());
        let (stuck, lost) = mpsc::unbounded_channel();
        let (stop, stopped) = watch::channel(false);
        let (main_is_lost, main_lost) = watch::channel(false);
        let (alive, ended) = mpsc::channel::<()>(1);
        let spread = self.spread();
        let seat = |share, post| Seat {
            share,
            post,
            site: self.site.clone(),
            options: self.options.clone(),
            log: log.clone(),
            port: self.address.port(),
            stuck: stuck.clone(),
            stopped: stopped.clone(),
            alive: Alive { left: Arc::default(), _all: alive.clone() },
        };
        let door = || self.listener.try_clone().map(Post::Door).map_err(ServeError::Start);
        let (accepting, counter, main) = match spread {
            Spread::Even(workers) => (workers, None, None),
            Spread::OnMain => (0, None, Some(seat(Share::All, door()?))),
            Spread::Mixed(workers) => {
                let (counter, orders) = handover::counter(main_lost);
                let main = seat(Share::MainThread, Post::Counter(orders));
                (workers, Some(counter), Some(main))
            }
        };
        let mut running = Running {
            address: self.address,
            options: self.options.clone(),
            log: log.clone(),
            stop,
            lost,
            main_is_lost,
            ended,
            threads: Vec::new(),
        };
        for number in 1..=accepting {
            let share = counter.clone().map_or(Share::All, Share::AnyThread);
            running.spawn(number, seat(share, door()?), worker.clone())?;
        }
        Ok((running, main))
    }
}

/// How functions are spread over the threads of a server.
enum Spread {
    /// So many workers accept, and each runs all functions.
    Even(usize),
    /// All functions live on the main thread, which accepts as well.
    OnMain,
    /// So many workers accept, and hand over to the main thread what lives there.
    Mixed(usize),
}

/// What one worker has to do, and with what.
struct Seat {
    share: Share,
    post: Post,
    site: Arc<Site>,
    options: Arc<ServeOptions>,
    log: Log,
    port: u16,
    stuck: mpsc::UnboundedSender<LostThread>,
    stopped: watch::Receiver<bool>,
    alive: Alive,
}

/// Held for as long as a worker has anything to do but to end its interpreters, in whatever way it ends.
struct Alive {
    left: Arc<AtomicBool>,
    _all: mpsc::Sender<()>,
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.left.store(true, Ordering::Release);
    }
}

/// Where a worker's invocations come from.
enum Post {
    /// From connections that it accepts.
    Door(TcpListener),
    /// From other workers.
    Counter(Orders),
}

impl Seat {
    /// Works to the end of the server.
    async fn work(self, worker: Rc<Worker>) {
        let _alive = self.alive;
        let (site, options, log) = (self.site, self.options, self.log);
        let functions = Rc::new(Functions::new(&site, &worker, &options, &self.share));
        // They hold the way to the main thread open, which ends when all of these are gone.
        drop(self.share);
        if options.eager {
            load_all(&site, &functions, &log).await;
        }
        match self.post {
            Post::Counter(orders) => {
                handover::serve(orders, functions, options, self.stopped, log).await;
            }
            Post::Door(listener) => match tokio::net::TcpListener::from_std(listener) {
                Ok(listener) => {
                    let (port, stuck, ids) = (self.port, self.stuck, RequestIds::default());
                    let stopped = self.stopped.clone();
                    let service =
                        Service { site, functions, options, log, port, stuck, ids, stopped };
                    connection::serve(listener, Rc::new(service), self.stopped).await;
                }
                Err(e) => log.line(Level::Fatal, &format!("cannot accept: {e}"), &[]),
            },
        }
    }
}

/// Loads a worker's functions before the first request, so that errors show early; they are no reason not to serve the
/// rest.
async fn load_all(site: &Site, functions: &Functions, log: &Log) {
    for (index, function) in site.functions().iter().enumerate() {
        if functions.has(index)
            && let Err(error) = functions.load(index).await
        {
            log.failure(&function.name, "-", &error);
        }
    }
}

/// A server that answers.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    options: Arc<ServeOptions>,
    log: Log,
    stop: watch::Sender<bool>,
    /// Closed when the last worker has ended.
    ended: mpsc::Receiver<()>,
    /// Told once for each worker whose thread is lost to guest code.
    lost: mpsc::UnboundedReceiver<LostThread>,
    /// Tells those who handed over to the main thread that it is lost.
    main_is_lost: watch::Sender<bool>,
    threads: Vec<JoinHandle<()>>,
}

/// Stops a server from any thread.
#[derive(Debug, Clone)]
pub struct Stop(watch::Sender<bool>);

impl Stop {
    /// Accepts nothing more and lets requests in flight finish. Returns at once.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}

impl Running {
    /// The address that clients reach.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A handle that stops this server.
    pub fn stopper(&self) -> Stop {
        Stop(self.stop.clone())
    }

    /// Waits until the server was stopped and all its workers have ended.
    ///
    /// # Errors
    /// [`ServeError::WorkersLost`] when they ended by themselves.
    pub fn join(mut self) -> Result<(), ServeError> {
        while self.ended.blocking_recv().is_some() {}
        self.reap()
    }

    /// Starts a worker on a thread of its own. Invocations run side by side there, so that none may claim the main thread
    /// or a variable of the process.
    fn spawn(
        &mut self,
        number: usize,
        seat: Seat,
        worker: WorkerOptions,
    ) -> Result<(), ServeError> {
        let environment = Environment {
            main_thread: false,
            trace_in_environment: false,
            shares_process: true,
            ..worker.environment.clone()
        };
        let worker = WorkerOptions { environment, ..worker };
        let work = async move |worker| seat.work(worker).await;
        self.threads.push(worker::spawn(number, worker, work).map_err(ServeError::Start)?);
        Ok(())
    }

    async fn run_until(&mut self, signals: &mut Signals) -> Result<Ended, ServeError> {
        tokio::select! {
            _ = signals.next() => {}
            _ = self.ended.recv() => return self.reap().map(|()| Ended::Drained),
            Some(thread) = self.lost.recv() => return Ok(self.abandon(thread, signals).await),
        }
        self.stop.send_replace(true);
        tokio::select! {
            signal = signals.next() => return Ok(Ended::Forced { signal }),
            _ = self.ended.recv() => self.reap()?,
            () = time::sleep(self.options.grace + AFTER_GRACE) => {
                let message = "a worker still runs guest code after the grace; it is left behind";
                self.log.line(Level::Warn, message, &[]);
            }
        }
        Ok(Ended::Drained)
    }

    /// A worker is lost, and with it this process; what the others have in flight they may finish.
    async fn abandon(&mut self, thread: LostThread, signals: &mut Signals) -> Ended {
        self.stop.send_replace(true);
        self.note_loss(thread);
        let grace = self.options.grace;
        let others = async {
            let mut lost = 1;
            while self.ended.sender_strong_count() > lost {
                tokio::select! {
                    Some(thread) = self.lost.recv() => {
                        self.note_loss(thread);
                        lost += 1;
                    }
                    () = time::sleep(LOOK) => {}
                }
            }
        };
        tokio::select! {
            signal = signals.next() => Ended::Forced { signal },
            () = others => Ended::Stuck,
            () = time::sleep(grace) => Ended::Stuck,
        }
    }

    /// What waits for the main thread waits in vain once that is lost.
    fn note_loss(&self, thread: LostThread) {
        if thread == LostThread::Main {
            self.main_is_lost.send_replace(true);
        }
    }

    /// Takes note of how the threads ended. Call when all have.
    fn reap(&mut self) -> Result<(), ServeError> {
        let mut lost = false;
        for thread in self.threads.drain(..) {
            lost |= thread.join().is_err();
        }
        if lost || !*self.stop.borrow() { Err(ServeError::WorkersLost) } else { Ok(()) }
    }
}
