//! The place where the process listens for debuggers: one for each address, shared by all instances, with the client that is
//! attached and what it wants of all of them.

use super::{
    breakpoints::Breakpoints,
    guest::{GuestThread, LAST_ID},
    protocol::Client,
    session,
};
use crate::output::Output;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    net::{SocketAddr, TcpListener},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
};
use trine_engine::{Environment, Error, Result, Stream};

/// The stations of the process, by the address that was asked for.
static STATIONS: Mutex<Vec<(SocketAddr, Arc<Station>)>> = Mutex::new(Vec::new());

/// A place where debuggers attach.
pub(crate) struct Station {
    parts: Mutex<Parts>,
    /// Raised whenever the breakpoints are others.
    edition: AtomicU64,
    has_breakpoints: AtomicBool,
    /// Whether guests stand where they raise an error that nobody catches.
    stops_at_errors: AtomicBool,
    /// Whether guests wait for a client before their first statement.
    waits: AtomicBool,
    /// Whether the first guest that has waited is to stand there.
    stops_at_entry: AtomicBool,
}

#[derive(Default)]
struct Parts {
    client: Option<Arc<Client>>,
    breakpoints: Arc<Breakpoints>,
    guests: BTreeMap<u32, Arc<GuestThread>>,
}

/// Lets debuggers attach where the environment says so, and registers an instance with the station. The first one that asks
/// for an address makes its listener.
pub(crate) fn join(environment: &Environment) -> Result<Option<Arc<GuestThread>>> {
    let Some(wanted) = environment.debuggers.adapter else { return Ok(None) };
    let mut stations = STATIONS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, station)) = stations.iter().find(|(address, _)| *address == wanted.address) {
        return Ok(Station::enter(station));
    }
    let failed = |error| {
        let address = wanted.address;
        Error::internal(format!("cannot listen for debuggers of Lua on {address}: {error}"))
    };
    let listener = TcpListener::bind(wanted.address).map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let station = Arc::new(Station {
        parts: Mutex::default(),
        edition: AtomicU64::new(0),
        has_breakpoints: AtomicBool::new(false),
        stops_at_errors: AtomicBool::new(false),
        waits: AtomicBool::new(wanted.waits),
        stops_at_entry: AtomicBool::new(wanted.waits),
    });
    let listening = station.clone();
    let thread = thread::Builder::new().name("lua-debugger".to_owned());
    thread.spawn(move || session::listen(&listening, &listener)).map_err(failed)?;
    stations.push((wanted.address, station.clone()));
    let line = format!("Lua debugger listening on {address} (Debug Adapter Protocol)\n");
    Output::new(environment.log.clone()).line(Stream::Stderr, line.as_bytes());
    Ok(Station::enter(&station))
}

impl Station {
    fn parts(&self) -> MutexGuard<'_, Parts> {
        // What is kept there is valid after every step.
        self.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Registers an instance; `None` where there are too many to number.
    fn enter(station: &Arc<Self>) -> Option<Arc<GuestThread>> {
        let mut parts = station.parts();
        let id = (1..=LAST_ID).find(|id| !parts.guests.contains_key(id))?;
        let guest = Arc::new(GuestThread::new(id, station.clone()));
        parts.guests.insert(id, guest.clone());
        let client = parts.client.clone();
        drop(parts);
        if let Some(client) = client {
            client.event("thread", json!({"reason": "started", "threadId": id}));
        }
        Some(guest)
    }

    pub(super) fn leave(&self, id: u32) {
        let mut parts = self.parts();
        parts.guests.remove(&id);
        let client = parts.client.clone();
        drop(parts);
        if let Some(client) = client {
            client.event("thread", json!({"reason": "exited", "threadId": id}));
        }
    }

    pub(super) fn guest(&self, id: u32) -> Option<Arc<GuestThread>> {
        self.parts().guests.get(&id).cloned()
    }

    pub(super) fn guests(&self) -> Vec<Arc<GuestThread>> {
        self.parts().guests.values().cloned().collect()
    }

    /// Makes a client the one that is attached. False where there is one already.
    pub(super) fn attach(&self, client: &Arc<Client>) -> bool {
        let mut parts = self.parts();
        let is_free = parts.client.is_none();
        parts.client.get_or_insert_with(|| client.clone());
        is_free
    }

    /// Lets go of the client that is attached: guests run, and nothing that it wanted counts any longer.
    pub(super) fn detach(&self) {
        let mut parts = self.parts();
        parts.client = None;
        parts.breakpoints = Arc::default();
        let guests: Vec<_> = parts.guests.values().cloned().collect();
        self.has_breakpoints.store(false, Ordering::SeqCst);
        self.stops_at_errors.store(false, Ordering::SeqCst);
        self.edition.fetch_add(1, Ordering::SeqCst);
        drop(parts);
        for guest in guests {
            guest.forget_pause();
            guest.wake();
        }
    }

    pub(super) fn client(&self) -> Option<Arc<Client>> {
        self.parts().client.clone()
    }

    /// Whether this client is the one that is attached.
    pub(super) fn is_served_by(&self, client: &Arc<Client>) -> bool {
        self.parts().client.as_ref().is_some_and(|attached| Arc::ptr_eq(attached, client))
    }

    /// Sets the breakpoints of a file. Returns what is answered.
    pub(super) fn set_breakpoints(&self, arguments: &Value) -> Result<Value, String> {
        let mut breakpoints = Breakpoints::clone(&self.parts().breakpoints);
        let answer = breakpoints.set(arguments)?;
        self.has_breakpoints.store(!breakpoints.are_empty(), Ordering::SeqCst);
        self.parts().breakpoints = Arc::new(breakpoints);
        self.edition.fetch_add(1, Ordering::SeqCst);
        for guest in self.guests() {
            guest.nudge();
        }
        Ok(answer)
    }

    /// Returns the number of the breakpoints' edition; another one means other breakpoints.
    pub(super) fn edition(&self) -> u64 {
        self.edition.load(Ordering::Relaxed)
    }

    pub(super) fn breakpoints(&self) -> Arc<Breakpoints> {
        self.parts().breakpoints.clone()
    }

    pub(super) fn has_breakpoints(&self) -> bool {
        self.has_breakpoints.load(Ordering::Relaxed)
    }

    pub(super) fn set_stops_at_errors(&self, stops: bool) {
        self.stops_at_errors.store(stops, Ordering::SeqCst);
    }

    pub(super) fn stops_at_errors(&self) -> bool {
        self.stops_at_errors.load(Ordering::Relaxed)
    }

    /// Whether guests wait for a client.
    pub(super) fn waits(&self) -> bool {
        self.waits.load(Ordering::Relaxed)
    }

    /// Whether a guest has something to do at its first statement: to wait for a client, or to stand there for one that was
    /// ready before.
    pub(super) fn minds_entry(&self) -> bool {
        self.waits() || self.stops_at_entry.load(Ordering::Relaxed)
    }

    /// Lets guests run that wait for a client: it is ready.
    pub(super) fn release(&self) {
        self.waits.store(false, Ordering::SeqCst);
        for guest in self.guests() {
            guest.wake();
        }
    }

    /// Whether a guest that has waited is the one that stands there.
    pub(super) fn take_entry(&self) -> bool {
        self.stops_at_entry.swap(false, Ordering::SeqCst)
    }
}
