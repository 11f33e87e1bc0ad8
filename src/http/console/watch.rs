//! What looks on while a server works: gathers what spans and messages tell of each invocation, and remembers a part of it.

use super::{
    invocation::{Gathering, Part, between, milliseconds, remembered},
    problem::Problem,
    ring::{Batch, Kind, Ring},
};
use crate::{
    http::site::Site,
    telemetry::{NewSpan, Record},
};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    fmt,
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};
use tokio::sync::watch;
use trine_engine::{Error, ErrorKind, Level, Payload};

/// Number of durations of which percentiles are made.
const DURATIONS: usize = 1000;
/// The longest line of a log that is remembered, in bytes.
const LINE: usize = 16 * 1024;

/// What looks on.
pub(in crate::http) struct Watch {
    /// The folders of which files may be shown.
    folders: Vec<PathBuf>,
    functions: Vec<String>,
    state: Mutex<State>,
    /// The number of the next message, for those who wait for it.
    news: watch::Sender<u64>,
}

#[derive(Default)]
struct State {
    open: HashMap<u64, Node>,
    /// The span of each invocation by its id; of two with the same id the later one's.
    requests: HashMap<String, u64>,
    ring: Ring,
    /// Invocations whose callers wait for what is known of them.
    awaited: HashMap<String, Option<Value>>,
    durations: VecDeque<f64>,
    invocations: u64,
    errors: u64,
    /// What is known of each function, by its position.
    functions: Vec<Known>,
}

/// What is known of a function.
#[derive(Debug, Default)]
struct Known {
    health: Health,
    problem: Option<Value>,
    /// The hooks of its middlewares.
    hooks: Option<Vec<(String, Vec<&'static str>)>>,
}

/// Whether a function can be invoked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Health {
    #[default]
    Unknown,
    Ready,
    Failed,
}

/// A span that goes on.
enum Node {
    /// A request or an invocation.
    Whole(Box<Gathering>),
    /// A part of the one with this number.
    Part {
        of: u64,
        name: String,
        begun: SystemTime,
        error: Option<String>,
        facts: Vec<(&'static str, Value)>,
    },
}

/// The wish to know what becomes of an invocation. It ends with whoever has it.
pub(super) struct Awaited<'w> {
    watch: &'w Watch,
    id: &'w str,
}

/// Figures of a server.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Figures {
    pub(super) invocations: u64,
    pub(super) errors: u64,
    pub(super) in_flight: usize,
    pub(super) p50: Option<f64>,
    pub(super) p99: Option<f64>,
}

impl Watch {
    /// Makes what looks on at a site.
    pub(super) fn new(site: &Site) -> Self {
        let mut folders = vec![site.root().to_owned()];
        let functions = site.functions();
        let others = functions.iter().flat_map(|function| {
            let middlewares = function.middlewares.iter();
            let of_middlewares = middlewares.filter_map(|one| one.module.path.parent());
            of_middlewares.chain([function.located.module.root.as_path()])
        });
        for folder in others {
            if !folders.iter().any(|known| folder.starts_with(known)) {
                folders.push(folder.to_owned());
            }
        }
        let known = |problem: Option<&Error>| match problem {
            None => Known::default(),
            Some(error) => Known {
                health: Health::Failed,
                problem: Some(Problem::of(error).to_json(&folders)),
                hooks: None,
            },
        };
        let known = functions.iter().map(|function| known(function.problem.as_deref())).collect();
        Self {
            functions: functions.iter().map(|function| function.name.clone()).collect(),
            state: Mutex::new(State { functions: known, ..State::default() }),
            folders,
            news: watch::Sender::new(0),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // What is kept here is valid after every step.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that a span begins.
    pub(super) fn begins(&self, span: u64, new: NewSpan<'_>) {
        let begun = new.begun.unwrap_or_else(SystemTime::now);
        let mut state = self.state();
        let parent = new.parent.map(|parent| parent.span_id);
        let of = parent.and_then(|parent| match state.open.get(&parent)? {
            Node::Whole(_) => Some(parent),
            Node::Part { of, .. } => Some(*of),
        });
        let node = match of {
            Some(of) => {
                Node::Part { of, name: new.name.into_owned(), begun, error: None, facts: new.facts }
            }
            None => Node::Whole(Box::new(Gathering::new(begun, new.facts))),
        };
        state.open.insert(span, node);
    }

    /// Notes what a span tells.
    pub(super) fn set(&self, span: u64, name: &'static str, value: Value) {
        let mut state = self.state();
        let state = &mut *state;
        if name == "faas.invocation_id"
            && let Some(id) = value.as_str()
        {
            state.promote(span, id);
        }
        match state.open.get_mut(&span) {
            Some(Node::Whole(whole)) => whole.set(name, value),
            Some(Node::Part { facts, .. }) => facts.push((name, value)),
            None => {}
        }
    }

    /// Notes that what a span is of has failed, and how if that is known.
    pub(super) fn fail(&self, span: u64, error: Option<&Error>) {
        let problem = error.map(Problem::of);
        let mut state = self.state();
        match state.open.get_mut(&span) {
            Some(Node::Whole(whole)) => {
                whole.has_failed = true;
                whole.problem = whole.problem.take().or(problem);
                if let (Some(error), None) = (error, whole.is_cold())
                    && error.kind() != ErrorKind::Internal
                    && let Some(index) = whole.function.as_ref().and_then(|name| self.index(name))
                {
                    // It could not be loaded.
                    let problem = Problem::of(error);
                    drop(state);
                    self.note_load(index, Some(&problem));
                }
            }
            Some(Node::Part { error: known, .. }) => {
                *known = Some(problem.map_or_else(|| "left unfinished".to_owned(), |p| p.short()));
            }
            None => {}
        }
    }

    /// Notes that a span ends.
    pub(super) fn end(&self, span: u64, at: SystemTime) {
        let mut state = self.state();
        match state.open.remove(&span) {
            None => {}
            Some(Node::Part { of, name, begun, error, .. }) => {
                if let Some(Node::Whole(whole)) = state.open.get_mut(&of) {
                    whole.add(Part { name, begun, ended: at, error });
                }
            }
            Some(Node::Whole(whole)) => {
                let Some(id) = whole.id().map(str::to_owned) else { return };
                if state.requests.get(&id) == Some(&span) {
                    state.requests.remove(&id);
                }
                state.invocations += 1;
                state.errors += u64::from(!whole.is_ok());
                if state.durations.len() == DURATIONS {
                    state.durations.pop_front();
                }
                state.durations.push_back(between(whole.begun, at));
                let loaded = whole.is_cold().and(whole.function.as_deref());
                if let Some(index) = loaded.and_then(|name| self.index(name))
                    && let Some(known) = state.functions.get_mut(index)
                {
                    (known.health, known.problem) = (Health::Ready, None);
                }
                // Files are read for it, perhaps.
                drop(state);
                let told = whole.ended(at, &self.folders);
                self.tell(Kind::Invocation, &told.to_string());
                if let Some(place) = self.state().awaited.get_mut(&id) {
                    *place = Some(told);
                }
            }
        }
    }

    /// Notes a message of the log.
    pub(super) fn notes(&self, record: &Record<'_>) {
        let text = match &record.body {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let end = (0..=LINE.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
        let named = record.facts.iter().find(|(name, _)| name == "requestId");
        let stream = record.facts.iter().find(|(name, _)| name == "log.iostream");
        let mut state = self.state();
        let span = record.context.map(|context| context.span_id);
        let whole = span.and_then(|span| match state.open.get(&span)? {
            Node::Part { of, .. } => Some(*of),
            Node::Whole(_) => Some(span),
        });
        let line = |id: Option<&str>| {
            json!({
                "id": id.or_else(|| named.and_then(|(_, id)| id.as_str())),
                "time": milliseconds(record.time.unwrap_or_else(SystemTime::now)),
                "level": record.level.map(Level::name),
                "stream": stream.map(|(_, name)| name),
                "text": &text[..end.unwrap_or_default()],
            })
        };
        let line = match whole.and_then(|whole| state.open.get_mut(&whole)) {
            Some(Node::Whole(whole)) => {
                let line = line(whole.id());
                whole.log(&line, text.len());
                line
            }
            _ => line(None),
        };
        drop(state);
        self.tell(Kind::Log, &line.to_string());
    }

    /// Notes the function of an invocation, and its event. One that is handed over to another thread is noted here and there.
    pub(in crate::http) fn note_event(&self, function: usize, id: &str, event: &Payload) {
        if self.state().of_request(id).is_none_or(|whole| whole.function.is_some()) {
            return;
        }
        let event = remembered(event);
        let mut state = self.state();
        let Some(whole) = state.of_request(id) else { return };
        whole.function = self.functions.get(function).cloned();
        whole.note_event(event);
        let beginning = whole.beginning();
        drop(state);
        self.tell(Kind::Begun, &beginning.to_string());
    }

    /// Notes the result of an invocation.
    pub(in crate::http) fn note_result(&self, id: &str, result: &Payload) {
        let result = remembered(result);
        if let Some(whole) = self.state().of_request(id) {
            whole.note_result(result);
        }
    }

    /// Notes whether a function could be loaded.
    pub(in crate::http) fn note_loaded(&self, function: usize, error: Option<&Error>) {
        self.note_load(function, error.map(Problem::of).as_ref());
    }

    fn note_load(&self, function: usize, problem: Option<&Problem>) {
        let shown = problem.map(|problem| problem.to_json(&self.folders));
        if let Some(known) = self.state().functions.get_mut(function) {
            known.health = if shown.is_some() { Health::Failed } else { Health::Ready };
            known.problem = shown;
        }
    }

    /// Notes the hooks of a function's middlewares, unless they are known.
    pub(in crate::http) fn note_hooks(
        &self,
        function: usize,
        hooks: impl FnOnce() -> Option<Vec<(String, Vec<&'static str>)>>,
    ) {
        if let Some(known) = self.state().functions.get_mut(function)
            && known.hooks.is_none()
        {
            known.hooks = hooks();
        }
    }

    /// Returns the health of a function, what is wrong with it, and the hooks of its middlewares as far as they are known.
    pub(super) fn known(
        &self,
        function: usize,
    ) -> (&'static str, Option<Value>, BTreeMap<String, Vec<&'static str>>) {
        let state = self.state();
        let Some(known) = state.functions.get(function) else {
            return ("not loaded yet", None, BTreeMap::new());
        };
        let health = match known.health {
            Health::Unknown => "not loaded yet",
            Health::Ready => "ready",
            Health::Failed => "failed",
        };
        let hooks = known.hooks.iter().flatten().cloned().collect();
        (health, known.problem.clone(), hooks)
    }

    /// Notes that somebody will ask for what is known of an invocation.
    pub(super) fn awaits<'w>(&'w self, id: &'w str) -> Awaited<'w> {
        self.state().awaited.insert(id.to_owned(), None);
        Awaited { watch: self, id }
    }

    fn tell(&self, kind: Kind, json: &str) {
        let next = {
            let mut state = self.state();
            state.ring.push(kind, json);
            state.ring.next()
        };
        self.news.send_replace(next);
    }

    /// Returns what a reader gets who has come so far.
    pub(super) fn after(&self, next: u64, most: usize) -> Option<Batch> {
        self.state().ring.after(next, most)
    }

    /// Returns the number of the message that comes next.
    pub(super) fn next(&self) -> u64 {
        self.state().ring.next()
    }

    /// Returns what tells of new messages.
    pub(super) fn news(&self) -> watch::Receiver<u64> {
        self.news.subscribe()
    }

    /// Returns the figures up to now.
    pub(super) fn figures(&self) -> Figures {
        let state = self.state();
        let mut durations: Vec<f64> = state.durations.iter().copied().collect();
        durations.sort_by(f64::total_cmp);
        // The nearest rank.
        let percentile = |percent: usize| {
            let rank = (durations.len() * percent).div_ceil(100);
            durations.get(rank.saturating_sub(1)).copied()
        };
        Figures {
            invocations: state.invocations,
            errors: state.errors,
            in_flight: state.requests.len(),
            p50: percentile(50),
            p99: percentile(99),
        }
    }

    fn index(&self, name: &str) -> Option<usize> {
        self.functions.iter().position(|known| known == name)
    }
}

impl Awaited<'_> {
    /// Returns what is known of the invocation, once it has ended.
    pub(super) fn take(&self) -> Option<Value> {
        self.watch.state().awaited.get_mut(self.id).and_then(Option::take)
    }
}

impl Drop for Awaited<'_> {
    fn drop(&mut self) {
        self.watch.state().awaited.remove(self.id);
    }
}

impl State {
    fn of_request(&mut self, id: &str) -> Option<&mut Gathering> {
        match self.open.get_mut(self.requests.get(id)?)? {
            Node::Whole(whole) => Some(whole),
            Node::Part { .. } => None,
        }
    }

    /// Makes a part an invocation in its own right, unless it is one of an event that is the invocation: one of a batch, or
    /// one that goes on after its request.
    fn promote(&mut self, span: u64, id: &str) {
        if let Some(Node::Part { of, begun, facts, .. }) = self.open.get(&span) {
            let Some(Node::Whole(whole)) = self.open.get(of) else { return };
            if whole.id().is_some() {
                return;
            }
            let request = ["http.request.method", "url.path"];
            let shared = whole.facts.iter().filter(|(name, _)| request.contains(name));
            let facts = facts.iter().chain(shared).cloned().collect();
            let promoted = Gathering::new(*begun, facts);
            self.open.insert(span, Node::Whole(Box::new(promoted)));
        }
        if matches!(self.open.get(&span), Some(Node::Whole(_))) {
            self.requests.insert(id.to_owned(), span);
        }
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").field("functions", &self.functions).finish_non_exhaustive()
    }
}
