//! Warm invocations: processes that live through all rounds. One at a time has work while the others wait in
//! `/next`.

use super::{payload::Exchange, runtime::Runtime};
use crate::{
    bench::Bench,
    contestant::Lambda,
    sheet::{P50, P99, Quantity, RATE, Sheet},
    statistics::percentile,
};
use std::time::{Duration, Instant};

/// Target duration of a case's batch.
const SLOT: Duration = Duration::from_millis(250);
/// Warm-up time of a case before the first round.
const WARM_UP: Duration = Duration::from_millis(250);
/// Minimum number of events in a batch, even if they take longer than the slot.
const SMALLEST_BATCH: usize = 4;

/// An exchange that a process is measured with, in batches.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) exchange: Exchange,
    /// Number of events in the next batch.
    count: usize,
}

impl Case {
    pub(crate) fn new(name: impl Into<String>, exchange: Exchange) -> Self {
        Self { name: name.into(), exchange, count: 1 }
    }

    /// Sizes the next batch from what the last one has shown.
    fn learn(&mut self, rate: f64) {
        self.count = ((rate * SLOT.as_secs_f64()) as usize).max(SMALLEST_BATCH);
    }
}

/// A process and its cases.
#[derive(Debug)]
pub(crate) struct Lane<'a> {
    pub(crate) lambda: &'a Lambda,
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) cases: Vec<Case>,
}

/// Takes all rounds of all lanes. A contestant is left out of the suite if one of its lanes fails.
pub(crate) async fn measure(
    bench: &Bench<'_>,
    suite: &'static str,
    lanes: Vec<Lane<'_>>,
    metrics: &[Quantity],
    sheet: &mut Sheet,
) {
    let mut running: Vec<(Lane<'_>, Runtime)> = Vec::new();
    let mut failed: Vec<&str> = Vec::new();
    for mut lane in lanes {
        let identity = &lane.lambda.identity;
        if failed.contains(&identity.id.as_str()) {
            continue;
        }
        bench.progress(suite, 0, identity);
        match warmed_up(bench, &mut lane).await {
            Ok(runtime) => running.push((lane, runtime)),
            Err(error) => {
                failed.push(&identity.id);
                bench.give_up(suite, identity, &format!("{error:#}"), sheet);
            }
        }
    }
    running.retain(|(lane, _)| !failed.contains(&lane.lambda.identity.id.as_str()));
    for round in 1..=bench.plan.rounds {
        for (lane, runtime) in &mut running {
            let identity = &lane.lambda.identity;
            if failed.contains(&identity.id.as_str()) {
                continue;
            }
            bench.progress(suite, round, identity);
            if let Err(error) = take(suite, lane, runtime, metrics, sheet).await {
                failed.push(&identity.id);
                bench.give_up(suite, identity, &format!("{error:#}"), sheet);
            }
        }
        running.retain(|(lane, _)| !failed.contains(&lane.lambda.identity.id.as_str()));
    }
}

/// Starts a lane's process and measures in each case how many events fill a slot.
async fn warmed_up(bench: &Bench<'_>, lane: &mut Lane<'_>) -> anyhow::Result<Runtime> {
    let mut runtime = Runtime::start(bench, lane.lambda, &lane.environment).await?;
    for case in &mut lane.cases {
        let began = Instant::now();
        let mut count = 1;
        loop {
            let batch = runtime.batch(&case.exchange, count).await?;
            if began.elapsed() >= WARM_UP {
                case.learn(batch.rate);
                break;
            }
            count *= 2;
        }
    }
    Ok(runtime)
}

/// Takes one round of a lane.
async fn take(
    suite: &str,
    lane: &mut Lane<'_>,
    runtime: &mut Runtime,
    metrics: &[Quantity],
    sheet: &mut Sheet,
) -> anyhow::Result<()> {
    let id = &lane.lambda.identity.id;
    for case in &mut lane.cases {
        let batch = runtime.batch(&case.exchange, case.count).await?;
        case.learn(batch.rate);
        for (quantity, value) in [
            (RATE, batch.rate),
            (P50, percentile(&batch.latencies, 0.5)),
            (P99, percentile(&batch.latencies, 0.99)),
        ] {
            if metrics.contains(&quantity) {
                sheet.add(suite, id, &case.name, quantity, value);
            }
        }
    }
    Ok(())
}
