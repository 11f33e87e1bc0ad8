//! The loader: reads a module, checks what it needs, and compiles it, once per process.

use crate::{
    binary::{Binary, Bound, Kind, NoModule, Signature},
    heap::out_of_memory,
    wasi::table::{self, FUNCTIONS},
};
use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};
use trine_engine::{Error, ErrorKind, Module, Result, nearest};
use trine_v8::v8;

/// Maximum number of imports that a message lists.
const LISTED: usize = 10;

/// The functions of WASI that a module imports, by their numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Imported {
    pub(crate) functions: Vec<usize>,
}

/// A module that was read and checked.
pub(crate) struct Source {
    pub(crate) binary: Binary,
    bytes: Vec<u8>,
}

/// Reads a module's file.
///
/// # Errors
/// [`ErrorKind::ImportModule`] when it cannot be read, [`ErrorKind::UserCodeSyntax`] when it is no module,
/// [`ErrorKind::Unsupported`] when it is a component.
pub(crate) fn read(module: &Module) -> Result<Source> {
    let path = module.path.display();
    let bytes = std::fs::read(&module.path).map_err(|error| {
        let message = format!("Unable to import module '{}': {path}: {error}", module.name);
        Error::new(ErrorKind::ImportModule, message)
    })?;
    let binary = Binary::read(&bytes).map_err(|found| {
        let kind = match &found {
            NoModule::Component => ErrorKind::Unsupported,
            NoModule::Other(_) => ErrorKind::UserCodeSyntax,
        };
        Error::new(kind, format!("Unable to load module '{}': {path} is {found}", module.name))
    })?;
    Ok(Source { binary, bytes })
}

/// Checks that a module needs only what there is.
///
/// # Errors
/// [`ErrorKind::ImportModule`] with the names that nobody provides and the nearest ones that exist.
pub(crate) fn check(source: &Source, module: &Module) -> Result<Imported> {
    let binary = &source.binary;
    let mut imported = Imported::default();
    let mut wrong = Vec::new();
    for import in &binary.imports {
        let full = format!("{}.{}", import.module, import.name);
        let found = (import.module == table::MODULE).then(|| table::named(&import.name)).flatten();
        match (found, &import.kind) {
            (Some((at, function)), Kind::Function(Some(own))) => {
                let signature = Signature::of(&function.signature());
                if **own != signature {
                    wrong.push(format!("{full} as {own}, which is {signature}"));
                } else if !imported.functions.contains(&at) {
                    imported.functions.push(at);
                }
            }
            (Some(_), kind) => {
                wrong.push(format!("{full} as {}, which is a function", kind.name()))
            }
            (None, Kind::Function(_)) => wrong.push(full + &hint(&import.module, &import.name)),
            (None, kind) => {
                wrong.push(format!(
                    "{full} ({}){}",
                    kind.name(),
                    hint(&import.module, &import.name)
                ));
            }
        }
    }
    if !wrong.is_empty() {
        let more = wrong.len().saturating_sub(LISTED);
        wrong.truncate(LISTED);
        let more = if more > 0 { format!("; and {more} more") } else { String::new() };
        let message = format!(
            "Unable to import module '{}': {} imports what is not there: {}{more}",
            module.name,
            module.path.display(),
            wrong.join("; ")
        );
        return Err(Error::new(ErrorKind::ImportModule, message));
    }
    let unsupported = |what: &str| {
        let message =
            format!("Unable to load module '{}': {} {what}", module.name, module.path.display());
        Err(Error::new(ErrorKind::Unsupported, message))
    };
    if binary.memories.iter().any(|memory| memory.is_shared) {
        return unsupported(
            "shares its memory between threads, of which there is one here: build it without threads",
        );
    }
    if binary.memories.iter().any(|memory| memory.is_64) {
        return unsupported("has a memory with addresses of 64 bits: build it for wasm32");
    }
    Ok(imported)
}

/// Returns what to do about an import that nobody provides.
fn hint(module: &str, name: &str) -> String {
    let known = match module {
        table::MODULE => {
            let names = FUNCTIONS.iter().map(|function| function.name);
            let names: Vec<&str> = names.collect();
            let near = nearest(name, names.iter().copied());
            return near.map_or_else(String::new, |near| format!(" (did you mean {near}?)"));
        }
        "wasi_unstable" => "of the preview before preview 1: build with a current compiler",
        "wasi" => "of WASI with threads: build without threads",
        "gojs" | "go" => "of Go's port for JavaScript: build with GOOS=wasip1",
        "wbg" => "made by wasm-bindgen for JavaScript: build for wasm32-wasip1 without it",
        "env" if name == "memory" => "link without --import-memory",
        "env" => "not defined when it was linked, or of Emscripten: build for wasm32-wasip1",
        _ if module.starts_with("wasi:") => "of a component: build for wasm32-wasip1",
        _ if module.starts_with("__wbindgen") => {
            "made by wasm-bindgen for JavaScript: build for wasm32-wasip1 without it"
        }
        _ => {
            let near = nearest(module, [table::MODULE]);
            return near.map_or_else(String::new, |near| format!(" (did you mean {near}.{name}?)"));
        }
    };
    format!(" ({known})")
}

/// A compiled module, kept within a limit.
#[derive(Clone)]
pub(crate) struct Compiled {
    pub(crate) module: Arc<v8::CompiledWasmModule>,
    /// Number of bytes by which its code lies further from the start than in its file.
    pub(crate) moved: i64,
}

/// Compiled modules, by their files and the limits that they are kept within.
type Modules = HashMap<(PathBuf, Option<u64>), Compiled>;

/// The modules of this process. V8 shares their code between isolates.
static COMPILED: Mutex<Option<Modules>> = Mutex::new(None);

/// Compiles a module, unless the same bytes were compiled before.
///
/// # Errors
/// [`ErrorKind::UserCodeSyntax`] with what V8 has against it, [`ErrorKind::OutOfMemory`] when its memory is larger than the
/// limit from the start.
pub(crate) fn compile(
    scope: &mut v8::PinScope<'_, '_>,
    source: &Source,
    module: &Module,
    limit: Option<u64>,
) -> Result<Compiled> {
    let least = source.binary.memories.iter().map(|memory| memory.least);
    if limit.is_some_and(|limit| least.fold(0, u64::saturating_add) > limit) {
        return Err(out_of_memory(limit));
    }
    let Bound { bytes, moved } = source.binary.bound(&source.bytes, limit);
    let key = (module.path.clone(), limit);
    let known = || COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(compiled) = known().get_or_insert_default().get(&key)
        && compiled.module.get_wire_bytes_ref() == &bytes[..]
    {
        return Ok(compiled.clone());
    }
    v8::tc_scope!(let scope, scope);
    let Some(object) = v8::WasmModuleObject::compile(scope, &bytes) else {
        let thrown = scope.exception().map(|thrown| thrown.to_rust_string_lossy(scope));
        let reason = thrown.unwrap_or_else(|| "V8 does not say why".to_owned());
        // V8 names the function of its interface, which means nothing to anybody here.
        let reason = reason.split_once(": ").map_or(&*reason, |(_, reason)| reason);
        let reason = reason.strip_prefix("WasmModuleObject::Compile(): ").unwrap_or(reason);
        let path = module.path.display();
        let message = format!(
            "Unable to load module '{}': {path} is no valid WebAssembly module: {reason}",
            module.name
        );
        return Err(Error::new(ErrorKind::UserCodeSyntax, message));
    };
    let compiled = Compiled { module: Arc::new(object.get_compiled_module()), moved };
    known().get_or_insert_default().insert(key, compiled.clone());
    Ok(compiled)
}
