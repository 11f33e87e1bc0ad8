//! The events that functions are given: JSON of an exact size, and of an ordinary mix.

use bytes::Bytes;
use serde_json::{Value, json};
use trine_engine::Invocation;

/// Sizes of events, with the names that they have in questions.
pub(crate) const SIZES: [(&str, usize); 4] =
    [("100 B", 100), ("1 KB", 1 << 10), ("64 KB", 64 << 10), ("1 MB", 1 << 20)];

/// An event of a thousand bytes and a few.
pub(crate) const KILOBYTE: usize = 1 << 10;

/// An event of exactly so many bytes, 100 or more: small objects for the most part, and a text that fills it up.
pub(crate) fn mixed(size: usize) -> Bytes {
    let item = |number: usize| json!({"n": number, "name": format!("item {number}"), "price": 1.5, "sold": true});
    let each = item(100).to_string().len() + 1;
    let items: Vec<Value> = match size * 3 / 4 / each {
        0 => vec![json!({"n": 0})],
        count => (0..count).map(item).collect(),
    };
    filled(json!({"id": 7, "tags": ["a", "b"], "items": items, "text": ""}), "text", size)
}

/// An event of one kilobyte in ten members, with the sum that a function makes of them.
pub(crate) fn order() -> (Bytes, Value) {
    let id = "1f0c3a9e-6f0e-4f3e-9b7c-2b1a5d7e9c11";
    let event = json!({
        "id": id, "path": "/orders/7", "method": "POST", "count": 7, "total": 57.25, "paid": true,
        "tags": ["new", "sale"], "customer": {"id": 90210}, "address": {"city": "Ghent"}, "body": "",
    });
    let rest = KILOBYTE - event.to_string().len();
    let lengths = id.len() + "/orders/7".len() + "POST".len() + "Ghent".len() + rest;
    // One for `paid`, two for the tags.
    let sum = lengths as f64 + 7.0 + 57.25 + 1.0 + 2.0 + 90210.0;
    (filled(event, "body", KILOBYTE), json!({ "sum": sum }))
}

/// An event, with the text that is its member `member` as long as it takes to come to this size.
fn filled(mut event: Value, member: &str, size: usize) -> Bytes {
    let rest = size.checked_sub(event.to_string().len()).expect("the size leaves room for a text");
    let words = "twelve bytes ";
    event[member] = words.chars().cycle().take(rest).collect::<String>().into();
    event.to_string().into()
}

/// JSON text as a value.
pub(crate) fn parsed(text: &[u8]) -> Value {
    serde_json::from_slice(text).expect("an answer is JSON")
}

/// The facts of an invocation with this deadline.
pub(crate) fn invocation(deadline_ms: Option<u64>) -> Invocation {
    Invocation {
        request_id: "00000000-0000-4000-8000-000000000000".to_owned(),
        deadline_ms,
        event_is_json: true,
        ..Invocation::default()
    }
}
