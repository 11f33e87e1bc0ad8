//! How soon an endless loop is answered once its time is up: from the moment at which the watchdog is due to act to the
//! moment at which the worker has the invocation's error. The margin before a deadline has to cover that, together with
//! the answer's way out.
//!
//! - `warned`: the loop gets a warning that it could catch, but does not. In JavaScript only waiting code is warned.
//! - `stopped`: the loop catches the warning, where there is one, and is interrupted by force. Its instance is replaced
//!   afterwards; that is not measured.
//! - `stopped in a match`: the same for a pattern that takes ages to match, which is no loop of the guest's own.
//!
//! Python is interrupted in one way on the process's main thread, where Lambda's loop runs, and in another on the
//! threads of a server's workers.

use crate::{
    bed::{Served, since_epoch},
    bench,
    language::{LANGUAGES, Language},
};
use bytes::Bytes;
use criterion::{Criterion, SamplingMode};
use std::{
    sync::mpsc::{Receiver, Sender, channel},
    thread::{self, JoinHandle},
    time::Duration,
};
use trine_engine::ErrorKind;

/// The time that an invocation is given.
const GIVEN: Duration = Duration::from_millis(250);
/// Time before the deadline at which the watchdog warns: less than the largest share of the time that it may take.
const MARGIN: Duration = Duration::from_millis(20);
/// Maximum number of attempts at a measurement that the clock has spoilt.
const ATTEMPTS: usize = 5;

/// The action of the watchdog.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    Warn,
    Stop,
    StopMatch,
}

/// A function that runs into its deadline again and again.
struct Loop {
    served: Served,
    act: Act,
}

/// A [`Loop`] on a thread of its own, which ends with this value.
struct Elsewhere {
    /// Ends the thread when dropped.
    ask: Option<Sender<()>>,
    late: Receiver<Duration>,
    thread: Option<JoinHandle<()>>,
}

pub(crate) fn measure(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("interrupts");
    // Every iteration waits for its deadline, so there are as few as possible: ten samples of two.
    group.sampling_mode(SamplingMode::Flat).sample_size(10);
    group.warm_up_time(Duration::from_millis(1)).measurement_time(15 * GIVEN);
    for (question, act) in
        [("warned", Act::Warn), ("stopped", Act::Stop), ("stopped in a match", Act::StopMatch)]
    {
        for language in LANGUAGES.into_iter().filter(|language| act.source(*language).is_some()) {
            let make = || Loop::new(language, act, true);
            bench(&mut group, question, language.id, make, |looping, count| {
                (0..count).map(|_| looping.late()).sum()
            });
        }
        if act == Act::StopMatch {
            // On a worker's thread nothing ends a match of Python's.
            continue;
        }
        let python = LANGUAGES[1];
        let question = format!("{question}, on a worker's thread");
        let make = || Elsewhere::new(python, act);
        bench(&mut group, &question, python.id, make, |elsewhere, count| {
            (0..count).map(|_| elsewhere.late()).sum()
        });
    }
    group.finish();
}

impl Act {
    /// Returns a handler that only this action ends.
    fn source(self, language: Language) -> Option<&'static str> {
        match self {
            Self::Warn => language.endless,
            Self::Stop => Some(language.stubborn),
            Self::StopMatch => Some(language.matching),
        }
    }

    /// Returns how long before the deadline it is due.
    fn before(self) -> Duration {
        match self {
            Self::Warn => MARGIN,
            Self::Stop | Self::StopMatch => MARGIN / 2,
        }
    }
}

impl Loop {
    fn new(language: Language, act: Act, main_thread: bool) -> Self {
        let handler = act.source(language).expect("only handlers that exist are measured");
        Self { served: Served::warned(language, handler, MARGIN, main_thread), act }
    }

    /// Runs into a deadline; returns the time from the moment at which the watchdog was due until the answer.
    fn late(&self) -> Duration {
        for _ in 0..ATTEMPTS {
            let deadline = (since_epoch() + GIVEN).as_millis() as u64;
            let due = Duration::from_millis(deadline) - self.act.before();
            let ended = self.served.until(&Bytes::from_static(b"{}"), deadline);
            let error = ended.result.expect_err("an endless loop has no answer");
            assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
            let stopped = self.act != Act::Warn;
            assert!(ended.spoilt || !stopped, "the loop ended before it was stopped by force");
            // Nothing answers early, but the clock may have been set meanwhile. Late answers count, however late.
            match ended.at.checked_sub(due) {
                Some(late) if !late.is_zero() => return late,
                _ => {}
            }
        }
        panic!("{ATTEMPTS} endless loops were answered before the time for it: {:?}", self.act);
    }
}

impl Elsewhere {
    fn new(language: Language, act: Act) -> Self {
        let (ask, asked) = channel();
        let (tell, late) = channel();
        let thread = thread::spawn(move || {
            let looping = Loop::new(language, act, false);
            while asked.recv().is_ok() {
                if tell.send(looping.late()).is_err() {
                    break;
                }
            }
        });
        Self { ask: Some(ask), late, thread: Some(thread) }
    }

    fn late(&self) -> Duration {
        let asked = self.ask.as_ref().is_some_and(|ask| ask.send(()).is_ok());
        assert!(asked, "the thread listens for as long as this lives");
        self.late.recv().expect("the thread answers")
    }
}

impl Drop for Elsewhere {
    fn drop(&mut self) {
        self.ask = None;
        if let Some(thread) = self.thread.take() {
            // Its panic has already been reported.
            let _ = thread.join();
        }
    }
}
