"""The same application in each interface: this one is WSGI."""

import json


def app(environ, start_response):
    path = environ["PATH_INFO"]
    body = environ["wsgi.input"].read()
    if path == "/fail":
        raise ValueError("no answer to this")
    if path == "/silent":
        return []
    headers = [("set-cookie", "a=1"), ("set-cookie", "b=2"), ("x-kind", "wsgi")]
    if path == "/stream" or path == "/late":
        start_response("200 OK", headers)
        return chunks(path)
    if path == "/bytes":
        answer = bytes(range(256))
    else:
        answer = json.dumps({
            "method": environ["REQUEST_METHOD"],
            "path": path,
            "mount": environ["SCRIPT_NAME"],
            "query": environ["QUERY_STRING"],
            "body": body.decode("latin-1"),
            "header": environ.get("HTTP_X_A", "").split(",") if "HTTP_X_A" in environ else [],
            "scheme": environ["wsgi.url_scheme"],
            "client": environ["REMOTE_ADDR"],
        }).encode()
        headers.append(("content-type", "application/json"))
    start_response("201 Created", headers)
    return [answer]


def chunks(path):
    for number in range(3):
        yield b"chunk %d\n" % number
        if path == "/late":
            raise ValueError("half an answer")
