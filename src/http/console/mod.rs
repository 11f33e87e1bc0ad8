//! The console: a page at `/.trine/` on which whoever develops functions sees them, invokes them and looks into what they do.
//!
//! The page is static files ([`page`]). What it shows comes from an API ([`api`]) that answers nobody but that page
//! ([`guard`]): functions ([`listed`]), sample events, invocations, and a stream of whatever happens ([`live`]). A [`Watch`]
//! looks on while spans are made and messages written, and remembers a bounded part of it. A server without a console has
//! none of this, and its functions notice nothing of it either way.

mod api;
mod guard;
mod invocation;
mod listed;
mod live;
mod page;
mod problem;
mod ring;
mod span;
mod watch;

pub(super) use api::is_its;
pub(super) use watch::Watch;

use super::site::Site;
use crate::{telemetry::Census, worker::WorkerOptions};
use std::sync::Arc;
use uuid::Uuid;

/// The settings of a console.
#[derive(Debug, Clone, Default)]
pub struct ConsoleOptions {
    /// Number of times that the server has been replaced by one with changed files.
    pub generation: u64,
    /// Whether the server follows changes of files.
    pub is_development: bool,
    /// The token that the page sends along, of letters and digits; without one, each process makes its own. Servers that follow one another have the
    /// same, so that an open page goes on.
    pub token: Option<String>,
}

/// The console of a server.
#[derive(Debug)]
pub(super) struct Console {
    options: ConsoleOptions,
    token: String,
    /// What no other process has: numbers of messages are each process's own.
    process: String,
    pub(super) watch: Arc<Watch>,
    census: Arc<Census>,
}

impl Console {
    /// Makes the console of a site, and has it look on.
    pub(super) fn begin(
        options: &ConsoleOptions,
        site: &Site,
        worker: &mut WorkerOptions,
    ) -> Arc<Self> {
        let watch = Arc::new(Watch::new(site));
        let log = worker.environment.log.clone();
        (worker.tracer, worker.environment.log) =
            worker.tracer.watched_by(Arc::new(span::Onlooker(watch.clone())), log);
        let token = options.token.clone().unwrap_or_else(new_token);
        let (options, census) = (options.clone(), worker.census.clone());
        let process = Uuid::new_v4().simple().to_string();
        Arc::new(Self { options, token, process, watch, census })
    }
}

/// Makes a token that nobody can guess.
fn new_token() -> String {
    format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple())
}
