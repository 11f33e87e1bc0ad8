//! What waits to be sent: as much as may, and a count of what did not fit.

use opentelemetry_sdk::{logs::SdkLogRecord, trace::SpanData};
use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, AtomicU64, Ordering},
};
use tokio::sync::Notify;

/// Somebody who waits until what was there before is sent.
struct Waiter {
    done: Box<dyn FnOnce() + Send>,
    /// Whether it waits even where sending does not work: at the end of the process there is no other chance.
    insists: bool,
}

/// The queue between those who tell and the thread that sends.
pub(super) struct Queue {
    most: usize,
    /// The number at which it is not waited any longer.
    batch: usize,
    waiting: Mutex<Waiting>,
    pub(super) wake: Notify,
    /// Whether sending works, as far as is known.
    is_well: AtomicBool,
    pub(super) lost: Lost,
}

/// What waits.
#[derive(Default)]
pub(super) struct Waiting {
    pub(super) spans: Vec<SpanData>,
    pub(super) records: Vec<SdkLogRecord>,
    /// Those who wait for what is there now.
    waiters: Vec<Waiter>,
    /// Those who wait for what is being sent.
    waits_for_sending: Vec<Waiter>,
    /// Numbers of spans and of messages that are being sent.
    being_sent: (u64, u64),
}

/// What never reached the collector.
#[derive(Debug, Default)]
pub(super) struct Lost {
    pub(super) spans: AtomicU64,
    pub(super) records: AtomicU64,
}

impl Lost {
    /// Returns the numbers of spans and of messages.
    pub(super) fn counts(&self) -> (u64, u64) {
        (self.spans.load(Ordering::Relaxed), self.records.load(Ordering::Relaxed))
    }
}

impl Queue {
    pub(super) fn new(most: usize, batch: usize) -> Self {
        Self {
            most,
            batch,
            waiting: Mutex::default(),
            wake: Notify::new(),
            is_well: AtomicBool::new(true),
            lost: Lost::default(),
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a span, if there is room.
    pub(super) fn put_span(&self, span: SpanData) {
        let count = {
            let spans = &mut self.waiting().spans;
            if spans.len() < self.most {
                spans.push(span);
                spans.len()
            } else {
                self.lost.spans.fetch_add(1, Ordering::Relaxed);
                0
            }
        };
        if count == self.batch {
            self.wake.notify_one();
        }
    }

    /// Takes a message, if there is room.
    pub(super) fn put_record(&self, record: SdkLogRecord) {
        let count = {
            let records = &mut self.waiting().records;
            if records.len() < self.most {
                records.push(record);
                records.len()
            } else {
                self.lost.records.fetch_add(1, Ordering::Relaxed);
                0
            }
        };
        if count == self.batch {
            self.wake.notify_one();
        }
    }

    /// Has what is there sent at once, and calls `done` then; where sending does not work, at once, unless somebody insists.
    pub(super) fn flush(&self, done: Box<dyn FnOnce() + Send>, insists: bool) {
        if !insists && !self.is_well.load(Ordering::Acquire) {
            self.wake.notify_one();
            return done();
        }
        self.waiting().waiters.push(Waiter { done, insists });
        self.wake.notify_one();
    }

    /// Takes all that waits; `None` where nothing does.
    pub(super) fn take(&self) -> Option<(Vec<SpanData>, Vec<SdkLogRecord>)> {
        let mut waiting = self.waiting();
        let waiters = std::mem::take(&mut waiting.waiters);
        waiting.waits_for_sending.extend(waiters);
        let taken = (std::mem::take(&mut waiting.spans), std::mem::take(&mut waiting.records));
        waiting.being_sent = (taken.0.len() as u64, taken.1.len() as u64);
        let has_any = !taken.0.is_empty() || !taken.1.is_empty();
        has_any.then_some(taken)
    }

    /// Tells those who waited for what was taken.
    pub(super) fn tell_sent(&self) {
        let told = {
            let mut waiting = self.waiting();
            waiting.being_sent = (0, 0);
            std::mem::take(&mut waiting.waits_for_sending)
        };
        told.into_iter().for_each(|waiter| (waiter.done)());
    }

    /// Returns the numbers of spans and of messages that have not reached the collector, if the process ends now.
    pub(super) fn left(&self) -> (u64, u64) {
        let (spans, records) = self.lost.counts();
        let waiting = self.waiting();
        let in_sending = waiting.being_sent;
        (
            spans + in_sending.0 + waiting.spans.len() as u64,
            records + in_sending.1 + waiting.records.len() as u64,
        )
    }

    /// Notes that sending works, and works in time.
    pub(super) fn works(&self) {
        self.is_well.store(true, Ordering::Release);
    }

    /// Notes that sending does not work, or takes too long: nobody waits for it until it does.
    pub(super) fn fails(&self) {
        self.is_well.store(false, Ordering::Release);
        let told: Vec<Waiter> = {
            let mut waiting = self.waiting();
            let Waiting { waiters, waits_for_sending, .. } = &mut *waiting;
            let gives_up = |waiter: &mut Waiter| !waiter.insists;
            waiters
                .extract_if(.., gives_up)
                .chain(waits_for_sending.extract_if(.., gives_up))
                .collect()
        };
        told.into_iter().for_each(|waiter| (waiter.done)());
    }
}
