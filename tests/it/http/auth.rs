//! The setting `[auth]`: tokens that let requests in, whatever the form of a function's events.

use super::tokens::{
    Issuer, KEY_SET, LOCALHOST, OTHER_KEY, OTHER_KEY_SET, RSA_KEY, RSA_PUBLIC, signed, signed_with,
};
use crate::support::{Folder, Reply, Served, eventually, run, trine};
use serde_json::{Value, json};

/// Functions that answer what their event tells of the caller.
const FUNCTIONS: [(&str, &str); 3] = [
    (
        "one.mjs",
        "export const handler = (event) => ({ statusCode: 200, body: JSON.stringify(event.requestContext.authorizer ?? null) });",
    ),
    (
        "two.py",
        "import json\n\ndef handler(event, context):\n    \
         return {'statusCode': 200, 'body': json.dumps(event['requestContext'].get('authorizer'))}\n",
    ),
    (
        "three.lua",
        "return { handler = function(event)\n  \
         return { statusCode = 200, body = trine.json.encode(event.requestContext.authorizer or trine.json.null) }\nend }\n",
    ),
];

fn served(setting: &str) -> (Folder, Served) {
    let folder = Folder::new(&FUNCTIONS);
    folder.write("keys.json", KEY_SET);
    folder.write("key.pem", RSA_PUBLIC);
    folder.write("trine.toml", setting);
    let served = Served::start(&folder, &["--workers", "1"]);
    (folder, served)
}

fn claims() -> Value {
    json!({"iss": "https://login.example.com/", "aud": "api", "sub": "ada", "exp": 4_102_444_800_u64, "scope": "read write"})
}

fn ask(served: &Served, path: &str, token: &str) -> Reply {
    served.request("GET", path, &[("authorization", &format!("Bearer {token}"))], b"")
}

#[test]
fn a_valid_token_lets_in_and_is_told_in_the_event() {
    for keys in ["jwks = \"keys.json\"", "key = \"key.pem\""] {
        let (_folder, served) = served(&format!(
            "[auth]\nissuer = \"https://login.example.com/\"\naudience = \"api\"\n{keys}\n"
        ));
        for path in ["/one", "/two", "/three"] {
            let reply = ask(&served, path, &signed(&claims()));
            let claims = json!({
                "iss": "https://login.example.com/", "aud": "api", "sub": "ada", "exp": "4102444800", "scope": "read write",
            });
            assert_eq!(reply.json(), json!({"jwt": {"claims": claims, "scopes": null}}), "{path}");
            let reply = served.get(path);
            let challenge = reply.header("www-authenticate");
            assert_eq!((reply.status, challenge), (401, Some("Bearer")), "{path}");
            assert_eq!(reply.json(), json!({"message": "Unauthorized"}));
            let told = ask(&served, path, &signed(&claims_with("exp", json!(1))));
            let challenge = told.header("www-authenticate").unwrap();
            assert_eq!(told.status, 401);
            assert!(
                challenge.starts_with("Bearer error=\"invalid_token\", ")
                    && challenge.contains("expired"),
                "{challenge}"
            );
            let others = signed(&claims_with("aud", json!("other")));
            let forged = signed_with(OTHER_KEY, None, &claims_with("sub", json!("ada")));
            for token in [others, forged] {
                assert_eq!(ask(&served, path, &token).status, 401, "{path}");
            }
        }
        // Nobody comes in by another door, and what is the server's own stays open.
        assert_eq!(served.post("/2015-03-31/functions/one/invocations", "{}").status, 401);
        assert_eq!(served.get("/.trine/health").status, 200);
    }
}

fn claims_with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[name] = value;
    claims
}

#[test]
fn a_function_may_have_a_setting_of_its_own_or_none() {
    let (_folder, served) = served(
        "[auth]\nkey = \"key.pem\"\n\n\
         [[function]]\nname = \"two\"\nauth = { key = \"key.pem\", scopes = [\"write\", \"all\"] }\n\n\
         [[function]]\nname = \"three\"\nauth = false\n",
    );
    assert_eq!((served.get("/one").status, served.get("/three").status), (401, 200));
    let with_scope = ask(&served, "/two", &signed(&claims())).json();
    assert_eq!(with_scope["jwt"]["scopes"], json!(["write"]));
    let without = ask(&served, "/two", &signed(&claims_with("scope", json!("read"))));
    let challenge = "Bearer error=\"insufficient_scope\", scope=\"write all\"";
    assert_eq!((without.status, without.header("www-authenticate")), (403, Some(challenge)));
    assert_eq!(without.json(), json!({"message": "Forbidden"}));
}

#[test]
fn the_caller_is_told_in_each_form_that_has_a_place_for_it() {
    for form in ["aws-v2", "aws-v1", "function-url", "scaleway"] {
        let (_folder, served) = served(&format!(
            "[auth]\nkey = \"key.pem\"\n\n[[function]]\nname = \"one\"\nevent-format = \"{form}\"\n"
        ));
        let told = ask(&served, "/one", &signed(&claims())).json();
        assert_eq!(told["jwt"]["claims"]["sub"], "ada", "{form}");
        let refused = served.get("/one");
        assert_eq!(
            (refused.status, refused.header("www-authenticate")),
            (401, Some("Bearer")),
            "{form}"
        );
    }
}

#[test]
fn keys_behind_a_url_are_fetched_once_and_again_when_a_token_names_a_new_one() {
    let issuer = Issuer::start();
    let setting = format!("[auth]\njwks = \"http://{}/keys\"\n", issuer.address);
    let (_folder, served) = served(&setting);
    assert_eq!(issuer.asked(), 0, "nobody has asked yet");
    let token = signed_with(RSA_KEY, Some("rsa-1"), &claims());
    for _ in 0..3 {
        assert_eq!(ask(&served, "/one", &token).status, 200);
    }
    assert_eq!(issuer.asked(), 1);
    *issuer.answer.lock().unwrap() = ("200 OK", OTHER_KEY_SET);
    let new = signed_with(OTHER_KEY, Some("rsa-2"), &claims());
    eventually("the new keys are fetched", || {
        (ask(&served, "/one", &new).status == 200).then_some(())
    });
    assert_eq!(ask(&served, "/one", &token).status, 401, "the old key is not published any more");
    *issuer.answer.lock().unwrap() = ("500 Oops", "");
    assert_eq!(ask(&served, "/one", &new).status, 200, "the keys are still good");
}

#[test]
fn keys_are_fetched_securely_from_whom_the_certificates_name() {
    let issuer = Issuer::start_secure();
    let folder = Folder::new(&FUNCTIONS);
    folder.write("localhost.pem", LOCALHOST);
    let setting = format!("[auth]\njwks = \"https://localhost:{}/keys\"\n", issuer.address.port());
    folder.write("trine.toml", setting);
    let start = |variable: Option<(&str, &str)>| {
        let mut command = trine(&folder, &["serve", "--port", "0", "--workers", "1"]);
        command.envs(variable);
        Served::of(command)
    };
    let served = start(Some(("SSL_CERT_FILE", &*folder.file("localhost.pem"))));
    assert_eq!(ask(&served, "/one", &signed(&claims())).status, 200, "{:?}", served.process);
    let file = folder.file("trine.toml");
    for (variable, why) in [
        (None, "no secure connection to localhost: "),
        (Some(("SSL_CERT_FILE", "/gone.pem")), "/gone.pem: "),
        (Some(("SSL_CERT_FILE", &*file)), "it holds no certificate"),
    ] {
        let served = start(variable);
        assert_eq!(ask(&served, "/one", &signed(&claims())).status, 503, "{variable:?}");
        eventually("the log says why", || served.process.stderr().contains(why).then_some(()));
    }
}

#[test]
fn keys_that_cannot_be_had_let_nobody_in_for_the_time_being() {
    for (status, body, why) in [
        ("500 Oops", "", "it has answered with status 500"),
        ("200 OK", "{}", "it has no list 'keys'"),
        ("200 OK", "<html>", "it is no JSON"),
    ] {
        let issuer = Issuer::start();
        *issuer.answer.lock().unwrap() = (status, body);
        let (_folder, served) = served(&format!("[auth]\njwks = \"http://{}/\"\n", issuer.address));
        let reply = ask(&served, "/one", &signed(&claims()));
        assert_eq!((reply.status, reply.header("retry-after")), (503, Some("5")), "{reply:?}");
        eventually("the log says why", || served.process.stderr().contains(why).then_some(()));
        *issuer.answer.lock().unwrap() = ("200 OK", KEY_SET);
        eventually("the keys are fetched", || {
            (ask(&served, "/one", &signed(&claims())).status == 200).then_some(())
        });
    }
}

#[test]
fn a_setting_that_cannot_be_used_is_told_with_its_line() {
    for (text, line, why) in [
        ("[auth]\nissuer = \"a\"\n", 1, "auth: it names no keys"),
        (
            "[[function]]\nname = \"one\"\nauth = { key = \"gone.pem\" }\n",
            3,
            "auth: key = \"gone.pem\"",
        ),
        ("[[function]]\nname = \"one\"\nauth = true\n", 3, "use a table, or false"),
    ] {
        let folder = Folder::new(&FUNCTIONS);
        folder.write("trine.toml", text);
        let finished = run(trine(&folder, &["serve", "--port", "0"]));
        assert_eq!(finished.code, Some(1), "{finished:?}");
        let place = format!("trine.toml:{line}: ");
        assert!(finished.stderr.contains(&place) && finished.stderr.contains(why), "{finished:?}");
    }
}
