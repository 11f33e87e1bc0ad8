//! TypeScript to JavaScript: types are stripped, never checked, and the result carries its source map.

use deno_ast::{
    EmitOptions, MediaType, ModuleSpecifier, ParseParams, SourceMapOption, TranspileModuleOptions,
    TranspileOptions,
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
    let syntax_error = |error: String| JsErrorBox::new("SyntaxError", error);
    let parsed = deno_ast::parse_program(ParseParams {
        specifier: url.clone(),
        text: source.into(),
        media_type: MediaType::from_specifier(url),
        capture_tokens: false,
        scope_analysis: false,
        maybe_syntax: None,
    })
    .map_err(|error| syntax_error(error.to_string()))?;
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
        .map_err(|error| syntax_error(error.to_string()))?
        .into_source();
    Ok(Transpiled { text: emitted.text, is_script })
}
