//! A folder of Lua files, an instance that runs them, and calls of it.

use std::{ops::Deref, rc::Rc};
use trine_engine::{
    Environment, Error, Exports, Form, FunctionId, FunctionInfo, Invocation, Module, Payload,
    Result, Wanted,
};
use trine_lua::LuaEngine;
use trine_testkit::guest;

pub(crate) use trine_testkit::guest::run;

/// A guest that is written in Lua.
pub(crate) struct Guest(pub(crate) guest::Guest);

impl Deref for Guest {
    type Target = guest::Guest;

    fn deref(&self) -> &guest::Guest {
        &self.0
    }
}

impl Guest {
    /// Makes a guest of one file, `app.lua`.
    pub(crate) fn new(source: &str) -> Self {
        Self::with(&[("app.lua", source)])
    }

    pub(crate) fn with(files: &[(&str, &str)]) -> Self {
        Self::within(files, |_| ())
    }

    /// Makes a guest in an environment that `change` adapts.
    pub(crate) fn within(files: &[(&str, &str)], change: impl FnOnce(&mut Environment)) -> Self {
        Self(guest::Guest::start(&LuaEngine::new(), files, |environment, folder| {
            environment.layer_root = folder.join("opt");
            environment.function = FunctionInfo {
                name: Some("shop".into()),
                version: Some("7".into()),
                memory_mb: None,
                log_group: Some("/aws/lambda/shop".into()),
                log_stream: None,
            };
            change(environment);
        }))
    }

    /// Makes a guest of one file, `app.lua`, and a limit in MiB.
    pub(crate) fn limited(source: &str, limit: u64) -> Self {
        Self::within(&[("app.lua", source)], |environment| {
            environment.function.memory_mb = Some(limit.to_string());
            environment.memory_limit = Some(limit << 20);
        })
    }

    pub(crate) fn module(&self, name: &str, wanted: Wanted) -> Module {
        self.0.module(&format!("{name}.lua"), wanted)
    }

    /// Loads `name.lua` and returns the function exported as `export`.
    pub(crate) async fn load(&self, name: &str, export: &str) -> Result<FunctionId> {
        let module = self.module(name, Wanted::Handler(export.to_owned()));
        let exports = self.instance.load(&module).await?;
        assert_eq!(exports.functions.len(), 1);
        Ok(exports.functions[0].1)
    }

    pub(crate) async fn call(&self, function: FunctionId, event: &str) -> Result<String> {
        self.call_with(function, event, &invocation("id-1")).await
    }

    pub(crate) async fn call_with(
        &self,
        function: FunctionId,
        event: &str,
        invocation: &Rc<Invocation>,
    ) -> Result<String> {
        self.0.call(function, event, invocation).await
    }

    /// Loads `name.lua` as a middleware.
    pub(crate) async fn hooks(&self, name: &str) -> Result<Exports> {
        self.instance.load(&self.module(name, Wanted::Hooks)).await
    }

    /// Calls a function and leaves its result in the engine.
    pub(crate) async fn native(
        &self,
        function: FunctionId,
        input: Payload,
        invocation: &Rc<Invocation>,
    ) -> Result<Payload> {
        self.instance.call(function, input, Form::Native, invocation).await
    }

    /// Calls `handler` of `app.lua`.
    pub(crate) async fn handle(&self, event: &str) -> Result<String> {
        let function = self.load("app", "handler").await?;
        self.call(function, event).await
    }
}

pub(crate) fn invocation(id: &str) -> Rc<Invocation> {
    guest::invocation(id).into()
}

/// Calls a handler with this body (`event` and `context` in scope) and returns its answer.
pub(crate) async fn answer(body: &str, event: &str) -> Result<String> {
    Guest::new(&handler(body)).handle(event).await
}

/// Returns the error of a handler with this body.
pub(crate) async fn fault(body: &str) -> Error {
    answer(body, "null").await.expect_err("the handler fails")
}

pub(crate) fn handler(body: &str) -> String {
    format!("function handler(event, context) {body} end")
}
