//! What a server serves: its functions and the routes that lead to them.

use super::{
    error::ServeError,
    route::{Route, Routes},
    route_file,
};
use crate::{
    engines::Registry,
    handler::{Located, SearchPaths, discover, locate, locate_file},
};
use std::path::{Path, PathBuf};

/// Likeness (Jaro-Winkler, 0 to 1) from which on a name is offered instead of an unknown one.
const ALIKE: f64 = 0.8;

/// A function and the name under which it is served.
#[derive(Debug, Clone)]
pub struct ServedFunction {
    /// Its name, which is its URL path without the first slash.
    pub name: String,
    /// Its file and engine.
    pub located: Located,
}

/// The functions of a server and the routes that lead to them.
#[derive(Debug, Clone)]
pub struct Site {
    functions: Vec<ServedFunction>,
    routes: Routes,
}

impl Site {
    /// Serves functions by their names; a single one has the whole server for itself.
    pub fn new(functions: Vec<ServedFunction>) -> Self {
        let routes = named(&functions, functions.len());
        Self { functions, routes: Routes::new(routes) }
    }

    /// Serves a path as a user writes it: a folder (its functions, and the routes of its `trine.toml`), a file, or a
    /// file with an export (`app.py:get`).
    ///
    /// # Errors
    /// [`ServeError::NothingToServe`], [`ServeError::Function`] or [`ServeError::Routes`].
    pub fn open(path: &str, registry: &Registry) -> Result<Self, ServeError> {
        let place = Path::new(path);
        if place.is_dir() {
            return Self::folder(place, registry);
        }
        let (file, export) = match path.rsplit_once(':') {
            Some((file, export)) if !place.is_file() && !export.contains('/') => (file, export),
            _ => (path, ""),
        };
        let file = std::path::absolute(file).unwrap_or_else(|_| PathBuf::from(file));
        let folder = file.parent().unwrap_or(Path::new("/"));
        let search = SearchPaths::new(folder);
        let located = locate_file(&file, export, &search, registry).or_else(|first| {
            // `src/app.get`: Lambda's form is no path, yet people try it.
            let text = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if export.is_empty() {
                locate(text, &search, registry).map_err(|_| first)
            } else {
                Err(first)
            }
        })?;
        let name = located.module.name.clone();
        Ok(Self::new(vec![ServedFunction { name, located }]))
    }

    /// Serves the functions of a folder and the routes of its `trine.toml`.
    ///
    /// # Errors
    /// As [`Site::open`].
    pub fn folder(folder: &Path, registry: &Registry) -> Result<Self, ServeError> {
        let mut functions: Vec<ServedFunction> = discover(folder, registry)?
            .into_iter()
            .map(|found| ServedFunction { name: found.name, located: found.located })
            .collect();
        let discovered = functions.len();
        let mut routes = route_file::read(folder, &mut functions, registry)?;
        if functions.is_empty() {
            let extensions: Vec<_> =
                registry.extensions().map(|(extension, _)| format!(".{extension}")).collect();
            return Err(ServeError::NothingToServe(format!(
                "the folder '{}' holds no function: put a file such as hello{} or hello/handler{} \
                 there (this build runs {})",
                folder.display(),
                extensions.first().map_or("", String::as_str),
                extensions.first().map_or("", String::as_str),
                extensions.join(" "),
            )));
        }
        // Routes that are declared are the whole of what a single function answers to, beside its name.
        if routes.is_empty() {
            routes = named(&functions, discovered);
        } else {
            let functions = functions.iter().take(discovered).enumerate();
            routes.extend(functions.map(|(index, function)| Route::named(&function.name, index)));
        }
        Ok(Self { functions, routes: Routes::new(routes) })
    }

    /// The functions.
    pub fn functions(&self) -> &[ServedFunction] {
        &self.functions
    }

    /// Every route with its function, the most specific first.
    pub fn routes(&self) -> impl Iterator<Item = (&Route, &ServedFunction)> {
        self.routes.iter().filter_map(|route| Some((route, self.functions.get(route.function)?)))
    }

    pub(super) fn table(&self) -> &Routes {
        &self.routes
    }
}

fn named(functions: &[ServedFunction], count: usize) -> Vec<Route> {
    if functions.len() == 1 {
        return vec![Route::everything(0)];
    }
    let functions = functions.iter().take(count).enumerate();
    functions.map(|(index, function)| Route::named(&function.name, index)).collect()
}

/// The nearest of these names to an unknown one, if any is near.
pub(super) fn nearest<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let likeness = |known: &'n str| (strsim::jaro_winkler(name, known), known);
    let near = known.map(likeness).filter(|(score, _)| *score >= ALIKE);
    near.max_by(|(a, _), (b, _)| a.total_cmp(b)).map(|(_, known)| known)
}
