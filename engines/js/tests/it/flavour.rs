//! Flavours of functions, and what a function of each sees.

use crate::support::{Guest, run};
use trine_engine::{ErrorKind, Wanted};

const ASKS: &str = "export const handler = () => [typeof Deno, typeof self, typeof localStorage,
    typeof process.versions.deno, navigator.userAgent.startsWith('Node.js/'), String(globalThis)];";
const AS_NODE: &str =
    "[\"undefined\",\"undefined\",\"undefined\",\"undefined\",true,\"[object global]\"]";

#[test]
fn a_function_that_asks_for_deno_finds_node() {
    run(async {
        assert_eq!(Guest::new(ASKS).handle("1").await.unwrap(), AS_NODE);
        let guest = Guest::with(
            &[("app.cjs", &ASKS.replace("export const handler", "exports.handler"))],
            None,
        );
        let exports = guest.load("app.cjs", Wanted::Handler("handler".into())).await.unwrap();
        assert_eq!(guest.call(exports.functions[0].1, "1").await.unwrap(), AS_NODE);
    });
}

#[test]
fn a_function_that_uses_deno_has_it_also_where_its_middleware_does_not() {
    let handler = "export const handler = () => [Deno.cwd() === process.cwd(), typeof self, typeof addEventListener,
        typeof process.versions.deno, String(globalThis), globalThis.name, own];";
    let middleware = "export const init = () => {};
        export const before = () => {};
        globalThis.own = [typeof Deno, typeof process.versions.deno, typeof location];
        globalThis.name = 'set before';";
    run(async {
        let guest = Guest::with(&[("app.mjs", handler), ("mw.mjs", middleware)], None);
        guest.load("mw.mjs", Wanted::Hooks).await.unwrap();
        let expected = "[true,\"object\",\"function\",\"string\",\"[object Window]\",\"set before\",[\"undefined\",\"undefined\",\"undefined\"]]";
        assert_eq!(guest.handle("1").await.unwrap(), expected);
    });
}

#[test]
fn what_is_hidden_stays_hidden_where_the_runtime_calls_back() {
    let source = "import { EventEmitter } from 'node:events';
        import { readdir } from 'node:fs';
        const seen = [];
        const look = () => seen.push(typeof Deno);
        const emitter = new EventEmitter().on('look', look);
        export const handler = async () => {
            emitter.emit('look');
            await new Promise((resolve) => readdir('/', () => resolve(look())));
            await new Promise((resolve) => setTimeout(() => resolve(look())));
            await new Promise((resolve) => process.nextTick(() => resolve(look())));
            [1].map(look);
            JSON.stringify({ toJSON: look });
            for (let i = 0; i < 100_000; i++) if (typeof Deno !== 'undefined') seen.push(i);
            return [...new Set(seen)];
        };";
    run(async {
        assert_eq!(Guest::new(source).handle("1").await.unwrap(), "[\"undefined\"]");
    });
}

#[test]
fn who_reads_a_hidden_name_fails_as_on_node() {
    run(async {
        let error = Guest::new("export const handler = () => [typeof Deno, localStorage];")
            .fails("1")
            .await;
        assert_eq!((error.kind(), error.name()), (ErrorKind::Guest, "ReferenceError"));
        assert_eq!(error.message(), "localStorage is not defined");
    });
}
