//! Debuggers and profiles of running code: which coroutines have resumed one another, and the hook of the one that runs.
//!
//! Lua has one hook for each coroutine. Whenever one is resumed it is looked at here, but only in an instance that is being
//! observed.

use crate::{
    debugger::Debugger,
    limits::{self, Stop, Watch},
};
use mlua::ffi::{self, lua_State};
use std::{
    cell::{Ref, RefCell},
    ffi::c_int,
};

/// The part of a [`Watch`] for observers.
pub(crate) struct Observed {
    /// The coroutines that run, each resumed by the one before it. Kept up to date while the instance is observed.
    chain: RefCell<Vec<*mut lua_State>>,
    /// The name of the function that was called.
    label: RefCell<String>,
    /// The debugger's side of the state, where debuggers are expected.
    debugger: Option<Debugger>,
}

impl Observed {
    pub(crate) fn new(stop: &Stop) -> Self {
        Self {
            chain: RefCell::default(),
            label: RefCell::default(),
            debugger: stop.guest().map(|guest| Debugger::new(guest.clone())),
        }
    }

    pub(crate) fn debugger(&self) -> Option<&Debugger> {
        self.debugger.as_ref()
    }

    /// Returns the coroutines that run, the innermost one last.
    pub(crate) fn chain(&self) -> Ref<'_, Vec<*mut lua_State>> {
        self.chain.borrow()
    }

    pub(crate) fn label(&self) -> Ref<'_, String> {
        self.label.borrow()
    }

    /// Returns the length of the chain, for [`Observed::cut`].
    pub(crate) fn length(&self) -> usize {
        self.chain.borrow().len()
    }

    /// Takes off what has run since the chain had this length.
    pub(crate) fn cut(&self, length: usize) {
        self.chain.borrow_mut().truncate(length);
    }

    /// Notes that a coroutine runs from now on: one that has just been resumed, or one whose own has come back.
    pub(crate) fn runs(&self, state: *mut lua_State) {
        let mut chain = self.chain.borrow_mut();
        match chain.iter().rposition(|known| *known == state) {
            Some(place) => chain.truncate(place + 1),
            None => chain.push(state),
        }
    }
}

/// Tells observers that a coroutine has failed, before it is left.
///
/// # Safety
/// The coroutine is the one that runs on this thread; its error is on top.
pub(crate) unsafe fn failed(state: *mut lua_State, status: c_int) {
    // SAFETY: as the caller vouches; the reference does not leave this function.
    unsafe {
        if let Some(watch) = limits::running()
            && let Some(debugger) = watch.observed().debugger()
        {
            debugger.failed(watch, state, status);
        }
    }
}

impl Watch {
    /// Notes that a call of the function with this name runs from now on.
    pub(crate) fn begin(&self, label: &str) {
        if self.stop().is_observed() {
            label.clone_into(&mut self.observed().label.borrow_mut());
            if let Some(debugger) = self.observed().debugger() {
                debugger.begin();
            }
        }
    }

    /// Notes that the call with this coroutine is over.
    pub(crate) fn end(&self, root: *mut lua_State) {
        if let Some(debugger) = self.observed().debugger() {
            debugger.end(root);
        }
    }

    /// Gives a coroutine the hook that it needs.
    ///
    /// # Safety
    /// It is the one that runs, or is about to.
    pub(crate) unsafe fn attend(&self, state: *mut lua_State) {
        let Some(debugger) = self.observed().debugger() else { return };
        // SAFETY: as the caller vouches.
        unsafe {
            match debugger.hook() {
                Some((hook, mask, count)) => ffi::lua_sethook(state, Some(hook), mask, count),
                None if debugger.is_ours(ffi::lua_gethook(state)) => {
                    ffi::lua_sethook(state, None, 0, 0);
                }
                None => {}
            }
            // The signal may have come in between, and what it has armed may be gone.
            limits::look_again(state);
        }
    }

    /// Does what observers want of the code that runs, between two of its instructions.
    ///
    /// # Safety
    /// `state` is the coroutine that runs.
    pub(crate) unsafe fn observe(&self, state: *mut lua_State) {
        self.stop().take_nudge();
        // SAFETY: the chain is what runs, and stands still.
        unsafe {
            let (chain, label) = (self.observed().chain(), self.observed().label());
            self.stop().sampler().note(&chain, &label);
            drop((chain, label));
            self.attend(state);
        }
    }
}
