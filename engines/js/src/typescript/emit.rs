//! The conversion of parsed TypeScript to JavaScript: types are stripped, and constructs that JavaScript lacks are
//! expanded: decorators, enums, namespaces, parameter properties, JSX.

use super::{
    Transpiled, accessors, commonjs,
    config::Config,
    decorated, fields, merge,
    metadata::{self, ValueUses},
    survey::Survey,
    types::{self, IsType},
};
use deno_ast::{
    EmitOptions, Globals, Marks, ModuleSpecifier, SourceMap, SourceMapOption,
    swc::{
        ast::{
            Decl, DefaultDecl, ExportSpecifier, Expr, Ident, Module, ModuleDecl, ModuleExportName,
            ModuleItem, NamedExport, Program, Stmt, Str, VarDecl, VarDeclKind, VarDeclarator,
        },
        common::{
            DUMMY_SP, Mark, Span, Spanned as _, SyntaxContext,
            comments::SingleThreadedComments,
            errors::{DiagnosticBuilder, Emitter, HANDLER, Handler},
        },
        ecma_visit::{VisitMut, VisitMutWith as _},
        transforms::{fixer, helpers, hygiene, proposal, react, resolver, typescript},
        visit::Optional,
    },
};
use deno_error::JsErrorBox;
use std::sync::{Arc, Mutex, PoisonError};

/// The knowledge about a file's format without looking into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// An ES module, by its name or its package.
    Module,
    /// CommonJS, by its name.
    CommonJs,
    /// CommonJS by its package or its settings, unless it has what only ES modules have.
    PreferCommonJs,
    /// The format that its syntax shows.
    Detect,
}

/// A parsed file.
pub(super) struct Parsed {
    pub(super) program: Program,
    pub(super) comments: SingleThreadedComments,
    pub(super) globals: Globals,
    pub(super) url: ModuleSpecifier,
    pub(super) source: String,
    pub(super) has_jsx: bool,
}

/// Emits the JavaScript of a file.
///
/// # Errors
/// A `SyntaxError` where a construct has no equivalent in JavaScript.
pub(super) fn emit(
    parsed: Parsed,
    config: &Config,
    format: Format,
    is_type: IsType<'_>,
) -> Result<Transpiled, JsErrorBox> {
    let Parsed { program, comments, globals, url, source, has_jsx } = parsed;
    let map = SourceMap::single(url, source);
    let problems = Problems::default();
    let handler = Handler::with_emitter(true, false, Box::new(problems.clone()));
    let (program, is_commonjs) = globals.with(|marks| {
        let emission =
            Emission { config, marks, comments: &comments, map: &map, format, has_jsx, is_type };
        HANDLER.set(&handler, || {
            helpers::HELPERS.set(&helpers::Helpers::new(false), || emission.run(program))
        })
    });
    if let Some(problem) = problems.first() {
        return Err(JsErrorBox::new("SyntaxError", problem));
    }
    let options = EmitOptions {
        source_map: SourceMapOption::Separate,
        inline_sources: false,
        ..EmitOptions::default()
    };
    let emitted = deno_ast::emit((&program).into(), &comments, &map, &options);
    let emitted = emitted.map_err(|error| JsErrorBox::new("SyntaxError", error.to_string()))?;
    let map = emitted.source_map.unwrap_or_default();
    Ok(Transpiled { text: emitted.text, map, is_commonjs })
}

/// The problems that swc reports.
#[derive(Default, Clone)]
struct Problems(Arc<Mutex<Vec<String>>>);

impl Problems {
    fn first(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).first().cloned()
    }
}

impl Emitter for Problems {
    fn emit(&mut self, problem: &mut DiagnosticBuilder<'_>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(problem.message());
    }
}

/// The run of one file through the passes.
struct Emission<'a> {
    config: &'a Config,
    marks: &'a Marks,
    comments: &'a SingleThreadedComments,
    map: &'a SourceMap,
    format: Format,
    has_jsx: bool,
    is_type: IsType<'a>,
}

impl Emission<'_> {
    fn run(&self, program: Program) -> (Program, bool) {
        let mut program = Program::Module(into_module(program));
        let (unresolved, top_level) = (self.marks.unresolved, self.marks.top_level);
        program.mutate(resolver(unresolved, top_level, true));
        let survey = Survey::of(&program, unresolved);
        let is_commonjs = self.is_commonjs(&survey);
        if let (true, Program::Module(module)) = (survey.has_namespaces, &mut program) {
            merge::merge(&mut module.body, self.marks);
        }
        if let Program::Module(module) = &mut program {
            // CommonJS has nothing to link.
            if !is_commonjs {
                export_assignments(module);
                types::mark(module, self.is_type);
            }
        }
        // The language's own decorators know neither parameters nor types.
        let needs_legacy = survey.decorates_parameters || self.config.decorator_metadata;
        let legacy = self.config.legacy_decorators.unwrap_or(needs_legacy);
        let decorates = survey.has_decorators;
        let metadata = decorates && legacy && self.has_metadata();
        let uses = metadata.then(|| ValueUses::of(&program));
        if metadata {
            decorated::simplify_types(&mut program, self.config.checks_nulls());
        }
        program.mutate((
            Optional::new(
                proposal::decorators::decorators(proposal::decorators::Config {
                    legacy: true,
                    emit_metadata: metadata,
                    use_define_for_class_fields: self.config.defines_fields(),
                }),
                decorates && legacy,
            ),
            Optional::new(proposal::decorator_2022_03::decorator_2022_03(), decorates && !legacy),
            helpers::inject_helpers(top_level),
        ));
        if metadata {
            decorated::only_functions(&mut program);
        }
        if survey.has_accessors {
            accessors::write_out(&mut program);
        }
        if !self.config.defines_fields() {
            fields::assign(&mut program);
        }
        self.strip(&mut program, is_commonjs, &survey);
        if let (Some(uses), false, Program::Module(module)) = (&uses, is_commonjs, &mut program) {
            metadata::loosen_imports(module, uses);
        }
        if is_commonjs && let Program::Module(module) = program {
            program = Program::Script(commonjs::convert(module, self.marks));
        }
        program.mutate((fixer(Some(self.comments)), hygiene()));
        place_helpers(&mut program, survey.first_decorator);
        (program, is_commonjs)
    }

    /// Whether to emit metadata. Without settings, code with decorated parameters uses metadata, if anything.
    fn has_metadata(&self) -> bool {
        self.config.decorator_metadata
            || (self.config.legacy_decorators.is_none() && !self.config.verbatim_modules)
    }

    fn is_commonjs(&self, survey: &Survey) -> bool {
        match self.format {
            Format::Module => false,
            Format::CommonJs => true,
            Format::PreferCommonJs => !survey.needs_module,
            Format::Detect => {
                !survey.needs_module && (survey.needs_commonjs || !survey.has_module_syntax)
            }
        }
    }

    /// Strips the types, and expands the constructs of TypeScript's own, and JSX.
    fn strip(&self, program: &mut Program, is_commonjs: bool, survey: &Survey) {
        let (unresolved, top_level) = (self.marks.unresolved, self.marks.top_level);
        let config = typescript::Config {
            verbatim_module_syntax: self.config.verbatim_modules,
            import_not_used_as_values: match self.config.preserves_imports() {
                true => typescript::ImportsNotUsedAsValues::Preserve,
                false => typescript::ImportsNotUsedAsValues::Remove,
            },
            no_empty_export: true,
            import_export_assign_config: match is_commonjs {
                true => typescript::TsImportExportAssignConfig::Classic,
                false => typescript::TsImportExportAssignConfig::NodeNext,
            },
            // Members of an enum are looked up on use: those that a declaration further down adds count.
            ts_enum_is_mutable: true,
            native_class_properties: false,
        };
        if !self.has_jsx {
            program.mutate(typescript::typescript(config, unresolved, top_level));
            return;
        }
        let jsx = &self.config.jsx;
        let is_classic = self.is_classic_jsx(survey);
        let (factory, fragment) = match is_classic {
            true => (jsx.factory.clone(), jsx.fragment_factory.clone()),
            false => (None, None),
        };
        let tsx = typescript::TsxConfig {
            pragma: factory.clone().map(Into::into),
            pragma_frag: fragment.clone().map(Into::into),
        };
        let options = react::Options {
            runtime: Some(match is_classic {
                true => react::Runtime::Classic,
                false => react::Runtime::Automatic,
            }),
            import_source: jsx.import_source.as_deref().filter(|_| !is_classic).map(Into::into),
            pragma: factory.map(Into::into),
            pragma_frag: fragment.map(Into::into),
            throw_if_namespace: Some(false),
            development: Some(jsx.mode.as_deref() == Some("react-jsxdev") && !is_classic),
            ..react::Options::default()
        };
        let map = self.map.inner();
        program.mutate((
            typescript::tsx(map.clone(), config, tsx, self.comments, unresolved, top_level),
            react::react(map.clone(), Some(self.comments), options, top_level, unresolved),
        ));
    }

    /// Whether JSX calls a factory in scope (`React.createElement`) instead of importing one.
    fn is_classic_jsx(&self, survey: &Survey) -> bool {
        let jsx = &self.config.jsx;
        let (leading, _) = self.comments.borrow_all();
        let says = |word: &str| {
            let mut texts = leading.values().flatten();
            texts.any(|comment| comment.text.split_whitespace().any(|part| part == word))
        };
        if says("@jsxRuntime") || says("@jsxImportSource") {
            return says("classic");
        }
        says("@jsx")
            || match jsx.mode.as_deref() {
                Some("react") => true,
                Some("react-jsx" | "react-jsxdev") => false,
                _ if jsx.import_source.is_some() => false,
                _ => jsx.factory.is_some() || survey.has_react,
            }
    }
}

/// Gives helpers before the file's own statements the position of the code that needs them, so that stack traces name
/// no line that does not exist.
fn place_helpers(program: &mut Program, place: Option<Span>) {
    struct Place(Span);

    impl VisitMut for Place {
        fn visit_mut_span(&mut self, span: &mut Span) {
            *span = self.0;
        }
    }

    let mut place = Place(place.unwrap_or_else(|| program.span().shrink_to_lo()));
    match program {
        Program::Module(module) => {
            let helpers = module.body.iter_mut().take_while(|item| item.span().is_dummy());
            helpers.for_each(|item| item.visit_mut_with(&mut place));
        }
        Program::Script(script) => {
            let helpers = script.body.iter_mut().take_while(|item| item.span().is_dummy());
            helpers.for_each(|item| item.visit_mut_with(&mut place));
        }
    }
}

/// Returns a program as a module: CommonJS becomes a script again at the end.
fn into_module(program: Program) -> Module {
    match program {
        Program::Module(module) => module,
        Program::Script(script) => Module {
            span: script.span,
            body: script.body.into_iter().map(ModuleItem::Stmt).collect(),
            shebang: script.shebang,
        },
    }
}

/// Replaces `export = value` in an ES module: it is its default export, and what `require` returns.
fn export_assignments(module: &mut Module) {
    let mut items = Vec::with_capacity(module.body.len() + 1);
    for item in module.body.drain(..) {
        let ModuleItem::ModuleDecl(ModuleDecl::TsExportAssignment(assignment)) = item else {
            items.push(item);
            continue;
        };
        let name = private_name("_exported");
        items.push(ModuleItem::Stmt(constant(name.clone(), assignment.expr, assignment.span)));
        let specifiers = ["default", "module.exports"].map(|exported| {
            ExportSpecifier::Named(deno_ast::swc::ast::ExportNamedSpecifier {
                span: DUMMY_SP,
                orig: ModuleExportName::Ident(name.clone()),
                exported: Some(ModuleExportName::Str(Str {
                    span: DUMMY_SP,
                    value: exported.into(),
                    raw: None,
                })),
                is_type_only: false,
            })
        });
        items.push(ModuleItem::ModuleDecl(ModuleDecl::ExportNamed(NamedExport {
            span: DUMMY_SP,
            specifiers: specifiers.into(),
            src: None,
            type_only: false,
            with: None,
        })));
    }
    module.body = items;
}

/// Makes a name that cannot be confused with any other in the file.
pub(super) fn private_name(name: &str) -> Ident {
    let context = SyntaxContext::empty().apply_mark(Mark::new());
    Ident::new(name.into(), DUMMY_SP, context)
}

/// Makes the statement `const name = value;`.
pub(super) fn constant(name: Ident, value: Box<Expr>, span: Span) -> Stmt {
    Stmt::Decl(Decl::Var(Box::new(VarDecl {
        span,
        ctxt: SyntaxContext::empty(),
        kind: VarDeclKind::Const,
        declare: false,
        decls: vec![VarDeclarator { span, name: name.into(), init: Some(value), definite: false }],
    })))
}

/// Returns the declaration in a default export, with a name.
pub(super) fn named_declaration(declaration: DefaultDecl) -> Option<(Decl, Ident)> {
    let name = |ident: Option<Ident>| ident.unwrap_or_else(|| private_name("_default"));
    match declaration {
        DefaultDecl::Class(class) => {
            let ident = name(class.ident);
            let decl = deno_ast::swc::ast::ClassDecl {
                ident: ident.clone(),
                declare: false,
                class: class.class,
            };
            Some((Decl::Class(decl), ident))
        }
        DefaultDecl::Fn(function) => {
            let ident = name(function.ident);
            let decl = deno_ast::swc::ast::FnDecl {
                ident: ident.clone(),
                declare: false,
                function: function.function,
            };
            Some((Decl::Fn(decl), ident))
        }
        DefaultDecl::TsInterfaceDecl(_) => None,
    }
}
