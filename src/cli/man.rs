//! `trine man`: pages of the manual.

use super::{Usage, definition, print, print_raw};
use anyhow::Context;
use clap::{Args, Command};
use clap_mangen::Man as Page;
use std::{fs, path::PathBuf};

/// Print a page of the manual, or write all of them.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Man {
    /// The command whose page is printed [default: that of trine itself]
    command: Option<String>,
    /// Write all pages into a folder, which is made where it is missing
    #[arg(long, value_name = "DIR", conflicts_with = "command")]
    dir: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  trine man serve | man -l -
  trine man --dir ~/.local/share/man/man1";

impl Man {
    /// Prints or writes pages.
    ///
    /// # Errors
    /// [`Usage`] for a command that is not there; otherwise when a page cannot be written.
    pub(super) fn run(self) -> anyhow::Result<()> {
        let whole = definition();
        let Some(dir) = self.dir else {
            let page = match &self.command {
                None => page(whole, None),
                Some(name) => {
                    let command = whole.find_subcommand(name);
                    let command =
                        command.ok_or_else(|| Usage(format!("there is no command {name:?}")))?;
                    page(command.clone(), Some(name))
                }
            };
            print_raw(rendered(&page)?.as_bytes());
            return Ok(());
        };
        fs::create_dir_all(&dir)
            .with_context(|| format!("cannot make the folder {}", dir.display()))?;
        let names: Vec<String> =
            whole.get_subcommands().map(|command| command.get_name().to_owned()).collect();
        let pages = names.iter().filter_map(|name| {
            let command = whole.find_subcommand(name)?.clone();
            Some((format!("trine-{name}.1"), page(command, Some(name))))
        });
        let pages = pages.chain([("trine.1".to_owned(), page(whole.clone(), None))]);
        for (file, page) in pages {
            let path = dir.join(file);
            let text = rendered(&page)?;
            fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
            print(path.display());
        }
        Ok(())
    }
}

/// Makes the page of a command.
fn page(command: Command, name: Option<&str>) -> Page {
    let title = name.map_or("trine".to_owned(), |name| format!("trine-{name}"));
    let called = name.map_or("trine".to_owned(), |name| format!("trine {name}"));
    let version = env!("CARGO_PKG_VERSION");
    let command = command.display_name(&title).bin_name(called).version(version);
    // What a command itself is asked for is on the page of the whole.
    let command = if name.is_some() { command.disable_version_flag(true) } else { command };
    Page::new(command.disable_help_subcommand(true))
        .title(title)
        .source(format!("trine {version}"))
        .manual("Trine")
}

/// Returns the text of a page, in ASCII, as all formatters read it. Tables of help texts stay as they are.
fn rendered(page: &Page) -> anyhow::Result<String> {
    let mut text = Vec::new();
    page.render(&mut text).context("cannot make the page")?;
    let text = String::from_utf8(text).context("cannot make the page")?;
    let text = text.replace("\n.SH EXTRA\n", "\n.SH NOTES\n.nf\n");
    let escaped = |c: char| match c.is_ascii() {
        true => c.to_string(),
        false => format!("\\[u{:04X}]", u32::from(c)),
    };
    Ok(text.chars().map(escaped).collect())
}
