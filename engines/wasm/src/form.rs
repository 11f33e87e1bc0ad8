//! The form of a module, command or reactor, and which of its functions a handler string means.

use crate::binary::{Binary, Kind, Signature};
use trine_engine::{
    Error, ErrorKind, HANDLER_NAMES, Hook, Module, Result, Wanted, alternatives, unnamed_handler,
};

/// The function that a command starts with.
pub(crate) const START: &str = "_start";

/// The name of a reactor's function where nobody has named another.
pub(crate) const HANDLE: &str = "handle";

/// What makes a reactor.
pub(crate) const MEMORY: &str = "memory";
pub(crate) const ALLOC: &str = "alloc";

/// What a reactor may have besides.
pub(crate) const FREE: &str = "free";
pub(crate) const INITIALIZE: &str = "_initialize";

/// Types of functions; see [`Signature::of`].
pub(crate) const NOTHING: &str = ":";
pub(crate) const TAKES_LENGTH: &str = "i:i";
pub(crate) const TAKES_BYTES: &str = "ii:I";
pub(crate) const TAKES_RESULT: &str = "ii:";

/// Maximum number of exports that a message lists.
const LISTED: usize = 10;

/// The way in which a function is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Role {
    /// The whole program, anew for each event.
    Command,
    /// An exported function of a reactor.
    Handler(String),
    /// A hook of a middleware.
    Hook(Hook),
}

impl Role {
    /// Returns the name under which the function is exported.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Command => START,
            Self::Handler(name) => name,
            Self::Hook(hook) => hook.name(),
        }
    }
}

/// Whether a module is a command.
pub(crate) fn is_command(binary: &Binary) -> bool {
    binary.has(START, &Signature::of(NOTHING))
}

/// Finds the functions that are sought in a module.
///
/// # Errors
/// [`ErrorKind::HandlerNotFound`] with what was looked for and what the module exports.
pub(crate) fn find(binary: &Binary, module: &Module) -> Result<Vec<Role>> {
    match &module.wanted {
        Wanted::Program => {
            let message =
                "WebAssembly modules are no middleware programs: export before or after instead";
            Err(Error::new(ErrorKind::Unsupported, message))
        }
        Wanted::Hooks if is_command(binary) => Ok(Vec::new()),
        Wanted::Hooks => {
            let mut found = Vec::new();
            for hook in Hook::ALL {
                if binary.export(hook.name()).is_some() {
                    found.push(hook_of(binary, module, hook)?);
                }
            }
            Ok(found)
        }
        Wanted::Handler(name) if is_command(binary) => {
            // Handler strings have a name for it where a platform wants one; a program has a single start.
            let is_start = name.is_empty() || name == START || name == "main";
            match is_start || HANDLER_NAMES.contains(&name.as_str()) {
                true => Ok(vec![Role::Command]),
                false => Err(missing_in_command(module, name)),
            }
        }
        Wanted::Unnamed if is_command(binary) => Ok(vec![Role::Command]),
        Wanted::Handler(name) => {
            let is_usual = name.is_empty() || HANDLER_NAMES.contains(&name.as_str());
            let name = match is_usual && binary.export(name).is_none() {
                true => HANDLE,
                false => name,
            };
            Ok(vec![handler(binary, module, name, Some(name))?])
        }
        Wanted::Unnamed => {
            let takes_bytes = Signature::of(TAKES_BYTES);
            let usual = binary.export(HANDLE).map(|_| HANDLE);
            let name = usual.or_else(|| unnamed_handler(|name| binary.has(name, &takes_bytes)));
            Ok(vec![handler(binary, module, name.unwrap_or(HANDLE), name)?])
        }
    }
}

/// Returns the names of the functions of a middleware that are no hooks.
pub(crate) fn others(binary: &Binary) -> Vec<String> {
    let mut names = binary.functions_of(&Signature::of(TAKES_BYTES));
    names.retain(|name| Hook::named(name).is_none());
    names
}

fn handler(binary: &Binary, module: &Module, name: &str, wanted: Option<&str>) -> Result<Role> {
    let takes_bytes = Signature::of(TAKES_BYTES);
    check_reactor(binary, module, name)?;
    match binary.export(name).map(|export| &export.kind) {
        _ if binary.has(name, &takes_bytes) => Ok(Role::Handler(name.to_owned())),
        Some(kind) => Err(not_found(wrong_type(module, name, kind))),
        None => {
            let names = binary.functions_of(&takes_bytes);
            let message = format!("Handler '{name}' missing on module '{}'", module.name);
            Err(not_found(message + &alternatives(module, wanted, &names)))
        }
    }
}

fn hook_of(binary: &Binary, module: &Module, hook: Hook) -> Result<Role> {
    if hook == Hook::Wrap {
        let message = format!(
            "wrap of module '{}' wraps nothing: WebAssembly has no functions to wrap",
            module.name
        );
        return Err(Error::new(ErrorKind::Unsupported, message));
    }
    match handler(binary, module, hook.name(), None)? {
        Role::Handler(_) => Ok(Role::Hook(hook)),
        role => Ok(role),
    }
}

/// Checks that a module has what every reactor has.
fn check_reactor(binary: &Binary, module: &Module, handler: &str) -> Result<()> {
    let mut missing = Vec::new();
    if !binary.has_memory(MEMORY) {
        missing.push("its memory as `memory`".to_owned());
    }
    let wants = [(ALLOC, TAKES_LENGTH), (handler, TAKES_BYTES)];
    for (name, signature) in wants {
        if binary.export(name).is_none() {
            missing.push(format!("`{name}{}`", Signature::of(signature)));
        }
    }
    if missing.is_empty() || missing.len() == 1 && binary.export(handler).is_none() {
        let alloc = binary.export(ALLOC).map(|export| &export.kind);
        return match alloc {
            Some(kind) if !binary.has(ALLOC, &Signature::of(TAKES_LENGTH)) => {
                Err(not_found(wrong_type(module, ALLOC, kind)))
            }
            _ => Ok(()),
        };
    }
    Err(not_found(format!(
        "module '{}' has no function to call: a command exports `_start()`; a reactor lacks {}; it exports: {}",
        module.name,
        missing.join(" and "),
        exported(binary)
    )))
}

fn exported(binary: &Binary) -> String {
    if binary.exports.is_empty() {
        return "nothing".to_owned();
    }
    let listed = binary.exports.iter().take(LISTED).map(|export| match &export.kind {
        Kind::Function(Some(signature)) => format!("{}{signature}", export.name),
        kind => format!("{} ({})", export.name, kind.name()),
    });
    let listed = listed.collect::<Vec<_>>().join(", ");
    match binary.exports.len().saturating_sub(LISTED) {
        0 => listed,
        more => format!("{listed} and {more} more"),
    }
}

fn wrong_type(module: &Module, name: &str, kind: &Kind) -> String {
    let wanted = Signature::of(if name == ALLOC { TAKES_LENGTH } else { TAKES_BYTES });
    match kind {
        Kind::Function(Some(signature)) => format!(
            "'{name}' of module '{}' is of the type {signature}; it must be {wanted}",
            module.name
        ),
        kind => format!(
            "'{name}' of module '{}' is not a function (it is {})",
            module.name,
            kind.name()
        ),
    }
}

fn missing_in_command(module: &Module, name: &str) -> Error {
    not_found(format!(
        "Handler '{name}' missing on module '{}'; it is a command, which has one: name it by its file alone",
        module.name
    ))
}

fn not_found(message: String) -> Error {
    Error::new(ErrorKind::HandlerNotFound, message)
}
