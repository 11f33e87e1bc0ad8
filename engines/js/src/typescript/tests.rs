//! Tests of the JavaScript made of TypeScript, where the text says more than a run.

use super::*;

/// Returns the JavaScript of a text, and whether it is CommonJS.
fn javascript(name: &str, source: &str, config: &Config, format: Format) -> (String, bool) {
    let url = ModuleSpecifier::parse(&format!("file:///app/{name}")).expect("a URL");
    let made = transpile(&url, source, config, format, &|_, _| false)
        .unwrap_or_else(|error| panic!("{error}"));
    (made.text, made.is_commonjs)
}

fn is_commonjs(name: &str, source: &str, format: Format) -> bool {
    javascript(name, source, &Config::default(), format).1
}

#[test]
fn a_file_is_what_its_syntax_says_where_nothing_else_does() {
    for (source, expected) in [
        ("export const a = 1;", false),
        ("import { a } from './a'; a();", false),
        ("exports.a = 1;", true),
        ("const a: number = 1;", true),
        ("await 1;", false),
        ("for await (const a of []) { a(); }", false),
        ("async () => { await 1; }", true),
        ("import a = require('a'); export const b = a;", true),
        ("export = 1;", true),
        ("export const a = __dirname;", true),
        ("export const a = { __dirname: 1 }.__dirname;", false),
        ("export const a = (require: () => void) => require();", false),
        ("declare const require: (name: string) => unknown; export const a = require('a');", true),
        ("export const a = [import.meta.url, require('a')];", false),
        ("import type { A } from './a'; exports.handler = () => {};", true),
    ] {
        assert_eq!(is_commonjs("a.ts", source, Format::Detect), expected, "{source}");
    }
}

#[test]
fn a_package_that_says_commonjs_is_believed_unless_only_a_module_can_be_meant() {
    assert!(is_commonjs("a.ts", "export const a = 1;", Format::PreferCommonJs));
    assert!(!is_commonjs("a.ts", "export const a = await 1;", Format::PreferCommonJs));
    assert!(is_commonjs("a.cts", "export const a = 1;", Format::CommonJs));
    assert!(!is_commonjs("a.ts", "exports.a = 1;", Format::Module));
}

#[test]
fn commonjs_keeps_live_exports_and_plain_scripts() {
    let config = Config::default();
    let (code, _) = javascript(
        "a.cts",
        "import a, { b as c } from 'a'; import * as d from 'd'; import 'e';\n\
         export { c, a as default }; export { f as 'g-h' } from 'f'; export * as i from 'i';\n\
         export * from 'j'; c(d, { c }); export let k = 1; export default class {}",
        &config,
        Format::CommonJs,
    );
    for part in ["\"c\": ()=>_m0.b", "(0, _m0.b)(_n1, {", "c: _m0.b", "\"g-h\": ()=>_m3.f"] {
        assert!(code.contains(part), "{part} is not in {code}");
    }
    assert!(
        code.contains("require(\"e\")") && code.contains("__exportStar(_m5, exports)"),
        "{code}"
    );
    let (plain, _) = javascript("b.cts", "exports.a = 1 as number;", &config, Format::CommonJs);
    assert_eq!(plain.trim(), "exports.a = 1;");
}

#[test]
fn names_that_are_added_give_way_to_those_of_the_file() {
    let source = "import a from 'a'; const _m0 = 1, _default = 2, Object = 3; export { _m0, a, Object, _default };";
    let (code, _) = javascript("a.cts", source, &Config::default(), Format::CommonJs);
    assert!(code.matches("Object.defineProperty").count() >= 1, "{code}");
    let declared = ["const _m0 = 1", "_default = 2", "Object = 3"];
    assert!(!declared.iter().all(|part| code.contains(part)), "{code}");
}

#[test]
fn what_only_the_checker_minds_passes() {
    for source in [
        "class A { constructor(private a?: string, b: string) { void a; void b; } }",
        "function f(a?: number, b: number) {}",
        "abstract class A { abstract a(): void; }",
        "let a: string = 1; a = null!;",
        "class A { override b() {} }",
        "interface A extends Nothing { a: Missing }",
    ] {
        let _ = javascript("a.ts", source, &Config::default(), Format::Detect);
    }
    let url = ModuleSpecifier::parse("file:///app/a.ts").expect("a URL");
    let failed =
        transpile(&url, "\nconst a = ;\n", &Config::default(), Format::Detect, &|_, _| false);
    let message = failed.map(|made| made.text).expect_err("it does not parse").to_string();
    assert!(message.ends_with(" at file:///app/a.ts:2:11"), "{message}");
}
