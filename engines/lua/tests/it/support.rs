//! The tests' guest: a folder of Lua files, an instance, and calls of it.

use std::{
    path::PathBuf,
    rc::Rc,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::{Duration, Instant},
};
use trine_engine::{
    Engine, Environment, Error, Exports, Form, FunctionId, FunctionInfo, Instance, Invocation,
    Level, LogFormat, LogSettings, LogSink, Module, Payload, Result, Seek, Stream,
};
use trine_lua::LuaEngine;

/// The output of the guest.
#[derive(Default)]
pub(crate) struct Lines(Mutex<Vec<(Stream, String)>>);

impl LogSink for Lines {
    fn write(&self, stream: Stream, line: &[u8]) {
        self.0.lock().unwrap().push((stream, String::from_utf8_lossy(line).into_owned()));
    }
}

impl Lines {
    pub(crate) fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().iter().map(|(_, line)| line.clone()).collect()
    }

    /// Waits until a line holds this text.
    pub(crate) fn wait_for(&self, text: &str) {
        // Passing tests never come close.
        let given_up = Instant::now() + Duration::from_secs(60);
        while !self.all().iter().any(|line| line.contains(text)) {
            assert!(Instant::now() < given_up, "waited in vain for {text:?}");
            thread::sleep(Duration::from_millis(1));
        }
    }

    pub(crate) fn of(&self, stream: Stream) -> Vec<String> {
        let lines = self.0.lock().unwrap();
        lines.iter().filter(|(s, _)| *s == stream).map(|(_, line)| line.clone()).collect()
    }
}

/// A folder of Lua files and an instance that runs them.
pub(crate) struct Guest {
    pub(crate) dir: PathBuf,
    pub(crate) lines: Arc<Lines>,
    pub(crate) instance: Rc<dyn Instance>,
}

impl Drop for Guest {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

/// The environment of a test.
#[derive(Default)]
pub(crate) struct Setup {
    pub(crate) format: LogFormat,
    pub(crate) level: Option<Level>,
    pub(crate) memory_mb: Option<&'static str>,
    /// A limit in bytes, which takes precedence over the one in MB.
    pub(crate) memory: Option<u64>,
    pub(crate) trace_in_environment: bool,
}

impl Guest {
    /// Makes a guest of one file, `app.lua`.
    pub(crate) fn new(source: &str) -> Self {
        Self::with(&[("app.lua", source)])
    }

    pub(crate) fn with(files: &[(&str, &str)]) -> Self {
        Self::in_setup(files, Setup::default())
    }

    pub(crate) fn in_setup(files: &[(&str, &str)], setup: Setup) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let dir = std::env::temp_dir().join(format!("trine-lua-{}-{number}", std::process::id()));
        let lines = Arc::new(Lines::default());
        let environment = Environment {
            layer_root: dir.join("opt"),
            function: FunctionInfo {
                name: Some("shop".into()),
                version: Some("7".into()),
                memory_mb: setup.memory_mb.map(str::to_owned),
                log_group: Some("/aws/lambda/shop".into()),
                log_stream: None,
            },
            log: LogSettings { sink: lines.clone(), format: setup.format, level: setup.level },
            main_thread: false,
            trace_in_environment: setup.trace_in_environment,
            shares_process: false,
            lone_root: false,
            memory_limit: setup
                .memory
                .or_else(|| setup.memory_mb.and_then(|mb| mb.parse().ok()).map(|mb: u64| mb << 20)),
        };
        let instance = LuaEngine::new().start(&environment).unwrap();
        let guest = Self { dir, lines, instance };
        std::fs::create_dir_all(&guest.dir).unwrap();
        files.iter().for_each(|(path, source)| guest.write(path, source));
        guest
    }

    pub(crate) fn write(&self, path: &str, source: &str) {
        let path = self.dir.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, source).unwrap();
    }

    pub(crate) fn module(&self, name: &str, seek: Seek) -> Module {
        Module {
            root: self.dir.clone(),
            path: self.dir.join(format!("{name}.lua")),
            name: name.to_owned(),
            by_path: false,
            seek,
        }
    }

    /// Loads `name.lua` and returns the function exported as `export`.
    pub(crate) async fn load(&self, name: &str, export: &str) -> Result<FunctionId> {
        let module = self.module(name, Seek::Handler(export.to_owned()));
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
        let input = Payload::json(event.as_bytes().to_vec());
        let output = self.instance.call(function, input, Form::Json, invocation).await?;
        Ok(String::from_utf8(output.into_bytes()?.0.to_vec()).unwrap())
    }

    /// Loads `name.lua` as a middleware.
    pub(crate) async fn hooks(&self, name: &str) -> Result<Exports> {
        self.instance.load(&self.module(name, Seek::Hooks)).await
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
    Rc::new(Invocation { request_id: id.to_owned(), event_is_json: true, ..Invocation::default() })
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

/// Runs a test on the kind of runtime that a worker has.
pub(crate) fn run<T>(test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, test)
}
