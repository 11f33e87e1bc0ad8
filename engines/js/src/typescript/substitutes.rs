//! The replacement of names by expressions.

use deno_ast::swc::{
    ast::{
        CallExpr, Callee, Expr, Id, IdentName, KeyValueProp, Lit, OptCall, ParenExpr, Prop,
        PropName, SeqExpr, TaggedTpl,
    },
    common::DUMMY_SP,
    ecma_visit::{VisitMut, VisitMutWith, noop_visit_mut_type},
};
use std::collections::HashMap;

/// The expressions for those names in a file that are not its variables.
#[derive(Default)]
pub(super) struct Substitutes(pub(super) HashMap<Id, Expr>);

impl Substitutes {
    fn value(&self, expression: &Expr) -> Option<Expr> {
        let Expr::Ident(name) = expression else { return None };
        let mut value = self.0.get(&name.to_id())?.clone();
        if let Expr::Member(member) = &mut value {
            member.span = name.span;
        }
        Some(value)
    }

    /// Replaces the callee where it is an imported function, which is called without a receiver.
    fn callee(&self, expression: &Expr) -> Option<Box<Expr>> {
        let value = self.value(expression)?;
        if !value.is_member() {
            return Some(Box::new(value));
        }
        let zero = Box::new(Expr::Lit(Lit::Num(0.0.into())));
        let sequence = Expr::Seq(SeqExpr { span: DUMMY_SP, exprs: vec![zero, Box::new(value)] });
        Some(Box::new(Expr::Paren(ParenExpr { span: DUMMY_SP, expr: Box::new(sequence) })))
    }
}

impl VisitMut for Substitutes {
    noop_visit_mut_type!();

    fn visit_mut_expr(&mut self, expression: &mut Expr) {
        match self.value(expression) {
            Some(value) => *expression = value,
            None => expression.visit_mut_children_with(self),
        }
    }

    fn visit_mut_call_expr(&mut self, call: &mut CallExpr) {
        if let Callee::Expr(callee) = &mut call.callee
            && let Some(value) = self.callee(callee)
        {
            *callee = value;
            call.args.visit_mut_with(self);
            return;
        }
        call.visit_mut_children_with(self);
    }

    fn visit_mut_opt_call(&mut self, call: &mut OptCall) {
        if let Some(value) = self.callee(&call.callee) {
            call.callee = value;
            call.args.visit_mut_with(self);
            return;
        }
        call.visit_mut_children_with(self);
    }

    fn visit_mut_tagged_tpl(&mut self, template: &mut TaggedTpl) {
        if let Some(value) = self.callee(&template.tag) {
            template.tag = value;
        }
        template.visit_mut_children_with(self);
    }

    fn visit_mut_prop(&mut self, property: &mut Prop) {
        if let Prop::Shorthand(name) = property
            && let Some(value) = self.value(&Expr::Ident(name.clone()))
        {
            let key = PropName::Ident(IdentName::new(name.sym.clone(), name.span));
            *property = Prop::KeyValue(KeyValueProp { key, value: Box::new(value) });
            return;
        }
        property.visit_mut_children_with(self);
    }
}
