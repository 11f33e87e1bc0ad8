//! `AWS_LAMBDA_EXEC_WRAPPER`: a script that prepares the process's environment and then executes the runtime, which it
//! is given as its arguments.

use super::role::RUNTIME_API;
use std::{
    env,
    ffi::{OsStr, OsString},
    io::ErrorKind as IoError,
    os::unix::{ffi::OsStrExt, process::CommandExt},
    path::{Path, PathBuf},
    process::Command,
};
use trine_engine::{Error, ErrorKind};

/// The variable that names the script.
const WRAPPER: &str = "AWS_LAMBDA_EXEC_WRAPPER";
/// The variable with the address of the Runtime API for which the script has been started.
const WRAPPED: &str = "TRINE_WRAPPED";

/// The reason why the runtime cannot start as asked, and the exit status that says so.
pub(super) struct Failed {
    pub(super) error: Error,
    pub(super) status: u8,
}

/// Replaces this process with the wrapper script, if there is one that has not had its turn.
///
/// # Errors
/// When it cannot be executed, or has started the runtime in a way that the runtime does not support.
pub(super) fn enter(command_line: &[OsString]) -> Result<(), Failed> {
    let Some(script) = env::var_os(WRAPPER).filter(|script| !script.is_empty()) else {
        return Ok(());
    };
    let api = env::var_os(RUNTIME_API).unwrap_or_default();
    if env::var_os(WRAPPED).is_some_and(|wrapped| wrapped == api) {
        return check(&script, command_line);
    }
    let (program, arguments) =
        command_line.split_first().map_or((None, &[][..]), |(program, rest)| (Some(program), rest));
    let path = Path::new(&script);
    // A name without a slash is looked for in the working directory, not in `PATH`.
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    if path.is_dir() {
        return Err(failed(&script, 126, "it is a folder; name an executable file"));
    }
    let failure =
        Command::new(&path).arg(own_path(program)).args(arguments).env(WRAPPED, api).exec();
    Err(match failure.kind() {
        IoError::NotFound if path.exists() => {
            failed(&script, 127, "the interpreter that its first line names does not exist")
        }
        IoError::NotFound => failed(&script, 127, "the file does not exist"),
        IoError::PermissionDenied => failed(
            &script,
            126,
            "it is not an executable file; give it the mode 0755 in its package",
        ),
        _ => failed(&script, 126, &failure.to_string()),
    })
}

/// Returns the path by which a script can execute this program: the name that started it, where that is a path.
fn own_path(program: Option<&OsString>) -> PathBuf {
    let named = program.filter(|name| name.as_bytes().contains(&b'/')).map(PathBuf::from);
    named.or_else(|| env::current_exe().ok()).unwrap_or_else(|| PathBuf::from("/proc/self/exe"))
}

/// Refuses the options of a script that means to start Node or Python: there is no such program here.
fn check(script: &OsStr, command_line: &[OsString]) -> Result<(), Failed> {
    let is_option = |word: &&OsString| word.as_bytes().starts_with(b"-");
    let Some(option) = command_line.get(1).filter(is_option) else { return Ok(()) };
    let what = format!(
        "it started the runtime with the option {option:?}. The languages' interpreters are part of this program, which \
         takes a handler and no options; let the script set variables (NODE_OPTIONS=\"--require …\", PYTHONPATH) and end \
         with exec \"$@\""
    );
    Err(failed(script, 1, &what))
}

fn failed(script: &OsStr, status: u8, what: &str) -> Failed {
    let message = format!("{WRAPPER} names {}, and {what}", script.to_string_lossy());
    let error = Error::new(ErrorKind::Unsupported, message).with_name("Runtime.InvalidEntrypoint");
    Failed { error, status }
}
