//! The comparisons: every contestant with Trine's first entry of the same language, round by round.

use crate::record::{Entrant, Figure, Record};

/// A figure relative to Trine's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Ratio {
    /// The median of the ratios of the rounds.
    pub(super) value: f64,
    /// The rounds in which the figure was better than Trine's.
    pub(super) won: usize,
    /// The rounds that both have.
    pub(super) rounds: usize,
    /// Whether it was better than Trine's, by the median.
    pub(super) better: bool,
}

/// The comparisons that were lost to one contestant, under whichever ids it took part.
#[derive(Debug)]
pub(super) struct Losses<'r> {
    /// The winner.
    pub(super) entrant: &'r Entrant,
    /// The figures and their ratios.
    pub(super) figures: Vec<(&'r Figure, Ratio)>,
}

/// Metrics that explain the one beside them, and are not compared.
const BESIDE: [&str; 3] = ["pages", "files", "size"];

/// Returns the entrants with Trine's first, the rest in the order of the record.
pub(super) fn in_order(record: &Record) -> Vec<&Entrant> {
    let mut entrants: Vec<&Entrant> = record.entrants.iter().collect();
    entrants.sort_by_key(|entrant| !is_trine(entrant));
    entrants
}

/// Returns the languages of a record, in the order of its entrants; the floor's last.
pub(super) fn languages(record: &Record) -> Vec<&str> {
    let mut languages: Vec<&str> = Vec::new();
    for floor in [false, true] {
        for entrant in record.entrants.iter().filter(|entrant| is_floor(entrant) == floor) {
            if !languages.contains(&&*entrant.language) {
                languages.push(&entrant.language);
            }
        }
    }
    languages
}

pub(super) fn is_trine(entrant: &Entrant) -> bool {
    entrant.group == "trine"
}

pub(super) fn is_floor(entrant: &Entrant) -> bool {
    entrant.group == "floor"
}

/// Returns what a language's figures are compared with: that of the first of Trine's entries which has it, those with a
/// goal in that suite before others.
pub(super) fn reference<'r>(
    record: &'r Record,
    language: &str,
    suite: &str,
    case: &str,
    metric: &str,
) -> Option<&'r Figure> {
    let own = || record.entrants.iter().filter(|e| is_trine(e) && e.language == language);
    let mut by_goal = own().filter(|e| e.goals.contains_key(suite)).chain(own());
    by_goal.find_map(|entrant| record.figure(suite, &entrant.id, case, metric))
}

/// Returns the floor's figure.
pub(super) fn floor<'r>(
    record: &'r Record,
    suite: &str,
    case: &str,
    metric: &str,
) -> Option<&'r Figure> {
    let mut floors = record.entrants.iter().filter(|e| is_floor(e));
    floors.find_map(|entrant| record.figure(suite, &entrant.id, case, metric))
}

/// Compares a figure with Trine's of the same language, if there is one.
pub(super) fn with_trine(record: &Record, entrant: &Entrant, figure: &Figure) -> Option<Ratio> {
    if BESIDE.contains(&&*figure.metric) {
        return None;
    }
    let reference =
        reference(record, &entrant.language, &figure.suite, &figure.case, &figure.metric)?;
    let value = figure.ratio_to(reference);
    if !value.is_finite() {
        return None;
    }
    let rounds = figure.rounds.iter().zip(&reference.rounds);
    Some(Ratio {
        value,
        won: rounds.clone().filter(|(own, trine)| wins(&figure.metric, **own / **trine)).count(),
        rounds: rounds.len(),
        better: wins(&figure.metric, value),
    })
}

/// Whether a ratio to Trine's figure is one that Trine loses: more of a rate, less of anything else.
fn wins(metric: &str, ratio: f64) -> bool {
    if metric == "rate" { ratio > 1.0 } else { ratio < 1.0 }
}

/// Whether Trine can lose to a contestant: not to itself, nor to the floor that nothing can beat.
pub(super) fn is_rival(entrant: &Entrant) -> bool {
    !is_trine(entrant) && !is_floor(entrant)
}

/// Returns every comparison that Trine loses, and how many there were in all.
pub(super) fn losses(record: &Record) -> (Vec<Losses<'_>>, usize) {
    let (mut all, mut compared) = (Vec::<Losses<'_>>::new(), 0);
    for entrant in record.entrants.iter().filter(|entrant| is_rival(entrant)) {
        let mut lost = Vec::new();
        for figure in record.figures.iter().filter(|figure| figure.entrant == entrant.id) {
            if let Some(ratio) = with_trine(record, entrant, figure) {
                compared += 1;
                if ratio.better {
                    lost.push((figure, ratio));
                }
            }
        }
        if lost.is_empty() {
            continue;
        }
        let same = |losses: &&mut Losses<'_>| {
            losses.entrant.name == entrant.name && losses.entrant.language == entrant.language
        };
        match all.iter_mut().find(same) {
            Some(known) => known.figures.extend(lost),
            None => all.push(Losses { entrant, figures: lost }),
        }
    }
    (all, compared)
}

/// Returns the cases of a suite, in the order of the record.
pub(super) fn cases<'r>(record: &'r Record, suite: &str) -> Vec<&'r str> {
    let mut cases: Vec<&str> = Vec::new();
    for figure in record.figures.iter().filter(|figure| figure.suite == suite) {
        if !cases.contains(&&*figure.case) {
            cases.push(&figure.case);
        }
    }
    cases
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Machine;
    use std::collections::BTreeMap;

    fn entrant(id: &str, group: &str, language: &str) -> Entrant {
        Entrant {
            id: id.to_owned(),
            name: id.to_owned(),
            group: group.to_owned(),
            language: language.to_owned(),
            version: String::new(),
            command: String::new(),
            goals: BTreeMap::new(),
        }
    }

    fn figure(entrant: &str, case: &str, metric: &str, rounds: &[f64]) -> Figure {
        Figure {
            suite: "start".to_owned(),
            entrant: entrant.to_owned(),
            case: case.to_owned(),
            metric: metric.to_owned(),
            unit: "ms".to_owned(),
            rounds: rounds.to_vec(),
        }
    }

    fn record(figures: Vec<Figure>) -> Record {
        Record {
            command: String::new(),
            started: String::new(),
            seconds: 0.0,
            machine: Machine {
                processor: String::new(),
                cores: 2,
                memory_gib: 1.0,
                kernel: String::new(),
                system: String::new(),
            },
            entrants: vec![
                entrant("node", "peer", "js"),
                entrant("floor", "floor", "rust"),
                entrant("trine-js", "trine", "js"),
                entrant("trine-js-sdk", "trine", "js"),
                entrant("trine-lua", "trine", "lua"),
            ],
            missing: Vec::new(),
            figures,
        }
    }

    #[test]
    fn ratios_pair_the_rounds() {
        // The machine became three times slower in the second round: medians alone would say 2.
        let record = record(vec![
            figure("trine-js", "bare", "time", &[10.0, 30.0, 10.0]),
            figure("node", "bare", "time", &[20.0, 27.0, 9.0]),
        ]);
        let ratio = with_trine(&record, &record.entrants[0], &record.figures[1]);
        assert_eq!(ratio, Some(Ratio { value: 0.9, won: 2, rounds: 3, better: true }));
    }

    #[test]
    fn rounds_that_only_one_has_are_left_out() {
        let record = record(vec![
            figure("trine-js", "bare", "rate", &[10.0, 10.0]),
            figure("node", "bare", "rate", &[20.0, 30.0, 1.0]),
            figure("node", "cold", "rate", &[]),
            figure("trine-js", "cold", "rate", &[10.0]),
        ]);
        let ratio = with_trine(&record, &record.entrants[0], &record.figures[1]);
        assert_eq!(ratio, Some(Ratio { value: 2.5, won: 2, rounds: 2, better: true }));
        assert_eq!(with_trine(&record, &record.entrants[0], &record.figures[2]), None);
    }

    #[test]
    fn the_reference_is_the_first_of_trines_entries_that_has_the_figure() {
        let record = record(vec![
            figure("trine-lua", "bare", "time", &[1.0]),
            figure("trine-js-sdk", "aws-sdk", "time", &[2.0]),
            figure("trine-js-sdk", "bare", "time", &[3.0]),
            figure("trine-js", "bare", "time", &[4.0]),
        ]);
        let found = |case| reference(&record, "js", "start", case, "time").map(Figure::median);
        assert_eq!(found("bare"), Some(4.0));
        assert_eq!(found("aws-sdk"), Some(2.0));
        assert_eq!(found("boto3"), None);
        assert_eq!(reference(&record, "rust", "start", "bare", "time"), None);
    }

    #[test]
    fn what_has_a_goal_is_the_reference() {
        let mut record = record(vec![
            figure("trine-js", "bare", "blocks", &[200.0]),
            figure("trine-js-sdk", "bare", "blocks", &[60.0]),
            figure("node", "bare", "blocks", &[90.0]),
            figure("node", "bare", "size", &[1.0]),
        ]);
        let found = |record: &Record| {
            reference(record, "js", "start", "bare", "blocks").map(Figure::median)
        };
        assert_eq!(found(&record), Some(200.0));
        record.entrants[3].goals.insert("start".to_owned(), 60.0);
        assert_eq!(found(&record), Some(60.0));
        let (lost, compared) = losses(&record);
        assert!(lost.is_empty() && compared == 1, "what stands beside a figure is not compared");
    }

    #[test]
    fn losses_are_those_to_others_of_the_language() {
        let record = record(vec![
            figure("trine-js", "bare", "time", &[10.0]),
            figure("trine-js-sdk", "bare", "time", &[9.0]),
            figure("floor", "bare", "time", &[1.0]),
            figure("node", "bare", "time", &[10.0]),
            figure("trine-js", "bare", "rate", &[10.0]),
            figure("node", "bare", "rate", &[10.1]),
        ]);
        let (losses, compared) = losses(&record);
        assert_eq!(compared, 2);
        assert_eq!(losses.len(), 1);
        assert_eq!(losses[0].entrant.id, "node");
        assert_eq!(losses[0].figures.len(), 1, "equal is not lost");
        assert_eq!(losses[0].figures[0].0.metric, "rate");
    }

    #[test]
    fn losses_to_one_name_stand_together() {
        let mut record = record(vec![
            figure("trine-js", "bare", "time", &[10.0]),
            figure("node", "bare", "time", &[9.0]),
            figure("trine-js", "aws-sdk", "time", &[10.0]),
            figure("node-sdk", "aws-sdk", "time", &[9.0]),
        ]);
        record.entrants.push(Entrant { id: "node-sdk".to_owned(), ..record.entrants[0].clone() });
        let (losses, _) = losses(&record);
        assert_eq!(losses.iter().map(|losses| losses.figures.len()).collect::<Vec<_>>(), [2]);
    }

    #[test]
    fn trine_stands_first_and_the_floor_last() {
        let record = record(Vec::new());
        let order: Vec<&str> = in_order(&record).iter().map(|entrant| &*entrant.id).collect();
        assert_eq!(order, ["trine-js", "trine-js-sdk", "trine-lua", "node", "floor"]);
        assert_eq!(languages(&record), ["js", "lua", "rust"]);
    }
}
