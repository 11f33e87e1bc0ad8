use super::*;
use serde_json::{Value, json};

fn shaped(value: &Value, beside: &str) -> Option<Shaped> {
    let beside = Bytes::copy_from_slice(beside.as_bytes());
    std::iter::repeat_with(|| Shaped::of(value, &beside)).take(20).flatten().last()
}

#[test]
fn a_value_is_the_same_when_it_is_put_together_again() {
    for value in [
        json!({}),
        json!([]),
        json!("a:"),
        json!({"a": {"b": [], "c": {}}, "d": [1, -2.5, true, null, "é\"\n", [[]], {"e": ":"}]}),
        json!([{"__proto__": 1, "": 2}, {"a\"b": "c\u{2028}"}]),
    ] {
        let again: Value = serde_json::from_slice(&shaped(&value, "").unwrap().to_json()).unwrap();
        assert_eq!(again, value);
    }
}

#[test]
fn a_shape_is_known_after_some_values_and_is_the_same_for_all_of_them() {
    let value = |n: u32| json!({"known": n, "text": n.to_string()});
    let all: Vec<Option<Shaped>> = (0..10).map(|n| Shaped::of(&value(n), &Bytes::new())).collect();
    assert!(all[0].is_none() && all[1].is_none());
    let (one, other) = (all[8].as_ref().unwrap(), all[9].as_ref().unwrap());
    assert_eq!(one.shape().id(), other.shape().id());
    assert_eq!(one.leaves().collect::<Vec<_>>(), [Leaf::Integer(8), Leaf::Text("8")]);
    let counted = one.shape().parts().first();
    assert_eq!(counted, Some(&Part::Object(2)));
    assert_ne!(one, other);
}

#[test]
fn a_text_beside_a_value_is_a_leaf_of_it() {
    #[derive(Serialize)]
    struct Event {
        first: u8,
        body: Beside,
        last: &'static str,
    }
    let event = Event { first: 1, body: Beside, last: "x" };
    assert_eq!(serde_json::to_string(&event).unwrap(), r#"{"first":1,"body":"","last":"x"}"#);
    let body = Bytes::from_static("\"é\"".as_bytes());
    let value = std::iter::repeat_with(|| Shaped::of(&event, &body)).take(9).flatten().last();
    assert_eq!(value.unwrap().to_json(), r#"{"first":1,"body":"\"é\"","last":"x"}"#);
    assert!(Shaped::of(&event, &Bytes::from_static(b"\xff")).is_none());
}

#[test]
fn what_nobody_could_build_is_left_whole() {
    let mut deep = json!(1);
    for _ in 0..40 {
        deep = json!([deep]);
    }
    assert!(shaped(&deep, "").is_none());
    assert!(shaped(&json!(vec![0; 1000]), "").is_none());
    assert!(shaped(&json!(u64::MAX), "").is_none());
    let raw = serde_json::value::RawValue::from_string("{}".into()).unwrap();
    let raw = std::iter::repeat_with(|| Shaped::of(&raw, &Bytes::new())).take(9).flatten().last();
    assert!(raw.is_none());
}

#[test]
fn no_client_makes_a_thread_know_shapes_without_end() {
    let of = |n: usize| shaped(&json!({ format!("made up {n}"): 1 }), "").is_some();
    let known = (0..1000).filter(|n| of(*n)).count();
    assert!((1..100).contains(&known), "{known}");
    // Those that are known stay so.
    assert!(of(0));
}
