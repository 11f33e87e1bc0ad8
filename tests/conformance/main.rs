//! The conformance suite: every case of `cases/` in every language that this build runs, and every case of
//! `middleware/` in every pair of them.

mod product;

use libtest_mimic::Arguments;
use product::Product;
use std::{path::Path, sync::Arc};
use trine::engines::Registry;
use trine_testkit::conformance::{self, middleware};

fn main() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance");
    let engines: Vec<_> = Registry::built_in().iter().cloned().collect();
    let runner: Arc<dyn middleware::Runner> = Arc::new(Product);
    // Hooks in languages whose files are queries or compiled code are their own crates' affair.
    let general: Vec<_> = engines.iter().filter(|engine| !engine.info().yields).cloned().collect();
    let mut trials = middleware::trials(&folder.join("middleware"), &general, &runner);
    trials.extend(conformance::trials(&folder.join("cases"), engines));
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}
