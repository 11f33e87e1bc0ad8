//! The body of a request, which is read when the application asks for it, and no further.

use crate::{host::Host, stream, waits::Outcome};
use bytes::Bytes;
use mlua::ffi::{self, lua_State};
use std::{
    cell::RefCell,
    ffi::c_int,
    future::{Future, poll_fn},
    rc::Rc,
    sync::Arc,
    task::{Context, Poll, Waker},
};
use trine_engine::{Error, RequestBody, StreamReader, WebRequest};

/// The body of a request.
pub(crate) struct Body(RefCell<State>);

struct State {
    /// The request, until the body is first asked for.
    request: Option<Arc<WebRequest>>,
    /// What has come in and has not been taken.
    ready: Bytes,
    /// What brings the rest.
    reader: Option<StreamReader>,
    /// Name and message of the error with which it has ended.
    failure: Option<(String, String)>,
}

/// The next piece of a body.
enum Piece {
    Bytes(Bytes),
    /// It has not come yet.
    Awaited,
    End,
    Failed(Error),
}

impl Body {
    pub(crate) fn new(request: Arc<WebRequest>) -> Self {
        Self(RefCell::new(State {
            request: Some(request),
            ready: Bytes::new(),
            reader: None,
            failure: None,
        }))
    }

    /// Returns how many bytes there are, where all of them are there already.
    pub(super) fn length(&self) -> Option<usize> {
        let mut state = self.0.borrow_mut();
        state.open();
        state.reader.is_none().then(|| state.ready.len())
    }

    /// Returns what is there, at most this many bytes.
    fn take(&self, most: usize) -> Piece {
        let mut state = self.0.borrow_mut();
        if state.poll(&mut Context::from_waker(Waker::noop())).is_pending() {
            return Piece::Awaited;
        }
        if !state.ready.is_empty() {
            let length = most.min(state.ready.len());
            return Piece::Bytes(state.ready.split_to(length));
        }
        match &state.failure {
            Some((name, message)) => Piece::Failed(Error::guest(name.as_str(), message.as_str())),
            None => Piece::End,
        }
    }

    /// Waits until something has come in, or nothing will.
    fn arrival(self: &Rc<Self>) -> impl Future<Output = ()> + use<> {
        let body = self.clone();
        poll_fn(move |cx| body.0.borrow_mut().poll(cx))
    }
}

impl State {
    /// Takes the body out of the request.
    fn open(&mut self) {
        match self.request.take().map(|request| request.take_body()) {
            Some(RequestBody::Whole(bytes)) => self.ready = bytes,
            Some(RequestBody::Arriving(reader)) => self.reader = Some(reader),
            None => {}
        }
    }

    /// Waits until a piece can be taken, or none will come.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.open();
        while self.ready.is_empty() {
            let Some(reader) = &mut self.reader else { break };
            match reader.poll_chunk(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Some(chunk)) => self.ready = chunk,
                Poll::Ready(None) => {
                    self.failure = failure(reader);
                    self.reader = None;
                }
            }
        }
        Poll::Ready(())
    }
}

/// Returns name and message of the error with which a body has ended, if it has not come whole.
fn failure(reader: &StreamReader) -> Option<(String, String)> {
    let stream = reader.stream();
    if !stream.has_failed() {
        return None;
    }
    let told = stream.take_failure();
    let told = told.map(|error| (error.name().to_owned(), error.message().to_owned()));
    Some(told.unwrap_or_else(|| {
        let message = "the body of the request has not come whole: its client is gone";
        ("Runtime.ClientDisconnected".to_owned(), message.to_owned())
    }))
}

/// Implements `body_take(owner, most)`: returns the next piece of the body of the running call's request, of at most this
/// many bytes, which may be less than there will be; false where it has yet to come; nil at its end; nil and what is wrong.
pub(super) unsafe extern "C-unwind" fn take(state: *mut lua_State) -> c_int {
    // SAFETY: the prelude calls this with the request or its input and a number; the call keeps what is its own alive
    // while its code runs. What has a destructor goes to the host before anything may raise.
    unsafe {
        let host = Host::of(state);
        let Some(call) = host.web().owner_at(state, 1) else {
            ffi::lua_pushnil(state);
            ffi::lua_pushstring(
                state,
                c"the request is over: its body cannot be read any more".as_ptr(),
            );
            return 2;
        };
        let most = usize::try_from(ffi::lua_tointeger(state, 2)).unwrap_or(0);
        match (*call).body.take(most) {
            Piece::Bytes(bytes) => {
                let text = host.stash(bytes);
                ffi::lua_pushlstring(state, text.as_ptr().cast(), text.len());
                // What was taken may be part of something large.
                host.stash(Bytes::new());
                1
            }
            Piece::Awaited => {
                ffi::lua_pushboolean(state, 0);
                1
            }
            Piece::End => {
                ffi::lua_pushnil(state);
                1
            }
            Piece::Failed(error) => stream::fail(state, host, error),
        }
    }
}

/// Implements `body_wait(owner)`: begins a wait for the next piece. It ends with false where the client is gone.
pub(super) unsafe extern "C-unwind" fn wait(state: *mut lua_State) -> c_int {
    // SAFETY: as for `take`.
    unsafe {
        let host = Host::of(state);
        if let Some(call) = host.web().owner_at(state, 1) {
            let call = &*call;
            let arrival = call.body.arrival();
            let gone = call.invocation.stream.get().gone();
            host.waits().begin(async {
                tokio::select! {
                    biased;
                    () = arrival => Outcome::Room(true),
                    () = gone => Outcome::Room(false),
                }
            });
        }
    }
    0
}
