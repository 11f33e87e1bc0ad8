//! A handler's result as JSON text, taken apart without building a tree: the members that make a response.

use bytes::Bytes;
use serde::{
    Deserialize, Deserializer,
    de::{Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;
use std::{borrow::Cow, collections::HashMap, fmt};

/// The members of a result that say how to respond. All are still JSON text.
#[derive(Debug, Default)]
pub(super) struct Envelope<'a> {
    pub(super) status_code: Option<&'a RawValue>,
    pub(super) headers: Option<&'a RawValue>,
    pub(super) multi_value_headers: Option<&'a RawValue>,
    pub(super) cookies: Option<&'a RawValue>,
    pub(super) body: Option<&'a RawValue>,
    pub(super) is_base64_encoded: Option<&'a RawValue>,
    /// An old name of the member before, which wins.
    pub(super) base64_encoded: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum Member {
    StatusCode,
    Headers,
    MultiValueHeaders,
    Cookies,
    Body,
    IsBase64Encoded,
    Base64Encoded,
    #[serde(other)]
    Other,
}

impl<'de> Deserialize<'de> for Envelope<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Envelope<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
                let mut envelope = Envelope::default();
                while let Some(member) = map.next_key()? {
                    let place = match member {
                        Member::StatusCode => &mut envelope.status_code,
                        Member::Headers => &mut envelope.headers,
                        Member::MultiValueHeaders => &mut envelope.multi_value_headers,
                        Member::Cookies => &mut envelope.cookies,
                        Member::Body => &mut envelope.body,
                        Member::IsBase64Encoded => &mut envelope.is_base64_encoded,
                        Member::Base64Encoded => &mut envelope.base64_encoded,
                        Member::Other => {
                            map.next_value::<IgnoredAny>()?;
                            continue;
                        }
                    };
                    let value: &RawValue = map.next_value()?;
                    *place = (value.get() != "null").then_some(value);
                }
                Ok(envelope)
            }
        }

        deserializer.deserialize_map(Members)
    }
}

/// Returns the name of the first member of an object that is none of these.
pub(super) fn unknown_member(json: &[u8], known: &[&str]) -> Option<String> {
    let members: HashMap<String, IgnoredAny> = serde_json::from_slice(json).ok()?;
    let mut others: Vec<String> =
        members.into_keys().filter(|name| !known.contains(&name.as_str())).collect();
    others.sort();
    others.into_iter().next()
}

/// Header names with their values; a list gives several.
#[derive(Debug)]
pub(super) struct HeaderFields<'a>(pub(super) Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'de> Deserialize<'de> for HeaderFields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;

        impl<'de> Visitor<'de> for Fields {
            type Value = HeaderFields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of names and values")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
                let mut fields = Vec::with_capacity(map.size_hint().unwrap_or(4));
                while let Some(Text(name)) = map.next_key()? {
                    for value in scalars(map.next_value()?).map_err(|why| {
                        M::Error::custom(format_args!("the value of '{name}' is {why}"))
                    })? {
                        fields.push((name.clone(), value));
                    }
                }
                Ok(HeaderFields(fields))
            }

            /// Accepts an empty list: what a language that does not tell lists from tables makes of an empty table.
            fn visit_seq<S: SeqAccess<'de>>(self, mut list: S) -> Result<Self::Value, S::Error> {
                match list.next_element::<IgnoredAny>()? {
                    None => Ok(HeaderFields(Vec::new())),
                    Some(_) => Err(S::Error::custom("it is a list")),
                }
            }
        }

        deserializer.deserialize_any(Fields)
    }
}

/// A JSON string, borrowed where it has no escapes.
#[derive(Deserialize)]
pub(super) struct Text<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

/// Returns the texts of a string, number or boolean, or of a list of them; none for null.
pub(super) fn scalars(value: &RawValue) -> Result<Vec<Cow<'_, str>>, &'static str> {
    let text = value.get();
    match text.as_bytes().first() {
        Some(b'n') => Ok(Vec::new()),
        Some(b'"') => Ok(vec![string(text).ok_or("no valid string")?]),
        Some(b'[') => {
            let list: Vec<&RawValue> = serde_json::from_str(text).map_err(|_| "no valid list")?;
            let mut all = Vec::with_capacity(list.len());
            for item in list {
                if item.get().starts_with('[') {
                    return Err("a list of lists");
                }
                all.append(&mut scalars(item)?);
            }
            Ok(all)
        }
        Some(b'{') | None => Err("an object, not a string"),
        Some(_) => Ok(vec![Cow::Borrowed(text)]),
    }
}

/// Returns the text of a JSON string; `None` for any other value.
pub(super) fn string(json: &str) -> Option<Cow<'_, str>> {
    match serde_json::from_str::<Text<'_>>(json) {
        Ok(text) => Some(text.0),
        Err(_) if json.starts_with('"') => {
            let mended = without_lone_surrogates(json);
            serde_json::from_str::<String>(&mended).ok().map(Cow::Owned)
        }
        Err(_) => None,
    }
}

/// Returns a JSON string with the replacement character where half of a surrogate pair stands: a text that was cut in
/// the middle of an emoji has one, and no response can carry it.
fn without_lone_surrogates(json: &str) -> String {
    let unit = |at: usize| {
        let escape = json.get(at..at + 6)?.strip_prefix("\\u")?;
        u16::from_str_radix(escape, 16).ok()
    };
    let mut out = String::with_capacity(json.len());
    let mut rest = 0;
    while let Some(found) = json[rest..].find('\\') {
        let at = rest + found;
        out.push_str(&json[rest..at]);
        let is_pair = || matches!(unit(at + 6), Some(0xdc00..=0xdfff));
        let (length, replaced) = match unit(at) {
            Some(0xd800..=0xdbff) if is_pair() => (12, false),
            Some(0xd800..=0xdfff) => (6, true),
            Some(_) => (6, false),
            // One letter, or what is no escape at all.
            None => (1 + json[at + 1..].chars().next().map_or(0, char::len_utf8), false),
        };
        out.push_str(if replaced { "\u{fffd}" } else { &json[at..at + length] });
        rest = at + length;
    }
    out.push_str(&json[rest..]);
    out
}

/// Returns `text` as a part of `whole` where it is one, so that nothing is copied.
pub(super) fn shared(whole: &Bytes, text: Cow<'_, str>) -> Bytes {
    match text {
        Cow::Borrowed(text) => part(whole, text),
        Cow::Owned(text) => Bytes::from(text),
    }
}

/// Returns JSON text without the spaces between its tokens.
pub(super) fn compact(whole: &Bytes, json: &str) -> Bytes {
    if !json.bytes().any(|byte| byte.is_ascii_whitespace()) {
        return part(whole, json);
    }
    let mut out = Vec::with_capacity(json.len());
    let (mut in_string, mut escaped) = (false, false);
    for byte in json.bytes() {
        if in_string {
            in_string = escaped || byte != b'"';
            escaped = !escaped && byte == b'\\';
        } else if byte.is_ascii_whitespace() {
            continue;
        } else {
            in_string = byte == b'"';
        }
        out.push(byte);
    }
    Bytes::from(out)
}

fn part(whole: &Bytes, text: &str) -> Bytes {
    let (start, all) = (text.as_ptr() as usize, whole.as_ptr() as usize);
    if start >= all && start + text.len() <= all + whole.len() {
        return whole.slice_ref(text.as_bytes());
    }
    Bytes::copy_from_slice(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_found_whatever_stands_around_them() {
        let text = r#"{"x":[{"body":1}],"status\u0043ode":"201","body":null,"headers":{"a":1}}"#;
        let envelope: Envelope<'_> = serde_json::from_str(text).unwrap();
        assert_eq!(envelope.status_code.unwrap().get(), "\"201\"");
        assert_eq!(envelope.headers.unwrap().get(), r#"{"a":1}"#);
        assert!(envelope.body.is_none());
    }

    #[test]
    fn the_last_of_two_members_counts_as_it_does_everywhere_else() {
        let envelope: Envelope<'_> =
            serde_json::from_str(r#"{"statusCode":1,"statusCode":2}"#).unwrap();
        assert_eq!(envelope.status_code.unwrap().get(), "2");
    }

    #[test]
    fn header_values_are_scalars_or_lists_of_them() {
        let text = r#"{"a":"x\n","b":1.5,"c":true,"d":["1",2],"e":null}"#;
        let fields: HeaderFields<'_> = serde_json::from_str(text).unwrap();
        let fields: Vec<_> = fields.0.iter().map(|(n, v)| (n.as_ref(), v.as_ref())).collect();
        assert_eq!(fields, [("a", "x\n"), ("b", "1.5"), ("c", "true"), ("d", "1"), ("d", "2")]);
        assert!(serde_json::from_str::<HeaderFields<'_>>("[]").unwrap().0.is_empty());
        for wrong in [r#"{"a":{}}"#, r#"{"a":[[1]]}"#, "[1]", "\"x\""] {
            assert!(serde_json::from_str::<HeaderFields<'_>>(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn half_of_a_surrogate_pair_becomes_the_replacement_character() {
        for (json, text) in [
            (r#""hi\ud83d""#, "hi\u{fffd}"),
            (r#""\udc00\ud83d\ud83d\ude00""#, "\u{fffd}\u{fffd}😀"),
            (r#""\\\ud83d \\ud83d é""#, "\\\u{fffd} \\ud83d é"),
            (r#""\ud83d\n""#, "\u{fffd}\n"),
        ] {
            assert_eq!(string(json).as_deref(), Some(text), "{json}");
        }
        for wrong in [r#""\ud8""#, r#""\"#, r#""\x""#, "5", ""] {
            assert_eq!(string(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn compact_text_loses_the_spaces_between_tokens_alone() {
        let whole = Bytes::from_static(br#"{ "a b": [1, 2.50], "c\" d" : "\\" , "e": " " }"#);
        let text = std::str::from_utf8(&whole).unwrap();
        assert_eq!(compact(&whole, text), r#"{"a b":[1,2.50],"c\" d":"\\","e":" "}"#);
    }

    #[test]
    fn a_string_without_escapes_is_not_copied() {
        let whole = Bytes::from_static(br#"["abc"]"#);
        let text = std::str::from_utf8(&whole).unwrap();
        let body = shared(&whole, string(&text[1..6]).unwrap());
        assert_eq!(body, "abc");
        assert_eq!(body.as_ptr() as usize, whole.as_ptr() as usize + 2);
    }
}
