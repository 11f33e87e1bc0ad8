//! An answer beside the one that is expected: what differs, and where.

use super::{
    node::{Node, same_number},
    placeholder::{JSON, Placeholder, escaped, meant, misspelt},
};
use serde_json::value::RawValue;
use trine_engine::json_string;

/// Maximum number of levels that are looked into; what is deeper is compared as text.
const DEPTH: usize = 100;
/// Maximum number of differences that are told.
const TOLD: usize = 20;
/// Maximum length of a value in a message, in letters.
const LENGTH: usize = 60;

/// Returns what differs, a line each; nothing where the answer is as expected. `partly` has members of the answer count
/// only where the expected object names them.
pub(super) fn differences(expected: &RawValue, found: &RawValue, partly: bool) -> Vec<String> {
    let mut comparison = Comparison { told: Vec::new(), count: 0 };
    comparison.values(&mut "$".to_owned(), expected, found, partly, 0);
    let mut told = comparison.told;
    if comparison.count > told.len() {
        told.push(format!("… and {} more", comparison.count - told.len()));
    }
    told
}

struct Comparison {
    told: Vec<String>,
    count: usize,
}

impl Comparison {
    fn tell(&mut self, path: &str, what: impl FnOnce() -> String) {
        self.count += 1;
        if self.told.len() < TOLD {
            self.told.push(format!("{path}: {}", what()));
        }
    }

    fn values(
        &mut self,
        path: &mut String,
        expected: &RawValue,
        found: &RawValue,
        partly: bool,
        depth: usize,
    ) {
        let differ = || format!("expected {}, found {}", shown(expected), shown(found));
        if depth > DEPTH {
            if expected.get() != found.get() {
                self.tell(path, differ);
            }
            return;
        }
        let found_node = Node::of(found);
        match (Node::of(expected), &found_node) {
            (Node::Text(text), _) if Placeholder::of(&text).is_some() => {
                let Some(placeholder) = Placeholder::of(&text) else { return };
                if !placeholder.takes(&found_node) {
                    let expected = placeholder.told();
                    self.tell(path, || format!("expected {expected}, found {}", shown(found)));
                }
            }
            (Node::Object(members), _) if holds_json(&members) => {
                self.inside(path, members[0].1, found, &found_node, depth);
            }
            (Node::Object(expected), Node::Object(found)) => {
                self.members(path, &expected, found, partly, depth);
            }
            (Node::Array(expected), Node::Array(found)) => {
                self.items(path, &expected, found, depth);
            }
            (Node::Text(text), Node::Text(other)) => {
                if meant(&text) != other {
                    self.texts(path, &text, other, depth);
                }
            }
            (Node::Number(a), Node::Number(b)) if same_number(a, b) => {}
            (Node::Other(a), Node::Other(b)) if a == *b => {}
            (Node::Text(text), _) => self.tell(path, || format!("{}{}", differ(), hint(&text))),
            _ => self.tell(path, differ),
        }
    }

    fn members(
        &mut self,
        path: &mut String,
        expected: &[(String, &RawValue)],
        found: &[(String, &RawValue)],
        partly: bool,
        depth: usize,
    ) {
        let length = path.len();
        let of =
            |name: &str| found.iter().find(|(known, _)| known == name).map(|(_, value)| *value);
        for (name, value) in expected {
            let name = meant(name);
            push_member(path, name);
            match of(name) {
                Some(found) => self.values(path, value, found, false, depth + 1),
                None => self.tell(path, || format!("expected {}, found nothing", wanted(value))),
            }
            path.truncate(length);
        }
        if partly {
            return;
        }
        for (name, value) in found {
            if !expected.iter().any(|(known, _)| meant(known) == name) {
                push_member(path, name);
                self.tell(path, || format!("expected nothing, found {}", shown(value)));
                path.truncate(length);
            }
        }
    }

    fn items(
        &mut self,
        path: &mut String,
        expected: &[&RawValue],
        found: &[&RawValue],
        depth: usize,
    ) {
        let length = path.len();
        for at in 0..expected.len().max(found.len()) {
            path.push_str(&format!("[{at}]"));
            match (expected.get(at), found.get(at)) {
                (Some(expected), Some(found)) => {
                    self.values(path, expected, found, false, depth + 1);
                }
                (Some(expected), None) => {
                    self.tell(path, || format!("expected {}, found nothing", wanted(expected)));
                }
                (None, found) => {
                    let found = found.map_or_else(String::new, |found| shown(found));
                    self.tell(path, || format!("expected nothing, found {found}"));
                }
            }
            path.truncate(length);
        }
    }

    /// Compares the JSON in a string with what is expected of it.
    fn inside(
        &mut self,
        path: &mut String,
        expected: &RawValue,
        found: &RawValue,
        node: &Node<'_>,
        depth: usize,
    ) {
        let Node::Text(text) = node else {
            return self
                .tell(path, || format!("expected a string with JSON, found {}", shown(found)));
        };
        let Ok(inner) = serde_json::from_str::<&RawValue>(text) else {
            return self
                .tell(path, || format!("expected a string with JSON, found {}", shown(found)));
        };
        let length = path.len();
        path.push_str(" (JSON)");
        self.values(path, expected, inner, false, depth + 1);
        path.truncate(length);
    }

    /// Tells how two strings differ: where they hold JSON, what differs in there.
    fn texts(&mut self, path: &mut String, expected: &str, found: &str, depth: usize) {
        let container = |text: &str| text.trim_start().starts_with(['{', '[']);
        if container(expected)
            && container(found)
            && let (Ok(inner), Ok(other)) =
                (serde_json::from_str(expected), serde_json::from_str(found))
        {
            let count = self.count;
            let length = path.len();
            path.push_str(" (JSON)");
            self.values(path, inner, other, false, depth + 1);
            path.truncate(length);
            if self.count > count {
                return;
            }
        }
        let told = format!("{}{}", apart(expected, found), hint(expected));
        self.tell(path, || told);
    }
}

/// Whether an object stands for a string with JSON in it.
fn holds_json(members: &[(String, &RawValue)]) -> bool {
    matches!(members, [(name, _)] if name == JSON)
}

fn hint(text: &str) -> String {
    misspelt(text).map_or_else(String::new, |meant| format!(" (did you mean \"{meant}\"?)"))
}

/// Returns how two texts differ, from shortly before the first letter that does.
pub(super) fn apart(expected: &str, found: &str) -> String {
    let long = |text: &str| text.chars().count() > LENGTH;
    let mut from = 0;
    if long(expected) || long(found) {
        let same = expected.chars().zip(found.chars()).take_while(|(a, b)| a == b).count();
        from = same.saturating_sub(12);
    }
    let part = |text: &str| {
        let part: String = text.chars().skip(from).collect();
        let begin = if from > 0 { "…" } else { "" };
        format!("{begin}{}", shortened(&json_string(&part)))
    };
    format!("expected {}, found {}", part(expected), part(found))
}

/// Returns what an expected value asks for, in a message.
fn wanted(value: &RawValue) -> String {
    match Node::of(value) {
        Node::Text(text) => match Placeholder::of(&text) {
            Some(placeholder) => placeholder.told().to_owned(),
            None => shown(value),
        },
        _ => shown(value),
    }
}

/// Returns a value for a message: as it is where it is short, else its beginning; of large ones only what they are.
fn shown(value: &RawValue) -> String {
    let node = Node::of(value);
    let count = |number: usize, what: &str| match number {
        1 => format!("1 {what}"),
        _ => format!("{number} {what}s"),
    };
    match (value.get(), node) {
        (text, Node::Object(members)) if text.len() > LENGTH => {
            format!("an object with {}", count(members.len(), "member"))
        }
        (text, Node::Array(items)) if text.len() > LENGTH => {
            format!("a list of {}", count(items.len(), "item"))
        }
        (_, Node::Text(text)) => shortened(&json_string(&text)),
        (text, _) => shortened(&text.split_whitespace().collect::<Vec<_>>().join(" ")),
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(LENGTH) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn push_member(path: &mut String, name: &str) {
    let plain = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    let is_plain = name.chars().all(plain) && !name.starts_with(|c: char| c.is_ascii_digit());
    if is_plain && !name.is_empty() {
        path.push('.');
        path.push_str(name);
    } else {
        path.push('[');
        path.push_str(&json_string(name));
        path.push(']');
    }
}

/// Returns an answer as an expected one: strings that would stand for something are escaped, and what stands for the
/// answer's values in an earlier one stays.
pub(super) fn as_expected(found: &RawValue, earlier: Option<&RawValue>) -> String {
    let mut out = String::with_capacity(found.get().len());
    write(&mut out, found, earlier, 0);
    out
}

fn write(out: &mut String, found: &RawValue, earlier: Option<&RawValue>, depth: usize) {
    if depth > DEPTH {
        return out.push_str(found.get());
    }
    let node = Node::of(found);
    let earlier_node = earlier.map(Node::of);
    if let (Some(Node::Text(text)), Some(earlier)) = (&earlier_node, earlier)
        && Placeholder::of(text).is_some_and(|placeholder| placeholder.takes(&node))
    {
        return out.push_str(earlier.get());
    }
    if let (Some(Node::Object(members)), Node::Text(text)) = (&earlier_node, &node)
        && holds_json(members)
        && let Ok(inner) = serde_json::from_str::<&RawValue>(text)
    {
        out.push_str(&format!("{{\"{JSON}\":"));
        write(out, inner, Some(members[0].1), depth + 1);
        return out.push('}');
    }
    match node {
        Node::Text(text) => out.push_str(&json_string(&escaped(&text))),
        Node::Array(items) => {
            let earlier = match earlier_node {
                Some(Node::Array(earlier)) => earlier,
                _ => Vec::new(),
            };
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write(out, item, earlier.get(at).copied(), depth + 1);
            }
            out.push(']');
        }
        Node::Object(members) => {
            let earlier = match earlier_node {
                Some(Node::Object(earlier)) => earlier,
                _ => Vec::new(),
            };
            out.push('{');
            for (at, (name, value)) in members.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                let known = earlier.iter().find(|(known, _)| meant(known) == name);
                out.push_str(&json_string(&escaped(name)));
                out.push(':');
                write(out, value, known.map(|(_, value)| *value), depth + 1);
            }
            out.push('}');
        }
        Node::Number(text) | Node::Other(text) => out.push_str(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(text: &str) -> &RawValue {
        serde_json::from_str(text).unwrap()
    }

    fn told(expected: &str, found: &str) -> Vec<String> {
        differences(raw(expected), raw(found), false)
    }

    #[test]
    fn equal_values_do_not_differ_however_they_are_written() {
        for (expected, found) in [
            ("{\"a\": 1, \"b\": [true, null]}", "{\"b\":[true,null],\"a\":1.0}"),
            ("\"\\u00e9\"", "\"é\""),
            ("\"\\ud83d\"", "\"\\ud83d\""),
            (
                "{\"id\":\"$uuid\",\"at\":\"$date\",\"x\":\"$any\"}",
                "{\"id\":\"123e4567-e89b-42d3-a456-426614174000\",\"at\":\"2026-01-01\",\"x\":null}",
            ),
            ("[\"$$any\",\"$5\"]", "[\"$any\",\"$5\"]"),
            ("{\"body\":{\"$json\":{\"id\":\"$number\"}}}", "{\"body\":\"{\\\"id\\\": 7}\"}"),
            ("{\"$$json\":1}", "{\"$json\":1}"),
        ] {
            assert_eq!(told(expected, found), Vec::<String>::new(), "{expected}");
        }
    }

    #[test]
    fn differences_are_told_by_their_paths() {
        for (expected, found, differences) in [
            (
                r#"{"items":[1,2,{"price":3}]}"#,
                r#"{"items":[1,2,{"price":4}]}"#,
                &["$.items[2].price: expected 3, found 4"][..],
            ),
            (
                r#"{"a":1}"#,
                r#"{"b":2}"#,
                &["$.a: expected 1, found nothing", "$.b: expected nothing, found 2"],
            ),
            ("[1,2]", "[1]", &["$[1]: expected 2, found nothing"]),
            ("[1]", "[1,[2]]", &["$[1]: expected nothing, found [2]"]),
            (r#"{"a b":{"":1}}"#, r#"{"a b":{"":2}}"#, &[r#"$["a b"][""]: expected 1, found 2"#]),
            ("1", "\"1\"", &["$: expected 1, found \"1\""]),
            ("null", "false", &["$: expected null, found false"]),
            ("\"$number\"", "\"x\"", &["$: expected a number, found \"x\""]),
            ("[\"$uuid\"]", "[]", &["$[0]: expected a UUID, found nothing"]),
            ("\"$nubmer\"", "5", &["$: expected \"$nubmer\", found 5 (did you mean \"$number\"?)"]),
            (
                r#"{"body":"{\"a\":1}"}"#,
                r#"{"body":"{\"a\":2}"}"#,
                &["$.body (JSON).a: expected 1, found 2"],
            ),
            (
                r#""{\"a\":1}""#,
                r#""{ \"a\":1}""#,
                &[r#"$: expected "{\"a\":1}", found "{ \"a\":1}""#],
            ),
            (r#"{"$json":{"a":1}}"#, "7", &["$: expected a string with JSON, found 7"]),
        ] {
            assert_eq!(told(expected, found), differences, "{expected} {found}");
        }
    }

    #[test]
    fn long_values_are_shortened_and_many_differences_counted() {
        let long = format!("\"{}x\"", "a".repeat(100));
        let other = format!("\"{}y\"", "a".repeat(100));
        assert_eq!(
            told(&long, &other),
            ["$: expected …\"aaaaaaaaaaaax\", found …\"aaaaaaaaaaaay\""]
        );
        let many = |from: usize| format!("{:?}", (from..from + 50).collect::<Vec<_>>());
        let lines = told(&many(0), &many(100));
        assert_eq!(lines.len(), 21);
        assert_eq!(lines[20], "… and 30 more");
        assert_eq!(told("1", &many(0)), ["$: expected 1, found a list of 50 items"]);
        let deep = |leaf: &str| format!("{}{leaf}{}", "[".repeat(5_000), "]".repeat(5_000));
        assert_eq!(told(&deep("1"), &deep("1")).len(), 0);
        assert_eq!(told(&deep("1"), &deep("2")).len(), 1);
    }

    #[test]
    fn a_part_of_an_object_may_be_expected() {
        let expected = raw(r#"{"errorType":"E"}"#);
        let found = raw(r#"{"errorType":"E","trace":[]}"#);
        assert!(differences(expected, found, true).is_empty());
        assert_eq!(differences(expected, found, false).len(), 1);
    }

    #[test]
    fn an_answer_is_written_so_that_it_means_itself() {
        let found =
            raw(r#"{"id":"u","n":1.50,"$json":"$any","list":["$$uuid",{"body":"{\"a\":1}"}]}"#);
        let written = as_expected(found, None);
        assert_eq!(
            written,
            r#"{"id":"u","n":1.50,"$$json":"$$any","list":["$$$uuid",{"body":"{\"a\":1}"}]}"#
        );
        assert!(differences(raw(&written), found, false).is_empty());
        let earlier =
            r#"{"id":"$string","n":"$boolean","list":["x",{"body":{"$json":{"a":"$number"}}}]}"#;
        let written = as_expected(found, Some(raw(earlier)));
        assert_eq!(
            written,
            r#"{"id":"$string","n":1.50,"$$json":"$$any","list":["$$$uuid",{"body":{"$json":{"a":"$number"}}}]}"#
        );
        assert!(differences(raw(&written), found, false).is_empty());
    }
}
