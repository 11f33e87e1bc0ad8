"""A sub-process that serves functions by HTTP on the loopback. Arguments: its port.

A request names the function's file (without its extension) and name; the core is its only client, with one connection.
"""

import functools
import json
import os
import sys
import threading
import traceback
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer

from functions import load

load = functools.cache(load)


class Door(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    # Head and body of a response leave together.
    wbufsize = -1

    def do_POST(self):
        status, answer = 200, ""
        try:
            asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
            handler = load(asked["handlerPath"], asked["handlerName"])
            answer = json.dumps(handler(asked["event"], asked["context"]), separators=(",", ":"))
        except Exception:
            status, answer = 500, traceback.format_exc()
        body = answer.encode()
        self.send_response_only(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Server(TCPServer):
    allow_reuse_address = True


def end_with_core():
    """The core holds the other end of stdin: when that closes, the core is gone."""
    sys.stdin.buffer.read()
    os._exit(0)


threading.Thread(target=end_with_core, daemon=True).start()
Server(("127.0.0.1", int(sys.argv[1])), Door).serve_forever()
