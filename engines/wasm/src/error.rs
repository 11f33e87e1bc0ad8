//! The conversion of traps and exceptions to our errors: name, message, and the guest's frames as its file has them.

use crate::heap::out_of_memory;
use std::path::Path;
use trine_engine::{Error, Frame};
use trine_v8::v8;

/// The beginning of the addresses that V8 gives to modules.
const ADDRESS: &str = "wasm://wasm/";

/// What compilers of Rust write in the names of functions, and what it stands for.
const ESCAPES: [(&str, &str); 12] = [
    ("$LT$", "<"),
    ("$GT$", ">"),
    ("$RF$", "&"),
    ("$BP$", "*"),
    ("$LP$", "("),
    ("$RP$", ")"),
    ("$C$", ","),
    ("$u20$", " "),
    ("$u7b$", "{"),
    ("$u7d$", "}"),
    ("$u27$", "'"),
    ("..", "::"),
];

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
        return out_of_memory(limit);
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
            named => readable(named),
        };
        let offset = i64::from_str_radix(offset, 16).map_or(0, |offset| offset - moved);
        lines.push(format!("    at {function} ({short}:{offset:#x})"));
        let file = file.to_string_lossy().into_owned();
        frames.push(Frame { function, file, ..Frame::default() });
    }
    (frames, lines)
}

/// Returns the name of a function as its language writes it: compilers of Rust and C++ make `_ZN4shop6divide17h…E` of
/// `shop::divide`. Any other name stays as it is.
fn readable(name: &str) -> String {
    let parts = || {
        let mut left = name.strip_prefix("_ZN")?;
        let mut parts = Vec::new();
        while !left.starts_with('E') {
            let digits = left.bytes().take_while(u8::is_ascii_digit).count();
            let length: usize = left[..digits].parse().ok()?;
            let end = digits.checked_add(length)?;
            let part = left.get(digits..end)?;
            // No part may begin with a `$`, so that one stands before it.
            parts.push(if part.starts_with("_$") { &part[1..] } else { part });
            left = &left[end..];
        }
        parts.pop_if(|part| part.len() == 17 && part.starts_with('h'));
        (!parts.is_empty()).then_some(parts)
    };
    let Some(parts) = parts() else { return name.to_owned() };
    let mut text = parts.join("::");
    // What Rust writes for characters that such names may not have.
    for (written, character) in ESCAPES {
        text = text.replace(written, character);
    }
    text
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

    #[test]
    fn names_of_functions_are_readable() {
        for (name, expected) in [
            ("_ZN4shop6divide17h9ac9107c42850161E", "shop::divide"),
            (
                "_ZN3std2rt10lang_start28_$u7b$$u7b$closure$u7d$$u7d$17h4f35744acaf3dd02E.llvm.65",
                "std::rt::lang_start::{{closure}}",
            ),
            (
                "_ZN52_$LT$shop..Cart$u20$as$u20$core..ops..drop..Drop$GT$4drop17h4f35744acaf3dd02E",
                "<shop::Cart as core::ops::drop::Drop>::drop",
            ),
            ("_ZN4shop4CartC2Ei", "_ZN4shop4CartC2Ei"),
            ("_ZN4shop3getEi", "shop::get"),
            ("_ZN99x", "_ZN99x"),
            ("_ZN99999999999999999999999xE", "_ZN99999999999999999999999xE"),
            ("_ZN1\u{e9}E", "_ZN1\u{e9}E"),
            ("_ZNE", "_ZNE"),
            ("shop.divide", "shop.divide"),
        ] {
            assert_eq!(readable(name), expected);
        }
    }
}
