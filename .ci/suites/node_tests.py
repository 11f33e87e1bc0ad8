"""The tests of Node's suite: which there are, what each is about, with which options and variables it runs."""

import dataclasses
import re

FOLDERS = ("parallel", "sequential", "es-module", "async-hooks", "module-hooks", "sqlite")

# Module, and how names of its tests begin. The first that fits counts; the order is that of the sweep and of the table.
MODULES = {
    "http": "http-|http$|httpparser|set-http|outgoing|graph\\.http|diagnostic-channel-http|write-header",
    "https": "https-|tls-over-http",
    "http2": "http2|h2",
    "net": "net-|tcp|socket|listen|pipe|ttywrap|uv-|blocklist|destroy-socket",
    "tls": "tls|double-tls|openssl-ca|wrap-js-stream",
    "dns": "dns|c-ares|getaddrinfo|getnameinfo|querywrap",
    "dgram": "dgram|udp",
    "stream": "stream|readable|writable|duplex|fastutf8stream|js-stream",
    "web streams": "webstream|whatwg-.*stream|compression-",
    "fs": "fs-|fs$|file|fsevent|fsreq|statwatcher|cwd|opendir|glob|sync-fileread|vfs",
    "zlib": "zlib-|zlib$",
    "webcrypto": "webcrypto|global-webcrypto",
    "crypto": "crypto|x509|dsa",
    "child_process": "child-process|stdin|stdout|stdio|stderr|spawn|sigint|kill-segfault|dummy-stdio",
    "worker_threads": "worker|broadcastchannel|messag|atomics|structured",
    "async_hooks": "als-|async|emit-|enable-|disable-in|embedder|promise-hook|promises?\\.|improper|late-hook|no-assert|nexttick-def"
    "|destroy-not|callback-error|zlib\\.",
    "diagnostics_channel": "diagnostics-channel",
    "perf_hooks": "perf|eventlooputil|tojson-perf",
    "process": "process|exit|signal|unhandled|uncaught|promise-|promises-|next-tick|nexttick|tick|microtask|queue-micro|warn|before-?exit"
    "|memory-usage|resource-usage|umask|os-|os$|finalization|exception-handler|pending-dep|throw-",
    "timers": "timers?-|timers?$|timers?\\.|set-|immediate|clear|primitive-timer|ref-unref",
    "events": "event",
    "util": "util|parse-args|inspect-|mime|errors-|error-|abort|styletext|diff|sys$",
    "buffer": "buffer|string-decoder|stringbytes|blob|icu|whatwg-encoding|read|write|atob|btoa|utf8",
    "url": "url|whatwg|querystring|punycode|fileurl|data-url",
    "fetch and other web APIs": "fetch|global|eventsource|websocket|web|dom(?!ain)|navigator|console|intl|temporal",
    "module": "module|require|esm|cjs|import|wasm|typescript|strip-types|preload|loaders|compile-cache|loading|symlink|extension"
    "|sync-hooks|register|builtin|delayed-req|directory-imp|find-package|source-map",
    "vm": "vm-|vm$|shadow|script|contextify|eval",
    "v8": "v8|heap|gc|get-?heap|weakref|max-old|stack-size",
    "assert": "assert",
    "node:test": "runner|test-|mock|snapshot-(?!cwd|weak)",
    "node:sqlite": "sqlite",
    "path": "path",
    "readline, tty": "readline|tty",
    "domain": "domain",
    "cluster": "cluster",
    "permission": "permission",
    "inspector": "inspect|debug|cpu-prof|trac|report|diagnostic-dir|prof|coverage|node-output|resolution-inspect",
    "repl": "repl|force-repl",
    "command line": "cli|node|dotenv|config|watch|options|single-executable|sea|startup|snapshot|bootstrap|env|run|npm|eslint|quic"
    "|disable-|deprecation|no-|unicode-node|force",
}
INSIDES = re.compile(r"expose[-_]internals|internalBinding|internal/test/binding|process\.binding\(|require\('internal/|internal-for-testing")
FLAGS = re.compile(r"^// ?Flags:[ \t]+(.*)$", re.MULTILINE)
VARIABLES = re.compile(r"^// ?Env:[ \t]+(.*)$", re.MULTILINE)


@dataclasses.dataclass(eq=False)
class Test:
    """A file of the suite; `insides` is whether it needs what only Node itself has."""

    name: str
    module: str
    flags: list
    variables: dict
    insides: bool


def all_tests(suite):
    """The tests in the order of the table, each module's by name."""
    files = [path for folder in FOLDERS for path in (suite / "test" / folder).glob("test-*") if path.suffix in (".js", ".mjs", ".cjs")]
    order = [*MODULES, "other"]
    tests = [read(path) for path in files]
    return sorted(tests, key=lambda test: (order.index(test.module), test.name))


def read(path):
    source = path.read_text(errors="replace")
    flags = [flag for line in FLAGS.findall(source) for flag in line.split()]
    variables = dict(item.split("=", 1) for line in VARIABLES.findall(source) for item in line.split())
    name = f"{path.parent.name}/{path.name}"
    return Test(name, module_of(name), flags, variables, bool(INSIDES.search(source)))


def module_of(name):
    folder, file = name.split("/")
    if folder == "module-hooks":
        return "module"
    if folder == "sqlite":
        return "node:sqlite"
    words = re.sub(r"^test-|\.[cm]?js$", "", file).lower()
    if folder == "async-hooks" and not re.match("callback|http|graph", words):
        return "async_hooks"
    for module, beginnings in MODULES.items():
        if re.match(beginnings, words):
            return module
    return "async_hooks" if folder == "async-hooks" else "module" if folder == "es-module" else "other"
