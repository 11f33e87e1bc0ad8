//! How fast generations may follow one another: functions that change their own files, or end their process, would have them
//! follow without end.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// The number of reloads, within [`HURRY`], after which there is a pause between them.
const MANY_RELOADS: usize = 20;
const HURRY: Duration = Duration::from_secs(15);
/// The pause then.
const PAUSE: Duration = Duration::from_secs(1);
/// The number of ends that nobody asked for, within [`TROUBLE`], after which a server is not started again by itself.
const MANY_ENDS: usize = 5;
const TROUBLE: Duration = Duration::from_secs(10);

/// What is remembered of reloads and ends.
#[derive(Debug, Default)]
pub(super) struct Pace {
    reloads: VecDeque<Instant>,
    ends: VecDeque<Instant>,
    is_told: bool,
}

impl Pace {
    /// Notes a reload.
    pub(super) fn reloads(&mut self, now: Instant) {
        note(&mut self.reloads, now, HURRY);
    }

    /// Returns the time before which the next reload should not begin; `None` where it may at once.
    pub(super) fn next(&self, now: Instant) -> Option<Instant> {
        let last = *self.reloads.back()?;
        let recent = self.reloads.iter().filter(|then| now.duration_since(**then) < HURRY).count();
        let next = last + PAUSE;
        (recent >= MANY_RELOADS && next > now).then_some(next)
    }

    /// Whether it should be told now that there is a pause. Once is enough.
    pub(super) fn is_to_be_told(&mut self) -> bool {
        !std::mem::replace(&mut self.is_told, true)
    }

    /// Notes an end that nobody asked for. Returns whether the server may be started again.
    pub(super) fn ends(&mut self, now: Instant) -> bool {
        note(&mut self.ends, now, TROUBLE);
        self.ends.len() < MANY_ENDS
    }
}

fn note(times: &mut VecDeque<Instant>, now: Instant, window: Duration) {
    while times.front().is_some_and(|then| now.duration_since(*then) >= window) {
        times.pop_front();
    }
    times.push_back(now);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_saves_by_hand_never_waits_and_a_loop_does() {
        let begin = Instant::now();
        let mut pace = Pace::default();
        for step in 0..100 {
            let now = begin + Duration::from_secs(1) * step;
            assert_eq!(pace.next(now), None);
            pace.reloads(now);
        }
        let mut pace = Pace::default();
        let mut now = begin;
        for _ in 0..MANY_RELOADS {
            assert_eq!(pace.next(now), None);
            pace.reloads(now);
            now += Duration::from_millis(40);
        }
        assert!(pace.next(now).is_some_and(|next| next > now));
        assert_eq!(pace.next(now + HURRY), None);
        assert!(pace.is_to_be_told() && !pace.is_to_be_told());
    }

    #[test]
    fn a_few_ends_are_borne() {
        let begin = Instant::now();
        let mut pace = Pace::default();
        let ends: Vec<bool> = (0..MANY_ENDS as u32)
            .map(|step| pace.ends(begin + Duration::from_millis(10) * step))
            .collect();
        assert_eq!(ends, [true, true, true, true, false]);
        assert!(pace.ends(begin + TROUBLE * 2));
    }
}
