//! `trine schema`: the JSON schema of `trine.toml`.

use super::print;
use crate::http::schema;
use clap::Args;
use std::process::ExitCode;

/// Print the JSON schema of trine.toml, for editors.
///
/// With 'trine schema > trine.schema.json' and '#:schema trine.schema.json' as the first line of trine.toml, editors that
/// know TOML's schemas complete its keys and tell what is wrong.
#[derive(Debug, Args)]
pub(super) struct Schema {}

impl Schema {
    pub(super) fn run(self) -> ExitCode {
        print(format_args!("{:#}", schema()));
        ExitCode::SUCCESS
    }
}
