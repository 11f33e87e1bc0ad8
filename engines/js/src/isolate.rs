//! The start of V8 from a snapshot, with Deno's runtime around it and our prelude inside.

use crate::{
    addons::Addons,
    certificates,
    compile::op_trine_compile_function,
    exits,
    host::Host,
    loader::{Loader, NodeServices, op_trine_require_real_path, op_trine_require_stat},
    memory::Memory,
    options::NodeOptions,
    stack::{self, Sources},
    threads::Threads,
    typescript::{op_trine_require_package_imports_resolve, op_trine_require_try_self},
    wakers::Awaited,
};
use deno_error::JsErrorBox;
use deno_resolver::npm::{DenoInNpmPackageChecker, NpmResolver};
use deno_runtime::{
    BootstrapOptions, FeatureChecker, UNSTABLE_FEATURES,
    deno_core::{
        Extension, JsRuntime, ModuleSpecifier, OpDecl,
        error::{CoreError, JsError},
        v8,
    },
    deno_fs::RealFs,
    deno_permissions::PermissionsContainer,
    worker::{MainWorker, WorkerOptions, WorkerServiceOptions},
};
use std::{
    cell::Cell,
    mem::ManuallyDrop,
    rc::Rc,
    sync::{Arc, OnceLock},
};
use sys_traits::impls::RealSys;
use trine_engine::{Error, LogSettings, Result};

/// The alignment that V8 wants code caches to have: it copies those that lack it.
#[repr(align(8))]
struct Aligned<T: ?Sized>(T);

/// Sources of extensions that a snapshot does not contain.
mod texts {
    include!(concat!(env!("OUT_DIR"), "/texts.rs"));
}

const fn text(bytes: &'static [u8]) -> &'static str {
    // SAFETY: the build script writes ASCII only.
    unsafe { str::from_utf8_unchecked(bytes) }
}

mod web {
    pub(super) static SNAPSHOT: &[u8] =
        include_bytes!(concat!(env!("OUT_DIR"), "/web/snapshot.bin"));
    include!(concat!(env!("OUT_DIR"), "/web/residual.rs"));
    static CODE_CACHE: &super::Aligned<[u8]> =
        &super::Aligned(*include_bytes!(concat!(env!("OUT_DIR"), "/web/code_cache.bin")));
    include!(concat!(env!("OUT_DIR"), "/web/code_cache.rs"));
    pub(super) fn code_cache(specifier: &str) -> Option<&'static [u8]> {
        super::find_code_cache(CACHES, &CODE_CACHE.0, specifier)
    }
}

mod node {
    pub(super) static SNAPSHOT: &[u8] =
        include_bytes!(concat!(env!("OUT_DIR"), "/node/snapshot.bin"));
    include!(concat!(env!("OUT_DIR"), "/node/residual.rs"));
    static CODE_CACHE: &super::Aligned<[u8]> =
        &super::Aligned(*include_bytes!(concat!(env!("OUT_DIR"), "/node/code_cache.bin")));
    include!(concat!(env!("OUT_DIR"), "/node/code_cache.rs"));
    pub(super) fn code_cache(specifier: &str) -> Option<&'static [u8]> {
        super::find_code_cache(CACHES, &CODE_CACHE.0, specifier)
    }
}

/// Puts operations of ours in the place of Deno's.
fn replace_op(op: OpDecl) -> OpDecl {
    match op.name {
        "op_compile_function" => op.with_implementation_from(&op_trine_compile_function()),
        "op_require_real_path" => op.with_implementation_from(&op_trine_require_real_path()),
        "op_require_stat" => op.with_implementation_from(&op_trine_require_stat()),
        "op_require_package_imports_resolve" => {
            op.with_implementation_from(&op_trine_require_package_imports_resolve())
        }
        "op_require_try_self" => op.with_implementation_from(&op_trine_require_try_self()),
        _ => exits::trap(op),
    }
}

include!("../build/extensions.rs");
prelude_extensions!(middleware = replace_op,);

/// The choice of the snapshot that an isolate starts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Snapshot {
    /// The one with Web APIs only; Node's modules are loaded on demand.
    Web,
    /// The one with those of Node's modules that a CommonJS handler touches.
    Node,
}

static CHOSEN: OnceLock<Snapshot> = OnceLock::new();

/// Returns V8's code cache of an extension source that the process's snapshot does not contain.
pub(crate) fn code_cache(specifier: &str) -> Option<&'static [u8]> {
    match Snapshot::chosen()? {
        Snapshot::Web => web::code_cache(specifier),
        Snapshot::Node => node::code_cache(specifier),
    }
}

fn find_code_cache(
    caches: &[(&str, usize, usize)],
    bytes: &'static [u8],
    specifier: &str,
) -> Option<&'static [u8]> {
    let place = caches.binary_search_by_key(&specifier, |(name, ..)| name).ok()?;
    let (_, offset, length) = caches[place];
    bytes.get(offset..offset + length)
}

impl Snapshot {
    /// Returns the snapshot that was chosen.
    pub(crate) fn chosen() -> Option<Self> {
        CHOSEN.get().copied()
    }

    /// Returns an id that differs between builds: V8 rejects code caches that belong to another snapshot.
    pub(crate) fn id(self) -> u64 {
        match self {
            Self::Web => web::ID,
            Self::Node => node::ID,
        }
    }

    /// Returns the snapshot that this process starts isolates from. The first one asked for stays: V8 shares the
    /// read-only part of its heap between all isolates of a process, and the two snapshots differ there.
    pub(crate) fn of_process(choose: impl FnOnce() -> Self) -> Self {
        *CHOSEN.get_or_init(choose)
    }
}

/// The script that imports modules for the prelude; a relative import of its own refers to the working directory.
pub(crate) const IMPORT_SCRIPT: &str = "ext:trine_prelude/import.js";
const IMPORT: &str = "(url) => import(url)";

/// A started isolate and the prelude's functions in it. V8 code runs in it through [`Isolate::enter`] only.
pub(crate) struct Isolate {
    worker: ManuallyDrop<MainWorker>,
    prelude: Prelude,
    awaited: Rc<Awaited>,
    /// The memory, which must outlive the worker that calls back to it.
    _memory: Option<Arc<Memory>>,
}

/// An isolate that is this thread's current one during this value's life.
pub(crate) struct Entered<'a> {
    isolate: &'a mut Isolate,
    _depth: Depth,
}

/// A counter of the isolates in use on this thread, one below the other.
struct Depth;

thread_local! {
    /// Number of isolates in use, one below the other.
    static IN_USE: Cell<usize> = const { Cell::new(0) };
    /// The isolate that was left entered when no other was in use any more: mostly it is the next one, too.
    static IDLE: Cell<Option<v8::UnsafeRawIsolatePtr>> = const { Cell::new(None) };
}

/// The prelude's functions.
pub(crate) struct Prelude {
    pub(crate) load: v8::Global<v8::Function>,
    pub(crate) invoke: v8::Global<v8::Function>,
    pub(crate) again: v8::Global<v8::Function>,
    pub(crate) serve: v8::Global<v8::Function>,
    pub(crate) hear_of_body: v8::Global<v8::Function>,
    pub(crate) no_server: v8::Global<v8::Function>,
    pub(crate) wrap: v8::Global<v8::Function>,
    pub(crate) warn: v8::Global<v8::Function>,
    pub(crate) idle: v8::Global<v8::Function>,
    pub(crate) go_on: v8::Global<v8::Function>,
    pub(crate) hear_of_reader: v8::Global<v8::Function>,
    pub(crate) adopt: v8::Global<v8::Function>,
    pub(crate) stringify: v8::Global<v8::Function>,
    pub(crate) stringify_plain: v8::Global<v8::Function>,
    pub(crate) program_end: v8::Global<v8::Function>,
    pub(crate) before_exit: v8::Global<v8::Function>,
    pub(crate) exit: v8::Global<v8::Function>,
    pub(crate) has_work: v8::Global<v8::Function>,
    pub(crate) before_snapshot: v8::Global<v8::Function>,
    pub(crate) after_restore: v8::Global<v8::Function>,
}

impl Isolate {
    /// Starts an isolate on this thread.
    #[allow(
        clippy::too_many_arguments,
        reason = "all of them are needed, and this is their only list"
    )]
    pub(crate) fn start(
        snapshot: Snapshot,
        host: &Rc<Host>,
        loader: Rc<Loader>,
        services: NodeServices,
        memory: Option<Arc<Memory>>,
        threads: &Arc<Threads>,
        awaited: Rc<Awaited>,
        permissions: PermissionsContainer,
    ) -> Result<Self> {
        let create_params = memory.as_ref().map(Memory::create_params);
        let typescript = loader.typescript.clone();
        let sources = loader.sources.clone();
        let modules = loader.clone();
        let bootstrap = bootstrap_options();
        let log = &host.environment.log;
        let mut worker = start_worker(
            snapshot,
            loader,
            services,
            create_params,
            threads,
            bootstrap,
            log,
            permissions,
        )?;
        {
            let state = worker.js_runtime.op_state();
            let mut state = state.borrow_mut();
            state.put(host.clone());
            state.put(threads.clone());
            state.put(modules);
            state.put(typescript);
            state.put(threads.variables.clone());
        }
        let handle = worker.js_runtime.v8_isolate().thread_safe_handle();
        if let Some(memory) = &memory {
            memory.watch(worker.js_runtime.v8_isolate());
        }
        host.watch(handle);
        let import = worker
            .execute_script(IMPORT_SCRIPT, IMPORT.to_owned().into())
            .map_err(|error| Error::internal(format!("the prelude does not run: {error}")))?;
        let (prelude, prepare_stack) = start_prelude(&mut worker, host, &import)
            .ok_or_else(|| Error::internal("the prelude does not start"))?;
        stack::install(worker.js_runtime.v8_isolate(), sources, prepare_stack);
        // SAFETY: V8's bindings leave an isolate entered when they have made it, and nothing was entered since.
        unsafe { worker.js_runtime.v8_isolate().exit() };
        Ok(Self { worker: ManuallyDrop::new(worker), prelude, awaited, _memory: memory })
    }

    /// Makes this the thread's current isolate. A thread may have several: V8 finds the one that it works for in a
    /// thread-local variable, and exits them only in the reverse order of entering.
    pub(crate) fn enter(&mut self) -> Entered<'_> {
        make_current(self.worker.js_runtime.v8_isolate());
        Entered { isolate: self, _depth: Depth::new() }
    }
}

impl Drop for Isolate {
    fn drop(&mut self) {
        make_current(self.worker.js_runtime.v8_isolate());
        // SAFETY: the worker is dropped here only. Its own drop exits the isolate, which is the current one.
        unsafe { ManuallyDrop::drop(&mut self.worker) };
    }
}

/// Enters an isolate, unless it is entered and idle; another idle isolate is exited first.
fn make_current(isolate: &v8::Isolate) {
    // SAFETY: isolates stay on the thread that made them. The idle one was entered last, as nothing is in use
    // then, and it lives: its drop passes here first. Every other one is exited when its use ends, and uses end in the
    // reverse order, for they are locals of calls. A raw pointer is V8's own, wherever ours are moved to.
    unsafe {
        if let Some(idle) = IDLE.take() {
            let idle = v8::Isolate::from_raw_isolate_ptr(idle);
            if address(&idle) == address(isolate) {
                return;
            }
            idle.exit();
        }
        isolate.enter();
    }
}

/// Returns the address where V8 keeps an isolate.
fn address(isolate: &v8::Isolate) -> usize {
    // SAFETY: the pointer is a `repr(transparent)` wrapper of a plain one.
    unsafe { std::mem::transmute::<v8::UnsafeRawIsolatePtr, usize>(isolate.as_raw_isolate_ptr()) }
}

impl Depth {
    fn new() -> Self {
        IN_USE.set(IN_USE.get() + 1);
        Self
    }
}

impl Drop for Depth {
    fn drop(&mut self) {
        IN_USE.set(IN_USE.get() - 1);
    }
}

impl Entered<'_> {
    /// Returns the runtime around the isolate.
    pub(crate) fn runtime(&mut self) -> &mut JsRuntime {
        &mut self.isolate.worker.js_runtime
    }

    /// Returns the runtime, and the prelude's functions in it.
    pub(crate) fn parts(&mut self) -> (&mut JsRuntime, &Prelude) {
        (&mut self.isolate.worker.js_runtime, &self.isolate.prelude)
    }
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        let Isolate { worker, awaited, .. } = &mut *self.isolate;
        awaited.wake_settled(worker.js_runtime.v8_isolate());
        let isolate: &v8::Isolate = self.isolate.worker.js_runtime.v8_isolate();
        if IN_USE.get() > 1 {
            // SAFETY: entered by `make_current`; whatever was entered later has been exited.
            unsafe { isolate.exit() };
        } else {
            // SAFETY: only `make_current` uses the pointer, while the isolate lives.
            IDLE.set(Some(unsafe { isolate.as_raw_isolate_ptr() }));
        }
    }
}

/// Starts V8 and Deno's runtime, without the prelude.
#[allow(clippy::too_many_arguments, reason = "all of them are needed, and this is their only list")]
pub(crate) fn start_worker(
    snapshot: Snapshot,
    loader: Rc<Loader>,
    services: NodeServices,
    create_params: Option<v8::CreateParams>,
    threads: &Arc<Threads>,
    bootstrap: BootstrapOptions,
    log: &LogSettings,
    permissions: PermissionsContainer,
) -> Result<MainWorker> {
    let main = ModuleSpecifier::parse("file:///trine").expect("a constant URL parses");
    let services = WorkerServiceOptions::<DenoInNpmPackageChecker, NpmResolver<RealSys>, RealSys> {
        blob_store: threads.stores.blobs.clone(),
        broadcast_channel: threads.stores.channels.clone(),
        deno_rt_native_addon_loader: Some(Arc::new(Addons)),
        feature_checker: Arc::new(FeatureChecker::default()),
        fs: Arc::new(RealFs),
        module_loader: loader,
        node_services: Some(services),
        npm_process_state_provider: None,
        permissions,
        root_cert_store_provider: certificates::provider(log),
        fetch_dns_resolver: Default::default(),
        shared_array_buffer_store: Some(threads.stores.buffers.clone()),
        compiled_wasm_module_store: Some(threads.stores.wasm.clone()),
        v8_code_cache: None,
        bundle_provider: None,
    };
    let parts = parts(snapshot);
    Ok(MainWorker::bootstrap_from_options(
        &main,
        services,
        WorkerOptions {
            startup_snapshot: Some(parts.snapshot),
            residual_lazy_js_sources: parts.scripts,
            residual_lazy_esm_sources: parts.modules,
            extensions: parts.extensions,
            create_web_worker_cb: threads.creator(snapshot, None),
            format_js_error_fn: Some(threads.error_keeper()),
            create_params,
            skip_op_registration: true,
            bootstrap,
            ..WorkerOptions::default()
        },
    ))
}

/// The sources of extensions that a snapshot does not contain: specifier and text.
type Residual = &'static [(&'static str, &'static str)];

/// The parts that an isolate starts from.
pub(crate) struct Parts {
    pub(crate) snapshot: &'static [u8],
    pub(crate) scripts: Residual,
    pub(crate) modules: Residual,
    pub(crate) extensions: Vec<Extension>,
}

pub(crate) fn parts(snapshot: Snapshot) -> Parts {
    match snapshot {
        Snapshot::Web => Parts {
            snapshot: web::SNAPSHOT,
            scripts: web::SCRIPTS,
            modules: web::MODULES,
            extensions: vec![trine_prelude::init()],
        },
        Snapshot::Node => Parts {
            snapshot: node::SNAPSHOT,
            scripts: node::SCRIPTS,
            modules: node::MODULES,
            extensions: vec![trine_prelude::init(), trine_node_prelude::init()],
        },
    }
}

pub(crate) fn bootstrap_options() -> BootstrapOptions {
    BootstrapOptions {
        has_node_modules_dir: true,
        argv0: Some("node".to_owned()),
        user_agent: concat!("trine/", env!("CARGO_PKG_VERSION")).to_owned(),
        // Without it Deno makes `__proto__` of every object undefined, which packages read and set.
        unstable_features: UNSTABLE_FEATURES
            .iter()
            .filter(|feature| feature.name == "unsafe-proto")
            .map(|feature| feature.id)
            .collect(),
        ..BootstrapOptions::default()
    }
}

fn start_prelude(
    worker: &mut MainWorker,
    host: &Host,
    import: &v8::Global<v8::Value>,
) -> Option<(Prelude, v8::Global<v8::Function>)> {
    deno_runtime::deno_core::scope!(scope, &mut worker.js_runtime);
    let import = v8::Local::new(scope, import);
    let functions = call_start(scope, host, import, false)?;
    let mut take = |name: &str| take_function(scope, functions, name);
    let prelude = Prelude {
        load: take("load")?,
        invoke: take("invoke")?,
        again: take("again")?,
        serve: take("serve")?,
        hear_of_body: take("hearOfBody")?,
        no_server: take("noServer")?,
        wrap: take("wrap")?,
        warn: take("warn")?,
        idle: take("idle")?,
        go_on: take("goOn")?,
        hear_of_reader: take("hearOfReader")?,
        adopt: take("adopt")?,
        stringify: take("stringify")?,
        stringify_plain: take("stringifyPlain")?,
        program_end: take("programEnd")?,
        before_exit: take("beforeExit")?,
        exit: take("exit")?,
        has_work: take("hasWork")?,
        before_snapshot: take("beforeSnapshot")?,
        after_restore: take("afterRestore")?,
    };
    Some((prelude, take("prepareStack")?))
}

/// The prelude's functions for a process that was started as Node.
pub(crate) struct InterpreterPrelude {
    pub(crate) interpret: v8::Global<v8::Function>,
    pub(crate) fail: v8::Global<v8::Function>,
}

/// Starts the prelude of such a process.
pub(crate) fn start_interpreter_prelude(
    runtime: &mut JsRuntime,
    host: &Host,
    sources: Rc<Sources>,
) -> std::result::Result<InterpreterPrelude, CoreError> {
    let import = runtime.execute_script(IMPORT_SCRIPT, IMPORT)?;
    let (prelude, prepare_stack) = start_interpreter(runtime, host, &import)?;
    stack::install(runtime.v8_isolate(), sources, prepare_stack);
    Ok(prelude)
}

fn start_interpreter(
    runtime: &mut JsRuntime,
    host: &Host,
    import: &v8::Global<v8::Value>,
) -> std::result::Result<(InterpreterPrelude, v8::Global<v8::Function>), CoreError> {
    deno_runtime::deno_core::scope!(scope, runtime);
    v8::tc_scope!(let scope, scope);
    let import = v8::Local::new(scope, import);
    let mut start = || {
        let functions = call_start(scope, host, import, false)?;
        let interpret = take_function(scope, functions, "interpret")?;
        let fail = take_function(scope, functions, "fail")?;
        let prepare_stack = take_function(scope, functions, "prepareStack")?;
        Some((InterpreterPrelude { interpret, fail }, prepare_stack))
    };
    match (start(), scope.exception()) {
        (Some(started), _) => Ok(started),
        (None, Some(thrown)) => Err(JsError::from_v8_exception(scope, thrown).into()),
        (None, None) => Err(JsErrorBox::generic("the prelude does not start").into()),
    }
}

/// Starts the prelude of a worker thread, which only V8 calls into.
pub(crate) fn start_thread_prelude(runtime: &mut JsRuntime, host: &Host, sources: Rc<Sources>) {
    let imports = !NodeOptions::of_process().imports.is_empty();
    let import =
        imports.then(|| runtime.execute_script(IMPORT_SCRIPT, IMPORT)).and_then(Result::ok);
    let prepare_stack = {
        deno_runtime::deno_core::scope!(scope, runtime);
        let import = match import {
            Some(import) => v8::Local::new(scope, import),
            None => v8::undefined(scope).into(),
        };
        let functions = call_start(scope, host, import, true);
        functions.and_then(|functions| take_function(scope, functions, "prepareStack"))
    };
    if let Some(prepare_stack) = prepare_stack {
        stack::install(runtime.v8_isolate(), sources, prepare_stack);
    }
}

/// Takes one of the functions that the prelude's start has returned.
fn take_function<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    functions: v8::Local<'s, v8::Value>,
    name: &str,
) -> Option<v8::Global<v8::Function>> {
    let functions = functions.to_object(scope)?;
    let key = v8::String::new(scope, name)?;
    let function: v8::Local<'_, v8::Function> =
        functions.get(scope, key.into())?.try_into().ok()?;
    Some(v8::Global::new(scope, function))
}

/// Calls the prelude's start, and removes it.
fn call_start<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    host: &Host,
    import: v8::Local<'s, v8::Value>,
    is_thread: bool,
) -> Option<v8::Local<'s, v8::Value>> {
    let global = scope.get_current_context().global(scope);
    let key = v8::String::new(scope, "__trineStart")?;
    let start: v8::Local<'_, v8::Function> = global.get(scope, key.into())?.try_into().ok()?;
    global.delete(scope, key.into());
    let given = host.object(scope, import).into();
    let is_thread = v8::Boolean::new(scope, is_thread).into();
    let undefined = v8::undefined(scope).into();
    start.call(scope, undefined, &[given, is_thread])
}
