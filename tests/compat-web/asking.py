"""Asks an application what its requests.json says, and tells where two servers' answers differ.

A request has `path`, and may have `method`, `headers`, a body (`json`, `text`, `repeat` with `times`, or `multipart`), and `body`:
what of the answer's counts where that is not all of it: "status" for nothing, "JSON" for that it is JSON, or a text that is in it.
Cookies are kept from one request to the next, and stand for their names in braces in a text. With `again` the answer before was
kept, and its validators are sent. `chat` talks over WebSockets instead: `members` join, then each in `say` says something that
everybody hears.
"""

import hashlib
import http.client
import json
import re

# What servers say of themselves and of a connection: the differential suite (tests/web) is about that.
SERVERS = ("date", "server", "connection", "keep-alive", "transfer-encoding", "content-length", "x-request-id")
PATIENCE = 20


def filled(value):
    """A value of JSON with {"repeat", "times"} exchanged for what they stand for."""
    if isinstance(value, dict) and value.keys() == {"repeat", "times"}:
        return value["repeat"] * value["times"]
    if isinstance(value, dict):
        return {name: filled(item) for name, item in value.items()}
    return [filled(item) for item in value] if isinstance(value, list) else value


def body_of(request, jar):
    """The body of a request, and its type."""
    if "json" in request:
        return json.dumps(filled(request["json"])).encode(), "application/json"
    if "text" in request:
        return re.sub(r"\{(\w+)\}", lambda name: jar.get(name[1], name[0]), request["text"]).encode(), None
    if "repeat" in request:
        return request["repeat"].encode() * request["times"], None
    if "multipart" not in request:
        return None, None
    parts = []
    for part in request["multipart"]:
        name = f'form-data; name="{part["name"]}"'
        if "filename" in part:
            name += f'; filename="{part["filename"]}"\r\nContent-Type: {part["type"]}'
        data = part.get("text", "") or part["repeat"] * part["times"]
        parts.append(f"--boundary\r\nContent-Disposition: {name}\r\n\r\n{data}\r\n".encode())
    return b"".join(parts) + b"--boundary--\r\n", "multipart/form-data; boundary=boundary"


def shown(text, port):
    """A text without what differs from one run to the next."""
    text = text.replace(str(port), "PORT")
    text = re.sub(r'(csrfmiddlewaretoken" value=")[^"]*', r"\1*", text)
    text = re.sub(r"\b[A-Z][a-z]{2}, \d\d[ -][A-Z][a-z]{2}[ -]\d{4} \d\d:\d\d:\d\d GMT", "*", text)
    return re.sub(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.\d]*Z?", "*", text)


def told(request, port, response, body):
    fields = [[name.lower(), shown(value, port)] for name, value in response.getheaders()]
    fields = [field for field in fields if field[0] not in SERVERS]
    for field in fields:
        if field[0] == "allow":
            # Some frameworks keep methods in sets, whose order is new each time.
            field[1] = ", ".join(sorted(field[1].split(", ")))
        if field[0] == "set-cookie":
            # Signatures and identifiers are new each time.
            field[1] = re.sub(r"=[^;]*", "=*", field[1], count=1)
    answer = {"name": request["name"], "status": response.status, "headers": sorted(fields, key=lambda field: field[0])}
    expected = request.get("body")
    text = body.decode("utf-8", "replace")
    if expected == "status":
        # What counts for nothing has an entity tag that counts for nothing.
        return answer | {"headers": [field for field in answer["headers"] if field[0] != "etag"]}
    if expected == "JSON":
        return answer | {"is_json": text[:1] in ("{", "[")}
    if expected is not None:
        return answer | {"has": expected in text}
    text = shown(text, port)
    if len(text) > 4000:
        text = f"{len(text)} letters, {hashlib.sha256(text.encode()).hexdigest()}"
    return answer | {"body": text}


def ask(port, request, jar):
    """Sends a request; returns what came."""
    if "chat" in request:
        return {"name": request["name"], "heard": chat(port, request)}
    body, kind = body_of(request, jar)
    headers = {"user-agent": "compat-web", "accept": "*/*"}
    if kind:
        headers["content-type"] = kind
    headers |= request.get("headers", {})
    cookies = {name: value for name, value in jar.items() if not name.startswith(":")}
    if cookies:
        headers["cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
    if request.get("again"):
        headers |= {name: jar[f":{field}"] for name, field in VALIDATORS.items() if f":{field}" in jar}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request(request.get("method", "GET"), request["path"], body, headers)
        response = connection.getresponse()
        text = response.read()
    except Exception as error:
        return {"name": request["name"], "failed": f"{type(error).__name__}: {error}"}
    finally:
        connection.close()
    for name, value in response.getheaders():
        if name.lower() == "set-cookie":
            name, _, rest = value.partition("=")
            jar[name] = rest.partition(";")[0]
        elif name.lower() in VALIDATORS.values():
            jar[f":{name.lower()}"] = value
    return told(request, port, response, text)


VALIDATORS = {"if-none-match": "etag", "if-modified-since": "last-modified"}


def chat(port, request):
    """What each member heard."""
    from websockets.sync.client import connect

    sockets = {name: connect(f"ws://127.0.0.1:{port}{request['chat']}{name}") for name in request["members"]}
    heard = {name: [] for name in sockets}
    try:
        for name, text in request["say"]:
            sockets[name].send(text)
            for member, socket in sockets.items():
                heard[member].append(json.loads(socket.recv(PATIENCE)))
        last = request["members"][-1]
        sockets.pop(last).close(4000, "enough")
        for member, socket in sockets.items():
            heard[member].append(json.loads(socket.recv(PATIENCE)))
    finally:
        for socket in sockets.values():
            socket.close()
    return heard


def differences(record):
    """Lines that say where Trine answered otherwise; none where it has not been asked."""
    if "trine" not in record:
        return []
    stock, ours = ({answer["name"]: answer for answer in record[kind]} for kind in ("stock", "trine"))
    if "start" in ours and "start" not in stock:
        return [f"start: {ours['start']['failed']}"]
    found = []
    for name, answer in stock.items():
        for member in answer.keys() | ours.get(name, {}).keys():
            pair = answer.get(member), ours.get(name, {}).get(member)
            if pair[0] != pair[1]:
                found.append(f"{name}.{member}: {json.dumps(pair[0])[:500]} became {json.dumps(pair[1])[:500]}")
    return found
