"""Runs the functions themselves, with the middleware from the folder of the layer: through invoke, emulator and serve."""

import json
import os
import re
import select
import signal
import subprocess
import time
import urllib.error
import urllib.request

from common import LANGUAGES, expect, read_json, read_yaml, run, told
from pods import variables

TRINE = os.environ["TRINE"]
WAIT = 60


def cases(deploy):
    """Returns the events of the function with what it answers."""
    folder = deploy / "functions"
    return [(read_json(folder / "event.json"), read_json(folder / "expected.json"))] + [
        (case["event"], case["expected"]) for case in read_json(folder / "cases.json")
    ]


def surroundings(deploy, **more):
    return {**os.environ, "TRINE_LAYER_ROOT": str(deploy / "layer"), "TRINE_MIDDLEWARES": "request-id", **more}


def invoke(deploy):
    for language in LANGUAGES:
        for event, expected in cases(deploy):
            output = run(
                TRINE, "invoke", "handler.handler", "--json", "--event", json.dumps(event),
                cwd=deploy / "functions" / language, env=surroundings(deploy),
            )
            # What the function logs comes on the other stream, in the same pipe here.
            answers = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
            expect(answers == [expected], f"{language}: {told(output)}")


class Process:
    """A server that says on its first lines where it listens."""

    def __init__(self, arguments, cwd, env, pattern):
        self.process = subprocess.Popen(
            arguments, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )
        os.set_blocking(self.process.stdout.fileno(), False)
        self.output, until = "", time.monotonic() + WAIT
        while not (found := re.search(pattern, self.output)):
            expect(self.process.poll() is None, f"{arguments[1]} ended: {told(self.read())}")
            expect(time.monotonic() < until, f"{arguments[1]} says nothing: {told(self.output)}")
            select.select([self.process.stdout], [], [], 0.5)
            self.read()
        self.url = found[1]

    def read(self):
        self.output += (self.process.stdout.read() or b"").decode(errors="replace")
        return self.output

    def end(self):
        """Asks the process to end and returns its status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(WAIT)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def ask(url, body=None, headers=None):
    """Returns status, headers and text of an answer."""
    request = urllib.request.Request(url, data=body, headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=WAIT) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read().decode()


def emulator(deploy):
    for language in LANGUAGES:
        folder = deploy / "functions" / language
        arguments = [TRINE, "emulator", "--port", "0", "--handler", "handler.handler", "--", "bootstrap"]
        with Process(arguments, folder, surroundings(deploy), r"(http://\S+/invocations)") as process:
            for event, expected in cases(deploy):
                status, _, answer = ask(process.url, json.dumps(event).encode())
                expect((status, json.loads(answer)) == (200, expected), f"{language}: {status} {answer}")
            process.end()


def serve(deploy):
    """Starts servers as the manifests do, asks what the probes ask, and ends them."""
    for project in ("kubernetes", "knative"):
        for language in LANGUAGES:
            where = f"{project}/{language}.yaml"
            document = read_yaml(deploy / where)[0]
            (container,) = document["spec"]["template"]["spec"]["containers"]
            words = [str(deploy / "functions" / language) if word == "/var/task" else word for word in container["args"]]
            environment = {name: value for name, value in variables(container).items() if value is not None}
            # The entry point of the image names all addresses, a test this machine alone.
            arguments = [TRINE, "serve", "--host", "127.0.0.1", *words]
            with Process(
                arguments, deploy, surroundings(deploy, **{**environment, "PORT": "0"}), r"ANY\s+(http://\S+)"
            ) as process:
                for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
                    if probe in container:
                        path = container[probe]["httpGet"]["path"]
                        status, _, answer = ask(process.url + path.lstrip("/"))
                        expect(status == 200, f"{where}: {path} answers {status} {answer}")
                status, headers, answer = ask(process.url + "?name=Ada", headers={"x-request-id": "order-7"})
                expect((status, json.loads(answer)) == (200, {"message": "Hello, Ada!"}), f"{where}: {status} {answer}")
                expect(headers["x-request-id"] == "order-7", f"{where}: the middleware was not there")
                ended = process.end()
                expect(ended == 0, f"{where}: ends with {ended} after SIGTERM: {told(process.read())}")

