//! Parsing without emitting JavaScript: CommonJS that an ES module imports, to see what it exports, and files that V8
//! rejects, to see where.

use crate::{literals, typescript::is_typescript};
use deno_ast::{
    MediaType, ModuleSpecifier, ParseDiagnostic, ParseParams, ParsedSource, diagnostics::Diagnostic,
};
use deno_error::JsErrorBox;
use deno_resolver::cjs::analyzer::{ModuleExportAnalyzer, ModuleForExportAnalysis};
use std::sync::Arc;

/// A parser for CommonJS. Deno's own one also keeps each token, which takes considerable time and is of no use here.
pub(crate) struct Parser;

impl ModuleExportAnalyzer for Parser {
    fn parse_module(
        &self,
        url: ModuleSpecifier,
        media_type: MediaType,
        source: Arc<str>,
    ) -> Result<Box<dyn ModuleForExportAnalysis>, JsErrorBox> {
        let parsed = parse_as(&url, source, media_type).map_err(JsErrorBox::from_err)?;
        Ok(Box::new(parsed))
    }
}

/// The exports of a module, as far as its text shows.
pub(crate) struct Exporting {
    /// Names, `default` among them.
    pub(crate) names: Vec<String>,
    /// Whether it also exports what another module does.
    pub(crate) elsewhere: bool,
    /// Whether it is CommonJS: then there may be more exports.
    pub(crate) commonjs: bool,
    /// Exports that are not functions.
    pub(crate) values: Vec<literals::Value>,
}

/// Finds the exports in `source`.
///
/// # Errors
/// As [`syntax_problem`] describes it, when it does not parse.
pub(crate) fn exporting(url: &ModuleSpecifier, source: &str) -> Result<Exporting, String> {
    let parsed = parse(url, source).map_err(|error| describe(&error))?;
    // `export =` makes an ES module to the parser, and so do imports of types beside `exports.handler`.
    let may_be_commonjs = !matches!(parsed.media_type(), MediaType::Mjs | MediaType::Mts);
    let assigns =
        ["export =", "module.exports", "exports."].iter().any(|sign| source.contains(sign));
    let is_mixed = assigns && is_typescript(parsed.media_type());
    let commonjs = may_be_commonjs && (parsed.compute_is_script() || is_mixed);
    let found = if commonjs { parsed.analyze_cjs() } else { parsed.analyze_es_runtime_exports() };
    let elsewhere = !found.reexports.is_empty();
    let values = literals::of(parsed.program_ref(), source);
    Ok(Exporting { names: found.exports, elsewhere, commonjs, values })
}

/// Locates the syntax error in `source`, as `message at file:///path:line:column`; returns `None` when it parses.
pub(crate) fn syntax_problem(url: &ModuleSpecifier, source: &str) -> Option<String> {
    parse(url, source).err().map(|error| describe(&error))
}

/// Whether JavaScript that does not declare its kind can only be an ES module.
pub(crate) fn is_module(url: &ModuleSpecifier, source: &str) -> bool {
    let may_be = ["import", "export", "await"].iter().any(|word| source.contains(word));
    may_be
        && parse_as(url, source.into(), MediaType::JavaScript)
            .is_ok_and(|parsed| !parsed.compute_is_script())
}

fn parse(url: &ModuleSpecifier, source: &str) -> Result<ParsedSource, ParseDiagnostic> {
    let parsed = parse_as(url, source.into(), MediaType::from_specifier(url))?;
    match parsed.diagnostics().iter().find(|problem| !is_checkers_business(problem)) {
        Some(problem) => Err(problem.clone()),
        None => Ok(parsed),
    }
}

fn parse_as(
    url: &ModuleSpecifier,
    text: Arc<str>,
    media_type: MediaType,
) -> Result<ParsedSource, ParseDiagnostic> {
    deno_ast::parse_program(ParseParams {
        specifier: url.clone(),
        text,
        media_type,
        capture_tokens: false,
        scope_analysis: false,
        maybe_syntax: None,
    })
}

/// Whether a problem from which the parser recovered is one that TypeScript's checker complains about and that does not
/// affect the emitted code.
pub(crate) fn is_checkers_business(problem: &ParseDiagnostic) -> bool {
    let kind = format!("{:?}", problem.kind());
    // A missing identifier, semicolon, digit or expression is the parser's.
    kind.starts_with("TS") && !["TS1003", "TS1005", "TS1085", "TS1109", "TS2406"].contains(&&*kind)
}

/// Formats a problem as `message at file:///path:line:column`.
pub(crate) fn describe(error: &ParseDiagnostic) -> String {
    let position = error.display_position();
    format!(
        "{} at {}:{}:{}",
        error.message(),
        error.specifier(),
        position.line_number,
        position.column_number
    )
}
