//! How long a Lambda runtime takes from the moment it is handed an event of 1 KB to the end of its answer, as the
//! Runtime API sees it: Trine in each language, the raw client that no runtime can be faster than, and the official
//! client for Rust. Events are already waiting when they are asked for.

use crate::{
    bed::Folder,
    bench,
    events::{KILOBYTE, mixed},
    language::LANGUAGES,
    notes::left_out,
    process::{Lambda, Program, binaries, peers},
};
use criterion::{Criterion, Throughput};
use std::path::PathBuf;

pub(crate) fn measure(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("lambda loop");
    group.throughput(Throughput::Bytes(KILOBYTE as u64));
    let event = mixed(KILOBYTE);
    let mut add = |question: &str, whose: &str, program: &dyn Fn() -> Program| {
        let make = || {
            let mut lambda = Lambda::new(program());
            lambda.start();
            lambda.check(&event);
            lambda
        };
        bench(&mut group, question, whose, make, |lambda, count| lambda.invocations(&event, count));
    };
    for language in LANGUAGES {
        add("echo, 1 KB", language.id, &|| Program::trine(language));
    }
    let official = peers().join("lambda_runtime/bin/echo");
    let others: [(&str, PathBuf, &[&str], &str); 2] = [
        (
            "raw client",
            binaries().join("trine-baseline"),
            &["floor"],
            "cargo builds it with this package",
        ),
        ("official client", official, &[], "benches/peers/lambda/install.sh installs it"),
    ];
    for (name, path, arguments, remedy) in others {
        if !path.exists() {
            left_out(
                &format!("lambda loop: the {name} in Rust"),
                &format!("there is no {}; {remedy}", path.display()),
            );
            continue;
        }
        // It needs a folder to run in, and no handler.
        let function = || Folder::new(LANGUAGES[0], LANGUAGES[0].echo);
        let program = || Program { path: path.clone(), arguments, function: function() };
        add(&format!("echo, 1 KB, {name}"), "rust", &program);
    }
    group.finish();
}
