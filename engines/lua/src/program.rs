//! Programs as middleware: files that read standard input, look at their first argument and print their result. They
//! run in this process, anew for each call, with globals of their own.

use crate::{
    call::{InFlight, Run},
    loader,
    vm::Vm,
};
use bytes::Bytes;
use mlua::{Table, Value, ffi};
use std::rc::Rc;
use trine_engine::{Error, ErrorKind, Hook, Invocation, Module, Payload, Result};

/// Reads and checks a program; returns its source as a value of the state.
pub(crate) fn load(vm: &Rc<Vm>, module: &Module) -> Result<Value> {
    if let Some(folder) = module.path.parent() {
        vm.search_in(folder)?;
    }
    let source = loader::read(module)?;
    loader::compile(vm, module, &source)?;
    let source = vm.lua().create_string(source).map_err(|error| vm.error(&error))?;
    Ok(Value::String(source))
}

/// Runs the program whose source the registry holds under `source`.
pub(crate) async fn call(
    vm: &Rc<Vm>,
    source: i32,
    module: &Module,
    hook: Hook,
    input: Payload,
    invocation: &Rc<Invocation>,
) -> Result<Payload> {
    let text = match input {
        Payload::Nothing => Bytes::new(),
        input => input.into_bytes()?.0,
    };
    let in_flight = InFlight::begin(vm, invocation);
    let lua = vm.lua();
    let printed = lua.create_table().map_err(|error| vm.error(&error))?;
    let path = module.path.to_string_lossy();
    let text = lua.create_string(&text).map_err(|error| vm.error(&error))?;
    let mut run = Run::new(vm, Some(invocation), hook.name())?;
    run.is_call(&in_flight);
    let coroutine = run.raw();
    let keys = [
        vm.keep(vm.program()?)?,
        vm.keep(path.as_ref())?,
        vm.keep(hook.name())?,
        vm.keep(text)?,
        vm.keep(&printed)?,
    ];
    // SAFETY: a new coroutine has room for six values; reading the registry does not allocate.
    unsafe {
        for key in [keys[0], source, keys[1], keys[2], keys[3], keys[4]] {
            ffi::lua_rawgeti(coroutine, ffi::LUA_REGISTRYINDEX, key.into());
        }
    }
    let finished = run.finish(5).await;
    keys.into_iter().for_each(|key| vm.forget(key));
    match (finished, vm.host().watch().exit()) {
        (Ok(_), _) => run.done(),
        (Err(_), Some(0)) => {}
        (Err(error), Some(status)) => {
            let message = format!("{path} {hook} has ended with exit status {status}");
            return Err(Error::new(ErrorKind::Exit, message).with_frames(error.frames().to_vec()));
        }
        (Err(error), None) => return Err(error),
    }
    Ok(Payload::Json(output(&printed).map_err(|error| vm.error(&error))?))
}

/// Returns what was printed, without one newline at its end.
fn output(printed: &Table) -> mlua::Result<Bytes> {
    let mut text = Vec::new();
    for piece in printed.sequence_values::<mlua::LuaString>() {
        text.extend_from_slice(&piece?.as_bytes());
    }
    if text.last() == Some(&b'\n') {
        text.pop();
    }
    Ok(text.into())
}
