//! A handler's answer that is streamed: a generator, whose values are the chunks.
//!
//! A plain generator is driven from here, one value at a time on the thread of its call; between two of them other calls
//! go on. An asynchronous one is driven by a task of its own in the event loop. Either way the next value is asked for when
//! the last one is on its way and there is room for more.

mod asynchronous;
mod outgoing;
mod plain;

use crate::{
    call::Called,
    instance::{PythonInstance, RootId},
    limits::Call,
    scopes,
};
use pyo3::{
    ffi,
    prelude::*,
    types::{PyBytes, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple, PyType},
};
use std::rc::Rc;
use trine_engine::{Invocation, Payload, Result};

/// The outcome of a function: its result, or a generator that makes it.
pub(crate) enum Answer {
    Whole(Payload),
    Stream(Generator),
}

/// A generator that a handler returned.
pub(crate) struct Generator {
    object: Py<PyAny>,
    kind: Kind,
    /// The context (`contextvars`) that it runs in, from its first value to its end.
    context: Py<PyAny>,
}

/// The kinds of generators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Plain,
    Asynchronous,
}

impl Kind {
    /// Returns the kind of a value that is a generator, or an object with all methods of one (a compiled module's).
    fn of(value: &Bound<'_, PyAny>) -> Option<Self> {
        let class = value.get_type_ptr();
        if class == &raw mut ffi::PyGen_Type {
            return Some(Self::Plain);
        }
        if class == &raw mut ffi::PyAsyncGen_Type {
            return Some(Self::Asynchronous);
        }
        // Results of these kinds are told without a look at their attributes.
        let is_value = value.is_none()
            || value.is_instance_of::<PyDict>()
            || value.is_instance_of::<PyString>()
            || value.is_instance_of::<PyList>()
            || value.is_instance_of::<PyInt>()
            || value.is_instance_of::<PyFloat>()
            || value.is_instance_of::<PyTuple>()
            || value.is_instance_of::<PyBytes>();
        if is_value {
            return None;
        }
        let class = value.get_type();
        if has_all(&class, ["__next__", "send", "throw", "close"]) {
            return Some(Self::Plain);
        }
        let asynchronous = has_all(&class, ["__anext__", "asend", "athrow", "aclose"]);
        asynchronous.then_some(Self::Asynchronous)
    }
}

fn has_all(class: &Bound<'_, PyType>, names: [&str; 4]) -> bool {
    names.iter().all(|name| class.hasattr(*name).unwrap_or(false))
}

impl PythonInstance {
    /// Returns the answer for what a function returned. `context` is the one in which that was awaited.
    pub(crate) fn answered(
        &self,
        value: &Bound<'_, PyAny>,
        context: &Option<Bound<'_, PyAny>>,
        called: &Called<'_>,
    ) -> Result<Answer> {
        let kind = if called.hook.is_none() { Kind::of(value) } else { None };
        let Some(kind) = kind else { return self.answer(value, called).map(Answer::Whole) };
        let context = match context {
            Some(context) => Ok(context.clone()),
            None => scopes::copy_current(value.py()),
        };
        let context = context.map_err(|e| crate::error::internal(value.py(), &e))?;
        let object = value.clone().unbind();
        Ok(Answer::Stream(Generator { object, kind, context: context.unbind() }))
    }

    /// Sends what a generator yields, to its end.
    pub(crate) async fn stream(
        &self,
        call: &Call,
        generator: &Generator,
        root: RootId,
        called: &Called<'_>,
        invocation: &Rc<Invocation>,
    ) -> Result<Payload> {
        let stream = invocation.stream.get().clone();
        match generator.kind {
            Kind::Plain => self.stream_plain(call, generator, root, called, stream).await,
            Kind::Asynchronous => {
                self.stream_asynchronous(call, generator, root, called, stream).await
            }
        }
    }
}
