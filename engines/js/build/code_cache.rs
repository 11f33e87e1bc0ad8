//! The compilation, ahead of time, of the extension sources that a snapshot does not contain: V8 takes its code cache
//! of such a text instead of parsing it, which is most of the cost of loading one of Node's modules.
//!
//! V8 accepts a code cache only with the flags and the snapshot that it was made with. So each one is made by a process
//! of its own, with those that an isolate will start with; the process that makes snapshots has others.

use deno_resolver::npm::{DenoInNpmPackageChecker, NpmResolver};
use deno_runtime::{
    BootstrapOptions, FeatureChecker,
    deno_core::{
        Extension, JsRuntime, ModuleSpecifier, NoopModuleLoader, extension, scope,
        v8::{
            self,
            script_compiler::{self, CompileOptions, NoCacheReason},
        },
    },
    deno_fs::RealFs,
    deno_permissions::PermissionsContainer,
    deno_web::BlobStore,
    permissions::RuntimePermissionDescriptorParser,
    tokio_util::create_basic_runtime,
    worker::{MainWorker, WorkerOptions, WorkerServiceOptions},
};
use std::{
    env,
    fmt::Write as _,
    fs,
    hash::{DefaultHasher, Hasher as _},
    path::Path,
    process::Command,
    rc::Rc,
    sync::Arc,
};
use sys_traits::impls::RealSys;

/// The form of an extension source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Script,
    Module,
}

/// An extension source that is not in the snapshot.
pub(crate) struct Source {
    pub(crate) kind: Kind,
    pub(crate) specifier: String,
    pub(crate) text: String,
}

// Gives scripts of this process what only extensions have.
extension!(
    trine_build,
    esm_entry_point = "ext:trine_build/core.js",
    esm = ["ext:trine_build/core.js" =
        { source = "import { core } from 'ext:core/mod.js'; globalThis.core = core;" }],
);

/// The variable that names the snapshot whose code cache this process is to make.
const TASK: &str = "TRINE_MAKE_CODE_CACHE";

/// A script that reveals the object that extensions' scripts get when they run.
const PROBE: (&str, &str) = (
    "ext:trine_build/bootstrap.js",
    "\"use strict\"; return ((function () { return __bootstrap; })());",
);

/// Returns the snapshot's name, in the process that is to make its code cache.
pub(crate) fn task() -> Option<String> {
    env::var(TASK).ok()
}

/// Starts another process to make the code cache of this snapshot.
pub(crate) fn order(name: &str) {
    let program = env::current_exe().expect("a build script has a path");
    let status = Command::new(program).env(TASK, name).status().expect("a build script starts");
    assert!(status.success(), "the code cache of the {name} snapshot could not be made: {status}");
}

/// Writes `code_cache.bin`, the code caches one after the other, each at a multiple of eight bytes as V8 wants it, and
/// `code_cache.rs`, which lists their positions.
pub(crate) fn make(dir: &Path, extensions: Vec<Extension>, sources: Vec<Source>) {
    trine_v8::start("");
    let tokio = create_basic_runtime();
    let _guard = tokio.enter();
    let mut worker = start(dir, extensions, &sources);
    let mut hasher = DefaultHasher::new();
    hasher.write(&fs::read(dir.join("snapshot.bin")).expect("the snapshot has been made"));
    let id = hasher.finish();
    let mut blob = Vec::new();
    let mut table = String::new();
    for source in &sources {
        let Some(cache) = compile(&mut worker.js_runtime, source) else { continue };
        writeln!(table, "    ({:?}, {}, {}),", source.specifier, blob.len(), cache.len())
            .expect("writing to a string never fails");
        blob.extend_from_slice(&cache);
        blob.resize(blob.len().next_multiple_of(8), 0);
    }
    fs::write(dir.join("code_cache.bin"), blob).expect("OUT_DIR is writable");
    fs::write(
        dir.join("code_cache.rs"),
        format!(
            "/// Tells this snapshot from those of other builds.\n\
             pub(super) const ID: u64 = {id};\n\
             /// Where the code caches of extension sources lie: specifier, offset, length.\n\
             pub(super) static CACHES: &[(&str, usize, usize)] = &[\n{table}];\n"
        ),
    )
    .expect("OUT_DIR is writable");
}

fn start(dir: &Path, mut extensions: Vec<Extension>, sources: &[Source]) -> MainWorker {
    extensions.push(trine_build::init());
    let snapshot = fs::read(dir.join("snapshot.bin")).expect("the snapshot has been made");
    let table = |kind: Kind| {
        let texts = sources.iter().filter(|source| source.kind == kind);
        let texts = texts.map(|source| (source.specifier.clone(), source.text.clone()));
        let mut texts: Vec<(&'static str, &'static str)> =
            texts.map(|(name, text)| (&*name.leak(), &*text.leak())).collect();
        texts.push(PROBE);
        &*texts.leak()
    };
    let main = ModuleSpecifier::parse("file:///trine").expect("a constant URL parses");
    let parser = Arc::new(RuntimePermissionDescriptorParser::new(RealSys));
    let services = WorkerServiceOptions::<DenoInNpmPackageChecker, NpmResolver<RealSys>, RealSys> {
        blob_store: Arc::new(BlobStore::default()),
        broadcast_channel: Default::default(),
        deno_rt_native_addon_loader: None,
        feature_checker: Arc::new(FeatureChecker::default()),
        fs: Arc::new(RealFs),
        module_loader: Rc::new(NoopModuleLoader),
        node_services: None,
        npm_process_state_provider: None,
        permissions: PermissionsContainer::allow_all(parser),
        root_cert_store_provider: None,
        fetch_dns_resolver: Default::default(),
        shared_array_buffer_store: None,
        compiled_wasm_module_store: None,
        v8_code_cache: None,
        bundle_provider: None,
    };
    MainWorker::bootstrap_from_options(
        &main,
        services,
        WorkerOptions {
            startup_snapshot: Some(snapshot.leak()),
            residual_lazy_js_sources: table(Kind::Script),
            residual_lazy_esm_sources: table(Kind::Module),
            extensions,
            skip_op_registration: true,
            bootstrap: BootstrapOptions { has_node_modules_dir: true, ..Default::default() },
            ..WorkerOptions::default()
        },
    )
}

/// Makes the code cache of a source: of all code that runs when it is loaded, so that none is compiled later. Functions
/// that do not run then stay uncompiled, for V8 reads a code cache from end to end.
fn compile(runtime: &mut JsRuntime, source: &Source) -> Option<Vec<u8>> {
    scope!(scope, runtime);
    v8::tc_scope!(let scope, scope);
    let name = v8::String::new(scope, &source.specifier)?;
    let text = v8::String::new(scope, &source.text)?;
    let is_module = source.kind == Kind::Module;
    let origin = v8::ScriptOrigin::new(
        scope,
        name.into(),
        0,
        0,
        false,
        -1,
        None,
        false,
        false,
        is_module,
        None,
    );
    // This also loads its dependencies, each of them only once.
    let load = match source.kind {
        Kind::Script => format!("core.loadExtScript({:?})", source.specifier),
        Kind::Module => format!("core.createLazyLoader({:?})()", source.specifier),
    };
    let loaded = run(scope, &load).is_some();
    scope.reset();
    let mut compiled = script_compiler::Source::new(text, Some(&origin));
    if is_module {
        let module = script_compiler::compile_module2(
            scope,
            &mut compiled,
            CompileOptions::NoCompileOptions,
            NoCacheReason::NoReason,
        )?;
        let cache = module.get_unbound_module_script(scope).create_code_cache()?;
        return Some(cache.to_vec());
    }
    let parameter = v8::String::new(scope, "__bootstrap")?;
    let function = script_compiler::compile_function(
        scope,
        &mut compiled,
        &[parameter],
        &[],
        CompileOptions::NoCompileOptions,
        NoCacheReason::NoReason,
    )?;
    let bootstrap = run(scope, &format!("core.loadExtScript({:?})", PROBE.0))?;
    let undefined = v8::undefined(scope).into();
    // A second evaluation may fail: then the code cache contains less.
    if loaded && function.call(scope, undefined, &[bootstrap]).is_none() {
        scope.reset();
    }
    Some(function.create_code_cache()?.to_vec())
}

/// Evaluates an expression that uses `core`.
fn run<'s>(scope: &mut v8::PinScope<'s, '_>, expression: &str) -> Option<v8::Local<'s, v8::Value>> {
    let code = v8::String::new(scope, expression)?;
    v8::Script::compile(scope, code, None)?.run(scope)
}
