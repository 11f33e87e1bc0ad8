//! The events that are sent: JSON as functions get it, of an exact size, and the expected answers.

use bytes::Bytes;
use serde_json::{Value, json};

/// The sizes of the comparison, with their names.
pub(crate) const SIZES: [(&str, usize); 4] =
    [("100 B", 100), ("1 KB", 1 << 10), ("64 KB", 1 << 16), ("1 MB", 1 << 20)];

/// An event and its answer.
#[derive(Debug, Clone)]
pub(crate) struct Exchange {
    /// The event's text.
    pub(crate) event: Bytes,
    /// The expected answer.
    pub(crate) answer: Value,
}

impl Exchange {
    /// Makes an event of this size that is answered unchanged. Below a hundred bytes or so the size cannot be met.
    pub(crate) fn echo(size: usize) -> Self {
        let answer = document(size);
        Self { event: answer.to_string().into(), answer }
    }

    /// Makes an event of this size that is answered with a count of the hooks that saw it.
    pub(crate) fn counted(size: usize, hooks: usize) -> Self {
        let mut exchange = Self::echo(size);
        if hooks > 0 {
            exchange.answer["hooks"] = json!(hooks);
        }
        exchange
    }
}

/// Makes objects, lists, short and long text, escapes, numbers of both kinds, as in an order or a message.
fn document(size: usize) -> Value {
    let mut items = Vec::new();
    let mut left = size.saturating_sub(document_of(Vec::new(), "").to_string().len());
    // Seven eighths of it are small objects, the rest is text.
    let share = left / 8;
    loop {
        let item = item(items.len());
        let length = item.to_string().len() + 1;
        if left < length + share.max(8) {
            break;
        }
        // The first item has no comma before it.
        left -= length - usize::from(items.is_empty());
        items.push(item);
    }
    const TEXT: &str = "The quick brown fox jumps over the lazy dog, and so on. ";
    let text: String = TEXT.chars().cycle().take(left).collect();
    document_of(items, &text)
}

fn document_of(items: Vec<Value>, text: &str) -> Value {
    json!({"id": 7, "tags": ["a", "b"], "items": items, "text": text})
}

fn item(number: usize) -> Value {
    json!({
        "id": number,
        "name": format!("Füller \"{number}\""),
        "price": 19.99 + number as f64,
        "stock": {"count": number % 40, "is_left": !number.is_multiple_of(40)},
        "path": format!("/shop/items/{number}\n"),
    })
}

/// Whether two values are the same JSON: languages with one number type turn `3.0` into `3`.
pub(crate) fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => {
            one == other || one.as_f64() == other.as_f64()
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len()
                && one.iter().zip(other).all(|(one, other)| is_same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one
                    .iter()
                    .all(|(key, value)| other.get(key).is_some_and(|other| is_same(value, other)))
        }
        _ => one == other,
    }
}

/// Returns why a text is not the answer, if it is not.
pub(crate) fn difference(text: &[u8], answer: &Value) -> Option<String> {
    let found = serde_json::from_slice::<Value>(text);
    if found.as_ref().is_ok_and(|found| is_same(found, answer)) {
        return None;
    }
    Some(format!("answered {}, not {}", head(text), head(answer.to_string().as_bytes())))
}

/// Returns the beginning of a text, and its length if that is not all of it.
pub(crate) fn head(text: &[u8]) -> String {
    const LENGTH: usize = 120;
    let head = String::from_utf8_lossy(&text[..text.len().min(LENGTH)]);
    if text.len() > LENGTH {
        format!("{head}… ({} bytes)", text.len())
    } else {
        head.into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_have_their_size() {
        for (name, size) in SIZES {
            let Exchange { event, answer } = Exchange::echo(size);
            assert_eq!(event.len(), size, "{name}");
            assert_eq!(difference(&event, &answer), None);
        }
        let items = Exchange::echo(1 << 10).answer["items"].as_array().unwrap().len();
        assert!(items > 3, "{items}");
    }

    #[test]
    fn hooks_are_counted_in_the_answer() {
        assert_eq!(Exchange::counted(1 << 10, 3).answer["hooks"], 3);
        assert_eq!(Exchange::counted(1 << 10, 0).answer.get("hooks"), None);
    }

    #[test]
    fn the_same_json_may_be_written_differently() {
        let answer = json!({"a": 3, "b": [1.5, "x"]});
        assert_eq!(difference(br#"{"b": [1.5, "\u0078"], "a": 3.0}"#, &answer), None);
        for other in [r#"{"a":3}"#, r#"{"a":3,"b":[1.5,"y"]}"#, r#"{"a":"3","b":[1.5,"x"]}"#, "x"] {
            assert!(difference(other.as_bytes(), &answer).unwrap().contains("not {\"a\":3"));
        }
    }
}
