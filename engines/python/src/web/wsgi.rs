//! WSGI applications: plain functions, each of which has its thread while it runs. Contract: PEP 3333.

mod environ;
mod input;
mod start;

use crate::{
    call::{Called, WaitsIn},
    context::Request,
    error, host, host_signals,
    instance::{PythonInstance, RootId},
    interpreter::{self, Prelude},
    limits::Call,
    scopes::{self, Entered},
};
use input::Input;
use pyo3::{
    exceptions::PyTypeError,
    intern,
    prelude::*,
    sync::PyOnceLock,
    types::{PyDict, PyIterator, PyList, PyTuple},
};
use start::StartResponse;
use std::{cell::RefCell, rc::Rc, sync::Arc};
use tokio::sync::Notify;
use trine_engine::{Error, Invocation, Payload, ResponseStream, Result, WebRequest, Written};

/// The prelude's `wsgi`.
struct Wsgi {
    environ: Py<PyAny>,
    arriving: Py<PyAny>,
    spooled: Py<PyAny>,
    bytes_io: Py<PyAny>,
}

fn prelude(py: Python<'_>) -> PyResult<&'static Wsgi> {
    static WSGI: PyOnceLock<Wsgi> = PyOnceLock::new();
    WSGI.get_or_try_init(py, || {
        let namespace = interpreter::run_prelude(py, Prelude::Wsgi, &host::module(py)?)?;
        let of = |name: &str| interpreter::of(&namespace, name).map(Bound::unbind);
        Ok(Wsgi {
            environ: of("environ")?,
            arriving: of("arriving")?,
            spooled: of("spooled")?,
            bytes_io: py.import("io")?.getattr("BytesIO")?.unbind(),
        })
    })
}

/// A request on its way through an application.
struct Run<'a> {
    instance: &'a PythonInstance,
    call: &'a Call,
    root: RootId,
    called: &'a Called<'a>,
    start: Py<StartResponse>,
    /// The context (`contextvars`) in which all of it runs.
    context: Py<PyAny>,
    /// What the application has returned, until it is closed.
    body: RefCell<Option<Py<PyAny>>>,
    /// What gives the pieces of the body.
    pieces: RefCell<Option<Py<PyIterator>>>,
}

/// What an application has done.
enum Step {
    /// It has given a piece that is in the stream.
    Sent(Written),
    /// It has given all pieces.
    Ended,
}

impl PythonInstance {
    pub(super) async fn call_wsgi(
        &self,
        call: &Call,
        application: &Py<PyAny>,
        root: RootId,
        request: Arc<WebRequest>,
        called: &Called<'_>,
        invocation: &Rc<Invocation>,
    ) -> Result<Payload> {
        let (turn, input) = tokio::select! {
            biased;
            ready = async {
                let turn = self.web.turn.lock().await;
                // On the main thread the body may come from where this call would be waited for.
                let is_here = host_signals::is_on_main_thread();
                (turn, Input::of(request.take_body(), is_here).await)
            } => ready,
            () = call.stopped() => return Err(Error::stopped()),
        };
        let stream = invocation.stream.get();
        let prepared = (request, input?);
        let begun = self.begin_wsgi(call, application, root, prepared, called, invocation);
        let (run, step) = begun?;
        let outcome = match step {
            Ok(Step::Ended) => Ok(()),
            Ok(Step::Sent(written)) => run.go_on(written, stream).await,
            Err(failed) => Err(failed),
        };
        let closed = run.close();
        drop(turn);
        run.start.get().ended(outcome.and(closed))
    }

    /// Calls an application, and goes on to its first piece that is in the stream.
    fn begin_wsgi<'a>(
        &'a self,
        call: &'a Call,
        application: &Py<PyAny>,
        root: RootId,
        (request, input): (Arc<WebRequest>, Input),
        called: &'a Called<'a>,
        invocation: &Rc<Invocation>,
    ) -> Result<(Run<'a>, Result<Step>)> {
        Python::attach(|py| {
            let section = call.section(py);
            let _scope = self.enter(py, root)?;
            let object = self.contexts.get(py, self.python, invocation)?;
            let event = self.event_of(py, &request)?;
            let prepare = || {
                let current = Request::set(py, &object)?;
                let context = scopes::copy_current(py)?;
                drop(current);
                let may_wait = !host_signals::is_on_main_thread();
                let stream = invocation.stream.get().clone();
                let start = StartResponse::new(stream, request.method == "HEAD", may_wait);
                let environ = environ::environ(py, &request, &self.web)?;
                environ.set_item(intern!(py, "wsgi.input"), input.object(py)?)?;
                if let Some(event) = event {
                    for name in ["aws.event", "awsgi.event"] {
                        environ.set_item(name, &event)?;
                    }
                    for name in ["aws.context", "awsgi.context"] {
                        environ.set_item(name, &object)?;
                    }
                }
                PyResult::Ok((context, Bound::new(py, start)?, environ))
            };
            let (context, start, environ) = prepare().map_err(|e| error::internal(py, &e))?;
            let run = Run {
                instance: self,
                call,
                root,
                called,
                start: start.clone().unbind(),
                context: context.clone().unbind(),
                body: RefCell::default(),
                pieces: RefCell::default(),
            };
            let entered = Entered::new(context).map_err(|e| error::internal(py, &e))?;
            let step = run.begin(py, application.bind(py), &environ, &start);
            // Most are at their end here.
            let step = match step {
                Ok(Step::Sent(written)) => Ok(Step::Sent(written)),
                ended => {
                    let closed = run.close_here(py);
                    ended.and_then(|ended| closed.map(|()| ended))
                }
            };
            if host::is_child() {
                host::end_child(py, step.map(|_| true));
            }
            drop(entered);
            let step = step.map_err(|raised| self.failed(py, &section, &raised, called));
            Ok((run, step))
        })
    }
}

impl Run<'_> {
    fn begin(
        &self,
        py: Python<'_>,
        application: &Bound<'_, PyAny>,
        environ: &Bound<'_, PyDict>,
        start: &Bound<'_, StartResponse>,
    ) -> PyResult<Step> {
        let body = application.call1((environ, start))?;
        let start = start.get();
        if let Ok(list) = body.cast_exact::<PyList>() {
            let pieces: Vec<_> = list.iter().collect();
            return put_all(py, start, &pieces);
        }
        if let Ok(pieces) = body.cast_exact::<PyTuple>() {
            let pieces: Vec<_> = pieces.iter().collect();
            return put_all(py, start, &pieces);
        }
        *self.body.borrow_mut() = Some(body.clone().unbind());
        if body.hasattr(intern!(py, "__await__"))? {
            let class = error::type_name(&body.get_type());
            return Err(PyTypeError::new_err(format!(
                "the WSGI application returned an object of type {class}, which has to be awaited; is it an ASGI application?"
            )));
        }
        *self.pieces.borrow_mut() = Some(body.try_iter()?.unbind());
        self.next(py)
    }

    /// Goes on to the next piece that is in the stream.
    fn next(&self, py: Python<'_>) -> PyResult<Step> {
        let pieces = self.pieces.borrow().as_ref().map(|pieces| pieces.clone_ref(py));
        let Some(pieces) = pieces else { return Ok(Step::Ended) };
        let mut pieces = pieces.into_bound(py);
        let start = self.start.bind(py).get();
        for piece in pieces.by_ref() {
            let piece = start::bytes(&piece?)?;
            let is_empty = piece.is_empty();
            let written = start.put(py, piece, false)?;
            if written == Written::Gone || (start.is_streaming() && !is_empty) {
                return Ok(Step::Sent(written));
            }
        }
        Ok(Step::Ended)
    }

    /// Goes on to the end, each time when the last piece is on its way.
    async fn go_on(&self, mut written: Written, stream: &ResponseStream) -> Result<()> {
        let warned = Rc::new(Notify::new());
        let _place = self.instance.waits(self.call, self.called, WaitsIn::Host(warned));
        while written != Written::Gone {
            let reads = tokio::select! {
                biased;
                () = self.call.stopped() => return Err(Error::stopped()),
                reads = stream.passed_on() => reads,
            };
            if !reads {
                break;
            }
            match self.inside(|py| self.next(py))? {
                Step::Sent(next) => written = next,
                Step::Ended => break,
            }
        }
        Ok(())
    }

    /// Closes what the application has returned, once.
    fn close(&self) -> Result<()> {
        if self.body.borrow().is_none() {
            return Ok(());
        }
        self.inside(|py| self.close_here(py))
    }

    fn close_here(&self, py: Python<'_>) -> PyResult<()> {
        let Some(body) = self.body.borrow_mut().take() else { return Ok(()) };
        drop(self.pieces.borrow_mut().take());
        match body.bind(py).getattr_opt(intern!(py, "close"))? {
            Some(close) => close.call0().map(drop),
            None => Ok(()),
        }
    }

    /// Runs a part of the application, in its context, as a part of its call.
    fn inside<T>(&self, run: impl for<'py> FnOnce(Python<'py>) -> PyResult<T>) -> Result<T> {
        Python::attach(|py| {
            let section = self.call.section(py);
            let _scope = self.instance.enter(py, self.root)?;
            let entered = Entered::new(self.context.bind(py).clone());
            let _context = entered.map_err(|e| error::internal(py, &e))?;
            let done = run(py);
            if host::is_child() {
                host::end_child(py, done.map(|_| true));
            }
            done.map_err(|raised| self.instance.failed(py, &section, &raised, self.called))
        })
    }
}

impl Drop for Run<'_> {
    fn drop(&mut self) {
        if let Err(error) = self.close() {
            host::complain(&format!("the body of a response was not closed in order: {error:#}"));
        }
    }
}

/// Takes the pieces of a body that is all there.
fn put_all(py: Python<'_>, start: &StartResponse, pieces: &[Bound<'_, PyAny>]) -> PyResult<Step> {
    let lengths = pieces.iter().map(|piece| {
        let piece = start::bytes(piece)?;
        let length = piece.len();
        start.put(py, piece, true)?;
        PyResult::Ok(length)
    });
    let lengths: Vec<usize> = lengths.collect::<PyResult<_>>()?;
    if let [length] = lengths[..] {
        start.set_length(length);
    }
    Ok(Step::Ended)
}
