//! What a plug-in says of its failures, and what it says wrongly.

use crate::support::Guest;
use trine_engine::ErrorKind;

#[test]
fn an_error_has_its_type_its_message_and_the_line_of_the_users_file() {
    let guest = Guest::new("# a comment\nget: fail Oops no such thing\n");
    let error = guest.fault("get");
    assert_eq!((error.name(), error.message()), ("Oops", "no such thing"));
    assert_eq!((error.kind(), error.poisons()), (ErrorKind::Guest, false));
    let frame = &error.frames()[0];
    assert_eq!((frame.function.as_str(), frame.line, frame.column), ("get", 2, 1));
    assert_eq!(frame.file, guest.folder.join("app.shout").to_str().unwrap());
    assert_eq!(error.stack(), [format!("    at {frame}")]);
    assert_eq!(guest.fault("get").message(), "no such thing", "the instance lives on");
}

#[test]
fn kinds_are_told_apart() {
    let guest = Guest::new(
        "u: fail-as unmarshal U no event\nm: fail-as out-of-memory M no memory\nn: fail-as new N no\n",
    );
    let of = |name| {
        let error = guest.fault(name);
        (error.kind(), error.poisons())
    };
    assert_eq!(of("u"), (ErrorKind::Unmarshal, false));
    assert_eq!(of("m"), (ErrorKind::OutOfMemory, true));
    assert_eq!(of("n"), (ErrorKind::Guest, false));
}

#[test]
fn an_error_that_is_none_names_the_plug_in_and_what_it_said() {
    let guest =
        Guest::new("empty: break\ncut: break {\"message\": \"a\nnone: break {\"type\": 1}\n");
    for (name, told) in [
        ("empty", "it is empty: \"\""),
        ("cut", "EOF while parsing a string at line 1 column 14: \"{\\\"message\\\": \\\"a\""),
        ("none", "it has no text \"message\": \"{\\\"type\\\": 1}\""),
    ] {
        let error = guest.fault(name);
        assert!(error.poisons() && error.kind() == ErrorKind::Internal);
        let message = error.message();
        assert!(message.starts_with("the plug-in /"), "{message}");
        let end = format!("shout.so: `call` has failed without a proper error: {told}");
        assert!(message.ends_with(&end), "{message}");
    }
}

#[test]
fn bytes_that_are_no_text_are_replaced_in_messages() {
    assert_eq!(Guest::new("get: bytes\n").fault("get").message(), "a\u{fffd}\u{fffd}");
}
