//! Imports that only `emitDecoratorMetadata` turns into values. Only a type checker knows whether such a name is an
//! interface; an ES module that imports one by name would not link.

use super::{emit::private_name, substitutes::Substitutes};
use deno_ast::swc::{
    ast::{
        Expr, Id, Ident, IdentName, ImportDecl, ImportSpecifier, ImportStarAsSpecifier, MemberExpr,
        MemberProp, Module, ModuleDecl, ModuleExportName, ModuleItem, Program,
    },
    common::DUMMY_SP,
    ecma_visit::{Visit, VisitMutWith, VisitWith, noop_visit_type},
};
use std::collections::{HashMap, HashSet};

/// The names that the code of a file uses as values.
pub(super) struct ValueUses(HashSet<Id>);

impl ValueUses {
    /// Collects the names of a program that still has its types.
    pub(super) fn of(program: &Program) -> Self {
        let mut uses = Self(HashSet::new());
        program.visit_with(&mut uses);
        uses
    }
}

impl Visit for ValueUses {
    noop_visit_type!();

    fn visit_ident(&mut self, ident: &Ident) {
        self.0.insert(ident.to_id());
    }

    fn visit_import_decl(&mut self, _: &ImportDecl) {}
}

/// Turns imports by name that no code uses into members of their modules, which may be missing.
pub(super) fn loosen_imports(module: &mut Module, uses: &ValueUses) {
    let mut members: HashMap<Id, Expr> = HashMap::new();
    let mut added = Vec::new();
    for item in &mut module.body {
        let ModuleItem::ModuleDecl(ModuleDecl::Import(import)) = item else { continue };
        let namespace = private_name("_types");
        let before = members.len();
        import.specifiers.retain(|specifier| {
            let (local, member) = match specifier {
                ImportSpecifier::Named(named) => {
                    let imported = match &named.imported {
                        Some(ModuleExportName::Ident(name)) => name.sym.clone(),
                        Some(ModuleExportName::Str(_)) => return true,
                        None => named.local.sym.clone(),
                    };
                    (&named.local, imported)
                }
                ImportSpecifier::Default(default) => (&default.local, "default".into()),
                ImportSpecifier::Namespace(_) => return true,
            };
            let is_used = uses.0.contains(&local.to_id());
            if !is_used {
                let value = MemberExpr {
                    span: DUMMY_SP,
                    obj: Box::new(Expr::Ident(namespace.clone())),
                    prop: MemberProp::Ident(IdentName::new(member, DUMMY_SP)),
                };
                members.insert(local.to_id(), Expr::Member(value));
            }
            is_used
        });
        if members.len() > before {
            let star = ImportStarAsSpecifier { span: DUMMY_SP, local: namespace };
            let mut whole = import.clone();
            whole.specifiers = vec![ImportSpecifier::Namespace(star)];
            added.push(ModuleItem::ModuleDecl(ModuleDecl::Import(whole)));
        }
    }
    module.body.retain(|item| {
        !matches!(item, ModuleItem::ModuleDecl(ModuleDecl::Import(import))
            if import.specifiers.is_empty()
                && added.iter().any(|other| matches!(other, ModuleItem::ModuleDecl(ModuleDecl::Import(other)) if other.span == import.span)))
    });
    module.visit_mut_with(&mut Substitutes(members));
    module.body.splice(0..0, added);
}
