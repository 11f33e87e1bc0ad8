//! What the user reads of reloads at the terminal.

use crate::cli::paints;
use std::{
    fmt::Write as _,
    io::stdout,
    path::{Path, PathBuf},
    process::ExitStatus,
    time::Duration,
};

/// How many changed files a line names.
const NAMED: usize = 2;

/// The form of the lines.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lines {
    is_coloured: bool,
}

impl Lines {
    /// Makes lines for the process's standard output.
    pub(super) fn new() -> Self {
        Self { is_coloured: paints(&stdout()) }
    }

    /// A line that says that a new generation answers: `reloaded in 23 ms: hello.py changed`.
    pub(super) fn reloaded(self, took: Duration, why: &str) -> String {
        self.dim(&format!("reloaded in {}: {why}", milliseconds(took)))
    }

    /// A line that says why nothing new is served.
    pub(super) fn problem(self, text: &str) -> String {
        match self.is_coloured {
            true => format!("\x1b[31m{text}\x1b[0m"),
            false => text.to_owned(),
        }
    }

    /// A line of lesser interest.
    pub(super) fn dim(self, text: &str) -> String {
        match self.is_coloured {
            true => format!("\x1b[2m{text}\x1b[0m"),
            false => text.to_owned(),
        }
    }
}

/// Names what has changed, as seen from the folder that is served.
pub(super) fn changed(paths: &[PathBuf], root: &Path) -> String {
    let shown = |path: &PathBuf| match path.strip_prefix(root) {
        Ok(below) if below.as_os_str().is_empty() => "the folder".to_owned(),
        below => below.unwrap_or(path).display().to_string(),
    };
    let mut names: Vec<String> = paths.iter().take(NAMED).map(shown).collect();
    let more = paths.len().saturating_sub(NAMED);
    if more > 0 {
        names.push(format!("{more} more"));
    }
    let mut text = String::new();
    for (at, name) in names.iter().enumerate() {
        let between = match at {
            0 => "",
            _ if at + 1 == names.len() => " and ",
            _ => ", ",
        };
        let _ = write!(text, "{between}{name}");
    }
    text + " changed"
}

/// Says how a process has ended of which nobody has asked that.
pub(super) fn ended(status: Option<ExitStatus>) -> String {
    match status {
        Some(status) => format!("the server has ended by itself ({status})"),
        None => "the server has ended by itself".to_owned(),
    }
}

fn milliseconds(time: Duration) -> String {
    match time.as_millis() {
        0 => "1 ms".to_owned(),
        milliseconds @ 1..10_000 => format!("{milliseconds} ms"),
        _ => format!("{:.1} s", time.as_secs_f64()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_files_are_named_and_the_others_counted() {
        let paths: Vec<PathBuf> =
            ["/a/b/x.py", "/a/y.js", "/c/z.lua", "/a/w.ts"].map(Into::into).into();
        let told = |count: usize| changed(&paths[..count], Path::new("/a"));
        assert_eq!(told(1), "b/x.py changed");
        assert_eq!(told(2), "b/x.py and y.js changed");
        assert_eq!(told(3), "b/x.py, y.js and 1 more changed");
        assert_eq!(told(4), "b/x.py, y.js and 2 more changed");
        assert_eq!(changed(&["/a".into()], Path::new("/a")), "the folder changed");
        assert_eq!(changed(&paths[2..3], Path::new("/a")), "/c/z.lua changed");
    }

    #[test]
    fn colours_are_left_out_where_nobody_sees_them() {
        let plain = Lines { is_coloured: false };
        let took = Duration::from_micros(22_900);
        assert_eq!(plain.reloaded(took, "x.py changed"), "reloaded in 22 ms: x.py changed");
        assert_eq!(plain.problem("no"), "no");
        assert_eq!(Lines { is_coloured: true }.problem("no"), "\x1b[31mno\x1b[0m");
        assert_eq!(milliseconds(Duration::from_micros(3)), "1 ms");
        assert_eq!(milliseconds(Duration::from_secs(12)), "12.0 s");
    }
}
