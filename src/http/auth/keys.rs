//! Keys with which signatures are checked: from PEM texts and from sets of JSON Web Keys (RFC 7517).

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey, jwk::Jwk};
use serde_json::Value;

/// A public key.
#[derive(Debug, Clone)]
pub(in crate::http) struct Key {
    id: Option<String>,
    /// The only algorithm that it is for, if it says so.
    algorithm: Option<Algorithm>,
    decoding: DecodingKey,
}

impl Key {
    fn new(decoding: DecodingKey) -> Self {
        Self { id: None, algorithm: None, decoding }
    }

    /// Reads an RSA key: PKCS#1 or SPKI in PEM, whatever its label says, line ends written as `\n` as variables have them.
    ///
    /// # Errors
    /// The reason why it is none.
    pub(in crate::http) fn of_rsa_pem(text: &str) -> Result<Self, String> {
        let content = pem_content(&text.replace("\\r", "").replace("\\n", "\n"))?;
        let der = STANDARD.decode(content.replace('\n', ""));
        let der = der.map_err(|error| format!("what it holds is no base64: {error}"))?;
        let pem = format!("-----BEGIN PUBLIC KEY-----\n{content}\n-----END PUBLIC KEY-----\n");
        let key = DecodingKey::from_rsa_pem(pem.as_bytes()).ok();
        let key = key.or_else(|| is_pkcs1(&der).then(|| DecodingKey::from_rsa_der(&der)));
        key.map(Self::new).ok_or_else(|| "it is no RSA key in the form PKCS#1 or SPKI".to_owned())
    }

    /// Reads a public key of any kind that signs tokens: RSA, of an elliptic curve, or Ed25519.
    ///
    /// # Errors
    /// The reason why it is none.
    pub(super) fn of_pem(text: &str) -> Result<Self, String> {
        pem_content(text)?;
        DecodingKey::from_ec_pem(text.as_bytes())
            .or_else(|_| DecodingKey::from_ed_pem(text.as_bytes()))
            .map(Self::new)
            .or_else(|_| Self::of_rsa_pem(text))
            .map_err(|_| "it is no public key of RSA, an elliptic curve or Ed25519".to_owned())
    }

    /// Reads a JSON Web Key; `None` for one that signs no tokens, or in a way that is not known here.
    fn of_jwk(value: &Value) -> Option<Self> {
        let jwk: Jwk = serde_json::from_value(value.clone()).ok()?;
        let is_for_signatures = value.get("use").is_none_or(|usage| usage == "sig");
        let decoding = DecodingKey::from_jwk(&jwk).ok()?;
        // What a set publishes is no secret.
        if !is_for_signatures || decoding.family() == AlgorithmFamily::Hmac {
            return None;
        }
        let named = value.get("alg").and_then(Value::as_str);
        let algorithm = match named {
            Some(name) => Some(name.parse().ok()?),
            None => None,
        };
        Some(Self { id: jwk.common.key_id, algorithm, decoding })
    }

    /// Whether signatures by this algorithm can be checked with it.
    pub(super) fn is_for(&self, algorithm: Algorithm) -> bool {
        family(algorithm) == self.decoding.family()
            && self.algorithm.is_none_or(|only| only == algorithm)
    }

    pub(super) fn decoding(&self) -> &DecodingKey {
        &self.decoding
    }
}

/// Returns the kind of key that an algorithm takes.
fn family(algorithm: Algorithm) -> AlgorithmFamily {
    match algorithm {
        Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512 => AlgorithmFamily::Hmac,
        Algorithm::ES256 | Algorithm::ES384 => AlgorithmFamily::Ec,
        Algorithm::EdDSA => AlgorithmFamily::Ed,
        _ => AlgorithmFamily::Rsa,
    }
}

/// Whether DER has the outline of a public key in PKCS#1: a sequence of two numbers, the first of them long.
fn is_pkcs1(der: &[u8]) -> bool {
    let inner = |tag, der| element(tag, der).filter(|(_, rest)| rest.is_empty());
    let numbers = inner(SEQUENCE, der).and_then(|(numbers, _)| element(INTEGER, numbers));
    let exponent = |rest| inner(INTEGER, rest).is_some();
    numbers.is_some_and(|(modulus, rest)| modulus.len() >= 64 && exponent(rest))
}

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;

/// Takes an element off the beginning of DER: returns what it holds, and the rest.
fn element(tag: u8, der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (head, rest) = der.split_at_checked(2)?;
    let (length, rest) = match head[1] {
        short @ ..=0x7F => (usize::from(short), rest),
        0x81 => (usize::from(*rest.first()?), &rest[1..]),
        0x82 => (usize::from(u16::from_be_bytes([*rest.first()?, *rest.get(1)?])), &rest[2..]),
        _ => return None,
    };
    rest.split_at_checked(length).filter(|_| head[0] == tag)
}

/// Returns what stands between the lines `BEGIN` and `END` of a PEM text.
fn pem_content(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("there is no key".to_owned());
    }
    let inner = text.strip_prefix("-----BEGIN ").and_then(|rest| rest.split_once("-----"));
    let (label, rest) = inner.ok_or("it does not begin with '-----BEGIN '")?;
    if label.contains("PRIVATE") {
        return Err(
            "it is a private key, which belongs to whoever signs: give the public one".into()
        );
    }
    let (content, _) = rest.split_once("-----END ").ok_or("it has no line '-----END '")?;
    let lines: Vec<&str> = content.split_whitespace().collect();
    Ok(lines.join("\n"))
}

/// A set of keys.
#[derive(Debug, Clone, Default)]
pub(super) struct KeySet(Vec<Key>);

impl KeySet {
    /// Makes the set of one key, which is used whatever id a token names.
    pub(super) fn only(key: Key) -> Self {
        Self(vec![key])
    }

    /// Reads a set of JSON Web Keys. Those that sign no tokens are passed over.
    ///
    /// # Errors
    /// The reason why it is no such set, or has no key that can be used.
    pub(super) fn of_json(text: &str) -> Result<Self, String> {
        let set: Value =
            serde_json::from_str(text).map_err(|error| format!("it is no JSON: {error}"))?;
        let keys = set.get("keys").and_then(Value::as_array);
        let keys = keys.ok_or("it has no list 'keys', as a set of JSON Web Keys has")?;
        let keys: Vec<Key> = keys.iter().filter_map(Key::of_jwk).collect();
        match keys.is_empty() {
            true => Err("it has no public key with which signatures can be checked".to_owned()),
            false => Ok(Self(keys)),
        }
    }

    /// Whether a token that names this key may have been signed with one of these.
    pub(super) fn has(&self, id: Option<&str>) -> bool {
        self.named(id).next().is_some()
    }

    /// Returns the keys with which a token may have been signed that names this key. One without an id of its own may be
    /// any.
    pub(super) fn named<'k>(&'k self, id: Option<&'k str>) -> impl Iterator<Item = &'k Key> {
        self.0.iter().filter(move |key| match (&key.id, id) {
            (Some(own), Some(id)) => own == id,
            _ => true,
        })
    }
}
