//! One interpreter heap and the operations on it.

use crate::{
    DebugSession, Error, ErrorKind, Form, Hook, Interface, Invocation, Payload, Profile, Result,
};
use std::{fmt, future::Future, io, net::TcpStream, path::PathBuf, pin::Pin, rc::Rc, sync::Arc};

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
    /// form that the next hop needs. A handler that is a web application gets a [`Payload::Request`] and gives a
    /// [`Payload::Response`] or a stream; it ends when its application has, with all that the application does after its
    /// answer. What the guest left running continues during the next call, never between two.
    ///
    /// # Errors
    /// What the guest raised; [`crate::ErrorKind::Unmarshal`] when the input is not a value of this language,
    /// [`crate::ErrorKind::Marshal`] when the result has no JSON form and `form` asks for one.
    fn call<'a>(
        &'a self,
        function: FunctionId,
        input: Payload,
        form: Form,
        invocation: &'a Rc<Invocation>,
    ) -> LocalFuture<'a, Result<Payload>>;

    /// Makes a value this instance's own, so that several of its functions see the very same one: JSON text is parsed,
    /// another engine's value crosses as text. What is its own already, or has no form of its own, stays as it is.
    ///
    /// # Errors
    /// As [`Instance::call`] for its input.
    fn adopt(&self, value: Payload, invocation: &Rc<Invocation>) -> Result<Payload> {
        let _ = invocation;
        Ok(value)
    }

    /// Calls a `wrap` hook with a handler of this instance; the function that it returns takes the handler's place.
    ///
    /// # Errors
    /// What the hook raised; [`crate::ErrorKind::HandlerNotFound`] when it did not return a function,
    /// [`crate::ErrorKind::Unsupported`] where the language has no functions that can be wrapped.
    fn wrap<'a>(
        &'a self,
        wrapper: FunctionId,
        handler: FunctionId,
    ) -> LocalFuture<'a, Result<FunctionId>> {
        let _ = (wrapper, handler);
        Box::pin(async {
            Err(Error::new(ErrorKind::Unsupported, "functions of this language cannot be wrapped"))
        })
    }

    /// Warns a waiting call that its invocation's deadline is near: the language's own signal (an aborted
    /// `AbortSignal`, an exception where it waits) is given once per invocation. Code that does not wait is warned
    /// through [`Interrupter::warn`] instead. Nothing happens when no call for it is in flight.
    fn warn(&self, invocation: &Rc<Invocation>) {
        let _ = invocation;
    }

    /// Whether a call of this function holds its thread until its result is there, so that others can run beside it
    /// only on other threads that have instances of this engine. False where calls wait without their thread, and where
    /// functions cannot run on several threads.
    fn holds_thread(&self, function: FunctionId) -> bool {
        let _ = function;
        false
    }

    /// Prepares for another instance of this engine that is about to start on this thread in this one's place: it must
    /// find the users' modules as if none had been loaded. Calls in flight go on here until [`Instance::shutdown`].
    fn retire(&self) {}

    /// Whether instances that start now no longer share modules with this one, because one that did was retired.
    fn is_outdated(&self) -> bool {
        false
    }

    /// Lets guests finish what they have begun with files, because no further call will come in which it could go on.
    /// `by_itself` says that the program ends because there is nothing left to do, not because it is asked to: then
    /// what the language does in such a case follows. Ends early when it is interrupted.
    fn settle(&self, by_itself: bool) -> LocalFuture<'_, ()> {
        let _ = by_itself;
        Box::pin(async {})
    }

    /// Lets guests finish what they have begun with files after an answer, because nothing goes on until the next call,
    /// which may be long in coming or never come. `None` where nothing has been begun, which costs next to nothing to find
    /// out. Ends early when it is dropped; what was not finished then is not waited for again.
    ///
    /// # Errors
    /// Of kind [`ErrorKind::Timeout`] when code was interrupted: what it was doing is half done.
    fn rest(&self) -> Option<LocalFuture<'_, Result<()>>> {
        None
    }

    /// Whether guests are at work on files that [`Instance::rest`] would wait for, as far as can be told without running
    /// anything of theirs.
    fn is_writing(&self) -> bool {
        false
    }

    /// Returns what goes on between calls for as long as the instance lives: tasks that applications have begun as they
    /// started. A server asks after each load and runs it beside the calls, on the thread of the instance; where nothing runs
    /// between calls, nobody asks. `None` where there is nothing of the kind, or it was returned before. It ends with the
    /// instance.
    fn background(&self) -> Option<LocalFuture<'static, ()>> {
        None
    }

    /// Prepares for a snapshot of the process, of which copies will go on: runs what guests want done before it, the
    /// latest registration first, and lets go of connections, which no copy can use.
    ///
    /// # Errors
    /// What the guest's code raised; the rest of it is not run.
    fn before_snapshot(&self) -> LocalFuture<'_, Result<()>> {
        Box::pin(async { Ok(()) })
    }

    /// Goes on in a copy of the process: seeds the language's random generators from the system's, so that no two copies
    /// draw the same numbers, then runs what guests want done after the restore, in the order of its registration.
    ///
    /// # Errors
    /// As [`Instance::before_snapshot`].
    fn after_restore(&self) -> LocalFuture<'_, Result<()>> {
        Box::pin(async { Ok(()) })
    }

    /// Lets the debugger at the other end of a connection attach, and waits until it lets guests run, or is gone.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] where the language's debuggers do not attach this way.
    fn attach_debugger(&self, connection: TcpStream) -> LocalFuture<'_, Result<DebugSession>> {
        drop(connection);
        Box::pin(async {
            let message = "debuggers of this language cannot be attached by an event";
            Err(Error::new(ErrorKind::Unsupported, message))
        })
    }

    /// Begins to note where guests spend their time.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] where the language has no profiler.
    fn profile(&self) -> Result<Profile> {
        Err(Error::new(ErrorKind::Unsupported, "this language has no profiler"))
    }

    /// Writes a picture of the heap, in the form that the language's own tools read.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] where the language has none; what the writer says.
    fn heap_snapshot(&self, out: &mut dyn io::Write) -> Result<()> {
        let _ = out;
        Err(Error::new(ErrorKind::Unsupported, "this language has no heap snapshots"))
    }

    /// Returns a handle that stops whatever this instance runs, from any thread for as long as the instance lives.
    fn interrupter(&self) -> Interrupter;

    /// Returns what this instance has used so far.
    fn usage(&self) -> Usage;

    /// Ends the instance: runs what the language runs at its own end (exit handlers), then refuses calls.
    fn shutdown(&self);
}

/// A module to load.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Module {
    /// Folder in which the module's own imports are looked for first: the task root of its function.
    pub root: PathBuf,
    /// Absolute path of its file.
    pub path: PathBuf,
    /// Its name without extension, as the user wrote it (`src/app`). Languages use it in messages, and to import it
    /// where [`crate::Engine::find`] has found it.
    pub name: String,
    /// Whether the user has named its file (`src/app.py`), not a module of a handler string.
    pub by_path: bool,
    /// The functions that are wanted of it.
    pub wanted: Wanted,
    /// The interface of its handler, where somebody has said which it is; `None` leaves it to the engine to tell.
    pub interface: Option<Interface>,
}

impl Module {
    /// Makes the module of a file, as a handler string or a middleware's name means it.
    ///
    /// ```
    /// use trine_engine::{Module, Wanted};
    ///
    /// let wanted = Wanted::Handler("handler".to_owned());
    /// let module = Module::new("/var/task", "/var/task/src/app.py", "src/app", wanted);
    /// assert!(!module.by_path);
    /// ```
    pub fn new(
        root: impl Into<PathBuf>,
        path: impl Into<PathBuf>,
        name: impl Into<String>,
        wanted: Wanted,
    ) -> Self {
        Self {
            root: root.into(),
            path: path.into(),
            name: name.into(),
            by_path: false,
            wanted,
            interface: None,
        }
    }

    /// Sets the interface of its handler.
    #[must_use]
    pub fn with_interface(mut self, interface: Option<Interface>) -> Self {
        self.interface = interface;
        self
    }

    /// Sets whether the user has named the module's file.
    #[must_use]
    pub fn with_by_path(mut self, by_path: bool) -> Self {
        self.by_path = by_path;
        self
    }
}

/// The functions that are wanted of a module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// One, by its export path (`handler`, in JavaScript also `api.users.get`). It must exist and be a function. An
    /// empty path is the module itself, where the language lets a module be a function.
    Handler(String),
    /// A handler that nobody has named: the function that [`crate::unnamed_handler`] chooses, or the module itself,
    /// where the language lets a module be a function; else the web application with one of [`crate::APPLICATION_NAMES`].
    Unnamed,
    /// The hooks of a middleware, by their names ([`Hook::name`]); those that exist must be functions. Where the module
    /// itself, or its default export, is a function, that is its `wrap`.
    Hooks,
    /// A middleware of the earlier runtime: a program that reads standard input, looks at its first argument (`before`
    /// or `after`) and prints its result. Gives the functions `before` and `after`; each call runs the program anew in
    /// this process, with the JSON text of its input as standard input. Its result is what it printed, one trailing
    /// newline cut, as [`Payload::Json`]; an exit status other than 0 is an error of kind [`ErrorKind::Exit`] that does
    /// not poison the instance.
    Program,
}

impl Wanted {
    /// Returns the names of which one has to exist; empty where there is no such name.
    pub fn names(&self) -> Vec<&str> {
        match self {
            Self::Handler(name) if !name.is_empty() => vec![name],
            Self::Unnamed => [&crate::HANDLER_NAMES[..], &crate::APPLICATION_NAMES].concat(),
            Self::Handler(_) | Self::Hooks | Self::Program => Vec::new(),
        }
    }
}

/// The identifier of a function within the instance that loaded it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FunctionId(pub u32);

/// The functions that a module turned out to have, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exports {
    /// Name and id; for [`Wanted::Handler`] and [`Wanted::Unnamed`] exactly one.
    pub functions: Vec<(String, FunctionId)>,
    /// For [`Wanted::Hooks`]: names of other functions that the module exports, for messages.
    pub others: Vec<String>,
    /// For a handler: the interface by which it is called.
    pub interface: Interface,
}

impl Exports {
    /// Makes the exports of the one function that [`Wanted::Handler`] or [`Wanted::Unnamed`] asked for.
    pub fn handler(name: impl Into<String>, id: FunctionId) -> Self {
        Self { functions: vec![(name.into(), id)], ..Self::default() }
    }

    /// Sets the interface of the handler.
    #[must_use]
    pub fn with_interface(mut self, interface: Interface) -> Self {
        self.interface = interface;
        self
    }

    /// Returns the function of a hook, where the module has it.
    pub fn hook(&self, hook: Hook) -> Option<FunctionId> {
        let found = self.functions.iter().find(|(name, _)| name == hook.name());
        found.map(|(_, id)| *id)
    }
}

/// A handle that stops whatever an instance runs, from any thread.
#[derive(Clone)]
pub struct Interrupter {
    stop: Arc<dyn Fn() + Send + Sync>,
    warn: Option<Arc<dyn Fn() + Send + Sync>>,
}

impl Interrupter {
    /// Makes an interrupter that calls `stop`, which must return at once and may be called when nothing runs.
    pub fn new(stop: impl Fn() + Send + Sync + 'static) -> Self {
        Self { stop: Arc::new(stop), warn: None }
    }

    /// Adds what tells running code, in a form that it can catch, that its time is nearly up; same conditions.
    #[must_use]
    pub fn warning(mut self, warn: impl Fn() + Send + Sync + 'static) -> Self {
        self.warn = Some(Arc::new(warn));
        self
    }

    /// Tells what runs now that its time is nearly up, where the language has a way to tell running code; no effect
    /// when nothing runs. A call that ends because of it, without having been stopped by force, fails with
    /// [`crate::ErrorKind::Timeout`] and does not poison its instance.
    pub fn warn(&self) {
        if let Some(warn) = &self.warn {
            warn();
        }
    }

    /// Asks the instance to stop what it runs, in a way that cannot be caught. The call in flight fails with
    /// [`crate::ErrorKind::Timeout`].
    pub fn interrupt(&self) {
        (self.stop)();
    }
}

impl fmt::Debug for Interrupter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Interrupter")
    }
}

/// The resources that an instance has used so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Bytes of the guest's heap, as the interpreter counts them; 0 when it does not.
    pub heap_bytes: u64,
    /// Calls completed, failed ones included.
    pub calls: u64,
}
