//! Stops: where guests stand, why, and until when.

use super::{
    Debugger,
    breakpoints::Breakpoint,
    guest::{Command, Going},
    protocol::Client,
    stand::Stand,
    step::Step,
    values,
};
use crate::{
    frames, guard,
    limits::{self, Watch},
};
use mlua::{
    Lua, Value,
    ffi::{self, lua_State},
};
use serde_json::{Value as Json, json};
use std::{ffi::c_int, mem, sync::Arc};
use trine_engine::AttachedDebugger;

/// The reason why a guest stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reason {
    /// It has waited for a debugger before its first statement.
    Entry,
    /// A breakpoint, by its id.
    Breakpoint(u64),
    /// The end of a step.
    Step,
    /// The client wants it to.
    Pause,
    /// An error that nobody catches: its type, and its text.
    Error { kind: String, text: String },
}

impl Reason {
    /// Writes it as the protocol does.
    fn body(&self, thread: u32) -> Json {
        let mut body = json!({"threadId": thread, "allThreadsStopped": false});
        body["reason"] = match self {
            Self::Entry => "entry",
            Self::Breakpoint(_) => "breakpoint",
            Self::Step => "step",
            Self::Pause => "pause",
            Self::Error { .. } => "exception",
        }
        .into();
        match self {
            Self::Breakpoint(id) => body["hitBreakpointIds"] = json!([id]),
            Self::Error { text, .. } => {
                body["description"] = "Uncaught error".into();
                body["text"] = text.as_str().into();
            }
            _ => {}
        }
        body
    }

    /// Describes the error.
    pub(super) fn exception_info(&self) -> Result<Json, String> {
        match self {
            Self::Error { kind, text } => {
                Ok(json!({"exceptionId": kind, "description": text, "breakMode": "unhandled"}))
            }
            _ => Err("the guest does not stand for an error".to_owned()),
        }
    }
}

/// Has the guest stand if it is to, at this line. Called by Lua at every line while somebody wants that.
///
/// # Safety
/// To be called by Lua as a hook for lines.
pub(crate) unsafe extern "C-unwind" fn on_line(state: *mut lua_State, event: *mut ffi::lua_Debug) {
    // SAFETY: Lua calls this on the coroutine that runs. What has a destructor is gone when this leaves.
    unsafe {
        let Some(watch) = limits::running() else { return };
        if let Some(debugger) = watch.observed().debugger() {
            debugger.reached(watch, state, event);
        }
        if watch.doomed() {
            limits::end(state);
        }
    }
}

impl Debugger {
    /// # Safety
    /// As for [`on_line`].
    unsafe fn reached(&self, watch: &Watch, state: *mut lua_State, event: *mut ffi::lua_Debug) {
        if self.evaluation.is_running() {
            return;
        }
        // SAFETY: as the caller vouches.
        unsafe {
            if !self.needs_lines() {
                return watch.attend(state);
            }
            let station = self.guest.station();
            let line = u32::try_from((*event).currentline).unwrap_or(0);
            let may_stop = self.step.get().is_some()
                || self.guest.is_to_pause()
                || station.minds_entry()
                || self.breakpoints().may_be_at(line);
            if !may_stop || ffi::lua_getinfo(state, c"S".as_ptr(), event) == 0 {
                return;
            }
            let source = frames::text((*event).source);
            // Our own preludes.
            if source.starts_with('=') {
                return;
            }
            let path = source.strip_prefix('@');
            if path.is_some() && station.minds_entry() {
                self.wait_for_client(watch);
                if watch.doomed() {
                    return;
                }
                if station.take_entry() {
                    return self.stand(watch, state, &Reason::Entry);
                }
            }
            match self.reason(watch, state, path, line) {
                Some(reason) => self.stand(watch, state, &reason),
                // A condition has run, and left the hook for expressions.
                None => watch.attend(state),
            }
        }
    }

    /// Returns the coroutines that run.
    fn chain(watch: &Watch, state: *mut lua_State) -> Vec<*mut lua_State> {
        let mut chain = watch.observed().chain().clone();
        if chain.last() != Some(&state) {
            chain.push(state);
        }
        chain
    }

    /// Returns why the guest is to stand at a line, if it is.
    unsafe fn reason(
        &self,
        watch: &Watch,
        state: *mut lua_State,
        path: Option<&str>,
        line: u32,
    ) -> Option<Reason> {
        let breakpoints = self.breakpoints();
        if breakpoints.may_be_at(line)
            && let Some(path) = path
        {
            let file = self.file(path);
            for breakpoint in breakpoints.at(&file, line) {
                // SAFETY: as the caller vouches.
                if unsafe { self.hits(watch, state, breakpoint) } {
                    return Some(Reason::Breakpoint(breakpoint.id));
                }
            }
        }
        if self.guest.is_to_pause() {
            return Some(Reason::Pause);
        }
        let step = self.step.get()?;
        // SAFETY: as the caller vouches.
        unsafe { step.ends(&Self::chain(watch, state)) }.then_some(Reason::Step)
    }

    /// Whether a breakpoint holds the guest up. One that logs does so now.
    unsafe fn hits(&self, watch: &Watch, state: *mut lua_State, breakpoint: &Breakpoint) -> bool {
        if breakpoint.condition.is_none() && breakpoint.message.is_none() {
            return true;
        }
        let chain = Self::chain(watch, state);
        let reason = Reason::Breakpoint(breakpoint.id);
        let Some(client) = self.guest.station().client() else { return false };
        // SAFETY: as the caller vouches.
        let Some(stand) = (unsafe { Stand::new(self, watch, &chain, &reason) }) else {
            return false;
        };
        if let Some(condition) = &breakpoint.condition {
            match stand.evaluate(condition) {
                Ok(values) => {
                    let is_true =
                        |value: &Value| !matches!(value, Value::Nil | Value::Boolean(false));
                    if !values.first().is_some_and(is_true) {
                        return false;
                    }
                }
                Err(message) => {
                    client.say(&format!("the condition {condition:?} fails: {message}"))
                }
            }
        }
        let Some(message) = &breakpoint.message else { return true };
        client.say(&filled_in(message, |code| match stand.evaluate(code) {
            Ok(found) => {
                let shown = found.iter().map(|value| match value {
                    Value::String(text) => text.to_string_lossy(),
                    value => values::show_member(value),
                });
                shown.collect::<Vec<_>>().join(", ")
            }
            Err(message) => format!("<{message}>"),
        }));
        false
    }

    /// Waits until a client is ready. Limits of time stand still.
    fn wait_for_client(&self, watch: &Watch) {
        let _waiting = AttachedDebugger::new();
        while self.guest.station().waits() && !watch.doomed() {
            self.guest.next();
        }
        watch.stop().sampler().forget();
    }

    /// Stands, and answers, until the client lets the guest go on, or is gone, or the guest has to end.
    unsafe fn stand(&self, watch: &Watch, state: *mut lua_State, reason: &Reason) {
        self.step.set(None);
        self.guest.forget_pause();
        self.guest.stand();
        let chain = Self::chain(watch, state);
        // SAFETY: as the caller vouches: while this runs, nothing else does.
        unsafe {
            if let Some(client) = self.guest.station().client()
                && let Some(stand) = Stand::new(self, watch, &chain, reason)
            {
                client.event("stopped", reason.body(self.guest.id()));
                let going = self.answer_until_let_go(watch, stand, &client);
                self.step.set(Step::begin(going, &chain));
            }
            self.guest.go();
            watch.stop().sampler().forget();
            watch.attend(state);
        }
    }

    fn answer_until_let_go(
        &self,
        watch: &Watch,
        mut stand: Stand<'_>,
        client: &Arc<Client>,
    ) -> Going {
        loop {
            if watch.doomed() {
                let thread = self.guest.id();
                client
                    .event("continued", json!({"threadId": thread, "allThreadsContinued": false}));
                return Going::On;
            }
            if !self.guest.station().is_served_by(client) {
                return Going::On;
            }
            match self.guest.next() {
                Command::Look => {}
                Command::Go(going) => return going,
                Command::Ask(asking, request) => asking.answer(&request, stand.answer(&request)),
            }
        }
    }

    /// Has the guest stand where a coroutine has failed, if the client wants that and nobody catches the error.
    ///
    /// # Safety
    /// The coroutine is live; it has just failed, and its error is on top.
    pub(crate) unsafe fn failed(&self, watch: &Watch, state: *mut lua_State, status: c_int) {
        let is_wanted = self.guest.station().stops_at_errors() && status == ffi::LUA_ERRRUN;
        if !is_wanted || watch.doomed() || self.evaluation.is_running() || self.has_told.get() {
            return;
        }
        let chain = Self::chain(watch, state);
        // SAFETY: as the caller vouches.
        unsafe {
            if chain.iter().rev().skip(1).any(|outer| catches(*outer)) {
                return;
            }
            self.has_told.set(true);
            let (kind, text) = described(state);
            self.stand(watch, state, &Reason::Error { kind, text });
        }
    }
}

/// Whether a function on a coroutine's stack catches errors.
unsafe fn catches(state: *mut lua_State) -> bool {
    // SAFETY: the coroutine is live; there is room for the function, which is taken off again.
    unsafe {
        if ffi::lua_checkstack(state, 1) == 0 {
            return false;
        }
        let mut info: ffi::lua_Debug = mem::zeroed();
        let mut level = 0;
        while ffi::lua_getstack(state, level, &raw mut info) != 0 {
            ffi::lua_getinfo(state, c"f".as_ptr(), &raw mut info);
            let function = ffi::lua_tocfunction(state, -1);
            ffi::lua_pop(state, 1);
            if function.is_some_and(guard::catches) {
                return true;
            }
            level += 1;
        }
        false
    }
}

/// Returns type and text of the error on top of a coroutine.
unsafe fn described(state: *mut lua_State) -> (String, String) {
    // SAFETY: the coroutine is live and has a value on top; there is room for another one.
    let value = unsafe {
        let lua = Lua::get_or_init_from_ptr(state);
        lua.exec_raw::<Value>((), |own| {
            if ffi::lua_checkstack(state, 1) != 0 {
                ffi::lua_pushvalue(state, -1);
                ffi::lua_xmove(state, own, 1);
            }
        })
    };
    let text = |value: Value| value.as_string().map(|text| text.to_string_lossy());
    match value {
        Ok(Value::String(message)) => ("LuaError".to_owned(), message.to_string_lossy()),
        Ok(Value::Table(table)) => {
            let member = |name: &str| table.raw_get::<Value>(name).ok().and_then(text);
            let kind = member("type").or_else(|| member("name"));
            let message = member("message");
            let shown =
                message.unwrap_or_else(|| values::show_member(&Value::Table(table.clone())));
            (kind.unwrap_or_else(|| "LuaError".to_owned()), shown)
        }
        Ok(other) => ("LuaError".to_owned(), values::show_member(&other)),
        Err(error) => ("LuaError".to_owned(), error.to_string()),
    }
}

/// Replaces the expressions in braces of a message by what they give.
fn filled_in(message: &str, value: impl Fn(&str) -> String) -> String {
    let (mut filled, mut rest) = (String::new(), message);
    while let Some((before, after)) = rest.split_once('{') {
        let Some((code, after)) = after.split_once('}') else { break };
        filled.push_str(before);
        filled.push_str(&value(code));
        rest = after;
    }
    filled + rest
}

#[cfg(test)]
mod tests {
    use super::filled_in;

    #[test]
    fn expressions_in_braces_are_replaced() {
        let value = |code: &str| format!("<{code}>");
        assert_eq!(filled_in("a {b} c {d}", value), "a <b> c <d>");
        assert_eq!(filled_in("a } {b", value), "a } {b");
    }
}
