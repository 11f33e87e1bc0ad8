//! One invocation from its event to its answer, with the time it has.

use super::{
    records::{Conversion, Run},
    traced::Traced,
};
use crate::{
    pipeline::{Observer, Pipeline},
    telemetry::Trail,
    watchdog::{Rescue, Stage, Watch, Watchdog, Watched},
};
use std::{
    cell::{Cell, RefCell},
    future::{Future, poll_fn},
    pin::{Pin, pin},
    rc::Rc,
    task::{Context, Poll},
};
use trine_engine::{Error, ErrorKind, Invocation, Payload, Result, timed_out};

/// The right to answer an invocation, which the watchdog looks after for as long as this exists: it answers itself if
/// the invocation holds its thread for too long.
pub struct Claim(Watch);

impl Claim {
    pub(super) const fn unwatched() -> Self {
        Self(Watch::none())
    }

    /// Takes the right. Returns whether the caller is to answer: false when the watchdog has. True at most once for an
    /// invocation that has a deadline.
    pub fn take(&self) -> bool {
        self.0.watched().is_none_or(Watched::claim)
    }
}

/// Runs an invocation within its time. `ahead` says whether its deadline was to come when its event came: one that had
/// passed by then is no measure of what follows, because whoever waits still wants an answer. `report` takes what
/// `timeout` hooks raise, and the failures of records that leave others alone. `trail` is told of each call. The failure of
/// an answer that is on its way out already is its stream's, not the result.
#[allow(clippy::too_many_arguments, reason = "all that one invocation needs, from one caller")]
pub(crate) async fn run(
    pipeline: &Pipeline,
    event: Payload,
    conversion: Option<&Conversion>,
    invocation: &Rc<Invocation>,
    ahead: bool,
    watchdog: &Watchdog,
    rescue: impl FnOnce() -> Option<Rescue>,
    trail: &Trail,
    report: impl Fn(&str, &Error),
) -> (Result<Payload>, Claim) {
    let deadline = invocation.deadline_ms.filter(|_| ahead);
    let current = RefCell::new(invocation.clone());
    let run =
        |watch| Run { pipeline, conversion, watch, trail, current: &current, report: &report };
    let told = |result: Result<Payload>| result.inspect_err(|error| trail.fail(error));
    if !watchdog.cares(deadline, pipeline.is_unlimited()) {
        let watch = Watch::none();
        let result = told(run(&watch).run(event).await);
        return (streamed(result, invocation), Claim(watch));
    }
    let (interrupters, unlimited) = (pipeline.interrupters(), pipeline.is_unlimited());
    let watch = Watch::over(watchdog.arm(deadline, interrupters, unlimited, rescue()));
    let result = {
        let whole = run(&watch);
        let run = pin!(whole.run(event));
        let timed = TimedRun {
            pipeline,
            current: &current,
            watch: &watch,
            trail,
            report: &report,
            warned: Cell::new(false),
        };
        timed.drive(run).await
    };
    watch.leave();
    let result = told(result.map_err(|error| explained(error, &watch, invocation)));
    (streamed(result, invocation), Claim(watch))
}

/// Returns the result of a call; that of one whose answer is on its way out already becomes the stream's end.
fn streamed(result: Result<Payload>, invocation: &Invocation) -> Result<Payload> {
    let outcome = match (result, invocation.stream.out()) {
        (Ok(Payload::Streamed), _) | (Ok(_), Some(_)) => Ok(()),
        (Err(error), Some(_)) => Err(error),
        (other, None) => return other,
    };
    invocation.stream.get().finish(outcome);
    Ok(Payload::Streamed)
}

/// Returns the error of a call with the reason where it was stopped: an engine does not know it.
fn explained(error: Error, watch: &Watch, invocation: &Invocation) -> Error {
    let Some(watched) = watch.watched() else { return error };
    if error.kind() != ErrorKind::Timeout {
        return error;
    }
    if watched.out_of_memory() {
        let message = "the process took more memory than it may, and the invocation was stopped";
        return Error::new(ErrorKind::OutOfMemory, message)
            .with_frames(error.frames().to_vec())
            .with_stack(error.stack().to_vec());
    }
    let stopped = watched.entry.stage() > Stage::Running && error.name() == "Function.Timeout";
    let message = || timed_out(&invocation.request_id, watched.given());
    if stopped { error.with_message(message()) } else { error }
}

struct TimedRun<'a, R> {
    pipeline: &'a Pipeline,
    current: &'a RefCell<Rc<Invocation>>,
    watch: &'a Watch,
    trail: &'a Trail,
    report: &'a R,
    warned: Cell<bool>,
}

type Hooks<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

impl<R: Fn(&str, &Error)> TimedRun<'_, R> {
    async fn drive(
        &self,
        mut run: Pin<&mut impl Future<Output = Result<Payload>>>,
    ) -> Result<Payload> {
        let mut result = None;
        let mut hooks: Option<Hooks<'_>> = None;
        poll_fn(|cx| {
            let Some(watched) = self.watch.watched() else { return run.as_mut().poll(cx) };
            watched.entry.waker.register(cx.waker());
            if result.is_none() {
                result = self.poll_run(watched, run.as_mut(), cx);
            }
            let stage = watched.entry.stage();
            if stage >= Stage::Warned && !self.warned.replace(true) {
                if result.is_none() {
                    self.pipeline.warn(&self.current.borrow().clone(), self.watch);
                    // It may have an answer now.
                    cx.waker().wake_by_ref();
                }
                hooks = self.hooks();
            }
            if let Some(running) = &mut hooks
                && (watched.entry.stage() >= Stage::Over || running.as_mut().poll(cx).is_ready())
            {
                hooks = None;
            }
            let flushing = hooks.is_some();
            watched.leave();
            match result.take() {
                Some(done) if !flushing => Poll::Ready(done),
                waits => {
                    result = waits;
                    Poll::Pending
                }
            }
        })
        .await
    }

    /// Returns the result, if there is one: also when the time is up and the invocation merely waits.
    fn poll_run(
        &self,
        watched: &Watched,
        run: Pin<&mut impl Future<Output = Result<Payload>>>,
        cx: &mut Context<'_>,
    ) -> Option<Result<Payload>> {
        if watched.entry.stage() < Stage::Stopped {
            watched.enter(self.pipeline.current());
            let polled = run.poll(cx);
            watched.leave();
            if let Poll::Ready(result) = polled {
                return Some(result);
            }
        }
        if watched.entry.stage() < Stage::Stopped {
            return None;
        }
        // What waits is left behind, and with it whatever it holds: its instance is not clean.
        self.pipeline.poison_current();
        Some(Err(Error::new(ErrorKind::Timeout, "the time was up").poisoning()))
    }

    fn hooks(&self) -> Option<Hooks<'_>> {
        let invocation = self.current.borrow().clone();
        let run = async move {
            let report = |error: &Error| (self.report)("a timeout hook", error);
            let traced = Traced::on(self.trail);
            let observer = traced.as_ref().map(|traced| traced as &dyn Observer);
            self.pipeline.run_timeouts(&invocation, self.watch, observer, report).await;
        };
        self.pipeline.has_timeouts().then(|| Box::pin(run) as Hooks<'_>)
    }
}
