//! JSON whose objects have each member once. Parsers differ in which of two members of one name they take, so that a
//! token with two could say one thing to whoever checks it and another to whoever reads it.

use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Number, Value};
use std::fmt;

/// Parses a JSON object.
///
/// # Errors
/// The reason why it is none, or which member occurs twice.
pub(super) fn object(json: &[u8]) -> Result<Map<String, Value>, String> {
    match serde_json::from_slice::<Unique>(json) {
        Ok(Unique(Value::Object(object))) => Ok(object),
        Ok(_) => Err("it is no object".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

struct Unique(Value);

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Values).map(Unique)
    }
}

struct Values;

impl<'de> Visitor<'de> for Values {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut list: S) -> Result<Value, S::Error> {
        let mut all = Vec::new();
        while let Some(Unique(value)) = list.next_element()? {
            all.push(value);
        }
        Ok(Value::Array(all))
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Value, M::Error> {
        let mut all = Map::new();
        while let Some((name, Unique(value))) = map.next_entry::<String, Unique>()? {
            if all.contains_key(&name) {
                return Err(M::Error::custom(format_args!("the member '{name}' occurs twice")));
            }
            all.insert(name, value);
        }
        Ok(Value::Object(all))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_object_is_what_it_would_be_anywhere_unless_a_member_occurs_twice() {
        let text = r#"{"a":[1,-2,1.5,"x",null,true,{"b":{}}],"c":18446744073709551615}"#;
        assert_eq!(
            Value::Object(object(text.as_bytes()).unwrap()),
            json!({
                "a": [1, -2, 1.5, "x", null, true, {"b": {}}], "c": u64::MAX,
            })
        );
        for (text, why) in [
            (r#"{"a":1,"a":1}"#, "the member 'a' occurs twice"),
            (r#"{"a":1,"\u0061":1}"#, "the member 'a' occurs twice"),
            (r#"{"x":[{"b":1,"b":2}]}"#, "the member 'b' occurs twice"),
            ("[1]", "it is no object"),
            ("{", "EOF while parsing"),
            ("{} {}", "trailing characters"),
        ] {
            let error = object(text.as_bytes()).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
        assert!(object(b"{\"a\":\"\xff\"}").is_err());
    }
}
