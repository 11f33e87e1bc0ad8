//! A list of plug-ins, as a setting names them, none of which may be taken for another.

use crate::{engine::PluginEngine, refusal::LoadError};
use std::{path::Path, sync::Arc};
use trine_engine::{Engine, EngineInfo};

/// Loads the plug-ins of a list with commas, in its order. Paths in it are relative to `folder`; an empty list names none.
///
/// `built_in` are the languages that are there already: an id or an extension of theirs is refused, too.
///
/// # Errors
/// As [`crate::load`]; when two plug-ins have the same id or an extension in common, or a file is missing between commas.
pub fn load_all<'i>(
    list: &str,
    folder: &Path,
    built_in: impl IntoIterator<Item = &'i EngineInfo>,
) -> Result<Vec<Arc<dyn Engine>>, LoadError> {
    if list.trim().is_empty() {
        return Ok(Vec::new());
    }
    let files: Vec<&str> = list.split(',').map(str::trim).collect();
    if files.iter().any(|file| file.is_empty()) {
        return Err(LoadError::Gap { list: list.to_owned() });
    }
    load_each(files, folder, built_in)
}

/// Loads plug-ins, as [`load_all`] does, whose files are named one by one.
///
/// # Errors
/// As [`load_all`].
pub fn load_each<'i>(
    files: impl IntoIterator<Item = impl AsRef<Path>>,
    folder: &Path,
    built_in: impl IntoIterator<Item = &'i EngineInfo>,
) -> Result<Vec<Arc<dyn Engine>>, LoadError> {
    let built_in: Vec<&EngineInfo> = built_in.into_iter().collect();
    let mut loaded: Vec<(String, Arc<dyn Engine>)> = Vec::new();
    for file in files {
        let path = folder.join(file);
        let engine = PluginEngine::load(&path)?;
        let own = built_in.iter().map(|info| (format!("{}, which is built in", info.name), *info));
        let others = loaded.iter().map(|(name, engine)| (name.clone(), engine.info()));
        for (other, info) in own.chain(others) {
            if let Some(what) = common(engine.info(), info) {
                return Err(LoadError::Taken { path, what, other });
            }
        }
        loaded.push((path.display().to_string(), Arc::new(engine)));
    }
    Ok(loaded.into_iter().map(|(_, engine)| engine).collect())
}

/// Returns what two engines both are, where they cannot stand side by side.
fn common(one: &EngineInfo, other: &EngineInfo) -> Option<String> {
    if one.id == other.id {
        return Some(format!("the engine `{}`", one.id));
    }
    let mut extensions = one.extensions.iter();
    let common = extensions.find(|extension| other.extensions.contains(*extension))?;
    Some(format!("for files that end in .{common}"))
}
