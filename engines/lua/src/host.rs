//! The data that a Lua state's host keeps for it. C functions find it through an upvalue.

use crate::{
    answer::Answer,
    contexts::Contexts,
    convert::Forms,
    limits::{Stop, Watch},
    output::Output,
    permits::Gate,
    stream::Streaming,
    waits::Waits,
    warnings::Warnings,
    web::Web,
};
use bytes::Bytes;
use mlua::ffi::{self, lua_State};
use std::{
    cell::RefCell,
    ffi::c_int,
    path::Path,
    rc::{Rc, Weak},
    sync::Arc,
};
use trine_engine::{Environment, FunctionInfo, Invocation, NativeValue};

/// A maker of values that go to other functions: the state itself, which the host does not know.
pub(crate) trait ValueMaker {
    /// Makes a value of what the state's registry holds under `key`, and takes over the key.
    fn make_value(self: Rc<Self>, key: c_int) -> Rc<dyn NativeValue>;
}

/// The host of one Lua state, which does not move and outlives the state.
pub(crate) struct Host {
    output: Output,
    function: FunctionInfo,
    watch: Watch,
    forms: Forms,
    warnings: Warnings,
    contexts: Contexts,
    waits: Rc<Waits>,
    answer: Answer,
    streaming: Streaming,
    web: Web,
    /// What guests may do, where that is narrowed.
    gate: Option<Gate>,
    maker: RefCell<Option<Weak<dyn ValueMaker>>>,
    /// Text that a C function reads while it makes values of it, which may skip the function's own frame.
    stash: RefCell<Bytes>,
}

impl Host {
    pub(crate) fn new(environment: &Environment, root: &Path, stop: Arc<Stop>) -> Self {
        let gate = Gate::of(environment, root);
        let permits = gate.as_ref().map(|gate| gate.permits().clone());
        Self {
            output: Output::new(environment.log.clone()),
            function: environment.function.clone(),
            watch: Watch::new(environment, stop),
            forms: Forms::default(),
            warnings: Warnings::default(),
            contexts: Contexts::default(),
            waits: Rc::new(Waits::new(permits)),
            answer: Answer::default(),
            streaming: Streaming::default(),
            web: Web::default(),
            gate,
            maker: RefCell::new(None),
            stash: RefCell::default(),
        }
    }

    /// Returns the host of the state that calls a C closure.
    ///
    /// # Safety
    /// The closure's first upvalue must be its host, which the state puts there and keeps until it is closed.
    pub(crate) unsafe fn of<'a>(state: *mut lua_State) -> &'a Self {
        // SAFETY: as the caller vouches.
        unsafe { &*ffi::lua_touserdata(state, ffi::lua_upvalueindex(1)).cast::<Self>() }
    }

    pub(crate) fn output(&self) -> &Output {
        &self.output
    }

    pub(crate) fn function(&self) -> &FunctionInfo {
        &self.function
    }

    pub(crate) fn watch(&self) -> &Watch {
        &self.watch
    }

    pub(crate) fn forms(&self) -> &Forms {
        &self.forms
    }

    pub(crate) fn warnings(&self) -> &Warnings {
        &self.warnings
    }

    pub(crate) fn contexts(&self) -> &Contexts {
        &self.contexts
    }

    pub(crate) fn waits(&self) -> &Rc<Waits> {
        &self.waits
    }

    pub(crate) fn answer(&self) -> &Answer {
        &self.answer
    }

    pub(crate) fn streaming(&self) -> &Streaming {
        &self.streaming
    }

    pub(crate) fn web(&self) -> &Web {
        &self.web
    }

    pub(crate) fn gate(&self) -> Option<&Gate> {
        self.gate.as_ref()
    }

    /// Notes which call runs from now on, and whether it has already been warned.
    pub(crate) fn run(&self, epoch: u64, warned: bool, invocation: Option<&Rc<Invocation>>) {
        self.watch.run(epoch, warned);
        self.output.run(invocation);
    }

    /// Notes that a call has ended.
    pub(crate) fn end(&self, number: i64) {
        self.warnings.end(number);
        self.output.rest();
    }

    pub(crate) fn set_maker(&self, maker: Weak<dyn ValueMaker>) {
        self.maker.replace(Some(maker));
    }

    /// Makes a value of what the registry holds under `key`; takes over the key. `None` while the state is closed.
    pub(crate) fn make_value(&self, key: c_int) -> Option<Rc<dyn NativeValue>> {
        let maker = self.maker.borrow().as_ref()?.upgrade()?;
        Some(maker.make_value(key))
    }

    /// Keeps text until this is called again, and lends it out.
    ///
    /// # Safety
    /// The result must not be used after this is called again.
    pub(crate) unsafe fn stash<'s>(&self, text: Bytes) -> &'s [u8] {
        // SAFETY: the bytes stay where they are when their owner moves into the host.
        let lent = unsafe { std::slice::from_raw_parts(text.as_ptr(), text.len()) };
        let before = self.stash.replace(text);
        drop(before);
        lent
    }
}
