//! One instance: its functions, and the calls of them from the input to the answer.

mod values;
mod wrap;

use crate::{
    collector::RareCollection,
    context::{Contexts, Request},
    convert::{Settings, Value},
    current_loop::CurrentLoop,
    engine::ID,
    error,
    event_loop::Task,
    host,
    interpreter::{self, Interpreter, ThreadState},
    limits::{Call, Runs, Section},
    live_instances::live_instances,
    loader::{self, Arguments, Callable, Function},
    scopes::{self, Entered, Everybodys, Scope},
};
use pyo3::{
    exceptions::PySystemExit,
    prelude::*,
    types::{PyDict, PyInt, PyList, PyString},
};
use std::{
    cell::{Cell, RefCell},
    env,
    path::{Path, PathBuf},
    rc::Rc,
    sync::Arc,
};
use trine_engine::{
    Environment, Error, ErrorKind, Exports, Form, FunctionId, Hook, Instance, Interrupter,
    Invocation, LocalFuture, Module, Payload, Result, Usage,
};

/// A worker's share of the interpreter.
pub(crate) struct PythonInstance {
    python: &'static Interpreter,
    layer_root: String,
    /// The generation: instances of the same one share modules.
    generation: u64,
    settings: Settings,
    functions: RefCell<Vec<Rc<Registered>>>,
    contexts: Rc<Contexts>,
    event_loop: Rc<CurrentLoop>,
    /// Whether functions that know nothing of each other may be loaded.
    side_by_side: bool,
    roots: RefCell<Vec<Root>>,
    runs: Arc<Runs>,
    waiting: RefCell<Vec<Waiting>>,
    calls: Cell<u64>,
    ended: Cell<bool>,
    // Last: dropped after everything that holds Python objects.
    _thread: Rc<ThreadState>,
}

/// A root of functions, and the environment in which they are loaded and called.
struct Root {
    path: PathBuf,
    /// The scope; `None` where no functions are side by side.
    scope: Option<Arc<Scope>>,
}

/// The index of a root among those of its instance.
#[derive(Clone, Copy)]
struct RootId(usize);

/// A function that was loaded.
struct Registered {
    function: Function,
    root: RootId,
}

/// A call that waits in the event loop.
struct Waiting {
    call: u64,
    /// Only ever compared.
    invocation: *const Invocation,
    task: Py<PyAny>,
}

/// The state of a call when it first had to wait.
enum Begun<T> {
    Done(T),
    Waiting(Task),
}

/// The facts about a call that determine its result.
struct Called<'a> {
    form: Form,
    hook: Option<Hook>,
    invocation: Option<&'a Rc<Invocation>>,
}

impl PythonInstance {
    pub(crate) fn new(python: &'static Interpreter, environment: &Environment) -> Result<Self> {
        let thread = ThreadState::keep();
        host::use_settings(&environment.log);
        Python::attach(|py| {
            let ready = host::apply_level(py).and_then(|()| python.begin_anew(py));
            ready.map_err(|e| error::internal(py, &e))
        })?;
        let (runs, side_by_side) = (Arc::default(), !environment.lone_root);
        let settings = Settings { ascii: escapes(env::var("AWS_EXECUTION_ENV").ok().as_deref()) };
        Ok(Self {
            python,
            layer_root: environment.layer_root.to_string_lossy().into_owned(),
            generation: live_instances().add(),
            settings,
            functions: RefCell::default(),
            contexts: Contexts::new(environment, settings),
            side_by_side,
            roots: RefCell::default(),
            event_loop: CurrentLoop::new(python, &runs, side_by_side),
            runs,
            waiting: RefCell::default(),
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
        let source = loader::Source {
            python: self.python,
            generation: self.generation,
            layer_root: &self.layer_root,
        };
        let loaded = Python::attach(|py| {
            let section = call.section(py);
            let root = self.root(py, &module.root).map_err(|e| error::internal(py, &e))?;
            let _scope = self.enter(py, root)?;
            let _rare_collection = RareCollection::begin(py);
            match loader::load(py, &source, module) {
                Err(failed) if section.was_stopped() => {
                    Err(error::interrupted(py, None).with_frames(failed.frames().to_vec()))
                }
                other => other.map(|loaded| (loaded, root)),
            }
        });
        host::flush();
        let (loaded, root) = loaded?;
        let functions = loaded.functions.into_iter();
        let functions =
            functions.map(|(name, function)| (name, self.register(function, root))).collect();
        Ok(Exports { functions, others: loaded.others })
    }

    /// Returns the index of a root, with a scope where there may be others.
    fn root(&self, py: Python<'_>, path: &Path) -> PyResult<RootId> {
        let known = self.roots.borrow().iter().position(|root| root.path == path);
        if let Some(place) = known {
            return Ok(RootId(place));
        }
        let scope = self.side_by_side.then(|| Scope::of(py, self.python, self.generation, path));
        let (path, scope) = (path.to_owned(), scope.transpose()?);
        let mut roots = self.roots.borrow_mut();
        roots.push(Root { path, scope });
        Ok(RootId(roots.len() - 1))
    }

    /// Enters the scope of a root, whose functions are loaded or called until the result is dropped.
    fn enter<'py>(&self, py: Python<'py>, root: RootId) -> Result<Option<Entered<'py>>> {
        let entered = self.event_loop.enter(py).and_then(|()| {
            if !self.side_by_side {
                return Ok(None);
            }
            let scope = self.roots.borrow().get(root.0).and_then(|root| root.scope.clone());
            scope.map(|scope| scope.enter(py)).transpose()
        });
        entered.map_err(|e| error::internal(py, &e))
    }

    fn register(&self, function: Function, root: RootId) -> FunctionId {
        let mut functions = self.functions.borrow_mut();
        functions.push(Rc::new(Registered { function, root }));
        FunctionId(functions.len() as u32 - 1)
    }

    fn function(&self, id: FunctionId) -> Result<Rc<Registered>> {
        let function = self.functions.borrow().get(id.0 as usize).cloned();
        function.ok_or_else(|| Error::internal("no function has this id"))
    }

    async fn call(
        &self,
        function: FunctionId,
        input: Payload,
        form: Form,
        invocation: &Rc<Invocation>,
    ) -> Result<Payload> {
        self.refuse_after_end()?;
        let function = self.function(function)?;
        let call = self.runs.enter();
        let root = function.root;
        let answer = match &function.function {
            Function::Callable(callable) => {
                let called = Called { form, hook: callable.hook, invocation: Some(invocation) };
                match self.begin(&call, callable, root, input, &called, invocation) {
                    Ok(Begun::Done(payload)) => Ok(payload),
                    Ok(Begun::Waiting(task)) => {
                        self.finish(&call, &task, &called, |value| self.answer(value, &called))
                            .await
                    }
                    Err(failed) => Err(failed),
                }
            }
            Function::Program(program) => input.into_bytes().and_then(|(text, _)| {
                let called = Called { form, hook: None, invocation: Some(invocation) };
                Python::attach(|py| {
                    let section = call.section(py);
                    let _scope = self.enter(py, root)?;
                    match program.run(py, self.python, &text) {
                        Ok(ended) if !section.was_stopped() => ended.map(Payload::json),
                        Ok(_) => Err(error::interrupted(py, None)),
                        Err(raised) => Err(self.failed(py, &section, &raised, &called)),
                    }
                })
            }),
        };
        self.left(&call, &answer);
        answer
    }

    /// Handles the end of a call.
    fn left<T>(&self, call: &Call, answer: &Result<T>) {
        let stopped = |failed: &Error| failed.kind() == ErrorKind::Timeout && failed.poisons();
        if answer.as_ref().is_err_and(stopped) {
            call.ended_by_interrupt();
        }
        self.calls.set(self.calls.get() + 1);
        host::flush();
    }

    fn begin(
        &self,
        call: &Call,
        function: &Callable,
        root: RootId,
        input: Payload,
        called: &Called<'_>,
        invocation: &Rc<Invocation>,
    ) -> Result<Begun<Payload>> {
        Python::attach(|py| {
            let section = call.section(py);
            let _scope = self.enter(py, root)?;
            // It runs once, whichever function it is loaded for first.
            let is_everybodys = function.hook == Some(Hook::Init);
            let everybodys = is_everybodys.then(|| Everybodys::begin(py)).transpose();
            let _everybodys = everybodys.map_err(|e| error::internal(py, &e))?;
            let context = self.contexts.get(py, self.python, invocation)?;
            let event = match function.arguments {
                // Unwanted arguments are not made either.
                Arguments::None | Arguments::Context => None,
                Arguments::Event | Arguments::EventAndContext => {
                    Some(self.event(py, input, invocation, function.hook)?)
                }
            };
            let request = Request::set(py, &context);
            let _request = request.map_err(|e| error::internal(py, &e))?;
            let callable = function.object.bind(py);
            let returned = match (event, function.arguments) {
                (Some(event), Arguments::Event) => callable.call1((event,)),
                (Some(event), _) => callable.call1((event, &context)),
                (None, Arguments::None) => callable.call0(),
                (None, _) => callable.call1((&context,)),
            };
            self.outcome(py, &section, returned, called, |value| self.answer(value, called))
        })
    }

    /// Returns the outcome of calling a function: its answer, or the task that waits for it.
    fn outcome<'py, T>(
        &self,
        py: Python<'py>,
        section: &Section<'_, 'py>,
        returned: PyResult<Bound<'py, PyAny>>,
        called: &Called<'_>,
        answer: impl FnOnce(&Bound<'py, PyAny>) -> Result<T>,
    ) -> Result<Begun<T>> {
        let returned = self.run(returned);
        if host::is_child() {
            host::end_child(py, returned.map(|value| value.is_ok()));
        }
        match returned {
            Ok(Ok(value)) => match answer(&value) {
                Err(_) if section.was_stopped() => Err(error::interrupted(py, None)),
                other => other.map(Begun::Done),
            },
            Ok(Err(task)) => Ok(Begun::Waiting(task)),
            Err(raised) => Err(self.failed(py, section, &raised, called)),
        }
    }

    /// Returns the value that a function returned; if it can be awaited, its outcome, or the task that waits.
    fn run<'py>(
        &self,
        returned: PyResult<Bound<'py, PyAny>>,
    ) -> PyResult<std::result::Result<Bound<'py, PyAny>, Task>> {
        let value = returned?;
        if !is_awaitable(&value) {
            return Ok(Ok(value));
        }
        self.event_loop.get(value.py())?.begin(&value)
    }

    async fn finish<T>(
        &self,
        call: &Call,
        task: &Task,
        called: &Called<'_>,
        answer: impl FnOnce(&Bound<'_, PyAny>) -> Result<T>,
    ) -> Result<T> {
        let Some(event_loop) = self.event_loop.made().cloned() else {
            return Err(Error::internal("a task waits without an event loop"));
        };
        let pump = |run: &dyn Fn(Python<'_>) -> PyResult<Option<f64>>| {
            Python::attach(|py| {
                let _section = call.section(py);
                run(py)
            })
        };
        let object = Python::attach(|py| task.object(py));
        call.waits_for(object.as_ptr() as usize);
        self.waiting.borrow_mut().push(Waiting {
            call: call.id(),
            invocation: called.invocation.map_or(std::ptr::null(), Rc::as_ptr),
            task: object,
        });
        let _place = WaitingPlace { waiting: &self.waiting, call: call.id() };
        let finished = event_loop.finish(task, call, pump).await;
        Python::attach(|py| {
            let section = call.section(py);
            let failed = match finished {
                Ok(()) => match task.result(py) {
                    Ok(value) => return answer(&value),
                    Err(raised) => raised,
                },
                Err(None) => return Err(error::interrupted(py, None)),
                Err(Some(raised)) => raised,
            };
            Err(self.failed(py, &section, &failed, called))
        })
    }

    /// Returns the outcome of a call that raised.
    fn failed(
        &self,
        py: Python<'_>,
        section: &Section<'_, '_>,
        raised: &PyErr,
        called: &Called<'_>,
    ) -> Error {
        if section.was_stopped() || raised.get_type(py).is(&self.python.interrupted) {
            return error::interrupted(py, Some(raised));
        }
        let id = called.invocation.map_or("", |invocation| invocation.request_id.as_str());
        let failed = error::raised(py, raised, id);
        self.keep_thrown(raised.value(py), called);
        failed
    }

    fn warn(&self, invocation: &Rc<Invocation>) {
        let Some(event_loop) = self.event_loop.made() else { return };
        let waiting = self.waiting.borrow();
        let of_this = waiting.iter().filter(|call| call.invocation == Rc::as_ptr(invocation));
        let mut calls: Vec<_> = of_this.filter(|call| self.runs.warn_once(call.call)).collect();
        if calls.is_empty() {
            return;
        }
        let calls: Vec<_> = Python::attach(|py| {
            calls.drain(..).map(|call| (call.call, call.task.clone_ref(py))).collect()
        });
        drop(waiting);
        Python::attach(|py| {
            for (call, task) in calls {
                match event_loop.warn(py, &task) {
                    Ok(true) => {}
                    Ok(false) => self.runs.take_back_warning(call),
                    Err(raised) => raised.write_unraisable(py, None),
                }
            }
        });
    }

    fn end(&self) {
        if self.ended.replace(true) {
            return;
        }
        let mut live = live_instances();
        let (last_of_generation, last) = live.remove(self.generation);
        let call = self.runs.enter();
        Python::attach(|py| {
            // Code that runs from here on may be interrupted.
            let _section = call.section(py);
            // Errors at the end can be reported only to the log, where Python writes them.
            let report = |done: PyResult<()>| {
                if let Err(raised) = done {
                    raised.write_unraisable(py, None);
                }
            };
            // Signals that arrived while nothing ran.
            report(match py.check_signals() {
                // A handler that ends the process, which is about to happen.
                Err(raised) if raised.is_instance_of::<PySystemExit>(py) => Ok(()),
                handled => handled,
            });
            report(self.event_loop.end(py));
            let roots = std::mem::take(&mut *self.roots.borrow_mut());
            report(scopes::forget_loops(py, roots.iter().filter_map(|root| root.scope.as_ref())));
            self.contexts.clear();
            self.functions.borrow_mut().clear();
            drop(roots);
            if last {
                end_program(py, self.python, report);
            }
            if last_of_generation {
                Scope::forget(self.generation);
                report(forget_modules(py, self.python, self.generation));
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

    fn adopt(&self, value: Payload, invocation: &Rc<Invocation>) -> Result<Payload> {
        let is_foreign = matches!(&value, Payload::Native(native) if native.engine() != ID);
        if !is_foreign && !matches!(value, Payload::Json(_) | Payload::WithBody(_)) {
            return Ok(value);
        }
        Python::attach(|py| {
            let value = self.event(py, value, invocation, None)?;
            Ok(Payload::Native(Rc::new(Value::new(value.unbind(), self.settings))))
        })
    }

    fn wrap<'a>(
        &'a self,
        wrapper: FunctionId,
        handler: FunctionId,
    ) -> LocalFuture<'a, Result<FunctionId>> {
        Box::pin(self.wrap(wrapper, handler))
    }

    fn warn(&self, invocation: &Rc<Invocation>) {
        self.warn(invocation);
    }

    fn retire(&self) {
        live_instances().begin_generation_after(self.generation);
    }

    fn is_outdated(&self) -> bool {
        live_instances().is_outdated(self.generation)
    }

    fn holds_thread(&self, function: FunctionId) -> bool {
        let function = self.function(function);
        function.is_ok_and(|registered| match &registered.function {
            Function::Callable(callable) => Python::attach(|py| {
                // Python 3.11 takes the thread that imports this first for the main one, which must be this one.
                let threads = py.import("threading").is_ok();
                threads && !loader::is_coroutine_function(callable.object.bind(py), 0)
            }),
            // A program has `sys.argv` and the process's streams for itself.
            Function::Program(_) => false,
        })
    }

    fn interrupter(&self) -> Interrupter {
        let (stopped, warned) = (self.runs.clone(), self.runs.clone());
        Interrupter::new(move || stopped.interrupt()).warning(move || warned.warn())
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

/// Ends the program as Python sees it, at the end of the last instance. The interpreter stays; threads may still be
/// using it.
fn end_program(py: Python<'_>, python: &Interpreter, report: impl Fn(PyResult<()>)) {
    for step in ["wait_for_threads", "run_exit_functions", "end_children"] {
        let end = python.end(py);
        report(end.and_then(|end| interpreter::of(end.bind(py), step)?.call0().map(drop)));
    }
}

/// Forgets the users' modules, which a later instance imports anew.
fn forget_modules(py: Python<'_>, python: &Interpreter, generation: u64) -> PyResult<()> {
    let forget = python.loader.bind(py).get_item("forget")?;
    forget.expect("the prelude defines it").call1((generation,)).map(drop)
}

/// A waiting call's place in the list, given up however the wait ends.
struct WaitingPlace<'a> {
    waiting: &'a RefCell<Vec<Waiting>>,
    call: u64,
}

impl Drop for WaitingPlace<'_> {
    fn drop(&mut self) {
        let mut waiting = self.waiting.borrow_mut();
        let at = waiting.iter().position(|waiting| waiting.call == self.call);
        let left = at.map(|at| waiting.swap_remove(at));
        drop(waiting);
        // The task's finaliser may be the guest's code.
        drop(left);
    }
}

/// Whether to escape: AWS's runtime writes UTF-8 as it is from Python 3.12 on and escaped it before. Ours follows the
/// newer ones, unless it stands in for an older one.
fn escapes(execution_environment: Option<&str>) -> bool {
    execution_environment.is_some_and(|name| {
        !["3.12", "3.13", "3.14", "3.15"]
            .iter()
            .any(|version| name.strip_prefix("AWS_Lambda_python") == Some(version))
    })
}
