//! The environments of all functions: which are idle, when another one is started, and when one is replaced.
//! Contract: an event goes to an idle environment; where all are busy another one is started, up to the limit; beyond
//! it synchronous callers are turned away and asynchronous events wait. An environment that takes several events at once
//! is idle as many times as it could take one more.

use super::{
    super::{
        directory::{Background, Finished, Pending, Submitted},
        durable::Executions,
        environment::Environment,
        options::EmulatorOptions,
        outcome::{Answer, Event, Outcome},
        shared::lock,
        state::StreamPart,
        violation::Violation,
    },
    Ended, Launch, PlatformOptions,
};
use bytes::Bytes;
use std::{
    io,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::sync::{Notify, Semaphore, mpsc, oneshot};

/// All functions of a platform.
pub(crate) struct Fleet {
    functions: Vec<Arc<Function>>,
    pub(crate) background: Background,
    pub(crate) executions: Executions,
    ended: mpsc::UnboundedSender<Ended>,
}

/// A function and its environments.
struct Function {
    place: usize,
    options: EmulatorOptions,
    launch: Launch,
    concurrency: usize,
    /// One permit for each invocation that may run.
    slots: Arc<Semaphore>,
    pool: Mutex<Pool>,
    /// Tells of environments that have become idle or have ended.
    changed: Notify,
}

#[derive(Default)]
struct Pool {
    /// Environments that run, or may have ended a moment ago.
    all: Vec<Arc<Environment>>,
    /// Those of them that wait for an event, as often as they could take one, the one that waits for the shortest time
    /// last.
    idle: Vec<Arc<Environment>>,
    /// Number of environments that are being started.
    starting: usize,
    /// Number of times that the function was renewed.
    generation: u64,
    /// Whether no more environments are to be started.
    is_closing: bool,
    violations: Vec<Violation>,
}

impl Fleet {
    pub(super) fn new(options: PlatformOptions, ended: mpsc::UnboundedSender<Ended>) -> Self {
        let concurrency = options.concurrency.max(1);
        let function = |(place, (options, launch)): (usize, (EmulatorOptions, Launch))| {
            let slots = concurrency * options.concurrency.max(1);
            Arc::new(Function {
                place,
                options,
                launch,
                concurrency,
                slots: Arc::new(Semaphore::new(slots)),
                pool: Mutex::default(),
                changed: Notify::new(),
            })
        };
        let functions = options.functions.into_iter().enumerate().map(function).collect();
        let (background, executions) = (Background::new(), Executions::default());
        Self { functions, background, executions, ended }
    }

    pub(crate) fn functions(&self) -> impl Iterator<Item = &EmulatorOptions> {
        self.functions.iter().map(|function| &function.options)
    }

    /// Submits an event to the function at a place. Where all is busy, it `waits` or is turned away.
    pub(crate) fn submit(
        self: &Arc<Self>,
        place: usize,
        mut event: Event,
        version: &str,
        parts: Option<mpsc::Sender<StreamPart>>,
        waits: bool,
    ) -> Submitted {
        let new_id = || uuid::Uuid::new_v4().to_string();
        let request_id = event.request_id.get_or_insert_with(new_id).clone();
        let (done, receiver) = oneshot::channel();
        let (fleet, version, id) = (Arc::clone(self), version.to_owned(), request_id.clone());
        self.background.spawn(async move {
            let function = &fleet.functions[place];
            let finished = function.invoke(&fleet, event, &id, &version, parts, waits).await;
            // A caller that has gone away does not need an answer.
            let _ = done.send(finished);
        });
        Submitted { request_id, pending: Pending::Logged(receiver) }
    }

    pub(super) async fn warm(self: &Arc<Self>, place: usize) -> io::Result<()> {
        let function = &self.functions[place];
        {
            let mut pool = lock(&function.pool);
            if pool.is_closing || pool.starting + pool.living() > 0 {
                return Ok(());
            }
            pool.starting += 1;
        }
        let environment = function.start(self).await?;
        function.release(environment);
        Ok(())
    }

    pub(super) fn renew(&self, place: usize) {
        let function = &self.functions[place];
        let idle = {
            let mut pool = lock(&function.pool);
            pool.generation += 1;
            std::mem::take(&mut pool.idle)
        };
        idle.iter().filter(|idle| idle.is_idle()).for_each(|idle| idle.stop());
    }

    pub(super) fn violations(&self) -> Vec<Violation> {
        let mut found = Vec::new();
        for function in &self.functions {
            let pool = lock(&function.pool);
            found.extend(pool.violations.iter().cloned());
            found.extend(pool.all.iter().flat_map(|environment| environment.emulator.violations()));
        }
        found
    }

    pub(super) async fn shutdown(&self) {
        self.executions.close();
        let mut all = Vec::new();
        for function in &self.functions {
            let mut pool = lock(&function.pool);
            pool.is_closing = true;
            pool.idle.clear();
            all.extend(pool.all.iter().cloned());
        }
        all.iter().for_each(|environment| environment.stop());
        for environment in all {
            environment.ended().await;
        }
    }
}

impl Pool {
    fn living(&self) -> usize {
        self.all.iter().filter(|environment| !environment.has_ended()).count()
    }
}

impl Function {
    async fn invoke(
        self: &Arc<Self>,
        fleet: &Arc<Fleet>,
        event: Event,
        request_id: &str,
        version: &str,
        parts: Option<mpsc::Sender<StreamPart>>,
        waits: bool,
    ) -> Finished {
        let without_environment = |result| Finished {
            outcome: Outcome {
                request_id: request_id.to_owned(),
                duration: Duration::ZERO,
                result,
            },
            log: Bytes::new(),
        };
        let slots = Arc::clone(&self.slots);
        let slot = match waits {
            true => slots.acquire_owned().await.ok(),
            false => slots.try_acquire_owned().ok(),
        };
        let Some(_slot) = slot else { return without_environment(Answer::Throttled) };
        match self.acquire(fleet).await {
            Ok(environment) => {
                let finished = environment.run(event, request_id, version, parts).await;
                self.release(environment);
                finished
            }
            Err(error) => without_environment(Answer::Platform {
                error_type: "Runtime.InvalidEntrypoint",
                message: format!("RequestId: {request_id} Error: {error}"),
            }),
        }
    }

    /// Takes an idle environment, or starts one.
    async fn acquire(self: &Arc<Self>, fleet: &Arc<Fleet>) -> io::Result<Arc<Environment>> {
        loop {
            let changed = self.changed.notified();
            {
                let mut pool = lock(&self.pool);
                while let Some(environment) = pool.idle.pop() {
                    if !environment.has_ended() {
                        environment.take();
                        return Ok(environment);
                    }
                }
                if pool.is_closing {
                    return Err(io::Error::other("the emulator ends"));
                }
                if pool.starting + pool.living() < self.concurrency {
                    pool.starting += 1;
                    break;
                }
            }
            changed.await;
        }
        self.start(fleet).await
    }

    /// Starts an environment that was counted as starting, and takes it for one invocation.
    async fn start(self: &Arc<Self>, fleet: &Arc<Fleet>) -> io::Result<Arc<Environment>> {
        let generation = lock(&self.pool).generation;
        let launch = |emulator: &_| self.launch.command(emulator);
        let started =
            Environment::start(&self.options, generation, launch, &fleet.background).await;
        let mut pool = lock(&self.pool);
        pool.starting -= 1;
        let environment = match started {
            Ok(environment) => Arc::new(environment),
            Err(error) => {
                drop(pool);
                self.changed.notify_waiters();
                return Err(error);
            }
        };
        environment.take();
        pool.all.push(Arc::clone(&environment));
        if pool.is_closing {
            environment.stop();
        } else if environment.generation == pool.generation {
            let more = self.options.concurrency.max(1) - 1;
            pool.idle.extend(std::iter::repeat_n(Arc::clone(&environment), more));
        }
        drop(pool);
        self.changed.notify_waiters();
        let (function, owned) = (Arc::clone(self), Arc::clone(&environment));
        let ended = fleet.ended.clone();
        fleet.background.spawn(async move {
            let Some(end) = owned.ended().await else { return };
            function.bury(&owned);
            let place = function.place;
            let (status, served, was_told) = (end.status, end.served, end.was_told);
            // Nobody has to listen.
            let _ = ended.send(Ended { place, status, served, was_told });
        });
        Ok(environment)
    }

    /// Takes an environment back after an invocation.
    fn release(&self, environment: Arc<Environment>) {
        let mut pool = lock(&self.pool);
        environment.give_back();
        if environment.generation < pool.generation {
            if environment.is_idle() {
                environment.stop();
            }
        } else if !environment.has_ended() {
            pool.idle.push(environment);
        }
        drop(pool);
        self.changed.notify_waiters();
    }

    /// Forgets an environment that has ended, but not what it did wrong.
    fn bury(&self, ended: &Arc<Environment>) {
        let mut pool = lock(&self.pool);
        pool.idle.retain(|environment| !Arc::ptr_eq(environment, ended));
        pool.all.retain(|environment| !Arc::ptr_eq(environment, ended));
        pool.violations.extend(ended.emulator.violations());
        drop(pool);
        self.changed.notify_waiters();
    }
}
