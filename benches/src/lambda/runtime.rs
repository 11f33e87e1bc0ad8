//! A contestant's process, with the emulator that it polls, and batches of events for it.

use super::payload::{Exchange, difference, head};
use crate::{
    bench::{Bench, START_LIMIT, filled},
    contestant::Lambda,
    process::Child,
    statistics::micros,
};
use anyhow::{Context, bail, ensure};
use bytes::Bytes;
use futures::poll;
use std::{
    path::Path,
    task::Poll,
    time::{Duration, Instant},
};
use trine_emulator::{Answer, Emulator, EmulatorOptions, Event, Outcome};

/// Maximum duration of a batch.
const BATCH_LIMIT: Duration = Duration::from_secs(30);
/// Maximum number of bytes kept, until they can be checked, of answers that differ in form from the first one.
const KEPT_BYTES: usize = 64 << 20;
/// Maximum number of events in a batch.
const LARGEST_BATCH: usize = 8192;

/// A process that has asked for its first event. Dropping the value ends it.
pub(crate) struct Runtime {
    /// Declared before the emulator: a process would complain if its emulator were gone.
    child: Child,
    emulator: Emulator,
    /// Time from before the process was made until its first `/next`.
    pub(crate) start: Duration,
}

/// The results of a batch. Its first event is not counted, because it wakes up the contestant.
#[derive(Debug)]
pub(crate) struct Batch {
    /// Invocations per second.
    pub(crate) rate: f64,
    /// Times from handing out each event to accepting its answer in µs, sorted.
    pub(crate) latencies: Vec<f64>,
}

impl Runtime {
    /// Starts a contestant, with additional environment variables, and waits for its first `/next`.
    ///
    /// # Errors
    /// When it does not come up.
    pub(crate) async fn start(
        bench: &Bench<'_>,
        lambda: &Lambda,
        environment: &[(String, String)],
    ) -> anyhow::Result<Self> {
        let emulator = emulator(lambda).await?;
        let fill = |text: &str| bench.places().fill(text);
        let task = fill(&lambda.task);
        let mut all = given(bench, lambda, &emulator);
        all.extend_from_slice(environment);
        let folder = Path::new(&task);
        ensure!(folder.is_dir(), "there is no folder {task}");
        let launch = bench.launch(&lambda.command, folder, fill, all);
        let began = Instant::now();
        let mut child = launch.spawn()?;
        let polled = emulator.wait_for_next(START_LIMIT * 2);
        let came = child.during("it asked for its first event", START_LIMIT, polled).await;
        let start = began.elapsed();
        if let Some(failure) = emulator.init_error() {
            bail!("could not start: {}", head(&failure.body));
        }
        came?;
        Ok(Self { child, emulator, start })
    }

    /// Queues this many events at once (and one more, which comes first), so that no `/next` has to wait, and checks
    /// each answer.
    ///
    /// # Errors
    /// When an answer is wrong, or the process ends or hangs.
    pub(crate) async fn batch(
        &mut self,
        exchange: &Exchange,
        count: usize,
    ) -> anyhow::Result<Batch> {
        let count = count.clamp(1, LARGEST_BATCH);
        let answered = run(&self.emulator, exchange, count + 1);
        let what = format!("it answered {} events", count + 1);
        self.child.during(&what, BATCH_LIMIT, answered).await?
    }

    /// Returns the resident memory in MB, once it has settled.
    pub(crate) async fn resident(&self) -> anyhow::Result<f64> {
        tokio::time::sleep(Duration::from_millis(100)).await;
        crate::resident::resident(self.child.id)
    }
}

/// Starts the emulator that a contestant polls.
pub(crate) async fn emulator(lambda: &Lambda) -> anyhow::Result<Emulator> {
    let options = EmulatorOptions {
        timeout: Duration::from_secs(60),
        init_timeout: START_LIMIT,
        memory_mb: 1024,
        function_name: lambda.identity.id.clone(),
        queue_length: LARGEST_BATCH + 1,
        // Nothing is kept of a finished invocation: memory and time stay the same throughout.
        log_length: 0,
        records_length: 0,
        // Not every peer knows the header. The emulator would record each of its answers as a violation.
        invocation_id_header: false,
        ..EmulatorOptions::default()
    };
    Emulator::start(options).await.context("cannot start the emulator")
}

/// Returns the environment that a contestant is given.
pub(crate) fn given(
    bench: &Bench<'_>,
    lambda: &Lambda,
    emulator: &Emulator,
) -> Vec<(String, String)> {
    let fill = |text: &str| bench.places().fill(text);
    let given = emulator.environment().into_iter();
    let mut all: Vec<(String, String)> =
        given.map(|(name, value)| (name.to_owned(), value)).collect();
    all.push(("LAMBDA_TASK_ROOT".to_owned(), fill(&lambda.task)));
    all.push(("_HANDLER".to_owned(), lambda.handler.clone()));
    all.extend(filled(&lambda.env, fill));
    all
}

async fn run(emulator: &Emulator, exchange: &Exchange, count: usize) -> anyhow::Result<Batch> {
    let mut waiting = Vec::with_capacity(count);
    for _ in 0..count {
        let mut call = Box::pin(emulator.invoke(Event::new(exchange.event.clone())));
        // An event is queued when its call is first polled.
        if let Poll::Ready(outcome) = poll!(&mut call) {
            body(&outcome)?;
        }
        waiting.push(call);
    }
    let mut calls = waiting.into_iter();
    let first = calls.next().context("a batch has events")?.await;
    let began = Instant::now();
    let first = body(&first)?.clone();
    let mut latencies = Vec::with_capacity(count);
    let mut others = Vec::new();
    let mut kept = 0;
    for call in calls {
        let outcome = call.await;
        latencies.push(micros(outcome.duration));
        let answer = body(&outcome)?;
        if *answer == first {
            continue;
        }
        if kept + answer.len() <= KEPT_BYTES {
            kept += answer.len();
            others.push(answer.clone());
        } else {
            ensure!(answer.len() == first.len(), "answered in two lengths");
        }
    }
    let seconds = began.elapsed().as_secs_f64();
    for answer in [first].iter().chain(&others) {
        if let Some(difference) = difference(answer, &exchange.answer) {
            bail!("{difference}");
        }
    }
    latencies.sort_by(f64::total_cmp);
    Ok(Batch { rate: latencies.len() as f64 / seconds, latencies })
}

/// Returns the answer's text.
fn body(outcome: &Outcome) -> anyhow::Result<&Bytes> {
    match &outcome.result {
        Answer::Response { bytes, .. } => Ok(bytes),
        _ => bail!("answered with an error: {}", head(&outcome.body())),
    }
}
