"""A WSGI application that answers as badly and as well as applications do, and tells what it saw: see asgi.py."""

import inspect
import threading
import time

import telling

NOTES = telling.Notes()
GATES = {}
PLAIN = ("Content-Type", "text/plain")
LENGTH = ("Content-Length", "5")


def gate(name):
    return GATES.setdefault(name, threading.Event())


def app(environ, start_response):
    parts = environ["PATH_INFO"].split("/")[1:]
    answer = ANSWERS.get(parts[0].replace("-", "_") if parts else "", echo)
    return answer(environ, start_response, parts[1:])


def told(environ):
    """What is in an environ, as JSON has it: of objects that there are such."""
    plain = (str, int, float, bool, tuple, type(None))
    return {name: value if isinstance(value, plain) else "an object" for name, value in sorted(environ.items())}


def answer_json(start_response, value):
    data = telling.json_of(value)
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(data)))])
    return [data]


def echo(environ, start_response, rest):
    saw = told(environ)
    try:
        saw["body"] = telling.shown(environ["wsgi.input"].read())
    except Exception as error:
        saw["body"] = {"raised": type(error).__name__}
    return answer_json(start_response, saw)


def plain(environ, start_response, rest):
    start_response("200 OK", [PLAIN, LENGTH])
    return [b"plain"]


def no_length(environ, start_response, rest):
    start_response("200 OK", [PLAIN])
    return [b"no length"]


def no_type(environ, start_response, rest):
    start_response("200 OK", [])
    return [b"no type"]


def pieces(environ, start_response, rest):
    start_response("200 OK", [PLAIN])
    return iter([b"one,", b"", b"two,", b"three"])


def two_parts(environ, start_response, rest):
    start_response("200 OK", [PLAIN])
    return [b"one,", b"two"]


def stream(environ, start_response, rest):
    start_response("200 OK", [PLAIN])
    yield b"first,"
    gate(rest[0]).wait(20)
    yield b"second,"
    yield b"last"


def write(environ, start_response, rest):
    write = start_response("200 OK", [PLAIN])
    write(b"first,")
    gate(rest[0]).wait(20)
    write(b"second,")
    return [b"last"]


def go(environ, start_response, rest):
    gate(rest[0]).set()
    return plain(environ, start_response, rest)


def seen(environ, start_response, rest):
    return answer_json(start_response, NOTES.of(rest[0]))


def status(environ, start_response, rest):
    start_response(f"{rest[0]} Some Words", [])
    return [b""]


def status_with_body(environ, start_response, rest):
    start_response(f"{rest[0]} Some Words", [PLAIN])
    return [b"a body"]


def cookies(environ, start_response, rest):
    headers = [("Set-Cookie", "a=1; Path=/"), ("X-Twice", "1"), ("Set-Cookie", "b=2; HttpOnly"), ("X-Twice", "2")]
    start_response("200 OK", [*headers, ("Content-Length", "0")])
    return [b""]


def capitals(environ, start_response, rest):
    start_response("200 Fine By Me", [("content-type", "text/plain"), ("X-mixed-CASE", "Yes"), ("content-length", "2")])
    return [b"ok"]


def latin(environ, start_response, rest):
    utf8 = "café".encode().decode("latin-1")
    start_response("200 OK", [("X-Latin", "caf\xe9"), ("X-Utf8", utf8), ("Content-Length", "0")])
    return [b""]


def empty_header(environ, start_response, rest):
    start_response("200 OK", [("X-Empty", ""), ("X-Spaces", "  a  b  "), ("Content-Length", "0")])
    return [b""]


def own_server(environ, start_response, rest):
    own = [("Server", "own"), ("Date", "Thu, 01 Jan 1970 00:00:00 GMT"), ("Content-Length", "0")]
    start_response("200 OK", own)
    return [b""]


def close(environ, start_response, rest):
    start_response("200 OK", [PLAIN, ("Connection", "close"), ("Content-Length", "3")])
    return [b"end"]


def redirect(environ, start_response, rest):
    start_response("303 See Other", [("Location", "/plain"), ("Content-Length", "0")])
    return [b""]


def large(environ, start_response, rest):
    start_response("200 OK", [PLAIN, ("Content-Length", rest[0])])
    return [b"x" * int(rest[0])]


def large_pieces(environ, start_response, rest):
    start_response("200 OK", [PLAIN])
    return (b"x" * 65536 for _ in range(int(rest[0])))


def early(environ, start_response, rest):
    return plain(environ, start_response, rest)


def short(environ, start_response, rest):
    start_response("200 OK", [PLAIN, ("Content-Length", "10")])
    return [b"short"]


def long(environ, start_response, rest):
    start_response("200 OK", [PLAIN, LENGTH])
    return [b"much longer"]


def own_chunked(environ, start_response, rest):
    start_response("200 OK", [PLAIN, ("Transfer-Encoding", "chunked")])
    return [b"chunked by itself"]


def raises(environ, start_response, rest):
    raise ValueError("before the answer")


def raises_late(environ, start_response, rest):
    start_response("200 OK", [PLAIN])
    yield b"begun"
    raise ValueError("in the answer")


def raises_late_length(environ, start_response, rest):
    start_response("200 OK", [PLAIN, ("Content-Length", "100")])
    yield b"begun"
    raise ValueError("in the answer")


def raises_after_start(environ, start_response, rest):
    start_response("200 OK", [PLAIN])
    raise ValueError("after the head")


def exits(environ, start_response, rest):
    raise SystemExit(7)


def nothing(environ, start_response, rest):
    return [b"nothing was started"]


def returns_none(environ, start_response, rest):
    start_response("200 OK", [PLAIN])


def returns_text(environ, start_response, rest):
    start_response("200 OK", [PLAIN])
    return ["text"]


def returns_bytes(environ, start_response, rest):
    start_response("200 OK", [PLAIN])
    return b"bytes"


def empty(environ, start_response, rest):
    start_response("200 OK", [PLAIN])
    return []


class Closing:
    """An iterable that notes that it is closed."""

    def __init__(self, name, parts):
        self.name, self.parts = name, iter(parts)

    def __iter__(self):
        return self

    def __next__(self):
        return next(self.parts)

    def close(self):
        NOTES.add(self.name, "closed")
        NOTES.add(self.name, "end")


def closes(environ, start_response, rest):
    start_response("200 OK", [PLAIN, LENGTH])
    return Closing(rest[0], [b"pl", b"ain"])


def closes_after_error(environ, start_response, rest):
    def parts():
        yield b"begun"
        raise ValueError("in the answer")

    start_response("200 OK", [PLAIN])
    return Closing(rest[0], parts())


def lazy_start(environ, start_response, rest):
    """Starts when it is asked for its first piece."""
    start_response("200 OK", [PLAIN, LENGTH])
    yield b"plain"


def start_twice(environ, start_response, rest):
    start_response("200 OK", [PLAIN, LENGTH])
    with NOTES.failing(rest[0]):
        start_response("201 Created", [PLAIN, LENGTH])
    return [b"plain"]


def start_again(environ, start_response, rest):
    """Takes its answer back before it has been sent."""
    import sys

    start_response("200 OK", [PLAIN])
    try:
        raise ValueError("changed its mind")
    except ValueError:
        start_response("503 Not Now", [PLAIN, LENGTH], sys.exc_info())
    return [b"sorry"]


def start_again_late(environ, start_response, rest):
    import sys

    start_response("200 OK", [PLAIN])
    yield b"begun"
    try:
        raise ValueError("changed its mind")
    except ValueError:
        with NOTES.failing(rest[0], raise_again=True):
            start_response("503 Not Now", [PLAIN], sys.exc_info())
    yield b"sorry"


WRONG = {
    "status-number": (200, [PLAIN]),
    "status-bytes": (b"200 OK", [PLAIN]),
    "status-alone": ("200", [PLAIN]),
    "status-space": ("200 ", [PLAIN]),
    "status-words": ("Fine", [PLAIN]),
    "status-small": ("99 Low", [PLAIN]),
    "status-newline": ("200 OK\r\nX-Smuggled: yes", [PLAIN]),
    "headers-tuple": ("200 OK", (PLAIN,)),
    "headers-dict": ("200 OK", {"X-Dict": "yes"}),
    "headers-bytes": ("200 OK", [(b"X-Bytes", b"yes")]),
    "headers-number": ("200 OK", [("X-Number", 1)]),
    "headers-none": ("200 OK", None),
    "header-newline": ("200 OK", [("X-Split", "a\r\nX-Smuggled: yes")]),
    "header-name-space": ("200 OK", [("X Bad", "yes")]),
    "header-name-colon": ("200 OK", [("X-Bad:", "yes")]),
    "header-wide": ("200 OK", [("X-Wide", "\u20ac")]),
    "header-hop": ("200 OK", [("Keep-Alive", "timeout=1"), ("Upgrade", "other")]),
    "length-text": ("200 OK", [("Content-Length", "many")]),
}


def wrong(environ, start_response, rest):
    with NOTES.failing(rest[1], raise_again=True):
        start_response(*WRONG[rest[0]])
    return [b"x"]


def flood(environ, start_response, rest):
    start_response("200 OK", [PLAIN])
    return Closing(rest[0], (b"x" * 65536 for _ in range(20000)))


def upload(environ, start_response, rest):
    NOTES.add(rest[0], "reads")
    try:
        NOTES.add(rest[0], len(environ["wsgi.input"].read()))
    except Exception:
        NOTES.add(rest[0], "raised")
    NOTES.add(rest[0], "end")
    return plain(environ, start_response, rest)


def parts(environ, start_response, rest):
    first = environ["wsgi.input"].read(6)
    NOTES.add(rest[0], "first")
    return answer_json(start_response, {"length": len(first) + len(environ["wsgi.input"].read())})


def reads(environ, start_response, rest):
    """Reads in all the ways that there are."""
    stream = environ["wsgi.input"]
    told = [stream.read(0), stream.read(3), stream.readline(), stream.readline(2), stream.readlines(8), list(stream)]
    told += [stream.read(), stream.read(5), stream.readline()]
    shown = [[part.decode("latin-1") for part in item] if isinstance(item, list) else item.decode() for item in told]
    return answer_json(start_response, {"read": shown})


def file_wrapper(environ, start_response, rest):
    import io

    start_response("200 OK", [PLAIN])
    return environ["wsgi.file_wrapper"](io.BytesIO(b"of a file"), 4)


def errors(environ, start_response, rest):
    stream = environ["wsgi.errors"]
    stream.write("a line for the log\n")
    stream.writelines(["another\n"])
    stream.flush()
    return plain(environ, start_response, rest)


def together(environ, start_response, rest):
    """Waits for another request, which needs a thread of its own."""
    is_open = gate(rest[0]).wait(20)
    time.sleep(0)
    return answer_json(start_response, {"together": is_open})


ANSWERS = {
    name: function
    for name, function in list(globals().items())
    if inspect.isfunction(function) and "rest" in inspect.signature(function).parameters
}
