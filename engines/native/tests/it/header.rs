//! The header: it is C99 and C++11, and its guard makes errors of exceptions.

use crate::support::{Guest, has, include, succeed};
use std::{fs, process::Command};

#[test]
fn the_header_compiles_without_warnings_in_both_languages() {
    let folder = tempfile::tempdir().unwrap();
    for (compiler, standard, file) in [("cc", "-std=c99", "a.c"), ("c++", "-std=c++11", "a.cpp")] {
        if !has(compiler, "--version") {
            continue;
        }
        let source = folder.path().join(file);
        fs::write(&source, "#include \"trine_handler.h\"\nTRINE_HANDLER(other);\nint x;\n")
            .unwrap();
        let mut command = Command::new(compiler);
        command.args([
            standard,
            "-Wall",
            "-Wextra",
            "-pedantic",
            "-Werror",
            "-c",
            "-o",
            "/dev/null",
        ]);
        succeed(command.arg("-I").arg(include()).arg(source));
    }
}

#[test]
fn an_exception_becomes_an_error() {
    if !has("c++", "--version") {
        return;
    }
    let guest = Guest::empty();
    let source = guest.folder.join("app.cpp");
    fs::write(
        &source,
        "#include \"trine_handler.h\"\n#include <stdexcept>\n\
         int32_t trine_handle(const uint8_t *event, size_t, const uint8_t *, size_t, uint8_t **out, size_t *out_len)\n\
         { TRINE_GUARD(out, out_len, {\n\
             if (event[0] == '1') throw std::runtime_error(\"no anvil\");\n\
             if (event[0] == '2') throw 7;\n\
             return trine_give(\"[1, 2]\", 6, out, out_len, TRINE_OK); }) }\n\
         void trine_free(uint8_t *out, size_t) { std::free(out); }\n",
    )
    .unwrap();
    let mut command = Command::new("c++");
    command.args(["-std=c++11", "-Wall", "-Wextra", "-pedantic", "-Werror", "-shared", "-fPIC"]);
    command.arg("-I").arg(include()).arg("-o").arg(guest.folder.join("app.so")).arg(source);
    succeed(&mut command);
    assert_eq!(guest.handle("1").unwrap_err().message(), "no anvil");
    assert_eq!(guest.handle("2").unwrap_err().message(), "an exception that is no std::exception");
    assert_eq!(guest.handle("3").unwrap(), "[1, 2]");
}
