//! Several invocations at once in one environment. Contract: AWS's "Lambda Managed Instances", custom runtimes.
//!
//! There are as many pollers as the platform says, each with a connection of its own. They are spread over threads by
//! what the function's language is like:
//!
//! - Where code waits without its thread, many invocations interleave on one. JavaScript has one such thread for each
//!   processor, each with an isolate; Python's `async def` handlers share the main thread.
//! - Where it holds its thread while it waits, each invocation has a thread: Lua's with a state of its own, those of
//!   Python's `def` handlers with what the interpreter keeps for a thread.

use super::{
    ApiError, Ended, RuntimeApi,
    poller::Poller,
    rescue::{Ends, LostThreads},
    run::{announce, dialect_of, load, prepared},
};
use crate::{
    diagnostic::explain,
    pipeline::Plan,
    signals::Signals,
    telemetry::Log,
    worker::{self, Function, Worker, WorkerOptions},
};
use std::{future::Future, io, pin::pin, rc::Rc, time::Duration};
use tokio::{
    sync::{mpsc, oneshot, watch},
    task, time,
};
use trine_engine::{Error, ErrorDialect, Level, Result};

/// The pause before the second attempt to ask for an event; each later one is twice as long, up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(90);
/// The attempts to ask for an event after which a poller gives up: a quarter of an hour.
const ATTEMPTS: usize = 19;

/// The front door of a function whose invocations come side by side.
pub struct ManagedDoor {
    /// The address of the Runtime API.
    pub address: String,
    /// The number of invocations that the platform hands out at once: at least two.
    pub concurrency: usize,
    /// The number of threads for handlers that hold theirs, in a language with one interpreter.
    pub threads: Option<usize>,
    /// The number of threads for functions whose waits leave their thread to others, else one for each processor.
    pub spread: Option<usize>,
    /// The options of the worker on the main thread.
    pub main: WorkerOptions,
    /// The options of those on other threads.
    pub others: WorkerOptions,
    /// Where the runtime's own lines go.
    pub log: Log,
}

/// The threads of a function, besides the main thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Threads {
    /// Those that have instances of their own, beside the main thread's.
    Apart(usize),
    /// Those that share the main thread's modules; the main thread then runs nothing.
    Following(usize),
}

/// What the pollers of a thread need.
#[derive(Clone)]
struct Seat {
    address: String,
    dialect: ErrorDialect,
    log: Log,
    ends: Ends,
    stop: watch::Receiver<bool>,
    /// Dropped with the last poller; until then it takes the reasons why pollers have given up.
    given_up: mpsc::UnboundedSender<ApiError>,
    /// The way to have the main thread load what is new, for those that follow it.
    renewals: Option<mpsc::UnboundedSender<oneshot::Sender<()>>>,
}

impl ManagedDoor {
    /// Loads the function and serves invocations until the platform ends it. `plan` is as for
    /// [`Door::run`](super::Door::run).
    ///
    /// # Errors
    /// When the system has no thread left, or the address is not valid.
    pub async fn run(self, plan: Result<Plan, (Error, ErrorDialect)>) -> Result<Ended, StartError> {
        let signals = Signals::new();
        let dialect = dialect_of(&plan);
        let api = RuntimeApi::new(&self.address)?;
        let mut first = Poller::new(api, self.log.clone(), dialect, Ends::Always, &self.main);
        let worker = Rc::new(Worker::new(self.main.clone()));
        let ended = match prepared(plan, signals) {
            Ok((plan, signals)) => {
                let function = Rc::new(Function::new(worker.clone(), plan.clone()));
                self.serve(first, &worker, &function, &plan, signals).await?
            }
            Err(error) => first.fail_init(error).await,
        };
        worker.shutdown().await;
        Ok(ended)
    }

    async fn serve(
        self,
        mut first: Poller,
        worker: &Rc<Worker>,
        function: &Rc<Function>,
        plan: &Plan,
        mut signals: Signals,
    ) -> Result<Ended, StartError> {
        let mut stopped = pin!(async {
            let _ = signals.next().await;
        });
        match load(worker, stopped.as_mut(), function.load()).await {
            None => return Ok(Ended::Signal),
            Some(Err(error)) => return Ok(first.fail_init(error).await),
            Some(Ok(())) => {}
        }
        announce(&first, worker).await;
        let threads = self.threads_for(plan, function);
        let spread = spread(self.concurrency, threads);
        let (stop, stopping) = watch::channel(false);
        let (given_up, mut reasons) = mpsc::unbounded_channel();
        let (renewals, asked) = mpsc::unbounded_channel();
        let seat = Seat {
            address: self.address.clone(),
            dialect: first.rescuer.dialect,
            log: self.log.clone(),
            ends: Ends::WhenStuck,
            stop: stopping,
            given_up,
            renewals: matches!(threads, Threads::Following(_)).then_some(renewals),
        };
        task::spawn_local(renew(worker.clone(), function.clone(), asked));
        let all = LostThreads::of(spread.others.len() + usize::from(spread.here > 0));
        let mut handles = Vec::new();
        for (number, pollers) in spread.others.iter().copied().enumerate() {
            let (mut seat, plan) = (seat.clone(), plan.clone());
            if pollers == 1 {
                seat.ends = Ends::WithTheLast(all.clone());
            }
            let run = move |worker: Rc<Worker>| async move {
                let function = Rc::new(Function::new(worker.clone(), plan));
                seat.work(&worker, &function, pollers).await;
            };
            let spawn = match threads {
                Threads::Apart(_) => worker::spawn(number + 1, self.others.clone(), run),
                Threads::Following(_) => {
                    worker::spawn_following(number + 1, self.others.clone(), run)
                }
            };
            handles.push(spawn.map_err(StartError::Thread)?);
        }
        for _ in 0..spread.here {
            let (seat, worker, function) = (seat.clone(), worker.clone(), function.clone());
            task::spawn_local(async move { seat.poll(&worker, &function).await });
        }
        drop(seat);
        let mut last = None;
        let all_gave_up = async {
            while let Some(reason) = reasons.recv().await {
                last = Some(reason);
            }
        };
        let ended = tokio::select! {
            biased;
            () = stopped => None,
            () = all_gave_up => Some(()),
        };
        if ended.is_none() {
            stop.send_replace(true);
            // What has begun is answered; the platform decides how long it waits for that.
            while reasons.recv().await.is_some() {}
            return Ok(Ended::Signal);
        }
        Ok(last.map_or(Ended::Signal, Ended::Api))
    }

    fn threads_for(&self, plan: &Plan, function: &Function) -> Threads {
        let info = plan.handler.engine.info();
        if function.holds_thread() == Some(true) {
            return match self.threads.unwrap_or(self.concurrency).min(self.concurrency) {
                0 | 1 => Threads::Apart(0),
                threads => Threads::Following(threads),
            };
        }
        if info.on_main_thread {
            return Threads::Apart(0);
        }
        let threads = match info.waits_hold_thread {
            true => self.concurrency,
            false => self
                .spread
                .unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from)),
        };
        Threads::Apart(threads.min(self.concurrency) - 1)
    }
}

/// The pollers of each thread.
#[derive(Debug, PartialEq, Eq)]
struct Spread {
    here: usize,
    others: Vec<usize>,
}

/// Spreads pollers evenly over threads.
fn spread(pollers: usize, threads: Threads) -> Spread {
    let share = |of: usize, number: usize| pollers / of + usize::from(number < pollers % of);
    match threads {
        Threads::Apart(others) => {
            let all = others + 1;
            Spread {
                here: share(all, 0),
                others: (1..all).map(|number| share(all, number)).collect(),
            }
        }
        Threads::Following(threads) => {
            Spread { here: 0, others: (0..threads).map(|number| share(threads, number)).collect() }
        }
    }
}

impl Seat {
    /// Serves with this many pollers on this thread until all of them have ended.
    async fn work(self, worker: &Rc<Worker>, function: &Rc<Function>, pollers: usize) {
        if let Err(error) = function.load().await {
            // The main thread's was loaded, so this says something about the machine, or about a module that depends on
            // how often it was loaded.
            self.log.line(Level::Error, &explain(&error), &[("errorType", error.name().into())]);
        }
        let polls = (0..pollers).map(|_| self.poll(worker, function));
        futures::future::join_all(polls).await;
    }

    /// Polls until the end of the process, or until the API is gone.
    async fn poll(&self, worker: &Worker, function: &Function) {
        let api = match RuntimeApi::new(&self.address) {
            Ok(api) => api,
            Err(error) => return self.give_up(error),
        };
        let (log, ends) = (self.log.clone(), self.ends.clone());
        let mut poller = Poller::new(api, log, self.dialect, ends, worker.options());
        loop {
            let next = match self.next(&mut poller).await {
                Ok(Some(next)) => next,
                Ok(None) => return,
                Err(error) => return self.give_up(error),
            };
            if self.renewals.is_some() && (worker.retire_outdated() || function.retire_worn()) {
                self.until_renewed().await;
                self.refresh(function).await;
            }
            if let Err(error) = poller.run(&next, function).await {
                // It concerns this one invocation.
                let id = next.delivery.request_id.to_str().unwrap_or_default();
                let message = format!("RequestId: {id} {error}");
                self.log.line(Level::Warn, &message, &[("requestId", id.into())]);
            }
            if self.renewals.is_none() && function.is_worn() {
                self.refresh(function).await;
            }
        }
    }

    /// Asks for an event, again and again where the API does not answer. Returns `None` at the end of the process.
    async fn next(&self, poller: &mut Poller) -> Result<Option<super::Next>, ApiError> {
        let mut pause = FIRST_PAUSE;
        for _ in 1..ATTEMPTS {
            match poller.api.next(self.stopped()).await {
                Err(error) => {
                    let message = format!("{error}; asking again in {} ms", pause.as_millis());
                    self.log.line(Level::Warn, &message, &[]);
                }
                answer => return answer,
            }
            tokio::select! {
                () = self.stopped() => return Ok(None),
                () = time::sleep(pause) => {}
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        poller.api.next(self.stopped()).await
    }

    fn stopped(&self) -> impl Future<Output = ()> + use<> {
        let mut stop = self.stop.clone();
        async move {
            // A sender that is gone means the same as one that says so.
            let _ = stop.wait_for(|stop| *stop).await;
        }
    }

    async fn refresh(&self, function: &Function) {
        if let Err(error) = function.refresh().await {
            // The next invocation tries again, and is told.
            self.log.line(Level::Error, &explain(&error), &[("errorType", error.name().into())]);
        }
    }

    /// Has the main thread load what is new, and waits for it.
    async fn until_renewed(&self) {
        let (renewed, done) = oneshot::channel();
        if let Some(renewals) = &self.renewals
            && renewals.send(renewed).is_ok()
        {
            // Where the main thread is gone, so is the process.
            let _ = done.await;
        }
    }

    fn give_up(&self, reason: ApiError) {
        self.log.line(Level::Error, &format!("a poller gives up: {reason}"), &[]);
        let _ = self.given_up.send(reason);
    }
}

/// Loads anew on the main thread what threads ask for.
async fn renew(
    worker: Rc<Worker>,
    function: Rc<Function>,
    mut asked: mpsc::UnboundedReceiver<oneshot::Sender<()>>,
) {
    while let Some(renewed) = asked.recv().await {
        worker.retire_outdated();
        // What fails is reported to the next invocation, which tries again.
        let _ = function.refresh().await;
        let _ = renewed.send(());
    }
}

/// The reason why a managed function could not be served at all.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// A thread that could not be started.
    #[error("cannot start a worker")]
    Thread(#[source] io::Error),
    /// An address of the Runtime API that is none.
    #[error(transparent)]
    Api(#[from] ApiError),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pollers_are_spread_evenly() {
        let of = |pollers, threads| spread(pollers, threads);
        assert_eq!(of(8, Threads::Apart(0)), Spread { here: 8, others: vec![] });
        assert_eq!(of(8, Threads::Apart(2)), Spread { here: 3, others: vec![3, 2] });
        assert_eq!(of(4, Threads::Apart(3)), Spread { here: 1, others: vec![1, 1, 1] });
        assert_eq!(of(5, Threads::Following(2)), Spread { here: 0, others: vec![3, 2] });
    }
}
