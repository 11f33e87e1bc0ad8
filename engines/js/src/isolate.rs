//! Starts V8 from a snapshot, with Deno's runtime around it and our prelude inside.

use crate::{
    host::Host,
    loader::{Loader, NodeServices},
};
use deno_resolver::npm::{DenoInNpmPackageChecker, NpmResolver};
use deno_runtime::{
    BootstrapOptions, FeatureChecker,
    deno_core::{ModuleSpecifier, v8},
    deno_fs::RealFs,
    deno_permissions::PermissionsContainer,
    deno_web::BlobStore,
    permissions::RuntimePermissionDescriptorParser,
    worker::{MainWorker, WorkerOptions, WorkerServiceOptions},
};
use std::{
    rc::Rc,
    sync::{Arc, OnceLock},
};
use sys_traits::impls::RealSys;
use trine_engine::{Error, Result};

mod web {
    pub(super) static SNAPSHOT: &[u8] =
        include_bytes!(concat!(env!("OUT_DIR"), "/web/snapshot.bin"));
    include!(concat!(env!("OUT_DIR"), "/web/residual.rs"));
}

mod node {
    pub(super) static SNAPSHOT: &[u8] =
        include_bytes!(concat!(env!("OUT_DIR"), "/node/snapshot.bin"));
    include!(concat!(env!("OUT_DIR"), "/node/residual.rs"));
}

deno_runtime::deno_core::extension!(
    trine_prelude,
    esm_entry_point = "ext:trine_prelude/web.js",
    esm = [dir "src/prelude", "web.js", "invoke.js", "console.js", "errors.js", "context.js"],
);

deno_runtime::deno_core::extension!(
    trine_node_prelude,
    esm_entry_point = "ext:trine_node_prelude/node.js",
    esm = [dir "src/prelude", "node.js"],
);

/// Which of the two snapshots an isolate starts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Snapshot {
    /// Web APIs only; Node's modules are loaded when they are asked for.
    Web,
    /// With those of Node's modules that a CommonJS handler touches.
    Node,
}

impl Snapshot {
    /// The snapshot that this process starts isolates from. The first one asked for stays: V8 shares the read-only part
    /// of its heap between all isolates of a process, and the two snapshots differ there.
    pub(crate) fn of_process(choose: impl FnOnce() -> Self) -> Self {
        static CHOSEN: OnceLock<Snapshot> = OnceLock::new();
        *CHOSEN.get_or_init(choose)
    }
}

/// A started isolate and the prelude's functions in it.
pub(crate) struct Isolate {
    pub(crate) worker: MainWorker,
    pub(crate) prelude: Prelude,
}

/// The prelude's functions.
pub(crate) struct Prelude {
    pub(crate) load: v8::Global<v8::Function>,
    pub(crate) invoke: v8::Global<v8::Function>,
    pub(crate) idle: v8::Global<v8::Function>,
    pub(crate) stringify: v8::Global<v8::Function>,
    pub(crate) has_work: v8::Global<v8::Function>,
}

impl Isolate {
    /// Starts an isolate on this thread.
    pub(crate) fn start(
        snapshot: Snapshot,
        host: &Rc<Host>,
        loader: Rc<Loader>,
        services: NodeServices,
    ) -> Result<Self> {
        let mut worker = start_worker(snapshot, loader, services)?;
        worker.js_runtime.op_state().borrow_mut().put(host.clone());
        let import = worker
            .execute_script("ext:trine_prelude/import.js", "(url) => import(url)".to_owned().into())
            .map_err(|error| Error::internal(format!("the prelude does not run: {error}")))?;
        let prelude = start_prelude(&mut worker, host, &import)
            .ok_or_else(|| Error::internal("the prelude does not start"))?;
        Ok(Self { worker, prelude })
    }
}

fn start_worker(
    snapshot: Snapshot,
    loader: Rc<Loader>,
    services: NodeServices,
) -> Result<MainWorker> {
    let main = ModuleSpecifier::parse("file:///trine").expect("a constant URL parses");
    let parser = Arc::new(RuntimePermissionDescriptorParser::new(RealSys));
    let services = WorkerServiceOptions::<DenoInNpmPackageChecker, NpmResolver<RealSys>, RealSys> {
        blob_store: Arc::new(BlobStore::default()),
        broadcast_channel: Default::default(),
        deno_rt_native_addon_loader: None,
        feature_checker: Arc::new(FeatureChecker::default()),
        fs: Arc::new(RealFs),
        module_loader: loader,
        node_services: Some(services),
        npm_process_state_provider: None,
        permissions: PermissionsContainer::allow_all(parser),
        root_cert_store_provider: None,
        fetch_dns_resolver: Default::default(),
        shared_array_buffer_store: None,
        compiled_wasm_module_store: None,
        v8_code_cache: None,
        bundle_provider: None,
    };
    let (blob, scripts, modules, extensions) = match snapshot {
        Snapshot::Web => (web::SNAPSHOT, web::SCRIPTS, web::MODULES, vec![trine_prelude::init()]),
        Snapshot::Node => (
            node::SNAPSHOT,
            node::SCRIPTS,
            node::MODULES,
            vec![trine_prelude::init(), trine_node_prelude::init()],
        ),
    };
    Ok(MainWorker::bootstrap_from_options(
        &main,
        services,
        WorkerOptions {
            startup_snapshot: Some(blob),
            residual_lazy_js_sources: scripts,
            residual_lazy_esm_sources: modules,
            extensions,
            skip_op_registration: true,
            bootstrap: BootstrapOptions {
                has_node_modules_dir: true,
                argv0: Some("node".to_owned()),
                user_agent: concat!("trine/", env!("CARGO_PKG_VERSION")).to_owned(),
                ..BootstrapOptions::default()
            },
            ..WorkerOptions::default()
        },
    ))
}

fn start_prelude(
    worker: &mut MainWorker,
    host: &Host,
    import: &v8::Global<v8::Value>,
) -> Option<Prelude> {
    deno_runtime::deno_core::scope!(scope, &mut worker.js_runtime);
    let global = scope.get_current_context().global(scope);
    let key = v8::String::new(scope, "__trineStart")?;
    let start: v8::Local<'_, v8::Function> = global.get(scope, key.into())?.try_into().ok()?;
    global.delete(scope, key.into());
    let import = v8::Local::new(scope, import);
    let given = host.object(scope, import);
    let undefined = v8::undefined(scope).into();
    let functions = start.call(scope, undefined, &[given.into()])?.to_object(scope)?;
    let take = |name: &str| {
        let key = v8::String::new(scope, name)?;
        let function: v8::Local<'_, v8::Function> =
            functions.get(scope, key.into())?.try_into().ok()?;
        Some(v8::Global::new(scope, function))
    };
    Some(Prelude {
        load: take("load")?,
        invoke: take("invoke")?,
        idle: take("idle")?,
        stringify: take("stringify")?,
        has_work: take("hasWork")?,
    })
}
