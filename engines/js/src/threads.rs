//! Worker threads that guests start (`node:worker_threads`, `Worker`): isolates of their own, each on a thread that
//! Deno's runtime makes for it.

use crate::{
    addons::Addons,
    certificates,
    flavour::Flavour,
    host::{Host, Mode, text_or_undefined},
    inspector::{self, Target},
    isolate::{self, Snapshot},
    loader::Loader,
    memory::Memory,
    permits,
    variables::Variables,
};
use deno_runtime::{
    FeatureChecker,
    deno_core::{CompiledWasmModuleStore, JsRuntime, OpState, SharedArrayBufferStore, op2, v8},
    deno_fs::RealFs,
    deno_inspector_server::MainInspectorSessionChannel,
    deno_web::{BlobStore, InMemoryBroadcastChannel},
    ops::worker_host::{CreateWebWorkerArgs, CreateWebWorkerCb, WorkersTable},
    web_worker::{
        SendableWebWorkerHandle, WebWorker, WebWorkerOptions, WebWorkerServiceOptions, WorkerId,
    },
    worker::FormatJsErrorFn,
};
use std::{
    cell::OnceCell,
    collections::HashMap,
    panic,
    path::{Path, PathBuf},
    rc::Weak,
    sync::{
        Arc, Mutex, MutexGuard, Once, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use trine_engine::{Access, Environment, Permits};

/// The stores that the threads of one instance share with its own isolate.
#[derive(Default, Clone)]
pub(crate) struct Stores {
    pub(crate) blobs: Arc<BlobStore>,
    pub(crate) channels: InMemoryBroadcastChannel,
    pub(crate) buffers: SharedArrayBufferStore,
    pub(crate) wasm: CompiledWasmModuleStore,
}

/// The worker threads of one instance, including those that worker threads have started.
pub(crate) struct Threads {
    environment: Environment,
    package_folders: Vec<PathBuf>,
    /// The environment as the instance and its threads see it. A thread that gets a copy keeps it in its own globals.
    pub(crate) variables: Variables,
    pub(crate) permits: permits::Shared,
    /// Purpose of their isolates.
    mode: Mode,
    pub(crate) stores: Stores,
    /// Whether the function is written for Deno.
    is_deno: AtomicBool,
    running: Mutex<Running>,
    /// The invocations that are starting threads, by the thread that runs them; `None` is that of the instance itself.
    starting: Mutex<HashMap<Option<WorkerId>, Starter>>,
    /// The errors that ended threads, until the starters of those threads have been informed.
    errors: Mutex<HashMap<u32, ThreadError>>,
}

/// The invocation for which a thread has been started.
pub(crate) struct Starter {
    pub(crate) request_id: String,
    pub(crate) tenant_id: Option<String>,
}

/// An error that ended a thread, with more details than Deno's runtime passes on.
struct ThreadError {
    name: Option<String>,
    message: String,
    stack: Option<String>,
}

#[derive(Default)]
struct Running {
    has_ended: bool,
    /// Whether the stopped threads are being watched.
    is_watched: bool,
    threads: HashMap<WorkerId, Arc<Thread>>,
}

struct Thread {
    id: WorkerId,
    /// The thread that has started it, if that was one of these.
    parent: Option<WorkerId>,
    isolate: v8::IsolateHandle,
    is_stopped: AtomicBool,
    /// What debuggers are attached to.
    target: Option<Arc<Target>>,
}

impl Thread {
    /// Stops the thread's code where it stands.
    fn stop(&self) {
        self.is_stopped.store(true, Ordering::Relaxed);
        self.isolate.terminate_execution();
        if let Some(target) = &self.target {
            target.interrupt();
        }
    }
}

/// The registration of a thread, which lies in the state of its isolate and ends with it.
struct Registered {
    threads: Arc<Threads>,
    id: WorkerId,
}

impl Drop for Registered {
    fn drop(&mut self) {
        let mut running = self.threads.running();
        running.threads.remove(&self.id);
        self.threads.stop_those(&mut running, |_, thread| thread.parent == Some(self.id));
    }
}

thread_local! {
    /// The guest's thread that runs here.
    static THIS: OnceCell<Arc<Thread>> = const { OnceCell::new() };
}

impl Threads {
    pub(crate) fn new(
        environment: Environment,
        package_folders: Vec<PathBuf>,
        mode: Mode,
    ) -> Arc<Self> {
        // What they name does not depend on the root.
        let permits = environment.permits(Path::new("/"));
        let narrows = |permits: &Permits| {
            [Access::Env, Access::Run].iter().any(|access| !permits.has_all(*access))
        };
        let permits = permits.filter(narrows);
        let is_own = environment.shares_process || !environment.variables.is_empty();
        let variables = match is_own || permits.is_some() {
            true => Variables::copied(&environment.variables, permits.as_ref()),
            false => Variables::Process,
        };
        let (permits, stores, is_deno, running, starting, errors) = Default::default();
        Arc::new(Self {
            environment,
            package_folders,
            variables,
            permits,
            mode,
            stores,
            is_deno,
            running,
            starting,
            errors,
        })
    }

    /// Makes threads that are started from now on belong to a function of this flavour.
    pub(crate) fn act_as(&self, flavour: Flavour) {
        self.is_deno.store(flavour == Flavour::Deno, Ordering::Relaxed);
    }

    /// Makes the callback that starts the isolate of a thread, which the instance's own isolate or another thread
    /// requests; it is called on the new thread.
    pub(crate) fn creator(
        self: &Arc<Self>,
        snapshot: Snapshot,
        parent: Option<WorkerId>,
    ) -> Arc<CreateWebWorkerCb> {
        let threads = self.clone();
        Arc::new(move |args| threads.start(snapshot, parent, args))
    }

    /// Makes the callback that keeps an error that ends a thread; it is called on that thread.
    pub(crate) fn error_keeper(self: &Arc<Self>) -> Arc<FormatJsErrorFn> {
        let threads = self.clone();
        Arc::new(move |error| {
            let id = THIS.with(|this| {
                let thread = this.get().filter(|thread| !thread.is_stopped.load(Ordering::Relaxed));
                thread.map(|thread| thread.id)
            });
            if let Some(id) = id {
                let kept = ThreadError {
                    name: error.name.clone(),
                    message: error
                        .message
                        .clone()
                        .unwrap_or_else(|| error.exception_message.clone()),
                    stack: error.stack.clone(),
                };
                threads.errors().insert(id.as_u32(), kept);
            }
            error.to_string()
        })
    }

    fn starting(&self) -> MutexGuard<'_, HashMap<Option<WorkerId>, Starter>> {
        self.starting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn errors(&self) -> MutexGuard<'_, HashMap<u32, ThreadError>> {
        self.errors.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stops all threads of an instance that ends. Their event loops end with its isolate, but running code would not.
    pub(crate) fn stop(self: &Arc<Self>) {
        let mut running = self.running();
        running.has_ended = true;
        self.stop_those(&mut running, |_, _| true);
    }

    fn stop_those(
        self: &Arc<Self>,
        running: &mut Running,
        which: impl Fn(WorkerId, &Thread) -> bool,
    ) {
        let mut any = false;
        for (_, thread) in running.threads.iter().filter(|(id, thread)| which(**id, thread)) {
            thread.stop();
            any = true;
        }
        if any {
            self.see_to_the_end(running);
        }
    }

    /// Makes sure that stopped threads do end: only the code of the moment is stopped, and an event loop that has not
    /// checked yet may run more of it.
    fn see_to_the_end(self: &Arc<Self>, running: &mut Running) {
        if running.is_watched {
            return;
        }
        let threads = self.clone();
        let watch = move || {
            let mut pause = Duration::from_millis(1);
            loop {
                std::thread::sleep(pause);
                pause = (2 * pause).min(Duration::from_millis(100));
                let mut running = threads.running();
                let stopped = |thread: &&Arc<Thread>| thread.is_stopped.load(Ordering::Relaxed);
                running.threads.values().filter(stopped).for_each(|thread| thread.stop());
                if !running.threads.values().any(|thread| stopped(&thread)) {
                    running.is_watched = false;
                    return;
                }
            }
        };
        let watcher = std::thread::Builder::new().name("trine-threads".to_owned());
        running.is_watched = watcher.spawn(watch).is_ok();
    }

    fn running(&self) -> MutexGuard<'_, Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the current thread one of these.
    fn register(
        self: &Arc<Self>,
        id: WorkerId,
        parent: Option<WorkerId>,
        isolate: v8::IsolateHandle,
        target: Option<Arc<Target>>,
    ) -> Registered {
        let is_stopped = AtomicBool::new(false);
        let thread = Arc::new(Thread { id, parent, isolate, is_stopped, target });
        let mut running = self.running();
        running.threads.insert(id, thread.clone());
        if running.has_ended {
            self.stop_those(&mut running, |its, _| its == id);
        }
        // A thread has one isolate only.
        let _ = THIS.with(|this| this.set(thread));
        Registered { threads: self.clone(), id }
    }

    fn start(
        self: &Arc<Self>,
        snapshot: Snapshot,
        parent: Option<WorkerId>,
        args: CreateWebWorkerArgs,
    ) -> (WebWorker, SendableWebWorkerHandle) {
        keep_quiet_about_stopped_threads();
        let (loader, node_services) = Loader::new(&self.package_folders);
        if let Some(permits) = self.permits.get() {
            let _ = loader.permits.set(permits.clone());
        }
        let typescript = loader.typescript.clone();
        let sources = loader.sources.clone();
        // Where nothing listens, the thread that started this one has been told.
        let listening = self.environment.debuggers.inspector.map(inspector::listen);
        let server = listening.and_then(Result::ok);
        let debugged = server.map(|server| server.register(false, &self.environment.log));
        if debugged.is_some() {
            loader.typescript.embed_maps();
        }
        let url = args.main_module.to_string();
        let (environment, folders) = (self.environment.clone(), self.package_folders.clone());
        let mode = self.mode.clone();
        let host = Host::new(environment, folders, loader.clone(), Weak::default(), mode);
        // Whoever starts a thread waits until this is done.
        if let Some(starter) = self.starting().remove(&parent) {
            let _ = host.starter.set(starter);
        }
        if self.is_deno.load(Ordering::Relaxed) {
            loader.flavour.set(Flavour::Deno);
            host.flavour.set(Flavour::Deno);
        }
        let asked = args.resource_limits.and_then(|limits| limits.max_old_generation_size_mb);
        let asked = asked.map(|megabytes| (megabytes as u64).saturating_mul(1 << 20));
        let limit = [asked, self.environment.memory_limit].into_iter().flatten().min();
        let memory = limit.map(Memory::new);
        let parts = isolate::parts(snapshot);
        let services = WebWorkerServiceOptions {
            blob_store: self.stores.blobs.clone(),
            broadcast_channel: self.stores.channels.clone(),
            deno_rt_native_addon_loader: Some(Arc::new(Addons)),
            compiled_wasm_module_store: Some(self.stores.wasm.clone()),
            feature_checker: Arc::new(FeatureChecker::default()),
            fs: Arc::new(RealFs),
            main_inspector_session_tx: MainInspectorSessionChannel::default(),
            module_loader: loader,
            node_services: Some(node_services),
            npm_process_state_provider: None,
            permissions: args.permissions,
            root_cert_store_provider: certificates::provider(&self.environment.log),
            shared_array_buffer_store: Some(self.stores.buffers.clone()),
            bundle_provider: None,
        };
        let mut bootstrap = isolate::bootstrap_options();
        bootstrap.location = Some(args.main_module.clone());
        bootstrap.close_on_idle = args.close_on_idle;
        let id = args.worker_id;
        let options = WebWorkerOptions {
            name: args.name,
            main_module: args.main_module,
            worker_id: id,
            bootstrap,
            extensions: parts.extensions,
            startup_snapshot: Some(parts.snapshot),
            residual_lazy_js_sources: parts.scripts,
            residual_lazy_esm_sources: parts.modules,
            unsafely_ignore_certificate_errors: None,
            create_params: memory.as_ref().map(Memory::create_params),
            seed: None,
            create_web_worker_cb: self.creator(snapshot, Some(id)),
            format_js_error_fn: Some(self.error_keeper()),
            worker_type: args.worker_type,
            cache_storage_dir: None,
            stdio: Default::default(),
            trace_ops: None,
            close_on_idle: args.close_on_idle,
            maybe_worker_metadata: args.maybe_worker_metadata,
            maybe_main_module_blob: args.maybe_main_module_blob,
            maybe_coverage_dir: None,
            maybe_cpu_prof_config: None,
            enable_raw_imports: false,
            enable_stack_trace_arg_in_ops: false,
            wait_for_debugger_on_start: false,
            wait_for_page_wait_for_debugger: false,
        };
        let (mut worker, handle) = WebWorker::bootstrap_from_options(services, options);
        let isolate = worker.js_runtime.v8_isolate().thread_safe_handle();
        if let Some(memory) = &memory {
            // The isolate's allocator keeps the memory alive.
            memory.watch(worker.js_runtime.v8_isolate());
            worker.oom_triggered = memory.crossed_flag();
        }
        host.watch(isolate.clone());
        {
            let state = worker.js_runtime.op_state();
            let mut state = state.borrow_mut();
            state.put(host.clone());
            state.put(self.clone());
            state.put(typescript);
            state.put(self.variables.clone());
            let target = debugged.as_ref().map(|(target, _)| target.clone());
            state.put(self.register(id, parent, isolate, target));
        }
        if let Some((target, registered)) = debugged {
            target.note_module(&url);
            target.started(worker.js_runtime.inspector().get_session_sender());
            worker.js_runtime.op_state().borrow_mut().put(registered);
        }
        isolate::start_thread_prelude(&mut worker.js_runtime, &host, sources);
        (worker, handle)
    }
}

/// Implements `worker.terminate()`. Deno's own stops a thread in its event loop; this one stops its code too.
#[op2]
pub(crate) fn op_trine_terminate_thread(state: &mut OpState, #[scoped] id: WorkerId) {
    // In this order: the end of the thread must not look like an error in its code.
    state.borrow_mut::<WorkersTable>().remove(&id);
    let threads = state.borrow::<Arc<Threads>>();
    threads.stop_those(&mut threads.running(), |its, _| its == id);
}

/// Implements `startsThread(requestId, tenantId)`: notes for which invocation, if any, the next thread is started from here.
pub(crate) fn starts_thread(
    scope: &mut v8::PinScope<'_, '_>,
    args: v8::FunctionCallbackArguments<'_>,
    _result: v8::ReturnValue<'_, v8::Value>,
) {
    let text = |value: v8::Local<'_, v8::Value>, scope: &mut v8::PinScope<'_, '_>| {
        value.is_string().then(|| value.to_rust_string_lossy(scope))
    };
    let request_id = text(args.get(0), scope);
    let tenant_id = text(args.get(1), scope);
    let threads = JsRuntime::op_state_from(scope).borrow().borrow::<Arc<Threads>>().clone();
    let here = THIS.with(|this| this.get().map(|thread| thread.id));
    match request_id {
        Some(request_id) => {
            threads.starting().insert(here, Starter { request_id, tenant_id });
        }
        None => {
            threads.starting().remove(&here);
        }
    }
}

/// Implements `threadError(id)`: name, message and stack of the error that ended a thread, once; undefined where there
/// was none, and for missing parts.
pub(crate) fn thread_error(
    scope: &mut v8::PinScope<'_, '_>,
    args: v8::FunctionCallbackArguments<'_>,
    mut result: v8::ReturnValue<'_, v8::Value>,
) {
    let id = args.get(0).uint32_value(scope).unwrap_or(0);
    let threads = JsRuntime::op_state_from(scope).borrow().borrow::<Arc<Threads>>().clone();
    let Some(error) = threads.errors().remove(&id) else { return };
    let members = [error.name.as_deref(), Some(&*error.message), error.stack.as_deref()]
        .map(|text| text_or_undefined(scope, text));
    result.set(v8::Array::new_with_elements(scope, &members).into());
}

/// Silences the panic of Deno's runtime where code is stopped while it loads one of Node's modules. A thread that is to
/// end may end like that, and nobody needs to see it.
fn keep_quiet_about_stopped_threads() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let tell = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            let is_stopped = |this: &OnceCell<Arc<Thread>>| {
                this.get().is_some_and(|thread| thread.is_stopped.load(Ordering::Relaxed))
            };
            if !THIS.try_with(is_stopped).unwrap_or(false) {
                tell(panic);
            }
        }));
    });
}
