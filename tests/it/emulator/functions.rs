//! Functions that the emulator runs itself: files and folders of them, their environments, their log, their changes.

use super::{emulator, invoke, listening};
use crate::support::{Connection, Folder, LANGUAGES, Reply, binary, eventually, run, trine};
use serde_json::{Value, json};
use std::{net::SocketAddr, thread};

/// Invokes a function by its name.
pub(super) fn call(
    address: SocketAddr,
    name: &str,
    headers: &[(&str, &str)],
    event: &Value,
) -> Reply {
    let path = format!("/2015-03-31/functions/{name}/invocations");
    Connection::open(address).exchange("POST", &path, headers, event.to_string().as_bytes())
}

/// Returns the log that came with an answer.
fn log_of(reply: &Reply) -> String {
    let encoded = reply.header("x-amz-log-result").unwrap_or_else(|| panic!("no log: {reply:?}"));
    let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bytes = Vec::new();
    let (mut bits, mut count) = (0_u32, 0);
    for digit in encoded.bytes().filter(|byte| *byte != b'=') {
        bits = bits << 6 | digits.iter().position(|known| *known == digit).unwrap() as u32;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    String::from_utf8(bytes).unwrap()
}

#[test]
fn a_file_is_run_by_this_program() {
    for language in LANGUAGES {
        let folder = Folder::probe(language);
        let file = format!("probe.{}", language.extension);
        let (process, address) = emulator(&folder, &[&file]);
        let tail = [("x-amz-log-type", "Tail")];
        let reply = call(address, "probe", &tail, &json!({"do": "context"}));
        assert_eq!((reply.status, &reply.json()["name"]), (200, &json!("probe")), "{process:?}");
        let log = log_of(&reply);
        let id = reply.header("x-amzn-requestid").unwrap();
        assert!(log.starts_with(&format!("START RequestId: {id} Version: $LATEST\n")), "{log}");
        assert!(
            log.contains(&format!("\nEND RequestId: {id}\nREPORT RequestId: {id}\tDuration: ")),
            "{log}"
        );
        for part in
            ["\tBilled Duration: ", "\tMemory Size: 128 MB\tMax Memory Used: ", "\tInit Duration: "]
        {
            assert!(log.contains(part), "{part:?} in {log}");
        }
        let second = log_of(&call(address, "probe", &tail, &json!({})));
        assert!(!second.contains("Init Duration"), "{second}");
        for stray in ["/", "/favicon.ico"] {
            assert_eq!(Connection::open(address).exchange("GET", stray, &[], b"").status, 404);
        }
        process.signal("INT");
        let finished = process.finish();
        assert_eq!((finished.code, finished.stderr.as_str()), (Some(0), ""), "{finished:?}");
        assert!(finished.stdout.contains(&second), "{finished:?}");
    }
}

#[test]
fn a_folder_is_a_function_for_each_of_its_files() {
    let folder = Folder::new(&[
        (
            "one.py",
            "def handler(event, context):\n    print('of one')\n    return [context.function_name, __file__]\n",
        ),
        (
            "two.mjs",
            "export const handler = async (event, context) => [context.functionName, process.cwd()];",
        ),
        (
            "three/handler.lua",
            "return { handler = function(event, context) return { context.function_name } end }",
        ),
        ("three/handler.py", "def handler(event, context):\n    return 'python'\n"),
        ("notes.txt", "nothing"),
    ]);
    let (process, address) = emulator(&folder, &["."]);
    let one = call(address, "one", &[], &json!({})).json();
    assert_eq!(one[0], "one", "{process:?}");
    assert!(one[1].as_str().unwrap().ends_with("/one.py"), "{one}");
    let two = call(address, "two", &[], &json!({})).json();
    assert_eq!(two, json!(["two", folder.task()]), "{process:?}");
    assert_eq!(call(address, "three-lua", &[], &json!({})).json(), json!(["three-lua"]));
    assert_eq!(call(address, "three-python", &[], &json!({})).json(), json!("python"));
    let unknown = call(address, "function", &[], &json!({}));
    assert_eq!(
        (unknown.status, unknown.header("x-amzn-errortype")),
        (404, Some("ResourceNotFoundException"))
    );
    let listed =
        Connection::open(address).exchange("GET", "/2015-03-31/functions", &[], b"").json();
    let names: Vec<&Value> =
        listed["Functions"].as_array().unwrap().iter().map(|one| &one["FunctionName"]).collect();
    assert_eq!(names, ["one", "three-lua", "three-python", "two"]);
    eventually("the log says whose line it is", || {
        process.stdout().contains("one | of one\n").then_some(())
    });
    process.signal("INT");
    assert_eq!(process.finish().code, Some(0));
}

#[test]
fn environments_are_added_while_callers_wait() {
    let folder = Folder::new(&[(
        "app.py",
        "import os, time\ndef handler(event, context):\n    while event and not os.path.exists(event):\n        time.sleep(0.01)\n    return os.getpid()\n",
    )]);
    let (process, address) = emulator(&folder, &["app.py", "--concurrency", "2"]);
    let go = folder.file("go");
    let event = json!(go);
    let slow = || {
        let event = event.clone();
        thread::spawn(move || invoke(address, &event))
    };
    let (one, two) = (slow(), slow());
    eventually("both are busy", || {
        (process.stdout().matches("START RequestId: ").count() == 2).then_some(())
    });
    let beyond = invoke(address, &json!(""));
    let told = (beyond.status, beyond.header("x-amzn-errortype"));
    assert_eq!(told, (429, Some("TooManyRequestsException")));
    let queued = [("x-amz-invocation-type", "Event")];
    assert_eq!(call(address, "app", &queued, &json!("")).status, 202);
    folder.write("go", "");
    let (one, two) = (one.join().unwrap().json(), two.join().unwrap().json());
    assert_ne!(one, two, "each has a process of its own");
    assert!(one.is_number() && two.is_number(), "{one} {two}");
    eventually("the queued event is run", || {
        process.stdout().contains("has succeeded").then_some(())
    });
    process.signal("INT");
    assert_eq!(process.finish().code, Some(0));
}

#[test]
fn an_environment_takes_as_many_events_as_it_may() {
    for (file, source) in [
        (
            "app.mjs",
            "import { existsSync } from 'node:fs';
export const handler = async (event) => {
  console.log(`mark ${event}`);
  while (event && !existsSync(event)) await new Promise((done) => setTimeout(done, 5));
  return process.pid;
};",
        ),
        (
            "app.py",
            "import logging, os, time
def handler(event, context):
    logging.warning(f'mark {event}')
    while event and not os.path.exists(event): time.sleep(.005)
    return os.getpid()
",
        ),
    ] {
        let folder = Folder::new(&[(file, source)]);
        let line = [file, "--concurrency", "1", "--max-concurrency", "3"];
        let (process, address) = emulator(&folder, &line);
        let go = |number: usize| folder.file(&format!("go{number}"));
        let calls: Vec<_> = (0..3)
            .map(|number| {
                let event = json!(go(number));
                thread::spawn(move || call(address, "app", &[("x-amz-log-type", "Tail")], &event))
            })
            .collect();
        eventually("all run", || (process.stdout().matches("mark ").count() == 3).then_some(()));
        assert_eq!(invoke(address, &json!("")).status, 429, "{process:?}");
        (0..3).for_each(|number| folder.write(&format!("go{number}"), ""));
        let replies: Vec<Reply> = calls.into_iter().map(|call| call.join().unwrap()).collect();
        let pids: Vec<Value> = replies.iter().map(Reply::json).collect();
        assert!(pids.iter().all(|pid| pid.is_number() && *pid == pids[0]), "{pids:?} {process:?}");
        for (number, reply) in replies.iter().enumerate() {
            let log = log_of(reply);
            for other in 0..3 {
                let mark = format!("mark {}", go(other));
                assert_eq!(log.contains(&mark), other == number, "{number} {log}");
            }
            assert!(log.contains("START RequestId: ") && log.contains("REPORT"), "{log}");
        }
        process.signal("INT");
        assert_eq!(process.finish().code, Some(0));
    }
}

#[test]
fn environments_start_from_a_snapshot() {
    let folder = Folder::new(&[(
        "app.py",
        "from snapshot_restore_py import register_after_restore, register_before_snapshot
import os
seen = []
register_before_snapshot(lambda: seen.append('before'))
register_after_restore(lambda: seen.append('after'))
def handler(event, context): return seen + [os.environ['AWS_LAMBDA_INITIALIZATION_TYPE']]
",
    )]);
    let (process, address) = emulator(&folder, &["app.py", "--snap-start"]);
    for _ in 0..2 {
        let seen = invoke(address, &json!({})).json();
        assert_eq!(seen, json!(["before", "after", "snap-start"]), "{process:?}");
    }
    process.signal("INT");
    assert_eq!(process.finish().code, Some(0));
}

#[test]
fn files_that_change_take_effect() {
    let folder = Folder::new(&[("app.lua", "return { handler = function() return 1 end }")]);
    let (process, address) = emulator(&folder, &["app.lua", "--watch"]);
    assert_eq!(invoke(address, &json!({})).json(), 1);
    let answers = |expected: &Value| {
        eventually(&format!("{expected} is the answer\n{process:?}"), || {
            let reply = invoke(address, &json!({}));
            (reply.json() == *expected || reply.json()["errorType"] == *expected).then_some(())
        });
    };
    folder.write("app.lua", "return { handler = function() return 22 end }");
    answers(&json!(22));
    folder.write("app.lua", "return { handler = function( return 3 end }");
    answers(&json!("Runtime.UserCodeSyntaxError"));
    folder.write("app.lua", "return { handler = function() return 4444 end }");
    answers(&json!(4444));
    assert!(process.stdout().contains("/app.lua has changed\n"), "{process:?}");
    process.signal("INT");
    assert_eq!(process.finish().code, Some(0));
}

#[test]
fn a_failure_to_start_is_told_once() {
    for (file, text, error) in [
        ("app.py", "raise ValueError('out of order')\n", "out of order"),
        ("app.mjs", "throw new Error('out of order');\n", "out of order"),
        ("app.lua", "error('out of order')\n", "out of order"),
    ] {
        let folder = Folder::new(&[(file, text)]);
        let finished = run(trine(&folder, &["emulator", "--port", "0", file]));
        assert_eq!(finished.code, Some(1), "{finished:?}");
        let all = finished.stdout.clone() + &finished.stderr;
        // Once in the record, and where a language shows the line of code.
        let told = all.lines().filter(|line| line.contains(error) && !line.contains(text.trim()));
        assert_eq!(told.count(), 1, "{all}");
        let end = format!("/{file} ended before it asked for an event: exit status: 1\n");
        assert!(finished.stderr.ends_with(&end), "{finished:?}");
    }
}

#[test]
fn an_invocation_whose_time_is_up_costs_its_process() {
    // A process that is stopped cannot answer for itself.
    let folder = Folder::new(&[(
        "app.py",
        "import os, signal\ncount = 0\ndef handler(event, context):\n    global count\n    count += 1\n    if event:\n        os.kill(os.getpid(), signal.SIGSTOP)\n    return count\n",
    )]);
    let command = trine(&folder, &["emulator", "--port", "0", "--timeout", "3s", "app.py"]);
    let (process, address) = listening(command);
    assert_eq!(invoke(address, &json!(false)).json(), 1);
    assert_eq!(invoke(address, &json!(false)).json(), 2);
    let late = call(address, "app", &[], &json!(true));
    assert_eq!(late.header("x-amz-function-error"), Some("Unhandled"), "{process:?}");
    assert_eq!(late.json()["errorType"], "Sandbox.Timedout", "{process:?}");
    assert_eq!(invoke(address, &json!(false)).json(), 1, "{process:?}");
    let log = process.stdout();
    assert!(log.contains("Task timed out after 3.00 seconds\n"), "{log}");
    assert!(log.contains("\tStatus: timeout\t\n"), "{log}");
}

#[test]
fn a_function_url_is_the_function_as_a_server() {
    let folder = Folder::new(&[
        (
            "shop.py",
            "def handler(event, context):\n    return {'statusCode': 201, 'headers': {'x-path': event['rawPath']}, 'body': event['body']}\n",
        ),
        ("plain.lua", "return { handler = function(event) return { path = event.rawPath } end }"),
    ]);
    let (process, _) = emulator(&folder, &[".", "--url-port", "0"]);
    let port: u16 = eventually("the URLs are told", || {
        let text = process.stdout();
        let (_, rest) = text.split_once("# function URL: http://shop.localhost:")?;
        rest.split_once('/')?.0.parse().ok()
    });
    let ask = |host: &str| {
        let mut connection = Connection::open(([127, 0, 0, 1], port).into());
        let head = format!(
            "POST /a/b HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nhi"
        );
        connection.write(head.as_bytes());
        connection.receive("POST")
    };
    let shop = ask("shop.localhost");
    assert_eq!((shop.status, shop.header("x-path"), shop.text()), (201, Some("/a/b"), "hi"));
    let plain = ask("plain.localhost");
    assert_eq!((plain.status, plain.json()), (200, json!({"path": "/a/b"})));
    let unknown = ask("127.0.0.1");
    assert_eq!(unknown.status, 404);
    assert!(unknown.text().contains("one of plain, shop"), "{unknown:?}");
    process.signal("INT");
    assert_eq!(process.finish().code, Some(0));
}

#[test]
fn paths_that_make_no_sense_are_told() {
    let folder = Folder::new(&[
        ("a/app.py", "def handler(event, context):\n    return 1\n"),
        ("b/app.py", "def handler(event, context):\n    return 2\n"),
    ]);
    let told = |arguments: &[&str], code: i32, text: &str| {
        let finished = run(trine(&folder, &[&["emulator", "--port", "0"], arguments].concat()));
        assert_eq!(finished.code, Some(code), "{finished:?}");
        assert!(finished.stderr.contains(text), "{text:?} in {finished:?}");
    };
    told(&["a/nothing.py"], 1, "there is no folder and no file 'a/nothing.py'");
    told(&["a/app.py", "b/app.py"], 1, "are both called \"app\"");
    told(
        &["a/app.py", "--handler", "app.handler"],
        2,
        "--handler names the handler where no path does",
    );
    told(&[".", "--name", "x"], 2, "--name is the name of one function, and here are 2");
    told(&["a/app.py", "--concurrency", "0"], 2, "--concurrency");
    told(&["a/app.py", "--max-concurrency", "0"], 2, "--max-concurrency");
    told(&["a/app.py", "--max-concurrency", "2", "--snap-start"], 2, "--snap-start");
}

#[test]
fn another_runtime_runs_the_functions_of_a_path() {
    let folder =
        Folder::new(&[("src/app.lua", "return { handler = function() return 'other' end }")]);
    let line = format!("pwd > where; TRINE=1 exec {} app.lua", binary());
    let (_process, address) = emulator(&folder, &["src/app.lua", "--", "sh", "-c", &line]);
    assert_eq!(invoke(address, &json!({})).json(), "other");
    let place = std::fs::read_to_string(folder.file("src/where")).unwrap();
    assert!(place.trim_end().ends_with("/src"), "{place}");
}
