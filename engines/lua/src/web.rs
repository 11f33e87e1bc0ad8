//! Web applications: WSAPI's `run(wsapi_env)`, and `fetch(request)`. A call of one gets a request and gives a response.

mod body;
mod enter;
mod fields;
mod place;
mod reply;
mod request;
mod result;
mod tell;
mod wsapi;

pub(crate) use enter::enter;
pub(crate) use place::placed;
pub(crate) use tell::{Application, application, itself, unnamed};

use body::Body;
use mlua::ffi::{self, lua_State};
use reply::Reply;
use std::{
    cell::Cell,
    ffi::{c_int, c_void},
    ptr,
    rc::Rc,
    sync::Arc,
};
use trine_engine::{Interface, Invocation, Payload, Result, WebRequest};

/// The parts of a state's host that are about web applications.
pub(crate) struct Web {
    /// The call that runs, where it is that of an application.
    running: Cell<*const WebCall>,
    /// Keys of the metatables of environments, of requests and of their headers, and of the function that sends pieces.
    keys: Cell<Keys>,
}

/// Keys in a state's registry.
#[derive(Clone, Copy)]
pub(crate) struct Keys {
    pub(crate) environment: c_int,
    pub(crate) input: c_int,
    pub(crate) error: c_int,
    pub(crate) request: c_int,
    pub(crate) headers: c_int,
    pub(crate) driver: c_int,
}

impl Default for Web {
    fn default() -> Self {
        let none = ffi::LUA_REFNIL;
        Self {
            running: Cell::new(ptr::null()),
            keys: Cell::new(Keys {
                environment: none,
                input: none,
                error: none,
                request: none,
                headers: none,
                driver: none,
            }),
        }
    }
}

impl Web {
    pub(crate) fn set_keys(&self, keys: Keys) {
        self.keys.set(keys);
    }

    /// Notes which call runs from now on.
    pub(crate) fn run(&self, call: Option<&Rc<WebCall>>) {
        self.running.set(call.map_or(ptr::null(), Rc::as_ptr));
    }

    /// Returns the call that runs, if it is an application's: valid while its code runs.
    fn running(&self) -> Option<*const WebCall> {
        let running = self.running.get();
        (!running.is_null()).then_some(running)
    }

    /// Whether the call that runs is an application's.
    pub(crate) fn is_running(&self) -> bool {
        self.running().is_some()
    }

    /// Returns the running call, if the value at `index` is its request.
    ///
    /// # Safety
    /// `state` belongs to this host.
    unsafe fn owner_at(&self, state: *mut lua_State, index: c_int) -> Option<*const WebCall> {
        let running = self.running()?;
        // SAFETY: the call that runs is alive.
        let owner = unsafe { (*running).owner.get() };
        // SAFETY: as the caller vouches; asking for an address raises nothing.
        let asks = unsafe { ffi::lua_topointer(state, index) };
        (!owner.is_null() && ptr::eq(owner, asks)).then_some(running)
    }
}

/// Name and function of everything here that the prelude builds on.
pub(crate) const CLOSURES: [(&str, ffi::lua_CFunction); 5] = [
    ("body_take", body::take),
    ("body_wait", body::wait),
    ("web_put", result::put),
    ("web_event", request::event),
    ("web_context", request::context),
];

/// A call of a web application.
pub(crate) struct WebCall {
    interface: Interface,
    request: Arc<WebRequest>,
    invocation: Rc<Invocation>,
    /// The path below the mount, decoded; `None` where that is what it is.
    path: Option<Vec<u8>>,
    body: Rc<Body>,
    reply: Reply,
    /// The address of the table by which the application reads the body.
    owner: Cell<*const c_void>,
}

impl WebCall {
    pub(crate) fn new(
        interface: Interface,
        request: Arc<WebRequest>,
        invocation: Rc<Invocation>,
    ) -> Self {
        Self {
            interface,
            path: request::decoded(request.path_in_mount()),
            body: Rc::new(Body::new(request.clone())),
            request,
            invocation,
            reply: Reply::default(),
            owner: Cell::new(ptr::null()),
        }
    }

    /// Returns the path below the mount, decoded.
    fn path(&self) -> &[u8] {
        self.path.as_deref().unwrap_or_else(|| self.request.path_in_mount().as_bytes())
    }

    /// Sends what has been kept, because the call waits for something.
    pub(crate) fn before_wait(&self) {
        self.reply.before_wait(&self.invocation.stream);
    }

    /// Notes that the call goes on.
    pub(crate) fn after_wait(&self) {
        self.reply.after_wait();
    }

    /// Returns the answer, once the application has returned.
    pub(crate) fn end(&self) -> Result<Payload> {
        let has_body = self.request.method != "HEAD";
        self.reply.end(&self.invocation.stream, has_body)
    }
}
