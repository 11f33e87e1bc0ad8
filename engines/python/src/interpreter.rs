//! The one interpreter of the process: its configuration and start, and the prelude's definitions in it.

use crate::{
    error, host, host_signals,
    limits::{signal, sleep},
};
use pyo3::{
    ffi,
    prelude::*,
    sync::PyOnceLock,
    types::{PyCode, PyCodeMethods, PyDict, PyModule},
};
use std::{
    cell::RefCell,
    env,
    ffi::{CStr, CString, OsString, c_char},
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
    rc::{Rc, Weak},
    sync::{OnceLock, mpsc},
    thread,
};
use trine_engine::{Error, Result};
use trine_process::tree;

/// `sys.argv[0]`: the program that runs handlers in Lambda's own runtime.
const MAIN: &CStr = c"/var/runtime/bootstrap.py";

static INTERPRETER: OnceLock<std::result::Result<Interpreter, String>> = OnceLock::new();

/// The objects of the interpreter that every instance needs.
pub(crate) struct Interpreter {
    /// The prelude's `loader` as a namespace.
    pub(crate) loader: Py<PyDict>,
    /// The prelude's `context` as a namespace.
    pub(crate) context: Py<PyDict>,
    /// The exception class that stops a handler.
    pub(crate) interrupted: Py<PyAny>,
    /// The exception class that warns of a near deadline.
    pub(crate) deadline_exceeded: Py<PyAny>,
    /// The exception class that stands for other languages' errors.
    pub(crate) foreign_error: Py<PyAny>,
    /// `trine.null`.
    pub(crate) null: Py<PyAny>,
    /// `trine.ResponseMetadata`.
    pub(crate) response_metadata: Py<PyAny>,
    /// The exception class for what cannot be sent.
    pub(crate) streaming_error: Py<PyAny>,
    /// A Python function that does nothing.
    pub(crate) nothing: Py<PyAny>,
    /// The prelude's `trine` as a namespace.
    pub(crate) guest: Py<PyDict>,
    /// The prelude's `program`, loaded on first use.
    program: PyOnceLock<Py<PyDict>>,
    /// The prelude's `check`, loaded on first use.
    check: PyOnceLock<Py<PyDict>>,
    /// The prelude's `end`, loaded on first use.
    end: PyOnceLock<Py<PyDict>>,
    /// The prelude's `stream`, loaded on first use.
    stream: PyOnceLock<Py<PyDict>>,
    /// The prelude's `snapshot`, loaded on first use.
    snapshot: PyOnceLock<Py<PyDict>>,
    /// The prelude's `debugger`, loaded on first use.
    debugger: PyOnceLock<Py<PyDict>>,
    /// The prelude's `profile`, loaded on first use.
    profile: PyOnceLock<Py<PyDict>>,
}

impl Interpreter {
    /// Returns the prelude's `check` as a namespace.
    pub(crate) fn check(&self, py: Python<'_>) -> PyResult<&Py<PyDict>> {
        self.check.get_or_try_init(py, || {
            Ok(run_prelude(py, Prelude::Check, &host::module(py)?)?.unbind())
        })
    }

    /// Returns the prelude's `program` as a namespace.
    pub(crate) fn program(&self, py: Python<'_>) -> PyResult<&Py<PyDict>> {
        self.program.get_or_try_init(py, || {
            Ok(run_prelude(py, Prelude::Program, &host::module(py)?)?.unbind())
        })
    }

    /// Returns the prelude's `end` as a namespace.
    pub(crate) fn end(&self, py: Python<'_>) -> PyResult<&Py<PyDict>> {
        self.end.get_or_try_init(py, || self.run_with_classes(py, Prelude::End))
    }

    /// Runs a file of the prelude that knows what stops a handler and what warns it.
    fn run_with_classes(&self, py: Python<'_>, file: Prelude) -> PyResult<Py<PyDict>> {
        let natives = host::module(py)?;
        natives.add("DeadlineExceeded", &self.deadline_exceeded)?;
        natives.add("Interrupted", &self.interrupted)?;
        Ok(run_prelude(py, file, &natives)?.unbind())
    }

    /// Returns the prelude's `stream` as a namespace.
    pub(crate) fn stream(&self, py: Python<'_>) -> PyResult<&Py<PyDict>> {
        self.stream.get_or_try_init(py, || {
            Ok(run_prelude(py, Prelude::Stream, &host::module(py)?)?.unbind())
        })
    }

    /// Returns the prelude's `snapshot` as a namespace.
    pub(crate) fn snapshot(&self, py: Python<'_>) -> PyResult<&Py<PyDict>> {
        self.snapshot.get_or_try_init(py, || {
            Ok(run_prelude(py, Prelude::Snapshot, &host::module(py)?)?.unbind())
        })
    }

    /// Returns the prelude's `debugger` as a namespace.
    pub(crate) fn debugger(&self, py: Python<'_>) -> PyResult<&Py<PyDict>> {
        self.debugger.get_or_try_init(py, || self.run_with_classes(py, Prelude::Debugger))
    }

    /// Returns the prelude's `profile` as a namespace.
    pub(crate) fn profile(&self, py: Python<'_>) -> PyResult<&Py<PyDict>> {
        self.profile.get_or_try_init(py, || {
            Ok(run_prelude(py, Prelude::Profile, &host::module(py)?)?.unbind())
        })
    }

    /// Prepares for an instance that starts: takes back the program's end, if there was one.
    pub(crate) fn begin_anew(&self, py: Python<'_>) -> PyResult<()> {
        match self.end.get(py) {
            Some(end) => of(end.bind(py), "begin_anew")?.call0().map(drop),
            None => Ok(()),
        }
    }
}

/// Returns the interpreter, started on the first call. On the process's main thread it is started there, so that
/// Python's main thread is the process's; otherwise on a thread of its own that outlives every worker, so that all
/// workers are alike and none of them is Python's main thread.
pub(crate) fn start(main_thread: bool) -> Result<&'static Interpreter> {
    let started = INTERPRETER.get_or_init(|| {
        if main_thread {
            return initialize(true);
        }
        let (sender, receiver) = mpsc::channel();
        let spawned = thread::Builder::new().name("trine-python".to_owned()).spawn(move || {
            // The receiver waits for exactly this message.
            let _ = sender.send(initialize(false));
            loop {
                thread::park();
            }
        });
        spawned.map_err(|e| e.to_string())?;
        receiver.recv().unwrap_or_else(|e| Err(e.to_string()))
    });
    started.as_ref().map_err(|message| {
        Error::internal(format!("the Python interpreter cannot start: {message}"))
    })
}

/// Returns the interpreter, if it has been started.
pub(crate) fn get() -> Option<&'static Interpreter> {
    INTERPRETER.get().and_then(|started| started.as_ref().ok())
}

/// Tells the interpreter, which was started to find or check a module and has read the environment, of variables that
/// were set afterwards.
pub(crate) fn learn_environment(variables: &[(&str, String)]) {
    if get().is_none() {
        return;
    }
    let learned: PyResult<()> = Python::attach(|py| {
        let environ = py.import("os")?.getattr("environ")?;
        for (name, value) in variables {
            environ.call_method1("setdefault", (*name, value))?;
        }
        // The time zone may be among them, and is read only once.
        py.import("time")?.call_method0("tzset").map(drop)
    });
    // A guest that could have replaced it has not run yet.
    drop(learned);
}

/// Starts the interpreter. `main_thread` tells whether Python's main thread will run handlers.
fn initialize(main_thread: bool) -> std::result::Result<Interpreter, String> {
    configure_and_start()?;
    let prepared =
        Python::attach(|py| prepare(py, main_thread).map_err(|e| error::one_line(py, &e)));
    // SAFETY: `configure_and_start` left this thread attached, and nothing of Python's is borrowed here. Detaching
    // lets other threads in; `PyGILState_Ensure` finds this thread's state again.
    unsafe { ffi::PyEval_SaveThread() };
    prepared
}

fn configure_and_start() -> std::result::Result<(), String> {
    let check = |status: ffi::PyStatus| {
        // SAFETY: the status is a value that a function of the same library returned.
        if unsafe { ffi::PyStatus_Exception(status) } == 0 {
            return Ok(());
        }
        if status.err_msg.is_null() {
            return Err(format!("status {}", status.exitcode));
        }
        // SAFETY: a status that is an error carries a static, terminated message; null was excluded above.
        Err(unsafe { CStr::from_ptr(status.err_msg) }.to_string_lossy().into_owned())
    };
    // SAFETY: all-zero bytes are a valid value of this C structure of integers and pointers; `Init` sets it up.
    let mut pre: ffi::PyPreConfig = unsafe { std::mem::zeroed() };
    // SAFETY: `pre` is valid for writes. No other thread uses Python before `INTERPRETER` is set.
    unsafe { ffi::PyPreConfig_InitPythonConfig(&raw mut pre) };
    pre.parse_argv = 0;
    // The locale belongs to the host; without a usable one Python chooses UTF-8 by itself.
    pre.coerce_c_locale = 0;
    // SAFETY: `pre` was set up above; this is the first use of Python in the process.
    check(unsafe { ffi::Py_PreInitialize(&raw const pre) })?;
    // SAFETY: as for `pre`.
    let mut config: ffi::PyConfig = unsafe { std::mem::zeroed() };
    // SAFETY: `config` is valid for writes.
    unsafe { ffi::PyConfig_InitPythonConfig(&raw mut config) };
    config.parse_argv = 0;
    config.install_signal_handlers = 0;
    config.configure_c_stdio = 0;
    // The prelude runs `site` when it is needed.
    config.site_import = 0;
    config.pathconfig_warnings = 0;
    let set = |config: &mut ffi::PyConfig,
               field: fn(&mut ffi::PyConfig) -> *mut *mut i32,
               value: &[u8]| {
        let value = CString::new(value).map_err(|e| e.to_string())?;
        let slot = field(config);
        // SAFETY: `slot` points into `config`, which was set up and lives on this stack; the text is terminated.
        check(unsafe { ffi::PyConfig_SetBytesString(config, slot, value.as_ptr()) })
    };
    let result = (|| {
        let executable = executable();
        set(&mut config, |c| &raw mut c.program_name, executable.as_os_str().as_bytes())?;
        set(&mut config, |c| &raw mut c.executable, executable.as_os_str().as_bytes())?;
        if let Some(home) = home()? {
            set(&mut config, |c| &raw mut c.home, home.as_bytes())?;
        }
        let mut arguments: [*const c_char; 1] = [MAIN.as_ptr()];
        // SAFETY: one terminated argument; `config` is set up.
        check(unsafe { ffi::PyConfig_SetBytesArgv(&raw mut config, 1, arguments.as_mut_ptr()) })?;
        // SAFETY: `config` is set up, and this runs once per process (`INTERPRETER` ensures it).
        check(unsafe { ffi::Py_InitializeFromConfig(&raw const config) })
    })();
    // SAFETY: `config` was set up; nothing uses it from here on.
    unsafe { ffi::PyConfig_Clear(&raw mut config) };
    result
}

/// Returns the value of `sys.executable`, so that child processes run Python and not us: the virtual environment's
/// interpreter where there is one (from which `site` finds its packages), else our own binary by Python's name where it
/// is shipped so, else the one of the build.
fn executable() -> PathBuf {
    let version = minor_version();
    let environments = env::var_os("VIRTUAL_ENV")
        .map(PathBuf::from)
        .filter(|path| path.join("lib").join(&version).is_dir())
        .map(|path| path.join("bin/python"));
    let shipped = tree::root().map(|root| root.join("bin").join(&version));
    [environments, shipped]
        .into_iter()
        .flatten()
        .find(|path| path.exists())
        .unwrap_or_else(|| PathBuf::from(env!("TRINE_PYTHON_EXECUTABLE")))
}

/// Returns the place of the standard library: in the folder that our executable was shipped in, else beside it, else
/// where it was at build time. `None` leaves it to `PYTHONHOME` or to Python's own search.
///
/// # Errors
/// When the folder that our executable was shipped in lacks it: another one would not fit.
fn home() -> std::result::Result<Option<OsString>, String> {
    if env::var_os("PYTHONHOME").is_some_and(|home| !home.is_empty()) {
        return Ok(None);
    }
    let beside = env::current_exe().ok().and_then(|path| path.parent().map(Path::to_owned));
    let has_library = |prefix: &Path| {
        let library = prefix.join("lib").join(minor_version());
        library.join("os.py").exists() || library.join("os.pyc").exists()
    };
    if let Some(root) = tree::root() {
        return match has_library(root) {
            true => Ok(Some(root.into())),
            false => Err(format!(
                "its standard library is missing: there is no os.pyc in {}; install the whole of what was shipped",
                root.join("lib").join(minor_version()).display()
            )),
        };
    }
    if let Some(folder) = beside.filter(|folder| has_library(folder)) {
        return Ok(Some(folder.into()));
    }
    let (prefix, exec_prefix) = (env!("TRINE_PYTHON_PREFIX"), env!("TRINE_PYTHON_EXEC_PREFIX"));
    Ok(has_library(Path::new(prefix)).then(|| {
        if prefix == exec_prefix { prefix.into() } else { format!("{prefix}:{exec_prefix}").into() }
    }))
}

/// Returns the folder of the standard library, or the reason why it is not known before Python starts.
pub(crate) fn library() -> String {
    match home() {
        Ok(Some(home)) => {
            // The second prefix, if any, is that of machine code.
            let home = home.to_string_lossy();
            let prefix = home.split(':').next().unwrap_or_default();
            Path::new(prefix).join("lib").join(minor_version()).display().to_string()
        }
        Ok(None) => match env::var("PYTHONHOME").ok().filter(|home| !home.is_empty()) {
            Some(home) => format!("in {home}, as PYTHONHOME says"),
            None => "wherever Python finds it".to_owned(),
        },
        Err(problem) => problem,
    }
}

/// Returns the version's name, such as `python3.11`.
pub(crate) fn minor_version() -> String {
    let mut parts = env!("TRINE_PYTHON_VERSION").splitn(3, '.');
    format!("python{}.{}", parts.next().unwrap_or("3"), parts.next().unwrap_or_default())
}

fn prepare(py: Python<'_>, main_thread: bool) -> PyResult<Interpreter> {
    let natives = host::module(py)?;
    // Children that are given this interpreter's flags (`multiprocessing`'s, joblib's) are to run `site`.
    host::set_no_site(py, false)?;
    let start = run_prelude(py, Prelude::Start, &natives)?;
    let guest = run_prelude(py, Prelude::Trine, &natives)?;
    let of_guest = |name: &str| of(&guest, name);
    let module = PyModule::new(py, "trine")?;
    for name in [
        "DeadlineExceeded",
        "ForeignError",
        "Interrupted",
        "ResponseMetadata",
        "StreamingError",
        "null",
        "__doc__",
    ] {
        module.setattr(name, of_guest(name)?)?;
    }
    // The module in which `pickle` finds the classes of contexts.
    let context = run_prelude(py, Prelude::Context, &natives)?;
    for name in
        ["Client", "ClientContext", "CognitoIdentity", "Headers", "LambdaContext", "PlainContext"]
    {
        module.setattr(name, of(&context, name)?)?;
    }
    py.import("sys")?.getattr("modules")?.set_item("trine", module)?;
    of(&run_prelude(py, Prelude::Exits, &natives)?, "install")?.call0()?;
    sleep::install(py)?;
    if main_thread {
        signal::install(py, &natives)?;
        host_signals::install(py, &natives)?;
    }
    let streams = run_prelude(py, Prelude::Streams, &natives)?;
    of(&streams, "install")?.call0()?;
    let loader = run_prelude(py, Prelude::Loader, &natives)?;
    of(&start, "install")?.call1((eager_site(),))?;
    Ok(Interpreter {
        loader: loader.unbind(),
        context: context.unbind(),
        interrupted: of_guest("Interrupted")?.unbind(),
        deadline_exceeded: of_guest("DeadlineExceeded")?.unbind(),
        foreign_error: of_guest("ForeignError")?.unbind(),
        null: of_guest("null")?.unbind(),
        response_metadata: of_guest("ResponseMetadata")?.unbind(),
        streaming_error: of_guest("StreamingError")?.unbind(),
        nothing: of_guest("nothing")?.unbind(),
        guest: guest.unbind(),
        program: PyOnceLock::new(),
        check: PyOnceLock::new(),
        end: PyOnceLock::new(),
        stream: PyOnceLock::new(),
        snapshot: PyOnceLock::new(),
        debugger: PyOnceLock::new(),
        profile: PyOnceLock::new(),
    })
}

/// Returns the context variable that holds the current invocation's context.
pub(crate) fn request<'py>(py: Python<'py>) -> PyResult<&'py Bound<'py, PyAny>> {
    static REQUEST: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    variable(py, &REQUEST, c"trine_request")
}

/// Returns the context variable that holds the scope of a root.
pub(crate) fn scope<'py>(py: Python<'py>) -> PyResult<&'py Bound<'py, PyAny>> {
    static SCOPE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    variable(py, &SCOPE, c"trine_scope")
}

fn variable<'a, 'py>(
    py: Python<'py>,
    place: &'a PyOnceLock<Py<PyAny>>,
    name: &CStr,
) -> PyResult<&'a Bound<'py, PyAny>> {
    let variable = place.get_or_try_init(py, || {
        // SAFETY: the name is terminated, the default an object that is borrowed for the call; the result is owned.
        let made = unsafe {
            Bound::from_owned_ptr_or_err(py, ffi::PyContextVar_New(name.as_ptr(), ffi::Py_None()))
        };
        made.map(Bound::unbind)
    })?;
    Ok(variable.bind(py))
}

/// Returns what the prelude's namespace defines under this name.
pub(crate) fn of<'py>(namespace: &Bound<'py, PyDict>, name: &str) -> PyResult<Bound<'py, PyAny>> {
    Ok(namespace.get_item(name)?.expect("the prelude defines it"))
}

/// Whether `site` must run at the start: on request, or because `PYTHONPATH` contains a `sitecustomize`, which is how
/// tracing agents are loaded.
fn eager_site() -> bool {
    env::var_os("TRINE_PYTHON_SITE").is_some_and(|value| value == "eager")
        || env::var_os("PYTHONPATH").is_some_and(|paths| {
            env::split_paths(&paths).any(|path| {
                ["sitecustomize.py", "usercustomize.py", "sitecustomize", "usercustomize"]
                    .iter()
                    .any(|name| path.join(name).exists())
            })
        })
}

/// A file of the prelude.
#[derive(Clone, Copy)]
pub(crate) enum Prelude {
    Asgi,
    Check,
    Children,
    Context,
    Debugger,
    End,
    Exits,
    Loader,
    Logs,
    Loop,
    Loops,
    Profile,
    Program,
    Scopes,
    Signals,
    Snapshot,
    Start,
    Stream,
    Streams,
    Threads,
    Trine,
    Wsgi,
}

macro_rules! prelude_file {
    ($name:literal) => {
        (
            concat!($name, ".py"),
            include_str!(concat!("prelude/", $name, ".py")),
            include_bytes!(concat!(env!("TRINE_PYTHON_PRELUDE"), "/", $name, ".bin")).as_slice(),
        )
    };
}

/// Runs a file of the prelude and returns its namespace. In it, `_trine` is the module that Rust provides.
pub(crate) fn run_prelude<'py>(
    py: Python<'py>,
    file: Prelude,
    natives: &Bound<'py, PyModule>,
) -> PyResult<Bound<'py, PyDict>> {
    let (name, source, compiled) = match file {
        Prelude::Asgi => prelude_file!("asgi"),
        Prelude::Check => prelude_file!("check"),
        Prelude::Children => prelude_file!("children"),
        Prelude::Context => prelude_file!("context"),
        Prelude::Debugger => prelude_file!("debugger"),
        Prelude::End => prelude_file!("end"),
        Prelude::Exits => prelude_file!("exits"),
        Prelude::Loader => prelude_file!("loader"),
        Prelude::Logs => prelude_file!("logs"),
        Prelude::Loop => prelude_file!("loop"),
        Prelude::Loops => prelude_file!("loops"),
        Prelude::Profile => prelude_file!("profile"),
        Prelude::Program => prelude_file!("program"),
        Prelude::Scopes => prelude_file!("scopes"),
        Prelude::Signals => prelude_file!("signals"),
        Prelude::Snapshot => prelude_file!("snapshot"),
        Prelude::Start => prelude_file!("start"),
        Prelude::Stream => prelude_file!("stream"),
        Prelude::Streams => prelude_file!("streams"),
        Prelude::Threads => prelude_file!("threads"),
        Prelude::Trine => prelude_file!("trine"),
        Prelude::Wsgi => prelude_file!("wsgi"),
    };
    let namespace = PyDict::new(py);
    namespace.set_item("__name__", format!("trine.{}", name.trim_end_matches(".py")))?;
    // With a file name, imports in it are not taken for the calling guest's: those would wait for the loader.
    namespace.set_item("__file__", format!("<trine>/{name}"))?;
    namespace.set_item("__builtins__", py.import("builtins")?)?;
    namespace.set_item("_trine", natives)?;
    namespace.set_item("_request", request(py)?)?;
    namespace.set_item("_scope", scope(py)?)?;
    // SAFETY: the interpreter runs and this thread is attached.
    let magic = unsafe { ffi::PyImport_GetMagicNumber() };
    let code = if Ok(magic) == env!("TRINE_PYTHON_MAGIC").parse() {
        // SAFETY: the bytes come from `marshal.dumps` of an interpreter with the same bytecode (the magic numbers
        // agree); the result is owned.
        unsafe {
            Bound::from_owned_ptr_or_err(
                py,
                ffi::PyMarshal_ReadObjectFromString(
                    compiled.as_ptr().cast(),
                    compiled.len() as ffi::Py_ssize_t,
                ),
            )
        }?
    } else {
        py.import("builtins")?.getattr("compile")?.call1((
            source,
            format!("<trine>/{name}"),
            "exec",
        ))?
    };
    code.cast::<PyCode>()?.run(Some(&namespace), None)?;
    Ok(namespace)
}

thread_local! {
    static THREAD: RefCell<Weak<ThreadState>> = const { RefCell::new(Weak::new()) };
}

/// A keeper of Python's record of a thread for as long as instances live on it. Without it every attach would make a
/// new one, which is slow and loses `threading.local` and context variables.
pub(crate) struct ThreadState {
    state: *mut ffi::PyThreadState,
    ensured: ffi::PyGILState_STATE,
}

impl ThreadState {
    /// Keeps this thread's record until the last clone is dropped (on this thread: it is not `Send`).
    pub(crate) fn keep() -> Rc<Self> {
        THREAD.with_borrow_mut(|kept| {
            kept.upgrade().unwrap_or_else(|| {
                // SAFETY: the interpreter runs (an instance is being made) and is never finalised.
                let ensured = unsafe { ffi::PyGILState_Ensure() };
                // SAFETY: this thread was attached by the line above.
                let state = unsafe { ffi::PyEval_SaveThread() };
                let new = Rc::new(Self { state, ensured });
                *kept = Rc::downgrade(&new);
                new
            })
        })
    }
}

impl Drop for ThreadState {
    fn drop(&mut self) {
        // SAFETY: the state is this thread's own (the type is not `Send`), saved by `keep` and detached since, as
        // instances are only dropped outside of `attach`.
        unsafe { ffi::PyEval_RestoreThread(self.state) };
        // SAFETY: pairs with the `PyGILState_Ensure` of `keep`, on the same thread.
        unsafe { ffi::PyGILState_Release(self.ensured) };
    }
}
