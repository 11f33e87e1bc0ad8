//! The plots, with the figures that each shows.

mod bars;
mod lines;
mod scale;

use super::{
    compare::{cases, in_order, is_trine, languages},
    format::{language, median, quantity},
    page::{loads, number},
};
use crate::record::{Entrant, Figure, Record};
use bars::{Bar, Block, Chart};
use lines::{Line, Lines};

/// A plot that was drawn.
#[derive(Debug)]
pub(super) struct Plot {
    /// The name of its file.
    pub(super) file: &'static str,
    /// The title.
    pub(super) title: &'static str,
    /// The SVG document.
    pub(super) svg: String,
}

/// The files of all plots.
pub(super) const FILES: [&str; 6] =
    ["lambda-latency.svg", "start.svg", "blocks.svg", "memory.svg", "http.svg", "hooks.svg"];

/// Draws all plots for which there are figures.
pub(super) fn all(record: &Record) -> anyhow::Result<Vec<Plot>> {
    let [latency_file, start_file, blocks_file, memory_file, http_file, hooks_file] = FILES;
    let mut plots = Vec::new();
    for (file, chart) in [
        (latency_file, latency(record)),
        (start_file, start(record)),
        (blocks_file, blocks(record)),
        (memory_file, memory(record)),
        (http_file, http(record)),
    ] {
        if chart.blocks.iter().any(|block| !block.bars.is_empty()) {
            plots.push(Plot { file, title: chart.title, svg: chart.draw()? });
        }
    }
    let hooks = hooks(record);
    if !hooks.lines.is_empty() {
        plots.push(Plot { file: hooks_file, title: hooks.title, svg: hooks.draw()? });
    }
    Ok(plots)
}

/// Makes a block for each language, best first.
fn by_language<'r>(
    record: &'r Record,
    heading: impl Fn(&str) -> String,
    most_first: bool,
    bar: impl Fn(&'r Entrant) -> Option<Bar<'r>>,
) -> Vec<Block<'r>> {
    let entrants = in_order(record);
    let mut blocks = Vec::new();
    for id in languages(record) {
        let of = entrants.iter().filter(|entrant| entrant.language == id);
        let mut bars: Vec<Bar<'_>> = of.filter_map(|entrant| bar(entrant)).collect();
        bars.sort_by(|one, other| {
            let order = one.value.total_cmp(&other.value);
            if most_first { order.reverse() } else { order }
        });
        if !bars.is_empty() {
            blocks.push(Block { heading: heading(language(id)), bars });
        }
    }
    blocks
}

fn bar<'r>(entrant: &'r Entrant, figure: &Figure) -> Option<Bar<'r>> {
    let value = figure.median();
    value.is_finite().then(|| Bar {
        label: &entrant.name,
        group: &entrant.group,
        value,
        whisker: (figure.rounds.len() > 1).then(|| figure.spread()),
        note: median(figure),
        aside: String::new(),
    })
}

/// Makes a bar with a whisker from its end to another figure, which the note names.
fn bar_to<'r>(
    entrant: &'r Entrant,
    figure: &Figure,
    further: Option<&Figure>,
    name: &str,
) -> Option<Bar<'r>> {
    let bar = bar(entrant, figure)?;
    let Some(further) = further.filter(|further| further.median().is_finite()) else {
        return Some(Bar { whisker: None, ..bar });
    };
    let whisker = Some((bar.value, further.median()));
    Some(Bar { whisker, aside: format!("{name} {}", median(further)), ..bar })
}

fn latency(record: &Record) -> Chart<'_> {
    let case = "1 KB";
    let blocks = by_language(record, str::to_owned, false, |entrant| {
        let p50 = record.figure("warm", &entrant.id, case, "p50")?;
        bar_to(entrant, p50, record.figure("warm", &entrant.id, case, "p99"), "p99")
    });
    Chart {
        title: "Lambda: time from event to answer",
        subtitle: "echo of 1 KB of JSON, warm · bar: p50, whisker: p99 · less is better",
        unit: unit(record, "warm", "p50"),
        blocks,
    }
}

fn start(record: &Record) -> Chart<'_> {
    Chart {
        title: "Lambda: from exec to the first request for an event",
        subtitle: "page cache warm · bar: median, whisker: least and greatest round · less is better",
        unit: unit(record, "start", "time"),
        blocks: by_load(record, "start", "time"),
    }
}

/// Makes blocks for each set of dependencies that contestants started with. Goals stand beside the bars.
fn by_load<'r>(record: &'r Record, suite: &str, metric: &str) -> Vec<Block<'r>> {
    let blocks = loads(record, suite).into_iter().flat_map(|load| {
        let heading = move |language: &str| match load {
            "bare" => language.to_owned(),
            load => format!("{language} with {load}"),
        };
        by_language(record, heading, false, |entrant| {
            let figure = record.figure(suite, &entrant.id, load, metric)?;
            let goal = entrant.goals.get(suite);
            let aside = goal.map(|most| format!("goal {}", quantity(*most, &figure.unit)));
            Some(Bar { aside: aside.unwrap_or_default(), ..bar(entrant, figure)? })
        })
    });
    blocks.collect()
}

fn blocks(record: &Record) -> Chart<'_> {
    Chart {
        title: "Lambda: what a cold start reads of what ships",
        subtitle: "blocks of 512\u{202f}KiB, until the first request for an event · less is better",
        unit: unit(record, "blocks", "blocks"),
        blocks: by_load(record, "blocks", "blocks"),
    }
}

fn memory(record: &Record) -> Chart<'_> {
    let blocks = by_language(record, str::to_owned, false, |entrant| {
        let figure = |case| record.figure("memory", &entrant.id, case, "resident");
        let cases = cases(record, "memory");
        let (first, last) = (cases.first()?, cases.last()?);
        bar_to(entrant, figure(first)?, figure(last).filter(|_| first != last), "then")
    });
    Chart {
        title: "Lambda: resident memory",
        subtitle: "bar: at the first request for an event, whisker: after 10\u{202f}000 invocations · less is better",
        unit: unit(record, "memory", "resident"),
        blocks,
    }
}

fn http(record: &Record) -> Chart<'_> {
    let blocks = by_language(record, str::to_owned, true, |entrant| {
        bar(entrant, record.figure("http", &entrant.id, "64 connections", "rate")?)
    });
    Chart {
        title: "HTTP: requests per second",
        subtitle: "1 KB of JSON, 64 connections, one core · bar: median, whisker: least and greatest round · more is better",
        unit: unit(record, "http", "rate"),
        blocks,
    }
}

fn hooks(record: &Record) -> Lines<'_> {
    let lines = in_order(record).into_iter().filter_map(|entrant| {
        let mut points: Vec<(f64, f64)> = cases(record, "hooks")
            .into_iter()
            .filter_map(|case| {
                let figure = record.figure("hooks", &entrant.id, case, "p50")?;
                Some((number(case)?, figure.median()))
            })
            .filter(|(_, value)| value.is_finite())
            .collect();
        points.sort_by(|one, other| one.0.total_cmp(&other.0));
        let (_, last) = *points.last()?;
        let unit = unit(record, "hooks", "p50");
        Some(Line {
            label: format!("{}  {}", entrant.name, quantity(last, unit)),
            group: &entrant.group,
            bold: is_trine(entrant),
            points,
        })
    });
    Lines {
        title: "Lambda: time from event to answer, by number of hooks",
        subtitle: "echo of 1 KB of JSON, warm, p50 · less is better",
        across: "hooks around the handler",
        unit: unit(record, "hooks", "p50"),
        lines: lines.collect(),
    }
}

/// Returns the unit of a suite's metric.
fn unit<'r>(record: &'r Record, suite: &str, metric: &str) -> &'r str {
    let of = |figure: &&Figure| figure.suite == suite && figure.metric == metric;
    record.figures.iter().find(of).map_or("", |figure| &figure.unit)
}
