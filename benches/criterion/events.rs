//! The events that functions are given: JSON of an exact size, and of an ordinary mix.

use bytes::Bytes;
use serde_json::{Value, json};
use trine_engine::Invocation;

/// Sizes of events, with their names in benchmark ids.
pub(crate) const SIZES: [(&str, usize); 4] =
    [("100 B", 100), ("1 KB", 1 << 10), ("64 KB", 64 << 10), ("1 MB", 1 << 20)];

/// Size of an event of one kilobyte.
pub(crate) const KILOBYTE: usize = 1 << 10;

/// Makes an event of exactly `size` bytes, 100 or more: mostly small objects, and a text that fills it up.
pub(crate) fn mixed(size: usize) -> Bytes {
    let item = |number: usize| json!({"n": number, "name": format!("item {number}"), "price": 1.5, "sold": true});
    let each = item(100).to_string().len() + 1;
    let items: Vec<Value> = match size * 3 / 4 / each {
        0 => vec![json!({"n": 0})],
        count => (0..count).map(item).collect(),
    };
    filled(json!({"id": 7, "tags": ["a", "b"], "items": items, "text": ""}), "text", size)
}

/// Makes an event of one kilobyte in many small values: numbers of both kinds, escapes and letters beyond ASCII.
pub(crate) fn dense() -> Bytes {
    let item = |number: u32| {
        json!({
            "id": number, "name": format!("Füller \"{number}\""), "price": 19.99 + f64::from(number),
            "stock": {"count": number, "is_left": number > 0}, "path": format!("/shop/items/{number}\n"),
        })
    };
    let items: Vec<Value> = (0..8).map(item).collect();
    filled(json!({"id": 7, "tags": ["a", "b"], "items": items, "text": ""}), "text", KILOBYTE)
}

/// Makes an event of one kilobyte with ten members, with the sum that a function makes of them.
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

/// Lengthens the event's text `member` until the event has this size.
fn filled(mut event: Value, member: &str, size: usize) -> Bytes {
    let rest = size.checked_sub(event.to_string().len()).expect("the size leaves room for a text");
    let words = "twelve bytes ";
    event[member] = words.chars().cycle().take(rest).collect::<String>().into();
    event.to_string().into()
}

/// Parses JSON text.
pub(crate) fn parsed(text: &[u8]) -> Value {
    serde_json::from_slice(text).expect("an answer is JSON")
}

/// Makes the facts of an invocation with this deadline.
pub(crate) fn invocation(deadline_ms: Option<u64>) -> Invocation {
    Invocation {
        request_id: "00000000-0000-4000-8000-000000000000".to_owned(),
        deadline_ms,
        event_is_json: true,
        ..Invocation::default()
    }
}
