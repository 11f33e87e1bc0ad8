//! The check that mends of Deno's polyfills do not outlive their need.

use crate::support::{Guest, run};

#[test]
fn what_is_mended_is_still_at_fault_without_the_mend() {
    for mend in [
        "callbacks.js",
        "http_client.js",
        "net.js, pause",
        "net.js, context",
        "child_process.js",
        "fork.js",
        "dgram.js",
        "testing.js",
        "tls_wrap.js",
        "worker_threads.js",
        "async_context.js",
    ] {
        run(async move {
            let files = [
                ("app.mjs", include_str!("mends.mjs")),
                ("key.pem", include_str!("../../../../tests/it/certificates/localhost-key.pem")),
                ("cert.pem", include_str!("../../../../tests/it/certificates/localhost.pem")),
            ];
            let guest = Guest::with(&files, None);
            let handler = guest.handler().await;
            let is_faulty = guest.call(handler, &format!("{mend:?}")).await.unwrap();
            assert_eq!(
                is_faulty, "true",
                "Deno behaves as Node does: what src/prelude says of {mend} can go"
            );
        });
    }
}
