//! Turns of the event loop beside those that drive a call: for what is left over when a call or a module has returned.

use crate::{blame::Assigned, call::Step, error::from_core, instance::Shared, isolate::Entered};
use deno_runtime::deno_core::{PollEventLoopOptions, v8};
use std::task::{Context, Poll};
use trine_engine::Result;

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

    /// Turns the event loop once after a module was loaded, if anything is in it.
    ///
    /// # Errors
    /// What failed unseen in its top-level code: a promise that was rejected and that nobody has handled. Errors of
    /// earlier invocations are logged instead.
    pub(crate) fn turn_after_load(&self) -> Result<()> {
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

    pub(crate) fn has_work(isolate: &mut Entered<'_>) -> bool {
        let (runtime, prelude) = isolate.parts();
        deno_runtime::deno_core::scope!(scope, runtime);
        let undefined = v8::undefined(scope).into();
        let has_work = v8::Local::new(scope, &prelude.has_work);
        has_work.call(scope, undefined, &[]).is_some_and(|has_work| has_work.is_true())
    }
}
