//! Tests of the reader of modules.

use super::{limits::PAGE, *};
use proptest::prelude::*;

fn module(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap()
}

const REACTOR: &str = r#"(module
    (import "wasi_snapshot_preview1" "proc_exit" (func (param i32)))
    (import "env" "counter" (global i32))
    (table 3 funcref)
    (memory (export "memory") 2)
    (func (export "alloc") (param i32) (result i32) i32.const 0)
    (func $handle (export "handle") (param i32 i32) (result i64) i64.const 0))"#;

#[test]
fn imports_and_exports_are_read_with_their_types() {
    let binary = Binary::read(&module(REACTOR)).unwrap();
    assert_eq!(binary.imports.len(), 2);
    assert_eq!(binary.imports[0].name, "proc_exit");
    assert_eq!(binary.imports[0].kind, Kind::Function(Some(Rc::new(Signature::of("i")))));
    assert_eq!(binary.imports[1].kind.name(), "a global");
    assert!(binary.has("alloc", &Signature::of("i:i")));
    assert!(!binary.has("alloc", &Signature::of("ii:I")));
    assert!(binary.has_memory("memory"));
    assert_eq!(binary.functions_of(&Signature::of("ii:I")), ["handle"]);
    assert_eq!(binary.memories[0].least, 2 * PAGE);
    assert_eq!(Signature::of("ii:I").to_string(), "(i32, i32) -> i64");
}

#[test]
fn types_that_are_no_functions_are_passed_over() {
    let bytes = module(
        r#"(module (rec (type (struct (field i32))) (type (array (mut i8))))
            (type $f (func (param i64) (result i64)))
            (func (export "f") (type $f) local.get 0))"#,
    );
    assert!(Binary::read(&bytes).unwrap().has("f", &Signature::of("I:I")));
}

#[test]
fn a_bound_module_has_the_limit_and_its_code_as_before() {
    let bytes = module(REACTOR);
    let bound = Binary::read(&bytes).unwrap().bound(&bytes, Some(10 * PAGE));
    assert_eq!(bound.moved, bound.bytes.len() as i64 - bytes.len() as i64);
    let code = &bytes[bytes.len() - 12..];
    assert!(bound.bytes.ends_with(code));
    let text = module(
        &REACTOR.replace("\"memory\") 2", "\"memory\") 2 10").replace("table 3", "table 3 2560"),
    );
    assert_eq!(bound.bytes, text);
    let again = Binary::read(&text).unwrap().bound(&text, Some(100 * PAGE));
    assert_eq!((again.bytes, again.moved), (text, 0), "lower limits of its own stay");
    let free = Binary::read(&bytes).unwrap().bound(&bytes, None);
    assert_eq!(free.bytes, module(&REACTOR.replace("table 3", "table 3 1048576")));
    let large = module(&REACTOR.replace("table 3", "table 5000000"));
    let kept = Binary::read(&large).unwrap().bound(&large, None);
    assert_eq!(kept.bytes, module(&REACTOR.replace("table 3", "table 5000000 5000000")));
}

#[test]
fn what_is_no_module_is_called_by_its_name() {
    let told = |bytes: &[u8]| Binary::read(bytes).unwrap_err().to_string();
    assert!(told(b"").starts_with("an empty file"));
    assert!(told(b"\0as").contains("cut off"));
    assert!(told(b"\0asm\x01\0").contains("the header is cut off at offset 0x6"));
    assert!(told(b"\0asm\x0d\0\x01\0").starts_with("a WebAssembly component"));
    assert!(told(b"\0asm\x02\0\0\0").contains("version 2"));
    assert!(told(b"  (module)").contains("wat2wasm"));
    assert!(told(b";; text\n(module)").contains("wat2wasm"));
    assert!(told(b"<!DOCTYPE html>\n<p>").ends_with("it begins with \"<!DOCTYPE html>\""));
    assert!(
        told(b"\x7fELF\x02").ends_with("begins with the bytes 7f 45 4c 46, not with 00 61 73 6d")
    );
    assert!(told(b"version https://git-lfs.github.com/spec/v1").contains("Git LFS"));
    let bytes = module(REACTOR);
    assert!(told(&bytes[..bytes.len() - 3]).contains("a section is cut off at offset"));
}

#[test]
fn announced_items_that_are_not_there_take_no_memory() {
    let huge = b"\0asm\x01\0\0\0\x02\x05\xff\xff\xff\xff\x0f";
    assert!(Binary::read(huge).unwrap_err().to_string().contains("more items are announced"));
    let long = b"\0asm\x01\0\0\0\x02\xff\xff\xff\xff\xff\xff";
    assert!(Binary::read(long).unwrap_err().to_string().contains("too long"));
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        drop(Binary::read(&bytes));
        bytes.splice(..0, *b"\0asm\x01\0\0\0");
        if let Ok(binary) = Binary::read(&bytes) {
            binary.bound(&bytes, Some(PAGE));
        }
    }

    #[test]
    fn a_module_with_wrong_bytes_makes_no_panic(at in 8..200_usize, byte: u8, cut in 0..200_usize) {
        let mut bytes = module(REACTOR);
        let at = at % bytes.len();
        bytes[at] = byte;
        bytes.truncate(bytes.len() - cut % bytes.len());
        if let Ok(binary) = Binary::read(&bytes) {
            binary.bound(&bytes, Some(3 * PAGE));
        }
    }
}
