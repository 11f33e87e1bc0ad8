//! What JavaScript has begun with files when it answers: it is whole before the next event is asked for, because the
//! platform may stop the process then.

use crate::support::{Exchange, Folder, Platform, Process, Served, eventually};
use serde_json::json;
use std::process::Command;

/// A log that is written in the background, line after line, as loggers do that do not block.
const LOGGER: &str = "
import { appendFile, createWriteStream, open } from 'node:fs';
import { appendFile as append } from 'node:fs/promises';
import { gzip } from 'node:zlib';

const stream = createWriteStream('stream.log', { flags: 'a' });
function line(left) {
  if (left > 0) appendFile('lines.log', `${left}\\n`, () => line(left - 1));
}
";

/// Makes a folder with a handler that does this before it answers.
fn folder(work: &str) -> Folder {
    let handler = format!(
        "{LOGGER}export const handler = (event, context) => {{ {work} return 'answered'; }};"
    );
    Folder::new(&[("app.mjs", &handler)])
}

fn start(folder: &Folder) -> (Process, Exchange) {
    let (platform, process) = Platform::start(folder, "app.handler", |_| ());
    let mut exchange = platform.accept(&process);
    exchange.expect_next();
    (process, exchange)
}

/// Hands out an event, and takes its answer and the request for another one.
#[track_caller]
fn pass(exchange: &mut Exchange, id: &str) {
    exchange.give(id, "", &json!({}));
    let (line, body) = exchange.request();
    assert!(line.contains(&format!("/{id}/response")), "{line}: {body}");
    assert_eq!(body, "\"answered\"");
    exchange.accepted();
    exchange.expect_next();
}

fn read(folder: &Folder, file: &str) -> String {
    std::fs::read_to_string(folder.task().join(file)).unwrap_or_default()
}

#[test]
fn lines_that_are_written_in_the_background_are_whole_before_the_next_event() {
    let folder = folder(
        "line(5);
         append('promised.log', 'one\\n').then(() => append('promised.log', 'two\\n'));
         for (let n = 0; n < 20; n++) stream.write(`${n} `.repeat(1000) + '\\n');
         gzip('packed', (_, packed) => append('packed.gz', packed));",
    );
    let (_process, mut exchange) = start(&folder);
    for round in 1..=2 {
        pass(&mut exchange, &format!("round-{round}"));
        assert_eq!(read(&folder, "lines.log"), "5\n4\n3\n2\n1\n".repeat(round));
        assert_eq!(read(&folder, "promised.log"), "one\ntwo\n".repeat(round));
        assert_eq!(read(&folder, "stream.log").lines().count(), 20 * round);
        assert!(std::fs::metadata(folder.task().join("packed.gz")).unwrap().len() > 20);
    }
}

#[test]
fn what_begins_with_a_microtask_is_waited_for() {
    let folder = folder("Promise.resolve().then(() => append('later.log', 'x'));");
    let (_process, mut exchange) = start(&folder);
    for round in 1..=3 {
        pass(&mut exchange, &format!("round-{round}"));
        assert_eq!(read(&folder, "later.log"), "x".repeat(round));
    }
}

#[test]
fn an_operation_that_never_ends_holds_up_no_event() {
    let folder = folder("open('pipe', 'r', () => {}); line(2);");
    let pipe = folder.task().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let (_process, mut exchange) = start(&folder);
    for round in 1..=3 {
        pass(&mut exchange, &format!("round-{round}"));
        assert_eq!(read(&folder, "lines.log"), "2\n1\n".repeat(round));
    }
}

#[test]
fn code_that_never_ends_is_stopped_after_the_answer() {
    let folder = folder("appendFile('lines.log', 'x', () => { for (;;); });");
    let (_process, mut exchange) = start(&folder);
    pass(&mut exchange, "one");
    pass(&mut exchange, "two");
    assert_eq!(read(&folder, "lines.log"), "xx");
}

#[test]
fn what_fails_after_the_answer_is_logged_and_fails_no_other_event() {
    let folder = folder(
        "const { awsRequestId: id } = context;
         append('lines.log', 'x').then(() => { throw new Error(`late ${id}`); });",
    );
    let (process, mut exchange) = start(&folder);
    pass(&mut exchange, "one");
    pass(&mut exchange, "two");
    let log = eventually(&format!("both are logged\n{process:?}"), || {
        let log = process.stdout() + &*process.stderr();
        (log.contains("late one") && log.contains("late two")).then_some(log)
    });
    for id in ["one", "two"] {
        let line = log.lines().find(|line| line.contains(&format!("late {id}"))).unwrap();
        assert!(
            line.contains(&format!("RequestId: {id}")) || line.contains(&format!("\t{id}\t")),
            "{line}"
        );
    }
}

#[test]
fn a_server_writes_them_without_another_request() {
    let folder = folder(
        "line(5); append('promised.log', 'one\\n').then(() => append('promised.log', 'two\\n'));",
    );
    let served = Served::start(&folder, &["app.mjs", "--workers", "1"]);
    assert_eq!(served.get("/").text(), "answered");
    eventually("all lines are there", || {
        let whole = read(&folder, "lines.log") == "5\n4\n3\n2\n1\n"
            && read(&folder, "promised.log") == "one\ntwo\n";
        whole.then_some(())
    });
}
