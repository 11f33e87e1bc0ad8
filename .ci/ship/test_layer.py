"""The layer as a Lambda function has it: test_layer.py ROOT OPT WORK

ROOT is a root with a C library and nothing else, OPT the unpacked layer, WORK a folder for what is fetched. Each case runs
with Lambda's directories, environment, read-only mounts and user. Prints a line a case.
"""

import contextlib
import http.client
import json
import os
import platform
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

ROOT, OPT, WORK = map(Path, sys.argv[1:4])
REPOSITORY = Path(__file__).resolve().parents[2]
LIMIT = 120
CASES = []


def case(function):
    CASES.append(function)
    return function


ENVIRONMENT = {
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_REGION": "eu-central-1",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
    "LAMBDA_RUNTIME_DIR": "/var/runtime",
    "LAMBDA_TASK_ROOT": "/var/task",
    "LANG": "en_US.UTF-8",
    "LD_LIBRARY_PATH": "/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib",
    "PATH": "/usr/local/bin:/usr/bin/:/bin:/opt/bin",
    "TZ": ":UTC",
}


def sandbox(task, *command, opt=OPT, environment=None, tmp=("--tmpfs", "/tmp")):
    """Returns the command line that runs a command as Lambda does, with no other environment and no home."""
    words = ["bwrap", "--ro-bind", ROOT, "/", "--ro-bind", opt, "/opt", "--ro-bind", task, "/var/task", "--proc", "/proc",
             "--dev", "/dev", *tmp, "--unshare-user", "--unshare-pid", "--die-with-parent", "--uid", "993", "--gid", "990",
             "--chdir", "/var/task", "--clearenv"]
    for name, value in {**ENVIRONMENT, **(environment or {})}.items():
        words += ["--setenv", name, value]
    return [str(word) for word in [*words, "--", *command]]


def run(task, *command, **options):
    return subprocess.run(sandbox(task, *command, **options), capture_output=True, text=True, timeout=LIMIT)


def task(**files):
    folder = Path(tempfile.mkdtemp(prefix="task-", dir=WORK))
    for name, text in files.items():
        name = name.replace("__", ".")
        (folder / name).write_text(text)
    return folder


def free_port():
    with contextlib.closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@contextlib.contextmanager
def function(folder, handler, environment=None, timeout="60s", **options):
    """Runs a function under the strict emulator; yields how to invoke it."""
    port = free_port()
    command = sandbox(folder, "/opt/bin/trine", "emulator", "--port", str(port), "--timeout", timeout, "--handler", handler,
                      "--", "/opt/bootstrap", environment=environment, **options)
    log = tempfile.TemporaryFile("w+")
    process = subprocess.Popen(command, stdout=log, stderr=log)

    def invoke(event):
        until = time.monotonic() + LIMIT
        while True:
            try:
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LIMIT)
                connection.request("POST", "/2015-03-31/functions/function/invocations", json.dumps(event))
                answer = connection.getresponse()
                return value_of(answer.read()), answer.getheader("X-Amz-Function-Error")
            except ConnectionRefusedError:
                if time.monotonic() > until or process.poll() is not None:
                    log.seek(0)
                    raise AssertionError("the emulator is not there: " + log.read()) from None
                time.sleep(0.05)

    def read_log():
        log.seek(0)
        return log.read()

    invoke.log = read_log
    try:
        yield invoke
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(LIMIT)
    text = read_log()
    assert "breach" not in text, text


def value_of(body):
    """The value of a result; what is streamed may be any text."""
    try:
        return json.loads(body)
    except ValueError:
        return body.decode()


def ends_before_it_asks(folder, handler, **options):
    """Runs a function that cannot start; returns what its log says."""
    answer = run(folder, "/opt/bin/trine", "emulator", "--port", str(free_port()), "--handler", handler, "--", "/opt/bootstrap", **options)
    assert answer.returncode == 1, answer
    contains(answer.stderr, "ended before it asked for an event: exit status: 1")
    log = answer.stdout + answer.stderr
    assert "panicked" not in log, log
    return log


def equal(found, expected):
    assert found == expected, f"expected {expected!r}, found {found!r}"


def contains(text, *parts):
    for part in parts:
        assert part in text, f"{part!r} is not in {text!r}"


def is_elf(path):
    with open(path, "rb") as file:
        return file.read(4) == b"\x7fELF"


@case
def no_file_needs_a_newer_c_library():
    checked = 0
    limit = int(json.loads((OPT / "share/trine/manifest.json").read_text())["glibc"].removeprefix("2."))
    for path in OPT.rglob("*"):
        if path.is_symlink() or not path.is_file() or not is_elf(path):
            continue
        # By the loader's own tables: the binary has no others.
        symbols = subprocess.run(["readelf", "-D", "-s", "-W", path], capture_output=True, text=True, check=True).stdout
        newest = max((int(b) for b in re.findall(r"GLIBC_2\.(\d+)", symbols)), default=0)
        assert newest <= limit, f"{path} needs glibc 2.{newest}"
        assert newest > 0 or path.name != "trine", "the binary's symbols could not be read"
        checked += 1
    assert checked > 20, checked


@case
def the_binary_exports_what_extensions_need_and_nothing_else():
    # As tests/it/natives.rs has it, by the loader's own tables.
    table = subprocess.run(["readelf", "-D", "-s", "-W", OPT / "bin/trine"], capture_output=True, text=True, check=True).stdout
    entries = [words for words in map(str.split, table.splitlines()) if len(words) == 8 and words[0][:-1].isdigit()]
    found = {words[7].split("@")[0] for words in entries if words[6] != "UND"}
    assert "napi_create_function" in found, found
    of_linkers = {"_init", "_fini", "_IO_stdin_used", "__bss_start", "_edata", "_end"}
    equal({name for name in found if not re.match("napi_|node_api_|_?Py", name)} - of_linkers, set())


@case
def the_manifest_lists_every_file():
    manifest = json.loads((OPT / "share/trine/manifest.json").read_text())
    found = {str(p.relative_to(OPT)) for p in OPT.rglob("*") if p.is_file() and not p.is_symlink()}
    equal(found - {"share/trine/manifest.json"}, set(manifest["files"]))
    told = json.loads(subprocess.run([OPT / "bin/trine", "engines", "--json"], stdout=subprocess.PIPE, check=True).stdout)
    equal(manifest["engines"], {engine["id"]: engine["version"] for engine in told})
    texts = [p for p in (OPT / "share").rglob("*") if p.is_file() and b"/root/" in p.read_bytes()]
    equal(texts, [])


@case
def each_name_is_what_it_says():
    folder = task()
    equal(run(folder, "/opt/bin/node", "-p", "1 + 1").stdout, "2\n")
    answer = run(folder, "/opt/bin/python3", "-c", "import sys; print(sys.prefix, sys.executable, sys.argv)")
    equal(answer.stdout, "/opt /opt/bin/python3 ['-c']\n")
    answer = run(folder, "/opt/bin/trine", "engines")
    contains(answer.stdout, "CPython", "V8", "Lua")
    contains(run(folder, "/opt/bin/python3", "-V").stdout, "Python 3.")


@case
def every_module_of_the_standard_library_can_be_imported():
    code = """
import importlib, sys
absent = {"_crypt", "_curses_panel", "_dbm", "_gdbm", "_msi", "_overlapped", "_posixshmem_", "_scproxy", "_tkinter", "_winapi", "_winreg",
    "antigravity", "crypt", "ensurepip", "idlelib", "lib2to3_", "msilib", "msvcrt", "nis", "nt", "ossaudiodev", "pydoc_data",
    "readline", "this", "tkinter", "turtle", "turtledemo", "winreg", "winsound", "_wmi", "_ios_support", "_android_support",
    "_pyrepl", "_testinternalcapi"}
failed = {}
for name in sorted(sys.stdlib_module_names - absent):
    try:
        importlib.import_module(name)
    except BaseException as error:
        failed[name] = repr(error)
print(failed)
"""
    equal(run(task(), "/opt/bin/python3", "-c", code).stdout, "{}\n")


def examples():
    for folder in sorted((REPOSITORY / "handlers-examples").iterdir()):
        cases = folder / "cases.json"
        if not cases.exists() or folder.name == "middlewares":
            continue
        for place in (folder, folder / "js", folder / "python", folder / "lua"):
            for suffix, language in ({"mjs": "js", "js": "js", "ts": "js", "py": "python", "lua": "lua"}).items():
                if (place / f"handler.{suffix}").exists():
                    yield folder, place, language, suffix, json.loads(cases.read_text())


@case
def the_examples_answer_in_every_language():
    ran = 0
    for folder, place, language, suffix, cases in examples():
        with function(place, f"handler.{suffix}:handler" if suffix == "ts" else "handler.handler" if place != folder else f"handler.{suffix}:handler") as invoke:
            event = json.loads((folder / "event.json").read_text())
            expected = folder / "expected.json"
            if expected.exists():
                answer, failed = invoke(event)
                assert not failed, (folder.name, language, answer)
                wanted = json.loads(expected.read_text())
                if folder.name == "parallel":
                    # What finishes first on a busy machine is open.
                    answer["finished"].sort()
                    wanted["finished"].sort()
                if folder.name != "http-api":
                    equal(answer, wanted)
                ran += 1
            for one in cases if folder.name != "http-api" else []:
                wanted = one.get(f"expected.{language}", one.get("expected", one.get("expected_text")))
                answer, failed = invoke(one["event"])
                if wanted is not None and not failed:
                    equal(answer, wanted)
                    ran += 1
                wanted = one.get(f"expected-error.{language}", one.get("expected-error"))
                if wanted is not None:
                    assert failed, answer
                    equal({key: answer[key] for key in ("errorType", "errorMessage")}, {key: wanted[key] for key in ("errorType", "errorMessage")})
                    ran += 1
    assert ran > 30, ran


@case
def middlewares_come_from_a_layer():
    opt = Path(tempfile.mkdtemp(prefix="opt-", dir=WORK))
    subprocess.run(["cp", "-a", f"{OPT}/.", opt], check=True)
    (opt / "middlewares").mkdir()
    (opt / "middlewares" / "first.lua").write_text("return { before = function(event) event.first = 'lua' return event end }")
    (opt / "middlewares" / "second.py").write_text("def before(event, context):\n    event['second'] = 'py'\n    return event\n")
    (opt / "middlewares" / "third.mjs").write_text("export const after = (response) => ({ ...response, third: 'js' });")
    names = {"TRINE_MIDDLEWARES": "first,second,third"}
    files = {"app__mjs": "export const handler = async (event) => event;", "app2__py": "def handler(event, context): return event",
             "app3__lua": "return { handler = function(event) return event end }"}
    folder = task(**files)
    for handler in ("app.handler", "app2.handler", "app3.handler"):
        with function(folder, handler, environment=names, opt=opt) as invoke:
            equal(invoke({"n": 1}), ({"n": 1, "first": "lua", "second": "py", "third": "js"}, None))
    shutil.rmtree(opt)


def pip(*packages):
    folder = WORK / ("wheels-" + "-".join(re.sub("[^a-z0-9]", "", p) for p in packages))
    if not folder.exists():
        version = json.loads((OPT / "share/trine/manifest.json").read_text())["python"].rsplit(".", 1)[0]
        subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--root-user-action", "ignore", "--target", f"{folder}.part",
                        "--platform", f"manylinux_2_28_{platform.machine()}", "--platform", f"manylinux2014_{platform.machine()}", "--python-version", version,
                        "--only-binary=:all:", *packages], check=True)
        os.rename(f"{folder}.part", folder)
    return folder


def npm(*packages):
    folder = WORK / ("npm-" + "-".join(re.sub("[^a-z0-9]", "", p) for p in packages))
    if not folder.exists():
        subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", f"{folder}.part", *packages], check=True)
        os.rename(f"{folder}.part", folder)
    return folder


@case
def wheels_with_compiled_code_work():
    folder = task()
    shutil.rmtree(folder)
    shutil.copytree(pip("numpy==2.2.6", "orjson==3.10.18", "pydantic==2.11.7", "cryptography==45.0.5"), folder, symlinks=True)
    (folder / "app.py").write_text("""
import numpy, orjson, pydantic
from cryptography.fernet import Fernet

class Order(pydantic.BaseModel):
    price: float

def handler(event, context):
    box = Fernet(Fernet.generate_key())
    return {
        "sum": float(numpy.linalg.inv(numpy.array(event["matrix"])).sum()),
        "bytes": orjson.dumps(event).decode(),
        "price": Order(price="1.5").price,
        "text": box.decrypt(box.encrypt(b"secret")).decode(),
    }
""")
    with function(folder, "app.handler") as invoke:
        answer = invoke({"matrix": [[2, 0], [0, 4]]})
    equal(answer, ({"sum": 0.75, "bytes": '{"matrix":[[2,0],[0,4]]}', "price": 1.5, "text": "secret"}, None))


@case
def a_native_addon_works():
    folder = task()
    shutil.rmtree(folder)
    shutil.copytree(npm("@node-rs/argon2@2.0.2", "@node-rs/crc32@1.10.6"), folder, symlinks=True)
    (folder / "app.cjs").write_text("""
const { crc32 } = require("@node-rs/crc32");
const { hash, verify } = require("@node-rs/argon2");
exports.handler = async (event) => ({ crc: crc32(event.text), same: await verify(await hash(event.text), event.text) });
""")
    with function(folder, "app.handler") as invoke:
        equal(invoke({"text": "hello"}), ({"crc": 907060870, "same": True}, None))


PYTHON_PARTS = """
import multiprocessing, sqlite3, ssl, sys, urllib.request, bz2, lzma, zlib, hashlib, ctypes, uuid, decimal, zoneinfo, asyncio, subprocess

def square(n):
    return n * n

def child(pipe, n):
    pipe.send(square(n))

def handler(event, context):
    if event.get("url"):
        with urllib.request.urlopen(event["url"]) as answer:
            return answer.read().decode()
    db = sqlite3.connect("/tmp/a.db")
    db.execute("create table if not exists t (n)")
    db.execute("insert into t values (1)")
    squares = []
    for method in ("spawn", "fork", "forkserver"):
        ours, theirs = multiprocessing.get_context(method).Pipe()
        process = multiprocessing.get_context(method).Process(target=child, args=(theirs, 7))
        process.start()
        squares.append(ours.recv())
        process.join()
    run = subprocess.run([sys.executable, "-c", "import ssl, sys; print(sys.version_info[0])"], capture_output=True, text=True)
    return {
        "rows": db.execute("select count(*) from t").fetchone()[0] >= 1,
        "squares": squares,
        "libc": ctypes.CDLL(None).strlen(b"four"),
        "packed": lzma.decompress(lzma.compress(bz2.decompress(bz2.compress(zlib.decompress(zlib.compress(b"x")))))).decode(),
        "sha": hashlib.sha3_256(b"").hexdigest()[:8],
        "authorities": len(ssl.create_default_context().get_ca_certs()) > 50,
        "child": run.stdout + run.stderr,
        "openssl": ssl.OPENSSL_VERSION.split(".")[0],
    }
"""


@case
def pythons_libraries_are_all_there():
    with function(task(app__py=PYTHON_PARTS), "app.handler") as invoke:
        equal(invoke({}), ({"rows": True, "squares": [49, 49, 49], "libc": 4, "packed": "x", "sha": "a7ffc6f8",
                            "authorities": True, "child": "3\n", "openssl": "OpenSSL 3"}, None))


LANGUAGES = """
const words = (text, locale) => [...new Intl.Segmenter(locale, { granularity: "word" }).segment(text)].map((part) => part.segment);
const day = (locale, options) => new Date(0).toLocaleDateString(locale, { dateStyle: "long", timeZone: "UTC", ...options });
const read = (label, ...bytes) => new TextDecoder(label).decode(new Uint8Array(bytes));
exports.handler = async () => ({
  words: [words("東京都に住む", "ja"), words("สวัสดีครับ", "th")],
  days: [day("de"), day("ar-EG"), day("zh-Hans", { calendar: "chinese" })],
  names: [["language", "ja"], ["region", "CH"], ["currency", "CHF"], ["script", "Grek"]].map(
    ([type, code]) => new Intl.DisplayNames("fr", { type }).of(code)),
  amounts: [
    (1234.5).toLocaleString("hi", { style: "currency", currency: "INR" }),
    (3).toLocaleString("pl", { style: "unit", unit: "mile", unitDisplay: "long" }),
  ],
  order: ["z", "ä", "a"].sort(new Intl.Collator("sv").compare),
  cases: ["I".toLocaleLowerCase("tr"), "ΐ".toLocaleUpperCase("el"), "ﬁ".normalize("NFKC")],
  texts: [
    read("gb18030", 0xc4, 0xe3), read("shift_jis", 0x93, 0xfa), read("euc-kr", 0xc7, 0xd1), read("big5", 0xa7, 0x41),
    read("windows-1251", 0xcf),
  ],
  zone: new Date(0).toLocaleTimeString("en", { timeZone: "Asia/Tokyo", timeZoneName: "long" }),
});
"""


@case
def every_language_and_character_set_is_there():
    with function(task(app__cjs=LANGUAGES), "app.handler") as invoke:
        answer, failed = invoke({})
    equal(failed, None)
    equal(answer, {
        "words": [["東京", "都", "に", "住む"], ["สวัสดี", "ครับ"]],
        "days": ["1. Januar 1970", "١ يناير ١٩٧٠", "1969己酉年十一月廿四"],
        "names": ["japonais", "Suisse", "franc suisse", "grec"],
        "amounts": ["₹1,234.50", "3 mile"],
        "order": ["a", "z", "ä"],
        "cases": ["ı", "Ϊ", "fi"],
        "texts": ["你", "日", "한", "你", "П"],
        "zone": "9:00:00 AM Japan Standard Time",
    })


@contextlib.contextmanager
def tls_server(folder):
    """A TLS server with a certificate of its own authority; yields its address."""
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    own_key, authority = folder / "authority-key.pem", folder / "authority.pem"
    request = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    subprocess.run([*request, "-keyout", own_key, "-out", authority, "-subj", "/CN=authority"], check=True, capture_output=True)
    subprocess.run([*request, "-keyout", key, "-out", certificate, "-CA", authority, "-CAkey", own_key, "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=DNS:localhost", "-addext", "basicConstraints=critical,CA:FALSE"],
                   check=True, capture_output=True)

    class Hello(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("content-length", "5")
            self.end_headers()
            self.wfile.write(b"hello")

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Hello)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"https://localhost:{server.server_port}/"
    finally:
        server.shutdown()


@case
def tls_is_spoken_and_strangers_are_refused():
    javascript = """
const https = require("node:https");
const get = (url) => new Promise((done, failed) => https.get(url, (answer) => {
  let text = "";
  answer.on("data", (chunk) => (text += chunk)).on("end", () => done(text));
}).on("error", failed));
exports.handler = async ({ url }) => [await (await fetch(url)).text(), await get(url)];
"""
    lua = "return { handler = function(event) return trine.fetch(event.url).body end }"
    folder = task(app__py=PYTHON_PARTS, web__cjs=javascript, fetch__lua=lua)
    with tls_server(folder) as url:
        trusted = {"SSL_CERT_FILE": "/var/task/authority.pem"}
        with function(folder, "app.handler", environment=trusted) as invoke:
            equal(invoke({"url": url}), ("hello", None))
        with function(folder, "app.handler") as invoke:
            answer, failed = invoke({"url": url})
            assert failed, answer
            contains(answer["errorMessage"], "certificate verify failed")
        trusted = {"SSL_CERT_FILE": "/var/task/authority.pem"}
        with function(folder, "fetch.handler", environment=trusted) as invoke:
            equal(invoke({"url": url}), ("hello", None))
        with function(folder, "fetch.handler") as invoke:
            answer, failed = invoke({"url": url})
            assert failed, answer
            contains(answer["errorMessage"], "certificate")
        trusted = {"NODE_EXTRA_CA_CERTS": "/var/task/authority.pem"}
        with function(folder, "web.handler", environment=trusted) as invoke:
            equal(invoke({"url": url}), (["hello", "hello"], None))
        with function(folder, "web.handler") as invoke:
            answer, failed = invoke({"url": url})
            assert failed, answer


@case
def a_virtual_environment_can_be_made_and_used():
    code = """
import subprocess, sys
def handler(event, context):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", "/tmp/own"], check=True)
    out = subprocess.run(["/tmp/own/bin/python", "-c", "import sys; print(sys.prefix, sys.base_prefix)"], capture_output=True, text=True)
    return out.stdout + out.stderr
"""
    with function(task(app__py=code), "app.handler") as invoke:
        equal(invoke({}), ("/tmp/own /opt\n", None))


@case
def each_mistake_at_the_start_is_told_by_its_type():
    folder = task(
        syntax__py="def handler(:\n", missing__py="import nothing_like_this\n", raises__py="1 / 0\n", none__py="x = 1\n",
        syntax2__mjs="export const handler = ;\n", missing2__mjs="import 'nothing-like-this';\n", raises2__mjs="null.x;\n", none2__mjs="export const x = 1;\n",
        syntax3__lua="return {\n", missing3__lua="require('nothing.like.this')\n", raises3__lua="error('no')\n", none3__lua="return {}\n",
    )
    for handler, kind in {
        "syntax.handler": "Runtime.UserCodeSyntaxError", "missing.handler": "Runtime.ImportModuleError", "none.handler": "Runtime.HandlerNotFound",
        "syntax2.handler": "Runtime.UserCodeSyntaxError", "missing2.handler": "Runtime.ImportModuleError", "none2.handler": "Runtime.HandlerNotFound",
        "syntax3.handler": "Runtime.UserCodeSyntaxError", "missing3.handler": "Runtime.ImportModuleError", "none3.handler": "Runtime.HandlerNotFound",
        "nowhere.handler": "Runtime.ImportModuleError", "raises.handler": "ZeroDivisionError", "raises2.handler": "TypeError",
        "raises3.handler": "LuaError",
    }.items():
        contains(ends_before_it_asks(folder, handler), kind)


def broken(change):
    opt = Path(tempfile.mkdtemp(prefix="opt-", dir=WORK))
    subprocess.run(["cp", "-a", f"{OPT}/.", opt], check=True)
    change(opt)
    return opt


def library(opt):
    return next((opt / "lib").glob("python3.*"))


@case
def a_layer_that_lacks_python_says_so():
    opt = broken(lambda opt: shutil.rmtree(library(opt)))
    log = ends_before_it_asks(task(app__py="def handler(e, c): return 1"), "app.handler", opt=opt)
    contains(log, "standard library", "/opt/lib/python3.")
    assert "path configuration" not in log, log
    with function(task(app__mjs="export const handler = () => 1;"), "app.handler", opt=opt) as invoke:
        equal(invoke({}), (1, None))
    shutil.rmtree(opt)


@case
def a_corrupt_standard_library_says_so():
    def corrupt(opt):
        (library(opt) / "json" / "__init__.pyc").write_bytes(b"\x00" * 40)
        (library(opt) / "functools.pyc").write_bytes(b"")
    opt = broken(corrupt)
    folder = task(app__py="import functools\ndef handler(e, c): return 1", app2__py="import json\ndef handler(e, c): return 1")
    contains(ends_before_it_asks(folder, "app.handler", opt=opt), "Unable to import module 'app'", "functools")
    contains(ends_before_it_asks(folder, "app2.handler", opt=opt), "Unable to import module 'app2'", "json")
    shutil.rmtree(opt)


@case
def nothing_need_be_written():
    folder = task(app__py="def handler(e, c): return 1", app2__mjs="export const handler = () => 1;", app3__lua="return { handler = function() return 1 end }")
    for handler in ("app.handler", "app2.handler", "app3.handler"):
        with function(folder, handler, tmp=()) as invoke:
            equal(invoke({}), (1, None))


@case
def the_tree_runs_from_any_path():
    for place in ("/var/task/some where", "/tmp/ü"):
        folder = task(app__py="import ssl\ndef handler(e, c): return 1")
        command = sandbox(folder, "/bin/true", tmp=("--tmpfs", "/tmp"))
        at = command.index("--chdir")
        where = ["--tmpfs", "/var/task", "--ro-bind", str(OPT), place, "--ro-bind", str(folder / "app.py"), "/var/task/app.py"]
        command = [*command[:at], *where, *command[at:]]
        command[command.index("--ro-bind", 4) + 2] = "/mnt"
        command[-1:] = [f"{place}/bin/trine", "invoke", "app.handler", "--event", "{}"]
        answer = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT)
        equal((answer.returncode, answer.stdout), (0, "1\n"))


def main():
    WORK.mkdir(parents=True, exist_ok=True)
    wanted = sys.argv[4:]
    passed = failed = 0
    for check in CASES:
        if wanted and not any(word in check.__name__ for word in wanted):
            continue
        try:
            check()
            passed += 1
            print("ok  ", check.__name__.replace("_", " "), flush=True)
        except Exception:
            failed += 1
            print("FAIL", check.__name__.replace("_", " "), flush=True)
            traceback.print_exc(file=sys.stdout)
    for leftover in [*WORK.glob("task-*"), *WORK.glob("opt-*")]:
        shutil.rmtree(leftover, ignore_errors=True)
    print(f"layer: {passed} passed, {failed} failed")
    sys.exit(failed > 0)


main()
