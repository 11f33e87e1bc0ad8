//! `trine` with shell scripts.

mod shell;

use std::process::ExitCode;
use trine::engines::Registry;

fn main() -> ExitCode {
    trine::cli::run(Registry::built_in().with(shell::engine()))
}
