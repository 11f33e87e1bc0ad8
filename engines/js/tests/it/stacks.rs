//! The places that errors report: source maps, syntax errors, and parts of the runtime that users must not see.

use crate::support::{Guest, run};
use trine_engine::{ErrorKind, Wanted};

fn handler() -> Wanted {
    Wanted::Handler("handler".to_owned())
}

/// A bundle that fails in line 3 at column 9. Its map maps that to line 13 of `../src/price.ts`, column 11.
const BUNDLE: &str = "\
function priceOf(item) {
  if (item === undefined)
  throw new Error('no item');
}
";
const MAPPINGS: &str = ";;EAYI,MAAM";

fn map(more: &str) -> String {
    format!(r#"{{"version":3,"sources":["../src/price.ts"],"mappings":"{MAPPINGS}"{more}}}"#)
}

/// Makes a `data:` URL without base64.
fn inline(map: &str) -> String {
    let plain: String = map
        .bytes()
        .map(|byte| match byte {
            b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect();
    format!("data:application/json,{plain}")
}

/// The map `{"version":3,"sources":["../src/price.ts"],"mappings":";;EAYI,MAAM"}`.
const BASE64: &str = "data:application/json;charset=utf-8;base64,\
    eyJ2ZXJzaW9uIjozLCJzb3VyY2VzIjpbIi4uL3NyYy9wcmljZS50cyJdLCJtYXBwaW5ncyI6Ijs7RUFZSSxNQUFNIn0=";

/// A module that turns source maps on when the event says so, and returns the first frame of the bundle's error.
const ASK: &str = "
import { priceOf } from './dist/mod.mjs';
export const handler = (maps) => {
    process.setSourceMapsEnabled(maps);
    try {
        priceOf();
    } catch (error) {
        return [process.sourceMapsEnabled, error.stack.split('\\n')[1]];
    }
};";

/// Returns the first frame where source maps do not count, and where they do; the folder is left out.
fn frames(comment: &str, files: &[(&str, &str)]) -> [String; 2] {
    let bundle = format!("{BUNDLE}export {{ priceOf }};\n{comment}");
    let files = [&[("app.mjs", ASK), ("dist/mod.mjs", bundle.as_str())], files].concat();
    run(async {
        let guest = Guest::with(&files, None);
        let function = guest.handler().await;
        let mut frames = [String::new(), String::new()];
        for (frame, event) in frames.iter_mut().zip(["false", "true"]) {
            let answer = guest.call(function, event).await.unwrap();
            let (enabled, line) = serde_json::from_str::<(bool, String)>(&answer).unwrap();
            assert_eq!(enabled.to_string(), event);
            let folder = format!("{}/", guest.folder.display());
            *frame = line.replace(&folder, "").trim_start().to_owned();
        }
        frames
    })
}

#[test]
fn source_maps_count_when_they_are_asked_for() {
    let plain = "at priceOf (file://dist/mod.mjs:3:9)";
    let mapped = "at priceOf (src/price.ts:13:11)";
    let sections = r#"{"version":3,"sections":[{"offset":{"line":2,"column":0},
        "map":{"version":3,"sources":["../src/price.ts"],"mappings":"EAYI,MAAM"}}]}"#;
    let external = "//# sourceMappingURL=mod.mjs.map";
    for (comment, file) in [
        (format!("//# sourceMappingURL={}", inline(&map(""))), String::new()),
        (format!("//# sourceMappingURL={BASE64}\n"), String::new()),
        (external.to_owned(), map("")),
        (external.to_owned(), map(r#","sourceRoot":"""#)),
        (external.to_owned(), sections.to_owned()),
        (external.to_owned(), format!(")]}}'\n{}", map(""))),
    ] {
        let found = frames(&comment, &[("dist/mod.mjs.map", &file)]);
        assert_eq!(found, [plain, mapped], "{comment} {file}");
    }
    let elsewhere = map(r#","sourceRoot":"/elsewhere/x""#);
    let found = frames(external, &[("dist/mod.mjs.map", &elsewhere)]);
    assert_eq!(found, [plain, "at priceOf (/elsewhere/src/price.ts:13:11)"]);
    let named =
        map("").replace("EAYI,MAAM", "EAYIA,MAAM").replace("../src", "webpack://shop/./src");
    let named = named.replace(r#""mappings""#, r#""names":["realName"],"mappings""#);
    let found =
        frames("//# sourceMappingURL=maps/of%20mod.json", &[("dist/maps/of mod.json", &named)]);
    assert_eq!(found, [plain, "at priceOf (webpack://shop/src/price.ts:13:11)"]);
}

#[test]
fn a_map_that_is_missing_or_broken_does_no_harm() {
    let plain = "at priceOf (file://dist/mod.mjs:3:9)";
    for comment in [
        "//# sourceMappingURL=gone.map",
        "//# sourceMappingURL=broken.map",
        "//# sourceMappingURL=.",
        "//# sourceMappingURL=https://example.com/a.map",
        "//# sourceMappingURL=data:application/json;base64,!!!",
        "//# sourceMappingURL=data:",
        "//# sourceMappingURL=http://[",
        "//# sourceMappingURL=",
        "const text = 'sourceMappingURL=broken.map';",
    ] {
        let found = frames(comment, &[("dist/broken.map", "{\"version\":3,\"mappings\":\"AAAA")]);
        assert_eq!(found, [plain, plain], "{comment}");
    }
}

#[test]
fn a_map_names_functions_that_were_made_short() {
    // The function begins at column 12, and the error that it throws is made from column 25 on.
    let bundle = "exports.o=o;function o(){throw new Error('x')}\n//# sourceMappingURL=min.cjs.map";
    let map = r#"{"version":3,"sources":["price.ts"],"names":["priceOf"],"mappings":"YAEAA,aAAC"}"#;
    let ask = "const { o } = require('./min.cjs');
        exports.handler = () => {
            process.setSourceMapsEnabled(true);
            try { o(); } catch (error) { return error.stack.split('\\n')[1].trim(); }
        };";
    run(async {
        let files = [("app.cjs", ask), ("min.cjs", bundle), ("min.cjs.map", map)];
        let guest = Guest::with(&files, None);
        let exports = guest.load("app.cjs", handler()).await.unwrap();
        let line = guest.call(exports.functions[0].1, "null").await.unwrap();
        let place = guest.folder.join("price.ts:3:2");
        assert_eq!(line, format!("\"at priceOf ({})\"", place.display()));
    });
}

#[test]
fn a_hook_that_compiles_brings_its_map_in_the_text() {
    let hook = "
        process.setSourceMapsEnabled(true);
        require.extensions['.js'] = (module, path) => {
            const map = { version: 3, sources: ['made.coffee'], mappings: 'AAUA' };
            const inline = Buffer.from(JSON.stringify(map)).toString('base64');
            const text = `exports.fail = () => { throw new Error('x') };`;
            module._compile(`${text}\\n//# sourceMappingURL=data:application/json;base64,${inline}`, path);
        };
        const { fail } = require('./made.js');
        exports.handler = fail;";
    run(async {
        let guest = Guest::with(&[("app.cjs", hook), ("made.js", "no JavaScript")], None);
        let exports = guest.load("app.cjs", handler()).await.unwrap();
        let error = guest.call(exports.functions[0].1, "null").await.unwrap_err();
        let frame = &error.frames()[0];
        assert_eq!(
            (frame.file.as_str(), frame.line),
            (&*guest.folder.join("made.coffee").to_string_lossy(), 11)
        );
    });
}

#[test]
fn a_syntax_error_has_its_own_place_only() {
    let files = [
        ("one.cjs", "exports.handler = () => {\n  return 1 * ;\n};\n"),
        ("two.mjs", "export const x = {{;\nexport const handler = () => 1;\n"),
        ("three.cjs", "require('./lib.cjs');\n"),
        ("lib.cjs", "\n\nlet = ;\n"),
        ("four.ts", "export const handler = (a: ) => 1;\n"),
    ];
    run(async {
        let guest = Guest::with(&files, None);
        // Each of them after each of the others.
        for _ in 0..2 {
            for (file, place) in [
                ("one.cjs", "one.cjs:2:14"),
                ("two.mjs", "two.mjs:1:19"),
                ("three.cjs", "lib.cjs:3:7"),
                ("four.ts", "four.ts:1:28"),
            ] {
                let error = guest.load(file, handler()).await.expect_err("it does not parse");
                assert_eq!(error.kind(), ErrorKind::UserCodeSyntax);
                let stack = error.stack();
                assert!(stack[1].ends_with(place), "{place}: {error:#}");
                let places = stack.iter().filter(|line| line.contains("    at "));
                let others = places.skip(1).filter(|line| !line.contains("three.cjs"));
                assert_eq!(others.count(), 0, "{error:#}");
            }
        }
    });
}

#[test]
fn commonjs_that_an_es_module_imports_is_told_by_its_path_and_without_what_imports_it() {
    let files = [
        ("app.mjs", "import { fail } from './lib.cjs';\nexport const handler = () => fail();\n"),
        ("lib.cjs", "exports.fail = () => {\n  throw new Error('x');\n};\n"),
        ("loads.mjs", "import './throws.cjs';\nexport const handler = () => 1;\n"),
        ("throws.cjs", "\nthrow new Error('at once');\n"),
    ];
    run(async {
        let guest = Guest::with(&files, None);
        let folder = guest.folder.display();
        let error = guest.fails("null").await;
        let expected = [
            "Error: x".to_owned(),
            format!("    at exports.fail ({folder}/lib.cjs:2:9)"),
            format!("    at Runtime.handler (file://{folder}/app.mjs:2:30)"),
        ];
        assert_eq!(error.stack(), expected);
        let error = guest.load("loads.mjs", handler()).await.unwrap_err();
        let expected = [
            "Error: at once".to_owned(),
            format!("    at Object.<anonymous> ({folder}/throws.cjs:2:7)"),
        ];
        assert_eq!(error.stack(), expected);
    });
}

#[test]
fn what_prepares_stacks_may_fail_or_give_anything() {
    let source = "
        const tried = (prepare, make = () => new Error('x')) => {
            Error.prepareStackTrace = prepare;
            try {
                return make().stack;
            } catch (error) {
                return `thrown: ${error.message}`;
            } finally {
                Error.prepareStackTrace = undefined;
            }
        };
        const odd = Object.defineProperty(new Error('y'), 'message', { get() { throw new Error('no message') } });
        export const handler = () => [
            tried(() => { throw new TypeError('mine') }),
            tried((error, sites) => sites.length > 0),
            tried('no function').split('\\n')[0],
            tried(undefined, () => odd).split('\\n')[0],
            tried((error, sites) => sites.every((site) => !/ext:|node:/.test(String(site)))),
        ];";
    run(async {
        let guest = Guest::new(source);
        let answer = guest.handle("null").await.unwrap();
        assert_eq!(answer, r#"["thrown: mine",true,"Error: x","Error",true]"#);
    });
}

/// Agents of `agent-base` look for it, to know the protocol.
#[test]
fn what_https_calls_back_sees_it_in_the_stack_as_in_node() {
    let source = "
        import http from 'node:http';
        import https from 'node:https';
        const seen = [];
        class Asked extends http.Agent {
            get protocol() {
                const lines = new Error().stack.split('\\n');
                Error.prepareStackTrace = (error, sites) => sites.map((site) => [site.getFileName(), String(site)]);
                const sites = new Error().stack;
                Error.prepareStackTrace = undefined;
                seen.push(lines.findIndex((line) => /\\(node:https:\\d+:\\d+\\)$/.test(line)) > 1);
                seen.push(sites.some(([file, text]) => file === 'node:https' && text.includes('(node:https:')));
            }
            set protocol(_) {}
        }
        export const handler = () => {
            for (const module of [http, https]) {
                try {
                    module.request({ agent: new Asked(), path: 'a b' });
                } catch (error) {
                    seen.push(error.code, error.stack.includes('node:https'));
                }
            }
            return seen;
        };";
    run(async {
        let answer = Guest::new(source).handle("null").await.unwrap();
        let code = "\"ERR_UNESCAPED_CHARACTERS\"";
        assert_eq!(answer, format!("[false,false,{code},false,true,true,{code},false]"));
    });
}

#[test]
fn what_was_thrown_that_is_no_error_is_told_as_it_is() {
    let source = "export const handler = async (value) => {
            Promise.reject(value);
            await new Promise((resolve) => setTimeout(resolve, 1000));
        };";
    for (event, message) in [
        (r#""text""#, "text"),
        (
            r#""a \"quoted\" text\nof two lines, it's said""#,
            "a \"quoted\" text\nof two lines, it's said",
        ),
        ("7", "7"),
        ("null", "null"),
    ] {
        run(async {
            let error = Guest::new(source).fails(event).await;
            assert_eq!(error.kind(), ErrorKind::UnhandledRejection);
            assert_eq!(error.message(), message);
        });
    }
}

#[test]
fn a_console_has_the_streams_of_the_process_and_the_class() {
    let source = "export const handler = () => {
            console._stdout.write('to out\\n');
            console._stderr.write('to err\\n');
            new console.Console(process.stdout).log('by a console');
            const { enumerable } = Object.getOwnPropertyDescriptor(console, '_stdout');
            return [console._stdout === process.stdout, console._stderr === process.stderr, enumerable];
        };";
    run(async {
        let guest = Guest::new(source);
        assert_eq!(guest.handle("null").await.unwrap(), "[true,true,false]");
        assert_eq!(guest.log.text(), "to out\nto err\nby a console\n");
    });
    // In CommonJS `process` is there before the console is.
    run(async {
        let source = source.replace("export const handler", "exports.handler");
        let guest = Guest::with(&[("app.cjs", &source)], None);
        let exports = guest.load("app.cjs", handler()).await.unwrap();
        let answer = guest.call(exports.functions[0].1, "null").await;
        assert_eq!(answer.unwrap(), "[true,true,false]");
    });
}
