//! Functions that are invoked by the clock.

use crate::support::{Folder, Served, eventually, run, trine};
use serde_json::Value;
use std::path::Path;

/// Functions that write the event which they get into the file `event`, one for each language.
const WRITERS: [(&str, &str); 3] = [
    (
        "mjs",
        "import fs from 'node:fs';\n\
         export const handler = (event, context) => {\n\
           fs.writeFileSync('event.new', JSON.stringify({ event, name: context.functionName, \n\
             left: context.getRemainingTimeInMillis() }));\n\
           fs.renameSync('event.new', 'event');\n\
         };\n",
    ),
    (
        "py",
        "import json, os\n\
         def handler(event, context):\n\
        \x20   with open('event.new', 'w') as file:\n\
        \x20       json.dump({'event': event, 'name': context.function_name,\n\
        \x20                  'left': context.get_remaining_time_in_millis()}, file)\n\
        \x20   os.rename('event.new', 'event')\n",
    ),
    (
        "lua",
        "return { handler = function(event, context)\n\
           local file = io.open('event.new', 'w')\n\
           file:write(trine.json.encode({ event = event, name = context.function_name,\n\
             left = context.get_remaining_time_in_millis() }))\n\
           file:close()\n\
           os.rename('event.new', 'event')\n\
         end }\n",
    ),
];

fn trigger(more: &str) -> String {
    format!("[[trigger]]\nkind = \"cron\"\ncron = \"* * * * * *\"\n{more}\n")
}

fn written(folder: &Folder) -> Value {
    let file = folder.file("event");
    eventually("the function has run", || {
        let text = std::fs::read_to_string(Path::new(&file)).ok()?;
        serde_json::from_str(&text).ok()
    })
}

#[test]
fn a_schedule_invokes_functions_of_every_language_with_its_event() {
    for (extension, source) in WRITERS {
        let folder = Folder::new(&[(&format!("tick.{extension}"), source)]);
        folder.write(
            "trine.toml",
            trigger("function = \"tick\"\nname = \"often\"")
                + "[[function]]\nname = \"tick\"\ntimeout = \"30s\"\n",
        );
        let served = Served::start(&folder, &["--workers", "1", "--log-requests"]);
        let banner = served.process.stdout();
        assert!(banner.contains("often: * * * * * *, invokes tick, next at "), "{banner}");
        let told = written(&folder);
        let event = &told["event"];
        assert_eq!(event["source"], "aws.events", "{extension} {told}");
        assert_eq!(event["detail-type"], "Scheduled Event");
        assert_eq!(event["resources"][0], "arn:aws:events:us-east-1:012345678912:rule/often");
        assert_eq!(event["account"], "012345678912");
        assert_eq!(event["region"], "us-east-1");
        let time = event["time"].as_str().unwrap();
        assert!(time.len() == 20 && time.ends_with('Z'), "{time}");
        assert_eq!(told["name"], "tick");
        let left = told["left"].as_f64().unwrap();
        assert!(left > 0.0 && left <= 30_000.0, "{left}");
        eventually("the run is logged", || {
            served.process.stdout().contains("trigger 'often' due at ").then_some(())
        });
        // The same function answers requests.
        assert_eq!(served.get("/tick").status, 200, "{extension}");
        served.process.signal("TERM");
        assert_eq!(served.process.wait(), Some(0), "{extension} {:?}", served.process);
    }
}

#[test]
fn a_run_has_the_context_that_requests_to_its_function_have() {
    for (extension, source) in [
        (
            "mjs",
            "import fs from 'node:fs';\n\
             export const handler = (event, context) => {\n\
               fs.writeFileSync('event.new', JSON.stringify(context));\n\
               fs.renameSync('event.new', 'event');\n\
               return { body: '' };\n\
             };\n",
        ),
        (
            "py",
            "import json, os\n\
             def handler(event, context):\n\
            \x20   with open('event.new', 'w') as file:\n\
            \x20       json.dump(context, file)\n\
            \x20   os.rename('event.new', 'event')\n\
            \x20   return {'body': ''}\n",
        ),
    ] {
        let folder = Folder::new(&[(&format!("tick.{extension}"), source)]);
        folder.write("trine.toml", trigger("function = \"tick\""));
        let served = Served::start(&folder, &["--event-format", "scaleway"]);
        let by_the_clock = written(&folder);
        assert_eq!(by_the_clock["functionName"], "tick", "{extension} {by_the_clock}");
        assert!(by_the_clock["memoryLimitInMb"].is_number(), "{extension} {by_the_clock}");
        assert_eq!(served.get("/tick").status, 200, "{extension} {:?}", served.process);
        assert_eq!(written(&folder), by_the_clock, "{extension}");
    }
}

#[test]
fn an_input_is_the_event_and_python_beside_others_runs_on_the_main_thread() {
    let (_, source) = WRITERS[1];
    let folder = Folder::new(&[
        ("jobs/tick.py", source),
        ("other.lua", "return { handler = function() return 'other' end }"),
    ]);
    folder.write(
        "trine.toml",
        trigger("handler = \"jobs/tick.py:handler\"\ninput = { kind = \"full\", sizes = [1, 2] }"),
    );
    let served = Served::start(&folder, &["--workers", "2"]);
    let event = written(&folder)["event"].clone();
    assert_eq!(event, serde_json::json!({"kind": "full", "sizes": [1, 2]}));
    assert_eq!(served.get("/other").text(), "other");
}

#[test]
fn a_run_that_is_due_while_another_goes_on_is_left_out_and_told() {
    let folder = Folder::new(&[
        ("slow.mjs", "export const handler = () => new Promise((r) => setTimeout(r, 60_000));"),
        ("other.lua", "return { handler = function() return 'other' end }"),
    ]);
    folder.write("trine.toml", trigger("function = \"slow\""));
    let served = Served::start(&folder, &["--workers", "1", "--grace", "200ms"]);
    eventually("the run is left out", || {
        let told = served.process.stderr();
        let (_, rest) = told.split_once("trigger 'slow': the run due at ")?;
        rest.contains(" is left out, because the one of ").then_some(())
    });
    assert_eq!(served.get("/other").text(), "other");
    // The end does not wait for it for longer than the grace.
    served.process.signal("TERM");
    let finished = served.process.finish();
    assert_eq!(finished.code, Some(0));
    // Its worker and the thread of the clock both wait for it. What has begun it tells.
    let told = finished.stderr;
    let left = told.lines().filter(|line| line.contains("in flight")).collect::<Vec<_>>();
    let [left] = left[..] else { panic!("{told}") };
    assert!(left.contains(" trigger 'slow': the run due at "), "{left}");
    assert!(left.ends_with(" was still in flight after 0.2 s of grace; it is left"), "{left}");
    assert!(!told.contains("failed") && !told.contains("main thread"), "{told}");
}

#[test]
fn a_run_on_the_main_thread_that_outlasts_the_grace_is_told_once() {
    let source =
        "import asyncio\nasync def handler(event, context):\n    await asyncio.sleep(60)\n";
    for others in [&[][..], &[("other.lua", "return { handler = function() return 'other' end }")]]
    {
        let folder = Folder::new(&[&[("slow.py", source)], others].concat());
        folder.write("trine.toml", trigger("function = \"slow\""));
        let served = Served::start(&folder, &["--workers", "1", "--grace", "200ms"]);
        eventually("the run is left out", || {
            served.process.stderr().contains(" is left out, because ").then_some(())
        });
        served.process.signal("TERM");
        let finished = served.process.finish();
        assert_eq!(finished.code, Some(0));
        let told = finished.stderr;
        assert_eq!(told.matches("in flight").count(), 1, "{told}");
        assert!(!told.contains("failed") && !told.contains("main thread"), "{told}");
    }
}

#[test]
fn a_run_that_fails_is_logged_and_the_next_one_begins() {
    let folder = Folder::new(&[(
        "fails.py",
        "def handler(event, context):\n    raise ValueError('on purpose')\n",
    )]);
    folder.write("trine.toml", trigger("function = \"fails\""));
    let served = Served::start(&folder, &[]);
    eventually("it has failed twice", || {
        let told = served.process.stderr();
        (told.matches("function 'fails' failed: ValueError: on purpose").count() > 1).then_some(())
    });
}

#[test]
fn a_run_has_the_time_of_its_function() {
    let folder = Folder::new(&[
        ("slow.lua", "return { handler = function() trine.sleep(60) end }"),
        ("stuck.py", "import time\ndef handler(event, context):\n    time.sleep(60)\n"),
    ]);
    let limit = |name: &str| format!("[[function]]\nname = \"{name}\"\ntimeout = \"200ms\"\n");
    folder.write(
        "trine.toml",
        [
            trigger("function = \"slow\""),
            trigger("function = \"stuck\""),
            limit("slow"),
            limit("stuck"),
        ]
        .concat(),
    );
    let served = Served::start(&folder, &["--workers", "1"]);
    eventually("both have run out of time", || {
        let told = served.process.stderr();
        let over =
            |name: &str| told.contains(&format!("function '{name}' failed: Function.Timeout"));
        (over("slow") && over("stuck")).then_some(())
    });
}

#[test]
fn what_has_begun_is_waited_for_at_the_end() {
    let folder = Folder::new(&[(
        "slow.py",
        "import time\n\
         def handler(event, context):\n\
        \x20   print('begun', flush=True)\n\
        \x20   time.sleep(1.5)\n\
        \x20   print('ended', flush=True)\n",
    )]);
    folder.write("trine.toml", trigger("function = \"slow\""));
    let served = Served::start(&folder, &["--grace", "30s"]);
    eventually("it has begun", || served.process.stdout().contains("begun").then_some(()));
    served.process.signal("TERM");
    let finished = served.process.finish();
    assert_eq!(finished.code, Some(0));
    let told = finished.stdout;
    assert_eq!(told.matches("begun").count(), told.matches("ended").count(), "{told}");
}

#[test]
fn a_schedule_that_makes_no_sense_is_refused_with_its_line() {
    let folder = Folder::new(&[("tick.lua", "return { handler = print }")]);
    for (more, part) in [
        ("cron = \"* * *\"\n", "trine.toml:3: cron = \"* * *\": it has 3 fields"),
        ("cron = \"@daily\"\ntimezone = \"Mars\"\n", "trine.toml:4: timezone = \"Mars\""),
    ] {
        let file = format!("[[trigger]]\nkind = \"cron\"\n{more}function = \"tick\"\n");
        folder.write("trine.toml", file);
        let finished = run(trine(&folder, &["serve", "--port", "0"]));
        assert!(finished.code == Some(1) && finished.stderr.contains(part), "{finished:?}");
    }
}
