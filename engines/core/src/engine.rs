//! A language, as the rest of the process sees it: its name, its abilities, the way to start an instance.

use crate::{
    Candidate, Debuggers, Error, ErrorDialect, Examination, Finding, FunctionInfo, Hint, Instance,
    Interface, LayerPlace, LogSettings, Module, Permissions, Permits, Presence, Result, TypeFile,
    VariableInfo,
};
use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    rc::Rc,
    sync::Arc,
};

/// A language that can run functions.
///
/// There is one engine per language in a process. It is shared between threads; what it starts is not.
pub trait Engine: Send + Sync + 'static {
    /// Returns name, version, file extensions and capabilities. Plain data, the same at every call, and cheap: asking
    /// must not start anything.
    fn info(&self) -> &EngineInfo;

    /// Looks at a module without running any of it: whether it parses, and whether it can have what is sought. A server
    /// asks this of every function before it serves them, on the process's main thread.
    ///
    /// # Errors
    /// [`crate::ErrorKind::UserCodeSyntax`] with the place, when it does not parse; [`crate::ErrorKind::ImportModule`]
    /// when it cannot be read.
    fn check(&self, module: &Module) -> Result<Presence> {
        let _ = module;
        Ok(Presence::Possible)
    }

    /// Returns the file that a module's path means before those are looked for that have an extension. `None` where there
    /// is none, as in most languages. Must not start anything.
    fn before_extensions(&self, stem: &Path) -> Option<PathBuf> {
        let _ = stem;
        None
    }

    /// Returns the file that stands for a folder named like a module, where something in the folder says so: the `main`
    /// of its `package.json`. `None` leaves it to the usual files, such as `index`. Must not start anything.
    fn main_of(&self, folder: &Path) -> Option<PathBuf> {
        let _ = folder;
        None
    }

    /// Finds a module as the language's own import would, once the search for a file of its name has found none: in
    /// folders of packages, along search paths, in archives. Runs no code of the module. Starts the interpreter only
    /// where nobody else can tell, and not without a sign that the module is there.
    ///
    /// The language's own library does not count: its modules are not handlers, though many have names that people give
    /// to theirs.
    ///
    /// # Errors
    /// When the module exists but cannot be imported under this name, in the language's own words.
    fn find(&self, lookup: &Lookup<'_>) -> Result<Search> {
        let _ = lookup;
        Ok(Search::default())
    }

    /// Looks at a folder that is to be shipped: whether compiled code in it fits this interpreter, and whether what its
    /// source imports is there. Reads files, runs none. Says nothing about a folder without anything of the language.
    fn examine(&self, examination: &Examination<'_>) -> Vec<Finding> {
        let _ = examination;
        Vec::new()
    }

    /// Returns the reason why a file or folder of a function is of no use to this language where it is shipped, as in
    /// "caches of tools"; `None` where it may be of use, or is not the language's affair.
    fn spare(&self, candidate: &Candidate<'_>) -> Option<&'static str> {
        let _ = candidate;
        None
    }

    /// Returns the folders of a layer in which this language looks for packages.
    fn layer_places(&self) -> Vec<LayerPlace> {
        Vec::new()
    }

    /// Returns the files that tell editors the types of what guests are given: context, hooks, the language's module.
    fn types(&self) -> &'static [TypeFile] {
        &[]
    }

    /// Returns facts for listings, each with its name: the version of Node.js that guests see, the place of the standard
    /// library. Must not start anything.
    fn details(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    /// Returns the environment variables that are for this language alone and that it reads itself.
    fn variables(&self) -> &'static [VariableInfo] {
        &[]
    }

    /// Returns variables, with their values, for a process that is started anew whenever files of its guests change: without
    /// them, what is kept of a file could be taken for current though it was changed a moment later.
    fn variables_while_files_change(&self) -> &'static [(&'static str, &'static str)] {
        &[]
    }

    /// Returns the name of the folder, in the task root, in which a run leaves what makes the next start faster, if the
    /// folder is there.
    fn cache_folder(&self) -> Option<&'static str> {
        None
    }

    /// Adds these variables to the process's environment, each unless it is set there, so that guests of every language
    /// and what they start see them. Does so only while the process has a single thread: nobody else may look at an
    /// environment that changes. Returns whether it has.
    fn set_missing(&self, variables: &[(&str, String)]) -> bool {
        let _ = variables;
        false
    }

    /// Starts an interpreter on the calling thread, which is the only one that will ever use it.
    ///
    /// # Errors
    /// When the interpreter cannot start; nothing has been loaded yet, so no error here is the guest's fault.
    fn start(&self, environment: &Environment) -> Result<Rc<dyn Instance>>;

    /// Does in this process what the language's own command would do with a command line, whose first word is the name
    /// that the process was started by. Ends the process itself; returns only where the engine is not such a command,
    /// with `false`.
    fn interpret(&self, _command_line: &[OsString], _environment: &Environment) -> bool {
        false
    }
}

/// The variable by which a process that runs guests marks its environment when an engine starts, to distinguish what a
/// guest starts from what the platform starts. Its value is the address of the Runtime API that the process serves, or
/// nothing.
pub const CHILD_MARK: &str = "TRINE_CHILD_OF";

/// A module that is looked for; see [`Engine::find`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lookup<'a> {
    /// The name as the user wrote it, without the export: `apm-wrap`, `@scope/pkg/sub`, `apm_agent.handler`.
    pub name: &'a str,
    /// The task root.
    pub root: &'a Path,
    /// The folder that layers are unpacked to.
    pub layer_root: &'a Path,
}

/// The outcome of the search for a module.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Search {
    /// Path of the file that an import would run. It may lie in an archive, so that no file of this path exists.
    pub found: Option<PathBuf>,
    /// The folders and archives that were looked through, for messages.
    pub places: Vec<String>,
}

/// The description of an engine: what it is and what it can do.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct EngineInfo {
    /// Short lower-case name, as used in settings and messages: `js`, `python`, `lua`.
    pub id: &'static str,
    /// The language's name as people write it: `JavaScript`.
    pub name: &'static str,
    /// The interpreter and its version: `V8 15.0.4`, `CPython 3.11.7`.
    pub version: String,
    /// The managed runtime of Lambda's in whose place this engine runs functions, by its identifier: `nodejs24.x`,
    /// `python3.14`; `None` for a language that Lambda has none for. Guests see it in `AWS_EXECUTION_ENV`.
    pub managed_runtime: Option<String>,
    /// File extensions without the dot, in the order in which they are looked for.
    pub extensions: &'static [&'static str],
    /// Interpreters whose programs this engine can run in their place, by the names that shebang lines give them,
    /// without version: `python` for `python3.11`. See [`crate::Wanted::Program`].
    pub interpreters: &'static [&'static str],
    /// Whether every root folder ([`crate::Module::root`]) has globals of its own, so that an `init` hook has to run
    /// once for each; else one run is seen by all.
    pub globals_per_root: bool,
    /// Whether the language is at home on the process's main thread: it has one interpreter per process, and its users
    /// count on one thread on which everything of theirs is imported and called. Where several workers serve such
    /// functions, all of them run on that thread.
    pub on_main_thread: bool,
    /// Whether functions of one instance would see each other's globals, although on a platform with a process for each
    /// they do not: then every function of a process gets an instance of its own.
    pub instance_per_function: bool,
    /// Whether handlers commonly hold their thread while they wait, as the language's own library does: invocations that are
    /// to run side by side then get instances and threads of their own.
    pub waits_hold_thread: bool,
    /// Whether a handler string splits at the first dot of its base name (as Node does) or at the last one.
    pub splits_at_first_dot: bool,
    /// Names, without extension, of the file that stands for the folder that it is in: `index`, `__init__`.
    pub index_files: &'static [&'static str],
    /// Whether files of other languages go first, because files of its extensions commonly lie beside other handlers without
    /// being any: scripts, queries, compiled code. A file of a language that yields is a handler where it is named with its
    /// extension, or where no other language has a module of that name; in a folder that is served, where it is named as
    /// handlers usually are. It is a middleware where no other file of that name is, and [`Engine::check`] finds room for hooks.
    pub yields: bool,
    /// The interfaces of web applications that it knows; [`Interface::Event`] goes without saying.
    pub interfaces: &'static [Interface],
    /// Variables by which one function sets its language up, so that the environment of its own may have them. Others that
    /// begin with `TRINE_` are settings of the process.
    pub settings: &'static [&'static str],
    /// What to do about errors of this language's; see [`EngineInfo::hint`].
    pub hints: &'static [Hint],
    /// The abilities of this engine.
    pub capabilities: Capabilities,
    /// The look of this language's errors to a caller.
    pub error_dialect: ErrorDialect,
}

impl EngineInfo {
    /// Describes a language without abilities, by its id, the name that people write, and its interpreter's version.
    ///
    /// ```
    /// use trine_engine::{Capabilities, EngineInfo};
    ///
    /// let info = EngineInfo::new("shout", "Shout", "shout 1.0")
    ///     .with_extensions(&["shout"])
    ///     .with_capabilities(Capabilities { interrupt: true, ..Capabilities::default() });
    /// assert_eq!(info.extensions, ["shout"]);
    /// ```
    pub fn new(id: &'static str, name: &'static str, version: impl Into<String>) -> Self {
        Self {
            id,
            name,
            version: version.into(),
            managed_runtime: None,
            extensions: &[],
            interpreters: &[],
            globals_per_root: false,
            on_main_thread: false,
            instance_per_function: false,
            waits_hold_thread: false,
            splits_at_first_dot: false,
            index_files: &[],
            yields: false,
            interfaces: &[],
            settings: &[],
            hints: &[],
            capabilities: Capabilities::default(),
            error_dialect: ErrorDialect::PLAIN,
        }
    }

    /// Sets the managed runtime of Lambda's in whose place this engine runs functions.
    #[must_use]
    pub fn with_managed_runtime(mut self, identifier: impl Into<String>) -> Self {
        self.managed_runtime = Some(identifier.into());
        self
    }

    /// Sets the file extensions, in the order in which they are looked for.
    #[must_use]
    pub fn with_extensions(mut self, extensions: &'static [&'static str]) -> Self {
        self.extensions = extensions;
        self
    }

    /// Sets the interpreters in whose place this engine can run programs.
    #[must_use]
    pub fn with_interpreters(mut self, interpreters: &'static [&'static str]) -> Self {
        self.interpreters = interpreters;
        self
    }

    /// Sets whether every root folder has globals of its own.
    #[must_use]
    pub fn with_globals_per_root(mut self, globals_per_root: bool) -> Self {
        self.globals_per_root = globals_per_root;
        self
    }

    /// Sets whether the language is at home on the process's main thread.
    #[must_use]
    pub fn with_on_main_thread(mut self, on_main_thread: bool) -> Self {
        self.on_main_thread = on_main_thread;
        self
    }

    /// Sets whether every function of a process gets an instance of its own.
    #[must_use]
    pub fn with_instance_per_function(mut self, instance_per_function: bool) -> Self {
        self.instance_per_function = instance_per_function;
        self
    }

    /// Sets whether handlers commonly hold their thread while they wait.
    #[must_use]
    pub fn with_waits_hold_thread(mut self, waits_hold_thread: bool) -> Self {
        self.waits_hold_thread = waits_hold_thread;
        self
    }

    /// Sets whether a handler string splits at the first dot of its base name.
    #[must_use]
    pub fn with_splits_at_first_dot(mut self, splits_at_first_dot: bool) -> Self {
        self.splits_at_first_dot = splits_at_first_dot;
        self
    }

    /// Sets the names of the file that stands for its folder.
    #[must_use]
    pub fn with_index_files(mut self, index_files: &'static [&'static str]) -> Self {
        self.index_files = index_files;
        self
    }

    /// Sets whether files of other languages go first.
    #[must_use]
    pub fn with_yields(mut self, yields: bool) -> Self {
        self.yields = yields;
        self
    }

    /// Sets the interfaces of web applications that it knows.
    #[must_use]
    pub fn with_interfaces(mut self, interfaces: &'static [Interface]) -> Self {
        self.interfaces = interfaces;
        self
    }

    /// Sets the variables by which one function sets its language up.
    #[must_use]
    pub fn with_settings(mut self, settings: &'static [&'static str]) -> Self {
        self.settings = settings;
        self
    }

    /// Sets what to do about errors.
    #[must_use]
    pub fn with_hints(mut self, hints: &'static [Hint]) -> Self {
        self.hints = hints;
        self
    }

    /// Returns what this language's users do about an error, where that is known: the first hint that fits.
    pub fn hint(&self, error: &Error) -> Option<&'static str> {
        self.hints.iter().find(|hint| hint.fits(error)).map(|hint| hint.text)
    }

    /// Sets the abilities.
    #[must_use]
    pub fn with_capabilities(mut self, capabilities: Capabilities) -> Self {
        self.capabilities = capabilities;
        self
    }

    /// Sets the look of the language's errors. Otherwise it is [`ErrorDialect::PLAIN`].
    #[must_use]
    pub fn with_error_dialect(mut self, error_dialect: ErrorDialect) -> Self {
        self.error_dialect = error_dialect;
        self
    }
}

/// The abilities of an engine. Tests are selected by these; a capability that is declared has a case that passes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// Whether handlers may be asynchronous and are awaited.
    pub async_handlers: bool,
    /// Whether several invocations may be in flight in one instance, interleaving where they wait.
    pub interleaving: bool,
    /// Whether handlers may give their answers in pieces ([`crate::Payload::Streamed`]).
    pub streaming: bool,
    /// Whether running code can be stopped from another thread through [`Instance::interrupter`].
    pub interrupt: bool,
    /// Whether a value can stay in the engine's own form between two functions ([`crate::Payload::Native`]).
    pub native_values: bool,
    /// Whether integers keep all of their 64 bits on the way in and out.
    pub exact_integers: bool,
    /// Whether TypeScript files are loaded as they are.
    pub typescript: bool,
    /// Whether heaps are kept within [`Environment::memory_limit`].
    pub memory_limit: bool,
    /// Whether compiled extension modules (C, C++, Rust) of the language can be loaded.
    pub native_extensions: bool,
    /// Whether guests are held to [`Environment::permissions`]. Without it, functions whose permissions are narrowed are not
    /// started.
    pub permissions: bool,
}

impl Capabilities {
    /// Returns every capability with the name by which people see it, for listings and for selecting test cases.
    pub fn named(&self) -> [(&'static str, bool); 10] {
        [
            ("async", self.async_handlers),
            ("interleaving", self.interleaving),
            ("streaming", self.streaming),
            ("interrupt", self.interrupt),
            ("native-values", self.native_values),
            ("exact-integers", self.exact_integers),
            ("typescript", self.typescript),
            ("native-extensions", self.native_extensions),
            ("memory-limit", self.memory_limit),
            ("permissions", self.permissions),
        ]
    }
}

/// The facts that an instance is started with. The same for every instance of a process.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Environment {
    /// The folder that layers are unpacked to: `/opt`.
    pub layer_root: PathBuf,
    /// The facts about the function that are known before any event arrives.
    pub function: FunctionInfo,
    /// The destination of guest output, and its form.
    pub log: LogSettings,
    /// Whether the starting thread is the process's main thread, where a language may install signal handlers.
    pub main_thread: bool,
    /// Whether a language sets `_X_AMZN_TRACE_ID` in its environment for each invocation, as Lambda's contract wants it
    /// where invocations come one at a time.
    pub trace_in_environment: bool,
    /// Whether other functions may run in the process beside this instance: then it keeps what its guests set in the
    /// environment to itself, where its language can.
    pub shares_process: bool,
    /// Whether all functions of the process have one root: then a language whose instances share globals has nothing of
    /// theirs to keep apart.
    pub lone_root: bool,
    /// Whether the platform takes a snapshot of the process when it has loaded its function, of which copies go on.
    pub snap_start: bool,
    /// The memory that one heap (a V8 isolate, a Lua state) may take, in bytes, including buffers outside of it; `None`
    /// for no limit. A call that crosses it fails with [`crate::ErrorKind::OutOfMemory`].
    pub memory_limit: Option<u64>,
    /// Variables that guests and what they start see on top of the process's, each name once.
    pub variables: Arc<[(String, String)]>,
    /// What guests may do.
    pub permissions: Arc<Permissions>,
    /// Settings of single places, which go before those for all; see [`Environment::of_place`].
    pub places: Arc<[PlaceSettings]>,
    /// Where debuggers may attach.
    pub debuggers: Debuggers,
}

/// What the guests of one place get, on top of what all get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlaceSettings {
    /// The id of the language whose guests they are.
    pub engine: &'static str,
    /// The file of a function that has an instance to itself ([`EngineInfo::instance_per_function`]), else the root folder
    /// ([`Module::root`]) whose functions share an environment.
    pub place: PathBuf,
    /// As [`Environment::variables`].
    pub variables: Arc<[(String, String)]>,
    /// As [`Environment::memory_limit`]; `None` for that of all.
    pub memory_limit: Option<u64>,
    /// As [`Environment::permissions`]; `None` for those of all.
    pub permissions: Option<Arc<Permissions>>,
}

impl Environment {
    /// Makes the facts for an instance of a function without a name, on a thread other than the process's main thread,
    /// in a process of its own, without a memory limit.
    ///
    /// ```
    /// use trine_engine::{Environment, LogSettings};
    ///
    /// let environment = Environment::new("/opt", LogSettings::default())
    ///     .with_main_thread(true)
    ///     .with_memory_limit(Some(128 << 20));
    /// assert!(!environment.shares_process);
    /// ```
    pub fn new(layer_root: impl Into<PathBuf>, log: LogSettings) -> Self {
        Self {
            layer_root: layer_root.into(),
            function: FunctionInfo::default(),
            log,
            main_thread: false,
            trace_in_environment: false,
            shares_process: false,
            lone_root: false,
            snap_start: false,
            memory_limit: None,
            variables: Arc::default(),
            permissions: Arc::default(),
            places: Arc::default(),
            debuggers: Debuggers::default(),
        }
    }

    /// Sets where debuggers may attach.
    #[must_use]
    pub fn with_debuggers(mut self, debuggers: Debuggers) -> Self {
        self.debuggers = debuggers;
        self
    }

    /// Sets what the guests of single places get.
    #[must_use]
    pub fn with_places(mut self, places: impl Into<Arc<[PlaceSettings]>>) -> Self {
        self.places = places.into();
        self
    }

    /// Returns the facts for the guests of a place: of an engine, and a file that has an instance to itself or a root. An
    /// engine that keeps roots apart within an instance asks for each of them.
    ///
    /// ```
    /// use trine_engine::{Environment, LogSettings, PlaceSettings};
    ///
    /// let shop = PlaceSettings {
    ///     engine: "shout",
    ///     place: "/task/shop".into(),
    ///     variables: [("STAGE".to_owned(), "test".to_owned())].into(),
    ///     memory_limit: None,
    ///     permissions: None,
    /// };
    /// let environment = Environment::new("/opt", LogSettings::default()).with_places([shop]);
    /// assert_eq!(environment.of_place("shout", "/task/shop".as_ref()).variables.len(), 1);
    /// assert!(environment.of_place("shout", "/task/pets".as_ref()).variables.is_empty());
    /// ```
    #[must_use]
    pub fn of_place(&self, engine: &str, place: &Path) -> Self {
        let mut environment = self.clone();
        let mut places = self.places.iter();
        let is_it = |known: &&PlaceSettings| known.engine == engine && known.place == place;
        if let Some(settings) = places.find(is_it) {
            environment.variables = settings.variables.clone();
            environment.memory_limit = settings.memory_limit.or(self.memory_limit);
            if let Some(permissions) = &settings.permissions {
                environment.permissions = permissions.clone();
            }
        }
        environment
    }

    /// Returns what the functions of a root may do in this environment; `None` where that is everything. The variables that
    /// the environment gives them they see, unless these are denied.
    pub fn permits(&self, root: &Path) -> Option<Permits> {
        let layers = [self.layer_root.as_path()];
        let own = self.variables.iter().map(|(name, _)| name.as_str());
        let permits = || self.permissions.at(root, &layers).with_variables(own);
        self.permissions.are_narrowed().then(permits)
    }

    /// Whether what any guest of an engine may do is narrowed.
    pub fn narrows_any_of(&self, engine: &str) -> bool {
        let places = self.places.iter().filter(|place| place.engine == engine);
        let own = places.filter_map(|place| place.permissions.as_ref());
        std::iter::once(&self.permissions).chain(own).any(|permissions| permissions.are_narrowed())
    }

    /// Sets what guests may do.
    #[must_use]
    pub fn with_permissions(mut self, permissions: Permissions) -> Self {
        self.permissions = Arc::new(permissions);
        self
    }

    /// Sets what is known about the function.
    #[must_use]
    pub fn with_function(mut self, function: FunctionInfo) -> Self {
        self.function = function;
        self
    }

    /// Sets whether the platform takes a snapshot of the process when it has loaded its function.
    #[must_use]
    pub fn with_snap_start(mut self, snap_start: bool) -> Self {
        self.snap_start = snap_start;
        self
    }

    /// Sets whether the starting thread is the process's main thread.
    #[must_use]
    pub fn with_main_thread(mut self, main_thread: bool) -> Self {
        self.main_thread = main_thread;
        self
    }

    /// Sets whether a language keeps `_X_AMZN_TRACE_ID` in its environment.
    #[must_use]
    pub fn with_trace_in_environment(mut self, trace_in_environment: bool) -> Self {
        self.trace_in_environment = trace_in_environment;
        self
    }

    /// Sets whether other functions may run in the process beside the instance.
    #[must_use]
    pub fn with_shares_process(mut self, shares_process: bool) -> Self {
        self.shares_process = shares_process;
        self
    }

    /// Sets whether all functions of the process have one root.
    #[must_use]
    pub fn with_lone_root(mut self, lone_root: bool) -> Self {
        self.lone_root = lone_root;
        self
    }

    /// Sets the memory that one heap may take, in bytes.
    #[must_use]
    pub fn with_memory_limit(mut self, memory_limit: Option<u64>) -> Self {
        self.memory_limit = memory_limit;
        self
    }
}
