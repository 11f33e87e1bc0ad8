"""A Runtime API on a socket of its own, for the scripts that record what Lambda's own clients answer."""

import http.client
import http.server
import threading

# The platform takes headers of a megabyte, as those for X-Ray may be.
http.client._MAXLINE = 2 << 20

# Who has not answered by then never will.
PATIENCE = 5


class Platform(http.server.ThreadingHTTPServer):
    """Hands out events, each a body with headers beside its own, and keeps of what comes back what `answer_of` makes of
    it: of the path, the headers in any case, the body and the trailers."""

    daemon_threads = True

    def __init__(self, events, answer_of):
        super().__init__(("127.0.0.1", 0), Connection)
        self.count = len(events)
        self.events = list(enumerate(events))
        self.answer_of = answer_of
        self.answers = []
        self.ended = threading.Event()
        threading.Thread(target=self.serve_forever, args=[0.01], daemon=True).start()

    def handle_error(self, *_):
        """A client that is ended hangs up."""

    def take(self, answer):
        self.answers.append(answer)
        if "init" in answer or len(self.answers) == self.count:
            self.ended.set()


class Connection(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def body(self):
        """Returns the body of a request and what followed it."""
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0))), {}
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        trailers = {}
        while line := self.rfile.readline().decode().strip():
            name, value = line.split(": ", 1)
            trailers[name.lower()] = value
        return body, trailers

    def reply(self, status, headers, body):
        self.send_response(status)
        for name, value in {**headers, "Content-Length": len(body)}.items():
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        if not self.server.events:
            self.server.ended.wait(PATIENCE)
            return self.reply(500, {}, b"{}")
        number, (body, more) = self.server.events.pop(0)
        headers = {
            "Content-Type": "application/json",
            "Lambda-Runtime-Aws-Request-Id": f"id-{number}",
            "Lambda-Runtime-Deadline-Ms": 4102444800000,
            "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:us-east-1:012345678912:function:app",
            "Lambda-Runtime-Trace-Id": "Root=1-2-3;Sampled=0",
            **more,
        }
        self.reply(200, {name: value for name, value in headers.items() if value is not None}, body)

    def do_POST(self):
        body, trailers = self.body()
        self.server.take(self.server.answer_of(self.path, self.headers, body, trailers))
        self.reply(202, {}, b"{}")
