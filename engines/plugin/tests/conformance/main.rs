//! The conformance suite's cases for the language of the tests: what it declares it can do, it can.

use std::{fs, path::Path, process::Command, sync::Arc};
use trine_testkit::conformance;

fn main() {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::tempdir().expect("a temporary folder");
    let library = folder.path().join("shout.so");
    let mut command = Command::new("cc");
    command.args(["-shared", "-fPIC", "-O1", "-w", "-std=c11", "-I"]).arg(own.join("include"));
    let status = command.arg("-o").arg(&library).arg(own.join("tests/engines/shout.c")).status();
    assert!(status.is_ok_and(|status| status.success()), "the plug-in does not compile");
    let engine = trine_plugin::load(&library).expect("the plug-in is one");
    // It is in the process, and the file is not needed any more.
    let _ = fs::remove_dir_all(folder.path());
    let trials =
        conformance::trials(&own.join("tests/conformance/cases"), vec![Arc::clone(&engine)]);
    libtest_mimic::run(&libtest_mimic::Arguments::from_args(), trials).exit();
}
