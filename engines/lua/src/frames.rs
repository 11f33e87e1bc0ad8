//! The stack of what runs, across the coroutines that have resumed one another: the guest's frames, without Lua's and our
//! own.

use mlua::ffi::{self, lua_State};
use std::{
    ffi::{CStr, c_char, c_int},
    mem,
    path::Path,
};

/// A frame of the guest's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GuestFrame {
    /// The coroutine that it belongs to.
    pub(crate) state: *mut lua_State,
    /// Its level on that coroutine's stack, counted from the outermost one, where code that runs meanwhile does not change it.
    pub(crate) from_bottom: c_int,
    /// What Lua calls the source: `@` and a path, or the text of a chunk.
    pub(crate) source: String,
    /// The source as messages show it.
    pub(crate) short_source: String,
    /// The function's name, as its caller calls it; empty where there is none.
    pub(crate) name: String,
    /// Whether it is the main chunk of its source.
    pub(crate) is_main: bool,
    /// The line that is executed.
    pub(crate) line: u32,
    /// The line on which the function begins.
    pub(crate) defined: u32,
}

impl GuestFrame {
    /// Returns the path of its file, if it has one.
    pub(crate) fn path(&self) -> Option<&str> {
        self.source.strip_prefix('@')
    }

    /// Returns its name for people.
    pub(crate) fn title(&self) -> String {
        match (self.name.as_str(), self.is_main) {
            (_, true) => "main chunk".to_owned(),
            ("", false) => {
                let file = self.path().and_then(|path| Path::new(path).file_name());
                let file = file.map(|file| file.to_string_lossy());
                format!(
                    "function <{}:{}>",
                    file.as_deref().unwrap_or(&self.short_source),
                    self.defined
                )
            }
            (name, _) => name.to_owned(),
        }
    }
}

/// Returns at most `most` of the guest's frames, innermost first. `chain` are the coroutines, each resumed by the one before
/// it; `label` is the name of the function that was called.
///
/// # Safety
/// The coroutines are live, and nothing but the caller runs on them.
pub(crate) unsafe fn of_chain(
    chain: &[*mut lua_State],
    label: &str,
    most: usize,
) -> Vec<GuestFrame> {
    let mut frames = Vec::new();
    for &state in chain.iter().rev() {
        // SAFETY: as the caller vouches.
        unsafe {
            let count = levels(state);
            for level in 0..count {
                if frames.len() == most {
                    return frames;
                }
                frames.extend(frame(state, level, count));
            }
        }
    }
    if let Some(outermost) = frames.last_mut()
        && outermost.name.is_empty()
        && !outermost.is_main
    {
        label.clone_into(&mut outermost.name);
    }
    frames
}

/// Returns the frame at a level, if it is the guest's.
unsafe fn frame(state: *mut lua_State, level: c_int, count: c_int) -> Option<GuestFrame> {
    // SAFETY: `lua_Debug` is plain data; `lua_getstack` and `lua_getinfo` with these options fill it in, push nothing and
    // raise nothing. Its texts live as long as the frame's function.
    unsafe {
        let mut info: ffi::lua_Debug = mem::zeroed();
        if ffi::lua_getstack(state, level, &raw mut info) == 0 {
            return None;
        }
        ffi::lua_getinfo(state, c"Sln".as_ptr(), &raw mut info);
        let source = text(info.source);
        if source.starts_with('=') {
            return None;
        }
        Some(GuestFrame {
            state,
            from_bottom: count - level,
            source,
            short_source: text(info.short_src.as_ptr()),
            name: text(info.name),
            is_main: text(info.what) == "main",
            line: u32::try_from(info.currentline).unwrap_or(0),
            defined: u32::try_from(info.linedefined).unwrap_or(0),
        })
    }
}

/// Finds a frame again. False where it is gone.
///
/// # Safety
/// The frame's coroutine is live.
pub(crate) unsafe fn locate(frame: &GuestFrame, info: &mut ffi::lua_Debug) -> bool {
    // SAFETY: as the caller vouches.
    unsafe {
        let level = levels(frame.state) - frame.from_bottom;
        level >= 0 && ffi::lua_getstack(frame.state, level, info) != 0
    }
}

/// Returns the number of levels on a coroutine's stack.
///
/// # Safety
/// The coroutine is live.
pub(crate) unsafe fn levels(state: *mut lua_State) -> c_int {
    // SAFETY: as for `frame`.
    let exists = |level| unsafe { has_level(state, level) };
    let (mut low, mut high) = (0, 1);
    while exists(high) {
        (low, high) = (high, high.saturating_mul(2));
    }
    while low < high {
        let middle = low + (high - low) / 2;
        if exists(middle) { low = middle + 1 } else { high = middle }
    }
    low
}

/// Whether a coroutine's stack has a level.
///
/// # Safety
/// The coroutine is live.
pub(crate) unsafe fn has_level(state: *mut lua_State, level: c_int) -> bool {
    // SAFETY: as the caller vouches; `lua_Debug` is plain data.
    unsafe {
        let mut info: ffi::lua_Debug = mem::zeroed();
        ffi::lua_getstack(state, level, &raw mut info) != 0
    }
}

/// Returns a text of Lua's.
///
/// # Safety
/// It is null, or ends in a zero and is alive.
pub(crate) unsafe fn text(text: *const c_char) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: as the caller vouches.
    unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
}
