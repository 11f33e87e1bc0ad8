//! A folder of Python files, an instance that loaded one of them, and the log that it wrote.

use std::{
    fs,
    future::Future,
    path::{Path, PathBuf},
    rc::Rc,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};
use trine_engine::{
    Engine, Environment, Error, Exports, Form, FunctionId, FunctionInfo, Instance, Invocation,
    LogFormat, LogSettings, LogSink, Module, Payload, Result, Seek, Stream,
};

/// How long anything may take before a test gives up on it. Passing tests never come near.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// A temporary folder that goes away with the value.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir()
            .join(format!("trine-python-{}-{number}", std::process::id()))
            .join("task");
        fs::create_dir_all(&path).unwrap();
        let folder = Self(path.canonicalize().unwrap());
        for (name, text) in files {
            let file = folder.0.join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        folder
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(self.0.parent().unwrap());
    }
}

/// A sink that keeps what it gets.
#[derive(Default)]
pub(crate) struct Log(Mutex<Vec<(Stream, String)>>);

impl LogSink for Log {
    fn write(&self, stream: Stream, line: &[u8]) {
        self.0.lock().unwrap().push((stream, String::from_utf8_lossy(line).into_owned()));
    }
}

impl Log {
    pub(crate) fn pieces(&self) -> Vec<(Stream, String)> {
        self.0.lock().unwrap().clone()
    }

    /// Waits until this has been written.
    pub(crate) fn wait_for(&self, text: &str) {
        let given_up = Instant::now() + LIMIT;
        while !self.text().contains(text) {
            assert!(Instant::now() < given_up, "waited in vain for {text:?}");
            thread::sleep(Duration::from_millis(1));
        }
    }

    pub(crate) fn text(&self) -> String {
        self.pieces().into_iter().map(|(_, text)| text).collect()
    }
}

pub(crate) struct Case {
    pub(crate) folder: Folder,
    pub(crate) log: Arc<Log>,
    pub(crate) instance: Rc<dyn Instance>,
    pub(crate) environment: Environment,
}

impl Case {
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        Self::with(files, |_| ())
    }

    pub(crate) fn with(files: &[(&str, &str)], change: impl FnOnce(&mut Environment)) -> Self {
        let folder = Folder::new(files);
        let log = Arc::new(Log::default());
        let mut environment = Environment {
            layer_root: folder.path().parent().unwrap().join("layers"),
            function: FunctionInfo {
                name: Some("sums".into()),
                version: Some("$LATEST".into()),
                memory_mb: Some("128".into()),
                log_group: Some("/aws/lambda/sums".into()),
                log_stream: None,
            },
            log: LogSettings { sink: log.clone(), format: LogFormat::Text, level: None },
            main_thread: false,
            trace_in_environment: false,
            shares_process: false,
            lone_root: false,
            memory_limit: None,
        };
        change(&mut environment);
        let instance = trine_python::engine().start(&environment).unwrap();
        Self { folder, log, instance, environment }
    }

    pub(crate) fn module(&self, name: &str, seek: Seek) -> Module {
        Module {
            root: self.folder.path().to_owned(),
            path: self.folder.path().join(format!("{}.py", name.replace('.', "/"))),
            name: name.to_owned(),
            by_path: false,
            seek,
        }
    }

    /// Loads `name` from `module`.
    pub(crate) fn load(&self, module: &str, name: &str) -> Result<FunctionId> {
        let module = self.module(module, Seek::Handler(name.to_owned()));
        block_on(self.instance.load(&module)).map(|exports| exports.functions[0].1)
    }

    /// Calls a function of `app.py` with an event and a plain invocation.
    pub(crate) fn call(&self, name: &str, event: &str) -> Result<String> {
        self.call_with(name, event, invocation())
    }

    pub(crate) fn call_with(
        &self,
        name: &str,
        event: &str,
        invocation: Invocation,
    ) -> Result<String> {
        let function = self.load("app", name)?;
        let payload = Payload::json(event.to_owned());
        block_on(self.instance.call(function, payload, Form::Json, &Rc::new(invocation))).map(text)
    }

    /// Calls a loaded function with a plain invocation.
    pub(crate) fn run(&self, function: FunctionId, input: Payload, form: Form) -> Result<Payload> {
        block_on(self.instance.call(function, input, form, &Rc::new(invocation())))
    }

    /// The error that a call of `handler` ends with.
    pub(crate) fn fails(&self, event: &str) -> Error {
        self.call("handler", event).unwrap_err()
    }
}

/// Functions of a module, called for one invocation after another.
impl Case {
    /// Loads what is sought in a file anywhere, for this case's root.
    pub(crate) fn load_file(&self, path: &Path, seek: Seek) -> Result<Exports> {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let root = self.folder.path().to_owned();
        block_on(self.instance.load(&Module {
            root,
            path: path.to_owned(),
            name,
            by_path: false,
            seek,
        }))
    }

    /// The hooks of `<name>.py` in this case's folder.
    pub(crate) fn hooks(&self, name: &str) -> Exports {
        let path = self.folder.path().join(format!("{name}.py"));
        self.load_file(&path, Seek::Hooks).unwrap()
    }

    /// Calls a loaded function for an invocation that others are called for as well.
    pub(crate) fn run_for(
        &self,
        function: FunctionId,
        input: Payload,
        form: Form,
        invocation: &Rc<Invocation>,
    ) -> Result<Payload> {
        block_on(self.instance.call(function, input, form, invocation))
    }
}

/// `app.py` with this text and the answer of its `handler`.
pub(crate) fn answer(source: &str, event: &str) -> Result<String> {
    Case::new(&[("app.py", source)]).call("handler", event)
}

/// The answer of a handler that returns this expression.
pub(crate) fn expression(setup: &str, value: &str) -> Result<String> {
    answer(&format!("{setup}\ndef handler(event):\n    return {value}\n"), "null")
}

pub(crate) fn invocation() -> Invocation {
    Invocation { request_id: "id-1".into(), event_is_json: true, ..Invocation::default() }
}

pub(crate) fn text(payload: Payload) -> String {
    String::from_utf8(payload.into_bytes().unwrap().0.to_vec()).unwrap()
}

pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}
