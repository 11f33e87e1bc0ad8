//! Errors of modules that are not there, in Node's words and with Node's codes.

use deno_error::{
    AdditionalProperties, JsErrorBox, JsErrorClass, PropertyValue,
    builtin_classes::{GENERIC_ERROR, TYPE_ERROR},
};
use deno_runtime::deno_core::{ModuleSpecifier, url::form_urlencoded};
use std::{borrow::Cow, error::Error, fmt};

/// Codes of errors that are type errors in Node.
const OF_TYPE_ERRORS: [&str; 3] = [
    "ERR_INVALID_MODULE_SPECIFIER",
    "ERR_PACKAGE_IMPORT_NOT_DEFINED",
    "ERR_UNKNOWN_FILE_EXTENSION",
];

/// An error with a code, which is a member of JavaScript's error.
#[derive(Debug)]
struct Coded {
    code: String,
    message: String,
}

impl fmt::Display for Coded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for Coded {}

impl JsErrorClass for Coded {
    fn get_class(&self) -> Cow<'static, str> {
        match OF_TYPE_ERRORS.contains(&&*self.code) {
            true => TYPE_ERROR.into(),
            false => GENERIC_ERROR.into(),
        }
    }

    fn get_message(&self) -> Cow<'static, str> {
        self.message.clone().into()
    }

    fn get_additional_properties(&self) -> AdditionalProperties {
        let code = PropertyValue::String(self.code.clone().into());
        Box::new([(Cow::Borrowed("code"), code)].into_iter())
    }

    fn get_ref(&self) -> &(dyn Error + Send + Sync + 'static) {
        self
    }
}

/// Returns the same error as Node's, where it has a code.
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
    JsErrorBox::from_err(Coded { code: code.to_owned(), message: words(text) })
}

/// Returns a module that throws an error which has a code, for `import()`: Deno's bindings put one class and one code on
/// all errors of theirs.
///
/// # Errors
/// The error itself, where it has no code.
pub(super) fn thrower(error: JsErrorBox) -> Result<ModuleSpecifier, JsErrorBox> {
    let code = error.get_additional_properties().find_map(|(name, value)| match value {
        PropertyValue::String(code) if name == "code" => Some(code),
        _ => None,
    });
    let (class, message) = (error.get_class(), error.get_message());
    let Some(code) = code.filter(|_| [GENERIC_ERROR, TYPE_ERROR].contains(&&*class)) else {
        return Err(error);
    };
    let missing = message.strip_prefix("Cannot find module '").and_then(|rest| {
        let (path, _) = rest.split_once('\'')?;
        ModuleSpecifier::from_file_path(path).ok()
    });
    let members =
        serde_json::json!({"code": code, "url": missing.as_ref().map(ModuleSpecifier::as_str)});
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    // The stack has to be asked for before it is replaced, or the error is taken for one without a place, and made anew.
    let source = format!(
        "const {{ url, ...members }} = {members};
const error = Object.assign(new {class}({}), members, url && {{ url }});
void error.stack;
Object.defineProperty(error, 'stack', {{ value: {}, writable: true, configurable: true }});
throw error;",
        quoted(&message),
        quoted(&format!("{class} [{code}]: {message}")),
    );
    let source: String = form_urlencoded::byte_serialize(source.as_bytes()).collect();
    // There a space is a plus sign.
    let url = format!("data:text/javascript,{}", source.replace('+', "%20"));
    ModuleSpecifier::parse(&url).map_err(JsErrorBox::from_err)
}

/// Makes the error of a module of Node's that there is none of.
pub(super) fn unknown_builtin(name: &str) -> JsErrorBox {
    JsErrorBox::from_err(Coded {
        code: "ERR_UNKNOWN_BUILTIN_MODULE".to_owned(),
        message: format!("No such built-in module: {name}"),
    })
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
    let unknown =
        "Only file and data URLs are supported by the default ESM loader. Received protocol '";
    if let Some(scheme) = text.strip_prefix(unknown).and_then(|rest| rest.strip_suffix('\'')) {
        return format!(
            "Only URLs with a scheme in: file, data, and node are supported by the default ESM loader. Received protocol \
             '{scheme}:'"
        );
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
        for (text, code, expected) in [
            (
                "[ERR_MODULE_NOT_FOUND] Cannot find module 'file:///a/b.mjs' imported from 'file:///a/c.mjs'",
                "ERR_MODULE_NOT_FOUND",
                "Cannot find module '/a/b.mjs' imported from /a/c.mjs",
            ),
            (
                "Could not find package 'x' from referrer 'file:///a/c.mjs'.",
                "ERR_MODULE_NOT_FOUND",
                "Cannot find package 'x' imported from /a/c.mjs",
            ),
            (
                "[ERR_PACKAGE_PATH_NOT_EXPORTED] Package subpath './x' is not defined by \"exports\" in '/p/package.json' imported from 'file:///a/c.mjs'",
                "ERR_PACKAGE_PATH_NOT_EXPORTED",
                "Package subpath './x' is not defined by \"exports\" in /p/package.json imported from /a/c.mjs",
            ),
            (
                "[ERR_INVALID_PACKAGE_CONFIG] Invalid package config. Malformed package.json '/p/package.json'.",
                "ERR_INVALID_PACKAGE_CONFIG",
                "Invalid package config /p/package.json.",
            ),
        ] {
            let error = as_node(JsErrorBox::type_error(text));
            assert_eq!(error.get_message(), expected);
            let (name, value) = error.get_additional_properties().next().unwrap();
            assert_eq!((&*name, value.to_string()), ("code", code.to_owned()));
        }
        assert_eq!(as_node(JsErrorBox::type_error("another one")).get_message(), "another one");
    }
}
