//! Values as people read them, and the members of tables. No code of the guest's runs for that.

use mlua::{Table, Value};

/// Maximum length of a text, in bytes.
const LONGEST: usize = 1024;
/// The same where who debugs asks for the value alone.
pub(super) const LONGEST_ALONE: usize = 1 << 20;
/// Maximum number of members in the short form of a table.
const SHORT: usize = 6;
/// Maximum number of members that are looked at.
const MOST_LOOKED_AT: usize = 20_000;
/// Maximum number of members in one answer.
pub(super) const MOST_SHOWN: usize = 1000;

/// Writes a value, a text up to a length.
pub(super) fn show(value: &Value, longest: usize) -> String {
    match value {
        Value::Table(table) => show_table(table),
        value => show_flat(value, longest),
    }
}

/// Returns the name of a value's type.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        value if value.is_null() => "null",
        Value::Integer(_) => "integer",
        Value::Number(_) => "float",
        value => value.type_name(),
    }
}

fn show_flat(value: &Value, longest: usize) -> String {
    match value {
        Value::Nil => "nil".to_owned(),
        Value::Boolean(value) => value.to_string(),
        value if value.is_null() => "trine.null".to_owned(),
        Value::String(text) => quote(&text.as_bytes(), longest),
        Value::Function(function) => {
            let info = function.info();
            match (info.what, info.short_src, info.line_defined) {
                ("C", ..) | (_, None, _) => "function (built in)".to_owned(),
                (_, Some(source), Some(line)) => format!("function <{source}:{line}>"),
                (_, Some(source), None) => format!("function <{source}>"),
            }
        }
        // Its address tells one from another.
        Value::Table(table) => format!("table: {:p}", table.to_pointer()),
        Value::Integer(number) => number.to_string(),
        Value::Number(number) => show_float(*number),
        value => format!("{}: {:p}", value.type_name(), value.to_pointer()),
    }
}

/// Writes a float as Lua does where its digits suffice, so that it cannot be taken for an integer.
fn show_float(number: f64) -> String {
    match number {
        number if number.is_nan() => "nan".to_owned(),
        f64::INFINITY => "inf".to_owned(),
        f64::NEG_INFINITY => "-inf".to_owned(),
        number => format!("{number:?}"),
    }
}

/// Writes a table by its first members, in one line.
fn show_table(table: &Table) -> String {
    let length = table.raw_len();
    let mut shown: Vec<String> = (1..=length.min(SHORT))
        .map(|index| show_flat(&table.raw_get(index).unwrap_or(Value::Nil), 40))
        .collect();
    let mut is_whole = length <= SHORT;
    for (key, value) in table.pairs::<Value, Value>().flatten().skip(length.min(SHORT)) {
        if is_index(&key, length) {
            continue;
        }
        if shown.len() == SHORT {
            is_whole = false;
            break;
        }
        let key = match &key {
            Value::String(name) if is_name(&name.as_bytes()) => name.to_string_lossy(),
            key => format!("[{}]", show_flat(key, 40)),
        };
        shown.push(format!("{key} = {}", show_flat(&value, 40)));
    }
    if !is_whole {
        shown.push("…".to_owned());
    }
    format!("{{{}}}", shown.join(", "))
}

/// Writes a text as Lua's source does.
fn quote(text: &[u8], longest: usize) -> String {
    let is_whole = text.len() <= longest;
    let mut quoted = String::from("\"");
    for letter in String::from_utf8_lossy(&text[..text.len().min(longest)]).chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            letter if letter.is_control() => {
                quoted.push_str(&format!("\\u{{{:x}}}", u32::from(letter)));
            }
            letter => quoted.push(letter),
        }
    }
    quoted.push('"');
    if !is_whole {
        quoted.push_str(&format!("… ({} bytes)", text.len()));
    }
    quoted
}

/// Returns a member's name in a list of variables.
fn member_name(key: &Value) -> String {
    match key {
        Value::String(name) if is_name(&name.as_bytes()) => name.to_string_lossy(),
        key => format!("[{}]", show_flat(key, LONGEST)),
    }
}

/// Returns the expression for a member of what `table` is the expression for, if it has one.
pub(super) fn member_expression(table: &str, key: &str) -> Option<String> {
    match key.starts_with('[') {
        false => Some(format!("{table}.{key}")),
        true if key.contains(": 0x") || key.contains('…') || key.contains('<') => None,
        true => Some(format!("{table}{key}")),
    }
}

/// Whether a text may be a name in Lua's source. Keywords count as such.
fn is_name(text: &[u8]) -> bool {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    text.first().is_some_and(|first| !first.is_ascii_digit()) && text.iter().all(is_part)
}

fn is_index(key: &Value, length: usize) -> bool {
    matches!(key, Value::Integer(index) if *index >= 1 && *index as u64 <= length as u64)
}

/// The part of a table's members that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    All,
    /// Those of the sequence.
    Indexed,
    /// All others.
    Named,
}

/// Returns members of a table: their names, and their values. The sequence goes first, then texts in their order. Where
/// there are more than are shown the second value is true.
pub(super) fn members(
    table: &Table,
    part: Part,
    start: usize,
    count: usize,
) -> (Vec<(String, Value)>, bool) {
    let count = if count == 0 { MOST_SHOWN } else { count.min(MOST_SHOWN) };
    let length = table.raw_len();
    let mut members = Vec::new();
    let mut skipped = start;
    if part != Part::Named {
        let end = length.min(start.saturating_add(count));
        for index in start.saturating_add(1)..=end {
            let value = table.raw_get(index).unwrap_or(Value::Nil);
            members.push((format!("[{index}]"), value));
        }
        skipped = start.saturating_sub(length);
        if part == Part::Indexed {
            return (members, end < length);
        }
    }
    let pairs = table.pairs::<Value, Value>().flatten().take(MOST_LOOKED_AT);
    let named = pairs.filter(|(key, _)| !is_index(key, length));
    let mut named: Vec<_> = named.map(|(key, value)| (member_name(&key), value)).collect();
    named.sort_by(|(one, _), (other, _)| one.cmp(other));
    let room = count - members.len();
    let is_more =
        named.len() > skipped.saturating_add(room) || length > start.saturating_add(count);
    members.extend(named.into_iter().skip(skipped).take(room));
    (members, is_more)
}

/// Finds the key of a member by its name in the list.
pub(super) fn key_named(table: &Table, name: &str) -> Option<Value> {
    if let Some(index) = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'))
        && let Ok(index) = index.parse()
    {
        return Some(Value::Integer(index));
    }
    let keys = table.pairs::<Value, Value>().flatten().take(MOST_LOOKED_AT);
    keys.map(|(key, _)| key).find(|key| member_name(key) == name)
}

/// Writes a value of a list of variables.
pub(super) fn show_member(value: &Value) -> String {
    show(value, LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use mlua::Lua;

    fn shown(expression: &str) -> String {
        let lua = Lua::new();
        let value: Value = lua.load(expression).eval().unwrap();
        show_member(&value)
    }

    #[test]
    fn values_are_shown_as_lua_writes_them() {
        assert_eq!(shown("1"), "1");
        for number in ["1.0", "0.1", "-0.5", "1e100", "inf"] {
            assert_eq!(shown(if number == "inf" { "1/0" } else { number }), number);
        }
        assert_eq!(shown("'a\"b\\n\\0'"), r#""a\"b\n\u{0}""#);
        assert_eq!(shown("{1, 'x', y = true}"), r#"{1, "x", y = true}"#);
        assert_eq!(shown("{1, 2, 3, 4, 5, 6, 7}"), "{1, 2, 3, 4, 5, 6, …}");
        assert_eq!(shown("{['a b'] = 1}"), r#"{["a b"] = 1}"#);
        assert!(shown("('x'):rep(5000)").ends_with("… (5000 bytes)"));
        assert_eq!(shown("print"), "function (built in)");
        assert!(shown("function() end").starts_with("function <"));
        assert!(
            shown("setmetatable({}, {__tostring = error, __len = error, __pairs = error})") == "{}"
        );
    }

    #[test]
    fn members_come_in_order_and_in_parts() {
        let lua = Lua::new();
        let table: Table = lua.load("{10, 20, 30, b = 1, a = 2, [0] = 3}").eval().unwrap();
        let names = |part, start, count| -> Vec<String> {
            members(&table, part, start, count).0.into_iter().map(|(name, _)| name).collect()
        };
        assert_eq!(names(Part::All, 0, 0), ["[1]", "[2]", "[3]", "[0]", "a", "b"]);
        assert_eq!(names(Part::Indexed, 1, 1), ["[2]"]);
        assert_eq!(names(Part::Named, 1, 0), ["a", "b"]);
        assert_eq!(names(Part::All, 2, 2), ["[3]", "[0]"]);
        assert_eq!(names(Part::All, usize::MAX, usize::MAX), [""; 0]);
        assert_eq!(key_named(&table, "a").unwrap().to_string().unwrap(), "a");
        assert!(key_named(&table, "z").is_none());
        assert_eq!(member_expression("t", "a"), Some("t.a".to_owned()));
        assert_eq!(member_expression("t", "[1]"), Some("t[1]".to_owned()));
    }
}
