//! The check of a module before it runs: whether it parses, and whether it can have the requested function.

use crate::{
    error,
    literals::OBJECT,
    transpile::{Exporting, exporting},
};
use deno_runtime::deno_core::ModuleSpecifier;
use trine_engine::{APPLICATION_NAMES, Error, ErrorKind, Interface, Module, Presence, Result};

/// Checks a module. Nothing of it runs, and V8 is not started for it.
pub(crate) fn check(module: &Module) -> Result<Presence> {
    let path = &module.path;
    let unreadable = |why: String| {
        let message = format!("cannot read the file '{}': {why}", path.display());
        Error::new(ErrorKind::ImportModule, message)
    };
    let source = std::fs::read_to_string(path).map_err(|e| unreadable(e.to_string()))?;
    let url = ModuleSpecifier::from_file_path(path)
        .map_err(|()| unreadable("its path is not absolute".to_owned()))?;
    let found = exporting(&url, &source).map_err(|problem| error::syntax(&problem))?;
    if module.interface.is_some_and(Interface::is_web) {
        return Ok(Presence::Possible);
    }
    Ok(presence(&source, found, &module.wanted.names()))
}

/// Whether a module's text shows an export of the name that is sought, or may have one, where that name is none that
/// applications have.
pub(crate) fn names_handler(module: &Module) -> bool {
    let Ok(source) = std::fs::read_to_string(&module.path) else { return false };
    let Ok(url) = ModuleSpecifier::from_file_path(&module.path) else { return false };
    let Ok(found) = exporting(&url, &source) else { return false };
    let is_applications = |name: &str| {
        APPLICATION_NAMES.contains(&name) || matches!(name, "default" | "server" | "fetch")
    };
    let names = module.wanted.names().into_iter().filter(|name| !is_applications(name));
    found.commonjs
        || found.elsewhere
        || names.into_iter().any(|name| found.names.iter().any(|export| export == name))
}

/// Whether a module's text adds a listener for `fetch`, as workers of the older kind do.
pub(crate) fn listens_for_fetch(module: &Module) -> bool {
    std::fs::read_to_string(&module.path).is_ok_and(|source| adds_listener_for_fetch(&source))
}

fn adds_listener_for_fetch(source: &str) -> bool {
    let mut calls = source.split("addEventListener(").skip(1).map(str::trim_start);
    calls.any(|rest| ["'fetch'", "\"fetch\"", "`fetch`"].iter().any(|name| rest.starts_with(name)))
}

/// Whether a module may be an application without saying so in its exports: it starts a server, or another file of its own
/// does that it runs.
fn may_serve(source: &str, exports: &[String]) -> bool {
    let runs = |line: &str| {
        ["import './", "import \"./", "require('./", "require(\"./"]
            .iter()
            .any(|sign| line.trim_start().starts_with(sign))
    };
    ["listen", "serve", "createServer"].iter().any(|name| calls(source, name))
        || adds_listener_for_fetch(source)
        || exports.is_empty() && source.lines().any(runs)
}

/// Whether a function of this name is called anywhere.
fn calls(source: &str, name: &str) -> bool {
    let is_part = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '$');
    source.match_indices(name).any(|(at, _)| {
        source[at + name.len()..].starts_with('(') && !source[..at].ends_with(is_part)
    })
}

fn presence(source: &str, found: Exporting, names: &[&str]) -> Presence {
    let Exporting { names: mut exports, elsewhere, commonjs, mut values } = found;
    if source.contains("fetch") {
        // A handler may be an object that has it.
        values.retain(|(_, kind)| *kind != OBJECT);
    }
    // The default export may be the handler, or an object that has it.
    let is_plain = |name: &str| values.iter().any(|(known, kind)| known == name && *kind != OBJECT);
    let open = elsewhere || exports.iter().any(|name| name == "default" && !is_plain(name));
    // CommonJS may export names in any way that a program can think of, or be a function itself.
    let told = commonjs && {
        let known = values.iter().map(|(name, _)| name.as_str());
        let rest = known.fold(source.to_owned(), |rest, known| rest.replace(known, ""));
        names.iter().any(|name| rest.contains(name)) || is_a_value(source)
    };
    if names.is_empty() || open || told || may_serve(source, &exports) {
        return Presence::Possible;
    }
    if !names.contains(&"default") {
        exports.retain(|name| name != "default");
    }
    Presence::of_values(names, exports, &values)
}

/// Whether something other than an object literal becomes the exports of a CommonJS module.
fn is_a_value(source: &str) -> bool {
    source.match_indices("exports").any(|(at, word)| {
        let after = source[at + word.len()..].trim_start();
        let assigned = after.strip_prefix('=').filter(|value| !value.starts_with(['=', '>']));
        assigned.is_some_and(|value| {
            let value = value.trim_start();
            !value.starts_with('{')
                && !is_plain(value.split([';', '\n']).next().unwrap_or_default())
        })
    })
}

/// Whether an expression is a number, a string or a keyword that cannot be a function.
fn is_plain(expression: &str) -> bool {
    let expression = expression.trim();
    let quoted = |quote| {
        let inner = expression.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
        inner.is_some_and(|inner| !inner.contains([quote, '\\']))
    };
    matches!(expression, "true" | "false" | "null" | "undefined" | "[]")
        || expression.parse::<f64>().is_ok()
        || quoted('"')
        || quoted('\'')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(file: &str, source: &str) -> std::result::Result<Presence, String> {
        let url = ModuleSpecifier::parse(&format!("file:///task/{file}")).unwrap();
        exporting(&url, source).map(|found| presence(source, found, &["handler"]))
    }

    #[test]
    fn a_module_that_may_have_a_handler_is_possible() {
        for (file, source) in [
            ("a.mjs", "export const handler = () => 1;"),
            ("a.mjs", "export async function handler() {}"),
            ("a.mjs", "const run = make(); export { run as handler };"),
            ("a.mjs", "export const { handler, other } = make();"),
            ("a.mjs", "export * from './other.mjs';"),
            ("a.mjs", "export { handler } from './other.mjs';"),
            ("a.mjs", "export default () => 1;"),
            ("a.ts", "import type { A } from './a'; export const handler = (a: A): A => a;"),
            ("a.ts", "const handler = (): void => {}; export = { handler };"),
            ("a.js", "export const handler = () => 1;"),
            ("a.js", "exports.handler = () => 1;"),
            ("a.cjs", "module.exports = { handler() {} };"),
            ("a.cjs", "module.exports = require('./other');"),
            ("a.cjs", "module.exports = () => 1;"),
            ("a.cjs", "module . exports = make()"),
            ("a.cjs", "for (const name of ['handler']) exports[name] = () => 1;"),
            ("a.cjs", "#!/usr/bin/env node\nif (x) { return; }\nwith (x) exports.handler = 010;"),
            ("a.mjs", "export let handler = null; handler = () => 1;"),
            ("a.mjs", "export const handler = 5 || (() => 1);"),
            ("a.mjs", "export const handler = new Function('');"),
            ("a.mjs", "export const handler = null; export default () => 1;"),
            ("a.mjs", "export const handler = {}; export * from './other.mjs';"),
            ("a.mjs", "export default { handler() {} };"),
            ("a.cjs", "exports.handler = void 0; exports.handler = () => 1;"),
            ("a.cjs", "exports.handler = 5; Object.assign(exports, require('./other'));"),
            ("a.cjs", "module.exports = { handler: 5, ...require('./other') };"),
            ("a.cjs", "module.exports = 5 && make()"),
            ("a.cjs", "if (x) exports.handler = 5;"),
            ("a.mjs", "export const handler = { fetch() {} };"),
            ("a.mjs", "import './server.mjs';"),
            ("a.cjs", "require('./server');"),
            ("a.mjs", "import http from 'node:http'; http.createServer(serve).listen(80);"),
            ("a.cjs", "const app = require('express')(); app.listen(3000); exports.other = 1;"),
        ] {
            assert_eq!(of(file, source), Ok(Presence::Possible), "{file} {source}");
        }
    }

    #[test]
    fn a_module_that_cannot_have_one_is_told_with_its_exports() {
        for (file, source, others) in [
            ("a.mjs", "export const parse = 1; export function format() {}", "parse format"),
            ("a.mjs", "const handler = 1;", ""),
            ("a.ts", "export type handler = string; export enum Size { Small }", "Size"),
            ("a.cjs", "exports.parse = () => 1;", "parse"),
            ("a.ts", "import { App } from 'aws-cdk-lib'; const app = new App();", ""),
            (
                "a.mjs",
                "import { watch } from './watch.mjs'; export const observe = () => watch.observe(1);",
                "observe",
            ),
            ("a.js", "module.exports = { parse: 1, format };", "format parse"),
            ("a.cjs", "console.log('a')", ""),
        ] {
            let Ok(Presence::Absent { others: told }) = of(file, source) else {
                panic!("{file} {source}: {:?}", of(file, source))
            };
            assert_eq!(told.join(" "), others, "{source}");
        }
    }

    #[test]
    fn an_export_that_is_no_function_is_told_with_what_it_is() {
        for (file, source, kind) in [
            ("a.mjs", "export const handler = 5;", "a number"),
            ("a.mjs", "export const handler = 'x';", "a string"),
            ("a.mjs", "export const handler = `x`, other = () => 1;", "a string"),
            ("a.mjs", "export const handler = { get() {} };", "an object"),
            ("a.mjs", "export let handler = [];", "an array"),
            ("a.mjs", "const run = -1; export { run as handler };", "a number"),
            ("a.mjs", "export const handler = undefined;", "undefined"),
            ("a.ts", "export const handler: unknown = {} as const;", "an object"),
            ("a.ts", "export const handler = (true satisfies boolean)!;", "a boolean"),
            ("a.cjs", "exports.handler = 5", "a number"),
            ("a.cjs", "'use strict'; module.exports.handler = {};", "an object"),
            ("a.cjs", "module.exports = { handler: null, other() {} };", "null"),
            ("a.js", "exports.handler = /x/;", "an object"),
        ] {
            let expected = Presence::NoFunction { name: "handler".into(), kind: kind.into() };
            assert_eq!(of(file, source), Ok(expected), "{file} {source}");
        }
        for (file, source) in [
            ("a.cjs", "module.exports = 5"),
            ("a.cjs", "module.exports = 'x';"),
            ("a.mjs", "export default 5;"),
            ("a.mjs", "export default null;"),
        ] {
            let expected = Presence::Absent { others: Vec::new() };
            assert_eq!(of(file, source), Ok(expected), "{file} {source}");
        }
    }

    #[test]
    fn what_does_not_parse_is_told_with_its_place() {
        let why = of("a.mjs", "export const a = 1;\nexport const handler = = 2;").unwrap_err();
        assert!(why.ends_with(" at file:///task/a.mjs:2:24"), "{why}");
    }
}
