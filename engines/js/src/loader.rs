//! The search for modules as in Node: `node_modules`, `exports` maps, CommonJS told from ES modules, and layers.

mod data;
mod failure;
mod layers;
mod require;

use crate::{
    code_cache::{Analyses, CodeCache},
    compile::Fresh,
    conditions,
    flavour::Flavour,
    isolate,
    packages::{Packages, Remembering},
    permits,
    stack::{GLUE, Sources},
    transpile::{Parser, syntax_problem},
    typescript::{self, TypeScript, is_typescript},
};
use deno_error::{JsErrorBox, JsErrorClass, PropertyValue};
use deno_maybe_sync::new_rc;
use deno_media_type::MediaType;
use deno_resolver::{
    cjs::{CjsTracker, CjsTrackerRc, IsCjsResolutionMode, analyzer::DenoCjsCodeAnalyzer},
    loader::{DenoNpmModuleLoader, LoadedModuleSource, NpmModuleLoader, RequestedModuleType},
    npm::{
        ByonmNpmResolverCreateOptions, CreateInNpmPkgCheckerOptions, DenoInNpmPackageChecker,
        NpmResolver, NpmResolverCreateOptions,
    },
};
use deno_runtime::{
    deno_core::{
        ModuleLoadOptions, ModuleLoadReferrer, ModuleLoadResponse, ModuleLoader, ModuleSource,
        ModuleSourceCode, ModuleSpecifier, ModuleType, RequestedModuleType as CoreModuleType,
        ResolutionKind, SourceCodeCacheInfo, v8,
    },
    deno_node::{NodeExtInitServices, NodeResolverRc},
};
use layers::layer_modules;
pub(crate) use layers::package_folders;
use node_resolver::{
    DenoIsBuiltInNodeModuleChecker, IsBuiltInNodeModuleChecker as _, NodeResolutionKind,
    NodeResolver, NodeResolverOptions, PackageJsonResolver, PackageJsonResolverRc, ResolutionMode,
    analyze::{CjsModuleExportAnalyzer, NodeCodeTranslator, NodeCodeTranslatorMode},
    cache::NodeResolutionSys,
    errors::NodeResolveError,
};
use require::{Files, RequireLoader};
pub(crate) use require::{op_trine_require_real_path, op_trine_require_stat};
use std::{
    borrow::Cow,
    cell::{Cell, OnceCell, RefCell},
    collections::HashMap,
    path::{Path, PathBuf},
    pin::Pin,
    rc::Rc,
    sync::Arc,
};
use sys_traits::impls::RealSys;
use trine_engine::Module;

pub(crate) type Resolver = NodeResolverRc<DenoInNpmPackageChecker, NpmResolver<RealSys>, RealSys>;
pub(crate) type Tracker = CjsTrackerRc<DenoInNpmPackageChecker, RealSys>;

/// The services that Deno's Node crates are handed.
pub(crate) type NodeServices =
    NodeExtInitServices<DenoInNpmPackageChecker, NpmResolver<RealSys>, RealSys>;

/// The parts that resolvers are made of.
struct Parts {
    checker: DenoInNpmPackageChecker,
    npm: NpmResolver<RealSys>,
    packages: PackageJsonResolverRc<RealSys>,
    sys: NodeResolutionSys<RealSys>,
}

impl Parts {
    fn resolver(&self, flavour: Flavour) -> Resolver {
        new_rc(NodeResolver::new(
            self.checker.clone(),
            DenoIsBuiltInNodeModuleChecker,
            self.npm.clone(),
            self.packages.clone(),
            self.sys.clone(),
            NodeResolverOptions { conditions: conditions::of(flavour), ..Default::default() },
        ))
    }
}

/// The loader of modules from the file system by Node's rules.
pub(crate) struct Loader {
    resolver: Resolver,
    /// The resolver of functions that are written for Deno, when there is one.
    resolver_of_deno: OnceCell<Resolver>,
    parts: Parts,
    pub(crate) flavour: Cell<Flavour>,
    tracker: Tracker,
    npm: Rc<DenoNpmModuleLoader<RealSys>>,
    /// Imaginary modules that see the packages of task roots whose middlewares lie elsewhere, and those of the layers.
    elsewhere: RefCell<Vec<ModuleSpecifier>>,
    pub(crate) typescript: Rc<TypeScript>,
    /// A module that has a URL and no file, until it is loaded.
    provided: RefCell<Option<(ModuleSpecifier, String)>>,
    last_required: Rc<RefCell<Option<PathBuf>>>,
    pub(crate) sources: Rc<Sources>,
    packages: Arc<Packages>,
    pub(crate) code_cache: Arc<CodeCache>,
    pub(crate) fresh: Fresh,
    pub(crate) permits: permits::Shared,
    /// Number of the code caches that come with the binary that V8 has rejected.
    pub(crate) rejected: Cell<usize>,
}

impl Loader {
    /// Makes a loader that looks for packages in `package_folders` when the folders above a module have none, and the
    /// services that `require` and its like work with.
    pub(crate) fn new(package_folders: &[PathBuf]) -> (Rc<Self>, NodeServices) {
        let checker = DenoInNpmPackageChecker::new(CreateInNpmPkgCheckerOptions::Byonm);
        let known = Arc::<Packages>::default();
        let packages = new_rc(PackageJsonResolver::new(RealSys, Some(known.clone())));
        let sys = NodeResolutionSys::new(RealSys, None);
        let npm_resolver = NpmResolver::<RealSys>::new::<RealSys>(NpmResolverCreateOptions::Byonm(
            ByonmNpmResolverCreateOptions {
                root_node_modules_dir: None,
                search_stop_dir: None,
                sys: sys.clone(),
                pkg_json_resolver: packages.clone(),
            },
        ));
        let parts = Parts {
            checker: checker.clone(),
            npm: npm_resolver.clone(),
            packages: packages.clone(),
            sys,
        };
        let resolver = parts.resolver(Flavour::Node);
        let tracker: Tracker = new_rc(CjsTracker::new(
            checker.clone(),
            packages.clone(),
            IsCjsResolutionMode::ImplicitTypeCommonJs,
            vec![],
        ));
        let code_cache = Arc::<CodeCache>::default();
        let analyzer = DenoCjsCodeAnalyzer::new(
            new_rc(Analyses::new(code_cache.clone(), tracker.clone())),
            tracker.clone(),
            new_rc(Parser),
        );
        let exports = new_rc(CjsModuleExportAnalyzer::new(
            analyzer,
            checker.clone(),
            resolver.clone(),
            npm_resolver,
            packages.clone(),
            RealSys,
        ));
        let translator =
            new_rc(NodeCodeTranslator::new(exports, NodeCodeTranslatorMode::ModuleLoader));
        let npm = Rc::new(NpmModuleLoader::new(tracker.clone(), checker, translator, RealSys));
        let elsewhere = RefCell::new(layer_modules(package_folders));
        let last_required = Rc::default();
        let permits = permits::Shared::default();
        let typescript = TypeScript::new(packages.clone());
        let sources = Sources::new(typescript.clone());
        let services = NodeExtInitServices {
            node_require_loader: Rc::new(RequireLoader {
                tracker: tracker.clone(),
                typescript: typescript.clone(),
                last_required: Rc::clone(&last_required),
                permits: permits.clone(),
            }),
            node_resolver: resolver.clone(),
            pkg_json_resolver: packages,
            sys: RealSys,
        };
        let loader = Self {
            resolver,
            resolver_of_deno: OnceCell::new(),
            parts,
            flavour: Cell::default(),
            tracker,
            npm,
            elsewhere,
            typescript,
            provided: RefCell::default(),
            last_required,
            sources,
            packages: known,
            code_cache,
            fresh: Fresh::default(),
            permits,
            rejected: Cell::default(),
        };
        (Rc::new(loader), services)
    }

    /// Returns the resolver of packages.
    pub(crate) fn resolver(&self) -> &Resolver {
        &self.resolver
    }

    /// Whether a specifier names one of Node's own modules.
    pub(crate) fn is_builtin(&self, specifier: &str) -> bool {
        self.resolver.is_builtin_node_module(specifier)
    }

    /// Begins a load, which lasts as long as the result lives.
    pub(crate) fn begin(&self) -> Remembering {
        self.packages.remember()
    }

    /// Whether a file is (or, lacking any sign, may be) CommonJS.
    pub(crate) fn is_commonjs(&self, url: &ModuleSpecifier) -> Result<bool, JsErrorBox> {
        let media_type = MediaType::from_specifier(url);
        if is_typescript(media_type) {
            return self.is_typescript_commonjs(url);
        }
        self.tracker.is_maybe_cjs(url, media_type).map_err(JsErrorBox::from_err)
    }

    /// Whether a TypeScript file becomes CommonJS: it is made into JavaScript to find out.
    fn is_typescript_commonjs(&self, url: &ModuleSpecifier) -> Result<bool, JsErrorBox> {
        let is_commonjs = self.typescript.look_at(&file_path(url)?)?.is_commonjs;
        self.tracker.set_is_known_script(url, is_commonjs);
        Ok(is_commonjs)
    }

    /// Provides the text of a module that has no file.
    pub(crate) fn provide(&self, url: ModuleSpecifier, text: String) {
        self.provided.replace(Some((url, text)));
    }

    /// Makes a task root another place to look for packages in. Returns that root's folder of packages.
    pub(crate) fn look_into(&self, root: &Path) -> PathBuf {
        if let Ok(module) = ModuleSpecifier::from_file_path(root.join("root.mjs")) {
            let mut elsewhere = self.elsewhere.borrow_mut();
            if !elsewhere.contains(&module) {
                elsewhere.insert(0, module);
            }
        }
        root.join("node_modules")
    }

    /// Notes that a load begins, of a file that does not pass through `require` where one is given.
    pub(crate) fn note_required(&self, path: Option<&Path>) {
        self.last_required.replace(path.map(Path::to_owned));
    }

    /// Finds the syntax error in the file that `require` read last: of CommonJS, V8 reports only that there is one.
    pub(crate) fn problem_of_last_required(&self) -> Option<String> {
        let path = self.last_required.borrow().clone()?;
        let url = ModuleSpecifier::from_file_path(&path).ok()?;
        syntax_problem(&url, &read(&path).ok()?)
    }

    fn load_file(
        &self,
        url: &ModuleSpecifier,
        referrer: Option<&ModuleLoadReferrer>,
    ) -> Option<Result<ModuleSource, JsErrorBox>> {
        let provided = self.provided.borrow_mut().take_if(|(known, _)| known == url);
        if let Some((_, text)) = provided {
            return Some(Ok(self.script(url, text)));
        }
        let media_type = MediaType::from_specifier(url);
        if is_typescript(media_type) {
            return Some(self.load_typescript(url));
        }
        match self.is_commonjs(url) {
            Err(error) => return Some(Err(error)),
            Ok(true) if media_type != MediaType::Json => return None,
            Ok(_) => {}
        }
        let code = file_path(url).and_then(|path| read(&path));
        Some(code.and_then(|code| match media_type {
            MediaType::Json if !is_typescript_module(referrer) => {
                let code = ModuleSourceCode::String(code.into());
                Ok(ModuleSource::new(ModuleType::Json, code, url, None))
            }
            MediaType::Json => Ok(self.script(url, typescript::json_module(url, &code)?)),
            _ => {
                self.sources.add_module(url);
                Ok(self.script(url, code))
            }
        }))
    }

    /// Loads a TypeScript file as JavaScript, to be used as an ES module.
    fn load_typescript(&self, url: &ModuleSpecifier) -> Result<ModuleSource, JsErrorBox> {
        let path = file_path(url)?;
        if !self.is_typescript_commonjs(url)? {
            self.sources.add_module(url);
            return Ok(self.script(url, self.typescript.take(&path)?.text));
        }
        let resolve = |specifier: &str, referrer: &ModuleSpecifier| {
            self.resolve_from(specifier, referrer, ResolutionMode::Require).ok()
        };
        Ok(self.script(url, glue(&self.typescript.wrapper(&path, &resolve)?)))
    }

    fn script(&self, url: &ModuleSpecifier, code: String) -> ModuleSource {
        let known = self.code_cache.of_module(&code).and_then(|slot| {
            let data = self.code_cache.get(slot.hash);
            if data.is_none() && self.code_cache.can_be_added_to() {
                self.fresh.add_module(slot, url, &code);
            }
            Some(SourceCodeCacheInfo { hash: slot.hash, data: Some(Cow::Owned(data?)) })
        });
        let code = ModuleSourceCode::String(code.into());
        ModuleSource::new(ModuleType::JavaScript, code, url, known)
    }

    /// Resolves a specifier in a module.
    fn resolve_from(
        &self,
        specifier: &str,
        referrer: &ModuleSpecifier,
        mode: ResolutionMode,
    ) -> Result<ModuleSpecifier, JsErrorBox> {
        let importer = is_typescript(MediaType::from_specifier(referrer))
            .then(|| referrer.to_file_path().ok())
            .flatten();
        let Some(importer) = importer else {
            return self.resolve_as_node(specifier, referrer, mode).map_err(JsErrorBox::from_err);
        };
        let (name, query) = typescript::split_query(specifier);
        let is_builtin = DenoIsBuiltInNodeModuleChecker.is_builtin_node_module(name);
        let found = self.typescript.resolve(name, &importer, is_builtin)?;
        if let Some(url) = found.and_then(|path| typescript::with_query(&path, query)) {
            return Ok(url);
        }
        self.resolve_as_node(specifier, referrer, mode).or_else(|error| {
            let missing = error.maybe_specifier().and_then(|missing| typescript::path_of(&missing));
            let found = self.typescript.resolve_rest(name, &importer, missing.as_deref());
            found.and_then(|path| typescript::with_query(&path, query)).ok_or_else(|| {
                let error = JsErrorBox::from_err(error);
                self.typescript.explained(error, name, &importer)
            })
        })
    }

    fn resolve_as_node(
        &self,
        specifier: &str,
        referrer: &ModuleSpecifier,
        mode: ResolutionMode,
    ) -> Result<ModuleSpecifier, NodeResolveError> {
        let kind = NodeResolutionKind::Execution;
        let resolver = match self.flavour.get() {
            Flavour::Node => &self.resolver,
            Flavour::Deno => {
                self.resolver_of_deno.get_or_init(|| self.parts.resolver(Flavour::Deno))
            }
        };
        resolver
            .resolve(specifier, referrer, mode, kind)
            .and_then(|resolution| resolution.into_url())
    }
}

fn runs_code(scope: &mut v8::PinScope<'_, '_>) -> bool {
    v8::StackTrace::current_stack_trace(scope, 1).is_some_and(|trace| trace.get_frame_count() > 0)
}

/// Completes code that imports CommonJS: it has that file's name, and must not be taken for it in a stack.
fn glue(code: &str) -> String {
    format!("{code}\n//# sourceURL={GLUE}")
}

/// Whether the module that asks for another is TypeScript.
fn is_typescript_module(referrer: Option<&ModuleLoadReferrer>) -> bool {
    referrer.is_some_and(|referrer| is_typescript(MediaType::from_specifier(&referrer.specifier)))
}

impl ModuleLoader for Loader {
    fn resolve(
        &self,
        specifier: &str,
        referrer: &str,
        _kind: ResolutionKind,
    ) -> Result<ModuleSpecifier, JsErrorBox> {
        if let Ok(url) = ModuleSpecifier::parse(specifier)
            && matches!(url.scheme(), "file" | "node" | "data" | "blob" | "ext")
        {
            return Ok(url);
        }
        let referrer = match referrer {
            isolate::IMPORT_SCRIPT | "[eval]" | "[stdin]" => working_directory_module()?,
            referrer => ModuleSpecifier::parse(referrer).map_err(JsErrorBox::from_err)?,
        };
        let resolve = |referrer: &ModuleSpecifier| {
            self.resolve_from(specifier, referrer, ResolutionMode::Import)
        };
        resolve(&referrer)
            .or_else(|error| {
                if specifier.starts_with(['.', '/', '#']) {
                    return Err(error);
                }
                let mut outcome = Err(error);
                for layer in self.elsewhere.borrow().iter() {
                    match resolve(layer) {
                        Ok(url) => return Ok(url),
                        // An existing package that does not have what is asked of it says more than a missing one.
                        Err(other) if !is_not_found(&other) => outcome = Err(other),
                        Err(_) => {}
                    }
                }
                outcome
            })
            .map_err(failure::as_node)
    }

    fn resolve_with_scope(
        &self,
        scope: &mut v8::PinScope<'_, '_>,
        specifier: &str,
        referrer: &str,
        kind: ResolutionKind,
        _import_attributes: &HashMap<String, String>,
    ) -> Result<ModuleSpecifier, JsErrorBox> {
        self.resolve(specifier, referrer, kind).or_else(|error| match kind {
            // What modules of the graph import later on is resolved while no code runs: there V8 has to link, and cannot.
            ResolutionKind::DynamicImport if runs_code(scope) => failure::thrower(error),
            _ => Err(error),
        })
    }

    fn import_meta_resolve(
        &self,
        specifier: &str,
        referrer: &str,
    ) -> Result<ModuleSpecifier, JsErrorBox> {
        // As in Node, where paths lead is not looked at.
        if specifier.starts_with("./") || specifier.starts_with("../") || specifier.starts_with('/')
        {
            let referrer = ModuleSpecifier::parse(referrer).map_err(JsErrorBox::from_err)?;
            return referrer.join(specifier).map_err(JsErrorBox::from_err);
        }
        self.resolve(specifier, referrer, ResolutionKind::Import)
    }

    fn load(
        &self,
        url: &ModuleSpecifier,
        referrer: Option<&ModuleLoadReferrer>,
        options: ModuleLoadOptions,
    ) -> ModuleLoadResponse {
        match url.scheme() {
            "data" => {
                return ModuleLoadResponse::Sync(data::module(url, &options.requested_module_type));
            }
            "node" => return ModuleLoadResponse::Sync(Err(failure::unknown_builtin(url.as_str()))),
            "blob" => {
                return ModuleLoadResponse::Sync(Err(JsErrorBox::type_error(
                    "modules are loaded from files and from data: URLs, not from blob: URLs",
                )));
            }
            "file" => {
                let asked = file_path(url).and_then(|path| permits::load(&self.permits, &path));
                if let Err(error) = asked {
                    return ModuleLoadResponse::Sync(Err(error));
                }
            }
            _ => {}
        }
        let requested = match options.requested_module_type {
            CoreModuleType::None => {
                if let Some(loaded) = self.load_file(url, referrer) {
                    return ModuleLoadResponse::Sync(loaded);
                }
                RequestedModuleType::None
            }
            CoreModuleType::Json => RequestedModuleType::Json,
            CoreModuleType::Text => RequestedModuleType::Text,
            CoreModuleType::Bytes => RequestedModuleType::Bytes,
            CoreModuleType::Other(name) => {
                return ModuleLoadResponse::Sync(Err(JsErrorBox::type_error(format!(
                    "{url} cannot be imported as \"{name}\""
                ))));
            }
        };
        let (npm, tracker, url) = (self.npm.clone(), self.tracker.clone(), url.clone());
        let sources = self.sources.clone();
        let referrer = referrer.map(|referrer| referrer.specifier.clone());
        ModuleLoadResponse::Async(Box::pin(async move {
            let loaded = npm
                .load(Cow::Borrowed(&url), referrer.as_ref(), &requested, Some(&Files))
                .await
                .map_err(|error| failure::as_node(JsErrorBox::from_err(error)))?;
            let kind = match requested {
                RequestedModuleType::Text => ModuleType::Text,
                RequestedModuleType::Bytes => ModuleType::Bytes,
                _ if loaded.media_type == MediaType::Json => ModuleType::Json,
                _ => ModuleType::JavaScript,
            };
            let is_glue = kind == ModuleType::JavaScript
                && tracker.is_maybe_cjs(&url, loaded.media_type).unwrap_or(true);
            let code = match loaded.source {
                source if is_glue => {
                    let text = String::from_utf8_lossy(source.as_bytes());
                    ModuleSourceCode::String(glue(&text).into())
                }
                LoadedModuleSource::ArcStr(text) => ModuleSourceCode::String(text.into()),
                LoadedModuleSource::String(text) => {
                    ModuleSourceCode::String(text.into_owned().into())
                }
                LoadedModuleSource::Bytes(bytes) if kind == ModuleType::Bytes => {
                    ModuleSourceCode::Bytes(bytes.into_owned().into_boxed_slice().into())
                }
                other => ModuleSourceCode::String(
                    String::from_utf8_lossy(other.as_bytes()).into_owned().into(),
                ),
            };
            if kind == ModuleType::JavaScript && !is_glue {
                sources.add_module(&url);
            }
            Ok(ModuleSource::new(kind, code, &url, None))
        }))
    }

    fn get_source_map(&self, url: &str) -> Option<Cow<'_, [u8]>> {
        self.typescript.source_map(url).map(|map| Cow::Owned(map.as_bytes().to_vec()))
    }

    fn code_cache_ready(
        &self,
        url: ModuleSpecifier,
        hash: u64,
        code_cache: &[u8],
    ) -> Pin<Box<dyn Future<Output = ()>>> {
        if url.scheme() == "file" {
            self.code_cache.replace(hash, code_cache);
        } else {
            self.rejected.set(self.rejected.get() + 1);
        }
        Box::pin(std::future::ready(()))
    }

    /// Finds the caches of the sources that come with the binary, which are compiled in no other form.
    fn get_code_cache(&self, url: &ModuleSpecifier, _source: &str) -> Option<SourceCodeCacheInfo> {
        let data = isolate::code_cache(url.as_str())?;
        Some(SourceCodeCacheInfo { hash: 0, data: Some(Cow::Borrowed(data)) })
    }
}

/// Returns the URL of a module that does not exist, in the working directory.
fn working_directory_module() -> Result<ModuleSpecifier, JsErrorBox> {
    let folder = std::env::current_dir().map_err(JsErrorBox::from_err)?;
    ModuleSpecifier::from_file_path(folder.join("[preload]"))
        .map_err(|()| JsErrorBox::generic("the working directory has no absolute path"))
}

fn is_not_found(error: &JsErrorBox) -> bool {
    error.get_additional_properties().any(|(key, value)| {
        key == "code"
            && matches!(&value, PropertyValue::String(code) if code == "ERR_MODULE_NOT_FOUND")
    })
}

fn file_path(url: &ModuleSpecifier) -> Result<PathBuf, JsErrorBox> {
    url.to_file_path().map_err(|()| JsErrorBox::type_error(format!("{url} is not a file")))
}

pub(crate) fn read(path: &Path) -> Result<String, JsErrorBox> {
    let bytes = std::fs::read(path).map_err(|error| JsErrorBox::from_err(error).with_path(path))?;
    Ok(match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
    })
}

trait WithPath {
    fn with_path(self, path: &Path) -> Self;
}

impl WithPath for JsErrorBox {
    fn with_path(self, path: &Path) -> Self {
        Self::generic(format!("cannot read {}: {self}", path.display()))
    }
}

/// Whether an ES module's text names one of Node's modules, or needs one without naming it. The guess affects speed
/// only: imports further down the graph are not looked at, and what the small snapshot lacks is loaded on demand.
pub(crate) fn imports_node(module: &Module) -> bool {
    std::fs::read_to_string(&module.path).is_ok_and(|source| {
        ["\"node:", "'node:", "require(", "process.", "Buffer", "streamifyResponse"]
            .iter()
            .any(|sign| source.contains(sign))
            || module.root.join("node_modules").is_dir()
    })
}
