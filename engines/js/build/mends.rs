//! Mends of Node's modules: where Deno's polyfills differ from Node, a text of ours follows theirs. It runs when the
//! module is loaded, and costs nothing before. The engine's tests run each of them against the unmended module as well,
//! so that no mend stays that a newer version of Deno no longer needs.

use std::{collections::BTreeMap, fs};

/// Files in `src/prelude/mends`, and the modules that they mend.
const MENDS: &[(&str, &str)] = &[
    ("callbacks.js", "ext:deno_node/internal/crypto/hkdf.ts"),
    ("callbacks.js", "ext:deno_node/internal/crypto/keygen.ts"),
    ("callbacks.js", "ext:deno_node/internal/crypto/random.ts"),
    ("callbacks.js", "ext:deno_node/internal/crypto/scrypt.ts"),
    ("child_process.js", "ext:deno_node/internal/child_process.ts"),
    ("dgram.js", "ext:deno_node/internal/dgram.ts"),
    ("fork.js", "ext:deno_node/child_process.ts"),
    ("http_client.js", "node:_http_client"),
    ("http_server.js", "node:_http_server"),
    ("https.js", "ext:deno_node/https.ts"),
    ("process.js", "ext:deno_process/40_process.js"),
    ("testing.js", "ext:deno_node/testing.ts"),
    ("net.js", "ext:deno_node/net.ts"),
    ("tls_binding.js", "ext:deno_node/internal_binding/tls_wrap.ts"),
    ("tls_wrap.js", "ext:deno_node/_tls_wrap.js"),
];

/// Mends of modules that Node's snapshot contains; there `node.js` does the same.
const MENDS_OF_WEB: &[(&str, &str)] = &[
    ("callbacks.js", "ext:deno_node/_fs/_fs_common.ts"),
    ("module.js", "node:module"),
    ("timers.js", "ext:deno_node/internal/timers.mjs"),
    ("worker_threads.js", "ext:deno_node/worker_threads.ts"),
];

/// A text that follows another one.
pub(crate) struct Mend {
    file: &'static str,
    text: String,
}

/// Returns the mends of a snapshot, by the modules that they mend.
pub(crate) fn of(snapshot: &str) -> BTreeMap<&'static str, Mend> {
    let read = |file: &'static str| {
        let path = format!("src/prelude/mends/{file}");
        let text = fs::read_to_string(&path);
        Mend { file, text: text.unwrap_or_else(|error| panic!("cannot read {path}: {error}")) }
    };
    let more = if snapshot == "web" { MENDS_OF_WEB } else { &[] };
    MENDS.iter().chain(more).map(|(file, specifier)| (*specifier, read(file))).collect()
}

impl Mend {
    /// Returns a module with its mend, which sees the module's declarations.
    pub(crate) fn module(&self, source: &str) -> String {
        let import = match source.contains("internals") {
            true => "",
            false => "import { internals } from \"ext:core/mod.js\";\n",
        };
        format!("{source}\n{import}{}", self.unless_left_out("internals"))
    }

    /// Returns a wrapped script with its mend, which sees what the script has made. The prelude may first see the
    /// operations that the script is about to look up.
    pub(crate) fn script(&self, source: &str) -> String {
        const PROLOGUE: &str = "\"use strict\"; return (";
        let made = source.strip_prefix(PROLOGUE).and_then(|rest| rest.strip_suffix(");"));
        let made = made.expect("deno_core wraps scripts like this");
        let mend = self.unless_left_out("__bootstrap.internals");
        let before =
            format!("__bootstrap.internals.trinePrepare?.({:?}, __bootstrap.core.ops)", self.file);
        format!("{PROLOGUE}({before}, (made) => {{\n{mend}return made;\n}})({made}));")
    }

    /// Makes a mend conditional: tests leave mends out to see whether they are needed.
    fn unless_left_out(&self, internals: &str) -> String {
        let Self { file, text } = self;
        format!("if (!{internals}.trineUnmended?.includes({file:?})) {{\n{text}}}\n")
    }
}
