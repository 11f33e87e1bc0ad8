//! Types that `emitDecoratorMetadata` turns into values, as in TypeScript's compiler where it looks at one file at a
//! time. swc makes the values; its deviations are corrected right before (types that it does not know or confuses with
//! others) and after (values that are not functions).

use deno_ast::swc::{
    ast::{
        BinExpr, BinaryOp, CallExpr, Callee, Class, ClassDecl, ClassMember, CondExpr, Expr, FnDecl,
        Id, Ident, ImportSpecifier, Lit, Param, ParamOrTsParamProp, Pat, Program, TsArrayType,
        TsEntityName, TsEnumDecl, TsInterfaceDecl, TsKeywordType, TsKeywordTypeKind, TsLit,
        TsParamPropParam, TsType, TsTypeAliasDecl, TsTypeAnn, TsTypeOperatorOp, TsTypePredicate,
        TsTypeRef, TsUnionOrIntersectionType, TsUnionType, UnaryExpr, UnaryOp, VarDeclarator,
    },
    common::DUMMY_SP,
    ecma_visit::{Visit, VisitMut, VisitMutWith as _, VisitWith as _},
};
use std::collections::{HashMap, HashSet};

/// Maximum depth to which aliases of aliases are followed: they may be circular.
const DEPTH: usize = 16;

/// Corrects the types of classes' members, where the compiler would look at them.
pub(super) fn simplify_types(program: &mut Program, strict_null_checks: bool) {
    let mut types = Types { strict_null_checks, ..Types::default() };
    program.visit_with(&mut types);
    program.visit_mut_with(&mut Simplify(&types));
}

/// Keeps as types only values that are functions: classes. The others (enums, namespaces, constants) have the names of
/// types, but cannot serve as constructors.
pub(super) fn only_functions(program: &mut Program) {
    program.visit_mut_with(&mut OnlyFunctions);
}

/// The types that a file declares.
#[derive(Default)]
struct Types {
    strict_null_checks: bool,
    aliases: HashMap<Id, TsType>,
    interfaces: HashSet<Id>,
    /// Names that are also values.
    values: HashSet<Id>,
}

impl Visit for Types {
    fn visit_ts_type_alias_decl(&mut self, alias: &TsTypeAliasDecl) {
        if alias.type_params.is_none() {
            self.aliases.insert(alias.id.to_id(), (*alias.type_ann).clone());
        }
    }

    fn visit_ts_interface_decl(&mut self, interface: &TsInterfaceDecl) {
        self.interfaces.insert(interface.id.to_id());
    }

    fn visit_class_decl(&mut self, class: &ClassDecl) {
        self.values.insert(class.ident.to_id());
        class.visit_children_with(self);
    }

    fn visit_fn_decl(&mut self, function: &FnDecl) {
        self.values.insert(function.ident.to_id());
        function.visit_children_with(self);
    }

    fn visit_ts_enum_decl(&mut self, declaration: &TsEnumDecl) {
        self.values.insert(declaration.id.to_id());
    }

    fn visit_import_specifier(&mut self, specifier: &ImportSpecifier) {
        self.values.insert(specifier.local().to_id());
    }

    fn visit_var_declarator(&mut self, variable: &VarDeclarator) {
        if let Pat::Ident(name) = &variable.name {
            self.values.insert(name.id.to_id());
        }
        variable.visit_children_with(self);
    }
}

impl Types {
    /// Returns a type from which swc makes what the compiler makes of this one.
    fn simple(&self, ty: &TsType, depth: usize) -> TsType {
        match ty {
            TsType::TsParenthesizedType(inner) => self.simple(&inner.type_ann, depth),
            TsType::TsTypeOperator(operator) if operator.op == TsTypeOperatorOp::ReadOnly => {
                self.simple(&operator.type_ann, depth)
            }
            TsType::TsUnionOrIntersectionType(TsUnionOrIntersectionType::TsUnionType(union)) => {
                self.union(union, depth)
            }
            TsType::TsTypeRef(reference) => self.reference(reference, depth),
            TsType::TsLitType(literal) if matches!(literal.lit, TsLit::BigInt(_)) => {
                keyword(TsKeywordTypeKind::TsBigIntKeyword)
            }
            TsType::TsTypePredicate(TsTypePredicate { asserts: true, .. }) => {
                keyword(TsKeywordTypeKind::TsVoidKeyword)
            }
            TsType::TsImportType(_)
            | TsType::TsOptionalType(_)
            | TsType::TsRestType(_)
            | TsType::TsInferType(_) => any(),
            other => other.clone(),
        }
    }

    /// Simplifies a union. Without null checks, a nullable type counts as its non-nullable counterpart.
    fn union(&self, union: &TsUnionType, depth: usize) -> TsType {
        let is_skipped = |ty: &TsType| match ty {
            TsType::TsKeywordType(keyword) => match keyword.kind {
                TsKeywordTypeKind::TsNeverKeyword => true,
                TsKeywordTypeKind::TsNullKeyword | TsKeywordTypeKind::TsUndefinedKeyword => {
                    !self.strict_null_checks
                }
                _ => false,
            },
            _ => false,
        };
        let types = union.types.iter().map(|ty| self.simple(ty, depth));
        let mut types: Vec<TsType> = types.filter(|ty| !is_skipped(ty)).collect();
        match types.len() {
            1 => types.remove(0),
            0 => keyword(TsKeywordTypeKind::TsVoidKeyword),
            _ => {
                let types = types.into_iter().map(Box::new).collect();
                let union = TsUnionType { span: union.span, types };
                TsType::TsUnionOrIntersectionType(TsUnionOrIntersectionType::TsUnionType(union))
            }
        }
    }

    fn reference(&self, reference: &TsTypeRef, depth: usize) -> TsType {
        let TsEntityName::Ident(name) = &reference.type_name else {
            return TsType::TsTypeRef(reference.clone());
        };
        let id = name.to_id();
        if !self.values.contains(&id) {
            if let Some(alias) = self.aliases.get(&id) {
                return if depth < DEPTH { self.simple(alias, depth + 1) } else { any() };
            }
            // A global may have its name.
            if self.interfaces.contains(&id) {
                return any();
            }
        }
        TsType::TsTypeRef(reference.clone())
    }

    fn set_right(&self, annotation: &mut Option<Box<TsTypeAnn>>) {
        let simple = annotation.as_ref().map_or_else(any, |given| self.simple(&given.type_ann, 0));
        *annotation = Some(Box::new(TsTypeAnn { span: DUMMY_SP, type_ann: Box::new(simple) }));
    }

    fn set_pattern_right(&self, pattern: &mut Pat) {
        match pattern {
            Pat::Ident(name) => self.set_right(&mut name.type_ann),
            Pat::Array(array) => self.set_right(&mut array.type_ann),
            Pat::Object(object) => self.set_right(&mut object.type_ann),
            Pat::Assign(assigned) => self.set_pattern_right(&mut assigned.left),
            Pat::Rest(rest) => {
                // The type of each of them, not of all together.
                let one = rest.type_ann.take().and_then(|given| element(&given.type_ann));
                rest.type_ann = one.map(|type_ann| {
                    Box::new(TsTypeAnn { span: DUMMY_SP, type_ann: Box::new(type_ann) })
                });
                self.set_right(&mut rest.type_ann);
            }
            Pat::Invalid(_) | Pat::Expr(_) => {}
        }
    }

    fn set_parameters_right(&self, parameters: &mut [Param]) {
        for parameter in parameters {
            self.set_pattern_right(&mut parameter.pat);
        }
    }
}

/// Returns the element type of an array.
fn element(ty: &TsType) -> Option<TsType> {
    match ty {
        TsType::TsArrayType(TsArrayType { elem_type, .. }) => Some((**elem_type).clone()),
        TsType::TsTypeOperator(operator) => element(&operator.type_ann),
        TsType::TsTypeRef(reference) => match &*reference.type_params.as_ref()?.params {
            [only] => Some((**only).clone()),
            _ => None,
        },
        _ => None,
    }
}

fn keyword(kind: TsKeywordTypeKind) -> TsType {
    TsType::TsKeywordType(TsKeywordType { span: DUMMY_SP, kind })
}

fn any() -> TsType {
    keyword(TsKeywordTypeKind::TsAnyKeyword)
}

struct Simplify<'a>(&'a Types);

impl VisitMut for Simplify<'_> {
    fn visit_mut_class(&mut self, class: &mut Class) {
        class.visit_mut_children_with(self);
        let types = self.0;
        // Of several signatures, the one with the body counts.
        let has_code = |member: &ClassMember| !matches!(member, ClassMember::Constructor(constructor) if constructor.body.is_none());
        class.body.retain(has_code);
        for member in &mut class.body {
            match member {
                ClassMember::Constructor(constructor) => {
                    for parameter in &mut constructor.params {
                        match parameter {
                            ParamOrTsParamProp::Param(parameter) => {
                                types.set_pattern_right(&mut parameter.pat);
                            }
                            ParamOrTsParamProp::TsParamProp(property) => {
                                match &mut property.param {
                                    TsParamPropParam::Ident(name) => {
                                        types.set_right(&mut name.type_ann);
                                    }
                                    TsParamPropParam::Assign(assigned) => {
                                        types.set_pattern_right(&mut assigned.left);
                                    }
                                }
                            }
                        }
                    }
                }
                ClassMember::Method(method) => {
                    types.set_parameters_right(&mut method.function.params);
                    if method.function.return_type.is_some() {
                        types.set_right(&mut method.function.return_type);
                    }
                }
                ClassMember::ClassProp(property) => types.set_right(&mut property.type_ann),
                _ => {}
            }
        }
    }
}

struct OnlyFunctions;

impl VisitMut for OnlyFunctions {
    fn visit_mut_call_expr(&mut self, call: &mut CallExpr) {
        call.visit_mut_children_with(self);
        let is_metadata = matches!(&call.callee, Callee::Expr(callee)
            if matches!(&**callee, Expr::Ident(Ident { sym, .. }) if &**sym == "_ts_metadata"));
        if let (true, [_, value]) = (is_metadata, call.args.as_mut_slice()) {
            match &mut *value.expr {
                Expr::Array(list) => {
                    for element in list.elems.iter_mut().flatten() {
                        guard(&mut element.expr);
                    }
                }
                _ => guard(&mut value.expr),
            }
        }
    }
}

/// Extends swc's guard to `typeof X === "undefined" ? Object : X` by a look at X's type.
fn guard(value: &mut Expr) {
    let Expr::Cond(CondExpr { test, cons, alt, .. }) = value else { return };
    let is_swcs = matches!(&**cons, Expr::Ident(name) if &*name.sym == "Object");
    if !is_swcs || !matches!(**test, Expr::Bin(_)) {
        return;
    }
    let kind = UnaryExpr { span: DUMMY_SP, op: UnaryOp::TypeOf, arg: alt.clone() };
    let is_function = BinExpr {
        span: DUMMY_SP,
        op: BinaryOp::EqEqEq,
        left: Box::new(kind.into()),
        right: Box::new(Expr::Lit(Lit::Str("function".into()))),
    };
    let checked = CondExpr {
        span: DUMMY_SP,
        test: Box::new(is_function.into()),
        cons: alt.clone(),
        alt: cons.clone(),
    };
    **alt = checked.into();
}
