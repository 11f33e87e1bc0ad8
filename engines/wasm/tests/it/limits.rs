//! Limits of memory.

use crate::support::{Guest, command, reactor, run};
use trine_engine::{Access, ErrorKind, Permissions};

#[test]
fn memory_does_not_grow_beyond_the_limit() {
    run(async {
        // Answers with the number of megabytes by which it could grow, as a character.
        let handle = "(loop $again
                (if (i32.ne (memory.grow (i32.const 16)) (i32.const -1)) (then
                    (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
                    (br_if $again (i32.lt_u (global.get $calls) (i32.const 50))))))
            (i32.store8 (local.get $pointer) (i32.add (i32.const 48) (global.get $calls)))
            (local.set $length (i32.const 1))";
        let text = reactor(handle, "");
        assert_eq!(Guest::limited(&text, 8).handle("0").await.unwrap(), "7");
        assert_eq!(Guest::new(&text).handle("0").await.unwrap(), "b", "50 without a limit");
    });
}

#[test]
fn a_memory_that_is_too_large_from_the_start_is_an_error() {
    run(async {
        let text = reactor("", "").replace("\"memory\") 2", "\"memory\") 200");
        let guest = Guest::limited(&text, 8);
        let error = guest.load("handle").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::OutOfMemory);
        assert_eq!(error.message(), "the function needed more memory than its limit of 8 MB");
    });
}

#[test]
fn objects_that_v8_collects_count_as_memory() {
    run(async {
        let others = "(type $list (struct (field (ref null $list)) (field i64 i64 i64 i64)))
            (global $head (mut (ref null $list)) (ref.null $list))";
        let handle = "(loop $again
            (global.set $head (struct.new $list (global.get $head)
                (i64.const 1) (i64.const 1) (i64.const 1) (i64.const 1)))
            (br $again))";
        let text = reactor(handle, "").replacen("(module", &format!("(module {others}"), 1);
        let guest = Guest::limited(&text, 40);
        let error = guest.handle("{}").await.unwrap_err();
        assert_eq!((error.kind(), error.poisons()), (ErrorKind::OutOfMemory, true), "{error}");
        let again = guest.handle("{}").await.unwrap_err();
        assert_eq!(again.kind(), ErrorKind::OutOfMemory, "its heap is no longer used");
    });
}

#[test]
fn tables_do_not_grow_beyond_the_limit() {
    run(async {
        let text = reactor(
            "(i32.store8 (local.get $pointer) (i32.add (i32.const 49) (table.grow (ref.null func) (i32.const 1000000))))
             (local.set $length (i32.const 1))",
            "(table 0 funcref)",
        );
        assert_eq!(Guest::limited(&text, 64).handle("0").await.unwrap(), "0");
        assert_eq!(Guest::limited(&text, 2000).handle("0").await.unwrap(), "1");
        assert_eq!(Guest::new(&text).handle("0").await.unwrap(), "1", "without a limit");
        let more = text.replace("1000000", "2000000");
        assert_eq!(Guest::new(&more).handle("0").await.unwrap(), "0", "nobody needs as many");
    });
}

#[test]
fn a_table_that_grows_entry_by_entry_ends_at_its_limit_and_not_at_that_of_the_heap() {
    run(async {
        for reference in ["(ref.null func)", "(ref.func $handle)"] {
            let text = reactor(
                &format!(
                    "(loop $again (br_if $again (i32.ne (table.grow {reference} (i32.const 1)) (i32.const -1))))"
                ),
                "(table 0 funcref)",
            );
            assert_eq!(Guest::limited(&text, 64).handle("0").await.unwrap(), "0", "{reference}");
        }
    });
}

#[test]
fn variables_that_are_not_permitted_are_not_there() {
    run(async {
        let body = "(drop (call $sizes (i32.const 16) (i32.const 20)))
            (drop (call $environ (i32.const 8192) (i32.const 65536)))
            (call $print (i32.const 1) (i32.const 65536) (i32.load (i32.const 20)))";
        let mut permissions = Permissions::default();
        permissions.allow(Access::Env, "HOME".parse().unwrap()).unwrap();
        let guest = Guest::within(&command(body), |environment| {
            environment.permissions = permissions.into();
            environment.variables = [("STAGE".to_owned(), "test".to_owned())].into();
        });
        let text = guest.handle("{}").await.unwrap();
        assert!(!text.contains("PATH="), "{text:?}");
        assert!(text.contains("STAGE=test"), "its own: {text:?}");
    });
}
