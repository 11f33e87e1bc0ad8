"""A client that sends bytes as they are in cases.json and tells what it got, and what the application says it saw.

A case has `steps`, each a text to send (a letter is a byte) or one of
  {"repeat": TEXT, "times": N}  sends a text several times
  {"until": TEXT}               reads until this has come
  {"read": N}                   reads so many answers; at the end of a case that reads none, one is read
  {"also": PATH}                asks for a path on a connection of its own
  {"seen": NAME}                asks the application what it noted, until it has noted "end"
  {"note": NAME, "is": NOTE}    waits until the application has noted this
  {"gone": HOW}                 goes away: "close", "reset", or "half" for the sending side alone
`method` is that of its requests where it matters, HEAD or CONNECT. tests/it/web_parity.rs does the same in Rust.
"""

import hashlib
import json
import socket
import struct
import time

# Seconds for anything to happen.
PATIENCE = 5
PROBE = b"GET /plain HTTP/1.1\r\nhost: probe\r\n\r\n"


def shown(data):
    """A body as text, or how long it is and its digest where it is long."""
    if len(data) > 1000:
        return {"length": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    return data.decode("latin-1")


class Incomplete(Exception):
    """There is more to come."""


class Connection:
    """A connection, with what has been received and not been taken yet."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.ports = {port: "SERVER_PORT", self.socket.getsockname()[1]: "CLIENT_PORT"}
        self.received, self.taken, self.is_over = b"", 0, False

    def send(self, data):
        try:
            self.socket.sendall(data)
        except OSError:
            # What was answered before that can still be read.
            pass

    def more(self):
        """Waits for more; false at the end."""
        if self.is_over:
            return False
        try:
            data = self.socket.recv(1 << 20)
        except ConnectionError:
            data = b""
        self.received += data
        self.is_over = not data
        return bool(data)

    def until(self, wanted):
        while wanted not in self.received:
            if not self.more():
                return

    def answer(self, method):
        """Takes one answer; None where the connection ends instead."""
        while True:
            try:
                answer, self.taken = self.parse(method)
                return answer
            except Incomplete:
                if not self.more() and self.taken == len(self.received):
                    return None

    def line(self, at):
        end = self.received.find(b"\r\n", at)
        if end < 0:
            raise Incomplete
        return self.received[at:end].decode("latin-1"), end + 2

    def fields(self, at):
        fields = []
        while True:
            line, at = self.line(at)
            if not line:
                return fields, at
            name, _, value = line.partition(":")
            fields.append([name.lower(), value.strip(" \t")])

    def parse(self, method):
        """One answer, and where it ends. One that the end of the connection cuts off is so marked."""
        try:
            line, at = self.line(self.taken)
            fields, at = self.fields(at)
        except Incomplete:
            if self.is_over and self.taken < len(self.received):
                return {"garbage": shown(self.received[self.taken :])}, len(self.received)
            raise
        version, _, rest = line.partition(" ")
        status, _, reason = rest.partition(" ")
        if not version.startswith("HTTP/") or not status.isdigit():
            raise ValueError(f"no status line: {line}")
        answer = {"status": int(status), "reason": reason, "version": version[5:], "headers": fields}
        known = dict(fields)
        if status == "101":
            return answer, at
        if status.startswith("1"):
            return answer, at
        is_cut = False
        if method == "HEAD" or status in ("204", "304"):
            framing, body = "none", b""
        elif known.get("transfer-encoding", "").lower() == "chunked":
            framing = "chunked"
            body, trailers, at, is_cut = self.chunks(at)
            if trailers:
                answer["trailers"] = trailers
        elif "content-length" in known:
            framing = "length"
            length = int(known["content-length"])
            body = self.received[at : at + length]
            if len(body) < length and not self.is_over:
                raise Incomplete
            is_cut = len(body) < length
            at += len(body)
        else:
            framing = "close"
            if not self.is_over:
                raise Incomplete
            body, at = self.received[at:], len(self.received)
        answer["framing"] = framing
        self.tell_body(answer, body)
        if is_cut:
            answer["cut"] = True
        return answer, at

    def chunks(self, at):
        body = b""
        try:
            while True:
                line, at = self.line(at)
                size = int(line.split(";")[0], 16)
                if size == 0:
                    trailers, at = self.fields(at)
                    return body, trailers, at, False
                body += self.received[at : at + size]
                at += size + 2
                if at > len(self.received):
                    raise Incomplete
        except Incomplete:
            if not self.is_over:
                raise
            return body, [], len(self.received), True

    def tell_body(self, answer, body):
        """Puts the body into an answer; what an application saw is JSON, in which ports are not known before."""
        is_json = any(name == "content-type" and "json" in value for name, value in answer["headers"])
        try:
            saw = self.without_ports(json.loads(body)) if is_json else None
            # Of a document about an error its class counts.
            is_error = isinstance(saw, dict) and "errorType" in saw
            answer["saw"] = {"errorType": saw["errorType"]} if is_error else saw
        except ValueError:
            is_json = False
        if not is_json:
            answer.pop("saw", None)
            answer["body"] = shown(body)
            return
        for field in answer["headers"]:
            if field[0] == "content-length":
                field[1] = "*"

    def without_ports(self, value):
        if isinstance(value, dict):
            return {name: self.without_ports(item) for name, item in value.items()}
        if isinstance(value, list):
            return [self.without_ports(item) for item in value]
        if isinstance(value, str):
            for port, name in self.ports.items():
                value = name if value == str(port) else value.replace(f":{port}", f":{name}")
            return value
        return self.ports.get(value, value) if type(value) is int else value


def ask(port, path):
    """Asks for a path on a connection of its own; returns the answer."""
    try:
        connection = Connection(port)
    except OSError:
        return None
    connection.send(f"GET {path} HTTP/1.1\r\nhost: also\r\nconnection: close\r\n\r\n".encode("latin-1"))
    answer = connection.answer("GET")
    connection.socket.close()
    return answer


def notes(port, name, is_enough):
    """What the application has noted, as soon as that is enough."""
    until = time.monotonic() + PATIENCE
    while True:
        answer = ask(port, f"/seen/{name}")
        noted = answer["saw"] if answer else []
        if is_enough(noted):
            return noted
        if time.monotonic() > until:
            return [*noted, "no end"]
        time.sleep(0.02)


def play(case, port):
    """Runs a case; returns what came of it."""
    connection = Connection(port)
    method = case.get("method", "GET")
    told = {"answers": []}
    is_gone = has_read = False

    def read(count):
        while count and not told["answers"][-1:] == [None]:
            answer = connection.answer(method)
            told["answers"].append(answer)
            count -= answer is None or "garbage" in answer or answer["status"] >= 200 or answer["status"] == 101
            if answer and answer.get("status") == 101:
                while connection.more():
                    pass
                told["raw"] = shown(connection.received[connection.taken :])

    try:
        for step in case["steps"]:
            match step:
                case str():
                    connection.send(step.encode("latin-1"))
                case {"repeat": text, "times": times}:
                    connection.send(text.encode("latin-1") * times)
                case {"until": text}:
                    connection.until(text.encode("latin-1"))
                case {"read": count}:
                    has_read = True
                    read(count)
                case {"also": path}:
                    ask(port, path)
                case {"seen": name}:
                    noted = notes(port, name, lambda noted: noted[-1:] == ["end"])
                    told["seen"] = connection.without_ports(noted)
                case {"note": name, "is": note}:
                    notes(port, name, lambda noted: note in noted)
                case {"gone": "half"}:
                    connection.socket.shutdown(socket.SHUT_WR)
                case {"gone": how}:
                    is_gone = True
                    if how == "reset":
                        connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    connection.socket.close()
        if not is_gone:
            if not has_read:
                read(1)
            if "raw" not in told:
                connection.send(PROBE)
                answer = connection.answer("GET")
                told["kept"] = bool(answer) and answer.get("body") == "plain"
    except TimeoutError:
        told["timeout"] = True
    except ValueError as error:
        told["garbage"] = str(error)
    connection.socket.close()
    told["answers"] = [answer for answer in told["answers"] if answer]
    for answer in told["answers"]:
        for field in answer.get("headers", []):
            if field[0] == "date" and field[1] != "Thu, 01 Jan 1970 00:00:00 GMT":
                field[1] = "*"
    return told
