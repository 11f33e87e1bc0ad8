//! Handlers in Rust, by the crate that is made for them.

use crate::support::{Guest, has, run, succeed};
use std::{fs, path::Path, process::Command};

const SOURCE: &str = r#"
use trine_handler::{Context, Error};

fn echo(event: &[u8], context: &Context<'_>) -> Result<Vec<u8>, Error> {
    match event {
        b"1" => panic!("no {}", "anvil"),
        b"2" => Err(Error::new("OutOfStock", context.request_id())),
        b"3" => Ok("x".parse::<u8>().map(|n| vec![n])?),
        _ => Ok(event.to_vec()),
    }
}

fn other(_: &[u8], _: &Context<'_>) -> Result<&'static str, Error> {
    Ok(if unsafe { READY } { "\"ready\"" } else { "\"not ready\"" })
}

static mut READY: bool = false;

fn prepare(_: &[u8]) -> Result<(), Error> {
    unsafe { READY = true };
    Ok(())
}

trine_handler::handler!(handler = echo, other = other; init = prepare, threads = 4, cleanup = || (), warn = |_id| ());
"#;

#[test]
fn a_handler_in_rust_answers_fails_and_panics() {
    if !has("rustc", "--version") {
        return;
    }
    let guest = Guest::empty();
    let crate_root = Path::new(env!("CARGO_MANIFEST_DIR")).join("handler/src/lib.rs");
    let library = guest.folder.join("libtrine_handler.rlib");
    let source = guest.folder.join("app.rs");
    fs::write(&source, SOURCE).unwrap();
    let rustc = || {
        let mut command = Command::new("rustc");
        command.args(["--edition", "2024", "-O", "-C", "debuginfo=0"]);
        command
    };
    let mut command = rustc();
    command.args(["--crate-name", "trine_handler", "--crate-type", "rlib", "-o"]);
    succeed(command.arg(&library).arg(crate_root));
    let mut command = rustc();
    command.args(["--crate-type", "cdylib", "--extern"]);
    command.arg(format!("trine_handler={}", library.display()));
    succeed(command.arg("-o").arg(guest.folder.join("app.so")).arg(&source));
    let panicked = guest.handle("1").unwrap_err();
    assert_eq!((panicked.name(), panicked.message()), ("Panic", "no anvil"));
    assert!(panicked.stack()[0].contains("app.rs:6:"), "{:?}", panicked.stack());
    let failed = guest.handle("2").unwrap_err();
    assert_eq!((failed.name(), failed.message()), ("OutOfStock", "id-1"));
    assert_eq!(guest.handle("3").unwrap_err().name(), "ParseIntError");
    assert_eq!(guest.handle("[4]").unwrap(), "[4]");
    assert_eq!(run(guest.answer("other", "1")).unwrap(), "\"ready\"");
}
