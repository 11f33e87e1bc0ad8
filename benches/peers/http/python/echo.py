"""Answers JSON with the same JSON, parsed and written again, over each of the interfaces of Python's servers."""

import json

# As web frameworks write JSON: no spaces, UTF-8. The encoder is made once, as `json.dumps` does for its own defaults.
encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode


def again(body):
    return encode(json.loads(body)).encode()


async def asgi(scope, receive, send):
    # What is small comes in one piece.
    message = await receive()
    body = message["body"]
    while message.get("more_body"):
        message = await receive()
        body += message["body"]
    answer = again(body)
    await send(
        {
            "type": "http.response.start",
            "status": 200,
            "headers": [
                (b"content-type", b"application/json"),
                (b"content-length", str(len(answer)).encode()),
            ],
        }
    )
    await send({"type": "http.response.body", "body": answer})


async def rsgi(scope, protocol):
    answer = again(await protocol())
    protocol.response_bytes(200, [("content-type", "application/json")], answer)


def wsgi(environ, start_response):
    answer = again(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
    headers = [("content-type", "application/json"), ("content-length", str(len(answer)))]
    start_response("200 OK", headers)
    return [answer]
