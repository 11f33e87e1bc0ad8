//! The contexts of the invocations that one state knows.

use std::{
    cell::RefCell,
    ffi::{c_int, c_void},
    ptr,
    rc::{Rc, Weak},
};
use trine_engine::Invocation;

/// The contexts of the running invocations that this state has seen. All functions of an invocation get the same one.
#[derive(Default)]
pub(crate) struct Contexts(RefCell<Vec<Slot>>);

/// One context, kept by the registry. A slot is reused once its invocation is over.
pub(crate) struct Slot {
    pub(crate) invocation: Weak<Invocation>,
    pub(crate) context: *const c_void,
    pub(crate) context_key: c_int,
    /// The address of `context.state`, null until it is first requested.
    pub(crate) state: *const c_void,
    pub(crate) state_key: c_int,
}

impl Slot {
    /// Returns the invocation if it is not over. Valid while a call holds it: at least until the guest's code returns.
    fn alive(&self) -> Option<*const Invocation> {
        (self.invocation.strong_count() > 0).then_some(self.invocation.as_ptr())
    }
}

impl Contexts {
    /// Returns the invocation whose context is the table at this address.
    pub(crate) fn of_context(&self, table: *const c_void) -> Option<*const Invocation> {
        let slots = self.0.borrow();
        slots.iter().find(|slot| ptr::eq(slot.context, table)).and_then(Slot::alive)
    }

    /// Returns the invocation whose `context.state` is the table at this address.
    pub(crate) fn of_state(&self, table: *const c_void) -> Option<*const Invocation> {
        let slots = self.0.borrow();
        let known = |slot: &&Slot| !table.is_null() && ptr::eq(slot.state, table);
        slots.iter().find(known).and_then(Slot::alive)
    }

    /// Returns the key of the context of an invocation.
    pub(crate) fn key_of(&self, invocation: &Rc<Invocation>) -> Option<c_int> {
        let known = Rc::as_ptr(invocation);
        let slots = self.0.borrow();
        let found = slots.iter().find(|slot| ptr::eq(slot.invocation.as_ptr(), known));
        found.map(|slot| slot.context_key)
    }

    /// Takes the slot of an invocation that is over, for another one.
    pub(crate) fn take_over(&self) -> Option<Slot> {
        let mut slots = self.0.borrow_mut();
        let index = slots.iter().position(|slot| slot.alive().is_none())?;
        Some(slots.swap_remove(index))
    }

    /// Keeps the context of another invocation.
    pub(crate) fn add(&self, slot: Slot) {
        self.0.borrow_mut().push(slot);
    }

    /// Returns address and key of the `context.state` of the context at this address, if its invocation is not over.
    pub(crate) fn state_of(&self, context: *const c_void) -> Option<(*const c_void, c_int)> {
        let slots = self.0.borrow();
        let find = |slot: &&Slot| ptr::eq(slot.context, context) && slot.alive().is_some();
        slots.iter().find(find).map(|slot| (slot.state, slot.state_key))
    }

    /// Notes the `context.state` of the context at this address.
    pub(crate) fn set_state(&self, context: *const c_void, state: *const c_void, key: c_int) {
        let mut slots = self.0.borrow_mut();
        if let Some(slot) = slots.iter_mut().find(|slot| ptr::eq(slot.context, context)) {
            (slot.state, slot.state_key) = (state, key);
        }
    }
}
