"""Does what an event asks for, and says what came of it."""

import asyncio
import os
import pathlib
import shutil
import socket
import sqlite3
import subprocess
import sys
import threading
import urllib.request


def fetch(url):
    with urllib.request.urlopen(url, timeout=20) as response:
        return response.read().decode()


def connect(host, port):
    socket.create_connection((host, port), timeout=20).close()
    return "connected"


def connect_directly(host, port):
    with socket.socket() as plain:
        plain.connect((host, port))
    return "connected"


def connect_later(host, port):
    async def connect():
        _, writer = await asyncio.open_connection(host, port)
        writer.close()
        return "connected"

    return asyncio.run(connect())


def listen(host):
    with socket.socket() as plain:
        plain.bind((host, 0))
        plain.listen()
    return "listening"


def send(host, port):
    with socket.socket(type=socket.SOCK_DGRAM) as plain:
        plain.sendto(b"x", (host, port))
    return "sent"


def write(path):
    with open(path, "w") as file:
        file.write("written")


def append(path):
    with open(path, "a") as file:
        file.write("more")


def read_in_folder(folder, path):
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        inner = os.open(path, os.O_RDONLY, dir_fd=descriptor)
        return os.read(inner, 100).decode()
    finally:
        os.close(descriptor)


def write_in_folder(folder, path):
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT, dir_fd=descriptor))
    finally:
        os.close(descriptor)


class Turncoat:
    """A path that is another one each time it is asked for."""

    def __init__(self, *paths):
        self.paths = list(paths)

    def __fspath__(self):
        return self.paths.pop(0)


def read_turncoat(first, second):
    descriptor = os.open(Turncoat(first, second, first, second), os.O_RDONLY)
    return os.read(descriptor, 100).decode()


def read_bytes(path):
    descriptor = os.open(path.encode(), os.O_RDONLY)
    return os.read(descriptor, 100).decode()


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def shell(command):
    return subprocess.run(command, shell=True, capture_output=True, text=True, check=True).stdout.strip()


def run_with_path(path, name):
    return subprocess.run([name], env={"PATH": path}, capture_output=True, text=True).stdout.strip()


def run_preloading():
    return subprocess.run(["/bin/echo"], env={"LD_PRELOAD": "/a.so"}, capture_output=True).returncode


def spawn_directly(program):
    import _posixsubprocess

    read, write = os.pipe()
    nothing = [-1] * 8
    arguments = [b"x"], [program.encode()], True, (write,), None, None, *nothing[:6], read, write
    pid = _posixsubprocess.fork_exec(*arguments, False, False, -1, None, None, None, -1, None, False)
    return os.waitpid(pid, 0)[1]


def attach(path):
    return sqlite3.connect(":memory:").execute(f"attach database '{path}' as other").fetchall()


def spawn(program):
    return os.waitpid(os.posix_spawn(program, [program], {}), 0)[1]


def thread(op, *args):
    found = {}
    worker = threading.Thread(target=lambda: found.update(outcome(op, args)))
    worker.start()
    worker.join()
    return passed_on(found)


def raw_thread(op, *args):
    import _thread

    found, done = {}, threading.Event()

    def work():
        found.update(outcome(op, args))
        done.set()

    _thread.start_new_thread(work, ())
    done.wait(20)
    return passed_on(found)


def bare_context(op, *args):
    import contextvars

    return passed_on(contextvars.Context().run(outcome, op, args))


def forged_scope(op, *args):
    import contextvars

    def forged():
        for variable in contextvars.copy_context():
            if variable.name == "trine_scope":
                variable.set(object())
        return outcome(op, args)

    return passed_on(contextvars.copy_context().run(forged))


def passed_on(found):
    if "error" in found:
        error = OSError(found["error"]["code"], found["error"]["message"])
        raise error
    return found["ok"]


def load(path):
    import ctypes

    ctypes.CDLL(path)
    return "loaded"


def import_file(path):
    import importlib.util

    spec = importlib.util.spec_from_file_location("stray", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return "loaded"


def import_extension(path):
    import importlib.machinery

    loader = importlib.machinery.ExtensionFileLoader("stray", path)
    spec = importlib.machinery.ModuleSpec("stray", loader, origin=path)
    loader.create_module(spec)
    return "loaded"


def look_up(name):
    return socket.getaddrinfo(name, None)[0][4][0]


def standard_library():
    import decimal
    import json
    import ssl
    import zoneinfo

    ssl.create_default_context()
    return [str(decimal.Decimal(1)), json.dumps(1), zoneinfo.ZoneInfo("Europe/Berlin").key]


operations = {
    "fetch": fetch,
    "connect": connect,
    "connect_directly": connect_directly,
    "connect_later": connect_later,
    "listen": listen,
    "send": send,
    "look_up": look_up,
    "raw_socket": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0).fileno() >= 0,
    "read": lambda path: open(path).read(),
    "read_path": lambda path: os.read(os.open(pathlib.Path(path), os.O_RDONLY), 100).decode(),
    "read_bytes": read_bytes,
    "read_in_folder": read_in_folder,
    "read_turncoat": read_turncoat,
    "list": lambda path: len(os.listdir(path)),
    "scan": lambda path: len(list(os.scandir(path))),
    "write": write,
    "append": append,
    "write_in_folder": write_in_folder,
    "make": os.mkdir,
    "remove": os.remove,
    "rename": os.rename,
    "copy": lambda source, target: shutil.copyfile(source, target) and None,
    "symlink": os.symlink,
    "link": os.link,
    "truncate": lambda path: os.truncate(path, 0),
    "mode": lambda path: os.chmod(path, 0o600),
    "database": lambda path: sqlite3.connect(path).execute("create table if not exists a (b)") and "open",
    "variable": os.environ.get,
    "getenv": os.getenv,
    "variables": lambda: sorted(os.environ),
    "set": lambda name, value: os.environ.__setitem__(name, value) or os.environ[name],
    "run": run,
    "shell": shell,
    "system": os.system,
    "spawn": spawn,
    "spawn_directly": spawn_directly,
    "attach": attach,
    "import": lambda name: __import__(name) and "imported",
    "exec": lambda program: os.execv(program, [program]),
    "fork": lambda: os.fork() or os._exit(0),
    "run_with_path": run_with_path,
    "run_preloading": run_preloading,
    "kill": lambda: os.kill(1, 0),
    "kill_self": lambda: os.kill(os.getpid(), 0),
    "load": load,
    "import_file": import_file,
    "import_extension": import_extension,
    "thread": thread,
    "raw_thread": raw_thread,
    "bare_context": bare_context,
    "forged_scope": forged_scope,
    "standard_library": standard_library,
    "change_folder": os.chdir,
}


def outcome(op, args):
    try:
        return {"ok": operations[op](*args)}
    except Exception as error:
        name = type(error).__name__
        return {"error": {"name": name, "code": getattr(error, "errno", None), "message": str(error)}}


def handler(event, context):
    return outcome(event["op"], event["args"])
