//! Tests of profiles.

use crate::{
    adapter::Debugged,
    support::{Guest, handler, run},
};
use std::collections::BTreeMap;
use trine_engine::{ErrorKind, Profile};

/// A handler that works for as many steps as the event says, most of the time in `hot`.
const WORK: &str = r"local function hot(n)
  local sum = 0
  for i = 1, n do sum = sum + i % 7 end
  return sum
end
local function cold(n)
  return hot(n // 100)
end
local function generate(n)
  while true do
    coroutine.yield(hot(n))
  end
end
function handler(n)
  local next_one = coroutine.wrap(generate)
  return hot(n) + cold(n) + next_one(n)
end
";

/// Enough steps for dozens of samples.
const STEPS: &str = "6000000";

/// Reads folded stacks: how often each was seen.
fn stacks(profile: Profile) -> BTreeMap<String, u64> {
    let text = String::from_utf8(profile.finish().unwrap()).unwrap();
    let line = |line: &str| {
        let (stack, count) = line.rsplit_once(' ').unwrap();
        (stack.to_owned(), count.parse().unwrap())
    };
    text.lines().map(line).collect()
}

fn check(stacks: &BTreeMap<String, u64>, file: &str) {
    let total: u64 = stacks.values().sum();
    let hot: u64 = stacks
        .iter()
        .filter(|(stack, _)| stack.ends_with(&format!("hot ({file}:1)")))
        .map(|(_, count)| count)
        .sum();
    assert!(total >= 10 && hot * 10 >= total * 9, "{stacks:?}");
    // Callers are in front of it, also across a coroutine.
    let direct = format!("handler ({file}:14);hot ({file}:1)");
    let inner = format!("handler ({file}:14);function ({file}:9);hot ({file}:1)");
    assert!(stacks.contains_key(&direct) && stacks.contains_key(&inner), "{stacks:?}");
}

#[test]
fn a_profile_shows_the_function_that_takes_the_time() {
    run(async {
        let guest = Guest::new(WORK);
        let function = guest.load("app", "handler").await.unwrap();
        let expected = guest.call(function, STEPS).await.unwrap();
        let profile = guest.instance.profile().unwrap();
        assert_eq!(guest.call(function, STEPS).await.unwrap(), expected);
        let file = guest.folder.join("app.lua");
        check(&stacks(profile), &file.to_string_lossy());
        // The next one begins anew.
        let empty = guest.instance.profile().unwrap();
        assert!(stacks(empty).is_empty());
        assert_eq!(guest.call(function, STEPS).await.unwrap(), expected);
    });
}

#[test]
fn one_profile_is_taken_at_a_time() {
    run(async {
        let guest = Guest::new(WORK);
        let first = guest.instance.profile().unwrap();
        let error = guest.instance.profile().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.message().contains("already"), "{error}");
        // Dropped, it is over, too.
        drop(first);
        guest.instance.profile().unwrap();
    });
}

#[test]
fn time_without_lua_code_counts_for_nobody() {
    run(async {
        let guest = Guest::new(&handler("trine.sleep(0.2) return 1"));
        let function = guest.load("app", "handler").await.unwrap();
        let profile = guest.instance.profile().unwrap();
        guest.call(function, "0").await.unwrap();
        let total: u64 = stacks(profile).values().sum();
        assert!(total < 100, "{total}");
    });
}

#[test]
fn what_ends_a_call_works_while_a_profile_is_taken() {
    run(async {
        let guest = Guest::new(&handler(
            "if event == 0 then print('begun') while true do end end return event",
        ));
        let function = guest.load("app", "handler").await.unwrap();
        let profile = guest.instance.profile().unwrap();
        let (log, interrupter) = (guest.log.clone(), guest.instance.interrupter());
        let thread = std::thread::spawn(move || {
            log.wait_for("begun");
            interrupter.interrupt();
        });
        assert_eq!(guest.call(function, "0").await.unwrap_err().kind(), ErrorKind::Timeout);
        thread.join().unwrap();
        // The state was replaced; the profile goes on in the new one.
        assert_eq!(guest.call(function, "1").await.unwrap(), "1");
        profile.finish().unwrap();
    });
}

#[test]
fn a_profile_of_a_guest_that_is_debugged_misses_no_breakpoint() {
    let source = "function handler(n)\n  local sum = 0\n  for i = 1, n do\n    sum = sum + i\n    if i % 100000 == 0 then\n      sum = sum - i\n    end\n  end\n  return sum\nend";
    let guest = Debugged::new(60, &[("app.lua", source)]);
    let client = guest.attach(&[("app.lua", &[6])]);
    let profile = guest.guest.instance.profile().unwrap();
    let (answer, ()) = guest.call("1000000", client, |client| {
        for stop in 1..=10 {
            assert_eq!(client.stopped(), "breakpoint app.lua:6 handler");
            assert_eq!(client.locals(0)["i"], (stop * 100_000).to_string());
            client.go("continue");
        }
    });
    assert_eq!(answer.unwrap(), "499995000000");
    let stacks = stacks(profile);
    assert!(stacks.keys().all(|stack| stack.starts_with("handler (")), "{stacks:?}");
}
