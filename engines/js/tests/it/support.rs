//! A folder of JavaScript files and instances that run them.

use deno_runtime::tokio_util::create_basic_runtime;
use std::{future::Future, ops::Deref, rc::Rc};
use trine_engine::{
    DebugListener, Engine, Error, FunctionId, Instance, Invocation, Result, Wanted,
};
use trine_testkit::guest;

pub(crate) use trine_testkit::guest::{LIMIT, call, module, text};

/// A folder of files, and an instance. Further instances can be started beside it.
pub(crate) struct Guest(pub(crate) guest::Guest);

impl Deref for Guest {
    type Target = guest::Guest;

    fn deref(&self) -> &guest::Guest {
        &self.0
    }
}

impl Guest {
    /// Makes a guest of one file, `app.mjs`.
    pub(crate) fn new(source: &str) -> Self {
        Self::with(&[("app.mjs", source)], None)
    }

    /// Makes a guest of one file, `app.mjs`, and a limit in MiB.
    pub(crate) fn limited(source: &str, limit: u64) -> Self {
        Self::with(&[("app.mjs", source)], Some(limit << 20))
    }

    pub(crate) fn with(files: &[(&str, &str)], memory_limit: Option<u64>) -> Self {
        // All of this process's isolates start from one snapshot: none of them is told that it is on the main thread.
        Self(guest::Guest::start(&trine_js::engine(), files, |environment, folder| {
            environment.layer_root = folder.join("opt");
            environment.memory_limit = memory_limit;
        }))
    }

    /// Makes a guest of these files in which debuggers may attach at the address.
    pub(crate) fn listening(files: &[(&str, &str)], inspector: DebugListener) -> Self {
        Self(guest::Guest::start(&trine_js::engine(), files, |environment, folder| {
            environment.layer_root = folder.join("opt");
            environment.debuggers.inspector = Some(inspector);
        }))
    }

    /// Starts another instance for the same files.
    pub(crate) fn another(&self) -> Rc<dyn Instance> {
        trine_js::engine().start(&self.environment).unwrap()
    }

    /// Loads `handler` of `app.mjs`.
    pub(crate) async fn handler(&self) -> FunctionId {
        self.load("app.mjs", Wanted::Handler("handler".into())).await.unwrap().functions[0].1
    }

    pub(crate) async fn call(&self, function: FunctionId, event: &str) -> Result<String> {
        self.0.call(function, event, &invocation()).await
    }

    /// Calls `handler` of `app.mjs`.
    pub(crate) async fn handle(&self, event: &str) -> Result<String> {
        let function = self.handler().await;
        self.call(function, event).await
    }

    /// Returns the error with which `handler` of `app.mjs` fails.
    pub(crate) async fn fails(&self, event: &str) -> Error {
        self.handle(event).await.expect_err("the handler fails")
    }
}

pub(crate) fn invocation() -> Rc<Invocation> {
    guest::invocation("id-1").into()
}

/// Runs a test on the kind of runtime that Deno makes for a worker.
pub(crate) fn run<T>(test: impl Future<Output = T>) -> T {
    create_basic_runtime().block_on(test)
}
