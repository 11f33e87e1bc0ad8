//! A record's medians as plain text, for measuring while changing something.

use crate::record::{Figure, Record};
use std::fmt::Write;

/// Makes a table for each suite and metric: a line for each entrant, a column for each case.
pub fn plain(record: &Record) -> String {
    let mut text = String::new();
    let mut tables: Vec<(&str, &str, &str)> = Vec::new();
    for Figure { suite, metric, unit, .. } in &record.figures {
        let table = (suite.as_str(), metric.as_str(), unit.as_str());
        if !tables.contains(&table) {
            tables.push(table);
        }
    }
    for (suite, metric, unit) in tables {
        let figures: Vec<&Figure> = record
            .figures
            .iter()
            .filter(|figure| figure.suite == suite && figure.metric == metric)
            .collect();
        table(&mut text, &format!("{suite}: {metric}, {unit}"), &figures);
    }
    for missing in &record.missing {
        let _ = writeln!(text, "missing: {}: {}", missing.id, missing.reason);
    }
    text
}

fn table(text: &mut String, title: &str, figures: &[&Figure]) {
    let (mut entrants, mut cases): (Vec<&str>, Vec<&str>) = Default::default();
    for figure in figures {
        for (list, name) in [(&mut entrants, &figure.entrant), (&mut cases, &figure.case)] {
            if !list.contains(&name.as_str()) {
                list.push(name);
            }
        }
    }
    let mut lines = vec![vec![title.to_owned()]];
    lines[0].extend(cases.iter().map(|case| (*case).to_owned()));
    for entrant in entrants {
        let of = |case: &&str| {
            let figure =
                figures.iter().find(|figure| figure.entrant == entrant && figure.case == *case);
            figure.map_or_else(|| "-".to_owned(), |figure| number(figure.median()))
        };
        let mut line = vec![entrant.to_owned()];
        line.extend(cases.iter().map(of));
        lines.push(line);
    }
    let widths: Vec<usize> = (0..lines[0].len())
        .map(|column| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0))
        .collect();
    for line in lines {
        let _ = write!(text, "{:<1$}", line[0], widths[0]);
        for (cell, width) in line.iter().zip(&widths).skip(1) {
            let _ = write!(text, "  {cell:>width$}");
        }
        text.push('\n');
    }
    text.push('\n');
}

/// Formats a number with at least three digits.
fn number(value: f64) -> String {
    let decimals = if value.abs() >= 100.0 {
        0
    } else if value.abs() >= 10.0 {
        1
    } else {
        2
    };
    format!("{value:.decimals$}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Machine;

    #[test]
    fn medians_stand_in_columns() {
        let figure = |entrant: &str, case: &str, rounds: &[f64]| Figure {
            suite: "warm".to_owned(),
            entrant: entrant.to_owned(),
            case: case.to_owned(),
            metric: "p50".to_owned(),
            unit: "µs".to_owned(),
            rounds: rounds.to_vec(),
        };
        let machine = Machine {
            processor: String::new(),
            cores: 1,
            memory_gib: 1.0,
            kernel: String::new(),
            system: String::new(),
        };
        let record = Record {
            command: String::new(),
            started: String::new(),
            seconds: 0.0,
            machine,
            entrants: Vec::new(),
            missing: Vec::new(),
            figures: vec![
                figure("one", "1 KB", &[1.0, 2.0, 30.0]),
                figure("one", "64 KB", &[1234.5]),
                figure("another", "1 KB", &[45.67]),
            ],
        };
        let expected = "\
warm: p50, µs  1 KB  64 KB
one            2.00   1234
another        45.7      -

";
        assert_eq!(plain(&record), expected);
    }
}
