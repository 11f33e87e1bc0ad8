//! The figures as they come in, and the contestants that had to be left out.

use crate::{
    contestant::Identity,
    record::{Figure, Missing},
};

/// The measurements so far.
#[derive(Debug, Default)]
pub(crate) struct Sheet {
    figures: Vec<Figure>,
    absences: Vec<Absence>,
}

/// The reason why a contestant lacks figures, and the suites concerned.
#[derive(Debug)]
struct Absence {
    id: String,
    name: String,
    suites: Vec<&'static str>,
    reason: String,
}

/// A quantity: its metric and unit.
pub(crate) type Quantity = (&'static str, &'static str);

pub(crate) const RATE: Quantity = ("rate", "1/s");
pub(crate) const P50: Quantity = ("p50", "µs");
pub(crate) const P99: Quantity = ("p99", "µs");

impl Sheet {
    /// Adds the next round's value.
    pub(crate) fn add(
        &mut self,
        suite: &str,
        entrant: &str,
        case: &str,
        quantity: Quantity,
        value: f64,
    ) {
        let (metric, unit) = quantity;
        // Four digits tell everything there is to tell and keep the file readable.
        let value = rounded(value);
        let known = self.figures.iter_mut().find(|figure| {
            (figure.suite.as_str(), figure.entrant.as_str(), figure.case.as_str())
                == (suite, entrant, case)
                && figure.metric == metric
        });
        if let Some(figure) = known {
            figure.rounds.push(value);
            return;
        }
        let [suite, entrant, case, metric, unit] =
            [suite, entrant, case, metric, unit].map(str::to_owned);
        self.figures.push(Figure { suite, entrant, case, metric, unit, rounds: vec![value] });
    }

    /// Adds a figure as it is.
    pub(crate) fn insert(&mut self, figure: Figure) {
        self.figures.push(figure);
    }

    /// Records why a contestant lacks figures of a suite, or some of them.
    pub(crate) fn lacks(&mut self, suite: &'static str, whose: &Identity, reason: &str) {
        let reason = shortened(reason);
        let known =
            self.absences.iter_mut().find(|known| known.id == whose.id && known.reason == reason);
        if let Some(known) = known {
            if !known.suites.contains(&suite) {
                known.suites.push(suite);
            }
            return;
        }
        let (id, name) = (whose.id.clone(), whose.name.clone());
        self.absences.push(Absence { id, name, suites: vec![suite], reason });
    }

    /// Records why nobody has figures of a suite.
    pub(crate) fn lacks_all(&mut self, suite: &'static str, reason: &str) {
        let (id, name, reason) = (suite.to_owned(), format!("all in {suite}"), shortened(reason));
        self.absences.push(Absence { id, name, suites: vec![suite], reason });
    }

    /// Leaves a contestant out of a suite: comparing rounds that it lacks with others' would compare different moments.
    pub(crate) fn give_up(&mut self, suite: &'static str, whose: &Identity, reason: &str) {
        self.figures.retain(|figure| figure.suite != suite || figure.entrant != whose.id);
        self.lacks(suite, whose, reason);
    }

    /// Whether there is any figure of the contestant.
    pub(crate) fn has(&self, id: &str) -> bool {
        self.figures.iter().any(|figure| figure.entrant == id)
    }

    /// Returns all figures, and the contestants that lack some, one entry each.
    pub(crate) fn finish(self) -> (Vec<Figure>, Vec<Missing>) {
        let mut missing: Vec<Missing> = Vec::new();
        for absence in &self.absences {
            let reason = if self.has(&absence.id) {
                format!("{}: {}", absence.suites.join(", "), absence.reason)
            } else {
                absence.reason.clone()
            };
            match missing.iter_mut().find(|missing| missing.id == absence.id) {
                Some(missing) => {
                    missing.reason.push_str("; ");
                    missing.reason.push_str(&reason);
                }
                None => missing.push(Missing {
                    id: absence.id.clone(),
                    name: absence.name.clone(),
                    reason,
                }),
            }
        }
        (self.figures, missing)
    }
}

/// Rounds a value to at least four digits.
fn rounded(value: f64) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return value;
    }
    let decimals = (3.0 - value.abs().log10().floor()).max(0.0);
    let scale = 10_f64.powf(decimals);
    (value * scale).round() / scale
}

/// Shortens a reason to one line of reasonable length.
fn shortened(reason: &str) -> String {
    const LENGTH: usize = 400;
    let mut line = reason.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((at, _)) = line.char_indices().nth(LENGTH) {
        line.truncate(at);
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contestant::Group;

    fn identity() -> Identity {
        Identity {
            id: "one".to_owned(),
            name: "One".to_owned(),
            group: Group::Peer,
            language: "js".to_owned(),
            peer: None,
            needs: None,
            version: Vec::new(),
        }
    }

    #[test]
    fn rounds_of_a_figure_stand_together() {
        let mut sheet = Sheet::default();
        for value in [1.0, 2.0] {
            sheet.add("warm", "one", "1 KB", RATE, value);
            sheet.add("warm", "one", "1 KB", P50, value * 10.0);
        }
        let (figures, missing) = sheet.finish();
        assert!(missing.is_empty());
        assert_eq!(figures.len(), 2);
        assert_eq!(figures[0].rounds, [1.0, 2.0]);
        assert_eq!((figures[1].unit.as_str(), figures[1].median()), ("µs", 15.0));
    }

    #[test]
    fn who_gives_up_keeps_other_suites_and_says_why() {
        let mut sheet = Sheet::default();
        sheet.add("warm", "one", "1 KB", RATE, 1.0);
        sheet.add("start", "one", "bare", ("time", "ms"), 1.0);
        sheet.give_up("warm", &identity(), "it\ndied");
        sheet.give_up("hooks", &identity(), "it died");
        sheet.lacks("memory", &identity(), "too slow");
        let (figures, missing) = sheet.finish();
        assert_eq!(figures.len(), 1);
        assert_eq!(missing.len(), 1);
        assert_eq!(missing[0].reason, "warm, hooks: it died; memory: too slow");
    }

    #[test]
    fn values_keep_four_digits() {
        for (value, expected) in
            [(123_456.7, 123_457.0), (0.001_234_56, 0.001_235), (98.765_4, 98.77), (0.0, 0.0)]
        {
            assert_eq!(rounded(value), expected);
        }
    }
}
