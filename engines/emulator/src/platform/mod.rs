//! Functions as Lambda runs them: each in environments of its own, which are started when they are needed.

mod fleet;
mod front;

pub(super) use fleet::Fleet;

use super::{
    Emulator, directory::Directory, function_url, options::EmulatorOptions, violation::Violation,
};
use std::{
    fmt, io,
    net::SocketAddr,
    process::{Command, ExitStatus},
    sync::Arc,
};
use tokio::{
    net::TcpListener,
    sync::{Mutex, mpsc},
    task::JoinHandle,
};

/// The way to start a runtime: makes the command of its process, which is to use the Runtime API of the emulator that
/// it is given. Its standard input and output are the platform's affair.
#[derive(Clone)]
pub struct Launch(Arc<MakeCommand>);

type MakeCommand = dyn Fn(&Emulator) -> io::Result<Command> + Send + Sync;

impl Launch {
    /// Makes a launch of what `make` returns.
    pub fn new(make: impl Fn(&Emulator) -> io::Result<Command> + Send + Sync + 'static) -> Self {
        Self(Arc::new(make))
    }

    fn command(&self, emulator: &Emulator) -> io::Result<Command> {
        (self.0)(emulator)
    }
}

impl fmt::Debug for Launch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Launch")
    }
}

/// The settings of a [`Platform`].
#[derive(Debug, Clone)]
pub struct PlatformOptions {
    /// Address to listen on for callers; port 0 takes a free one.
    pub address: SocketAddr,
    /// Maximum number of environments of each function. A caller beyond is turned away with status 429.
    pub concurrency: usize,
    /// The functions, by their settings and the way to start them. Addresses in the settings do not matter: each
    /// environment has a Runtime API on a free port.
    pub functions: Vec<(EmulatorOptions, Launch)>,
}

/// The end of an environment's process.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Ended {
    /// The place of its function among [`PlatformOptions::functions`].
    pub place: usize,
    /// The status of its process.
    pub status: ExitStatus,
    /// Whether it had asked for an event.
    pub served: bool,
    /// Whether the platform told it to end: after a change of its function, or a timeout.
    pub was_told: bool,
}

/// Functions behind one Invoke API, each with as many environments as its callers need.
///
/// ```no_run
/// # async fn example() -> std::io::Result<()> {
/// use std::process::Command;
/// use trine_emulator::{EmulatorOptions, Launch, Platform, PlatformOptions};
///
/// let launch = Launch::new(|emulator| {
///     let mut command = Command::new("./bootstrap");
///     command.envs(emulator.environment());
///     Ok(command)
/// });
/// let address = ([127, 0, 0, 1], 9001).into();
/// let functions = vec![(EmulatorOptions::default(), launch)];
/// let platform = Platform::start(PlatformOptions { address, concurrency: 10, functions }).await?;
/// // … send requests to platform.address() …
/// platform.shutdown().await;
/// # Ok(())
/// # }
/// ```
pub struct Platform {
    fleet: Arc<Fleet>,
    address: SocketAddr,
    ends: Mutex<mpsc::UnboundedReceiver<Ended>>,
    serving: JoinHandle<()>,
}

impl Platform {
    /// Starts serving callers as tasks of the current tokio runtime, which must have its time and I/O drivers enabled.
    /// No environment is started yet.
    ///
    /// # Errors
    /// When the address cannot be listened on.
    pub async fn start(mut options: PlatformOptions) -> io::Result<Self> {
        let listener = TcpListener::bind(options.address).await?;
        let address = listener.local_addr()?;
        // Ordinary functions answer callbacks of durable ones, and start them.
        if options.functions.iter().any(|(function, _)| function.durable.is_some()) {
            for (function, _) in &mut options.functions {
                function.lambda_api.get_or_insert(address);
            }
        }
        let (ended, ends) = mpsc::unbounded_channel();
        let fleet = Arc::new(Fleet::new(options, ended));
        let serving = tokio::spawn(front::run(listener, Arc::clone(&fleet)));
        Ok(Self { fleet, address, ends: Mutex::new(ends), serving })
    }

    /// Returns the address that callers use.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves the functions as function URLs do, on an address of its own, which is returned: any request is an invocation
    /// with an event of payload format 2.0. The first label of the host (`shop.localhost`) names the function, where there
    /// are several.
    ///
    /// # Errors
    /// When the address cannot be listened on.
    pub async fn serve_function_urls(&self, address: SocketAddr) -> io::Result<SocketAddr> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let directory = Directory::Fleet(Arc::clone(&self.fleet));
        self.fleet.background.spawn(function_url::run(listener, directory));
        Ok(address)
    }

    /// Sees to it that a function has an environment, started or starting.
    ///
    /// # Errors
    /// When the process cannot be started.
    pub async fn warm(&self, place: usize) -> io::Result<()> {
        self.fleet.warm(place).await
    }

    /// Ends a function's environments, so that what comes next runs in new ones: idle ones now, the others after their
    /// invocation.
    pub fn renew(&self, place: usize) {
        self.fleet.renew(place);
    }

    /// Waits for the next end of an environment.
    pub async fn ended(&self) -> Option<Ended> {
        self.ends.lock().await.recv().await
    }

    /// Returns what the functions' runtimes have done so far that correct ones would not.
    pub fn violations(&self) -> Vec<Violation> {
        self.fleet.violations()
    }

    /// Ends all environments, which have a moment to end themselves, and stops serving.
    pub async fn shutdown(self) {
        self.fleet.shutdown().await;
    }
}

impl Drop for Platform {
    fn drop(&mut self) {
        self.serving.abort();
    }
}
