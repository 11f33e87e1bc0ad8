//! The log of functions that run without Lambda: its form, its level, and the platform's lines around an invocation.

use crate::support::{
    Connection, Folder, LANGUAGES, Served, eventually, in_each_language, run, timeless, trine,
};
use serde_json::{Value, json};

/// Returns the parts of a REPORT line, with `N` in the place of each number but the memory that the function has.
fn shape(report: &str) -> String {
    let parts = report.split('\t').map(|part| match part.split_once(": ") {
        Some((name, value))
            if name != "Memory Size" && value.starts_with(|c: char| c.is_ascii_digit()) =>
        {
            let unit = value.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
            format!("{name}: N{unit}")
        }
        _ => part.to_owned(),
    });
    parts.collect::<Vec<_>>().join("\t")
}

const REPORT: &str = "REPORT RequestId: me\tDuration: N ms\tBilled Duration: N ms\tMemory Size: 128 MB\tMax Memory Used: N MB\tInit Duration: N ms\t";

/// Runs `trine invoke -v` for a request called `me`; returns exit code, result, and lines of standard error.
fn verbose(folder: &Folder, arguments: &[&str]) -> (Option<i32>, String, Vec<String>) {
    let given = ["invoke", "-v", "--request-id", "me", "--json"];
    let finished = run(trine(folder, &[&given, arguments].concat()));
    let lines = finished.stderr.lines().map(str::to_owned).collect();
    (finished.code, finished.stdout, lines)
}

in_each_language! {
    invoke_tells_what_the_platform_would(language) {
        let folder = Folder::probe(language);
        let event = r#"{"do":"log","text":"a line"}"#;
        let (code, result, lines) = verbose(&folder, &["probe.handler", "-e", event]);
        assert_eq!((code, result.as_str()), (Some(0), "null\n"), "{lines:?}");
        assert_eq!(lines.len(), 4, "{lines:?}");
        assert_eq!(lines[0], "START RequestId: me Version: $LATEST");
        assert!(lines[1].ends_with("a line"), "{lines:?}");
        assert_eq!(lines[2], "END RequestId: me");
        assert_eq!(shape(&lines[3]), REPORT);
        let quiet = run(trine(&folder, &["invoke", "probe.handler", "-e", event]));
        assert!(!quiet.stderr.contains("RequestId"), "{quiet:?}");
    }

    a_failure_is_part_of_the_report(language) {
        let folder = Folder::probe(language);
        let (code, _, lines) = verbose(&folder, &["probe.handler", "-e", r#"{"do":"fail"}"#]);
        assert_eq!(code, Some(1));
        let report = lines.iter().find(|line| line.starts_with("REPORT")).unwrap();
        let status = "Status: error\tError Type: Function.OutOfStock\t";
        assert_eq!(shape(report), format!("{REPORT}{status}"));
    }

    flags_say_form_and_level_whatever_the_variables_say(language) {
        let folder = Folder::probe(language);
        let event = r#"{"do":"log","text":"a line"}"#;
        let mut command = trine(&folder, &["invoke", "probe.handler", "-e", event, "-v", "--request-id", "me", "--log-format", "json"]);
        command.env("AWS_LAMBDA_LOG_FORMAT", "Text");
        let finished = run(command);
        let lines: Vec<&str> = finished.stderr.lines().collect();
        assert_eq!(lines.len(), 3, "{finished:?}");
        let start = "{\"time\":\"TIME\",\"type\":\"platform.start\",\"record\":{\"requestId\":\"me\",\"version\":\"$LATEST\"}}";
        assert_eq!(timeless(lines[0]), start);
        if language.engine == "python" {
            assert_eq!(lines[1], "a line");
        } else {
            let line = "{\"timestamp\":\"TIME\",\"level\":\"INFO\",\"requestId\":\"me\",\"message\":\"a line\"}";
            assert_eq!(timeless(lines[1]), line);
        }
        let report: Value = serde_json::from_str(lines[2]).unwrap();
        let record = &report["record"];
        assert_eq!((&report["type"], &record["status"]), (&json!("platform.report"), &json!("success")));
        let metrics = record["metrics"].as_object().unwrap();
        let names: Vec<&str> = metrics.keys().map(String::as_str).collect();
        let expected = ["durationMs", "billedDurationMs", "memorySizeMB", "maxMemoryUsedMB", "initDurationMs"];
        assert_eq!(names, expected, "{report}");
        assert!(metrics.values().all(Value::is_number), "{report}");
        let whole = metrics["durationMs"].as_f64().unwrap() + metrics["initDurationMs"].as_f64().unwrap();
        let billed = metrics["billedDurationMs"].as_f64().unwrap();
        assert!((whole - 0.01..whole + 1.01).contains(&billed), "{report}");
    }
}

#[test]
fn a_function_that_cannot_be_loaded_or_is_late_is_reported_so() {
    let folder = Folder::probe(LANGUAGES[0]);
    let (code, _, lines) = verbose(
        &folder,
        &["probe.handler", "--timeout", "200ms", "-e", r#"{"do":"wait","ms":60000}"#],
    );
    assert_eq!(code, Some(6), "{lines:?}");
    let at = lines.iter().position(|line| line == "me Task timed out after 0.20 seconds").unwrap();
    assert_eq!(lines[at + 1], "END RequestId: me");
    assert_eq!(shape(&lines[at + 2]), format!("{REPORT}Status: timeout\t"));
    folder.write("odd.mjs", "throw new TypeError('no database');");
    let (code, _, lines) = verbose(&folder, &["odd.handler"]);
    assert_eq!(code, Some(1), "{lines:?}");
    let report = "INIT_REPORT Init Duration: N ms\tPhase: init\tStatus: error\tError Type: Function.TypeError";
    let told = lines.iter().filter(|line| line.contains("_REPORT")).map(|line| shape(line));
    assert_eq!(told.collect::<Vec<_>>(), [report], "{lines:?}");
    assert!(!lines.iter().any(|line| line.starts_with("START")), "{lines:?}");
}

const LEVELS: &[(&str, &str)] = &[
    (
        "app.mjs",
        "export const handler = () => { console.info('low'); console.error('high'); return process.env.AWS_LAMBDA_LOG_LEVEL ?? null; };",
    ),
    (
        "app.py",
        "import logging, os\ndef handler(event, context):\n    logging.info('low')\n    logging.error('high')\n    return os.environ.get('AWS_LAMBDA_LOG_LEVEL')\n",
    ),
    (
        "app.lua",
        "return { handler = function() trine.log('info', 'low') trine.log('error', 'high') return os.getenv('AWS_LAMBDA_LOG_LEVEL') or null end }",
    ),
];

#[test]
fn the_lowest_level_is_the_flags_else_the_variables() {
    for (file, source) in LEVELS {
        let folder = Folder::new(&[(file, source)]);
        let lows = |flag: &[&str], variable: Option<&str>, told: &str| {
            let mut command = trine(&folder, &[&["invoke", "app.handler"], flag].concat());
            command.envs(variable.map(|level| ("AWS_LAMBDA_LOG_LEVEL", level)));
            let finished = run(command);
            assert_eq!(finished.stdout, format!("{told}\n"), "{file} {finished:?}");
            assert!(finished.stderr.contains("high"), "{file} {finished:?}");
            finished.stderr.contains("low")
        };
        assert!(!lows(&["--log-level", "warn"], None, "\"WARN\""), "{file}");
        assert!(lows(&["--log-level", "INFO"], Some("ERROR"), "\"ERROR\""), "{file}");
        assert!(!lows(&[], Some("Error"), "\"Error\""), "{file}");
        let usual = *file != "app.py";
        assert_eq!(lows(&[], Some("LOUD"), "\"LOUD\""), usual, "{file}");
        assert!(lows(&["--log-format", "JSON"], None, "null"), "{file}");
    }
}

#[test]
fn a_flag_that_makes_no_sense_is_told() {
    let folder = Folder::probe(LANGUAGES[4]);
    for command in ["invoke", "serve", "emulator"] {
        for (flag, value, told) in [
            ("--log-format", "xml", "use JSON or Text"),
            (
                "--log-level",
                "loud",
                "\"loud\" is no log level: use TRACE, DEBUG, INFO, WARN, ERROR or FATAL",
            ),
        ] {
            let finished = run(trine(&folder, &[command, "probe.lua", flag, value]));
            assert_eq!((finished.code, finished.stdout.as_str()), (Some(2), ""), "{finished:?}");
            let first = format!("error: invalid value '{value}' for '{flag} <");
            assert!(finished.stderr.starts_with(&first), "{finished:?}");
            assert!(finished.stderr.contains(told), "{finished:?}");
        }
    }
}

#[test]
fn a_servers_lines_side_by_side_stay_whole_and_bear_their_own_ids() {
    for (file, source) in [
        (
            "app.mjs",
            "export const handler = async (event, context) => {
               for (let n = 0; n < 50; n++) {
                 console.log({ id: context.awsRequestId, fill: 'x'.repeat(n * 97 % 5000) });
                 await new Promise((resolve) => setImmediate(resolve));
               }
               return context.awsRequestId;
             };",
        ),
        (
            "app.py",
            "import asyncio, logging
async def handler(event, context):
    for n in range(50):
        logging.error({'id': context.aws_request_id, 'fill': 'x' * (n * 97 % 5000)})
        await asyncio.sleep(0)
    return context.aws_request_id
",
        ),
        (
            "app.lua",
            "return { handler = function(event, context)
               for n = 1, 50 do
                 trine.log('error', { id = context.aws_request_id, fill = ('x'):rep(n * 97 % 5000) })
                 trine.sleep(0)
               end
               return context.aws_request_id
             end }",
        ),
    ] {
        let folder = Folder::new(&[(file, source)]);
        let served = Served::start(&folder, &[file, "--log-format", "json"]);
        let ids: Vec<String> = std::thread::scope(|scope| {
            let calls: Vec<_> = (0..8).map(|_| scope.spawn(|| served.get("/").text().trim_matches('"').to_owned())).collect();
            calls.into_iter().map(|call| call.join().unwrap()).collect()
        });
        let lines = |log: &str| {
            let whole = log.split_inclusive('\n').filter(|line| line.ends_with('\n'));
            whole.filter(|line| line.contains("fill")).map(str::to_owned).collect::<Vec<_>>()
        };
        let lines = eventually("everything is logged", || {
            let lines = lines(&(served.process.stdout() + &*served.process.stderr()));
            (lines.len() == ids.len() * 50).then_some(lines)
        });
        for id in &ids {
            let own = lines.iter().filter(|line| line.contains(id.as_str()));
            let own = own.map(|line| serde_json::from_str::<Value>(line).unwrap());
            let right = own.filter(|line| line["requestId"] == **id && line["message"]["id"] == **id);
            assert_eq!(right.count(), 50, "{file}");
        }
    }
}

#[test]
fn the_emulators_platform_and_its_functions_write_json_where_that_is_asked_for() {
    for (file, source) in LEVELS {
        let folder = Folder::new(&[(file, source)]);
        let arguments =
            ["emulator", "--port", "0", "--log-format", "json", "--log-level", "error", file];
        let process = crate::support::Process::start(trine(&folder, &arguments));
        let address = eventually("the emulator says where it listens", || {
            let text = process.stdout();
            let (_, rest) = text.split_once("--endpoint-url http://")?;
            rest.lines().next()?.parse().ok()
        });
        let path = "/2015-03-31/functions/app/invocations";
        let reply = Connection::open(address).exchange("POST", path, &[], b"{}");
        assert_eq!(reply.json(), json!("ERROR"), "{process:?}");
        let log = eventually("there is a report", || {
            let log = process.stdout() + &*process.stderr();
            log.contains("platform.report").then_some(log)
        });
        let lines: Vec<Value> = log
            .lines()
            .filter(|line| line.starts_with('{'))
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let told = lines.iter().map(|line| match line["type"].as_str() {
            Some(kind) => format!("{kind} {}", line["record"]["requestId"]),
            None => format!("{} {}", line["message"], line["requestId"]),
        });
        let id = json!(reply.header("x-amzn-requestid").unwrap());
        let expected = [
            format!("platform.start {id}"),
            format!("\"high\" {id}"),
            format!("platform.report {id}"),
        ];
        assert_eq!(told.collect::<Vec<_>>(), expected, "{log}");
        assert_eq!(lines[2]["record"]["status"], "success");
        assert!(lines[2]["record"]["metrics"]["initDurationMs"].is_number(), "{log}");
    }
}
