//! What is found without a parser is what the parser finds.

use super::exports_of;
use crate::transpile::Parser;
use deno_media_type::MediaType;
use deno_resolver::cjs::analyzer::ModuleExportAnalyzer as _;
use deno_runtime::deno_core::ModuleSpecifier;

#[track_caller]
fn assert_found(source: &str, names: &[&str], others: &[&str]) {
    let found = exports_of(source).expect("it takes no parser");
    assert_eq!(found.exports, names, "{source}");
    assert_eq!(found.reexports, others, "{source}");
    let url = ModuleSpecifier::parse("file:///module.cjs").expect("a constant URL parses");
    let parsed = Parser.parse_module(url, MediaType::Cjs, source.into()).expect("it parses");
    assert!(parsed.compute_is_script(), "{source}");
    assert_eq!(found, parsed.analyze_cjs(), "{source}");
}

#[test]
fn members_are_exported_one_by_one() {
    assert_found("exports.a = 1; module.exports.b = exports['c-d'] = 2;", &["a", "b", "c-d"], &[]);
    assert_found("exports.A = (exports.B = (exports.C = {}));", &["A", "B", "C"], &[]);
    assert_found("#!/usr/bin/env node\nexports.default = () => `${exports.x}`;", &["default"], &[]);
    assert_found("if (exports.a === 1 || exports.b >= 2) { exports.c += 1; }", &[], &[]);
    assert_found("my.exports.a = 1; this.module.exports.b = 2; var exports = { c: 1 };", &[], &[]);
    assert_found("var { a } = exports; exports\n  .b\n  = function () {};", &["b"], &[]);
    assert_found(
        "exports.a = 1 / 2; exports.b = 'x'.length / 1; // exports.c = 1",
        &["a", "b"],
        &[],
    );
}

#[test]
fn what_only_looks_like_an_export_is_none() {
    assert_found("const text = \"exports.a = 1\"; /* exports.b = 2 */", &[], &[]);
    assert_found("const text = 'it\\'s exports.a = 1';", &[], &[]);
    assert_found("const pattern = /[/\"]exports.a = 1/u; exports.b = 1;", &["b"], &[]);
    assert_found("if (x) /'/.test(y); exports.b = 1;", &["b"], &[]);
    assert_found("const text = `exports.a = ${`${exports.b = 1}`} exports.c = 1`;", &["b"], &[]);
    assert_found(
        "const half = (1 + 1) / 2, other = list[0] / 'a'.length; exports.a = 1;",
        &["a"],
        &[],
    );
}

#[test]
fn objects_are_exported_as_a_whole() {
    let object = "module.exports = { a, b: { c: 1 }, 'd': [1, { e: 2 }], f() { return { g: 1 } },
        async h() {}, get i() { return inner.i; }, get j() { return make(); }, [k]: 1,
        ...require('./l'), ...other, m: (x, y) => ({ z: 1 }), default: n };";
    let names = ["a", "b", "d", "default", "f", "h", "i", "m"];
    assert_found(object, &names, &["./l"]);
    assert_found("0 && (module.exports = { a, b, c });", &["a", "b", "c"], &[]);
    assert_found("module.exports = exports.default = Foo;", &["default"], &[]);
    assert_found("exports = module.exports = { a };", &["a"], &[]);
    assert_found("module.exports = Foo.bar = { a };", &["a"], &[]);
    assert_found(
        "module.exports = class A {}; module.exports = Foo; module.exports = [];",
        &[],
        &[],
    );
}

#[test]
fn other_modules_are_exported() {
    assert_found("module.exports = require('./a');", &[], &["./a"]);
    assert_found("exports.a = 1; module.exports = require('./b')\nfoo()", &["a"], &["./b"]);
    assert_found(
        "module.exports = require('./a'); module.exports = require(\"./b\");",
        &[],
        &["./b"],
    );
    assert_found("__exportStar(require('a'), exports); __export(require('b'));", &[], &["a", "b"]);
    assert_found("tslib_1.__exportStar(require('a'), exports);", &[], &["a"]);
    assert_found("(0, tslib_1.__exportStar)(require('a'), exports);", &[], &["a"]);
    assert_found("var a_1 = require('a'); __export(a_1);", &[], &["a"]);
    assert_found(
        "function __export(m) { for (var p in m) if (!exports.hasOwnProperty(p)) exports[p] = m[p]; }
         __export(require('./a'));",
        &[],
        &["./a"],
    );
    assert_found(
        "var _a = _interopRequireWildcard(require('a'));
         Object.keys(_a).forEach(function (key) {
           if (key === 'default' || key === '__esModule') return;
           Object.defineProperty(exports, key, { enumerable: true, get: function () { return _a[key]; } });
         });",
        &[],
        &["a"],
    );
    assert_found(
        "const a = require('a'); Object.keys(a).forEach((k) => { exports[k] = a[k]; });",
        &[],
        &["a"],
    );
}

#[test]
fn definitions_count_where_their_getters_only_name_a_value() {
    assert_found(
        "Object.defineProperty(exports, '__esModule', { value: true });",
        &["__esModule"],
        &[],
    );
    assert_found(
        "Object.defineProperty(module.exports, 'a', { enumerable: true, get: function () { return b_1.a; } });
         Object.defineProperty(exports, 'b', { get: function get() { return b_1['b'] } });
         Object.defineProperty(exports, 'c', { get() { return c; }, enumerable: false });
         Object.defineProperty(exports, 'd', { enumerable: true, get: () => inner.d });
         Object.defineProperty(exports, 'e', { get: () => make() });
         Object.defineProperty(exports, 'f', { get: function () { return make(); } });
         Object.defineProperty(exports, 'g', { get: function () { make(); return g; } });
         Object.defineProperty(exports, 'h', descriptor);
         Object.defineProperty(other, 'i', { value: 1 });",
        &["a", "b", "c", "d"],
        &[],
    );
    assert_found(
        "exports.a = 1; Object.defineProperty(exports, 'a', { get: function () { return make(); } });",
        &[],
        &[],
    );
}

#[test]
fn a_parser_is_asked_about_what_is_unusual() {
    for source in [
        "import a from 'a'; exports.b = a;",
        "export const a = 1;",
        "console.log(import.meta.url);",
        "await work();",
        "module['exports'] = { a: 1 };",
        "exports = { a };",
        "module.exports = require('a').b;",
        "module.exports = require('a') || {};",
        "exports['\\x61'] = 1;",
        "\\u0065xports.a = 1;",
        "function f() {} /exports.a = 1/.test(x)",
        "x++ / exports.a; y / 2",
        "exports.a = 'no end",
        "exports.a = `no end ${",
        "module.exports = { set a(value) {} };",
        "exports.a = (1;",
    ] {
        assert!(exports_of(source).is_none(), "{source}");
    }
}
