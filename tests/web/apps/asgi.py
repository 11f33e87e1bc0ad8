"""An ASGI application that answers as badly and as well as applications do, and tells what it saw. The first part of the path
says how; what has no name there is an echo. The other applications in this folder know the same names."""

import asyncio
import inspect

import telling

NOTES = telling.Notes()
GATES = {}
PLAIN = (b"content-type", b"text/plain")


def gate(name):
    return GATES.setdefault(name, asyncio.Event())


def start(status=200, *headers, **more):
    return {"type": "http.response.start", "status": status, "headers": list(headers), **more}


def body(data=b"", more=False):
    return {"type": "http.response.body", "body": data, "more_body": more}


async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        return await lifespan(scope, receive, send)
    parts = scope["path"].split("/")[1:]
    kind, rest = parts[0].replace("-", "_"), parts[1:]
    if scope["type"] == "websocket":
        return await SOCKETS.get(kind, refuse)(scope, receive, send, rest)
    await ANSWERS.get(kind, echo)(scope, receive, send, rest)


async def lifespan(scope, receive, send):
    assert (await receive())["type"] == "lifespan.startup"
    scope["state"]["started"] = True
    await send({"type": "lifespan.startup.complete"})
    assert (await receive())["type"] == "lifespan.shutdown"
    await send({"type": "lifespan.shutdown.complete"})


def told(scope):
    """What is in a scope, as JSON has it."""
    saw = {name: value for name, value in scope.items() if name not in ("app", "headers")}
    saw["headers"] = [[name.decode("latin-1"), value.decode("latin-1")] for name, value in scope["headers"]]
    for name in ("raw_path", "query_string"):
        if isinstance(saw.get(name), bytes):
            saw[name] = {"bytes": saw[name].decode("latin-1")}
    return saw


async def read(receive):
    """The whole body, and what came instead of its end."""
    parts, more = [], True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            return b"".join(parts), message["type"]
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(parts), None


async def answer_json(send, value):
    data = telling.json_of(value)
    await send(start(200, (b"content-type", b"application/json"), (b"content-length", b"%d" % len(data))))
    await send(body(data))


async def echo(scope, receive, send, rest):
    saw = told(scope)
    data, instead = await read(receive)
    await answer_json(send, saw | {"body": telling.shown(data)} | ({"instead": instead} if instead else {}))


async def plain(scope, receive, send, rest):
    await send(start(200, PLAIN, (b"content-length", b"5")))
    await send(body(b"plain"))


async def no_length(scope, receive, send, rest):
    await send(start(200, PLAIN))
    await send(body(b"no length"))


async def no_type(scope, receive, send, rest):
    await send(start())
    await send(body(b"no type"))


async def pieces(scope, receive, send, rest):
    await send(start(200, PLAIN))
    for piece in (b"one,", b"", b"two,", b"three"):
        await send(body(piece, True))
    await send(body())


async def stream(scope, receive, send, rest):
    await send(start(200, PLAIN))
    await send(body(b"first,", True))
    await gate(rest[0]).wait()
    await send(body(b"second,", True))
    await send(body(b"last"))


async def go(scope, receive, send, rest):
    gate(rest[0]).set()
    await plain(scope, receive, send, rest)


async def seen(scope, receive, send, rest):
    await answer_json(send, NOTES.of(rest[0]))


async def status(scope, receive, send, rest):
    await send(start(int(rest[0])))
    await send(body())


async def status_with_body(scope, receive, send, rest):
    await send(start(int(rest[0]), PLAIN))
    await send(body(b"a body"))


async def cookies(scope, receive, send, rest):
    await send(
        start(
            200,
            (b"set-cookie", b"a=1; Path=/"),
            (b"x-twice", b"1"),
            (b"set-cookie", b"b=2; HttpOnly"),
            (b"x-twice", b"2"),
            (b"content-length", b"0"),
        )
    )
    await send(body())


async def capitals(scope, receive, send, rest):
    await send(start(200, (b"Content-Type", b"text/plain"), (b"X-Mixed-Case", b"Yes"), (b"Content-Length", b"2")))
    await send(body(b"ok"))


async def latin(scope, receive, send, rest):
    await send(start(200, (b"x-latin", b"caf\xe9"), (b"x-utf8", "café".encode()), (b"content-length", b"0")))
    await send(body())


async def empty_header(scope, receive, send, rest):
    await send(start(200, (b"x-empty", b""), (b"x-spaces", b"  a  b  "), (b"content-length", b"0")))
    await send(body())


async def own_server(scope, receive, send, rest):
    own = [(b"server", b"own"), (b"date", b"Thu, 01 Jan 1970 00:00:00 GMT"), (b"content-length", b"0")]
    await send(start(200, *own))
    await send(body())


async def close(scope, receive, send, rest):
    await send(start(200, PLAIN, (b"connection", b"close"), (b"content-length", b"3")))
    await send(body(b"end"))


async def redirect(scope, receive, send, rest):
    await send(start(303, (b"location", b"/plain"), (b"content-length", b"0")))
    await send(body())


async def large(scope, receive, send, rest):
    count = int(rest[0])
    await send(start(200, PLAIN, (b"content-length", b"%d" % count)))
    await send(body(b"x" * count))


async def large_pieces(scope, receive, send, rest):
    await send(start(200, PLAIN))
    for _ in range(int(rest[0])):
        await send(body(b"x" * 65536, True))
    await send(body())


async def early(scope, receive, send, rest):
    """Answers without having read the body."""
    await plain(scope, receive, send, rest)


async def short(scope, receive, send, rest):
    await send(start(200, PLAIN, (b"content-length", b"10")))
    await send(body(b"short"))


async def long(scope, receive, send, rest):
    await send(start(200, PLAIN, (b"content-length", b"5")))
    with NOTES.failing(rest[0]):
        await send(body(b"much longer"))


async def own_chunked(scope, receive, send, rest):
    await send(start(200, PLAIN, (b"transfer-encoding", b"chunked")))
    await send(body(b"chunked by itself"))


async def raises(scope, receive, send, rest):
    raise ValueError("before the answer")


async def raises_late(scope, receive, send, rest):
    await send(start(200, PLAIN))
    await send(body(b"begun", True))
    raise ValueError("in the answer")


async def raises_late_length(scope, receive, send, rest):
    await send(start(200, PLAIN, (b"content-length", b"100")))
    await send(body(b"begun", True))
    raise ValueError("in the answer")


async def raises_after_start(scope, receive, send, rest):
    await send(start(200, PLAIN))
    raise ValueError("after the head")


async def raises_at_end(scope, receive, send, rest):
    await plain(scope, receive, send, rest)
    raise ValueError("after the answer")


async def exits(scope, receive, send, rest):
    raise SystemExit(7)


async def nothing(scope, receive, send, rest):
    pass


async def start_only(scope, receive, send, rest):
    await send(start(200, PLAIN))


async def unfinished(scope, receive, send, rest):
    await send(start(200, PLAIN))
    await send(body(b"more to come", True))


async def background(scope, receive, send, rest):
    """Works on after its answer, until it is told to end."""
    await plain(scope, receive, send, rest)
    await gate(rest[0]).wait()
    NOTES.add(rest[0], "end")


async def body_first(scope, receive, send, rest):
    with NOTES.failing(rest[0]):
        await send(body(b"first"))


async def start_twice(scope, receive, send, rest):
    await send(start(200, PLAIN, (b"content-length", b"5")))
    with NOTES.failing(rest[0]):
        await send(start(201, PLAIN))
    await send(body(b"plain"))


async def start_twice_at_end(scope, receive, send, rest):
    await plain(scope, receive, send, rest)
    with NOTES.failing(rest[0]):
        await send(start(201, PLAIN))


async def after_end(scope, receive, send, rest):
    await plain(scope, receive, send, rest)
    with NOTES.failing(rest[0]):
        await send(body(b"more"))


async def receive_after_end(scope, receive, send, rest):
    await read(receive)
    await plain(scope, receive, send, rest)
    NOTES.add(rest[0], (await receive())["type"])
    NOTES.add(rest[0], "end")


async def unknown_message(scope, receive, send, rest):
    with NOTES.failing(rest[0]):
        await send({"type": "http.response.other"})
    await plain(scope, receive, send, rest)


WRONG = {
    "body-text": lambda: (start(200, PLAIN), {"type": "http.response.body", "body": "text"}),
    "body-none": lambda: (start(200, PLAIN), {"type": "http.response.body", "body": None}),
    "body-array": lambda: (start(200, PLAIN), {"type": "http.response.body", "body": bytearray(b"array")}),
    "body-view": lambda: (start(200, PLAIN), {"type": "http.response.body", "body": memoryview(b"view")}),
    "body-missing": lambda: (start(200, PLAIN), {"type": "http.response.body"}),
    "status-text": lambda: (start("200", PLAIN), body(b"x")),
    "status-none": lambda: (start(None, PLAIN), body(b"x")),
    "status-small": lambda: (start(99, PLAIN), body(b"x")),
    "status-large": lambda: (start(1000, PLAIN), body(b"x")),
    "status-missing": lambda: ({"type": "http.response.start", "headers": []}, body(b"x")),
    "headers-missing": lambda: ({"type": "http.response.start", "status": 200}, body(b"x")),
    "headers-text": lambda: (start(200, ("x-text", "text")), body(b"x")),
    "headers-flat": lambda: (start(200, b"x-flat"), body(b"x")),
    "headers-none": lambda: ({"type": "http.response.start", "status": 200, "headers": None}, body(b"x")),
    "headers-lists": lambda: (start(200, [b"x-list", b"yes"]), body(b"x")),
    "header-newline": lambda: (start(200, (b"x-split", b"a\r\nx-smuggled: yes")), body(b"x")),
    "header-name-space": lambda: (start(200, (b"x bad", b"yes")), body(b"x")),
    "length-text": lambda: (start(200, (b"content-length", b"many")), body(b"x")),
    "type-missing": lambda: ({"status": 200, "headers": []}, body(b"x")),
    "not-a-dict": lambda: ([1, 2], body(b"x")),
}


async def wrong(scope, receive, send, rest):
    with NOTES.failing(rest[1], raise_again=True):
        for message in WRONG[rest[0]]():
            await send(message)


async def wait(scope, receive, send, rest):
    """Waits for the client to go."""
    NOTES.add(rest[0], "waits")
    await read(receive)
    NOTES.add(rest[0], (await receive())["type"])
    NOTES.add(rest[0], "end")


async def flood(scope, receive, send, rest):
    """Sends until that fails; servers that let it go on are told so after a while."""
    await send(start(200, PLAIN))
    try:
        for _ in range(20000):
            await send(body(b"x" * 65536, True))
        NOTES.add(rest[0], "went on")
    except OSError:
        NOTES.add(rest[0], "OSError")
    finally:
        NOTES.add(rest[0], "end")


async def upload(scope, receive, send, rest):
    NOTES.add(rest[0], "reads")
    data, instead = await read(receive)
    NOTES.add(rest[0], instead or len(data))
    NOTES.add(rest[0], "end")
    await plain(scope, receive, send, rest)


async def parts(scope, receive, send, rest):
    """Says that the first piece of the body has come before it reads the others."""
    first = await receive()
    NOTES.add(rest[0], "first")
    data, _ = await read(receive) if first.get("more_body") else (b"", None)
    await answer_json(send, {"length": len(first["body"]) + len(data)})


async def accept(scope, receive, send, **more):
    assert (await receive())["type"] == "websocket.connect"
    await send({"type": "websocket.accept", **more})


async def refuse(scope, receive, send, rest):
    assert (await receive())["type"] == "websocket.connect"
    await send({"type": "websocket.close", "code": 1000})


async def socket_echo(scope, receive, send, rest):
    await accept(scope, receive, send)
    while (message := await receive())["type"] == "websocket.receive":
        if message.get("text") is not None:
            await send({"type": "websocket.send", "text": message["text"]})
        else:
            await send({"type": "websocket.send", "bytes": message["bytes"]})
    NOTES.add(rest[0], message)
    NOTES.add(rest[0], "end")


async def socket_scope(scope, receive, send, rest):
    await accept(scope, receive, send)
    NOTES.add(rest[0], told(scope))
    NOTES.add(rest[0], "end")
    await send({"type": "websocket.close", "code": 1000})


async def socket_protocol(scope, receive, send, rest):
    offered = scope["subprotocols"]
    await accept(scope, receive, send, subprotocol=offered[-1] if offered else None, headers=[(b"x-own", b"yes")])
    await send({"type": "websocket.send", "text": ",".join(offered)})
    await send({"type": "websocket.close"})


async def socket_close(scope, receive, send, rest):
    await accept(scope, receive, send)
    await send({"type": "websocket.close", "code": int(rest[0]), "reason": rest[1] if len(rest) > 1 else ""})


async def socket_denial(scope, receive, send, rest):
    assert (await receive())["type"] == "websocket.connect"
    denial = {"type": "websocket.http.response.start", "status": 401, "headers": [(b"x-denied", b"yes"), PLAIN]}
    await send(denial)
    await send({"type": "websocket.http.response.body", "body": b"not you"})


async def socket_raises(scope, receive, send, rest):
    raise ValueError("before the handshake")


async def socket_raises_late(scope, receive, send, rest):
    await accept(scope, receive, send)
    raise ValueError("after the handshake")


async def socket_returns(scope, receive, send, rest):
    await accept(scope, receive, send)


async def socket_silent(scope, receive, send, rest):
    await receive()


async def socket_send_first(scope, receive, send, rest):
    await receive()
    with NOTES.failing(rest[0], raise_again=True):
        await send({"type": "websocket.send", "text": "too early"})


async def socket_after_close(scope, receive, send, rest):
    await accept(scope, receive, send)
    await send({"type": "websocket.close", "code": 1000})
    with NOTES.failing(rest[0]):
        await send({"type": "websocket.send", "text": "too late"})


async def socket_both(scope, receive, send, rest):
    await accept(scope, receive, send)
    with NOTES.failing(rest[0], raise_again=True):
        await send({"type": "websocket.send"})


async def socket_large(scope, receive, send, rest):
    await accept(scope, receive, send)
    await send({"type": "websocket.send", "text": "x" * 70000})
    await send({"type": "websocket.close", "code": 1000})


def named(prefix=""):
    return {
        name.removeprefix(prefix): function
        for name, function in globals().items()
        if name.startswith(prefix) and "rest" in parameters(function)
    }


def parameters(function):
    return set(function.__code__.co_varnames[: function.__code__.co_argcount]) if inspect.isfunction(function) else set()


SOCKETS = named("socket_")
ANSWERS = named()
