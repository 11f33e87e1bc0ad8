//! Re-exported names that are types. Only a look into the other file tells; an ES module that re-exports such a name
//! would not link.

use super::TypeScript;
use deno_ast::{
    MediaType, ModuleSpecifier, ParseParams,
    swc::{
        ast::{
            Decl, ExportSpecifier, ImportSpecifier, Module, ModuleDecl, ModuleExportName,
            ModuleItem, Program, Stmt, TsModuleName,
        },
        utils::find_pat_ids,
    },
};
use std::{
    collections::{HashMap, HashSet},
    path::{Path, PathBuf},
    rc::Rc,
};

/// Whether a name that a specifier's module exports is a type, and nothing else.
pub(super) type IsType<'a> = &'a dyn Fn(&str, &str) -> bool;

/// Marks re-exported types, as the word `type` would.
pub(super) fn mark(module: &mut Module, is_type: IsType<'_>) {
    let mut imported: HashMap<String, (String, String)> = HashMap::new();
    for item in &module.body {
        let ModuleItem::ModuleDecl(ModuleDecl::Import(import)) = item else { continue };
        for specifier in &import.specifiers {
            if let ImportSpecifier::Named(named) = specifier {
                let name = named.imported.as_ref().map(text);
                let name = name.unwrap_or_else(|| named.local.sym.to_string());
                let source = import.src.value.to_string_lossy().into_owned();
                imported.insert(named.local.sym.to_string(), (source, name));
            }
        }
    }
    for item in &mut module.body {
        let ModuleItem::ModuleDecl(ModuleDecl::ExportNamed(export)) = item else { continue };
        let source = export.src.as_ref().map(|src| src.value.to_string_lossy().into_owned());
        for specifier in &mut export.specifiers {
            let ExportSpecifier::Named(named) = specifier else { continue };
            let original = text(&named.orig);
            named.is_type_only |= match (&source, imported.get(&original)) {
                (Some(source), _) => is_type(source, &original),
                (None, Some((source, name))) => is_type(source, name),
                (None, None) => false,
            };
        }
        // With nothing left, the other module is not loaded for a name; it still runs, if it is named here.
        if export.src.is_none() && export.specifiers.iter().all(is_marked) {
            export.type_only = true;
        }
    }
}

fn is_marked(specifier: &ExportSpecifier) -> bool {
    matches!(specifier, ExportSpecifier::Named(named) if named.is_type_only)
}

fn text(name: &ModuleExportName) -> String {
    match name {
        ModuleExportName::Ident(ident) => ident.sym.to_string(),
        ModuleExportName::Str(text) => text.value.to_string_lossy().into_owned(),
    }
}

/// The names that a file exports only as types.
pub(super) type Types = Rc<HashSet<String>>;

impl TypeScript {
    /// Whether a name that a file exports is a type, and nothing else.
    pub(super) fn exports_type(&self, path: &Path, name: &str) -> bool {
        self.types(path, &mut Vec::new()).contains(name)
    }

    fn types(&self, path: &Path, open: &mut Vec<PathBuf>) -> Types {
        if let Some(known) = self.types.borrow().get(path) {
            return known.clone();
        }
        if open.iter().any(|other| other == path) {
            return Types::default();
        }
        open.push(path.to_owned());
        let types = Rc::new(self.look_for_types(path, open).unwrap_or_default());
        open.pop();
        self.types.borrow_mut().insert(path.to_owned(), types.clone());
        types
    }

    fn look_for_types(&self, path: &Path, open: &mut Vec<PathBuf>) -> Option<HashSet<String>> {
        let mut module = None;
        let url = ModuleSpecifier::from_file_path(path).ok()?;
        let media_type = MediaType::from_specifier(&url);
        deno_ast::parse_program_with_post_process(
            ParseParams {
                specifier: url,
                text: crate::loader::read(path).ok()?.into(),
                media_type,
                capture_tokens: false,
                scope_analysis: false,
                maybe_syntax: None,
            },
            |program, _| {
                module = program.module();
                Program::Script(Default::default())
            },
        )
        .ok()?;
        let module = module?;
        let found = Declared::of(&module);
        let mut types: HashSet<String> = HashSet::new();
        let onwards = |source: &str, open: &mut Vec<PathBuf>| {
            let file = self.resolve(source, path, false).ok().flatten();
            file.filter(|file| super::is_typescript(MediaType::from_path(file)))
                .map(|file| self.types(&file, open))
                .unwrap_or_default()
        };
        for item in &module.body {
            let ModuleItem::ModuleDecl(declaration) = item else { continue };
            match declaration {
                ModuleDecl::ExportDecl(export) => {
                    types.extend(
                        type_name(&export.decl).filter(|name| !found.values.contains(name)),
                    );
                }
                ModuleDecl::ExportNamed(export) => {
                    let source = export.src.as_ref();
                    let source = source.map(|src| src.value.to_string_lossy().into_owned());
                    for specifier in &export.specifiers {
                        let ExportSpecifier::Named(named) = specifier else { continue };
                        let original = text(&named.orig);
                        let is_type = export.type_only
                            || named.is_type_only
                            || match (&source, found.imported.get(&original)) {
                                (Some(source), _) => onwards(source, open).contains(&original),
                                (None, Some((source, name))) => {
                                    onwards(source, open).contains(name)
                                }
                                (None, None) => found.is_type(&original),
                            };
                        if is_type {
                            types.insert(named.exported.as_ref().map_or(original, text));
                        }
                    }
                }
                ModuleDecl::ExportAll(export) => {
                    let source = export.src.value.to_string_lossy().into_owned();
                    types.extend(onwards(&source, open).iter().cloned());
                }
                _ => {}
            }
        }
        Some(types)
    }
}

/// The top-level declarations of a file.
#[derive(Default)]
struct Declared {
    types: HashSet<String>,
    values: HashSet<String>,
    /// The source of each imported name, and its name there.
    imported: HashMap<String, (String, String)>,
}

impl Declared {
    fn of(module: &Module) -> Self {
        let mut declared = Self::default();
        for item in &module.body {
            match item {
                ModuleItem::Stmt(Stmt::Decl(declaration)) => declared.add(declaration),
                ModuleItem::ModuleDecl(ModuleDecl::ExportDecl(export)) => {
                    declared.add(&export.decl);
                }
                ModuleItem::ModuleDecl(ModuleDecl::Import(import)) => {
                    for specifier in &import.specifiers {
                        let ImportSpecifier::Named(named) = specifier else { continue };
                        let local = named.local.sym.to_string();
                        if import.type_only || named.is_type_only {
                            declared.types.insert(local);
                            continue;
                        }
                        let name = named.imported.as_ref().map_or(local.clone(), text);
                        let source = import.src.value.to_string_lossy().into_owned();
                        declared.imported.insert(local, (source, name));
                    }
                }
                ModuleItem::Stmt(_) | ModuleItem::ModuleDecl(_) => {}
            }
        }
        declared
    }

    fn add(&mut self, declaration: &Decl) {
        if let Some(name) = type_name(declaration) {
            self.types.insert(name);
            return;
        }
        match declaration {
            Decl::Var(variables) => {
                let names: Vec<deno_ast::swc::ast::Ident> = find_pat_ids(&variables.decls);
                self.values.extend(names.into_iter().map(|name| name.sym.to_string()));
            }
            Decl::Fn(function) => drop(self.values.insert(function.ident.sym.to_string())),
            Decl::Class(class) => drop(self.values.insert(class.ident.sym.to_string())),
            Decl::TsEnum(declaration) => drop(self.values.insert(declaration.id.sym.to_string())),
            Decl::TsModule(module) => {
                if let TsModuleName::Ident(name) = &module.id {
                    self.values.insert(name.sym.to_string());
                }
            }
            Decl::Using(_) | Decl::TsInterface(_) | Decl::TsTypeAlias(_) => {}
        }
    }

    fn is_type(&self, name: &str) -> bool {
        self.types.contains(name) && !self.values.contains(name)
    }
}

/// Returns the name of a declaration that declares a type.
fn type_name(declaration: &Decl) -> Option<String> {
    match declaration {
        Decl::TsInterface(interface) => Some(interface.id.sym.to_string()),
        Decl::TsTypeAlias(alias) => Some(alias.id.sym.to_string()),
        _ => None,
    }
}
