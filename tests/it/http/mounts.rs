//! Functions of a folder: what they see of their paths, which files are functions, what is reported about the rest.

use crate::support::{Folder, Served, eventually, in_each_language};
use serde_json::json;

in_each_language! {
    a_function_of_a_folder_sees_the_path_below_its_mount(language) {
        let file = format!("shop/handler.{}", language.extension);
        let folder = Folder::new(&[(&file, language.probe), ("other.lua", "return print")]);
        let served = Served::start(&folder, &["--workers", "1"]);
        for (path, below) in [
            ("/shop", "/"),
            ("/shop/", "/"),
            ("/shop/a%20b/c?x=1", "/a%20b/c"),
            ("/sh%6fp/shop/x", "/shop/x"),
        ] {
            let event = served.get(path).json();
            assert_eq!(event["rawPath"], below, "{path}");
            assert_eq!(event["basePath"], "/shop");
            assert_eq!(event["requestContext"]["http"]["path"], below);
            assert_eq!(event["requestContext"]["stage"], "shop");
        }
    }
}

#[test]
fn whole_paths_are_kept_where_asked_and_where_nothing_is_mounted() {
    let folder = Folder::new(&[
        ("shop.lua", "return { handler = function(event) return event end }"),
        ("cart/js/handler.mjs", "export const handler = (event) => event;"),
    ]);
    let served = Served::start(&folder, &["--workers", "1", "--keep-base-path"]);
    let event = served.get("/shop/a").json();
    assert_eq!((&event["rawPath"], &event["basePath"]), (&json!("/shop/a"), &json!(null)));
    assert_eq!(event["requestContext"]["stage"], "$default");
    let served = Served::start(&folder, &["--workers", "1"]);
    let event = served.get("/cart/js/a").json();
    assert_eq!((&event["rawPath"], &event["basePath"]), (&json!("/a"), &json!("/cart/js")));
    let served = Served::start(&folder, &["shop.lua", "--workers", "1"]);
    let event = served.get("/shop/a").json();
    assert_eq!((&event["rawPath"], &event["basePath"]), (&json!("/shop/a"), &json!(null)));
}

#[test]
fn a_route_says_itself_what_it_takes_off_the_path() {
    let folder = Folder::new(&[
        ("shop.lua", "return { handler = function(event) return event end }"),
        ("cart.lua", "return { handler = function(event) return event end }"),
        (
            "trine.toml",
            "[[route]]\npath = \"/store/{proxy+}\"\nfunction = \"shop\"\nbase_path = \"/store\"\n\n\
             [[route]]\npath = \"/whole/{proxy+}\"\nfunction = \"shop\"\n",
        ),
    ]);
    let served = Served::start(&folder, &["--workers", "1"]);
    let event = served.get("/store/a/b").json();
    assert_eq!((&event["rawPath"], &event["basePath"]), (&json!("/a/b"), &json!("/store")));
    assert_eq!(event["routeKey"], "ANY /store/{proxy+}");
    assert_eq!(event["pathParameters"], json!({"proxy": "a/b"}));
    let event = served.get("/whole/a").json();
    assert_eq!((&event["rawPath"], &event["basePath"]), (&json!("/whole/a"), &json!(null)));
}

#[test]
fn health_and_readiness_are_the_servers_and_health_is_the_applications() {
    let folder = Folder::new(&[
        ("a.lua", "return { handler = function(event) return event.rawPath end }"),
        ("b.lua", "return { handler = function(event) return event.rawPath end }"),
    ]);
    let whole = Served::start(&folder, &["a.lua", "--workers", "1"]);
    for path in ["/health", "/ready", "/.trine2", "/a/.trine/health"] {
        assert_eq!(whole.get(path).text(), path);
    }
    let mounted = Served::start(&folder, &["--workers", "1", "--eager"]);
    assert_eq!(mounted.get("/health").status, 404);
    for served in [&whole, &mounted] {
        let health = served.get("/.trine/health");
        assert_eq!((health.status, health.text()), (200, "ok"));
        let ready = served.get("/.trine/ready");
        assert_eq!((ready.status, ready.text()), (200, "ready"));
        assert_eq!(served.request("HEAD", "/.trine/ready", &[], b"").status, 200);
        let post = served.post("/.trine/health", "{}");
        assert_eq!((post.status, post.header("allow")), (405, Some("GET, HEAD")));
        assert_eq!(served.get("/.trine/else").status, 404);
    }
}

/// Returns what a server prints at its start.
fn told(served: &Served) -> String {
    eventually("the last line is there", || {
        Some(served.process.stdout()).filter(|text| text.contains("Ctrl-C stops."))
    })
}

#[test]
fn files_without_a_handler_are_passed_over_with_the_reason() {
    let folder = Folder::new(&[
        ("shop.mjs", "export const handler = () => 'shop';"),
        ("cart.lua", "return { handler = function() return 'cart' end }"),
        ("money.mjs", "export const format = 1; export const parse = 2; throw new Error('ran');"),
        ("tools.cjs", "exports.help = () => 1; process.exit(1);"),
        ("text.lua", "local M = {}\nfunction M.trim() end\nerror('ran')\nreturn M"),
        (
            "dates.py",
            "def parse(text):\n    handler = 1\ndef _hidden(): pass\nraise SystemExit(1)\n",
        ),
        ("_hidden.mjs", ""),
        ("shop.test.mjs", ""),
        ("lib/parse.lua", ""),
        ("static/logo.svg", ""),
    ]);
    let served = Served::start(&folder, &["--workers", "1"]);
    let told = told(&served);
    for line in [
        "  _hidden.mjs: its name begins with an underscore\n",
        "  dates.py: exports no function 'handler', only parse\n",
        "  lib/: holds no file with a handler that is named handler, index,",
        "  money.mjs: exports no function 'handler', only format, parse\n",
        "  shop.test.mjs: its name has more than one dot\n",
        "  text.lua: exports no function 'handler', only trim\n",
        "  tools.cjs: exports no function 'handler', only help\n",
    ] {
        assert!(told.contains(line), "{line:?} in\n{told}");
    }
    assert!(told.starts_with("Serving 2 functions on "), "{told}");
    assert!(!told.contains("static") && !told.contains("/money"), "{told}");
    assert_eq!(served.get("/shop").text(), "shop");
    assert_eq!(served.get("/money").status, 404);
}

#[test]
fn files_whose_handler_is_no_function_are_passed_over_with_what_it_is() {
    let folder = Folder::new(&[
        ("call.lua", "return setmetatable({}, { __call = function() return 'called' end })"),
        ("late.py", "handler = None\n\ndef handler(event, context):\n    return 'late'\n"),
        ("made.cjs", "exports.handler = undefined; exports.handler = () => 'made';"),
        ("number.cjs", "exports.handler = 5"),
        ("number.lua", "return { handler = 5 }"),
        ("object.ts", "export const handler = {} as object;"),
        ("object/handler.py", "lambda_handler = {}\n"),
        ("text.mjs", "export const handler = 'x';"),
        ("text.py", "handler: str = 'x'\n"),
    ]);
    let served = Served::start(&folder, &["--workers", "1"]);
    let told = told(&served);
    for line in [
        "  number.cjs: exports 'handler', which is no function but a number\n",
        "  number.lua: exports 'handler', which is no function but a number\n",
        "  object.ts: exports 'handler', which is no function but an object\n",
        "  object/handler.py: exports 'lambda_handler', which is no function but a dict\n",
        "  text.mjs: exports 'handler', which is no function but a string\n",
        "  text.py: exports 'handler', which is no function but a str\n",
    ] {
        assert!(told.contains(line), "{line:?} in\n{told}");
    }
    assert!(told.starts_with("Serving 3 functions on "), "{told}");
    // A folder whose only file has been reported is not reported again.
    assert!(!told.contains("  object/: "), "{told}");
    for (path, text) in [("/call", "called"), ("/late", "late"), ("/made", "made")] {
        assert_eq!(served.get(path).text(), text, "{path}");
    }
    let served = Served::start(&folder, &["text.mjs", "--workers", "1"]);
    let line = "  text: the file exports 'handler', which is no function but a string\n";
    assert!(self::told(&served).contains(line), "{}", self::told(&served));
}

#[test]
fn a_file_that_alone_has_a_handler_has_the_server_for_itself() {
    let folder = Folder::new(&[
        ("app.mjs", "export const handler = (event) => event.rawPath;"),
        ("money.mjs", "export const format = 1;"),
    ]);
    let served = Served::start(&folder, &["--workers", "1"]);
    assert_eq!(served.get("/a/b").text(), "/a/b");
}

#[test]
fn what_cannot_be_loaded_is_told_at_the_start_and_served_once_it_is_mended() {
    for (file, broken, mended, line) in [
        (
            "bad.mjs",
            "export const handler = = 1;",
            "export const handler = () => 'mended';",
            "bad.mjs:1:24",
        ),
        (
            "bad.ts",
            "export const handler: = 1;",
            "export const handler = () => 'mended';",
            "bad.ts:1:",
        ),
        (
            "bad.py",
            "import os\nhandler = = 1\n",
            "def handler(event, context):\n    return 'mended'\n",
            "bad.py:2:",
        ),
        (
            "bad.lua",
            "local a\nlocal b = = 1",
            "return { handler = function() return 'mended' end }",
            "bad.lua:2",
        ),
    ] {
        let folder = Folder::new(&[(file, broken), ("good.lua", "return print")]);
        let served = Served::start(&folder, &["--workers", "2"]);
        let told = told(&served);
        let (_, problems) = told.split_once("\nCannot be loaded until they are mended\n").unwrap();
        let (problem, tries) = problems.split_once("\nTry\n").unwrap();
        assert!(problem.starts_with("  bad: ") && problem.contains(line), "{problem}");
        assert_eq!(problem.matches(line).count(), 1, "{problem}");
        assert!(!tries.contains("/bad") && tries.contains("/good"), "{tries}");
        for _ in 0..2 {
            assert_eq!(served.get("/bad").status, 500);
        }
        eventually("both failures are logged", || {
            let log = served.process.stderr();
            (log.matches("'bad' failed: ").count() == 2).then_some(())
        });
        let log = served.process.stderr();
        assert!(!log.contains(file), "{log}");
        folder.write(file, mended);
        assert_eq!(served.get("/bad").text(), "mended", "{file}");
    }
}

#[test]
fn a_middleware_that_does_not_parse_is_told_at_the_start_for_each_function_around_which_it_stands()
{
    let folder = Folder::new(&[
        ("a.lua", "return { handler = print }"),
        ("b.mjs", "export const handler = () => 1;"),
        ("middlewares/guard.mjs", "export function before( {"),
        ("middlewares/fine.lua", "return { before = function() end }"),
    ]);
    let served = Served::start(&folder, &["--middlewares", "fine,guard", "--workers", "1"]);
    let told = told(&served);
    for name in ["a", "b"] {
        assert!(told.contains(&format!("\n  {name}: middlewares/guard.mjs:1:")), "{told}");
    }
}

#[test]
fn what_fails_as_it_is_loaded_is_printed_once_however_many_workers_and_requests_there_are() {
    let folder = Folder::new(&[
        ("bad.mjs", "export const handler = () => 1; throw new RangeError('no database');"),
        ("worse.lua", "error 'no table'\nreturn { handler = print }"),
    ]);
    let served = Served::start(&folder, &["--workers", "3", "--eager"]);
    for path in ["/bad", "/worse", "/bad", "/worse"] {
        assert_eq!(served.get(path).status, 500);
    }
    eventually("all failures are logged", || {
        let log = served.process.stderr();
        (log.matches("as told before").count() == 4).then_some(())
    });
    let log = served.process.stderr();
    for text in ["no database", "no table"] {
        assert_eq!(log.matches(text).count(), 1, "{log}");
    }
}

#[test]
fn a_file_that_is_named_and_lacks_its_function_is_told_at_the_start() {
    let folder = Folder::new(&[("app.mjs", "export const get = () => 1;")]);
    let served = Served::start(&folder, &["app.mjs:post", "--workers", "1"]);
    let told = told(&served);
    assert!(told.contains("exports no function 'post', only get"), "{told}");
}
