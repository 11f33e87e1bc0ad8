"""Why tests of Node's suite fail under Trine, as short as a table needs it."""

import re

# Reasons by what tests are called and by what they have said; the first that fits counts. One that none fits has not been
# looked into, and is said to be unexplained.
RULES = [
    ("fastutf8stream", "Unexpected identifier", "mended, not counted again: fs.Utf8Stream"),
    ("http-catch-uncaught|stale-close", "", "mended, not counted again: what listeners of sockets throw"),
    ("getgroups", "", "mended, not counted again: process.getgroups"),
    ("string-decoder", "", "mended, not counted again: __proto__"),
    ("", r"Deno\.test", "mended, not counted again: node:test"),
    ("", r"missing Intl|Intl not|intl|ICU", "mended, not counted again: what process.config says of Intl"),
    ("execve|setgroups|initgroups|euid-egid|uid-gid", "", "process: execve, initgroups, setgroups, names of users and groups"),
    ("", r"1\.\.0 # Skipped", "skips itself: what it needs is told to be missing"),
    ("debugger|inspect|watch-mode|node-output", "", "no inspector, no watching"),
    ("permission", "", "no permission model"),
    ("repl|force-repl", "", "no interactive mode"),
    ("heap-?prof|cpu-?prof|heapdump|heap-?snapshot|coverage|cpu-profile|tick-processor|trace-|tracing|report-|process-report|v8-"
     "|diagnostic-dir|gc-", "", "V8's profiles, snapshots, coverage, traces and facts about its heap"),
    ("build-snapshot|snapshot-(?!cwd)|single-executable|sea", "", "no start-up snapshots or executables of users' own"),
    ("compile-cache", "", "no compile cache of Node's (Trine has one of its own)"),
    ("shadow-?realm", "", "no ShadowRealm"),
    ("", r"bad option:|has no effect here|Invalid flag|invalid execArgv|invalid NODE_OPTIONS|-cli-|cli-option", "options of Node's and V8's without effect"),
    ("runner|test-reporter|test-runner", "", "no command line and no reporters of Node's test runner"),
    ("loader|module-hooks|import-assertion|register", "", "hooks of the module system"),
    ("wasm|source-phase", "", "WebAssembly as ES modules"),
    ("esm|require-module|cjs|module-|preserve-symlinks|import", "", "the module system: messages, symbolic links, cycles"),
    ("async-hooks|async-wrap|promise-hook|emit-|enable-|late-hook|embedder|graph\\.|exec-resource|httpparser", "",
     "async_hooks sees neither promises nor what handles do"),
    ("perf|nodetiming|eventlooputil", "", "perf_hooks: no timing of resources and of the start, no histograms of functions"),
    ("psk", "", "TLS: no pre-shared keys"),
    ("tls|https|openssl|x509", "renegotiat", "TLS: no renegotiation"),
    ("session|ticket|resume|keylog|ephemeral|exportkeying|ocsp", "", "TLS: no tickets and sessions of users' own, key logs, OCSP"),
    ("min-m|max-v|min-v|getprotocol|cipher|sigalgs|pfx|ca-options|extra-ca|cert|alert|set-default|SECLEVEL", "",
     "TLS: old protocols, ciphers, PFX files and options of OpenSSL's"),
    ("webcrypto|crypto", "", "crypto: algorithms, formats and messages of OpenSSL's"),
    ("vm-|vm\\.|script|contextify", "", "vm: linking of modules, cached data, interceptors, messages"),
    ("chunk|parser|insecure|header|content-length|unconsume|client-error|generic-streams|leaky|drained|keep-?alive", "",
     "http: the parser is not llhttp, and sockets are read by the runtime"),
    ("diagnostics-channel", "", "diagnostics_channel: channels of the module system, forms of headers"),
    ("domain", "", "domains"),
    ("cluster", "", "cluster"),
    ("uncaught|unhandled|exception|exit-code|throw|rethrow|error-reporting|warn", "", "process: texts and order of what nobody catches"),
    ("worker|message|broadcast|structured", "", "worker_threads: what is transferred, limits, messages of errors"),
    ("inspect|format|util", "", "util: forms that are newer or older than Node's"),
]


def reason_of(test, found):
    if found["status"] == "memory":
        return "uses more memory than the sweep allows"
    said = found.get("output", "")
    if found["status"] == "skip":
        said = "1..0 # Skipped"
    words = f"{' '.join(test.flags)} {test.name.removeprefix('parallel/').replace('test-', '', 1)}"
    for names, texts, reason in RULES:
        if re.search(names, words) and re.search(texts, said):
            return reason
    return "unexplained: does not end" if found["status"] == "time" else "unexplained"
