//! Tokens for tests: made by us with the test keys, forged in the ways that are known.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use serde_json::Value;

pub(in crate::http) const RSA_KEY: &str = include_str!("../../../tests/it/tokens/rsa-test-key.pem");
pub(in crate::http) const RSA_PUBLIC: &str =
    include_str!("../../../tests/it/tokens/rsa-test-public.pem");
pub(in crate::http) const RSA_PUBLIC_PKCS1: &str =
    include_str!("../../../tests/it/tokens/rsa-test-public-pkcs1.pem");
pub(in crate::http) const OTHER_KEY: &str =
    include_str!("../../../tests/it/tokens/other-test-key.pem");
pub(in crate::http) const EC_KEY: &str = include_str!("../../../tests/it/tokens/ec-test-key.pem");
pub(in crate::http) const EC_PUBLIC: &str =
    include_str!("../../../tests/it/tokens/ec-test-public.pem");
pub(in crate::http) const KEY_SET: &str = include_str!("../../../tests/it/tokens/test-keys.json");
pub(in crate::http) const OTHER_KEY_SET: &str =
    include_str!("../../../tests/it/tokens/other-test-keys.json");

/// Returns the token with this header and these claims, as JSON texts, signed by an algorithm.
pub(in crate::http) fn token(
    header: &str,
    claims: &str,
    key: &EncodingKey,
    algorithm: Algorithm,
) -> String {
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let signature = crypto::sign(message.as_bytes(), key, algorithm).unwrap();
    format!("{message}.{signature}")
}

/// Returns the token with these claims, signed with an RSA key by RS256.
pub(in crate::http) fn signed(claims: &Value, key: &str) -> String {
    signed_as(r#"{"alg":"RS256","typ":"JWT"}"#, claims, key)
}

pub(in crate::http) fn signed_as(header: &str, claims: &Value, key: &str) -> String {
    let key = EncodingKey::from_rsa_pem(key.as_bytes()).unwrap();
    token(header, &claims.to_string(), &key, Algorithm::RS256)
}

/// Returns a genuine token of these claims that was tampered with, in all ways that are known, with a word about each.
pub(in crate::http) fn forged(claims: &Value) -> Vec<(&'static str, String)> {
    let genuine = signed(claims, RSA_KEY);
    let parts: Vec<&str> = genuine.split('.').collect();
    let [header, payload, signature] = parts.as_slice() else { panic!("it has three parts") };
    let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"JWT"}"#);
    let secret = EncodingKey::from_secret(RSA_PUBLIC.as_bytes());
    let symmetric = token(r#"{"alg":"HS256"}"#, &claims.to_string(), &secret, Algorithm::HS256);
    let text = claims.to_string();
    let with = |more: &str| format!("{},{more}}}", text.trim_end_matches('}'));
    let key = EncodingKey::from_rsa_pem(RSA_KEY.as_bytes()).unwrap();
    let of = |header: &str, claims: &str| token(header, claims, &key, Algorithm::RS256);
    let plain = r#"{"alg":"RS256"}"#;
    let mut other = signature.as_bytes().to_vec();
    other[7] = if other[7] == b'A' { b'B' } else { b'A' };
    let other = String::from_utf8(other).unwrap();
    vec![
        ("no algorithm", format!("{none}.{payload}.")),
        ("no algorithm, a signature", format!("{none}.{payload}.{signature}")),
        ("the public key as a secret", symmetric),
        ("somebody else's key", signed(claims, OTHER_KEY)),
        ("another signature", format!("{header}.{payload}.{other}")),
        ("no signature", format!("{header}.{payload}.")),
        ("two parts", format!("{header}.{payload}")),
        ("four parts", format!("{genuine}.x")),
        ("a word before it", format!("Bearer {genuine}")),
        ("padding", format!("{header}=.{payload}.{signature}")),
        (
            "a key brought along",
            of(r#"{"alg":"RS256","jwk":{"kty":"RSA","n":"AQ","e":"AQAB"}}"#, &text),
        ),
        ("a key from elsewhere", of(r#"{"alg":"RS256","jku":"http://127.0.0.1:9/keys"}"#, &text)),
        (
            "a certificate from elsewhere",
            of(r#"{"alg":"RS256","x5u":"http://127.0.0.1:9/"}"#, &text),
        ),
        ("an extension", of(r#"{"alg":"RS256","crit":["b64"],"b64":false}"#, &text)),
        ("two algorithms", of(r#"{"alg":"RS256","alg":"none"}"#, &text)),
        ("two ends", of(plain, &with(r#""jti":"1","jti":"2""#))),
        ("an unknown algorithm", of(r#"{"alg":"RS1024"}"#, &text)),
        ("no header", of("[]", &text)),
        ("no claims", of(plain, "[]")),
        ("claims that are no JSON", of(plain, "{")),
        (
            "too long",
            of(plain, &with(&format!("\"jti\":\"{}\"", "x".repeat(super::token::LONGEST)))),
        ),
        (
            "it has expired",
            of(plain, &with(r#""x":0"#).replace(r#""exp":4102444800"#, r#""exp":1"#)),
        ),
        ("not yet", of(plain, &with(r#""nbf":4102444800"#))),
        ("issued in the future", of(plain, &with(r#""iat":4102444800"#))),
        ("nothing", ".".into()),
    ]
}
