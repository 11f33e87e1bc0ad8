//! What a schedule means for a clock that is looked at from time to time: which run begins, which were missed. The clock
//! may jump, and whoever looks may have been held up.

use super::schedule::Schedule;
use chrono::{DateTime, TimeDelta, Utc};

/// The delay up to which a run still begins: what is later than this was missed.
const LATE: TimeDelta = TimeDelta::seconds(60);
/// A step back of the clock that is none: clocks are set right in small steps.
const STEP: TimeDelta = TimeDelta::seconds(2);
/// Maximum number of missed runs that are counted one by one.
const COUNTED: u32 = 10_000;

/// A schedule and how far it has come.
#[derive(Debug)]
pub(super) struct Ticker {
    schedule: Schedule,
    due: Option<DateTime<Utc>>,
    seen: DateTime<Utc>,
}

/// What a look at the clock has shown.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Turn {
    /// The run that begins now, by the time at which it was due.
    pub(super) run: Option<DateTime<Utc>>,
    pub(super) missed: Option<Missed>,
    /// How far the clock has gone back.
    pub(super) back: Option<TimeDelta>,
}

/// Runs that did not begin in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Missed {
    pub(super) count: u32,
    pub(super) first: DateTime<Utc>,
    pub(super) last: DateTime<Utc>,
}

impl Ticker {
    pub(super) fn new(schedule: Schedule, now: DateTime<Utc>) -> Self {
        Self { due: schedule.next_after(now), schedule, seen: now }
    }

    /// Returns when the next run is due.
    pub(super) fn due(&self) -> Option<DateTime<Utc>> {
        self.due
    }

    /// Looks at the clock.
    pub(super) fn look(&mut self, now: DateTime<Utc>) -> Turn {
        let before = std::mem::replace(&mut self.seen, now);
        if before - now > STEP {
            self.due = self.schedule.next_after(now);
            return Turn { back: Some(before - now), ..Turn::default() };
        }
        let mut missed: Option<Missed> = None;
        let mut run = None;
        while let Some(due) = self.due.filter(|due| *due <= now) {
            if let Some(earlier) = run.replace(due) {
                let missed =
                    missed.get_or_insert(Missed { count: 0, first: earlier, last: earlier });
                missed.count += 1;
                missed.last = earlier;
            }
            let counted = missed.is_some_and(|missed| missed.count >= COUNTED);
            self.due = self.schedule.next_after(if counted { now } else { due });
        }
        if let Some(late) = run.filter(|due| now - *due > LATE) {
            let missed = missed.get_or_insert(Missed { count: 0, first: late, last: late });
            missed.count += 1;
            missed.last = late;
            run = None;
        }
        Turn { run, missed, back: None }
    }
}

#[cfg(test)]
#[cfg(feature = "cron")]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        format!("2026-11-28T{text}Z").parse().unwrap()
    }

    fn ticker(cron: &str) -> Ticker {
        Ticker::new(Schedule::parse(cron, None).unwrap(), at("10:00:00"))
    }

    fn run(time: &str) -> Turn {
        Turn { run: Some(at(time)), ..Turn::default() }
    }

    #[test]
    fn a_run_begins_when_it_is_due_and_once() {
        let mut ticker = ticker("*/5 * * * *");
        assert_eq!(ticker.due(), Some(at("10:05:00")));
        assert_eq!(ticker.look(at("10:04:59")), Turn::default());
        assert_eq!(ticker.look(at("10:05:00")), run("10:05:00"));
        assert_eq!(ticker.look(at("10:05:01")), Turn::default());
        assert_eq!(ticker.due(), Some(at("10:10:00")));
        assert_eq!(ticker.look(at("10:10:59")), run("10:10:00"));
    }

    #[test]
    fn of_several_that_are_due_the_last_begins_and_the_others_were_missed() {
        let mut ticker = ticker("* * * * * *");
        let turn = ticker.look(at("10:00:05"));
        assert_eq!(turn.run, Some(at("10:00:05")));
        let missed = Missed { count: 4, first: at("10:00:01"), last: at("10:00:04") };
        assert_eq!(turn.missed, Some(missed));
    }

    #[test]
    fn a_run_that_is_much_too_late_was_missed() {
        let mut ticker = ticker("*/5 * * * *");
        let turn = ticker.look(at("11:02:00"));
        assert_eq!(turn.run, None);
        let missed = Missed { count: 12, first: at("10:05:00"), last: at("11:00:00") };
        assert_eq!(turn.missed, Some(missed));
        assert_eq!(ticker.due(), Some(at("11:05:00")));
    }

    #[test]
    fn a_clock_that_jumps_far_ahead_is_not_followed_second_by_second() {
        let mut ticker = ticker("* * * * * *");
        let turn = ticker.look("2046-11-28T10:00:00Z".parse().unwrap());
        assert!(turn.missed.unwrap().count >= COUNTED);
        assert_eq!(ticker.due(), Some("2046-11-28T10:00:01Z".parse().unwrap()));
    }

    #[test]
    fn a_clock_that_goes_back_begins_anew_from_there() {
        let mut ticker = ticker("*/5 * * * *");
        assert_eq!(ticker.look(at("10:05:00")), run("10:05:00"));
        assert_eq!(ticker.look(at("10:04:59")), Turn::default());
        let turn = ticker.look(at("09:31:00"));
        assert_eq!((turn.run, turn.back), (None, Some(TimeDelta::seconds(2039))));
        assert_eq!(ticker.due(), Some(at("09:35:00")));
        assert_eq!(ticker.look(at("09:35:00")), run("09:35:00"));
    }
}
