//! Tests of middleware: which hooks a file has, what they are called with, and what becomes of their results.

use crate::support::{Guest, invocation, run};
use bytes::Bytes;
use std::{any::Any, rc::Rc};
use trine_engine::{Error, ErrorKind, Form, Hook, NativeValue, Payload, Result, Wanted};

fn text(payload: Payload) -> String {
    String::from_utf8(payload.into_bytes().unwrap().0.to_vec()).unwrap()
}

#[test]
fn what_is_no_function_is_no_hook_and_says_so() {
    run(async {
        let guest = Guest::with(&[
            ("table.lua", "return {before = {}, after = function() end}"),
            (
                "null.lua",
                "return {before = trine.null, after = function() end, helper = print, n = 1}",
            ),
            ("global.lua", "before = 7"),
            ("bare.lua", "return function(handler) return handler end"),
        ]);
        let error = guest.hooks("table").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::HandlerNotFound);
        assert!(
            error.message().starts_with("before is not a function but a table in /"),
            "{error}"
        );
        let exports = guest.hooks("null").await.unwrap();
        assert!(exports.hook(Hook::Before).is_none() && exports.hook(Hook::After).is_some());
        assert_eq!(exports.others, ["helper"]);
        let error = guest.hooks("global").await.unwrap_err();
        assert!(error.message().starts_with("before is not a function but an integer"), "{error}");
        // A module that is a function is its `wrap`.
        assert!(guest.hooks("bare").await.unwrap().hook(Hook::Wrap).is_some());
    });
}

#[test]
fn tables_that_can_be_called_are_hooks() {
    run(async {
        let counts = "local call = setmetatable({}, {__call = function(self, ...) return select('#', ...) end}) ";
        let guest = Guest::with(&[
            (
                "hooks.lua",
                &format!(
                    "{counts} return {{init = call, before = call, after = call, timeout = call}}"
                ),
            ),
            (
                "bare.lua",
                "return setmetatable({}, {__call = function(self, handler) return self end})",
            ),
        ]);
        let exports = guest.hooks("hooks").await.unwrap();
        for (hook, input, expected) in [
            (Hook::Init, Payload::Nothing, "1"),
            (Hook::Before, Payload::json("[]"), "2"),
            (Hook::After, Payload::json("[]"), "2"),
            (Hook::Timeout, Payload::Nothing, "1"),
        ] {
            let function = exports.hook(hook).unwrap();
            let answer = guest.native(function, input, &invocation("id-1")).await.unwrap();
            assert_eq!(text(answer), expected, "{hook}");
        }
        let wrap = guest.hooks("bare").await.unwrap().hook(Hook::Wrap).unwrap();
        let handler = guest.load("hooks", "before").await.unwrap();
        guest.instance.wrap(wrap, handler).await.unwrap();
    });
}

#[test]
fn hooks_get_a_value_and_the_context_or_the_context_alone() {
    run(async {
        let guest = Guest::new(
            "local function names(...) local r = {} for i = 1, select('#', ...) do \
               local v = select(i, ...) r[i] = type(v) == 'table' and (v.aws_request_id or 'table') or tostring(v) end \
               return r end \
             return {init = names, before = names, after = names, error = names, timeout = names, shutdown = names}",
        );
        let exports = guest.hooks("app").await.unwrap();
        for hook in Hook::ALL {
            let Some(function) = exports.hook(hook) else { continue };
            let (input, expected) = match hook.takes_value() {
                true => (Payload::json("[]"), r#"["table","id-1"]"#),
                false => (Payload::Nothing, r#"["id-1"]"#),
            };
            let answer = guest.native(function, input, &invocation("id-1")).await.unwrap();
            assert_eq!(text(answer), expected, "{hook}");
        }
        let after = exports.hook(Hook::After).unwrap();
        let answer = guest.native(after, Payload::Nothing, &invocation("id-1")).await.unwrap();
        assert_eq!(text(answer), r#"["nil","id-1"]"#);
    });
}

#[test]
fn a_middleware_runs_in_the_globals_of_its_root_and_finds_its_siblings() {
    run(async {
        let guest = Guest::with(&[
            (
                "app.lua",
                "local shop = require('shop') return {handler = function() return {patched, shop.price(), require('auth').name} end}",
            ),
            ("shop.lua", "return {price = function() return 10 end}"),
            ("auth.lua", "return {name = 'of the function'}"),
            (
                "opt/middlewares/auth.lua",
                "local helper = require('helper') \
               return {init = function() patched = helper.mark local shop = require('shop') local price = shop.price shop.price = function() return price() * 2 end end}",
            ),
            ("opt/middlewares/helper.lua", "return {mark = 'patched'}"),
        ]);
        let mut module = guest.module("auth", Wanted::Hooks);
        module.path = guest.folder.join("opt/middlewares/auth.lua");
        let exports = guest.instance.load(&module).await.unwrap();
        let init = exports.hook(Hook::Init).unwrap();
        let nothing = guest.native(init, Payload::Nothing, &invocation("0")).await.unwrap();
        assert!(matches!(nothing, Payload::Nothing));
        assert_eq!(guest.handle("0").await.unwrap(), r#"["patched",20,"of the function"]"#);
    });
}

#[test]
fn an_error_hook_gets_what_was_thrown() {
    run(async {
        let guest = Guest::with(&[
            (
                "app.lua",
                "thrown = {type = 'Broken', message = 'm'} \
               return {handler = function(event) if event == 1 then error(thrown) end error('text') end}",
            ),
            (
                "hook.lua",
                "return {error = function(err) return {err == thrown, tostring(err):match('[^:]+$')} end}",
            ),
        ]);
        let handler = guest.load("app", "handler").await.unwrap();
        let hook = guest.hooks("hook").await.unwrap().hook(Hook::Error).unwrap();
        for (event, expected) in [("1", "[true,"), ("2", "[false,\" text\"]")] {
            let cx = invocation("1");
            cx.exchange.keep_thrown(true);
            guest.call_with(handler, event, &cx).await.unwrap_err();
            let thrown = Payload::Native(cx.exchange.take_thrown().unwrap());
            let answer = text(guest.native(hook, thrown, &cx).await.unwrap());
            assert!(answer.starts_with(expected), "{answer}");
            // Without a request nothing is kept.
            cx.exchange.keep_thrown(false);
            guest.call_with(handler, event, &cx).await.unwrap_err();
            assert!(cx.exchange.take_thrown().is_none());
        }
    });
}

const DOCUMENT: &str = r#"{"errorType":"KeyError","errorMessage":"'id'","requestId":"r","stackTrace":["  File \"app.py\", line 3"]}"#;

#[test]
fn an_error_of_another_language_is_a_table() {
    run(async {
        let guest = Guest::new(
            "return {error = function(err) return {err.type, err.message, err.stack[1], tostring(err)} end}",
        );
        let hook = guest.hooks("app").await.unwrap().hook(Hook::Error).unwrap();
        let answer = guest.call(hook, DOCUMENT).await.unwrap();
        assert_eq!(answer, r#"["KeyError","'id'","  File \"app.py\", line 3","KeyError: 'id'"]"#);
        let node = r#"{"errorType":"E","errorMessage":"m","trace":["E: m","at f"]}"#;
        assert_eq!(guest.call(hook, node).await.unwrap(), r#"["E","m","E: m","E: m"]"#);
    });
}

#[test]
fn an_error_hook_that_returns_nil_and_an_error_replaces_it() {
    run(async {
        let guest = Guest::new(
            "return {error = function(err, context) \
               if context.aws_request_id == 'text' then return nil, 'replaced' end \
               if context.aws_request_id == 'table' then return nil, {type = 'Mapped', message = 'm', code = 4} end \
               if context.aws_request_id == 'place' then return nil, '/var/app.lua:7: gone' end \
               if context.aws_request_id == 'same' then err.message = 'changed' return nil, err end \
               if context.aws_request_id == 'throws' then error({type = 'Thrown', message = 't'}) end \
               if context.aws_request_id == 'recovers' then return {ok = true}, 'ignored' end end}",
        );
        let hook = guest.hooks("app").await.unwrap().hook(Hook::Error).unwrap();
        let ask =
            async |id: &str| guest.native(hook, Payload::json(DOCUMENT), &invocation(id)).await;
        for (id, name, message) in [
            ("text", "LuaError", "replaced"),
            ("table", "Mapped", "m"),
            ("place", "LuaError", "gone"),
            ("same", "KeyError", "changed"),
        ] {
            let error = ask(id).await.unwrap_err();
            assert!(error.is_returned(), "{id}");
            assert_eq!((error.name(), error.message()), (name, message));
            assert_eq!(error.kind(), ErrorKind::Guest);
        }
        assert_eq!(ask("place").await.unwrap_err().frames()[0].line, 7);
        assert_eq!(ask("same").await.unwrap_err().stack(), ["  File \"app.py\", line 3"]);
        let thrown = ask("throws").await.unwrap_err();
        assert!(!thrown.is_returned() && thrown.name() == "Thrown");
        assert_eq!(text(ask("recovers").await.unwrap()), r#"{"ok":true}"#);
        assert!(matches!(ask("keeps").await.unwrap(), Payload::Nothing));
    });
}

#[test]
fn wrap_takes_the_handlers_place() {
    run(async {
        let guest = Guest::with(&[
            (
                "app.lua",
                "runs = 0 return {handler = function(event, context) runs = runs + 1 \
               if event == 'exit' then os.exit(1) end trine.sleep(0) return {event, context.aws_request_id, runs} end}",
            ),
            (
                "mw.lua",
                "return {wrap = function(handler) trine.sleep(0) \
               return function(event, context) local r = handler(event, context) r[#r + 1] = 'wrapped' return r end end}",
            ),
            ("bad.lua", "return {wrap = function(handler) return 'no' end}"),
            ("none.lua", "return {wrap = function(handler) end}"),
            ("fails.lua", "return {wrap = function(handler) error('refused') end}"),
        ]);
        let handler = guest.load("app", "handler").await.unwrap();
        let wrap = async |name: &str| {
            let wrapper = guest.hooks(name).await?.hook(Hook::Wrap).unwrap();
            guest.instance.wrap(wrapper, handler).await
        };
        let wrapped = wrap("mw").await.unwrap();
        assert_eq!(guest.call(wrapped, "5").await.unwrap(), r#"[5,"id-1",1,"wrapped"]"#);
        assert_eq!(guest.call(handler, "5").await.unwrap(), r#"[5,"id-1",2]"#);
        // A new state wraps the new handler.
        assert_eq!(guest.call(wrapped, "\"exit\"").await.unwrap_err().kind(), ErrorKind::Exit);
        assert_eq!(guest.call(wrapped, "5").await.unwrap(), r#"[5,"id-1",1,"wrapped"]"#);
        let error = wrap("bad").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::HandlerNotFound);
        assert!(error.message().contains("has returned a string instead of a handler"), "{error}");
        assert!(wrap("none").await.unwrap_err().message().contains("returned nil"));
        assert_eq!(wrap("fails").await.unwrap_err().message(), "refused");
    });
}

/// A value of another language.
struct Foreign(&'static str);

impl NativeValue for Foreign {
    fn engine(&self) -> &'static str {
        "foreign"
    }

    fn to_json(&self) -> Result<Bytes> {
        match self.0 {
            "" => Err(Error::new(ErrorKind::Marshal, "a function has no JSON form")),
            text => Ok(Bytes::from_static(text.as_bytes())),
        }
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

pub(crate) fn foreign(text: &'static str) -> Payload {
    Payload::Native(Rc::new(Foreign(text)))
}

#[test]
fn a_value_of_another_language_is_read_as_json() {
    run(async {
        let guest = Guest::new("return {before = function(event) return event.a[1] end}");
        let before = guest.hooks("app").await.unwrap().hook(Hook::Before).unwrap();
        let answer = guest.native(before, foreign("{\"a\":[4]}"), &invocation("1")).await.unwrap();
        assert_eq!(text(answer), "4");
        let error = guest
            .instance
            .call(before, foreign(""), Form::Json, &invocation("1"))
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Marshal);
    });
}
