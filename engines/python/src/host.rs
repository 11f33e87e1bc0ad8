//! The prelude's module `_trine`, through which Python makes requests to the host. Output goes to the log sink of the
//! thread's instance; a thread that a guest started uses the sink of the latest one.

use crate::{
    child_environment, current_loop, debugger, exchange, exits, host_signals,
    interpreter::{self, Prelude},
    limits, program, relative, scopes, standalone,
};
use pyo3::{
    exceptions::{PySystemExit, PyTypeError},
    ffi,
    prelude::*,
    types::{PyBytes, PyCFunction, PyDict, PyModule, PyString, PyTuple},
};
use std::{
    cell::RefCell,
    io::ErrorKind,
    sync::{
        RwLock,
        atomic::{AtomicBool, Ordering},
    },
};
use trine_engine::{Level, LogFormat, LogSettings, Message, Stream};

/// Maximum number of bytes of output without a newline that are held back: a line of another thread must not come between.
const LINE_LIMIT: usize = 8 << 20;
/// Maximum capacity of the buffer that is kept for the next line.
const KEPT: usize = 64 * 1024;

/// Whether this process is a child that a guest forked. Its locks may be held by threads that it does not have.
static IS_CHILD: AtomicBool = AtomicBool::new(false);

static LATEST: RwLock<Option<LogSettings>> = RwLock::new(None);

thread_local! {
    static SETTINGS: RefCell<Option<LogSettings>> = const { RefCell::new(None) };
    static LINES: RefCell<Lines> = const { RefCell::new(Lines { out: Vec::new(), err: Vec::new() }) };
}

/// The unfinished lines of this thread, so that a `print` arrives in one piece.
struct Lines {
    out: Vec<u8>,
    err: Vec<u8>,
}

impl Drop for Lines {
    fn drop(&mut self) {
        for (stream, line) in [(Stream::Stdout, &self.out), (Stream::Stderr, &self.err)] {
            if !line.is_empty() {
                send(stream, line);
            }
        }
    }
}

/// Makes `settings` those of this thread, and of threads without any.
pub(crate) fn use_settings(settings: &LogSettings) {
    SETTINGS.with_borrow_mut(|mine| *mine = Some(settings.clone()));
    *LATEST.write().unwrap_or_else(|poisoned| poisoned.into_inner()) = Some(settings.clone());
}

/// Sends this thread's unfinished lines.
pub(crate) fn flush() {
    for stream in [Stream::Stdout, Stream::Stderr] {
        flush_stream(stream);
    }
}

fn flush_stream(stream: Stream) {
    // Taken out first: a sink must be free to do anything.
    let line = with_line(stream, std::mem::take).unwrap_or_default();
    if !line.is_empty() {
        send(stream, &line);
        with_line(stream, |slot| {
            if slot.is_empty() {
                *slot = line;
                slot.clear();
            }
        });
    }
}

/// Calls a function with the unfinished line; returns `None` while the thread ends and its locals are gone.
fn with_line<T>(stream: Stream, f: impl FnOnce(&mut Vec<u8>) -> T) -> Option<T> {
    LINES
        .try_with(|lines| {
            let mut lines = lines.borrow_mut();
            f(if stream == Stream::Stdout { &mut lines.out } else { &mut lines.err })
        })
        .ok()
}

/// Holds text back until it ends in a newline: `print` writes its text and the newline separately.
fn write(stream: Stream, bytes: &[u8]) {
    if stream == Stream::Stdout && program::keeps(bytes) {
        return;
    }
    let whole = bytes.last() == Some(&b'\n');
    let held = with_line(stream, |line| {
        if !whole && line.len() + bytes.len() < LINE_LIMIT {
            line.extend_from_slice(bytes);
            return None;
        }
        Some(std::mem::take(line))
    });
    // While the thread ends there is nothing to hold text in.
    let Some(mut held) = held.unwrap_or_else(|| Some(Vec::new())) else { return };
    if held.is_empty() {
        send(stream, bytes);
        return;
    }
    held.extend_from_slice(bytes);
    send(stream, &held);
    held.clear();
    // The buffer of the line serves the next one.
    with_line(stream, |line| {
        if line.is_empty() && held.capacity() <= KEPT {
            *line = held;
        }
    });
}

/// Writes a line to the error stream.
pub(crate) fn complain(line: &str) {
    write(Stream::Stderr, format!("{line}\n").as_bytes());
}

fn send(stream: Stream, bytes: &[u8]) {
    if is_child() {
        return send_plainly(stream, bytes);
    }
    if let Some(sink) = settings(|settings| settings.sink.clone()) {
        sink.write(stream, bytes);
    }
}

/// Writes to the process's own output, without any lock.
fn send_plainly(stream: Stream, mut bytes: &[u8]) {
    let fd = if stream == Stream::Stderr { libc::STDERR_FILENO } else { libc::STDOUT_FILENO };
    while !bytes.is_empty() {
        // SAFETY: the pointer and the length are those of a slice that lives during the call.
        let written = unsafe { libc::write(fd, bytes.as_ptr().cast(), bytes.len()) };
        match usize::try_from(written) {
            Ok(0) => return,
            Ok(written) => bytes = &bytes[written..],
            Err(_) if std::io::Error::last_os_error().kind() == ErrorKind::Interrupted => {}
            Err(_) => return,
        }
    }
}

/// Whether this process is a child that a guest forked.
pub(crate) fn is_child() -> bool {
    IS_CHILD.load(Ordering::Relaxed)
}

/// Ends a child that has returned from the guest's code: the invocation is for its parent to answer. `returned` tells
/// whether the code is done; anything it waits for is its parent's, too.
pub(crate) fn end_child(py: Python<'_>, returned: PyResult<bool>) -> ! {
    let status = match returned {
        Ok(true) => 0,
        Ok(false) => {
            complain("a forked child cannot wait in the event loop of its parent");
            1
        }
        Err(raised) if raised.is_instance_of::<PySystemExit>(py) => {
            let (status, said) = exits::exit_status(py, &raised);
            if let Some(said) = said {
                complain(&said);
            }
            status as i32
        }
        Err(raised) => {
            raised.print(py);
            1
        }
    };
    flush();
    // SAFETY: ends the process at once, as Python itself ends the children that it forks.
    unsafe { libc::_exit(status) }
}

/// Prepares a child right after the fork.
#[pyfunction]
fn become_a_child() {
    IS_CHILD.store(true, Ordering::Relaxed);
    limits::leave_section();
}

fn settings<T>(f: impl Fn(&LogSettings) -> T) -> Option<T> {
    let mine = SETTINGS.try_with(|mine| mine.borrow().as_ref().map(&f)).ok().flatten();
    mine.or_else(|| LATEST.read().unwrap_or_else(|poisoned| poisoned.into_inner()).as_ref().map(&f))
}

fn stream(fd: i32) -> Stream {
    if fd == 2 { Stream::Stderr } else { Stream::Stdout }
}

/// Makes the module `_trine`.
pub(crate) fn module(py: Python<'_>) -> PyResult<Bound<'_, PyModule>> {
    let module = PyModule::new(py, "_trine")?;
    module.add_function(wrap_pyfunction!(become_a_child, &module)?)?;
    module.add_function(wrap_pyfunction!(writer, &module)?)?;
    module.add_function(wrap_pyfunction!(bytes_writer, &module)?)?;
    module.add_function(wrap_pyfunction!(flush_fd, &module)?)?;
    module.add_function(wrap_pyfunction!(emit, &module)?)?;
    module.add_function(wrap_pyfunction!(log, &module)?)?;
    module.add_function(wrap_pyfunction!(log_json, &module)?)?;
    module.add_function(wrap_pyfunction!(log_level, &module)?)?;
    module.add_function(wrap_pyfunction!(configure_logging, &module)?)?;
    module.add_function(wrap_pyfunction!(configure_threading, &module)?)?;
    module.add_function(wrap_pyfunction!(configure_futures, &module)?)?;
    module.add_function(wrap_pyfunction!(configure_pool, &module)?)?;
    module.add_function(wrap_pyfunction!(call_with_warning, &module)?)?;
    module.add_function(wrap_pyfunction!(if_free, &module)?)?;
    module.add_function(wrap_pyfunction!(limits::signal::deliver, &module)?)?;
    module.add_function(wrap_pyfunction!(current_loop::configure_asyncio, &module)?)?;
    module.add_function(wrap_pyfunction!(current_loop::event_loop, &module)?)?;
    module.add_function(wrap_pyfunction!(host_signals::is_on_main_thread, &module)?)?;
    module.add_function(wrap_pyfunction!(host_signals::host_handles, &module)?)?;
    module.add_function(wrap_pyfunction!(host_signals::install_beside, &module)?)?;
    module.add_function(wrap_pyfunction!(relative::relative_levels, &module)?)?;
    module.add_function(wrap_pyfunction!(set_no_site, &module)?)?;
    module.add_function(wrap_pyfunction!(define_snapshot_restore, &module)?)?;
    module.add_function(wrap_pyfunction!(standalone::configure_certificates, &module)?)?;
    child_environment::add_to(&module)?;
    debugger::add_to(&module)?;
    exchange::add_to(&module)?;
    program::add_to(&module)?;
    Ok(module)
}

/// Defines the module in which functions register what they want done around a snapshot of the process.
#[pyfunction]
fn define_snapshot_restore(py: Python<'_>, module: &Bound<'_, PyAny>) -> PyResult<()> {
    let Some(python) = interpreter::get() else { return Ok(()) };
    let snapshot = python.snapshot(py)?.bind(py);
    interpreter::of(snapshot, "define")?.call1((module,)).map(drop)
}

/// Sets `sys.flags.no_site`, which says whether `site` is left out as Python starts. It is, and the prelude makes up for
/// it; so what guests see, and pass on to children, is that it is not.
#[pyfunction]
pub(crate) fn set_no_site(py: Python<'_>, value: bool) -> PyResult<()> {
    let flags = py.import("sys")?.getattr("flags")?;
    let names: Vec<String> = flags.get_type().getattr("__match_args__")?.extract()?;
    let Some(at) = names.iter().position(|name| name == "no_site") else { return Ok(()) };
    let value = i64::from(value).into_pyobject(py)?.into_ptr();
    // SAFETY: a structure with a field at this place, which takes over the number. The number that it had before is one of
    // those that Python keeps for ever.
    unsafe { ffi::PyStructSequence_SetItem(flags.as_ptr(), at as ffi::Py_ssize_t, value) };
    Ok(())
}

/// Calls a function under a lock, unless another thread has the lock. In Python an exception from outside could come
/// between the lock and the `try` that releases it.
#[pyfunction]
fn if_free(
    lock: &Bound<'_, PyAny>,
    function: &Bound<'_, PyAny>,
    argument: &Bound<'_, PyAny>,
) -> PyResult<()> {
    if !lock.call_method1("acquire", (false,))?.is_truthy()? {
        return Ok(());
    }
    let called = function.call1((argument,));
    lock.call_method0("release")?;
    called.map(drop)
}

/// Calls a task's step with a warning that is raised in it.
#[pyfunction]
fn call_with_warning<'py>(step: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    limits::call_with_warning(step)
}

/// Makes the `write` of a text stream.
#[pyfunction]
fn writer(py: Python<'_>, fd: i32) -> PyResult<Bound<'_, PyCFunction>> {
    let stream = stream(fd);
    PyCFunction::new_closure(
        py,
        Some(c"write"),
        None,
        move |args: &Bound<'_, PyTuple>, _: Option<&Bound<'_, PyDict>>| -> PyResult<usize> {
            let text = args.get_item(0)?;
            let text = text.cast::<PyString>().map_err(|_| {
                let name =
                    text.get_type().name().map_or_else(|_| "object".into(), |n| n.to_string());
                PyTypeError::new_err(format!("write() argument must be str, not {name}"))
            })?;
            with_utf8(text, |bytes| write(stream, bytes))?;
            text.len()
        },
    )
}

/// Makes the `write` of a byte stream.
#[pyfunction]
fn bytes_writer(py: Python<'_>, fd: i32) -> PyResult<Bound<'_, PyCFunction>> {
    let stream = stream(fd);
    PyCFunction::new_closure(
        py,
        Some(c"write"),
        None,
        move |args: &Bound<'_, PyTuple>, _: Option<&Bound<'_, PyDict>>| -> PyResult<usize> {
            let given = args.get_item(0)?;
            // `bytes` itself accepts every buffer, but also a number, which `memoryview` does not.
            let view = given.py().import("builtins")?.getattr("memoryview")?.call1((&given,))?;
            let bytes = view.call_method0("tobytes")?;
            let bytes = bytes.cast::<PyBytes>()?.as_bytes();
            write(stream, bytes);
            Ok(bytes.len())
        },
    )
}

fn with_utf8(text: &Bound<'_, PyString>, f: impl FnOnce(&[u8])) -> PyResult<()> {
    if let Ok(text) = text.to_str() {
        f(text.as_bytes());
        return Ok(());
    }
    // Lone surrogates have no UTF-8 form.
    let bytes = text.call_method1("encode", ("utf-8", "backslashreplace"))?;
    f(bytes.cast::<PyBytes>()?.as_bytes());
    Ok(())
}

#[pyfunction(name = "flush")]
fn flush_fd(fd: i32) {
    flush_stream(stream(fd));
}

/// Writes text to the log at once and as it is.
#[pyfunction]
fn emit(text: &Bound<'_, PyString>) -> PyResult<()> {
    flush_stream(Stream::Stdout);
    with_utf8(text, |bytes| send_message(None, LogFormat::Text, bytes))
}

/// Writes a record of `logging` with the number of its level.
#[pyfunction]
fn log(text: &Bound<'_, PyString>, number: i64) -> PyResult<()> {
    flush_stream(Stream::Stdout);
    let known = |settings: &LogSettings| {
        let apart = settings.sink.keeps_messages_apart();
        (settings.format, settings.level.is_some(), apart)
    };
    let (format, has_level, apart) = settings(known).unwrap_or_default();
    let level = match number / 10 {
        // As in AWS's runtime: who has chosen neither form nor level is not told of levels.
        _ if format == LogFormat::Text && !has_level => None,
        ..=0 => None,
        1 => Some(Level::Debug),
        2 => Some(Level::Info),
        3 => Some(Level::Warn),
        4 => Some(Level::Error),
        5.. => Some(Level::Fatal),
    };
    with_utf8(text, |bytes| {
        if apart || bytes.ends_with(b"\n") {
            send_message(level, format, bytes);
        } else {
            send_message(level, format, &[bytes, b"\n"].concat());
        }
    })
}

fn send_message(level: Option<Level>, format: LogFormat, text: &[u8]) {
    let stream = Stream::Stdout;
    if is_child() {
        return send_plainly(stream, text);
    }
    if let Some(sink) = settings(|settings| settings.sink.clone()) {
        sink.message(Message { stream, level, format, text });
    }
}

#[pyfunction]
fn log_json() -> bool {
    settings(|settings| settings.format) == Some(LogFormat::Json)
}

/// Returns the level of the root logger, by Python's name; `None` leaves `logging`'s own default.
#[pyfunction]
fn log_level() -> Option<&'static str> {
    settings(|settings| match (settings.level, settings.format) {
        (Some(Level::Trace | Level::Debug), _) => Some("DEBUG"),
        (Some(Level::Info), _) | (None, LogFormat::Json) => Some("INFO"),
        (Some(Level::Warn), _) => Some("WARNING"),
        (Some(Level::Error), _) => Some("ERROR"),
        (Some(Level::Fatal), _) => Some("CRITICAL"),
        (None, LogFormat::Text) => None,
    })
    .flatten()
}

/// Configures `logging` once it has been imported.
#[pyfunction]
fn configure_logging(py: Python<'_>) -> PyResult<()> {
    let logs = interpreter::run_prelude(py, Prelude::Logs, &module(py)?)?;
    interpreter::of(&logs, "install")?.call0()?;
    scopes::follow_logging(py)?;
    let logging = py.import("sys")?.getattr("modules")?.get_item("logging")?;
    logging.setattr("_trine_level", interpreter::of(&logs, "apply_level")?)
}

/// Configures `threading` once it has been imported.
#[pyfunction]
fn configure_threading(py: Python<'_>) -> PyResult<()> {
    follow(py, "threading")
}

/// Configures `concurrent.futures.thread` once it has been imported.
#[pyfunction]
fn configure_futures(py: Python<'_>) -> PyResult<()> {
    follow(py, "futures")
}

/// Configures `multiprocessing.pool` once it has been imported.
#[pyfunction]
fn configure_pool(py: Python<'_>) -> PyResult<()> {
    follow(py, "pool")
}

fn follow(py: Python<'_>, what: &str) -> PyResult<()> {
    let threads = interpreter::run_prelude(py, Prelude::Threads, &module(py)?)?;
    interpreter::of(&threads, what)?.call0().map(drop)
}

/// Sets the root logger's level again, if `logging` is in use: an instance with other settings may have started.
pub(crate) fn apply_level(py: Python<'_>) -> PyResult<()> {
    let modules = py.import("sys")?.getattr("modules")?;
    let logging = modules.call_method1("get", ("logging",))?;
    if let Some(apply) = logging.getattr_opt("_trine_level")? {
        apply.call0()?;
    }
    Ok(())
}
