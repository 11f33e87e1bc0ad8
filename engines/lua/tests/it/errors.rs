//! Tests of the errors that guests raise, as callers see them.

use crate::support::{Guest, answer, fault, handler, run};
use trine_engine::ErrorKind;

#[test]
fn a_message_comes_without_its_place_which_is_a_frame() {
    run(async {
        let guest = Guest::new(
            "local function inner()\n  error('boom')\nend\nfunction handler()\n  inner()\n  return 1\nend",
        );
        let error = guest.handle("0").await.unwrap_err();
        assert_eq!(
            (error.kind(), error.name(), error.message()),
            (ErrorKind::Guest, "LuaError", "boom")
        );
        let frames = error.frames();
        assert_eq!(frames.len(), 2, "{error:#}");
        assert!(frames[0].file.ends_with("/app.lua"));
        assert_eq!((frames[0].line, frames[0].function.as_str()), (2, "inner"));
        assert_eq!((frames[1].line, frames[1].function.as_str()), (5, "handler"));
        assert!(error.stack()[0].ends_with("app.lua:2: in upvalue 'inner'"), "{error:#}");
        assert!(error.stack()[1].ends_with("app.lua:5: in function 'handler'"), "{error:#}");
    });
}

#[test]
fn faults_of_the_language_are_errors_too() {
    run(async {
        let error = fault("local x = nil return x.y").await;
        assert_eq!(error.message(), "attempt to index a nil value (local 'x')");
        assert_eq!(error.frames()[0].line, 1);
        assert_eq!(fault("error()").await.message(), "nil");
        assert_eq!(fault("error(42)").await.message(), "42");
        assert_eq!(fault("error(true)").await.message(), "true");
        assert_eq!(fault("error('x', 0)").await.message(), "x");
        assert_eq!(fault("error('x', 2)").await.message(), "x");
        assert_eq!(fault("error('\\xff')").await.message(), "\u{fffd}");
        assert!(fault("error(print)").await.message().contains("function"));
        assert_eq!(fault("error(trine.null)").await.name(), "LuaError");
    });
}

#[test]
fn a_table_gives_type_message_and_code() {
    run(async {
        let error = fault("error({type = 'OutOfStock', message = 'none left', code = 7})").await;
        assert_eq!((error.name(), error.message()), ("OutOfStock", "none left"));
        assert_eq!(error.context(), [("code", "7".to_owned())]);
        assert_eq!(error.frames()[0].line, 1);
        assert_eq!(fault("error({name = 'Named', message = 'm'})").await.name(), "Named");
        let bare = fault("error({a = 1})").await;
        assert_eq!((bare.name(), bare.message()), ("LuaError", "{\"a\":1}"));
        let odd = fault("error({a = print})").await;
        assert_eq!(odd.message(), "(error object is a table value)");
        let class = "local Err = {type = 'Err'} Err.__index = Err error(setmetatable({message = 'm'}, Err))";
        assert_eq!(fault(class).await.name(), "Err");
        let spoken = "error(setmetatable({}, {__tostring = function() return 'spoken' end}))";
        assert_eq!(fault(spoken).await.message(), "spoken");
        let broken = "error(setmetatable({}, {__tostring = function() error('no') end, __index = function() error('no') end}))";
        assert_eq!(fault(broken).await.name(), "LuaError");
    });
}

#[test]
fn errors_in_coroutines_keep_the_place_where_they_arose() {
    run(async {
        let guest = Guest::new(
            "local function deep()\n  error('inside')\nend\nfunction handler()\n  local f = coroutine.wrap(function()\n    deep()\n  end)\n  f()\nend",
        );
        let error = guest.handle("0").await.unwrap_err();
        assert_eq!(error.message(), "inside");
        let lines: Vec<u32> = error.frames().iter().map(|frame| frame.line).collect();
        assert_eq!(lines, [2, 6, 8], "{error:#}");
    });
}

#[test]
fn an_error_that_was_caught_is_no_error() {
    run(async {
        let body = "local ok, e = pcall(error, 'x') local ok2, e2 = pcall(function() error({code = 3}) end) \
                    return {ok, e, ok2, e2.code, select('#', pcall(function() return 1, 2, 3 end)), (select(2, xpcall(function(a) error(a) end, function(m) return 'handled ' .. m end, 'arg')))}";
        let answer = answer(body, "0").await.unwrap();
        assert!(answer.starts_with(r#"[false,"x",false,3,4,"handled "#), "{answer}");
        let co = "local co = coroutine.create(function() error('dead') end) local ok, e = coroutine.resume(co) \
                  return {ok, e ~= nil, coroutine.status(co), (coroutine.close(co))}";
        assert_eq!(crate::support::answer(co, "0").await.unwrap(), r#"[false,true,"dead",false]"#);
        for bad in [
            "pcall()",
            "xpcall(print)",
            "coroutine.resume(1)",
            "coroutine.wrap(1)",
            "coroutine.close(1)",
        ] {
            assert!(fault(bad).await.message().starts_with("bad argument"), "{bad}");
        }
        let running = "return {pcall(coroutine.close, (coroutine.running()))}";
        assert!(
            crate::support::answer(running, "0")
                .await
                .unwrap()
                .contains("cannot close a running coroutine")
        );
        let dead = "local f = coroutine.wrap(function() end) f() f()";
        assert!(fault(dead).await.message().contains("cannot resume dead coroutine"));
    });
}

#[test]
fn coroutines_behave_as_in_lua() {
    run(async {
        let body = "local co = coroutine.create(function(a, b) local c = coroutine.yield(a + b) local d, e = coroutine.yield(c * 2) return d + e end) \
            local gen = coroutine.wrap(function() for i = 1, 3 do coroutine.yield(i) end end) \
            local r = {} \
            r[1] = select(2, coroutine.resume(co, 1, 2)) r[2] = select(2, coroutine.resume(co, 10)) r[3] = select(2, coroutine.resume(co, 3, 4)) \
            r[4] = gen() + gen() + gen() \
            r[5] = coroutine.status(co) r[6] = coroutine.isyieldable() r[7] = select(2, coroutine.resume(co)) \
            local closed = false local open = coroutine.create(function() local x <close> = setmetatable({}, {__close = function() closed = true end}) coroutine.yield() end) \
            coroutine.resume(open) r[8] = coroutine.close(open) r[9] = closed return r";
        assert_eq!(
            answer(body, "0").await.unwrap(),
            r#"[3,20,7,6,"dead",true,"cannot resume dead coroutine",true,true]"#
        );
    });
}

#[test]
fn a_handler_that_yields_to_nobody_is_an_error() {
    run(async {
        let error = fault("coroutine.yield(1)").await;
        assert!(error.message().contains("attempt to yield from outside a coroutine"), "{error}");
    });
}

#[test]
fn a_stack_overflow_is_an_error_and_the_next_call_works() {
    run(async {
        let guest = Guest::new(
            "local function deep(n) return 1 + deep(n + 1) end \
             function handler(event) if event == 1 then return deep(1) end \
             if event == 2 then return xpcall(deep, function() return deep(1) end) end \
             if event == 3 then local t = setmetatable({}, {}) getmetatable(t).__index = function(t, k) return t[k] end return t.x end \
             if event == 4 then local function co() return coroutine.wrap(co)() end return co() end \
             if event == 5 then local s = 'x' return string.gsub(s, '.', function() return handler(5) end) end \
             if event == 6 then return tostring(odd) end if event == 7 then return string.format('%s', odd) end \
             if event == 8 then return nested() end if event == 9 then return below(100000) end \
             if event == 10 then return trine.json.encode(below(100000)) end if event == 11 then return #trine.json.decode(('['):rep(100000)) end \
             if event == 12 then return table.concat(setmetatable({}, {__len = function() return 3 end, __index = function(t, k) return table.concat(t) end})) end \
             return 'fine' end \
             odd = setmetatable({}, {__tostring = function(s) return string.format('%s', s) end}) \
             function nested() local ok, e = pcall(nested) return ok or e end \
             function below(n) local t = {} for i = 1, n do t = {t} end return t end",
        );
        let function = guest.load("app", "handler").await.unwrap();
        let error = guest.call(function, "1").await.unwrap_err();
        assert!(error.message().contains("stack overflow"), "{error}");
        assert!(
            error.stack().len() < 30 && error.stack().iter().any(|line| line.contains("skipping"))
        );
        assert_eq!(guest.call(function, "2").await.unwrap(), "false");
        for event in ["3", "4", "5", "6", "7", "12"] {
            let error = guest.call(function, event).await.unwrap_err();
            assert!(error.message().contains("stack overflow"), "{event}: {error}");
        }
        // The innermost `pcall` catches it.
        assert_eq!(guest.call(function, "8").await.unwrap(), "true");
        for event in ["9", "10", "11"] {
            let error = guest.call(function, event).await.unwrap_err();
            assert!(error.message().contains("nested deeper than 1000 levels"), "{event}: {error}");
            assert!(!error.poisons());
        }
        assert_eq!(guest.call(function, "0").await.unwrap(), "\"fine\"");
    });
}

#[test]
fn memory_has_a_limit_and_crossing_it_fails_the_call_only() {
    run(async {
        let source = handler(
            "if event == 1 then local t = {} for i = 1, 1e9 do t[i] = ('x'):rep(1000) .. i end end \
             if event == 2 then return ('x'):rep(1 << 30) end \
             if event == 3 then return (pcall(string.rep, 'x', 1 << 30)) end return 'fine'",
        );
        let guest = Guest::limited(&source, 32);
        let function = guest.load("app", "handler").await.unwrap();
        for event in ["1", "2"] {
            let error = guest.call(function, event).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::OutOfMemory, "{error}");
            assert!(error.poisons());
        }
        assert_eq!(guest.call(function, "3").await.unwrap(), "false");
        let large = format!("[{}]", vec!["1"; 3_000_000].join(","));
        let error = guest.call(function, &large).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::OutOfMemory);
        assert_eq!(guest.call(function, "0").await.unwrap(), "\"fine\"");
    });
}

#[test]
fn memory_that_is_short_in_a_coroutine_or_a_library_function_is_no_ordinary_error() {
    run(async {
        for body in [
            "coroutine.wrap(function() local t = {} for i = 1, 1e9 do t[i] = ('x'):rep(1000) .. i end end)()",
            "return #('x'):rep(100):gsub('x', ('y'):rep(1000000))",
            "local t = {} for i = 1, 1e9 do context.state['k' .. i] = ('x'):rep(1000) .. i end",
            "local ok, e = pcall(string.rep, 'x', 1 << 30) error(e, 0)",
        ] {
            let guest = Guest::limited(&handler(body), 32);
            let error = guest.handle("0").await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::OutOfMemory, "{body}: {error}");
            assert!(error.poisons());
        }
    });
}

#[test]
fn any_memory_limit_leads_to_an_answer_or_an_error() {
    run(async {
        let source = handler(
            "context.state.a = {} local s = ('x'):rep(1000):gsub('x', 'yy') for i = 1, 50 do pcall(string.rep, 'x', i * 500) end \
             for w in s:gmatch('y+') do context.mine = w end return {event, s, context.aws_request_id}",
        );
        let mut answered = 0;
        for memory in (0..400).map(|step| step * 700) {
            let guest = Guest::within(&[("app.lua", &source)], |environment| {
                environment.memory_limit = Some(memory);
            });
            match guest.handle("{\"a\":[1,2,3]}").await {
                Ok(_) => answered += 1,
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::OutOfMemory, "{memory}: {error}");
                }
            }
        }
        assert!(answered > 10 && answered < 390, "{answered}");
    });
}

#[test]
fn errors_of_top_level_code_are_the_guests() {
    run(async {
        let guest = Guest::new("\nerror({type = 'Config', message = 'no table name'})");
        let error = guest.load("app", "handler").await.unwrap_err();
        assert_eq!(
            (error.kind(), error.name(), error.message()),
            (ErrorKind::Guest, "Config", "no table name")
        );
        assert_eq!(error.frames()[0].line, 2);
        assert!(error.stack()[0].ends_with("in main chunk"), "{error:#}");
    });
}

#[test]
fn what_was_to_be_closed_is_closed_when_a_handler_fails() {
    run(async {
        let guest = Guest::new(
            "closed = 0
            return { handler = function(event)
              local _ <close> = setmetatable({}, { __close = function() closed = closed + 1 end })
              if event == 'fail' then error('no') end
              return closed
            end }",
        );
        let function = guest.load("app", "handler").await.unwrap();
        for _ in 0..2 {
            guest.call(function, "\"fail\"").await.unwrap_err();
        }
        assert_eq!(guest.call(function, "1").await.unwrap(), "2");
    });
}
