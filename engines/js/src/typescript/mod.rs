//! TypeScript as people write it: how files find one another, which settings hold for them, and the JavaScript made of
//! them. Types are never checked.

mod accessors;
mod commonjs;
mod config;
mod decorated;
mod embedded;
mod emit;
mod fields;
mod jsonc;
mod merge;
mod metadata;
mod names;
mod require;
mod resolve;
mod snippet;
mod substitutes;
mod survey;
mod types;

pub(crate) use self::{
    names::json_module,
    require::{op_trine_require_package_imports_resolve, op_trine_require_try_self, path_of},
    resolve::{split_query, with_query},
};

use self::{
    config::Config,
    emit::{Format, Parsed},
};
use crate::transpile::{describe, is_checkers_business};
use deno_ast::{MediaType, ModuleSpecifier, ParseParams};
use deno_error::JsErrorBox;
use node_resolver::PackageJsonResolverRc;
use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    path::{Path, PathBuf},
    rc::Rc,
    sync::Arc,
};
use sys_traits::impls::RealSys;

/// The JavaScript made of a TypeScript file.
pub(crate) struct Transpiled {
    pub(crate) text: String,
    /// Its source map.
    map: String,
    /// Whether it is CommonJS.
    pub(crate) is_commonjs: bool,
}

/// The TypeScript support of an instance.
pub(crate) struct TypeScript {
    packages: PackageJsonResolverRc<RealSys>,
    configs: RefCell<HashMap<PathBuf, Known>>,
    /// The file that was made last, until it is loaded: determining its format takes making it.
    ready: RefCell<Option<(PathBuf, Rc<Transpiled>)>>,
    /// The types that files export, for those files that were examined for it.
    types: RefCell<HashMap<PathBuf, types::Types>>,
    /// The source maps of the files that were made, by URL.
    maps: RefCell<HashMap<String, Rc<str>>>,
    /// Whether what is made says where it comes from, for debuggers.
    embeds_maps: Cell<bool>,
}

/// The settings that hold for the files of a folder.
#[derive(Clone)]
struct Known {
    file: Option<PathBuf>,
    config: Arc<Config>,
}

/// Whether files of this type are TypeScript, or JSX, and are found by TypeScript's rules.
pub(crate) fn is_typescript(media_type: MediaType) -> bool {
    matches!(
        media_type,
        MediaType::TypeScript | MediaType::Mts | MediaType::Cts | MediaType::Tsx | MediaType::Jsx
    )
}

impl TypeScript {
    pub(crate) fn new(packages: PackageJsonResolverRc<RealSys>) -> Rc<Self> {
        Rc::new(Self {
            packages,
            configs: RefCell::default(),
            ready: RefCell::default(),
            types: RefCell::default(),
            maps: RefCell::default(),
            embeds_maps: Cell::default(),
        })
    }

    /// Adds source maps from now on to what is made.
    pub(crate) fn embed_maps(&self) {
        self.embeds_maps.set(true);
    }

    /// Returns the settings for a file.
    fn known(&self, path: &Path) -> Result<Known, JsErrorBox> {
        let folder = path.parent().unwrap_or(path);
        if let Some(known) = self.configs.borrow().get(folder) {
            return Ok(known.clone());
        }
        let (file, config) = Config::of(path)?;
        let known = Known { file, config };
        self.configs.borrow_mut().insert(folder.to_owned(), known.clone());
        Ok(known)
    }

    /// Returns the JavaScript of a file, to be examined.
    ///
    /// # Errors
    /// Where the file cannot be read, or does not parse.
    pub(crate) fn look_at(&self, path: &Path) -> Result<Rc<Transpiled>, JsErrorBox> {
        if let Some((known, ready)) = &*self.ready.borrow()
            && known == path
        {
            return Ok(ready.clone());
        }
        let made = Rc::new(self.make(path)?);
        self.ready.replace(Some((path.to_owned(), made.clone())));
        Ok(made)
    }

    /// Takes the JavaScript of a file, to be run: the next time it is made anew.
    ///
    /// # Errors
    /// Where the file cannot be read, or does not parse.
    pub(crate) fn take(&self, path: &Path) -> Result<Transpiled, JsErrorBox> {
        let ready = self.ready.borrow_mut().take_if(|(known, _)| known == path);
        match ready.map(|(_, ready)| Rc::try_unwrap(ready)) {
            Some(Ok(ready)) => Ok(ready),
            _ => self.make(path),
        }
    }

    fn make(&self, path: &Path) -> Result<Transpiled, JsErrorBox> {
        let url = ModuleSpecifier::from_file_path(path)
            .map_err(|()| JsErrorBox::generic(format!("{} is not absolute", path.display())))?;
        let source = crate::loader::read(path)?;
        let config = self.known(path)?.config;
        let format = self.format(path, &config)?;
        let is_type = |specifier: &str, name: &str| {
            let file = self.resolve(specifier, path, false).ok().flatten();
            file.is_some_and(|file| {
                is_typescript(MediaType::from_path(&file)) && self.exports_type(&file, name)
            })
        };
        let mut made = transpile(&url, &source, &config, format, &is_type)?;
        if self.embeds_maps.get() {
            made.text.push_str(&embedded::comment(&made.map, &url, &source));
        }
        self.maps.borrow_mut().insert(url.into(), made.map.as_str().into());
        Ok(made)
    }

    /// Returns the source map of a file that was made.
    pub(crate) fn source_map(&self, url: &str) -> Option<Rc<str>> {
        self.maps.borrow().get(url).cloned()
    }

    /// Determines a file's format as far as its name, its package and its settings show.
    fn format(&self, path: &Path, config: &Config) -> Result<Format, JsErrorBox> {
        match MediaType::from_path(path) {
            MediaType::Mts => return Ok(Format::Module),
            MediaType::Cts => return Ok(Format::CommonJs),
            _ => {}
        }
        let package = self.packages.get_closest_package_json(path).map_err(JsErrorBox::from_err)?;
        Ok(match package.as_ref().map(|package| &*package.typ) {
            Some("module") => Format::Module,
            Some("commonjs") => Format::PreferCommonJs,
            _ if config.emits_commonjs() => Format::PreferCommonJs,
            _ => Format::Detect,
        })
    }
}

/// Makes JavaScript of a text that comes from no file, in the given format.
///
/// # Errors
/// Where it does not parse.
pub(crate) fn transpile_text(
    url: &ModuleSpecifier,
    source: &str,
    is_module: bool,
) -> Result<String, JsErrorBox> {
    let format = if is_module { Format::Module } else { Format::CommonJs };
    Ok(transpile(url, source, &Config::default(), format, &|_, _| false)?.text)
}

fn transpile(
    url: &ModuleSpecifier,
    source: &str,
    config: &Config,
    format: Format,
    is_type: types::IsType<'_>,
) -> Result<Transpiled, JsErrorBox> {
    let media_type = MediaType::from_specifier(url);
    let mut program = None;
    let parsed = deno_ast::parse_program_with_post_process(
        ParseParams {
            specifier: url.clone(),
            text: source.into(),
            media_type,
            capture_tokens: false,
            scope_analysis: false,
            maybe_syntax: None,
        },
        // The passes need to own it; this saves a copy.
        |parsed, _| {
            program = Some(parsed);
            deno_ast::swc::ast::Program::Script(Default::default())
        },
    )
    .map_err(|problem| JsErrorBox::new("SyntaxError", describe(&problem)))?;
    let mut problems = parsed.diagnostics().iter();
    if let Some(problem) = problems.find(|problem| !is_checkers_business(problem)) {
        return Err(JsErrorBox::new("SyntaxError", describe(problem)));
    }
    let parsed = Parsed {
        program: program.ok_or_else(|| JsErrorBox::generic("the parser gave no program"))?,
        comments: parsed.comments().as_single_threaded(),
        globals: parsed.globals().clone(),
        url: url.clone(),
        source: parsed.text().to_string(),
        has_jsx: matches!(media_type, MediaType::Tsx | MediaType::Jsx),
    };
    emit::emit(parsed, config, format, is_type)
}

#[cfg(test)]
mod tests;
