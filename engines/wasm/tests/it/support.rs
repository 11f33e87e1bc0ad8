//! A module in its text form, an instance that runs it, and calls of it.

use std::{fs, ops::Deref, rc::Rc};
use trine_engine::{
    Environment, Error, Exports, FunctionId, Invocation, LogFormat, Module, Payload, Result, Wanted,
};
use trine_testkit::guest;
use trine_wasm::WasmEngine;

pub(crate) use trine_testkit::guest::run;

/// A guest that is a WebAssembly module, `app.wasm`.
pub(crate) struct Guest(pub(crate) guest::Guest);

impl Deref for Guest {
    type Target = guest::Guest;

    fn deref(&self) -> &guest::Guest {
        &self.0
    }
}

impl Guest {
    pub(crate) fn new(text: &str) -> Self {
        Self::within(text, |_| ())
    }

    /// Makes a guest in an environment that `change` adapts.
    pub(crate) fn within(text: &str, change: impl FnOnce(&mut Environment)) -> Self {
        let bytes = wat::parse_str(text).unwrap_or_else(|error| panic!("{error}"));
        Self::of_bytes(&bytes, change)
    }

    pub(crate) fn of_bytes(bytes: &[u8], change: impl FnOnce(&mut Environment)) -> Self {
        let guest =
            guest::Guest::start(&WasmEngine::new(), &[], |environment, _| change(environment));
        fs::write(guest.folder.join("app.wasm"), bytes).unwrap();
        Self(guest)
    }

    /// Makes a guest with a limit in MiB.
    pub(crate) fn limited(text: &str, limit: u64) -> Self {
        Self::within(text, |environment| environment.memory_limit = Some(limit << 20))
    }

    /// Makes a guest whose log has JSON form.
    pub(crate) fn with_json_log(text: &str) -> Self {
        Self::within(text, |environment| environment.log.format = LogFormat::Json)
    }

    pub(crate) fn module(&self, wanted: Wanted) -> Module {
        self.0.module("app.wasm", wanted)
    }

    pub(crate) async fn exports(&self, wanted: Wanted) -> Result<Exports> {
        self.instance.load(&self.module(wanted)).await
    }

    pub(crate) async fn load(&self, handler: &str) -> Result<FunctionId> {
        let exports = self.exports(Wanted::Handler(handler.to_owned())).await?;
        assert_eq!(exports.functions.len(), 1);
        Ok(exports.functions[0].1)
    }

    pub(crate) async fn call(&self, function: FunctionId, event: &str) -> Result<String> {
        self.0.call(function, event, &invocation()).await
    }

    /// Calls the function that nobody has named; gives the answer and its media type.
    pub(crate) async fn answer(&self, event: &str) -> Result<(String, &'static str)> {
        let function = self.exports(Wanted::Unnamed).await?.functions[0].1;
        let form = trine_engine::Form::Json;
        let input = Payload::json(event.to_owned());
        let payload = self.instance.call(function, input, form, &invocation()).await?;
        let (bytes, content_type) = payload.into_bytes()?;
        Ok((String::from_utf8_lossy(&bytes).into_owned(), content_type))
    }

    pub(crate) async fn handle(&self, event: &str) -> Result<String> {
        self.answer(event).await.map(|(text, _)| text)
    }
}

/// Returns the error with which a module fails to load.
pub(crate) fn load_error(text: &str, wanted: Wanted) -> Error {
    run(async { Guest::new(text).exports(wanted).await.expect_err("it does not load") })
}

pub(crate) fn invocation() -> Rc<Invocation> {
    guest::invocation("id-1").into()
}

/// Returns a command with this code in `_start`, and the functions of WASI that the tests use.
pub(crate) fn command(body: &str) -> String {
    format!(
        r#"(module
        (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (import "wasi_snapshot_preview1" "environ_get" (func $environ (param i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "environ_sizes_get" (func $sizes (param i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
        (memory (export "memory") 4)
        (global $calls (mut i32) (i32.const 0))
        (data (i32.const 4096) "{{\"a\": 1}}\n")
        (data (i32.const 4200) "Hello\n")
        (data (i32.const 4300) "one\ntwo\nth")
        (func $print (param $to i32) (param $at i32) (param $length i32)
            (i32.store (i32.const 0) (local.get $at))
            (i32.store (i32.const 4) (local.get $length))
            (drop (call $write (local.get $to) (i32.const 0) (i32.const 1) (i32.const 8))))
        (func $copy (loop $again
            (i32.store (i32.const 0) (i32.const 8192))
            (i32.store (i32.const 4) (i32.const 1000))
            (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
            (if (i32.load (i32.const 8)) (then
                (call $print (i32.const 1) (i32.const 8192) (i32.load (i32.const 8)))
                (br $again)))))
        (func (export "_start") {body}))"#
    )
}

/// Returns a reactor with these functions beside `alloc`, and a `handle` with this code, which gives the event back if it
/// falls through. `$calls` is a global that nobody uses otherwise.
pub(crate) fn reactor(handle: &str, others: &str) -> String {
    format!(
        r#"(module
        (memory (export "memory") 2)
        (global $calls (mut i32) (i32.const 0))
        (func $pack (param $pointer i32) (param $length i32) (result i64)
            (i64.or (i64.shl (i64.extend_i32_u (local.get $pointer)) (i64.const 32))
                (i64.extend_i32_u (local.get $length))))
        (func (export "alloc") (param i32) (result i32) (i32.const 1024))
        {others}
        (func $handle (export "handle") (param $pointer i32) (param $length i32) (result i64)
            {handle}
            (call $pack (local.get $pointer) (local.get $length))))"#
    )
}
