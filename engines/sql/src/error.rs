//! The conversion of SQLite's failures to our errors.

use crate::{
    host::Host,
    limits::{out_of_memory, stopped},
    source::Source,
    sqlite::Failure,
};
use libsqlite3_sys as ffi;
use trine_engine::{Error, ErrorKind, Module};

/// The `errorType` of errors that SQL raises.
const NAME: &str = "SqlError";

/// SQLite's result codes by number.
const CODES: [&str; 29] = [
    "OK",
    "ERROR",
    "INTERNAL",
    "PERM",
    "ABORT",
    "BUSY",
    "LOCKED",
    "NOMEM",
    "READONLY",
    "INTERRUPT",
    "IOERR",
    "CORRUPT",
    "NOTFOUND",
    "FULL",
    "CANTOPEN",
    "PROTOCOL",
    "EMPTY",
    "SCHEMA",
    "TOOBIG",
    "CONSTRAINT",
    "MISMATCH",
    "MISUSE",
    "NOLFS",
    "AUTH",
    "FORMAT",
    "RANGE",
    "NOTADB",
    "NOTICE",
    "WARNING",
];

/// The kinds of constraints by the upper byte of their codes.
const CONSTRAINTS: [&str; 13] = [
    "",
    "CHECK",
    "COMMITHOOK",
    "FOREIGNKEY",
    "FUNCTION",
    "NOTNULL",
    "PRIMARYKEY",
    "TRIGGER",
    "UNIQUE",
    "VTAB",
    "ROWID",
    "PINNED",
    "DATATYPE",
];

/// Returns the name of a result code: `SQLITE_CONSTRAINT_UNIQUE`.
fn code_name(code: i32) -> String {
    let at = |names: &[&'static str], index: i32| {
        usize::try_from(index).ok().and_then(|index| names.get(index).copied())
    };
    let Some(name) = at(&CODES, code & 0xff) else { return format!("{code}") };
    let kind = at(&CONSTRAINTS, code >> 8).filter(|_| code & 0xff == ffi::SQLITE_CONSTRAINT);
    match kind.filter(|kind| !kind.is_empty()) {
        Some(kind) => format!("SQLITE_{name}_{kind}"),
        None => format!("SQLITE_{name}"),
    }
}

/// Returns the words for a failure, with the reason why something was refused.
fn message(failure: &Failure, host: &Host) -> String {
    match host.take_refusal() {
        Some(reason) if failure.code & 0xff == ffi::SQLITE_AUTH => {
            format!("{}: {reason}", failure.message)
        }
        _ => failure.message.clone(),
    }
}

/// Returns the error for a failure that is none of the statement's: a call that was stopped, memory that did not suffice.
fn foreign(failure: &Failure, host: &Host) -> Option<Error> {
    let is_memory = failure.code & 0xff == ffi::SQLITE_NOMEM
        || failure.code == ffi::SQLITE_IOERR_NOMEM
        || failure.code & 0xff == ffi::SQLITE_INTERRUPT && host.account().has_refused();
    match () {
        () if host.is_stopped() => Some(stopped()),
        () if is_memory => Some(out_of_memory()),
        () => None,
    }
}

/// Makes the error of a statement that has failed in a call, where it begins at `at`.
pub(crate) fn failed(failure: &Failure, host: &Host, source: &Source, at: usize) -> Error {
    let place = failure.offset.unwrap_or(at);
    let frame = source.frame(place);
    // Callers and hooks are told stacks, and this is all that there is of one.
    let stack = [format!("    at {frame}")];
    if let Some(error) = foreign(failure, host) {
        return error.with_frames([frame]).with_stack(stack);
    }
    let message = format!("failed to execute query: {}", message(failure, host));
    let error = Error::guest(NAME, message).with_frames([frame]).with_stack(stack);
    error.with_context("code", code_name(failure.code))
}

/// Makes the error of a statement that cannot be prepared when its file is loaded, where it begins at `at`.
pub(crate) fn unprepared(
    failure: &Failure,
    host: &Host,
    source: &Source,
    at: usize,
    module: &Module,
) -> Error {
    if let Some(error) = foreign(failure, host) {
        return error.with_frames([source.frame(failure.offset.unwrap_or(at))]);
    }
    syntax(&message(failure, host), source, failure.offset.unwrap_or(at), module)
}

/// Makes the error of a statement with a parameter.
pub(crate) fn parameter(name: &str) -> String {
    format!("the statement has a parameter, {name}: nothing can be bound to it; use event('…')")
}

/// Makes the error of a file that cannot be a handler, at a place in it.
pub(crate) fn syntax(reason: &str, source: &Source, at: usize, module: &Module) -> Error {
    let frame = source.frame(at);
    let place = format!("{frame}: {reason}");
    let message = format!("Syntax error in module '{}': {reason}", module.name);
    let stack = std::iter::once(place).chain(source.excerpt(at));
    Error::new(ErrorKind::UserCodeSyntax, message).with_frames([frame]).with_stack(stack)
}

/// Makes the error of a database that cannot be prepared for a function.
pub(crate) fn unopened(failure: &Failure) -> Error {
    if failure.code & 0xff == ffi::SQLITE_NOMEM {
        return out_of_memory();
    }
    Error::internal(format!("cannot open a database in memory: {}", failure.message))
}

/// Whether a failure is one of grammar, which no other statement can mend.
pub(crate) fn is_grammar(failure: &Failure) -> bool {
    ["near \"", "unrecognized token", "incomplete input"]
        .iter()
        .any(|start| failure.message.starts_with(start))
        || failure.code & 0xff == ffi::SQLITE_AUTH
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_their_names() {
        assert_eq!(code_name(ffi::SQLITE_CONSTRAINT_UNIQUE), "SQLITE_CONSTRAINT_UNIQUE");
        assert_eq!(code_name(ffi::SQLITE_CONSTRAINT_TRIGGER), "SQLITE_CONSTRAINT_TRIGGER");
        assert_eq!(code_name(ffi::SQLITE_CONSTRAINT_DATATYPE), "SQLITE_CONSTRAINT_DATATYPE");
        assert_eq!(code_name(ffi::SQLITE_READONLY), "SQLITE_READONLY");
        assert_eq!(code_name(ffi::SQLITE_WARNING), "SQLITE_WARNING");
        assert_eq!(code_name(255), "255");
    }
}
