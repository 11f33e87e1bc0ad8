//! Clocks, and waiting for them.

use super::{
    Call,
    errno::{Errno, Result},
};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

const REALTIME: u32 = 0;
/// The clocks of the process and the thread are this one as well: a guest is alone on its thread.
const OTHERS: std::ops::RangeInclusive<u32> = 1..=3;

/// Size of a subscription and of an event, in bytes.
const SUBSCRIPTION: u32 = 48;
const EVENT: u32 = 32;

/// Maximum number of subscriptions.
const MOST: u32 = 4096;

const CLOCK: u8 = 0;
const READ: u8 = 1;
const WRITE: u8 = 2;

const ABSOLUTE: u16 = 1;

pub(super) fn clock_res_get(call: &mut Call<'_>) -> Result<()> {
    let (clock, to) = (call.u32(0), call.u32(1));
    if clock != REALTIME && !OTHERS.contains(&clock) {
        return Err(Errno::Invalid);
    }
    call.memory.write_u64(to, 1)
}

pub(super) fn clock_time_get(call: &mut Call<'_>) -> Result<()> {
    let time = now(call, call.u32(0))?;
    call.memory.write_u64(call.u32(2), time)
}

/// Returns the time of a clock, in nanoseconds.
fn now(call: &Call<'_>, clock: u32) -> Result<u64> {
    let time = match clock {
        REALTIME => SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(),
        clock if OTHERS.contains(&clock) => call.wasi.program.started.elapsed(),
        _ => return Err(Errno::Invalid),
    };
    Ok(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX))
}

/// An event to be written.
struct Event {
    user: u64,
    error: u16,
    kind: u8,
    /// Number of bytes that can be read.
    bytes: u64,
}

pub(super) fn poll_oneoff(call: &mut Call<'_>) -> Result<()> {
    let (from, to, count, written) = (call.u32(0), call.u32(1), call.u32(2), call.u32(3));
    if count == 0 || count > MOST {
        return Err(Errno::Invalid);
    }
    let mut events = Vec::new();
    let mut clocks: Vec<(u64, Duration)> = Vec::new();
    for index in 0..count {
        let at = from.checked_add(index * SUBSCRIPTION).ok_or(Errno::Fault)?;
        // One beyond its end is out of reach, so that no sum below overflows.
        at.checked_add(SUBSCRIPTION).ok_or(Errno::Fault)?;
        let user = call.memory.read_u64(at)?;
        let kind = call.memory.read_u8(at + 8)?;
        match kind {
            CLOCK => match wait(call, at) {
                Ok(wait) => clocks.push((user, wait)),
                Err(Errno::Fault) => return Err(Errno::Fault),
                Err(error) => events.push(Event { user, error: error as u16, kind, bytes: 0 }),
            },
            // Files, what was given as input and logs never make anybody wait.
            READ | WRITE => {
                let descriptor = call.memory.read_u32(at + 16)?;
                let ready = call.wasi.ready(descriptor, kind == WRITE);
                let error = ready.map_or_else(|error| error as u16, |_| 0);
                events.push(Event { user, error, kind, bytes: ready.unwrap_or(0) });
            }
            _ => return Err(Errno::Invalid),
        }
    }
    if events.is_empty() {
        let least = clocks.iter().map(|(_, wait)| *wait).min().unwrap_or_default();
        if !call.wasi.program.stop.sleep(Instant::now().checked_add(least), call.wasi.epoch) {
            return Err(Errno::Interrupted);
        }
        let over = clocks.iter().filter(|(_, wait)| *wait <= least);
        events.extend(over.map(|(user, _)| Event { user: *user, error: 0, kind: CLOCK, bytes: 0 }));
    } else {
        let over = clocks.iter().filter(|(_, wait)| wait.is_zero());
        events.extend(over.map(|(user, _)| Event { user: *user, error: 0, kind: CLOCK, bytes: 0 }));
    }
    for (index, event) in events.iter().enumerate() {
        let mut bytes = [0; EVENT as usize];
        bytes[..8].copy_from_slice(&event.user.to_le_bytes());
        bytes[8..10].copy_from_slice(&event.error.to_le_bytes());
        bytes[10] = event.kind;
        bytes[16..24].copy_from_slice(&event.bytes.to_le_bytes());
        let at = to.checked_add(index as u32 * EVENT).ok_or(Errno::Fault)?;
        call.memory.write(at, &bytes)?;
    }
    call.memory.write_u32(written, events.len() as u32)
}

/// Returns how long a subscription of a clock waits from now on.
fn wait(call: &mut Call<'_>, at: u32) -> Result<Duration> {
    let clock = call.memory.read_u32(at + 16)?;
    let time = call.memory.read_u64(at + 24)?;
    let flags = call.memory.read_u16(at + 40)?;
    let now = now(call, clock)?;
    let wait = if flags & ABSOLUTE == 0 { time } else { time.saturating_sub(now) };
    Ok(Duration::from_nanos(wait))
}
