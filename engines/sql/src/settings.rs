//! The engine's settings, from variables of the environment.

use std::{collections::HashSet, env, path::PathBuf};
use trine_engine::{Environment, Error, ErrorKind, Result};

/// The variable that says which rows of the last statement are the answer.
pub(crate) const ROWS: &str = "TRINE_SQL_ROWS";

/// The variable that names databases to read from.
pub(crate) const ATTACH: &str = "TRINE_SQL_ATTACH";

/// The number of databases that SQLite attaches to one connection.
const MOST_ATTACHED: usize = 10;

/// The rows of the last statement that are the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Rows {
    /// The first one, as an object; `null` where there is none.
    #[default]
    First,
    /// All, as an array of objects.
    All,
}

/// A database to read from, under its name in SQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Attached {
    pub(crate) name: String,
    /// The file, as it was given: relative paths start at the task root.
    pub(crate) path: PathBuf,
}

/// The engine's settings.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Settings {
    pub(crate) rows: Rows,
    pub(crate) attached: Vec<Attached>,
}

impl Settings {
    /// Reads the settings from the variables that guests see: those of their place, then the process's.
    ///
    /// # Errors
    /// When a value is none that the setting can have.
    pub(crate) fn of(environment: &Environment) -> Result<Self> {
        Self::read(|name| {
            let own = environment.variables.iter().find(|(known, _)| known == name);
            own.map(|(_, value)| value.clone())
                .or_else(|| Some(env::var_os(name)?.to_string_lossy().into_owned()))
        })
    }

    fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let rows = match variable(ROWS).as_deref().map(str::trim) {
            None | Some("" | "first") => Rows::First,
            Some("all") => Rows::All,
            Some(other) => {
                let message = format!("{ROWS} is {other:?}: use first or all");
                return Err(Error::new(ErrorKind::Unsupported, message));
            }
        };
        let attached = attached(variable(ATTACH).unwrap_or_default().trim())?;
        Ok(Self { rows, attached })
    }
}

/// Reads `name=path,name2=path2`.
fn attached(text: &str) -> Result<Vec<Attached>> {
    let wrong = |reason: String| Error::new(ErrorKind::Unsupported, format!("{ATTACH}: {reason}"));
    let mut names = HashSet::new();
    let mut all = Vec::new();
    for entry in text.split(',').map(str::trim).filter(|_| !text.is_empty()) {
        let Some((name, path)) = entry.split_once('=') else {
            return Err(wrong(format!(
                "{entry:?} has no '=': write name=path, with commas between"
            )));
        };
        let (name, path) = (name.trim(), path.trim());
        if !is_name(name) {
            let reason =
                "a name has letters, digits and '_', begins with no digit, and is not main or temp";
            return Err(wrong(format!("{name:?} cannot name a database: {reason}")));
        }
        if path.is_empty() {
            return Err(wrong(format!("the path of {name:?} is empty: write name=path")));
        }
        if !names.insert(name.to_ascii_lowercase()) {
            return Err(wrong(format!("{name:?} is there twice")));
        }
        all.push(Attached { name: name.to_owned(), path: path.into() });
    }
    if all.len() > MOST_ATTACHED {
        let count = all.len();
        return Err(wrong(format!("{count} databases, of which SQLite takes {MOST_ATTACHED}")));
    }
    Ok(all)
}

fn is_name(name: &str) -> bool {
    let is_reserved = ["main", "temp"].iter().any(|reserved| name.eq_ignore_ascii_case(reserved));
    !is_reserved
        && name.bytes().all(|byte| byte == b'_' || byte.is_ascii_alphanumeric())
        && name.bytes().next().is_some_and(|first| !first.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(rows: &str, attach: &str) -> Result<Settings> {
        Settings::read(|name| Some(if name == ROWS { rows } else { attach }.to_owned()))
    }

    fn fault(rows: &str, attach: &str) -> String {
        read(rows, attach).expect_err("a wrong setting").message().to_owned()
    }

    #[test]
    fn settings_that_are_not_there_have_defaults() {
        assert_eq!(Settings::read(|_| None).unwrap(), Settings::default());
        assert_eq!(read("", "").unwrap(), Settings::default());
        assert_eq!(read(" first ", " ").unwrap(), Settings::default());
    }

    #[test]
    fn rows_are_first_or_all() {
        assert_eq!(read("all", "").unwrap().rows, Rows::All);
        assert_eq!(fault("every", ""), r#"TRINE_SQL_ROWS is "every": use first or all"#);
    }

    #[test]
    fn databases_are_attached_by_name() {
        let attached = read("", "shop=data/shop.db, x=/a=b.db").unwrap().attached;
        let is = |at: usize, name: &str, path: &str| {
            assert_eq!(attached[at], Attached { name: name.into(), path: path.into() });
        };
        is(0, "shop", "data/shop.db");
        is(1, "x", "/a=b.db");
    }

    #[test]
    fn what_names_no_database_is_told() {
        for (text, part) in [
            ("shop", "\"shop\" has no '='"),
            ("a=b,,c=d", "\"\" has no '='"),
            ("main=x", "\"main\" cannot name a database"),
            ("Temp=x", "\"Temp\" cannot name a database"),
            ("1a=x", "\"1a\" cannot name a database"),
            ("a b=x", "\"a b\" cannot name a database"),
            ("=x", "\"\" cannot name a database"),
            ("a=", "the path of \"a\" is empty"),
            ("a=x,A=y", "\"A\" is there twice"),
        ] {
            let message = fault("", text);
            assert!(message.contains(part), "{text}: {message}");
        }
        let many: Vec<_> = (0..11).map(|n| format!("d{n}=x")).collect();
        assert!(fault("", &many.join(",")).contains("11 databases"));
    }
}
