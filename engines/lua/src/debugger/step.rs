//! Steps: where a guest that goes on for a line, or out of a function, stands again.

use super::guest::Going;
use crate::frames;
use mlua::ffi::lua_State;
use std::ffi::c_int;

/// A step that has begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Step {
    going: Going,
    /// The call's coroutine: other calls that run meanwhile are not stepped through.
    root: *mut lua_State,
    /// Number of coroutines that had resumed one another, and of levels on the stack of the innermost.
    coroutines: usize,
    levels: c_int,
}

impl Step {
    /// Begins a step where the guest stands; `None` where it is to run.
    ///
    /// # Safety
    /// The coroutines are live, and stand still.
    pub(super) unsafe fn begin(going: Going, chain: &[*mut lua_State]) -> Option<Self> {
        if going == Going::On {
            return None;
        }
        let (root, innermost) = (*chain.first()?, *chain.last()?);
        // SAFETY: as the caller vouches.
        let levels = unsafe { frames::levels(innermost) };
        Some(Self { going, root, coroutines: chain.len(), levels })
    }

    /// Whether it is a step of the call with this coroutine.
    pub(super) fn is_of(&self, root: *mut lua_State) -> bool {
        self.root == root
    }

    /// Whether it ends at the line that is reached.
    ///
    /// # Safety
    /// As for [`Step::begin`].
    pub(super) unsafe fn ends(&self, chain: &[*mut lua_State]) -> bool {
        let (Some(root), Some(innermost)) = (chain.first(), chain.last()) else { return false };
        if !self.is_of(*root) {
            return false;
        }
        let deepest = match self.going {
            Going::On => return false,
            Going::Into => return true,
            Going::Over => self.levels,
            Going::Out => self.levels - 1,
        };
        // Having left the coroutine is having left the function.
        let has_left = chain.len() < self.coroutines;
        // SAFETY: as the caller vouches.
        let is_as_deep = || unsafe { !frames::has_level(*innermost, deepest) };
        has_left || chain.len() == self.coroutines && is_as_deep()
    }
}
