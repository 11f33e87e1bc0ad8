//! What `console` writes of its arguments, line by line, as Lambda's own runtime writes it: the lines of these tests are those
//! of its client under Node.

use crate::support::{Folder, Lambda, timeless};
use serde_json::json;

const VALUES: &str = "\
const fixed = (error) => {
  error.stack = `${error.name}: ${error.message}\\n    at f (/a.mjs:1:2)`;
  return error;
};
class OutOfStock extends Error {
  name = 'OutOfStock';
  code = 'E_STOCK';
  item = { id: 7 };
}
const circular = { name: 'c' };
circular.self = circular;
const selfish = fixed(new Error('selfish'));
selfish.self = selfish;
";

/// Arguments of `console.info`, the message in text form, and the members of the line in JSON form after the request id.
const LINES: &[(&str, &str, &str)] = &[
    ("", "undefined", ""),
    ("undefined", "undefined", ""),
    ("null", "null", r#","message":null"#),
    (r#"'plain "text"'"#, r#"plain "text""#, r#","message":"plain \"text\"""#),
    ("''", "", r#","message":"""#),
    (
        r#"'two\nlines\r\nand\ttabs'"#,
        "two\rlines\r\rand\ttabs",
        r#","message":"two\nlines\r\nand\ttabs""#,
    ),
    ("1.5", "1.5", r#","message":1.5"#),
    ("NaN", "NaN", r#","message":null"#),
    ("12n", "12n", r#","message":"12n""#),
    ("Symbol('s')", "Symbol(s)", ""),
    (
        "(() => { const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); return proxy; })()",
        "<Revoked Proxy>",
        r#","message":"<Revoked Proxy>""#,
    ),
    ("function f() {}", "[Function: f]", ""),
    ("new Date(0)", "TIME", r#","message":"TIME""#),
    (
        "{ a: 1, b: [1, { c: { d: { e: 2 } } }] }",
        "{ a: 1, b: [ 1, { c: [Object] } ] }",
        r#","message":{"a":1,"b":[1,{"c":{"d":{"e":2}}}]}"#,
    ),
    ("[1, 'a', null, undefined]", "[ 1, 'a', null, undefined ]", r#","message":[1,"a",null,null]"#),
    (
        "new Map([['k', fixed(new Error('in a map'))]])",
        "Map(1) {\r  'k' => Error: in a map\r      at f (/a.mjs:1:2)\r}",
        r#","message":{}"#,
    ),
    ("new Set([1])", "Set(1) { 1 }", r#","message":{}"#),
    ("Buffer.from('hi')", "<Buffer 68 69>", r#","message":{"type":"Buffer","data":[104,105]}"#),
    (
        "fixed(new TypeError('odd'))",
        "TypeError: odd\r    at f (/a.mjs:1:2)",
        r#","message":{"errorType":"TypeError","errorMessage":"odd","stackTrace":["TypeError: odd","    at f (/a.mjs:1:2)"]}"#,
    ),
    (
        "fixed(new OutOfStock('no anvil'))",
        "OutOfStock: no anvil\r    at f (/a.mjs:1:2) {\r  code: 'E_STOCK',\r  item: { id: 7 }\r}",
        r#","message":{"errorType":"OutOfStock","errorMessage":"no anvil","stackTrace":["OutOfStock: no anvil","    at f (/a.mjs:1:2)"],"name":"OutOfStock","code":"E_STOCK","item":{"id":7}}"#,
    ),
    (
        "{ ok: 1, err: fixed(new Error('inner')) }",
        "{\r  ok: 1,\r  err: Error: inner\r      at f (/a.mjs:1:2)\r}",
        r#","message":{"ok":1,"err":{"errorType":"Error","errorMessage":"inner","stackTrace":["Error: inner","    at f (/a.mjs:1:2)"]}}"#,
    ),
    (
        "[fixed(new RangeError('r')), 2]",
        "[\r  RangeError: r\r      at f (/a.mjs:1:2),\r  2\r]",
        r#","message":[{"errorType":"RangeError","errorMessage":"r","stackTrace":["RangeError: r","    at f (/a.mjs:1:2)"]},2]"#,
    ),
    (
        "Object.assign(fixed(new Error('outer')), { inner: fixed(new TypeError('inner')) })",
        "Error: outer\r    at f (/a.mjs:1:2) {\r  inner: TypeError: inner\r      at f (/a.mjs:1:2)\r}",
        r#","message":{"errorType":"Error","errorMessage":"outer","stackTrace":["Error: outer","    at f (/a.mjs:1:2)"],"inner":{"errorType":"TypeError","errorMessage":"inner","stackTrace":["TypeError: inner","    at f (/a.mjs:1:2)"]}}"#,
    ),
    (
        "Object.assign(new Error('none'), { stack: undefined })",
        "[Error: none]",
        r#","message":{"errorType":"Error","errorMessage":"none"}"#,
    ),
    (
        "selfish",
        "<ref *1> Error: selfish\r    at f (/a.mjs:1:2) {\r  self: [Circular *1]\r}",
        r#","message":"<ref *1> Error: selfish\n    at f (/a.mjs:1:2) {\n  self: [Circular *1]\n}""#,
    ),
    (
        "circular",
        "<ref *1> { name: 'c', self: [Circular *1] }",
        r#","message":"<ref *1> { name: 'c', self: [Circular *1] }""#,
    ),
    ("{ n: 1n }", "{ n: 1n }", r#","message":"{ n: 1n }""#),
    ("{ s: Symbol('x'), f() {} }", "{ s: Symbol(x), f: [Function: f] }", r#","message":{}"#),
    ("{ toJSON: () => ({ j: 1 }) }", "{ toJSON: [Function: toJSON] }", r#","message":{"j":1}"#),
    (
        "{ toJSON() { throw new Error('no form'); } }",
        "{ toJSON: [Function: toJSON] }",
        r#","message":"{ toJSON: [Function: toJSON] }""#,
    ),
    (
        "{ get a() { throw new Error('no a'); } }",
        "{ a: [Getter] }",
        r#","message":"{ a: [Getter] }""#,
    ),
    (
        "new Proxy({ a: 1 }, { get(target, name) { if (name === 'a') { throw new Error('trap'); } return target[name]; } })",
        "{ a: 1 }",
        r#","message":"{ a: 1 }""#,
    ),
    (
        "'%s is %d and %i, %j', 'a', 42.5, 42.5, { a: 1 }",
        r#"a is 42.5 and 42, {"a":1}"#,
        r#","message":"a is 42.5 and 42, {\"a\":1}""#,
    ),
    (
        "'%o %O %c%%', [1], { a: { b: { c: {} } } }, 'css'",
        "[ 1, [length]: 1 ] { a: { b: { c: {} } } } %",
        r#","message":"[ 1, [length]: 1 ] { a: { b: { c: {} } } } %""#,
    ),
    ("'100%', 'x'", "100% x", r#","message":"100% x""#),
    ("'%s %s', 'a'", "a %s", r#","message":"a %s""#),
    ("'a', { b: 1 }, 2n", "a { b: 1 } 2n", r#","message":"a { b: 1 } 2n""#),
    (
        "'failed: %s', fixed(new Error('x'))",
        "failed: Error: x\r    at f (/a.mjs:1:2)",
        r#","message":"failed: Error: x\n    at f (/a.mjs:1:2)","errorType":"Error","errorMessage":"x","stackTrace":["Error: x","    at f (/a.mjs:1:2)"]"#,
    ),
    (
        "'failed', fixed(new OutOfStock('no anvil'))",
        "failed OutOfStock: no anvil\r    at f (/a.mjs:1:2) {\r  code: 'E_STOCK',\r  item: { id: 7 }\r}",
        r#","message":"failed OutOfStock: no anvil\n    at f (/a.mjs:1:2) {\n  code: 'E_STOCK',\n  item: { id: 7 }\n}","errorType":"OutOfStock","errorMessage":"no anvil","stackTrace":["OutOfStock: no anvil","    at f (/a.mjs:1:2)"]"#,
    ),
    (
        "'a', fixed(new Error('one')), fixed(new TypeError('two'))",
        "a Error: one\r    at f (/a.mjs:1:2) TypeError: two\r    at f (/a.mjs:1:2)",
        r#","message":"a Error: one\n    at f (/a.mjs:1:2) TypeError: two\n    at f (/a.mjs:1:2)","errorType":"Error","errorMessage":"one","stackTrace":["Error: one","    at f (/a.mjs:1:2)"]"#,
    ),
    (
        "'a', { b: fixed(new Error('in')) }",
        "a {\r  b: Error: in\r      at f (/a.mjs:1:2)\r}",
        r#","message":"a {\n  b: Error: in\n      at f (/a.mjs:1:2)\n}""#,
    ),
    (r#"'é🙂\ud800'"#, "é🙂\u{fffd}", r#","message":"é🙂\ud800""#),
    (r#"'\x1b[31mred\0'"#, "\u{1b}[31mred\0", r#","message":"\u001b[31mred\u0000""#),
    ("'x'.repeat(3), undefined", "xxx undefined", r#","message":"xxx undefined""#),
];

/// Members that Lambda's runtime leaves out: what led to an error.
const CAUSES: &[(&str, &str, &str)] = &[
    (
        "fixed(new Error('outer', { cause: fixed(new TypeError('inner')) }))",
        "Error: outer\r    at f (/a.mjs:1:2) {\r  [cause]: TypeError: inner\r      at f (/a.mjs:1:2)\r}",
        r#","message":{"errorType":"Error","errorMessage":"outer","stackTrace":["Error: outer","    at f (/a.mjs:1:2)"],"cause":{"errorType":"TypeError","errorMessage":"inner","stackTrace":["TypeError: inner","    at f (/a.mjs:1:2)"]}}"#,
    ),
    (
        "fixed(new AggregateError([fixed(new Error('one')), 2], 'many', { cause: 'bad luck' }))",
        "AggregateError: many\r    at f (/a.mjs:1:2) {\r  [cause]: 'bad luck',\r  [errors]: [\r    Error: one\r        at f (/a.mjs:1:2),\r    2\r  ]\r}",
        r#","message":{"errorType":"AggregateError","errorMessage":"many","stackTrace":["AggregateError: many","    at f (/a.mjs:1:2)"],"cause":"bad luck","errors":[{"errorType":"Error","errorMessage":"one","stackTrace":["Error: one","    at f (/a.mjs:1:2)"]},2]}"#,
    ),
];

/// Runs a handler with this body; returns the lines of its log, without times and with `ID` for the request id.
fn lines(body: &str, format: &str, level: Option<&str>) -> Vec<String> {
    let source = format!(
        "{VALUES}export const handler = async () => {{\n{body}\nconsole.fatal('the end');\n}};"
    );
    let folder = Folder::new(&[("app.mjs", &source)]);
    let lambda = Lambda::with(&folder, |command| {
        command.env("_HANDLER", "app.handler").env("AWS_LAMBDA_LOG_FORMAT", format);
        command.envs(level.map(|level| ("AWS_LAMBDA_LOG_LEVEL", level)));
    });
    let outcome = lambda.outcome(json!({}));
    assert!(outcome.is_response(), "{outcome:?}");
    let log = timeless(&lambda.logged("the end")).replace(&outcome.request_id, "ID");
    log.split('\n').map(str::to_owned).take_while(|line| !line.contains("the end")).collect()
}

#[test]
fn values_are_logged_as_lambdas_own_runtime_logs_them() {
    let cases: Vec<_> = LINES.iter().chain(CAUSES).collect();
    let calls: String =
        cases.iter().map(|(value, ..)| format!("console.info({value});\n")).collect();
    let (text, json) = (lines(&calls, "Text", None), lines(&calls, "JSON", None));
    assert_eq!((text.len(), json.len()), (cases.len(), cases.len()), "{text:#?}\n{json:#?}");
    for ((value, in_text, in_json), (text, json)) in cases.into_iter().zip(text.iter().zip(&json)) {
        assert_eq!(*text, format!("TIME\tID\tINFO\t{in_text}"), "{value}");
        let head = r#"{"timestamp":"TIME","level":"INFO","requestId":"ID""#;
        assert_eq!(*json, format!("{head}{in_json}}}"), "{value}");
    }
}

const LEVELS: &[&str] = &["trace", "debug", "info", "log", "warn", "error", "fatal"];

#[test]
fn each_level_has_its_name_and_those_below_the_one_that_is_set_are_left_out() {
    let calls: String =
        LEVELS.iter().map(|level| format!("console.{level}('%s', '{level}');\n")).collect();
    for (set, first) in [
        (None, 0),
        (Some("TRACE"), 0),
        (Some("debug"), 1),
        (Some("Info"), 2),
        (Some("WARN"), 4),
        (Some("error"), 5),
        (Some("FATAL"), 6),
        (Some("WARNING"), 4),
        (Some("LOUD"), 0),
        (Some(""), 0),
    ] {
        let name =
            |level: &str| if level == "log" { "INFO".to_owned() } else { level.to_uppercase() };
        let of = |form: &dyn Fn(&str) -> String| {
            LEVELS[first..].iter().map(|level| form(level)).collect::<Vec<_>>()
        };
        let text = of(&|level| format!("TIME\tID\t{}\t{level}", name(level)));
        assert_eq!(lines(&calls, "TEXT", set), text, "{set:?}");
        let json = of(&|level| {
            let name = name(level);
            format!(
                "{{\"timestamp\":\"TIME\",\"level\":\"{name}\",\"requestId\":\"ID\",\"message\":\"{level}\"}}"
            )
        });
        assert_eq!(lines(&calls, "json", set), json, "{set:?}");
    }
}

#[test]
fn other_methods_end_up_as_lines_of_their_levels() {
    let body = "console.assert(true, 'not told'); console.assert(false); console.assert(0, 'x %d', 1);\n\
                console.count(); console.count('a'); console.table([{ a: 1 }]);\n\
                console.group('outer'); console.log('inner'); console.groupEnd();\n\
                console.time('t'); console.timeEnd('t');";
    let mut text = lines(body, "Text", None);
    let timed = text.pop().unwrap();
    assert!(timed.starts_with("TIME\tID\tINFO\tt: ") && timed.ends_with('s'), "{timed}");
    let table =
        "┌─────────┬───┐\r│ (index) │ a │\r├─────────┼───┤\r│ 0       │ 1 │\r└─────────┴───┘";
    let line = |level: &str, message: &str| format!("TIME\tID\t{level}\t{message}");
    assert_eq!(
        text,
        [
            line("WARN", "Assertion failed"),
            line("WARN", "Assertion failed: x 1"),
            line("INFO", "default: 1"),
            line("INFO", "a: 1"),
            line("INFO", table),
            line("INFO", "outer"),
            line("INFO", "inner"),
        ]
    );
}

#[test]
fn an_error_that_leads_to_itself_is_told_to_some_depth() {
    let body = "const error = new Error('again'); error.cause = error;\n\
                const hidden = new Error('again'); Object.defineProperty(hidden, 'cause', { value: hidden });\n\
                console.info(hidden); console.info(error);";
    let json = lines(body, "JSON", None);
    assert_eq!(json.len(), 2, "{json:?}");
    let told = json[0].matches(r#""errorMessage":"again""#).count();
    assert_eq!(told, 9, "{}", json[0]);
    // As one of its own members it has no JSON form.
    assert!(json[1].contains(r#""message":"<ref *1> Error: again\n"#), "{}", json[1]);
}
