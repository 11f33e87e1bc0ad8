//! Records of failures, and what languages log beside `console`, in whole lines.

use crate::support::{Folder, Lambda};
use serde_json::json;
use trine_emulator::Event;

/// Starts a function of this file in a log format, with further variables.
fn start(file: &str, source: &str, format: &str, more: &[(&str, &str)]) -> (Folder, Lambda) {
    let folder = Folder::new(&[(file, source)]);
    let lambda = Lambda::with(&folder, |command| {
        command.env("_HANDLER", "app.handler").env("AWS_LAMBDA_LOG_FORMAT", format);
        command.envs(more.iter().copied());
    });
    (folder, lambda)
}

fn blue(event: serde_json::Value) -> Event {
    Event { tenant_id: Some("blue".into()), ..Event::from(event) }
}

/// Invokes a function that fails, and returns all of its log from then on.
fn failed(file: &str, source: &str, format: &str) -> String {
    let (folder, lambda) = start(file, source, format, &[]);
    let (outcome, _) = lambda.fail(blue(json!({})));
    lambda.told("\n", &folder, &outcome.request_id)
}

#[test]
fn a_failure_in_javascript_is_told_with_the_errors_own_members() {
    let source = "\
class OutOfStock extends Error {
  name = 'OutOfStock';
  code = 'E_STOCK';
  items = [new RangeError('seven')];
}
export const handler = async () => {
  const error = new OutOfStock('no anvil', { cause: new TypeError('sold') });
  error.items[0].stack = 'RangeError: seven\\n    at g (/b.mjs:1:2)';
  error.cause.stack = 'TypeError: sold\\n    at h (/c.mjs:1:2)';
  throw error;
};
";
    let stack = r#"["OutOfStock: no anvil","    at Runtime.handler (file:///task/app.mjs:7:17)"]"#;
    let member = |stack: &str| {
        format!(
            r#""errorType":"RangeError","errorMessage":"seven","{stack}":["RangeError: seven","    at g (/b.mjs:1:2)"]"#
        )
    };
    let cause = |stack: &str| {
        format!(
            r#""errorType":"TypeError","errorMessage":"sold","{stack}":["TypeError: sold","    at h (/c.mjs:1:2)"]"#
        )
    };
    let own = |stack: &str| {
        format!(r#""name":"OutOfStock","code":"E_STOCK","items":[{{{}}}]"#, member(stack))
    };
    let text = failed("app.mjs", source, "Text");
    let stack = stack.replace("Runtime.handler", handler_of(&text));
    let in_text = own("stack").replace(r#""code":"E_STOCK","#, "");
    assert_eq!(
        text,
        format!(
            "TIME\tID\tERROR\tInvoke Error \t{{\"errorType\":\"OutOfStock\",\"errorMessage\":\"no anvil\",\"code\":\"E_STOCK\",{in_text},\"stack\":{stack},\"cause\":{{{}}}}}\n",
            cause("stack")
        )
    );
    assert_eq!(
        failed("app.mjs", source, "JSON"),
        format!(
            "{{\"timestamp\":\"TIME\",\"level\":\"ERROR\",\"requestId\":\"ID\",\"tenantId\":\"blue\",\"message\":{{\"errorType\":\"OutOfStock\",\"errorMessage\":\"no anvil\",\"stackTrace\":{stack},{},\"cause\":{{{}}}}}}}\n",
            own("stackTrace"),
            cause("stackTrace")
        )
    );
}

/// Returns the name that a stack has for the handler, which is an engine's affair.
fn handler_of(log: &str) -> &str {
    let (before, _) = log.split_once(" (file:///task/app.mjs").unwrap();
    before.rsplit_once("at ").unwrap().1
}

#[test]
fn what_is_thrown_in_javascript_and_is_no_error_is_told_as_one() {
    for (thrown, message) in
        [("'no anvil'", "no anvil"), ("{ a: 1 }", "[object Object]"), ("undefined", "undefined")]
    {
        let source = format!("export const handler = async () => {{ throw {thrown}; }};");
        let facts = format!("\"errorType\":\"Error\",\"errorMessage\":\"{message}\"");
        assert_eq!(
            failed("app.mjs", &source, "Text"),
            format!(
                "TIME\tID\tERROR\tInvoke Error \t{{{facts},\"stack\":[\"Error: {message}\"]}}\n"
            )
        );
        assert_eq!(
            failed("app.mjs", &source, "JSON"),
            format!(
                "{{\"timestamp\":\"TIME\",\"level\":\"ERROR\",\"requestId\":\"ID\",\"tenantId\":\"blue\",\"message\":{{{facts},\"stackTrace\":[\"Error: {message}\"]}}}}\n"
            )
        );
    }
}

#[test]
fn an_error_in_javascript_without_a_json_form_is_told_as_far_as_possible() {
    let source = "export const handler = async () => {
        throw Object.assign(new Error('odd'), { n: 1n, stack: 'Error: odd' });
    };";
    assert_eq!(
        failed("app.mjs", source, "Text"),
        "TIME\tID\tERROR\tInvoke Error \t{\"errorType\":\"Error\",\"errorMessage\":\"odd\",\"trace\":[\"Error: odd\"]}\n"
    );
    let json = failed("app.mjs", source, "JSON");
    let head = "{\"timestamp\":\"TIME\",\"level\":\"ERROR\",\"requestId\":\"ID\",\"tenantId\":\"blue\",\"message\":\"";
    assert!(json.starts_with(head) && json.contains("n: 1n"), "{json}");
}

#[test]
fn a_failure_in_python_is_told_with_its_traceback() {
    let source = "\
class OutOfStock(Exception):
    pass

def handler(event, context):
    raise OutOfStock('no anvil')
";
    assert_eq!(
        failed("app.py", source, "Text").replace('\u{a0}', "_"),
        "[ERROR] OutOfStock: no anvil\rTraceback (most recent call last):\r__File \"/task/app.py\", line 5, in handler\r\
         ____raise OutOfStock('no anvil')\n"
    );
    assert_eq!(
        failed("app.py", source, "JSON"),
        "{\"timestamp\": \"TIME\", \"level\": \"ERROR\", \"errorMessage\": \"no anvil\", \"errorType\": \"OutOfStock\", \"requestId\": \
         \"ID\", \"stackTrace\": [\"  File \\\"/task/app.py\\\", line 5, in handler\\n    raise OutOfStock('no anvil')\\n\"], \
         \"tenantId\": \"blue\"}\n"
    );
}

#[test]
fn a_failure_in_lua_is_told_as_one_in_javascript() {
    let source =
        "return { handler = function() error({ type = 'OutOfStock', message = 'no anvil' }) end }";
    let text = failed("app.lua", source, "Text");
    let head = "TIME\tID\tERROR\tInvoke Error \t{\"errorType\":\"OutOfStock\",\"errorMessage\":\"no anvil\",\"stack\":[";
    let stack = text.strip_prefix(head).unwrap_or_else(|| panic!("{text}"));
    assert_eq!(
        failed("app.lua", source, "JSON"),
        format!(
            "{{\"timestamp\":\"TIME\",\"level\":\"ERROR\",\"requestId\":\"ID\",\"tenantId\":\"blue\",\"message\":{{\"errorType\":\
             \"OutOfStock\",\"errorMessage\":\"no anvil\",\"stackTrace\":[{}}}\n",
            stack.trim_end()
        )
    );
    assert!(stack.contains("/task/app.lua"), "{text}");
}

/// Returns the log of a function that cannot be loaded.
fn not_loaded(file: &str, source: &str, format: &str) -> String {
    let (folder, lambda) = start(file, source, format, &[]);
    let process = &lambda.process;
    assert_eq!(process.wait(), Some(1), "{process:?}");
    lambda.told("no database", &folder, "no id")
}

#[test]
fn a_failed_start_has_no_request_id() {
    let source = "throw Object.assign(new Error('no database'), { port: 7 });";
    let facts = "\"errorType\":\"Error\",\"errorMessage\":\"no database\"";
    let stack = "[\"Error: no database\",\"    at file:///task/app.mjs:1:21\"]";
    let text = not_loaded("app.mjs", source, "Text");
    assert_eq!(
        text,
        format!("TIME\tundefined\tERROR\tInit Error \t{{{facts},\"port\":7,\"stack\":{stack}}}\n")
    );
    assert_eq!(
        not_loaded("app.mjs", source, "JSON"),
        format!(
            "{{\"timestamp\":\"TIME\",\"level\":\"ERROR\",\"message\":{{{facts},\"stackTrace\":{stack},\"port\":7}}}}\n"
        )
    );
    let source = "raise ValueError('no database')\n";
    assert_eq!(
        not_loaded("app.py", source, "JSON"),
        "{\"timestamp\": \"TIME\", \"level\": \"ERROR\", \"errorMessage\": \"no database\", \"errorType\": \"ValueError\", \"requestId\": \
         \"\", \"stackTrace\": [\"  File \\\"/task/app.py\\\", line 1, in <module>\\n    raise ValueError('no database')\\n\"]}\n"
    );
    let text = not_loaded("app.py", "import no database\n", "Text");
    assert!(text.starts_with("[ERROR] Runtime.UserCodeSyntaxError: "), "{text}");
    let text = not_loaded("app.py", "raise ImportError('no database')\n", "Text");
    let head = "[ERROR] Runtime.ImportModuleError: Unable to import module 'app': no database\rTraceback (most recent call last):";
    assert!(text.starts_with(head), "{text}");
}

/// What Lambda's own client writes of these calls under CPython, but for times to the millisecond in JSON form, tenants, and the
/// newline at a traceback's end.
const PYTHON: &str = r#"import logging

log = logging.getLogger("shop")
logging.addLevelName(35, "ODD")
logging.basicConfig(level=logging.DEBUG, format="never seen")
log.warning("at the start")


class Order:
    def __str__(self):
        return "order 7"


def handler(event, context):
    log.debug("hidden")
    log.warning("low on %s", "anvils")
    log.warning("%(a)s of %(b)s", {"a": 1, "b": 2})
    log.error("two\nlines é🙂")
    log.warning({"a": [1, None], "é": "x"})
    log.warning(["a", 1])
    log.log(31, "between")
    log.log(35, "odd")
    log.log(99, "beyond")
    logging.critical("worst")
    logging.getLogger("shop.cart").error("child")
    log.error("more", extra={"order": Order(), "n": 5, "none": None, "requestId": "no", "of": {"a": [1]}})
    try:
        raise KeyError("anvil")
    except KeyError:
        log.exception("failed %d", 1)
    context.log("as it is\n")
    print("printed\nas it is")
    log.critical("end")
"#;

#[test]
fn pythons_logging_has_the_lines_of_lambdas_own_client() {
    let (folder, lambda) = start("app.py", PYTHON, "Text", &[]);
    let outcome = lambda.outcome(blue(json!({})));
    assert!(outcome.is_response(), "{outcome:?}");
    assert_eq!(
        lambda.told("end", &folder, &outcome.request_id),
        "[WARNING]\tTIME\t\tat the start
[WARNING]\tTIME\tID\tlow on anvils
[WARNING]\tTIME\tID\t1 of 2
[ERROR]\tTIME\tID\ttwo
lines é🙂
[WARNING]\tTIME\tID\t{'a': [1, None], 'é': 'x'}
[WARNING]\tTIME\tID\t['a', 1]
[Level 31]\tTIME\tID\tbetween
[ODD]\tTIME\tID\todd
[Level 99]\tTIME\tID\tbeyond
[CRITICAL]\tTIME\tID\tworst
[ERROR]\tTIME\tID\tchild
[ERROR]\tTIME\tID\tmore
[ERROR]\tTIME\tID\tfailed 1
Traceback (most recent call last):
  File \"/task/app.py\", line 28, in handler
    raise KeyError(\"anvil\")
KeyError: 'anvil'
as it is
printed
as it is
[CRITICAL]\tTIME\tID\tend
"
    );
}

#[test]
fn pythons_logging_in_json_has_the_members_of_lambdas_own_client() {
    let (folder, lambda) = start("app.py", PYTHON, "JSON", &[("AWS_LAMBDA_LOG_LEVEL", "warn")]);
    let outcome = lambda.outcome(blue(json!({})));
    assert!(outcome.is_response(), "{outcome:?}");
    let line = |level: &str, message: &str, logger: &str, more: &str| {
        format!(
            "{{\"timestamp\": \"TIME\", \"level\": \"{level}\", \"message\": {message}, \"logger\": \"{logger}\", {more}}}\n"
        )
    };
    let ids = "\"requestId\": \"ID\", \"tenantId\": \"blue\"";
    let trace = "\"stackTrace\": [\"  File \\\"/task/app.py\\\", line 28, in handler\\n    raise KeyError(\\\"anvil\\\")\\n\"], \
                 \"errorType\": \"KeyError\", \"errorMessage\": \"'anvil'\", \"requestId\": \"ID\", \
                 \"location\": \"/task/app.py:handler:30\", \"tenantId\": \"blue\"";
    let expected = [
        line("WARNING", "\"at the start\"", "shop", "\"requestId\": \"\""),
        line("WARNING", "\"low on anvils\"", "shop", ids),
        line("WARNING", "\"1 of 2\"", "shop", ids),
        line("ERROR", "\"two\\nlines é🙂\"", "shop", ids),
        line("WARNING", "{\"a\": [1, null], \"é\": \"x\"}", "shop", ids),
        line("WARNING", "\"['a', 1]\"", "shop", ids),
        line("WARNING", "\"between\"", "shop", ids),
        line("WARNING", "\"odd\"", "shop", ids),
        line("CRITICAL", "\"beyond\"", "shop", ids),
        line("CRITICAL", "\"worst\"", "root", ids),
        line("ERROR", "\"child\"", "shop.cart", ids),
        line(
            "ERROR",
            "\"more\"",
            "shop",
            &format!("{ids}, \"order\": \"order 7\", \"n\": 5, \"of\": {{\"a\": [1]}}"),
        ),
        line("ERROR", "\"failed 1\"", "shop", trace),
        "as it is\nprinted\nas it is\n".to_owned(),
        line("CRITICAL", "\"end\"", "shop", ids),
    ];
    let log = lambda.told("end\"", &folder, &outcome.request_id);
    assert_eq!(log, expected.concat());
}

#[test]
fn luas_lines_are_those_of_javascript_and_its_print_is_as_it_is() {
    let source = "\
trine.log('info', 'at the start')
return { handler = function()
  for _, level in ipairs { 'trace', 'debug', 'info', 'warn', 'error', 'fatal' } do trine.log(level, level) end
  trine.log('WARN', 'two\\nlines é')
  trine.log('info', { a = { 1, 2 } })
  coroutine.wrap(function() trine.log('info', 'coroutine') end)()
  print('printed', 1, nil)
  io.write('in ', 'pieces\\n')
  trine.log('fatal', 'end')
end }
";
    let (folder, lambda) = start("app.lua", source, "Text", &[]);
    let outcome = lambda.outcome(blue(json!({})));
    assert!(outcome.is_response(), "{outcome:?}");
    assert_eq!(
        lambda.told("\tend", &folder, &outcome.request_id),
        "TIME\tundefined\tINFO\tat the start
TIME\tID\tTRACE\ttrace
TIME\tID\tDEBUG\tdebug
TIME\tID\tINFO\tinfo
TIME\tID\tWARN\twarn
TIME\tID\tERROR\terror
TIME\tID\tFATAL\tfatal
TIME\tID\tWARN\ttwo\rlines é
TIME\tID\tINFO\t{\"a\":[1,2]}
TIME\tID\tINFO\tcoroutine
printed\t1\tnil
in pieces
TIME\tID\tFATAL\tend
"
    );
    let (folder, lambda) = start("app.lua", source, "JSON", &[("AWS_LAMBDA_LOG_LEVEL", "error")]);
    let outcome = lambda.outcome(blue(json!({})));
    let line = |level: &str, message: &str| {
        format!(
            "{{\"timestamp\":\"TIME\",\"level\":\"{level}\",\"requestId\":\"ID\",\"tenantId\":\"blue\",\"message\":\"{message}\"}}\n"
        )
    };
    let expected = [
        line("ERROR", "error"),
        line("FATAL", "fatal"),
        line("INFO", "printed\\t1\\tnil"),
        line("INFO", "in pieces"),
        line("FATAL", "end"),
    ];
    assert_eq!(lambda.told("\"end\"", &folder, &outcome.request_id), expected.concat());
}

#[test]
fn lines_in_javascript_bear_the_ids_of_their_invocation_wherever_they_are_written() {
    let source = "\
import { Worker, isMainThread } from 'node:worker_threads';
import { readFile } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
const worker = `require('node:worker_threads'); console.log('worker');
  setTimeout(() => console.log('timer of a worker'), 1);
  Promise.resolve().then(() => console.log('microtask of a worker'));`;
console.log('at the start');
export const handler = async () => {
  await null;
  console.log('await');
  await wait(1);
  console.log('timers/promises');
  await new Promise((resolve) => setTimeout(() => { console.log('timer'); resolve(); }, 1));
  await new Promise((resolve) => setImmediate(() => { console.log('immediate'); resolve(); }));
  await new Promise((resolve) => process.nextTick(() => { console.log('tick'); resolve(); }));
  await new Promise((resolve) => queueMicrotask(() => { console.log('microtask'); resolve(); }));
  await new Promise((resolve) => readFile('app.mjs', () => { console.log('callback'); resolve(); }));
  const thread = new Worker(worker, { eval: true });
  await new Promise((resolve) => thread.on('exit', () => { console.log('event'); resolve(); }));
  console.log('end');
};
";
    let told = [
        "await",
        "timers/promises",
        "timer",
        "immediate",
        "tick",
        "microtask",
        "callback",
        "worker",
        "microtask of a worker",
        "timer of a worker",
        "event",
        "end",
    ];
    let (folder, lambda) = start("app.mjs", source, "JSON", &[]);
    let outcome = lambda.outcome(blue(json!({})));
    assert!(outcome.is_response(), "{outcome:?}");
    let lines = told.map(|message| {
        format!("{{\"timestamp\":\"TIME\",\"level\":\"INFO\",\"requestId\":\"ID\",\"tenantId\":\"blue\",\"message\":\"{message}\"}}\n")
    });
    assert_eq!(
        lambda.told("\"end\"", &folder, &outcome.request_id),
        "{\"timestamp\":\"TIME\",\"level\":\"INFO\",\"message\":\"at the start\"}\n".to_owned()
            + &lines.concat()
    );
    let (folder, lambda) = start("app.mjs", source, "Text", &[]);
    let outcome = lambda.outcome(json!({}));
    let lines = told.map(|message| format!("TIME\tID\tINFO\t{message}\n"));
    assert_eq!(
        lambda.told("\tend", &folder, &outcome.request_id),
        "TIME\tundefined\tINFO\tat the start\n".to_owned() + &lines.concat()
    );
}

#[test]
fn what_nobody_handles_in_a_thread_of_pythons_reaches_the_log() {
    let source = "\
import sys, threading, traceback, warnings

def fail():
    raise ValueError('in a thread')

def handler(event, context):
    thread = threading.Thread(target=fail, name='T')
    thread.start()
    thread.join()
    warnings.warn('careful')
    try:
        fail()
    except ValueError:
        traceback.print_exc()
    print('the end', file=sys.stderr)
";
    let (_folder, lambda) = start("app.py", source, "JSON", &[]);
    lambda.invoke(json!({}));
    let log = lambda.logged("the end");
    assert!(log.contains("UserWarning: careful"), "{log}");
    assert!(log.contains("Exception in thread T:\nTraceback (most recent call last):\n"), "{log}");
    assert_eq!(log.matches("\nValueError: in a thread\n").count(), 2, "{log}");
}

#[test]
fn in_json_a_line_that_has_begun_ends_before_an_object() {
    for (file, source) in [
        (
            "app.mjs",
            "export const handler = async () => {
               process.stdout.write('part'); console.log('x'); process.stdout.write('rest'); throw new Error('odd');
             };",
        ),
        (
            "app.py",
            "import logging\ndef handler(event, context):\n    print('part', end='')\n    logging.info('x')\n    print('rest', end='')\n    raise ValueError('odd')\n",
        ),
    ] {
        let (folder, lambda) = start(file, source, "JSON", &[]);
        let (outcome, _) = lambda.fail(json!({}));
        let log = lambda.told("odd", &folder, &outcome.request_id);
        let lines: Vec<&str> = log.lines().collect();
        assert_eq!((lines.len(), lines[0], lines[2]), (4, "part", "rest"), "{log}");
        for (line, text) in [(lines[1], "x"), (lines[3], "odd")] {
            let record: serde_json::Value = serde_json::from_str(line).unwrap();
            assert!(record["requestId"] == "ID" && line.contains(text), "{log}");
        }
    }
}
