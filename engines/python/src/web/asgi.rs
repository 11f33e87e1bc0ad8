//! ASGI applications: a task for each request, on the instance's event loop. Contract: ASGI 3.0.

mod exchange;
mod lifespan;
mod messages;
mod scope;
mod socket;
mod socket_messages;

pub(super) use lifespan::Lifespan;

use super::no_response;
use crate::{
    call::{Begun, Called},
    context::Request,
    error,
    event_loop::EventLoop,
    host,
    instance::{PythonInstance, RootId},
    interpreter::{self, Prelude},
    limits::Call,
};
use exchange::Exchange;
use pyo3::{
    PyClass, PyClassInitializer, intern, prelude::*, pyclass::boolean_struct::True,
    sync::PyOnceLock, types::PyDict,
};
use scope::About;
use socket::SocketExchange;
use std::{
    cell::OnceCell,
    future::poll_fn,
    pin::pin,
    rc::Rc,
    sync::Arc,
    task::{Context, Poll},
};
use trine_engine::{Error, Invocation, Payload, Result, WebRequest};

/// An application of ASGI 3.
pub(crate) struct Application {
    object: Py<PyAny>,
    lifespan: OnceCell<Rc<Lifespan>>,
}

/// The prelude's `asgi`.
struct Asgi {
    namespace: Py<PyDict>,
    receive: Py<PyAny>,
    send: Py<PyAny>,
}

fn prelude(py: Python<'_>) -> PyResult<&'static Asgi> {
    static ASGI: PyOnceLock<Asgi> = PyOnceLock::new();
    ASGI.get_or_try_init(py, || {
        let namespace = interpreter::run_prelude(py, Prelude::Asgi, &host::module(py)?)?;
        let receive = interpreter::of(&namespace, "receive")?.unbind();
        let send = interpreter::of(&namespace, "send")?.unbind();
        Ok(Asgi { namespace: namespace.unbind(), receive, send })
    })
}

/// Makes the exception of `send()` when nobody reads any more.
fn disconnected(py: Python<'_>, message: &str) -> PyErr {
    let made = prelude(py)
        .and_then(|prelude| interpreter::of(prelude.namespace.bind(py), "ClientDisconnected"))
        .and_then(|class| class.call1((message,)));
    made.map_or_else(|raised| raised, PyErr::from_value)
}

/// Whether an application has ended with that exception, or with one that it has led to.
fn is_disconnect(failed: &Error) -> bool {
    let mut next = Some(failed);
    while let Some(error) = next {
        let name = error.name();
        if matches!(name, "ClientDisconnected" | "ClientDisconnect")
            || matches!(name, "ExceptionGroup" | "BaseExceptionGroup")
        {
            return true;
        }
        next = error.cause();
    }
    false
}

impl Application {
    pub(super) fn new(object: &Bound<'_, PyAny>) -> Result<Self> {
        Ok(Self { object: object.clone().unbind(), lifespan: OnceCell::new() })
    }

    /// Makes one of an application of ASGI 2.
    pub(super) fn double(object: &Bound<'_, PyAny>) -> Result<Self> {
        let py = object.py();
        let made = prelude(py)
            .and_then(|prelude| interpreter::of(prelude.namespace.bind(py), "double"))
            .and_then(|double| double.call1((object,)));
        Self::new(&made.map_err(|e| error::internal(py, &e))?)
    }

    pub(super) fn object(&self) -> &Py<PyAny> {
        &self.object
    }

    /// Returns what its lifespan has left for its requests.
    fn state<'py>(&self, py: Python<'py>) -> Bound<'py, PyDict> {
        match self.lifespan.get() {
            Some(lifespan) => lifespan.state(py),
            None => PyDict::new(py),
        }
    }
}

impl PythonInstance {
    pub(super) async fn call_asgi(
        &self,
        call: &Call,
        application: &Application,
        root: RootId,
        request: Arc<WebRequest>,
        called: &Called<'_>,
        invocation: &Rc<Invocation>,
    ) -> Result<Payload> {
        if let Some(socket) = request.take_socket() {
            let exchange = SocketExchange::new(socket.clone());
            let asked = (application, root, &*request);
            let (exchange, begun) = self.begin_asgi(call, asked, exchange, called, invocation)?;
            let exchange = exchange.get();
            let mut ready = pin!(socket.ready());
            let attend = |cx: &mut Context<'_>, event_loop: &EventLoop| {
                exchange.poll_attend(cx, ready.as_mut(), event_loop)
            };
            return exchange.ended(self.finish_asgi(call, begun, called, attend).await);
        }
        let stream = invocation.stream.get();
        let exchange = Exchange::new(request.clone(), stream.clone());
        let asked = (application, root, &*request);
        let (exchange, begun) = self.begin_asgi(call, asked, exchange, called, invocation)?;
        let exchange = exchange.get();
        if let Ok(Begun::Done(())) = begun {
            return exchange.ended(Ok(()));
        }
        let mut gone = pin!(stream.gone());
        let attend = |cx: &mut Context<'_>, event_loop: &EventLoop| {
            exchange.poll_attend(cx, gone.as_mut(), event_loop)
        };
        exchange.ended(self.finish_asgi(call, begun, called, attend).await)
    }

    /// Calls an application with an exchange, and runs it until it waits.
    fn begin_asgi<T: PyClass<Frozen = True> + Into<PyClassInitializer<T>> + Sync>(
        &self,
        call: &Call,
        (application, root, request): (&Application, RootId, &WebRequest),
        exchange: T,
        called: &Called<'_>,
        invocation: &Rc<Invocation>,
    ) -> Result<(Py<T>, Result<Begun<()>>)> {
        Python::attach(|py| {
            let section = call.section(py);
            let _scope = self.enter(py, root)?;
            let context = self.contexts.get(py, self.python, invocation)?;
            let _current = Request::set(py, &context).map_err(|e| error::internal(py, &e))?;
            let exchange = Bound::new(py, exchange).map_err(|e| error::internal(py, &e))?;
            let object = exchange.as_any();
            let is_socket = object.is_instance_of::<SocketExchange>();
            let scope = self.scope(py, application, request, &context, is_socket)?;
            let (receive, send) = (intern!(py, "receive"), intern!(py, "send"));
            let ways = object.getattr(receive).and_then(|way| Ok((way, object.getattr(send)?)));
            let (receive, send) = ways.map_err(|e| error::internal(py, &e))?;
            let returned = application.object.bind(py).call1((scope, receive, send));
            let begun = self.outcome(py, &section, returned, None, called, awaited);
            Ok((exchange.unbind(), begun))
        })
    }

    /// Waits for the end of an application's task, and attends its exchange meanwhile.
    async fn finish_asgi(
        &self,
        call: &Call,
        begun: Result<Begun<()>>,
        called: &Called<'_>,
        mut attend: impl FnMut(&mut Context<'_>, &EventLoop) -> Poll<Error>,
    ) -> Result<()> {
        let task = match begun? {
            Begun::Done(()) => return Ok(()),
            Begun::Waiting(task) => task,
        };
        let Some(event_loop) = self.event_loop.made().cloned() else {
            return Err(Error::internal("a task waits without an event loop"));
        };
        tokio::select! {
            biased;
            ended = self.finish(call, &task, called, awaited) => ended,
            failed = poll_fn(|cx| attend(cx, &event_loop)) => Err(failed),
        }
    }

    /// Makes the scope of a request, with the event that it was made of.
    fn scope<'py>(
        &self,
        py: Python<'py>,
        application: &Application,
        request: &WebRequest,
        context: &Bound<'py, PyAny>,
        is_socket: bool,
    ) -> Result<Bound<'py, PyDict>> {
        let state = application.state(py);
        let about = About { shared: &self.web, state: &state, is_socket };
        let scope = scope::scope(py, request, &about).map_err(|e| error::internal(py, &e))?;
        if let Some(event) = self.event_of(py, request)? {
            let set = scope
                .set_item(intern!(py, "aws.event"), event)
                .and_then(|()| scope.set_item(intern!(py, "aws.context"), context));
            set.map_err(|e| error::internal(py, &e))?;
        }
        Ok(scope)
    }
}

/// Refuses what a call has returned that cannot be awaited, which has no context to be awaited in.
fn awaited(value: &Bound<'_, PyAny>, context: &Option<Bound<'_, PyAny>>) -> Result<()> {
    if context.is_some() {
        return Ok(());
    }
    let class = error::type_name(&value.get_type());
    let message = format!("object {class} can't be used in 'await' expression");
    Err(Error::guest("TypeError", format!("the ASGI application is no coroutine: {message}")))
}
