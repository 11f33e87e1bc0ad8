//! What a guest may do, where that is narrowed: Deno's permissions, made of ours, and the look at what is loaded as code.

mod parser;

use crate::loader::package_folders;
use deno_error::JsErrorBox;
use deno_runtime::{
    deno_permissions::{Permissions as DenoPermissions, PermissionsContainer, PermissionsOptions},
    permissions::RuntimePermissionDescriptorParser,
};
use parser::Parser;
use std::{
    env,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};
use sys_traits::impls::RealSys;
use trine_engine::{Access, Environment, Error, Extent, Permits, Result};
use trine_process::trace;

/// What Deno lets programs find out about the machine, and this does not let them change or open.
const CHANGES: [&str; 6] = ["inspector", "setPriority", "setegid", "seteuid", "setgid", "setuid"];

/// The permits of an instance's guests, which its isolate and its worker threads share: they are known when the isolate
/// starts, and are none where guests may do everything.
pub(crate) type Shared = Arc<OnceLock<Arc<Permits>>>;

/// Returns the permits of the functions of a root.
pub(crate) fn of_root(environment: &Environment, root: &Path) -> Option<Arc<Permits>> {
    let permits = environment.permits(root)?.with_code(packages(environment, root));
    Some(Arc::new(permits))
}

/// Returns the folders of packages that a root's modules find, beside its own and those of the layers.
fn packages(environment: &Environment, root: &Path) -> Vec<PathBuf> {
    let above = root.ancestors().skip(1).map(|folder| folder.join("node_modules"));
    let mut folders = package_folders(&environment.layer_root);
    folders.extend(above.filter(|folder| folder.is_dir()));
    folders
}

/// Returns what Deno's runtime lets guests do: everything, or what their permits say.
///
/// # Errors
/// When Deno does not take what a permission names.
pub(crate) fn container(
    environment: &Environment,
    root: &Path,
    permits: Option<&Arc<Permits>>,
) -> Result<PermissionsContainer> {
    let Some(permits) = permits else {
        let parser = RuntimePermissionDescriptorParser::new(RealSys);
        return Ok(PermissionsContainer::allow_all(Arc::new(parser)));
    };
    let parser = Arc::new(Parser::new(permits.clone()));
    let options = options(environment, root, permits);
    let permissions = DenoPermissions::from_options(&*parser, &options).map_err(|error| {
        Error::internal(format!("the permissions of {} make no sense: {error}", root.display()))
    })?;
    Ok(PermissionsContainer::new(parser, permissions))
}

fn options(environment: &Environment, root: &Path, permits: &Permits) -> PermissionsOptions {
    let permissions = &environment.permissions;
    // In Deno's form: an empty list is everything, none is nothing.
    let list = |extent, map: &dyn Fn(String) -> Vec<String>| match extent {
        Extent::Everything => Some(Vec::new()),
        Extent::Only(texts) => {
            let texts: Vec<String> = texts.into_iter().flat_map(map).collect();
            (!texts.is_empty()).then_some(texts)
        }
    };
    let plain = |text: String| vec![text];
    let path = |text: String| paths(&root.join(text));
    let allowed =
        |access, map: &dyn Fn(String) -> Vec<String>| list(permissions.allowed(access), map);
    let denied = |access, map: &dyn Fn(String) -> Vec<String>| {
        permissions.denied(access).and_then(|extent| list(extent, map))
    };
    let deny_run = |text: String| match text.contains('/') {
        true => path(text),
        false => vec![text],
    };
    let mut options = PermissionsOptions {
        allow_net: allowed(Access::Net, &plain),
        deny_net: denied(Access::Net, &plain),
        allow_read: allowed(Access::Read, &path),
        deny_read: denied(Access::Read, &path),
        allow_write: allowed(Access::Write, &path),
        deny_write: denied(Access::Write, &path),
        allow_env: allowed(Access::Env, &plain),
        deny_env: denied(Access::Env, &plain),
        allow_run: match permissions.allowed(Access::Run) {
            Extent::Everything => Some(Vec::new()),
            Extent::Only(_) => {
                let places: Vec<String> =
                    permits.programs().iter().flat_map(|path| names(path)).collect();
                (!places.is_empty()).then_some(places)
            }
        },
        deny_run: denied(Access::Run, &deny_run),
        allow_ffi: allowed(Access::Ffi, &path),
        deny_ffi: denied(Access::Ffi, &path),
        allow_sys: Some(Vec::new()),
        deny_sys: Some(CHANGES.map(str::to_owned).into()),
        ..PermissionsOptions::default()
    };
    if permissions.allowed(Access::Read) != Extent::Everything {
        let code = permits.code_folders();
        let texts = code.iter().map(|folder| folder.to_string_lossy().into_owned());
        options.allow_read.get_or_insert_default().extend(texts.chain(paths(root)));
    }
    if permissions.allowed(Access::Env) != Extent::Everything {
        let own = environment.variables.iter().map(|(name, _)| name.clone());
        options.allow_env.get_or_insert_default().extend(own.chain([trace::NAME.to_owned()]));
    }
    options
}

/// Returns a path as it is written, and as it is without links: Deno looks at the text alone.
fn paths(path: &Path) -> Vec<String> {
    let mut texts = vec![path.to_string_lossy().into_owned()];
    if let Ok(real) = path.canonicalize()
        && real != path
    {
        texts.push(real.to_string_lossy().into_owned());
    }
    texts
}

/// Returns the paths by which people call a program: its own, and those that links of folders make, as `/bin/sh`.
fn names(program: &Path) -> Vec<String> {
    let mut texts = vec![program.to_string_lossy().into_owned()];
    let (Some(folder), Some(name)) = (program.parent(), program.file_name()) else { return texts };
    let list = env::var_os("PATH").unwrap_or_default();
    let usual = ["/bin", "/sbin"].map(PathBuf::from);
    for other in env::split_paths(&list).chain(usual) {
        if other != folder && other.canonicalize().is_ok_and(|real| real == folder) {
            texts.push(other.join(name).to_string_lossy().into_owned());
        }
    }
    texts
}

/// Asks whether a file may be loaded as code.
pub(crate) fn load(permits: &Shared, path: &Path) -> std::result::Result<(), JsErrorBox> {
    let Some(permits) = permits.get() else { return Ok(()) };
    permits.read(path).map_err(|refusal| JsErrorBox::new("NotCapable", refusal.to_string()))
}
