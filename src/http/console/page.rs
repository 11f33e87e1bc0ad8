//! The page itself: static files in the binary, and the headers that keep others out of it.

use super::super::response::{Reply, finish};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};

const INDEX: &str = include_str!("page/index.html");
/// The place of the token in the page.
const TOKEN: &str = "{{token}}";

const SCRIPT: &str = "text/javascript; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";

/// The other files: their names, types, and what is in them.
const FILES: [(&str, &str, &str); 11] = [
    ("console.js", SCRIPT, include_str!("page/console.js")),
    ("detail.js", SCRIPT, include_str!("page/detail.js")),
    ("json.js", SCRIPT, include_str!("page/json.js")),
    ("list.js", SCRIPT, include_str!("page/list.js")),
    ("server.js", SCRIPT, include_str!("page/server.js")),
    ("share.js", SCRIPT, include_str!("page/share.js")),
    ("store.js", SCRIPT, include_str!("page/store.js")),
    ("theme.css", CSS, include_str!("page/theme.css")),
    ("detail.css", CSS, include_str!("page/detail.css")),
    ("console.css", CSS, include_str!("page/console.css")),
    ("icon.svg", "image/svg+xml", include_str!("page/icon.svg")),
];

/// What the page may load and do, and that nobody may put it into a frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Whether there is a file of this name.
pub(super) fn has(name: &str) -> bool {
    FILES.iter().any(|(known, ..)| *known == name)
}

/// Returns one of the files by its name below `/.trine/`.
pub(super) fn file(method: &Method, name: &str) -> Option<Reply> {
    let (_, content_type, text) = FILES.iter().find(|(known, ..)| *known == name)?;
    Some(of(method, content_type, Bytes::from_static(text.as_bytes())))
}

/// Returns the page, with its token.
pub(super) fn index(method: &Method, token: &str) -> Reply {
    let page = INDEX.replacen(TOKEN, token, 1);
    of(method, "text/html; charset=utf-8", Bytes::from(page))
}

fn of(method: &Method, content_type: &'static str, body: Bytes) -> Reply {
    finish(method, StatusCode::OK, HeaderMap::new(), body, content_type)
}

/// Puts the headers onto an answer that all of the console's have.
pub(super) fn protect(reply: &mut Reply) {
    let headers = reply.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    for (name, value) in [
        ("cross-origin-resource-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_its_token_once_and_runs_nothing_inline() {
        assert_eq!(INDEX.matches(TOKEN).count(), 1);
        for inline in ["<style", " style=", " onclick=", " onload=", "<script>"] {
            assert!(!INDEX.contains(inline), "{inline}");
        }
        for (name, _, text) in FILES {
            for way in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("] {
                assert!(!text.contains(way), "{name}: {way}");
            }
        }
    }
}
