//! The `trine` command, which is also Lambda's `bootstrap`.

use std::process::ExitCode;

fn main() -> ExitCode {
    trine::cli::main()
}
