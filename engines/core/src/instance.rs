//! One interpreter heap and what can be asked of it.

use crate::{Form, Invocation, Payload, Result};
use std::{fmt, future::Future, path::PathBuf, pin::Pin, rc::Rc, sync::Arc};

/// A future that stays on the thread on which it was made.
pub type LocalFuture<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// One interpreter heap, confined to the thread that started it.
///
/// Methods take `&self` because calls of engines that interleave are in flight side by side. An instance guards its
/// own state; it is never asked to do two things at the same instant.
pub trait Instance {
    /// Runs a module's top-level code and finds the functions that are sought in it. A module that was loaded before
    /// is not run again.
    ///
    /// # Errors
    /// [`crate::ErrorKind::ImportModule`], [`crate::ErrorKind::UserCodeSyntax`],
    /// [`crate::ErrorKind::HandlerNotFound`] or what the top-level code raised.
    fn load<'a>(&'a self, module: &'a Module) -> LocalFuture<'a, Result<Exports>>;

    /// Calls a function with an event and this invocation's context, waits for its result, and hands it on in the
    /// form that the next hop needs. What the guest left running continues during the next call, never between two.
    ///
    /// # Errors
    /// What the guest raised; [`crate::ErrorKind::Unmarshal`] when the input is no value of this language,
    /// [`crate::ErrorKind::Marshal`] when the result has no JSON form and `form` asks for one.
    fn call<'a>(
        &'a self,
        function: FunctionId,
        input: Payload,
        form: Form,
        invocation: &'a Rc<Invocation>,
    ) -> LocalFuture<'a, Result<Payload>>;

    /// A handle that stops whatever this instance runs, usable from any thread for as long as the instance lives.
    fn interrupter(&self) -> Interrupter;

    /// What this instance has used so far.
    fn usage(&self) -> Usage;

    /// Ends the instance: runs what the language runs at its own end (exit handlers), then refuses calls.
    fn shutdown(&self);
}

/// A module to load.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Module {
    /// Folder in which the module's own imports are looked for first: the task root of its function.
    pub root: PathBuf,
    /// Absolute path of its file.
    pub path: PathBuf,
    /// Its name without extension, as the user wrote it (`src/app`). What languages call it in messages.
    pub name: String,
    /// Which functions are wanted of it.
    pub seek: Seek,
}

/// Which functions are wanted of a module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seek {
    /// One, by its export path (`handler`, in JavaScript also `api.users.get`). It must exist and be a function. An
    /// empty path is the module itself, where the language lets a module be a function.
    Handler(String),
    /// Any of these; those that exist must be functions.
    AnyOf(&'static [&'static str]),
}

/// Identifies a function within the instance that loaded it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FunctionId(pub u32);

/// The functions that a module turned out to have, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exports {
    /// Name and id; for [`Seek::Handler`] exactly one.
    pub functions: Vec<(String, FunctionId)>,
}

impl Exports {
    /// The one function that [`Seek::Handler`] asked for.
    pub fn handler(name: impl Into<String>, id: FunctionId) -> Self {
        Self { functions: vec![(name.into(), id)] }
    }
}

/// Stops whatever an instance runs, from any thread.
#[derive(Clone)]
pub struct Interrupter(Arc<dyn Fn() + Send + Sync>);

impl Interrupter {
    /// An interrupter that calls `stop`, which must return at once and may be called when nothing runs.
    pub fn new(stop: impl Fn() + Send + Sync + 'static) -> Self {
        Self(Arc::new(stop))
    }

    /// Asks the instance to stop what it runs. The call in flight fails with [`crate::ErrorKind::Timeout`].
    pub fn interrupt(&self) {
        (self.0)();
    }
}

impl fmt::Debug for Interrupter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Interrupter")
    }
}

/// What an instance has used so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Bytes of the guest's heap, as the interpreter counts them; 0 when it does not.
    pub heap_bytes: u64,
    /// Calls completed, failed ones included.
    pub calls: u64,
}
