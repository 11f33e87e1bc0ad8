//! Faults that the emulator can put in place of an answer, and the plan that says when.
//! Contract for what a runtime may do after one: Lambda's Runtime API, section "Status codes" (4xx: go on, 5xx: end)
//! and its rule for broken connections (one retry on a fresh connection if no byte of a body was sent, else end).

use super::{server::Endpoint, shared::lock};
use std::{
    fmt,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// The moment in an exchange at which its connection is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Moment {
    /// The request's head has arrived; its body is not read. Nothing has been done.
    RequestHead,
    /// The whole request has arrived. Nothing has been done: an answer posted this way is lost.
    RequestBody,
    /// The request was carried out: an event is handed out, an answer taken. No byte of the reply is sent.
    Processed,
    /// The request was carried out; the reply's head and half of its body are sent.
    ReplyBody,
}

/// The way in which one request goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// An error document with this status (400 to 599); the request is not carried out. A refused post leaves its
    /// invocation over (4xx), or unanswered until the process ends or its time is up (5xx).
    Status(u16),
    /// A reset of the connection.
    Reset(Moment),
    /// A reply whose `Content-Length` exceeds what is sent before the connection closes; the request is carried out.
    Truncate,
    /// A reply whose body comes in a limited number of pieces, spread over some time; the request is carried out.
    Drip {
        /// Maximum number of pieces.
        pieces: usize,
        /// Time from the first piece to the last.
        over: Duration,
    },
    /// Silence: the request is read but neither carried out nor answered; the connection is closed after some time.
    Silence {
        /// Time until then, unless the client gives up first.
        at_most: Duration,
    },
    /// A reply that is not HTTP, after which the connection is closed; the request is carried out.
    MalformedHead,
    /// Headers of the event's reply that are not ASCII, not a number, or 64 KiB long. `/next` only.
    GarbageHeaders,
    /// A close of the connection, which promised to stay open, after the reply; the request is carried out.
    CloseAfter,
    /// A second delivery of the event, by the `/next` after its answer. `/next` only.
    Repeat {
        /// Whether it then has a new `Lambda-Runtime-Invocation-Id`, as a new attempt by the platform has.
        new_attempt: bool,
    },
    /// A forgotten invocation: its event is handed out, its answer refused with this status, 400 or 410.
    /// `/next` only.
    Forget {
        /// 400 (`InvalidRequestID`) or 410 (`InvokeTimeout`).
        status: u16,
    },
}

impl Fault {
    /// Returns the reason why the fault does not make sense at an endpoint, if it does not.
    fn misplaced(&self, endpoint: Endpoint) -> Option<String> {
        let is_next_only =
            matches!(self, Self::GarbageHeaders | Self::Repeat { .. } | Self::Forget { .. });
        if is_next_only && endpoint != Endpoint::Next {
            return Some(format!("{self:?} is a fault of Next, not of {endpoint:?}"));
        }
        match self {
            Self::Status(status) if !(400..600).contains(status) => {
                Some(format!("Status takes 400 to 599, not {status}"))
            }
            Self::Forget { status } if ![400, 410].contains(status) => {
                Some(format!("Forget takes 400 or 410, not {status}"))
            }
            _ => None,
        }
    }
}

/// One planned fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Injection {
    /// The endpoint whose request it meets.
    pub endpoint: Endpoint,
    /// The number of the request: 1 is the next one there, counted from the moment in which the fault is planned.
    pub nth: u64,
    /// The fault.
    pub fault: Fault,
}

impl Injection {
    /// Plans `fault` for the `nth` request to `endpoint`, counted from 1.
    pub fn new(endpoint: Endpoint, nth: u64, fault: Fault) -> Self {
        Self { endpoint, nth, fault }
    }

    /// Returns an error if the fault can never happen or does not make sense.
    pub(super) fn check(&self) -> Result<(), String> {
        if self.nth == 0 {
            return Err(format!("requests are counted from 1: {self:?}"));
        }
        self.fault.misplaced(self.endpoint).map_or(Ok(()), Err)
    }
}

impl fmt::Display for Injection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} at {:?} #{}", self.fault, self.endpoint, self.nth)
    }
}

/// The faults that have not happened yet.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// Whether anything is planned, which every request checks.
    any: AtomicBool,
    injections: Mutex<Vec<Injection>>,
}

impl Plan {
    pub(super) fn add(&self, injections: impl IntoIterator<Item = Injection>) {
        let mut planned = lock(&self.injections);
        planned.extend(injections);
        self.any.store(!planned.is_empty(), Ordering::Relaxed);
    }

    pub(super) fn clear(&self) {
        let mut planned = lock(&self.injections);
        planned.clear();
        self.any.store(false, Ordering::Relaxed);
    }

    pub(super) fn left(&self) -> Vec<Injection> {
        lock(&self.injections).clone()
    }

    /// Counts a request and returns the fault that it meets. If two are due, the second waits for the next request.
    pub(super) fn take(&self, endpoint: Endpoint) -> Option<Fault> {
        if !self.any.load(Ordering::Relaxed) {
            return None;
        }
        let mut planned = lock(&self.injections);
        let mut due = None;
        for (at, injection) in planned.iter_mut().enumerate() {
            if injection.endpoint != endpoint {
                continue;
            }
            if injection.nth > 1 {
                injection.nth -= 1;
            } else if due.is_none() {
                due = Some(at);
            }
        }
        let fault = due.map(|at| planned.remove(at).fault);
        self.any.store(!planned.is_empty(), Ordering::Relaxed);
        fault
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_counts_requests_of_its_endpoint_only() {
        let plan = Plan::default();
        assert_eq!(plan.take(Endpoint::Next), None);
        plan.add([
            Injection::new(Endpoint::Next, 2, Fault::Truncate),
            Injection::new(Endpoint::Next, 2, Fault::CloseAfter),
            Injection::new(Endpoint::Error, 1, Fault::MalformedHead),
        ]);
        assert_eq!(plan.take(Endpoint::Next), None);
        assert_eq!(plan.take(Endpoint::Response), None);
        assert_eq!(plan.take(Endpoint::Next), Some(Fault::Truncate));
        assert_eq!(plan.left().len(), 2);
        assert_eq!(plan.take(Endpoint::Next), Some(Fault::CloseAfter));
        assert_eq!(plan.take(Endpoint::Next), None);
        assert_eq!(plan.take(Endpoint::Error), Some(Fault::MalformedHead));
        assert!(plan.left().is_empty());
    }

    #[test]
    fn faults_that_make_no_sense_are_told() {
        let check = |endpoint, nth, fault| Injection::new(endpoint, nth, fault).check();
        assert_eq!(check(Endpoint::Next, 1, Fault::Forget { status: 410 }), Ok(()));
        assert!(check(Endpoint::Error, 1, Fault::GarbageHeaders).unwrap_err().contains("of Next"));
        assert!(check(Endpoint::Next, 1, Fault::Forget { status: 404 }).is_err());
        assert!(check(Endpoint::Next, 1, Fault::Status(200)).unwrap_err().contains("400 to 599"));
        assert!(check(Endpoint::Next, 0, Fault::Truncate).unwrap_err().contains("from 1"));
    }
}
