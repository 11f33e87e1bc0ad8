//! A folder of SQL files, an instance that runs them, and calls of it.

use std::{ops::Deref, rc::Rc};
use trine_engine::{
    Environment, Error, Exports, FunctionId, FunctionInfo, Invocation, Module, Result, Wanted,
};
use trine_sql::SqlEngine;
use trine_testkit::guest;

pub(crate) use trine_testkit::guest::run;

/// A guest that is written in SQL.
pub(crate) struct Guest(pub(crate) guest::Guest);

impl Deref for Guest {
    type Target = guest::Guest;

    fn deref(&self) -> &guest::Guest {
        &self.0
    }
}

impl Guest {
    /// Makes a guest of one file, `app.sql`.
    pub(crate) fn new(source: &str) -> Self {
        Self::within(&[("app.sql", source)], |_| ())
    }

    /// Makes a guest of one file with these variables.
    pub(crate) fn with(source: &str, variables: &[(&str, &str)]) -> Self {
        Self::within(&[("app.sql", source)], |environment| set(environment, variables))
    }

    /// Makes a guest in an environment that `change` adapts.
    pub(crate) fn within(files: &[(&str, &str)], change: impl FnOnce(&mut Environment)) -> Self {
        Self(guest::Guest::start(&SqlEngine::new(), files, |environment, _| {
            environment.function = FunctionInfo {
                name: Some("shop".into()),
                version: Some("7".into()),
                memory_mb: Some("128".into()),
                log_group: Some("/aws/lambda/shop".into()),
                log_stream: None,
            };
            change(environment);
        }))
    }

    /// Makes a guest of one file, and a limit in MiB.
    pub(crate) fn limited(source: &str, limit: u64) -> Self {
        Self::within(&[("app.sql", source)], |environment| {
            environment.memory_limit = Some(limit << 20);
        })
    }

    pub(crate) fn module(&self, name: &str) -> Module {
        self.0.module(&format!("{name}.sql"), Wanted::Handler("handler".to_owned()))
    }

    pub(crate) async fn load(&self, name: &str) -> Result<FunctionId> {
        let exports: Exports = self.instance.load(&self.module(name)).await?;
        assert_eq!(exports.functions.len(), 1);
        Ok(exports.functions[0].1)
    }

    pub(crate) async fn call(&self, function: FunctionId, event: &str) -> Result<String> {
        self.0.call(function, event, &invocation("id-1")).await
    }

    /// Calls `app.sql`.
    pub(crate) async fn handle(&self, event: &str) -> Result<String> {
        let function = self.load("app").await?;
        self.call(function, event).await
    }
}

/// Sets variables that the guests see.
pub(crate) fn set(environment: &mut Environment, variables: &[(&str, &str)]) {
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    environment.variables = variables.iter().map(own).collect();
}

pub(crate) fn invocation(id: &str) -> Rc<Invocation> {
    guest::invocation(id).into()
}

/// Runs a file with an event; returns its answer.
pub(crate) fn answer(source: &str, event: &str) -> String {
    run(async { Guest::new(source).handle(event).await }).unwrap()
}

/// Returns the error of a file that is called.
pub(crate) fn fault(source: &str) -> Error {
    run(async { Guest::new(source).handle("{}").await }).expect_err(source)
}

/// Returns the error of a file that cannot be loaded.
pub(crate) fn load_fault(source: &str) -> Error {
    run(async { Guest::new(source).load("app").await }).expect_err(source)
}

/// Returns line and column of the innermost frame.
pub(crate) fn place(error: &Error) -> (u32, u32) {
    error.frames().first().map_or((0, 0), |frame| (frame.line, frame.column))
}
