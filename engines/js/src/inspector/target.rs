//! An isolate as debuggers see it: who is attached to it, and how messages reach it.

use deno_runtime::deno_core::{
    InspectorMsg, InspectorSessionChannels, InspectorSessionKind, InspectorSessionProxy,
    futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded},
};
use serde_json::json;
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Waker,
};
use uuid::Uuid;

/// The id of the commands that are sent in a client's name without its knowledge; clients count upwards from 0 or 1.
pub(super) const OURS: i32 = i32::MIN + 1;

/// The id of the one among them that sets the breakpoint at the first statement.
pub(super) const ENTRY: i32 = OURS + 1;

/// An isolate that debuggers can attach to, from the moment on when its instance starts.
pub(crate) struct Target {
    pub(super) id: Uuid,
    state: Mutex<State>,
}

struct State {
    /// The URL of the first module.
    url: Option<String>,
    /// The way to the isolate, once it has started.
    isolate: Option<UnboundedSender<InspectorSessionProxy>>,
    /// The clients that came before.
    early: Vec<InspectorSessionProxy>,
    clients: Vec<(u64, UnboundedSender<String>)>,
    next: u64,
    wakers: Vec<Waker>,
    start: Start,
    /// Whether the code is to be stopped: then it does not stay at breakpoints.
    is_stopping: bool,
    has_ended: bool,
}

/// What guests wait for before their first statement.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Start {
    /// A client that lets them run.
    Waits,
    /// The name of the first module, and then the breakpoint at its first statement: the client of this number lets guests run.
    Asked(u64),
    /// The isolate's word that the breakpoint is set.
    Setting(u64),
    /// The stop at the first statement, in the client of this number.
    Breaks(u64),
    Free,
}

/// A client's way to an isolate and back.
pub(super) struct Client {
    pub(super) number: u64,
    pub(super) sender: UnboundedSender<String>,
    pub(super) receiver: UnboundedReceiver<InspectorMsg>,
}

impl Target {
    /// Makes the target of an isolate that has yet to start. `waits` says that its guests wait for a debugger.
    pub(crate) fn new(id: Uuid, waits: bool) -> Arc<Self> {
        let state = State {
            url: None,
            isolate: None,
            early: Vec::new(),
            clients: Vec::new(),
            next: 0,
            wakers: Vec::new(),
            start: if waits { Start::Waits } else { Start::Free },
            is_stopping: false,
            has_ended: false,
        };
        Arc::new(Self { id, state: Mutex::new(state) })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // What is kept there is valid after every step.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the URL of the first module; nothing while none has been loaded.
    pub(super) fn url(&self) -> String {
        self.state().url.clone().unwrap_or_else(|| "file://".to_owned())
    }

    /// Notes that a module is about to be loaded.
    pub(crate) fn note_module(&self, url: &str) {
        self.state().url.get_or_insert_with(|| url.to_owned());
    }

    /// Lets the clients in that wait for the isolate.
    pub(crate) fn started(&self, isolate: UnboundedSender<InspectorSessionProxy>) {
        let mut state = self.state();
        for client in state.early.drain(..) {
            // It fails where the isolate has ended: then there is nobody to attach to.
            let _ = isolate.unbounded_send(client);
        }
        state.isolate = Some(isolate);
    }

    /// Attaches a client; `None` where the isolate has ended.
    pub(super) fn connect(&self) -> Option<Client> {
        let mut state = self.state();
        if state.has_ended {
            return None;
        }
        let (sender, rx) = unbounded();
        let (tx, receiver) = unbounded();
        let channels = InspectorSessionChannels::Regular { tx, rx };
        // Nothing waits for debuggers to go.
        let kind = InspectorSessionKind::NonBlocking { wait_for_disconnect: false };
        let proxy = InspectorSessionProxy { channels, kind };
        match &state.isolate {
            Some(isolate) => isolate.unbounded_send(proxy).ok()?,
            None => state.early.push(proxy),
        }
        let number = state.next;
        state.next += 1;
        state.clients.push((number, sender.clone()));
        state.wake();
        Some(Client { number, sender, receiver })
    }

    /// Forgets a client. The isolate lets it go when the client's own sender is gone, too.
    pub(super) fn disconnect(&self, number: u64) {
        let mut state = self.state();
        state.clients.retain(|(known, _)| *known != number);
        let is_its = [Start::Asked, Start::Setting, Start::Breaks].map(|of| of(number));
        if is_its.contains(&state.start) {
            state.start = Start::Free;
        }
        state.wake();
    }

    /// Wakes those on the isolate's thread that wait for messages.
    pub(super) fn wake(&self) {
        self.state().wake();
    }

    /// Adds one who is woken when there are messages. Returns whether the isolate lives.
    pub(super) fn wakes(&self, waker: &Waker) -> bool {
        let mut state = self.state();
        if !state.wakers.iter().any(|known| known.will_wake(waker)) {
            state.wakers.push(waker.clone());
        }
        !state.has_ended
    }

    /// Whether guests wait for a client that lets them run.
    pub(crate) fn waits(&self) -> bool {
        matches!(self.state().start, Start::Waits | Start::Asked(_) | Start::Setting(_))
    }

    /// Notes that this client lets waiting guests run.
    pub(super) fn ask_release(&self, number: u64) {
        let mut state = self.state();
        if state.start == Start::Waits {
            state.start = Start::Asked(number);
        }
    }

    /// Sets the breakpoint at the first statement, for the client that lets guests run. What that has sent before is handled
    /// before.
    pub(super) fn break_at_start(&self) {
        let mut state = self.state();
        let Start::Asked(number) = state.start else { return };
        let Some(url) = &state.url else { return };
        let place = json!({"url": url, "lineNumber": 0, "columnNumber": 0});
        let command =
            json!({"id": ENTRY, "method": "Debugger.setBreakpointByUrl", "params": place});
        let client = state.clients.iter().find(|(known, _)| *known == number);
        let is_sent =
            client.is_some_and(|(_, sender)| sender.unbounded_send(command.to_string()).is_ok());
        state.start = if is_sent { Start::Setting(number) } else { Start::Free };
    }

    /// Lets waiting guests run, to stop at their first statement, where this client has asked for that.
    pub(super) fn release(&self, number: u64) {
        let mut state = self.state();
        if state.start == Start::Setting(number) {
            state.start = Start::Breaks(number);
        }
    }

    /// Whether this client waits for the stop at the first statement.
    pub(super) fn breaks(&self, number: u64) -> bool {
        self.state().start == Start::Breaks(number)
    }

    /// Notes that guests stand at their first statement.
    pub(super) fn has_broken(&self) {
        self.state().start = Start::Free;
    }

    /// Ends every pause and every wait, because the code is to be stopped.
    pub(crate) fn interrupt(&self) {
        let mut state = self.state();
        state.is_stopping = true;
        state.start = Start::Free;
        for (_, sender) in &state.clients {
            let _ = sender.unbounded_send(resume());
        }
        state.wake();
    }

    /// Whether the code is to be stopped.
    pub(super) fn is_stopping(&self) -> bool {
        self.state().is_stopping
    }

    /// Notes that code may run again.
    pub(crate) fn go_on(&self) {
        self.state().is_stopping = false;
    }

    /// Lets all clients go, because the isolate ends.
    pub(super) fn end(&self) {
        let mut state = self.state();
        state.has_ended = true;
        state.isolate = None;
        state.early.clear();
        state.clients.clear();
        state.wake();
    }
}

impl State {
    fn wake(&mut self) {
        self.wakers.drain(..).for_each(Waker::wake);
    }
}

/// Returns the command that ends a pause.
pub(super) fn resume() -> String {
    format!(r#"{{"id":{OURS},"method":"Debugger.resume"}}"#)
}

/// The target of an instance, if it has one: made with the instance, or when a debugger first attaches.
#[derive(Clone, Default)]
pub(crate) struct SharedTarget(Arc<Mutex<Option<Arc<Target>>>>);

impl SharedTarget {
    pub(crate) fn get(&self) -> Option<Arc<Target>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set(&self, target: Arc<Target>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(target);
    }
}
