//! Asynchronous generators, driven by a task in the event loop, which waits for room there.

use super::{Generator, outgoing::Outgoing};
use crate::{
    call::{Begun, Called},
    error,
    event_loop::{EventLoop, Task},
    instance::{PythonInstance, RootId},
    interpreter,
    limits::Call,
};
use pyo3::prelude::*;
use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};
use tokio::sync::Notify;
use trine_engine::{Payload, ResponseStream, Result, Written};

/// The way from the task to the stream.
#[pyclass(frozen)]
struct Writer {
    outgoing: Outgoing,
    /// The future for which the task waits: whether anybody reads, once there is room.
    room: Mutex<Option<Py<PyAny>>>,
    /// Tells that it waits.
    waits: Notify,
    /// Whether the task knows that nobody reads any more.
    knows_end: AtomicBool,
}

#[pymethods]
impl Writer {
    /// Sends a value. Returns whether anybody reads; then `room` will be resolved.
    fn write(&self, value: &Bound<'_, PyAny>, room: Py<PyAny>) -> PyResult<bool> {
        if self.outgoing.put(value)? == Written::Gone {
            self.knows_end.store(true, Ordering::Relaxed);
            return Ok(false);
        }
        let before = self.replace(Some(room));
        self.waits.notify_one();
        drop(before);
        Ok(true)
    }

    #[getter]
    fn is_gone(&self) -> bool {
        self.outgoing.stream().is_gone()
    }
}

impl Writer {
    fn replace(&self, room: Option<Py<PyAny>>) -> Option<Py<PyAny>> {
        std::mem::replace(&mut *self.room.lock().unwrap_or_else(PoisonError::into_inner), room)
    }

    /// Tells the task, if it waits for room, whether anybody reads. Returns whether it waited.
    fn tell(&self, py: Python<'_>, reads: bool) -> PyResult<bool> {
        let Some(room) = self.replace(None) else { return Ok(false) };
        if room.call_method0(py, "done")?.is_truthy(py)? {
            return Ok(false);
        }
        if !reads {
            self.knows_end.store(true, Ordering::Relaxed);
        }
        room.call_method1(py, "set_result", (reads,))?;
        Ok(true)
    }
}

impl PythonInstance {
    pub(super) async fn stream_asynchronous(
        &self,
        call: &Call,
        generator: &Generator,
        root: RootId,
        called: &Called<'_>,
        stream: ResponseStream,
    ) -> Result<Payload> {
        let (writer, begun) = Python::attach(|py| {
            let section = call.section(py);
            let _scope = self.enter(py, root)?;
            let begin = || {
                let writer = Writer {
                    outgoing: Outgoing::new(stream.clone(), self.settings),
                    room: Mutex::new(None),
                    waits: Notify::new(),
                    knows_end: AtomicBool::new(false),
                };
                let writer = Py::new(py, writer)?;
                let drive = interpreter::of(self.python.stream(py)?.bind(py), "drive")?;
                let driven = drive.call1((generator.object.bind(py), writer.bind(py)))?;
                PyResult::Ok((writer, driven))
            };
            let (writer, driven) = begin().map_err(|e| error::internal(py, &e))?;
            let context = Some(generator.context.bind(py).clone());
            let begun = self.outcome(py, &section, Ok(driven), context, called, |_, _| Ok(()))?;
            Ok((writer, begun))
        })?;
        let task = match begun {
            Begun::Done(()) => return Ok(Payload::Streamed),
            Begun::Waiting(task) => task,
        };
        let Some(event_loop) = self.event_loop.made().cloned() else {
            return Err(trine_engine::Error::internal("a task waits without an event loop"));
        };
        tokio::select! {
            biased;
            raised = attend(writer.get(), &stream, &task, &event_loop) => {
                Err(Python::attach(|py| error::internal(py, &raised)))
            }
            ended = self.finish(call, &task, called, |_, _| Ok(Payload::Streamed)) => ended,
        }
    }
}

/// Tells the task of room, and when nobody reads any more, for as long as nothing fails.
async fn attend(
    writer: &Writer,
    stream: &ResponseStream,
    task: &Task,
    event_loop: &EventLoop,
) -> PyErr {
    let mut told_end = false;
    loop {
        let told = tokio::select! {
            biased;
            () = stream.gone(), if !told_end => {
                told_end = true;
                Python::attach(|py| {
                    if writer.knows_end.load(Ordering::Relaxed) || writer.tell(py, false)? {
                        return Ok(());
                    }
                    // It waits for something else, which is given up.
                    writer.knows_end.store(true, Ordering::Relaxed);
                    task.object(py).call_method0(py, "cancel").map(drop)
                })
            }
            () = writer.waits.notified() => {
                let reads = stream.passed_on().await;
                Python::attach(|py| writer.tell(py, reads).map(drop))
            }
        };
        if let Err(raised) = told {
            return raised;
        }
        event_loop.nudge();
    }
}
