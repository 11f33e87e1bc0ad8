//! One instance: its functions, and the calls of them from the input to the answer.

use crate::{
    context::{Contexts, Request},
    convert::{self, Keys, Settings, Value},
    engine::ID,
    error,
    event_loop::{EventLoop, Task},
    host,
    interpreter::{Interpreter, ThreadState},
    limits::{Call, Runs},
    loader::{self, Arguments, Function},
};
use bytes::Bytes;
use pyo3::{
    prelude::*,
    types::{PyBytes, PyDict, PyInt, PyList, PyString},
};
use std::{
    cell::{Cell, OnceCell, RefCell},
    env,
    rc::Rc,
    sync::{Arc, Mutex, MutexGuard},
};
use trine_engine::{
    Environment, Error, ErrorKind, Exports, Form, FunctionId, Instance, Interrupter, Invocation,
    LocalFuture, Module, Payload, RawPayload, Result, Usage,
};

/// Instances that were not shut down yet. Locked only by threads that are not attached, and held while the last one
/// ends, so that no instance starts in the middle of that.
static LIVING: Mutex<usize> = Mutex::new(0);

fn living() -> MutexGuard<'static, usize> {
    LIVING.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// What a handler that returns `bytes` answers with, as AWS's own runtime does.
const BYTES_TYPE: &str = "application/unknown";

/// A worker's share of the interpreter.
pub(crate) struct PythonInstance {
    python: &'static Interpreter,
    layer_root: String,
    settings: Settings,
    functions: RefCell<Vec<Rc<Function>>>,
    keys: RefCell<Keys>,
    contexts: Contexts,
    event_loop: OnceCell<Rc<EventLoop>>,
    runs: Arc<Runs>,
    calls: Cell<u64>,
    ended: Cell<bool>,
    // Last: dropped after everything that holds Python objects.
    _thread: Rc<ThreadState>,
}

/// How far a call came before it had to wait.
enum Begun {
    Done(Payload),
    Waiting(Task),
}

impl PythonInstance {
    pub(crate) fn new(python: &'static Interpreter, environment: &Environment) -> Result<Self> {
        let thread = ThreadState::keep();
        host::use_settings(&environment.log);
        Python::attach(|py| host::apply_level(py).map_err(|e| error::internal(py, &e)))?;
        *living() += 1;
        Ok(Self {
            python,
            layer_root: environment.layer_root.to_string_lossy().into_owned(),
            settings: Settings { ascii: escapes(env::var("AWS_EXECUTION_ENV").ok().as_deref()) },
            functions: RefCell::default(),
            keys: RefCell::default(),
            contexts: Contexts::new(environment),
            event_loop: OnceCell::new(),
            runs: Arc::default(),
            calls: Cell::new(0),
            ended: Cell::new(false),
            _thread: thread,
        })
    }

    fn refuse_after_end(&self) -> Result<()> {
        if self.ended.get() {
            return Err(Error::internal("the Python instance was shut down"));
        }
        Ok(())
    }

    fn load(&self, module: &Module) -> Result<Exports> {
        self.refuse_after_end()?;
        let call = self.runs.enter();
        let loaded = Python::attach(|py| {
            let section = call.section(py);
            let loaded = loader::load(py, self.python, module, &self.layer_root);
            match loaded {
                Err(failed) if section.was_hit() => {
                    Err(error::interrupted(py, None).with_frames(failed.frames().to_vec()))
                }
                other => other,
            }
        });
        host::flush();
        let mut functions = self.functions.borrow_mut();
        let functions = loaded?.into_iter().map(|(name, function)| {
            functions.push(Rc::new(function));
            (name, FunctionId(functions.len() as u32 - 1))
        });
        Ok(Exports { functions: functions.collect(), others: Vec::new() })
    }

    async fn call(
        &self,
        function: FunctionId,
        input: Payload,
        form: Form,
        invocation: &Rc<Invocation>,
    ) -> Result<Payload> {
        self.refuse_after_end()?;
        let function = self.functions.borrow().get(function.0 as usize).cloned();
        let function = function.ok_or_else(|| Error::internal("no function has this id"))?;
        let call = self.runs.enter();
        let answer = match self.begin(&call, &function, input, form, invocation) {
            Ok(Begun::Done(payload)) => Ok(payload),
            Ok(Begun::Waiting(task)) => self.finish(&call, &task, form, invocation).await,
            Err(failed) => Err(failed),
        };
        if answer.as_ref().is_err_and(|failed| failed.kind() == ErrorKind::Timeout) {
            call.ended_by_interrupt();
        }
        self.calls.set(self.calls.get() + 1);
        host::flush();
        answer
    }

    fn begin(
        &self,
        call: &Call,
        function: &Function,
        input: Payload,
        form: Form,
        invocation: &Rc<Invocation>,
    ) -> Result<Begun> {
        Python::attach(|py| {
            let section = call.section(py);
            let context = self.contexts.get(py, self.python, invocation, &self.keys)?;
            let result = match function.arguments {
                // What is not wanted is not made either.
                Arguments::None => Request::set(py, self.python, &context)
                    .and_then(|_request| self.run(function.callable.bind(py).call0())),
                Arguments::Context => Request::set(py, self.python, &context)
                    .and_then(|_request| self.run(function.callable.bind(py).call1((&context,)))),
                Arguments::Event | Arguments::EventAndContext => {
                    let event = self.event(py, input, invocation)?;
                    let _request = Request::set(py, self.python, &context)
                        .map_err(|e| error::internal(py, &e))?;
                    let callable = function.callable.bind(py);
                    self.run(if function.arguments == Arguments::Event {
                        callable.call1((event,))
                    } else {
                        callable.call1((event, &context))
                    })
                }
            };
            match result {
                Ok(Ok(value)) => {
                    let answer = self.answer(&value, form);
                    match answer {
                        Err(_) if section.was_hit() => Err(error::interrupted(py, None)),
                        other => other.map(Begun::Done),
                    }
                }
                Ok(Err(task)) => Ok(Begun::Waiting(task)),
                Err(raised) if section.was_hit() || self.is_interrupt(py, &raised) => {
                    Err(error::interrupted(py, Some(&raised)))
                }
                Err(raised) => Err(error::raised(py, &raised, &invocation.request_id)),
            }
        })
    }

    /// The value that a function returned; if it can be awaited, what comes of it, or the task that waits.
    fn run<'py>(
        &self,
        returned: PyResult<Bound<'py, PyAny>>,
    ) -> PyResult<std::result::Result<Bound<'py, PyAny>, Task>> {
        let value = returned?;
        if !is_awaitable(&value) {
            return Ok(Ok(value));
        }
        self.event_loop(value.py())?.begin(&value)
    }

    async fn finish(
        &self,
        call: &Call,
        task: &Task,
        form: Form,
        invocation: &Invocation,
    ) -> Result<Payload> {
        let Some(event_loop) = self.event_loop.get().cloned() else {
            return Err(Error::internal("a task waits without an event loop"));
        };
        let pump = |run: &dyn Fn(Python<'_>) -> PyResult<Option<f64>>| {
            Python::attach(|py| {
                let _section = call.section(py);
                run(py)
            })
        };
        let finished = event_loop.finish(task, call, pump).await;
        Python::attach(|py| {
            let section = call.section(py);
            let failed = match finished {
                Ok(()) => match task.result(py) {
                    Ok(value) => return self.answer(&value, form),
                    Err(raised) => raised,
                },
                Err(None) => return Err(error::interrupted(py, None)),
                Err(Some(raised)) => raised,
            };
            if section.was_hit() || self.is_interrupt(py, &failed) {
                return Err(error::interrupted(py, Some(&failed)));
            }
            Err(error::raised(py, &failed, &invocation.request_id))
        })
    }

    fn is_interrupt(&self, py: Python<'_>, raised: &PyErr) -> bool {
        raised.get_type(py).is(&self.python.interrupted)
    }

    fn event_loop(&self, py: Python<'_>) -> PyResult<&Rc<EventLoop>> {
        if self.event_loop.get().is_none() {
            let made = EventLoop::new(py)?;
            // Nobody else sets it: an instance stays on its thread, and the line above runs no other call.
            let _ = self.event_loop.set(made);
        }
        Ok(self.event_loop.get().expect("set above"))
    }

    fn event<'py>(
        &self,
        py: Python<'py>,
        input: Payload,
        invocation: &Invocation,
    ) -> Result<Bound<'py, PyAny>> {
        let text = match &input {
            Payload::Json(text) if invocation.event_is_json => text.clone(),
            Payload::Json(raw) => return Ok(PyBytes::new(py, raw).into_any()),
            Payload::Nothing => return Ok(py.None().into_bound(py)),
            Payload::Raw(raw) => return Ok(PyBytes::new(py, &raw.bytes).into_any()),
            Payload::Native(native) => match native.as_any().downcast_ref::<Value>() {
                Some(value) if native.engine() == ID => return Ok(value.object(py)),
                _ => native.to_json()?,
            },
            _ => return Err(Error::new(ErrorKind::Unsupported, "this kind of payload is unknown")),
        };
        let mut keys = self.keys.borrow_mut();
        convert::parse(py, &text, &mut keys).map_err(|failure| {
            let reason = failure.describe(py);
            Error::new(ErrorKind::Unmarshal, format!("Unable to unmarshal input: {reason}"))
        })
    }

    fn answer(&self, value: &Bound<'_, PyAny>, form: Form) -> Result<Payload> {
        if let Ok(bytes) = value.cast::<PyBytes>() {
            return Ok(Payload::Raw(RawPayload {
                bytes: Bytes::copy_from_slice(bytes.as_bytes()),
                content_type: BYTES_TYPE,
            }));
        }
        if value.is_none() {
            // Plain in both forms, so that a hook that returns nothing is known as one without asking Python.
            return Ok(Payload::Json(Bytes::from_static(b"null")));
        }
        if form == Form::Native {
            let value = Value::new(value.clone().unbind(), self.settings);
            return Ok(Payload::Native(Rc::new(value)));
        }
        let mut out = Vec::with_capacity(512);
        convert::write(value, &mut out, self.settings)
            .map_err(|failure| failure.into_error(value.py()))?;
        Ok(Payload::Json(Bytes::from(out)))
    }

    fn end(&self) {
        if self.ended.replace(true) {
            return;
        }
        let mut living = living();
        *living -= 1;
        Python::attach(|py| {
            // Faults at the end have nobody to be told to but the log, where Python writes them.
            let report = |done: PyResult<()>| {
                if let Err(raised) = done {
                    raised.write_unraisable(py, None);
                }
            };
            // Signals that arrived while nothing ran.
            report(py.check_signals());
            if let Some(event_loop) = self.event_loop.get() {
                report(event_loop.end(py));
            }
            self.contexts.clear();
            self.functions.borrow_mut().clear();
            if *living == 0 {
                report(run_exit_functions(py, self.python));
            }
        });
        host::flush();
    }
}

impl Instance for PythonInstance {
    fn load<'a>(&'a self, module: &'a Module) -> LocalFuture<'a, Result<Exports>> {
        Box::pin(async move { self.load(module) })
    }

    fn call<'a>(
        &'a self,
        function: FunctionId,
        input: Payload,
        form: Form,
        invocation: &'a Rc<Invocation>,
    ) -> LocalFuture<'a, Result<Payload>> {
        Box::pin(self.call(function, input, form, invocation))
    }

    fn interrupter(&self) -> Interrupter {
        let runs = self.runs.clone();
        Interrupter::new(move || runs.interrupt())
    }

    fn usage(&self) -> Usage {
        Usage { heap_bytes: 0, calls: self.calls.get() }
    }

    fn shutdown(&self) {
        self.end();
    }
}

impl Drop for PythonInstance {
    fn drop(&mut self) {
        self.end();
    }
}

fn is_awaitable(value: &Bound<'_, PyAny>) -> bool {
    let plain = value.is_none()
        || value.is_exact_instance_of::<PyDict>()
        || value.is_exact_instance_of::<PyString>()
        || value.is_exact_instance_of::<PyList>()
        || value.is_exact_instance_of::<PyInt>();
    !plain && value.get_type().hasattr("__await__").unwrap_or(false)
}

/// The end of the last instance is the end of the program as Python sees it: functions registered with `atexit` run,
/// and a later instance imports the user's modules anew. The interpreter stays; threads may still be using it.
fn run_exit_functions(py: Python<'_>, python: &Interpreter) -> PyResult<()> {
    py.import("atexit")?.call_method0("_run_exitfuncs")?;
    python.loader.bind(py).get_item("forget")?.expect("the prelude defines it").call0()?;
    Ok(())
}

/// AWS's runtime writes UTF-8 as it is from Python 3.12 on and escaped it before. Ours follows the newer ones, unless
/// it stands in for an older one.
fn escapes(execution_environment: Option<&str>) -> bool {
    execution_environment.is_some_and(|name| {
        !["3.12", "3.13", "3.14", "3.15"]
            .iter()
            .any(|version| name.strip_prefix("AWS_Lambda_python") == Some(version))
    })
}
