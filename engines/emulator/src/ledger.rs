//! What the runtime was given and what came of it, in numbers: totals for the whole run, single invocations for the
//! latest only.

use std::collections::VecDeque;

/// Numbers of everything so far. An attempt is one hand-over of an event to the runtime; a second attempt at the same
/// request counts anew, the same attempt rendered again does not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Events handed over to the runtime.
    pub attempts: u64,
    /// Replies of `/next` with an event: the attempts, and those that were rendered again.
    pub handed_out: u64,
    /// Those replies that a fault cut short or spoiled.
    pub broken: u64,
    /// Posts that were accepted as the answer of an attempt. Each attempt takes at most one.
    pub accepted: u64,
    /// Those accepted posts that were error documents.
    pub accepted_errors: u64,
    /// Posts that were refused: duplicate, late or too large ones, and those that a fault refused.
    pub refused: u64,
    /// Attempts that the clock ended.
    pub timed_out: u64,
    /// Attempts that ended without an accepted answer, but not by the clock: the process ended or the post was refused.
    pub lost: u64,
    /// Streamed answers that were cut off because their caller had gone away.
    pub abandoned: u64,
}

impl Counts {
    /// Whether every attempt so far has exactly one answer, accepted or given up by its caller, and no post was refused.
    pub fn all_answered_once(&self) -> bool {
        self.accepted + self.abandoned == self.attempts && self.refused == 0
    }
}

/// The history of the invocations of one request id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Record {
    /// The request id.
    pub request_id: String,
    /// Number of times its event was handed over as a new attempt.
    pub attempts: u32,
    /// Number of times `/next` replied with it, broken replies included.
    pub handed_out: u32,
    /// Number of these replies that a fault cut short or spoiled.
    pub broken: u32,
    /// Answers that were accepted.
    pub accepted: u32,
    /// Posts that were refused.
    pub refused: u32,
    /// Streamed answers that were cut off because their caller had gone away.
    pub abandoned: u32,
}

impl Record {
    /// Whether each attempt got its one answer, and nothing else was posted.
    pub fn is_answered_once(&self) -> bool {
        self.accepted + self.abandoned == self.attempts && self.refused == 0
    }
}

/// The running totals and the latest records.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    pub(super) counts: Counts,
    records: VecDeque<Record>,
    length: usize,
}

impl Ledger {
    /// Creates a ledger that remembers single invocations of the latest `length` request ids.
    pub(super) fn new(length: usize) -> Self {
        Self { length, ..Self::default() }
    }

    pub(super) fn records(&self) -> impl Iterator<Item = &Record> {
        self.records.iter()
    }

    pub(super) fn attempt(&mut self, request_id: &str) {
        self.counts.attempts += 1;
        self.counts.handed_out += 1;
        if self.length == 0 {
            return;
        }
        if self.find(request_id).is_none() {
            if self.records.len() == self.length {
                self.records.pop_front();
            }
            let request_id = request_id.to_owned();
            self.records.push_back(Record { request_id, ..Record::default() });
        }
        self.change(request_id, |record| {
            record.attempts += 1;
            record.handed_out += 1;
        });
    }

    /// Takes back an attempt whose poller had gone away: it did not happen.
    pub(super) fn take_back(&mut self, request_id: &str) {
        self.counts.attempts -= 1;
        self.counts.handed_out -= 1;
        self.change(request_id, |record| {
            record.attempts -= 1;
            record.handed_out -= 1;
        });
    }

    pub(super) fn rendered_again(&mut self, request_id: &str) {
        self.counts.handed_out += 1;
        self.change(request_id, |record| record.handed_out += 1);
    }

    pub(super) fn broken(&mut self, request_id: &str) {
        self.counts.broken += 1;
        self.change(request_id, |record| record.broken += 1);
    }

    pub(super) fn accepted(&mut self, request_id: &str, is_error: bool) {
        self.counts.accepted += 1;
        self.counts.accepted_errors += u64::from(is_error);
        self.change(request_id, |record| record.accepted += 1);
    }

    pub(super) fn abandoned(&mut self, request_id: &str) {
        self.counts.abandoned += 1;
        self.change(request_id, |record| record.abandoned += 1);
    }

    pub(super) fn refused(&mut self, request_id: &str) {
        self.counts.refused += 1;
        self.change(request_id, |record| record.refused += 1);
    }

    fn find(&self, request_id: &str) -> Option<usize> {
        // The latest records are at the end, and nearly always the ones that are asked for.
        self.records.iter().rposition(|record| record.request_id == request_id)
    }

    fn change(&mut self, request_id: &str, change: impl FnOnce(&mut Record)) {
        if let Some(at) = self.find(request_id) {
            change(&mut self.records[at]);
        }
    }
}
