//! The meaning of `require` in a TypeScript file. For each request, Node's module system first asks whether it names
//! the package that it comes from: there TypeScript's rules are applied.

use super::{TypeScript, is_typescript};
use deno_ast::{MediaType, ModuleSpecifier};
use deno_error::JsErrorBox;
use deno_resolver::npm::{DenoInNpmPackageChecker, NpmResolver};
use deno_runtime::{
    deno_core::{OpState, op2},
    deno_node::NodeResolverRc,
};
use node_resolver::{
    NodeResolutionKind, PackageJsonResolverRc, ResolutionMode, UrlOrPath, UrlOrPathRef,
};
use std::{
    borrow::Cow,
    path::{Path, PathBuf},
    rc::Rc,
};
use sys_traits::impls::RealSys;

type Resolver = NodeResolverRc<DenoInNpmPackageChecker, NpmResolver<RealSys>, RealSys>;

/// Returns the file that a request means by the rules of TypeScript, where its parent is TypeScript, or by the
/// `exports` of the parent's package, where the request names it.
#[op2]
#[string]
pub(crate) fn op_trine_require_try_self(
    state: &mut OpState,
    #[string] parent: &str,
    #[string] request: &str,
) -> Result<Option<String>, JsErrorBox> {
    let parent = Path::new(parent);
    let typescript = typescript_of(state, parent);
    if let Some(typescript) = &typescript
        && let Some(found) = typescript.resolve(request, parent, false)?
    {
        return Ok(Some(text(found)));
    }
    let itself = of_itself(state, parent, request)?;
    let Some(typescript) = typescript else { return Ok(itself.map(text)) };
    if let Some(itself) = itself {
        let source = (!itself.is_file())
            .then(|| typescript.resolve_rest(request, parent, Some(&itself)))
            .flatten();
        return Ok(Some(text(source.unwrap_or(itself))));
    }
    let Ok(referrer) = ModuleSpecifier::from_file_path(parent) else { return Ok(None) };
    let resolver = state.borrow::<Resolver>();
    let (mode, kind) = (ResolutionMode::Require, NodeResolutionKind::Execution);
    let missing = match resolver.resolve(request, &referrer, mode, kind) {
        Ok(_) => return Ok(None),
        Err(error) => error.maybe_specifier().and_then(|missing| path_of(&missing)),
    };
    Ok(typescript.resolve_rest(request, parent, missing.as_deref()).map(text))
}

/// Returns the file that a request like `#name` means by the `imports` of its parent's package.
#[op2]
#[string]
pub(crate) fn op_trine_require_package_imports_resolve(
    state: &mut OpState,
    #[string] parent: &str,
    #[string] request: &str,
) -> Result<Option<String>, JsErrorBox> {
    let parent = Path::new(parent);
    let typescript = typescript_of(state, parent);
    if let Some(typescript) = &typescript
        && let Some(found) = typescript.resolve(request, parent, false)?
    {
        return Ok(Some(text(found)));
    }
    let packages = state.borrow::<PackageJsonResolverRc<RealSys>>();
    let package = packages.get_closest_package_json(parent).map_err(JsErrorBox::from_err)?;
    let Some(package) = package.filter(|package| package.imports.is_some()) else {
        return Ok(None);
    };
    let found = state.borrow::<Resolver>().resolve_package_import(
        request,
        Some(&UrlOrPathRef::from_path(parent)),
        Some(&package),
        ResolutionMode::Require,
        NodeResolutionKind::Execution,
    );
    let Some(found) = path_of(&found.map_err(JsErrorBox::from_err)?) else { return Ok(None) };
    let source = typescript.filter(|_| !found.is_file());
    let source =
        source.and_then(|typescript| typescript.resolve_rest(request, parent, Some(&found)));
    Ok(Some(text(source.unwrap_or(found))))
}

/// Returns the instance's TypeScript, if the file is TypeScript.
fn typescript_of(state: &OpState, parent: &Path) -> Option<Rc<TypeScript>> {
    let typescript = state.try_borrow::<Rc<TypeScript>>();
    typescript.filter(|_| is_typescript(MediaType::from_path(parent))).cloned()
}

fn of_itself(state: &OpState, parent: &Path, request: &str) -> Result<Option<PathBuf>, JsErrorBox> {
    let packages = state.borrow::<PackageJsonResolverRc<RealSys>>();
    let Ok(Some(package)) = packages.get_closest_package_json(parent) else { return Ok(None) };
    let (Some(name), Some(exports)) = (&package.name, &package.exports) else { return Ok(None) };
    let subpath = match request.strip_prefix(name.as_str()) {
        Some("") => Cow::Borrowed("."),
        Some(rest) if rest.starts_with('/') => Cow::Owned(format!(".{rest}")),
        _ => return Ok(None),
    };
    let resolver = state.borrow::<Resolver>();
    let found = resolver.package_exports_resolve(
        &package.path,
        &subpath,
        exports,
        Some(&UrlOrPathRef::from_path(&package.path)),
        ResolutionMode::Require,
        resolver.require_conditions(),
        NodeResolutionKind::Execution,
    );
    let found = found.map_err(JsErrorBox::from_err)?;
    Ok(path_of(&found))
}

/// Returns the path of a resolution, whether it succeeded or not.
pub(crate) fn path_of(resolved: &UrlOrPath) -> Option<PathBuf> {
    match resolved {
        UrlOrPath::Path(path) => Some(path.clone()),
        UrlOrPath::Url(url) => url.to_file_path().ok(),
    }
}

fn text(path: PathBuf) -> String {
    path.to_string_lossy().into_owned()
}
