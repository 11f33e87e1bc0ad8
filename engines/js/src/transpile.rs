//! Parses: TypeScript, to make JavaScript of it (types are stripped, never checked, and the result carries its source map),
//! and CommonJS that an ES module imports, to see what it exports.

use deno_ast::{
    EmitOptions, MediaType, ModuleSpecifier, ParseDiagnostic, ParseParams, ParsedSource,
    SourceMapOption, TranspileModuleOptions, TranspileOptions, diagnostics::Diagnostic,
};
use deno_error::JsErrorBox;
use deno_resolver::cjs::analyzer::{ModuleExportAnalyzer, ModuleForExportAnalysis};
use std::sync::Arc;

/// JavaScript made of TypeScript.
pub(crate) struct Transpiled {
    /// Its text, source map included.
    pub(crate) text: String,
    /// Whether it has neither imports nor exports nor top-level await, so that it can be CommonJS.
    pub(crate) is_script: bool,
}

/// Whether files of this type are TypeScript.
pub(crate) fn is_typescript(media_type: MediaType) -> bool {
    matches!(
        media_type,
        MediaType::TypeScript | MediaType::Mts | MediaType::Cts | MediaType::Tsx | MediaType::Jsx
    )
}

/// Strips the types off `source`.
///
/// # Errors
/// A `SyntaxError` with line, column and an excerpt, when it does not parse.
pub(crate) fn transpile(url: &ModuleSpecifier, source: &str) -> Result<Transpiled, JsErrorBox> {
    let parsed = parse(url, source).map_err(|error| syntax_error(&error))?;
    let is_script = parsed.compute_is_script();
    let emitted = parsed
        .transpile(
            &TranspileOptions::default(),
            &TranspileModuleOptions::default(),
            &EmitOptions {
                source_map: SourceMapOption::Inline,
                inline_sources: false,
                ..EmitOptions::default()
            },
        )
        .map_err(|error| JsErrorBox::new("SyntaxError", error.to_string()))?
        .into_source();
    Ok(Transpiled { text: emitted.text, is_script })
}

/// Parses CommonJS. Deno's own one keeps each token as well, which takes a good part of the time and serves nobody here.
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

/// What a module exports, as far as its text tells.
pub(crate) struct Exporting {
    /// Names, `default` among them.
    pub(crate) names: Vec<String>,
    /// Whether it also exports what another module does.
    pub(crate) elsewhere: bool,
    /// Whether it is CommonJS: then there may be more.
    pub(crate) commonjs: bool,
}

/// Looks for exports in `source`.
///
/// # Errors
/// As [`syntax_problem`] tells it, when it does not parse.
pub(crate) fn exporting(url: &ModuleSpecifier, source: &str) -> Result<Exporting, String> {
    let parsed = parse(url, source).map_err(|error| describe(&error))?;
    // `export =` is an ES module to the parser.
    let may_be_commonjs = !matches!(parsed.media_type(), MediaType::Mjs | MediaType::Mts);
    let commonjs = may_be_commonjs && (parsed.compute_is_script() || source.contains("export ="));
    let found = if commonjs { parsed.analyze_cjs() } else { parsed.analyze_es_runtime_exports() };
    let elsewhere = !found.reexports.is_empty();
    Ok(Exporting { names: found.exports, elsewhere, commonjs })
}

/// Where `source` does not parse, in the form `message at file:///path:line:column`; `None` when it does.
pub(crate) fn syntax_problem(url: &ModuleSpecifier, source: &str) -> Option<String> {
    parse(url, source).err().map(|error| describe(&error))
}

fn parse(url: &ModuleSpecifier, source: &str) -> Result<ParsedSource, ParseDiagnostic> {
    let parsed = parse_as(url, source.into(), MediaType::from_specifier(url))?;
    match parsed.diagnostics().first() {
        Some(diagnostic) => Err(diagnostic.clone()),
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

fn describe(error: &ParseDiagnostic) -> String {
    let position = error.display_position();
    format!(
        "{} at {}:{}:{}",
        error.message(),
        error.specifier(),
        position.line_number,
        position.column_number
    )
}

fn syntax_error(error: &ParseDiagnostic) -> JsErrorBox {
    JsErrorBox::new("SyntaxError", describe(error))
}
