//! Turns of the event loop beside those that drive a call: for what is left over when a call or a module has returned.

use crate::{
    blame::Assigned,
    call::Step,
    ending::{QUIET_TURNS, operations_on_files},
    error::from_core,
    instance::{Function, Kind, Shared},
    isolate::Entered,
};
use deno_runtime::deno_core::{PollEventLoopOptions, v8};
use std::{
    future::poll_fn,
    rc::Rc,
    task::{Context, Poll},
};
use trine_engine::{LocalFuture, Result};

/// The origin of failures that cannot be told to be of any request.
pub(crate) const OF_NOBODY: &str = "thrown by code of no request that is known";

impl Shared {
    /// Turns the event loop once, if anything is in it: work that earlier invocations left behind goes on, and a
    /// rejection that nobody handles comes to light before its invocation has its answer.
    ///
    /// # Errors
    /// What this invocation's own work threw. Errors of earlier ones are logged instead: they have their answers.
    pub(crate) fn turn_for_work<T>(
        &self,
        isolate: &mut Entered<'_>,
        step: &Step<T>,
        slot: Option<usize>,
    ) -> Result<()> {
        let leftovers = self.host.take_leftovers();
        let has_work = match step {
            Step::Returned(_) => self.host.take_work(),
            Step::Done(_) => Self::has_work(isolate),
            // It turns the loop anyway.
            Step::Pending(_) => false,
        };
        self.may_have_work.set(leftovers || has_work || matches!(step, Step::Pending(_)));
        if !leftovers && !has_work {
            return Ok(());
        }
        let waker = self.wakers.waker();
        let turn = isolate
            .runtime()
            .poll_event_loop(&mut Context::from_waker(&waker), PollEventLoopOptions::default());
        let Poll::Ready(Err(error)) = turn else {
            // Whatever was thrown has been caught after all.
            self.host.blamed.borrow_mut().take();
            return Ok(());
        };
        Self::go_on(isolate);
        match self.assign(from_core(error), slot) {
            Assigned::Unknown(error) if leftovers => self.host.log_stray(&error, None),
            Assigned::Ours(error) | Assigned::Unknown(error) => return Err(error),
            Assigned::Others => {}
        }
        Ok(())
    }

    /// Turns the event loop once after a module was loaded or a hook has run, if anything is in it.
    ///
    /// # Errors
    /// What failed unseen in that code: a promise that was rejected and that nobody has handled. Errors of
    /// earlier invocations are logged instead.
    pub(crate) fn turn_between_calls(&self) -> Result<()> {
        let mut isolate = self.isolate()?;
        let mut isolate = isolate.enter();
        if !Self::has_work(&mut isolate) {
            return Ok(());
        }
        let waker = self.wakers.waker();
        let turn = isolate
            .runtime()
            .poll_event_loop(&mut Context::from_waker(&waker), PollEventLoopOptions::default());
        match turn {
            Poll::Ready(Err(error)) if self.has_served() => {
                self.host.log_stray(&from_core(error), None)
            }
            Poll::Ready(Err(error)) => return Err(from_core(error)),
            _ => {}
        }
        Ok(())
    }

    /// Returns what turns the event loop between the requests to a web application, as Node would; once.
    pub(crate) fn background(self: &Rc<Self>) -> Option<LocalFuture<'static, ()>> {
        let is_web = |function: &Function| matches!(function.kind, Kind::Fetch | Kind::Node);
        if !self.functions.borrow().iter().any(is_web) || self.goes_on.replace(true) {
            return None;
        }
        let ticket = self.wakers.ticket();
        let shared = Rc::downgrade(self);
        Some(Box::pin(poll_fn(move |cx| {
            ticket.register(cx.waker());
            shared.upgrade().map_or(Poll::Ready(()), |shared| shared.turn_in_background(cx))
        })))
    }

    /// Turns the event loop, unless calls do. What fails belongs to requests that have their answers, or to none.
    fn turn_in_background(&self, cx: &Context<'_>) -> Poll<()> {
        if self.functions.borrow().is_empty() {
            // The instance has ended.
            return Poll::Ready(());
        }
        // Of an end that was asked for the next call is told.
        if self.awaited.count() > 0 || self.host.has_exit() || self.is_out_of_memory() {
            return Poll::Pending;
        }
        let Ok(mut isolate) = self.isolate() else { return Poll::Pending };
        let mut isolate = isolate.enter();
        let interrupts = self.forget_old_interrupts(&mut isolate);
        let waker = self.wakers.waker();
        let turn = isolate
            .runtime()
            .poll_event_loop(&mut Context::from_waker(&waker), PollEventLoopOptions::default());
        if self.is_cut_short(interrupts) {
            if !self.host.has_exit() {
                // Its error belongs to nobody any more.
                let _ = self.stopped(isolate.runtime().v8_isolate(), None);
            }
            return Poll::Pending;
        }
        if let Poll::Ready(Err(error)) = turn {
            Self::go_on(&mut isolate);
            if let Assigned::Ours(error) | Assigned::Unknown(error) =
                self.assign(from_core(error), None)
            {
                self.host.log_lost(&error, OF_NOBODY, None);
            }
            cx.waker().wake_by_ref();
        } else {
            self.host.blamed.borrow_mut().take();
        }
        Poll::Pending
    }

    /// Whether anything may be in the event loop that no call drives.
    pub(crate) fn may_rest(&self) -> bool {
        self.may_have_work.get() && self.awaited.count() == 0
    }

    /// Whether operations on files are under way that nothing drives, beside those that were waited for in vain.
    pub(crate) fn is_writing(&self) -> bool {
        self.may_rest()
            && self.isolate().is_ok_and(|mut isolate| {
                operations_on_files(isolate.enter().runtime()) > self.stuck.get()
            })
    }

    /// Turns the event loop while operations on files are under way, as Node would between two events. What fails
    /// meanwhile belongs to invocations that have their answers, and is logged.
    ///
    /// # Errors
    /// Those of code that was stopped by force.
    pub(crate) async fn rest(&self) -> Result<()> {
        let interrupts = self.forget_old_interrupts(&mut self.isolate()?.enter());
        let ticket = self.wakers.ticket();
        let stuck = self.stuck.get();
        // An operation that has ended is none any more, although its callback is still to come.
        let mut quiet = 0;
        let mut is_empty = false;
        poll_fn(|cx| {
            ticket.register(cx.waker());
            let Ok(mut isolate) = self.isolate() else { return Poll::Ready(Ok(())) };
            let mut isolate = isolate.enter();
            let waker = self.wakers.waker();
            let turn = isolate
                .runtime()
                .poll_event_loop(&mut Context::from_waker(&waker), PollEventLoopOptions::default());
            if self.host.has_exit() {
                // The next call is told.
                return Poll::Ready(Ok(()));
            }
            if self.is_cut_short(interrupts) {
                return Poll::Ready(Err(self.stopped(isolate.runtime().v8_isolate(), None)));
            }
            match turn {
                Poll::Ready(Ok(())) if is_empty => {
                    self.may_have_work.set(false);
                    self.stuck.set(0);
                    return Poll::Ready(Ok(()));
                }
                // A rejection that came last is found out with the next turn.
                Poll::Ready(Ok(())) => is_empty = true,
                Poll::Ready(Err(error)) => {
                    Self::go_on(&mut isolate);
                    if let Assigned::Ours(error) | Assigned::Unknown(error) =
                        self.assign(from_core(error), None)
                    {
                        self.host.log_stray(&error, None);
                    }
                }
                Poll::Pending => {
                    self.host.blamed.borrow_mut().take();
                }
            }
            // Whoever calls meanwhile turns the loop.
            if self.awaited.count() > 0 {
                self.stuck.set(stuck);
                return Poll::Ready(Ok(()));
            }
            let count = operations_on_files(isolate.runtime());
            self.stuck.set(count);
            if count > stuck {
                quiet = 0;
                return Poll::Pending;
            }
            if quiet == QUIET_TURNS {
                return Poll::Ready(Ok(()));
            }
            quiet += 1;
            cx.waker().wake_by_ref();
            Poll::Pending
        })
        .await
    }

    pub(crate) fn has_work(isolate: &mut Entered<'_>) -> bool {
        let (runtime, prelude) = isolate.parts();
        deno_runtime::deno_core::scope!(scope, runtime);
        let undefined = v8::undefined(scope).into();
        let has_work = v8::Local::new(scope, &prelude.has_work);
        has_work.call(scope, undefined, &[]).is_some_and(|has_work| has_work.is_true())
    }
}
