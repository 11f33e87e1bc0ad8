//! Web applications as handlers: what takes web requests, by ASGI or by WSGI.

mod asgi;
mod response;
mod seen;
mod tell;
mod text;
mod wsgi;

use crate::{
    call::Called,
    instance::{PythonInstance, RootId},
    limits::Call,
};
use pyo3::{
    prelude::*,
    types::{PyBytes, PyString},
};
use std::{
    cell::{OnceCell, RefCell},
    rc::Rc,
};
use tell::Told;
use trine_engine::{Error, ErrorKind, Interface, Invocation, Payload, Result, WebRequest};

/// The name of the error of an application that ends without an answer.
const NO_RESPONSE: &str = "Runtime.NoResponse";

/// A web application.
pub(crate) enum Application {
    Asgi(asgi::Application),
    Wsgi(Py<PyAny>),
}

/// What the web applications of an instance have in common.
#[derive(Default)]
pub(crate) struct Shared {
    /// The names of header fields in ASGI's scopes.
    names: RefCell<seen::Seen<PyBytes>>,
    /// The keys of header fields in WSGI's environments.
    keys: RefCell<seen::Seen<PyString>>,
    /// Methods, schemes and hosts.
    words: RefCell<seen::Seen<PyString>>,
    /// One application of WSGI at a time has the thread: what is bound to it is one request's.
    turn: tokio::sync::Mutex<()>,
    /// The lifespans of applications, by their objects.
    lifespans: RefCell<Vec<Rc<asgi::Lifespan>>>,
    /// The environment that all WSGI requests have in common.
    environ: OnceCell<Py<pyo3::types::PyDict>>,
}

impl Shared {
    /// Whether there are applications that may have begun something as they started.
    pub(crate) fn has_lifespans(&self) -> bool {
        !self.lifespans.borrow().is_empty()
    }

    /// Returns the string of a word that comes up again and again.
    fn word<'py>(&self, py: Python<'py>, word: &str) -> Bound<'py, PyString> {
        self.words.borrow_mut().get(py, word.as_bytes(), |_| PyString::new(py, word))
    }
}

impl Application {
    /// Returns the application that a callable is, if it is one. `interface` is the one that somebody has said it has.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] where that is none of Python's.
    pub(crate) fn of(
        object: &Bound<'_, PyAny>,
        interface: Option<Interface>,
    ) -> Result<Option<Self>> {
        let told = match interface {
            None => tell::tell(object),
            Some(Interface::Event) => Told::Event,
            Some(Interface::Wsgi) => Told::Wsgi,
            Some(Interface::Asgi) => match tell::tell(object) {
                Told::DoubleAsgi => Told::DoubleAsgi,
                Told::Event if tell::takes_scope_alone(object) => Told::DoubleAsgi,
                _ => Told::Asgi,
            },
            Some(other) => {
                let message = format!(
                    "Python's handlers have no interface '{other}': it is one of event, asgi, wsgi"
                );
                return Err(Error::new(ErrorKind::Unsupported, message));
            }
        };
        Ok(match told {
            Told::Event => None,
            Told::Wsgi => Some(Self::Wsgi(object.clone().unbind())),
            Told::Asgi => Some(Self::Asgi(asgi::Application::new(object)?)),
            Told::DoubleAsgi => Some(Self::Asgi(asgi::Application::double(object)?)),
        })
    }

    /// Whether a callable is one.
    pub(crate) fn is(object: &Bound<'_, PyAny>) -> bool {
        tell::tell(object) != Told::Event
    }

    pub(crate) fn interface(&self) -> Interface {
        match self {
            Self::Asgi(_) => Interface::Asgi,
            Self::Wsgi(_) => Interface::Wsgi,
        }
    }

    /// Returns the application itself.
    pub(crate) fn object(&self) -> &Py<PyAny> {
        match self {
            Self::Asgi(application) => application.object(),
            Self::Wsgi(object) => object,
        }
    }
}

impl PythonInstance {
    /// Calls an application with a web request.
    pub(crate) async fn call_web(
        &self,
        call: &Call,
        application: &Application,
        root: RootId,
        input: Payload,
        called: &Called<'_>,
        invocation: &Rc<Invocation>,
    ) -> Result<Payload> {
        let Payload::Request(request) = input else {
            let interface = application.interface();
            let message = format!(
                "the handler is a web application ({interface}), which takes requests and no events"
            );
            return Err(Error::new(ErrorKind::Unsupported, message));
        };
        match application {
            Application::Asgi(application) => {
                self.call_asgi(call, application, root, request, called, invocation).await
            }
            Application::Wsgi(application) => {
                self.call_wsgi(call, application, root, request, called, invocation).await
            }
        }
    }
}

impl PythonInstance {
    /// Returns the event that a request was made of.
    fn event_of<'py>(
        &self,
        py: Python<'py>,
        request: &WebRequest,
    ) -> Result<Option<Bound<'py, PyAny>>> {
        let Some(event) = &request.event else { return Ok(None) };
        let event = self.contexts.parse(py, event).map_err(|failure| {
            let reason = failure.describe(py);
            Error::new(ErrorKind::Unmarshal, format!("Unable to unmarshal input: {reason}"))
        })?;
        Ok(Some(event))
    }
}

/// Makes the error of an application that has ended without a whole answer.
fn no_response(message: &str) -> Error {
    Error::guest(NO_RESPONSE, message)
}
