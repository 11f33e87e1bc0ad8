//! What a handler is taken for.

use super::*;
use crate::support::run;

const REPLY: &str = "(request, response) => response.end('node')";

/// Loads a handler of a module by its name, or one that nobody has named, and answers a request with it.
fn told(source: &str, name: Option<&str>) -> (Interface, String) {
    let guest = Guest::new(source);
    run(async {
        let wanted = name.map_or(Wanted::Unnamed, |name| Wanted::Handler(name.to_owned()));
        let exports = guest.load("app.mjs", wanted).await.unwrap();
        let (interface, function) = (exports.interface, exports.functions[0].1);
        let body = match interface {
            Interface::Event => guest.call(function, "{}").await.unwrap(),
            _ => ask(&guest, function, get("/")).await.body(),
        };
        (interface, body)
    })
}

#[track_caller]
fn assert_told(source: &str, name: Option<&str>, interface: Interface, body: &str) {
    assert_eq!(told(source, name), (interface, body.to_owned()), "{source}");
}

#[test]
fn functions_are_told_by_the_names_of_their_parameters() {
    let fetch = "new Response('fetch')";
    for (function, interface) in [
        ("(request) => FETCH", Interface::Fetch),
        ("req => FETCH", Interface::Fetch),
        ("async function (request) { return FETCH; }", Interface::Fetch),
        ("async (request, env, ctx) => FETCH", Interface::Fetch),
        ("(req, res) => res.end('node')", Interface::Node),
        ("(_, response) => response.end('node')", Interface::Node),
        ("async (request, response) => response.end('node')", Interface::Node),
        ("function handle(req, res, next) { res.end('node'); }", Interface::Node),
        ("(/* of Node */ req = null, res) => res.end('node')", Interface::Node),
        ("(event, context) => 'event'", Interface::Event),
        ("(event) => 'event'", Interface::Event),
        ("() => 'event'", Interface::Event),
        ("async (request, context) => 'event'", Interface::Event),
        ("({ request }) => 'event'", Interface::Event),
        ("(req, res, callback) => callback(null, 'event')", Interface::Event),
        ("(...args) => 'event'", Interface::Event),
    ] {
        let source = format!("export const handler = {};", function.replace("FETCH", fetch));
        let body = if interface == Interface::Event { "\"event\"" } else { interface.name() };
        assert_told(&source, Some("handler"), interface, body);
    }
}

#[test]
fn objects_are_told_by_what_they_have() {
    let response = "new Response('fetch')";
    for (value, interface) in [
        (format!("{{ fetch: () => {response} }}"), Interface::Fetch),
        (
            format!("new (class {{ #a = 1; fetch() {{ this.#a; return {response}; }} }})()"),
            Interface::Fetch,
        ),
        (format!("Promise.resolve({{ fetch: () => {response} }})"), Interface::Fetch),
        (format!("Object.assign({REPLY}, {{ handle() {{}}, listen() {{}} }})"), Interface::Node),
        (format!("{{ callback: () => {REPLY}, use() {{}} }}"), Interface::Node),
        (format!("{{ handler: {REPLY}, listen() {{}} }}"), Interface::Node),
        (
            "new (class { handle(a, b) { b.end('node'); } listen() {} })()".to_owned(),
            Interface::Node,
        ),
        (format!("{{ ready: async () => {{}}, routing: {REPLY} }}"), Interface::Node),
        (
            format!(
                "{{ init: async () => {{}}, getHttpAdapter: () => ({{ getInstance: () => Object.assign({REPLY}, {{ handle() {{}}, use() {{}} }}) }}) }}"
            ),
            Interface::Node,
        ),
    ] {
        let source = format!("export const app = {value};\nexport default app;");
        for name in [None, Some("app"), Some("default"), Some("handler")] {
            assert_told(&source, name, interface, interface.name());
        }
    }
    let source =
        format!("import http from 'node:http'; export const server = http.createServer({REPLY});");
    for name in [None, Some("server")] {
        assert_told(&source, name, Interface::Node, "node");
    }
}

#[test]
fn members_of_an_application_are_no_handlers_unless_they_were_put_there() {
    let source = "export default { handler(req, res, info) { res.end('node'); }, listen() {} };";
    assert_told(source, None, Interface::Node, "node");
    assert_told(source, Some("handler"), Interface::Node, "node");
    let source = "class App { constructor() { this.handler = this.handler.bind(this); }
        handler(req, res, info) { res.end('node'); } listen() {} }
        export default new App();";
    assert_told(source, None, Interface::Node, "node");
    let source = "export default new Proxy({}, { get: (target, name) =>
        name === 'then' ? undefined : name === 'fetch' ? () => new Response('fetch') : () => 'a route' });";
    assert_told(source, None, Interface::Fetch, "fetch");
    let source = "const app = Object.assign((req, res) => {}, { handle() {}, listen() {} });
        app.handler = (event) => 'event'; export default app;";
    assert_told(source, Some("handler"), Interface::Event, "\"event\"");
}

#[test]
fn a_handler_of_events_goes_before_an_application() {
    let source = "export const handler = (event) => 'event'; export default { fetch() {} };";
    assert_told(source, None, Interface::Event, "\"event\"");
    let source = "export const app = { fetch: () => new Response('app') };
        export default { fetch: () => new Response('default') };";
    assert_told(source, None, Interface::Fetch, "default");
    assert_told(source, Some("app"), Interface::Fetch, "app");
}

#[test]
fn somebody_may_say_what_it_is() {
    let source = "export const handler = (a, b) => b?.end ? b.end('node') : a?.url ? new Response('fetch') : 'event';";
    let guest = Guest::new(source);
    run(async {
        for interface in [Interface::Fetch, Interface::Node, Interface::Event] {
            let module = guest.module("app.mjs", Wanted::Handler("handler".to_owned()));
            let module = module.with_interface(Some(interface));
            let exports = guest.instance.load(&module).await.unwrap();
            assert_eq!(exports.interface, interface);
            let function = exports.functions[0].1;
            let body = match interface {
                Interface::Event => guest.call(function, "{}").await.unwrap(),
                _ => ask(&guest, function, get("/")).await.body(),
            };
            assert_eq!(body.trim_matches('"'), interface.name());
        }
    });
    let source = format!(
        "export const app = {{ fetch: () => new Response('fetch'), handler: {REPLY}, listen() {{}} }};"
    );
    let guest = Guest::new(&source);
    run(async {
        for interface in [Interface::Fetch, Interface::Node] {
            let module = guest.module("app.mjs", Wanted::Handler("app".to_owned()));
            let module = module.with_interface(Some(interface));
            let exports = guest.instance.load(&module).await.unwrap();
            let seen = ask(&guest, exports.functions[0].1, get("/")).await;
            assert_eq!(seen.body(), interface.name());
        }
        let module = guest.module("app.mjs", Wanted::Handler("app".to_owned()));
        let error = guest.instance.load(&module.with_interface(Some(Interface::Event))).await;
        assert!(error.unwrap_err().message().starts_with("app.app is not a function"));
    });
}

#[test]
fn an_application_that_starts_its_own_server_is_the_handler_and_listens_to_nobody() {
    for source in [
        format!("import http from 'node:http'; http.createServer({REPLY}).listen(3000);"),
        format!("import https from 'node:https'; https.createServer({{}}, {REPLY}).listen(3000);"),
        format!("import http from 'node:http'; const app = {{ listen: (...args) => http.createServer({REPLY}).listen(...args) }};
            await new Promise((ready) => app.listen(8080, 'localhost', ready));"),
        format!("import http from 'node:http';
            setTimeout(() => http.createServer({REPLY}).listen(80), 5);"),
        format!("import http from 'node:http';
            const main = async () => {{ for (let turn = 0; turn < 50; turn++) await null; http.createServer({REPLY}).listen(80); }};
            main();"),
        format!("import http from 'node:http';
            export const other = 1;
            const server = http.createServer(); server.on('request', {REPLY}); server.listen({{ port: 1 }});"),
    ] {
        for name in [None, Some("handler"), Some("app")] {
            assert_told(&source, name, Interface::Node, "node");
        }
    }
}

#[test]
fn a_server_that_listens_to_nobody_seems_to() {
    let source = "import http from 'node:http';
        const seen = [];
        const server = http.createServer((req, res) => res.end(JSON.stringify(seen)));
        server.on('listening', () => seen.push('listening', server.listening));
        server.listen(4000, '127.0.0.1', () => seen.push(server.address()));
        await new Promise((ready) => server.once('listening', ready));";
    let expected = r#"["listening",true,{"address":"127.0.0.1","family":"IPv4","port":4000}]"#;
    assert_told(source, None, Interface::Node, expected);
}

#[test]
fn servers_of_a_handler_of_events_listen() {
    let source = "import http from 'node:http';
        const server = http.createServer((req, res) => res.end('of the server'));
        await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
        const { port } = server.address();
        export const handler = async () => await (await fetch(`http://127.0.0.1:${port}/`)).text();";
    assert_told(source, Some("handler"), Interface::Event, "\"of the server\"");
    let source = "import http from 'node:http';
        const server = http.createServer((req, res) => res.end('of the server')).listen(0, '127.0.0.1');
        export const handler = async () => {
            server.listening || await new Promise((ready) => server.once('listening', ready));
            return await (await fetch(`http://127.0.0.1:${server.address().port}/`)).text();
        };";
    assert_told(source, Some("handler"), Interface::Event, "\"of the server\"");
}

#[test]
fn of_several_servers_the_first_one_is_the_handler_and_the_log_says_so() {
    let source = format!(
        "import http from 'node:http'; http.createServer({REPLY}).listen(1);
        http.createServer(() => {{}}).listen(2);"
    );
    let guest = Guest::new(&source);
    run(async {
        let function = application(&guest, Interface::Node).await;
        assert_eq!(ask(&guest, function, get("/")).await.body(), "node");
    });
    let log = guest.log.text();
    assert!(
        log.contains("WARN\tthe module starts 2 servers: the first one is its handler"),
        "{log}"
    );
}

#[test]
fn what_denos_server_is_given_is_the_handler() {
    let source = "Deno.serve({ port: 1, onListen() {} }, (request, info) => {
        return new Response(`${new URL(request.url).pathname} ${info.remoteAddr.hostname}`);
    });";
    assert_told(source, None, Interface::Fetch, "/ 10.0.0.7");
}

#[test]
fn a_module_without_a_handler_is_told_as_before() {
    for (source, message) in [
        (
            "import 'node:http'; export const other = () => 1;",
            "app.handler is undefined or not exported",
        ),
        ("import 'node:http'; export const handler = 5;", "app.handler is not a function"),
        (
            "import 'node:http'; setTimeout(() => {}, 1); export const handler = { a: 1 };",
            "app.handler is not a function",
        ),
    ] {
        let guest = Guest::new(source);
        let error = run(load(&guest, "handler")).unwrap_err();
        assert!(error.message().starts_with(message), "{error}");
    }
    for (source, message) in [
        ("export const handler = Promise.resolve((event) => 1);", "app.handler is not a function"),
        (
            "export default Promise.resolve((event) => 1);",
            "app.handler is undefined or not exported",
        ),
    ] {
        let guest = Guest::new(source);
        let error = run(load(&guest, "handler")).unwrap_err();
        assert!(error.message().starts_with(message), "{error}");
    }
    let guest = Guest::new("export default Promise.reject(new RangeError('not built'));");
    let error = run(load(&guest, "default")).unwrap_err();
    assert_eq!((error.name(), error.message()), ("RangeError", "not built"));
}

#[test]
fn a_commonjs_module_may_be_an_application_or_start_one() {
    for source in [
        "module.exports = { fetch: () => new Response('x') };",
        "module.exports = (req, res) => res.end('x');",
        "exports.app = { fetch: () => new Response('x') };",
        "require('http').createServer((req, res) => res.end('x')).listen(1);",
        "const app = (req, res) => res.end('x'); app.handle = app.listen = () => {};
            require('http').createServer(app).listen(1); module.exports = app;",
    ] {
        let guest = Guest::with(&[("app.cjs", source)], None);
        run(async {
            let exports = guest.load("app.cjs", Wanted::Unnamed).await.unwrap();
            let seen = ask(&guest, exports.functions[0].1, get("/")).await;
            assert_eq!(seen.body(), "x", "{source}");
        });
    }
}

#[test]
fn hooks_and_an_application_share_their_context_and_may_wrap_it() {
    let guest = Guest::with(
        &[
            (
                "app.mjs",
                "export default { fetch: (request, env) => new Response(`inner ${env.lambdaContext.state.who}`) };",
            ),
            (
                "hooks.mjs",
                "export const before = (event, context) => { context.state.who = 'hook'; };
                export const wrap = (inner) => async (request, env, ctx) => {
                    const response = await inner(request, env, ctx);
                    return new Response(`outer ${await response.text()}`, response);
                };",
            ),
        ],
        None,
    );
    run(async {
        let function = application(&guest, Interface::Fetch).await;
        let hooks = guest.load("hooks.mjs", Wanted::Hooks).await.unwrap();
        let hook = |name: &str| hooks.functions.iter().find(|(known, _)| known == name).unwrap().1;
        let wrapped = guest.instance.wrap(hook("wrap"), function).await.unwrap();
        let id = invocation();
        let event = Payload::json("{}");
        guest.instance.call(hook("before"), event, Form::Native, &id).await.unwrap();
        let mut request = get("/");
        request.event = Some("{}".into());
        let seen = serve(&guest, wrapped, request, &id, |_, reader| Some(reader)).await;
        assert_eq!(seen.streamed_or_whole().1, "outer inner hook");
    });
}

#[test]
fn a_listener_for_fetch_is_the_handler() {
    let source = "addEventListener('fetch', (event) => {
        event.waitUntil(Promise.resolve());
        event.respondWith(new Response(`${event.type} ${typeof addEventListener}`));
    });";
    assert_told(source, None, Interface::Fetch, "fetch undefined");
    let guest = Guest::new("addEventListener('fetch', () => {});");
    run(async {
        let function = application(&guest, Interface::Fetch).await;
        let seen = ask(&guest, function, get("/")).await;
        let message = "the listener for fetch has not called event.respondWith";
        assert_eq!(seen.error().message(), message);
    });
}
