//! `.env` files beside the Serverless Framework's, for `${env:NAME}`.

use super::expander::Expander;
use crate::{error::Fault, reading::Reading};
use std::rc::Rc;

/// The largest file that is read, in bytes.
const LARGEST: u64 = 1024 * 1024;

/// Reads the files if the framework would: from version 4 on, or where `useDotenv` says so.
pub(super) fn read(reading: &mut Reading<'_>, expander: &mut Expander) -> Result<(), Fault> {
    let root = Rc::clone(&expander.root);
    let version = root.text_of("frameworkVersion").unwrap_or_default();
    let is_new = version.trim_start_matches(['^', '~', '=', '>', ' ']).starts_with('4');
    let is_asked = root.get("useDotenv").and_then(|asked| asked.truth()).unwrap_or(false);
    if !is_new && !is_asked {
        return Ok(());
    }
    let general = reading.path(".env");
    let stage = expander.stage(reading)?;
    for path in [general, reading.path(&format!(".env.{stage}"))] {
        let is_small = path.metadata().is_ok_and(|data| data.is_file() && data.len() <= LARGEST);
        let Some(text) = is_small.then(|| std::fs::read_to_string(&path).ok()).flatten() else {
            continue;
        };
        expander.dotenv.extend(text.lines().filter_map(variable));
    }
    Ok(())
}

/// Returns the variable of a line: `NAME=value`, with quotes and `export` where somebody likes them.
fn variable(line: &str) -> Option<(String, String)> {
    let line = line.trim();
    if line.starts_with('#') {
        return None;
    }
    let (name, value) = line.strip_prefix("export ").unwrap_or(line).split_once('=')?;
    let (name, value) = (name.trim(), value.trim());
    for quote in ['"', '\'', '`'] {
        if let Some((inner, _)) = value.strip_prefix(quote).and_then(|rest| rest.split_once(quote))
        {
            let inner = if quote == '"' { inner.replace("\\n", "\n") } else { inner.to_owned() };
            return Some((name.to_owned(), inner));
        }
    }
    let value = value.split(" #").next().unwrap_or(value).trim();
    Some((name.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::variable;

    #[test]
    fn lines_are_variables_comments_or_nothing() {
        let of = |line| variable(line).map(|(name, value)| format!("{name}={value}"));
        assert_eq!(of("A=1").as_deref(), Some("A=1"));
        assert_eq!(of(" export B = 'x # y' # z").as_deref(), Some("B=x # y"));
        assert_eq!(of("C=x # y").as_deref(), Some("C=x"));
        assert_eq!(of("D=\"a\\nb\"").as_deref(), Some("D=a\nb"));
        assert_eq!(of("# E=1"), None);
        assert_eq!(of(""), None);
    }
}
