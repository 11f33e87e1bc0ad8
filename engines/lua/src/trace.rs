//! The place of a guest's code, now or when it raised an error: the guest's frames, without Lua's and our own.

use crate::frames::{levels, text};
use mlua::ffi::{self, lua_State};
use std::{cell::Cell, ffi::c_int};
use trine_engine::{Error, Frame};

/// Numbers of levels shown at the two ends of a larger stack, whose middle is left out.
const INNERMOST: c_int = 10;
const OUTERMOST: c_int = 11;

/// The place where a coroutine is.
#[derive(Default)]
pub(crate) struct Trace {
    /// Guest frames, innermost first.
    pub(crate) frames: Vec<Frame>,
    /// The same frames, as Lua's `debug.traceback` writes them.
    pub(crate) stack: Vec<String>,
    /// The prefixes that Lua puts before a message that was raised in one of these frames: `app.lua:3: `.
    positions: Vec<String>,
}

/// The origin of an error inside a coroutine, which is dead by the time somebody asks.
pub(crate) struct Origin {
    pub(crate) message: Vec<u8>,
    pub(crate) frames: Vec<Frame>,
    pub(crate) stack: Vec<String>,
}

impl Origin {
    /// Whether a message is that of this error, to which those who passed it on have added nothing but their positions.
    pub(crate) fn is_of(&self, message: &[u8]) -> bool {
        let Some(before) = message.strip_suffix(&*self.message) else { return false };
        let before = String::from_utf8_lossy(before);
        let mut positions = before.split_terminator(": ");
        positions.all(|position| {
            let line = position.rsplit_once(':').map(|(_, line)| line);
            line.is_some_and(|line| line.parse::<u32>().is_ok())
        })
    }
}

/// The origin of the last error that has left a coroutine.
#[derive(Default)]
pub(crate) struct LastOrigin(Cell<Option<Origin>>);

impl LastOrigin {
    pub(crate) fn take(&self) -> Option<Origin> {
        self.0.take()
    }

    /// Keeps where the error on top of a dead coroutine was raised, in case it goes on to our caller.
    ///
    /// # Safety
    /// `coroutine` is live and has failed, so that its error is on top.
    pub(crate) unsafe fn remember(&self, coroutine: *mut lua_State) {
        // SAFETY: as the caller vouches; reading a string does not convert it.
        let message = unsafe {
            if ffi::lua_type(coroutine, -1) != ffi::LUA_TSTRING {
                return;
            }
            bytes(coroutine, -1)
        };
        let trace = Trace::of(coroutine, "");
        let inner = self.take().filter(|inner| inner.is_of(&message));
        let mut origin = inner.unwrap_or_else(|| {
            let message = stripped(&message, &trace.positions).to_vec();
            Origin { message, frames: Vec::new(), stack: Vec::new() }
        });
        origin.frames.extend(trace.frames);
        origin.stack.extend(trace.stack);
        self.0.set(Some(origin));
    }
}

impl Trace {
    /// Finds where `coroutine` is. Works on one that has failed, whose stack is still there. `label` is the name of the
    /// function that was called.
    pub(crate) fn of(coroutine: *mut lua_State, label: &str) -> Self {
        let mut trace = Self::default();
        // SAFETY: `lua_Debug` is plain data; `lua_getstack` and `lua_getinfo` with these options fill it in, push nothing
        // and raise nothing. Its texts live as long as the frame's function, which nothing ends meanwhile.
        unsafe {
            let mut frame: ffi::lua_Debug = std::mem::zeroed();
            let levels = levels(coroutine);
            let mut level = 0;
            while level < levels {
                if level == INNERMOST && levels > INNERMOST + OUTERMOST {
                    let skipped = levels - INNERMOST - OUTERMOST;
                    trace.stack.push(format!("...\t(skipping {skipped} levels)"));
                    level += skipped;
                }
                if ffi::lua_getstack(coroutine, level, &raw mut frame) == 0 {
                    break;
                }
                ffi::lua_getinfo(coroutine, c"Sln".as_ptr(), &raw mut frame);
                trace.add(&frame);
                level += 1;
            }
        }
        if let Some(outermost) = trace.frames.last_mut()
            && outermost.function.is_empty()
            && !label.is_empty()
        {
            outermost.function = label.to_owned();
            if let Some(line) = trace.stack.last_mut() {
                let place = line.split(": in ").next().unwrap_or(line);
                *line = format!("{place}: in function '{label}'");
            }
        }
        trace
    }

    /// Adds these places to an error.
    pub(crate) fn give(self, error: Error) -> Error {
        error.with_frames(self.frames).with_stack(self.stack)
    }

    /// Adds a frame that `lua_getinfo` has filled in, if it is the guest's.
    unsafe fn add(&mut self, frame: &ffi::lua_Debug) {
        // SAFETY: the texts are NUL-terminated or null, and alive as `of` says.
        unsafe {
            let source = text(frame.source);
            // "=[C]" and our own preludes.
            if source.starts_with('=') {
                return;
            }
            let short = text(frame.short_src.as_ptr());
            let line = u32::try_from(frame.currentline).unwrap_or(0);
            let (name, kind) = (text(frame.name), text(frame.namewhat));
            let place = match line {
                0 => short.clone(),
                line => format!("{short}:{line}"),
            };
            let function = match (kind.as_str(), text(frame.what).as_str()) {
                ("", "main") => "main chunk".to_owned(),
                ("", _) => format!("function <{short}:{}>", frame.linedefined),
                ("global", _) => format!("function '{name}'"),
                (kind, _) => format!("{kind} '{name}'"),
            };
            self.stack.push(format!("{place}: in {function}"));
            self.positions.push(format!("{place}: "));
            let file = source.strip_prefix('@').map_or(short, str::to_owned);
            self.frames.push(Frame { function: name, file, line, column: 0 });
        }
    }

    /// Returns `message` without the position that Lua put before it, if that is one of these frames', which show it.
    pub(crate) fn stripped<'m>(&self, message: &'m [u8]) -> &'m [u8] {
        stripped(message, &self.positions)
    }
}

fn stripped<'m>(message: &'m [u8], positions: &[String]) -> &'m [u8] {
    positions
        .iter()
        .find_map(|position| message.strip_prefix(position.as_bytes()))
        .unwrap_or(message)
}

/// Splits off the line and the rest of a message that begins with `file:line: `.
pub(crate) fn split_position(message: &str) -> (u32, &str) {
    for (colon, _) in message.match_indices(':') {
        let rest = &message[colon + 1..];
        let Some((digits, reason)) = rest.split_once(": ") else { continue };
        if let Ok(line) = digits.parse() {
            return (line, reason);
        }
    }
    (0, message)
}

/// Returns the bytes of the string at `index`.
///
/// # Safety
/// There is a string at `index`.
unsafe fn bytes(state: *mut lua_State, index: c_int) -> Vec<u8> {
    let mut length = 0;
    // SAFETY: as the caller vouches.
    unsafe {
        let text = ffi::lua_tolstring(state, index, &raw mut length);
        std::slice::from_raw_parts(text.cast::<u8>(), length).to_vec()
    }
}
