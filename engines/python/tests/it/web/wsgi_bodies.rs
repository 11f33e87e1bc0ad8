//! The bodies of WSGI applications' responses.

use super::{App, get, request, wsgi::app};
use crate::harness::{block_on, invocation};
use std::rc::Rc;
use trine_engine::Payload;

#[test]
fn pieces_leave_before_the_next_is_made_and_the_end_is_told() {
    let app = App::new(
        "class Body:
    def __init__(self, start): self.start, self.n = start, 0
    def __iter__(self): return self
    def __next__(self):
        if self.n == 0: self.start('200 OK', [('Content-Type', 'text/plain')])
        self.n += 1
        if self.n > 3: raise StopIteration
        print('made', self.n)
        return b'%d' % self.n
    def close(self): print('closed')
def app(environ, start_response): return Body(start_response)
",
    );
    let seen = app.get("/");
    assert_eq!(seen.chunks, ["1", "2", "3"]);
    assert!(seen.streamed && seen.result.is_ok());
    assert_eq!(app.case.log.text(), "made 1\nmade 2\nmade 3\nclosed\n");
}

#[test]
fn a_body_as_long_as_its_length_is_whole_whatever_gives_it() {
    let seen = app("start_response('200 OK', [('Content-Length', '3')])
def body():
    yield b''
    yield b'abc'
    yield b'too much'
return body()")
    .get("/");
    assert_eq!((seen.streamed, seen.body()), (false, "abc".into()));
    let seen = app("start_response('200 OK', [])\nreturn (b'ab', b'', b'c')").get("/");
    assert_eq!(
        (seen.streamed, seen.body(), seen.header("content-length")),
        (false, "abc".into(), None)
    );
    let seen = app("start_response('200 OK', [])\nreturn []").get("/");
    assert_eq!((seen.head.status, seen.body()), (200, String::new()));
    let seen = app("start_response('200 OK', [])\nreturn iter([])").get("/");
    assert_eq!((seen.head.status, seen.body()), (200, String::new()));
}

#[test]
fn a_body_shorter_than_its_length_is_an_error() {
    let app = app("start_response('200 OK', [('Content-Length', '9')])\nreturn [b'abc']");
    let error = app.error();
    assert_eq!(
        error.message(),
        "the WSGI application has ended its response after 3 of the 9 bytes that its Content-Length promises"
    );
}

#[test]
fn a_file_is_a_body() {
    let app = app("class File:
    left = 100000
    def read(self, size):
        size = min(size, self.left)
        self.left -= size
        return b'x' * size
    def close(self): print('closed')
start_response('200 OK', [])
return environ['wsgi.file_wrapper'](File(), 10)");
    let seen = app.get("/");
    assert_eq!(seen.body().len(), 100_000);
    assert_eq!(app.case.log.text(), "closed\n");
}

#[test]
fn write_sends_before_what_is_returned() {
    let seen = app("write = start_response('200 OK', [])\nwrite(b'a')\nwrite(b'b')\nreturn [b'c']")
        .get("/");
    assert_eq!((seen.streamed, seen.body()), (true, "abc".into()));
}

#[test]
fn a_head_request_gets_the_head_alone() {
    let app = app("start_response('200 OK', [])\nreturn [b'hello']");
    let seen = block_on(app.send(request("HEAD", "/")));
    assert_eq!((seen.header("content-length"), seen.body()), (Some("5"), String::new()));
    seen.result.unwrap();
    let app = App::new(
        "def app(e, start_response):\n    start_response('200 OK', [('Content-Length', '9')])\n    return []\n",
    );
    block_on(app.send(request("HEAD", "/"))).result.unwrap();
}

#[test]
fn a_client_that_goes_ends_the_body() {
    let app = App::new(
        "def app(environ, start_response):
    start_response('200 OK', [])
    try:
        while True: yield b'x' * 70000
    finally: print('closed')
",
    );
    block_on(async {
        let invocation = Rc::new(invocation());
        let stream = invocation.stream.get().clone();
        let reading = async {
            let mut reader = stream.reader();
            reader.chunk().await.unwrap();
        };
        let (result, ()) = tokio::join!(app.call(get("/"), &invocation), reading);
        assert!(matches!(result.unwrap(), Payload::Streamed));
    });
    assert_eq!(app.case.log.text(), "closed\n");
}

#[test]
fn requests_of_one_thread_do_not_mix() {
    let app = App::new(
        "import threading
local = threading.local()
def app(environ, start_response):
    start_response('200 OK', [])
    local.path = environ['PATH_INFO']
    for n in range(5): yield local.path.encode()
",
    );
    let (a, b) = block_on(async { tokio::join!(app.send(get("/a")), app.send(get("/b"))) });
    assert_eq!((a.body(), b.body()), ("/a".repeat(5), "/b".repeat(5)));
}

#[test]
fn a_context_lasts_from_the_call_to_the_close() {
    let app = App::new(
        "import contextvars
var = contextvars.ContextVar('var', default='none')
class Body:
    def __init__(self): self.left = [b'a', b'b']
    def __iter__(self): return self
    def __next__(self):
        if not self.left: raise StopIteration
        print(var.get())
        return self.left.pop()
    def close(self): print(var.get())
def app(environ, start_response):
    start_response('200 OK', [])
    print(var.get())
    var.set(environ['PATH_INFO'])
    return Body()
",
    );
    app.get("/1").result.unwrap();
    app.get("/2").result.unwrap();
    assert_eq!(app.case.log.text(), "none\n/1\n/1\n/1\nnone\n/2\n/2\n/2\n");
}
