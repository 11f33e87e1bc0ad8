//! A guest for tests of a language crate: a folder of files, an instance that runs them, and what it wrote.
//!
//! ```
//! use trine_testkit::{guest::{self, Guest}, reference};
//! use trine_engine::Wanted;
//!
//! let guest = Guest::start(&reference::engine(), &[("app.shout", "HELLO")], |_, _| ());
//! let answer = guest::run(async {
//!     let exports = guest.load("app.shout", Wanted::Handler("handler".to_owned())).await?;
//!     guest.call(exports.functions[0].1, r#""you""#, &guest::invocation("id-1").into()).await
//! });
//! assert_eq!(answer.unwrap(), r#""HELLO \"YOU\"""#);
//! ```

use std::{
    fs,
    future::Future,
    ops::Deref,
    path::{Path, PathBuf},
    rc::Rc,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};
use tempfile::TempDir;
use trine_engine::{
    Engine, Environment, Exports, Form, FunctionId, FunctionInfo, Instance, Invocation, LogFormat,
    LogSettings, LogSink, Module, Payload, Result, Stream, Wanted,
};

/// Maximum time anything may take before a test gives up on it. Passing tests never come close.
pub const LIMIT: Duration = Duration::from_secs(60);

/// A temporary folder, which is removed when the value is dropped. Files are in a folder `task` within it, so that
/// others can be placed beside them.
#[derive(Debug)]
pub struct Folder {
    task: PathBuf,
    _parent: TempDir,
}

impl Folder {
    /// Makes a folder with these files, paths relative to it.
    ///
    /// # Panics
    /// When the system refuses.
    pub fn new(files: &[(&str, &str)]) -> Self {
        let parent = TempDir::with_prefix("trine-guest-").expect("a temporary folder");
        let task = parent.path().join("task");
        fs::create_dir(&task).expect("a folder in a new one");
        let task = task.canonicalize().expect("it was made just now");
        let folder = Self { task, _parent: parent };
        files.iter().for_each(|(path, text)| folder.write(path, text));
        folder
    }

    /// Writes a file and creates its parent folders.
    ///
    /// # Panics
    /// When the system refuses.
    pub fn write(&self, path: &str, text: &str) {
        let file = self.task.join(path);
        let parent = file.parent().expect("a file lies in a folder");
        fs::create_dir_all(parent)
            .and_then(|()| fs::write(&file, text))
            .expect("a writable folder");
    }

    /// Returns the folder of the files, absolute and without links.
    pub fn path(&self) -> &Path {
        &self.task
    }
}

impl Deref for Folder {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.task
    }
}

/// A log that keeps what is written to it.
#[derive(Debug, Default)]
pub struct Log(Mutex<Vec<(Stream, String)>>);

impl LogSink for Log {
    fn write(&self, stream: Stream, line: &[u8]) {
        self.written().push((stream, String::from_utf8_lossy(line).into_owned()));
    }
}

impl Log {
    fn written(&self) -> MutexGuard<'_, Vec<(Stream, String)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns what was written, piece by piece as it was written.
    pub fn pieces(&self) -> Vec<(Stream, String)> {
        self.written().clone()
    }

    /// Returns the pieces of both streams, in the order in which they were written.
    pub fn lines(&self) -> Vec<String> {
        self.pieces().into_iter().map(|(_, text)| text).collect()
    }

    /// Returns the pieces of one stream.
    pub fn of(&self, stream: Stream) -> Vec<String> {
        let pieces = self.pieces().into_iter().filter(|(of, _)| *of == stream);
        pieces.map(|(_, text)| text).collect()
    }

    /// Returns everything that was written.
    pub fn text(&self) -> String {
        self.lines().concat()
    }

    /// Waits until this text was written.
    ///
    /// # Panics
    /// When [`LIMIT`] has passed.
    pub fn wait_for(&self, text: &str) {
        let given_up = Instant::now() + LIMIT;
        while !self.text().contains(text) {
            assert!(Instant::now() < given_up, "waited in vain for {text:?}");
            thread::sleep(Duration::from_millis(1));
        }
    }
}

/// A folder of files and an instance that runs them. Further instances can be started beside it.
pub struct Guest {
    /// The files.
    pub folder: Folder,
    /// What the guest wrote.
    pub log: Arc<Log>,
    /// The environment that the instance was started in.
    pub environment: Environment,
    /// The instance.
    pub instance: Rc<dyn Instance>,
}

impl Guest {
    /// Starts an instance for a folder with these files. `change` adapts its environment, which otherwise consists of a
    /// function called `shop` without variables, on a thread of its own, with layers in `opt` beside the files'
    /// folder.
    ///
    /// # Panics
    /// When the instance does not start.
    pub fn start(
        engine: &dyn Engine,
        files: &[(&str, &str)],
        change: impl FnOnce(&mut Environment, &Folder),
    ) -> Self {
        let folder = Folder::new(files);
        let log = Arc::new(Log::default());
        let mut environment = Environment::new(
            folder.with_file_name("opt"),
            LogSettings { sink: log.clone(), format: LogFormat::Text, level: None },
        )
        .with_function(FunctionInfo { name: Some("shop".into()), ..FunctionInfo::default() });
        change(&mut environment, &folder);
        let instance = engine.start(&environment).expect("the instance starts");
        Self { folder, log, environment, instance }
    }

    /// Returns the module of a file, named after it: `lib/app.py` is `lib/app`.
    pub fn module(&self, path: &str, wanted: Wanted) -> Module {
        module(&self.folder, path, wanted)
    }

    /// Loads a file.
    ///
    /// # Errors
    /// The instance's own.
    pub async fn load(&self, path: &str, wanted: Wanted) -> Result<Exports> {
        self.instance.load(&self.module(path, wanted)).await
    }

    /// Calls a function with an event, given as JSON text; returns the text of its answer.
    ///
    /// # Errors
    /// The instance's own.
    pub async fn call(
        &self,
        function: FunctionId,
        event: &str,
        invocation: &Rc<Invocation>,
    ) -> Result<String> {
        call(&self.instance, function, event, invocation).await
    }
}

/// Returns the module of a file in a folder, as [`Guest::module`] does.
pub fn module(root: &Path, path: &str, wanted: Wanted) -> Module {
    let name = Path::new(path).with_extension("").to_string_lossy().into_owned();
    Module::new(root, root.join(path), name, wanted)
}

/// Calls a function of an instance, as [`Guest::call`] does.
///
/// # Errors
/// The instance's own.
pub async fn call(
    instance: &Rc<dyn Instance>,
    function: FunctionId,
    event: &str,
    invocation: &Rc<Invocation>,
) -> Result<String> {
    let input = Payload::json(event.to_owned());
    instance.call(function, input, Form::Json, invocation).await.map(text)
}

/// Returns the text of an answer.
///
/// # Panics
/// When it is not text.
pub fn text(payload: Payload) -> String {
    let (bytes, _) = payload.into_bytes().expect("an answer that can leave the process");
    String::from_utf8(bytes.to_vec()).expect("an answer that is a text")
}

/// Returns an invocation with this id and nothing else set.
pub fn invocation(id: &str) -> Invocation {
    Invocation::json(id)
}

/// Runs a test on the kind of runtime that a worker has.
///
/// # Panics
/// When the system has no thread or no event queue left.
pub fn run<T>(test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    tokio::task::LocalSet::new().block_on(&runtime.expect("a runtime"), test)
}
