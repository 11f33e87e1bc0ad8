//! The conversion of a plug-in's errors to ours.

use crate::{
    convert::{fault, shortened},
    library::Library,
};
use serde_json::{Map, Value};
use trine_engine::{Error, ErrorKind, Frame};

/// Maximum number of frames that are kept.
const MOST_FRAMES: usize = 1000;

/// Converts the error that `function` of a plug-in has given.
pub(crate) fn failed(library: &Library, bytes: &[u8], function: &str, interrupted: bool) -> Error {
    let error = read(bytes).unwrap_or_else(|why| {
        let text = shortened(bytes);
        fault(library, &format!("`{function}` has failed without a proper error: {why}: {text}"))
    });
    if !interrupted {
        return error;
    }
    // Whatever came of it: it was stopped.
    let (frames, stack) = (error.frames().to_vec(), error.stack().to_vec());
    Error::stopped().with_frames(frames).with_stack(stack)
}

/// Reads an error; else the reason why it is none.
fn read(bytes: &[u8]) -> Result<Error, String> {
    let text = String::from_utf8_lossy(bytes);
    if text.is_empty() {
        return Err("it is empty".to_owned());
    }
    let value: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    let Value::Object(members) = value else { return Err("it is no object".to_owned()) };
    let member = |name: &str| members.get(name).and_then(Value::as_str);
    let message = member("message").ok_or("it has no text \"message\"")?;
    let (kind, is_fatal) = kind(member("kind"));
    let mut error = Error::new(kind, message);
    if let Some(name) = member("type").filter(|name| !name.is_empty()) {
        error = error.with_name(name);
    }
    let frames = frames(&members);
    let stack: Vec<String> = frames.iter().map(|frame| format!("    at {frame}")).collect();
    error = error.with_frames(frames).with_stack(stack);
    let says_so = members.get("fatal").and_then(Value::as_bool).unwrap_or(false);
    Ok(if is_fatal || says_so { error.poisoning() } else { error })
}

/// Returns a kind by its name, and whether it leaves an instance that must not be called again.
fn kind(name: Option<&str>) -> (ErrorKind, bool) {
    match name.unwrap_or("guest") {
        "import" => (ErrorKind::ImportModule, false),
        "syntax" => (ErrorKind::UserCodeSyntax, false),
        "handler-not-found" => (ErrorKind::HandlerNotFound, false),
        "unmarshal" => (ErrorKind::Unmarshal, false),
        "marshal" => (ErrorKind::Marshal, false),
        "unsupported" => (ErrorKind::Unsupported, false),
        "exit" => (ErrorKind::Exit, true),
        "timeout" => (ErrorKind::Timeout, true),
        "out-of-memory" => (ErrorKind::OutOfMemory, true),
        "internal" => (ErrorKind::Internal, true),
        _ => (ErrorKind::Guest, false),
    }
}

fn frames(members: &Map<String, Value>) -> Vec<Frame> {
    let listed = members.get("frames").and_then(Value::as_array).into_iter().flatten();
    let text = |frame: &Value, name: &str| frame[name].as_str().unwrap_or_default().to_owned();
    let number = |frame: &Value, name: &str| {
        frame[name].as_u64().and_then(|number| u32::try_from(number).ok()).unwrap_or_default()
    };
    let frames = listed.take(MOST_FRAMES).map(|frame| Frame {
        function: text(frame, "function"),
        file: text(frame, "file"),
        line: number(frame, "line"),
        column: number(frame, "column"),
    });
    frames.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_has_type_message_kind_and_frames() {
        let error = read(
            br#"{"type": "Oops", "message": "no \u00e9", "kind": "guest", "fatal": true,
                "frames": [{"function": "f", "file": "a.up", "line": 3, "column": 7}, {"file": "b.up", "line": -1}, 5]}"#,
        )
        .unwrap();
        assert_eq!(
            (error.name(), error.message(), error.kind()),
            ("Oops", "no é", ErrorKind::Guest)
        );
        assert!(error.poisons());
        assert_eq!(error.to_string(), "Oops: no é (a.up:3:7 in f)");
        assert_eq!((error.frames().len(), error.frames()[1].line), (3, 0));
        assert_eq!(error.stack()[..2], ["    at a.up:3:7 in f", "    at b.up"]);
    }

    #[test]
    fn kinds_have_names_of_their_own_and_some_end_the_instance() {
        let of = |kind: &str| {
            read(format!(r#"{{"message": "m", "kind": "{kind}"}}"#).as_bytes()).unwrap()
        };
        let error = of("syntax");
        assert_eq!((error.name(), error.poisons()), ("Runtime.UserCodeSyntaxError", false));
        let error = of("out-of-memory");
        assert_eq!((error.name(), error.poisons()), ("Function.OutOfMemory", true));
        assert_eq!(of("of-a-later-version").kind(), ErrorKind::Guest);
    }

    #[test]
    fn what_is_no_error_is_told() {
        assert_eq!(read(b"").unwrap_err(), "it is empty");
        assert_eq!(read(b"[]").unwrap_err(), "it is no object");
        assert_eq!(read(b"{}").unwrap_err(), "it has no text \"message\"");
        assert!(read(b"{\"message\"").unwrap_err().starts_with("EOF"));
        assert_eq!(read(b"{\"message\": \"a\xff\"}").unwrap().message(), "a\u{fffd}");
    }
}
