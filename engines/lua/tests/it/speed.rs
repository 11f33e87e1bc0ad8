//! Measurements of time. Not run by default: `cargo test -p trine-lua -- --ignored --nocapture speed`.

use crate::support::{Guest, handler, invocation, run};
use std::time::Instant;
use trine_engine::{Form, Payload};

/// Returns about one kilobyte in ten members.
fn plain_event() -> String {
    serde_json::json!({
        "id": "1f0c3a9e-6f0e-4f3e-9b7c-2b1a5d7e9c11", "path": "/orders/7", "method": "POST", "count": 7,
        "total": 57.25, "paid": true, "coupon": null, "tags": ["new", "sale"],
        "customer": {"id": 90210}, "body": "x".repeat(780),
    })
    .to_string()
}

/// Returns about one kilobyte of an ordinary event: 14 tables, some 60 values.
fn event() -> String {
    let items: Vec<_> = (0..6)
        .map(|n| serde_json::json!({"sku": format!("item-{n}"), "quantity": n, "price": 9.5, "tags": ["new", "sale"]}))
        .collect();
    serde_json::json!({
        "orderId": "1f0c3a9e-6f0e-4f3e-9b7c-2b1a5d7e9c11",
        "customer": {"id": 90210, "name": "Ada Lovelace", "email": "ada@example.com", "vip": true},
        "items": items,
        "note": "x".repeat(420),
        "total": 57.0,
        "coupon": null,
    })
    .to_string()
}

/// Returns about one kilobyte in many small values: 21 tables, escapes and letters beyond ASCII.
fn dense_event() -> String {
    let items: Vec<_> = (0..9)
        .map(|n| {
            serde_json::json!({
                "id": n, "name": format!("Füller \"{n}\""), "price": 19.99 + f64::from(n),
                "stock": {"count": n, "is_left": n > 0}, "path": format!("/shop/items/{n}\n"),
            })
        })
        .collect();
    serde_json::json!({"id": 7, "tags": ["a", "b"], "items": items, "text": "The quick brown fox "})
        .to_string()
}

/// Echoes one event many times, each for an invocation of its own, for a profiler that counts instructions.
/// `ECHOES=2000 valgrind --tool=callgrind <test binary> --ignored echoes`; the difference of two runs is the cost.
/// `BODY` replaces the handler's `return event`.
#[test]
#[ignore = "measures"]
fn echoes() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<usize>().ok());
    let event = match std::env::var("EVENT").as_deref() {
        Ok("rich") => event(),
        Ok("plain") => plain_event(),
        Ok("none") => "0".to_owned(),
        _ => dense_event(),
    };
    run(async {
        let body = std::env::var("BODY").unwrap_or_else(|_| "return event".to_owned());
        let guest = Guest::new(&handler(&body));
        let function = guest.load("app", "handler").await.unwrap();
        for _ in 0..number("ECHOES").unwrap_or(1000) {
            let input = Payload::json(event.as_bytes().to_vec());
            let cx = invocation("8d2b7f3e");
            let output = guest.instance.call(function, input, Form::Json, &cx).await.unwrap();
            std::hint::black_box(output);
        }
    });
}

/// Measures the same as `micros` of native values, each call for an invocation of its own.
async fn fresh_micros(event: &str, body: &str) -> f64 {
    let guest = Guest::new(&handler(body));
    let function = guest.load("app", "handler").await.unwrap();
    let input = Payload::json(event.as_bytes().to_vec());
    let input = guest.native(function, input, &invocation("1")).await.unwrap();
    let mut best = f64::MAX;
    for _ in 0..10 {
        let invocations: Vec<_> = (0..20_000).map(|_| invocation("8d2b7f3e")).collect();
        let start = Instant::now();
        for cx in invocations {
            guest.native(function, input.clone(), &cx).await.unwrap();
        }
        best = best.min(start.elapsed().as_secs_f64() * 1e6 / 20_000.0);
    }
    best
}

async fn micros(event: &str, body: &str, form: Form, native: bool) -> f64 {
    let guest = Guest::new(&handler(body));
    let function = guest.load("app", "handler").await.unwrap();
    let cx = invocation("8d2b7f3e-0000-4000-8000-1234567890ab");
    let input = Payload::json(event.as_bytes().to_vec());
    let input = if native {
        guest.instance.call(function, input, Form::Native, &cx).await.unwrap()
    } else {
        input
    };
    let mut best = f64::MAX;
    for _ in 0..10 {
        let start = Instant::now();
        for _ in 0..20_000 {
            guest.instance.call(function, input.clone(), form, &cx).await.unwrap();
        }
        best = best.min(start.elapsed().as_secs_f64() * 1e6 / 20_000.0);
    }
    best
}

#[test]
#[ignore = "measures"]
fn speed() {
    run(async {
        let (rich, plain) = (event(), plain_event());
        for (name, event) in [("rich", &rich), ("plain", &plain)] {
            println!("{name} event of {} bytes", event.len());
            for (what, body, form, native) in [
                ("echo, JSON in and out", "return event", Form::Json, false),
                ("JSON in, number out", "return 1", Form::Json, false),
                ("native in and out", "return event", Form::Native, true),
                ("one field of context", "local id = context.aws_request_id", Form::Json, true),
            ] {
                println!("  {what:24} {:.2} µs", micros(event, body, form, native).await);
            }
            for (what, body) in [
                ("native, own invocation", "return event"),
                ("one field, own invocation", "local id = context.aws_request_id return event"),
                ("state, own invocation", "context.state.n = 1 return event"),
            ] {
                println!("  {what:24} {:.2} µs", fresh_micros(event, body).await);
            }
            let start = Instant::now();
            for _ in 0..20_000 {
                let value: serde_json::Value = serde_json::from_str(event).unwrap();
                std::hint::black_box(serde_json::to_vec(&value).unwrap());
            }
            let micros = start.elapsed().as_secs_f64() * 50.0;
            println!("  {:24} {micros:.2} µs", "serde_json::Value's echo");
        }
        let mut best = [f64::MAX; 2];
        for _ in 0..20 {
            let start = Instant::now();
            let guest = Guest::new(&handler("return 1"));
            best[0] = best[0].min(start.elapsed().as_secs_f64() * 1e6);
            guest.load("app", "handler").await.unwrap();
            best[1] = best[1].min(start.elapsed().as_secs_f64() * 1e6);
        }
        println!(
            "start of an instance:       {:.0} µs, with a module loaded {:.0} µs",
            best[0], best[1]
        );
        let guest = Guest::new(&handler("while true do end"));
        let function = guest.load("app", "handler").await.unwrap();
        for _ in 0..3 {
            let interrupter = guest.instance.interrupter();
            let thread = std::thread::spawn(move || {
                std::thread::sleep(std::time::Duration::from_millis(20));
                let now = Instant::now();
                interrupter.interrupt();
                now
            });
            guest.call(function, "0").await.unwrap_err();
            println!("an endless loop ends after   {:?}", thread.join().unwrap().elapsed());
        }
        for body in [
            "return ('a'):rep(50):find(('a-'):rep(30) .. 'b')",
            "return #('x'):rep(1000000000)",
            "local t = {} for i = 1, 200 do t = {t, t} end return t",
        ] {
            let guest = Guest::new(&handler(body));
            let function = guest.load("app", "handler").await.unwrap();
            let interrupter = guest.instance.interrupter();
            let thread = std::thread::spawn(move || {
                std::thread::sleep(std::time::Duration::from_millis(20));
                let now = Instant::now();
                interrupter.interrupt();
                now
            });
            let _ = guest.call(function, "0").await;
            println!("{body} ends after {:?}", thread.join().unwrap().elapsed());
        }
        let guest = Guest::new(&handler("return 1"));
        guest.load("app", "handler").await.unwrap();
        let start = Instant::now();
        (0..100_000).for_each(|_| {
            std::hint::black_box(guest.instance.usage());
        });
        println!("usage takes {:.0} ns", start.elapsed().as_secs_f64() * 1e4);
        let guest = Guest::new(&handler(
            "if event then debug.sethook(function() end, '', 10000) end local n = 0 for i = 1, 5000000 do n = n + i % 7 end return n",
        ));
        let function = guest.load("app", "handler").await.unwrap();
        for event in ["false", "true"] {
            let start = Instant::now();
            guest.call(function, event).await.unwrap();
            println!("a loop, hook armed {event}:   {:?}", start.elapsed());
        }
    });
}
