//! Logs through the platform's descriptor: `_LAMBDA_TELEMETRY_LOG_FD`.

use crate::support::{Folder, Lambda, ask, timeless};
use serde_json::{Value, json};
use std::process::Command;

/// Has a shell start a command with a file open as descriptor 7, which the variable names.
fn framed(command: &mut Command) {
    let mut shell = Command::new("sh");
    let line = "exec 7>frames; export _LAMBDA_TELEMETRY_LOG_FD=7; exec \"$0\"";
    shell.args(["-c", line]).arg(command.get_program()).env_clear();
    shell.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    if let Some(folder) = command.get_current_dir() {
        shell.current_dir(folder);
    }
    *command = shell;
}

/// Reads the frames that a function has written: the type, and the text without times.
fn frames(folder: &Folder, request_id: &str) -> Vec<(u32, String)> {
    let bytes = std::fs::read(folder.task().join("frames")).unwrap();
    let mut rest = bytes.as_slice();
    let mut frames = Vec::new();
    let mut before = 1_700_000_000_000_000;
    while !rest.is_empty() {
        let number = |at: usize| u32::from_be_bytes(rest[at..at + 4].try_into().unwrap());
        let (kind, length) = (number(0), number(4) as usize);
        let time = u64::from_be_bytes(rest[8..16].try_into().unwrap());
        assert!(before <= time && time < before + 10_u64.pow(15), "{time} after {before}");
        before = time;
        let text = timeless(std::str::from_utf8(&rest[16..16 + length]).unwrap());
        let text = text.replace(folder.task().to_str().unwrap(), "/task");
        frames.push((kind, text.replace(request_id, "ID")));
        rest = &rest[16 + length..];
    }
    frames
}

/// Whether there is nothing in it. An empty table of Lua's is an object.
fn is_empty(found: &Value) -> bool {
    [json!([]), json!({})].contains(found)
}

/// Runs a handler that succeeds, and one that fails after it; returns the frames and what went to the standard outputs.
fn run(
    file: &str,
    source: &str,
    format: &str,
    level: Option<&str>,
) -> (Vec<(u32, String)>, String) {
    let folder = Folder::new(&[(file, source)]);
    let lambda = Lambda::with(&folder, |command| {
        command.env("_HANDLER", "app.handler").env("AWS_LAMBDA_LOG_FORMAT", format);
        command.envs(level.map(|level| ("AWS_LAMBDA_LOG_LEVEL", level)));
        framed(command);
    });
    let outcome = lambda.outcome(json!({"do": "log"}));
    assert!(outcome.is_response(), "{outcome:?}");
    assert!(is_empty(&outcome.json()), "the variable is the runtime's: {outcome:?}");
    let (failed, _) = lambda.fail(ask("fail"));
    let printed = lambda.logged("printed\n");
    let mut frames = frames(&folder, &outcome.request_id);
    for (_, text) in &mut frames {
        *text = text.replace(&failed.request_id, "ID");
    }
    (frames, printed)
}

fn of(base: u32, frames: &[(u32, &str)]) -> Vec<(u32, String)> {
    frames.iter().map(|(low, text)| (base | low, (*text).to_owned())).collect()
}

const FRAMES: u32 = 0xA55A_0000;

const JAVASCRIPT: &str = "\
export const handler = async ({ do: what }) => {
  if (what === 'fail') throw Object.assign(new Error('no'), { stack: 'Error: no' });
  for (const level of ['trace', 'debug', 'info', 'warn', 'error', 'fatal']) console[level](level);
  console.log('two\\nlines é');
  process.stdout.write('printed\\n');
  return Object.keys(process.env).filter((name) => name.includes('TELEMETRY'));
};
";

#[test]
fn javascripts_lines_are_frames_of_their_levels() {
    let (frames, printed) = run("app.mjs", JAVASCRIPT, "Text", None);
    assert_eq!(
        frames,
        of(
            FRAMES,
            &[
                (0x07, "TIME\tID\tTRACE\ttrace\n"),
                (0x0B, "TIME\tID\tDEBUG\tdebug\n"),
                (0x0F, "TIME\tID\tINFO\tinfo\n"),
                (0x13, "TIME\tID\tWARN\twarn\n"),
                (0x17, "TIME\tID\tERROR\terror\n"),
                (0x1B, "TIME\tID\tFATAL\tfatal\n"),
                (0x0F, "TIME\tID\tINFO\ttwo\nlines é\n"),
                (
                    0x17,
                    "TIME\tID\tERROR\tInvoke Error \t{\"errorType\":\"Error\",\"errorMessage\":\"no\",\"stack\":[\"Error: no\"]}\n"
                ),
            ]
        )
    );
    assert_eq!(printed, "printed\n");
    let (frames, printed) = run("app.mjs", JAVASCRIPT, "JSON", Some("error"));
    let line = |level: &str, message: &str| {
        format!(
            "{{\"timestamp\":\"TIME\",\"level\":\"{level}\",\"requestId\":\"ID\",\"message\":{message}}}"
        )
    };
    let failure = r#"{"errorType":"Error","errorMessage":"no","stackTrace":["Error: no"]}"#;
    assert_eq!(
        frames,
        of(
            FRAMES,
            &[
                (0x16, &line("ERROR", "\"error\"")),
                (0x1A, &line("FATAL", "\"fatal\"")),
                (0x16, &line("ERROR", failure)),
            ]
        )
    );
    assert_eq!(printed, "printed\n");
}

const PYTHON: &str = "\
import logging, os

def handler(event, context):
    if event['do'] == 'fail':
        raise ValueError('no')
    logging.info('hidden')
    logging.warning('two\\nlines é')
    logging.log(45, 'between')
    context.log('as it is')
    print('printed')
    return [name for name in os.environ if 'TELEMETRY' in name]
";

#[test]
fn pythons_records_are_frames_whose_levels_are_told_where_somebody_wants_them() {
    let failure = "[ERROR] ValueError: no\nTraceback (most recent call last):\n\u{a0}\u{a0}File \"/task/app.py\", line 5, in \
                   handler\n\u{a0}\u{a0}\u{a0}\u{a0}raise ValueError('no')";
    for (level, warning, error) in [(None, 0x03, 0x03), (Some("WARN"), 0x13, 0x17)] {
        let (frames, printed) = run("app.py", PYTHON, "Text", level);
        assert_eq!(
            frames,
            of(
                FRAMES,
                &[
                    (warning, "[WARNING]\tTIME\tID\ttwo\nlines é\n"),
                    (error, "[Level 45]\tTIME\tID\tbetween\n"),
                    (0x03, "as it is"),
                    (0x17, failure),
                ]
            ),
            "{level:?}"
        );
        assert_eq!(printed, "printed\n");
    }
    let (frames, printed) = run("app.py", PYTHON, "JSON", None);
    let line = |level: &str, message: &str| {
        format!(
            "{{\"timestamp\": \"TIME\", \"level\": \"{level}\", \"message\": \"{message}\", \"logger\": \"root\", \"requestId\": \"ID\"}}\n"
        )
    };
    assert_eq!(
        frames,
        of(
            FRAMES,
            &[
                (0x0E, &line("INFO", "hidden")),
                (0x12, &line("WARNING", "two\\nlines é")),
                (0x16, &line("ERROR", "between")),
                (0x03, "as it is"),
                (
                    0x16,
                    "{\"timestamp\": \"TIME\", \"level\": \"ERROR\", \"errorMessage\": \"no\", \"errorType\": \"ValueError\", \
                     \"requestId\": \"ID\", \"stackTrace\": [\"  File \\\"/task/app.py\\\", line 5, in handler\\n    \
                     raise ValueError('no')\\n\"]}"
                ),
            ]
        )
    );
    assert_eq!(printed, "printed\n");
}

const LUA: &str = "\
return { handler = function(event)
  if event['do'] == 'fail' then error({ type = 'Odd', message = 'no', stack = '' }) end
  trine.log('debug', 'two\\nlines é')
  trine.log('fatal', 'fatal')
  print('printed')
  return { os.getenv('_LAMBDA_TELEMETRY_LOG_FD') }
end }
";

#[test]
fn luas_lines_are_frames_of_their_levels() {
    let (frames, printed) = run("app.lua", LUA, "Text", None);
    assert_eq!(
        frames[..2],
        of(
            FRAMES,
            &[(0x0B, "TIME\tID\tDEBUG\ttwo\nlines é\n"), (0x1B, "TIME\tID\tFATAL\tfatal\n")]
        )
    );
    let (kind, failure) = &frames[2];
    let head = "TIME\tID\tERROR\tInvoke Error \t{\"errorType\":\"Odd\",\"errorMessage\":\"no\",\"stack\":[";
    assert!(*kind == FRAMES | 0x17 && failure.starts_with(head), "{failure}");
    assert!(failure.ends_with("]}\n") && frames.len() == 3, "{failure}");
    assert_eq!(printed, "printed\n");
}

#[test]
fn in_json_what_lua_prints_is_a_frame_too() {
    let folder = Folder::new(&[("app.lua", LUA)]);
    let lambda = Lambda::with(&folder, |command| {
        command.env("_HANDLER", "app.handler").env("AWS_LAMBDA_LOG_FORMAT", "JSON");
        framed(command);
    });
    let outcome = lambda.outcome(json!({"do": "log"}));
    let line = |level: &str, message: &str| {
        format!(
            "{{\"timestamp\":\"TIME\",\"level\":\"{level}\",\"requestId\":\"ID\",\"message\":\"{message}\"}}"
        )
    };
    assert_eq!(
        frames(&folder, &outcome.request_id),
        of(
            FRAMES,
            &[
                (0x0A, &line("DEBUG", "two\\nlines é")),
                (0x1A, &line("FATAL", "fatal")),
                (0x0E, &line("INFO", "printed")),
            ]
        )
    );
}

#[test]
fn a_descriptor_that_is_none_leaves_the_log_where_it_was() {
    for (file, source) in [("app.mjs", JAVASCRIPT), ("app.py", PYTHON), ("app.lua", LUA)] {
        for number in ["99", "-1", "x", "", "4000000000"] {
            let folder = Folder::new(&[(file, source)]);
            let lambda = Lambda::with(&folder, |command| {
                command.env("_HANDLER", "app.handler").env("_LAMBDA_TELEMETRY_LOG_FD", number);
            });
            let outcome = lambda.outcome(json!({"do": "log"}));
            assert!(is_empty(&outcome.json()), "{file} {number}: {outcome:?}");
            lambda.fail(ask("fail"));
            let log = lambda.logged("printed\n");
            assert!(log.contains("lines é\n"), "{file} {number}\n{log}");
        }
    }
}
