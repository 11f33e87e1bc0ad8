//! Tests of the setting, and of whom it lets in.

use super::*;
use crate::http::{
    auth::tests::{
        EC_KEY, EC_PUBLIC, KEY_SET, OTHER_KEY, OTHER_KEY_SET, RSA_KEY, RSA_PUBLIC, forged, signed,
        signed_as, token,
    },
    response::sent_body,
};
use futures::FutureExt;
use jsonwebtoken::EncodingKey;
use tempfile::TempDir;

const NOW: u64 = 1_700_000_000;
const LATE: u64 = 4_102_444_800;

/// Returns a folder with keys in it.
fn folder() -> TempDir {
    let folder = TempDir::new().unwrap();
    for (name, text) in [
        ("rsa.pem", RSA_PUBLIC),
        ("ec.pem", EC_PUBLIC),
        ("private.pem", RSA_KEY),
        ("keys.json", KEY_SET),
    ] {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn read(setting: &str, folder: &TempDir) -> Result<Option<Arc<Auth>>, String> {
    let value: serde_json::Value = toml::from_str(&format!("auth = {setting}")).unwrap();
    Auth::read(&value["auth"], folder.path())
}

fn check(auth: &Auth, token: &str) -> Result<Value, Refused> {
    let mut headers = HeaderMap::new();
    headers.insert(header::AUTHORIZATION, format!("Bearer {token}").parse().unwrap());
    auth.check(&headers, NOW).now_or_never().expect("the keys are at hand")
}

fn claims() -> Value {
    json!({
        "iss": "https://login.example.com/", "aud": ["api", "other"], "sub": "ada", "exp": LATE,
        "scope": "read write", "admin": true, "groups": ["a", "b"],
    })
}

#[test]
fn a_genuine_token_lets_in_and_its_claims_are_told_as_texts() {
    let folder = folder();
    for keys in ["key = \"rsa.pem\"", "jwks = \"keys.json\""] {
        let setting = format!(
            "{{ {keys}, issuer = \"https://login.example.com/\", audience = \"api\", scopes = [\"write\", \"all\"] }}"
        );
        let auth = read(&setting, &folder).unwrap().unwrap();
        let expected = json!({"jwt": {
            "claims": {
                "iss": "https://login.example.com/", "aud": "[api other]", "sub": "ada", "exp": "4102444800",
                "scope": "read write", "admin": "true", "groups": "[a b]",
            },
            "scopes": ["write"],
        }});
        assert_eq!(check(&auth, &signed(&claims(), RSA_KEY)), Ok(expected), "{keys}");
        for (what, token) in forged(&claims()) {
            let outcome = check(&auth, &token);
            assert!(matches!(outcome, Err(Refused::Invalid(_))), "{what}: {outcome:?}");
        }
    }
}

#[test]
fn keys_are_told_apart_by_their_ids_and_kinds() {
    let folder = folder();
    let ec = EncodingKey::from_ec_pem(EC_KEY.as_bytes()).unwrap();
    let of_ec = |header: &str| token(header, &claims().to_string(), &ec, Algorithm::ES256);
    let auth = read("{ jwks = \"keys.json\" }", &folder).unwrap().unwrap();
    for token in [
        of_ec(r#"{"alg":"ES256","kid":"ec-1"}"#),
        of_ec(r#"{"alg":"ES256"}"#),
        signed_as(r#"{"alg":"RS256","kid":"rsa-1"}"#, &claims(), RSA_KEY),
    ] {
        assert_eq!(check(&auth, &token).map(drop), Ok(()), "{token}");
    }
    for token in [
        of_ec(r#"{"alg":"ES256","kid":"rsa-1"}"#),
        signed_as(r#"{"alg":"RS256","kid":"rsa-2"}"#, &claims(), RSA_KEY),
        signed_as(r#"{"alg":"RS256","kid":1}"#, &claims(), RSA_KEY),
    ] {
        assert!(matches!(check(&auth, &token), Err(Refused::Invalid(_))), "{token}");
    }
    // A key in a file of its own has no id, and tokens of most issuers name one.
    let auth = read("{ key = \"ec.pem\" }", &folder).unwrap().unwrap();
    assert!(check(&auth, &of_ec(r#"{"alg":"ES256","kid":"any"}"#)).is_ok());
    let auth = read("{ jwks = \"keys.json\", algorithms = \"RS256\" }", &folder).unwrap().unwrap();
    let refused = check(&auth, &of_ec(r#"{"alg":"ES256","kid":"ec-1"}"#)).unwrap_err();
    assert_eq!(refused, Refused::Invalid("its algorithm 'ES256' is not accepted".into()));
}

#[test]
fn keys_of_a_file_are_exchanged_with_it() {
    let folder = folder();
    let auth = read("{ jwks = \"keys.json\" }", &folder).unwrap().unwrap();
    let new = signed_as(r#"{"alg":"RS256","kid":"rsa-2"}"#, &claims(), OTHER_KEY);
    assert!(check(&auth, &new).is_err());
    let file = fs::File::create(folder.path().join("keys.json")).unwrap();
    std::io::Write::write_all(&mut &file, OTHER_KEY_SET.as_bytes()).unwrap();
    file.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
    assert!(check(&auth, &new).is_ok());
    // What is no set of keys does not take the keys away.
    let file = fs::File::create(folder.path().join("keys.json")).unwrap();
    std::io::Write::write_all(&mut &file, b"{").unwrap();
    file.set_modified(std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1))
        .unwrap();
    assert!(check(&auth, &new).is_ok());
}

#[test]
fn a_token_is_of_the_issuer_for_this_audience_and_ends() {
    let folder = folder();
    let setting =
        "{ key = \"rsa.pem\", issuer = \"https://login.example.com/\", audience = [\"api\"] }";
    let auth = read(setting, &folder).unwrap().unwrap();
    let with = |name: &str, value: Value| {
        let mut claims = claims();
        match value {
            Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
            value => claims[name] = value,
        }
        check(&auth, &signed(&claims, RSA_KEY))
    };
    assert!(with("sub", json!("grace")).is_ok());
    assert!(with("aud", json!("api")).is_ok());
    for (name, value, why) in [
        ("iss", json!("https://login.example.com"), "it was issued by somebody else"),
        ("iss", json!(null), "it was issued by somebody else"),
        ("aud", json!("other"), "it is for somebody else"),
        ("aud", json!(null), "it is for somebody else"),
        ("exp", json!(null), "it has no end ('exp')"),
        ("exp", json!(NOW - 1), "it has expired"),
    ] {
        assert_eq!(with(name, value), Err(Refused::Invalid(why.into())), "{name}");
    }
    let of_client = json!({"iss": "https://login.example.com/", "client_id": "api", "exp": LATE});
    assert!(check(&auth, &signed(&of_client, RSA_KEY)).is_ok());
}

#[test]
fn a_refusal_is_told_as_the_scheme_has_it() {
    let folder = folder();
    let auth = read("{ key = \"rsa.pem\", scopes = \"all\" }", &folder).unwrap().unwrap();
    let shown = |refused: Refused| {
        let reply = refused.reply(&Method::GET);
        let challenge = reply.headers().get(header::WWW_AUTHENTICATE);
        let challenge = challenge.map_or("", |value| value.to_str().unwrap()).to_owned();
        (reply.status().as_u16(), challenge, String::from_utf8(sent_body(reply)).unwrap())
    };
    let unauthorized = r#"{"message":"Unauthorized"}"#.to_owned();
    for headers in [&[][..], &["Basic abc"], &["abc"], &["Bearer"]] {
        let all = headers.iter().map(|value| (header::AUTHORIZATION, value.parse().unwrap()));
        let headers: HeaderMap = all.collect();
        let refused = auth.check(&headers, NOW).now_or_never().unwrap().unwrap_err();
        assert_eq!(shown(refused), (401, "Bearer".into(), unauthorized.clone()));
    }
    let refused = check(&auth, "a.b").unwrap_err();
    let told = "Bearer error=\"invalid_token\", error_description=\"the token is not valid: it has not three parts\"";
    assert_eq!(shown(refused), (401, told.into(), unauthorized));
    let refused = check(&auth, &signed(&claims(), RSA_KEY)).unwrap_err();
    let told = "Bearer error=\"insufficient_scope\", scope=\"all\"";
    assert_eq!(shown(refused), (403, told.into(), r#"{"message":"Forbidden"}"#.into()));
    let refused = shown(Refused::Unavailable("x".into()));
    assert_eq!((refused.0, refused.1.as_str()), (503, ""));
    let odd = shown(Refused::Invalid("\"\\\u{e9}\n".into()));
    assert!(odd.1.ends_with("not valid: '/??\""), "{}", odd.1);
}

#[test]
fn a_setting_that_cannot_be_used_says_why() {
    let folder = folder();
    for (setting, why) in [
        ("true", "auth = true: use a table, or false for no authentication"),
        ("{}", "auth: it names no keys: set jwks = \"FILE or URL\" or key = \"FILE\""),
        ("{ jwks = \"keys.json\", key = \"rsa.pem\" }", "auth: it has 'jwks' and 'key'"),
        ("{ jwks = \"no.json\" }", "auth: jwks = \"no.json\": it cannot be read: No such file"),
        ("{ jwks = \"rsa.pem\" }", "auth: jwks = \"rsa.pem\": it is no JSON"),
        ("{ jwks = \"ftp://a/keys\" }", "keys come from a file, http:// or https://"),
        ("{ jwks = \"https://\" }", "it is no URL"),
        ("{ key = \"private.pem\" }", "auth: key = \"private.pem\": it is a private key"),
        ("{ key = \"keys.json\" }", "auth: key = \"keys.json\": it does not begin with"),
        (
            "{ key = \"rsa.pem\", algorithms = [\"HS256\"] }",
            "auth: algorithms: 'HS256': use RS256, ",
        ),
        ("{ key = \"rsa.pem\", algorithms = [] }", "auth: algorithms is empty: use RS256, "),
        ("{ key = \"rsa.pem\", isuer = \"x\" }", "auth: unknown field `isuer`"),
    ] {
        let error = read(setting, &folder).unwrap_err();
        assert!(error.contains(why), "{setting}: {error}");
    }
    assert!(read("false", &folder).unwrap().is_none());
    let sets = [
        (r#"{"keys":[]}"#, "it has no public key"),
        (r#"{"keys":[{"kty":"oct","k":"AQAB"}]}"#, "it has no public key"),
        (r#"{"keys":[{"kty":"RSA","use":"enc","n":"AQAB","e":"AQAB"}]}"#, "it has no public key"),
        ("[]", "it has no list 'keys'"),
    ];
    for (set, why) in sets {
        let error = KeySet::of_json(set).unwrap_err();
        assert!(error.contains(why), "{set}: {error}");
    }
}
