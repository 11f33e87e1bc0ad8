//! Telling what an export is.

use super::App;
use crate::harness::Case;
use trine_engine::{Engine, ErrorKind, Interface, Presence, Wanted};

/// Returns the interface of `app` in a module with this text.
fn told(source: &str) -> Interface {
    let app = App::loaded(source, Wanted::Handler("app".to_owned()), None);
    app.unwrap_or_else(|error| panic!("{source}: {error:#}")).interface
}

#[test]
fn applications_are_told_by_their_parameters() {
    for (source, interface) in [
        ("async def app(scope, receive, send): pass", Interface::Asgi),
        ("async def app(a, b, c): pass", Interface::Asgi),
        (
            "def app(scope, receive, send): return inner(scope, receive, send)\nasync def inner(*a): pass",
            Interface::Asgi,
        ),
        (
            "class A:\n    async def __call__(self, scope, receive, send): pass\napp = A()",
            Interface::Asgi,
        ),
        (
            "class A:\n    async def asgi(self, scope, receive, send): pass\napp = A().asgi",
            Interface::Asgi,
        ),
        (
            "import functools\nasync def inner(config, scope, receive, send): pass\napp = functools.partial(inner, 1)",
            Interface::Asgi,
        ),
        (
            "import functools\nasync def inner(scope, receive, send): pass\n@functools.wraps(inner)\nasync def app(*args): return await inner(*args)",
            Interface::Asgi,
        ),
        (
            "class app:\n    def __init__(self, scope, receive, send): pass\n    def __await__(self): yield",
            Interface::Asgi,
        ),
        (
            "class app:\n    def __init__(self, scope): pass\n    async def __call__(self, receive, send): pass",
            Interface::Asgi,
        ),
        ("def app(scope): pass", Interface::Event),
        ("def app(environ, start_response): return []", Interface::Wsgi),
        ("def app(env, start_response): return []", Interface::Wsgi),
        ("def app(environ, start): return []", Interface::Wsgi),
        (
            "class A:\n    def __call__(self, environ, start_response): return []\napp = A()",
            Interface::Wsgi,
        ),
        (
            "class A:\n    def wsgi_app(self, environ, start_response): return []\n    def __call__(self, *a): return []\napp = A()",
            Interface::Wsgi,
        ),
        (
            "class app:\n    def __init__(self, environ, start_response): pass\n    def __iter__(self): return iter(())",
            Interface::Wsgi,
        ),
        ("def app(event, context): pass", Interface::Event),
        ("def app(event, start): pass", Interface::Event),
        ("def app(event): pass", Interface::Event),
        ("def app(): pass", Interface::Event),
        ("async def app(event, context): pass", Interface::Event),
        ("async def app(event, context, extra=None): pass", Interface::Event),
        ("def app(a, b, c=1): pass", Interface::Event),
        ("class A:\n    def __call__(self, event, context): pass\napp = A()", Interface::Event),
        ("app = print", Interface::Event),
        ("app = dict", Interface::Event),
        ("def create_app(): pass\napp = create_app", Interface::Event),
    ] {
        assert_eq!(told(source), interface, "{source}");
    }
}

#[test]
fn what_somebody_has_said_goes_first() {
    let named = || Wanted::Handler("app".to_owned());
    let asgi = "async def app(scope, receive, send): pass";
    let event = App::loaded(asgi, named(), Some(Interface::Event)).unwrap();
    assert_eq!(event.interface, Interface::Event);
    let source = "def app(e, s):\n    s('200 OK', [])\n    return [b'a']";
    let wsgi = App::loaded(source, named(), Some(Interface::Wsgi)).unwrap();
    assert_eq!(wsgi.get("/").body(), "a");
    let error = App::loaded(asgi, named(), Some(Interface::Node)).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert_eq!(
        error.message(),
        "Python's handlers have no interface 'node': it is one of event, asgi, wsgi"
    );
}

#[test]
fn an_application_of_asgi_2_is_called_twice() {
    let app = App::new(
        "class app:
    def __init__(self, scope): self.scope = scope
    async def __call__(self, receive, send):
        assert self.scope['type'] == 'http'
        await send({'type': 'http.response.start', 'status': 200, 'headers': []})
        await send({'type': 'http.response.body', 'body': self.scope['path'].encode()})
",
    );
    assert_eq!(app.get("/two").body(), "/two");
    let source = "def app(scope):
    async def run(receive, send):
        assert scope['type'] == 'http'
        await send({'type': 'http.response.start', 'status': 200, 'headers': []})
        await send({'type': 'http.response.body', 'body': b'said'})
    return run
";
    let named = Wanted::Handler("app".to_owned());
    let app = App::loaded(source, named, Some(Interface::Asgi)).unwrap();
    assert_eq!(app.get("/").body(), "said");
}

#[test]
fn handlers_go_first_where_nobody_has_named_one() {
    let unnamed = |source: &str, interface| {
        let case = Case::new(&[("app.py", source)]);
        let module = case.module("app", Wanted::Unnamed).with_interface(interface);
        let exports = crate::harness::block_on(case.instance.load(&module));
        exports.map(|exports| (exports.functions[0].0.clone(), exports.interface))
    };
    let asgi = "async def app(scope, receive, send): pass\n";
    let wsgi = "def application(environ, start_response): return []\n";
    let handler = "def handler(event, context): pass\n";
    let some = |name: &str, interface| Some((name.to_owned(), interface));
    assert_eq!(unnamed(asgi, None).ok(), some("app", Interface::Asgi));
    assert_eq!(unnamed(wsgi, None).ok(), some("application", Interface::Wsgi));
    assert_eq!(unnamed(&format!("{asgi}{handler}"), None).ok(), some("handler", Interface::Event));
    assert_eq!(
        unnamed(&format!("{asgi}{handler}"), Some(Interface::Asgi)).ok(),
        some("app", Interface::Asgi)
    );
    assert_eq!(
        unnamed("def app(event): pass\n", None).unwrap_err().kind(),
        ErrorKind::HandlerNotFound
    );
    assert!(unnamed("app = 1\n", None).is_err());
    assert!(unnamed(asgi, Some(Interface::Event)).is_err());
}

#[test]
fn an_application_may_be_a_member_of_a_member() {
    let source = "class api:\n    async def app(scope, receive, send): pass\n";
    let app = App::loaded(source, Wanted::Handler("api.app".to_owned()), None).unwrap();
    assert_eq!(app.interface, Interface::Asgi);
}

#[test]
fn a_look_at_the_text_allows_for_applications() {
    for source in [
        "from fastapi import FastAPI\napp = FastAPI()\n",
        "from .app import app\n",
        "from app_package import application\n",
        "app: object = make()\n",
    ] {
        let case = Case::new(&[("app.py", source)]);
        let module = case.module("app", Wanted::Unnamed);
        assert_eq!(trine_python::engine().check(&module).unwrap(), Presence::Possible, "{source}");
    }
    let case = Case::new(&[("app.py", "class api: app = 1\n")]);
    let module = case.module("app", Wanted::Handler("api.app".to_owned()));
    assert_eq!(trine_python::engine().check(&module).unwrap(), Presence::Possible);
}
