//! Tests of finding modules and the functions in them.

use crate::support::{Guest, handler, invocation, run};
use trine_engine::{Engine, ErrorKind, Form, FunctionId, Payload, Wanted};

#[test]
fn the_engine_says_what_it_is() {
    let engine = trine_lua::LuaEngine::default();
    let info = engine.info();
    assert_eq!((info.id, info.name, info.extensions), ("lua", "Lua", &["lua"][..]));
    assert!(info.version.starts_with("Lua 5.4."), "{}", info.version);
    assert!(info.capabilities.interrupt && info.capabilities.exact_integers);
    assert!(!info.capabilities.native_extensions && !info.splits_at_first_dot);
    assert_eq!(trine_lua::engine().info().id, "lua");
}

#[test]
fn a_handler_is_a_member_a_global_or_the_module_itself() {
    run(async {
        let guest = Guest::with(&[
            ("member.lua", "return {handler = function() return 'member' end}"),
            ("global.lua", "function handler() return 'global' end"),
            ("itself.lua", "return function() return 'itself' end"),
            ("deep.lua", "return {api = {users = {get = function() return 'deep' end}}}"),
            ("deepglobal.lua", "api = {get = function() return 'deep' end}"),
            (
                "callable.lua",
                "return setmetatable({}, {__call = function(self, event) return event end})",
            ),
            (
                "class.lua",
                "return setmetatable({get = function() return 'get' end}, \
                 {__call = function(self, event) return event end})",
            ),
            (
                "globalcallable.lua",
                "run = setmetatable({}, {__call = function(self, event) return event end})",
            ),
        ]);
        for (module, export, expected) in [
            ("member", "handler", "\"member\""),
            ("global", "handler", "\"global\""),
            ("itself", "handler", "\"itself\""),
            ("itself", "", "\"itself\""),
            ("deep", "api.users.get", "\"deep\""),
            ("deepglobal", "api.get", "\"deep\""),
            ("callable", "", "5"),
            ("callable", "handler", "5"),
            ("callable", "run", "5"),
            ("class", "handler", "5"),
            ("class", "get", "\"get\""),
            ("globalcallable", "run", "5"),
        ] {
            let function = guest.load(module, export).await.unwrap();
            assert_eq!(guest.call(function, "5").await.unwrap(), expected, "{module}.{export}");
        }
    });
}

#[test]
fn a_table_that_can_be_called_does_not_stand_for_names_that_its_functions_nearly_have() {
    run(async {
        let guest = Guest::new("return setmetatable({get = print}, {__call = print})");
        let error = guest.load("app", "gett").await.unwrap_err();
        assert!(error.message().ends_with("it has: get; did you mean 'get'?"), "{error}");
    });
}

#[test]
fn a_handler_that_is_missing_lists_what_there_is() {
    run(async {
        let guest = Guest::new("return {handle = print, other = print, n = 1}");
        let error = guest.load("app", "handler").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::HandlerNotFound);
        assert_eq!(
            error.message(),
            "Handler 'handler' missing on module 'app'; it has: handle, other; did you mean 'handle'?"
        );
        let guest = Guest::new("return {}");
        let error = guest.load("app", "handler").await.unwrap_err();
        assert!(error.message().contains("has no functions: return a table"), "{error}");
        let guest = Guest::new("return {api = {get = print, n = 1}}");
        let error = guest.load("app", "api.gett").await.unwrap_err();
        assert!(error.message().ends_with("it has: api.get; did you mean 'api.get'?"), "{error}");
    });
}

#[test]
fn a_handler_that_is_no_function_says_what_it_is() {
    run(async {
        let guest = Guest::new("return {handler = {}, n = 1}");
        let error = guest.load("app", "handler").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::HandlerNotFound);
        assert!(error.message().ends_with("is not a function (it is a table)"), "{error}");
        let error = guest.load("app", "n").await.unwrap_err();
        assert!(error.message().ends_with("(it is an integer)"), "{error}");
    });
}

#[test]
fn hooks_are_those_that_exist() {
    run(async {
        let guest = Guest::with(&[
            ("first.lua", "return {before = function() return 1 end, helper = 3}"),
            ("second.lua", "function before() return 2 end function after() end"),
            ("third.lua", "return {before = 'no'}"),
            ("fourth.lua", "return {}"),
        ]);
        let wanted = Wanted::Hooks;
        let names = async |module: &str| {
            let exports = guest.instance.load(&guest.module(module, wanted.clone())).await?;
            let names = exports.functions.iter().map(|(name, _)| name.clone());
            Ok::<_, trine_engine::Error>((names.collect::<Vec<_>>(), exports))
        };
        let (first, exports) = names("first").await.unwrap();
        assert_eq!(first, ["before"]);
        assert_eq!(names("second").await.unwrap().0, ["before", "after"]);
        assert_eq!(names("third").await.unwrap_err().kind(), ErrorKind::HandlerNotFound);
        assert!(names("fourth").await.unwrap().0.is_empty());
        // Globals of one file are not hooks of another.
        assert_eq!(guest.call(exports.functions[0].1, "0").await.unwrap(), "1");
    });
}

#[test]
fn a_module_that_is_loaded_twice_runs_once() {
    run(async {
        let guest = Guest::with(&[
            (
                "app.lua",
                "runs = (runs or 0) + 1 return {handler = function() return runs end, other = function() return require('app') ~= nil and runs end}",
            ),
            ("main.lua", "local app = require('app') return {handler = app.handler}"),
        ]);
        let first = guest.load("app", "handler").await.unwrap();
        let again = guest.load("app", "handler").await.unwrap();
        assert_eq!(first, again);
        guest.load("main", "handler").await.unwrap();
        let other = guest.load("app", "other").await.unwrap();
        assert_ne!(first, other);
        assert_eq!(guest.call(other, "0").await.unwrap(), "1");
    });
}

#[test]
fn a_file_that_was_required_before_is_not_run_again() {
    run(async {
        let guest = Guest::with(&[
            ("main.lua", "local lib = require('lib') return {handler = lib.handler}"),
            ("lib.lua", "runs = (runs or 0) + 1 return {handler = function() return runs end}"),
        ]);
        guest.load("main", "handler").await.unwrap();
        let function = guest.load("lib", "handler").await.unwrap();
        assert_eq!(guest.call(function, "0").await.unwrap(), "1");
    });
}

#[test]
fn modules_are_required_from_the_root_and_from_layers() {
    run(async {
        let guest = Guest::with(&[
            (
                "app.lua",
                "return {handler = function() return {require('a'), require('b'), require('c.d'), require('e'), require('f'), (select(2, require('a')))} end}",
            ),
            ("a.lua", "return 'a'"),
            ("b/init.lua", "return 'b'"),
            ("lua/c/d.lua", "return 'd'"),
            ("opt/lua/e.lua", "return 'e'"),
            ("opt/lua/f/init.lua", "return ..."),
        ]);
        let answer = guest.handle("0").await.unwrap();
        assert!(answer.starts_with(r#"["a","b","d","e","f""#), "{answer}");
    });
}

#[test]
fn a_module_that_is_not_found_is_an_import_error() {
    run(async {
        let guest = Guest::with(&[("app.lua", "local x = require('nowhere')\nreturn {}")]);
        let error = guest.load("app", "handler").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ImportModule);
        let start = "Unable to import module 'app': module 'nowhere' not found:";
        assert!(error.message().starts_with(start), "{error}");
        assert!(error.message().contains("nowhere.lua"), "{error}");
        assert_eq!(error.frames()[0].line, 1);
        let error = guest.load("gone", "handler").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ImportModule);
        assert!(error.message().contains("gone.lua"), "{error}");
        for bad in ["require()", "require({})", "package.searchers = nil require('x')"] {
            let guest = Guest::new(bad);
            assert_eq!(guest.load("app", "handler").await.unwrap_err().kind(), ErrorKind::Guest);
        }
    });
}

#[test]
fn source_that_does_not_parse_names_file_and_line() {
    run(async {
        let guest = Guest::with(&[
            ("app.lua", "local x =\nreturn 1"),
            ("main.lua", "local ok = 1\nrequire('broken')"),
            ("broken.lua", "\n\nfunction ("),
        ]);
        let error = guest.load("app", "handler").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UserCodeSyntax);
        assert!(
            error.message().starts_with("Syntax error in module 'app': unexpected symbol"),
            "{error}"
        );
        assert_eq!(error.frames()[0].line, 2);
        assert!(error.frames()[0].file.ends_with("/app.lua"));
        let error = guest.load("main", "handler").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UserCodeSyntax, "{error:#}");
        assert!(error.frames()[0].file.ends_with("/broken.lua"), "{error:#}");
        assert_eq!(error.frames()[0].line, 3);
        assert_eq!((error.frames()[1].line, error.frames().len()), (2, 2), "{error:#}");
    });
}

#[test]
fn a_first_line_for_the_shell_and_a_byte_order_mark_are_skipped() {
    run(async {
        let guest = Guest::new(&format!("#!/usr/bin/env lua\n{}", handler("return 1")));
        assert_eq!(guest.handle("0").await.unwrap(), "1");
        let guest = Guest::new(&format!("\u{feff}{}", handler("return 2")));
        assert_eq!(guest.handle("0").await.unwrap(), "2");
    });
}

#[test]
fn functions_of_different_roots_share_nothing() {
    run(async {
        let source = "shared = (shared or 0) + 1 local lib = require('lib') \
                      return {handler = function() lib.n = lib.n + 1 return {shared, lib.n} end}";
        let guest = Guest::with(&[
            ("a/app.lua", source),
            ("a/lib.lua", "return {n = 0}"),
            ("b/app.lua", source),
            ("b/lib.lua", "return {n = 10}"),
        ]);
        let mut functions = Vec::new();
        for root in ["a", "b"] {
            let mut module =
                guest.module(&format!("{root}/app"), Wanted::Handler("handler".into()));
            module.root = guest.folder.join(root);
            functions.push(guest.instance.load(&module).await.unwrap().functions[0].1);
        }
        assert_eq!(guest.call(functions[0], "0").await.unwrap(), "[1,1]");
        assert_eq!(guest.call(functions[0], "0").await.unwrap(), "[1,2]");
        assert_eq!(guest.call(functions[1], "0").await.unwrap(), "[1,11]");
    });
}

#[test]
fn top_level_code_may_wait_even_in_a_required_module() {
    run(async {
        let guest = Guest::with(&[
            (
                "app.lua",
                "trine.sleep(0.001) local n = require('lib') function handler() return n end",
            ),
            ("lib.lua", "trine.sleep(0.001) return 5"),
        ]);
        assert_eq!(guest.handle("0").await.unwrap(), "5");
    });
}

#[test]
fn the_standard_library_is_there() {
    run(async {
        let guest = Guest::new(&handler(
            "local missing = {} for _, name in ipairs {'coroutine', 'debug', 'io', 'math', 'os', 'package', 'string', 'table', 'utf8', 'load', 'dofile', 'loadfile'} do \
             if _G[name] == nil then missing[#missing + 1] = name end end \
             return {table.concat(missing), os.getenv('PATH') ~= nil, debug.traceback() ~= nil, load('return 7')()}",
        ));
        assert_eq!(guest.handle("0").await.unwrap(), r#"["",true,true,7]"#);
    });
}

#[test]
fn usage_counts_bytes_and_calls() {
    run(async {
        let guest = Guest::new(&handler("if event == 1 then error('x') end return 1"));
        assert_eq!(guest.instance.usage().heap_bytes, 0);
        let function = guest.load("app", "handler").await.unwrap();
        guest.call(function, "0").await.unwrap();
        guest.call(function, "1").await.unwrap_err();
        let usage = guest.instance.usage();
        assert_eq!(usage.calls, 2);
        assert!(usage.heap_bytes > 10_000, "{}", usage.heap_bytes);
    });
}

#[test]
fn an_instance_that_is_shut_down_refuses_calls() {
    run(async {
        let guest = Guest::new(&handler("return 1"));
        let function = guest.load("app", "handler").await.unwrap();
        let input = Payload::json("[]");
        let value =
            guest.instance.call(function, input, Form::Native, &invocation("1")).await.unwrap();
        guest.instance.shutdown();
        assert_eq!(guest.call(function, "0").await.unwrap_err().kind(), ErrorKind::Internal);
        assert_eq!(guest.load("app", "handler").await.unwrap_err().kind(), ErrorKind::Internal);
        // A value that is still on its way keeps what it needs.
        assert_eq!(value.into_bytes().unwrap().0, "1");
        guest.instance.shutdown();
    });
}

#[test]
fn an_id_of_no_function_is_an_error() {
    run(async {
        let guest = Guest::new(&handler("return 1"));
        assert_eq!(guest.call(FunctionId(7), "0").await.unwrap_err().kind(), ErrorKind::Internal);
    });
}

#[test]
fn finalizers_may_use_the_host_while_a_state_is_closed() {
    run(async {
        let guest = Guest::new(&handler(
            "warn('@on') kept = setmetatable({}, {__gc = function() print('closed', trine.json.encode({1})) trine.log('info', 'bye') \
             print(pcall(trine.sleep, 0)) pcall(trine.fetch, 'http://x') io.write('done\\n') error('at the end') end}) return 1",
        ));
        guest.handle("0").await.unwrap();
        guest.instance.shutdown();
        let lines = guest.log.lines();
        assert_eq!(lines[0], "closed\t[1]\n");
        assert!(lines[1].ends_with("\tINFO\tbye\n"), "{lines:?}");
        assert!(
            lines[2].starts_with("false\t") && lines[2].contains("cannot wait here"),
            "{lines:?}"
        );
        assert_eq!(lines[3], "done\n");
        assert!(lines[4].starts_with("Lua warning: error in __gc"), "{lines:?}");
    });
}
