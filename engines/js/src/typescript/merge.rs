//! Namespaces that are declared in several places: each block sees the exports of the others.

use super::substitutes::Substitutes;
use deno_ast::{
    Marks,
    swc::{
        ast::{
            Decl, Expr, Id, Ident, IdentName, MemberExpr, MemberProp, ModuleDecl, ModuleItem, Stmt,
            TsModuleDecl, TsModuleName, TsNamespaceBody,
        },
        atoms::Atom,
        common::{DUMMY_SP, SyntaxContext},
        ecma_visit::VisitMutWith,
        utils::find_pat_ids,
    },
};
use std::collections::{HashMap, HashSet};

/// Qualifies the members of other blocks, here and in the namespaces within.
pub(super) fn merge(items: &mut [ModuleItem], marks: &Marks) {
    let mut exported: HashMap<Id, Vec<HashSet<Atom>>> = HashMap::new();
    for (name, block) in items.iter_mut().filter_map(namespace) {
        exported.entry(name.to_id()).or_default().push(names(block, true));
    }
    for (name, block) in items.iter_mut().filter_map(namespace) {
        merge(block, marks);
        let Some(blocks) = exported.get(&name.to_id()).filter(|blocks| blocks.len() > 1) else {
            continue;
        };
        let own = names(block, false);
        let others = blocks.iter().flatten().filter(|other| !own.contains(*other));
        // Declarations outside all namespaces are hidden by the namespaces' exports.
        let contexts =
            [marks.unresolved, marks.top_level].map(|mark| SyntaxContext::empty().apply_mark(mark));
        let substitutes = others.flat_map(|other| {
            let member = Expr::Member(MemberExpr {
                span: DUMMY_SP,
                obj: Box::new(Expr::Ident(name.clone())),
                prop: MemberProp::Ident(IdentName::new(other.clone(), DUMMY_SP)),
            });
            contexts.map(|context| ((other.clone(), context), member.clone()))
        });
        block.visit_mut_with(&mut Substitutes(substitutes.collect()));
    }
}

/// Returns the name and the block of a namespace.
fn namespace(item: &mut ModuleItem) -> Option<(Ident, &mut Vec<ModuleItem>)> {
    let declaration = match item {
        ModuleItem::Stmt(Stmt::Decl(declaration)) => declaration,
        ModuleItem::ModuleDecl(ModuleDecl::ExportDecl(export)) => &mut export.decl,
        ModuleItem::Stmt(_) | ModuleItem::ModuleDecl(_) => return None,
    };
    let Decl::TsModule(module) = declaration else { return None };
    let TsModuleDecl { declare: false, id: TsModuleName::Ident(name), body, .. } = &mut **module
    else {
        return None;
    };
    match body.as_mut()? {
        TsNamespaceBody::TsModuleBlock(block) => Some((name.clone(), &mut block.body)),
        TsNamespaceBody::TsNamespaceDecl(_) => None,
    }
}

/// Returns the names that a block exports, or declares.
fn names(block: &[ModuleItem], only_exported: bool) -> HashSet<Atom> {
    let mut found = HashSet::new();
    for item in block {
        let declaration = match item {
            ModuleItem::ModuleDecl(ModuleDecl::ExportDecl(export)) => &export.decl,
            ModuleItem::Stmt(Stmt::Decl(declaration)) if !only_exported => declaration,
            ModuleItem::ModuleDecl(ModuleDecl::TsImportEquals(import)) => {
                if import.is_export || !only_exported {
                    found.insert(import.id.sym.clone());
                }
                continue;
            }
            ModuleItem::Stmt(_) | ModuleItem::ModuleDecl(_) => continue,
        };
        match declaration {
            Decl::Var(variables) => {
                let names: Vec<Ident> = find_pat_ids(&variables.decls);
                found.extend(names.into_iter().map(|name| name.sym));
            }
            Decl::Fn(function) => drop(found.insert(function.ident.sym.clone())),
            Decl::Class(class) => drop(found.insert(class.ident.sym.clone())),
            Decl::TsEnum(declaration) => drop(found.insert(declaration.id.sym.clone())),
            Decl::TsModule(module) => {
                if let TsModuleName::Ident(name) = &module.id {
                    found.insert(name.sym.clone());
                }
            }
            Decl::Using(_) | Decl::TsInterface(_) | Decl::TsTypeAlias(_) => {}
        }
    }
    found
}
