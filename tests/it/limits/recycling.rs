//! Instances that are replaced: after a number of invocations, when the heap has grown, and for every invocation.

use super::{ask, folder, lambda, language};
use crate::support::{Served, run, trine};

const ENGINES: [&str; 3] = ["js", "python", "lua"];

#[test]
fn an_instance_is_replaced_after_its_share_of_invocations() {
    for engine in ENGINES {
        let folder = folder(engine);
        let lambda = lambda(&folder, 512, &[("TRINE_MAX_INVOCATIONS", "2")]);
        let served: Vec<_> = (0..5).map(|_| lambda.invoke(ask("fine"))).collect();
        assert_eq!(served, [1, 2, 1, 2, 1], "{engine}");
    }
}

#[test]
fn globals_of_one_invocation_are_not_seen_by_the_next_in_fresh_isolation() {
    for engine in ENGINES {
        let folder = folder(engine);
        let lambda = lambda(&folder, 512, &[("TRINE_ISOLATION", "fresh")]);
        for _ in 0..4 {
            assert_eq!(lambda.invoke(ask("fine")), 1, "{engine}");
        }
        lambda.emulator.assert_clean();
    }
}

#[test]
fn over_http_every_request_has_an_instance_of_its_own_in_fresh_isolation() {
    for engine in ENGINES {
        let folder = folder(engine);
        let served = Served::start(&folder, &["--isolation", "fresh", "--workers", "1"]);
        for _ in 0..4 {
            let reply = served.post("/", &ask("fine").to_string());
            assert_eq!((reply.status, reply.text()), (200, "1"), "{engine}");
        }
    }
}

#[test]
fn a_heap_that_has_grown_is_replaced() {
    for engine in ["js", "lua"] {
        let folder = folder(engine);
        // Every heap in JavaScript is larger than a megabyte; Lua's is not, and stays.
        let lambda = lambda(&folder, 512, &[("TRINE_MAX_HEAP", "1")]);
        let served: Vec<_> = (0..3).map(|_| lambda.invoke(ask("fine"))).collect();
        let expected = if engine == "js" { [1, 1, 1] } else { [1, 2, 3] };
        assert_eq!(served, expected, "{engine}");
    }
}

#[test]
fn settings_that_cannot_be_are_named() {
    let folder = folder("lua");
    let file = folder.file(&format!("app.{}", language("lua").extension));
    for (name, value, reason) in [
        ("TRINE_ISOLATION", "none", "use shared or fresh"),
        ("TRINE_MAX_INVOCATIONS", "-1", "write a whole number from 1 on"),
        ("TRINE_MEMORY", "much", "such as 64KiB, 512MiB or 1GB (a number alone is MiB)"),
        ("TRINE_MEMORY", "1", "the least is 16MiB"),
        ("TRINE_MAX_HEAP", "1s", "such as 64KiB, 512MiB or 1GB (a number alone is MiB)"),
        (
            "TRINE_TIMEOUT_MARGIN_MS",
            "soon",
            "such as 500ms, 30s or 5m (a number alone is milliseconds)",
        ),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "0", "write a whole number from 1 on"),
    ] {
        let mut command = trine(&folder, &["invoke", &file]);
        command.env(name, value);
        let finished = run(command);
        assert_eq!(finished.code, Some(2), "{finished:?}");
        let expected = format!("the environment variable {name} is {value:?}: ");
        assert!(finished.stderr.contains(&expected), "{finished:?}");
        assert!(finished.stderr.contains(reason), "{finished:?}");
    }
}

#[test]
fn the_largest_and_the_smallest_number_are_no_reason_to_fall() {
    let folder = folder("lua");
    let file = folder.file("app.lua");
    let event = ask("fine").to_string();
    let invoke =
        |memory: &str| run(trine(&folder, &["invoke", &file, "-e", &event, "--memory", memory]));
    for memory in ["1TiB", "16MiB", "16", "64MB", "0.5 GiB"] {
        let finished = invoke(memory);
        assert_eq!((finished.code, finished.stdout.as_str()), (Some(0), "1\n"), "{finished:?}");
    }
    for (memory, reason) in
        [("0", "the least is 16MiB"), ("18446744073709551615", "the most is 1TiB")]
    {
        let finished = invoke(memory);
        assert_eq!(finished.code, Some(2));
        assert!(finished.stderr.contains(reason), "{finished:?}");
    }
}
