//! Measurements of time. Not run by default: `cargo test -p trine-js -- --ignored --nocapture measure`.

use crate::support::{Guest, invocation, run};
use std::time::Instant;
use trine_engine::{Form, FunctionId, Instance, Payload, Seek};

/// Makes an event of about one kilobyte in ten members.
fn event() -> String {
    serde_json::json!({
        "id": "1f0c3a9e-6f0e-4f3e-9b7c-2b1a5d7e9c11", "path": "/orders/7", "method": "POST", "count": 7,
        "total": 57.25, "paid": true, "coupon": null, "tags": ["new", "sale"],
        "customer": {"id": 90210}, "body": "x".repeat(780),
    })
    .to_string()
}

/// Measures the microseconds for an invocation of a handler with this number of hooks before it.
async fn micros(instance: &dyn Instance, hook: FunctionId, handler: FunctionId, hooks: u32) -> f64 {
    let event = event();
    let mut best = f64::MAX;
    for _ in 0..30 {
        let start = Instant::now();
        for _ in 0..20_000 {
            let cx = invocation();
            let mut input = Payload::json(event.clone());
            for _ in 0..hooks {
                let output = instance.call(hook, input.clone(), Form::Native, &cx).await.unwrap();
                if !matches!(output, Payload::Nothing) {
                    input = output;
                }
            }
            instance.call(handler, input, Form::Json, &cx).await.unwrap();
        }
        best = best.min(start.elapsed().as_secs_f64() * 1e6 / 20_000.0);
    }
    best
}

#[test]
#[ignore = "measures"]
fn measure_calls() {
    run(async {
        let middleware =
            "export const before = (event, context) => { event.count += 1; return event; };";
        let files =
            [("app.mjs", "export const handler = (event) => event;"), ("mw.mjs", middleware)];
        let guest = Guest::with(&files, None);
        let handler = guest.handler().await;
        let only = std::env::var("HOOKS").ok().and_then(|hooks| hooks.parse().ok());
        for hooks in only.map_or(0..=3, |hooks: u32| hooks..=hooks) {
            let hook = match hooks {
                0 => handler,
                _ => guest.load("mw.mjs", Seek::Hooks).await.unwrap().functions[0].1,
            };
            let micros = micros(&*guest.instance, hook, handler, hooks).await;
            println!("echo of 1 KB as JSON, {hooks} hooks: {micros:.2} µs");
        }
    });
}

#[test]
#[ignore = "measures"]
fn measure_starts() {
    run(async {
        let guest = Guest::new("export const handler = (event) => event;");
        guest.handler().await;
        let mut best = f64::MAX;
        for _ in 0..30 {
            let start = Instant::now();
            let instance = guest.another();
            let module = guest.module("app.mjs", Seek::Handler("handler".into()));
            instance.load(&module).await.unwrap();
            best = best.min(start.elapsed().as_secs_f64() * 1e3);
            instance.shutdown();
        }
        println!("a fresh instance with an ES module: {best:.2} ms");
    });
}
