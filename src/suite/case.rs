//! The cases of a folder of events: files, and what is expected of each.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

/// One event and what is expected.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    /// The name of its event's file, without the extension.
    pub(crate) name: String,
    /// The event's file.
    pub(crate) event: PathBuf,
    pub(crate) expectation: Expectation,
    /// The folder from which people see its files, once these have absolute paths.
    base: PathBuf,
}

/// What is expected of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Expectation {
    /// Nothing but an answer.
    Nothing,
    /// This JSON.
    Answer(PathBuf),
    /// This text.
    Text(PathBuf),
    /// A failure with these members.
    Failure(PathBuf),
    /// It cannot be told, and why.
    Unclear(String),
}

type Expect = fn(PathBuf) -> Expectation;

const EVENT: &str = ".json";
/// The ends of files with expectations; the longest first of those that end alike.
const ENDS: [(&str, Expect); 3] = [
    (".expected.json", Expectation::Answer),
    (".expected-error.json", Expectation::Failure),
    (".expected.txt", Expectation::Text),
];

impl Case {
    /// Whether a file is a part of it.
    pub(crate) fn has(&self, path: &Path) -> bool {
        self.event == path || ENDS.iter().any(|(end, _)| self.file(end) == path)
    }

    /// Gives its files absolute paths: a function may change the working directory.
    pub(super) fn fasten(&mut self, here: &Path) {
        self.base = here.to_owned();
        self.event = here.join(&self.event);
        match &mut self.expectation {
            Expectation::Answer(file) | Expectation::Text(file) | Expectation::Failure(file) => {
                *file = here.join(&*file);
            }
            Expectation::Nothing | Expectation::Unclear(_) => {}
        }
    }

    /// Returns one of its files as people see it.
    pub(crate) fn shown<'p>(&self, file: &'p Path) -> &'p Path {
        file.strip_prefix(&self.base).unwrap_or(file)
    }

    fn file(&self, end: &str) -> PathBuf {
        self.event.with_file_name(format!("{}{end}", self.name))
    }

    /// Returns the file for an answer that is expected from now on.
    pub(crate) fn file_for(&self, kind: Answered) -> PathBuf {
        self.file(match kind {
            Answered::Json => ENDS[0].0,
            Answered::Failure => ENDS[1].0,
            Answered::Text => ENDS[2].0,
        })
    }
}

/// The kind of an answer that is to be expected.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Answered {
    Json,
    Text,
    Failure,
}

/// Returns the cases of a folder, in order of their names; none where there is no such folder.
pub(super) fn cases(folder: &Path) -> io::Result<Vec<Case>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut events: BTreeMap<String, PathBuf> = BTreeMap::new();
    let mut expected: BTreeMap<String, Vec<Expectation>> = BTreeMap::new();
    for entry in entries {
        let path = entry?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        if name.starts_with('.') || !path.is_file() {
            continue;
        }
        let end = ENDS.iter().find_map(|(end, kind)| Some((name.strip_suffix(end)?, kind)));
        if let Some((name, kind)) = end {
            expected.entry(name.to_owned()).or_default().push(kind(path.clone()));
        } else if let Some(name) = name.strip_suffix(EVENT) {
            events.insert(name.to_owned(), path.clone());
        }
    }
    // What is expected of an event that does not exist would never be looked at.
    for name in expected.keys() {
        let event = || folder.join(format!("{name}{EVENT}"));
        events.entry(name.clone()).or_insert_with(event);
    }
    let case = |(name, event): (String, PathBuf)| {
        let mut expectations = expected.remove(&name).unwrap_or_default();
        let expectation = match (expectations.pop(), expectations.is_empty()) {
            (None, _) => Expectation::Nothing,
            (Some(only), true) => only,
            (Some(_), false) => Expectation::Unclear(
                "more than one answer is expected: of NAME.expected.json, NAME.expected-error.json and \
                 NAME.expected.txt only one can hold"
                    .replace("NAME", &name),
            ),
        };
        Case { name, event, expectation, base: PathBuf::new() }
    };
    Ok(events.into_iter().map(case).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_make_cases_by_their_names() {
        let folder = tempfile::tempdir().unwrap();
        for name in [
            "put.json",
            "put.expected.json",
            "bad.json",
            "bad.expected-error.json",
            "page.json",
            "page.expected.txt",
            "new.json",
            "two.json",
            "two.expected.json",
            "two.expected.txt",
            "gone.expected.json",
            "a.b.json",
            "README.md",
            ".hidden.json",
        ] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        fs::create_dir(folder.path().join("folder.json")).unwrap();
        let told = cases(folder.path()).unwrap().into_iter().map(|case| {
            let what = match &case.expectation {
                Expectation::Nothing => "nothing",
                Expectation::Answer(_) => "answer",
                Expectation::Text(_) => "text",
                Expectation::Failure(_) => "failure",
                Expectation::Unclear(_) => "unclear",
            };
            assert!(case.has(&case.event) && !case.has(folder.path()));
            format!("{} {what} {}", case.name, case.event.exists())
        });
        assert_eq!(
            told.collect::<Vec<_>>(),
            [
                "a.b nothing true",
                "bad failure true",
                "gone answer false",
                "new nothing true",
                "page text true",
                "put answer true",
                "two unclear true",
            ]
        );
        assert!(cases(&folder.path().join("none")).unwrap().is_empty());
    }

    #[test]
    fn files_stay_where_they_are_when_the_working_directory_changes() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.json"), "").unwrap();
        fs::write(folder.path().join("a.expected.txt"), "").unwrap();
        let mut case = cases(folder.path()).unwrap().remove(0);
        case.event = PathBuf::from("./events/a.json");
        case.expectation = Expectation::Text("events/a.expected.txt".into());
        case.fasten(Path::new("/here"));
        assert_eq!(case.event, Path::new("/here/events/a.json"));
        assert_eq!(case.shown(&case.event), Path::new("events/a.json"));
        let text = "/here/events/a.expected.txt";
        assert_eq!(case.expectation, Expectation::Text(text.into()));
        assert_eq!(case.file_for(Answered::Text), Path::new(text));
    }
}
