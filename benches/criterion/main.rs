//! The duration of the parts of an invocation, each measured by itself:
//!
//! - `engine call`: from an event's bytes to its answer's in an engine, without the rest of the product;
//! - `other engines`: a call in the engines for queries and compiled code, and the load of their files, beside Lua's;
//! - `pipeline`: an invocation with its hooks, without a front door;
//! - `lambda loop`: the whole process under an emulated Runtime API, next to the raw client and the official Rust one;
//! - `streams`, `managed`: the first byte of a streamed answer, its speed, and invocations side by side, as callers of the
//!   emulated Lambda see them;
//! - `recycling`: how soon a fresh instance is ready, in a warm process and in a new one;
//! - `interrupts`: how soon an endless loop is answered once its time is up;
//! - `lua library`: functions of Lua's library that can be stopped, next to Lua's own.
//!
//! `cargo bench --profile dev -p trine-benches --bench latency` runs all of them in a few minutes. A pattern runs a
//! group, a question or one language of it, as in `… --bench latency -- '^engine call/echo, 1 KB/js'`; `-- --test` runs
//! each once, and `-- --list` names them. `-- --profile-time 10` runs each for ten seconds and measures nothing: for a
//! profiler around it. The everyday profile reuses what `cargo build --all-targets` has compiled. The groups
//! `lambda loop` and `recycling` start the binary `trine` next to it: `cargo build --bin trine` makes it.
//!
//! Every benchmark checks its function's answer before it measures. Its setup is made when it first runs,
//! so that one that is left out costs nothing.

mod bed;
mod engine_call;
mod events;
mod interrupts;
mod lambda_loop;
mod language;
mod lua_library;
mod notes;
mod other_engines;
mod pipeline;
mod process;
mod recycling;
mod streams;

use criterion::{BenchmarkGroup, BenchmarkId, Criterion, measurement::WallTime};
use std::time::Duration;

/// A group of benchmarks.
type Group<'a> = BenchmarkGroup<'a, WallTime>;

fn main() {
    // There are many benchmarks: each gets just enough time for its median to settle.
    let mut criterion = Criterion::default()
        .without_plots()
        .warm_up_time(Duration::from_millis(400))
        .measurement_time(Duration::from_millis(1500))
        .sample_size(20)
        .nresamples(10_000)
        .configure_from_args();
    engine_call::measure(&mut criterion);
    other_engines::measure(&mut criterion);
    pipeline::measure(&mut criterion);
    lambda_loop::measure(&mut criterion);
    streams::measure(&mut criterion);
    recycling::measure(&mut criterion);
    interrupts::measure(&mut criterion);
    lua_library::measure(&mut criterion);
    criterion.final_summary();
}

/// Adds a benchmark: its question, and who answers it, usually a language. `make` makes what it needs when it first
/// runs; `take` does what is measured this many times, and returns how long that took.
fn bench<B>(
    group: &mut Group<'_>,
    question: &str,
    whose: &str,
    make: impl Fn() -> B,
    take: impl Fn(&mut B, u64) -> Duration,
) {
    let mut bed = None;
    group.bench_function(BenchmarkId::new(question, whose), |bencher| {
        let bed = bed.get_or_insert_with(&make);
        bencher.iter_custom(|count| take(bed, count));
    });
}
