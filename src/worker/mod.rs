//! A worker: one thread's share of the runtime. It owns an instance per language in use, or per function where
//! functions of the language have instances of their own, hands them to the pipelines that it loads, and replaces those
//! that are worn out or cannot be trusted any more.

mod debug_proxy;
mod function;
mod records;
mod run;
mod thread;
mod traced;

pub use crate::aws_events::CloudEvents;
pub use function::{Answer, Function};
pub use records::Conversion;
pub use run::Claim;
pub use thread::{run_here, spawn, spawn_following};

pub use crate::{
    heap::{Isolation, Recycling},
    watchdog::{DEFAULT_MARGIN, Lost, Rescue, Watchdog},
};

pub(crate) use crate::heap::END_TIME;
pub(crate) use thread::{run_beside, spawn_beside};

use crate::{
    diagnostic::STUCK_EXIT,
    heap::Heap,
    pipeline::{Pipeline, Plan},
    telemetry::{Census, Log, Tracer},
};
use std::{
    cell::RefCell,
    path::Path,
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant},
};
use trine_engine::{Engine, Environment, Error, Level, Result};

/// The time that the `shutdown` hooks of an instance may take together.
const SHUTDOWN_TIME: Duration = Duration::from_secs(2);

/// The time after which code that was told to stop at its program's end is given up.
const END_LOST_AFTER: Duration = Duration::from_millis(100);

/// The options of every worker of a process.
#[derive(Debug, Clone)]
pub struct WorkerOptions {
    /// The facts that instances are started with.
    pub environment: Environment,
    /// The limits at which instances are replaced.
    pub recycling: Recycling,
    /// The watchdog that looks after deadlines.
    pub watchdog: Watchdog,
    /// How events of AWS's services are converted, if they are.
    pub conversion: Option<Conversion>,
    /// The count of interpreters.
    pub census: Arc<Census>,
    /// What takes spans of invocations, if anything does.
    pub tracer: Tracer,
    /// The places, host and port each, to which an event may have a debugger's connection made.
    pub debug_proxies: Arc<[String]>,
    /// Whether web applications' answers to events leave while they are made, where the platform takes streams.
    pub takes_streams: bool,
}

impl WorkerOptions {
    /// Returns options for warm instances without limits of their own.
    pub fn new(environment: Environment) -> Self {
        Self {
            environment,
            recycling: Recycling::default(),
            watchdog: Watchdog::new(DEFAULT_MARGIN, None),
            conversion: None,
            census: Arc::default(),
            tracer: Tracer::default(),
            debug_proxies: Arc::default(),
            takes_streams: false,
        }
    }
}

/// One thread's instances. Never leaves the thread on which it was made.
pub struct Worker {
    options: WorkerOptions,
    log: Log,
    /// Whether its instances share what another worker has loaded and prepared.
    follows: bool,
    /// The heaps that are handed out. A heap that was replaced lives on in the pipelines that still use it.
    heaps: RefCell<Vec<Rc<Heap>>>,
}

impl Worker {
    /// Makes a worker without instances: an engine starts when the first function of its language is loaded.
    pub fn new(options: WorkerOptions) -> Self {
        let log = Log::new(options.environment.log.clone());
        Self { options, log, follows: false, heaps: RefCell::default() }
    }

    /// Makes a worker beside another one, for functions that the other has loaded before: their modules are shared, and
    /// so is what `init` hooks have prepared.
    pub fn following(options: WorkerOptions) -> Self {
        Self { follows: true, ..Self::new(options) }
    }

    /// Loads a function and its middlewares into this worker's instances; starts those that are missing.
    ///
    /// # Errors
    /// What starting an engine, loading a module, or an `init` or `wrap` hook reports.
    pub async fn load(&self, plan: &Plan) -> Result<Pipeline> {
        Pipeline::load(plan, |engine| self.heap(engine, plan.owner(engine))).await
    }

    /// Loads a function into instances that nobody else uses.
    pub(crate) async fn load_apart(&self, plan: &Plan) -> Result<Pipeline> {
        let start = |engine: &Arc<dyn Engine>| {
            let WorkerOptions { environment, watchdog, census, .. } = &self.options;
            Heap::start(engine, plan.owner(engine), environment, watchdog, census)
        };
        let pipeline = Pipeline::load(plan, start).await?;
        for heap in pipeline.heaps() {
            heap.retire();
        }
        Ok(pipeline)
    }

    /// Ends this worker's instances when the process was asked to end.
    pub async fn shutdown(&self) {
        self.end_all(END_TIME, 0, false).await;
    }

    /// Ends this worker's instances when there is nothing left to do. What guests do at their program's end (files that
    /// are written, threads that are waited for, exit handlers) may take as long as `limit`; then it is stopped, and
    /// where that does not help the process ends with this status.
    pub async fn end_by_itself(&self, limit: Duration, status: i32) {
        self.end_all(limit, status, true).await;
    }

    /// Ends this worker's instances, after their `shutdown` hooks.
    async fn end_all(&self, limit: Duration, status: i32, by_itself: bool) {
        let heaps = std::mem::take(&mut *self.heaps.borrow_mut());
        for heap in heaps.iter().rev() {
            self.end(heap).await;
        }
        let end = Instant::now() + limit;
        let rest = || end.saturating_duration_since(Instant::now());
        for heap in heaps.into_iter().rev() {
            heap.settle(rest(), Some(exit_with(status)), by_itself).await;
            heap.ends_within(rest(), exit_with(status));
            // This ends it, unless it was left behind in an invocation that was given up.
            drop(heap);
        }
    }

    /// Gives up what is being loaded. Nothing is known of the state that it was left in, so no hook runs at the end.
    pub(crate) fn give_up(&self) {
        for heap in self.heaps.borrow().iter() {
            heap.poison();
        }
    }

    /// Whether a `shutdown` hook waits for the end.
    pub fn has_shutdown_hooks(&self) -> bool {
        self.heaps.borrow().iter().any(|heap| heap.has_endings())
    }

    /// Tells the census how large its instances' heaps are.
    pub(crate) fn measure(&self) {
        for heap in self.heaps.borrow().iter() {
            heap.measure();
        }
    }

    pub(crate) fn options(&self) -> &WorkerOptions {
        &self.options
    }

    /// Returns the instance of an engine, for one function ([`Plan::owner`]) or for all. One that cannot be trusted any
    /// more is replaced, whoever found that out.
    pub(crate) fn heap(&self, engine: &Arc<dyn Engine>, owner: Option<&Path>) -> Result<Rc<Heap>> {
        let known = self.heaps.borrow().iter().find(|heap| heap.is_for(engine, owner)).cloned();
        match known {
            Some(heap) if !heap.is_poisoned() => return Ok(heap),
            Some(poisoned) => self.retire(&poisoned),
            None => {}
        }
        let start = if self.follows { Heap::follow } else { Heap::start };
        let WorkerOptions { environment, watchdog, census, .. } = &self.options;
        let heap = start(engine, owner, environment, watchdog, census)?;
        self.heaps.borrow_mut().push(heap.clone());
        Ok(heap)
    }

    /// Stops handing out those of a pipeline's instances that are worn out or cannot be trusted. Returns whether there
    /// are any.
    pub(crate) fn retire_worn(&self, pipeline: &Pipeline) -> bool {
        for heap in pipeline.heaps() {
            if heap.is_poisoned() || heap.is_worn(&self.options.recycling) {
                self.retire(heap);
            }
        }
        pipeline.heaps().iter().any(|heap| heap.is_retired())
    }

    /// Stops handing out instances that share no modules with those that start now. Returns whether there were any.
    pub(crate) fn retire_outdated(&self) -> bool {
        let heaps = self.heaps.borrow().clone();
        let outdated = heaps.iter().filter(|heap| heap.instance().is_outdated());
        outdated.map(|heap| self.retire(heap)).count() > 0
    }

    fn retire(&self, heap: &Rc<Heap>) {
        heap.retire();
        self.heaps.borrow_mut().retain(|known| !Rc::ptr_eq(known, heap));
    }

    /// Runs the `shutdown` hooks of a heap that is about to end.
    pub(crate) async fn end(&self, heap: &Heap) {
        if !heap.has_endings() {
            return;
        }
        let act = Box::new(|_: &Lost| trine_process::end(STUCK_EXIT));
        let rescue = Rescue { act, lost_after: Some(Duration::ZERO) };
        let _watched = heap.watch(SHUTDOWN_TIME, Some(rescue));
        let hooks = heap.end(|middleware, error| self.report(middleware, &error));
        if tokio::time::timeout(SHUTDOWN_TIME, hooks).await.is_err() {
            let message = "shutdown hooks were still waiting when their time was up";
            self.log.line(Level::Warn, message, &[]);
        }
    }

    /// Logs an error of a hook that nobody waits for.
    fn report(&self, middleware: &str, error: &Error) {
        let message =
            format!("the shutdown hook of the middleware '{middleware}' failed: {error:#}");
        self.log.line(Level::Error, &message, &[("errorType", error.name().into())]);
    }

    pub(crate) fn log(&self) -> &Log {
        &self.log
    }
}

/// Returns what ends the process with this status where a guest's code cannot be stopped at its end.
fn exit_with(status: i32) -> Rescue {
    let act = Box::new(move |_: &Lost| trine_process::end(status));
    Rescue { act, lost_after: Some(END_LOST_AFTER) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handler::tests::fixture::registry;
    use trine_engine::{Access, ErrorKind, Extent, LogSettings, Permissions};

    fn worker() -> Worker {
        Worker::new(WorkerOptions::new(Environment::new("/opt", LogSettings::default())))
    }

    #[test]
    fn a_heap_that_was_poisoned_is_not_handed_out_again() {
        let worker = worker();
        let registry = registry();
        let engine = registry.iter().next().unwrap();
        let first = worker.heap(engine, None).unwrap();
        assert!(Rc::ptr_eq(&first, &worker.heap(engine, None).unwrap()));
        first.poison();
        let second = worker.heap(engine, None).unwrap();
        assert!(!Rc::ptr_eq(&first, &second));
        assert!(first.is_retired() && !second.is_retired());
        assert!(Rc::ptr_eq(&second, &worker.heap(engine, None).unwrap()));
    }

    #[test]
    fn an_engine_that_asks_nobody_is_not_started_where_permissions_are_narrowed() {
        let mut permissions = Permissions::default();
        permissions.deny(Access::Run, Extent::Everything).unwrap();
        let environment = Environment::new("/opt", LogSettings::default());
        let environment = environment.with_permissions(permissions);
        let worker = Worker::new(WorkerOptions::new(environment));
        let registry = registry();
        let refused = worker.heap(registry.iter().next().unwrap(), None).err().unwrap();
        assert_eq!(refused.kind(), ErrorKind::Unsupported);
        assert!(refused.message().contains("is not held to any permissions"), "{refused}");
    }

    #[test]
    fn functions_that_own_a_heap_find_their_own() {
        let worker = worker();
        let registry = registry();
        let engine = registry.iter().next().unwrap();
        let [one, other] = ["/a/one.mjs", "/a/other.mjs"].map(|path| Some(Path::new(path)));
        let heap = |owner| worker.heap(engine, owner).unwrap();
        let (first, second, shared) = (heap(one), heap(other), heap(None));
        assert!(!Rc::ptr_eq(&first, &second) && !Rc::ptr_eq(&first, &shared));
        assert!(Rc::ptr_eq(&first, &heap(one)) && Rc::ptr_eq(&second, &heap(other)));
        second.poison();
        assert!(Rc::ptr_eq(&first, &heap(one)) && !Rc::ptr_eq(&second, &heap(other)));
    }
}
