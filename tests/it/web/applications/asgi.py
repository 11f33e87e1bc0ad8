"""The same application in each interface: this one is ASGI."""

import json


async def app(scope, receive, send):
    if scope["type"] == "websocket":
        return await socket(receive, send)
    assert scope["type"] == "http"
    path = scope["path"].removeprefix(scope["root_path"])
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            print("client gone", flush=True)
            return
        body += message["body"]
        if not message["more_body"]:
            break
    if path == "/fail":
        raise ValueError("no answer to this")
    if path == "/silent":
        return
    headers = [(b"set-cookie", b"a=1"), (b"set-cookie", b"b=2"), (b"x-kind", b"asgi")]
    if path == "/stream" or path == "/late":
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for number in range(3):
            await send({"type": "http.response.body", "body": b"chunk %d\n" % number, "more_body": True})
            if path == "/late":
                raise ValueError("half an answer")
        return await send({"type": "http.response.body"})
    if path == "/bytes":
        answer = bytes(range(256))
    else:
        answer = json.dumps({
            "method": scope["method"],
            "path": path,
            "mount": scope["root_path"],
            "query": scope["query_string"].decode(),
            "body": body.decode("latin-1"),
            "header": [value.decode() for name, value in scope["headers"] if name == b"x-a"],
            "scheme": scope["scheme"],
            "client": scope["client"][0],
        }).encode()
        headers.append((b"content-type", b"application/json"))
    await send({"type": "http.response.start", "status": 201, "headers": headers})
    await send({"type": "http.response.body", "body": answer})


async def socket(receive, send):
    await receive()
    await send({"type": "websocket.accept", "subprotocol": "chat"})
    while (message := await receive())["type"] == "websocket.receive":
        if message.get("text") == "bye":
            return await send({"type": "websocket.close", "code": 4001, "reason": "as asked"})
        await send({"type": "websocket.send", **{kind: message[kind] for kind in ("text", "bytes") if message.get(kind)}})
    print("closed with", message["code"], flush=True)
