//! Request ids: a client's own, or one of the server's making.

use http::{HeaderMap, HeaderName};
use std::{
    cell::Cell,
    hash::{BuildHasher, RandomState},
};
use uuid::{Builder, Uuid};

/// The header in which ids come and go.
pub(super) const NAME: HeaderName = HeaderName::from_static("x-request-id");

/// The longest id that is taken from a client, in bytes.
const LONGEST: usize = 128;

/// A maker of version 4 UUIDs from a secret and a count, which saves a system call for each.
#[derive(Debug, Default)]
pub(super) struct RequestIds {
    secret: RandomState,
    made: Cell<u64>,
}

impl RequestIds {
    /// Makes a new id.
    pub(super) fn make(&self) -> Uuid {
        let number = self.made.get();
        self.made.set(number + 1);
        let half = |which: u8| self.secret.hash_one((number, which)).to_ne_bytes();
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&half(0));
        bytes[8..].copy_from_slice(&half(1));
        Builder::from_random_bytes(bytes).into_uuid()
    }
}

/// Returns the id that a client gave its request: one alone, of letters, digits and `-_.~:+/=@`, which cannot be taken for
/// anything else in a log or a header.
pub(super) fn given(headers: &HeaderMap) -> Option<&str> {
    let mut all = headers.get_all(NAME).iter();
    let (Some(only), None) = (all.next(), all.next()) else { return None };
    let is_sane = |text: &&str| {
        (1..=LONGEST).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.~:+/=@".contains(&byte))
    };
    only.to_str().ok().filter(is_sane)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use std::collections::HashSet;

    #[test]
    fn ids_are_random_uuids_and_differ_between_makers_too() {
        let makers = [RequestIds::default(), RequestIds::default()];
        let ids: Vec<Uuid> = makers.iter().flat_map(|ids| (0..1000).map(|_| ids.make())).collect();
        assert!(ids.iter().all(|id| id.get_version() == Some(uuid::Version::Random)));
        assert_eq!(ids.iter().collect::<HashSet<_>>().len(), 2000);
    }

    #[test]
    fn an_id_is_taken_from_a_client_if_it_can_do_no_harm() {
        let of = |values: &[&[u8]]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(NAME, HeaderValue::from_bytes(value).unwrap());
            }
            given(&headers).map(str::to_owned)
        };
        assert_eq!(of(&[b"a-1_B.~:+/=@"]).as_deref(), Some("a-1_B.~:+/=@"));
        assert_eq!(of(&[&[b'a'; LONGEST]]).map(|id| id.len()), Some(LONGEST));
        let all: [&[&[u8]]; 7] = [
            &[],
            &[b""],
            &[b"a b"],
            &[b"a\""],
            &[b"\xc3\xa9"],
            &[b"a", b"b"],
            &[&[b'a'; LONGEST + 1]],
        ];
        for refused in all {
            assert_eq!(of(refused), None, "{refused:?}");
        }
    }
}
