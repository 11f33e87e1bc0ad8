//! The number of cases that are tried, and functions that are loaded once for all cases of a property.

use bytes::Bytes;
use proptest::test_runner::{Config, RngSeed, TestRunner};
use std::{
    env, fs,
    path::Path,
    rc::Rc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tempfile::TempDir;
use tokio::{
    runtime::{Builder, Runtime},
    task::LocalSet,
};
use trine::{
    engines::Registry,
    handler::{SearchPaths, locate},
    pipeline::{MiddlewareNames, Order, Plan},
    worker::{Function, Lost, Rescue, Worker, WorkerOptions},
};
use trine_engine::{Environment, Invocation, LogSettings, Payload, Result};

/// Maximum time of one invocation. Far more than any needs: it turns hanging into a failure.
const LIMIT: Duration = Duration::from_secs(20);

/// Makes a runner that tries `ordinary` cases, the same in every run, unless the environment asks for more.
pub(crate) fn runner(ordinary: u32) -> TestRunner {
    let mut config = Config {
        failure_persistence: None,
        max_shrink_time: 20_000,
        max_shrink_iters: 100_000,
        ..Config::default()
    };
    if env::var_os("PROPTEST_CASES").is_none() {
        config.cases = ordinary;
        if env::var_os("PROPTEST_RNG_SEED").is_none() {
            config.rng_seed = RngSeed::Fixed(2026);
        }
    }
    TestRunner::new(config)
}

/// A language of this build, with functions that change nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Language {
    pub(crate) id: &'static str,
    pub(crate) extension: &'static str,
    /// A handler that answers with its event.
    pub(crate) echo: &'static str,
    /// A `before` hook that returns its event.
    pub(crate) pass: &'static str,
    /// A handler that takes any event and answers `true`.
    pub(crate) accept: &'static str,
}

pub(crate) const JAVASCRIPT: Language = Language {
    id: "js",
    extension: "mjs",
    echo: "export const handler = (event) => event;",
    pass: "export const before = (event) => event;",
    accept: "export const handler = (event) => true;",
};

pub(crate) const PYTHON: Language = Language {
    id: "python",
    extension: "py",
    echo: "def handler(event, context):\n    return event\n",
    pass: "def before(event, context):\n    return event\n",
    accept: "def handler(event, context):\n    return True\n",
};

pub(crate) const LUA: Language = Language {
    id: "lua",
    extension: "lua",
    echo: "return { handler = function(event) return event end }",
    pass: "return { before = function(event) return event end }",
    accept: "return { handler = function(event) return true end }",
};

/// Returns those languages that this build has.
pub(crate) fn languages() -> Vec<Language> {
    let registry = Registry::built_in();
    let known = [JAVASCRIPT, PYTHON, LUA];
    known.into_iter().filter(|known| registry.by_extension(known.extension).is_some()).collect()
}

/// A source file of a function or a middleware.
pub(crate) struct Source {
    pub(crate) language: Language,
    pub(crate) text: String,
}

impl Source {
    pub(crate) fn new(language: Language, text: impl Into<String>) -> Self {
        Self { language, text: text.into() }
    }
}

/// A function with its middlewares, loaded, on a thread and an executor of its own.
pub(crate) struct Guest {
    function: Option<Function>,
    worker: Rc<Worker>,
    local: LocalSet,
    runtime: Runtime,
    _folder: TempDir,
}

impl Guest {
    /// Loads a handler and the middlewares around it, outermost first.
    pub(crate) fn load(handler: &Source, middlewares: &[Source]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, source: &Source| {
            let path = folder.path().join(format!("{name}.{}", source.language.extension));
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, &source.text).unwrap();
        };
        write("app", handler);
        let names: Vec<String> = (0..middlewares.len()).map(|n| format!("m{n}")).collect();
        for (name, source) in names.iter().zip(middlewares) {
            write(&format!("middlewares/{name}"), source);
        }
        let registry = Registry::built_in();
        let search = SearchPaths::new(folder.path());
        let located = locate("app.handler", &search, &registry).unwrap();
        let asked = MiddlewareNames { names, order: Order::Onion };
        let folders = [folder.path().join("middlewares")];
        let plan = Plan::find(located, &asked, &folders, &registry).unwrap();
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let local = LocalSet::new();
        let worker = Rc::new(Worker::new(WorkerOptions::new(environment(folder.path()))));
        let function = Function::new(worker.clone(), plan);
        local.block_on(&runtime, function.load()).unwrap();
        Self { function: Some(function), worker, local, runtime, _folder: folder }
    }

    /// Returns the answer to an event, as the JSON text that would leave the process.
    pub(crate) fn call(&self, event: impl Into<Bytes>) -> Result<Bytes> {
        let deadline = SystemTime::now() + LIMIT;
        let deadline = deadline.duration_since(UNIX_EPOCH).unwrap().as_millis() as u64;
        let invocation = Rc::new(Invocation {
            request_id: "id".into(),
            deadline_ms: Some(deadline),
            event_is_json: true,
            ..Invocation::default()
        });
        let function = self.function.as_ref().unwrap();
        let event = Payload::json(event);
        self.local.block_on(&self.runtime, async {
            let answer = function.invoke(event, &invocation, || Some(rescue())).await;
            // As a front door does once the answer has gone out.
            function.refresh().await.unwrap();
            Ok(answer.into_parts().0?.into_bytes()?.0)
        })
    }
}

/// Makes the means that ends a test whose thread hangs, where nothing else does.
fn rescue() -> Rescue {
    // A test cannot be failed from another thread.
    let act = Box::new(|_: &Lost| std::process::abort());
    Rescue { act, lost_after: Some(LIMIT) }
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.function = None;
        self.local.block_on(&self.runtime, self.worker.shutdown());
    }
}

/// Returns the environment of instances, without layers and without a log.
pub(crate) fn environment(folder: &Path) -> Environment {
    Environment::new(folder.join("opt"), LogSettings::default())
}
