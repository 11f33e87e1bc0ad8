//! The context objects that functions get, and which of them is the current one.

use crate::{
    convert::{self, Keys, Settings},
    error,
    interpreter::Interpreter,
};
use pyo3::{ffi, prelude::*, types::PyDict};
use std::{
    cell::RefCell,
    rc::{Rc, Weak},
};
use trine_engine::{Environment, Error, ErrorKind, FunctionInfo, Invocation, Result};

thread_local! {
    /// The contexts of this thread's instances.
    static OF_THREAD: RefCell<Vec<Weak<Contexts>>> = const { RefCell::new(Vec::new()) };
}

/// The contexts of the invocations under way in one instance: hooks and handler of one invocation share theirs.
pub(crate) struct Contexts {
    function: FunctionInfo,
    trace_in_environment: bool,
    /// How the instance writes values.
    pub(crate) settings: Settings,
    pub(crate) keys: RefCell<Keys>,
    current: RefCell<Vec<(Weak<Invocation>, Py<PyAny>)>>,
}

impl Contexts {
    pub(crate) fn new(environment: &Environment, settings: Settings) -> Rc<Self> {
        let made = Rc::new(Self {
            function: environment.function.clone(),
            trace_in_environment: environment.trace_in_environment,
            settings,
            keys: RefCell::default(),
            current: RefCell::default(),
        });
        OF_THREAD.with_borrow_mut(|contexts| {
            contexts.retain(|contexts| contexts.strong_count() > 0);
            contexts.push(Rc::downgrade(&made));
        });
        made
    }

    /// The invocation that a context object belongs to, if it is under way on this thread.
    pub(crate) fn invocation_of(context: &Bound<'_, PyAny>) -> Option<(Rc<Self>, Rc<Invocation>)> {
        let all = OF_THREAD
            .try_with(|all| all.borrow().iter().filter_map(Weak::upgrade).collect::<Vec<_>>());
        all.ok()?.into_iter().find_map(|contexts| {
            let invocation = contexts
                .current
                .borrow()
                .iter()
                .find(|(_, object)| object.as_ptr() == context.as_ptr())
                .and_then(|(invocation, _)| invocation.upgrade())?;
            Some((contexts, invocation))
        })
    }

    /// JSON text as a value.
    pub(crate) fn parse<'py>(
        &self,
        py: Python<'py>,
        text: &[u8],
    ) -> std::result::Result<Bound<'py, PyAny>, convert::ParseFailure> {
        match self.keys.try_borrow_mut() {
            Ok(mut keys) => convert::parse(py, text, &mut keys),
            // A finaliser of the guest's ran in the middle of another parse.
            Err(_) => convert::parse(py, text, &mut Keys::default()),
        }
    }

    pub(crate) fn clear(&self) {
        self.current.borrow_mut().clear();
    }

    /// The context object of an invocation, the same one for every function that is called for it.
    pub(crate) fn get<'py>(
        &self,
        py: Python<'py>,
        python: &Interpreter,
        invocation: &Rc<Invocation>,
    ) -> Result<Bound<'py, PyAny>> {
        let wanted = Rc::as_ptr(invocation);
        let known = self.current.borrow();
        if let Some((_, context)) = known.iter().find(|(seen, _)| seen.as_ptr() == wanted) {
            return Ok(context.bind(py).clone());
        }
        // Code of the guest's may run from here on (finalisers), and come back here.
        drop(known);
        let info = &self.function;
        let name = invocation.function_name.as_ref().or(info.name.as_ref());
        let client = self.document(py, invocation.client_context.as_deref(), "Client Context")?;
        let identity = self.document(py, invocation.identity.as_deref(), "Cognito Identity")?;
        let context = python.context.bind(py).call1((
            &invocation.request_id,
            &info.log_group,
            &info.log_stream,
            name,
            &info.memory_mb,
            &info.version,
            &invocation.invoked_function_arn,
            &invocation.tenant_id,
            client,
            identity,
            invocation.deadline_ms,
            &invocation.w3c,
        ));
        let context = context.map_err(|e| error::internal(py, &e))?;
        if self.trace_in_environment {
            set_trace(py, invocation.trace_id.as_deref()).map_err(|e| error::internal(py, &e))?;
        }
        let mut contexts = self.current.borrow_mut();
        let ended = contexts.extract_if(.., |(invocation, _)| invocation.strong_count() == 0);
        let ended: Vec<_> = ended.collect();
        contexts.push((Rc::downgrade(invocation), context.clone().unbind()));
        drop(contexts);
        // Their ends may be code of the guest's.
        drop(ended);
        Ok(context)
    }

    /// A JSON object that came with the event; `null` counts as absent.
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

/// The context variable's value while one function is called.
pub(crate) struct Request<'py> {
    variable: Bound<'py, PyAny>,
    token: Bound<'py, PyAny>,
}

impl<'py> Request<'py> {
    pub(crate) fn set(
        py: Python<'py>,
        python: &Interpreter,
        context: &Bound<'py, PyAny>,
    ) -> PyResult<Self> {
        let variable = python.request.bind(py).clone();
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
            // A guest that left the thread in another context: the old value is out of reach, and of no use there.
            drop(PyErr::take(self.variable.py()));
        }
    }
}

/// Tracing libraries find the invocation's trace in the environment.
fn set_trace(py: Python<'_>, trace: Option<&str>) -> PyResult<()> {
    const NAME: &str = "_X_AMZN_TRACE_ID";
    let environment = py.import("os")?.getattr("environ")?;
    match trace {
        Some(trace) => environment.set_item(NAME, trace),
        None => environment.call_method1("pop", (NAME, py.None())).map(drop),
    }
}
