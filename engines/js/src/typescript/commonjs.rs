//! The conversion of a TypeScript file's imports and exports to CommonJS, as in TypeScript's compiler: imports become
//! `require` calls at the top, exports become getters, and imported names are looked up when they are used.

use super::{
    emit::{constant, named_declaration, private_name},
    snippet::Graft,
    substitutes::Substitutes,
};
use deno_ast::{
    Marks,
    swc::{
        ast::{
            ComputedPropName, Decl, ExportSpecifier, Expr, Ident, IdentName, ImportSpecifier, Lit,
            MemberExpr, MemberProp, Module, ModuleDecl, ModuleExportName, ModuleItem, Script, Stmt,
            Str,
        },
        common::{DUMMY_SP, Mark, Span, SyntaxContext},
        ecma_visit::VisitMutWith,
        utils::find_pat_ids,
    },
};
use std::collections::BTreeMap;

/// The form of a required module for importers of its default export: an ES module has one, CommonJS is one.
const DEFAULT: &str = "const _default = (found) =>
    found?.__esModule || found?.[Symbol.toStringTag] === 'Module' ? found : { default: found };";

/// The form of a required module for importers of its whole namespace.
const NAMESPACE: &str = "const _namespace = (found) => {
    if (found?.__esModule || found?.[Symbol.toStringTag] === 'Module') return found;
    const namespace = {};
    for (const name in found) {
        if (name !== 'default' && Object.hasOwn(found, name)) {
            Object.defineProperty(namespace, name, { enumerable: true, get: () => found[name] });
        }
    }
    namespace.default = found;
    return namespace;
};";

/// The helper for `export * from`. Tools that detect exports know it by this name.
const EXPORT_STAR: &str = "const __exportStar = (found, target) => {
    for (const name in found) {
        if (name !== 'default' && !Object.hasOwn(target, name)) {
            Object.defineProperty(target, name, { enumerable: true, get: () => found[name] });
        }
    }
};";

const EXPORT: &str = "const _export = (getters) => {
    for (const name in getters) {
        Object.defineProperty(exports, name, { enumerable: true, configurable: true, get: getters[name] });
    }
};";

/// Converts the module to a script. One without imports and exports stays as it is.
pub(super) fn convert(module: Module, marks: &Marks) -> Script {
    let Module { span, body, shebang } = module;
    if body.iter().all(|item| matches!(item, ModuleItem::Stmt(_))) {
        let body = body.into_iter().filter_map(ModuleItem::stmt).collect();
        return Script { span, body, shebang };
    }
    let unresolved = SyntaxContext::empty().apply_mark(marks.unresolved);
    let own = SyntaxContext::empty().apply_mark(Mark::new());
    let mut conversion = Conversion { unresolved, own, ..Conversion::default() };
    let mut statements = Vec::with_capacity(body.len());
    for item in body {
        match item {
            ModuleItem::Stmt(statement) => statements.push(statement),
            ModuleItem::ModuleDecl(declaration) => {
                statements.extend(conversion.declaration(declaration));
            }
        }
    }
    statements.visit_mut_with(&mut conversion.names);
    let mut body = conversion.prologue();
    // The file's own directives have already been applied: an ES module is strict.
    body.append(&mut statements);
    Script { span, body, shebang }
}

#[derive(Default)]
struct Conversion {
    unresolved: SyntaxContext,
    /// Context of the names that are added.
    own: SyntaxContext,
    requires: Vec<Required>,
    names: Substitutes,
    /// The expression that each export reads.
    exports: BTreeMap<String, Expr>,
}

/// A module that is required at the top.
struct Required {
    span: Span,
    specifier: String,
    is_default: bool,
    is_namespace: bool,
    is_star: bool,
}

impl Conversion {
    /// Converts a declaration; returns the statement that remains in its place.
    fn declaration(&mut self, declaration: ModuleDecl) -> Option<Stmt> {
        match declaration {
            ModuleDecl::Import(import) => {
                let module = self.require(import.span, &import.src);
                for specifier in import.specifiers {
                    let (local, value) = match specifier {
                        ImportSpecifier::Named(named) => {
                            let imported = named.imported.as_ref().map(name_of);
                            let imported = imported.unwrap_or_else(|| named.local.sym.to_string());
                            (named.local, self.member(module, &imported))
                        }
                        ImportSpecifier::Default(default) => {
                            (default.local, self.member(module, "default"))
                        }
                        ImportSpecifier::Namespace(namespace) => {
                            (namespace.local, self.namespace(module))
                        }
                    };
                    self.names.0.insert(local.to_id(), value);
                }
                None
            }
            ModuleDecl::ExportDecl(export) => {
                let names: Vec<Ident> = match &export.decl {
                    Decl::Var(variables) => find_pat_ids(&variables.decls),
                    Decl::Fn(function) => vec![function.ident.clone()],
                    Decl::Class(class) => vec![class.ident.clone()],
                    _ => Vec::new(),
                };
                for name in names {
                    self.exports.insert(name.sym.to_string(), Expr::Ident(name));
                }
                Some(Stmt::Decl(export.decl))
            }
            ModuleDecl::ExportNamed(export) => {
                let module = export.src.as_ref().map(|src| self.require(export.span, src));
                for specifier in export.specifiers {
                    self.export(specifier, module);
                }
                None
            }
            ModuleDecl::ExportDefaultDecl(export) => {
                let (declaration, name) = named_declaration(export.decl)?;
                self.exports.insert("default".to_owned(), Expr::Ident(name));
                Some(Stmt::Decl(declaration))
            }
            ModuleDecl::ExportDefaultExpr(export) => {
                let name = private_name("_exported");
                self.exports.insert("default".to_owned(), Expr::Ident(name.clone()));
                Some(constant(name, export.expr, export.span))
            }
            ModuleDecl::ExportAll(export) => {
                let module = self.require(export.span, &export.src);
                self.requires[module].is_star = true;
                None
            }
            // The previous pass has expanded them.
            ModuleDecl::TsImportEquals(_)
            | ModuleDecl::TsExportAssignment(_)
            | ModuleDecl::TsNamespaceExport(_) => None,
        }
    }

    fn export(&mut self, specifier: ExportSpecifier, module: Option<usize>) {
        let (exported, value) = match (specifier, module) {
            (ExportSpecifier::Named(named), module) => {
                let original = name_of(&named.orig);
                let exported = named.exported.as_ref().map(name_of);
                let value = match (module, named.orig) {
                    (Some(module), _) => self.member(module, &original),
                    (None, ModuleExportName::Ident(name)) => Expr::Ident(name),
                    (None, ModuleExportName::Str(_)) => return,
                };
                (exported.unwrap_or(original), value)
            }
            (ExportSpecifier::Namespace(namespace), Some(module)) => {
                (name_of(&namespace.name), self.namespace(module))
            }
            (ExportSpecifier::Default(default), Some(module)) => {
                (default.exported.sym.to_string(), self.member(module, "default"))
            }
            _ => return,
        };
        self.exports.insert(exported, value);
    }

    fn require(&mut self, span: Span, specifier: &Str) -> usize {
        let specifier = specifier.value.to_string_lossy().into_owned();
        let (is_default, is_namespace, is_star) = (false, false, false);
        self.requires.push(Required { span, specifier, is_default, is_namespace, is_star });
        self.requires.len() - 1
    }

    fn member(&mut self, module: usize, member: &str) -> Expr {
        let object = if member == "default" {
            self.requires[module].is_default = true;
            format!("_d{module}")
        } else {
            format!("_m{module}")
        };
        let prop = match Ident::verify_symbol(member) {
            Ok(()) => MemberProp::Ident(IdentName::new(member.into(), DUMMY_SP)),
            Err(_) => MemberProp::Computed(ComputedPropName {
                span: DUMMY_SP,
                expr: Box::new(Expr::Lit(Lit::Str(member.into()))),
            }),
        };
        Expr::Member(MemberExpr { span: DUMMY_SP, obj: Box::new(self.own(&object)), prop })
    }

    fn namespace(&mut self, module: usize) -> Expr {
        self.requires[module].is_namespace = true;
        self.own(&format!("_n{module}"))
    }

    fn own(&self, name: &str) -> Expr {
        Expr::Ident(Ident::new(name.into(), DUMMY_SP, self.own))
    }

    /// Makes the statements that precede the file's own.
    fn prologue(mut self) -> Vec<Stmt> {
        let mut text = String::from("'use strict';");
        let quoted = |name: &str| serde_json::Value::from(name).to_string();
        text.push_str("Object.defineProperty(exports, '__esModule', { value: true });");
        if self.requires.iter().any(|module| module.is_default) {
            text.push_str(DEFAULT);
        }
        if self.requires.iter().any(|module| module.is_namespace) {
            text.push_str(NAMESPACE);
        }
        if self.requires.iter().any(|module| module.is_star) {
            text.push_str(EXPORT_STAR);
        }
        let exports = std::mem::take(&mut self.exports);
        let mut values = Vec::new();
        if !exports.is_empty() {
            text.push_str(EXPORT);
            // Tools that detect a module's exports without running it look for assignments.
            for name in exports.keys() {
                text.push_str(&format!("exports[{}] = ", quoted(name)));
            }
            text.push_str("void 0; _export({");
            for (index, (name, value)) in exports.into_iter().enumerate() {
                text.push_str(&format!("{}: () => $${index},", quoted(&name)));
                values.push(value);
            }
            text.push_str("});");
        }
        let before = self.parse(&text, Vec::new(), values);
        let (mut text, mut spans) = (String::new(), Vec::new());
        for (index, module) in self.requires.iter().enumerate() {
            let call = format!("const _m{index} = require({});", quoted(&module.specifier));
            let default = format!("const _d{index} = _default(_m{index});");
            let namespace = format!("const _n{index} = _namespace(_m{index});");
            let star = format!("__exportStar(_m{index}, exports);");
            for (is_wanted, statement) in [
                (true, call),
                (module.is_default, default),
                (module.is_namespace, namespace),
                (module.is_star, star),
            ] {
                if is_wanted {
                    text.push_str(&statement);
                    spans.push(module.span);
                }
            }
        }
        let mut statements = before;
        statements.append(&mut self.parse(&text, spans, Vec::new()));
        statements
    }

    /// Parses statements of ours, at the positions of those that they stand for.
    fn parse(&mut self, text: &str, spans: Vec<Span>, values: Vec<Expr>) -> Vec<Stmt> {
        let (unresolved, own) = (self.unresolved, self.own);
        let graft = Graft { unresolved, own, spans, values, ..Graft::default() };
        let mut statements = graft.parse(text);
        // What is exported may have been imported.
        statements.visit_mut_with(&mut self.names);
        statements
    }
}

fn name_of(name: &ModuleExportName) -> String {
    match name {
        ModuleExportName::Ident(ident) => ident.sym.to_string(),
        ModuleExportName::Str(text) => text.value.to_string_lossy().into_owned(),
    }
}
