//! The thread that watches files, and tells of changes that are complete.

use super::{relevance::Relevance, tree::Tree};
use crate::worker::spawn_beside;
use notify::{
    Event, EventKind, PollWatcher, Watcher,
    event::{AccessKind, AccessMode, ModifyKind},
};
use std::{
    collections::BTreeSet,
    io,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, RecvTimeoutError, channel},
    },
    time::{Duration, Instant},
};

/// The time without further events after which a change is complete: a save of several files comes at once.
const QUIET: Duration = Duration::from_millis(4);
/// The same where a file is still open for writing: the rest of it may be on its way.
const QUIET_WHILE_OPEN: Duration = Duration::from_millis(30);
/// The longest time for which a change is held back.
const LONGEST: Duration = Duration::from_millis(60);
/// The time between two looks at all files, where they are looked at.
const POLL_INTERVAL: Duration = Duration::from_millis(300);
/// The time between two looks at whether a folder that is gone is there again.
const ABSENCE_INTERVAL: Duration = Duration::from_millis(200);
/// The most files of a change that are kept: for a line that names two.
const MOST_NAMED: usize = 1000;

/// What the thread tells.
#[derive(Debug)]
pub(super) enum Noticed {
    /// Files have changed, as far as they are known by name.
    Changed(Vec<PathBuf>),
    /// Something keeps changes from being seen.
    Problem(String),
}

/// Begins to watch. `tell` is called on the watching thread.
///
/// # Errors
/// When the system has no way to watch, or no thread left.
pub(super) fn start(
    relevance: Relevance,
    beside: Vec<PathBuf>,
    polls: bool,
    has_begun: Arc<AtomicBool>,
    tell: impl Fn(Noticed) + Send + 'static,
) -> anyhow::Result<()> {
    let (sender, events) = channel();
    let hand_on = move |event| {
        // The receiver lives as long as the process.
        let _ = sender.send(event);
    };
    let watcher: Box<dyn Watcher + Send> = match polls {
        true => {
            let settings = notify::Config::default().with_poll_interval(POLL_INTERVAL);
            Box::new(PollWatcher::new(hand_on, settings)?)
        }
        false => Box::new(notify::recommended_watcher(hand_on)?),
    };
    let mut watch =
        Watch { has_begun, tree: Tree::new(watcher), relevance, events, tell: Box::new(tell) };
    watch.begin(&beside);
    spawn_beside("trine-watch", move || watch.run(&beside))
        .map_err(|error: io::Error| error.into())
        .map(drop)
}

struct Watch {
    /// Whether a change has begun that was not told yet.
    has_begun: Arc<AtomicBool>,
    tree: Tree,
    relevance: Relevance,
    events: Receiver<notify::Result<Event>>,
    tell: Box<dyn Fn(Noticed) + Send>,
}

/// A change that is not complete yet.
#[derive(Default)]
struct Change {
    files: BTreeSet<PathBuf>,
    /// Whether there is one, though its files may not be known.
    is_any: bool,
    /// Whether the last event leaves a file open.
    is_open: bool,
}

impl Watch {
    /// Watches all folders.
    fn begin(&mut self, beside: &[PathBuf]) {
        let root = self.relevance.root().to_owned();
        self.tree.add(&root, &self.relevance);
        for folder in beside.iter().chain(self.relevance.named()) {
            match folder.is_dir() {
                true => drop(self.tree.add(folder, &self.relevance)),
                // It is seen when it is made, or replaced by its editor.
                false => self.tree.add_file(folder),
            }
        }
        self.tell_problem();
    }

    fn tell_problem(&mut self) {
        if let Some(problem) = self.tree.take_problem() {
            (self.tell)(Noticed::Problem(problem));
        }
    }

    /// Runs until the process ends.
    fn run(mut self, beside: &[PathBuf]) {
        let mut is_absent = false;
        loop {
            if !self.relevance.root().is_dir() {
                if !is_absent {
                    is_absent = true;
                    let root = self.relevance.root().to_owned();
                    self.tree.forget(&root);
                    let gone =
                        format!("{} is gone; it is served again when it is back", root.display());
                    (self.tell)(Noticed::Problem(gone));
                    (self.tell)(Noticed::Changed(vec![root]));
                }
                std::thread::sleep(ABSENCE_INTERVAL);
                continue;
            }
            if is_absent {
                is_absent = false;
                while self.events.try_recv().is_ok() {}
                self.begin(beside);
                (self.tell)(Noticed::Changed(vec![self.relevance.root().to_owned()]));
            }
            let Ok(event) = self.events.recv() else { return };
            let mut change = Change::default();
            self.take(event, &mut change);
            if change.is_any {
                self.has_begun.store(true, Ordering::Release);
                self.complete(&mut change);
                (self.tell)(Noticed::Changed(change.files.into_iter().collect()));
            }
            self.tell_problem();
        }
    }

    /// Waits until a change is complete.
    fn complete(&mut self, change: &mut Change) {
        let begun = Instant::now();
        loop {
            let quiet = if change.is_open { QUIET_WHILE_OPEN } else { QUIET };
            let wait = quiet.min(LONGEST.saturating_sub(begun.elapsed()));
            match self.events.recv_timeout(wait) {
                Ok(event) => self.take(event, change),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return,
            }
            if begun.elapsed() >= LONGEST {
                return;
            }
        }
    }

    fn take(&mut self, event: notify::Result<Event>, change: &mut Change) {
        let event = match event {
            Ok(event) => event,
            Err(error) => {
                (self.tell)(Noticed::Problem(format!("changes may have been missed: {error}")));
                return;
            }
        };
        if event.need_rescan() {
            // The system had more to tell than it keeps.
            change.is_any = true;
            return;
        }
        let is_written = event.kind == EventKind::Access(AccessKind::Close(AccessMode::Write));
        if matches!(event.kind, EventKind::Access(_)) && !is_written {
            return;
        }
        let is_removed =
            matches!(event.kind, EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(_)));
        for path in event.paths {
            if self.relevance.counts(&path) {
                change.is_any = true;
                change.is_open = matches!(event.kind, EventKind::Modify(ModifyKind::Data(_)));
                if change.files.len() < MOST_NAMED {
                    change.files.insert(path);
                }
                continue;
            }
            if is_written {
                continue;
            }
            if path.is_dir() {
                let found = self.tree.add(&path, &self.relevance);
                change.is_any |= !found.is_empty();
                change.files.extend(found.into_iter().take(MOST_NAMED));
            } else if is_removed && self.tree.forget(&path) {
                // The files in a folder are not told of one by one.
                change.is_any = true;
                change.files.insert(path);
            }
        }
    }
}
