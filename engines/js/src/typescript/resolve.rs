//! The resolution of a TypeScript file's imports as in TypeScript's own compiler and the bundlers: without extensions,
//! with those of the JavaScript that it will become, through folders, and by the names in `tsconfig.json`.

use super::{
    Known, TypeScript,
    config::{Config, clean},
};
use deno_error::{AdditionalProperties, JsErrorBox, JsErrorClass};
use deno_media_type::MediaType;
use deno_runtime::deno_core::ModuleSpecifier;
use std::{
    borrow::Cow,
    path::{Path, PathBuf},
};

/// Endings that a specifier may lack, in the order in which they are tried.
const ENDINGS: [&str; 9] = [".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs", ".json"];

/// The endings of sources that JavaScript's endings stand for in a specifier.
const SOURCES: [(&str, &[&str]); 4] =
    [(".js", &[".ts", ".tsx"]), (".jsx", &[".tsx"]), (".mjs", &[".mts"]), (".cjs", &[".cts"])];

impl TypeScript {
    /// Returns the file that a specifier in a TypeScript file means, where Node's rules are not needed for it; `None`
    /// leaves it to them.
    ///
    /// # Errors
    /// Where its `tsconfig.json` is not JSON.
    pub(crate) fn resolve(
        &self,
        specifier: &str,
        importer: &Path,
        is_builtin: bool,
    ) -> Result<Option<PathBuf>, JsErrorBox> {
        let folder = importer.parent().unwrap_or(importer);
        if is_relative(specifier) {
            return Ok(probe_specifier(&folder.join(specifier), specifier));
        }
        if specifier.starts_with('#') || specifier.contains(':') {
            // A scheme; but a key of `paths` may contain a colon, and `#` may begin one.
            let config = self.known(importer)?.config;
            return Ok(mapped(&config, specifier, false));
        }
        let config = self.known(importer)?.config;
        let found = mapped(&config, specifier, is_builtin);
        if found.is_some() || is_builtin {
            return Ok(found);
        }
        Ok(config.base_url.as_ref().and_then(|base| probe(&clean(&base.join(specifier)))))
    }

    /// Finds what Node's rules do not find and TypeScript does: sources where a package's maps name their outputs, and
    /// files of packages without an `exports` map by names that lack an ending.
    pub(crate) fn resolve_rest(
        &self,
        specifier: &str,
        importer: &Path,
        missing: Option<&Path>,
    ) -> Option<PathBuf> {
        if let Some(found) = missing.and_then(probe) {
            return Some(found);
        }
        let is_bare = !is_relative(specifier) && !specifier.starts_with('#');
        if !is_bare || specifier.contains(':') {
            return None;
        }
        let parts = if specifier.starts_with('@') { 2 } else { 1 };
        let end = specifier.match_indices('/').nth(parts - 1).map_or(specifier.len(), |(at, _)| at);
        importer.ancestors().skip(1).find_map(|above| {
            let packages = above.join("node_modules");
            let package = packages.join(&specifier[..end]);
            if !package.is_dir() || has_exports(&package) {
                return None;
            }
            probe(&clean(&packages.join(specifier)))
        })
    }

    /// Makes the error of a specifier that was not found, with a note if the settings are involved.
    pub(crate) fn explained(
        &self,
        error: JsErrorBox,
        specifier: &str,
        importer: &Path,
    ) -> JsErrorBox {
        match self.explanation(specifier, importer) {
            Some(note) => JsErrorBox::from_err(Explained { error, note }),
            None => error,
        }
    }

    fn explanation(&self, specifier: &str, importer: &Path) -> Option<String> {
        let Known { file, config } = self.known(importer).ok()?;
        let file = file?;
        if is_relative(specifier) {
            return None;
        }
        if let Some(missing) = config.missing.first() {
            return Some(format!("the settings {missing} were not found"));
        }
        let candidates = config.paths.iter().find_map(|mapping| mapping.candidates(specifier))?;
        let candidates: Vec<String> =
            candidates.iter().map(|path| path.display().to_string()).collect();
        Some(format!("paths in {} lead to {}", file.display(), candidates.join(", ")))
    }
}

/// An error of Node's resolution with a note.
#[derive(Debug)]
struct Explained {
    error: JsErrorBox,
    note: String,
}

impl std::fmt::Display for Explained {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} ({})", self.error, self.note)
    }
}

impl std::error::Error for Explained {}

impl JsErrorClass for Explained {
    fn get_class(&self) -> Cow<'static, str> {
        self.error.get_class()
    }

    fn get_message(&self) -> Cow<'static, str> {
        self.to_string().into()
    }

    fn get_additional_properties(&self) -> AdditionalProperties {
        self.error.get_additional_properties()
    }

    fn get_ref(&self) -> &(dyn std::error::Error + Send + Sync + 'static) {
        self
    }
}

/// Follows the first matching member of `paths`. A catch-all does not hide Node's own modules.
fn mapped(config: &Config, specifier: &str, is_builtin: bool) -> Option<PathBuf> {
    let mapping = config.paths.iter().find(|mapping| mapping.candidates(specifier).is_some())?;
    if is_builtin && mapping.is_catch_all() {
        return None;
    }
    mapping.candidates(specifier)?.iter().find_map(|path| probe(path))
}

fn is_relative(specifier: &str) -> bool {
    specifier == "."
        || specifier == ".."
        || ["./", "../", "/"].iter().any(|start| specifier.starts_with(start))
}

fn has_exports(package: &Path) -> bool {
    std::fs::read_to_string(package.join("package.json"))
        .ok()
        .and_then(|text| serde_json::from_str::<serde_json::Value>(&text).ok())
        .is_some_and(|package| !package["exports"].is_null())
}

/// Finds the file that a path leads to, where its specifier may say that it is a folder.
fn probe_specifier(path: &Path, specifier: &str) -> Option<PathBuf> {
    let is_folder = specifier.ends_with('/')
        || specifier == "."
        || specifier.ends_with("..")
        || specifier.ends_with("/.");
    let path = clean(path);
    let found = if is_folder { probe_folder(&path) } else { probe(&path) };
    found.or_else(|| if is_folder { probe(&path) } else { None })
}

/// Finds the file that a path leads to: itself, its source, it with an ending, or the main file of this folder.
fn probe(path: &Path) -> Option<PathBuf> {
    if path.is_file() && !is_declaration(path) {
        return real(path);
    }
    let name = path.file_name()?.to_str()?;
    for (ending, sources) in SOURCES {
        let Some(stem) = name.strip_suffix(ending).filter(|stem| !stem.is_empty()) else {
            continue;
        };
        for source in sources {
            let candidate = path.with_file_name(format!("{stem}{source}"));
            if candidate.is_file() {
                return real(&candidate);
            }
        }
    }
    let with_ending = ENDINGS
        .iter()
        .map(|ending| path.with_file_name(format!("{name}{ending}")))
        .find(|candidate| candidate.is_file() && !is_declaration(candidate));
    match with_ending {
        Some(found) => real(&found),
        None => probe_folder(path),
    }
}

fn probe_folder(folder: &Path) -> Option<PathBuf> {
    if !folder.is_dir() {
        return None;
    }
    let main = std::fs::read_to_string(folder.join("package.json"))
        .ok()
        .and_then(|text| serde_json::from_str::<serde_json::Value>(&text).ok())
        .and_then(|package| Some(clean(&folder.join(package["main"].as_str()?))));
    // A package whose main file is the folder itself has none.
    main.filter(|main| main != folder).and_then(|main| probe(&main)).or_else(|| {
        let index = ENDINGS.iter().map(|ending| folder.join(format!("index{ending}")));
        index.into_iter().find(|candidate| candidate.is_file()).and_then(|found| real(&found))
    })
}

fn is_declaration(path: &Path) -> bool {
    matches!(MediaType::from_path(path), MediaType::Dts | MediaType::Dmts | MediaType::Dcts)
}

/// Returns the file behind links: a file reached in two ways is one module, and the folders above the real one count.
fn real(path: &Path) -> Option<PathBuf> {
    path.canonicalize().ok()
}

/// Returns the URL of a file that a specifier means, with the specifier's query and fragment.
pub(crate) fn with_query(path: &Path, query: &str) -> Option<ModuleSpecifier> {
    let mut url = ModuleSpecifier::from_file_path(path).ok()?;
    if !query.is_empty() {
        url = ModuleSpecifier::parse(&format!("{url}{query}")).ok()?;
    }
    Some(url)
}

/// Splits a specifier into a path, and the query and fragment after it.
pub(crate) fn split_query(specifier: &str) -> (&str, &str) {
    if !is_relative(specifier) {
        return (specifier, "");
    }
    specifier.split_at(specifier.find(['?', '#']).unwrap_or(specifier.len()))
}

#[cfg(test)]
mod tests;
