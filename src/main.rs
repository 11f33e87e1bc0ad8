//! The `trine` command, which is also Lambda's `bootstrap`.

use std::process::ExitCode;
use trine::engines::Registry;

fn main() -> ExitCode {
    trine::cli::run(Registry::built_in())
}
