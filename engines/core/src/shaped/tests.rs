use super::*;
use serde_json::{Value, json};

fn shaped(value: &Value) -> Shaped {
    Shaped::of(value, &Bytes::new())
}

/// Whether a shape comes to be known.
fn is_known(value: &Value) -> bool {
    (0..20).any(|_| shaped(value).is_known())
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
        let again: Value = serde_json::from_slice(&shaped(&value).to_json()).unwrap();
        assert_eq!(again, value);
    }
}

#[test]
fn a_shape_is_known_after_some_values_and_is_the_same_for_all_of_them() {
    let value = |n: u32| json!({"known": n, "text": n.to_string()});
    let all: Vec<Shaped> = (0..10).map(|n| shaped(&value(n))).collect();
    assert!(!all[0].is_known() && !all[1].is_known());
    let (one, other) = (&all[8], &all[9]);
    assert!(one.is_known() && other.is_known());
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
    let value = Shaped::of(&event, &body);
    assert_eq!(value.to_json(), r#"{"first":1,"body":"\"é\"","last":"x"}"#);
    let replaced = Shaped::of(&event, &Bytes::from_static(b"\xff"));
    assert_eq!(replaced.to_json(), "{\"first\":1,\"body\":\"\u{fffd}\",\"last\":\"x\"}");
}

#[test]
fn what_is_large_or_deep_is_not_worth_knowing() {
    let mut deep = json!(1);
    for _ in 0..40 {
        deep = json!([deep]);
    }
    for value in [deep, json!(vec![0; 1000])] {
        assert!(!is_known(&value));
        let again: Value = serde_json::from_slice(&shaped(&value).to_json()).unwrap();
        assert_eq!(again, value);
    }
    assert_eq!(shaped(&json!(u64::MAX)).leaves().next(), Some(Leaf::Float(u64::MAX as f64)));
    assert_eq!(Shaped::of(&f64::NAN, &Bytes::new()).to_json(), "null");
}

#[test]
fn no_client_makes_a_thread_know_shapes_without_end() {
    let of = |n: usize| is_known(&json!({ format!("made up {n}"): 1 }));
    let known = (0..1000).filter(|n| of(*n)).count();
    assert!((1..100).contains(&known), "{known}");
    // Those that are known stay so.
    assert!(of(0));
}
