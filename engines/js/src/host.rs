//! The guest's requests to the process: to write a log line, to end, to import a module.

use crate::{
    blame::{self, Blamed},
    certificates, channels, check, exchange,
    exits::{self, Exit, Farewell},
    flavour::{self, Flavour},
    instance::Shared,
    isolate::IMPORT_SCRIPT,
    loader::Loader,
    options::NodeOptions,
    rules::{self, Rules},
    sessions::Sessions,
    stack,
    stream::{self, Streams},
    threads::{Starter, starts_thread, thread_error},
    value::JsValue,
    web::{self, Webs},
};
use deno_runtime::deno_core::{
    JsRuntime, ModuleLoader as _, ModuleSpecifier, ResolutionKind, error::to_v8_error, v8,
};
use serde_json::json;
use std::{
    cell::{Cell, OnceCell, RefCell},
    path::PathBuf,
    rc::{Rc, Weak},
};
use trine_engine::{
    Environment, Error, ErrorKind, Level, LogFormat, LogSettings, Module, NativeValue, Stream,
    json_line, timestamp,
};

/// The purpose of an isolate.
#[derive(Debug, Clone)]
pub(crate) enum Mode {
    /// To run functions: their output goes to the log, their exits end an invocation.
    Function,
    /// To be the main isolate of a process that was started as Node.
    Interpreter(Facts),
    /// To be the isolate of a worker thread in such a process.
    Thread,
}

/// The facts about its own start that a process started as Node knows.
#[derive(Debug, Clone)]
pub(crate) struct Facts {
    /// `process.argv0`.
    pub(crate) argv0: String,
    /// `process.execArgv`.
    pub(crate) exec_argv: Vec<String>,
    /// Whether there is a `global.gc`.
    pub(crate) exposes_gc: bool,
}

/// One isolate's side of the process. The isolate's state holds it, so that native functions find it.
pub(crate) struct Host {
    pub(crate) environment: Environment,
    package_folders: Vec<PathBuf>,
    pub(crate) sessions: Sessions,
    pub(crate) streams: Streams,
    pub(crate) webs: Webs,
    /// The module that is loaded for its handler.
    pub(crate) loading: RefCell<Option<Module>>,
    loader: Rc<Loader>,
    mode: Mode,
    shared: Weak<Shared>,
    handle: OnceCell<v8::IsolateHandle>,
    exit: Cell<Option<Exit>>,
    /// Whose code has failed in this turn of the event loop, where nobody has caught it.
    pub(crate) blamed: RefCell<Option<Blamed>>,
    /// Whether an answer has ever been held until the event loop is empty.
    pub(crate) holds_answers: Cell<bool>,
    /// Flavour of the function that the isolate starts with.
    pub(crate) flavour: Cell<Flavour>,
    leftovers: Cell<bool>,
    work: Cell<bool>,
    /// The invocation that has started this thread, where that is what the isolate is for.
    pub(crate) starter: OnceCell<Starter>,
    /// Whether the guest's listeners know that the process was asked to end.
    pub(crate) farewell: Cell<Farewell>,
}

impl Host {
    pub(crate) fn new(
        environment: Environment,
        package_folders: Vec<PathBuf>,
        loader: Rc<Loader>,
        shared: Weak<Shared>,
        mode: Mode,
    ) -> Rc<Self> {
        Rc::new(Self {
            environment,
            package_folders,
            sessions: Sessions::default(),
            streams: Streams::default(),
            webs: Webs::default(),
            loading: RefCell::default(),
            loader,
            mode,
            shared,
            handle: OnceCell::new(),
            exit: Cell::new(None),
            blamed: RefCell::default(),
            holds_answers: Cell::new(false),
            flavour: Cell::default(),
            leftovers: Cell::new(false),
            work: Cell::new(false),
            starter: OnceCell::new(),
            farewell: Cell::default(),
        })
    }

    /// Whether the process was started as Node: it ends when its code asks for it.
    pub(crate) fn is_plain(&self) -> bool {
        !matches!(self.mode, Mode::Function)
    }

    /// Returns the instance, unless it is ending.
    pub(crate) fn shared(&self) -> Option<Rc<Shared>> {
        self.shared.upgrade()
    }

    /// Returns a value that belongs to this isolate; `None` for those of others.
    pub(crate) fn own<'a>(&self, value: &'a dyn NativeValue) -> Option<&'a JsValue> {
        let value = value.as_any().downcast_ref::<JsValue>()?;
        std::ptr::eq(Rc::as_ptr(&value.shared), self.shared.as_ptr()).then_some(value)
    }

    /// Stores the handle of the started isolate.
    pub(crate) fn watch(&self, handle: v8::IsolateHandle) {
        // An instance starts one isolate only.
        let _ = self.handle.set(handle);
    }

    /// Ends the process for the guest: its code is stopped where it stands, past every `catch` and `finally`.
    pub(crate) fn exit(&self, exit: Exit) {
        self.exit.set(Some(exit));
        if let Some(handle) = self.handle.get() {
            handle.terminate_execution();
        }
    }

    /// Returns the exit that the invocation in this slot has requested since the last call, if any. `None` stands for
    /// code outside invocations.
    pub(crate) fn take_exit(&self, slot: Option<usize>) -> Option<Exit> {
        let exit = self.exit.get()?;
        let mine = exit.slot.is_none() || slot.is_none() || exit.slot == slot;
        if mine {
            self.exit.set(None);
        }
        mine.then_some(exit)
    }

    /// Whether another invocation than the one in this slot has requested the process's end.
    pub(crate) fn exit_is_of_another(&self, slot: Option<usize>) -> bool {
        let exit = self.exit.get().and_then(|exit| exit.slot);
        exit.is_some() && slot.is_some() && exit != slot
    }

    /// Whether any invocation has requested the process's end and has not answered for it.
    pub(crate) fn has_exit(&self) -> bool {
        self.exit.get().is_some()
    }

    /// Whether a call found work that earlier ones had left in the event loop.
    pub(crate) fn take_leftovers(&self) -> bool {
        self.leftovers.replace(false)
    }

    /// Whether a call that returned at once left work in the event loop.
    pub(crate) fn take_work(&self) -> bool {
        self.work.replace(false)
    }

    /// Writes the record of an error that no longer belongs to any invocation.
    pub(crate) fn log_stray(&self, error: &Error, request_id: Option<&str>) {
        self.log_lost(error, "left behind by an earlier invocation", request_id);
    }

    /// Writes the record of an error that nobody waits for; `whence` is its origin.
    pub(crate) fn log_lost(&self, error: &Error, whence: &str, request_id: Option<&str>) {
        let log = &self.environment.log;
        let title = match error.kind() {
            ErrorKind::UnhandledRejection => "Unhandled Promise Rejection",
            _ => "Uncaught Exception",
        };
        let line = match log.format {
            LogFormat::Text => {
                let (first, rest) = whence.split_at(1);
                let whence = first.to_ascii_uppercase() + rest;
                let mut text = format!("{title}\t{whence}\t{error:#}");
                if log.sink.joins_lines() {
                    text = text.replace('\n', "\r");
                }
                let id = request_id.unwrap_or("undefined");
                format!("{}\t{id}\tERROR\t{text}\n", timestamp())
            }
            LogFormat::Json => {
                let message = format!("{whence}: {error:#}");
                let mut record = json!({"message": message, "errorType": error.name()});
                if let Some(id) = request_id {
                    record["requestId"] = id.into();
                }
                json_line(Level::Error, &record)
            }
        };
        send(log, Level::Error, &line);
    }

    /// Makes the object that the prelude gets: functions, and the facts that hold for all invocations.
    pub(crate) fn object<'s>(
        &self,
        scope: &mut v8::PinScope<'s, '_>,
        import: v8::Local<'s, v8::Value>,
    ) -> v8::Local<'s, v8::Object> {
        let object = v8::Object::new(scope);
        let function = &self.environment.function;
        for (name, value) in [
            ("functionName", &function.name),
            ("functionVersion", &function.version),
            ("memoryMb", &function.memory_mb),
            ("logGroup", &function.log_group),
            ("logStream", &function.log_stream),
        ] {
            let value = text_or_undefined(scope, value.as_deref());
            set(scope, object, name, value);
        }
        let folders = self.package_folders.iter().map(|folder| folder.to_string_lossy());
        let folders = texts(scope, folders);
        set(scope, object, "packageFolders", folders);
        let json = v8::Boolean::new(scope, self.environment.log.format == LogFormat::Json);
        set(scope, object, "logJson", json.into());
        let joins_lines = v8::Boolean::new(scope, self.environment.log.sink.joins_lines());
        set(scope, object, "joinsLines", joins_lines.into());
        let level = self.environment.log.level.unwrap_or(Level::Trace) as i32;
        let level = v8::Integer::new(scope, level);
        set(scope, object, "logLevel", level.into());
        let options = NodeOptions::of_process();
        if options.has_preloads() {
            let preloads = v8::Object::new(scope);
            for (name, modules) in [("requires", &options.requires), ("imports", &options.imports)]
            {
                let modules = texts(scope, modules);
                set(scope, preloads, name, modules);
            }
            set(scope, object, "preloads", preloads.into());
            set_function(scope, object, "resolve", resolve);
        }
        self.add_mode(scope, object);
        if stream::hides_global() {
            let hides = v8::Boolean::new(scope, true).into();
            set(scope, object, "hidesAwslambda", hides);
        }
        if !options.process_flags.is_empty() || !options.disabled_warnings.is_empty() {
            let warnings = v8::Object::new(scope);
            let flags = texts(scope, &options.process_flags);
            set(scope, warnings, "flags", flags);
            let disabled = texts(scope, &options.disabled_warnings);
            set(scope, warnings, "disabled", disabled);
            set(scope, object, "warnings", warnings.into());
        }
        if let Some(mode) = options.unhandled_rejections {
            let mode = text_or_undefined(scope, Some(mode));
            set(scope, object, "unhandledRejections", mode);
        }
        if let Some(limit) = options.stack_trace_limit {
            let limit = v8::Integer::new_from_unsigned(scope, limit);
            set(scope, object, "stackTraceLimit", limit.into());
        }
        let is_deno = v8::Boolean::new(scope, self.flavour.get() == Flavour::Deno);
        set(scope, object, "isDeno", is_deno.into());
        let is_snap_start = v8::Boolean::new(scope, self.environment.snap_start);
        set(scope, object, "isSnapStart", is_snap_start.into());
        let rules = text_or_undefined(scope, Some(Rules::of_process().name()));
        set(scope, object, "rules", rules);
        for (name, holds) in
            [("hushesCallbacks", rules::hushes_callbacks()), ("isManaged", rules::is_managed())]
        {
            if holds {
                let holds = v8::Boolean::new(scope, true).into();
                set(scope, object, name, holds);
            }
        }
        set_function(scope, object, "curtain", flavour::curtain);
        set_function(scope, object, "log", log);
        set_function(scope, object, "write", write);
        set_function(scope, object, "exit", exits::exit);
        set_function(scope, object, "blame", blame::blame);
        set_function(scope, object, "holdAnswer", hold_answer);
        set_function(scope, object, "trapSignal", exits::trap_signal);
        set_function(scope, object, "listens", exits::listens);
        set_function(scope, object, "heard", exits::heard);
        set_function(scope, object, "startsThread", starts_thread);
        if let Some(Starter { request_id, tenant_id }) = self.starter.get() {
            let ids = v8::Object::new(scope);
            for (name, id) in [("requestId", Some(request_id)), ("tenantId", tenant_id.as_ref())] {
                let id = text_or_undefined(scope, id.map(String::as_str));
                set(scope, ids, name, id);
            }
            set(scope, object, "startedFor", ids.into());
        }
        set_function(scope, object, "threadError", thread_error);
        set_function(scope, object, "serverCertificates", certificates::server_certificates);
        set_function(scope, object, "isClosedByPeer", is_closed_by_peer);
        set_function(scope, object, "leftovers", leftovers);
        set_function(scope, object, "work", work);
        channels::add_functions(scope, object);
        exchange::add_functions(scope, object);
        stream::add_functions(scope, object);
        web::add_functions(scope, object);
        set_function(scope, object, "namesHandler", names_handler);
        set_function(scope, object, "warn", warn_of);
        stack::add_functions(scope, object);
        set(scope, object, "import", import);
        object
    }

    /// Adds the purpose of the isolate, where that is not to run functions.
    fn add_mode(&self, scope: &mut v8::PinScope<'_, '_>, object: v8::Local<'_, v8::Object>) {
        if !self.is_plain() {
            return;
        }
        let plain = v8::Boolean::new(scope, true).into();
        set(scope, object, "isPlain", plain);
        if let Mode::Interpreter(facts) = &self.mode {
            let interpreter = v8::Object::new(scope);
            let exec_argv = texts(scope, &facts.exec_argv);
            set(scope, interpreter, "ofRuntime", exec_argv);
            set(scope, object, "interpreter", interpreter.into());
            set_function(scope, object, "moduleUrl", module_url);
        }
    }
}

/// Writes a message in its final form.
fn send(log: &LogSettings, level: Level, text: &str) {
    let stream = if level >= Level::Warn { Stream::Stderr } else { Stream::Stdout };
    log.send(stream, level, text);
}

/// Writes a warning of the runtime's own that concerns no invocation.
pub(crate) fn warn(log: &LogSettings, message: &str) {
    if log.level.is_some_and(|least| least > Level::Warn) {
        return;
    }
    let line = match log.format {
        LogFormat::Text => format!("{}\tundefined\tWARN\t{message}\n", timestamp()),
        LogFormat::Json => json_line(Level::Warn, &json!({"message": message})),
    };
    send(log, Level::Warn, &line);
}

/// Sets a member of an object.
pub(crate) fn set(
    scope: &mut v8::PinScope<'_, '_>,
    object: v8::Local<'_, v8::Object>,
    name: &str,
    value: v8::Local<'_, v8::Value>,
) {
    let key = v8::String::new(scope, name).expect("names are short");
    object.set(scope, key.into(), value);
}

/// Makes an array of strings.
pub(crate) fn texts<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    texts: impl IntoIterator<Item: AsRef<str>>,
) -> v8::Local<'s, v8::Value> {
    let texts: Vec<v8::Local<'_, v8::Value>> =
        texts.into_iter().map(|text| text_or_undefined(scope, Some(text.as_ref()))).collect();
    v8::Array::new_with_elements(scope, &texts).into()
}

/// Makes a string, or undefined where there is none.
pub(crate) fn text_or_undefined<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    text: Option<&str>,
) -> v8::Local<'s, v8::Value> {
    match text.and_then(|text| v8::String::new(scope, text)) {
        Some(text) => text.into(),
        None => v8::undefined(scope).into(),
    }
}

/// Adds a native function to an object.
pub(crate) fn set_function(
    scope: &mut v8::PinScope<'_, '_>,
    object: v8::Local<'_, v8::Object>,
    name: &str,
    callback: impl v8::MapFnTo<v8::FunctionCallback>,
) {
    if let Some(function) = v8::Function::new(scope, callback) {
        set(scope, object, name, function.into());
    }
}

/// Returns the host of the isolate whose code runs.
pub(crate) fn host_of(scope: &mut v8::PinScope<'_, '_>) -> Rc<Host> {
    JsRuntime::op_state_from(scope).borrow().borrow::<Rc<Host>>().clone()
}

/// Implements `holdAnswer()`: notes that answers are held until the event loop is empty.
fn hold_answer(
    scope: &mut v8::PinScope<'_, '_>,
    _args: v8::FunctionCallbackArguments<'_>,
    _result: v8::ReturnValue<'_, v8::Value>,
) {
    host_of(scope).holds_answers.set(true);
}

/// Implements `log(level, message)`: writes a message; warnings and worse are for standard error.
fn log(
    scope: &mut v8::PinScope<'_, '_>,
    args: v8::FunctionCallbackArguments<'_>,
    _result: v8::ReturnValue<'_, v8::Value>,
) {
    let level = match args.get(0).int32_value(scope) {
        Some(0) => Level::Trace,
        Some(1) => Level::Debug,
        Some(3) => Level::Warn,
        Some(4) => Level::Error,
        Some(5) => Level::Fatal,
        _ => Level::Info,
    };
    let text = args.get(1).to_rust_string_lossy(scope);
    send(&host_of(scope).environment.log, level, &text);
}

/// Implements `write(toError, bytes)`: writes bytes as they are.
fn write(
    scope: &mut v8::PinScope<'_, '_>,
    args: v8::FunctionCallbackArguments<'_>,
    _result: v8::ReturnValue<'_, v8::Value>,
) {
    let stream = if args.get(0).is_true() { Stream::Stderr } else { Stream::Stdout };
    let Ok(view) = v8::Local::<'_, v8::ArrayBufferView>::try_from(args.get(1)) else { return };
    let mut bytes = vec![0; view.byte_length()];
    let written = view.copy_contents(&mut bytes);
    host_of(scope).environment.log.sink.write(stream, &bytes[..written]);
}

/// Implements `resolve(name)`: the URL of a module as seen from the working directory.
fn resolve(
    scope: &mut v8::PinScope<'_, '_>,
    args: v8::FunctionCallbackArguments<'_>,
    mut result: v8::ReturnValue<'_, v8::Value>,
) {
    let name = args.get(0).to_rust_string_lossy(scope);
    let loader = host_of(scope).loader.clone();
    match loader.resolve(&name, IMPORT_SCRIPT, ResolutionKind::DynamicImport) {
        Ok(url) => result.set(text_or_undefined(scope, Some(url.as_str()))),
        Err(error) => {
            let error = to_v8_error(scope, &error);
            scope.throw_exception(error);
        }
    }
}

/// Implements `moduleUrl(path)`: the URL of a file that is an ES module; undefined for CommonJS.
fn module_url(
    scope: &mut v8::PinScope<'_, '_>,
    args: v8::FunctionCallbackArguments<'_>,
    mut result: v8::ReturnValue<'_, v8::Value>,
) {
    let path = args.get(0).to_rust_string_lossy(scope);
    let Ok(url) = ModuleSpecifier::from_file_path(path) else { return };
    let loader = host_of(scope).loader.clone();
    match loader.is_commonjs(&url) {
        Ok(true) => {}
        Ok(false) => result.set(text_or_undefined(scope, Some(url.as_str()))),
        Err(error) => {
            let error = to_v8_error(scope, &error);
            scope.throw_exception(error);
        }
    }
}

/// Implements `isClosedByPeer(descriptor)`: whether the other end of a connection has closed it.
fn is_closed_by_peer(
    scope: &mut v8::PinScope<'_, '_>,
    args: v8::FunctionCallbackArguments<'_>,
    mut result: v8::ReturnValue<'_, v8::Value>,
) {
    let fd = args.get(0).int32_value(scope).unwrap_or(-1);
    let mut polled = libc::pollfd { fd, events: libc::POLLRDHUP, revents: 0 };
    // SAFETY: one entry, of which the system writes `revents`; it does not wait.
    let ready = unsafe { libc::poll(&raw mut polled, 1, 0) };
    let closed = libc::POLLRDHUP | libc::POLLHUP | libc::POLLERR;
    result.set_bool(ready > 0 && polled.revents & closed != 0);
}

/// Implements `namesHandler()`: whether the text of the module that is loaded shows an export of the name that is sought.
fn names_handler(
    scope: &mut v8::PinScope<'_, '_>,
    _args: v8::FunctionCallbackArguments<'_>,
    mut result: v8::ReturnValue<'_, v8::Value>,
) {
    let host = host_of(scope);
    let loading = host.loading.borrow();
    result.set_bool(loading.as_ref().is_some_and(check::names_handler));
}

/// Implements `warn(message)`: writes a warning of the runtime's own.
fn warn_of(
    scope: &mut v8::PinScope<'_, '_>,
    args: v8::FunctionCallbackArguments<'_>,
    _result: v8::ReturnValue<'_, v8::Value>,
) {
    let message = args.get(0).to_rust_string_lossy(scope);
    warn(&host_of(scope).environment.log, &message);
}

/// Implements `leftovers()`: notes that the event loop holds work of earlier invocations.
fn leftovers(
    scope: &mut v8::PinScope<'_, '_>,
    _args: v8::FunctionCallbackArguments<'_>,
    _result: v8::ReturnValue<'_, v8::Value>,
) {
    host_of(scope).leftovers.set(true);
}

/// Implements `work()`: notes that a call that returned at once left work in the event loop.
fn work(
    scope: &mut v8::PinScope<'_, '_>,
    _args: v8::FunctionCallbackArguments<'_>,
    _result: v8::ReturnValue<'_, v8::Value>,
) {
    host_of(scope).work.set(true);
}
