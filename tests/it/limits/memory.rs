//! Memory: the invocation that takes too much fails, and the next one is served.

use super::{ask, fails_within, folder, lambda, language};
use crate::support::{run, trine};

/// So little that what fills it does so long before its time is up.
const SMALL: u32 = 128;

#[test]
fn a_heap_that_is_full_fails_the_invocation() {
    fails_within(SMALL, "js", "fill", "Function.OutOfMemory");
    fails_within(SMALL, "lua", "fill", "Function.OutOfMemory");
}

#[test]
fn array_buffers_count() {
    fails_within(SMALL, "js", "buffers", "Function.OutOfMemory");
}

#[test]
fn an_allocation_that_python_refuses_is_an_error_of_the_invocation() {
    fails_within(SMALL, "python", "fill", "MemoryError");
}

#[test]
fn a_process_that_grows_beyond_its_memory_stops_the_python_that_runs() {
    let document = fails_within(SMALL, "python", "grow", "Function.OutOfMemory");
    assert!(document["errorMessage"].as_str().unwrap().contains("more memory than it may"));
}

#[test]
fn what_filled_the_heap_is_gone_afterwards() {
    for engine in ["js", "lua"] {
        let folder = folder(engine);
        let lambda = lambda(&folder, SMALL, &[]);
        for _ in 0..5 {
            let (_, document) = lambda.fail(ask("fill"));
            assert_eq!(document["errorType"], "Function.OutOfMemory", "{engine}: {document}");
        }
        assert_eq!(lambda.invoke(ask("fine")), 1, "{engine}");
        // Five heaps of 64 MiB each would be visible.
        let resident = lambda.process.kilobytes("VmRSS:");
        assert!(resident < 250 * 1024, "{engine}: {resident} kB");
    }
}

#[test]
fn a_flag_limits_memory() {
    for engine in ["js", "lua"] {
        let folder = folder(engine);
        let file = folder.file(&format!("app.{}", language(engine).extension));
        let event = ask("fill").to_string();
        let finished = run(trine(&folder, &["invoke", &file, "-e", &event, "--memory", "64"]));
        assert_eq!(finished.code, Some(6), "{finished:?}");
        assert!(finished.stderr.contains("Function.OutOfMemory"), "{finished:?}");
    }
}
