//! The settings in the nearest `tsconfig.json` that matter when the code runs.

use super::jsonc;
use deno_error::JsErrorBox;
use serde_json::{Map, Value};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

/// The settings of a `tsconfig.json`, with those that it extends.
#[derive(Debug, Default, Clone, PartialEq)]
pub(crate) struct Config {
    /// `baseUrl`, as an absolute path.
    pub(super) base_url: Option<PathBuf>,
    /// `paths`, in the order in which they are tried.
    pub(super) paths: Vec<Mapping>,
    pub(super) jsx: Jsx,
    /// `experimentalDecorators`, where it is set.
    pub(super) legacy_decorators: Option<bool>,
    pub(super) decorator_metadata: bool,
    /// `strict` and `strictNullChecks`, where they are set.
    strict: Option<bool>,
    null_checks: Option<bool>,
    /// `useDefineForClassFields`, where it is set.
    define_fields: Option<bool>,
    pub(super) verbatim_modules: bool,
    preserves_imports: bool,
    target: Option<String>,
    module: Option<String>,
    /// Extended files that do not exist.
    pub(super) missing: Vec<String>,
}

/// The way in which JSX becomes calls.
#[derive(Debug, Default, Clone, PartialEq)]
pub(super) struct Jsx {
    /// `jsx`: `react`, `react-jsx`, `react-jsxdev`, `preserve`, `react-native`.
    pub(super) mode: Option<String>,
    pub(super) factory: Option<String>,
    pub(super) fragment_factory: Option<String>,
    pub(super) import_source: Option<String>,
}

/// A member of `paths`: the text before and after the star, and the places where it may be found.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Mapping {
    prefix: String,
    /// The text after the star; `None` where there is no star.
    suffix: Option<String>,
    /// Absolute paths, with a star or without.
    targets: Vec<String>,
}

impl Mapping {
    /// Whether everything matches.
    pub(super) fn is_catch_all(&self) -> bool {
        self.prefix.is_empty() && self.suffix.as_deref() == Some("")
    }

    /// Returns the places where a specifier may be found, if this mapping matches it.
    pub(super) fn candidates(&self, specifier: &str) -> Option<Vec<PathBuf>> {
        let star = match &self.suffix {
            None => (specifier == self.prefix).then_some("")?,
            Some(suffix) => specifier
                .strip_prefix(self.prefix.as_str())
                .and_then(|rest| rest.strip_suffix(suffix.as_str()))?,
        };
        Some(self.targets.iter().map(|target| target.replacen('*', star, 1).into()).collect())
    }
}

impl Config {
    /// Returns the settings for a file: those of the first `tsconfig.json` in the folders above it. A package from a
    /// registry has none; its own one was for those who built it.
    ///
    /// # Errors
    /// Where the file is not JSON, with its place.
    pub(crate) fn of(path: &Path) -> Result<(Option<PathBuf>, Arc<Self>), JsErrorBox> {
        let folders = path.ancestors().skip(1);
        if folders.clone().any(|folder| folder.ends_with("node_modules")) {
            return Ok((None, Arc::default()));
        }
        match folders.map(|folder| folder.join("tsconfig.json")).find(|file| file.is_file()) {
            Some(file) => {
                let config = Self::read(&file)?;
                Ok((Some(file), Arc::new(config)))
            }
            None => Ok((None, Arc::default())),
        }
    }

    fn read(file: &Path) -> Result<Self, JsErrorBox> {
        let mut config = Self::default();
        let home = file.parent().unwrap_or(file);
        config.add(file, home, &mut Vec::new())?;
        // The longest text before the star wins, and a key without a star wins over all.
        config.paths.sort_by_key(|mapping| {
            (mapping.suffix.is_some(), std::cmp::Reverse(mapping.prefix.len()))
        });
        Ok(config)
    }

    /// Adds a file's settings, after those that it extends.
    fn add(&mut self, file: &Path, home: &Path, open: &mut Vec<PathBuf>) -> Result<(), JsErrorBox> {
        if open.iter().any(|other| other == file) {
            return Ok(());
        }
        let text = std::fs::read_to_string(file)
            .map_err(|error| JsErrorBox::generic(format!("{}: {error}", file.display())))?;
        let value = jsonc::parse(&text).map_err(|error| {
            let problem = error.to_string();
            let problem = problem.split(" at line ").next().unwrap_or_default();
            let place = format!("{}:{}:{}", file.display(), error.line(), error.column());
            JsErrorBox::new(
                "SyntaxError",
                format!("the settings are no JSON: {problem} at {place}"),
            )
        })?;
        let folder = file.parent().unwrap_or(file);
        open.push(file.to_owned());
        for base in strings(&value["extends"]) {
            match find_base(base, folder) {
                Some(found) => self.add(&found, home, open)?,
                // Deployments often lack the settings that several projects share.
                None => self.missing.push(format!("{base} (extended by {})", file.display())),
            }
        }
        open.pop();
        if let Some(options) = value["compilerOptions"].as_object() {
            self.take(options, folder, home);
        }
        Ok(())
    }

    fn take(&mut self, options: &Map<String, Value>, folder: &Path, home: &Path) {
        let text = |name: &str| options.get(name).and_then(Value::as_str).map(str::to_owned);
        let flag = |name: &str| options.get(name).and_then(Value::as_bool);
        let place = |path: &str| match path.strip_prefix("${configDir}") {
            Some(rest) => clean(&home.join(rest.trim_start_matches('/'))),
            None => clean(&folder.join(path)),
        };
        if let Some(base) = text("baseUrl") {
            self.base_url = Some(place(&base));
        }
        if let Some(paths) = options.get("paths").and_then(Value::as_object) {
            let base = self.base_url.clone();
            let place = |target: &str| match &base {
                Some(base) if !target.starts_with("${configDir}") => clean(&base.join(target)),
                _ => place(target),
            };
            self.paths = paths.iter().map(|(key, targets)| mapping(key, targets, place)).collect();
        }
        let set = |slot: &mut Option<String>, name: &str| {
            if let Some(value) = text(name) {
                *slot = Some(value);
            }
        };
        set(&mut self.jsx.mode, "jsx");
        set(&mut self.jsx.factory, "jsxFactory");
        set(&mut self.jsx.fragment_factory, "jsxFragmentFactory");
        set(&mut self.jsx.import_source, "jsxImportSource");
        set(&mut self.target, "target");
        set(&mut self.module, "module");
        if let Some(namespace) = text("reactNamespace") {
            self.jsx.factory.get_or_insert(format!("{namespace}.createElement"));
            self.jsx.fragment_factory.get_or_insert(format!("{namespace}.Fragment"));
        }
        self.legacy_decorators = flag("experimentalDecorators").or(self.legacy_decorators);
        self.decorator_metadata = flag("emitDecoratorMetadata").unwrap_or(self.decorator_metadata);
        self.strict = flag("strict").or(self.strict);
        self.null_checks = flag("strictNullChecks").or(self.null_checks);
        self.define_fields = flag("useDefineForClassFields").or(self.define_fields);
        self.verbatim_modules = flag("verbatimModuleSyntax").unwrap_or(self.verbatim_modules);
        let preserve =
            matches!(text("importsNotUsedAsValues").as_deref(), Some("preserve" | "error"))
                || flag("preserveValueImports") == Some(true);
        self.preserves_imports = preserve || self.preserves_imports;
    }

    /// Whether nullable types differ from their non-nullable counterparts.
    pub(super) fn checks_nulls(&self) -> bool {
        self.null_checks.or(self.strict).unwrap_or(false)
    }

    /// Whether a class field is defined, as in the language itself, instead of assigned.
    pub(super) fn defines_fields(&self) -> bool {
        self.define_fields.unwrap_or_else(|| match self.target.as_deref() {
            // Without a target TypeScript's own default is an old one, but bundlers for Node aim at the newest.
            None => true,
            Some(target) => {
                let target = target.to_ascii_lowercase();
                target == "esnext"
                    || target
                        .strip_prefix("es")
                        .and_then(|year| year.parse().ok())
                        .is_some_and(|year: u32| year >= 2022)
            }
        })
    }

    /// Whether files are CommonJS when their package does not say.
    pub(super) fn emits_commonjs(&self) -> bool {
        self.module.as_ref().is_some_and(|module| {
            let module = module.to_ascii_lowercase();
            module == "commonjs" || module.starts_with("node")
        })
    }

    /// Whether an import of which only types are used is still evaluated.
    pub(super) fn preserves_imports(&self) -> bool {
        self.preserves_imports
    }
}

fn strings(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(list) => list.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

fn mapping(key: &str, targets: &Value, place: impl Fn(&str) -> PathBuf) -> Mapping {
    let targets = strings(targets).into_iter();
    let targets = targets.map(|target| place(target).to_string_lossy().into_owned());
    let (prefix, suffix) = match key.split_once('*') {
        Some((prefix, suffix)) => (prefix, Some(suffix.to_owned())),
        None => (key, None),
    };
    Mapping { prefix: prefix.to_owned(), suffix, targets: targets.collect() }
}

/// Finds the file that `extends` names.
fn find_base(name: &str, folder: &Path) -> Option<PathBuf> {
    if name.starts_with('.') || name.starts_with('/') {
        return settings_file(&clean(&folder.join(name)));
    }
    folder.ancestors().find_map(|above| {
        let packages = above.join("node_modules");
        settings_file(&packages.join(name)).or_else(|| exported(&packages, name))
    })
}

fn settings_file(path: &Path) -> Option<PathBuf> {
    let with_suffix = PathBuf::from(format!("{}.json", path.display()));
    if path.is_file() {
        return Some(path.to_owned());
    }
    if with_suffix.is_file() {
        return Some(with_suffix);
    }
    if !path.is_dir() {
        return None;
    }
    let named = package(path).and_then(|package| package["tsconfig"].as_str().map(str::to_owned));
    let file = path.join(named.as_deref().unwrap_or("tsconfig.json"));
    file.is_file().then_some(file)
}

/// Finds the file that a package offers under a name in its `exports`.
fn exported(packages: &Path, name: &str) -> Option<PathBuf> {
    let parts = if name.starts_with('@') { 2 } else { 1 };
    let end = name.match_indices('/').nth(parts - 1).map_or(name.len(), |(at, _)| at);
    let folder = packages.join(&name[..end]);
    let package = package(&folder)?;
    let target = match name.get(end + 1..) {
        Some(inner) => &package["exports"][format!("./{inner}")],
        None => match &package["exports"]["."] {
            Value::Null => &package["exports"],
            main => main,
        },
    };
    let target = match target {
        Value::Object(conditions) => ["node", "require", "default"]
            .iter()
            .find_map(|condition| conditions.get(*condition).and_then(Value::as_str))?,
        target => target.as_str()?,
    };
    let file = clean(&folder.join(target));
    (file.starts_with(&folder) && file.is_file()).then_some(file)
}

fn package(folder: &Path) -> Option<Value> {
    let text = std::fs::read_to_string(folder.join("package.json")).ok()?;
    serde_json::from_str(&text).ok()
}

/// Returns a path without `.` and `..`.
pub(super) fn clean(path: &Path) -> PathBuf {
    let mut cleaned = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::CurDir => {}
            std::path::Component::ParentDir => {
                cleaned.pop();
            }
            part => cleaned.push(part),
        }
    }
    cleaned
}

#[cfg(test)]
pub(super) mod tests;
