//! The flavour of a function, for Node or for Deno, and the curtain in front of what Node lacks.
//!
//! Node's modules are built on Deno's namespace here, which they look up in the global scope each time. So it cannot be
//! taken away from a function that is written for Node; but it can be hidden from it. Hidden members lie in an object
//! of ours, and an object with an interceptor stands among the prototypes of the global one: it shows them to the
//! runtime's own code, and to nobody else.

use deno_runtime::deno_core::v8;
use std::{io::Read as _, path::Path};
use trine_engine::{Error, ErrorKind, Module, Result};

/// The variable that sets the flavour.
const VARIABLE: &str = "TRINE_FLAVOUR";
/// The name of the file that tools for Deno bundle a function into.
const BUNDLE: &str = "function.bundle.js";
/// Number of bytes up to which sources are searched: longer ones are bundles, whose packages test in their own ways.
const LIMIT: u64 = 1 << 18;

/// The runtime that a function is written for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Flavour {
    /// Node: its globals and conditions.
    #[default]
    Node,
    /// Deno: its namespace, and the Web's globals as Deno has them.
    Deno,
}

impl Flavour {
    /// Returns the flavour of a module that is loaded from outside.
    ///
    /// # Errors
    /// Where the variable names no flavour.
    pub(crate) fn of(module: &Module) -> Result<Self> {
        match std::env::var(VARIABLE).ok().as_deref() {
            None | Some("") => {}
            Some("node") => return Ok(Self::Node),
            Some("deno") => return Ok(Self::Deno),
            Some(other) => {
                let message = format!("{VARIABLE} is '{other}'; it may be 'node' or 'deno'");
                return Err(Error::new(ErrorKind::Unsupported, message));
            }
        }
        let is_deno = is_in_a_project_of_denos(&module.path, &module.root)
            || source(&module.path).is_some_and(|source| speaks_to_deno(&source));
        Ok(if is_deno { Self::Deno } else { Self::Node })
    }
}

/// Whether a file is a bundle for Deno, or lies beside one, or below Deno's settings.
fn is_in_a_project_of_denos(path: &Path, root: &Path) -> bool {
    let beside = path.parent().unwrap_or(root);
    let inside = path.ancestors().skip(1).take_while(|folder| folder.starts_with(root));
    beside.join(BUNDLE).is_file()
        || inside
            .flat_map(|folder| ["deno.json", "deno.jsonc"].map(|name| folder.join(name)))
            .any(|file| file.is_file())
}

fn source(path: &Path) -> Option<String> {
    let mut source = String::new();
    let file = std::fs::File::open(path).ok()?;
    let length = file.metadata().ok()?.len();
    (length <= LIMIT).then(|| file.take(LIMIT).read_to_string(&mut source).ok())??;
    Some(source)
}

/// Whether a source uses Deno's namespace without first testing for it, or imports what only Deno can.
fn speaks_to_deno(source: &str) -> bool {
    let shebang = source.lines().next().is_some_and(|line| {
        line.starts_with("#!") && line.split(['/', ' ']).any(|word| word == "deno")
    });
    shebang || uses_deno(source) || imports_for_deno(source)
}

fn uses_deno(source: &str) -> bool {
    let asks = ["\"Deno\"", "'Deno'", "globalThis.Deno", "Deno?."];
    let mut types = source.match_indices("typeof Deno");
    let asks_for_type = types.any(|(at, asked)| !source[at + asked.len()..].starts_with('.'));
    let mut places = source.match_indices("Deno.");
    let names_it = places.any(|(at, _)| {
        let before = source[..at].chars().next_back();
        !before.is_some_and(|before| before.is_alphanumeric() || "_$.\"'`/".contains(before))
            && source[at + 5..].starts_with(|next: char| next.is_ascii_alphabetic())
            && !is_commented(source, at)
    });
    names_it && !asks_for_type && !asks.iter().any(|ask| source.contains(ask))
}

/// Whether a position is behind the beginning of a comment in its line.
fn is_commented(source: &str, at: usize) -> bool {
    let line = &source[source[..at].rfind('\n').map_or(0, |end| end + 1)..at];
    line.contains("//") || line.trim_start().starts_with(['*']) || line.contains("/*")
}

fn imports_for_deno(source: &str) -> bool {
    ["jsr:", "npm:", "https:", "http:"].iter().any(|scheme| {
        source.match_indices(scheme).any(|(at, _)| {
            let before = source[..at].strip_suffix(['"', '\'']);
            let before = before.map(|before| before.trim_end().trim_end_matches('('));
            before.is_some_and(|before| {
                let before = before.trim_end();
                ["from", "import"].iter().any(|word| {
                    before.strip_suffix(word).is_some_and(|rest| {
                        !rest.ends_with(|last: char| last.is_alphanumeric() || "_$.".contains(last))
                    })
                }) && !is_commented(source, at)
            })
        })
    })
}

/// Implements `curtain(hidden)`: an object for the prototypes of the global one, which shows the members of `hidden` to
/// the runtime's own code. To others, members further up those prototypes do not exist either.
pub(crate) fn curtain(
    scope: &mut v8::PinScope<'_, '_>,
    args: v8::FunctionCallbackArguments<'_>,
    mut result: v8::ReturnValue<'_, v8::Value>,
) {
    let template = v8::ObjectTemplate::new(scope);
    template.set_named_property_handler(
        v8::NamedPropertyHandlerConfiguration::new()
            .getter(look)
            .query(is_there)
            .data(args.get(0))
            .flags(
                v8::PropertyHandlerFlags::ONLY_INTERCEPT_STRINGS
                    | v8::PropertyHandlerFlags::HAS_NO_SIDE_EFFECT,
            ),
    );
    if let Some(curtain) = template.new_instance(scope) {
        result.set(curtain.into());
    }
}

fn look<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    key: v8::Local<'s, v8::Name>,
    args: v8::PropertyCallbackArguments<'s>,
    mut result: v8::ReturnValue<'_, v8::Value>,
) -> v8::Intercepted {
    let Some(hidden) = hidden(scope, key, &args) else { return v8::Intercepted::kNo };
    if is_own_code(scope) {
        if let Some(value) = hidden.get(scope, key.into()) {
            result.set(value);
        }
        return v8::Intercepted::kYes;
    }
    let above = hidden.get_prototype(scope).and_then(|above| above.to_object(scope));
    match above.and_then(|above| above.has(scope, key.into())) {
        Some(true) => {
            result.set_undefined();
            v8::Intercepted::kYes
        }
        _ => v8::Intercepted::kNo,
    }
}

fn is_there<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    key: v8::Local<'s, v8::Name>,
    args: v8::PropertyCallbackArguments<'s>,
    mut result: v8::ReturnValue<'_, v8::Integer>,
) -> v8::Intercepted {
    if hidden(scope, key, &args).is_none() || !is_own_code(scope) {
        return v8::Intercepted::kNo;
    }
    result.set_int32(0);
    v8::Intercepted::kYes
}

/// Returns the object with the hidden members, if it has one of this name.
fn hidden<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    key: v8::Local<'s, v8::Name>,
    args: &v8::PropertyCallbackArguments<'s>,
) -> Option<v8::Local<'s, v8::Object>> {
    let hidden: v8::Local<'_, v8::Object> = args.data().try_into().ok()?;
    hidden.has_own_property(scope, key)?.then_some(hidden)
}

/// Whether the running code is the runtime's own, or there is none.
fn is_own_code(scope: &mut v8::PinScope<'_, '_>) -> bool {
    v8::StackTrace::current_script_name_or_source_url(scope).is_none_or(|name| {
        let name = name.to_rust_string_lossy(scope);
        name.starts_with("ext:") || name.starts_with("node:")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_uses_denos_namespace_as_a_matter_of_course_is_written_for_it() {
        for source in [
            "export const handler = () => Deno.readTextFile('a');",
            "Deno.serve(() => new Response());",
            "#!/usr/bin/env -S deno run\nconsole.log(1)",
            "import { join } from \"jsr:@std/path\";",
            "import chalk from 'npm:chalk@5';",
            "const a = await import('https://deno.land/x/a.ts');",
            "import 'https://deno.land/x/a.ts';",
            "export * from \"npm:zod\";",
            "return [Deno.pid, process.pid];",
            "deno: typeof Deno.version.deno === 'string',",
        ] {
            assert!(speaks_to_deno(source), "{source}");
        }
        for source in [
            "export const handler = () => typeof Deno;",
            "const isDeno = typeof Deno !== 'undefined'; if (isDeno) Deno.exit(1);",
            "if ('Deno' in globalThis) Deno.exit(1);",
            "globalThis.Deno?.exit(1);",
            "const version = Deno?.version; Deno.version;",
            "// Deno.exit(1)\nprocess.exit(1);",
            "/**\n * Deno.exit(1)\n */",
            "my.Deno.exit(1); isDeno.a; $Deno.b;",
            "console.log('Deno. Or Node.'); console.log('see Deno.')",
            "fetch('https://example.com'); const from = 'https://example.com';",
            "x.from('https://example.com');",
            "// import a from 'npm:a';",
            "const a = { type: 'npm:a' }; say('import npm:a');",
        ] {
            assert!(!speaks_to_deno(source), "{source}");
        }
    }
}
