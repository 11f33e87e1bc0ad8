//! `wrap` hooks: a handler goes in, another one comes out.

use super::PythonInstance;
use crate::{
    call::{Begun, Called},
    error,
    loader::{Arguments, Callable, Function},
    web::Application,
};
use pyo3::prelude::*;
use trine_engine::{Error, ErrorKind, Form, FunctionId, Hook, Interface, Result};

impl PythonInstance {
    pub(super) async fn wrap(
        &self,
        wrapper: FunctionId,
        handler: FunctionId,
    ) -> Result<FunctionId> {
        self.refuse_after_end()?;
        let (wrapper, handler) = (self.function(wrapper)?, self.function(handler)?);
        let root = handler.root;
        let Function::Callable(wrapper) = &wrapper.function else {
            return Err(Error::new(ErrorKind::Unsupported, "a program is no `wrap` hook"));
        };
        let handler = &handler.function;
        if let Function::Program(_) = handler {
            return Err(Error::new(ErrorKind::Unsupported, "a program cannot be wrapped"));
        }
        let interface = match handler {
            Function::Web(application) => Some(application.interface()),
            _ => None,
        };
        let called = Called { form: Form::Native, hook: Some(Hook::Wrap), invocation: None };
        let call = self.runs.enter();
        let begun = Python::attach(|py| {
            let section = call.section(py);
            let _scope = self.enter(py, root)?;
            let returned = self.as_wrapped(py, handler).and_then(|handler| {
                let function = wrapper.object.bind(py);
                match wrapper.arguments {
                    Arguments::None => function.call0(),
                    _ => function.call1((handler,)),
                }
            });
            self.outcome(py, &section, returned, None, &called, |value, _| {
                wrapped(value, interface)
            })
        });
        let function = match begun {
            Ok(Begun::Done(function)) => Ok(function),
            Ok(Begun::Waiting(task)) => {
                self.finish(&call, &task, &called, |value, _| wrapped(value, interface)).await
            }
            Err(failed) => Err(failed),
        };
        self.left(&call, &function);
        let function = function?;
        if let Function::Web(application) = &function {
            self.start_application(&call, application, root).await?;
        }
        Ok(self.register(function, root))
    }

    /// Returns what a `wrap` hook gets: a function of event and context, or the application itself.
    fn as_wrapped<'py>(&self, py: Python<'py>, handler: &Function) -> PyResult<Bound<'py, PyAny>> {
        match handler {
            Function::Callable(handler) => self.with_both(py, handler),
            Function::Web(application) => Ok(application.object().bind(py).clone()),
            Function::Program(_) => Ok(py.None().into_bound(py)),
        }
    }

    /// Makes a function of event and context from a handler.
    pub(crate) fn with_both<'py>(
        &self,
        py: Python<'py>,
        handler: &Callable,
    ) -> PyResult<Bound<'py, PyAny>> {
        let function = handler.object.bind(py);
        if handler.arguments == Arguments::EventAndContext {
            return Ok(function.clone());
        }
        let takes_event = handler.arguments == Arguments::Event;
        let with_both = self.python.guest.bind(py).get_item("with_both")?;
        with_both.expect("the prelude defines it").call1((function, takes_event))
    }
}

/// Returns the function that a `wrap` hook returned.
fn wrapped(value: &Bound<'_, PyAny>, interface: Option<Interface>) -> Result<Function> {
    if value.is_callable() {
        let application = match interface {
            Some(_) => Application::of(value, interface)?,
            None => None,
        };
        return Ok(match application {
            Some(application) => Function::Web(application),
            None => Function::Callable(Callable::new(value, None)),
        });
    }
    let class = error::type_name(&value.get_type());
    Err(Error::new(
        ErrorKind::HandlerNotFound,
        format!(
            "wrap must return a function, the new handler; it returned a value of type {class}"
        ),
    ))
}
