//! Tests of how often a value changes its form on the way through a chain, counted by languages that do nothing else.

use crate::{
    handler::Located,
    pipeline::{Middleware, Order, Plan},
    worker::{Function, Worker, WorkerOptions},
};
use bytes::Bytes;
use std::{
    any::Any,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};
use trine_engine::{
    Capabilities, Engine, EngineInfo, Environment, Exports, Form, FunctionId, Hook, Instance,
    Interrupter, Invocation, LocalFuture, LogSettings, Module, NativeValue, Payload, Result, Usage,
    Wanted,
};

/// Numbers of conversions of one language's values.
#[derive(Debug, Default)]
struct Counts {
    parsed: AtomicUsize,
    serialised: AtomicUsize,
}

/// A language whose hooks keep what they get and whose handler returns it.
struct Counting {
    info: EngineInfo,
    counts: Arc<Counts>,
}

fn counting(id: &'static str) -> (Arc<dyn Engine>, Arc<Counts>) {
    let counts = Arc::<Counts>::default();
    let info = EngineInfo::new(id, id, "0").with_capabilities(Capabilities {
        native_values: true,
        memory_limit: true,
        ..Default::default()
    });
    (Arc::new(Counting { info, counts: counts.clone() }), counts)
}

impl Engine for Counting {
    fn info(&self) -> &EngineInfo {
        &self.info
    }

    fn start(&self, _environment: &Environment) -> Result<Rc<dyn Instance>> {
        Ok(Rc::new(Counted { id: self.info.id, counts: self.counts.clone() }))
    }
}

struct Counted {
    id: &'static str,
    counts: Arc<Counts>,
}

struct Value {
    id: &'static str,
    text: Bytes,
    counts: Arc<Counts>,
}

impl NativeValue for Value {
    fn engine(&self) -> &'static str {
        self.id
    }

    fn to_json(&self) -> Result<Bytes> {
        self.counts.serialised.fetch_add(1, Ordering::Relaxed);
        Ok(self.text.clone())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl Counted {
    fn own(&self, value: Payload) -> Result<Payload> {
        let text = match value {
            Payload::Native(value) if value.engine() == self.id => {
                return Ok(Payload::Native(value));
            }
            Payload::Native(value) => value.to_json()?,
            other => other.into_bytes()?.0,
        };
        self.counts.parsed.fetch_add(1, Ordering::Relaxed);
        Ok(Payload::Native(Rc::new(Value { id: self.id, text, counts: self.counts.clone() })))
    }
}

impl Instance for Counted {
    fn load<'a>(&'a self, module: &'a Module) -> LocalFuture<'a, Result<Exports>> {
        Box::pin(async move {
            // The middleware's name says which hooks it has.
            let functions = match &module.wanted {
                Wanted::Handler(name) => vec![(name.clone(), FunctionId(0))],
                _ => Hook::ALL
                    .into_iter()
                    .filter(|hook| module.name.contains(hook.name()))
                    .map(|hook| (hook.name().to_owned(), FunctionId(1)))
                    .collect(),
            };
            Ok(Exports { functions, ..Exports::default() })
        })
    }

    fn call<'a>(
        &'a self,
        function: FunctionId,
        input: Payload,
        form: Form,
        _invocation: &'a Rc<Invocation>,
    ) -> LocalFuture<'a, Result<Payload>> {
        Box::pin(async move {
            if function == FunctionId(1) {
                return Ok(Payload::Nothing);
            }
            match (self.own(input)?, form) {
                (Payload::Native(value), Form::Json) => value.to_json().map(Payload::Json),
                (value, _) => Ok(value),
            }
        })
    }

    fn adopt(&self, value: Payload, _invocation: &Rc<Invocation>) -> Result<Payload> {
        self.own(value)
    }

    fn interrupter(&self) -> Interrupter {
        Interrupter::new(|| {})
    }

    fn usage(&self) -> Usage {
        Usage::default()
    }

    fn shutdown(&self) {}
}

/// Runs one event through these hooks around a handler, all named by language. Returns parses and serialisations of
/// `a`, then of `b`.
fn conversions(middlewares: &[(&str, &str)], handler: &str) -> [usize; 4] {
    let (a, counts_a) = counting("a");
    let (b, counts_b) = counting("b");
    let engine = |id: &str| if id == "a" { a.clone() } else { b.clone() };
    let module = |name: &str, wanted| Module::new("/", format!("/{name}"), name, wanted);
    let plan = Plan {
        handler: Located {
            engine: engine(handler),
            module: module("app", Wanted::Handler("handler".into())),
        },
        middlewares: middlewares
            .iter()
            .map(|(id, hooks)| Middleware {
                name: (*hooks).to_owned(),
                engine: engine(id),
                module: module(hooks, Wanted::Hooks),
            })
            .collect(),
        order: Order::Onion,
    };
    let environment = Environment::new("/opt", LogSettings::default());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, async {
        let worker = Rc::new(Worker::new(WorkerOptions::new(environment)));
        let function = Function::new(worker, plan);
        let invocation = Rc::new(Invocation::default());
        let answer = function.invoke(Payload::json("[1]"), &invocation, || None).await;
        assert_eq!(answer.into_parts().0.unwrap().into_bytes().unwrap().0, "[1]");
    });
    let load = |count: &AtomicUsize| count.load(Ordering::Relaxed);
    [
        load(&counts_a.parsed),
        load(&counts_a.serialised),
        load(&counts_b.parsed),
        load(&counts_b.serialised),
    ]
}

#[test]
fn within_one_language_a_value_is_parsed_once_and_serialised_once() {
    assert_eq!(conversions(&[], "a"), [1, 1, 0, 0]);
    assert_eq!(conversions(&[("a", "before"), ("a", "before after")], "a"), [1, 1, 0, 0]);
    let many = [("a", "before after"); 8];
    assert_eq!(conversions(&many, "a"), [1, 1, 0, 0]);
}

#[test]
fn each_crossing_is_one_serialisation_and_one_parse() {
    // The event: text → b; b → a for the handler. Its result: text.
    assert_eq!(conversions(&[("b", "before")], "a"), [1, 1, 1, 1]);
    // The event: text → a. The result: a → b, and from there to text.
    assert_eq!(conversions(&[("b", "after")], "a"), [1, 1, 1, 1]);
    // Both ways: text → b → a, a → b → text.
    assert_eq!(conversions(&[("b", "before after")], "a"), [1, 1, 2, 2]);
}

#[test]
fn a_language_that_does_not_touch_a_value_does_not_convert_it() {
    assert_eq!(conversions(&[("b", "timeout error")], "a"), [1, 1, 0, 0]);
}
