//! Logs of functions that write much, odd bytes, and side by side.

use crate::support::{Folder, LIMIT, Lambda, eventually};
use serde_json::{Value, json};
use std::{collections::BTreeMap, io::Read, os::unix::net::UnixListener, thread};
use trine_emulator::{EmulatorOptions, Event};

/// Runs `handler`; returns the bytes that its process has written to standard output by its end.
fn written(file: &str, source: &str, format: &str) -> Vec<u8> {
    let folder = Folder::new(&[(file, source)]);
    let lambda = Lambda::with(&folder, |command| {
        command.env("_HANDLER", "app.handler").env("AWS_LAMBDA_LOG_FORMAT", format);
    });
    let outcome = lambda.outcome(json!({}));
    assert!(outcome.is_response(), "{outcome:?}\n{:?}", lambda.process);
    lambda.process.signal("TERM");
    lambda.process.finish().raw_stdout
}

/// Each byte there is.
fn noise() -> Vec<u8> {
    (0..=255).collect()
}

#[test]
fn any_bytes_are_written_as_they_are() {
    for (file, source) in [
        (
            "app.mjs",
            "export const handler = async () => {
               const noise = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
               process.stdout.write(noise);
               process.stdout.write(new Uint8Array(noise));
             };",
        ),
        (
            "app.py",
            "import os, sys\ndef handler(event, context):\n    sys.stdout.buffer.write(bytes(range(256)))\n    sys.stdout.flush()\n    os.write(1, bytes(range(256)))\n",
        ),
        (
            "app.lua",
            "return { handler = function()
               local bytes = {}
               for byte = 0, 255 do bytes[#bytes + 1] = string.char(byte) end
               io.write(table.concat(bytes), '\\n')
               io.stdout:write(table.concat(bytes), '\\n')
             end }",
        ),
    ] {
        let mut expected = noise();
        if file == "app.lua" {
            expected.push(b'\n');
        }
        for format in ["Text", "JSON"] {
            if format == "JSON" && file == "app.lua" {
                continue;
            }
            let written = written(file, source, format);
            assert_eq!(written, [&*expected, &expected].concat(), "{file} {format}");
        }
    }
    let source = "return { handler = function() print('\\xff\\0\\x80') io.write('a\\xfe\\n') end }";
    let log = String::from_utf8(written("app.lua", source, "JSON")).unwrap();
    let messages = log.lines().map(|line| {
        let line: Value = serde_json::from_str(line).unwrap();
        line["message"].as_str().unwrap().to_owned()
    });
    assert_eq!(messages.collect::<Vec<_>>(), ["\u{fffd}\0\u{fffd}", "a\u{fffd}"]);
}

#[test]
fn a_long_line_is_one_line() {
    const LONG: usize = 3 << 20;
    for (file, source) in [
        ("app.mjs", "export const handler = async () => console.log('é'.repeat(3 * 2 ** 20 / 2));"),
        (
            "app.py",
            "import logging\ndef handler(event, context):\n    logging.error('é' * (3 * 2 ** 20 // 2))\n",
        ),
        (
            "app.lua",
            "return { handler = function() trine.log('info', ('é'):rep(3 * 2 ^ 20 // 2 | 0)) end }",
        ),
    ] {
        let long = "é".repeat(LONG / 2);
        let text = String::from_utf8(written(file, source, "Text")).unwrap();
        assert_eq!(text.matches('\n').count(), 1, "{file}");
        assert!(text.ends_with(&format!("\t{long}\n")), "{file}: {} bytes", text.len());
        let line = String::from_utf8(written(file, source, "JSON")).unwrap();
        assert_eq!(line.matches('\n').count(), 1, "{file}");
        let line: Value = serde_json::from_str(&line).unwrap();
        assert!(line["message"] == long.as_str(), "{file}");
    }
    let source = "def handler(event, context):\n    print('x' * (3 * 2 ** 20))\n";
    assert_eq!(written("app.py", source, "JSON").len(), LONG + 1);
    let source = "return { handler = function() print(('x'):rep(3 * 2 ^ 20 | 0)) end }";
    assert_eq!(written("app.lua", source, "Text").len(), LONG + 1);
}

/// Handlers that write many lines, give way to others between two of them, and say in each whose it should be.
const TALKERS: &[(&str, &str)] = &[
    (
        "app.mjs",
        "export const handler = async (event, { awsRequestId, tenantId }) => {
           for (let n = 0; n < event.count; n++) {
             console.log({ id: awsRequestId, tenant: tenantId, n, fill: 'x'.repeat(n * 97 % 9000) });
             await new Promise((resolve) => n % 2 ? setImmediate(resolve) : setTimeout(resolve, 0));
           }
         };",
    ),
    (
        "app.py",
        "import asyncio, logging
async def handler(event, context):
    for n in range(event['count']):
        logging.error({'id': context.aws_request_id, 'tenant': context.tenant_id, 'n': n, 'fill': 'x' * (n * 97 % 9000)})
        await asyncio.sleep(0)
        if n % 10 == 0:
            await asyncio.to_thread(logging.error, {'id': context.aws_request_id, 'tenant': context.tenant_id, 'n': n})
",
    ),
    (
        "app.py",
        "import logging, time
def handler(event, context):
    for n in range(event['count']):
        logging.error({'id': context.aws_request_id, 'tenant': context.tenant_id, 'n': n, 'fill': 'x' * (n * 97 % 9000)})
        time.sleep(0)
",
    ),
    (
        "app.lua",
        "return { handler = function(event, context)
           for n = 0, event.count - 1 do
             trine.log('error', { id = context.aws_request_id, tenant = context.tenant_id, n = n, fill = ('x'):rep(n * 97 % 9000) })
             trine.sleep(0)
           end
         end }",
    ),
];

const COUNT: u64 = 200;

#[test]
fn lines_of_invocations_side_by_side_stay_whole_and_bear_their_own_ids() {
    for (file, source) in TALKERS {
        let folder = Folder::new(&[(file, source)]);
        let options = EmulatorOptions {
            timeout: LIMIT,
            init_timeout: LIMIT,
            concurrency: 4,
            ..EmulatorOptions::default()
        };
        let lambda = Lambda::under(options, &folder, |command| {
            command.env("_HANDLER", "app.handler");
        });
        let ids: Vec<String> = thread::scope(|scope| {
            let calls: Vec<_> = (0..8)
                .map(|n| {
                    let event = Event {
                        tenant_id: Some(format!("tenant {n}")),
                        ..Event::from(json!({"count": COUNT}))
                    };
                    scope.spawn(|| lambda.outcome(event))
                })
                .collect();
            let outcomes = calls.into_iter().map(|call| call.join().unwrap());
            outcomes
                .map(|outcome| {
                    assert!(outcome.is_response(), "{outcome:?}\n{:?}", lambda.process);
                    outcome.request_id
                })
                .collect()
        });
        let lines = eventually("everything is logged", || {
            let log = lambda.process.stdout();
            let whole = log.ends_with('\n').then_some(log)?;
            let least = ids.len() * COUNT as usize;
            (whole.matches("\"fill\"").count() >= least)
                .then(|| whole.lines().map(str::to_owned).collect::<Vec<String>>())
        });
        let mut next: BTreeMap<String, u64> = BTreeMap::new();
        for line in lines {
            let line: Value =
                serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
            let (message, id) = (&line["message"], line["requestId"].as_str().unwrap());
            assert_eq!(
                (&message["id"], &message["tenant"]),
                (&line["requestId"], &line["tenantId"])
            );
            if message.get("fill").is_some() {
                let next = next.entry(id.to_owned()).or_default();
                assert_eq!(message["n"], *next, "{line}");
                *next += 1;
            }
        }
        let expected: BTreeMap<String, u64> = ids.into_iter().map(|id| (id, COUNT)).collect();
        assert_eq!(next, expected, "{file}");
    }
}

/// What was read of each of two connections, until both contain these texts.
fn read_both(listener: &UnixListener, texts: [&str; 2]) -> [String; 2] {
    let readers = texts.map(|text| {
        let (mut connection, _) = listener.accept().unwrap();
        let text = text.to_owned();
        thread::spawn(move || {
            connection.set_read_timeout(Some(LIMIT)).unwrap();
            let (mut all, mut piece) = (String::new(), [0; 4096]);
            while !all.contains(&text) {
                let read = connection.read(&mut piece).unwrap();
                assert!(read > 0, "{text:?} in {all:?}");
                all.push_str(std::str::from_utf8(&piece[..read]).unwrap());
            }
            all
        })
    });
    readers.map(|reader| reader.join().unwrap())
}

#[test]
fn on_managed_instances_logs_go_to_the_platforms_socket() {
    for (file, source) in [
        (
            "app.mjs",
            "export const handler = async () => {
               console.log('two\\nlines'); console.error('error'); process.stderr.write('raw\\n');
             };",
        ),
        (
            "app.py",
            "import logging, sys
def handler(event, context):
    logging.info('two\\nlines')
    logging.error('error')
    sys.stderr.write('raw\\n')
",
        ),
        (
            "app.lua",
            "return { handler = function() trine.log('info', 'two\\nlines') trine.log('error', 'error') io.stderr:write('raw\\n') end }",
        ),
    ] {
        let folder = Folder::new(&[(file, source)]);
        let path = folder.task().join("socket");
        let listener = UnixListener::bind(&path).unwrap();
        let options = EmulatorOptions {
            timeout: LIMIT,
            init_timeout: LIMIT,
            concurrency: 2,
            ..EmulatorOptions::default()
        };
        let lambda = Lambda::under(options, &folder, |command| {
            command.env("_HANDLER", "app.handler").env("AWS_LAMBDA_LOG_FORMAT", "Text");
            command.env("_LAMBDA_TELEMETRY_LOG_FD_PROVIDER_SOCKET", &path);
        });
        let outcome = lambda.outcome(json!({}));
        assert!(outcome.is_response(), "{outcome:?}");
        // Lua's output is a record, too, and all records go to the first.
        let texts = if file == "app.lua" { ["raw", ""] } else { ["\"error\"", "raw\n"] };
        let [records, raw] = read_both(&listener, texts);
        assert_eq!(raw, if file == "app.lua" { "" } else { "raw\n" });
        let messages = records.lines().map(|line| {
            let line: Value = serde_json::from_str(line).unwrap();
            assert_eq!(line["requestId"], *outcome.request_id, "{line}");
            line["message"].as_str().unwrap().to_owned()
        });
        let messages: Vec<String> = messages.collect();
        assert_eq!(messages[..2], ["two\nlines", "error"], "{records}");
        assert_eq!(lambda.process.stdout() + &*lambda.process.stderr(), "");
    }
}
