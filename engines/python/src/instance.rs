//! One instance: the functions that it has loaded, and its end.

mod profile;
mod snapshot;
mod values;
mod wrap;

use crate::{
    ID,
    call::Waiting,
    collector::RareCollection,
    context::Contexts,
    convert::Settings,
    current_loop::CurrentLoop,
    debugger, error, host,
    interpreter::{self, Interpreter, ThreadState},
    limits::{Call, Runs},
    live_instances::live_instances,
    loader::{self, Function},
    scopes::{self, Entered, Scope},
    value::Value,
    web::{self, Application},
};
use pyo3::{exceptions::PySystemExit, prelude::*};
use std::{
    cell::{Cell, RefCell},
    env,
    path::{Path, PathBuf},
    rc::Rc,
    sync::Arc,
};
use trine_engine::{
    Environment, Error, Exports, Form, FunctionId, Instance, Interface, Interrupter, Invocation,
    LocalFuture, Module, Payload, Profile, Result, Usage,
};

/// A worker's share of the interpreter.
pub(crate) struct PythonInstance {
    pub(crate) python: &'static Interpreter,
    layer_root: String,
    /// The generation: instances of the same one share modules.
    generation: u64,
    pub(crate) settings: Settings,
    functions: RefCell<Vec<Rc<Registered>>>,
    pub(crate) contexts: Rc<Contexts>,
    pub(crate) event_loop: Rc<CurrentLoop>,
    /// The facts that it was started with.
    environment: Environment,
    /// Whether functions that know nothing of each other may be loaded, or a root has variables or permissions of its own.
    side_by_side: bool,
    roots: RefCell<Vec<Root>>,
    pub(crate) runs: Arc<Runs>,
    pub(crate) waiting: RefCell<Vec<Waiting>>,
    pub(crate) calls: Cell<u64>,
    pub(crate) web: web::Shared,
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
pub(crate) struct RootId(usize);

/// A function that was loaded.
pub(crate) struct Registered {
    pub(crate) function: Function,
    pub(crate) root: RootId,
}

impl PythonInstance {
    pub(crate) fn new(python: &'static Interpreter, environment: &Environment) -> Result<Self> {
        let thread = ThreadState::keep();
        host::use_settings(&environment.log);
        Python::attach(|py| {
            let ready = host::apply_level(py).and_then(|()| python.begin_anew(py));
            ready.map_err(|e| error::internal(py, &e))
        })?;
        let side_by_side = !environment.lone_root
            || !environment.places.is_empty()
            || environment.permissions.are_narrowed();
        let runs = Arc::default();
        let settings = Settings { ascii: escapes(env::var("AWS_EXECUTION_ENV").ok().as_deref()) };
        Ok(Self {
            python,
            layer_root: environment.layer_root.to_string_lossy().into_owned(),
            generation: live_instances().add(),
            settings,
            functions: RefCell::default(),
            contexts: Contexts::new(environment, settings),
            environment: environment.clone(),
            side_by_side,
            roots: RefCell::default(),
            event_loop: CurrentLoop::new(python, &runs, side_by_side),
            runs,
            waiting: RefCell::default(),
            calls: Cell::new(0),
            web: web::Shared::default(),
            ended: Cell::new(false),
            _thread: thread,
        })
    }

    pub(crate) fn refuse_after_end(&self) -> Result<()> {
        if self.ended.get() {
            return Err(Error::internal("the Python instance was shut down"));
        }
        Ok(())
    }

    async fn load(&self, module: &Module) -> Result<Exports> {
        self.refuse_after_end()?;
        let call = self.runs.enter();
        let source = loader::Source {
            python: self.python,
            generation: self.generation,
            layer_root: &self.layer_root,
        };
        let loaded = Python::attach(|py| {
            let section = call.section(py);
            if let Err(failed) = debugger::prepare(py, self.python, &self.environment, &module.root)
            {
                let stopped = section.was_stopped();
                return Err(if stopped { error::interrupted(py, None) } else { failed });
            }
            let root = self.root(py, &module.root).map_err(|e| error::internal(py, &e))?;
            let scope = self.roots.borrow().get(root.0).and_then(|root| root.scope.clone());
            if let (Some(scope), Some(folder)) = (scope, module.path.parent()) {
                scope.add_code(folder);
            }
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
        let mut interface = Interface::Event;
        for (_, function) in &loaded.functions {
            if let Function::Web(application) = function {
                interface = application.interface();
                self.start_application(&call, application, root).await?;
            }
        }
        let functions = loaded.functions.into_iter();
        let functions =
            functions.map(|(name, function)| (name, self.register(function, root))).collect();
        Ok(Exports { functions, others: loaded.others, interface })
    }

    /// Starts what an application has to start before its first request.
    pub(crate) async fn start_application(
        &self,
        call: &Call,
        application: &Application,
        root: RootId,
    ) -> Result<()> {
        let Application::Asgi(application) = application else { return Ok(()) };
        let started = self.start_lifespan(call, application, root).await;
        host::flush();
        started
    }

    /// Returns the index of a root, with a scope where there may be others.
    fn root(&self, py: Python<'_>, path: &Path) -> PyResult<RootId> {
        let known = self.roots.borrow().iter().position(|root| root.path == path);
        if let Some(place) = known {
            return Ok(RootId(place));
        }
        let scope = self.side_by_side.then(|| {
            let environment = self.environment.of_place(ID, path);
            Scope::of(py, self.python, self.generation, path, &environment)
        });
        let (path, scope) = (path.to_owned(), scope.transpose()?);
        let mut roots = self.roots.borrow_mut();
        roots.push(Root { path, scope });
        Ok(RootId(roots.len() - 1))
    }

    /// Enters the scope of a root, whose functions are loaded or called until the result is dropped.
    pub(crate) fn enter<'py>(&self, py: Python<'py>, root: RootId) -> Result<Option<Entered<'py>>> {
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

    pub(crate) fn function(&self, id: FunctionId) -> Result<Rc<Registered>> {
        let function = self.functions.borrow().get(id.0 as usize).cloned();
        function.ok_or_else(|| Error::internal("no function has this id"))
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
            report(self.end_lifespans_at_once(py));
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
                Scope::forget(py, self.generation);
                report(forget_modules(py, self.python, self.generation));
            }
        });
        host::flush();
    }
}

impl Instance for PythonInstance {
    fn load<'a>(&'a self, module: &'a Module) -> LocalFuture<'a, Result<Exports>> {
        Box::pin(self.load(module))
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
        if !is_foreign && !matches!(value, Payload::Json(_) | Payload::Shaped(_)) {
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
                threads && !loader::is_asynchronous(callable.object.bind(py), 0)
            }),
            Function::Web(Application::Wsgi(_)) => {
                Python::attach(|py| py.import("threading").is_ok())
            }
            Function::Web(Application::Asgi(_)) => false,
            // A program has `sys.argv` and the process's streams for itself.
            Function::Program(_) => false,
        })
    }

    fn settle(&self, _by_itself: bool) -> LocalFuture<'_, ()> {
        Box::pin(self.end_lifespans())
    }

    fn background(&self) -> Option<LocalFuture<'static, ()>> {
        if !self.web.has_lifespans() {
            return None;
        }
        let keeper = self.event_loop.made()?.keep(&self.runs)?;
        Some(Box::pin(keeper))
    }

    fn before_snapshot(&self) -> LocalFuture<'_, Result<()>> {
        Box::pin(self.prepare_for_snapshot())
    }

    fn after_restore(&self) -> LocalFuture<'_, Result<()>> {
        Box::pin(self.go_on_restored())
    }

    fn profile(&self) -> Result<Profile> {
        self.begin_profile()
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

/// Whether to escape: AWS's runtime writes UTF-8 as it is from Python 3.12 on and escaped it before. Ours follows the
/// newer ones, whatever its own version, unless somebody has it stand in for an older one.
fn escapes(execution_environment: Option<&str>) -> bool {
    let version = execution_environment.and_then(|name| name.strip_prefix("AWS_Lambda_"));
    let older = ["python3.6", "python3.7", "python3.8", "python3.9", "python3.10", "python3.11"];
    version
        .is_some_and(|version| older.contains(&version) && version != interpreter::minor_version())
}
