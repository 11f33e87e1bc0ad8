//! Functions that are invoked by messages of brokers, which stand-ins play here; `make test-brokers` has the real ones.

mod mqtt;
mod nats;
mod refused;
mod sqs;

use crate::support::{Folder, Served, eventually};
use serde_json::Value;
use std::path::Path;

/// Functions that write the event which they get into the file `event`, one for each language.
const WRITERS: [(&str, &str); 3] = [
    (
        "mjs",
        "import fs from 'node:fs';\n\
         export const handler = (event) => {\n\
           fs.writeFileSync('event.new', JSON.stringify(event));\n\
           fs.renameSync('event.new', 'event');\n\
         };\n",
    ),
    (
        "py",
        "import json, os\n\
         def handler(event, context):\n\
        \x20   with open('event.new', 'w') as file:\n\
        \x20       json.dump(event, file)\n\
        \x20   os.rename('event.new', 'event')\n",
    ),
    (
        "lua",
        "return { handler = function(event)\n\
           local file = io.open('event.new', 'w')\n\
           file:write(trine.json.encode(event))\n\
           file:close()\n\
           os.rename('event.new', 'event')\n\
         end }\n",
    ),
];

/// A function that does what the payload of each message says, once it has noted it in the file `log`: `fail`, `slow`, anything
/// else for nothing.
const OBEDIENT: &str = "return { handler = function(event)\n\
    local text = event.payload\n\
    local file = io.open('log', 'a')\n\
    file:write(text .. '\\n')\n\
    file:close()\n\
    if text:find('^fail') then error('on purpose') end\n\
    if text:find('^slow') then trine.sleep(60) end\n\
    if text:find('^wait') then trine.sleep(1) end\n\
    return 'did ' .. text\n\
  end }\n";

fn written(folder: &Folder) -> Value {
    let file = folder.file("event");
    eventually("the function has run", || {
        let text = std::fs::read_to_string(Path::new(&file)).ok()?;
        serde_json::from_str(&text).ok()
    })
}

/// Returns what functions have noted in the file `log`.
fn noted(folder: &Folder) -> Vec<String> {
    let text = std::fs::read_to_string(folder.file("log")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

/// Returns how often a function has noted something.
fn times(folder: &Folder, text: &str) -> usize {
    noted(folder).iter().filter(|line| *line == text).count()
}

/// Waits until a server has told something, and returns all that it has told by then.
#[track_caller]
fn told(served: &Served, line: &str) -> String {
    eventually(&format!("it is told: {line}\n{:?}", served.process), || {
        Some(served.process.stderr()).filter(|told| told.contains(line))
    })
}

/// Waits until a server has told that its broker is there again.
#[track_caller]
fn is_back(served: &Served) {
    eventually("the broker is there again", || {
        served.process.stdout().contains("trigger 'work': the broker is there again").then_some(())
    });
}

/// Returns the value of a series of metrics.
fn metric(text: &str, series: &str) -> f64 {
    let line = text.lines().find(|line| line.starts_with(series));
    let value = line.and_then(|line| line.rsplit_once(' ')).map(|(_, value)| value.parse());
    value.unwrap_or_else(|| panic!("{series} is missing in\n{text}")).unwrap()
}
