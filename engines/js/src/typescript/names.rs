//! CommonJS made of TypeScript, and JSON, for the ES modules that import them: their exports must be known before they
//! run.

use super::{TypeScript, is_typescript};
use crate::transpile::Parser;
use deno_ast::{MediaType, ModuleSpecifier};
use deno_error::JsErrorBox;
use deno_resolver::cjs::analyzer::ModuleExportAnalyzer as _;
use serde_json::Value;
use std::{
    collections::{BTreeSet, HashSet},
    fmt::Write as _,
    path::{Path, PathBuf},
};

/// A function that resolves a specifier in a file.
pub(crate) type Resolve<'a> = &'a dyn Fn(&str, &ModuleSpecifier) -> Option<ModuleSpecifier>;

impl TypeScript {
    /// Makes an ES module that exports what `require` returns for a file. Its default export is the file's own, if any.
    ///
    /// # Errors
    /// Where the file cannot be read, or does not parse.
    pub(crate) fn wrapper(&self, path: &Path, resolve: Resolve<'_>) -> Result<String, JsErrorBox> {
        let mut names =
            Names { typescript: self, resolve, seen: HashSet::new(), found: BTreeSet::new() };
        names.collect(path)?;
        let place = Value::from(path.to_string_lossy());
        let mut text = format!(
            "import {{ createRequire as $require }} from 'node:module';\n\
             const $module = $require(import.meta.url)({place});\n\
             const $default = $module?.__esModule && 'default' in $module ? $module.default : $module;\n\
             export default $default;\n"
        );
        members(&mut text, "$module", names.found.iter().map(String::as_str));
        Ok(text)
    }
}

/// Makes an ES module of JSON, as in TypeScript: the value, and the members of an object by their names.
///
/// # Errors
/// A `SyntaxError` where it is not JSON.
pub(crate) fn json_module(url: &ModuleSpecifier, json: &str) -> Result<String, JsErrorBox> {
    let json = json.strip_prefix('\u{feff}').unwrap_or(json);
    let value: Value = serde_json::from_str(json).map_err(|error| {
        let problem = error.to_string();
        let problem = problem.split(" at line ").next().unwrap_or_default();
        let place = format!("{url}:{}:{}", error.line(), error.column());
        JsErrorBox::new("SyntaxError", format!("no JSON: {problem} at {place}"))
    })?;
    let mut text =
        format!("const $json = JSON.parse({});\nexport default $json;\n", Value::from(json));
    if let Value::Object(object) = &value {
        members(&mut text, "$json", object.keys().map(String::as_str));
    }
    Ok(text)
}

/// Exports the members of an object.
fn members<'a>(text: &mut String, object: &str, names: impl Iterator<Item = &'a str>) {
    let names = names.filter(|name| !matches!(*name, "default" | "module.exports" | "__esModule"));
    for (index, name) in names.enumerate() {
        let name = Value::from(name);
        // Writing to a string never fails.
        let _ = writeln!(
            text,
            "const ${index} = {object}?.[{name}];\nexport {{ ${index} as {name} }};"
        );
    }
}

/// The exports of a file, including those that it re-exports.
struct Names<'a> {
    typescript: &'a TypeScript,
    resolve: Resolve<'a>,
    seen: HashSet<PathBuf>,
    found: BTreeSet<String>,
}

impl Names<'_> {
    fn collect(&mut self, path: &Path) -> Result<(), JsErrorBox> {
        if !self.seen.insert(path.to_owned()) {
            return Ok(());
        }
        let url = ModuleSpecifier::from_file_path(path)
            .map_err(|()| JsErrorBox::generic(format!("{} is not absolute", path.display())))?;
        let text = match MediaType::from_path(path) {
            MediaType::Json => return self.collect_json(path),
            media_type if is_typescript(media_type) => self.typescript.look_at(path)?.text.clone(),
            _ => crate::loader::read(path)?,
        };
        let parsed = Parser.parse_module(url.clone(), MediaType::JavaScript, text.into())?;
        let exports = match parsed.compute_is_script() {
            true => parsed.analyze_cjs(),
            false => parsed.analyze_es_runtime_exports(),
        };
        self.found.extend(exports.exports);
        for specifier in exports.reexports {
            let target = (self.resolve)(&specifier, &url).and_then(|url| url.to_file_path().ok());
            // A missing file fails when it is required, with a message that says where.
            if let Some(target) = target {
                self.collect(&target)?;
            }
        }
        Ok(())
    }

    fn collect_json(&mut self, path: &Path) -> Result<(), JsErrorBox> {
        if let Ok(Value::Object(object)) = serde_json::from_str(&crate::loader::read(path)?) {
            self.found.extend(object.into_iter().map(|(name, _)| name));
        }
        Ok(())
    }
}
