//! What may go wrong while an answer is on its way, crossed: every fault at every point of a stream in every form of
//! handler. Each invocation ends once, and the next one is served, or the process has ended as the contract says.

use crate::support::{Exchange, Folder, Platform, Process};
use serde_json::{Value, json};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The parts of a whole answer.
const PARTS: usize = 3;

/// Handlers that give out `PARTS` parts and wait after each until there is a file `go` and its number. At the part that
/// the event names, before it is given out, they do what the event says instead.
const FORMS: [(&str, &str, &str); 7] = [
    (
        "JavaScript, stream",
        "app.mjs",
        "import { once } from 'node:events';
import { existsSync } from 'node:fs';
const pause = (ms) => new Promise((done) => setTimeout(done, ms));
const act = async (event, part) => {
  if (event.at !== part) return;
  if (event.does === 'fail') throw Object.assign(new Error('no anvil left'), { name: 'OutOfStock' });
  if (event.does === 'exit') process.exit(3);
  if (event.does === 'hang') await pause(100000);
  while (event.does === 'spin');
};
export const handler = awslambda.streamifyResponse(async (event, stream) => {
  for (let part = 1; part <= 3; part++) {
    await act(event, part);
    do {
      if (!stream.write(`part ${part}\\n`)) await once(stream, 'drain');
    } while (event.does === 'flood' && event.at <= part);
    while (!stream.destroyed && !existsSync(`go${part}`)) await pause(2);
  }
  await act(event, 4);
  stream.end();
});",
    ),
    (
        "JavaScript, generator",
        "app.mjs",
        "import { existsSync } from 'node:fs';
const pause = (ms) => new Promise((done) => setTimeout(done, ms));
const act = async (event, part) => {
  if (event.at !== part) return;
  if (event.does === 'fail') throw Object.assign(new Error('no anvil left'), { name: 'OutOfStock' });
  if (event.does === 'exit') process.exit(3);
  if (event.does === 'hang') await pause(100000);
  while (event.does === 'spin');
};
export async function* handler(event) {
  for (let part = 1; part <= 3; part++) {
    await act(event, part);
    do yield `part ${part}\\n`; while (event.does === 'flood' && event.at <= part);
    while (!existsSync(`go${part}`)) await pause(2);
  }
  await act(event, 4);
}",
    ),
    (
        "JavaScript, ReadableStream",
        "app.mjs",
        "import { existsSync } from 'node:fs';
const pause = (ms) => new Promise((done) => setTimeout(done, ms));
const act = async (event, part) => {
  if (event.at !== part) return;
  if (event.does === 'fail') throw Object.assign(new Error('no anvil left'), { name: 'OutOfStock' });
  if (event.does === 'exit') process.exit(3);
  if (event.does === 'hang') await pause(100000);
  while (event.does === 'spin');
};
export const handler = async (event) => {
  let part = 0;
  return new ReadableStream({
    async pull(controller) {
      if (event.does !== 'flood' || part < event.at) {
        while (part > 0 && !existsSync(`go${part}`)) await pause(2);
        part += 1;
      }
      await act(event, part);
      if (part > 3) return controller.close();
      controller.enqueue(new TextEncoder().encode(`part ${part}\\n`));
    },
  }, { highWaterMark: 0 });
};",
    ),
    (
        "Python, generator",
        "app.py",
        "import os, sys, time
class OutOfStock(Exception): pass
def act(event, part):
    if event.get('at') != part: return
    if event['does'] == 'fail': raise OutOfStock('no anvil left')
    if event['does'] == 'exit': sys.exit(3)
    while event['does'] == 'hang': time.sleep(.01)
    while event['does'] == 'spin': pass
def handler(event, context):
    for part in range(1, 4):
        act(event, part)
        yield f'part {part}\\n'
        while event.get('does') == 'flood' and event['at'] <= part: yield f'part {part}\\n'
        while not os.path.exists(f'go{part}'): time.sleep(.002)
    act(event, 4)
",
    ),
    (
        "Python, async generator",
        "app.py",
        "import asyncio, os, sys
class OutOfStock(Exception): pass
async def act(event, part):
    if event.get('at') != part: return
    if event['does'] == 'fail': raise OutOfStock('no anvil left')
    if event['does'] == 'exit': sys.exit(3)
    if event['does'] == 'hang': await asyncio.sleep(100)
    while event['does'] == 'spin': pass
async def handler(event, context):
    for part in range(1, 4):
        await act(event, part)
        yield f'part {part}\\n'
        while event.get('does') == 'flood' and event['at'] <= part: yield f'part {part}\\n'
        while not os.path.exists(f'go{part}'): await asyncio.sleep(.002)
    await act(event, 4)
",
    ),
    (
        "Lua, coroutine",
        "app.lua",
        "local function act(event, part)
  if event.at ~= part then return end
  if event.does == 'fail' then error { type = 'OutOfStock', message = 'no anvil left' } end
  if event.does == 'exit' then os.exit(3) end
  if event.does == 'hang' then trine.sleep(100) end
  while event.does == 'spin' do end
end
local function exists(name)
  local file = io.open(name)
  return file ~= nil and file:close()
end
return { handler = function(event)
  return coroutine.create(function()
    for part = 1, 3 do
      act(event, part)
      repeat coroutine.yield('part ' .. part .. '\\n') until event.does ~= 'flood' or event.at > part
      while not exists('go' .. part) do trine.sleep(.002) end
    end
    act(event, 4)
  end)
end }",
    ),
    (
        "Lua, writes",
        "app.lua",
        "local function act(event, part)
  if event.at ~= part then return end
  if event.does == 'fail' then error { type = 'OutOfStock', message = 'no anvil left' } end
  if event.does == 'exit' then os.exit(3) end
  if event.does == 'hang' then trine.sleep(100) end
  while event.does == 'spin' do end
end
local function exists(name)
  local file = io.open(name)
  return file ~= nil and file:close()
end
return { handler = function(event, context)
  for part = 1, 3 do
    act(event, part)
    repeat
      if not context.write('part ' .. part .. '\\n') then return end
    until event.does ~= 'flood' or event.at > part
    while not exists('go' .. part) do trine.sleep(.002) end
  end
  act(event, 4)
end }",
    ),
];

/// A runtime of one form of handler, and the platform that it talks to.
struct Run {
    name: String,
    folder: Folder,
    platform: Platform,
    process: Process,
}

impl Run {
    fn start(form: usize, of: &str) -> Self {
        let (name, file, source) = FORMS[form];
        let folder = Folder::new(&[(file, source)]);
        let (platform, process) = Platform::start(&folder, "app.handler", |command| {
            command.env("TRINE_TIMEOUT_MARGIN_MS", "400");
        });
        Self { name: format!("{name}, {of}"), folder, platform, process }
    }

    /// Lets the function go on after a part.
    fn go(&self, part: usize) {
        self.folder.write(&format!("go{part}"), "");
    }

    /// Hands out an event whose answer is to be streamed, and reads this many of its parts.
    fn begin(&self, event: &Value, parts: usize) -> Exchange {
        let mut exchange = self.platform.accept(&self.process);
        exchange.hand_out(event);
        let head = exchange.head();
        assert!(head.line.contains("/one/response "), "{}: {}", self.name, head.line);
        for part in 1..=parts {
            assert_eq!(exchange.text(), format!("part {part}\n"), "{}", self.name);
            if part < parts {
                self.go(part);
            }
        }
        exchange
    }

    /// Checks that the next event is served, and that the process ends in order. A connection that has had a stream ends
    /// with it; any other one is `kept`.
    fn goes_on(self, kept: Option<Exchange>) {
        let name = &self.name;
        (1..=PARTS).for_each(|part| self.go(part));
        let mut exchange = match kept {
            Some(exchange) => self.platform.either(&self.process, &exchange).unwrap_or(exchange),
            None => self.platform.accept(&self.process),
        };
        exchange.expect_next();
        exchange.give("two", "", &json!({}));
        let head = exchange.head();
        assert!(head.line.contains("/two/response "), "{name}: {}", head.line);
        let mut body = String::new();
        while let Some(chunk) = exchange.chunk() {
            body.push_str(std::str::from_utf8(&chunk).unwrap());
        }
        assert_eq!(body, "part 1\npart 2\npart 3\n", "{name}");
        assert_eq!(exchange.trailers(), Vec::new(), "{name}");
        exchange.accepted();
        self.platform.accept_next(&self.process);
        self.process.signal("TERM");
        assert_eq!(self.process.wait(), Some(0), "{name}\n{:?}", self.process);
    }
}

/// What the platform does in the middle of an answer.
#[derive(Debug, Clone, Copy)]
enum Fault {
    /// Answers before the answer has ended.
    Status(&'static str),
    /// Closes the connection.
    Close,
    /// Reads nothing for a while.
    Stall,
}

#[test]
fn a_platform_that_does_not_take_the_rest_concerns_that_invocation_alone() {
    let faults = [
        Fault::Status("400 Bad Request"),
        Fault::Status("403 Forbidden"),
        Fault::Status("410 Gone"),
        Fault::Status("413 Payload Too Large"),
        Fault::Close,
        Fault::Stall,
    ];
    for form in 0..FORMS.len() {
        for (number, fault) in faults.into_iter().enumerate() {
            // Every point meets every fault in some form of handler, and each form every fault and every point.
            let point = (form + number) % PARTS + 1;
            let run = Run::start(form, &format!("{fault:?} after part {point}"));
            let mut exchange = run.begin(&json!({}), point);
            match fault {
                Fault::Status(status) => {
                    exchange.reply(status, &json!({"errorType": "x", "errorMessage": "y"}));
                }
                Fault::Close => drop(exchange),
                Fault::Stall => {
                    (point..=PARTS).for_each(|part| run.go(part));
                    std::thread::sleep(Duration::from_millis(50));
                    for part in point + 1..=PARTS {
                        assert_eq!(exchange.text(), format!("part {part}\n"), "{}", run.name);
                    }
                    assert_eq!(exchange.chunk(), None, "{}", run.name);
                    assert_eq!(exchange.trailers(), Vec::new(), "{}", run.name);
                    exchange.accepted();
                }
            }
            run.goes_on(None);
        }
    }
}

#[test]
fn a_platform_that_has_failed_ends_the_process() {
    for form in 0..FORMS.len() {
        let point = form % PARTS + 1;
        let run = Run::start(form, &format!("500 after part {point}"));
        let mut exchange = run.begin(&json!({}), point);
        exchange.reply("500 Internal Server Error", &json!({"errorType": "InternalServerError"}));
        (point..=PARTS).for_each(|part| run.go(part));
        assert_eq!(run.process.wait(), Some(1), "{}\n{:?}", run.name, run.process);
    }
}

#[test]
fn a_whole_answer_whose_fate_is_not_told_is_not_sent_again() {
    for form in 0..FORMS.len() {
        let run = Run::start(form, "no reply");
        let mut exchange = run.begin(&json!({}), PARTS);
        run.go(PARTS);
        assert_eq!((exchange.chunk(), exchange.trailers()), (None, Vec::new()), "{}", run.name);
        drop(exchange);
        run.goes_on(None);
    }
}

#[test]
fn a_function_that_fails_at_any_point_ends_its_answer_once() {
    for form in 0..FORMS.len() {
        for does in ["fail", "exit"] {
            for point in [1, 2, 4] {
                fail(form, does, point, Duration::from_mins(1));
            }
        }
    }
}

#[test]
fn a_function_without_end_ends_its_answer_once() {
    // Few at a time: one that finds no processor in time cannot be stopped in order.
    let time = Duration::from_secs(2);
    let run = |first: usize| {
        for form in (first..FORMS.len()).step_by(2) {
            for does in ["hang", "spin", "flood"] {
                fail(form, does, 2, time);
            }
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(|| run(0));
        run(1);
    });
}

/// Has a function do something before a part, within some time; checks that this is told once and that it goes on.
fn fail(form: usize, does: &str, point: usize, time: Duration) {
    let run = Run::start(form, &format!("{does} before part {point}"));
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let deadline = (now + time).as_millis();
    let mut exchange = run.platform.accept(&run.process);
    (1..=PARTS).for_each(|part| run.go(part));
    exchange.expect_next();
    let event = json!({"at": point, "does": does});
    exchange.give("one", &format!("\r\nlambda-runtime-deadline-ms: {deadline}"), &event);
    // A watchdog that has to answer in the function's place has a connection of its own.
    let accepted = run.platform.either(&run.process, &exchange);
    let mut answering = accepted.unwrap_or(exchange);
    check_failure(&mut answering, &run.name, does, point);
    answering.accepted();
    run.goes_on((point == 1).then_some(answering));
}

/// Reads the answer of a function that fails before a part.
#[track_caller]
fn check_failure(exchange: &mut Exchange, name: &str, does: &str, point: usize) {
    let is_it = |kind: &str| match does {
        "fail" => kind.ends_with("OutOfStock"),
        "exit" => kind.ends_with("ExitError"),
        _ => kind.ends_with("Timedout") || kind.ends_with("Timeout"),
    };
    let head = exchange.head();
    if point == 1 {
        assert!(head.line.contains("/one/error "), "{name}: {}", head.line);
        let kind = head.header("lambda-runtime-function-error-type");
        assert!(kind.is_some_and(is_it), "{name}: {head:?}");
        let length = head.header("content-length").unwrap().parse().unwrap();
        assert!(exchange.body(length).contains("errorMessage"), "{name}");
        return;
    }
    assert!(head.line.contains("/one/response "), "{name}: {}", head.line);
    for part in 1..point.min(PARTS + 1) {
        assert_eq!(exchange.text(), format!("part {part}\n"), "{name}");
    }
    let rest = std::iter::from_fn(|| exchange.chunk()).count();
    assert_eq!(rest > 0, does == "flood", "{name}");
    let trailers = exchange.trailers();
    let kinds = trailers.iter().filter(|(name, _)| name == "lambda-runtime-function-error-type");
    let kinds: Vec<&str> = kinds.map(|(_, kind)| kind.as_str()).collect();
    assert!(kinds.len() == 1 && is_it(kinds[0]), "{name}: {trailers:?}");
}
