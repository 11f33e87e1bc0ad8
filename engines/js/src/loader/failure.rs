//! Errors of modules that are not there, in Node's words and with Node's codes.

use deno_error::{JsErrorBox, JsErrorClass as _};

/// The class that the prelude makes errors of, from a text that begins with a code: see `failures.js`.
const CLASS: &str = "TrineModuleError";

/// Returns the same error as Node's, where it has a code: Deno's bindings put one code and one class on all of them.
pub(super) fn as_node(error: JsErrorBox) -> JsErrorBox {
    let message = error.get_message();
    if let Some(syntax) = message.strip_prefix("SyntaxError: ") {
        return JsErrorBox::new("SyntaxError", syntax.to_owned());
    }
    let coded = message.strip_prefix('[').and_then(|text| text.split_once("] "));
    let (code, text) = match coded {
        Some(coded) => coded,
        None if message.starts_with("Could not find package ") => {
            ("ERR_MODULE_NOT_FOUND", &*message)
        }
        None => return error,
    };
    JsErrorBox::new(CLASS, format!("[{code}] {}", words(text)))
}

/// Makes the error of a module of Node's that there is none of.
pub(super) fn unknown_builtin(name: &str) -> JsErrorBox {
    JsErrorBox::new(CLASS, format!("[ERR_UNKNOWN_BUILTIN_MODULE] No such built-in module: {name}"))
}

fn words(text: &str) -> String {
    let text = text.replace("'file://", "'");
    let package = || {
        let rest = text.strip_prefix("Could not find package '")?;
        rest.strip_suffix("'.")?.split_once("' from referrer '")
    };
    if let Some((name, referrer)) = package() {
        return format!("Cannot find package '{name}' imported from {referrer}");
    }
    let malformed = text.strip_prefix("Invalid package config. Malformed package.json '");
    if let Some(path) = malformed.and_then(|rest| rest.strip_suffix("'.")) {
        return format!("Invalid package config {path}.");
    }
    bare(&bare(&text, " imported from '"), " in '")
}

/// Returns text in which a path stands without the quotes of which the first ends `before`.
fn bare(text: &str, before: &str) -> String {
    let quoted = || {
        let (head, tail) = text.split_once(before)?;
        let (path, rest) = tail.split_once('\'')?;
        Some(format!("{head}{}{path}{rest}", before.trim_end_matches('\'')))
    };
    quoted().unwrap_or_else(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::as_node;
    use deno_error::{JsErrorBox, JsErrorClass as _};

    #[test]
    fn errors_have_nodes_words() {
        for (text, expected) in [
            (
                "[ERR_MODULE_NOT_FOUND] Cannot find module 'file:///a/b.mjs' imported from 'file:///a/c.mjs'",
                "[ERR_MODULE_NOT_FOUND] Cannot find module '/a/b.mjs' imported from /a/c.mjs",
            ),
            (
                "Could not find package 'x' from referrer 'file:///a/c.mjs'.",
                "[ERR_MODULE_NOT_FOUND] Cannot find package 'x' imported from /a/c.mjs",
            ),
            (
                "[ERR_PACKAGE_PATH_NOT_EXPORTED] Package subpath './x' is not defined by \"exports\" in '/p/package.json' imported from 'file:///a/c.mjs'",
                "[ERR_PACKAGE_PATH_NOT_EXPORTED] Package subpath './x' is not defined by \"exports\" in /p/package.json imported from /a/c.mjs",
            ),
            (
                "[ERR_INVALID_PACKAGE_CONFIG] Invalid package config. Malformed package.json '/p/package.json'.",
                "[ERR_INVALID_PACKAGE_CONFIG] Invalid package config /p/package.json.",
            ),
            ("another one", "another one"),
        ] {
            assert_eq!(as_node(JsErrorBox::type_error(text)).get_message(), expected);
        }
    }
}
