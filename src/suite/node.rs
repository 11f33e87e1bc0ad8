//! JSON text taken apart level by level, with numbers as they are written.

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;
use std::fmt;

/// One level of a JSON text.
#[derive(Debug)]
pub(super) enum Node<'j> {
    Object(Vec<(String, &'j RawValue)>),
    Array(Vec<&'j RawValue>),
    Text(String),
    Number(&'j str),
    /// `true`, `false`, `null`, or a string that no text can hold (half of a surrogate pair).
    Other(&'j str),
}

impl<'j> Node<'j> {
    pub(super) fn of(value: &'j RawValue) -> Self {
        let json = value.get();
        let node = match json.as_bytes().first() {
            Some(b'{') => serde_json::from_str(json).map(|Members(members)| Self::Object(members)),
            Some(b'[') => serde_json::from_str(json).map(Self::Array),
            Some(b'"') => serde_json::from_str(json).map(Self::Text),
            Some(b'-' | b'0'..=b'9') => Ok(Self::Number(json)),
            _ => Ok(Self::Other(json)),
        };
        node.unwrap_or(Self::Other(json))
    }
}

/// An object's members in their order; of several with one name the last counts, at the place of the first.
struct Members<'j>(Vec<(String, &'j RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members: Vec<(String, &RawValue)> = Vec::new();
                let mut places = std::collections::HashMap::new();
                while let Some((name, value)) = map.next_entry::<String, &RawValue>()? {
                    match places.get(&name) {
                        Some(place) => members[*place] = (name, value),
                        None => {
                            places.insert(name.clone(), members.len());
                            members.push((name, value));
                        }
                    }
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Reader)
    }
}

/// Whether two numbers are the same, to the last digit: `1`, `1.0` and `10e-1` are.
pub(super) fn same_number(a: &str, b: &str) -> bool {
    a == b || matches!((digits(a), digits(b)), (Some(a), Some(b)) if a == b)
}

/// Returns a number's sign, its digits from the first that is not 0 to the last, and the power of ten of that last one.
fn digits(number: &str) -> Option<(bool, String, i64)> {
    let (is_negative, number) = match number.strip_prefix('-') {
        Some(number) => (true, number),
        None => (false, number),
    };
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let exponent: i64 = exponent.parse().ok()?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = format!("{whole}{fraction}");
    let significant = all.trim_end_matches('0');
    let power = exponent
        .checked_sub(i64::try_from(fraction.len()).ok()?)?
        .checked_add(i64::try_from(all.len() - significant.len()).ok()?)?;
    match significant.trim_start_matches('0') {
        "" => Some((false, String::new(), 0)),
        significant => Some((is_negative, significant.to_owned(), power)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_the_same_to_the_last_digit() {
        for (a, b) in [
            ("1", "1.0"),
            ("100", "1e2"),
            ("0.5", "5E-1"),
            ("-0", "0.00"),
            ("12300", "1.23e+4"),
            ("18446744073709551617", "18446744073709551617.0"),
        ] {
            assert!(same_number(a, b) && same_number(b, a), "{a} {b}");
        }
        for (a, b) in [
            ("1", "-1"),
            ("1", "10"),
            ("0.3", "0.30000000000000004"),
            ("18446744073709551616", "18446744073709551617"),
            ("1e99999999999999999999", "1"),
        ] {
            assert!(!same_number(a, b) && !same_number(b, a), "{a} {b}");
        }
    }

    #[test]
    fn objects_keep_the_order_of_their_members() {
        let text: &RawValue = serde_json::from_str(r#"{"b": 1, "a": [ ], "b": 2}"#).unwrap();
        let Node::Object(members) = Node::of(text) else { panic!() };
        let members: Vec<_> = members.iter().map(|(name, value)| (&**name, value.get())).collect();
        assert_eq!(members, [("b", "2"), ("a", "[ ]")]);
    }
}
