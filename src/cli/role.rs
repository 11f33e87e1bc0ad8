//! The role of this process: Lambda's runtime, a user's command, or a guest's child.
//!
//! Guests know this program by its path (`process.execPath`, `argv[0]`, `/proc/self/exe`) and start it as the
//! interpreter that they think it is, mostly under the name `bootstrap` and with the Runtime API's address in the
//! environment. Such a child must not become a second runtime, which would take events or tell the platform that the
//! start has failed.

use super::is_command;
use crate::engines::Registry;
use std::{
    borrow::Cow,
    env,
    ffi::{OsStr, OsString},
    fs,
    os::unix::{ffi::OsStrExt, fs::MetadataExt, process::parent_id},
    path::Path,
};
use trine_engine::CHILD_MARK;

/// The variable with the address of the Runtime API.
pub(super) const RUNTIME_API: &str = "AWS_LAMBDA_RUNTIME_API";

/// The role of a process.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Role<'a> {
    /// Lambda's runtime, with the handler that its command line names, if any.
    Runtime(Option<&'a OsStr>),
    /// The interpreter of a language, by the name that shebang lines give it; `None` where a guest has started this
    /// program by another name, and is no interpreter of a name itself.
    Interpreter(Option<Cow<'a, str>>),
    /// One of this program's own commands.
    Command,
}

impl<'a> Role<'a> {
    /// Returns the role of this process.
    pub(super) fn of_process(arguments: &'a [OsString], registry: &Registry) -> Self {
        let api = env::var_os(RUNTIME_API);
        let above = || guest_above(api.as_deref(), registry);
        Self::of(arguments, registry, api.is_some(), above)
    }

    /// Returns the role of a command line. A command stays one, whoever runs it; `bootstrap` has no commands.
    fn of(
        arguments: &'a [OsString],
        registry: &Registry,
        has_api: bool,
        above: impl FnOnce() -> Option<Guest>,
    ) -> Self {
        let program = arguments.first().and_then(|name| Path::new(name).file_name());
        let first = arguments.get(1).map(OsString::as_os_str);
        let name = program.and_then(OsStr::to_str).unwrap_or_default();
        let is_bootstrap = name == "bootstrap";
        if !is_bootstrap && name != "trine" && registry.by_interpreter(name).is_some() {
            return Self::Interpreter(Some(name.into()));
        }
        let is_option = first.is_some_and(|first| first.as_bytes().starts_with(b"-"));
        let is_command = !is_bootstrap && first.is_some_and(is_command);
        if !is_command && let Some(Guest { interpreter }) = above() {
            return Self::Interpreter(interpreter.map(Cow::Owned));
        }
        match is_bootstrap || (has_api && !is_command && !is_option) {
            true => Self::Runtime(first),
            false => Self::Command,
        }
    }
}

/// A guest that has started this process, itself or through others.
#[derive(Debug, Clone)]
struct Guest {
    /// The name of the interpreter that it is written for, where its process was started by one. A program finds its
    /// interpreter by its file as well, `os.path.realpath(sys.executable)`, and starts it by any name.
    interpreter: Option<String>,
}

/// Returns the guest that has started this process. Its environment says that there is one, unless it was given a
/// different one: then one of the processes above it is this program, running guests.
///
/// A guest may have a Runtime API of its own making and start this program as its runtime: its address differs.
fn guest_above(api: Option<&OsStr>, registry: &Registry) -> Option<Guest> {
    let concerns = |its: Option<&OsStr>| api.is_none() || api == its.filter(|its| !its.is_empty());
    let marked = env::var_os(CHILD_MARK).is_some_and(|mark| concerns(Some(&mark)));
    host_above(concerns, registry).or(marked.then_some(Guest { interpreter: None }))
}

/// Returns the guest of the next process above this one that is this program running guests. What cannot be inspected
/// belongs to others.
fn host_above(concerns: impl Fn(Option<&OsStr>) -> bool, registry: &Registry) -> Option<Guest> {
    let file_of = |process: &str| {
        let file = fs::metadata(format!("/proc/{process}/exe")).ok()?;
        Some((file.dev(), file.ino()))
    };
    let own = file_of("self")?;
    let mut above = parent_id();
    // More than enough; a deeper tree has lost its end.
    for _ in 0..64 {
        if above == 0 {
            return None;
        }
        let process = above.to_string();
        if file_of(&process) == Some(own)
            && has_guests(&process)
            && concerns(variable_of(&process, RUNTIME_API).as_deref())
        {
            return Some(Guest { interpreter: interpreter_of(&process, registry) });
        }
        above = parent_of(&process)?;
    }
    None
}

/// Returns the name by which a process was started, where it is that of an interpreter.
fn interpreter_of(process: &str, registry: &Registry) -> Option<String> {
    let line = fs::read(format!("/proc/{process}/cmdline")).ok()?;
    let program = line.split(|byte| *byte == 0).next().unwrap_or_default();
    let name = Path::new(OsStr::from_bytes(program)).file_name()?.to_str()?;
    registry.by_interpreter(name).is_some().then(|| name.to_owned())
}

/// Whether a process of this program runs guests: the emulator starts runtimes but runs no guests.
fn has_guests(process: &str) -> bool {
    let line = fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
    line.split(|byte| *byte == 0).nth(1) != Some(b"emulator")
}

/// Returns a variable as a process was started with it.
fn variable_of(process: &str, name: &str) -> Option<OsString> {
    let environment = fs::read(format!("/proc/{process}/environ")).ok()?;
    environment.split(|byte| *byte == 0).find_map(|variable| {
        let value = variable.strip_prefix(name.as_bytes())?.strip_prefix(b"=")?;
        Some(OsStr::from_bytes(value).to_owned())
    })
}

fn parent_of(process: &str) -> Option<u32> {
    let status = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The second field, a name in parentheses, may contain spaces and parentheses.
    let (_, fields) = status.rsplit_once(')')?;
    fields.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role(words: &[&str], has_api: bool, is_child: bool) -> String {
        let words: Vec<OsString> = words.iter().map(OsString::from).collect();
        let above = || is_child.then_some(Guest { interpreter: None });
        let role = Role::of(&words, &Registry::built_in(), has_api, above);
        format!("{role:?}").replace("Some", "").replace(['(', ')', '"'], "")
    }

    #[test]
    fn what_the_platform_starts_is_the_runtime() {
        for (words, found) in [
            (&["/var/runtime/bootstrap"][..], "RuntimeNone"),
            (&["/var/task/bootstrap", "app.handler"], "Runtimeapp.handler"),
            (&["bootstrap", "serve"], "Runtimeserve"),
            (&["/opt/trine", "app.handler"], "Runtimeapp.handler"),
            (&["/opt/trine"], "RuntimeNone"),
            (&["/opt/trine", "serve"], "Command"),
            (&["/opt/trine", "--version"], "Command"),
        ] {
            assert_eq!(role(words, true, false), found, "{words:?}");
        }
        assert_eq!(role(&["bootstrap"], false, false), "RuntimeNone");
        assert_eq!(role(&["trine", "app.handler"], false, false), "Command");
    }

    #[test]
    fn what_a_guest_starts_is_an_interpreter_or_a_command() {
        for has_api in [true, false] {
            for words in [
                &["/var/task/bootstrap"][..],
                &["/var/task/bootstrap", "serve"],
                &["/var/task/bootstrap", "-e", "1"],
                &["/usr/bin/trine"],
                &["/usr/bin/trine", "tool.js"],
                &["/usr/bin/trine", "--version"],
            ] {
                assert_eq!(role(words, has_api, true), "InterpreterNone", "{words:?}");
            }
            assert_eq!(role(&["/usr/bin/trine", "invoke", "a.js"], has_api, true), "Command");
        }
    }

    #[test]
    fn under_a_languages_name_it_is_that_interpreter() {
        for engine in Registry::built_in().iter() {
            for name in engine.info().interpreters {
                for name in [(*name).to_owned(), format!("{name}3"), format!("{name}22.1")] {
                    let found = format!("Interpreter{name}");
                    assert_eq!(role(&[&format!("/tmp/{name}"), "serve"], true, false), found);
                }
            }
        }
    }

    #[test]
    fn a_child_of_an_interpreter_is_the_same_one() {
        for engine in Registry::built_in().iter() {
            for name in engine.info().interpreters {
                let words = ["/usr/bin/trine".into(), "-c".into(), "1".into()];
                let above = || Some(Guest { interpreter: Some((*name).to_owned()) });
                let expected = Role::Interpreter(Some((*name).into()));
                assert_eq!(Role::of(&words, &Registry::built_in(), false, above), expected);
            }
        }
    }

    #[test]
    fn the_tree_of_processes_can_be_walked() {
        let parent = parent_of("self").expect("a test has a parent");
        assert_eq!(parent, parent_id());
        assert!(variable_of("self", "PATH").is_some());
        assert!(variable_of("self", "PAT").is_none());
    }
}
