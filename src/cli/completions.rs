//! `trine completions`: what shells need to complete commands and flags.

use super::{definition, print_raw};
use clap::Args;
use clap_complete::{Shell, generate};
use std::process::ExitCode;

/// Print the completions of a shell.
#[derive(Debug, Args)]
#[command(after_help = USE)]
pub(super) struct Completions {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

const USE: &str = "\
Where they go:
  bash         trine completions bash > ~/.local/share/bash-completion/completions/trine
  zsh          trine completions zsh > _trine, in a folder of $fpath
  fish         trine completions fish > ~/.config/fish/completions/trine.fish
  elvish       eval (trine completions elvish | slurp), in rc.elv
  powershell   trine completions powershell | Out-String | Invoke-Expression, in $PROFILE";

impl Completions {
    pub(super) fn run(self) -> ExitCode {
        let mut script = Vec::new();
        generate(self.shell, &mut definition(), "trine", &mut script);
        print_raw(&script);
        ExitCode::SUCCESS
    }
}
