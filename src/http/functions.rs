//! One worker's functions: loaded at their first request, with no more calls at a time than they can take.

use super::{
    console::Watch,
    handover::Dispatcher,
    lifeline::Lifeline,
    options::{MOST_CONCURRENT, ServeOptions},
    queue::{Admission, Full, Queue},
    shared::Shared,
    site::{ServedFunction, Site},
    threads::{Place, Threads},
    web::Interfaces,
};
use crate::{
    telemetry::Tracer,
    worker::{Function, Isolation, Worker},
};
use std::{
    cell::Cell,
    future::{Future, poll_fn},
    pin::pin,
    rc::Rc,
    sync::Arc,
    task::Poll,
    time::{Duration, SystemTime},
};
use tokio::sync::{Mutex, Semaphore};
use trine_engine::{Error, Interface, Invocation, Level, Payload, Result};

/// The functions of a site that a worker runs itself.
pub(super) enum Share {
    /// All of them.
    All,
    /// Those that may run on any thread. Invocations of the others are handed over to the main thread.
    AnyThread(Dispatcher),
    /// Those that run on the main thread alone.
    MainThread,
    /// Those that another worker hands over after it has loaded them.
    Following,
}

/// Waits for the end of a call whose result nobody reads. Returns what went wrong.
pub(super) async fn end_unread(
    call: impl Future<Output = Result<Payload>>,
    invocation: &Invocation,
) -> Option<Error> {
    let mut call = pin!(call);
    match invocation.stream.until_out(call.as_mut()).await {
        Some(result) => result.err(),
        None => {
            // What it streams is for nobody either.
            drop(invocation.stream.get().reader());
            call.await.err()
        }
    }
}

/// The functions of a site, as one worker has them.
pub(super) struct Functions {
    slots: Vec<Slot>,
    names: Vec<String>,
    /// The time limits that functions have of their own.
    timeouts: Vec<Option<Duration>>,
    worker: Rc<Worker>,
    /// Whether what is worn is replaced after the answer; else that is up to whoever drives these functions.
    refreshes: bool,
    queue: Arc<Queue>,
    /// What is known of how functions are called, which is noted here.
    interfaces: Arc<Interfaces>,
    /// What looks on, if anything does.
    watch: Option<Arc<Watch>>,
    /// The lock that is held while all of them are reloaded.
    renewing: Mutex<()>,
}

enum Slot {
    Here(Box<Here>),
    /// On the main thread, or on threads once it is known that the function runs there.
    There(Dispatcher, Option<Threads>),
    /// On another worker; nobody asks for it here.
    Elsewhere,
}

/// A function that runs on this worker's thread.
struct Here {
    function: Function,
    permits: Arc<Semaphore>,
    /// The number of permits.
    limit: Cell<u32>,
    /// The number that there are for a web application.
    limit_of_application: u32,
    /// The threads on which it runs if it holds its thread.
    threads: Option<Threads>,
}

impl Functions {
    /// Makes the functions, none of them loaded yet. `threads` are those of each function, by its position.
    pub(super) fn new(
        site: &Site,
        worker: &Rc<Worker>,
        options: &ServeOptions,
        share: &Share,
        threads: &[Option<Threads>],
        shared: &Shared,
    ) -> Self {
        let isolation = worker.options().recycling.isolation;
        let here = |function: &ServedFunction, threads| {
            let limit = places(function, options, isolation);
            Slot::Here(Box::new(Here {
                function: Function::new(worker.clone(), function.plan()),
                permits: Arc::new(Semaphore::new(limit)),
                limit: Cell::new(limit as u32),
                limit_of_application: application_places(function, options, limit) as u32,
                threads,
            }))
        };
        let slot = |(index, function): (usize, &ServedFunction)| {
            let threads = threads.get(index).cloned().flatten();
            match share {
                Share::AnyThread(main) if function.on_main_thread() => {
                    Slot::There(main.clone(), threads)
                }
                Share::MainThread if !function.on_main_thread() => Slot::Elsewhere,
                _ => here(function, threads),
            }
        };
        Self {
            slots: site.functions().iter().enumerate().map(slot).collect(),
            names: site.functions().iter().map(|function| function.name.clone()).collect(),
            timeouts: site.functions().iter().map(|function| function.timeout).collect(),
            worker: worker.clone(),
            refreshes: !matches!(share, Share::Following),
            queue: shared.queue.clone(),
            interfaces: shared.interfaces.clone(),
            watch: None,
            renewing: Mutex::default(),
        }
    }

    /// Has somebody look on.
    pub(super) fn watched_by(self, watch: Option<Arc<Watch>>) -> Self {
        Self { watch, ..self }
    }

    /// Returns what takes spans of invocations, if anything does.
    pub(super) fn tracer(&self) -> &Tracer {
        &self.worker.options().tracer
    }

    /// Whether a function runs on this worker's thread.
    pub(super) fn has(&self, index: usize) -> bool {
        matches!(self.slots.get(index), Some(Slot::Here(_)))
    }

    /// Returns the time limit that a function has of its own.
    pub(super) fn timeout(&self, index: usize) -> Option<Duration> {
        self.timeouts.get(index).copied().flatten()
    }

    /// Loads a function unless it is loaded.
    ///
    /// # Errors
    /// As [`Worker::load`]. The next call tries again, so that its author may fix the file meanwhile.
    pub(super) async fn load(&self, index: usize) -> Result<()> {
        let function = &self.here(index)?.function;
        let loaded = function.load().await;
        self.note_interface(index);
        loaded
    }

    /// Notes how a function is called, if it has been loaded, and lets go on what it has begun.
    fn note_interface(&self, index: usize) {
        let Ok(here) = self.here(index) else { return };
        for task in here.function.background() {
            tokio::task::spawn_local(task);
        }
        let interface = here.function.interface();
        if let (true, Some(interface)) = (self.interfaces.note(index, interface), interface) {
            let name = self.names.get(index).map_or("", String::as_str);
            let message = format!("function '{name}' is a web application: {interface}");
            let facts = [("function", name.into()), ("interface", interface.name().into())];
            self.worker.log().line(Level::Info, &message, &facts);
        }
        let (limit, most) = (here.limit.get(), here.limit_of_application);
        if limit < most && interface.is_some_and(Interface::is_web) {
            here.permits.add_permits((most - limit) as usize);
            here.limit.set(most);
        }
    }

    /// Admits a request to a function. What is returned goes along with its call.
    ///
    /// # Errors
    /// [`Full`] when it would have to wait, and as many wait as may.
    pub(super) fn admit(&self, index: usize) -> Result<Admission, Full> {
        match self.slots.get(index) {
            Some(Slot::There(main, threads)) => {
                let threads = threads.as_ref().filter(|threads| threads.run(index));
                let dispatcher = threads.map_or(main, Threads::dispatcher);
                self.queue.admit_to(index, dispatcher.places())
            }
            Some(Slot::Here(here)) => match here.threads.as_ref().filter(|all| all.run(index)) {
                Some(threads) => self.queue.admit_to(index, threads.dispatcher().places()),
                None => self.queue.admit(index, here.permits.available_permits() > 0),
            },
            _ => Ok(Admission::default()),
        }
    }

    /// Invokes a function. The call goes on to its end even if this future is dropped, because a guest that is left in
    /// the middle would keep what it holds.
    ///
    /// # Errors
    /// Whatever loading or the handler raised.
    pub(super) async fn call(
        self: &Rc<Self>,
        index: usize,
        event: Payload,
        invocation: Rc<Invocation>,
        lifeline: Option<Lifeline>,
        mut admission: Admission,
    ) -> Result<Payload> {
        if let Some(watch) = &self.watch {
            watch.note_event(index, &invocation.request_id, &event);
        }
        if let Some(dispatcher) = self.elsewhere(index).await? {
            return dispatcher.call(index, event, &invocation, lifeline, admission).await;
        }
        let permits = self.here(index)?.permits.clone();
        let waits = self.tracer().is_on() && permits.available_permits() == 0;
        let since = waits.then(SystemTime::now);
        let permit = permits.acquire_owned().await.map_err(|_| stopping())?;
        admission.begins();
        if let Some(since) = since {
            self.tracer().trail(&invocation).past("queue", (since, SystemTime::now()));
        }
        let functions = self.clone();
        to_its_end(async move {
            let _admission = admission;
            let function = &functions.here(index)?.function;
            let rescue = || lifeline.map(Lifeline::rescue);
            let answer = function.invoke(event, &invocation, rescue).await;
            if function.is_writing() || (functions.refreshes && function.is_worn()) {
                let functions = functions.clone();
                // After the answer has gone out, and before the permit lets the server end.
                tokio::task::spawn_local(async move {
                    let _permit = permit;
                    functions.rest(index).await;
                });
            }
            functions.note_interface(index);
            let (result, claim) = answer.into_parts();
            if let Some(watch) = &functions.watch {
                watch.note_hooks(index, || function.hooks());
                if let Ok(result) = &result {
                    watch.note_result(&invocation.request_id, result);
                }
            }
            if claim.take() { result } else { Err(answered()) }
        })
        .await
    }

    /// Waits until nothing is in flight, and lets nothing new begin.
    pub(super) async fn finish(&self) {
        for slot in &self.slots {
            let Slot::Here(here) = slot else { continue };
            if let Ok(all) = here.permits.acquire_many(here.limit.get()).await {
                all.forget();
            }
            here.permits.close();
        }
    }

    /// Finishes what a function writes to files, and makes it ready for its next request if need be.
    async fn rest(&self, index: usize) {
        let Ok(here) = self.here(index) else { return };
        here.function.rest().await;
        if self.refreshes && here.function.is_worn() {
            self.refresh(index).await;
        }
    }

    /// Makes a function ready for its next request. What fails is reported to that request, which tries again.
    async fn refresh(&self, index: usize) {
        if let Ok(here) = self.here(index) {
            let _ = here.function.refresh().await;
        }
    }

    /// Returns where a function runs, if not here.
    async fn elsewhere(&self, index: usize) -> Result<Option<&Dispatcher>> {
        match self.slots.get(index) {
            Some(Slot::There(main, threads)) => {
                let runs_there = |threads: &&Threads| threads.run(index) && !threads.is_stale();
                Ok(Some(threads.as_ref().filter(runs_there).map_or(main, Threads::dispatcher)))
            }
            Some(Slot::Here(here)) => {
                let Here { function, threads: Some(threads), .. } = &**here else {
                    return Ok(None);
                };
                if threads.is_stale() {
                    self.renew().await;
                }
                if threads.place(index) == Place::Unknown {
                    function.load().await?;
                    threads.put(index, place(function));
                }
                Ok(threads.run(index).then(|| threads.dispatcher()))
            }
            _ => Ok(None),
        }
    }

    /// Reloads what is outdated, for the threads that must not do so before this worker has. What fails is reported to
    /// the next request, which tries again.
    pub(super) async fn renew(&self) {
        let _one = self.renewing.lock().await;
        let with_threads = || {
            self.slots.iter().enumerate().filter_map(|(index, slot)| match slot {
                Slot::Here(here) => Some((index, &here.function, here.threads.as_ref()?)),
                _ => None,
            })
        };
        if !with_threads().any(|(_, _, threads)| threads.is_stale()) {
            return;
        }
        self.worker.retire_outdated();
        self.refresh_all().await;
        for (index, function, threads) in with_threads() {
            threads.put(index, place(function));
        }
        for (_, _, threads) in with_threads() {
            threads.renewed();
        }
    }

    /// Makes every function that was loaded ready again. What fails is reported to the next request, which tries again.
    pub(super) async fn refresh_all(&self) {
        for index in 0..self.slots.len() {
            self.refresh(index).await;
        }
    }

    /// Stops using what of a function is worn or cannot be trusted. Returns whether there was any.
    pub(super) fn retire_worn(&self, index: usize) -> bool {
        self.here(index).is_ok_and(|here| here.function.retire_worn())
    }

    fn here(&self, index: usize) -> Result<&Here> {
        match self.slots.get(index) {
            Some(Slot::Here(here)) => Ok(here),
            _ => Err(unknown(index)),
        }
    }
}

/// Returns the number of a function's invocations that one thread takes at a time.
pub(super) fn places(
    function: &ServedFunction,
    options: &ServeOptions,
    isolation: Isolation,
) -> usize {
    // With an instance for each invocation there is nothing to interleave in.
    let interleaving =
        isolation == Isolation::Fresh || function.located.engine.info().capabilities.interleaving;
    let most = function.concurrency.unwrap_or(options.concurrency);
    if interleaving { most.clamp(1, MOST_CONCURRENT as usize) } else { 1 }
}

/// Returns the same for one that turns out to be a web application, whose own servers know no limit.
fn application_places(function: &ServedFunction, options: &ServeOptions, places: usize) -> usize {
    let is_open = places > 1 && function.concurrency.is_none();
    if is_open { places.max(options.application_concurrency) } else { places }
}

/// Returns where a function that may have threads runs.
fn place(function: &Function) -> Place {
    match function.holds_thread() {
        None => Place::Unknown,
        Some(false) => Place::Main,
        Some(true) => Place::Threads,
    }
}

fn unknown(index: usize) -> Error {
    Error::internal(format!("a route leads to function {index}, which does not exist"))
}

fn stopping() -> Error {
    Error::internal("the server is stopping")
}

/// Returns an error that nobody reads: the connection has its answer from the watchdog and is shut.
fn answered() -> Error {
    Error::internal("the invocation was answered already")
}

/// Drives a future to its end even if the caller goes away. What ends at the first poll costs no task.
async fn to_its_end<T: 'static>(future: impl Future<Output = Result<T>> + 'static) -> Result<T> {
    let mut future = Box::pin(future);
    match poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await {
        Poll::Ready(result) => result,
        Poll::Pending => match tokio::task::spawn_local(future).await {
            Ok(result) => result,
            Err(e) => Err(Error::internal(format!("the invocation was lost: {e}"))),
        },
    }
}
