//! The invocations that an isolate works for, each with a slot by which its JavaScript side is found.

use std::{
    cell::RefCell,
    rc::{Rc, Weak},
};
use trine_engine::Invocation;

/// The invocations that an isolate has met and that have not ended. It does not keep them alive.
#[derive(Default)]
pub(crate) struct Sessions(RefCell<Vec<Weak<Invocation>>>);

/// The slot of an invocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// A slot known from an earlier call.
    Known(usize),
    /// A slot assigned just now.
    New(usize),
}

impl Sessions {
    /// Returns the slot of an invocation; a new one takes the slot of one that has ended.
    pub(crate) fn enter(&self, invocation: &Rc<Invocation>) -> Place {
        let mut sessions = self.0.borrow_mut();
        let mut free = None;
        for (slot, session) in sessions.iter().enumerate() {
            // A weak reference keeps the address from being reused.
            if session.as_ptr() == Rc::as_ptr(invocation) {
                return Place::Known(slot);
            }
            if free.is_none() && session.strong_count() == 0 {
                free = Some(slot);
            }
        }
        let slot = free.unwrap_or(sessions.len());
        match sessions.get_mut(slot) {
            Some(session) => *session = Rc::downgrade(invocation),
            None => sessions.push(Rc::downgrade(invocation)),
        }
        Place::New(slot)
    }

    /// Returns the slot of an invocation that was met before.
    pub(crate) fn find(&self, invocation: &Rc<Invocation>) -> Option<usize> {
        self.0.borrow().iter().position(|session| session.as_ptr() == Rc::as_ptr(invocation))
    }

    /// Returns the invocation in a slot.
    pub(crate) fn get(&self, slot: usize) -> Option<Rc<Invocation>> {
        self.0.borrow().get(slot)?.upgrade()
    }
}

impl Place {
    pub(crate) fn slot(self) -> usize {
        match self {
            Self::Known(slot) | Self::New(slot) => slot,
        }
    }
}
