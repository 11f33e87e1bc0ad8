//! The results: one file of raw figures, with the machine, the versions and the command that produced them. Tables,
//! plots and the README's section are made from it alone.

use anyhow::Context;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fs, path::Path};

/// One run of the comparison.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The command that produced it.
    pub command: String,
    /// Time at which it began, RFC 3339, UTC.
    pub started: String,
    /// Duration in seconds.
    pub seconds: f64,
    /// The machine it ran on.
    pub machine: Machine,
    /// The participants, in the order of the tables.
    pub entrants: Vec<Entrant>,
    /// The contestants that could not take part, with reasons.
    pub missing: Vec<Missing>,
    /// The raw figures.
    pub figures: Vec<Figure>,
}

/// A machine, with what affects figures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// The processor's name.
    pub processor: String,
    /// Processors that this machine may use.
    pub cores: usize,
    /// Memory in GiB.
    pub memory_gib: f64,
    /// Kernel and its release.
    pub kernel: String,
    /// Distribution.
    pub system: String,
}

/// A contestant as it was measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entrant {
    /// Stable name, as in [`Figure::entrant`].
    pub id: String,
    /// Name in tables.
    pub name: String,
    /// `trine`, `floor`, `baseline` or `peer`.
    pub group: String,
    /// `js`, `python`, `lua` or `rust`.
    pub language: String,
    /// Its version, in its own words; empty when it has none.
    pub version: String,
    /// Command that started it, with placeholders for folders.
    pub command: String,
    /// Values that its first figure of a suite should not exceed, by the suites' names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub goals: BTreeMap<String, f64>,
}

/// A contestant that could not be measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Missing {
    /// Its id.
    pub id: String,
    /// Its name in tables.
    pub name: String,
    /// The reason.
    pub reason: String,
}

/// One quantity of one contestant, with a value for each round that was taken, in order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// Part of the comparison: `warm`, `hooks`, `start`, `blocks`, `memory`, `http` or `criterion`.
    pub suite: String,
    /// The entrant's id; in `criterion` the benchmark's language.
    pub entrant: String,
    /// The variant: `1 KB`, `3 hooks`, `64 connections`; in `criterion` the benchmark's group and name.
    pub case: String,
    /// The quantity that was measured: `rate`, `p50`, `p99`, `time`, `resident`, `blocks`.
    pub metric: String,
    /// Its unit: `1/s`, `µs`, `ms`, `MB`; the same as the quantity where that is a count.
    pub unit: String,
    /// The values, one per round. Round `n` of all entrants of a suite ran one after the other.
    pub rounds: Vec<f64>,
}

impl Record {
    /// Reads a record.
    ///
    /// # Errors
    /// When the file is missing or not a record.
    pub fn read(file: &Path) -> anyhow::Result<Self> {
        let text =
            fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        serde_json::from_str(&text).with_context(|| format!("cannot understand {}", file.display()))
    }

    /// Writes the record as readable JSON.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, file: &Path) -> anyhow::Result<()> {
        let mut text = serde_json::to_string_pretty(self)?;
        text.push('\n');
        fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))
    }

    /// Returns the figure of an entrant, if it was taken.
    pub fn figure(&self, suite: &str, entrant: &str, case: &str, metric: &str) -> Option<&Figure> {
        self.figures.iter().find(|figure| {
            figure.suite == suite
                && figure.entrant == entrant
                && figure.case == case
                && figure.metric == metric
        })
    }
}

impl Figure {
    /// Returns the middle of the rounds; the mean of the two middle ones if their number is even.
    pub fn median(&self) -> f64 {
        median(&self.rounds)
    }

    /// Returns the lowest and the highest round.
    pub fn spread(&self) -> (f64, f64) {
        self.rounds.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), value| {
            (least.min(*value), most.max(*value))
        })
    }

    /// Returns the median, over the rounds that both have, of this figure divided by `other`: rounds that ran next to
    /// each other meet the same noise.
    pub fn ratio_to(&self, other: &Self) -> f64 {
        let ratios: Vec<f64> =
            self.rounds.iter().zip(&other.rounds).map(|(own, theirs)| own / theirs).collect();
        median(&ratios)
    }
}

/// Returns the middle value; not a number when there is none.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match (sorted.len(), sorted.len() / 2) {
        (0, _) => f64::NAN,
        (length, middle) if length % 2 == 1 => sorted[middle],
        (_, middle) => f64::midpoint(sorted[middle - 1], sorted[middle]),
    }
}
