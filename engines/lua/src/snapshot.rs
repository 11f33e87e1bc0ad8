//! A snapshot of the process, of which copies go on: what guests want done around it, and what no copy may share.

use crate::{call::Run, vm::Vm};
use mlua::ffi;
use std::{ffi::c_int, fs::File, io::Read, rc::Rc};
use trine_engine::{Error, Result};

/// The functions that the prelude has for it, by their keys in the registry.
pub(crate) struct Snapshot {
    pub(crate) before: c_int,
    pub(crate) restored: c_int,
}

/// Runs what guests want done before a snapshot, and lets go of connections.
pub(crate) async fn prepare(vm: &Rc<Vm>) -> Result<()> {
    run(vm, vm.snapshot().before, &[]).await?;
    vm.host().waits().disconnect();
    Ok(())
}

/// Seeds Lua's random generator, and runs what guests want done in a copy.
pub(crate) async fn go_on(vm: &Rc<Vm>) -> Result<()> {
    let mut bytes = [[0; 8]; 2];
    let drawn = File::open("/dev/urandom")
        .and_then(|mut system| system.read_exact(bytes.as_flattened_mut()));
    drawn.map_err(|error| Error::internal(format!("the system has no random numbers: {error}")))?;
    run(vm, vm.snapshot().restored, &bytes.map(i64::from_ne_bytes)).await
}

async fn run(vm: &Rc<Vm>, function: c_int, arguments: &[i64]) -> Result<()> {
    let mut run = Run::new(vm, None, "")?;
    let coroutine = run.raw();
    // SAFETY: a new coroutine has room for three values; reading the registry does not allocate.
    unsafe {
        ffi::lua_rawgeti(coroutine, ffi::LUA_REGISTRYINDEX, function.into());
        for argument in arguments {
            ffi::lua_pushinteger(coroutine, *argument);
        }
    }
    let finished = run.finish(arguments.len() as c_int).await;
    vm.host().output().flush();
    finished?;
    run.done();
    Ok(())
}
