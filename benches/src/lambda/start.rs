//! Time from exec to the first `/next`, with everything in the page cache and with nothing in it.

use super::{payload::Exchange, runtime::Runtime};
use crate::{
    bench::{Bench, START_LIMIT, filled},
    console,
    contestant::Lambda,
    resident::field,
    sheet::{Quantity, Sheet},
};
use anyhow::{Context, ensure};
use nix::unistd::sync;
use std::{fs, path::Path};

const TIME: Quantity = ("time", "ms");
const SUITE: &str = "start";

/// Takes all rounds: those with a warm cache first.
pub(crate) async fn measure(bench: &Bench<'_>, mut contestants: Vec<&Lambda>, sheet: &mut Sheet) {
    if contestants.is_empty() {
        return;
    }
    let mut alive = Vec::new();
    for lambda in contestants {
        bench.progress(SUITE, 0, &lambda.identity);
        match try_out(bench, lambda).await {
            Ok(()) => alive.push(lambda),
            Err(error) => {
                bench.give_up(SUITE, &lambda.identity, &format!("{error:#}"), sheet);
            }
        }
    }
    contestants = alive;
    rounds(bench, &mut contestants, bench.plan.rounds, false, sheet).await;
    if !can_drop_caches() {
        console::say("start: the page cache cannot be dropped here, so no start without it");
        return;
    }
    rounds(bench, &mut contestants, bench.plan.rounds, true, sheet).await;
}

async fn rounds(
    bench: &Bench<'_>,
    contestants: &mut Vec<&Lambda>,
    rounds: usize,
    cold: bool,
    sheet: &mut Sheet,
) {
    for round in 1..=rounds {
        let mut alive = Vec::new();
        for lambda in contestants.iter().copied() {
            let what = if cold { "start, cold cache" } else { SUITE };
            bench.progress(what, round, &lambda.identity);
            if cold {
                drop_caches();
            }
            let started = Runtime::start(bench, lambda, &[]).await;
            match started {
                Ok(runtime) => {
                    alive.push(lambda);
                    let case = case(lambda, cold);
                    let milliseconds = runtime.start.as_secs_f64() * 1e3;
                    sheet.add(SUITE, &lambda.identity.id, &case, TIME, milliseconds);
                }
                Err(error) => {
                    bench.give_up(SUITE, &lambda.identity, &format!("{error:#}"), sheet);
                }
            }
        }
        *contestants = alive;
    }
}

/// Makes a first start, which fills the page cache. A contestant that starts quickly must also be able to answer.
async fn try_out(bench: &Bench<'_>, lambda: &Lambda) -> anyhow::Result<()> {
    prepare(bench, lambda).await?;
    let mut runtime = Runtime::start(bench, lambda, &[]).await?;
    runtime.batch(&Exchange::echo(100), 1).await?;
    Ok(())
}

/// Runs what has to be done before a start: building a cache that would be shipped with the function.
async fn prepare(bench: &Bench<'_>, lambda: &Lambda) -> anyhow::Result<()> {
    if lambda.prepare.is_empty() {
        return Ok(());
    }
    let fill = |text: &str| bench.places().fill(text);
    let (folder, given) = (fill(&lambda.task), filled(&lambda.env, fill));
    let mut child = bench.launch(&lambda.prepare, Path::new(&folder), fill, given).spawn()?;
    let status = tokio::time::timeout(START_LIMIT, child.wait())
        .await
        .context("the command that prepares it takes too long")??;
    ensure!(status.success(), "the command that prepares it ended ({status}){}", child.wrote());
    Ok(())
}

fn case(lambda: &Lambda, cold: bool) -> String {
    let load = &lambda.load;
    if cold { format!("{load}, cold cache") } else { load.clone() }
}

/// Writes back what is dirty and empties the page cache; returns whether the system did so.
fn drop_caches() -> bool {
    sync();
    fs::write("/proc/sys/vm/drop_caches", "3").is_ok()
}

/// Whether dropping the cache has any effect: a container may ignore it.
fn can_drop_caches() -> bool {
    let cached = || field(&fs::read_to_string("/proc/meminfo").ok()?, "Cached");
    let before = cached();
    // This program's own pages are in use and stay.
    drop_caches() && before.zip(cached()).is_some_and(|(before, after)| after <= before)
}
