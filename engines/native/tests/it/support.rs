//! Compilers for libraries, and a guest that consists of them.

use std::{
    env,
    ops::Deref,
    path::{Path, PathBuf},
    process::Command,
    rc::Rc,
};
use trine_engine::{
    Environment, Error, FunctionId, FunctionInfo, Invocation, Module, Payload, Result, Wanted,
};
use trine_native::NativeEngine;
use trine_testkit::guest;

pub(crate) use trine_testkit::guest::run;

/// The beginning of every library in C: what it needs, and an answer that is a copy of a text.
const PRELUDE: &str = r#"
#include "trine_handler.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#define PARAMETERS const uint8_t *event, size_t event_len, const uint8_t *context, size_t context_len, \
                   uint8_t **out, size_t *out_len
#define UNUSED (void)event, (void)event_len, (void)context, (void)context_len, (void)out, (void)out_len
static inline int32_t give(const char *text, uint8_t **out, size_t *out_len, int32_t status) {
    *out_len = strlen(text);
    *out = malloc(*out_len + 1);
    memcpy(*out, text, *out_len);
    return status;
}
"#;

/// The end of most libraries.
pub(crate) const FREE: &str =
    "void trine_free(uint8_t *out, size_t out_len) { (void)out_len; free(out); }\n";

pub(crate) fn include() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("include")
}

/// Runs a command, which must succeed.
pub(crate) fn succeed(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {told}");
}

/// Compiles C to a library.
pub(crate) fn compile(library: &Path, source: &str) {
    let file = library.with_extension("c");
    std::fs::write(&file, format!("{PRELUDE}{source}")).unwrap();
    let mut command = Command::new(env::var_os("CC").unwrap_or_else(|| "cc".into()));
    command.args(["-std=gnu99", "-O1", "-shared", "-fPIC", "-fvisibility=hidden", "-pthread"]);
    command.arg("-I").arg(include()).arg("-o").arg(library).arg(&file);
    succeed(&mut command);
}

/// A guest that consists of libraries.
pub(crate) struct Guest(pub(crate) guest::Guest);

impl Deref for Guest {
    type Target = guest::Guest;

    fn deref(&self) -> &guest::Guest {
        &self.0
    }
}

impl Guest {
    /// Makes a guest without libraries.
    pub(crate) fn empty() -> Self {
        Self::within(|_| ())
    }

    /// Makes a guest in an environment that `change` adapts.
    pub(crate) fn within(change: impl FnOnce(&mut Environment)) -> Self {
        Self(guest::Guest::start(&NativeEngine::new(), &[], |environment, _| {
            environment.function = FunctionInfo {
                name: Some("shop".into()),
                memory_mb: Some("128".into()),
                ..FunctionInfo::default()
            };
            change(environment);
        }))
    }

    /// Makes a guest of one library in C, `app.so`.
    pub(crate) fn new(source: &str) -> Self {
        let guest = Self::empty();
        guest.compile("app.so", source);
        guest
    }

    /// Makes a guest whose `trine_handle` has this body.
    pub(crate) fn handling(body: &str) -> Self {
        Self::new(&handler(body))
    }

    pub(crate) fn compile(&self, library: &str, source: &str) {
        compile(&self.folder.join(library), source);
    }

    pub(crate) fn handler(&self, library: &str, name: &str) -> Module {
        let wanted = match name {
            "" => Wanted::Unnamed,
            name => Wanted::Handler(name.to_owned()),
        };
        self.0.module(library, wanted)
    }

    pub(crate) async fn load(&self, library: &str, name: &str) -> Result<FunctionId> {
        let exports = self.instance.load(&self.handler(library, name)).await?;
        assert_eq!(exports.functions.len(), 1);
        Ok(exports.functions[0].1)
    }

    pub(crate) async fn answer(&self, name: &str, event: &str) -> Result<String> {
        let function = self.load("app.so", name).await?;
        self.0.call(function, event, &invocation("id-1")).await
    }

    /// Loads and calls `trine_handle` of `app.so`.
    pub(crate) fn handle(&self, event: &str) -> Result<String> {
        run(self.answer("handler", event))
    }

    /// Returns the error of loading or calling `trine_handle` of `app.so`.
    pub(crate) fn fault(&self) -> Error {
        self.handle("1").expect_err("the handler fails")
    }
}

/// Returns a library whose `trine_handle` has this body.
pub(crate) fn handler(body: &str) -> String {
    format!("int32_t trine_handle(PARAMETERS) {{ UNUSED; {body} }}\n{FREE}")
}

pub(crate) fn invocation(id: &str) -> Rc<Invocation> {
    guest::invocation(id).into()
}

pub(crate) fn bytes(payload: Payload) -> (Vec<u8>, &'static str) {
    let (bytes, content_type) = payload.into_bytes().unwrap();
    (bytes.to_vec(), content_type)
}

/// Whether a tool can be run; prints why not.
pub(crate) fn has(tool: &str, argument: &str) -> bool {
    let is_there = Command::new(tool).arg(argument).output().is_ok_and(|o| o.status.success());
    if !is_there {
        // Tests may print what they leave out.
        #[allow(clippy::print_stderr, reason = "it tells why a test does nothing")]
        {
            eprintln!("left out: there is no {tool} here");
        }
    }
    is_there
}
