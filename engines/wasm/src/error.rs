//! The conversion of traps and exceptions to our errors: name, message, and the guest's frames as its file has them.

use crate::heap::out_of_memory;
use std::path::Path;
use trine_engine::{Error, Frame};
use trine_v8::v8;

/// The beginning of the addresses that V8 gives to modules.
const ADDRESS: &str = "wasm://wasm/";

/// Returns the error that a guest threw, by V8's value for it. `moved` is how much further from the start its code lies than
/// in its file.
pub(crate) fn thrown(
    scope: &mut v8::PinScope<'_, '_>,
    value: v8::Local<'_, v8::Value>,
    file: &Path,
    moved: i64,
    limit: Option<u64>,
) -> Error {
    let member = |name: &str| -> Option<String> {
        let object = v8::Local::<v8::Object>::try_from(value).ok()?;
        let key = v8::String::new(scope, name)?;
        let member = object.get(scope, key.into())?;
        member.is_string().then(|| member.to_rust_string_lossy(scope))
    };
    let stack = member("stack").unwrap_or_default();
    let (name, message) = match (member("name"), member("message")) {
        (Some(name), Some(message)) => (name, message),
        _ => (
            "Exception".to_owned(),
            "the guest threw an exception that it did not catch".to_owned(),
        ),
    };
    if name == "RangeError" && message.contains("Out of memory") {
        return out_of_memory(limit.unwrap_or(u64::MAX));
    }
    let (frames, mut lines) = frames(&stack, file, moved);
    lines.insert(0, format!("{name}: {message}"));
    Error::guest(name, message).with_frames(frames).with_stack(lines)
}

/// Returns the guest's frames in a stack of V8's, and the lines in which it is written for people.
fn frames(stack: &str, file: &Path, moved: i64) -> (Vec<Frame>, Vec<String>) {
    let short = file.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    let mut frames = Vec::new();
    let mut lines = Vec::new();
    for line in stack.lines() {
        let Some((before, place)) = line.split_once(ADDRESS) else { continue };
        let Some((_, place)) = place.split_once(":wasm-function") else { continue };
        let place = place.trim_end_matches(')');
        let (function, offset) = place.split_once(":0x").unwrap_or((place, ""));
        let named = before.trim().trim_start_matches("at").trim_end_matches('(').trim();
        let function = match named {
            "" => format!("wasm-function{function}"),
            named => named.to_owned(),
        };
        let offset = i64::from_str_radix(offset, 16).map_or(0, |offset| offset - moved);
        lines.push(format!("    at {function} ({short}:{offset:#x})"));
        let file = file.to_string_lossy().into_owned();
        frames.push(Frame { function, file, ..Frame::default() });
    }
    (frames, lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_those_of_the_guest_with_offsets_of_its_file() {
        let stack = "RuntimeError: unreachable\n    at shop.divide (wasm://wasm/shop-a1b2:wasm-function[3]:0x125)\n    \
                     at wasm://wasm/shop-a1b2:wasm-function[12]:0x200\n    at new Instance (<anonymous>)";
        let (frames, lines) = frames(stack, Path::new("/task/app.wasm"), 2);
        assert_eq!(
            lines,
            ["    at shop.divide (app.wasm:0x123)", "    at wasm-function[12] (app.wasm:0x1fe)"]
        );
        assert_eq!(frames[0].function, "shop.divide");
        assert_eq!(frames[1].file, "/task/app.wasm");
    }
}
