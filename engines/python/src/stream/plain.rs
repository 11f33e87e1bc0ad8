//! Plain generators, driven from here.

use super::{Generator, outgoing::Outgoing};
use crate::{
    call::{Called, WaitsIn},
    error, host,
    instance::{PythonInstance, RootId},
    limits::{Call, Level},
    scopes::Entered,
};
use pyo3::{exceptions::PyStopIteration, intern, prelude::*};
use std::{cell::Cell, rc::Rc};
use tokio::{sync::Notify, task};
use trine_engine::{Error, Payload, ResponseStream, Result, Written};

/// What a generator is to do next.
enum Step {
    /// Go on to its next value.
    Next,
    /// Go on with this exception, raised at its `yield`.
    Throw(PyErr),
}

/// What a generator has done.
enum Done {
    /// It has yielded, and that was sent.
    Yielded(Written),
    /// It has yielded what cannot be sent.
    Refused(PyErr),
    Returned,
}

impl PythonInstance {
    pub(super) async fn stream_plain(
        &self,
        call: &Call,
        generator: &Generator,
        root: RootId,
        called: &Called<'_>,
        stream: ResponseStream,
    ) -> Result<Payload> {
        let outgoing = Outgoing::new(stream, self.settings);
        let warned = Rc::new(Notify::new());
        let _place = self.waits(call, called, WaitsIn::Host(warned.clone()));
        let open = Cell::new(true);
        let running = Running { instance: self, call, generator, root, called, open };
        let mut step = Step::Next;
        loop {
            let reads = match running.step(step, &outgoing)? {
                Done::Returned => return Ok(Payload::Streamed),
                Done::Refused(raised) => {
                    // One that tries again and again must not hold up the others.
                    task::yield_now().await;
                    step = Step::Throw(raised);
                    continue;
                }
                Done::Yielded(Written::Gone) => false,
                Done::Yielded(Written::Room | Written::Full) => tokio::select! {
                    biased;
                    () = call.stopped() => return Err(Error::stopped()),
                    () = warned.notified() => {
                        step = Step::Throw(Python::attach(|py| Level::Warning.error(py)));
                        continue;
                    }
                    reads = outgoing.stream().passed_on() => reads,
                },
            };
            if !reads {
                return running.close().map(|()| Payload::Streamed);
            }
            step = Step::Next;
        }
    }
}

/// A generator that has not ended. Closed when it is given up.
struct Running<'a> {
    instance: &'a PythonInstance,
    call: &'a Call,
    generator: &'a Generator,
    root: RootId,
    called: &'a Called<'a>,
    open: Cell<bool>,
}

impl Running<'_> {
    fn step(&self, step: Step, outgoing: &Outgoing) -> Result<Done> {
        self.inside(|py, generator| {
            let returned = match step {
                Step::Next => generator.call_method0(intern!(py, "__next__")),
                Step::Throw(raised) => {
                    generator.call_method1(intern!(py, "throw"), (raised.into_value(py),))
                }
            };
            match returned {
                Ok(_) if host::is_child() => Ok(Done::Returned),
                Ok(value) => Ok(match outgoing.put(&value) {
                    Ok(written) => Done::Yielded(written),
                    Err(raised) => Done::Refused(raised),
                }),
                Err(raised) => {
                    self.open.set(false);
                    match raised.is_instance_of::<PyStopIteration>(py) {
                        true => Ok(Done::Returned),
                        false => Err(raised),
                    }
                }
            }
        })
    }

    /// Raises `GeneratorExit` where it waits.
    fn close(&self) -> Result<()> {
        self.open.set(false);
        self.inside(|py, generator| generator.call_method0(intern!(py, "close")).map(drop))
    }

    /// Runs a part of the generator in its context, as a part of its call.
    fn inside<T>(
        &self,
        run: impl for<'py> FnOnce(Python<'py>, &Bound<'py, PyAny>) -> PyResult<T>,
    ) -> Result<T> {
        Python::attach(|py| {
            let section = self.call.section(py);
            let _scope = self.instance.enter(py, self.root)?;
            let entered = Entered::new(self.generator.context.bind(py).clone());
            let _context = entered.map_err(|e| error::internal(py, &e))?;
            let done = run(py, self.generator.object.bind(py));
            if host::is_child() {
                host::end_child(py, done.map(|_| true));
            }
            done.map_err(|raised| self.instance.failed(py, &section, &raised, self.called))
        })
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if self.open.get()
            && let Err(error) = self.close()
        {
            host::complain(&format!("a generator did not end in order: {error:#}"));
        }
    }
}
