//! The function that a command works on, as people name it: a handler string, a file, or nothing where the environment
//! names it.

use crate::{
    config::{Origin, Setting, Settings},
    engines::Registry,
    handler::{self, Located, from_environment},
    pipeline::{MiddlewareNames, Order},
};
use std::{
    env,
    path::{Path, PathBuf},
};
use trine_engine::{ErrorDialect, Result};

/// Finds the function. Where it is given as a file, that file's folder becomes the task root: its imports start there,
/// as when a language's own command runs it. A task root that is set takes precedence.
///
/// # Errors
/// As [`from_environment`].
pub(super) fn locate(
    handler: Option<&str>,
    settings: &mut Settings,
    registry: &Registry,
) -> Result<Located> {
    if let Some(folder) = handler.and_then(|handler| own_folder(handler, settings)) {
        settings.task_root = Setting { value: folder, origin: Origin::Argument };
    }
    let handler = handler.map(|handler| file_name_of(handler, settings));
    from_environment(handler, |name| env::var(name).ok(), &settings.search_paths(), registry)
}

/// Returns the look of an error to a caller where the function was not found.
pub(super) fn likely_dialect(
    handler: Option<&str>,
    settings: &Settings,
    registry: &Registry,
) -> ErrorDialect {
    let handler = handler.map(|handler| file_name_of(handler, settings));
    handler::likely_dialect(handler, |name| env::var(name).ok(), &settings.search_paths(), registry)
}

fn own_folder(handler: &str, settings: &Settings) -> Option<PathBuf> {
    if settings.task_root.origin != Origin::Default {
        return None;
    }
    let (file, _) = split_export(handler);
    let path = Path::new(file);
    if !path.is_file() {
        return None;
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty())?;
    std::path::absolute(folder).ok()
}

/// Splits `app.py:main` into file and export.
fn split_export(handler: &str) -> (&str, Option<&str>) {
    match handler.rsplit_once(':') {
        Some((file, export)) if !export.contains('/') => (file, Some(export)),
        _ => (handler, None),
    }
}

/// Returns the handler as seen from the task root: without the folder that has become the root.
fn file_name_of<'a>(handler: &'a str, settings: &Settings) -> &'a str {
    match settings.task_root.origin {
        Origin::Argument => handler.rsplit_once('/').map_or(handler, |(_, name)| name),
        _ => handler,
    }
}

/// `--middlewares`, as several commands have it.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct MiddlewareFlag {
    /// Middlewares around the function, outermost first; * for all of the layers [default: the variable
    /// TRINE_MIDDLEWARES]
    #[arg(long = "middlewares", value_name = "NAMES")]
    names: Option<String>,
}

impl MiddlewareFlag {
    /// Applies the flag, which takes precedence over the variable.
    pub(super) fn apply_to(&self, settings: &mut Settings) {
        if let Some(names) = &self.names {
            settings.middlewares = MiddlewareNames::list(names, Order::Onion);
        }
    }
}
