//! What people type in the place of a command: a file, a folder or a handler.

use super::{settings, target};
use crate::engines::Registry;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use std::{ffi::OsString, fmt::Write, path::Path};

/// Returns what to say about a command line whose command is unknown, where its word is a file, a folder or a handler. `None`
/// leaves it to clap, which knows what is spelled alike.
pub(super) fn hint(
    error: &clap::Error,
    arguments: &[OsString],
    registry: &Registry,
) -> Option<String> {
    if error.kind() != ErrorKind::InvalidSubcommand {
        return None;
    }
    let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidSubcommand) else {
        return None;
    };
    let is_folder = Path::new(word).is_dir();
    if !is_folder && !is_function(word, registry) {
        return None;
    }
    let what = if is_folder { "a folder" } else { "a function" };
    let mut text = format!("error: '{word}' is {what}, and no command\n\n");
    // The rest of the line may be flags of the command that was meant.
    let place = arguments.iter().position(|argument| argument == word.as_str());
    let rest = arguments.iter().skip(place.map_or(usize::MAX, |place| place + 1));
    let rest: String = rest.map(|word| format!(" {}", word.to_string_lossy())).collect();
    if !is_folder {
        let _ = writeln!(text, "  to call it once:  trine invoke {word}{rest}");
    }
    let whose = if is_folder { "its functions" } else { "it" };
    let _ = writeln!(
        text,
        "  to serve {whose}:{}trine serve {word}{rest}",
        if is_folder { "  " } else { "      " }
    );
    let _ = writeln!(text, "\nFor more information, try '--help'.");
    Some(text)
}

/// Whether a word names a function: a file of a language, or a handler that is found from here.
fn is_function(word: &str, registry: &Registry) -> bool {
    if Path::new(word).is_file() {
        return true;
    }
    // A mere word is rather a command that is spelled in another way; looking for it as a module could cost a lot.
    if !word.contains(['.', ':', '/']) {
        return false;
    }
    settings().is_ok_and(|mut settings| target::locate(Some(word), &mut settings, registry).is_ok())
}
