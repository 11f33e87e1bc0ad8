//! Tests of who is let in to a private function.

use super::*;
use crate::http::auth::tests::{
    EC_PUBLIC, RSA_KEY, RSA_PUBLIC, RSA_PUBLIC_PKCS1, forged, signed, signed_as,
};
use serde_json::json;

const NOW: u64 = 1_700_000_000;
const LATE: u64 = 4_102_444_800;

fn claims() -> Value {
    let claim = json!([{"namespace_id": "n", "application_id": "a"}]);
    json!({"application_claim": claim, "exp": LATE})
}

fn access(key: &str) -> Access {
    Access::of(key, "n", "a")
}

fn check(access: &Access, name: &'static str, token: &str) -> Result<(), Denied> {
    let mut headers = HeaderMap::new();
    headers.insert(name, token.parse().unwrap());
    access.check(&headers, NOW)
}

#[test]
fn a_genuine_token_lets_in_by_each_of_three_headers() {
    let token = signed(&claims(), RSA_KEY);
    for key in [
        RSA_PUBLIC.to_owned(),
        RSA_PUBLIC_PKCS1.to_owned(),
        RSA_PUBLIC_PKCS1.replace("RSA PUBLIC KEY", "PUBLIC KEY"),
        RSA_PUBLIC.replace("PUBLIC KEY", "RSA PUBLIC KEY"),
        RSA_PUBLIC.replace('\n', "\\n"),
        format!("\n{}", RSA_PUBLIC_PKCS1.replace('\n', "\\r\\n")),
    ] {
        let access = access(&key);
        assert_eq!(access.problem(), None, "{key}");
        for name in TOKEN_HEADERS {
            assert_eq!(check(&access, name, &token), Ok(()), "{name} {key}");
        }
    }
    assert_eq!(access(RSA_PUBLIC).check(&HeaderMap::new(), NOW), Err(Denied::NoToken));
    assert_eq!(check(&access(RSA_PUBLIC), "x-auth-token", ""), Err(Denied::NoToken));
    assert_eq!(Access::Public.check(&HeaderMap::new(), NOW), Ok(()));
}

#[test]
fn what_is_forged_is_refused() {
    let access = access(RSA_PUBLIC);
    for (what, token) in forged(&claims()) {
        let outcome = check(&access, TOKEN_HEADERS[0], &token);
        assert!(matches!(outcome, Err(Denied::Invalid(_))), "{what}: {outcome:?}");
    }
    let named = signed_as(r#"{"alg":"RS256","kid":"../../key"}"#, &claims(), RSA_KEY);
    let outcome = check(&access, TOKEN_HEADERS[0], &named);
    assert!(matches!(outcome, Err(Denied::Invalid(_))), "{outcome:?}");
}

#[test]
fn a_token_is_for_the_function_or_its_namespace() {
    let access = access(RSA_PUBLIC);
    let of = |claim: Value| {
        let claims = json!({"application_claim": claim});
        check(&access, TOKEN_HEADERS[0], &signed(&claims, RSA_KEY))
    };
    for claim in [
        json!([{"namespace_id": "n", "application_id": "x"}]),
        json!([{"namespace_id": "x", "application_id": "a"}]),
        json!([{"function_id": "a"}]),
    ] {
        assert_eq!(of(claim.clone()), Ok(()), "{claim}");
    }
    assert_eq!(of(json!([{"namespace_id": "x", "application_id": "x"}])), Err(Denied::Forbidden));
    assert_eq!(of(json!([{"namespace_id": ""}])), Err(Denied::Forbidden));
    for claim in [json!([]), json!(null), json!(["n"]), json!([{"namespace_id": "n"}, {}])] {
        let outcome = of(claim.clone());
        assert!(matches!(outcome, Err(Denied::Invalid(_))), "{claim}: {outcome:?}");
    }
    let without = signed(&json!({"exp": LATE}), RSA_KEY);
    assert!(matches!(check(&access, "x-auth-token", &without), Err(Denied::Invalid(_))));
    for (namespace, application) in [("", "a"), ("n", "")] {
        let access = Access::of(RSA_PUBLIC, namespace, application);
        let outcome = check(&access, TOKEN_HEADERS[0], &signed(&claims(), RSA_KEY));
        assert_eq!(outcome, Err(Denied::Forbidden));
        assert!(access.problem().is_some_and(|why| why.ends_with("_ID is not set")));
    }
}

#[test]
fn a_key_that_is_none_is_told_of() {
    let token = signed(&claims(), RSA_KEY);
    for (key, why) in [
        ("", "there is no key"),
        ("abc", "it does not begin with '-----BEGIN '"),
        (RSA_KEY, "it is a private key"),
        (EC_PUBLIC, "it is no RSA key in the form PKCS#1 or SPKI"),
        ("-----BEGIN PUBLIC KEY-----\n!\n-----END PUBLIC KEY-----", "is no base64"),
        ("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", "it is no RSA key"),
        ("-----BEGIN PUBLIC KEY-----\nAAAA", "it has no line '-----END '"),
    ] {
        let access = access(key);
        let problem = access.problem().unwrap();
        assert!(problem.starts_with("SCW_PUBLIC_KEY: ") && problem.contains(why), "{problem}");
        assert_eq!(check(&access, TOKEN_HEADERS[0], &token), Err(Denied::NoKey), "{key}");
    }
}

#[test]
fn the_first_header_with_a_token_counts_and_is_there_once() {
    let access = access(RSA_PUBLIC);
    let token = signed(&claims(), RSA_KEY);
    let mut headers = HeaderMap::new();
    headers.insert(TOKEN_HEADERS[0], "x".parse().unwrap());
    headers.insert(TOKEN_HEADERS[1], token.parse().unwrap());
    assert!(matches!(access.check(&headers, NOW), Err(Denied::Invalid(_))));
    headers.remove(TOKEN_HEADERS[0]);
    assert_eq!(access.check(&headers, NOW), Ok(()));
    headers.append(TOKEN_HEADERS[1], token.parse().unwrap());
    assert!(matches!(access.check(&headers, NOW), Err(Denied::Invalid(_))));
}
