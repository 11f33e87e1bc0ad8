//! Expressions of whoever debugs, run among the variables of a frame: in a coroutine of their own, for a limited time.

use super::scopes::Scope;
use crate::{
    debugger::Debugger,
    limits::{self, Watch},
};
use mlua::{
    Function, Lua, MultiValue, Value,
    chunk::ChunkMode,
    ffi::{self, lua_State},
};
use std::{
    cell::Cell,
    ffi::c_int,
    time::{Duration, Instant},
};

/// Maximum time for an expression.
const TIME: Duration = Duration::from_secs(10);
/// Number of instructions between two looks at the clock.
pub(super) const INSTRUCTIONS: c_int = 10_000;

/// The expression that runs in a state, if one does.
#[derive(Default)]
pub(super) struct Evaluation {
    until: Cell<Option<Instant>>,
    is_over_time: Cell<bool>,
}

impl Evaluation {
    pub(super) fn is_running(&self) -> bool {
        self.until.get().is_some()
    }

    /// Whether its time is up.
    fn must_end(&self) -> bool {
        self.until.get().is_some_and(|until| Instant::now() > until)
    }
}

/// What may stand in the place of an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Expression,
    /// Also a statement.
    Any,
}

/// Runs code among the variables of a frame. Returns its values, or what went wrong.
pub(super) fn run(
    watch: &Watch,
    debugger: &Debugger,
    lua: &Lua,
    scope: &Scope,
    code: &str,
    form: Form,
) -> Result<MultiValue, String> {
    let text = |error: mlua::Error| without_place(&error.to_string());
    let environment = scope.environment(lua).map_err(text)?;
    let compile = |code: String| {
        let chunk = lua.load(code).set_name("=(debugger)").set_mode(ChunkMode::Text);
        chunk.set_environment(environment.clone()).into_function()
    };
    let function = match compile(format!("return {code}")) {
        Err(error) if form == Form::Any => {
            // The message about the statement says more, unless it only looks for the statement in an expression.
            compile(code.to_owned())
                .map_err(|other| text(if code.contains('=') { other } else { error }))?
        }
        compiled => compiled.map_err(text)?,
    };
    call(watch, debugger, lua, &function, scope.varargs())
}

fn call(
    watch: &Watch,
    debugger: &Debugger,
    lua: &Lua,
    function: &Function,
    arguments: Vec<Value>,
) -> Result<MultiValue, String> {
    let evaluation = &debugger.evaluation;
    evaluation.until.set(Some(Instant::now() + TIME));
    evaluation.is_over_time.set(false);
    // What ends the expression is not to end the call.
    let exit = watch.replace_exit(None);
    let mut status = ffi::LUA_OK;
    let arguments = MultiValue::from_vec(arguments);
    // SAFETY: the function and its arguments are on the stack. Only making the coroutine may raise, and nothing here has a
    // destructor. The coroutine is on the stack while it runs.
    let values = unsafe {
        lua.exec_raw::<MultiValue>((function, arguments), |own| {
            let given = ffi::lua_gettop(own);
            let coroutine = ffi::lua_newthread(own);
            ffi::lua_insert(own, 1);
            status = resume(own, coroutine, given);
        })
    };
    evaluation.until.set(None);
    let exited = watch.replace_exit(exit);
    let values = values.map_err(|error| without_place(&error.to_string()))?;
    if evaluation.is_over_time.get() {
        return Err(format!("the expression has run for {} s and was stopped", TIME.as_secs()));
    }
    if watch.doomed() {
        return Err("the guest was stopped".to_owned());
    }
    match (status, exited) {
        (_, Some(_)) => Err("os.exit was called: the guest goes on all the same".to_owned()),
        (ffi::LUA_OK, None) => Ok(values),
        (ffi::LUA_YIELD, None) => {
            Err("the expression waits, which it cannot while the guest stands".to_owned())
        }
        _ => Err(match values.front() {
            Some(Value::String(text)) => without_place(&text.to_string_lossy()),
            Some(other) => super::values::show_member(other),
            None => "not enough memory".to_owned(),
        }),
    }
}

/// Runs the function that is on top of `own`, below its arguments, on a coroutine at the bottom. Leaves its results, or its
/// error, on `own` alone; returns the coroutine's status.
unsafe fn resume(own: *mut lua_State, coroutine: *mut lua_State, given: c_int) -> c_int {
    // SAFETY: as the caller vouches; what is moved has room.
    unsafe {
        if ffi::lua_checkstack(coroutine, given) == 0 {
            ffi::lua_settop(own, 0);
            return ffi::LUA_ERRMEM;
        }
        ffi::lua_xmove(own, coroutine, given);
        let mut results = 0;
        let before = limits::switch(coroutine);
        let status = ffi::lua_resume(coroutine, own, given - 1, &raw mut results);
        limits::switch(before);
        let results = match status {
            ffi::LUA_OK => results,
            ffi::LUA_YIELD => 0,
            _ => 1,
        };
        if ffi::lua_checkstack(own, results) == 0 {
            ffi::lua_settop(own, 0);
            return ffi::LUA_ERRMEM;
        }
        ffi::lua_xmove(coroutine, own, results);
        ffi::lua_remove(own, 1);
        status
    }
}

/// Removes the place that Lua puts before a message about the expression, and the trace after it.
fn without_place(message: &str) -> String {
    let message = message.split("\nstack traceback:").next().unwrap_or(message);
    let message = message.strip_prefix("syntax error: ").unwrap_or(message);
    let place = message.strip_prefix("(debugger):").and_then(|rest| rest.split_once(": "));
    place.map_or(message, |(_, rest)| rest).to_owned()
}

/// Ends an expression whose time is up. Called by Lua now and then while one runs.
pub(super) unsafe extern "C-unwind" fn on_count(state: *mut lua_State, _: *mut ffi::lua_Debug) {
    // SAFETY: no value with a destructor is alive when this leaves.
    unsafe {
        let Some(watch) = limits::running() else { return };
        if let Some(debugger) = watch.observed().debugger() {
            let evaluation = &debugger.evaluation;
            if !evaluation.is_running() {
                // The coroutine was made by an expression, and is the guest's now.
                return watch.attend(state);
            }
            if evaluation.must_end() {
                evaluation.is_over_time.set(true);
                // No `pcall` catches it then.
                watch.set_exit(0);
            }
        }
        if watch.doomed() {
            limits::end(state);
        }
    }
}
