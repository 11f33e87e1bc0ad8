//! The server: one port, worker threads that accept from it, and an orderly end.

use super::{
    connection, error::ServeError, functions::Functions, options::ServeOptions,
    request_id::RequestIds, service::Service, site::Site,
};
use crate::{
    diagnostic::STUCK_EXIT,
    signals::Signals,
    telemetry::Log,
    worker::{self, WorkerOptions},
};
use std::{
    io,
    net::{SocketAddr, TcpListener},
    rc::Rc,
    sync::Arc,
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

    /// Starts the workers. Each gets its own copy of `worker`.
    ///
    /// # Errors
    /// [`ServeError::Start`].
    pub fn start(self, worker: &WorkerOptions) -> Result<Running, ServeError> {
        let log = Log::new(worker.environment.log.clone());
        let (stuck, lost) = mpsc::unbounded_channel();
        let (stop, stopped) = watch::channel(false);
        let (alive, ended) = mpsc::channel::<()>(1);
        let mut threads = Vec::new();
        for number in 1..=self.options.workers.max(1) {
            let listener = self.listener.try_clone().map_err(ServeError::Start)?;
            // Invocations run side by side here, so that none may claim a variable of the process.
            let environment = Environment {
                main_thread: false,
                trace_in_environment: false,
                ..worker.environment.clone()
            };
            let worker = WorkerOptions { environment, ..worker.clone() };
            let (log, stuck) = (log.clone(), stuck.clone());
            let (site, options) = (self.site.clone(), self.options.clone());
            let (port, stopped, alive) = (self.address.port(), stopped.clone(), alive.clone());
            let run = async move |worker: Rc<worker::Worker>| {
                // Dropped when the worker ends, in whatever way.
                let _alive = alive;
                let functions = Rc::new(Functions::new(&site, &worker, &options));
                let ids = RequestIds::default();
                let service = Service {
                    site,
                    functions,
                    options,
                    log,
                    port,
                    stuck,
                    ids,
                    stopped: stopped.clone(),
                };
                let service = Rc::new(service);
                if service.options.eager {
                    load_all(&service).await;
                }
                match tokio::net::TcpListener::from_std(listener) {
                    Ok(listener) => connection::serve(listener, service, stopped).await,
                    Err(e) => service.log.line(Level::Fatal, &format!("cannot accept: {e}"), &[]),
                }
            };
            threads.push(worker::spawn(number, worker, run).map_err(ServeError::Start)?);
        }
        Ok(Running {
            address: self.address,
            options: self.options,
            log,
            stop,
            lost,
            ended,
            threads,
        })
    }
}

impl Server {
    /// Starts the workers and serves until SIGTERM or SIGINT. From before the first request on, a signal means a drain;
    /// `ready` is called when that holds.
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
        runtime.block_on(async {
            let mut signals = Signals::new().map_err(ServeError::Start)?;
            ready(&self);
            self.start(worker)?.run_until(&mut signals).await
        })
    }
}

/// Loads every function before the first request, so that errors show early; they are no reason not to serve the rest.
async fn load_all(service: &Service) {
    for (index, function) in service.site.functions().iter().enumerate() {
        if let Err(error) = service.functions.load(index).await {
            service.log.failure(&function.name, "-", &error);
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
    lost: mpsc::UnboundedReceiver<()>,
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

    async fn run_until(&mut self, signals: &mut Signals) -> Result<Ended, ServeError> {
        tokio::select! {
            _ = signals.next() => {}
            _ = self.ended.recv() => return self.reap().map(|()| Ended::Drained),
            Some(()) = self.lost.recv() => return Ok(self.abandon(signals).await),
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
    async fn abandon(&mut self, signals: &mut Signals) -> Ended {
        self.stop.send_replace(true);
        let mut lost = 1;
        let others = async {
            while self.threads.iter().filter(|thread| !thread.is_finished()).count() > lost {
                tokio::select! {
                    Some(()) = self.lost.recv() => lost += 1,
                    () = time::sleep(LOOK) => {}
                }
            }
        };
        tokio::select! {
            signal = signals.next() => Ended::Forced { signal },
            () = others => Ended::Stuck,
            () = time::sleep(self.options.grace) => Ended::Stuck,
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
