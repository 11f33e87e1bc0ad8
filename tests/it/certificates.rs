//! Certificates that JavaScript trusts, including those that `NODE_EXTRA_CA_CERTS` names, wherever they are asked for.

use crate::support::{Finished, Folder, run, trine};
use serde_json::{Value, json};

const LOCALHOST: &str = include_str!("certificates/localhost.pem");
const AUTHORITY: &str = include_str!("certificates/authority.pem");

/// A handler's file in which tests can leave out patches before anything is loaded.
const APP: &str = "
if (process.env.UNMENDED) {
  Deno[Deno.internal].trineUnmended = [process.env.UNMENDED];
}
export const { handler } = await import('./ask.mjs');
";

/// Runs the handler that asks its own server in all ways.
fn ask(extra: Option<&str>, variables: &[(&str, &str)]) -> (Value, Finished) {
    let folder = Folder::new(&[
        ("app.mjs", APP),
        ("ask.mjs", include_str!("functions/certificates.mjs")),
        ("key.pem", include_str!("certificates/localhost-key.pem")),
        ("cert.pem", LOCALHOST),
    ]);
    let mut command = trine(&folder, &["invoke", "app.mjs", "--event", "{}"]);
    command.env("OTHER_AUTHORITY", AUTHORITY);
    if let Some(text) = extra {
        folder.write("extra.pem", text);
        command.env("NODE_EXTRA_CA_CERTS", folder.file("extra.pem"));
    }
    command.envs(variables.iter().copied());
    let finished = run(command);
    let results = serde_json::from_str(&finished.stdout);
    (results.unwrap_or_else(|error| panic!("{error}: {finished:?}")), finished)
}

/// Returns the result of each way where the server is trusted.
fn trusted() -> Value {
    json!({
        "roots": true,
        "https": "GET /https",
        "tls": "authorized",
        "tls with another authority": "refused: DEPTH_ZERO_SELF_SIGNED_CERT",
        "http2": "connected",
        "fetch": "GET /fetch",
        "fetch again": "POST /again text",
        "fetch a stream": "PUT /stream stream",
        "fetch elsewhere": "GET /found true /found",
        "fetch an address": "refused: TypeError",
        "thread": "GET /thread",
    })
}

#[test]
fn a_server_that_the_extra_certificates_name_is_trusted_everywhere() {
    for extra in [
        LOCALHOST.to_owned(),
        // Several certificates, with other text around them.
        format!("# \u{e9}\n{AUTHORITY}\nbetween\n{LOCALHOST}{AUTHORITY}"),
    ] {
        let (results, finished) = ask(Some(&extra), &[]);
        assert_eq!(results, trusted(), "{finished:?}");
        assert_eq!(finished.stderr, "");
    }
}

#[test]
fn names_that_no_proxy_is_used_for_make_no_difference() {
    let (results, finished) = ask(Some(LOCALHOST), &[("NO_PROXY", "localhost,127.0.0.1")]);
    assert_eq!(results, trusted(), "{finished:?}");
}

#[test]
fn a_server_that_they_do_not_name_is_refused() {
    for extra in [None, Some(AUTHORITY)] {
        let (results, finished) = ask(extra, &[]);
        for (way, result) in results.as_object().unwrap() {
            let result = result.as_str().unwrap_or("refused");
            assert!(
                result.starts_with("refused") || (way == "thread" && result.contains("failed")),
                "{way}: {result} {finished:?}"
            );
        }
    }
}

#[test]
fn a_file_that_cannot_be_read_is_told_once() {
    let variables = [("NODE_EXTRA_CA_CERTS", "/none/at/all.pem")];
    let (results, finished) = ask(None, &variables);
    assert_ne!(results["tls"], "authorized");
    let warnings: Vec<&str> =
        finished.stderr.lines().filter(|line| line.contains("Ignoring extra certs")).collect();
    assert_eq!(warnings.len(), 1, "{finished:?}");
    assert!(warnings[0].contains("/none/at/all.pem"), "{finished:?}");
    assert!(warnings[0].contains("No such file"), "{finished:?}");
}

#[test]
fn verification_can_be_turned_off_for_all_of_them() {
    let (results, finished) = ask(None, &[("NODE_TLS_REJECT_UNAUTHORIZED", "0")]);
    for way in ["https", "fetch", "fetch again", "fetch a stream", "http2", "thread"] {
        let result = results[way].as_str().unwrap();
        assert!(!result.starts_with("refused"), "{way}: {result} {finished:?}");
    }
    assert_eq!(results["tls"], "not authorized");
    assert!(finished.stderr.contains("NODE_TLS_REJECT_UNAUTHORIZED"), "{finished:?}");
}

#[test]
fn the_mend_of_the_binding_is_still_needed() {
    let (results, finished) = ask(Some(LOCALHOST), &[("UNMENDED", "tls_binding.js")]);
    assert_ne!(results["tls"], "authorized", "Deno trusts it by itself: {finished:?}");
}
