"""What packages talk to that no server of somebody else's answers: an HTTP API, with TLS and without, a sink for mail and
one for datagrams. What they have taken is told at the API, so that functions can say what arrived."""

import gzip
import json
import socketserver
import ssl
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import model_api


class Store:
    """What was sent to each place, by its name, in order."""

    def __init__(self):
        self.lock = threading.Lock()
        self.taken = {}

    def add(self, place, item):
        with self.lock:
            self.taken.setdefault(place, []).append(item)

    def get(self, place):
        with self.lock:
            return list(self.taken.get(place, []))


class Api(BaseHTTPRequestHandler):
    """Plain resources for clients, APIs of language models, and sinks for what agents and loggers send."""

    protocol_version = "HTTP/1.1"
    store = None
    disable_nagle_algorithm = True

    def log_message(self, *arguments):
        pass

    def body(self):
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            body = b""
            while size := int(self.rfile.readline().split(b";")[0], 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        return gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body

    def send(self, status, body=b"", kind="application/json", **headers):
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def send_pieces(self, pieces, kind):
        """Sends pieces one after another, each in a chunk."""
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for piece in pieces:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            self.wfile.flush()
            time.sleep(0.01)
        self.wfile.write(b"0\r\n\r\n")

    def answer(self):
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        body = self.body()
        parts = url.path.strip("/").split("/")
        match parts[0]:
            case "hello":
                self.send(200, {"hello": query.get("name", "world")}, X_Kind="greeting")
            case "echo":
                sent = {"method": self.command, "query": query, "body": body.decode("latin-1")}
                sent["type"] = (self.headers.get("Content-Type") or "").split(";")[0]
                sent["authorization"] = self.headers.get("Authorization")
                self.send(200, sent, Set_Cookie="seen=yes; Path=/")
            case "bytes":
                self.send(200, bytes(range(256)) * (int(parts[1]) // 256), "application/octet-stream")
            case "status":
                self.send(int(parts[1]), {"status": int(parts[1])})
            case "flaky":
                # Answers at the third time of asking.
                self.store.add(self.path, 1)
                status = 200 if len(self.store.get(self.path)) % 3 == 0 else 503
                self.send(status, {"status": status}, Retry_After="0")
            case "redirect":
                self.send(302, b"", Location="/hello?name=redirected")
            case "slow":
                time.sleep(3)
                self.send(200, {"slow": True})
            case "gzip":
                packed = gzip.compress(json.dumps({"packed": "é" * 50}).encode())
                self.send(200, packed, Content_Encoding="gzip")
            case "lines":
                self.send_pieces([b"line %d\n" % n for n in range(5)], "text/plain")
            case "basic":
                good = self.headers.get("Authorization") == "Basic dXNlcjpwYXNz"
                self.send(200 if good else 401, {"ok": good}, WWW_Authenticate='Basic realm="r"')
            case "models":
                model_api.answer(self, parts[1:], json.loads(body or b"{}"))
            case "taken":
                wanted = urllib.parse.unquote(url.path.removeprefix("/taken/"))
                self.send(200, [str(item) for item in self.store.get(wanted)])
            case _:
                # Everything else is a sink. What agents send is text, or has texts in it.
                self.store.add(parts[0], f"{self.command} {url.path} {body.decode('latin-1')}")
                self.send(
                    200,
                    {"agent": "ok", "rate_by_service": {}, "partialSuccess": {}}
                    if parts[0] != "graph"
                    else model_api.graph(body),
                )

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = answer


class Mail(socketserver.StreamRequestHandler):
    """Takes mail, as much of SMTP as clients need."""

    store = None

    def say(self, line):
        self.wfile.write(line.encode() + b"\r\n")

    def handle(self):
        self.say("220 sink")
        envelope = {}
        while line := self.rfile.readline():
            verb = line.decode("latin-1").strip().upper()
            if verb.startswith("EHLO"):
                self.say("250-sink")
                self.say("250-8BITMIME")
                self.say("250 AUTH PLAIN LOGIN")
            elif verb.startswith("AUTH"):
                self.say("235 ok")
            elif verb.startswith("MAIL"):
                envelope = {"from": line.decode().split("<")[1].split(">")[0], "to": []}
                self.say("250 ok")
            elif verb.startswith("RCPT"):
                envelope["to"].append(line.decode().split("<")[1].split(">")[0])
                self.say("250 ok")
            elif verb == "DATA":
                self.say("354 go on")
                text = b""
                while (more := self.rfile.readline()) not in (b".\r\n", b""):
                    text += more
                for receiver in envelope["to"]:
                    self.store.add(f"mail/{receiver}", json.dumps({**envelope, "text": text.decode("latin-1")}))
                self.say("250 taken")
            elif verb == "QUIT":
                self.say("221 bye")
                return
            else:
                self.say("250 ok")


class Datagram(socketserver.BaseRequestHandler):
    """Takes datagrams, of X-Ray's daemon and StatsD."""

    store = None

    def handle(self):
        self.store.add("datagrams", self.request[0].decode("latin-1"))


class Server(ThreadingHTTPServer):
    """A server whose clients may go away, as those do that have waited for long enough."""

    def handle_error(self, request, address):
        pass


class Services:
    """All of them, each in a thread, on ports that the system chooses."""

    def __init__(self, certificates):
        store = Store()
        for handler in (Api, Mail, Datagram):
            handler.store = store
        plain, secure = (Server(("127.0.0.1", 0), Api) for _ in range(2))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificates / "localhost.pem", certificates / "localhost-key.pem")
        secure.socket = context.wrap_socket(secure.socket, server_side=True, do_handshake_on_connect=False)
        mail = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Mail)
        mail.daemon_threads = True
        datagrams = socketserver.UDPServer(("127.0.0.1", 0), Datagram)
        self.servers = [plain, secure, mail, datagrams]
        for server in self.servers:
            threading.Thread(target=server.serve_forever, daemon=True).start()
        api, tls, smtp, udp = (server.server_address[1] for server in self.servers)
        authority = str(certificates / "authority.pem")
        self.environment = {
            "API_URL": f"http://127.0.0.1:{api}",
            "API_TLS_URL": f"https://localhost:{tls}",
            "NODE_EXTRA_CA_CERTS": authority,
            "SSL_CERT_FILE": authority,
            "REQUESTS_CA_BUNDLE": authority,
            "AUTHORITY_FILE": authority,
            "SMTP_HOST": "127.0.0.1",
            "SMTP_PORT": str(smtp),
            "AWS_XRAY_DAEMON_ADDRESS": f"127.0.0.1:{udp}",
            "UDP_PORT": str(udp),
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{api}/otlp",
            "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
            "SENTRY_DSN": f"http://key@127.0.0.1:{api}/1",
            "DD_TRACE_AGENT_URL": f"http://127.0.0.1:{api}",
            "OPENAI_BASE_URL": f"http://127.0.0.1:{api}/models/openai/v1",
            "OPENAI_API_KEY": "key",
            "ANTHROPIC_BASE_URL": f"http://127.0.0.1:{api}/models/anthropic",
            "ANTHROPIC_API_KEY": "key",
        }

    def stop(self):
        for server in self.servers:
            server.shutdown()
            server.server_close()
