//! Answers that cannot be: they are told, and the process goes on.

use crate::support::Guest;
use trine_engine::ErrorKind;

#[test]
fn a_buffer_that_cannot_be_is_told_and_left_alone() {
    let guest = Guest::new("null: null\nhuge: huge\nget: say A\n");
    for (name, told) in
        [("null", "has given 5 bytes at 0x0, "), ("huge", "has given 18446744073709551615 bytes")]
    {
        let error = guest.fault(name);
        assert!(error.message().contains(told), "{error}");
        assert!(error.message().contains("shout.so: `call`") && error.poisons(), "{error}");
    }
    assert_eq!(guest.answer("get", "1").unwrap(), "\"A 1\"");
}

#[test]
fn a_kind_of_value_that_there_is_not_is_told() {
    let error = Guest::new("get: kind\n").fault("get");
    assert_eq!(error.kind(), ErrorKind::Marshal);
    assert!(error.message().contains("a value of kind 77, and there are those from 0 to 3"));
}

#[test]
fn a_media_type_that_cannot_be_is_told() {
    let guest = Guest::new("null: bad-type\nword: raw nonsense bits\nhead: raw a/b\u{e9} bits\n");
    assert!(guest.fault("null").message().contains("has 9 bytes at 0x0"));
    assert!(guest.fault("word").message().ends_with("\"nonsense\" is no media type of an answer"));
    assert_eq!(guest.fault("head").kind(), ErrorKind::Marshal);
}
