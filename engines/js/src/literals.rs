//! The exported values that a module's text shows not to be functions: numbers, texts, object literals.

use deno_ast::{
    ProgramRef,
    swc::ast::{
        AssignExpr, AssignOp, AssignTarget, Decl, ExportDecl, ExportSpecifier, Expr, Lit,
        MemberExpr, MemberProp, ModuleDecl, ModuleExportName, ModuleItem, NamedExport, ObjectLit,
        Pat, Prop, PropName, PropOrSpread, SimpleAssignTarget, Stmt, UnaryOp, VarDecl, VarDeclKind,
    },
};

/// The description of an object.
pub(crate) const OBJECT: &str = "an object";

/// An export's name, and a description of its value, with its article.
pub(crate) type Value = (String, &'static str);

/// Lists the exports of a module that cannot be functions, whatever its code does. A name that may be assigned another
/// value is listed only where it occurs once in `source`.
pub(crate) fn of(program: ProgramRef<'_>, source: &str) -> Vec<Value> {
    let mut found = Found { source, constants: Vec::new(), values: Vec::new() };
    // Exports by computed names may be assigned anew.
    let computes = ["exports[", "Object.assign(", "exportStar("];
    if computes.iter().any(|sign| source.contains(sign)) {
        return found.values;
    }
    match program {
        ProgramRef::Module(module) => {
            for item in &module.body {
                if let ModuleItem::Stmt(Stmt::Decl(Decl::Var(variables))) = item {
                    let constants = found.variables(variables);
                    found.constants.extend(constants);
                }
            }
            for item in &module.body {
                match item {
                    ModuleItem::ModuleDecl(declaration) => found.export(declaration),
                    ModuleItem::Stmt(statement) => found.statement(statement),
                }
            }
        }
        ProgramRef::Script(script) => {
            script.body.iter().for_each(|statement| found.statement(statement));
        }
    }
    found.values
}

struct Found<'s> {
    source: &'s str,
    /// Variables of the module that are not functions.
    constants: Vec<Value>,
    values: Vec<Value>,
}

impl Found<'_> {
    fn export(&mut self, declaration: &ModuleDecl) {
        match declaration {
            ModuleDecl::ExportDecl(ExportDecl { decl: Decl::Var(variables), .. }) => {
                let constants = self.variables(variables);
                self.values.extend(constants);
            }
            ModuleDecl::ExportNamed(NamedExport { specifiers, src: None, .. }) => {
                for specifier in specifiers {
                    let ExportSpecifier::Named(named) = specifier else { continue };
                    let own = name_of(&named.orig);
                    let kind = self.constants.iter().find(|(name, _)| *name == own);
                    if let Some((_, kind)) = kind {
                        let name = named.exported.as_ref().map_or(own, name_of);
                        self.values.push((name, kind));
                    }
                }
            }
            ModuleDecl::ExportDefaultExpr(default) => {
                if let Some(kind) = kind(&default.expr) {
                    self.values.push(("default".to_owned(), kind));
                }
            }
            _ => {}
        }
    }

    /// Lists the variables of a declaration that are not functions.
    fn variables(&self, declaration: &VarDecl) -> Vec<Value> {
        let values = declaration.decls.iter().filter_map(|declared| {
            let Pat::Ident(name) = &declared.name else { return None };
            let name = name.id.sym.to_string();
            let stays = declaration.kind == VarDeclKind::Const || self.stands_once(&name);
            Some((name, kind(declared.init.as_deref()?)?)).filter(|_| stays)
        });
        values.collect()
    }

    /// Handles `exports.name = 1` and `module.exports = { name: 1 }`.
    fn statement(&mut self, statement: &Stmt) {
        let Stmt::Expr(statement) = statement else { return };
        let Expr::Assign(AssignExpr { op: AssignOp::Assign, left, right, .. }) = &*statement.expr
        else {
            return;
        };
        let AssignTarget::Simple(SimpleAssignTarget::Member(target)) = left else { return };
        if is_exports(target) {
            if let Expr::Object(object) = &**right {
                self.members(object);
            }
        } else if let MemberProp::Ident(name) = &target.prop
            && is_the_exports(&target.obj)
            && let Some(kind) = kind(right)
        {
            self.add(name.sym.to_string(), kind);
        }
    }

    fn members(&mut self, object: &ObjectLit) {
        let mut values = Vec::new();
        for member in &object.props {
            // Spread members may replace others.
            let PropOrSpread::Prop(member) = member else { return };
            let Prop::KeyValue(member) = &**member else { continue };
            match &member.key {
                PropName::Computed(_) => return,
                PropName::Ident(name) => {
                    values.extend(kind(&member.value).map(|kind| (name.sym.to_string(), kind)));
                }
                _ => {}
            }
        }
        for (name, kind) in values {
            self.add(name, kind);
        }
    }

    fn add(&mut self, name: String, kind: &'static str) {
        if self.stands_once(&name) {
            self.values.push((name, kind));
        }
    }

    fn stands_once(&self, name: &str) -> bool {
        self.source.matches(name).count() == 1
    }
}

fn name_of(name: &ModuleExportName) -> String {
    match name {
        ModuleExportName::Ident(name) => name.sym.to_string(),
        ModuleExportName::Str(name) => name.value.to_string_lossy().into_owned(),
    }
}

/// Whether this is `module.exports`.
fn is_exports(member: &MemberExpr) -> bool {
    let is_module = matches!(&*member.obj, Expr::Ident(name) if name.sym == "module");
    is_module && matches!(&member.prop, MemberProp::Ident(name) if name.sym == "exports")
}

/// Whether this is `exports` or `module.exports`.
fn is_the_exports(expression: &Expr) -> bool {
    match expression {
        Expr::Ident(name) => name.sym == "exports",
        Expr::Member(member) => is_exports(member),
        _ => false,
    }
}

/// Describes an expression that cannot be a function.
fn kind(expression: &Expr) -> Option<&'static str> {
    Some(match expression {
        Expr::Lit(Lit::Str(_)) | Expr::Tpl(_) => "a string",
        Expr::Lit(Lit::Num(_)) => "a number",
        Expr::Lit(Lit::Bool(_)) => "a boolean",
        Expr::Lit(Lit::BigInt(_)) => "a bigint",
        Expr::Lit(Lit::Null(_)) => "null",
        Expr::Lit(Lit::Regex(_)) | Expr::Object(_) => OBJECT,
        Expr::Array(_) => "an array",
        Expr::Ident(name) if name.sym == "undefined" => "undefined",
        Expr::Unary(unary) => match unary.op {
            UnaryOp::Minus | UnaryOp::Plus => {
                kind(&unary.arg).filter(|kind| *kind == "a number")?
            }
            UnaryOp::Bang => "a boolean",
            UnaryOp::TypeOf => "a string",
            UnaryOp::Void => "undefined",
            _ => return None,
        },
        Expr::Paren(inner) => kind(&inner.expr)?,
        Expr::TsAs(inner) => kind(&inner.expr)?,
        Expr::TsSatisfies(inner) => kind(&inner.expr)?,
        Expr::TsConstAssertion(inner) => kind(&inner.expr)?,
        Expr::TsTypeAssertion(inner) => kind(&inner.expr)?,
        Expr::TsNonNull(inner) => kind(&inner.expr)?,
        _ => return None,
    })
}
