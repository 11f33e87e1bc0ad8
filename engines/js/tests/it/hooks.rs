//! Hooks around a handler: one context for all of them, the values they share with other languages, and their results.

use crate::support::{Guest, call, invocation, run, text};
use bytes::Bytes;
use std::{any::Any, rc::Rc};
use trine_engine::{
    Error, ErrorKind, Exports, Form, FunctionId, Hook, Invocation, NativeValue, Payload, Result,
    Wanted,
};

const HANDLER: &str = "export const handler = (event) => event;";

/// A middleware `mw.mjs` beside `app.mjs`.
struct Pair {
    guest: Guest,
    handler: FunctionId,
    hooks: Exports,
    invocation: Rc<Invocation>,
}

impl Pair {
    async fn new(middleware: &str, handler: &str) -> Self {
        let guest = Guest::with(&[("app.mjs", handler), ("mw.mjs", middleware)], None);
        let hooks = guest.load("mw.mjs", Wanted::Hooks).await.unwrap();
        let handler = guest.handler().await;
        Self { guest, handler, hooks, invocation: invocation() }
    }

    async fn hook(&self, hook: Hook, input: Payload) -> Result<Payload> {
        self.invocation.exchange.enter(Some(hook));
        let function = self.hooks.hook(hook).unwrap();
        self.guest.instance.call(function, input, Form::Native, &self.invocation).await
    }

    async fn handle(&self, event: &str) -> Result<String> {
        self.invocation.exchange.enter(None);
        call(&self.guest.instance, self.handler, event, &self.invocation).await
    }
}

/// A value of a language that has JSON for it, or an error message.
struct Foreign(Result<&'static str, &'static str>);

impl NativeValue for Foreign {
    fn engine(&self) -> &'static str {
        "other"
    }

    fn to_json(&self) -> Result<Bytes> {
        match self.0 {
            Ok(text) => Ok(Bytes::from_static(text.as_bytes())),
            Err(reason) => Err(Error::new(ErrorKind::Marshal, reason)),
        }
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

fn foreign(value: Result<&'static str, &'static str>) -> Payload {
    Payload::Native(Rc::new(Foreign(value)))
}

#[test]
fn hooks_are_found_by_their_names_and_others_are_listed() {
    run(async {
        let source = "export const before = () => {}; export function after() {} export const timeout = null;
                      export function helper() {} export const value = 1;";
        let pair = Pair::new(source, HANDLER).await;
        let names: Vec<&str> = pair.hooks.functions.iter().map(|(name, _)| &**name).collect();
        assert_eq!(names, ["before", "after"]);
        assert_eq!(pair.hooks.others, ["helper"]);
    });
}

#[test]
fn a_hook_that_is_no_function_is_told_with_what_it_is_instead() {
    run(async {
        let guest = Guest::with(
            &[("mw.mjs", "export const before = { a: 1 }; export const x = () => 1;")],
            None,
        );
        let error = guest.load("mw.mjs", Wanted::Hooks).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::HandlerNotFound);
        assert_eq!(
            error.message(),
            "before is not a function but an object; the module exports: x"
        );
    });
}

#[test]
fn a_module_that_is_a_function_is_its_wrap() {
    run(async {
        let files = [
            ("mw.cjs", "module.exports = (handler) => handler; module.exports.before = () => {};"),
            ("mw.mjs", "export default (handler) => handler;"),
        ];
        let guest = Guest::with(&files, None);
        let commonjs = guest.load("mw.cjs", Wanted::Hooks).await.unwrap();
        assert!(commonjs.hook(Hook::Wrap).is_some() && commonjs.hook(Hook::Before).is_some());
        let module = guest.load("mw.mjs", Wanted::Hooks).await.unwrap();
        assert_eq!(module.functions.len(), 1);
        assert_eq!(module.functions[0].0, "wrap");
    });
}

#[test]
fn hooks_and_handler_see_the_same_context_and_arguments_as_promised() {
    run(async {
        let middleware = "
            export const init = (...args) => { args[0].own = [args.length]; };
            export const before = (event, context) => { context.own.push(context.awsRequestId); };
            export const after = async (response, context) => { await null; return [...context.own, response]; };";
        let handler = "export const handler = (event, context) => { context.own.push(event); return 'answer'; };";
        let pair = Pair::new(middleware, handler).await;
        assert!(matches!(pair.hook(Hook::Init, Payload::Nothing).await, Ok(Payload::Nothing)));
        assert!(matches!(pair.hook(Hook::Before, Payload::json("7")).await, Ok(Payload::Nothing)));
        assert_eq!(pair.handle("7").await.unwrap(), "\"answer\"");
        let after = pair.hook(Hook::After, Payload::json("\"answer\"")).await.unwrap();
        assert_eq!(text(after), "[1,\"id-1\",7,\"answer\"]");
        let other = call(&pair.guest.instance, pair.handler, "1", &invocation()).await.unwrap_err();
        assert_eq!(other.name(), "TypeError", "another invocation has another context");
    });
}

#[test]
fn new_members_of_the_context_do_not_show() {
    run(async {
        let handler = "export const handler = (event, context) => [
            Object.keys(context).filter((key) => ['state', 'reply', 'signal'].includes(key)),
            typeof context.state, typeof context.reply, context.signal.aborted, context.state === context.state,
        ];";
        let guest = Guest::new(handler);
        assert_eq!(guest.handle("1").await.unwrap(), "[[],\"object\",\"function\",false,true]");
    });
}

#[test]
fn state_behaves_as_a_plain_object() {
    run(async {
        let handler = "import assert from 'node:assert';
        export const handler = (event, { state }) => {
            state.user = { id: 1 };
            state['a b'] = undefined;
            state.gone = 1;
            Object.assign(state, { x: [1] });
            Object.defineProperty(state, 'y', { value: 2 });
            assert('user' in state && !('nobody' in state) && Object.hasOwn(state, 'y'));
            assert.strictEqual(state.user, state.user);
            assert.strictEqual(delete state.gone, true);
            assert.strictEqual(state.gone, undefined);
            assert.strictEqual(state.toString(), '[object Object]');
            assert.deepStrictEqual({ ...state }, { user: { id: 1 }, 'a b': undefined, x: [1], y: 2 });
            assert.throws(() => Object.defineProperty(state, 'g', { get() {} }), /other languages/);
            const found = [];
            for (const key in state) found.push(key);
            console.log(state);
            return [JSON.stringify(state), found, Object.entries(state).length];
        };";
        let guest = Guest::new(handler);
        assert_eq!(
            guest.handle("1").await.unwrap(),
            r#"["{\"user\":{\"id\":1},\"x\":[1],\"y\":2}",["user","a b","x","y"],4]"#
        );
        assert!(guest.log.text().contains("user: { id: 1 }"), "{}", guest.log.text());
    });
}

#[test]
fn state_of_other_languages_becomes_our_own_when_it_is_read() {
    run(async {
        let handler = "export const handler = (event, { state }) => {
            state.theirs.list.push(state.number);
            return state.theirs === state.theirs;
        };";
        let guest = Guest::new(handler);
        let (function, cx) = (guest.handler().await, invocation());
        cx.exchange.write_state("theirs", foreign(Ok("{\"list\":[1]}")));
        cx.exchange.write_state("number", foreign(Ok("2.5")));
        assert_eq!(call(&guest.instance, function, "1", &cx).await.unwrap(), "true");
        assert_eq!(
            cx.exchange.state_to_json().unwrap(),
            r#"{"theirs":{"list":[1,2.5]},"number":2.5}"#
        );
    });
}

#[test]
fn what_cannot_cross_is_an_error_of_who_reads_it() {
    run(async {
        let handler = "export const handler = (event, { state }) => {
            try { state.theirs; } catch (error) { return [error instanceof Error, error.message]; }
        };";
        let guest = Guest::new(handler);
        let (function, cx) = (guest.handler().await, invocation());
        cx.exchange.write_state("theirs", foreign(Err("a coroutine has no JSON form")));
        assert_eq!(
            call(&guest.instance, function, "1", &cx).await.unwrap(),
            "[true,\"context.state.theirs cannot be read by JavaScript: a coroutine has no JSON form\"]"
        );
        let handler = "class User {}
        const cycle = { list: [] }; cycle.list.push({ cycle });
        let deep = []; for (let i = 0; i < 200000; i++) deep = [deep];
        const values = {
            plain: { date: new Date(0), list: [1, null, { nothing: undefined }] }, bytes: Buffer.from('a'),
            nested: { list: [() => 1] }, user: new User(), map: new Map(), cycle, deep, nan: [NaN], big: 1n,
        };
        export const handler = (event, { state }) => { Object.assign(state, values); };";
        let guest = Guest::new(handler);
        let (function, cx) = (guest.handler().await, invocation());
        call(&guest.instance, function, "1", &cx).await.unwrap();
        let read = |key: &str| {
            let value = cx.exchange.read_state(key, "Lua", |_| false);
            value.map(|value| text(value.unwrap())).map_err(|error| error.message().to_owned())
        };
        assert_eq!(
            read("plain").unwrap(),
            r#"{"date":"1970-01-01T00:00:00.000Z","list":[1,null,{}]}"#
        );
        assert!(read("bytes").unwrap().contains("[97]"));
        for (key, reason) in [
            ("nested", "its member list[0] is a function, which has no JSON form"),
            ("user", "an instance of User has no JSON form"),
            ("map", "an instance of Map has no JSON form"),
            ("cycle", "its member list[0].cycle is part of a cycle, which has no JSON form"),
            ("deep", "it is nested too deeply"),
            ("nan", "its member [0] is the number NaN, which has no JSON form"),
            ("big", "the bigint 1 has no JSON form"),
        ] {
            assert_eq!(
                read(key).unwrap_err(),
                format!("context.state.{key} cannot be read by Lua: {reason}")
            );
        }
    });
}

#[test]
fn a_reply_is_the_very_response_and_comes_once() {
    run(async {
        let middleware = "
            const response = { statusCode: 401 };
            export const before = (event, context) => {
                const { reply } = context;
                if (event === 'promise') reply(Promise.resolve(1));
                reply(response);
                if (event === 'twice') reply(response);
            };
            export const after = (given) => given === response;";
        let pair =
            Pair::new(middleware, "export const handler = (event, context) => context.reply(1);")
                .await;
        let outside = pair.handle("1").await.unwrap_err();
        assert_eq!(outside.name(), "ReplyError");
        assert!(outside.message().contains("this is the handler"));
        assert_eq!(outside.frames()[0].line, 1, "{outside:#}");
        let promise = pair.hook(Hook::Before, Payload::json("\"promise\"")).await.unwrap_err();
        assert!(promise.message().contains("await it first"), "{promise}");
        pair.hook(Hook::Before, Payload::json("1")).await.unwrap();
        let reply = pair.invocation.exchange.take_reply().unwrap();
        assert_eq!(text(pair.hook(Hook::After, reply).await.unwrap()), "true");
        let twice = pair.hook(Hook::Before, Payload::json("\"twice\"")).await.unwrap_err();
        assert!(twice.message().contains("twice"), "{twice}");
    });
}

#[test]
fn an_error_hook_gets_the_thrown_value_itself() {
    run(async {
        let middleware = "export const error = (error, context) => {
            if (error === context.thrown) return { recovered: error.message };
        };";
        let handler = "export const handler = async (event, context) => {
            await null;
            throw context.thrown = Object.assign(new RangeError('too far'), { code: 7 });
        };";
        let pair = Pair::new(middleware, handler).await;
        pair.invocation.exchange.keep_thrown(true);
        pair.handle("1").await.unwrap_err();
        let thrown = Payload::Native(pair.invocation.exchange.take_thrown().unwrap());
        assert_eq!(
            text(pair.hook(Hook::Error, thrown).await.unwrap()),
            "{\"recovered\":\"too far\"}"
        );
    });
}

#[test]
fn an_error_hook_gets_an_error_for_those_of_other_languages() {
    run(async {
        let middleware = "export const error = (error) => [
            error instanceof Error, error.name, error.message, error.stack, Object.keys(error), String(error),
        ];";
        let pair = Pair::new(middleware, HANDLER).await;
        let document = r#"{"errorType":"KeyError","errorMessage":"'id'","stackTrace":["  File \"app.py\", line 3, in f\n"]}"#;
        let seen = text(pair.hook(Hook::Error, Payload::json(document)).await.unwrap());
        assert_eq!(
            seen,
            r#"[true,"KeyError","'id'","KeyError: 'id'\n  File \"app.py\", line 3, in f",[],"KeyError: 'id'"]"#
        );
        let document =
            r#"{"errorType":"E","errorMessage":"m","trace":["E: m","    at f (/a.mjs:1:2)"]}"#;
        let seen = text(pair.hook(Hook::Error, Payload::json(document)).await.unwrap());
        assert!(seen.contains(r#""E: m\n    at f (/a.mjs:1:2)""#), "{seen}");
    });
}

#[test]
fn an_error_hook_that_returns_an_error_replaces_the_one_it_got() {
    run(async {
        let middleware = "
            class Mapped extends Error { name = 'Mapped'; }
            export const error = async (error) => {
                if (error.message === 'throw') throw new TypeError('of the hook');
                return new Mapped('better: ' + error.message, { cause: error });
            };";
        let pair = Pair::new(middleware, HANDLER).await;
        let given = |message: &str| {
            Payload::json(format!(r#"{{"errorType":"E","errorMessage":"{message}","trace":[]}}"#))
        };
        let replaced = pair.hook(Hook::Error, given("x")).await.unwrap_err();
        assert!(replaced.is_returned());
        assert_eq!((replaced.name(), replaced.message()), ("Mapped", "better: x"));
        assert_eq!(replaced.cause().unwrap().message(), "x");
        let thrown = pair.hook(Hook::Error, given("throw")).await.unwrap_err();
        assert!(!thrown.is_returned());
        assert_eq!(thrown.name(), "TypeError");
    });
}

#[test]
fn a_wrapper_gets_the_handler_as_a_function_that_gives_a_promise() {
    run(async {
        let wrapper = "export default async (handler) => async (event, context) => {
            const promise = handler(event + 1, context);
            return [promise instanceof Promise, await promise];
        };";
        for handler in [
            "export const handler = (event, context) => [event, context.awsRequestId];",
            "export const handler = (event, context, callback) => {
                setTimeout(() => callback(null, [event, context.awsRequestId]), 1);
            };",
            "export const handler = (event, context) => context.succeed([event, context.awsRequestId]);",
        ] {
            let guest = Guest::with(&[("app.mjs", handler), ("mw.mjs", wrapper)], None);
            let wrap = guest.load("mw.mjs", Wanted::Hooks).await.unwrap().hook(Hook::Wrap).unwrap();
            let handler = guest.handler().await;
            let wrapped = guest.instance.wrap(wrap, handler).await.unwrap();
            assert_eq!(guest.call(wrapped, "1").await.unwrap(), "[true,[2,\"id-1\"]]");
            let again = guest.instance.wrap(wrap, wrapped).await.unwrap();
            assert_eq!(guest.call(again, "1").await.unwrap(), "[true,[true,[3,\"id-1\"]]]");
        }
    });
}

#[test]
fn a_wrapper_that_returns_no_function_is_told_so() {
    run(async {
        let guest =
            Guest::with(&[("app.mjs", HANDLER), ("mw.mjs", "export const wrap = () => 7;")], None);
        let wrap = guest.load("mw.mjs", Wanted::Hooks).await.unwrap().hook(Hook::Wrap).unwrap();
        let handler = guest.handler().await;
        let error = guest.instance.wrap(wrap, handler).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::HandlerNotFound);
        assert_eq!(
            error.message(),
            "wrap returned a number, not a function that takes the handler's place"
        );
    });
}

#[test]
fn a_middleware_from_elsewhere_shares_globals_and_finds_packages() {
    run(async {
        let files = [
            ("task/app.mjs", "export const handler = () => globalThis.patched;"),
            ("task/node_modules/dep/index.js", "exports.name = 'the task';"),
            (
                "layer/mw.mjs",
                "import { sibling } from './sibling.mjs'; import dep from 'dep';
                export const init = () => { globalThis.patched = [sibling, dep.name]; };",
            ),
            (
                "layer/mw.cjs",
                "const dep = require('dep'); exports.init = () => { globalThis.patched.push(dep.name); };",
            ),
            ("layer/sibling.mjs", "export const sibling = 'a sibling';"),
        ];
        let guest = Guest::with(&files, None);
        for name in ["layer/mw.mjs", "layer/mw.cjs"] {
            let mut module = guest.module(name, Wanted::Hooks);
            module.root = guest.folder.join("task");
            let init = guest.instance.load(&module).await.unwrap().hook(Hook::Init).unwrap();
            let cx = invocation();
            guest.instance.call(init, Payload::Nothing, Form::Native, &cx).await.unwrap();
        }
        let handler = guest.load("task/app.mjs", Wanted::Handler("handler".into())).await.unwrap();
        let answer = guest.call(handler.functions[0].1, "1").await.unwrap();
        assert_eq!(answer, r#"["a sibling","the task","the task"]"#);
    });
}

#[test]
fn an_adopted_event_is_one_object_for_all() {
    run(async {
        let middleware = "export const before = (event) => { event.seen = 1; };";
        let pair = Pair::new(middleware, HANDLER).await;
        let event =
            pair.guest.instance.adopt(Payload::json("{\"a\":0}"), &pair.invocation).unwrap();
        pair.hook(Hook::Before, event.clone()).await.unwrap();
        let answer = pair.guest.instance.call(pair.handler, event, Form::Json, &pair.invocation);
        assert_eq!(text(answer.await.unwrap()), "{\"a\":0,\"seen\":1}");
        let error = pair.guest.instance.adopt(Payload::json("{"), &pair.invocation).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unmarshal);
    });
}
