//! A loaded module: its compiled code in an isolate, what it imports, and what all of its calls have in common.

use crate::{
    ID,
    binary::Signature,
    form,
    heap::out_of_memory,
    host,
    isolate::Entered,
    limits::Stop,
    loader,
    wasi::{Program, place::Folder},
};
use std::{
    cell::RefCell,
    collections::BTreeSet,
    ffi::OsString,
    os::unix::ffi::{OsStrExt as _, OsStringExt as _},
    path::{Path, PathBuf},
    rc::Rc,
    sync::Arc,
    time::Instant,
};
use trine_engine::{Environment, Error, GuestOutput, Module, Permits, Result};
use trine_v8::v8;

/// Maximum number of bytes that a command may print where nothing else limits it.
const MOST_PRINTED: u64 = 1 << 30;

/// The folder that guests may write to, on the machine and as guests know it.
const TEMPORARY: &str = "/tmp";

/// A module that was loaded.
pub(crate) struct Loaded {
    pub(crate) path: PathBuf,
    pub(crate) module: v8::Global<v8::WasmModuleObject>,
    pub(crate) imports: v8::Global<v8::Object>,
    pub(crate) program: Rc<Program>,
    pub(crate) has_initialize: bool,
    pub(crate) has_free: bool,
    /// See [`loader::Compiled`].
    pub(crate) moved: i64,
    /// The limit of its memory.
    pub(crate) limit: Option<u64>,
}

/// What modules of an instance are loaded with.
pub(crate) struct Context<'c> {
    pub(crate) environment: &'c Environment,
    pub(crate) variables: &'c [(OsString, OsString)],
    pub(crate) output: &'c Rc<GuestOutput>,
    pub(crate) stop: &'c Arc<Stop>,
}

impl Loaded {
    /// Compiles a module that was read, in an isolate.
    ///
    /// # Errors
    /// As [`loader::check`] and [`loader::compile`].
    pub(crate) fn new(
        context: &Context<'_>,
        isolate: &mut Entered<'_>,
        source: &loader::Source,
        module: &Module,
    ) -> Result<Self> {
        let imported = loader::check(source, module)?;
        let environment = context.environment.of_place(ID, &module.root);
        let limit = environment.memory_limit;
        let program = Rc::new(program(context, &environment, module));
        let v8_context = isolate.context.clone();
        v8::scope_with_context!(let scope, isolate.v8(), &v8_context);
        let compiled = loader::compile(scope, source, module, limit)?;
        let object = v8::WasmModuleObject::from_compiled_module(scope, &compiled.module);
        let object = object.ok_or_else(|| out_of_memory(limit))?;
        let imports = host::imports(scope, &imported);
        let imports = imports.ok_or_else(|| Error::internal("V8 has made no imports"))?;
        let has = |name, signature| source.binary.has(name, &Signature::of(signature));
        Ok(Self {
            path: module.path.clone(),
            module: v8::Global::new(scope, object),
            imports: v8::Global::new(scope, imports),
            program,
            has_initialize: has(form::INITIALIZE, form::NOTHING),
            has_free: has(form::FREE, form::TAKES_RESULT),
            moved: compiled.moved,
            limit,
        })
    }
}

fn program(context: &Context<'_>, environment: &Environment, module: &Module) -> Program {
    let permits = environment.permits(&module.root);
    let name = module.path.file_name().map(|name| name.as_bytes().to_vec());
    let limit = environment.memory_limit.unwrap_or(MOST_PRINTED).min(MOST_PRINTED);
    Program {
        arguments: vec![name.unwrap_or_default()],
        variables: variables(context.variables, environment, permits.as_ref()),
        folders: folders(&module.root, &environment.layer_root),
        permits,
        output: context.output.clone(),
        stop: context.stop.clone(),
        started: Instant::now(),
        most_printed: limit as usize,
        refused: RefCell::new(BTreeSet::new()),
    }
}

/// Returns the variables that a guest sees: the process's, under those that its place is given.
fn variables(
    process: &[(OsString, OsString)],
    environment: &Environment,
    permits: Option<&Permits>,
) -> Vec<(Vec<u8>, Vec<u8>)> {
    let own = environment.variables.iter();
    let own = own.map(|(name, value)| (OsString::from(name), OsString::from(value)));
    let own: Vec<(OsString, OsString)> = own.collect();
    let is_own = |name: &OsString| own.iter().any(|(own, _)| own == name);
    let process = process.iter().filter(|(name, _)| !is_own(name));
    let all = process.chain(&own).filter(|(name, _)| {
        permits.is_none_or(|permits| permits.sees_variable(&name.to_string_lossy()))
    });
    all.map(|(name, value)| (name.clone().into_vec(), value.clone().into_vec())).collect()
}

/// Opens the folders that a guest is given: its root as `.` and by its path, layers, and the one for temporary files. One
/// that is not there is left out.
fn folders(root: &Path, layers: &Path) -> Vec<Rc<Folder>> {
    let given = [
        (root, ".", false),
        (root, &*root.to_string_lossy(), false),
        (layers, &*layers.to_string_lossy(), false),
        (Path::new(TEMPORARY), TEMPORARY, true),
    ];
    let open = given.iter().map(|(path, name, is_writable)| Folder::open(path, name, *is_writable));
    open.flatten().map(Rc::new).collect()
}
