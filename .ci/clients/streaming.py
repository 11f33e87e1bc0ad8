"""A runtime of a few lines that streams: it answers each event in the way that the event's member `do` says."""

import base64
import json
import os
import socket
import time

API = os.environ["AWS_LAMBDA_RUNTIME_API"]
HOST, PORT = API.rsplit(":", 1)
DOCUMENT = json.dumps({"errorType": "Boom", "errorMessage": "in mid-stream"})


def connect():
    connection = socket.create_connection((HOST, int(PORT)))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection, connection.makefile("rb")


def reply(reader):
    status = reader.readline().split(b" ")[1]
    headers = {}
    while (line := reader.readline().strip()):
        name, value = line.decode().split(": ", 1)
        headers[name.lower()] = value
    return int(status), headers, reader.read(int(headers.get("content-length", 0)))


def stream(connection, headers):
    connection.sendall(
        f"POST /2018-06-01/runtime/invocation/{headers['lambda-runtime-aws-request-id']}/response HTTP/1.1\r\n"
        f"Host: {API}\r\nUser-Agent: streaming/1\r\n"
        f"Lambda-Runtime-Invocation-Id: {headers['lambda-runtime-invocation-id']}\r\n"
        "Lambda-Runtime-Function-Response-Mode: streaming\r\nTransfer-Encoding: chunked\r\n"
        "Trailer: Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body\r\n"
        "Content-Type: text/plain\r\n\r\n".encode()
    )


def chunk(connection, data):
    connection.sendall(b"%x\r\n%s\r\n" % (len(data), data))


def main():
    connection, reader = connect()
    while True:
        connection.sendall(
            f"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: {API}\r\nUser-Agent: streaming/1\r\n\r\n".encode()
        )
        _, headers, body = reply(reader)
        event = json.loads(body)
        print("streams", event["do"], flush=True)
        stream(connection, headers)
        try:
            if event["do"] == "count":
                for number in range(5):
                    chunk(connection, f"{number} at {time.time()}\n".encode())
                    time.sleep(0.1)
                connection.sendall(b"0\r\n\r\n")
            elif event["do"] == "large":
                for number in range(320):
                    chunk(connection, bytes([number % 256]) * 65536)
                connection.sendall(b"0\r\n\r\n")
            elif event["do"] == "fail":
                chunk(connection, b"so far")
                body = base64.b64encode(DOCUMENT.encode()).decode()
                connection.sendall(
                    f"0\r\nLambda-Runtime-Function-Error-Type: Function.Boom\r\n"
                    f"Lambda-Runtime-Function-Error-Body: {body}\r\n\r\n".encode()
                )
            reply(reader)
        except (OSError, IndexError):
            connection, reader = connect()


main()
