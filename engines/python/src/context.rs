//! The context objects that functions get, and the choice of the current one.

use crate::{
    convert::{self, Keys, Settings},
    error,
    interpreter::{self, Interpreter},
};
use pyo3::{
    ffi, intern,
    prelude::*,
    types::{PyBytes, PyDict},
};
use std::{
    cell::{OnceCell, RefCell},
    rc::{Rc, Weak},
    sync::atomic::{AtomicU64, Ordering},
};
use trine_engine::{
    Conventions, Environment, Error, ErrorKind, FunctionInfo, Invocation, Result, Shaped,
};
use trine_process::trace;

/// The number of the next context.
static NEXT: AtomicU64 = AtomicU64::new(1);

thread_local! {
    /// The contexts of this thread's instances.
    static OF_THREAD: RefCell<Vec<Weak<Contexts>>> = const { RefCell::new(Vec::new()) };
}

/// The contexts of the invocations under way in one instance: hooks and handler of one invocation share theirs.
pub(crate) struct Contexts {
    function: FunctionInfo,
    trace_in_environment: bool,
    /// The instance's settings for writing values.
    pub(crate) settings: Settings,
    pub(crate) keys: RefCell<Keys>,
    /// The class of the contexts, and the variable for traces, made for the first invocation.
    made: OnceCell<Made>,
    current: RefCell<Vec<Current>>,
}

/// An invocation under way, and its context object.
struct Current {
    invocation: Weak<Invocation>,
    number: u64,
    object: Py<PyAny>,
}

impl Contexts {
    pub(crate) fn new(environment: &Environment, settings: Settings) -> Rc<Self> {
        let made = Rc::new(Self {
            function: environment.function.clone(),
            trace_in_environment: environment.trace_in_environment,
            settings,
            keys: RefCell::default(),
            made: OnceCell::new(),
            current: RefCell::default(),
        });
        OF_THREAD.with_borrow_mut(|contexts| {
            contexts.retain(|contexts| contexts.strong_count() > 0);
            contexts.push(Rc::downgrade(&made));
        });
        made
    }

    /// Returns the invocation that a context object, or a copy of one, belongs to, if it is under way on this thread.
    pub(crate) fn invocation_of(context: &Bound<'_, PyAny>) -> Option<(Rc<Self>, Rc<Invocation>)> {
        let number: u64 = context.getattr(intern!(context.py(), "_number")).ok()?.extract().ok()?;
        let all = OF_THREAD
            .try_with(|all| all.borrow().iter().filter_map(Weak::upgrade).collect::<Vec<_>>());
        all.ok()?.into_iter().find_map(|contexts| {
            let invocation = contexts
                .current
                .borrow()
                .iter()
                .find(|current| current.number == number)
                .and_then(|current| current.invocation.upgrade())?;
            Some((contexts, invocation))
        })
    }

    /// Parses JSON text.
    pub(crate) fn parse<'py>(
        &self,
        py: Python<'py>,
        text: &[u8],
    ) -> std::result::Result<Bound<'py, PyAny>, convert::ReadFailure> {
        match self.keys.try_borrow_mut() {
            Ok(mut keys) => convert::read(py, text, &mut keys),
            // A finaliser of the guest's ran in the middle of another parse.
            Err(_) => convert::read(py, text, &mut Keys::default()),
        }
    }

    /// Builds a value that was taken apart.
    pub(crate) fn build<'py>(
        &self,
        py: Python<'py>,
        value: &Shaped,
    ) -> PyResult<Bound<'py, PyAny>> {
        match self.keys.try_borrow_mut() {
            Ok(mut keys) => convert::build(py, value, &mut keys),
            Err(_) => convert::build(py, value, &mut Keys::default()),
        }
    }

    pub(crate) fn clear(&self) {
        self.current.borrow_mut().clear();
    }

    /// Returns the context object of an invocation, the same one for every function that is called for it.
    pub(crate) fn get<'py>(
        &self,
        py: Python<'py>,
        python: &Interpreter,
        invocation: &Rc<Invocation>,
    ) -> Result<Bound<'py, PyAny>> {
        let wanted = Rc::as_ptr(invocation);
        let known = self.current.borrow();
        if let Some(current) = known.iter().find(|seen| seen.invocation.as_ptr() == wanted) {
            return Ok(current.object.bind(py).clone());
        }
        // Code of the guest's may run from here on (finalisers), and come back here.
        drop(known);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let context = self.make(py, python, invocation, number)?;
        let mut contexts = self.current.borrow_mut();
        let ended = contexts.extract_if(.., |current| current.invocation.strong_count() == 0);
        let ended: Vec<_> = ended.collect();
        let object = context.clone().unbind();
        contexts.push(Current { invocation: Rc::downgrade(invocation), number, object });
        drop(contexts);
        // Their finalisers may be the guest's code.
        drop(ended);
        Ok(context)
    }

    fn make<'py>(
        &self,
        py: Python<'py>,
        python: &Interpreter,
        invocation: &Invocation,
        number: u64,
    ) -> Result<Bound<'py, PyAny>> {
        if let Some(conventions) = &invocation.conventions {
            return self.plain(py, python, invocation, conventions, number);
        }
        let client = self.document(py, invocation.client_context.as_deref(), "Client Context")?;
        let identity = self.document(py, invocation.identity.as_deref(), "Cognito Identity")?;
        let fill = || {
            let made = self.made(py, python)?;
            let facts = made.facts.bind(py).copy()?;
            facts.set_item(intern!(py, "aws_request_id"), &invocation.request_id)?;
            if let Some(deadline) = invocation.deadline_ms {
                facts.set_item(intern!(py, "_epoch_deadline_time_in_ms"), deadline)?;
            }
            if let Some(arn) = &invocation.invoked_function_arn {
                facts.set_item(intern!(py, "invoked_function_arn"), arn)?;
            }
            if let Some(name) = &invocation.function_name {
                facts.set_item(intern!(py, "function_name"), name)?;
            }
            if let Some(tenant) = &invocation.tenant_id {
                facts.set_item(intern!(py, "tenant_id"), tenant)?;
            }
            if let Some(client) = client {
                let client = made.client_context.bind(py).call1((client,))?;
                facts.set_item(intern!(py, "client_context"), client)?;
            }
            let identity = match identity {
                Some(identity) => made.identity.bind(py).call1((identity,)),
                None => made.identity.bind(py).call0(),
            };
            facts.set_item(intern!(py, "identity"), identity?)?;
            if let Some(w3c) = &invocation.w3c {
                facts.set_item(intern!(py, "_w3c_fields"), w3c)?;
            }
            let context = made.class.bind(py).call0()?;
            context.setattr(intern!(py, "__dict__"), facts)?;
            context.setattr(intern!(py, "_number"), number)?;
            if let Some(trace) = &invocation.trace_id {
                context.setattr(intern!(py, "_trace_id"), trace)?;
            }
            if let Some(environment) = &made.environment {
                environment.set_trace(py, invocation.trace_id.as_deref())?;
            }
            Ok(context)
        };
        fill().map_err(|e: PyErr| error::internal(py, &e))
    }

    /// Makes the context of a platform whose handlers get plain data.
    fn plain<'py>(
        &self,
        py: Python<'py>,
        python: &Interpreter,
        invocation: &Invocation,
        conventions: &Conventions,
        number: u64,
    ) -> Result<Bound<'py, PyAny>> {
        let members = self.document(py, Some(&conventions.context), "Context")?;
        let fill = || {
            let made = self.made(py, python)?;
            let context = made.plain.bind(py).call1((members,))?;
            context.setattr(intern!(py, "_number"), number)?;
            if let Some(trace) = &invocation.trace_id {
                context.setattr(intern!(py, "_trace_id"), trace)?;
            }
            if let Some(environment) = &made.environment {
                environment.set_trace(py, invocation.trace_id.as_deref())?;
            }
            Ok(context)
        };
        fill().map_err(|e: PyErr| error::internal(py, &e))
    }

    /// Has the names of an event's headers found in any case, where the platform's handlers expect that.
    pub(crate) fn find_headers(
        &self,
        py: Python<'_>,
        python: &Interpreter,
        event: &Bound<'_, PyAny>,
        invocation: &Invocation,
    ) -> PyResult<()> {
        let conventions = invocation.conventions.as_ref();
        let Some(name) = conventions.and_then(|conventions| conventions.headers.as_deref()) else {
            return Ok(());
        };
        if let Ok(event) = event.cast::<PyDict>()
            && let Some(headers) = event.get_item(name)?
            && headers.is_exact_instance_of::<PyDict>()
        {
            let made = self.made(py, python)?;
            event.set_item(name, made.headers.bind(py).call1((headers,))?)?;
        }
        Ok(())
    }

    fn made(&self, py: Python<'_>, python: &Interpreter) -> PyResult<&Made> {
        if let Some(made) = self.made.get() {
            return Ok(made);
        }
        let info = &self.function;
        let prelude = python.context.bind(py);
        let facts = interpreter::of(prelude, "facts")?.call1((
            &info.log_group,
            &info.log_stream,
            &info.name,
            &info.memory_mb,
            &info.version,
        ))?;
        let class = |name| interpreter::of(prelude, name).map(Bound::unbind);
        let environment = match self.trace_in_environment {
            true => Some(ProcessEnvironment::find(py)?),
            false => None,
        };
        let made = Made {
            facts: facts.cast_into::<PyDict>()?.unbind(),
            class: class("LambdaContext")?,
            plain: class("PlainContext")?,
            headers: class("Headers")?,
            identity: class("CognitoIdentity")?,
            client_context: class("ClientContext")?,
            environment,
        };
        Ok(self.made.get_or_init(|| made))
    }

    /// Parses a JSON object that came with the event; `null` counts as absent.
    fn document<'py>(
        &self,
        py: Python<'py>,
        text: Option<&str>,
        what: &str,
    ) -> Result<Option<Bound<'py, PyAny>>> {
        let Some(text) = text else { return Ok(None) };
        let failed = |reason: String| {
            let message = format!("Unable to parse {what} JSON: {reason}");
            Error::new(ErrorKind::ContextUnmarshal, message)
        };
        let value =
            self.parse(py, text.as_bytes()).map_err(|failure| failed(failure.describe(py)))?;
        if value.is_none() {
            return Ok(None);
        }
        if !value.is_instance_of::<PyDict>() {
            return Err(failed("it is not an object".to_owned()));
        }
        Ok(Some(value))
    }
}

/// The value of the context variable during one function call.
pub(crate) struct Request<'py> {
    variable: Bound<'py, PyAny>,
    token: Bound<'py, PyAny>,
}

impl<'py> Request<'py> {
    pub(crate) fn set(py: Python<'py>, context: &Bound<'py, PyAny>) -> PyResult<Self> {
        let variable = interpreter::request(py)?.clone();
        // SAFETY: a context variable and an object, both alive; the token is owned or null with an exception.
        let token = unsafe {
            Bound::from_owned_ptr_or_err(
                py,
                ffi::PyContextVar_Set(variable.as_ptr(), context.as_ptr()),
            )
        }?;
        Ok(Self { variable, token })
    }
}

impl Drop for Request<'_> {
    fn drop(&mut self) {
        // SAFETY: variable and token belong together and are alive; the thread is attached, as both are bound to it.
        let reset = unsafe { ffi::PyContextVar_Reset(self.variable.as_ptr(), self.token.as_ptr()) };
        if reset != 0 {
            // The guest left the thread in another context: the old value is out of reach, and of no use there.
            drop(PyErr::take(self.variable.py()));
        }
    }
}

/// The objects that are made once for all contexts of an instance.
struct Made {
    /// The attributes of every context, in AWS's order, with the facts about the function.
    facts: Py<PyDict>,
    class: Py<PyAny>,
    plain: Py<PyAny>,
    headers: Py<PyAny>,
    identity: Py<PyAny>,
    client_context: Py<PyAny>,
    /// The environment that gets an invocation's trace, if it is to be there.
    environment: Option<ProcessEnvironment>,
}

/// `os.environ`, as Python's library made it.
struct ProcessEnvironment {
    /// The namespace of `os`.
    os: Py<PyDict>,
    environ: Py<PyAny>,
    /// The dictionary of bytes inside it; `None` in a Python that implements it differently.
    data: Option<Py<PyDict>>,
    name: Py<PyBytes>,
}

impl ProcessEnvironment {
    fn find(py: Python<'_>) -> PyResult<Self> {
        let os = py.import("os")?;
        let environ = os.getattr("environ")?;
        let data = environ.getattr("_data").ok();
        let data = data.and_then(|data| data.cast_into::<PyDict>().ok());
        Ok(Self {
            os: os.dict().unbind(),
            environ: environ.unbind(),
            data: data.map(Bound::unbind),
            name: PyBytes::new(py, trace::NAME.as_bytes()).unbind(),
        })
    }

    /// Sets the invocation's trace where tracing libraries look: in Python's environment and in the process's.
    fn set_trace(&self, py: Python<'_>, trace: Option<&str>) -> PyResult<()> {
        let environ = self.os.bind(py).get_item(intern!(py, "environ"))?;
        let is_own = environ.as_ref().is_some_and(|environ| environ.is(&self.environ));
        let (true, Some(data)) = (is_own, &self.data) else {
            // A guest put its own mapping there.
            let Some(environ) = environ else { return Ok(()) };
            return match trace {
                Some(trace) => environ.set_item(trace::NAME, trace),
                None => environ.call_method1("pop", (trace::NAME, py.None())).map(drop),
            };
        };
        let (data, name) = (data.bind(py), self.name.bind(py));
        match trace {
            Some(trace) => data.set_item(name, PyBytes::new(py, trace.as_bytes()))?,
            None if data.contains(name)? => data.del_item(name)?,
            None => {}
        }
        trace::set(trace);
        Ok(())
    }
}
