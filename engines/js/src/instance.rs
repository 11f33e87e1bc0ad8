//! One isolate, the modules that were loaded into it, and the operations on it as a whole.

use crate::{
    call::Current,
    check,
    convert::{LoadedFunctions, read_loaded},
    error::{During, placed, syntax},
    flavour::Flavour,
    host::{Host, Mode, text_or_undefined},
    inspector::{self, Registered},
    isolate::{Entered, Isolate, Snapshot},
    limits::Limits,
    loader::{Loader, NodeServices, imports_node, package_folders},
    makers::Makers,
    memory::Memory,
    options::NodeOptions,
    permits,
    rules::Rules,
    threads::Threads,
    value::JsValue,
    variables::Variables,
    wakers::{Awaited, Wakers},
};
use deno_runtime::deno_core::{ModuleSpecifier, v8};
use std::{
    cell::{Cell, RefCell, RefMut},
    io,
    net::TcpStream,
    rc::Rc,
    sync::Arc,
};
use trine_engine::{
    DebugSession, Environment, Error, ErrorKind, Exports, Form, FunctionId, HANDLER_NAMES, Hook,
    Instance, Interface, Interrupter, Invocation, LocalFuture, Module, Payload, Profile, Result,
    Usage, Wanted, alternatives,
};

/// One isolate, started when the first module is loaded: that module decides which snapshot it starts from.
pub(crate) struct JsInstance {
    shared: Rc<Shared>,
}

/// The parts of an instance. Values that left it share them.
pub(crate) struct Shared {
    environment: Environment,
    pub(crate) host: Rc<Host>,
    isolate: RefCell<Option<Isolate>>,
    pub(crate) loader: Rc<Loader>,
    threads: Arc<Threads>,
    /// The services that the isolate takes when it starts.
    services: RefCell<Option<NodeServices>>,
    loaded: RefCell<Vec<(Module, Exports)>>,
    pub(crate) functions: RefCell<Vec<Function>>,
    pub(crate) makers: Makers,
    pub(crate) wakers: Arc<Wakers>,
    pub(crate) awaited: Rc<Awaited>,
    /// Failures of waiting calls that other calls' turns of the event loop have brought, by the slots of their invocations.
    pub(crate) failures: RefCell<Vec<(usize, Error)>>,
    pub(crate) limits: Limits,
    pub(crate) memory: Option<Arc<Memory>>,
    /// Number of interrupts that have been answered for: one that came while nothing ran must not stop the next call.
    pub(crate) interrupts_seen: Cell<u64>,
    calls: Cell<u64>,
    /// Whether code was stopped by force: work that it left half done is not resumed.
    pub(crate) was_stopped_before: Cell<bool>,
    /// Whether the last call may have left anything in the event loop.
    pub(crate) may_have_work: Cell<bool>,
    /// Whether somebody turns the event loop between calls.
    pub(crate) goes_on: Cell<bool>,
    /// Number of operations on files that were given up waiting for.
    pub(crate) stuck: Cell<usize>,
    /// The place among those that debuggers can attach to.
    pub(crate) registered: RefCell<Option<Registered>>,
}

/// A function that an instance can be asked to call.
pub(crate) struct Function {
    pub(crate) kind: Kind,
    pub(crate) function: v8::Global<v8::Function>,
}

/// The role that a function is called in. The prelude knows roles by these numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Handler = 0,
    HookWithValue = 1,
    Hook = 2,
    ErrorHook = 3,
    Program = 4,
    Fetch = 5,
    Node = 6,
}

impl Kind {
    fn of(wanted: &Wanted, interface: Interface, name: &str) -> Self {
        match (wanted, Hook::named(name)) {
            (Wanted::Handler(_) | Wanted::Unnamed, _) if interface == Interface::Fetch => {
                Self::Fetch
            }
            (Wanted::Handler(_) | Wanted::Unnamed, _) if interface == Interface::Node => Self::Node,
            (Wanted::Handler(_) | Wanted::Unnamed, _) => Self::Handler,
            (Wanted::Program, _) => Self::Program,
            (Wanted::Hooks, Some(Hook::Error)) => Self::ErrorHook,
            (Wanted::Hooks, Some(hook)) if hook.takes_value() => Self::HookWithValue,
            (Wanted::Hooks, _) => Self::Hook,
        }
    }
}

impl JsInstance {
    /// Makes an instance.
    ///
    /// # Errors
    /// When the process is to listen for debuggers, and cannot.
    pub(crate) fn new(environment: Environment) -> Result<Self> {
        let wakers = Arc::<Wakers>::default();
        let folders = package_folders(&environment.layer_root);
        let (loader, services) = Loader::new(&folders);
        let limits = Limits::new(wakers.clone());
        let mut registered = None;
        if let Some(listener) = environment.debuggers.inspector {
            let server = inspector::listen(listener)?;
            let (target, place) = server.register(listener.waits, &environment.log);
            limits.target.set(target);
            registered = Some(place);
        }
        if registered.is_some() || inspector::may_be_attached_by_event() {
            loader.typescript.embed_maps();
        }
        Ok(Self {
            shared: Rc::new_cyclic(|shared| Shared {
                threads: Threads::new(environment.clone(), folders.clone(), Mode::Function),
                host: Host::new(
                    environment.clone(),
                    folders,
                    loader.clone(),
                    shared.clone(),
                    Mode::Function,
                ),
                memory: environment.memory_limit.map(Memory::new),
                environment,
                isolate: RefCell::default(),
                loader,
                services: RefCell::new(Some(services)),
                loaded: RefCell::default(),
                functions: RefCell::default(),
                makers: Makers::default(),
                limits,
                interrupts_seen: Cell::new(0),
                awaited: Awaited::new(wakers.clone()),
                wakers,
                failures: RefCell::default(),
                calls: Cell::new(0),
                was_stopped_before: Cell::default(),
                may_have_work: Cell::default(),
                goes_on: Cell::default(),
                stuck: Cell::default(),
                registered: RefCell::new(registered),
            }),
        })
    }
}

impl Instance for JsInstance {
    fn load<'a>(&'a self, module: &'a Module) -> LocalFuture<'a, Result<Exports>> {
        Box::pin(async move {
            let shared = &self.shared;
            if let Some(exports) = shared.already_loaded(module) {
                return Ok(exports);
            }
            let url = ModuleSpecifier::from_file_path(&module.path).map_err(|()| {
                Error::internal(format!("{} is not an absolute path", module.path.display()))
            })?;
            let found = shared.find(module, &url).await;
            shared.host.loading.take();
            let (functions, interface) =
                shared.within_memory(found).map_err(|error| shared.with_place(error))?;
            let functions = handler_of(module, functions)?;
            Ok(shared.register(module, functions, interface))
        })
    }

    fn call<'a>(
        &'a self,
        function: FunctionId,
        input: Payload,
        form: Form,
        invocation: &'a Rc<Invocation>,
    ) -> LocalFuture<'a, Result<Payload>> {
        Box::pin(async move {
            self.shared.calls.set(self.shared.calls.get() + 1);
            let result = self.shared.call(function, &input, form, invocation).await;
            self.shared.within_memory(result).map_err(|error| {
                if error.kind() != ErrorKind::Exit || !error.poisons() {
                    return error;
                }
                // The text that the platform gives when a process ends during an invocation.
                let message =
                    format!("RequestId: {} Error: {}", invocation.request_id, error.message());
                error.with_message(message)
            })
        })
    }

    fn adopt(&self, value: Payload, _invocation: &Rc<Invocation>) -> Result<Payload> {
        let value = value.whole();
        let text = match &value {
            Payload::Json(text) => text.clone(),
            Payload::Native(native) if self.shared.host.own(&**native).is_none() => {
                native.to_json()?
            }
            _ => return Ok(value),
        };
        self.shared.adopt(&text)
    }

    fn wrap<'a>(
        &'a self,
        wrapper: FunctionId,
        handler: FunctionId,
    ) -> LocalFuture<'a, Result<FunctionId>> {
        Box::pin(async move {
            let wrapped = self.shared.wrap(wrapper, handler).await;
            let wrapped = self.shared.within_memory(wrapped)?;
            let function = wrapped.into_iter().find_map(|(_, function)| function);
            let function = function.ok_or_else(|| Error::internal("wrap gave no function"))?;
            let mut functions = self.shared.functions.borrow_mut();
            let kind = functions.get(handler.0 as usize).map_or(Kind::Handler, |inner| inner.kind);
            functions.push(Function { kind, function });
            Ok(FunctionId(functions.len() as u32 - 1))
        })
    }

    fn warn(&self, invocation: &Rc<Invocation>) {
        self.shared.warn(invocation);
    }

    fn settle(&self, by_itself: bool) -> LocalFuture<'_, ()> {
        Box::pin(self.shared.settle(by_itself))
    }

    fn rest(&self) -> Option<LocalFuture<'_, Result<()>>> {
        self.shared.may_rest().then(|| Box::pin(self.shared.rest()) as LocalFuture<'_, _>)
    }

    fn is_writing(&self) -> bool {
        self.shared.is_writing()
    }

    fn background(&self) -> Option<LocalFuture<'static, ()>> {
        self.shared.background()
    }

    fn before_snapshot(&self) -> LocalFuture<'_, Result<()>> {
        Box::pin(self.shared.before_snapshot())
    }

    fn after_restore(&self) -> LocalFuture<'_, Result<()>> {
        Box::pin(self.shared.after_restore())
    }

    fn attach_debugger(&self, connection: TcpStream) -> LocalFuture<'_, Result<DebugSession>> {
        Box::pin(self.shared.attach_debugger(connection))
    }

    fn profile(&self) -> Result<Profile> {
        self.shared.profile()
    }

    fn heap_snapshot(&self, out: &mut dyn io::Write) -> Result<()> {
        self.shared.heap_snapshot(out)
    }

    fn interrupter(&self) -> Interrupter {
        self.shared.limits.interrupter()
    }

    fn usage(&self) -> Usage {
        let heap_bytes = self.shared.isolate().map_or(0, |mut isolate| {
            let mut isolate = isolate.enter();
            let statistics = isolate.runtime().v8_isolate().get_heap_statistics();
            (statistics.used_heap_size() + statistics.external_memory()) as u64
        });
        Usage { heap_bytes, calls: self.shared.calls.get() }
    }

    fn shutdown(&self) {
        self.shared.tell_exit();
        self.shared.functions.borrow_mut().clear();
        self.shared.makers.clear();
        self.shared.loaded.borrow_mut().clear();
        self.shared.limits.forget();
        self.shared.write_code_cache();
        self.shared.threads.stop();
        self.shared.registered.take();
        let isolate = self.shared.isolate.borrow_mut().take();
        drop(isolate);
        // Waiting calls find out that there is nothing to wait for.
        self.shared.wakers.wake_all();
    }
}

impl Shared {
    /// Borrows the isolate, which nothing else works with at this instant.
    pub(crate) fn isolate(&self) -> Result<RefMut<'_, Isolate>> {
        let isolate = self.isolate.try_borrow_mut();
        let isolate = isolate.map_err(|_| Error::internal("this instance is at work"))?;
        RefMut::filter_map(isolate, Option::as_mut).map_err(|_| ended())
    }

    /// Fails where the guest needed more memory than it may have: then no other outcome counts.
    pub(crate) fn within_memory<T>(&self, result: Result<T>) -> Result<T> {
        let Some(memory) = &self.memory else { return result };
        if memory.is_crossed() && !matches!(&result, Err(error) if error.kind() == ErrorKind::Exit)
        {
            // Other calls that wait here must not wait for what was stopped.
            self.wakers.wake_all();
            return Err(memory.error());
        }
        match result {
            Err(error) if error.name() == "RangeError" && memory.take_refused() => Err(memory
                .error()
                .with_frames(error.frames().to_vec())
                .with_stack(error.stack().to_vec())),
            result => result,
        }
    }

    /// Writes the code of what was compiled without a code cache, as far as it has run.
    fn write_code_cache(&self) {
        let cache = &self.loader.code_cache;
        if let Ok(mut isolate) = self.isolate() {
            self.loader.fresh.take_into(cache, isolate.enter().runtime());
        }
        cache.write();
    }

    /// Returns the environment as guests see it.
    pub(crate) fn variables(&self) -> &Variables {
        &self.threads.variables
    }

    /// Whether there has been any call.
    pub(crate) fn has_served(&self) -> bool {
        self.calls.get() > 0
    }

    fn already_loaded(&self, module: &Module) -> Option<Exports> {
        let loaded = self.loaded.borrow();
        loaded.iter().find(|(known, _)| known == module).map(|(_, exports)| exports.clone())
    }

    fn register(
        &self,
        module: &Module,
        functions: LoadedFunctions,
        interface: Interface,
    ) -> Exports {
        let mut known = self.functions.borrow_mut();
        let mut exports = Exports::default().with_interface(interface);
        for (name, function) in functions {
            let Some(function) = function else {
                exports.others.push(name);
                continue;
            };
            let kind = Kind::of(&module.wanted, interface, &name);
            exports.functions.push((name, FunctionId(known.len() as u32)));
            known.push(Function { kind, function });
        }
        self.loaded.borrow_mut().push((module.clone(), exports.clone()));
        exports
    }

    async fn find(
        self: &Rc<Self>,
        module: &Module,
        url: &ModuleSpecifier,
    ) -> Result<(LoadedFunctions, Interface)> {
        let _loading = self.loader.begin();
        Rules::check()?;
        if Flavour::of(module)? == Flavour::Deno {
            self.host.flavour.set(Flavour::Deno);
            self.loader.flavour.set(Flavour::Deno);
            self.threads.act_as(Flavour::Deno);
        }
        self.loader.note_required((module.wanted == Wanted::Program).then_some(&*module.path));
        let format = self.prepare(module, url)?;
        self.wait_for_debugger().await?;
        let (step, current) = {
            let mut isolate = self.isolate()?;
            let mut isolate = isolate.enter();
            let interrupts = self.forget_old_interrupts(&mut isolate);
            let current = Current::new(During::Load, interrupts);
            (self.begin_load(&mut isolate, module, url, format, &current)?, current)
        };
        let loaded = match self.finish(step, &current, read_loaded).await {
            // It has waited for a server that the module might start, in vain.
            Err(error) if error.kind() == ErrorKind::NeverSettled => {
                self.without_server(&current)?.ok_or(error)?
            }
            loaded => loaded?,
        };
        self.turn_between_calls()?;
        Ok(loaded)
    }

    /// Adds its place to a syntax error, if V8 did not report it.
    fn with_place(&self, error: Error) -> Error {
        if error.kind() != ErrorKind::UserCodeSyntax {
            return error;
        }
        match self.loader.problem_of_last_required() {
            Some(problem) => placed(error, &problem),
            None => error,
        }
    }

    /// Decides how to load a module, and starts the isolate if need be, from the snapshot that suits this module.
    fn prepare(self: &Rc<Self>, module: &Module, url: &ModuleSpecifier) -> Result<&'static str> {
        let commonjs = module.wanted == Wanted::Program
            || self.loader.is_commonjs(url).map_err(|error| syntax(&error.to_string()))?;
        let mut isolate = self.isolate.borrow_mut();
        if isolate.is_none() {
            let snapshot = Snapshot::of_process(|| {
                // A process with several functions will meet all kinds of modules.
                let many = self.environment.shares_process;
                let preloads = NodeOptions::of_process().has_preloads();
                if many || preloads || commonjs || imports_node(module) {
                    Snapshot::Node
                } else {
                    Snapshot::Web
                }
            });
            let services = self
                .services
                .take()
                .ok_or_else(|| Error::internal("the isolate could not be started before"))?;
            let permits = permits::of_root(&self.environment, &module.root);
            let permissions =
                permits::container(&self.environment, &module.root, permits.as_ref())?;
            if let Some(permits) = permits {
                let _ = self.loader.permits.set(permits.clone());
                let _ = self.threads.permits.set(permits);
            }
            let mut started = Isolate::start(
                snapshot,
                &self.host,
                self.loader.clone(),
                services,
                self.memory.clone(),
                &self.threads,
                self.awaited.clone(),
                permissions,
            )?;
            NodeOptions::of_process().tell(&self.environment.log);
            self.limits.watch(started.enter().runtime().v8_isolate().thread_safe_handle());
            if let Some(target) = self.limits.target.get() {
                target.note_module(url.as_str());
                target.started(started.enter().runtime().inspector().get_session_sender());
                inspector::attend(self, target);
            }
            *isolate = Some(started);
        }
        if let Some(permits) = self.loader.permits.get()
            && let Some(folder) = module.path.parent()
        {
            permits.add_code(folder);
        }
        if let Some(snapshot) = Snapshot::chosen() {
            self.loader.code_cache.begin(module, snapshot);
        }
        Ok(if commonjs { "commonjs" } else { "module" })
    }

    fn begin_load(
        &self,
        isolate: &mut Entered<'_>,
        module: &Module,
        url: &ModuleSpecifier,
        format: &str,
        current: &Current<'_>,
    ) -> Result<crate::call::Step<(LoadedFunctions, Interface)>> {
        let (runtime, prelude) = isolate.parts();
        deno_runtime::deno_core::scope!(scope, runtime);
        let path = module.path.to_string_lossy();
        let (kind, names) = match &module.wanted {
            Wanted::Handler(export) => ("handler", vec![export.as_str()]),
            Wanted::Unnamed => ("unnamed", module.wanted.names()),
            Wanted::Hooks => ("hooks", Hook::ALL.map(Hook::name).to_vec()),
            Wanted::Program => ("program", vec!["before", "after"]),
        };
        // A middleware from elsewhere sees the packages that the handler sees, and so do preloaded modules.
        let preloads = NodeOptions::of_process().has_preloads();
        let packages = (preloads || !module.path.starts_with(&module.root))
            .then(|| self.loader.look_into(&module.root).to_string_lossy().into_owned());
        let names: Vec<v8::Local<'_, v8::Value>> =
            names.iter().map(|name| text_or_undefined(scope, Some(name))).collect();
        let arguments = [
            text_or_undefined(scope, Some(kind)),
            text_or_undefined(scope, Some(format)),
            text_or_undefined(scope, Some(&path)),
            text_or_undefined(scope, Some(url.as_str())),
            v8::Array::new_with_elements(scope, &names).into(),
            text_or_undefined(scope, packages.as_deref()),
            v8::Boolean::new(scope, self.host.flavour.get() == Flavour::Deno).into(),
            text_or_undefined(scope, module.interface.map(Interface::name)),
            v8::Boolean::new(scope, check::listens_for_fetch(module)).into(),
        ];
        if matches!(module.wanted, Wanted::Handler(_) | Wanted::Unnamed) {
            self.host.loading.replace(Some(module.clone()));
        }
        let undefined = v8::undefined(scope).into();
        let load = v8::Local::new(scope, &prelude.load);
        let result = load.call(scope, undefined, &arguments);
        self.step(scope, prelude, result, current, read_loaded)
    }

    /// Makes a payload of a value of this isolate; nothing where there is none.
    pub(crate) fn payload(self: &Rc<Self>, value: Option<v8::Global<v8::Value>>) -> Payload {
        match value {
            Some(value) => Payload::Native(Rc::new(JsValue::new(self.clone(), value))),
            None => Payload::Nothing,
        }
    }
}

/// Returns the one function that was requested where it is a handler; otherwise the prelude has passed an entry without
/// a function that says what is wrong, and the names of the existing functions.
fn handler_of(module: &Module, functions: LoadedFunctions) -> Result<LoadedFunctions> {
    let wanted = match &module.wanted {
        Wanted::Handler(export) => Some(export.as_str()),
        Wanted::Unnamed => None,
        Wanted::Hooks | Wanted::Program => return Ok(functions),
    };
    if functions.iter().any(|(_, function)| function.is_some()) {
        return Ok(functions);
    }
    let mut names = functions.into_iter().map(|(name, _)| name);
    let problem = names.next().unwrap_or_default();
    let names: Vec<String> = names.collect();
    let name = wanted.unwrap_or(HANDLER_NAMES[0]);
    let separator = if name.is_empty() { "" } else { "." };
    let what = alternatives(module, wanted.filter(|name| !name.is_empty()), &names);
    let message = format!("{}{separator}{name} {problem}{what}", module.name);
    let error = Error::new(ErrorKind::HandlerNotFound, message);
    let header = format!("{}: {}", error.name(), error.message());
    Err(error.with_stack([header]))
}

pub(crate) fn ended() -> Error {
    Error::internal("this instance has ended")
}

#[cfg(test)]
mod tests {
    use super::*;
    use deno_runtime::tokio_util::create_and_run_current_thread;
    use trine_engine::{Engine as _, LogFormat, LogSettings, LogSink, Stream};

    struct Silence;

    impl LogSink for Silence {
        fn write(&self, _stream: Stream, _line: &[u8]) {}
    }

    #[test]
    fn v8_takes_the_code_caches_that_come_with_the_binary() {
        let folder = std::env::temp_dir().join(format!("trine-js-code-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("the folder is writable");
        let path = folder.join("app.cjs");
        let source = "for (const name of ['http', 'https', 'http2', 'crypto', 'zlib', 'net', 'tls', 'dns']) {
            require(`node:${name}`);
        }
        exports.handler = () => fetch;";
        std::fs::write(&path, source).expect("the folder is writable");
        // The engine sets V8's flags, on which its code caches depend.
        let environment = Environment::new(
            folder.join("opt"),
            LogSettings { sink: Arc::new(Silence), format: LogFormat::Text, level: None },
        )
        .with_main_thread(true);
        drop(crate::engine().start(&environment));
        let wanted = Wanted::Handler("handler".to_owned());
        let module = Module::new(&folder, path, "app", wanted);
        create_and_run_current_thread(async move {
            let instance = JsInstance::new(environment).expect("nothing listens");
            let loaded = instance.load(&module).await.map(|exports| exports.functions.len());
            assert_eq!(loaded.ok(), Some(1));
            assert!(crate::isolate::code_cache("ext:deno_node/http2.ts").is_some());
            assert_eq!(instance.shared.loader.rejected.get(), 0);
            instance.shutdown();
        });
        let _ = std::fs::remove_dir_all(folder);
    }
}
