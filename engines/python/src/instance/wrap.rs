//! `wrap` hooks: a handler goes in, another one comes out.

use super::PythonInstance;
use crate::{
    call::{Begun, Called},
    error,
    loader::{Arguments, Callable, Function},
};
use pyo3::prelude::*;
use trine_engine::{Error, ErrorKind, Form, FunctionId, Hook, Result};

impl PythonInstance {
    pub(super) async fn wrap(
        &self,
        wrapper: FunctionId,
        handler: FunctionId,
    ) -> Result<FunctionId> {
        self.refuse_after_end()?;
        let (wrapper, handler) = (self.function(wrapper)?, self.function(handler)?);
        let root = handler.root;
        let (Function::Callable(wrapper), Function::Callable(handler)) =
            (&wrapper.function, &handler.function)
        else {
            return Err(Error::new(ErrorKind::Unsupported, "a program cannot be wrapped"));
        };
        let called = Called { form: Form::Native, hook: Some(Hook::Wrap), invocation: None };
        let call = self.runs.enter();
        let begun = Python::attach(|py| {
            let section = call.section(py);
            let _scope = self.enter(py, root)?;
            let returned = self.with_both(py, handler).and_then(|handler| {
                let function = wrapper.object.bind(py);
                match wrapper.arguments {
                    Arguments::None => function.call0(),
                    _ => function.call1((handler,)),
                }
            });
            self.outcome(py, &section, returned, None, &called, |value, _| wrapped(value))
        });
        let function = match begun {
            Ok(Begun::Done(function)) => Ok(function),
            Ok(Begun::Waiting(task)) => {
                self.finish(&call, &task, &called, |value, _| wrapped(value)).await
            }
            Err(failed) => Err(failed),
        };
        self.left(&call, &function);
        function.map(|function| self.register(Function::Callable(function), root))
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
fn wrapped(value: &Bound<'_, PyAny>) -> Result<Callable> {
    if value.is_callable() {
        return Ok(Callable::new(value, None));
    }
    let class = error::type_name(&value.get_type());
    Err(Error::new(
        ErrorKind::HandlerNotFound,
        format!(
            "wrap must return a function, the new handler; it returned a value of type {class}"
        ),
    ))
}
