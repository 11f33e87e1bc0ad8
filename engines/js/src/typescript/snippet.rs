//! Small pieces of JavaScript that are written as text and inserted into a file's syntax tree.

use deno_ast::{
    MediaType, ModuleSpecifier, ParseParams,
    swc::{
        ast::{Expr, Ident, Stmt},
        common::{DUMMY_SP, Span, SyntaxContext},
        ecma_visit::{VisitMut, VisitMutWith, noop_visit_mut_type},
    },
};

/// The meaning of a snippet's names and places.
#[derive(Default)]
pub(super) struct Graft {
    /// The context of undeclared names: globals, and the variables of CommonJS.
    pub(super) unresolved: SyntaxContext,
    /// The context of the snippet's own names.
    pub(super) own: SyntaxContext,
    /// Positions of the statements; surplus statements have none.
    pub(super) spans: Vec<Span>,
    /// Values of `$$0`, `$$1` and so on.
    pub(super) values: Vec<Expr>,
    pub(super) span: Span,
}

/// Free names in the snippets.
const FREE: [&str; 5] = ["require", "exports", "Object", "Symbol", "module"];

impl Graft {
    /// Parses the statements of a text.
    pub(super) fn parse(mut self, text: &str) -> Vec<Stmt> {
        let url = ModuleSpecifier::parse("file:///snippet.cjs").expect("a constant URL parses");
        let mut statements = Vec::new();
        let parsed = deno_ast::parse_script_with_post_process(
            ParseParams {
                specifier: url,
                text: text.into(),
                media_type: MediaType::Cjs,
                capture_tokens: false,
                scope_analysis: false,
                maybe_syntax: None,
            },
            |mut script, _| {
                statements = std::mem::take(&mut script.body);
                script
            },
        );
        debug_assert!(parsed.is_ok(), "{text}");
        for (index, statement) in statements.iter_mut().enumerate() {
            self.span = self.spans.get(index).copied().unwrap_or(DUMMY_SP);
            statement.visit_mut_with(&mut self);
        }
        statements
    }
}

impl VisitMut for Graft {
    noop_visit_mut_type!();

    fn visit_mut_expr(&mut self, expression: &mut Expr) {
        if let Expr::Ident(name) = expression
            && let Some(index) = name.sym.strip_prefix("$$").and_then(|index| index.parse().ok())
            && let Some(value) = self.values.get::<usize>(index)
        {
            *expression = value.clone();
            return;
        }
        expression.visit_mut_children_with(self);
    }

    fn visit_mut_ident(&mut self, name: &mut Ident) {
        name.span = self.span;
        name.ctxt = if FREE.contains(&&*name.sym) { self.unresolved } else { self.own };
    }

    fn visit_mut_span(&mut self, span: &mut Span) {
        *span = self.span;
    }
}
