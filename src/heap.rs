//! One interpreter of a worker, with what is to be remembered about it until it ends.

use crate::{
    telemetry::{Census, Enrolled},
    watchdog::{Rescue, Watchdog, Watched},
};
use std::{
    cell::{Cell, RefCell},
    collections::HashSet,
    path::{Path, PathBuf},
    rc::Rc,
    sync::Arc,
    time::Duration,
};
use tokio::sync::{Mutex, MutexGuard};
use trine_engine::{
    Engine, Environment, Error, ErrorKind, Form, FunctionId, Hook, Instance, Interrupter,
    Invocation, Module, Payload, Result,
};

/// The time that the end of guests' programs may take when a signal has come: a platform that sent it waits little
/// longer than this.
pub(crate) const END_TIME: Duration = Duration::from_millis(300);

/// The time for which files that guests write are waited for after an answer.
const REST_TIME: Duration = Duration::from_secs(1);

/// A middleware in a heap: its file and, where globals belong to a root, that root.
pub(crate) type Key = (PathBuf, Option<PathBuf>);

/// One instance and its users: the worker that hands it out, and the pipelines that were loaded into it. It ends when
/// the last of them lets go.
pub(crate) struct Heap {
    engine: Arc<dyn Engine>,
    /// The handler's file whose function has this heap to itself; `None` where functions share it.
    owner: Option<PathBuf>,
    instance: Rc<dyn Instance>,
    interrupter: Interrupter,
    /// The middlewares whose `init` has run.
    prepared: Mutex<HashSet<Key>>,
    /// The `shutdown` hooks that are due at the end, one for each middleware, with its name.
    endings: RefCell<Vec<(Key, Rc<str>, FunctionId)>>,
    /// Whether another worker has prepared what this one shares with it: `init` and `shutdown` hooks are that one's.
    follows: bool,
    served: Cell<u64>,
    poisoned: Cell<bool>,
    retired: Cell<bool>,
    enrolled: Enrolled,
    /// The watchdog that looks after its end.
    watchdog: Watchdog,
    /// The time for guests' code at its end, and what happens where it cannot be stopped then.
    last_moments: RefCell<(Duration, Option<Rescue>)>,
}

impl Heap {
    pub(crate) fn start(
        engine: &Arc<dyn Engine>,
        owner: Option<&Path>,
        environment: &Environment,
        watchdog: &Watchdog,
        census: &Census,
    ) -> Result<Rc<Self>> {
        Self::begin(engine, owner, environment, watchdog, census, false)
    }

    /// Starts a heap beside another worker's, with which it shares modules and what `init` hooks have prepared.
    pub(crate) fn follow(
        engine: &Arc<dyn Engine>,
        owner: Option<&Path>,
        environment: &Environment,
        watchdog: &Watchdog,
        census: &Census,
    ) -> Result<Rc<Self>> {
        Self::begin(engine, owner, environment, watchdog, census, true)
    }

    fn begin(
        engine: &Arc<dyn Engine>,
        owner: Option<&Path>,
        environment: &Environment,
        watchdog: &Watchdog,
        census: &Census,
        follows: bool,
    ) -> Result<Rc<Self>> {
        let own = owner.map(|file| environment.of_place(engine.info().id, file));
        let environment = own.as_ref().unwrap_or(environment);
        let info = engine.info();
        if environment.narrows_any_of(info.id) && !info.capabilities.permissions {
            let message = format!(
                "{} is not held to any permissions, and what its functions may do is narrowed: allow them everything \
                 (--allow-all, TRINE_ALLOW_ALL or allow-all in trine.toml), or narrow the process",
                info.name
            );
            return Err(Error::new(ErrorKind::Unsupported, message));
        }
        let instance = engine.start(environment)?;
        Ok(Rc::new(Self {
            engine: engine.clone(),
            owner: owner.map(Path::to_owned),
            interrupter: instance.interrupter(),
            instance,
            prepared: Mutex::default(),
            endings: RefCell::default(),
            follows,
            served: Cell::new(0),
            poisoned: Cell::new(false),
            retired: Cell::new(false),
            enrolled: census.enroll(engine.info().id),
            watchdog: watchdog.clone(),
            last_moments: RefCell::new((END_TIME, None)),
        }))
    }

    /// Whether this is the heap of an engine for an owner, or the one that functions share.
    pub(crate) fn is_for(&self, engine: &Arc<dyn Engine>, owner: Option<&Path>) -> bool {
        self.id() == engine.info().id && self.owner.as_deref() == owner
    }

    pub(crate) fn id(&self) -> &'static str {
        self.engine.info().id
    }

    pub(crate) fn engine(&self) -> &Arc<dyn Engine> {
        &self.engine
    }

    pub(crate) fn instance(&self) -> &Rc<dyn Instance> {
        &self.instance
    }

    pub(crate) fn interrupter(&self) -> Interrupter {
        self.interrupter.clone()
    }

    /// Returns what identifies a middleware here, for whichever function it was loaded.
    pub(crate) fn key(&self, module: &Module) -> Key {
        (module.path.clone(), self.engine.info().globals_per_root.then(|| module.root.clone()))
    }

    /// Whether `init` and `shutdown` hooks are another worker's affair.
    pub(crate) fn follows(&self) -> bool {
        self.follows
    }

    /// Returns the middlewares whose `init` has run here. Held while one runs, so that other loads wait for it.
    pub(crate) async fn prepared(&self) -> MutexGuard<'_, HashSet<Key>> {
        self.prepared.lock().await
    }

    /// Notes a middleware's `shutdown` hook for the end of this heap. It may have been loaded before, for another
    /// function, and runs once all the same.
    pub(crate) fn at_end(&self, key: Key, middleware: &Rc<str>, hook: FunctionId) {
        let mut endings = self.endings.borrow_mut();
        if !endings.iter().any(|(known, ..)| *known == key) {
            endings.push((key, middleware.clone(), hook));
        }
    }

    /// Runs the `shutdown` hooks, once; what fails is handed to `report` with the middleware's name.
    pub(crate) async fn end(&self, report: impl Fn(&str, Error)) {
        let endings = std::mem::take(&mut *self.endings.borrow_mut());
        if self.poisoned.get() {
            return;
        }
        for (_, middleware, hook) in endings {
            let invocation = Rc::new(Invocation::json(""));
            invocation.exchange.enter(Some(Hook::Shutdown));
            let call = self.instance.call(hook, Payload::Nothing, Form::Native, &invocation);
            if let Err(error) = call.await {
                report(&middleware, error);
            }
        }
    }

    /// Lets guests finish what they have begun with files. What takes longer than `limit` is stopped.
    pub(crate) async fn settle(&self, limit: Duration, rescue: Option<Rescue>, by_itself: bool) {
        if self.poisoned.get() {
            return;
        }
        let _watched = self.watch(limit, rescue);
        // Its interrupter ends the wait.
        self.instance.settle(by_itself).await;
    }

    /// Lets guests finish what they have begun with files after an answer, within a moment.
    pub(crate) async fn rest(&self) {
        if self.poisoned.get() {
            return;
        }
        let Some(rest) = self.instance.rest() else { return };
        // Code that runs is interrupted; what waits is left alone.
        let _watched = self.watch(REST_TIME + END_TIME, None);
        if let Ok(Err(_)) = tokio::time::timeout(REST_TIME, rest).await {
            self.poison();
        }
    }

    /// Whether guests have begun anything with files that [`Heap::rest`] would wait for.
    pub(crate) fn is_writing(&self) -> bool {
        !self.poisoned.get() && self.instance.is_writing()
    }

    /// Begins to watch what this heap alone does, which may take this long.
    pub(crate) fn watch(&self, limit: Duration, rescue: Option<Rescue>) -> Watched {
        let watched = self.watchdog.arm_within(limit, self.interrupter(), rescue);
        watched.enter(0);
        watched
    }

    /// Says how long guests' code may take at this heap's end (exit handlers, threads that are waited for), and what
    /// happens where it cannot be stopped then.
    pub(crate) fn ends_within(&self, limit: Duration, rescue: Rescue) {
        self.last_moments.replace((limit, Some(rescue)));
    }

    /// Whether there is a `shutdown` hook to run.
    pub(crate) fn has_endings(&self) -> bool {
        !self.endings.borrow().is_empty()
    }

    /// Notes an error after which its instance cannot be trusted.
    pub(crate) fn poison(&self) {
        self.poisoned.set(true);
    }

    pub(crate) fn is_poisoned(&self) -> bool {
        self.poisoned.get()
    }

    /// Counts an invocation that it took part in.
    pub(crate) fn serve(&self) {
        self.served.set(self.served.get() + 1);
    }

    /// Whether it has done its share.
    pub(crate) fn is_worn(&self, recycling: &Recycling) -> bool {
        recycling.max_invocations.is_some_and(|most| self.served.get() >= most)
            || recycling.max_heap.is_some_and(|most| self.instance.usage().heap_bytes > most)
    }

    /// Tells the census the size of its heap.
    pub(crate) fn measure(&self) {
        if !self.poisoned.get() {
            self.enrolled.measure(self.instance.usage().heap_bytes);
        }
    }

    /// Retires it: another one takes its place, nothing new is loaded into it, what is in flight goes on.
    pub(crate) fn retire(&self) {
        if !self.retired.replace(true) {
            self.enrolled.replaced();
            self.instance.retire();
        }
    }

    pub(crate) fn is_retired(&self) -> bool {
        self.retired.get()
    }
}

impl Drop for Heap {
    fn drop(&mut self) {
        let (limit, rescue) = self.last_moments.replace((END_TIME, None));
        let _watched = self.watch(limit, rescue);
        self.instance.shutdown();
    }
}

/// The limits at which instances are replaced although nothing is wrong with them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Recycling {
    /// The most invocations that an instance serves.
    pub max_invocations: Option<u64>,
    /// The largest heap that an instance may have, in bytes, as its interpreter counts them.
    pub max_heap: Option<u64>,
    /// Whether every invocation gets an instance of its own.
    pub isolation: Isolation,
}

/// The sharing of instances between invocations.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Isolation {
    /// Warm instances: modules and globals live on from one invocation to the next.
    #[default]
    Shared,
    /// A new instance for each, made ready before it is needed.
    Fresh,
}

impl std::str::FromStr for Isolation {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "shared" => Ok(Self::Shared),
            "fresh" => Ok(Self::Fresh),
            _ => Err("use shared or fresh".to_owned()),
        }
    }
}
