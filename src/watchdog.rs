//! One thread that knows the deadline of every invocation that runs, and acts when its worker's thread cannot.
//!
//! Towards its deadline an invocation passes four stages. *Warned*: `timeout` hooks run, and each language gives its
//! own signal. *Stopped*: what runs is interrupted in a way that it cannot catch; an invocation that merely waits is
//! dropped. *Over*: the `timeout` hooks have had their time as well. *Lost*: the worker's thread has not come back, so
//! the invocation is answered from here. The first three come before the deadline, because the platform may act at it.

use futures::task::AtomicWaker;
use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering},
    },
    thread::{self, Thread},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use trine_engine::{Interrupter, debugged_time};

/// The time before the deadline at which an invocation is warned, unless something else is set.
pub const DEFAULT_MARGIN: Duration = Duration::from_millis(50);
/// The largest part of the time given that goes to the margin: a tenth.
const MARGIN_PART: u64 = 10;
/// The least time that a thread has to come back after its code was stopped, in nanoseconds. It matters where little
/// time was given, and where the whole process was held up: nobody is lost who had no chance to return.
const LEAST_RETURN: u64 = 10_000_000;
/// The time between two looks at what does not tell by itself, in nanoseconds: the process's resident memory while an
/// invocation runs for which it is limited, and whether what runs is wanted no longer.
const POLL_INTERVAL: u64 = 50_000_000;

/// The shortest time for which the thread sleeps.
const SHORTEST_PAUSE: Duration = Duration::from_micros(100);

/// The stage of an invocation on the way to its deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    /// Before the margin: there is time left.
    Running,
    /// The guest has been told.
    Warned,
    /// The guest has been stopped.
    Stopped,
    /// `timeout` hooks have had their time.
    Over,
    /// The worker's thread did not come back.
    Lost,
}

impl Stage {
    const ALL: [Self; 5] = [Self::Running, Self::Warned, Self::Stopped, Self::Over, Self::Lost];

    fn of(number: u8) -> Self {
        Self::ALL[usize::from(number).min(Self::ALL.len() - 1)]
    }
}

/// The act of a front door for an invocation whose thread did not come back.
pub struct Rescue {
    /// Answers the invocation from the watchdog's thread, and ends the process if `stuck` says that it was this very
    /// invocation that holds the thread. Called at most once, and only if nobody else answers.
    pub act: Box<dyn FnOnce(&Lost) + Send>,
    /// The time after the deadline at which that happens; `None` for a platform that ends the process at the deadline,
    /// where it must happen before.
    pub lost_after: Option<Duration>,
}

/// An invocation whose thread did not come back.
#[derive(Debug, Clone, Copy)]
pub struct Lost {
    /// Whether it runs guest code; else it waits for another invocation that does.
    pub stuck: bool,
    /// The time that it was given.
    pub given: Duration,
}

/// The process's watchdog. Its thread starts with the first invocation that has a deadline.
#[derive(Clone)]
pub struct Watchdog {
    shared: Arc<Shared>,
}

struct Shared {
    margin: Duration,
    /// Bytes of resident memory beyond which an invocation in a language without a limit of its own is stopped.
    resident_limit: Option<u64>,
    start: Instant,
    thread: OnceLock<Thread>,
    armed: Mutex<Armed>,
}

#[derive(Default)]
struct Armed {
    entries: Vec<Arc<Entry>>,
    /// What may become unwanted.
    wanted: Option<Wanted>,
    /// The moment at which the thread will look next, in nanoseconds since the start; it sleeps until then.
    looks_at: u64,
}

/// What runs until it is done, or is given up because nobody wants it any more.
struct Wanted {
    is_unwanted: fn() -> bool,
    /// The time that it has from then on, in nanoseconds.
    limit: u64,
    /// Whether that time has begun.
    is_over: bool,
    looks_at: u64,
    act: Box<dyn FnOnce() + Send>,
}

impl Armed {
    /// Looks at what may be unwanted. Returns the act that is due, if its time is up.
    fn unwanted(&mut self, now: u64) -> Option<Box<dyn FnOnce() + Send>> {
        let wanted = self.wanted.as_mut().filter(|wanted| wanted.looks_at <= now)?;
        if wanted.is_over {
            return self.wanted.take().map(|wanted| wanted.act);
        }
        wanted.is_over = (wanted.is_unwanted)();
        let pause = if wanted.is_over { wanted.limit } else { POLL_INTERVAL };
        wanted.looks_at = now.saturating_add(pause);
        None
    }
}

/// One invocation, as the watchdog and its worker's thread both see it.
pub(crate) struct Entry {
    /// The moments at which the stages between `Running` and `Lost` begin, in nanoseconds since the start.
    due: [u64; 3],
    /// The moment at which its thread counts as lost; later than planned where the stop came late.
    lost: AtomicU64,
    given: Duration,
    stage: AtomicU8,
    /// The interrupter that reaches what runs: its position, counted from 1; 0 while no guest code runs.
    running: AtomicUsize,
    interrupters: Arc<[Interrupter]>,
    /// The moment at which resident memory is looked at next; `u64::MAX` where it is not limited.
    memory_due: AtomicU64,
    out_of_memory: AtomicBool,
    /// Whether somebody answers: set by whoever does.
    claimed: AtomicBool,
    pub(crate) waker: AtomicWaker,
    rescue: Mutex<Option<Rescue>>,
}

impl Watchdog {
    /// Makes a watchdog that warns this long before a deadline, and stops invocations in languages without a memory
    /// limit of their own when the process's resident memory goes beyond `resident_limit` bytes.
    pub fn new(margin: Duration, resident_limit: Option<u64>) -> Self {
        Self {
            shared: Arc::new(Shared {
                margin,
                resident_limit,
                start: Instant::now(),
                thread: OnceLock::new(),
                armed: Mutex::default(),
            }),
        }
    }

    /// Whether there is anything to watch about an invocation.
    pub(crate) fn cares(&self, deadline_ms: Option<u64>, limits_memory: bool) -> bool {
        deadline_ms.is_some() || (limits_memory && self.shared.resident_limit.is_some())
    }

    /// Begins to watch an invocation with this deadline. `limits_memory` says that its languages cannot limit their
    /// memory themselves.
    pub(crate) fn arm(
        &self,
        deadline_ms: Option<u64>,
        interrupters: &Arc<[Interrupter]>,
        limits_memory: bool,
        rescue: Option<Rescue>,
    ) -> Watched {
        let shared = &self.shared;
        let now = shared.now();
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let given = match deadline_ms {
            Some(deadline) => Duration::from_millis(deadline).saturating_sub(wall),
            None => Duration::MAX,
        };
        let deadline = now.saturating_add(nanos(given));
        let margin = nanos(shared.margin).min(nanos(given) / MARGIN_PART);
        let before = |part: u64| match deadline {
            u64::MAX => u64::MAX,
            deadline => deadline - part.min(deadline),
        };
        let lost = match rescue.as_ref().and_then(|rescue| rescue.lost_after) {
            Some(lost_after) => deadline.saturating_add(nanos(lost_after)),
            None => before(margin / 10),
        };
        let entry = Arc::new(Entry {
            due: [before(margin), before(margin / 2), before(margin / 4)],
            lost: AtomicU64::new(lost),
            given,
            stage: AtomicU8::new(0),
            running: AtomicUsize::new(0),
            interrupters: interrupters.clone(),
            memory_due: AtomicU64::new(match shared.resident_limit {
                Some(_) if limits_memory => now + POLL_INTERVAL,
                _ => u64::MAX,
            }),
            out_of_memory: AtomicBool::new(false),
            claimed: AtomicBool::new(false),
            waker: AtomicWaker::new(),
            rescue: Mutex::new(rescue),
        });
        let mut armed = shared.armed();
        armed.entries.push(entry.clone());
        let sleeps_too_long = entry.next_due() < armed.looks_at;
        drop(armed);
        if sleeps_too_long || shared.thread.get().is_none() {
            self.wake();
        }
        Watched { shared: shared.clone(), entry }
    }

    /// Begins to watch what may become unwanted, of which there is one at a time. If it is not done within `limit` from
    /// then on, `act` is called on the watchdog's thread: nobody else can, where guest code holds the only other one.
    pub(crate) fn arm_unless(
        &self,
        is_unwanted: fn() -> bool,
        limit: Duration,
        act: impl FnOnce() + Send + 'static,
    ) -> WatchedWhileWanted {
        let looks_at = self.shared.now().saturating_add(POLL_INTERVAL);
        let (limit, act) = (nanos(limit), Box::new(act));
        let wanted = Wanted { is_unwanted, limit, is_over: false, looks_at, act };
        self.shared.armed().wanted = Some(wanted);
        self.wake();
        WatchedWhileWanted(self.shared.clone())
    }

    fn wake(&self) {
        match self.shared.thread.get() {
            Some(thread) => thread.unpark(),
            None => self.start_thread(),
        }
    }

    /// Begins to watch what begins now, is reached by one interrupter and may take this long.
    pub(crate) fn arm_within(
        &self,
        limit: Duration,
        interrupter: Interrupter,
        rescue: Option<Rescue>,
    ) -> Watched {
        let deadline = (SystemTime::now() + limit).duration_since(UNIX_EPOCH).unwrap_or_default();
        self.arm(Some(deadline.as_millis() as u64), &[interrupter].into(), false, rescue)
    }

    fn start_thread(&self) {
        self.shared.thread.get_or_init(|| {
            let shared = self.shared.clone();
            let spawned = thread::Builder::new()
                .name("trine-watchdog".to_owned())
                .spawn(move || shared.watch());
            match spawned {
                Ok(handle) => handle.thread().clone(),
                // Without it nothing is stopped in time; invocations run all the same.
                Err(_) => thread::current(),
            }
        });
    }
}

impl fmt::Debug for Watchdog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watchdog").field("margin", &self.shared.margin).finish_non_exhaustive()
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

impl Shared {
    /// Returns the time since the start, during which no debugger was attached: it stands still while one is.
    fn now(&self) -> u64 {
        nanos(self.start.elapsed().saturating_sub(debugged_time()))
    }

    fn armed(&self) -> MutexGuard<'_, Armed> {
        self.armed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs the watchdog's thread.
    fn watch(&self) {
        loop {
            let now = self.now();
            let mut armed = self.armed();
            if let Some(act) = armed.unwanted(now) {
                drop(armed);
                act();
                continue;
            }
            let due: Vec<Arc<Entry>> =
                armed.entries.iter().filter(|entry| entry.next_due() <= now).cloned().collect();
            if due.is_empty() {
                let entries = armed.entries.iter().map(|entry| entry.next_due());
                let next = entries.chain(armed.wanted.iter().map(|wanted| wanted.looks_at)).min();
                armed.looks_at = next.unwrap_or(u64::MAX);
                drop(armed);
                match next {
                    // It may be due at once and yet not for a long time, where a debugger is attached.
                    Some(next) => {
                        thread::park_timeout(Duration::from_nanos(next - now).max(SHORTEST_PAUSE));
                    }
                    None => thread::park(),
                }
                continue;
            }
            armed.looks_at = 0;
            // What follows may take a while, and workers must be able to arm and disarm meanwhile.
            drop(armed);
            for entry in due {
                entry.advance(now, self);
            }
        }
    }
}

impl Entry {
    pub(crate) fn stage(&self) -> Stage {
        Stage::of(self.stage.load(Ordering::Acquire))
    }

    fn next_due(&self) -> u64 {
        let due = self.end_of(self.stage.load(Ordering::Relaxed)).unwrap_or(u64::MAX);
        due.min(self.memory_due.load(Ordering::Relaxed))
    }

    /// Returns the moment at which a stage ends, unless it is the last one.
    fn end_of(&self, stage: u8) -> Option<u64> {
        let lost = || Stage::of(stage) == Stage::Over;
        let due = self.due.get(usize::from(stage)).copied();
        due.or_else(|| lost().then(|| self.lost.load(Ordering::Relaxed)))
    }

    /// Enters the stages whose time has come, one after the other.
    fn advance(&self, now: u64, shared: &Shared) {
        if self.memory_due.load(Ordering::Relaxed) <= now {
            self.look_at_memory(now, shared);
        }
        while let stage = self.stage.load(Ordering::Relaxed)
            && self.end_of(stage).is_some_and(|due| due <= now)
        {
            self.stage.store(stage + 1, Ordering::Release);
            let running = self.running.load(Ordering::Acquire).checked_sub(1);
            let interrupter = running.and_then(|at| self.interrupters.get(at));
            let entered = Stage::of(stage + 1);
            if entered == Stage::Stopped {
                self.lost.fetch_max(now.saturating_add(LEAST_RETURN), Ordering::Relaxed);
            }
            match (entered, interrupter) {
                (Stage::Warned, Some(interrupter)) => interrupter.warn(),
                (Stage::Stopped | Stage::Over, Some(interrupter)) => interrupter.interrupt(),
                (Stage::Lost, _) => self.rescue(running.is_some()),
                _ => {}
            }
        }
        self.waker.wake();
    }

    fn look_at_memory(&self, now: u64, shared: &Shared) {
        self.memory_due.store(now + POLL_INTERVAL, Ordering::Relaxed);
        let (Some(limit), Some(resident)) = (shared.resident_limit, resident_memory()) else {
            return;
        };
        if resident > limit {
            self.memory_due.store(u64::MAX, Ordering::Relaxed);
            self.out_of_memory.store(true, Ordering::Release);
            let running = self.running.load(Ordering::Acquire).checked_sub(1);
            if let Some(interrupter) = running.and_then(|at| self.interrupters.get(at)) {
                interrupter.interrupt();
            }
        }
    }

    fn rescue(&self, stuck: bool) {
        let rescue = self.rescue.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(rescue) = rescue
            && self.claim()
        {
            (rescue.act)(&Lost { stuck, given: self.given });
        }
    }

    /// Whether the caller is the one who answers the invocation: nobody else has and nobody else will.
    fn claim(&self) -> bool {
        !self.claimed.swap(true, Ordering::AcqRel)
    }
}

/// Returns how many bytes of the process's memory are in RAM; `None` where the system does not tell.
pub(crate) fn resident_memory() -> Option<u64> {
    // The page size is 4 KiB wherever this is built for; the second number counts pages.
    let statistics = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = statistics.split_ascii_whitespace().nth(1)?.parse().ok()?;
    Some(pages * 4096)
}

/// An invocation that is watched until this is dropped.
pub(crate) struct Watched {
    shared: Arc<Shared>,
    pub(crate) entry: Arc<Entry>,
}

impl Watched {
    /// Notes that guest code runs from here on, which the interrupter at this position reaches.
    pub(crate) fn enter(&self, at: usize) {
        self.entry.running.store(at + 1, Ordering::Release);
    }

    /// Notes that no guest code runs.
    pub(crate) fn leave(&self) {
        self.entry.running.store(0, Ordering::Release);
    }

    /// Returns the time that the invocation was given.
    pub(crate) fn given(&self) -> Duration {
        self.entry.given
    }

    /// Whether it was stopped for the memory that the process takes.
    pub(crate) fn out_of_memory(&self) -> bool {
        self.entry.out_of_memory.load(Ordering::Acquire)
    }

    /// Whether the caller is to answer: false when the watchdog has.
    pub(crate) fn claim(&self) -> bool {
        self.entry.claim()
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let mut armed = self.shared.armed();
        if let Some(at) = armed.entries.iter().position(|entry| Arc::ptr_eq(entry, &self.entry)) {
            armed.entries.swap_remove(at);
        }
    }
}

/// What is watched until this is dropped, in case it becomes unwanted.
pub(crate) struct WatchedWhileWanted(Arc<Shared>);

impl Drop for WatchedWhileWanted {
    fn drop(&mut self) {
        self.0.armed().wanted = None;
    }
}

/// The watchdog's view of an invocation while it runs: which heap guest code runs in. Empty where nothing is limited.
pub(crate) struct Watch(Option<Watched>);

impl Watch {
    /// Returns the watch of an invocation that nothing limits.
    pub(crate) const fn none() -> Self {
        Self(None)
    }

    pub(crate) const fn over(watched: Watched) -> Self {
        Self(Some(watched))
    }

    pub(crate) const fn watched(&self) -> Option<&Watched> {
        self.0.as_ref()
    }

    /// Notes that guest code runs from here on, in the heap at this position.
    pub(crate) fn enter(&self, heap: usize) {
        if let Some(watched) = &self.0 {
            watched.enter(heap);
        }
    }

    /// Notes that no guest code runs.
    pub(crate) fn leave(&self) {
        if let Some(watched) = &self.0 {
            watched.leave();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    fn in_ms(milliseconds: u64) -> Option<u64> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        Some(now.as_millis() as u64 + milliseconds)
    }

    fn interrupters(told: &mpsc::Sender<&'static str>) -> Arc<[Interrupter]> {
        let (stop, warn) = (told.clone(), told.clone());
        // A test that has seen enough no longer listens.
        let tell = |to: &mpsc::Sender<_>, what| {
            let _ = to.send(what);
        };
        Arc::new([
            Interrupter::new(move || tell(&stop, "stop")).warning(move || tell(&warn, "warn"))
        ])
    }

    #[test]
    fn what_runs_is_warned_then_stopped_then_answered_for() {
        let watchdog = Watchdog::new(DEFAULT_MARGIN, None);
        let (told, tells) = mpsc::channel();
        let rescued = told.clone();
        let act = move |lost: &Lost| {
            assert!(lost.stuck);
            rescued.send("rescue").unwrap();
        };
        let rescue = Rescue { act: Box::new(act), lost_after: Some(Duration::ZERO) };
        let watched = watchdog.arm(in_ms(100), &interrupters(&told), false, Some(rescue));
        watched.enter(0);
        let told: Vec<_> = (0..4).map(|_| tells.recv().unwrap()).collect();
        assert_eq!(told, ["warn", "stop", "stop", "rescue"]);
        assert!(!watched.claim(), "the watchdog has answered");
    }

    #[test]
    fn whose_time_is_up_at_once_is_stopped_before_it_counts_as_lost() {
        let watchdog = Watchdog::new(DEFAULT_MARGIN, None);
        let (told, tells) = mpsc::channel();
        let rescued = told.clone();
        let act = move |_: &Lost| rescued.send("rescue").unwrap();
        let rescue = Rescue { act: Box::new(act), lost_after: None };
        let begun = Instant::now();
        let watched = watchdog.arm(in_ms(0), &interrupters(&told), false, Some(rescue));
        watched.enter(0);
        // The first steps may have been taken before the code was entered.
        while tells.recv().unwrap() != "rescue" {}
        assert!(begun.elapsed() >= Duration::from_nanos(LEAST_RETURN));
        assert!(!watched.claim(), "the watchdog has answered");
    }

    #[test]
    fn what_waits_is_woken_but_not_touched() {
        let watchdog = Watchdog::new(DEFAULT_MARGIN, None);
        let (told, tells) = mpsc::channel();
        let watched = watchdog.arm(in_ms(50), &interrupters(&told), false, None);
        while watched.entry.stage() < Stage::Lost {
            thread::sleep(Duration::from_millis(1));
        }
        assert!(tells.try_recv().is_err());
        assert!(watched.claim());
    }

    #[test]
    fn what_has_ended_is_forgotten_and_an_earlier_deadline_wakes_the_thread() {
        let watchdog = Watchdog::new(DEFAULT_MARGIN, None);
        let (told, tells) = mpsc::channel();
        let late = watchdog.arm(in_ms(3_600_000), &interrupters(&told), false, None);
        let early = watchdog.arm(in_ms(20), &interrupters(&told), false, None);
        early.enter(0);
        assert_eq!(tells.recv_timeout(Duration::from_secs(20)), Ok("warn"));
        drop((early, late));
        assert!(watchdog.shared.armed().entries.is_empty());
    }

    #[test]
    fn what_nobody_wants_any_more_is_given_up_and_what_is_done_before_is_not() {
        static IS_UNWANTED: AtomicBool = AtomicBool::new(false);
        let watchdog = Watchdog::new(DEFAULT_MARGIN, None);
        let (given_up, acts) = mpsc::channel();
        let arm = |limit| {
            let given_up = given_up.clone();
            let act = move || given_up.send(()).unwrap();
            watchdog.arm_unless(|| IS_UNWANTED.load(Ordering::Acquire), limit, act)
        };
        let wanted = arm(Duration::ZERO);
        assert!(acts.recv_timeout(Duration::from_millis(150)).is_err());
        IS_UNWANTED.store(true, Ordering::Release);
        assert_eq!(acts.recv_timeout(Duration::from_secs(20)), Ok(()));
        drop(wanted);
        drop(arm(Duration::from_millis(50)));
        assert!(acts.recv_timeout(Duration::from_millis(250)).is_err());
    }

    #[test]
    fn memory_beyond_the_limit_stops_what_runs() {
        let watchdog = Watchdog::new(DEFAULT_MARGIN, Some(1));
        let (told, tells) = mpsc::channel();
        let watched = watchdog.arm(None, &interrupters(&told), true, None);
        watched.enter(0);
        assert_eq!(tells.recv_timeout(Duration::from_secs(20)), Ok("stop"));
        assert!(watched.out_of_memory());
    }
}
