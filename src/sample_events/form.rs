//! What events of several services are made of: ARNs, ids, times, encoded texts.

use super::fields::{Field, Kind, Values};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::{DateTime, SecondsFormat, Utc};
use md5::{Digest, Md5};
use serde_json::{Map, Value, json};

pub(super) const REGION: Field =
    Field::new("region", Kind::Text, &["us-east-1"], "the region that it comes from");
/// The account that belongs to nobody, as functions without Lambda have it.
pub(super) const ACCOUNT: Field =
    Field::new("account", Kind::Text, &["012345678912"], "the account in ARNs");
pub(super) const TIME: Field =
    Field::new("time", Kind::Time, &["2026-01-01T00:00:00Z"], "when it happens, or now");
pub(super) const ID: Field =
    Field::new("id", Kind::Text, &["00000000-0000-4000-8000-000000000001"], "its id");
/// As many records as a function may be given at once.
pub(super) const COUNT: Field =
    Field::new("count", Kind::Number(1, 10_000), &["1"], "the number of records");

impl Values {
    /// Returns an ARN of the event's region and account.
    pub(super) fn arn(&self, service: &str, resource: &str) -> String {
        self.global_arn(service, self.text("region"), resource)
    }

    /// Returns an ARN of the event's account, in a region of its own or in none.
    pub(super) fn global_arn(&self, service: &str, region: &str, resource: &str) -> String {
        let partition = self.partition();
        format!("arn:{partition}:{service}:{region}:{}:{resource}", self.text("account"))
    }

    /// Returns the part of the cloud that the event's region is in.
    pub(super) fn partition(&self) -> &'static str {
        match self.text("region") {
            region if region.starts_with("cn-") => "aws-cn",
            region if region.starts_with("us-gov-") => "aws-us-gov",
            _ => "aws",
        }
    }

    /// Returns the id of the record of this number, counted from 0: the one that was given for the first of them.
    pub(super) fn id(&self, number: i64) -> String {
        numbered(self.text("id"), number)
    }
}

/// Returns an id as many steps after another one: of a UUID the last part counts on, of anything else an appendix.
pub(super) fn numbered(id: &str, number: i64) -> String {
    if number == 0 {
        return id.to_owned();
    }
    let counted = id.rsplit_once('-').filter(|(_, last)| last.len() == 12);
    let last = counted.and_then(|(_, last)| u64::from_str_radix(last, 16).ok());
    match (counted, last) {
        (Some((first, _)), Some(last)) => {
            let next = last.wrapping_add(number.unsigned_abs()) & 0xffff_ffff_ffff;
            format!("{first}-{next:012x}")
        }
        _ => format!("{id}-{}", number + 1),
    }
}

/// Returns a time as `2026-01-01T00:00:00.000Z`.
pub(super) fn milliseconds(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// Returns a time as `2026-01-01T00:00:00Z`.
pub(super) fn seconds(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// Returns a time as `01/Jan/2026:00:00:00 +0000`.
pub(super) fn clock(time: DateTime<Utc>) -> String {
    time.format("%d/%b/%Y:%H:%M:%S +0000").to_string()
}

/// Returns a time as a number of seconds, without a fraction where there is none.
pub(super) fn epoch_seconds(time: DateTime<Utc>) -> Value {
    match time.timestamp_subsec_millis() {
        0 => json!(time.timestamp()),
        _ => json!(time.timestamp_millis() as f64 / 1000.0),
    }
}

pub(super) fn base64(bytes: impl AsRef<[u8]>) -> String {
    STANDARD.encode(bytes)
}

/// Whether a text could be base64, line ends aside.
pub(super) fn is_base64(text: &str) -> bool {
    STANDARD.decode(text.replace(['\r', '\n'], "")).is_ok()
}

/// Returns the MD5 sum of a text in hexadecimal digits, as services name the contents of bodies.
pub(super) fn md5(text: &str) -> String {
    Md5::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Returns a key of S3's as its events have it: as in forms, with slashes.
pub(super) fn key(key: &str) -> String {
    let mut out = String::with_capacity(key.len());
    for byte in key.bytes() {
        match byte {
            b' ' => out.push('+'),
            b'/' | b'-' | b'_' | b'.' | b'*' => out.push(byte.into()),
            byte if byte.is_ascii_alphanumeric() => out.push(byte.into()),
            byte => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// Returns an object of names and texts; of several of one name the last counts.
pub(super) fn object(pairs: &[(String, String)]) -> Value {
    let pairs = pairs.iter().map(|(name, value)| (name.clone(), json!(value)));
    Value::Object(pairs.collect::<Map<_, _>>())
}

/// Returns an object without the members that are null.
pub(super) fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            members.into_iter().filter(|(_, value)| !value.is_null()).collect()
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_count_on() {
        let id = "00000000-0000-4000-8000-00000000000f";
        assert_eq!(numbered(id, 0), id);
        assert_eq!(numbered(id, 1), "00000000-0000-4000-8000-000000000010");
        assert_eq!(
            numbered("0-0-0-0-ffffffffffff", 1),
            "0-0-0-0-000000000000",
            "the last part has no more room"
        );
        assert_eq!(numbered("mine", 2), "mine-3");
    }

    #[test]
    fn keys_are_written_as_in_forms() {
        assert_eq!(key("a b/é+.txt"), "a+b/%C3%A9%2B.txt");
    }

    #[test]
    fn sums_and_times_have_their_forms() {
        assert_eq!(md5(""), "d41d8cd98f00b204e9800998ecf8427e");
        let time = DateTime::from_timestamp_millis(1_767_225_600_500).unwrap();
        assert_eq!(milliseconds(time), "2026-01-01T00:00:00.500Z");
        assert_eq!(seconds(time), "2026-01-01T00:00:00Z");
        assert_eq!(clock(time), "01/Jan/2026:00:00:00 +0000");
        assert_eq!(epoch_seconds(time), json!(1_767_225_600.5));
        assert_eq!(without_nulls(json!({"a": null, "b": 1})), json!({"b": 1}));
    }
}
