//! Arguments, environment variables, random bytes, the end of a program.

use super::{
    Call,
    errno::{Errno, Result},
    memory::Buffer,
};

/// Number of random bytes between two looks at whether the call is still wanted.
const RANDOM_PART: usize = 1 << 20;

pub(super) fn args_get(call: &mut Call<'_>) -> Result<()> {
    let texts = call.wasi.program.arguments.clone();
    put(call, &texts)
}

pub(super) fn args_sizes_get(call: &mut Call<'_>) -> Result<()> {
    let texts = call.wasi.program.arguments.clone();
    put_sizes(call, &texts)
}

pub(super) fn environ_get(call: &mut Call<'_>) -> Result<()> {
    let texts = call.wasi.variables();
    put(call, &texts)
}

pub(super) fn environ_sizes_get(call: &mut Call<'_>) -> Result<()> {
    let texts = call.wasi.variables();
    put_sizes(call, &texts)
}

/// Writes texts, each with a zero at its end, and a list of where they are.
fn put(call: &mut Call<'_>, texts: &[Vec<u8>]) -> Result<()> {
    let (mut list, mut at) = (call.u32(0), call.u32(1));
    for text in texts {
        call.memory.write_u32(list, at)?;
        call.memory.write(at, text)?;
        let end = at.checked_add(text.len() as u32).ok_or(Errno::Fault)?;
        call.memory.write(end, &[0])?;
        at = end.checked_add(1).ok_or(Errno::Fault)?;
        list = list.checked_add(4).ok_or(Errno::Fault)?;
    }
    Ok(())
}

fn put_sizes(call: &mut Call<'_>, texts: &[Vec<u8>]) -> Result<()> {
    let (count, size) = (call.u32(0), call.u32(1));
    let bytes: usize = texts.iter().map(|text| text.len() + 1).sum();
    call.memory.write_u32(count, texts.len() as u32)?;
    call.memory.write_u32(size, u32::try_from(bytes).map_err(|_| Errno::Overflow)?)
}

pub(super) fn random_get(call: &mut Call<'_>) -> Result<()> {
    let buffer = Buffer { pointer: call.u32(0), length: call.u32(1) };
    for part in call.memory.bytes(buffer)?.chunks_mut(RANDOM_PART) {
        if call.wasi.is_stopped() {
            return Err(Errno::Interrupted);
        }
        getrandom::fill(part).map_err(|_| Errno::Io)?;
    }
    Ok(())
}

pub(super) fn proc_exit(call: &mut Call<'_>) -> Result<()> {
    call.wasi.exit = Some(call.u32(0));
    Ok(())
}

pub(super) fn sched_yield(_: &mut Call<'_>) -> Result<()> {
    Ok(())
}
