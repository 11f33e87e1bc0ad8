//! TypeScript to JavaScript: types are stripped, never checked, and the result carries its source map.

use deno_ast::{
    EmitOptions, MediaType, ModuleSpecifier, ParseDiagnostic, ParseParams, ParsedSource,
    SourceMapOption, TranspileModuleOptions, TranspileOptions, diagnostics::Diagnostic,
};
use deno_error::JsErrorBox;

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

/// Where `source` does not parse, in the form `message at file:///path:line:column`; `None` when it does.
pub(crate) fn syntax_problem(url: &ModuleSpecifier, source: &str) -> Option<String> {
    parse(url, source).err().map(|error| describe(&error))
}

fn parse(url: &ModuleSpecifier, source: &str) -> Result<ParsedSource, ParseDiagnostic> {
    let parsed = deno_ast::parse_program(ParseParams {
        specifier: url.clone(),
        text: source.into(),
        media_type: MediaType::from_specifier(url),
        capture_tokens: false,
        scope_analysis: false,
        maybe_syntax: None,
    })?;
    match parsed.diagnostics().first() {
        Some(diagnostic) => Err(diagnostic.clone()),
        None => Ok(parsed),
    }
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
