//! The page of all results, `benches/results/README.md`.

use super::{
    compare::{self, Ratio, cases, in_order, is_rival, is_trine, with_trine},
    format::{NOTHING, digits, duration, language, minute, quantity, spread, times},
    plots::Plot,
    table::{Table, code, literal},
};
use crate::record::{Entrant, Figure, Machine, Record};

/// Mark of figures that are better than Trine's.
pub(super) const MARK: &str = "▲";

/// Returns the page in Markdown, with those plots that exist.
pub(super) fn page(record: &Record, plots: &[Plot]) -> String {
    let sections = [
        head(record),
        entrants(record),
        method(record),
        section("Warm invocations", WARM, warm(record), plots, &["lambda-latency.svg"]),
        section("Hooks", HOOKS, hooks(record), plots, &["hooks.svg"]),
        section("Start", START, start(record), plots, &["start.svg"]),
        section("Blocks", BLOCKS, blocks(record), plots, &["blocks.svg"]),
        section("Memory", MEMORY, memory(record), plots, &["memory.svg"]),
        section("HTTP", HTTP, http(record), plots, &["http.svg"]),
        section("Inside Trine", CRITERION, criterion(record), plots, &[]),
        losses(record),
        missing(record),
    ];
    let mut page = "<!-- Generated from latest.json; `make bench` writes both. -->\n".to_owned();
    for section in sections.iter().filter(|section| !section.is_empty()) {
        page.push('\n');
        page.push_str(section);
    }
    page
}

const WARM: &str = "The handler answers its event, a JSON object of the size given. **p50** and **p99** are the times from \
handing out an event to having taken its answer; **rate** is what one process answers in a second when the next event \
is always waiting. The ratios are of p50.";
const HOOKS: &str = "The same handler with 1 KB and hooks around it, each of which adds 1 to a field of the event. The \
time is p50, from event to answer; **per hook** is a third of what three hooks add to it.";
const START: &str = "From exec to the first request for an event: interpreter, runtime, handler and what it imports. \
**Cold** is after the kernel was told to drop its page cache.";
const BLOCKS: &str = "Lambda loads layers and images in blocks of 512 KiB when they are first read. These are the distinct \
blocks with a page in the page cache at the first request for an event, after a start with an empty cache and no \
readahead: of an image of all files that ship, in the order of their names, without those of the C library. They do not \
depend on the machine; of three starts, the one with the most counts. Ratios are to Trine's entry with a **goal**, where \
one was measured. **Pages** and **files** are what was read, **size** is that of all that ships.";
const MEMORY: &str = "Resident memory of the process; of several processes together, with each mapped file counted once.";
const HTTP: &str = "A `POST` of 1 KB of JSON that is parsed, serialised again and answered; each server is one process on \
one core. The ratios are of the rate: less than 1× is slower than Trine.";
const CRITERION: &str = "Steps of an invocation measured by themselves with criterion. The small digits are its \
confidence interval of the median.";

/// Returns a contestant's role in words.
pub(super) fn kind(group: &str) -> &str {
    match group {
        "trine" => "Trine",
        "floor" => "floor",
        "baseline" => "design that Trine replaces",
        _ => "peer",
    }
}

/// Describes the machine in one phrase.
pub(super) fn machine(machine: &Machine) -> String {
    let Machine { processor, cores, memory_gib, kernel, system } = machine;
    let cores = if *cores == 1 { "1 core".to_owned() } else { format!("{cores} cores") };
    format!(
        "{}, {cores}, {} GiB of memory, {}, {}",
        literal(processor),
        digits(*memory_gib),
        literal(system),
        literal(kernel)
    )
}

/// Formats a contestant's name as a cell: Trine's are bold.
pub(super) fn name(entrant: &Entrant) -> String {
    let name = literal(&entrant.name);
    if is_trine(entrant) { format!("**{name}**") } else { name }
}

/// Marks a cell whose figure is better than Trine's.
pub(super) fn marked(cell: String, entrant: &Entrant, ratio: Option<Ratio>) -> String {
    if is_rival(entrant) && ratio.is_some_and(|ratio| ratio.better) {
        format!("{cell} {MARK}")
    } else {
        cell
    }
}

fn head(record: &Record) -> String {
    format!(
        "# Results\n\nMade by `{}` on {}, in {}.\nMachine: {}.\n\n\
         Times and sizes are medians of the rounds, with the least and the greatest round beside them in small digits. \
         Trine is bold, and {MARK} marks \
         each figure that is better than Trine's of the same language.\n",
        record.command,
        minute(&record.started),
        duration(record.seconds),
        machine(&record.machine),
    )
}

fn entrants(record: &Record) -> String {
    let mut table =
        Table::new(6, ["", "language", "what it is", "takes part in", "version", "command"]);
    for entrant in in_order(record) {
        table.row(vec![
            name(entrant),
            language(&entrant.language).to_owned(),
            kind(&entrant.group).to_owned(),
            parts(record, entrant),
            literal(&entrant.version),
            code(&entrant.command),
        ]);
    }
    format!("## Who is measured\n\n{}", table.markdown())
}

/// Returns the suites in which a contestant was measured, and the dependencies with which it started.
fn parts(record: &Record, entrant: &Entrant) -> String {
    let mut parts: Vec<String> = Vec::new();
    for figure in record.figures.iter().filter(|figure| figure.entrant == entrant.id) {
        let load = figure.case.strip_suffix(COLD).unwrap_or(&figure.case);
        let part = match &*figure.suite {
            "start" if load != "bare" => format!("start with {}", literal(load)),
            suite => suite_name(suite).to_owned(),
        };
        if !parts.contains(&part) {
            parts.push(part);
        }
    }
    parts.join(", ")
}

fn method(record: &Record) -> String {
    let pinning = if record.machine.cores > 1 {
        "What is measured runs on a core of its own, the same one for everybody; what measures runs on another."
    } else {
        "This machine has one core: what is measured shares it with what measures, for everybody alike."
    };
    format!(
        "## How it is measured\n\n\
         Everybody takes turns: in each round one after the other does the same work, and the next round begins when all \
         have had theirs, so that noise of the machine meets everybody. A ratio compares figures of the same round; \
         shown is the median of \
         the ratios of all rounds. Ratios to Trine are to its first entry of the same language \
         that has the figure. {pinning}\n\
         Lambda runtimes talk to the same emulator of Lambda's Runtime API, run the same handlers, and their answers \
         are checked. \
         The floor is a raw client without any runtime: no runtime can be faster.\n"
    )
}

fn section(title: &str, text: &str, tables: String, plots: &[Plot], wanted: &[&str]) -> String {
    if tables.is_empty() {
        return String::new();
    }
    let mut section = format!("## {title}\n\n{text}\n");
    for plot in plots.iter().filter(|plot| wanted.contains(&plot.file)) {
        section.push_str(&format!("\n![{}]({})\n", plot.title, plot.file));
    }
    section.push('\n');
    section.push_str(&tables);
    section
}

/// Formats tables under headings of their own; those without rows are left out.
fn titled(tables: impl IntoIterator<Item = (String, Table)>) -> String {
    let tables: Vec<String> = tables
        .into_iter()
        .filter(|(_, table)| !table.is_empty())
        .map(|(title, table)| format!("### {title}\n\n{}", table.markdown()))
        .collect();
    tables.join("\n")
}

/// Formats a figure as a cell, and a second one that relates it to Trine's.
fn cells(record: &Record, entrant: &Entrant, figure: Option<&Figure>) -> (String, String) {
    let Some(figure) = figure else {
        return (NOTHING.to_owned(), NOTHING.to_owned());
    };
    let ratio = with_trine(record, entrant, figure);
    (marked(spread(figure), entrant, ratio), ratio.map_or(NOTHING.to_owned(), |r| times(r.value)))
}

/// Makes the table of one case of a suite: rate, p50 and p99, and the ratio of one of them.
fn load(record: &Record, suite: &str, case: &str, compared: &str, with_floor: bool) -> Table {
    let mut header = vec!["", "language", "rate", "p50", "p99", "to Trine's"];
    if with_floor {
        header.push("to the floor");
    }
    let mut table = Table::new(2, header);
    for entrant in in_order(record) {
        let figure = |metric| record.figure(suite, &entrant.id, case, metric);
        let metrics = ["rate", "p50", "p99"];
        if metrics.iter().all(|metric| figure(metric).is_none()) {
            continue;
        }
        let mut row = vec![name(entrant), language(&entrant.language).to_owned()];
        row.extend(metrics.iter().map(|metric| cells(record, entrant, figure(metric)).0));
        row.push(cells(record, entrant, figure(compared)).1);
        if with_floor {
            let floor = compare::floor(record, suite, case, compared);
            let ratio = figure(compared).zip(floor).map(|(own, floor)| own.ratio_to(floor));
            row.push(ratio.map_or(NOTHING.to_owned(), times));
        }
        table.row(row);
    }
    table
}

fn warm(record: &Record) -> String {
    let cases = cases(record, "warm");
    titled(cases.iter().map(|case| (literal(case), load(record, "warm", case, "p50", true))))
}

fn http(record: &Record) -> String {
    let cases = cases(record, "http");
    titled(cases.iter().map(|case| (literal(case), load(record, "http", case, "rate", false))))
}

/// A last column: its title and its content.
type Last<'c> = (&'c str, &'c dyn Fn(&Entrant) -> String);

/// Makes the table of one metric in several cases, each with its ratio to Trine's, and a last column if there is one.
fn by_case(
    record: &Record,
    suite: &str,
    metric: &str,
    columns: &[(String, &str)],
    last: Option<Last<'_>>,
) -> Table {
    let mut header = vec![String::new(), "language".to_owned()];
    for (title, _) in columns {
        header.extend([title.clone(), "to Trine's".to_owned()]);
    }
    header.extend(last.map(|(title, _)| title.to_owned()));
    let mut table = Table::new(2, header);
    for entrant in in_order(record) {
        let figure = |case| record.figure(suite, &entrant.id, case, metric);
        if columns.iter().all(|(_, case)| figure(case).is_none()) {
            continue;
        }
        let mut row = vec![name(entrant), language(&entrant.language).to_owned()];
        for (_, case) in columns {
            row.extend(<[String; 2]>::from(cells(record, entrant, figure(case))));
        }
        row.extend(last.map(|(_, cell)| cell(entrant)));
        table.row(row);
    }
    table
}

fn columns<'r>(cases: &[&'r str]) -> Vec<(String, &'r str)> {
    cases.iter().map(|case| (literal(case), *case)).collect()
}

fn hooks(record: &Record) -> String {
    let columns = columns(&cases(record, "hooks"));
    let per_hook = |entrant: &Entrant| {
        let p50 = |count: f64| {
            let (_, case) = columns.iter().find(|(_, case)| number(case) == Some(count))?;
            record.figure("hooks", &entrant.id, case, "p50")
        };
        p50(0.0).zip(p50(3.0)).map_or(NOTHING.to_owned(), |(none, three)| {
            quantity((three.median() - none.median()) / 3.0, &none.unit)
        })
    };
    titled([
        (
            "p50".to_owned(),
            by_case(record, "hooks", "p50", &columns, Some(("per hook", &per_hook))),
        ),
        ("Rate".to_owned(), by_case(record, "hooks", "rate", &columns, None)),
    ])
}

/// Returns the number that a case begins with: of hooks, of connections.
pub(super) fn number(case: &str) -> Option<f64> {
    case.split_whitespace().next()?.parse().ok()
}

/// Text that follows the load in a case of `start`.
const COLD: &str = ", cold cache";

/// Returns the sets of dependencies that contestants of a suite started with, the empty one first.
pub(super) fn loads<'r>(record: &'r Record, suite: &str) -> Vec<&'r str> {
    let mut loads: Vec<&str> = Vec::new();
    for case in cases(record, suite) {
        let load = case.strip_suffix(COLD).unwrap_or(case);
        if !loads.contains(&load) {
            loads.push(load);
        }
    }
    loads.sort_by_key(|load| *load != "bare");
    loads
}

fn start(record: &Record) -> String {
    titled(loads(record, "start").into_iter().map(|load| {
        let cold = format!("{load}{COLD}");
        let columns = [("page cache warm".to_owned(), load), ("cold".to_owned(), &*cold)];
        let taken = cases(record, "start").contains(&&*cold);
        let columns = if taken { &columns[..] } else { &columns[..1] };
        (load_title(load), by_case(record, "start", "time", columns, None))
    }))
}

fn load_title(load: &str) -> String {
    match load {
        "bare" => "No dependencies".to_owned(),
        load => format!("With {}", literal(load)),
    }
}

fn blocks(record: &Record) -> String {
    titled(loads(record, "blocks").into_iter().map(|load| {
        let header = ["", "language", "blocks", "to Trine's", "goal", "pages", "files", "size"];
        let mut table = Table::new(2, header);
        for entrant in in_order(record) {
            let figure = |metric| record.figure("blocks", &entrant.id, load, metric);
            let Some(blocks) = figure("blocks") else { continue };
            let (count, ratio) = cells(record, entrant, Some(blocks));
            let mut row = vec![name(entrant), language(&entrant.language).to_owned(), count, ratio];
            row.push(entrant.goals.get("blocks").map_or(NOTHING.to_owned(), |most| {
                let missed = if blocks.median() > *most { ", missed" } else { "" };
                format!("≤ {}{missed}", quantity(*most, &blocks.unit))
            }));
            let beside =
                ["pages", "files", "size"].map(|metric| cells(record, entrant, figure(metric)));
            row.extend(beside.map(|(cell, _)| cell));
            table.row(row);
        }
        (load_title(load), table)
    }))
}

fn memory(record: &Record) -> String {
    let columns = columns(&cases(record, "memory"));
    let table = by_case(record, "memory", "resident", &columns, None);
    if table.is_empty() { String::new() } else { table.markdown() }
}

fn criterion(record: &Record) -> String {
    let figures = record.figures.iter().filter(|figure| figure.suite == "criterion");
    // In the order of the record, the benchmarks of each group: a row each, a column for each language.
    let mut groups: Vec<(&str, Vec<&str>, Vec<&str>)> = Vec::new();
    for figure in figures {
        let (group, name) = figure.case.split_once('/').unwrap_or(("", &figure.case));
        let at = groups.iter().position(|(known, ..)| *known == group).unwrap_or_else(|| {
            groups.push((group, Vec::new(), Vec::new()));
            groups.len() - 1
        });
        let (_, names, languages) = &mut groups[at];
        if !names.contains(&name) {
            names.push(name);
        }
        if !languages.contains(&&*figure.entrant) {
            languages.push(&figure.entrant);
        }
    }
    titled(groups.into_iter().map(|(group, names, languages)| {
        let mut header = vec![""];
        header.extend(languages.iter().map(|id| language(id)));
        let mut table = Table::new(1, header);
        for name in names {
            let case = if group.is_empty() { name.to_owned() } else { format!("{group}/{name}") };
            let cell = |id: &&str| {
                let of = |figure: &&Figure| {
                    figure.suite == "criterion" && figure.case == case && figure.entrant == *id
                };
                record.figures.iter().find(of).map_or(NOTHING.to_owned(), spread)
            };
            let mut row = vec![literal(name)];
            row.extend(languages.iter().map(cell));
            table.row(row);
        }
        (if group.is_empty() { "Others".to_owned() } else { literal(group) }, table)
    }))
}

fn losses(record: &Record) -> String {
    format!("## Where Trine loses\n\n{}", loss_list(record))
}

/// Lists every comparison that Trine loses, with an item for each contestant that wins some.
pub(super) fn loss_list(record: &Record) -> String {
    let (losses, compared) = compare::losses(record);
    let lost: usize = losses.iter().map(|losses| losses.figures.len()).sum();
    if compared == 0 {
        return "Nothing was measured that Trine could be compared with.\n".to_owned();
    }
    let comparisons = if compared == 1 { "comparison" } else { "comparisons" };
    if lost == 0 {
        return format!("Of {compared} {comparisons} with others of the same language, none.\n");
    }
    let mut text = format!(
        "Of {compared} {comparisons} with others of the same language, Trine loses {lost}. As ratios to Trine's figure, the \
         median of the rounds; where the rounds disagree, in how many of them Trine lost:\n\n"
    );
    for losses in losses {
        let mut suites: Lists<'_, (&str, Vec<String>)> = Vec::new();
        for (figure, ratio) in &losses.figures {
            let rounds = match (ratio.won, ratio.rounds) {
                (won, rounds) if won == rounds => String::new(),
                (won, rounds) => format!(" ({won} of {rounds} rounds)"),
            };
            let lost = format!("{}{}{rounds}", metric(&figure.metric), times(ratio.value));
            let cases = entry(&mut suites, &figure.suite);
            entry(cases, &figure.case).push(lost);
        }
        let suites: Vec<String> = suites
            .into_iter()
            .map(|(suite, cases)| {
                let cases: Vec<String> = cases
                    .into_iter()
                    .map(|(case, lost)| format!("{}: {}", literal(case), lost.join(", ")))
                    .collect();
                format!("*{}* {}", suite_name(suite), cases.join("; "))
            })
            .collect();
        text.push_str(&format!(
            "- **{}** ({}): {}.\n",
            literal(&losses.entrant.name),
            language(&losses.entrant.language),
            suites.join(". ")
        ));
    }
    text
}

/// Lists by key, in the order in which keys appeared.
type Lists<'k, T> = Vec<(&'k str, Vec<T>)>;

/// Returns the list that belongs to a key; a new one if there is none yet.
fn entry<'l, 'k, T>(lists: &'l mut Lists<'k, T>, key: &'k str) -> &'l mut Vec<T> {
    let at = lists.iter().position(|(known, _)| *known == key).unwrap_or_else(|| {
        lists.push((key, Vec::new()));
        lists.len() - 1
    });
    &mut lists[at].1
}

/// Returns the text before a metric's value; empty for the only metric of a suite.
fn metric(id: &str) -> String {
    if matches!(id, "time" | "resident" | "blocks") { String::new() } else { format!("{id} ") }
}

fn suite_name(id: &str) -> &str {
    match id {
        "http" => "HTTP",
        other => other,
    }
}

fn missing(record: &Record) -> String {
    let mut text = "## Who is missing\n\n".to_owned();
    if record.missing.is_empty() {
        text.push_str("Nobody: all contestants were measured.\n");
    }
    for missing in &record.missing {
        text.push_str(&format!("- {}: {}\n", literal(&missing.name), literal(&missing.reason)));
    }
    text
}
