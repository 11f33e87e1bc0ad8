//! Tests of the debugger: where guests stand, and what they tell then.

use crate::adapter::Debugged;
use serde_json::json;

/// A handler with a function of its own, and one of another module.
const APP: &str = r#"local helper = require("helper")
local calls = 0

local function twice(n)
  local result = n * 2
  return result
end

function handler(event)
  calls = calls + 1
  local items = { 1, 2, name = "x" }
  items.me = items
  local number = twice(event.n)
  local more = helper.add(number, 1)
  return more
end
"#;

const HELPER: &str = r"local helper = {}

function helper.add(one, other)
  local sum = one + other
  return sum
end

return helper
";

fn shop(number: u8) -> Debugged {
    Debugged::new(number, &[("app.lua", APP), ("helper.lua", HELPER)])
}

#[test]
fn a_guest_stands_at_a_breakpoint_and_shows_what_it_sees() {
    let shop = shop(2);
    let client = shop.attach(&[("app.lua", &[13])]);
    let file = shop.path("app.lua");
    let (answer, _) = shop.call(r#"{"n": 4}"#, client, move |client| {
        assert_eq!(client.stopped(), "breakpoint app.lua:13 handler");
        assert_eq!(client.frames()[0]["source"]["path"], file.as_str());
        let locals = client.locals(0);
        assert_eq!(locals["event"], "{n = 4}");
        assert!(locals["items"].starts_with("{1, 2, "), "{locals:?}");
        assert!(!locals.contains_key("number"));
        let upvalues = client.scope(0, "Upvalues");
        assert_eq!(client.variables(&upvalues)["calls"], "1");
        let globals = client.scope(0, "Globals");
        assert_eq!(client.variables(&globals)["_VERSION"], "\"Lua 5.4\"");
        client.go("continue");
    });
    assert_eq!(answer.unwrap(), "9");
}

#[test]
fn tables_are_opened_member_by_member_also_where_they_contain_themselves() {
    let shop = shop(3);
    let client = shop.attach(&[("app.lua", &[13])]);
    let (answer, _) = shop.call(r#"{"n": 4}"#, client, |client| {
        client.stopped();
        let locals = client.scope(0, "Locals");
        let mut place = client.list(&locals);
        for _ in 0..50 {
            let table = place
                .iter()
                .find(|found| ["items", "me"].contains(&found["name"].as_str().unwrap()));
            let reference = table.unwrap()["variablesReference"].clone();
            assert_ne!(reference, 0);
            place = client.list(&reference);
            let names: Vec<_> = place.iter().map(|found| found["name"].as_str().unwrap()).collect();
            assert_eq!(names, ["[1]", "[2]", "me", "name"]);
        }
        assert!(client.try_ask("variables", json!({"variablesReference": 77})).is_err());
        client.go("continue");
    });
    assert_eq!(answer.unwrap(), "9");
}

#[test]
fn a_long_sequence_is_asked_for_in_parts() {
    let source = "function handler()\n  local long = {}\n  for i = 1, 5000 do long[i] = i end\n  long.x = 1\n  return #long\nend";
    let guest = Debugged::new(4, &[("app.lua", source)]);
    let client = guest.attach(&[("app.lua", &[5])]);
    let (answer, _) = guest.call("0", client, |client| {
        client.stopped();
        let locals = client.scope(0, "Locals");
        let long = client.list(&locals)[0].clone();
        assert_eq!(long["indexedVariables"], 5000);
        let part = |filter, start, count| {
            json!({"variablesReference": long["variablesReference"], "filter": filter, "start": start, "count": count})
        };
        let body = client.ask("variables", part("indexed", 100, 2));
        assert_eq!(body["variables"][1]["name"], "[102]");
        assert_eq!(body["variables"].as_array().unwrap().len(), 2);
        let body = client.ask("variables", part("named", 0, 0));
        assert_eq!(body["variables"][0]["name"], "x");
        let all = client.list(&long["variablesReference"]);
        assert_eq!((all.len(), all[1000]["name"].as_str()), (1001, Some("…")));
        client.go("continue");
    });
    assert_eq!(answer.unwrap(), "5000");
}

#[test]
fn expressions_and_statements_run_among_the_variables_of_a_frame() {
    let shop = shop(5);
    let client = shop.attach(&[("app.lua", &[6])]);
    let (answer, _) = shop.call(r#"{"n": 4}"#, client, |client| {
        assert_eq!(client.stopped(), "breakpoint app.lua:6 twice");
        assert_eq!(client.stack(), ["app.lua:6 twice", "app.lua:13 handler"]);
        assert_eq!(client.evaluate(0, "result + n").unwrap(), "12");
        assert_eq!(client.evaluate(1, "event.n, calls, type(helper)").unwrap(), "4, 1, \"table\"");
        assert_eq!(client.evaluate(0, "result = 20").unwrap(), "");
        assert_eq!(client.evaluate(1, "calls = 70").unwrap(), "");
        assert_eq!(client.evaluate(1, "fresh = calls").unwrap(), "");
        assert_eq!(client.evaluate(0, "fresh, result").unwrap(), "70, 20");
        assert_eq!(client.evaluate(0, "function f() return result end").unwrap(), "");
        assert_eq!(client.evaluate(0, "f()").unwrap(), "20");
        assert_eq!(
            client.evaluate(0, "missing.member").unwrap_err(),
            "attempt to index a nil value (global 'missing')"
        );
        assert!(client.evaluate(0, "1 +").unwrap_err().contains("unexpected symbol"));
        assert_eq!(client.evaluate(0, "error({message = 'x'})").unwrap_err(), "{message = \"x\"}");
        assert!(client.evaluate(0, "trine.sleep(1)").unwrap_err().contains("waits"));
        assert!(client.evaluate(0, "os.exit(3)").unwrap_err().contains("os.exit"));
        assert_eq!(client.evaluate(0, "pcall(error, 'x')").unwrap(), "false, \"x\"");
        client.go("continue");
    });
    assert_eq!(answer.unwrap(), "21");
    let (answer, _) = shop.call(r#"{"n": 1}"#, shop.next_client(), |_| ());
    assert_eq!(answer.unwrap(), "3");
}

#[test]
fn an_expression_that_outlives_the_stop_sees_globals_alone() {
    let source = "function handler(event)\n  local secret = 5\n  if late then return late() or 'none' end\n  return secret\nend";
    let guest = Debugged::new(6, &[("app.lua", source)]);
    let client = guest.attach(&[("app.lua", &[4])]);
    let (answer, ()) = guest.call("0", client, |client| {
        client.stopped();
        assert_eq!(client.evaluate(0, "function late() return secret end").unwrap(), "");
        assert_eq!(client.evaluate(0, "late()").unwrap(), "5");
        client.go("continue");
    });
    assert_eq!(answer.unwrap(), "5");
    let (answer, ()) = guest.call("0", guest.next_client(), |_| ());
    assert_eq!(answer.unwrap(), "\"none\"");
}

#[test]
fn variables_can_be_set() {
    let shop = shop(7);
    let client = shop.attach(&[("app.lua", &[13])]);
    let (answer, _) = shop.call(r#"{"n": 4}"#, client, |client| {
        client.stopped();
        let set = |reference: &serde_json::Value, name: &str, value: &str| {
            json!({"variablesReference": reference, "name": name, "value": value})
        };
        let locals = client.scope(0, "Locals");
        let event = client.list(&locals)[0]["variablesReference"].clone();
        assert_eq!(client.ask("setVariable", set(&event, "n", "event.n + 6"))["value"], "10");
        assert_eq!(client.ask("setVariable", set(&locals, "items", "nil"))["value"], "nil");
        assert!(client.try_ask("setVariable", set(&locals, "nowhere", "1")).is_err());
        assert!(client.try_ask("setVariable", set(&locals, "items", "1 +")).is_err());
        let upvalues = client.scope(0, "Upvalues");
        client.ask("setVariable", set(&upvalues, "twice", "function(n) return n * 3 end"));
        assert_eq!(client.locals(0)["items"], "nil");
        client.go("continue");
    });
    assert_eq!(answer.unwrap(), "31");
}

#[test]
fn steps_go_over_calls_into_them_and_out() {
    let shop = shop(8);
    let client = shop.attach(&[("app.lua", &[13])]);
    let (answer, _) = shop.call(r#"{"n": 4}"#, client, |client| {
        client.stopped();
        assert_eq!(client.step("next"), "step app.lua:14 handler");
        assert_eq!(client.step("stepIn"), "step helper.lua:4 add");
        assert_eq!(client.step("next"), "step helper.lua:5 add");
        assert_eq!(client.step("stepOut"), "step app.lua:15 handler");
        client.go("next");
    });
    assert_eq!(answer.unwrap(), "9");
}

#[test]
fn a_breakpoint_in_a_module_that_is_required_stops() {
    let shop = shop(9);
    let client = shop.attach(&[("helper.lua", &[1, 4])]);
    let (answer, _) = shop.call(r#"{"n": 4}"#, client, |client| {
        assert_eq!(client.stopped(), "breakpoint helper.lua:1 main chunk");
        assert_eq!(client.stack(), ["helper.lua:1 main chunk", "app.lua:1 main chunk"]);
        client.go("continue");
        assert_eq!(client.stopped(), "breakpoint helper.lua:4 add");
        assert_eq!(client.locals(0)["one"], "8");
        client.go("continue");
    });
    assert_eq!(answer.unwrap(), "9");
}

#[cfg(unix)]
#[test]
fn a_breakpoint_is_found_by_a_link_to_its_file() {
    let shop = shop(10);
    let link = shop.guest.folder.with_file_name("link");
    std::os::unix::fs::symlink(shop.guest.folder.path(), &link).unwrap();
    let mut client = shop.attach(&[]);
    let file = link.join("./app.lua").to_string_lossy().into_owned();
    client.break_at(&file, &[13]);
    let (answer, _) = shop.call(r#"{"n": 4}"#, client, move |client| {
        assert_eq!(client.stopped(), "breakpoint app.lua:13 handler");
        // The editor has it open under this name.
        assert_eq!(client.frames()[0]["source"]["path"], file.as_str());
        client.go("continue");
    });
    assert_eq!(answer.unwrap(), "9");
}

#[test]
fn conditions_decide_and_messages_are_logged_without_a_stop() {
    let source = "function handler()\n  local sum = 0\n  for i = 1, 10 do\n    sum = sum + i\n  end\n  return sum\nend";
    let guest = Debugged::new(11, &[("app.lua", source)]);
    let mut client = guest.attach(&[]);
    let wanted = json!([
        {"line": 4, "condition": "i == 3 or i > 8"},
        {"line": 4, "condition": "i == 5", "logMessage": "at {i}, sum {sum}, {'text'}, {nothing.x}"},
        {"line": 6, "condition": "undefined.member"},
    ]);
    client.set_breakpoints(&guest.path("app.lua"), wanted);
    let (answer, _) = guest.call("0", client, |client| {
        for expected in ["3", "9", "10"] {
            assert_eq!(client.stopped(), "breakpoint app.lua:4 handler");
            assert_eq!(client.locals(0)["i"], expected);
            client.go("continue");
        }
        let logged = client.event("output")["output"].as_str().unwrap().to_owned();
        assert!(logged.starts_with("at 5, sum 10, text, <attempt to index"), "{logged}");
        // A condition that fails is told, and stops.
        assert_eq!(client.stopped(), "breakpoint app.lua:6 handler");
        assert!(client.event("output")["output"].as_str().unwrap().contains("undefined.member"));
        client.go("continue");
    });
    assert_eq!(answer.unwrap(), "55");
}

/// A handler that takes values from two kinds of coroutines.
const COROUTINES: &str = r"local function produce(n)
  for i = 1, n do
    coroutine.yield(i)
  end
end

function handler(event)
  local sum = 0
  local next_one = coroutine.wrap(produce)
  sum = sum + next_one(2)
  trine.sleep(0.001)
  sum = sum + next_one()
  local other = coroutine.create(function()
    trine.sleep(0.001)
    local inner = 40
    return inner
  end)
  local ok, value = coroutine.resume(other)
  return sum + value
end
";

#[test]
fn breakpoints_and_steps_work_inside_coroutines() {
    let guest = Debugged::new(12, &[("app.lua", COROUTINES)]);
    let client = guest.attach(&[("app.lua", &[3])]);
    let (answer, _) = guest.call("0", client, |client| {
        assert_eq!(client.stopped(), "breakpoint app.lua:3 function <app.lua:1>");
        assert_eq!(client.stack(), ["app.lua:3 function <app.lua:1>", "app.lua:10 handler"]);
        assert_eq!(client.locals(0)["i"], "1");
        assert_eq!(client.locals(1)["sum"], "0");
        assert_eq!(client.evaluate(0, "i + n").unwrap(), "3");
        assert_eq!(client.evaluate(1, "sum").unwrap(), "0");
        // The coroutine yields, and its caller goes on.
        assert_eq!(client.step("next"), "step app.lua:11 handler");
        assert_eq!(client.step("next"), "step app.lua:12 handler");
        assert_eq!(client.step("stepIn"), "step app.lua:2 function <app.lua:1>");
        client.go("continue");
        assert_eq!(client.stopped(), "breakpoint app.lua:3 function <app.lua:1>");
        assert_eq!(client.step("stepOut"), "step app.lua:13 handler");
        client.go("continue");
    });
    assert_eq!(answer.unwrap(), "43");
}

#[test]
fn a_breakpoint_behind_a_wait_in_a_coroutine_stops() {
    let guest = Debugged::new(13, &[("app.lua", COROUTINES)]);
    let client = guest.attach(&[("app.lua", &[16])]);
    let (answer, _) = guest.call("0", client, |client| {
        let stopped = client.stopped();
        assert!(stopped.starts_with("breakpoint app.lua:16 "), "{stopped}");
        assert_eq!(client.stack()[1], "app.lua:18 handler");
        assert_eq!(client.locals(0)["inner"], "40");
        assert_eq!(client.step("next"), "step app.lua:19 handler");
        assert_eq!(client.locals(0)["value"], "40");
        client.go("continue");
    });
    assert_eq!(answer.unwrap(), "43");
}

#[test]
fn a_deep_stack_is_shown_from_its_innermost_end() {
    let source = "local function deep(n)\n  if n == 0 then\n    return 0\n  end\n  return 1 + deep(n - 1)\nend\nfunction handler(n)\n  return deep(n)\nend";
    let guest = Debugged::new(14, &[("app.lua", source)]);
    let client = guest.attach(&[("app.lua", &[3])]);
    let (answer, _) = guest.call("50000", client, |client| {
        assert_eq!(client.stopped(), "breakpoint app.lua:3 deep");
        assert_eq!(client.frames().len(), 1000);
        assert_eq!(client.locals(999)["n"], "999");
        let thread = client.thread();
        let part = json!({"threadId": thread, "startFrame": 3, "levels": 2});
        let frames = client.ask("stackTrace", part)["stackFrames"].clone();
        assert_eq!((frames.as_array().unwrap().len(), &frames[0]["line"]), (2, &5.into()));
        client.go("continue");
    });
    assert_eq!(answer.unwrap(), "50000");
}

#[test]
fn a_guest_stands_where_it_raises_an_error_that_nobody_catches() {
    let source = r#"local function fail(what)
  error(what)
end
function handler(event)
  pcall(fail, "caught")
  coroutine.resume(coroutine.create(fail), "caught, too")
  if event == "table" then
    fail({ type = "Odd", message = "it is" })
  elseif event == "coroutine" then
    coroutine.wrap(fail)("inner")
  end
  local missing
  return missing.member
end"#;
    let guest = Debugged::new(15, &[("app.lua", source)]);
    let mut client = guest.attach(&[]);
    client.ask("setExceptionBreakpoints", json!({"filters": ["uncaught"]}));
    let (answer, _) = guest.call("0", client, |client| {
        assert_eq!(client.stopped(), "exception app.lua:13 handler");
        let thread = client.thread();
        let info = client.ask("exceptionInfo", json!({"threadId": thread}));
        assert_eq!(info["exceptionId"], "LuaError");
        assert!(
            info["description"]
                .as_str()
                .unwrap()
                .contains("attempt to index a nil value (local 'missing')")
        );
        assert_eq!(client.locals(0)["event"], "0");
        assert_eq!(client.evaluate(0, "event + 1").unwrap(), "1");
        client.go("continue");
        client.ask("disconnect", json!({}));
    });
    assert!(answer.unwrap_err().message().contains("attempt to index"));
    for (event, place, message) in [
        ("\"table\"", "exception app.lua:2 fail", "it is"),
        ("\"coroutine\"", "exception app.lua:2 function <app.lua:1>", "inner"),
    ] {
        let mut client = guest.next_client();
        client.ask("setExceptionBreakpoints", json!({"filters": ["uncaught"]}));
        let (answer, _) = guest.call(event, client, move |client| {
            let stopped = client.stopped();
            assert!(stopped.starts_with(place), "{stopped}");
            assert_eq!(client.locals(0).len(), 1);
            client.go("continue");
            client.ask("disconnect", json!({}));
        });
        assert_eq!(answer.unwrap_err().message(), message);
    }
}
