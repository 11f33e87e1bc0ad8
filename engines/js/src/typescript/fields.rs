//! Class fields where `useDefineForClassFields` is off: they are assigned in the constructor, and without a value they
//! do not exist. Libraries that put accessors on prototypes rely on it.

use deno_ast::swc::{
    ast::{
        AssignExpr, AssignOp, AssignTarget, Class, ClassMember, ClassProp, Expr, MemberExpr,
        MemberProp, PrivateProp, Program, PropName, SimpleAssignTarget, ThisExpr,
    },
    common::{DUMMY_SP, Span},
    ecma_visit::{VisitMut, VisitMutWith, noop_visit_mut_type},
    utils::{constructor::inject_after_super, default_constructor_with_span},
};

/// Rewrites the fields of all classes.
pub(super) fn assign(program: &mut Program) {
    program.visit_mut_with(&mut Fields);
}

struct Fields;

impl VisitMut for Fields {
    noop_visit_mut_type!();

    fn visit_mut_class(&mut self, class: &mut Class) {
        class.visit_mut_children_with(self);
        let mut assignments = Vec::new();
        class.body.retain_mut(|member| match member {
            ClassMember::ClassProp(field) if is_plain(field) => match field.value.take() {
                Some(value) if field.is_static => {
                    field.value = Some(value);
                    true
                }
                Some(value) => {
                    let (span, key) = (field.span, member_of(&field.key));
                    assignments.push(assignment(span, key, value));
                    false
                }
                None => false,
            },
            // It stays declared, and is initialized in its turn.
            ClassMember::PrivateProp(PrivateProp {
                span, key, value, is_static: false, ..
            }) => {
                let value = value.take();
                let key = MemberProp::PrivateName(key.clone());
                assignments.extend(value.map(|value| assignment(*span, key, value)));
                true
            }
            _ => true,
        });
        if assignments.is_empty() {
            return;
        }
        let constructor = class.body.iter_mut().find_map(|member| match member {
            ClassMember::Constructor(constructor) if constructor.body.is_some() => {
                Some(constructor)
            }
            _ => None,
        });
        match constructor {
            Some(constructor) => inject_after_super(constructor, assignments),
            None => {
                let mut constructor =
                    default_constructor_with_span(class.super_class.is_some(), class.span);
                inject_after_super(&mut constructor, assignments);
                class.body.insert(0, ClassMember::Constructor(constructor));
            }
        }
    }
}

/// Whether a field can be moved: a computed key is evaluated with the class.
fn is_plain(field: &ClassProp) -> bool {
    !field.declare && !field.is_abstract && !field.key.is_computed()
}

fn member_of(key: &PropName) -> MemberProp {
    match key {
        PropName::Ident(name) => MemberProp::Ident(name.clone()),
        key => MemberProp::Computed(deno_ast::swc::ast::ComputedPropName {
            span: DUMMY_SP,
            expr: match key {
                PropName::Str(text) => Box::new(Expr::Lit(text.clone().into())),
                PropName::Num(number) => Box::new(Expr::Lit(number.clone().into())),
                PropName::BigInt(number) => Box::new(Expr::Lit(number.clone().into())),
                PropName::Computed(computed) => computed.expr.clone(),
                PropName::Ident(name) => Box::new(Expr::Lit(name.sym.clone().into())),
            },
        }),
    }
}

/// Makes the expression `this.key = value`.
fn assignment(span: Span, key: MemberProp, value: Box<Expr>) -> Box<Expr> {
    let this = Box::new(Expr::This(ThisExpr { span: DUMMY_SP }));
    let target = MemberExpr { span: DUMMY_SP, obj: this, prop: key };
    Box::new(Expr::Assign(AssignExpr {
        span,
        op: AssignOp::Assign,
        left: AssignTarget::Simple(SimpleAssignTarget::Member(target)),
        right: value,
    }))
}
