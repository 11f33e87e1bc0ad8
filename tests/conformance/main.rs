//! The conformance suite: every case of `cases/` in every language that this build runs.

use libtest_mimic::Arguments;
use std::path::Path;
use trine::engines::Registry;

fn main() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance/cases");
    let engines = Registry::built_in().iter().cloned().collect();
    let trials = trine_testkit::conformance::trials(&cases, engines);
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}
