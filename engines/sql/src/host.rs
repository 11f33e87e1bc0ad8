//! The data that the connections of one function refer to: the call in flight, its limits, where output goes.

use crate::{
    authorizer::Traits,
    busy::Patience,
    event::Event,
    limits::{self, Stop},
    memory::Account,
};
use std::{
    cell::{Cell, Ref, RefCell},
    rc::Rc,
    sync::Arc,
};
use trine_engine::{Environment, FunctionInfo, GuestOutput, Invocation};

/// The number of times that a rehearsal is asked whether it goes on, each a thousand instructions.
const REHEARSAL: u32 = 1000;

/// The host of one function's connections.
pub(crate) struct Host {
    output: GuestOutput,
    function: FunctionInfo,
    stop: Arc<Stop>,
    /// [`Stop::count`] at the start of the call.
    began: Rc<Cell<u64>>,
    account: Account,
    patience: Patience,
    running: RefCell<Option<Running>>,
    /// How often a rehearsal may still be asked; `None` while there is none.
    rehearsal: Cell<Option<u32>>,
    traits: Cell<Traits>,
    refusal: RefCell<Option<String>>,
}

/// The call in flight.
pub(crate) struct Running {
    pub(crate) event: Event,
    pub(crate) invocation: Rc<Invocation>,
}

impl Host {
    pub(crate) fn new(environment: &Environment, stop: Arc<Stop>) -> Self {
        let began = Rc::new(Cell::new(stop.count()));
        let stopped = {
            let (stop, began) = (stop.clone(), began.clone());
            move || stop.count() != began.get()
        };
        Self {
            output: GuestOutput::new(environment.log.clone()),
            function: environment.function.clone(),
            stop,
            began,
            account: Account::new(limits::memory(environment), stopped),
            patience: Patience::default(),
            running: RefCell::default(),
            rehearsal: Cell::new(None),
            traits: Cell::default(),
            refusal: RefCell::default(),
        }
    }

    /// Begins a call, or what is done before one, which interrupts hit that are not among the first `began`.
    pub(crate) fn begin(&self, began: u64) {
        self.began.set(began);
        self.account.begin();
        self.patience.begin();
    }

    /// Whether what runs is to end.
    pub(crate) fn is_stopped(&self) -> bool {
        self.stop.count() != self.began.get()
    }

    /// Begins a call with an event. It ends when the result is dropped; until then SQLite may refer to the event.
    pub(crate) fn run(
        &self,
        event: Event,
        invocation: &Rc<Invocation>,
        began: u64,
    ) -> InFlight<'_> {
        self.begin(began);
        self.output.run(Some(invocation));
        let running = Running { event, invocation: invocation.clone() };
        drop(self.running.replace(Some(running)));
        InFlight(self)
    }

    /// Returns the call in flight; `None` where statements are only rehearsed.
    pub(crate) fn running(&self) -> Option<Ref<'_, Running>> {
        Ref::filter_map(self.running.borrow(), Option::as_ref).ok()
    }

    /// Counts instructions while `rehearse` runs, so that it does not take long.
    pub(crate) fn rehearse<T>(&self, rehearse: impl FnOnce() -> T) -> T {
        self.rehearsal.set(Some(REHEARSAL));
        let result = rehearse();
        self.rehearsal.set(None);
        result
    }

    /// Whether a rehearsal has taken long enough. Counts the times it is asked.
    pub(crate) fn is_rehearsed_enough(&self) -> bool {
        let Some(left) = self.rehearsal.get() else { return false };
        self.rehearsal.set(Some(left.saturating_sub(1)));
        left == 0
    }

    /// Notes why an action was refused.
    pub(crate) fn refuse(&self, reason: String) {
        self.refusal.replace(Some(reason));
    }

    /// Takes the reason why an action was refused, if one was.
    pub(crate) fn take_refusal(&self) -> Option<String> {
        self.refusal.take()
    }

    pub(crate) fn traits(&self) -> &Cell<Traits> {
        &self.traits
    }

    pub(crate) fn output(&self) -> &GuestOutput {
        &self.output
    }

    pub(crate) fn function(&self) -> &FunctionInfo {
        &self.function
    }

    pub(crate) fn account(&self) -> &Account {
        &self.account
    }

    pub(crate) fn patience(&self) -> &Patience {
        &self.patience
    }
}

/// A call in flight.
pub(crate) struct InFlight<'a>(&'a Host);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        // The last owner of an invocation ends what its functions shared, which may be another language's code.
        let before = self.0.running.take();
        drop(before);
        self.0.output.run(None);
    }
}
