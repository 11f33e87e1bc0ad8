//! Resident memory: of a process that has just asked for its first event, and after ten thousand events.

use super::{payload::Exchange, runtime::Runtime};
use crate::{
    bench::Bench,
    contestant::Lambda,
    sheet::{Quantity, Sheet},
};
use std::{iter, time::Duration};

const RESIDENT: Quantity = ("resident", "MB");
const SUITE: &str = "memory";
const INVOCATIONS: usize = 10_000;
/// Time for all invocations beyond which a contestant counts as too slow.
const TOO_LONG: Duration = Duration::from_secs(30);

/// A contestant, and whether it is quick enough for that many invocations.
struct Turn<'a> {
    lambda: &'a Lambda,
    is_quick: bool,
}

/// Takes all rounds, each with a process of its own.
pub(crate) async fn measure(bench: &Bench<'_>, contestants: Vec<&Lambda>, sheet: &mut Sheet) {
    let mut turns: Vec<Turn<'_>> =
        contestants.into_iter().map(|lambda| Turn { lambda, is_quick: true }).collect();
    for round in 1..=bench.plan.rounds {
        let mut alive = Vec::new();
        for mut turn in turns {
            let identity = &turn.lambda.identity;
            bench.progress(SUITE, round, identity);
            match turn.take(bench, sheet).await {
                Ok(()) => alive.push(turn),
                Err(error) => bench.give_up(SUITE, identity, &format!("{error:#}"), sheet),
            }
        }
        turns = alive;
    }
}

impl Turn<'_> {
    async fn take(&mut self, bench: &Bench<'_>, sheet: &mut Sheet) -> anyhow::Result<()> {
        let id = &self.lambda.identity.id;
        let mut runtime = Runtime::start(bench, self.lambda, &[]).await?;
        let at_first = runtime.resident().await?;
        sheet.add(SUITE, id, "first /next", RESIDENT, at_first);
        if self.is_quick {
            match invoke(&mut runtime).await? {
                None => {
                    let at_last = runtime.resident().await?;
                    sheet.add(SUITE, id, "10 000 invocations", RESIDENT, at_last);
                }
                Some(seconds) => {
                    self.is_quick = false;
                    let reason = format!("{INVOCATIONS} invocations would take {seconds:.0} s");
                    sheet.lacks(SUITE, &self.lambda.identity, &reason);
                }
            }
        }
        Ok(())
    }
}

/// Invokes that many times, or returns how long it would take if that is too long.
async fn invoke(runtime: &mut Runtime) -> anyhow::Result<Option<f64>> {
    let exchange = Exchange::echo(1 << 10);
    // The first few may be slow without telling much about the rest.
    let mut batches = [(10, 4.0), (100, 1.0)].into_iter().chain(iter::repeat((500, 1.0)));
    let mut left = INVOCATIONS;
    while left > 0
        && let Some((count, patience)) = batches.next()
    {
        let count = count.min(left);
        left -= count;
        // A batch has one event more than requested.
        let rate = runtime.batch(&exchange, count - 1).await?.rate;
        let expected = INVOCATIONS as f64 / rate;
        if left > INVOCATIONS / 2 && expected > TOO_LONG.as_secs_f64() * patience {
            return Ok(Some(expected));
        }
    }
    Ok(None)
}
