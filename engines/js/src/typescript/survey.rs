//! The survey of a file for what decides how it is emitted.

use deno_ast::swc::{
    ast::{
        ArrowExpr, AutoAccessor, AwaitExpr, Decorator, ForOfStmt, Function, Ident, ImportDecl,
        ImportSpecifier, MetaPropExpr, MetaPropKind, ModuleDecl, ModuleItem, Param, Program,
        TsModuleBlock, TsModuleRef, TsParamProp, UsingDecl, VarDecl, VarDeclarator,
    },
    common::{Mark, Span, SyntaxContext},
    ecma_visit::{Visit, VisitWith, noop_visit_type},
};

/// The variables that only CommonJS has.
const COMMONJS: [&str; 5] = ["require", "module", "exports", "__filename", "__dirname"];

/// The findings about a file.
#[derive(Debug, Default)]
pub(super) struct Survey {
    /// Whether there is `import` or `export`, also of types.
    pub(super) has_module_syntax: bool,
    /// Whether there is top-level `await`, or `import.meta`.
    pub(super) needs_module: bool,
    /// Whether there is `require`, `__dirname` and their like, `import x = require()` or `export =`.
    pub(super) needs_commonjs: bool,
    pub(super) has_decorators: bool,
    pub(super) first_decorator: Option<Span>,
    pub(super) has_namespaces: bool,
    pub(super) has_accessors: bool,
    pub(super) decorates_parameters: bool,
    /// Whether something has the name `React`.
    pub(super) has_react: bool,
    unresolved: SyntaxContext,
    functions: usize,
}

impl Survey {
    /// Surveys a program whose names have been resolved.
    pub(super) fn of(program: &Program, unresolved: Mark) -> Self {
        let unresolved = SyntaxContext::empty().apply_mark(unresolved);
        let mut survey = Self { unresolved, ..Self::default() };
        if let Program::Module(module) = program {
            for item in &module.body {
                survey.note(item);
            }
        }
        program.visit_with(&mut survey);
        survey
    }

    fn note(&mut self, item: &ModuleItem) {
        let ModuleItem::ModuleDecl(declaration) = item else { return };
        match declaration {
            ModuleDecl::TsImportEquals(import) => {
                let is_file = matches!(import.module_ref, TsModuleRef::TsExternalModuleRef(_));
                self.needs_commonjs |= is_file && !import.is_type_only;
                self.has_module_syntax |= import.is_export;
            }
            ModuleDecl::TsExportAssignment(_) => self.needs_commonjs = true,
            ModuleDecl::TsNamespaceExport(_) => {}
            _ => self.has_module_syntax = true,
        }
    }

    fn within_function(&mut self, visit: impl FnOnce(&mut Self)) {
        self.functions += 1;
        visit(self);
        self.functions -= 1;
    }
}

impl Visit for Survey {
    noop_visit_type!();

    fn visit_ident(&mut self, ident: &Ident) {
        self.needs_commonjs |= ident.ctxt == self.unresolved && COMMONJS.contains(&&*ident.sym);
    }

    fn visit_var_decl(&mut self, variables: &VarDecl) {
        if variables.declare {
            // Whoever declares `require` for the type checker means to use it.
            let mut names = variables.decls.iter().filter_map(|variable| variable.name.as_ident());
            self.needs_commonjs |= names.any(|name| COMMONJS.contains(&&*name.sym));
            return;
        }
        variables.visit_children_with(self);
    }

    fn visit_var_declarator(&mut self, variable: &VarDeclarator) {
        self.has_react |= variable.name.as_ident().is_some_and(|name| name.sym == *"React");
        variable.visit_children_with(self);
    }

    fn visit_import_decl(&mut self, import: &ImportDecl) {
        self.has_react |= import.specifiers.iter().any(|specifier| {
            let local = match specifier {
                ImportSpecifier::Named(named) => &named.local,
                ImportSpecifier::Default(default) => &default.local,
                ImportSpecifier::Namespace(namespace) => &namespace.local,
            };
            local.sym == *"React"
        });
    }

    fn visit_meta_prop_expr(&mut self, meta: &MetaPropExpr) {
        self.needs_module |= meta.kind == MetaPropKind::ImportMeta;
    }

    fn visit_await_expr(&mut self, expression: &AwaitExpr) {
        self.needs_module |= self.functions == 0;
        expression.visit_children_with(self);
    }

    fn visit_for_of_stmt(&mut self, statement: &ForOfStmt) {
        self.needs_module |= self.functions == 0 && statement.is_await;
        statement.visit_children_with(self);
    }

    fn visit_using_decl(&mut self, declaration: &UsingDecl) {
        self.needs_module |= self.functions == 0 && declaration.is_await;
        declaration.visit_children_with(self);
    }

    fn visit_function(&mut self, function: &Function) {
        self.within_function(|survey| function.visit_children_with(survey));
    }

    fn visit_arrow_expr(&mut self, function: &ArrowExpr) {
        self.within_function(|survey| function.visit_children_with(survey));
    }

    fn visit_ts_module_block(&mut self, block: &TsModuleBlock) {
        self.has_namespaces = true;
        block.visit_children_with(self);
    }

    fn visit_auto_accessor(&mut self, accessor: &AutoAccessor) {
        self.has_accessors = true;
        accessor.visit_children_with(self);
    }

    fn visit_decorator(&mut self, decorator: &Decorator) {
        self.has_decorators = true;
        self.first_decorator.get_or_insert(decorator.span);
        decorator.visit_children_with(self);
    }

    fn visit_param(&mut self, parameter: &Param) {
        self.decorates_parameters |= !parameter.decorators.is_empty();
        parameter.visit_children_with(self);
    }

    fn visit_ts_param_prop(&mut self, parameter: &TsParamProp) {
        self.decorates_parameters |= !parameter.decorators.is_empty();
        parameter.visit_children_with(self);
    }
}
