//! The calls of an instance's functions, from the input to the answer.

use crate::{
    context::Request,
    debugger, error,
    event_loop::Task,
    host,
    instance::{PythonInstance, RootId},
    limits::{Call, Section},
    loader::{Arguments, Callable, Function},
    scopes::{self, Everybodys},
    stream::Answer,
};
use pyo3::{
    prelude::*,
    types::{PyBool, PyBytes, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple},
};
use std::{cell::RefCell, rc::Rc};
use tokio::sync::Notify;
use trine_engine::{Error, ErrorKind, Form, FunctionId, Hook, Invocation, Payload, Result};

/// A call that waits.
pub(crate) struct Waiting {
    call: u64,
    /// Only ever compared.
    invocation: *const Invocation,
    place: WaitsIn,
}

/// The place where a call waits, and hears of a near deadline.
pub(crate) enum WaitsIn {
    /// The event loop, with this task.
    Loop(Py<PyAny>),
    /// The host: whoever waits there raises the warning in the guest's code.
    Host(Rc<Notify>),
}

/// The state of a call when it first had to wait.
pub(crate) enum Begun<T> {
    Done(T),
    Waiting(Task),
}

/// The facts about a call that determine its result.
pub(crate) struct Called<'a> {
    pub(crate) form: Form,
    pub(crate) hook: Option<Hook>,
    pub(crate) invocation: Option<&'a Rc<Invocation>>,
}

impl PythonInstance {
    pub(crate) async fn call(
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
                let answer = match self.begin(&call, callable, root, input, &called, invocation) {
                    Ok(Begun::Done(answer)) => Ok(answer),
                    Ok(Begun::Waiting(task)) => {
                        self.finish(&call, &task, &called, |value, context| {
                            self.answered(value, context, &called)
                        })
                        .await
                    }
                    Err(failed) => Err(failed),
                };
                match answer {
                    Ok(Answer::Whole(payload)) => Ok(payload),
                    // Boxed, as the other answers have no use for its room.
                    Ok(Answer::Stream(generator)) => {
                        Box::pin(self.stream(&call, &generator, root, &called, invocation)).await
                    }
                    Err(failed) => Err(failed),
                }
            }
            Function::Web(application) => {
                let called = Called { form, hook: None, invocation: Some(invocation) };
                self.call_web(&call, application, root, input, &called, invocation).await
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
    pub(crate) fn left<T>(&self, call: &Call, answer: &Result<T>) {
        let stopped = |failed: &Error| failed.kind() == ErrorKind::Timeout && failed.poisons();
        if answer.as_ref().is_err_and(stopped) {
            call.ended_by_interrupt();
        }
        self.calls.set(self.calls.get() + 1);
        host::flush();
    }

    pub(crate) fn begin(
        &self,
        call: &Call,
        function: &Callable,
        root: RootId,
        input: Payload,
        called: &Called<'_>,
        invocation: &Rc<Invocation>,
    ) -> Result<Begun<Answer>> {
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
                    let event = self.event(py, input, invocation, function.hook)?;
                    if function.hook.is_none() && invocation.conventions.is_some() {
                        let found = self.contexts.find_headers(py, self.python, &event, invocation);
                        found.map_err(|e| error::internal(py, &e))?;
                    }
                    Some(event)
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
            self.outcome(py, &section, returned, None, called, |value, context| {
                self.answered(value, context, called)
            })
        })
    }

    /// Returns the outcome of calling a function: its answer, or the task that waits for it. What can be awaited is, in
    /// `context` or a copy of the current one; `answer` gets that as well.
    pub(crate) fn outcome<'py, T>(
        &self,
        py: Python<'py>,
        section: &Section<'_, 'py>,
        returned: PyResult<Bound<'py, PyAny>>,
        mut context: Option<Bound<'py, PyAny>>,
        called: &Called<'_>,
        answer: impl FnOnce(&Bound<'py, PyAny>, &Option<Bound<'py, PyAny>>) -> Result<T>,
    ) -> Result<Begun<T>> {
        let returned = self.run(returned, &mut context);
        if host::is_child() {
            host::end_child(py, returned.map(|value| value.is_ok()));
        }
        match returned {
            Ok(Ok(value)) => match answer(&value, &context) {
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
        context: &mut Option<Bound<'py, PyAny>>,
    ) -> PyResult<std::result::Result<Bound<'py, PyAny>, Task>> {
        let value = returned?;
        if !is_awaitable(&value) {
            return Ok(Ok(value));
        }
        let context = match context {
            Some(context) => context,
            None => context.insert(scopes::copy_current(value.py())?),
        };
        self.event_loop.get(value.py())?.begin(&value, context)
    }

    pub(crate) async fn finish<T>(
        &self,
        call: &Call,
        task: &Task,
        called: &Called<'_>,
        answer: impl for<'py> FnOnce(&Bound<'py, PyAny>, &Option<Bound<'py, PyAny>>) -> Result<T>,
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
        let _place = self.waits(call, called, WaitsIn::Loop(object));
        let finished = event_loop.finish(task, call, pump).await;
        Python::attach(|py| {
            let section = call.section(py);
            let failed = match finished {
                Ok(()) => match task.result(py) {
                    Ok(value) => return answer(&value, &Some(task.context(py))),
                    Err(raised) => raised,
                },
                Err(None) => return Err(error::interrupted(py, None)),
                Err(Some(raised)) => raised,
            };
            Err(self.failed(py, &section, &failed, called))
        })
    }

    /// Notes that a call waits, until the result is dropped.
    pub(crate) fn waits(
        &self,
        call: &Call,
        called: &Called<'_>,
        place: WaitsIn,
    ) -> WaitingPlace<'_> {
        let invocation = called.invocation.map_or(std::ptr::null(), Rc::as_ptr);
        self.waiting.borrow_mut().push(Waiting { call: call.id(), invocation, place });
        WaitingPlace { waiting: &self.waiting, call: call.id() }
    }

    /// Returns the outcome of a call that raised.
    pub(crate) fn failed(
        &self,
        py: Python<'_>,
        section: &Section<'_, '_>,
        raised: &PyErr,
        called: &Called<'_>,
    ) -> Error {
        if section.was_stopped() || raised.get_type(py).is(&self.python.interrupted) {
            return error::interrupted(py, Some(raised));
        }
        debugger::raised(py, raised);
        if section.was_stopped() {
            return error::interrupted(py, Some(raised));
        }
        let id = called.invocation.map_or("", |invocation| invocation.request_id.as_str());
        let failed = error::raised(py, raised, id);
        self.keep_thrown(raised.value(py), called);
        failed
    }

    pub(crate) fn warn(&self, invocation: &Rc<Invocation>) {
        let waiting = self.waiting.borrow();
        let of_this = waiting.iter().filter(|call| call.invocation == Rc::as_ptr(invocation));
        let mut calls: Vec<_> = of_this.filter(|call| self.runs.warn_once(call.call)).collect();
        if calls.is_empty() {
            return;
        }
        calls.retain(|call| match &call.place {
            WaitsIn::Host(waits) => {
                waits.notify_one();
                false
            }
            WaitsIn::Loop(_) => true,
        });
        let Some(event_loop) = self.event_loop.made().filter(|_| !calls.is_empty()) else { return };
        let tasks: Vec<_> = Python::attach(|py| {
            let task = |call: &&Waiting| match &call.place {
                WaitsIn::Loop(task) => Some((call.call, task.clone_ref(py))),
                WaitsIn::Host(_) => None,
            };
            calls.iter().filter_map(task).collect()
        });
        drop(waiting);
        Python::attach(|py| {
            for (call, task) in tasks {
                match event_loop.warn(py, &task) {
                    Ok(true) => {}
                    Ok(false) => self.runs.take_back_warning(call),
                    Err(raised) => raised.write_unraisable(py, None),
                }
            }
        });
    }
}

/// A waiting call's place in the list, given up however the wait ends.
pub(crate) struct WaitingPlace<'a> {
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

/// Whether a value can be awaited. The plain ones are told without a look at their attributes.
fn is_awaitable(value: &Bound<'_, PyAny>) -> bool {
    let plain = value.is_none()
        || value.is_exact_instance_of::<PyDict>()
        || value.is_exact_instance_of::<PyString>()
        || value.is_exact_instance_of::<PyList>()
        || value.is_exact_instance_of::<PyInt>()
        || value.is_exact_instance_of::<PyBool>()
        || value.is_exact_instance_of::<PyFloat>()
        || value.is_exact_instance_of::<PyBytes>()
        || value.is_exact_instance_of::<PyTuple>();
    !plain && value.get_type().hasattr("__await__").unwrap_or(false)
}
