//! The header compiles without a warning, as what it says it is.

use crate::support::place;
use std::process::Command;

fn check(compiler: &str, arguments: &[&str]) {
    let mut command = Command::new(compiler);
    command.args(["-Wall", "-Wextra", "-pedantic", "-Werror", "-fsyntax-only"]).args(arguments);
    let output = command.output().expect("a compiler");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_header_is_c99() {
    let header = place("include/trine_engine.h");
    check("cc", &["-std=c99", "-x", "c", header.to_str().unwrap()]);
}

#[test]
fn the_header_is_cpp11() {
    let header = place("include/trine_engine.h");
    check("c++", &["-std=c++11", "-x", "c++", header.to_str().unwrap()]);
}

#[test]
fn the_example_compiles_without_a_warning() {
    let include = format!("-I{}", place("include").display());
    let example = place("../../handlers-examples/plugin/upper.c");
    check("cc", &["-std=c99", &include, example.to_str().unwrap()]);
}

/// The structures of the Rust side have the sizes that a C compiler gives them.
#[test]
fn structures_are_as_large_as_in_c() {
    let checks = "#include \"trine_engine.h\"
        #define SAME(type, words) typedef char type##_size[sizeof(type) == (words) * 8 ? 1 : -1];
        SAME(trine_bytes, 2) SAME(trine_buffer, 2) SAME(trine_event, 5) SAME(trine_answer, 5)
        SAME(trine_usage, 2) SAME(trine_host, 7) SAME(trine_engine, 9)\n";
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("sizes.c");
    std::fs::write(&source, checks).unwrap();
    let include = format!("-I{}", place("include").display());
    check("cc", &["-std=c99", &include, source.to_str().unwrap()]);
}
