//! Debuggers, by the Debug Adapter Protocol, which editors speak.
//!
//! ```text
//! client ◀─TCP─▶ session (a thread) ──wants──▶ station ◀──looks── hook ◀── Lua (the instance's thread)
//!                   └──asks, lets go──▶ guest thread ──▶ stand ──answers──▶ client
//! ```
//!
//! A hook that is called at every line makes Lua slower, so there is none until somebody wants a guest to stand: for a
//! breakpoint, a step, a pause. A client that wants something raises the signal by which running code is interrupted, and
//! the code looks what it is. While the guest stands its thread waits for requests and answers them itself, since nobody
//! else may touch its values.

mod breakpoints;
mod evaluate;
mod guest;
mod protocol;
mod scopes;
mod session;
mod stand;
mod station;
mod step;
mod stop;
mod values;

pub(crate) use guest::GuestThread;
pub(crate) use station::join;
pub(crate) use stop::on_line;

use breakpoints::{Breakpoints, resolved};
use evaluate::Evaluation;
use mlua::ffi;
use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    ffi::c_int,
    path::{Path, PathBuf},
    rc::Rc,
    sync::Arc,
};
use step::Step;
use stop::Reason;

/// Maximum number of sources whose files are remembered.
const MOST_FILES: usize = 1024;

/// The debugger's side of one state, on its own thread.
pub(crate) struct Debugger {
    guest: Arc<GuestThread>,
    step: Cell<Option<Step>>,
    /// The breakpoints, and which edition they are.
    breakpoints: RefCell<(u64, Arc<Breakpoints>)>,
    /// The files of sources, without links.
    files: RefCell<HashMap<String, Rc<Path>>>,
    evaluation: Evaluation,
    /// Whether the error that is on its way out has been told.
    has_told: Cell<bool>,
}

impl Debugger {
    pub(crate) fn new(guest: Arc<GuestThread>) -> Self {
        Self {
            guest,
            step: Cell::new(None),
            breakpoints: RefCell::default(),
            files: RefCell::default(),
            evaluation: Evaluation::default(),
            has_told: Cell::new(false),
        }
    }

    /// Returns the hook that running code needs now, with its mask and its count.
    pub(crate) fn hook(&self) -> Option<(ffi::lua_Hook, c_int, c_int)> {
        if self.evaluation.is_running() {
            return Some((evaluate::on_count, ffi::LUA_MASKCOUNT, evaluate::INSTRUCTIONS));
        }
        self.needs_lines().then_some((on_line, ffi::LUA_MASKLINE, 0))
    }

    /// Whether a hook is one of those.
    pub(crate) fn is_ours(&self, hook: Option<ffi::lua_Hook>) -> bool {
        let address = hook.map(|hook| hook as usize);
        let own: [ffi::lua_Hook; 2] = [on_line, evaluate::on_count];
        own.iter().any(|own| address == Some(*own as usize))
    }

    fn needs_lines(&self) -> bool {
        let station = self.guest.station();
        station.has_breakpoints()
            || self.step.get().is_some()
            || self.guest.is_to_pause()
            || station.minds_entry()
    }

    /// Notes that a call begins, or goes on after a wait.
    pub(crate) fn begin(&self) {
        self.has_told.set(false);
    }

    /// Notes that the call with this coroutine is over: steps through it are, too.
    pub(crate) fn end(&self, root: *mut ffi::lua_State) {
        if self.step.get().is_some_and(|step| step.is_of(root)) {
            self.step.set(None);
        }
    }

    /// Returns the breakpoints as they are now.
    fn breakpoints(&self) -> Arc<Breakpoints> {
        let edition = self.guest.station().edition();
        let mut known = self.breakpoints.borrow_mut();
        if known.0 != edition {
            *known = (edition, self.guest.station().breakpoints());
        }
        known.1.clone()
    }

    /// Returns the file of a source, without links.
    fn file(&self, path: &str) -> Rc<Path> {
        let mut files = self.files.borrow_mut();
        if let Some(file) = files.get(path) {
            return file.clone();
        }
        if files.len() == MOST_FILES {
            files.clear();
        }
        let file: Rc<Path> = resolved(Path::new(path)).into();
        files.insert(path.to_owned(), file.clone());
        file
    }

    /// Returns the path of a source as the client knows it.
    fn shown_path(&self, path: &str) -> String {
        if let Some(known) = self.breakpoints().path(&self.file(path)) {
            return known.to_owned();
        }
        let absolute = std::path::absolute(path).unwrap_or_else(|_| PathBuf::from(path));
        absolute.to_string_lossy().into_owned()
    }
}
