//! What a pipeline calls, as spans of an invocation.

use crate::{
    pipeline::{Called, Ends, Observer},
    telemetry::Trail,
    watchdog::{Lost, Rescue},
};
use trine_engine::{Error, ErrorKind, timed_out};

/// Tells a trail of calls.
pub(super) struct Traced<'a>(&'a Trail);

impl<'a> Traced<'a> {
    /// Returns what tells a trail of calls, if the trail leads anywhere.
    pub(super) fn on(trail: &'a Trail) -> Option<Self> {
        trail.is_on().then_some(Self(trail))
    }
}

impl Observer for Traced<'_> {
    fn begins(&self, called: Called<'_>) -> Ends {
        let part = match called {
            Called::Handler => self.0.begin("handler"),
            Called::Hook(hook, middleware) => self.0.begin(format!("{hook} {middleware}")),
        };
        Box::new(move |error| {
            if let Some(part) = part {
                part.end(error);
            }
        })
    }
}

/// Returns a rescue that also ends the trail of the invocation that it answers: nobody else can.
pub(super) fn rescue(rescue: Rescue, trail: &Trail, request_id: &str) -> Rescue {
    let (trail, id) = (trail.clone(), request_id.to_owned());
    let Rescue { act, lost_after } = rescue;
    let act = move |lost: &Lost| {
        trail.give_up(&Error::new(ErrorKind::Timeout, timed_out(&id, lost.given)));
        act(lost);
    };
    Rescue { act: Box::new(act), lost_after }
}
