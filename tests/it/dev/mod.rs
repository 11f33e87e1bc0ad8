//! `trine dev` and `serve --reload`: every change is served, as a whole, and nothing that was asked is lost.

mod changes;
mod ends;
mod environment;
mod failures;
mod template;
mod terminal;

use crate::support::{Folder, Served, eventually, trine};
use std::fs;

const JAVASCRIPT: &str = "exports.handler = async () => 'WORD';";
const PYTHON: &str = "def handler(event, context):\n    return 'WORD'\n";
const LUA: &str = "return function(event) return 'WORD' end";

/// Returns a function that answers with a word.
fn saying(source: &str, word: &str) -> String {
    source.replace("WORD", word)
}

/// Returns a folder with a function in each of three languages, all of which answer with a word.
fn three(word: &str) -> Folder {
    let sources = [("js.cjs", JAVASCRIPT), ("py.py", PYTHON), ("lua.lua", LUA)];
    let files = sources.map(|(name, source)| (name, saying(source, word)));
    Folder::new(&files.each_ref().map(|(name, source)| (*name, source.as_str())))
}

fn develops(folder: &Folder, arguments: &[&str]) -> Served {
    Served::of(trine(folder, &[&["dev", "--port", "0"], arguments].concat()))
}

/// Waits until a path answers with a text.
#[track_caller]
fn says(served: &Served, path: &str, text: &str) {
    let mut last = String::new();
    eventually(&format!("{path} answers {text:?}\n{:?}", served.process), || {
        last = served.get(path).text().to_owned();
        (last == text).then_some(())
    });
}

/// Waits until a path answers with a status and with something that contains a text.
#[track_caller]
fn fails(served: &Served, path: &str, status: u16, part: &str) {
    eventually(&format!("{path} answers {status} with {part:?}\n{:?}", served.process), || {
        let reply = served.get(path);
        (reply.status == status && reply.text().contains(part)).then_some(())
    });
}

/// Waits until the terminal shows a text.
#[track_caller]
fn shows(served: &Served, text: &str) {
    eventually(&format!("{text:?} is shown\n{:?}", served.process), || {
        let process = &served.process;
        (process.stdout().contains(text) || process.stderr().contains(text)).then_some(())
    });
}

/// Returns how often the server was replaced.
fn reloads(served: &Served) -> usize {
    served.process.stdout().matches("reloaded in ").count()
}

/// Returns the processes that a supervisor has started and that still run.
fn generations(served: &Served) -> Vec<u32> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Some(id) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        let status = fs::read_to_string(entry.path().join("status")).unwrap_or_default();
        if status.contains(&format!("PPid:\t{}\n", served.process.id))
            && !status.contains("State:\tZ")
        {
            found.push(id);
        }
    }
    found
}
