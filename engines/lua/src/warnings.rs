//! The calls in flight, and which of them have been warned that their deadline is near.

use std::{
    cell::RefCell,
    rc::Rc,
    task::{Context, Poll, Waker},
};
use trine_engine::Invocation;

/// A call that has begun and not ended.
struct Call {
    number: i64,
    invocation: Rc<Invocation>,
    /// Whether its next wait is to end with a warning, and whether it has been warned.
    warning: bool,
    warned: bool,
    waker: Option<Waker>,
}

/// The calls of one state, to be warned while they wait. Code that runs is warned by [`crate::limits`].
#[derive(Default)]
pub(crate) struct Warnings(RefCell<Vec<Call>>);

impl Warnings {
    /// Registers a call, so that it can be warned, under a number of its own.
    pub(crate) fn begin(&self, number: i64, invocation: &Rc<Invocation>) {
        let invocation = invocation.clone();
        let call = Call { number, invocation, warning: false, warned: false, waker: None };
        self.0.borrow_mut().push(call);
    }

    /// Forgets a call.
    pub(crate) fn end(&self, number: i64) {
        let mut calls = self.0.borrow_mut();
        let index = calls.iter().position(|call| call.number == number);
        let ended = index.map(|index| calls.swap_remove(index));
        drop(calls);
        // The end of the call may be that of the invocation, and of whatever its functions shared.
        drop(ended);
    }

    /// Notes that a call has had its warning while its code ran.
    pub(crate) fn set_warned(&self, number: i64) {
        let mut calls = self.0.borrow_mut();
        if let Some(call) = calls.iter_mut().find(|call| call.number == number) {
            call.warned = true;
        }
    }

    /// Ends the waits of an invocation's calls with a warning.
    pub(crate) fn warn(&self, invocation: &Rc<Invocation>) {
        let mut wakers = Vec::new();
        for call in &mut *self.0.borrow_mut() {
            if Rc::ptr_eq(&call.invocation, invocation) && !call.warned {
                call.warning = true;
                wakers.extend(call.waker.take());
            }
        }
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Ready when a waiting call has to be warned.
    pub(crate) fn poll(&self, number: i64, context: &Context<'_>) -> Poll<()> {
        let mut calls = self.0.borrow_mut();
        let Some(call) = calls.iter_mut().find(|call| call.number == number) else {
            return Poll::Pending;
        };
        if call.warning && !call.warned {
            call.warned = true;
            return Poll::Ready(());
        }
        call.waker = Some(context.waker().clone());
        Poll::Pending
    }
}
