//! Tests of programs as middleware: standard input, an argument, and what is printed.

use crate::support::{Guest, invocation, run};
use trine_engine::{Error, ErrorKind, FunctionId, Hook, Payload, Result, Wanted};

async fn load(guest: &Guest) -> Result<(FunctionId, FunctionId)> {
    let module = guest.0.module("mw", Wanted::Program);
    let exports = guest.instance.load(&module).await?;
    Ok((exports.hook(Hook::Before).unwrap(), exports.hook(Hook::After).unwrap()))
}

async fn before(guest: &Guest, input: &str) -> Result<String, Error> {
    let (before, _) = load(guest).await?;
    guest.call(before, input).await
}

/// Returns what a program with this body prints for this input.
async fn printed(body: &str, input: &str) -> String {
    before(&Guest::with(&[("mw", body)]), input).await.unwrap()
}

#[test]
fn a_program_reads_its_argument_and_standard_input_and_prints() {
    run(async {
        let guest = Guest::with(&[(
            "mw",
            "#!/usr/bin/env lua\nlocal hook = arg[1]\nlocal body = io.read('a')\n\
             print((body:gsub('}$', ',\"' .. hook .. '\":\"' .. ... .. '\"}')))",
        )]);
        let (before, after) = load(&guest).await.unwrap();
        let cx = invocation("1");
        for (function, expected) in
            [(before, r#"{"a":1,"before":"before"}"#), (after, r#"{"a":1,"after":"after"}"#)]
        {
            let output = guest.native(function, Payload::json("{\"a\":1}"), &cx).await.unwrap();
            assert!(matches!(&output, Payload::Json(text) if text == expected), "{output:?}");
        }
        assert!(guest.log.lines().is_empty(), "what is printed is no log");
    });
}

#[test]
fn exactly_one_newline_is_cut() {
    run(async {
        assert_eq!(printed("print('1\\n')", "").await, "1\n");
        assert_eq!(printed("io.write('1')", "").await, "1");
        assert_eq!(printed("io.stdout:write('a', 1, '\\n')", "").await, "a1");
        assert_eq!(printed("print('a', nil, 2)", "").await, "a\tnil\t2");
        assert_eq!(printed("", "").await, "");
    });
}

#[test]
fn standard_input_is_read_in_every_format() {
    run(async {
        let body = "local r = {} \
             r[1] = io.read() r[2] = io.read('L') r[3] = io.read('n') r[4] = io.read(2) \
             for line in io.lines() do r[#r + 1] = line end \
             r[#r + 1] = tostring(io.read()) r[#r + 1] = io.read('a') \
             io.stdin:seek('set') r[#r + 1] = io.stdin:read('*l') \
             for c in io.stdin:lines(1) do r[#r + 1] = c break end \
             io.write(table.concat(r, '|'))";
        assert_eq!(
            printed(body, "one\ntwo\n -3.5e1,x\nlast\nline").await,
            "one|two\n|-35.0|,x||last|line|nil||one|t"
        );
        assert_eq!(
            printed("io.write(tostring(io.read('n')), io.read('a'))", "0x1F rest").await,
            "31 rest"
        );
    });
}

#[test]
fn an_exit_status_is_an_error_of_the_call_only() {
    run(async {
        let guest = Guest::with(&[
            (
                "mw",
                "local n = tonumber(io.read('a')) print('out') pcall(os.exit, n) print('never')",
            ),
            ("app.lua", "runs = 0 return {handler = function() runs = runs + 1 return runs end}"),
        ]);
        let handler = guest.load("app", "handler").await.unwrap();
        assert_eq!(guest.call(handler, "0").await.unwrap(), "1");
        assert_eq!(before(&guest, "0").await.unwrap(), "out");
        let error = before(&guest, "3").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Exit);
        assert!(!error.poisons());
        assert!(error.message().ends_with("mw before has ended with exit status 3"), "{error}");
        assert_eq!(guest.call(handler, "0").await.unwrap(), "2", "the state is the same");
    });
}

#[test]
fn each_call_has_globals_of_its_own() {
    run(async {
        let guest = Guest::with(&[(
            "mw",
            "count = (count or 0) + 1 load('other = (other or 0) + 1')() \
             function helper() return count end print(helper(), _G.count, other, type(string.rep), type(trine.json))",
        )]);
        for _ in 0..2 {
            assert_eq!(before(&guest, "").await.unwrap(), "1\t1\t1\tfunction\ttable");
        }
        guest.folder.write(
            "app.lua",
            "return {handler = function() return count == nil and helper == nil end}",
        );
        assert_eq!(guest.handle("0").await.unwrap(), "true");
    });
}

#[test]
fn a_program_may_require_wait_and_fail() {
    run(async {
        let guest = Guest::with(&[
            ("mw", "trine.sleep(0.001) print(require('sibling').x)"),
            ("sibling.lua", "return {x = 4}"),
        ]);
        assert_eq!(before(&guest, "").await.unwrap(), "4");
        let guest = Guest::with(&[("mw", "#!lua\n\nerror('bad body')")]);
        let error = before(&guest, "").await.unwrap_err();
        assert_eq!((error.kind(), error.message()), (ErrorKind::Guest, "bad body"));
        assert_eq!(error.frames()[0].line, 3);
        let guest = Guest::with(&[("mw", "#!lua\nlocal =")]);
        let error = load(&guest).await.unwrap_err();
        assert_eq!((error.kind(), error.frames()[0].line), (ErrorKind::UserCodeSyntax, 2));
        let guest = Guest::with(&[("mw", "io.stderr:write('note\\n') print(1)")]);
        assert_eq!(before(&guest, "").await.unwrap(), "1");
        assert_eq!(guest.log.lines(), ["note\n"]);
    });
}
