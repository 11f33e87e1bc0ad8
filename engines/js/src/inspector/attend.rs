//! The isolate's side: serving its debuggers while no code runs, waiting for one before any does, and connections that go
//! out to one.

use super::{
    http::{self, Hearing, Place},
    server::Registered,
    sockets::sockets,
    target::Target,
};
use crate::instance::Shared;
use deno_runtime::deno_core::unsync::spawn;
use std::{
    future::poll_fn,
    net::TcpStream,
    pin::pin,
    rc::{Rc, Weak},
    sync::Arc,
    task::{Context, Poll},
};
use tokio::{
    runtime::Handle,
    sync::{oneshot, watch},
};
use trine_engine::{AttachedDebugger, DebugSession, Error, Result};
use uuid::Uuid;

/// Serves the debuggers of an isolate whenever they have sent something and no code runs that would hear of it, for as long
/// as the isolate lives.
pub(crate) fn attend(shared: &Rc<Shared>, target: Arc<Target>) {
    // Without a runtime no instance could do anything.
    if Handle::try_current().is_err() {
        return;
    }
    let shared: Weak<Shared> = Rc::downgrade(shared);
    spawn(poll_fn(move |cx| {
        let Some(shared) = shared.upgrade().filter(|_| target.wakes(cx.waker())) else {
            return Poll::Ready(());
        };
        shared.serve_debuggers(cx);
        Poll::Pending
    }));
}

impl Shared {
    /// Handles what debuggers have sent.
    pub(crate) fn serve_debuggers(&self, cx: &mut Context<'_>) {
        // Whoever works with the isolate at this instant looks for messages.
        let Ok(mut isolate) = self.isolate() else { return };
        let mut isolate = isolate.enter();
        let runtime = isolate.runtime();
        let inspector = runtime.inspector();
        deno_runtime::deno_core::scope!(_scope, runtime);
        inspector.poll_sessions_from_event_loop(cx);
    }

    /// Waits for a debugger that lets guests run, where one is to be waited for.
    ///
    /// # Errors
    /// When the instance is stopped meanwhile.
    pub(crate) async fn wait_for_debugger(&self) -> Result<()> {
        let Some(target) = self.limits.target.get().filter(|target| target.waits()) else {
            return Ok(());
        };
        // Nobody hangs who waits for a person.
        let _attached = AttachedDebugger::new();
        self.unless_interrupted(poll_fn(|cx| {
            target.wakes(cx.waker());
            target.break_at_start();
            let waits = target.waits();
            self.serve_debuggers(cx);
            if waits { Poll::Pending } else { Poll::Ready(()) }
        }))
        .await
    }

    /// Connects the debugger at the other end to this instance, and waits until it lets guests run, or is gone.
    pub(crate) async fn attach_debugger(
        self: &Rc<Self>,
        connection: TcpStream,
    ) -> Result<DebugSession> {
        let target = self.debug_target()?;
        let failed =
            |error: std::io::Error| Error::internal(format!("cannot attach a debugger: {error}"));
        let sockets = sockets().map_err(failed)?;
        connection.set_nonblocking(true).map_err(failed)?;
        let connection = {
            let _inside = sockets.enter();
            tokio::net::TcpStream::from_std(connection).map_err(failed)?
        };
        let (hold, held) = watch::channel(());
        let (released, release) = oneshot::channel();
        let place = Place::One(target, Hearing::new(released, held));
        sockets.spawn(http::serve(connection, place));
        let _attached = AttachedDebugger::new();
        let mut release = pin!(release);
        self.unless_interrupted(poll_fn(|cx| release.as_mut().poll(cx).map(drop))).await?;
        // What it has asked for before it let guests run is done before they do.
        poll_fn(|cx| {
            self.serve_debuggers(cx);
            Poll::Ready(())
        })
        .await;
        Ok(DebugSession::new(hold))
    }

    /// Returns the target for debuggers, made now where there is none.
    fn debug_target(self: &Rc<Self>) -> Result<Arc<Target>> {
        if let Some(target) = self.limits.target.get() {
            return Ok(target);
        }
        let inspector = self.isolate()?.enter().runtime().inspector();
        let target = Target::new(Uuid::new_v4(), false);
        target.started(inspector.get_session_sender());
        self.limits.target.set(target.clone());
        self.registered.replace(Some(Registered::nowhere(target.clone())));
        attend(self, target.clone());
        Ok(target)
    }

    /// Waits for something unless the instance is stopped.
    async fn unless_interrupted(&self, something: impl Future<Output = ()>) -> Result<()> {
        let ticket = self.wakers.ticket();
        let interrupts = self.limits.interrupts();
        let mut something = pin!(something);
        poll_fn(|cx| {
            ticket.register(cx.waker());
            if self.limits.interrupts() != interrupts {
                return Poll::Ready(Err(Error::stopped()));
            }
            something.as_mut().poll(cx).map(Ok)
        })
        .await
    }
}
