//! Measurements without judgement: `cargo test -p trine-python -- --ignored --nocapture measure`.

use crate::harness::{Case, invocation};
use std::{
    rc::Rc,
    time::{Duration, Instant},
};
use trine_engine::{Form, Payload};

fn per_call(case: &Case, name: &str, event: &str, form: Form) -> f64 {
    let function = case.load("app", name).unwrap();
    let event = bytes::Bytes::from(event.to_owned());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut best = Duration::MAX;
        for _ in 0..10 {
            let started = Instant::now();
            for _ in 0..2000 {
                let input = Payload::Json(event.clone());
                let invocation = Rc::new(invocation());
                case.instance.call(function, input, form, &invocation).await.unwrap();
            }
            best = best.min(started.elapsed());
        }
        best.as_secs_f64() * 1e6 / 2000.0
    })
}

#[test]
#[ignore = "measures"]
fn start_and_calls() {
    let started = Instant::now();
    let source = "\
def echo(event, context): return event
async def echo_async(event, context): return event
def none(event, context): return None
async def none_async(event, context): return None
";
    let case = Case::with(&[("app.py", source)], |environment| environment.main_thread = true);
    println!("start: {:.2} ms", started.elapsed().as_secs_f64() * 1e3);
    case.load("app", "echo").unwrap();
    println!("start and load: {:.2} ms", started.elapsed().as_secs_f64() * 1e3);
    let items: Vec<_> = (0..10)
        .map(|n| {
            let text = format!("item number {n} with some text that fills it up");
            serde_json::json!({"id": n, "name": text, "price": 1.5, "tags": ["a", "b"]})
        })
        .collect();
    let event = serde_json::json!({ "items": items }).to_string();
    println!("event: {} bytes", event.len());
    for (name, event) in
        [("none", "null"), ("none_async", "null"), ("echo", &*event), ("echo_async", &*event)]
    {
        println!("{name}: {:.2} µs", per_call(&case, name, event, Form::Json));
    }
    println!("echo, native result: {:.2} µs", per_call(&case, "echo", &event, Form::Native));
}

/// Measures events with many small members, as databases and queues send them.
#[test]
#[ignore = "measures"]
fn dense_events() {
    let source = "\
def echo(event, context): return event
def none(event, context): return None
";
    let case = Case::with(&[("app.py", source)], |environment| environment.main_thread = true);
    let items: Vec<_> = (0..14)
        .map(|n| serde_json::json!({"id": n, "on": n % 2 == 0, "price": 1.5, "sku": "a-17"}))
        .collect();
    let text = "All of this is text. ".repeat(10);
    let event = serde_json::json!({"id": 7, "tags": ["a", "b"], "items": items, "text": text});
    let event = event.to_string();
    println!("event: {} bytes", event.len());
    println!("none, null: {:.2} µs", per_call(&case, "none", "null", Form::Json));
    println!("in: {:.2} µs", per_call(&case, "none", &event, Form::Json));
    println!("in and out: {:.2} µs", per_call(&case, "echo", &event, Form::Json));
}

#[test]
#[ignore = "measures"]
fn hooks_and_recycling() {
    use trine_engine::Hook;
    let source = "\
def before(event, context): return event
def after(response, context): return None
def error(error): return None
def timeout(context): context.state['n'] = context.state.get('n', 0) + 1
";
    let case = Case::new(&[("app.py", source)]);
    let hooks = case.hooks("app");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let shared = Rc::new(invocation());
    let event = case.instance.adopt(Payload::json("{\"a\": 1}"), &shared).unwrap();
    for hook in [Hook::Before, Hook::After, Hook::Error, Hook::Timeout] {
        let function = hooks.hook(hook).unwrap();
        let mut best = Duration::MAX;
        for _ in 0..10 {
            let started = Instant::now();
            runtime.block_on(async {
                for _ in 0..10_000 {
                    let call = case.instance.call(function, event.clone(), Form::Native, &shared);
                    call.await.unwrap();
                }
            });
            best = best.min(started.elapsed());
        }
        println!("one more hook, {hook}: {:.2} µs", best.as_secs_f64() * 1e2);
    }
    let resident = || {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap().to_owned();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap()
    };
    let mut case = case;
    std::fs::write(case.folder.path().join("big.py"), "x = list(range(10000))\n").unwrap();
    std::fs::write(
        case.folder.path().join("entry.py"),
        "import big\ndef handler(event): return len(big.x)\n",
    )
    .unwrap();
    for round in 0..6 {
        let started = Instant::now();
        for _ in 0..100 {
            let handler = case.load("entry", "handler").unwrap();
            case.run(handler, Payload::json("1"), Form::Json).unwrap();
            case.instance.retire();
            let next = trine_engine::Engine::start(&trine_python::engine(), &case.environment);
            std::mem::replace(&mut case.instance, next.unwrap()).shutdown();
        }
        let each = started.elapsed().as_secs_f64() * 10.0;
        println!("recycling {round}: {each:.3} ms, {} KB resident", resident());
    }
}
