//! Functions in this process: a bare instance of an engine, or a worker's function with everything around it.

use crate::{
    events::{invocation, parsed},
    language::Language,
};
use bytes::Bytes;
use serde_json::Value;
use std::{
    fs,
    path::PathBuf,
    rc::Rc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use tempfile::TempDir;
use tokio::{runtime, task::LocalSet};
use trine::{
    engines::Registry,
    handler::{Located, SearchPaths, locate},
    pipeline::{MiddlewareNames, Plan, middleware_folders},
    worker::{DEFAULT_MARGIN, Function, Recycling, Watchdog, Worker, WorkerOptions},
};
use trine_engine::{
    Environment, Form, FunctionId, Instance, Invocation, LogSettings, Payload, Result,
};

/// Distance of the deadline for functions that have one but never come close to it.
const FAR: Duration = Duration::from_secs(900);

/// A folder for one function, removed when dropped: `task` with its files, and an empty `opt`.
pub(crate) struct Folder(TempDir);

/// The async runtime of a worker's thread.
struct Ground {
    runtime: runtime::Runtime,
    local: LocalSet,
}

/// A handler in an instance of its engine.
pub(crate) struct Guest {
    /// Dropped before the runtime that it depends on.
    instance: Option<Rc<dyn Instance>>,
    function: FunctionId,
    located: Located,
    environment: Environment,
    ground: Ground,
    _folder: Folder,
}

/// A function of a worker.
pub(crate) struct Served {
    function: Option<Function>,
    worker: Rc<Worker>,
    ground: Ground,
    _folder: Folder,
}

/// The end of an invocation with a deadline.
pub(crate) struct Ended {
    pub(crate) result: Result<Bytes>,
    /// When its result arrived, since the epoch.
    pub(crate) at: Duration,
    /// Whether its instance can no longer be used.
    pub(crate) spoilt: bool,
}

impl Folder {
    /// Makes a folder with a handler, `app`.
    pub(crate) fn new(language: Language, handler: &str) -> Self {
        Self::of(&language.file("app"), handler)
    }

    /// Makes a folder with a handler in a file of this name.
    pub(crate) fn of(file: &str, handler: impl AsRef<[u8]>) -> Self {
        let folder = Self(TempDir::new().expect("a temporary folder can be made"));
        for part in [folder.layers(), folder.task().join("middlewares")] {
            fs::create_dir_all(part).expect("a new folder takes folders");
        }
        folder.write(file, handler);
        folder
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.task().join(name), content).expect("a new folder takes files");
    }

    /// Returns the function's folder.
    pub(crate) fn task(&self) -> PathBuf {
        self.0.path().join("task")
    }

    fn layers(&self) -> PathBuf {
        self.0.path().join("opt")
    }

    fn located(&self, registry: &Registry) -> Located {
        let search = SearchPaths::new(self.task());
        locate("app.handler", &search, registry).expect("the handler has just been written")
    }

    /// Returns what Lambda's front door tells its instances, but without a memory limit; on a thread other than the
    /// process's first, what a server's worker tells them.
    fn environment(&self, main_thread: bool) -> Environment {
        Environment::new(self.layers(), LogSettings::default())
            .with_main_thread(main_thread)
            .with_trace_in_environment(main_thread)
    }
}

impl Ground {
    fn new() -> Self {
        let runtime = runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("the system has an event queue left");
        Self { runtime, local: LocalSet::new() }
    }

    fn run<T>(&self, future: impl Future<Output = T>) -> T {
        self.local.block_on(&self.runtime, future)
    }
}

impl Guest {
    /// Loads a handler and checks what it answers.
    pub(crate) fn new(language: Language, handler: &str, event: &Bytes, answer: &Value) -> Self {
        Self::within(Folder::new(language, handler), language.id, event, answer)
    }

    /// Loads the handler of a folder and checks what it answers.
    pub(crate) fn within(folder: Folder, name: &str, event: &Bytes, answer: &Value) -> Self {
        let (located, environment) =
            (folder.located(&Registry::built_in()), folder.environment(true));
        let ground = Ground::new();
        let (instance, function) = ground.run(start(&located, &environment));
        let instance = Some(instance);
        let guest = Self { instance, function, located, environment, ground, _folder: folder };
        let answered = guest.ground.run(guest.call(event, far()));
        assert_eq!(parsed(&answered), *answer, "the answer of {name}");
        guest
    }

    /// Calls the handler `count` times. A call begins with its facts and the event's bytes, and ends with the answer's.
    pub(crate) fn calls(&self, event: &Bytes, count: u64) -> Duration {
        let deadline = far();
        self.ground.run(async {
            let started = Instant::now();
            for _ in 0..count {
                std::hint::black_box(self.call(event, deadline).await);
            }
            started.elapsed()
        })
    }

    /// Replaces this instance `count` times. An instance is ready once its handler is loaded; the end of the old one
    /// is not measured.
    pub(crate) fn renewals(&mut self, count: u64) -> Duration {
        let mut taken = Duration::ZERO;
        for _ in 0..count {
            self.ground.run(async {
                if let Some(old) = &self.instance {
                    old.retire();
                }
                let started = Instant::now();
                let (instance, function) = start(&self.located, &self.environment).await;
                taken += started.elapsed();
                self.function = function;
                if let Some(old) = self.instance.replace(instance) {
                    old.shutdown();
                }
            });
        }
        taken
    }

    async fn call(&self, event: &Bytes, deadline: Option<u64>) -> Bytes {
        let instance = self.instance.as_ref().expect("it lives until it is dropped");
        let invocation = Rc::new(invocation(deadline));
        let input = Payload::Json(event.clone());
        let output = instance.call(self.function, input, Form::Json, &invocation).await;
        output.and_then(Payload::into_bytes).expect("the handler answers").0
    }
}

/// Starts a fresh instance with the handler in it.
async fn start(located: &Located, environment: &Environment) -> (Rc<dyn Instance>, FunctionId) {
    let instance = located.engine.start(environment).expect("the engine starts");
    let exports = instance.load(&located.module).await.expect("the handler loads");
    let (_, function) = exports.functions.first().expect("one handler was sought");
    (instance, *function)
}

impl Drop for Guest {
    fn drop(&mut self) {
        let instance = self.instance.take();
        self.ground.run(async move {
            if let Some(instance) = instance {
                instance.retire();
                instance.shutdown();
            }
        });
    }
}

impl Served {
    /// Makes a function with these middlewares around its handler, the outermost first.
    pub(crate) fn new((language, handler): (Language, &str), hooks: &[Language]) -> Self {
        let watchdog = Watchdog::new(DEFAULT_MARGIN, None);
        Self::with(language, handler, hooks, Recycling::default(), watchdog, true)
    }

    /// Makes a function that is replaced after each invocation.
    pub(crate) fn worn_by_one(language: Language, handler: &str) -> Self {
        let recycling = Recycling { max_invocations: Some(1), ..Recycling::default() };
        let watchdog = Watchdog::new(DEFAULT_MARGIN, None);
        Self::with(language, handler, &[], recycling, watchdog, true)
    }

    /// Makes a function that is warned some time before its deadline, on the process's main thread or on another one.
    pub(crate) fn warned(
        language: Language,
        handler: &str,
        margin: Duration,
        main_thread: bool,
    ) -> Self {
        let watchdog = Watchdog::new(margin, None);
        Self::with(language, handler, &[], Recycling::default(), watchdog, main_thread)
    }

    fn with(
        language: Language,
        handler: &str,
        hooks: &[Language],
        recycling: Recycling,
        watchdog: Watchdog,
        main_thread: bool,
    ) -> Self {
        let folder = Folder::new(language, handler);
        let mut asked = MiddlewareNames::default();
        for (at, hook) in hooks.iter().enumerate() {
            let name = format!("hook{at}");
            folder.write(&format!("middlewares/{}", hook.file(&name)), hook.hook);
            asked.names.push(name);
        }
        let registry = Registry::built_in();
        let folders = middleware_folders(&folder.layers(), &folder.task(), &folder.task());
        let plan = Plan::find(folder.located(&registry), &asked, &folders, &registry);
        let plan = plan.expect("the middlewares have just been written");
        let environment = folder.environment(main_thread);
        let ground = Ground::new();
        let worker = Rc::new(Worker::new(WorkerOptions {
            recycling,
            watchdog,
            ..WorkerOptions::new(environment)
        }));
        let function = Function::new(worker.clone(), plan);
        ground.run(function.load()).expect("the function loads");
        Self { function: Some(function), worker, ground, _folder: folder }
    }

    /// Returns the function's answer to an event.
    pub(crate) fn answer(&self, event: &Bytes) -> Value {
        parsed(&self.ground.run(self.invoke(event, None)).expect("the function answers"))
    }

    /// Runs `count` invocations, from the event's bytes to the answer's, without a deadline.
    pub(crate) fn invocations(&self, event: &Bytes, count: u64) -> Duration {
        self.ground.run(async {
            let started = Instant::now();
            for _ in 0..count {
                let answer = self.invoke(event, None).await;
                std::hint::black_box(answer.expect("the function answers"));
            }
            started.elapsed()
        })
    }

    /// Runs `count` invocations, after each of which instances are replaced; returns how long the replacing takes, the
    /// end of the old ones included.
    pub(crate) fn replacements(&self, event: &Bytes, count: u64) -> Duration {
        let mut taken = Duration::ZERO;
        self.ground.run(async {
            for _ in 0..count {
                self.invoke(event, None).await.expect("the function answers");
                assert!(self.function().is_worn(), "one invocation wears the instance out");
                let started = Instant::now();
                self.function().refresh().await.expect("the function loads again");
                taken += started.elapsed();
            }
        });
        taken
    }

    /// Runs one invocation with this deadline; replaces what can no longer be used.
    pub(crate) fn until(&self, event: &Bytes, deadline_ms: u64) -> Ended {
        self.ground.run(async {
            let result = self.invoke(event, Some(deadline_ms)).await;
            let ended = Ended { result, at: since_epoch(), spoilt: self.function().is_worn() };
            self.function().refresh().await.expect("the function loads again");
            ended
        })
    }

    async fn invoke(&self, event: &Bytes, deadline_ms: Option<u64>) -> Result<Bytes> {
        let invocation: Rc<Invocation> = Rc::new(invocation(deadline_ms));
        let event = Payload::Json(event.clone());
        let answer = self.function().invoke(event, &invocation, || None).await;
        let (result, claim) = answer.into_parts();
        assert!(claim.take(), "nobody else answers");
        Ok(result?.into_bytes()?.0)
    }

    fn function(&self) -> &Function {
        self.function.as_ref().expect("it lives until it is dropped")
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let (function, worker) = (self.function.take(), self.worker.clone());
        self.ground.run(async move {
            worker.shutdown().await;
            drop(function);
        });
    }
}

/// Returns the time since the epoch.
pub(crate) fn since_epoch() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is right")
}

/// Returns a deadline that is far away.
fn far() -> Option<u64> {
    Some((since_epoch() + FAR).as_millis() as u64)
}
