//! JavaScript without comments and white space; names stay. What ships is smaller for it, and a start reads less.

use deno_ast::{
    MediaType, ParseParams, ProgramRef, SourceMap,
    swc::codegen::{Config, Emitter, Node as _, text_writer::JsWriter},
};
use deno_runtime::deno_core::ModuleSpecifier;

/// Returns this source in a short form.
pub(crate) fn minify(specifier: &str, source: &str) -> String {
    let url = ModuleSpecifier::parse(specifier).expect("extensions have URLs");
    let parsed = deno_ast::parse_program(ParseParams {
        specifier: url.clone(),
        text: source.into(),
        media_type: MediaType::JavaScript,
        capture_tokens: false,
        scope_analysis: false,
        maybe_syntax: None,
    })
    .unwrap_or_else(|error| panic!("cannot parse {specifier}: {error}"));
    let map = SourceMap::single(url, source.to_owned());
    let mut out = Vec::new();
    let mut emitter = Emitter {
        cfg: Config::default().with_minify(true).with_ascii_only(true).with_inline_script(false),
        comments: None,
        cm: map.inner().clone(),
        wr: JsWriter::new(map.inner().clone(), "\n", &mut out, None),
    };
    match parsed.program_ref() {
        ProgramRef::Module(module) => module.emit_with(&mut emitter),
        ProgramRef::Script(script) => script.emit_with(&mut emitter),
    }
    .unwrap_or_else(|error| panic!("cannot write {specifier}: {error}"));
    String::from_utf8(out).expect("text is written")
}
