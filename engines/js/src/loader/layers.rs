//! The folders of packages that belong to no module's own folders: those of layers and of `NODE_PATH`.

use deno_runtime::deno_core::ModuleSpecifier;
use std::path::{Path, PathBuf};

/// Lists the folders of packages beside those above a module, in the order in which they are searched: `NODE_PATH`,
/// then the folders of Lambda's Node in layers, `nodejs/node<major>/node_modules` and `nodejs/node_modules`.
pub(crate) fn package_folders(layer_root: &Path) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = std::env::var_os("NODE_PATH")
        .iter()
        .flat_map(std::env::split_paths)
        .filter(|path| path.is_absolute())
        .collect();
    let nodejs = layer_root.join("nodejs");
    let mut versions: Vec<PathBuf> = std::fs::read_dir(&nodejs)
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| {
            entry.file_name().to_string_lossy().strip_prefix("node").is_some_and(|rest| {
                !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit())
            })
        })
        .map(|entry| entry.path().join("node_modules"))
        .collect();
    // By number: node8 comes after node20.
    versions.sort_by_key(|path| (path.as_os_str().len(), path.clone()));
    folders.extend(versions.into_iter().rev());
    folders.push(nodejs.join("node_modules"));
    folders.retain(|folder| folder.is_dir());
    folders
}

/// Names modules that do not exist, beside the folders that [`package_folders`] lists: their imports are looked for
/// there. ES modules can only see folders that are called `node_modules`.
pub(super) fn layer_modules(package_folders: &[PathBuf]) -> Vec<ModuleSpecifier> {
    package_folders
        .iter()
        .filter(|folder| folder.ends_with("node_modules"))
        .filter_map(|folder| folder.parent())
        .filter_map(|parent| ModuleSpecifier::from_file_path(parent.join("layer.mjs")).ok())
        .collect()
}
