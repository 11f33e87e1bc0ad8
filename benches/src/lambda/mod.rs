//! The parts of the comparison that measure processes which speak Lambda's Runtime API.

mod blocks;
mod lane;
mod memory;
mod payload;
mod runtime;
mod start;

pub(crate) use payload::{Exchange, difference, head};

use crate::{
    bench::Bench,
    contestant::Lambda,
    plan::Part,
    sheet::{P50, P99, RATE, Sheet},
};
use lane::{Case, Lane};

/// Takes all rounds of a part.
pub(crate) async fn measure(bench: &Bench<'_>, part: Part, sheet: &mut Sheet) {
    let suite = part.name();
    let contestants = bench.plan.lambda(part);
    let contestants = bench.present(suite, contestants, |lambda| &lambda.identity, sheet);
    match part {
        Part::Start => start::measure(bench, contestants, sheet).await,
        Part::Blocks => blocks::measure(bench, contestants, sheet).await,
        Part::Memory => memory::measure(bench, contestants, sheet).await,
        Part::Warm => {
            let lanes = contestants.into_iter().map(warm).collect();
            lane::measure(bench, suite, lanes, &[RATE, P50, P99], sheet).await;
        }
        Part::Hooks => {
            let lanes = contestants.into_iter().flat_map(hooks).collect();
            lane::measure(bench, suite, lanes, &[RATE, P50], sheet).await;
        }
        Part::Http | Part::Criterion => {}
    }
}

/// Makes one lane, with all sizes in one process.
fn warm(lambda: &Lambda) -> Lane<'_> {
    let sizes = payload::SIZES.into_iter();
    let cases = sizes.map(|(name, size)| Case::new(name, Exchange::echo(size))).collect();
    Lane { lambda, environment: Vec::new(), cases }
}

/// Makes a lane, with a process of its own, for each number of hooks.
fn hooks(lambda: &Lambda) -> impl Iterator<Item = Lane<'_>> {
    [(0, "0 hooks"), (1, "1 hook"), (3, "3 hooks")].into_iter().map(move |(count, name)| {
        let hooks: Vec<String> = (1..=count).map(|number| format!("hook{number}")).collect();
        let variable = lambda.hooks_variable.clone().filter(|_| count > 0);
        let environment = variable.map(|variable| (variable, hooks.join(",")));
        let cases = vec![Case::new(name, Exchange::counted(1 << 10, count))];
        Lane { lambda, environment: environment.into_iter().collect(), cases }
    })
}
