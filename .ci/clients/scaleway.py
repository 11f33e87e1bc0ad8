"""Sends the same requests to a handler under Scaleway's own library and under Trine, and compares: what came of it goes to
standard output as JSON: scaleway.py THEIRS OURS

What no handler or client could go by is the same here: how JSON is spaced, parameters of media types, and members that are
missing instead of empty.
"""

import http.client
import json
import sys

REQUESTS = {
    "plain": ("GET", "/event", {}, None),
    "query": ("GET", "/event?a=1&b=two%20words&c", {}, None),
    "repeated query": ("GET", "/event?a=1&a=2", {}, None),
    "path": ("GET", "/a%20b/%C3%A9", {}, None),
    "headers": ("GET", "/event", {"x-own-name": "Value", "X-Twice": "1"}, None),
    "text": ("POST", "/event", {"content-type": "text/plain"}, "words é".encode()),
    "json": ("POST", "/event", {"content-type": "application/json"}, b'{"a": [1]}'),
    "form": ("PUT", "/event", {"content-type": "application/x-www-form-urlencoded"}, b"a=1&b=2"),
    "looks like base64": ("POST", "/event", {"content-type": "text/plain"}, b"aGkh"),
    "patch": ("PATCH", "/event", {"content-type": "text/plain"}, b"p!"),
    "delete": ("DELETE", "/event", {}, None),
    **{
        f"result {name}": ("GET", f"/{name}", {}, None)
        for name in [
            *["response", "no-body", "object-body", "base64", "status-as-text", "error-status", "plain-object", "text"],
            *["number", "list", "empty-text", "true", "nothing", "fail"],
        ]
    },
}
# Members of events that are to be the same; the others are other ones each time, or of the library's own making.
MEMBERS = ["httpMethod", "path", "queryStringParameters", "body", "isBase64Encoded", "resource", "stageVariables"]
HEADERS = ["content-type", "x-own-name", "x-twice", "x-own", "access-control-allow-origin", "access-control-allow-headers"]


def plain(text):
    """Returns what JSON text stands for, or any other text itself."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def ask(port, method, path, headers, body):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    text = answer.read().decode("utf-8", "replace")
    named = {name.lower(): value for name, value in answer.getheaders()}
    seen = {"status": answer.status}
    # An error's text is the library's own, and so is what it says of its type.
    if answer.status != 500:
        seen.update({name: named[name] for name in HEADERS if name in named})
        seen["content-type"] = seen.get("content-type", "").split(";")[0]
        seen["text"] = plain(text)
    if path.startswith(("/event", "/a%20b")) and answer.status == 200:
        event = json.loads(text)
        own = {name.lower(): value for name, value in event["headers"].items()}
        del seen["text"]
        seen["event"] = {name: event.get(name) or None for name in MEMBERS}
        seen["headers"] = {name: own[name] for name in HEADERS if name in own}
    return seen


theirs, ours = map(int, sys.argv[1:])
print(json.dumps({name: [ask(theirs, *request), ask(ours, *request)] for name, request in REQUESTS.items()}))
