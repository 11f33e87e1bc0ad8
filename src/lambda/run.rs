//! The loop: load, then take an event, run it, answer it, for as long as the platform wants.

use super::{ApiError, RuntimeApi, extension, poller::Poller, rescue::Ends, snapshot};
use crate::{
    diagnostic::log_failure,
    pipeline::Plan,
    signals::{Signals, end_was_requested},
    telemetry::Log,
    worker::{END_TIME, Function, Worker},
};
use std::{
    future::Future,
    pin::{Pin, pin},
    rc::Rc,
};
use trine_engine::{Error, ErrorDialect, Level, Result};

/// The front door of one function.
pub struct Door {
    api: RuntimeApi,
    worker: Rc<Worker>,
    log: Log,
}

/// The reason why the loop ended.
#[derive(Debug)]
pub enum Ended {
    /// A signal from the platform.
    Signal,
    /// A function that could not be loaded; the platform has been told.
    Init(Error),
    /// A function that could not prepare for a snapshot; the platform has been told.
    Snapshot(Error),
    /// A function that could not go on after a restore; the platform has been told.
    Restore(Error),
    /// A Runtime API that is gone or refuses to go on.
    Api(ApiError),
}

impl Door {
    /// Makes a door to the Runtime API `api` whose functions run on `worker`.
    pub fn new(api: RuntimeApi, worker: Worker, log: Log) -> Self {
        Self { api, worker: Rc::new(worker), log }
    }

    /// Loads the function and serves invocations until the platform ends it. `plan` is the outcome of the search for
    /// the handler and its middlewares: its failure is an init error like any other, in the dialect beside it.
    pub async fn run(self, plan: Result<Plan, (Error, ErrorDialect)>) -> Ended {
        // From here on a signal means an orderly end, even while the function is being loaded.
        let signals = Signals::new();
        let dialect = dialect_of(&plan);
        let options = self.worker.options();
        let mut poller = Poller::new(self.api, self.log, dialect, Ends::Always, options);
        let ended = match prepared(plan, signals) {
            Ok((plan, signals)) => {
                let function = Function::new(self.worker.clone(), plan);
                let function = &function;
                serve(&mut poller, &self.worker, function, signals).await
            }
            Err(error) => poller.fail_init(error).await,
        };
        self.worker.shutdown().await;
        ended
    }
}

impl Ended {
    /// Returns the error with which the function's start has ended.
    pub fn error(&self) -> Option<&Error> {
        match self {
            Self::Init(error) | Self::Snapshot(error) | Self::Restore(error) => Some(error),
            Self::Signal | Self::Api(_) => None,
        }
    }
}

/// Returns the look of a function's errors, also where it was not found.
pub(super) fn dialect_of(plan: &Result<Plan, (Error, ErrorDialect)>) -> ErrorDialect {
    match plan {
        Ok(plan) => plan.handler.engine.info().error_dialect,
        Err((_, dialect)) => *dialect,
    }
}

/// Returns what the loop needs, if all of it is there.
pub(super) fn prepared(
    plan: Result<Plan, (Error, ErrorDialect)>,
    signals: std::io::Result<Signals>,
) -> Result<(Plan, Signals)> {
    let plan = plan.map_err(|(error, _)| error)?;
    let signals =
        signals.map_err(|error| Error::internal(format!("cannot listen for signals: {error}")))?;
    Ok((plan, signals))
}

async fn serve(
    poller: &mut Poller,
    worker: &Worker,
    function: &Function,
    mut signals: Signals,
) -> Ended {
    // One wait for all invocations: when it is over, so is the loop.
    let mut stop = pin!(async {
        let _ = signals.next().await;
    });
    match load(worker, stop.as_mut(), function.load()).await {
        None => return Ended::Signal,
        Some(Err(error)) => return poller.fail_init(error).await,
        Some(Ok(())) => {}
    }
    announce(poller, worker).await;
    let is_snap_start = worker.options().environment.snap_start;
    if is_snap_start
        && let Some(ended) = snapshot::pass(poller, worker, function, stop.as_mut()).await
    {
        return ended;
    }
    loop {
        let next = match poller.api.next(stop.as_mut()).await {
            Ok(Some(next)) => next,
            Ok(None) => return Ended::Signal,
            Err(error) => return Ended::Api(error),
        };
        if let Err(error) = poller.run(&next, function).await {
            return Ended::Api(error);
        }
        if !function.is_worn() {
            continue;
        }
        match load(worker, stop.as_mut(), function.refresh()).await {
            None => return Ended::Signal,
            Some(Err(error)) => {
                log_failure(&poller.log, &error, function.dialect(), None);
                return Ended::Init(error);
            }
            Some(Ok(())) => {}
        }
    }
}

/// Asks the platform for a signal at the end, where hooks wait for it.
pub(super) async fn announce(poller: &Poller, worker: &Worker) {
    if worker.has_shutdown_hooks()
        && let Err(reason) = extension::register(poller.api.address()).await
    {
        let message = format!(
            "shutdown hooks may not run, because the platform will send no SIGTERM: {reason}"
        );
        poller.log.line(Level::Warn, &message, &[]);
    }
}

/// Waits for what may run a guest's modules. Returns `None` if the process was asked to end meanwhile: what waits is
/// given up at once, and what holds the thread takes the process with it when its time is over.
pub(super) async fn load(
    worker: &Worker,
    stop: Pin<&mut impl Future<Output = ()>>,
    loading: impl Future<Output = Result<()>>,
) -> Option<Result<()>> {
    let watchdog = &worker.options().watchdog;
    let _watched = watchdog.arm_unless(end_was_requested, END_TIME, || trine_process::end(0));
    tokio::select! {
        biased;
        // What fails when the end has begun fails because of it.
        loaded = loading => Some(loaded).filter(|loaded| loaded.is_ok() || !end_was_requested()),
        () = stop => {
            worker.give_up();
            None
        }
    }
}
