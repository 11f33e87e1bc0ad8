//! Functions that cannot be loaded: one post, a report to callers, and the end of the process.

use crate::support::{Folder, LANGUAGES, Lambda, PROBE_LANGUAGES};
use serde_json::{Value, json};

/// A function that cannot be loaded.
struct Case<'a> {
    name: &'a str,
    files: &'a [(&'a str, &'a str)],
    handler: &'a str,
    /// The error type in the document.
    kind: &'static str,
    /// The error type in the header; the same when empty.
    header: &'static str,
    /// Parts of the message.
    message: &'static [&'static str],
    /// Parts of the stack.
    stack: &'static [&'static str],
}

const CASE: Case<'static> = Case {
    name: "",
    files: &[],
    handler: "app.handler",
    kind: "",
    header: "",
    message: &[],
    stack: &[],
};

fn check(cases: &[Case<'_>]) {
    for case in cases {
        let folder = Folder::new(case.files);
        let lambda = Lambda::start(&folder, case.handler);
        let (code, header, document) = lambda.init_error();
        let name = case.name;
        assert_eq!(code, Some(1), "{name}");
        assert_eq!(document["errorType"], case.kind, "{name}: {document}");
        let expected = if case.header.is_empty() { case.kind } else { case.header };
        assert_eq!(header, expected, "{name}");
        let message = document["errorMessage"].as_str().unwrap();
        for part in case.message {
            assert!(message.contains(part), "{name}: {part:?} is not in {message:?}");
        }
        let stack = ["trace", "stackTrace"].map(|member| &document[member]);
        let stack = stack.into_iter().find(|stack| **stack != Value::Null).unwrap().to_string();
        for part in case.stack {
            assert!(stack.contains(part), "{name}: {part:?} is not in {stack:?}");
        }
    }
}

#[test]
fn what_no_file_answers_to_is_an_import_error_that_lists_what_there_is() {
    check(&[
        Case {
            name: "a near name",
            files: &[("src/app.py", ""), ("other.lua", "")],
            handler: "src/ap.handler",
            kind: "Runtime.ImportModuleError",
            message: &[
                "Cannot find module 'src/ap'",
                "src/app.py",
                "did you mean 'src/app.handler'?",
            ],
            ..CASE
        },
        Case {
            name: "nothing at all",
            kind: "Runtime.ImportModuleError",
            message: &["Cannot find module 'app'"],
            ..CASE
        },
        Case {
            name: "no valid form",
            handler: "../app.handler",
            kind: "Runtime.MalformedHandlerName",
            message: &["'../app.handler' is not a valid handler name."],
            ..CASE
        },
    ]);
}

#[test]
fn two_files_for_one_handler_are_both_named() {
    check(&[Case {
        files: &[("app.py", ""), ("app.mjs", "")],
        kind: "Runtime.AmbiguousHandler",
        message: &["app.mjs, app.py", "'app.mjs:handler' or 'app.py:handler'"],
        ..CASE
    }]);
}

#[test]
fn a_javascript_module_that_fails_is_told_in_nodes_terms() {
    check(&[
        Case {
            name: "missing export",
            files: &[("app.mjs", "export const handlers = () => 1;")],
            kind: "Runtime.HandlerNotFound",
            message: &["app.handler is undefined or not exported", "handlers"],
            ..CASE
        },
        Case {
            name: "no function",
            files: &[("app.mjs", "export const handler = 1;")],
            kind: "Runtime.HandlerNotFound",
            message: &["app.handler is not a function"],
            ..CASE
        },
        Case {
            name: "syntax error in an ES module",
            files: &[("app.mjs", "const a = 1;\nconst b = = 2;\n")],
            kind: "Runtime.UserCodeSyntaxError",
            message: &["SyntaxError: "],
            ..CASE
        },
        Case {
            name: "syntax error in a CommonJS module",
            files: &[("app.cjs", "const a = 1;\nconst b = = 2;\n")],
            kind: "Runtime.UserCodeSyntaxError",
            message: &["SyntaxError: "],
            ..CASE
        },
        Case {
            name: "syntax error in TypeScript",
            files: &[("app.ts", "const a: number = 1;\nconst b: = 2;\n")],
            kind: "Runtime.UserCodeSyntaxError",
            message: &["SyntaxError: "],
            ..CASE
        },
        Case {
            name: "throw at the top level",
            files: &[("app.mjs", "\nthrow new TypeError('no database');\n")],
            kind: "TypeError",
            header: "Function.TypeError",
            message: &["no database"],
            stack: &["app.mjs:2:7"],
            ..CASE
        },
        Case {
            name: "throw at the top level of CommonJS",
            files: &[("app.cjs", "\nthrow new RangeError('no database');\n")],
            kind: "RangeError",
            header: "Function.RangeError",
            message: &["no database"],
            stack: &["app.cjs:2:7"],
            ..CASE
        },
        Case {
            name: "import that is not there",
            files: &[(
                "app.mjs",
                "import missing from 'not-there';\nexport const handler = missing;\n",
            )],
            kind: "Runtime.ImportModuleError",
            message: &["not-there"],
            ..CASE
        },
        Case {
            name: "require that is not there",
            files: &[(
                "app.cjs",
                "const missing = require('not-there');\nexports.handler = missing;\n",
            )],
            kind: "Runtime.ImportModuleError",
            message: &["Error: Cannot find module 'not-there'", "Require stack:"],
            ..CASE
        },
    ]);
}

#[test]
fn a_python_module_that_fails_is_told_in_awss_terms() {
    check(&[
        Case {
            name: "missing export",
            files: &[("app.py", "def handle(event, context):\n    pass\n")],
            kind: "Runtime.HandlerNotFound",
            message: &["Handler 'handler' missing on module 'app'"],
            ..CASE
        },
        Case {
            name: "syntax error",
            files: &[("app.py", "a = 1\nb = = 2\n")],
            kind: "Runtime.UserCodeSyntaxError",
            message: &["Syntax error in module 'app': invalid syntax", "line 2"],
            stack: &["app.py", "Line 2", "b = = 2"],
            ..CASE
        },
        Case {
            name: "raise at the top level",
            files: &[("app.py", "\nraise KeyError('no database')\n")],
            kind: "KeyError",
            header: "Function.KeyError",
            message: &["'no database'"],
            stack: &["app.py", "line 2", "raise KeyError"],
            ..CASE
        },
        Case {
            name: "import that is not there",
            files: &[("app.py", "import not_there\n")],
            kind: "Runtime.ImportModuleError",
            message: &["Unable to import module 'app': No module named 'not_there'"],
            ..CASE
        },
        Case {
            name: "name of a built-in module",
            files: &[("sys.py", "")],
            handler: "sys.handler",
            kind: "Runtime.BuiltInModuleConflict",
            message: &["Cannot use built-in module sys as a handler module"],
            ..CASE
        },
    ]);
}

#[test]
fn a_lua_module_that_fails_names_file_and_line() {
    check(&[
        Case {
            name: "missing export",
            files: &[("app.lua", "return { handle = function() end }")],
            kind: "Runtime.HandlerNotFound",
            message: &["handler", "app"],
            ..CASE
        },
        Case {
            name: "syntax error",
            files: &[("app.lua", "local a = 1\nlocal b = = 2\n")],
            kind: "Runtime.UserCodeSyntaxError",
            message: &["unexpected symbol near '='"],
            ..CASE
        },
        Case {
            name: "error at the top level",
            files: &[("app.lua", "\nerror('no database')\n")],
            kind: "LuaError",
            header: "Function.LuaError",
            message: &["no database"],
            stack: &["app.lua:2"],
            ..CASE
        },
        Case {
            name: "require that is not there",
            files: &[("app.lua", "require('not_there')\n")],
            kind: "Runtime.ImportModuleError",
            message: &["module 'not_there' not found"],
            ..CASE
        },
    ]);
}

#[test]
fn to_exit_while_loading_is_an_init_error() {
    for (file, text) in [
        ("app.mjs", "process.exit(4);"),
        ("app.py", "import sys\nsys.exit(4)\n"),
        ("app.lua", "os.exit(4)"),
    ] {
        check(&[Case {
            name: file,
            files: &[(file, text)],
            kind: "Runtime.ExitError",
            message: &["Runtime exited with error: exit status 4"],
            ..CASE
        }]);
    }
}

#[test]
fn the_log_says_why_with_the_place_and_what_to_do() {
    let folder = Folder::new(&[("app.py", "import not_there\n")]);
    let lambda = Lambda::start(&folder, "app.handler");
    let log = lambda.logged("hint: ");
    assert!(
        log.contains("[ERROR] Runtime.ImportModuleError: Unable to import module 'app'"),
        "{log}"
    );
    assert!(log.contains("vendored"), "{log}");
}

#[test]
fn the_log_tells_an_init_error_once() {
    for (file, text, message) in [
        ("app.py", "import not_there\n", "No module named 'not_there'"),
        ("app.py", "raise ValueError('no database')\n", "no database"),
        ("app.mjs", "throw new Error('no database');", "no database"),
        ("app.mjs", "export const handlers = 1;", "app.handler is undefined or not exported"),
        ("app.lua", "error('no database')", "no database"),
        ("other.lua", "", "Cannot find module 'app'"),
    ] {
        for format in ["Text", "JSON"] {
            let folder = Folder::new(&[(file, text)]);
            let lambda = Lambda::with(&folder, |command| {
                command.env("_HANDLER", "app.handler").env("AWS_LAMBDA_LOG_FORMAT", format);
            });
            let finished = lambda.process.finish();
            let log = finished.stdout + &*finished.stderr;
            assert_eq!(finished.code, Some(1), "{log}");
            // A record is one line; lines within it are separated by carriage returns.
            let told = log.split('\n').filter(|line| line.contains(message)).count();
            assert_eq!(told, 1, "{file} {format} {message}\n{log}");
        }
    }
}

#[test]
fn settings_that_make_no_sense_are_told_to_the_platform_and_to_callers() {
    for language in PROBE_LANGUAGES {
        for (name, value) in [
            ("TRINE_MEMORY", "nonsense"),
            ("TRINE_MEMORY", "1KiB"),
            ("TRINE_MAX_INVOCATIONS", "0"),
            ("TRINE_MAX_HEAP", "-1"),
            ("TRINE_ISOLATION", "full"),
            ("TRINE_TIMEOUT_MARGIN_MS", "soon"),
            ("TRINE_CLOUDEVENTS", "2.0"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "much"),
        ] {
            let folder = Folder::probe(language);
            let lambda = Lambda::with(&folder, |command| {
                command.env("_HANDLER", "probe.handler").env(name, value);
            });
            let (code, header, document) = lambda.init_error();
            assert_eq!((code, header.as_str()), (Some(1), "Runtime.InvalidSetting"), "{name}");
            assert_eq!(document["errorType"], "Runtime.InvalidSetting");
            let message = document["errorMessage"].as_str().unwrap();
            let expected = format!("the environment variable {name} is \"{value}\": ");
            assert!(message.starts_with(&expected), "{message}");
        }
    }
}

#[test]
fn several_settings_that_make_no_sense_are_told_at_once_in_the_form_that_is_asked_for() {
    let folder = Folder::probe(LANGUAGES[3]);
    let lambda = Lambda::with(&folder, |command| {
        command
            .env("_HANDLER", "probe.handler")
            .env("AWS_LAMBDA_LOG_FORMAT", "JSON")
            .env("TRINE_ISOLATION", "full")
            .env("TRINE_MIDDLEWARES", "a")
            .env("SLSMIDDLEWARES", "b");
    });
    let log = lambda.logged("TRINE_ISOLATION");
    let line: Value = serde_json::from_str(log.lines().next().unwrap()).unwrap();
    assert_eq!(line["errorType"], "Runtime.InvalidSetting");
    let (_, _, document) = lambda.init_error();
    assert_eq!(line["errorMessage"], document["errorMessage"]);
    let message = document["errorMessage"].as_str().unwrap();
    assert!(message.contains("SLSMIDDLEWARES is \"b\""), "{message}");
    assert!(message.contains("TRINE_ISOLATION is \"full\""), "{message}");
}

#[test]
fn a_log_format_or_level_that_nobody_knows_is_as_if_not_set() {
    for language in PROBE_LANGUAGES {
        let folder = Folder::probe(language);
        let lambda = Lambda::with(&folder, |command| {
            command
                .env("_HANDLER", "probe.handler")
                .env("AWS_LAMBDA_LOG_FORMAT", "xml")
                .env("AWS_LAMBDA_LOG_LEVEL", "LOUD");
        });
        lambda.invoke(json!({"do": "log", "text": "a line"}));
        lambda.logged("a line\n");
        assert!(!lambda.process.stdout().starts_with('{'));
    }
}
