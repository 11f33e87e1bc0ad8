"""Runs the functions themselves, with the middleware from the folder of the layer."""

import json
import os
import re
import select
import signal
import subprocess
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor

from common import LANGUAGES, expect, read_json, read_yaml, run, told
from pods import variables

TRINE = os.environ["TRINE"]
WAIT = 60
PROJECTS = ("kubernetes", "knative")

# Functions that say when they have begun, and then take their time.
SLOW = {
    "js": (
        "handler.mjs",
        """export const handler = async () => {
  console.log("begun");
  await new Promise((resolve) => setTimeout(resolve, 1000));
  return { waited: true };
};
""",
    ),
    "python": (
        "handler.py",
        """import time


def handler(event, context):
    print("begun", flush=True)
    time.sleep(1)
    return {"waited": True}
""",
    ),
    "lua": (
        "handler.lua",
        """return {
  handler = function()
    print("begun")
    trine.sleep(1)
    return { waited = true }
  end,
}
""",
    ),
}


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
        self.output = ""
        try:
            self.url = self.until(pattern)[1]
        except BaseException:
            self.__exit__()
            raise

    def until(self, pattern):
        """Waits for what the process is to print."""
        end = time.monotonic() + WAIT
        while not (found := re.search(pattern, self.output)):
            expect(self.process.poll() is None, f"the server ended: {told(self.read())}")
            expect(time.monotonic() < end, f"the server does not say {pattern}: {told(self.output)}")
            select.select([self.process.stdout], [], [], 0.5)
            self.read()
        return found

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


def container(deploy, project, language):
    """Returns the container of a manifest."""
    document = read_yaml(deploy / project / f"{language}.yaml")[0]
    return document["spec"]["template"]["spec"]["containers"][0]


def start(deploy, described, folder):
    """Starts a server with the arguments and variables of a container, which has the folder as `/var/task`."""
    words = [str(folder) if word == "/var/task" else word for word in described["args"]]
    environment = {name: value for name, value in variables(described).items() if value is not None}
    # The entry point of the image names all addresses, a test this machine alone.
    arguments = [TRINE, "serve", "--host", "127.0.0.1", *words]
    return Process(arguments, deploy, surroundings(deploy, **{**environment, "PORT": "0"}), r"ANY\s+(http://\S+)")


def serve(deploy):
    """Starts servers as the manifests do, asks what the probes ask, and ends them."""
    for project, language in ((project, language) for project in PROJECTS for language in LANGUAGES):
        where, described = f"{project}/{language}.yaml", container(deploy, project, language)
        with start(deploy, described, deploy / "functions" / language) as process:
            for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
                if probe in described:
                    path = described[probe]["httpGet"]["path"]
                    status, _, answer = ask(process.url + path.lstrip("/"))
                    expect(status == 200, f"{where}: {path} answers {status} {answer}")
            status, headers, answer = ask(process.url + "?name=Ada", headers={"x-request-id": "order-7"})
            expect((status, json.loads(answer)) == (200, {"message": "Hello, Ada!"}), f"{where}: {status} {answer}")
            expect(headers["x-request-id"] == "order-7", f"{where}: the middleware was not there")
            ended = process.end()
            expect(ended == 0, f"{where}: ends with {ended} after SIGTERM: {told(process.read())}")


def drain(deploy):
    """Asks servers to end while the function is in the middle of a request, which is answered all the same."""
    for project, language in ((project, language) for project in PROJECTS for language in LANGUAGES):
        where, (file, code) = f"{project}/{language}.yaml", SLOW[language]
        folder = deploy / "slow" / language
        folder.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text(code)
        with start(deploy, container(deploy, project, language), folder) as process, ThreadPoolExecutor(1) as threads:
            asked = threads.submit(ask, process.url)
            process.until("begun")
            ended = process.end()
            status, _, answer = asked.result()
            expect((status, json.loads(answer)) == (200, {"waited": True}), f"{where}: {status} {answer}")
            expect(ended == 0, f"{where}: ends with {ended} after SIGTERM: {told(process.read())}")
