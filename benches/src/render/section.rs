//! The README's section: a summary between two markers.

use super::{
    compare::{in_order, languages, with_trine},
    format::{NOTHING, day, language, median, times},
    page::{MARK, loss_list, machine, marked, name},
    plots::Plot,
    table::{Table, literal},
};
use crate::record::{Entrant, Figure, Record};
use anyhow::Context;

/// Marker of the section's beginning.
pub const BEGIN: &str = "<!-- benchmarks: begin -->";
/// Marker of the section's end.
pub const END: &str = "<!-- benchmarks: end -->";

/// The folder of the results, seen from the README.
const RESULTS: &str = "benches/results";

/// Plots that the summary shows.
const PLOTS: [&str; 2] = ["lambda-latency.svg", "http.svg"];

/// Returns the summary in Markdown.
pub(super) fn section(record: &Record, plots: &[Plot]) -> String {
    let mut text = format!(
        "Measured by `{}` on {}: {}. [All results]({RESULTS}/README.md), with spreads, versions and method. Figures are \
         medians of rounds in which everybody takes turns; {MARK} marks what is better than Trine's of the same \
         language.\n",
        record.command,
        day(&record.started),
        machine(&record.machine)
    );
    let picture = |text: &mut String, file: &str| {
        for plot in plots.iter().filter(|plot| plot.file == file) {
            text.push_str(&format!("\n![{}]({RESULTS}/{file})\n", plot.title));
        }
    };
    let lambda = lambda(record);
    if !lambda.is_empty() {
        let blocks = if has_blocks(record) {
            "the blocks of 512 KiB that a cold start reads of what ships, "
        } else {
            ""
        };
        text.push_str(&format!(
            "\nAs Lambda runtimes: from exec to the first request for an event, {blocks}memory at that moment, and the \
             time from event to answer (p50) of a function that answers its event of 1 KB.\n\n",
        ));
        text.push_str(&lambda.markdown());
        picture(&mut text, PLOTS[0]);
    }
    let http = http(record);
    if !http.is_empty() {
        text.push_str(
            "\nAs HTTP servers, one process on one core, 64 connections that post 1 KB of JSON. The ratio is of the \
             rate: less than 1× is slower than Trine.\n\n",
        );
        text.push_str(&http.markdown());
        picture(&mut text, PLOTS[1]);
    }
    text.push_str("\n### Where Trine loses\n\n");
    text.push_str(&loss_list(record));
    if !record.missing.is_empty() {
        text.push_str(&format!(
            "\nCould not be measured, or not in all parts ([why]({RESULTS}/README.md#who-is-missing)): {}.\n",
            record.missing.iter().map(|missing| literal(&missing.name)).collect::<Vec<_>>().join(", ")
        ));
    }
    text
}

/// Returns all entrants, language by language; Trine first in each.
fn by_language(record: &Record) -> Vec<&Entrant> {
    let entrants = in_order(record);
    let of = |language| entrants.iter().filter(move |entrant| entrant.language == language);
    languages(record).into_iter().flat_map(of).copied().collect()
}

fn table(record: &Record, header: &[&str], figures: &[(&str, &str, &str)], ratio: usize) -> Table {
    let mut table = Table::new(2, header.iter().copied());
    for entrant in by_language(record) {
        let figures: Vec<Option<&Figure>> = figures
            .iter()
            .map(|(suite, case, metric)| record.figure(suite, &entrant.id, case, metric))
            .collect();
        if figures.iter().all(Option::is_none) {
            continue;
        }
        let ratio_of = |figure| with_trine(record, entrant, figure);
        let mut row = vec![name(entrant), language(&entrant.language).to_owned()];
        row.extend(figures.iter().map(|figure| match figure {
            Some(figure) => marked(median(figure), entrant, ratio_of(figure)),
            None => NOTHING.to_owned(),
        }));
        let ratio = figures[ratio].and_then(ratio_of);
        row.push(ratio.map_or(NOTHING.to_owned(), |ratio| times(ratio.value)));
        table.row(row);
    }
    table
}

fn lambda(record: &Record) -> Table {
    let mut header = vec!["", "language", "start", "memory", "event", "to Trine's"];
    let mut figures = vec![
        ("start", "bare", "time"),
        ("memory", "first /next", "resident"),
        ("warm", "1 KB", "p50"),
    ];
    if has_blocks(record) {
        header.insert(3, "blocks");
        figures.insert(1, ("blocks", "bare", "blocks"));
    }
    table(record, &header, &figures, figures.len() - 1)
}

/// Whether blocks were counted: not every system lets itself be measured like that.
fn has_blocks(record: &Record) -> bool {
    record.figures.iter().any(|figure| figure.suite == "blocks")
}

fn http(record: &Record) -> Table {
    let figures = ["rate", "p50", "p99"].map(|metric| ("http", "64 connections", metric));
    table(record, &["", "language", "rate", "p50", "p99", "to Trine's"], &figures, 0)
}

/// Returns the README with the section in place of what is between the markers.
///
/// # Errors
/// When the markers are missing, repeated or out of order.
pub fn splice(readme: &str, section: &str) -> anyhow::Result<String> {
    let once = |marker: &str| {
        let mut found = readme.match_indices(marker);
        let (at, _) = found.next().with_context(|| format!("the README has no {marker}"))?;
        anyhow::ensure!(found.next().is_none(), "the README has {marker} twice");
        Ok(at)
    };
    let (begin, end) = (once(BEGIN)? + BEGIN.len(), once(END)?);
    anyhow::ensure!(begin <= end, "the README has {END} before {BEGIN}");
    Ok(format!("{}\n{section}{}", &readme[..begin], &readme[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_section_stands_between_the_markers() {
        let readme = format!("a\n{BEGIN}\nold\n{END}\nb\n");
        let spliced = splice(&readme, "new\n").unwrap();
        assert_eq!(spliced, format!("a\n{BEGIN}\nnew\n{END}\nb\n"));
        assert_eq!(splice(&spliced, "new\n").unwrap(), spliced);
    }

    #[test]
    fn markers_are_there_once_and_in_order() {
        for readme in [
            String::new(),
            BEGIN.to_owned(),
            format!("{END}{BEGIN}"),
            format!("{BEGIN}{BEGIN}{END}"),
        ] {
            assert!(splice(&readme, "new\n").is_err(), "{readme}");
        }
    }
}
