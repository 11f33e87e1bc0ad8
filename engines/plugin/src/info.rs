//! What a plug-in says of itself, read and checked.

use crate::{library::Library, refusal::LoadError};
use serde_json::{Map, Value};
use trine_engine::{Capabilities, EngineInfo, nearest};

/// Maximum length of the text, in bytes.
const LONGEST: usize = 1 << 20;

/// Maximum length of an id or an extension.
const LONGEST_NAME: usize = 64;

/// The names of capabilities.
const CAPABILITIES: [&str; 4] = ["interrupt", "memory_limit", "exact_integers", "hooks"];

/// What a plug-in is.
#[derive(Debug)]
pub(crate) struct Description {
    pub(crate) info: EngineInfo,
    /// Whether its files can be middlewares.
    pub(crate) hooks: bool,
}

/// Asks a plug-in what it is.
pub(crate) fn of(library: &Library) -> Result<Description, LoadError> {
    let invalid = |reason: String| LoadError::InvalidInfo { path: library.path.clone(), reason };
    let info = crate::crash::guarded(&library.path, "in `info`", || {
        // SAFETY: the function may be called at any time.
        unsafe { (library.info)() }
    });
    if info.size > LONGEST || info.data.is_null() {
        let (size, data) = (info.size, info.data);
        return Err(invalid(format!("`info` has returned {size} bytes at {data:p}")));
    }
    // SAFETY: the bytes are readable until the end of the process, says the interface.
    let text = unsafe { std::slice::from_raw_parts(info.data, info.size) };
    read(text).map_err(invalid)
}

/// Reads a description. Its texts are kept until the end of the process, as the plug-in is.
fn read(text: &[u8]) -> Result<Description, String> {
    let text = std::str::from_utf8(text)
        .map_err(|error| format!("`info` is not UTF-8 from byte {} on", error.valid_up_to()))?;
    let value: Value =
        serde_json::from_str(text).map_err(|error| format!("`info` is no JSON: {error}"))?;
    let Value::Object(members) = value else {
        return Err("`info` is JSON, but no object".to_owned());
    };
    let id = required(&members, "id")?;
    check_id(id)?;
    let name = optional(&members, "name")?.unwrap_or(id);
    let version = optional(&members, "version")?.unwrap_or(id);
    let extensions = extensions(&members)?;
    let (capabilities, hooks) = capabilities(&members)?;
    let info = EngineInfo::new(kept(id), kept(name), version)
        .with_extensions(extensions)
        .with_capabilities(capabilities)
        .with_globals_per_root(truth(&members, "globals_per_root")?)
        .with_instance_per_function(truth(&members, "instance_per_function")?)
        .with_on_main_thread(truth(&members, "on_main_thread")?)
        .with_waits_hold_thread(true);
    Ok(Description { info, hooks })
}

fn required<'m>(members: &'m Map<String, Value>, name: &str) -> Result<&'m str, String> {
    optional(members, name)?.ok_or_else(|| format!("`info` has no member \"{name}\""))
}

fn optional<'m>(members: &'m Map<String, Value>, name: &str) -> Result<Option<&'m str>, String> {
    match members.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.trim().is_empty() => {
            Err(format!("\"{name}\" of `info` is empty"))
        }
        Some(Value::String(text)) if text.chars().any(char::is_control) => {
            Err(format!("\"{name}\" of `info` is {text:?}, which has a control character"))
        }
        Some(Value::String(text)) => Ok(Some(text)),
        Some(other) => Err(format!("\"{name}\" of `info` is {other}, no text")),
    }
}

fn truth(members: &Map<String, Value>, name: &str) -> Result<bool, String> {
    match members.get(name) {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(value)) => Ok(*value),
        Some(other) => Err(format!("\"{name}\" of `info` is {other}, neither true nor false")),
    }
}

fn check_id(id: &str) -> Result<(), String> {
    let is_fit = id.len() <= LONGEST_NAME
        && id.starts_with(|first: char| first.is_ascii_lowercase())
        && id.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    match is_fit {
        true => Ok(()),
        false => Err(format!(
            "\"id\" of `info` is {id:?}: it may have lower-case letters, digits and \"-\" alone, {LONGEST_NAME} at most, a letter first"
        )),
    }
}

fn extensions(members: &Map<String, Value>) -> Result<&'static [&'static str], String> {
    let listed = members.get("extensions").and_then(Value::as_array);
    let Some(listed) = listed.filter(|listed| !listed.is_empty()) else {
        return Err(
            "`info` has no \"extensions\", by which the language's files are known: [\"upper\"]"
                .to_owned(),
        );
    };
    let mut found: Vec<&'static str> = Vec::new();
    for value in listed {
        let extension =
            value.as_str().ok_or_else(|| format!("the extension {value} is no text"))?;
        check_extension(extension)?;
        if found.contains(&extension) {
            return Err(format!("the extension {extension:?} is listed twice"));
        }
        found.push(kept(extension));
    }
    Ok(found.leak())
}

fn check_extension(extension: &str) -> Result<(), String> {
    let refused = |why: &str| Err(format!("the extension {extension:?} {why}"));
    if extension.is_empty() {
        return refused("is empty");
    }
    if extension.contains('.') {
        return refused("has a dot: it is what follows the last dot of a file's name");
    }
    let is_fit = extension.len() <= LONGEST_NAME
        && extension.chars().all(|letter| letter.is_alphanumeric() || "_-+".contains(letter));
    if !is_fit {
        return refused(
            "has other characters than letters, digits, \"_\", \"-\" and \"+\", or too many",
        );
    }
    Ok(())
}

/// Reads the capabilities. Names that are not known are those of later versions, unless they look like a slip.
fn capabilities(members: &Map<String, Value>) -> Result<(Capabilities, bool), String> {
    let none = Map::new();
    let listed = match members.get("capabilities") {
        None | Some(Value::Null) => &none,
        Some(Value::Object(listed)) => listed,
        Some(other) => return Err(format!("\"capabilities\" of `info` is {other}, no object")),
    };
    for name in listed.keys().filter(|name| !CAPABILITIES.contains(&name.as_str())) {
        if let Some(known) = nearest(name, &CAPABILITIES) {
            return Err(format!("there is no capability \"{name}\"; did you mean \"{known}\"?"));
        }
    }
    let capabilities = Capabilities {
        interrupt: truth(listed, "interrupt")?,
        memory_limit: truth(listed, "memory_limit")?,
        exact_integers: truth(listed, "exact_integers")?,
        ..Capabilities::default()
    };
    Ok((capabilities, truth(listed, "hooks")?))
}

fn kept(text: &str) -> &'static str {
    text.to_owned().leak()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: impl AsRef<[u8]>) -> String {
        read(text.as_ref()).expect_err("it is refused")
    }

    #[test]
    fn a_description_has_an_id_and_extensions_and_the_rest_follows() {
        let Description { info, hooks } =
            read(br#"{"id": "upper-2", "extensions": ["up", "upper"], "later": {}}"#).unwrap();
        assert_eq!((info.id, info.name, info.version.as_str()), ("upper-2", "upper-2", "upper-2"));
        assert_eq!(info.extensions, ["up", "upper"]);
        assert_eq!(info.capabilities, Capabilities::default());
        assert!(!hooks && info.waits_hold_thread && !info.on_main_thread);
    }

    #[test]
    fn capabilities_are_those_that_are_declared() {
        let text = r#"{"id": "u", "extensions": ["u"], "on_main_thread": true,
            "capabilities": {"interrupt": true, "exact_integers": true, "hooks": true, "telepathy": true}}"#;
        let Description { info, hooks } = read(text.as_bytes()).unwrap();
        let declared = info.capabilities.named().into_iter().filter(|(_, has)| *has);
        let declared: Vec<_> = declared.map(|(name, _)| name).collect();
        assert_eq!(declared, ["interrupt", "exact-integers"]);
        assert!(hooks && info.on_main_thread);
    }

    #[test]
    fn what_is_wrong_with_a_description_is_told() {
        let with = |members: &str| {
            refused(format!("{{\"id\": \"u\", \"extensions\": [\"u\"], {members}}}"))
        };
        for (found, told) in [
            (refused(b"{\"id\": \"\xff\"}"), "not UTF-8 from byte 8 on"),
            (refused("{"), "is no JSON: EOF"),
            (refused("[]"), "no object"),
            (refused(r#"{"extensions": ["u"]}"#), "no member \"id\""),
            (refused(r#"{"id": "", "extensions": ["u"]}"#), "\"id\" of `info` is empty"),
            (refused(r#"{"id": 7, "extensions": ["u"]}"#), "is 7, no text"),
            (refused(r#"{"id": "a\u0000b", "extensions": ["u"]}"#), "control character"),
            (
                refused(r#"{"id": "Upper", "extensions": ["u"]}"#),
                "\"Upper\": it may have lower-case",
            ),
            (refused(r#"{"id": "2u", "extensions": ["u"]}"#), "a letter first"),
            (refused(r#"{"id": "u"}"#), "no \"extensions\""),
            (refused(r#"{"id": "u", "extensions": []}"#), "no \"extensions\""),
            (refused(r#"{"id": "u", "extensions": [""]}"#), "is empty"),
            (refused(r#"{"id": "u", "extensions": [".u"]}"#), "has a dot"),
            (refused(r#"{"id": "u", "extensions": ["a/b"]}"#), "other characters"),
            (refused(r#"{"id": "u", "extensions": ["u", "u"]}"#), "listed twice"),
            (refused(r#"{"id": "u", "extensions": [1]}"#), "the extension 1 is no text"),
            (with(r#""capabilities": {"interupt": true}"#), "did you mean \"interrupt\"?"),
            (with(r#""capabilities": {"hooks": "yes"}"#), "neither true nor false"),
            (with(r#""capabilities": true"#), "is true, no object"),
        ] {
            assert!(found.contains(told), "{found}");
        }
    }
}
