//! The settings of a server.

use super::{
    access_log::AccessLog, console::ConsoleOptions, format::EventFormat, forwarded::TrustedProxies,
    limits::Limits, metrics::MetricsPlace, scaleway::Scaleway, site::ServedFunction, tls::TlsFiles,
};
use std::{
    net::SocketAddr,
    path::PathBuf,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use trine_engine::Invocation;

/// The largest request body where nothing else is set: what Lambda accepts, 6 MiB.
const DEFAULT_BODY_LIMIT: usize = 6 * 1024 * 1024;

/// The most threads that a function may have.
pub const MOST_THREADS: u64 = 1024;

/// The most invocations of a function in flight in a worker.
pub const MOST_CONCURRENT: u64 = 1 << 16;

/// The options of a server.
#[derive(Debug, Clone)]
pub struct ServeOptions {
    /// The address to listen on. Port 0 takes any free one.
    pub address: SocketAddr,
    /// Where to listen instead, if anywhere.
    pub listen: Listen,
    /// The certificate and its key, where clients speak TLS.
    pub tls: Option<TlsFiles>,
    /// Whether other servers may listen on the same port, each getting its part of the connections.
    pub share_port: bool,
    /// Number of threads, each with its own instance of every language in use.
    pub workers: usize,
    /// Number of threads for functions that hold theirs while they run, in languages with one interpreter; with one
    /// they run on the main thread, one at a time. A function may have its own number, see
    /// [`ServedFunction::threads`](super::ServedFunction::threads).
    pub threads: usize,
    /// Limit of invocations in flight per function and worker, where the engine interleaves them; one where it cannot. A
    /// function may have its own, and so its own time limit.
    pub concurrency: usize,
    /// The same for web applications, whose own servers know no limit.
    pub application_concurrency: usize,
    /// The largest request body, in bytes. A larger one is answered with 413.
    pub body_limit: usize,
    /// The largest request body of a web application, which reads it while it comes, in bytes.
    pub application_body_limit: usize,
    /// The time limit of an invocation. Becomes the deadline that its handler sees.
    pub timeout: Option<Duration>,
    /// The time for requests in flight to finish after a signal to stop.
    pub grace: Duration,
    /// Whether functions are loaded before the first request instead of by it.
    pub eager: bool,
    /// The part of an error that its caller sees.
    pub error_detail: ErrorDetail,
    /// Whether every request is logged with its status and duration.
    pub log_requests: bool,
    /// Whether a mounted function sees whole paths, its mount included.
    pub keep_base_path: bool,
    /// The form of events and results of functions that have no other, see
    /// [`ServedFunction::event_format`](super::ServedFunction::event_format).
    pub event_format: EventFormat,
    /// What functions of [`EventFormat::Scaleway`] are told, and who may call them.
    pub scaleway: Scaleway,
    /// What clients are granted.
    pub limits: Limits,
    /// The proxies that tell where requests come from.
    pub proxies: TrustedProxies,
    /// The form of a line for every request, if there is to be one.
    pub access_log: Option<AccessLog>,
    /// The place where metrics can be read, if there are to be any.
    pub metrics: Option<MetricsPlace>,
    /// Whether pages of other origins may call functions and read their answers, cookies included.
    pub cors: bool,
    /// Whether the server accepts nothing before its [`Generation`](super::Generation) is told to.
    pub is_let_in: bool,
    /// What keeps the server from serving anything, for whoever asks; everything is answered with it.
    pub fault: Option<String>,
    /// The page for whoever develops functions, if there is to be one: for servers that only this machine can reach.
    pub console: Option<ConsoleOptions>,
}

/// The socket on which a server listens.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Listen {
    /// [`ServeOptions::address`].
    #[default]
    Address,
    /// A path of the file system.
    Unix(PathBuf),
    /// The one that a service manager has opened and handed over (`LISTEN_FDS`).
    Inherited,
}

/// The part of a function's error that its caller sees. It is logged in full either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorDetail {
    /// The error document of the function's language, with its stack.
    Full,
    /// `{"message":"Internal Server Error"}`.
    Hidden,
}

impl ServeOptions {
    /// Returns the options of a server on this address: a worker per core, 6 MiB of body, ten seconds of grace, no time
    /// limit. Errors are shown in full when nobody but this machine can see them.
    pub fn new(address: SocketAddr) -> Self {
        let detail =
            if address.ip().is_loopback() { ErrorDetail::Full } else { ErrorDetail::Hidden };
        Self {
            address,
            listen: Listen::default(),
            tls: None,
            share_port: false,
            workers: std::thread::available_parallelism().map_or(1, usize::from),
            threads: 1,
            concurrency: 64,
            application_concurrency: MOST_CONCURRENT as usize,
            body_limit: DEFAULT_BODY_LIMIT,
            application_body_limit: usize::MAX,
            timeout: None,
            grace: Duration::from_secs(10),
            eager: false,
            error_detail: detail,
            log_requests: false,
            keep_base_path: false,
            event_format: EventFormat::default(),
            scaleway: Scaleway::default(),
            limits: Limits::default(),
            proxies: TrustedProxies::default(),
            access_log: None,
            metrics: None,
            cors: false,
            is_let_in: false,
            fault: None,
            console: None,
        }
    }

    /// Returns the deadline of an invocation that begins now, in milliseconds since the epoch. Its function may have a time
    /// limit of its own.
    pub(super) fn deadline_from_now(&self, own: Option<Duration>) -> Option<u64> {
        let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        own.or(self.timeout).map(|limit| (now() + limit).as_millis() as u64)
    }

    /// Returns the form of a function's events.
    pub(super) fn format_of(&self, function: &ServedFunction) -> EventFormat {
        function.event_format.unwrap_or(self.event_format)
    }

    /// Makes an invocation of a function, whose time begins now.
    pub(super) fn invocation(
        &self,
        function: &ServedFunction,
        request_id: String,
        trace_id: String,
    ) -> Invocation {
        let is_scaleways = self.format_of(function) == EventFormat::Scaleway;
        Invocation {
            request_id,
            deadline_ms: self.deadline_from_now(function.timeout),
            trace_id: Some(trace_id),
            invoked_function_arn: function.arn.clone(),
            function_name: function.function_name.as_ref().or(Some(&function.name)).cloned(),
            conventions: is_scaleways.then(|| self.scaleway.conventions(&function.name)),
            event_is_json: true,
            ..Invocation::default()
        }
    }
}
