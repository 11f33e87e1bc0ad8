//! What is told to be an application, and by which interface.

use super::{App, get};
use crate::support::{Guest, run};
use trine_engine::{Engine, ErrorKind, Interface, Module, Presence, Wanted};
use trine_lua::LuaEngine;

async fn load(
    source: &str,
    name: &str,
    interface: Option<Interface>,
) -> Result<(String, Interface), trine_engine::Error> {
    let guest = Guest::new(source);
    let module = guest.module("app", wanted(name)).with_interface(interface);
    let exports = guest.instance.load(&module).await?;
    Ok((exports.functions[0].0.clone(), exports.interface))
}

/// Returns what a handler string asks for after its file; `-` stands for a file alone.
fn wanted(name: &str) -> Wanted {
    if name == "-" { Wanted::Unnamed } else { Wanted::Handler(name.to_owned()) }
}

#[test]
fn applications_are_told_by_what_they_have_and_how_parameters_are_named() {
    run(async {
        use Interface::{Event, Fetch, Wsapi};
        for (source, name, found, interface) in [
            ("local M = {} function M.run(wsapi_env) end return M", "-", "run", Wsapi),
            ("local M = {} function M.run(env) end return M", "-", "run", Wsapi),
            ("local M = {} function M.run(wsapi_env) end return M", "run", "run", Wsapi),
            ("local M = {} function M.run(wsapi_env) end return M", "", "run", Wsapi),
            ("local M = {} function M.run(event) end return M", "run", "run", Event),
            ("return { fetch = function(request) end }", "-", "fetch", Fetch),
            ("return { fetch = function() end }", "-", "fetch", Fetch),
            ("return { fetch = function(request, context) end }", "fetch", "fetch", Fetch),
            ("return { fetch = function(event, context) end }", "fetch", "fetch", Event),
            ("return { fetch = print, run = print }", "-", "fetch", Fetch),
            ("return { fetch = print, run = function(wsapi_env) end }", "-", "run", Wsapi),
            ("return { app = { run = function(e) end } }", "app", "app", Wsapi),
            ("return { app = { fetch = function(r) end } }", "-", "app", Fetch),
            ("return { application = function(wsapi_env) end }", "-", "application", Wsapi),
            ("return { api = { v1 = { fetch = function(q) end } } }", "api.v1", "api.v1", Fetch),
            ("function app(request) end", "app", "app", Fetch),
            ("function app(request, context) end", "app", "app", Event),
            ("function run(wsapi_env) end", "-", "run", Wsapi),
            ("function fetch(request, context) end", "-", "fetch", Fetch),
            ("return function(wsapi_env) end", "-", "handler", Wsapi),
            ("return function(request) end", "app", "app", Fetch),
            ("return function(event) end", "-", "handler", Event),
            (
                "return { handler = function() end, run = function(wsapi_env) end }",
                "-",
                "handler",
                Event,
            ),
            ("return { handler = function() end, app = { fetch = print } }", "-", "handler", Event),
            ("return setmetatable({ run = print }, { __call = print })", "", "", Event),
            (
                "return setmetatable({ run = function(wsapi_env) end }, { __call = print })",
                "",
                "run",
                Wsapi,
            ),
        ] {
            let told = load(source, name, None).await.unwrap();
            assert_eq!(told, (found.to_owned(), interface), "{source} {name}");
        }
    });
}

#[test]
fn somebody_may_say_which_it_is() {
    run(async {
        use Interface::{Asgi, Event, Fetch, Wsapi};
        for (source, name, said, interface) in [
            ("return { run = function(env) end }", "run", Wsapi, Wsapi),
            ("return { handle = function(r) end }", "handle", Fetch, Fetch),
            ("return { handler = function(r) end }", "-", Fetch, Fetch),
            ("return { run = print, fetch = print }", "-", Wsapi, Wsapi),
            ("return { run = print, fetch = print }", "-", Fetch, Fetch),
            ("return { app = function(env) end }", "-", Wsapi, Wsapi),
            ("return { run = function(wsapi_env) end }", "run", Fetch, Fetch),
            ("function fetch(r) end", "-", Fetch, Fetch),
            ("return { go = function(request) end }", "go", Event, Event),
        ] {
            let (_, told) = load(source, name, Some(said)).await.unwrap();
            assert_eq!(told, interface, "{source}");
        }
        let error = load("return { app = { fetch = 1 } }", "app", Some(Fetch)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::HandlerNotFound);
        assert_eq!(
            error.message(),
            "'app' of module 'app' is no fetch application (it is a table): that is a function, or a table with the function 'fetch'"
        );
        let error = load("return { app = print }", "app", Some(Asgi)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.message().starts_with("Lua has no asgi applications"), "{error}");
        let global = "function run(r) end";
        let error = load(global, "-", Some(Fetch)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::HandlerNotFound);
        let error = load("return { app = print }", "-", Some(Asgi)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        let only = "return { run = function(wsapi_env) end }";
        let error = load(only, "-", Some(Event)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::HandlerNotFound);
    });
}

#[test]
fn a_module_that_has_no_application_is_refused_as_before() {
    run(async {
        for source in ["return { app = 5 }", "return { app = { serve = print } }", "return {}"] {
            let error = load(source, "-", None).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::HandlerNotFound, "{source}");
            assert!(error.message().starts_with("Handler 'handler' missing"), "{error}");
        }
        // A module may refuse to be asked for what it has not.
        let strict = "return setmetatable({}, { __index = function(_, name) error(name) end })";
        assert_eq!(load(strict, "-", None).await.unwrap_err().kind(), ErrorKind::HandlerNotFound);
    });
}

#[test]
fn a_method_of_an_application_gets_it() {
    run(async {
        let source = "local app = { greeting = 'hello' }\n\
            function app:fetch(request) return self.greeting .. request.path end\n\
            return app";
        let app = App::new(source).await;
        assert_eq!(app.interface, Interface::Fetch);
        assert_eq!(app.text().await, "hello/");
        let source = "local App = {} App.__index = App\n\
            function App:run(wsapi_env) return 200, {}, coroutine.wrap(function() coroutine.yield(self.name) end) end\n\
            return { app = setmetatable({ name = 'inherited' }, App) }";
        assert_eq!(App::new(source).await.text().await, "inherited");
    });
}

#[test]
fn the_static_look_lets_what_may_be_an_application_pass() {
    let guest = Guest::new("");
    let look = |source: &str, wanted: Wanted, interface: Option<Interface>| {
        guest.folder.write("app.lua", source);
        let path = guest.folder.join("app.lua");
        let module = Module::new(guest.folder.path(), path, "app", wanted);
        LuaEngine::new().check(&module.with_interface(interface)).unwrap()
    };
    for source in [
        "local M = {} function M.run(wsapi_env) end return M",
        "return { fetch = function(request) end }",
        "return { app = { fetch = function(request) end } }",
        "function run(wsapi_env) end",
        "local orbit = require 'orbit' return orbit.new()",
    ] {
        assert_eq!(look(source, Wanted::Unnamed, None), Presence::Possible, "{source}");
    }
    let named = || Wanted::Handler("app".to_owned());
    let table = "return { app = { run = function(e) end } }";
    assert_eq!(look(table, named(), None), Presence::Possible);
    assert!(matches!(look("return { app = { 1 } }", named(), None), Presence::NoFunction { .. }));
    assert!(matches!(
        look("return { app = 5, run = 1 }", named(), None),
        Presence::NoFunction { .. }
    ));
    assert!(matches!(
        look("local M = {} function M.parse() end return M", Wanted::Unnamed, None),
        Presence::Absent { .. }
    ));
    let only = "local M = {} function M.run(wsapi_env) end return M";
    let event = look(only, Wanted::Unnamed, Some(Interface::Event));
    assert_eq!(event, Presence::Absent { others: vec!["run".to_owned()] });
}

#[test]
fn an_application_takes_requests_and_nothing_else() {
    run(async {
        let app = App::fetch("return 'x'").await;
        let error = app.guest.call(app.function, "{}").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert_eq!(error.message(), "'fetch' is a web application: it takes requests");
        assert_eq!(LuaEngine::new().info().interfaces, [Interface::Fetch, Interface::Wsapi]);
        assert_eq!(app.ask(get("/")).await.unwrap().status, 200);
    });
}
