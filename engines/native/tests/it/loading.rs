//! Libraries that can be loaded and those that cannot, with the words for the latter; and the look at them before.

use crate::support::{FREE, Guest, handler, run};
use std::fs;
use trine_engine::{Engine, ErrorKind, Presence, Wanted};
use trine_native::NativeEngine;

const FINE: &str = "return give(\"1\", out, out_len, 0);";

/// Returns the message of a file `app.so` with this content, which loading and the look before agree about.
fn message_of(content: &[u8]) -> String {
    let guest = Guest::empty();
    fs::write(guest.folder.join("app.so"), content).unwrap();
    let error = guest.fault();
    assert_eq!(error.kind(), ErrorKind::ImportModule, "{error}");
    let looked = NativeEngine::new().check(&guest.handler("app.so", "handler"));
    assert_eq!(looked.unwrap_err().message(), error.message());
    error.message().to_owned()
}

fn library() -> Vec<u8> {
    let guest = Guest::handling(FINE);
    assert_eq!(guest.handle("1").unwrap(), "1");
    fs::read(guest.folder.join("app.so")).unwrap()
}

#[test]
fn what_is_no_library_is_told_by_its_content() {
    for (content, part) in [
        (b"INPUT(-lm)\n".as_slice(), "is no ELF file, as shared libraries are: it is a text"),
        (b"", "it is empty"),
        (b"\xcf\xfa\xed\xfe\x07\0\0\x01", "it is for macOS"),
        (b"\x7fELF\x02\x01\x01", "is a damaged ELF file: its header is not whole"),
    ] {
        let message = message_of(content);
        assert!(message.starts_with("Unable to import module 'app': /"), "{message}");
        assert!(message.contains(part), "{message}");
    }
    let guest = Guest::empty();
    assert!(guest.fault().message().contains("cannot be read: No such file"), "{}", guest.fault());
    fs::create_dir(guest.folder.join("app.so")).unwrap();
    assert!(guest.fault().message().contains("is no regular file"), "{}", guest.fault());
}

#[test]
fn a_library_that_was_cut_is_told_and_not_mapped() {
    let whole = library();
    for length in [100, whole.len() / 4, whole.len() / 2] {
        let message = message_of(&whole[..length]);
        assert!(message.contains("is a damaged ELF file"), "{length}: {message}");
    }
}

#[test]
fn another_machine_is_named_beside_this_one() {
    let mut other = library();
    other[18..20].copy_from_slice(&243_u16.to_le_bytes());
    let own = format!("{} ({} bits)", std::env::consts::ARCH, usize::BITS);
    let message = message_of(&other);
    assert!(
        message.ends_with(&format!(
            "is for riscv64 (64 bits), and this process for {own}: compile it for the machine that it runs on"
        )),
        "{message}"
    );
    // A library of 32 bits: header alone, of version 1, for ARM.
    let mut small = vec![0; 52];
    small[..7].copy_from_slice(b"\x7fELF\x01\x01\x01");
    small[16..20].copy_from_slice(&[3, 0, 40, 0]);
    small[20] = 1;
    small[40] = 52;
    let message = message_of(&small);
    assert!(message.contains("is for arm (32 bits), and this process for"), "{message}");
}

#[test]
fn a_program_and_an_object_file_are_told_apart_from_libraries() {
    let mut program = library();
    program[16] = 2;
    assert!(message_of(&program).contains("is a program and no shared library"));
    program[16] = 1;
    assert!(message_of(&program).contains("is an object file and no shared library"));
}

#[test]
fn a_missing_function_is_told_with_what_there_is() {
    let guest =
        Guest::new(&format!("TRINE_HANDLER(get_item) {{ UNUSED; return 0; }}\n{}", handler(FINE)));
    let error = run(guest.load("app.so", "get_itm")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::HandlerNotFound);
    assert!(error.message().starts_with("Handler 'get_itm' missing on module 'app': /"));
    assert!(
        error.message().ends_with(
            "exports no 'trine_handle_get_itm'; it has: handler, get_item; did you mean 'get_item'?"
        ),
        "{error}"
    );
    let near = Guest::new(&format!(
        "TRINE_EXPORT int32_t trine_handel(PARAMETERS);\n\
         int32_t trine_handel(PARAMETERS) {{ UNUSED; return 0; }}\n{FREE}"
    ));
    let error = near.fault();
    assert!(
        error.message().ends_with("exports no 'trine_handle'; did you mean 'trine_handel'?"),
        "{error}"
    );
}

#[test]
fn a_library_that_cannot_take_back_its_answers_is_not_called() {
    let error = Guest::new(&handler(FINE).replace(FREE, "")).fault();
    assert!(error.message().contains("exports no 'trine_free'"), "{error}");
}

#[test]
fn what_the_systems_loader_says_comes_with_advice() {
    let guest =
        Guest::new(&format!("extern int not_there(void);\n{}", handler("return not_there();")));
    let error = guest.fault();
    assert_eq!(error.kind(), ErrorKind::ImportModule);
    assert!(error.message().contains("undefined symbol: not_there"), "{error}");
    assert!(
        error.message().ends_with("; link it with the library that has this symbol, as in -lm")
    );
}

#[test]
fn what_could_not_be_loaded_can_be_mended() {
    let guest = Guest::new("extern int not_there(void);");
    assert_eq!(guest.fault().kind(), ErrorKind::HandlerNotFound);
    guest.compile("app.so", &handler(FINE));
    assert_eq!(guest.handle("1").unwrap(), "1");
}

#[test]
fn a_library_that_has_changed_is_told_and_the_loaded_one_goes_on() {
    let guest = Guest::handling(FINE);
    assert_eq!(guest.handle("1").unwrap(), "1");
    let path = guest.folder.join("app.so");
    fs::remove_file(&path).unwrap();
    guest.compile("app.so", &handler("return give(\"22\", out, out_len, 0);"));
    assert_eq!(guest.handle("1").unwrap(), "1");
    assert!(
        guest.log.text().contains("app.so has changed since it was loaded"),
        "{}",
        guest.log.text()
    );
}

#[test]
fn a_file_that_takes_the_place_of_a_loaded_one_is_told_also_if_it_was_refused_elsewhere() {
    let guest = Guest::handling(FINE);
    guest.compile("bad.so", "TRINE_EXPORT int other(void);\nint other(void) { return 1; }");
    assert_eq!(run(guest.load("bad.so", "")).unwrap_err().kind(), ErrorKind::HandlerNotFound);
    assert_eq!(guest.handle("1").unwrap(), "1");
    // The same file as the one that was refused, with other contents.
    let fine = fs::read(guest.folder.join("app.so")).unwrap();
    fs::write(guest.folder.join("bad.so"), [fine, vec![0; 100]].concat()).unwrap();
    fs::rename(guest.folder.join("bad.so"), guest.folder.join("app.so")).unwrap();
    assert_eq!(guest.handle("1").unwrap(), "1");
    let told = guest.log.text();
    assert!(told.contains("app.so has changed since it was loaded"), "{told}");
}

#[test]
fn libraries_without_a_handler_are_no_functions() {
    let guest = Guest::empty();
    guest.compile(
        "mod.so",
        "TRINE_EXPORT void *PyInit_mod(void);\nvoid *PyInit_mod(void) { return 0; }",
    );
    guest.compile("app.so", &handler(FINE));
    guest.compile("other.so", &format!("TRINE_HANDLER(get) {{ UNUSED; return 0; }}\n{FREE}"));
    let look = |library: &str, name: &str| {
        NativeEngine::new().check(&guest.handler(library, name)).unwrap()
    };
    assert_eq!(look("mod.so", ""), Presence::Absent { others: Vec::new() });
    assert_eq!(look("app.so", ""), Presence::Possible);
    assert_eq!(look("app.so", "handle"), Presence::Possible);
    assert_eq!(look("other.so", ""), Presence::Absent { others: vec!["get".into()] });
    assert_eq!(look("other.so", "get"), Presence::Possible);
    let hook = "TRINE_EXPORT int32_t trine_hook_after(const uint8_t *event, size_t event_len,
        const uint8_t *context, size_t context_len, uint8_t **out, size_t *out_len) { UNUSED; return 0; }";
    guest.compile("hook.so", &format!("{hook}\n{FREE}"));
    let hooks = |library| {
        let module = guest.0.module(library, Wanted::Hooks);
        NativeEngine::new().check(&module).unwrap()
    };
    assert_eq!(hooks("mod.so"), Presence::Absent { others: Vec::new() });
    assert_eq!(hooks("hook.so"), Presence::Possible);
    let program = guest.0.module("app.so", Wanted::Program);
    assert_eq!(NativeEngine::new().check(&program).unwrap_err().kind(), ErrorKind::Unsupported);
}
