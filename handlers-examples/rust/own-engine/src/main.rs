//! `trine` with one more language.

mod shout;

use std::process::ExitCode;
use trine::engines::Registry;

fn main() -> ExitCode {
    trine::cli::run(Registry::built_in().with(shout::engine()))
}
