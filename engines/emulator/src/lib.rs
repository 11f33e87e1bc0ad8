//! A strict emulator of Lambda's Runtime API, with the Invoke API on the same port.
//!
//! It answers as the platform does, including the platform's refusals, and remembers what a correct client would not
//! have done: [`Emulator::assert_clean`] fails a test in which the runtime broke a rule that Lambda silently lets
//! pass.
//!
//! ```no_run
//! # async fn example() -> std::io::Result<()> {
//! use serde_json::json;
//! use trine_emulator::{Emulator, EmulatorOptions};
//!
//! let emulator = Emulator::start(EmulatorOptions::default()).await?;
//! // … start a runtime with AWS_LAMBDA_RUNTIME_API = emulator.address() …
//! let outcome = emulator.invoke(json!({"name": "you"})).await;
//! assert_eq!(outcome.json(), json!("hello you"));
//! emulator.assert_clean();
//! # Ok(())
//! # }
//! ```
//!
//! A test of a bootstrap starts an emulator, starts the process with the emulator's variables, and invokes:
//!
//! ```no_run
//! use serde_json::json;
//! use std::process::Command;
//! use trine_emulator::{Emulator, EmulatorOptions};
//!
//! let emulator = Emulator::spawn_thread(EmulatorOptions::default())?;
//! let mut process = Command::new("./bootstrap").envs(emulator.environment()).spawn()?;
//! assert_eq!(emulator.invoke_blocking(json!({"name": "you"})).json(), json!("hello you"));
//! emulator.assert_clean();
//! process.kill()?;
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! # Architecture invariant
//! The crate shares no code with Trine's own Runtime API client, so that a misreading of the contract in one of them
//! shows.
//!
//! # Faults
//! [`Emulator::inject`] (or [`EmulatorOptions::faults`]) puts a [`Fault`] in place of an answer: a status, a reset at
//! a [`Moment`] of the exchange, a truncated, slow or malformed reply, an event that comes twice, one whose answer is
//! no longer known. The emulator still knows what the runtime may do afterwards. It may send a request once more
//! on a fresh connection when the old one broke before any byte of a body was sent; the event whose reply broke is then
//! handed out again. It goes on after a post that was refused with a 4xx. It must end after a 5xx, after a `/next` that
//! was refused, and after a connection that broke with a body under way: any further request is then a violation
//! ([`rule::CALL_AFTER_FATAL`]).
//!
//! [`Emulator::counts`] and [`Emulator::records`] say how often each event was handed out and what became of its posts:
//! [`Counts::all_answered_once`] is the promise that a runtime has to keep.
//!
//! # Long runs
//! [`EmulatorOptions::source`] makes events as they are asked for and [`EmulatorOptions::observer`] sees the outcomes,
//! so that nothing is kept of a finished invocation except the latest few log entries and records.
//! [`Emulator::wait_until_done`] waits for the end of the source.
//!
//! # Time
//! An attempt that is not answered within [`EmulatorOptions::timeout`] ends with the platform's document
//! (`Sandbox.Timedout`), and its late answer gets status 410. The platform also kills the process: that is left to its
//! owner, who learns from an [`Observer`] that an outcome is [`Answer::Timeout`] and says with
//! [`Emulator::runtime_exited`] that the process has ended.
//!
//! # Streams
//! What a runtime streams is passed on as it comes and no faster than it is read: framed by the Invoke API
//! (`InvokeWithResponseStream`), as it is by a function URL ([`Emulator::serve_function_url`]), piece by piece by
//! [`Emulator::invoke_streaming`]. A caller that goes away resets the upload, which is no breach of the runtime's:
//! [`Answer::Abandoned`]. Callers that do not stream get what was streamed as a whole.
//!
//! # Durable functions
//! With [`EmulatorOptions::durable`] each invocation starts a durable execution: the function is invoked again and again,
//! with what it has done so far, until it has a result. The API that AWS's durable execution SDKs and callers of theirs use
//! is on the same port, and [`Emulator::environment`] names it.
//!
//! # Processes
//! An [`Emulator`] starts and stops none: tell it with [`Emulator::runtime_exited`] that the runtime's process has ended.
//! A [`Platform`] does: it serves several functions behind one Invoke API, each in environments (a process with an
//! emulator of its own) that are started as callers need them, and keeps their log.
//!
//! # Limits
//! Extensions are registered without events only.

mod answers;
mod body;
mod checks;
mod console;
mod directory;
mod durable;
mod environment;
mod extension_api;
mod fault;
mod function_url;
mod inject;
mod invoke_api;
mod ledger;
mod options;
mod outcome;
mod parts;
mod platform;
mod prelude;
mod refusal;
mod report;
mod runtime_api;
mod server;
mod shared;
mod socket;
mod source;
mod state;
mod violation;

#[cfg(test)]
mod tests;

pub use console::{Console, Writer};
pub use durable::DurableOptions;
pub use fault::{Fault, Injection, Moment};
pub use invoke_api::{BadName, FunctionName};
pub use ledger::{Counts, Record};
pub use options::{
    EmulatorOptions, MAX_ASYNC_EVENT_BYTES, MAX_ERROR_BYTES, MAX_EVENT_BYTES, MAX_RESPONSE_BYTES,
    MAX_STREAMED_BYTES,
};
pub use outcome::{Answer, Event, InitFailure, Outcome};
pub use platform::{Ended, Launch, Platform, PlatformOptions};
pub use prelude::{PRELUDE_CONTENT_TYPE, Prelude, PreludeSplitter};
pub use report::{LogForm, Status, Usage, peak_memory};
pub use server::Endpoint;
pub use shared::LogEntry;
pub use source::{Observer, Source};
pub use violation::{Violation, rule};

use bytes::Bytes;
use directory::Directory;
use parts::{PARTS_IN_FLIGHT, Parts};
use shared::Shared;
use state::StreamPart;
use std::{io, net::SocketAddr, sync::Arc, thread, time::Duration};
use tokio::{
    net::TcpListener,
    sync::{mpsc, oneshot, watch},
    task::JoinHandle,
};

/// A running emulator. Clones are handles to the same one, which stops when the last of them is dropped.
#[derive(Clone)]
pub struct Emulator {
    inner: Arc<Inner>,
}

struct Inner {
    shared: Arc<Shared>,
    stop: Stop,
}

/// The means of stopping the emulator's tasks.
enum Stop {
    Tasks(JoinHandle<()>),
    Thread { _end: oneshot::Sender<()> },
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Stop::Tasks(tasks) = &self.stop {
            tasks.abort();
        }
    }
}

impl Emulator {
    /// Starts an emulator as tasks of the current tokio runtime, which may be single-threaded but must have its time
    /// and I/O drivers enabled.
    ///
    /// # Errors
    /// When the address cannot be listened on, or a planned fault makes no sense.
    pub async fn start(options: EmulatorOptions) -> io::Result<Self> {
        check(&options)?;
        let listener = TcpListener::bind(options.address).await?;
        let shared = Arc::new(Shared::new(options, listener.local_addr()?));
        let tasks = tokio::spawn(serve(listener, Arc::clone(&shared)));
        Ok(Self { inner: Arc::new(Inner { shared, stop: Stop::Tasks(tasks) }) })
    }

    /// Starts an emulator on a thread of its own, for callers without a tokio runtime and for measurements in which
    /// it must not share the runtime of what is measured.
    ///
    /// # Errors
    /// When the address cannot be listened on, the thread cannot be started, or a planned fault makes no sense.
    pub fn spawn_thread(options: EmulatorOptions) -> io::Result<Self> {
        check(&options)?;
        let listener = std::net::TcpListener::bind(options.address)?;
        listener.set_nonblocking(true)?;
        let shared = Arc::new(Shared::new(options, listener.local_addr()?));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let listener = {
            let _entered = runtime.enter();
            TcpListener::from_std(listener)?
        };
        let (end, ended) = oneshot::channel();
        let serving = serve(listener, Arc::clone(&shared));
        thread::Builder::new().name("runtime-api".into()).spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = serving => {}
                    _ = ended => {}
                }
            });
        })?;
        Ok(Self { inner: Arc::new(Inner { shared, stop: Stop::Thread { _end: end } }) })
    }

    /// Returns the address that it listens on: the value of `AWS_LAMBDA_RUNTIME_API`.
    pub fn address(&self) -> SocketAddr {
        self.inner.shared.address
    }

    /// Returns the options that it was started with.
    pub fn options(&self) -> &EmulatorOptions {
        &self.inner.shared.options
    }

    /// Returns the environment variables that Lambda would set for the runtime's process.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        self.options().environment(self.address())
    }

    /// Sends an event and waits for its outcome. Any number of callers may wait side by side.
    pub async fn invoke(&self, event: impl Into<Event>) -> Outcome {
        let (request_id, done) = self.inner.shared.submit(event.into(), None);
        done.await.unwrap_or_else(|_| gone(request_id))
    }

    /// Does what [`Emulator::invoke`] does, for callers outside of any tokio runtime.
    ///
    /// # Panics
    /// Within a tokio runtime.
    pub fn invoke_blocking(&self, event: impl Into<Event>) -> Outcome {
        let (request_id, done) = self.inner.shared.submit(event.into(), None);
        done.blocking_recv().unwrap_or_else(|_| gone(request_id))
    }

    /// Sends an event for a caller that reads a streamed answer piece by piece. Only such callers may get more than
    /// [`MAX_RESPONSE_BYTES`].
    pub fn invoke_streaming(&self, event: impl Into<Event>) -> StreamedAnswer {
        let (sender, parts) = mpsc::channel(PARTS_IN_FLIGHT);
        let (request_id, done) = self.inner.shared.submit(event.into(), Some(sender));
        StreamedAnswer { request_id, parts: Parts::new(parts, done), content_type: None }
    }

    /// Serves the function as a function URL does, on an address of its own, which is returned: any request is an
    /// invocation with an event of payload format 2.0, and its result, or its stream with a [`Prelude`], the response.
    ///
    /// # Errors
    /// When the address cannot be listened on.
    pub async fn serve_function_url(&self, address: SocketAddr) -> io::Result<SocketAddr> {
        let shared = &self.inner.shared;
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let directory = Directory::One(Arc::clone(shared));
        shared.background.spawn(function_url::run(listener, directory));
        Ok(address)
    }

    /// Returns what the runtime reported when it could not start, if it did.
    pub fn init_error(&self) -> Option<InitFailure> {
        self.inner.shared.with_state(|state| state.init_failure.clone())
    }

    /// Waits until the runtime has asked for its first event; returns `false` when it did not within `limit`.
    pub async fn wait_for_next(&self, limit: Duration) -> bool {
        let mut polled = self.inner.shared.polled.subscribe();
        tokio::time::timeout(limit, polled.wait_for(|polled| *polled)).await.is_ok()
    }

    /// Does what [`Emulator::wait_for_next`] does, for callers outside of any tokio runtime.
    pub fn wait_for_next_blocking(&self, limit: Duration) -> bool {
        wait_blocking(&self.inner.shared.polled, limit)
    }

    /// Ends the wait of `/restore/next`, as the first event also does.
    pub fn restore(&self) {
        self.inner.shared.with_state(state::State::restore);
    }

    /// Reports that the runtime's process has ended, so that what it had in flight fails with `Runtime.ExitError`, and
    /// the next process may start over. Waiting events are kept for it, unless the old one never asked for an event.
    pub fn runtime_exited(&self, exit: &RuntimeExit) {
        let shared = &self.inner.shared;
        shared.with_state(|state| state.runtime_exited(&exit.to_string()));
        shared::lock(&shared.extensions).clear();
        checks::forget_connections(shared);
        shared.polled.send_replace(false);
    }

    /// Returns what the runtime has done so far that a correct one would not.
    pub fn violations(&self) -> Vec<Violation> {
        self.inner.shared.violations()
    }

    /// Fails a test in which the runtime broke a rule.
    ///
    /// # Panics
    /// When there is any violation; the message lists them and the latest requests.
    #[track_caller]
    pub fn assert_clean(&self) {
        let violations = self.violations();
        if violations.is_empty() {
            return;
        }
        let listed: String =
            violations.iter().map(|violation| format!("\n  {violation}")).collect();
        let log = self.log();
        let latest: String = log[log.len().saturating_sub(20)..]
            .iter()
            .map(|entry| format!("\n  {} {} {}", entry.status, entry.method, entry.path))
            .collect();
        panic!("the runtime broke the Runtime API's rules:{listed}\nlatest requests:{latest}");
    }

    /// Returns the latest requests, oldest first, each added when its answer leaves.
    pub fn log(&self) -> Vec<LogEntry> {
        self.inner.shared.log()
    }

    /// Plans a fault for the `nth` request to `endpoint` from now on, counted from 1.
    ///
    /// # Panics
    /// When the fault makes no sense there.
    #[track_caller]
    pub fn inject(&self, endpoint: Endpoint, nth: u64, fault: Fault) {
        let injection = Injection::new(endpoint, nth, fault);
        if let Err(reason) = injection.check() {
            panic!("{reason}");
        }
        self.inner.shared.faults.add([injection]);
    }

    /// Returns the planned faults that have not happened yet, each with the number of requests left until it does.
    pub fn faults_left(&self) -> Vec<Injection> {
        self.inner.shared.faults.left()
    }

    /// Forgets the planned faults that have not happened yet.
    pub fn clear_faults(&self) {
        self.inner.shared.faults.clear();
    }

    /// Returns what has been handed out and answered so far.
    pub fn counts(&self) -> Counts {
        self.inner.shared.with_state(|state| state.ledger.counts)
    }

    /// Returns the history of the latest request ids, oldest first.
    pub fn records(&self) -> Vec<Record> {
        self.inner.shared.with_state(|state| state.records())
    }

    /// Returns the history of one of the latest request ids.
    pub fn record(&self, request_id: &str) -> Option<Record> {
        self.records().into_iter().find(|record| record.request_id == request_id)
    }

    /// Returns the latest outcomes, oldest first: as many as [`EmulatorOptions::outcomes_length`] says.
    pub fn outcomes(&self) -> Vec<Outcome> {
        self.inner.shared.outcomes()
    }

    /// Waits until [`EmulatorOptions::source`] has no more events and none is under way; returns `false` when that
    /// does not happen within `limit`.
    pub async fn wait_until_done(&self, limit: Duration) -> bool {
        let mut done = self.inner.shared.done.subscribe();
        tokio::time::timeout(limit, done.wait_for(|done| *done)).await.is_ok()
    }

    /// Does what [`Emulator::wait_until_done`] does, for callers outside of any tokio runtime.
    pub fn wait_until_done_blocking(&self, limit: Duration) -> bool {
        wait_blocking(&self.inner.shared.done, limit)
    }

    /// Stops serving. Connections are cut; whoever is still waiting gets no answer.
    pub fn shutdown(self) {}
}

/// Refuses a plan that cannot come true.
fn check(options: &EmulatorOptions) -> io::Result<()> {
    let wrong = options.faults.iter().find_map(|injection| injection.check().err());
    wrong.map_or(Ok(()), |reason| Err(io::Error::new(io::ErrorKind::InvalidInput, reason)))
}

/// Waits on this thread until the flag is set; returns `false` when it is not set within `limit`.
fn wait_blocking(flag: &watch::Sender<bool>, limit: Duration) -> bool {
    let until = std::time::Instant::now() + limit;
    while !*flag.borrow() {
        if std::time::Instant::now() >= until {
            return false;
        }
        thread::sleep(Duration::from_millis(1));
    }
    true
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    tokio::select! {
        () = server::run(listener, Arc::clone(&shared)) => {}
        () = shared.run_clock() => {}
    }
}

/// Makes the outcome of an invocation that nobody will answer any more.
fn gone(request_id: String) -> Outcome {
    let result = Answer::Platform {
        error_type: "Sandbox.Failure",
        message: "the emulator has stopped".to_owned(),
    };
    Outcome { request_id, duration: Duration::ZERO, result }
}

/// The way in which a runtime's process ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RuntimeExit {
    /// An exit with this status.
    Status(i32),
    /// An end by this signal, as in `killed`.
    Signal(String),
}

impl std::fmt::Display for RuntimeExit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Status(0) => f.write_str("Runtime exited without providing a reason"),
            Self::Status(status) => {
                write!(f, "Runtime exited with error: exit status {status}")
            }
            Self::Signal(signal) => write!(f, "Runtime exited with error: signal: {signal}"),
        }
    }
}

/// An answer that is read piece by piece. Who drops it before its end goes away as a caller does whose connection breaks:
/// the runtime's upload is cut off.
pub struct StreamedAnswer {
    request_id: String,
    parts: Parts<oneshot::Receiver<Outcome>>,
    content_type: Option<String>,
}

impl std::fmt::Debug for StreamedAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StreamedAnswer")
            .field("request_id", &self.request_id)
            .finish_non_exhaustive()
    }
}

impl StreamedAnswer {
    /// Returns the next piece; `None` when there are no more, or the answer is not streamed.
    pub async fn chunk(&mut self) -> Option<Bytes> {
        loop {
            match self.parts.next().await? {
                StreamPart::Chunk(bytes) => return Some(bytes),
                StreamPart::Head { content_type } => self.content_type = content_type,
            }
        }
    }

    /// Returns the media type of a streamed answer, once its first piece has come.
    pub fn content_type(&self) -> Option<&str> {
        self.content_type.as_deref()
    }

    /// Drops the remaining pieces and waits for the outcome, which holds none of those that were streamed.
    pub async fn finish(self) -> Outcome {
        self.parts.finish().await.unwrap_or_else(|_| gone(self.request_id))
    }
}
