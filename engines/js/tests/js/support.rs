//! A folder of JavaScript files, instances that run them, and the log that they write.

use deno_runtime::tokio_util::create_basic_runtime;
use std::{
    fs,
    path::{Path, PathBuf},
    rc::Rc,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};
use trine_engine::{
    Engine, Environment, Error, Exports, Form, FunctionId, FunctionInfo, Instance, Invocation,
    LogFormat, LogSettings, LogSink, Module, Payload, Result, Seek, Stream,
};

/// Keeps what the guest wrote.
#[derive(Default)]
pub(crate) struct Log(Mutex<Vec<(Stream, String)>>);

impl LogSink for Log {
    fn write(&self, stream: Stream, line: &[u8]) {
        self.0.lock().unwrap().push((stream, String::from_utf8_lossy(line).into_owned()));
    }
}

impl Log {
    pub(crate) fn text(&self) -> String {
        self.0.lock().unwrap().iter().map(|(_, text)| text.as_str()).collect()
    }
}

/// A folder of files, and an instance. Further instances can be started beside it.
pub(crate) struct Guest {
    pub(crate) folder: PathBuf,
    pub(crate) log: Arc<Log>,
    pub(crate) environment: Environment,
    pub(crate) instance: Rc<dyn Instance>,
}

impl Drop for Guest {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Guest {
    /// One file, `app.mjs`.
    pub(crate) fn new(source: &str) -> Self {
        Self::with(&[("app.mjs", source)], None)
    }

    /// One file, `app.mjs`, and a limit in MiB.
    pub(crate) fn limited(source: &str, limit: u64) -> Self {
        Self::with(&[("app.mjs", source)], Some(limit << 20))
    }

    pub(crate) fn with(files: &[(&str, &str)], memory_limit: Option<u64>) -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("trine-js-{}-{number}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let folder = folder.canonicalize().unwrap();
        for (name, text) in files {
            let file = folder.join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        let log = Arc::new(Log::default());
        let environment = Environment {
            layer_root: folder.join("opt"),
            function: FunctionInfo { name: Some("shop".into()), ..FunctionInfo::default() },
            log: LogSettings { sink: log.clone(), format: LogFormat::Text, level: None },
            // All of this process's isolates start from one snapshot.
            main_thread: false,
            trace_in_environment: false,
            shares_process: false,
            lone_root: false,
            memory_limit,
        };
        let instance = trine_js::engine().start(&environment).unwrap();
        Self { folder, log, environment, instance }
    }

    /// Another instance for the same files.
    pub(crate) fn another(&self) -> Rc<dyn Instance> {
        trine_js::engine().start(&self.environment).unwrap()
    }

    pub(crate) fn module(&self, path: &str, seek: Seek) -> Module {
        module(&self.folder, path, seek)
    }

    /// Loads `handler` of `app.mjs`.
    pub(crate) async fn handler(&self) -> FunctionId {
        self.load("app.mjs", Seek::Handler("handler".into())).await.unwrap().functions[0].1
    }

    pub(crate) async fn load(&self, path: &str, seek: Seek) -> Result<Exports> {
        self.instance.load(&self.module(path, seek)).await
    }

    pub(crate) async fn call(&self, function: FunctionId, event: &str) -> Result<String> {
        call(&self.instance, function, event, &invocation()).await
    }

    /// Calls `handler` of `app.mjs`.
    pub(crate) async fn handle(&self, event: &str) -> Result<String> {
        let function = self.handler().await;
        self.call(function, event).await
    }

    /// The error with which `handler` of `app.mjs` fails.
    pub(crate) async fn fails(&self, event: &str) -> Error {
        self.handle(event).await.expect_err("the handler fails")
    }
}

pub(crate) fn module(folder: &Path, path: &str, seek: Seek) -> Module {
    let path = folder.join(path);
    let name = path.file_stem().unwrap().to_string_lossy().into_owned();
    Module { root: folder.to_owned(), path, name, by_path: false, seek }
}

pub(crate) async fn call(
    instance: &Rc<dyn Instance>,
    function: FunctionId,
    event: &str,
    invocation: &Rc<Invocation>,
) -> Result<String> {
    let input = Payload::json(event.to_owned());
    let output = instance.call(function, input, Form::Json, invocation).await?;
    Ok(text(output))
}

pub(crate) fn text(payload: Payload) -> String {
    String::from_utf8(payload.into_bytes().unwrap().0.to_vec()).unwrap()
}

pub(crate) fn invocation() -> Rc<Invocation> {
    Rc::new(Invocation { request_id: "id-1".into(), event_is_json: true, ..Invocation::default() })
}

/// Runs a test on the kind of runtime that a worker has.
pub(crate) fn run<T>(test: impl Future<Output = T>) -> T {
    create_basic_runtime().block_on(test)
}
