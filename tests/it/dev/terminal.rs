//! The keys, at a terminal.

use super::{LUA, saying, three};
use crate::support::{Process, binary, command, eventually};
use std::io::Write;

/// Starts `trine dev` at a terminal of its own, with what is typed there.
fn at_a_terminal(
    folder: &crate::support::Folder,
    variables: &[(&str, &str)],
) -> (Process, impl Write) {
    let mut script = command("script", folder);
    script.args(["--quiet", "--flush", "--return", "--command"]);
    // The shell between must not end by itself when Ctrl-C comes.
    script.arg(format!("exec {} dev --port 0", binary())).arg("/dev/null");
    script.env("TERM", "xterm").env("SHELL", "/bin/sh").envs(variables.iter().copied());
    Process::typed_to(script)
}

#[track_caller]
fn shows(process: &Process, text: &str) {
    eventually(&format!("{text:?} is shown\n{process:?}"), || {
        process.stdout().contains(text).then_some(())
    });
}

#[test]
fn keys_reload_clear_and_quit() {
    let folder = three("one");
    let (process, mut keys) = at_a_terminal(&folder, &[]);
    shows(&process, "Ctrl-C stops.");
    keys.write_all(b"r").unwrap();
    shows(&process, "as asked");
    assert!(process.stdout().contains("\x1b[2mreloaded in "), "{process:?}");
    keys.write_all(b"h").unwrap();
    shows(&process, "q quits");
    keys.write_all(b"c").unwrap();
    shows(&process, "\x1b[2J");
    folder.write("lua.lua", saying(LUA, "two"));
    shows(&process, "lua.lua changed");
    keys.write_all(b"q").unwrap();
    assert_eq!(process.wait(), Some(0), "{process:?}");
}

#[test]
fn who_wants_no_colours_gets_none() {
    let folder = three("one");
    let (process, mut keys) = at_a_terminal(&folder, &[("NO_COLOR", "1")]);
    shows(&process, "Ctrl-C stops.");
    keys.write_all(b"r").unwrap();
    shows(&process, "as asked");
    assert!(!process.stdout().contains('\x1b'), "{process:?}");
    // Ctrl-C, as a terminal gives it.
    keys.write_all(b"\x03").unwrap();
    assert_eq!(process.wait(), Some(0), "{process:?}");
}
