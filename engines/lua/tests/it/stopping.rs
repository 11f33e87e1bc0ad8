//! Tests of ends that a guest cannot put off: interrupts and `os.exit`.

use crate::support::{Guest, handler, invocation, run};
use std::{rc::Rc, time::Duration};
use trine_engine::{ErrorKind, Invocation};

/// Interrupts a handler with this body once it has printed that it began; checks that it ends and the next call works.
fn stops(body: &str) {
    run(async {
        let source = format!("if event == 'fine' then return 1 end print('begun') {body}");
        let guest = Guest::new(&handler(&source));
        let function = guest.load("app", "handler").await.unwrap();
        let thread = interrupts_when_begun(&guest);
        let error = guest.call(function, "0").await.expect_err(body);
        thread.join().unwrap();
        assert_eq!(error.kind(), ErrorKind::Timeout, "{body}: {error:#}");
        assert_eq!(error.message(), "the invocation was stopped because its time was up");
        assert!(error.poisons(), "{body}");
        assert_eq!(guest.call(function, "\"fine\"").await.unwrap(), "1");
    });
}

/// Starts a thread that interrupts what the guest runs as soon as it has printed that it began.
fn interrupts_when_begun(guest: &Guest) -> std::thread::JoinHandle<()> {
    let (log, interrupter) = (guest.log.clone(), guest.instance.interrupter());
    std::thread::spawn(move || {
        log.wait_for("begun");
        interrupter.interrupt();
    })
}

#[test]
fn an_endless_loop_is_stopped() {
    stops("while true do end");
    stops("for i = 1, math.huge do end");
    stops("local function f() return f() end return f()");
    stops("::top:: goto top");
}

#[test]
fn a_loop_that_catches_errors_is_stopped() {
    stops("while true do pcall(function() while true do end end) end");
    stops(
        "while true do xpcall(function() while true do end end, function() while true do end end) end",
    );
    stops("repeat pcall(pcall, pcall, function() while true do end end) until false");
}

#[test]
fn a_loop_in_coroutines_is_stopped() {
    stops("coroutine.wrap(function() while true do end end)()");
    stops("while true do coroutine.resume(coroutine.create(function() while true do end end)) end");
    stops(
        "while true do local co = coroutine.wrap(function() while true do coroutine.yield() end end) for i = 1, 100 do co() end end",
    );
    stops(
        "local co = coroutine.create(function() local x <close> = setmetatable({}, {__close = function() while true do end end}) coroutine.yield() end) coroutine.resume(co) coroutine.close(co)",
    );
}

#[test]
fn a_loop_through_c_functions_is_stopped() {
    stops("while true do table.sort({3, 1, 2}, function(a, b) return a < b end) end");
    stops("while true do ('x'):rep(10):gsub('.', function(c) return c end) end");
    stops("while true do trine.json.encode({1, 2, 3}) end");
}

#[test]
fn a_pattern_that_backtracks_without_end_is_stopped() {
    for pattern in
        ["('a-'):rep(30) .. 'b'", "('a*'):rep(30) .. 'b'", "('a?'):rep(40) .. ('a'):rep(60)"]
    {
        for call in ["find(p)", "match(p)", "gmatch(p)()", "gsub(p, '')"] {
            stops(&format!("local p = {pattern} return (('a'):rep(50):{call})"));
        }
    }
    stops("return ('('):rep(1000000):find('%b()')");
    stops("return ('a'):rep(1000000):find('.-b')");
    stops("return ('a'):rep(1000000):find('(.-)%1b')");
    stops("while true do local _ = ('b'):rep(1000000):find('[' .. ('a'):rep(100000) .. ']') end");
    stops("local p = ('a'):rep(100000) .. 'b-c' return ('a'):rep(1000000):find(p)");
    stops("return pcall(string.find, ('a'):rep(50), ('a-'):rep(30) .. 'b')");
    stops("for w in ('a'):rep(50):gmatch(('a-'):rep(30) .. 'b') do end");
}

#[test]
fn a_library_function_that_takes_long_is_stopped() {
    stops("return table.move({}, 1, math.maxinteger - 1, 2)");
    stops("while true do local _ = ('x'):rep(20000000) end");
    stops("local t = {} for i = 1, 200 do t = {t, t} end return trine.json.encode(t)");
    stops("local t = {} for i = 1, 200 do t = {t, t} end return t");
    stops("while true do trine.json.decode('[' .. ('[],'):rep(100000) .. '1]') end");
    let find =
        "local s = ('a'):rep(20000000) while true do s:find(('a'):rep(100000) .. 'b', 1, true) end";
    stops(find);
}

#[test]
fn what_lua_would_repeat_for_ever_returns_at_once() {
    run(async {
        let guest = Guest::new(&handler("return ('').rep('', math.maxinteger)"));
        assert_eq!(guest.handle("0").await.unwrap(), "\"\"");
    });
}

#[test]
fn a_loop_with_a_hook_of_its_own_is_stopped() {
    stops("debug.sethook(function() end, '', 1000) while true do end");
    for _ in 0..5 {
        stops("local set, f = debug.sethook, function() end while true do set(f, '', 1000) end");
    }
}

#[test]
fn a_call_that_waits_is_stopped() {
    stops("trine.sleep(60)");
    stops("while true do pcall(trine.sleep, 60) end");
    stops("while true do trine.sleep(0) end");
}

#[test]
fn a_loop_in_the_members_of_an_error_is_stopped() {
    stops("error(setmetatable({}, {__index = function() while true do end end}))");
}

#[test]
fn a_loop_at_the_top_level_of_a_module_is_stopped() {
    run(async {
        let guest = Guest::new("print('begun') while true do end");
        let thread = interrupts_when_begun(&guest);
        assert_eq!(guest.load("app", "handler").await.unwrap_err().kind(), ErrorKind::Timeout);
        thread.join().unwrap();
    });
}

#[test]
fn a_stopped_call_says_where_it_was() {
    run(async {
        let guest = Guest::new(
            "local function spin()\n  print('begun') while true do end\nend\nfunction handler()\n  spin()\nend",
        );
        let function = guest.load("app", "handler").await.unwrap();
        let thread = interrupts_when_begun(&guest);
        let error = guest.call(function, "0").await.unwrap_err();
        thread.join().unwrap();
        assert_eq!(error.frames()[0].line, 2, "{error:#}");
        assert_eq!(error.frames()[0].function, "spin");
    });
}

#[test]
fn an_interrupt_when_nothing_runs_stops_nothing() {
    run(async {
        let guest = Guest::new(&handler("local n = 0 for i = 1, 100000 do n = n + i end return n"));
        let function = guest.load("app", "handler").await.unwrap();
        let interrupter = guest.instance.interrupter();
        interrupter.interrupt();
        assert_eq!(guest.call(function, "0").await.unwrap(), "5000050000");
        drop(guest);
        interrupter.interrupt();
    });
}

#[test]
fn many_interrupts_at_any_instant_do_no_harm() {
    run(async {
        let guest = Guest::new(&handler(
            "local t = {} for i = 1, 300 do t[i] = coroutine.wrap(function() local s = pcall(string.rep, 'x', i) coroutine.yield(i) return s end)() end return #t",
        ));
        let function = guest.load("app", "handler").await.unwrap();
        let interrupter = guest.instance.interrupter();
        let thread = std::thread::spawn(move || {
            for pause in 0..400 {
                interrupter.interrupt();
                std::thread::sleep(Duration::from_micros(pause % 50 * 20));
            }
        });
        while !thread.is_finished() {
            match guest.call(function, "0").await {
                Ok(answer) => assert_eq!(answer, "300"),
                Err(error) => assert_eq!(error.kind(), ErrorKind::Timeout, "{error:#}"),
            }
        }
        thread.join().unwrap();
        assert_eq!(guest.call(function, "0").await.unwrap(), "300");
    });
}

#[test]
fn os_exit_ends_the_call_and_not_the_process() {
    run(async {
        for (code, reason) in [
            ("os.exit(3)", "Runtime exited with error: exit status 3"),
            ("os.exit(false)", "Runtime exited with error: exit status 1"),
            ("os.exit(0)", "Runtime exited without providing a reason"),
            ("os.exit()", "Runtime exited without providing a reason"),
            ("os.exit(true, true)", "Runtime exited without providing a reason"),
            ("while true do pcall(os.exit, 3) end", "Runtime exited with error: exit status 3"),
            (
                "pcall(coroutine.wrap(function() pcall(os.exit, 3) end)) return 1",
                "Runtime exited with error: exit status 3",
            ),
            (
                "while true do coroutine.resume(coroutine.create(os.exit), 3) end",
                "Runtime exited with error: exit status 3",
            ),
            (
                "xpcall(os.exit, function() return 1 end, 3) return 1",
                "Runtime exited with error: exit status 3",
            ),
        ] {
            let guest = Guest::new(&format!(
                "runs = 0 function handler(event) runs = runs + 1 if event == 1 then {code} end return runs end"
            ));
            let function = guest.load("app", "handler").await.unwrap();
            guest.call(function, "0").await.unwrap();
            let error = guest.call_with(function, "1", &invocation("id-7")).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Exit, "{code}: {error}");
            assert_eq!(error.message(), format!("RequestId: id-7 Error: {reason}"));
            assert!(error.poisons());
            // The module is loaded again, and its functions keep their ids.
            assert_eq!(guest.call(function, "0").await.unwrap(), "1", "{code}");
        }
        let guest = Guest::new(&handler("os.exit('x')"));
        assert_eq!(guest.handle("0").await.unwrap_err().kind(), ErrorKind::Guest);
    });
}

#[test]
fn os_exit_at_the_top_level_fails_the_load() {
    run(async {
        let guest = Guest::new("os.exit(2)");
        let error = guest.load("app", "handler").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Exit);
        assert_eq!(error.message(), "Runtime exited with error: exit status 2");
    });
}

#[test]
fn other_calls_in_flight_survive_an_exit() {
    run(async {
        let guest = Guest::new(&handler(
            "trine.sleep(event) if event < 0.02 then os.exit(1) end return 'done'",
        ));
        let function = guest.load("app", "handler").await.unwrap();
        let long: Rc<Invocation> = invocation("long");
        let (short, long) =
            tokio::join!(guest.call(function, "0.01"), guest.call_with(function, "0.05", &long));
        assert_eq!(short.unwrap_err().kind(), ErrorKind::Exit);
        assert_eq!(long.unwrap(), "\"done\"");
    });
}
