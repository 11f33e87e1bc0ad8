//! Auto-accessors (`accessor name = value`), which V8 lacks: they become a private field with a getter and a setter.

use super::snippet::Graft;
use deno_ast::swc::{
    ast::{AutoAccessor, Class, ClassMember, Decl, Key, PrivateMethod, Program, PropName, Stmt},
    common::{Mark, SyntaxContext},
    ecma_visit::{VisitMut, VisitMutWith, noop_visit_mut_type},
};

/// Expands the auto-accessors of all classes. Those with decorators have already been expanded with them.
pub(super) fn write_out(program: &mut Program) {
    program.visit_mut_with(&mut Accessors::default());
}

#[derive(Default)]
struct Accessors {
    count: usize,
}

impl VisitMut for Accessors {
    noop_visit_mut_type!();

    fn visit_mut_class(&mut self, class: &mut Class) {
        class.visit_mut_children_with(self);
        if !class.body.iter().any(ClassMember::is_auto_accessor) {
            return;
        }
        let body = std::mem::take(&mut class.body);
        class.body = body
            .into_iter()
            .flat_map(|member| match member {
                ClassMember::AutoAccessor(accessor) => self.members(accessor),
                member => vec![member],
            })
            .collect();
    }
}

impl Accessors {
    fn members(&mut self, accessor: AutoAccessor) -> Vec<ClassMember> {
        self.count += 1;
        let text = format!(
            "class Holder {{ #_accessor{0}; get key() {{ return this.#_accessor{0}; }} \
             set key(value) {{ this.#_accessor{0} = value; }} }}",
            self.count
        );
        let own = SyntaxContext::empty().apply_mark(Mark::new());
        let graft = Graft { own, spans: vec![accessor.span], ..Graft::default() };
        let Some(Stmt::Decl(Decl::Class(holder))) = graft.parse(&text).pop() else {
            return Vec::new();
        };
        let AutoAccessor { key, value, is_static, .. } = accessor;
        let mut value = value;
        let finish = |member| match member {
            ClassMember::PrivateProp(mut field) => {
                (field.value, field.is_static) = (value.take(), is_static);
                ClassMember::PrivateProp(field)
            }
            ClassMember::Method(mut method) => {
                method.is_static = is_static;
                method.key = match &key {
                    Key::Public(key) => key.clone(),
                    Key::Private(key) => {
                        return ClassMember::PrivateMethod(PrivateMethod {
                            span: method.span,
                            key: key.clone(),
                            function: method.function,
                            kind: method.kind,
                            is_static,
                            ..PrivateMethod::default()
                        });
                    }
                };
                if let PropName::Computed(computed) = &mut method.key {
                    computed.span = method.span;
                }
                ClassMember::Method(method)
            }
            member => member,
        };
        holder.class.body.into_iter().map(finish).collect()
    }
}
