//! The verdict on an answer, and the file that expects it from now on.

use super::{
    case::{Answered, Case, Expectation},
    compare::{apart, as_expected, differences},
};
use crate::event_text::{self, event_of};
use bytes::Bytes;
use serde_json::value::RawValue;
use std::{fs, io, path::Path};

/// What a function has made of an event.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// It has answered: with JSON, or with other bytes.
    Answer { body: Bytes, is_json: bool },
    /// It has failed, as its caller is told.
    Failure { document: String, told: String },
}

/// The verdict.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is as expected.
    Passed,
    /// It is not, and why, a line each.
    Failed(Vec<String>),
    /// Nothing is expected, and it has answered.
    Open,
}

/// The event of a case, as its function is given it.
///
/// # Errors
/// Why there is none, in lines.
pub(crate) fn event(case: &Case) -> Result<Bytes, Vec<String>> {
    let read = fs::read(&case.event);
    let read = read.map_err(|error| vec![unreadable(case.shown(&case.event), &error)])?;
    let event = event_of(read);
    match event_text::check(&event) {
        Ok(()) => Ok(event),
        Err(fault) => Err(no_json(case.shown(&case.event), &fault)),
    }
}

/// Judges an outcome by what is expected.
pub(crate) fn judge(case: &Case, outcome: &Outcome) -> Verdict {
    let lines = match (&case.expectation, outcome) {
        (Expectation::Unclear(why), _) => vec![why.clone()],
        (Expectation::Nothing, Outcome::Answer { .. }) => return Verdict::Open,
        (Expectation::Failure(file), Outcome::Failure { document, .. }) => {
            compared(case, file, document, true)
        }
        (Expectation::Failure(_), Outcome::Answer { .. }) => {
            vec!["expected a failure, and it has answered".to_owned()]
        }
        (_, Outcome::Failure { told, .. }) => told.lines().map(str::to_owned).collect(),
        (Expectation::Answer(file), Outcome::Answer { body, .. }) => {
            match std::str::from_utf8(body) {
                Ok(text) => compared(case, file, text, false),
                Err(_) => vec!["expected JSON, found bytes that are no text".to_owned()],
            }
        }
        (Expectation::Text(file), Outcome::Answer { body, is_json }) => {
            compared_text(case, file, &text_of(body, *is_json))
        }
    };
    if lines.is_empty() { Verdict::Passed } else { Verdict::Failed(lines) }
}

/// Returns what differs between an expected JSON value and a text.
fn compared(case: &Case, file: &Path, found: &str, partly: bool) -> Vec<String> {
    let expected = match fs::read(file) {
        Ok(expected) => event_of(expected),
        Err(error) => return vec![unreadable(case.shown(file), &error)],
    };
    if let Err(fault) = event_text::check(&expected) {
        return no_json(case.shown(file), &fault);
    }
    let Ok(expected) = serde_json::from_slice::<&RawValue>(&expected) else {
        return vec![format!(
            "{} is no JSON: NaN and Infinity are no numbers",
            case.shown(file).display()
        )];
    };
    let Ok(found) = serde_json::from_str::<&RawValue>(found) else {
        return vec![format!("expected JSON, found {}", trine_engine::json_string(&start(found)))];
    };
    differences(expected, found, partly)
}

fn start(text: &str) -> String {
    text.chars().take(60).collect()
}

/// Returns what differs between an expected text and another one, the end of the last line aside.
fn compared_text(case: &Case, file: &Path, found: &str) -> Vec<String> {
    let expected = match fs::read(file) {
        Ok(expected) => String::from_utf8_lossy(&expected).replace("\r\n", "\n"),
        Err(error) => return vec![unreadable(case.shown(file), &error)],
    };
    let found = found.replace("\r\n", "\n");
    let whole = |text: &str| text.strip_suffix('\n').unwrap_or(text).to_owned();
    let (expected, found) = (whole(&expected), whole(&found));
    if expected == found {
        return Vec::new();
    }
    let (mut expected, mut found) = (expected.split('\n'), found.split('\n'));
    for number in 1.. {
        let line = match (expected.next(), found.next()) {
            (Some(expected), Some(found)) if expected == found => continue,
            (Some(expected), Some(found)) => apart(expected, found),
            (Some(expected), None) => {
                format!("expected {}, found the end", trine_engine::json_string(&start(expected)))
            }
            (None, Some(found)) => {
                format!("expected the end, found {}", trine_engine::json_string(&start(found)))
            }
            (None, None) => break,
        };
        return vec![format!("line {number}: {line}")];
    }
    Vec::new()
}

/// Returns the text of an answer: of a JSON string what it says.
fn text_of(body: &[u8], is_json: bool) -> String {
    match serde_json::from_slice::<String>(body) {
        Ok(text) if is_json => text,
        _ => String::from_utf8_lossy(body).into_owned(),
    }
}

/// Writes the file by which an outcome is expected from now on. Placeholders of an earlier one that hold stay. `lay_out`
/// makes JSON readable. Returns the file's path.
///
/// # Errors
/// Why it cannot be written.
pub(crate) fn expect(
    case: &Case,
    outcome: &Outcome,
    lay_out: impl Fn(&str) -> String,
) -> Result<std::path::PathBuf, String> {
    let earlier = match &case.expectation {
        Expectation::Answer(file) | Expectation::Failure(file) | Expectation::Text(file) => {
            Some(file)
        }
        Expectation::Nothing | Expectation::Unclear(_) => None,
    };
    let earlier_text = earlier.and_then(|file| fs::read_to_string(file).ok()).unwrap_or_default();
    let earlier_json = serde_json::from_str::<&RawValue>(&earlier_text).ok();
    let (kind, text) = match outcome {
        Outcome::Failure { document, .. } => {
            // Where it failed is no part of what is expected.
            let found: serde_json::Value = serde_json::from_str(document).unwrap_or_default();
            let members = serde_json::json!({
                "errorType": found["errorType"],
                "errorMessage": found["errorMessage"],
            });
            let members = members.to_string();
            let members: &RawValue = serde_json::from_str(&members).map_err(|e| e.to_string())?;
            (Answered::Failure, lay_out(&as_expected(members, earlier_json)))
        }
        Outcome::Answer { body, is_json } => {
            let Ok(text) = std::str::from_utf8(body) else {
                return Err("the answer is no text, so no file can expect it".to_owned());
            };
            match serde_json::from_str::<&RawValue>(text) {
                Ok(found) if *is_json => {
                    (Answered::Json, lay_out(&as_expected(found, earlier_json)))
                }
                _ => (Answered::Text, text.to_owned()),
            }
        }
    };
    let file = case.file_for(kind);
    let text = if text.ends_with('\n') { text } else { text + "\n" };
    fs::write(&file, text)
        .map_err(|error| format!("cannot write {}: {error}", case.shown(&file).display()))?;
    if let Some(earlier) = earlier.filter(|earlier| **earlier != file) {
        // Both cannot hold.
        fs::remove_file(earlier)
            .map_err(|error| format!("cannot remove {}: {error}", case.shown(earlier).display()))?;
    }
    Ok(file)
}

fn unreadable(file: &Path, error: &io::Error) -> String {
    format!("cannot read {}: {error}", file.display())
}

fn no_json(file: &Path, fault: &event_text::Fault) -> Vec<String> {
    let told = fault.told(&file.display().to_string());
    std::iter::once(told).chain(fault.shown().lines().map(str::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suite::case::cases;
    use std::path::PathBuf;

    struct Folder(tempfile::TempDir);

    impl Folder {
        fn new() -> Self {
            let folder = Self(tempfile::tempdir().unwrap());
            folder.write("a.json", "{}");
            folder
        }

        fn write(&self, name: &str, text: &str) -> PathBuf {
            let path = self.0.path().join(name);
            fs::write(&path, text).unwrap();
            path
        }

        fn case(&self, expectation: Expectation) -> Case {
            let mut case = cases(self.0.path()).unwrap().remove(0);
            case.expectation = expectation;
            case
        }
    }

    fn json(text: &str) -> Outcome {
        Outcome::Answer { body: Bytes::from(text.to_owned()), is_json: true }
    }

    fn failure() -> Outcome {
        let document = r#"{"errorType":"E","errorMessage":"$any","trace":["x"]}"#.to_owned();
        Outcome::Failure { document, told: "error: E: no".to_owned() }
    }

    fn failed(verdict: &Verdict) -> String {
        match verdict {
            Verdict::Failed(lines) => lines.join("\n"),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn an_outcome_is_judged_by_what_is_expected() {
        let folder = Folder::new();
        let answer = folder.case(Expectation::Answer(folder.write("a", "{\"n\": 1}")));
        assert_eq!(judge(&answer, &json("{\"n\":1.0}")), Verdict::Passed);
        assert_eq!(failed(&judge(&answer, &json("{\"n\":2}"))), "$.n: expected 1, found 2");
        assert_eq!(failed(&judge(&answer, &failure())), "error: E: no");
        assert_eq!(failed(&judge(&answer, &json("NaN"))), "expected JSON, found \"NaN\"");
        let error = folder.write("e", r#"{"errorType": "E"}"#);
        let error = folder.case(Expectation::Failure(error));
        assert_eq!(judge(&error, &failure()), Verdict::Passed);
        let told = failed(&judge(&error, &json("1")));
        assert_eq!(told, "expected a failure, and it has answered");
        let text = folder.case(Expectation::Text(folder.write("t", "one\ntwo\n")));
        assert_eq!(judge(&text, &json("\"one\\r\\ntwo\"")), Verdict::Passed);
        let told = failed(&judge(&text, &json("\"one\\nthree\"")));
        assert_eq!(told, "line 2: expected \"two\", found \"three\"");
        let told = failed(&judge(&text, &json("\"one\"")));
        assert_eq!(told, "line 2: expected \"two\", found the end");
        let open = folder.case(Expectation::Nothing);
        assert_eq!(judge(&open, &json("1")), Verdict::Open);
        assert_eq!(failed(&judge(&open, &failure())), "error: E: no");
        let broken = folder.write("b.json", "{\n x}");
        let told = failed(&judge(&folder.case(Expectation::Answer(broken)), &json("1")));
        assert!(told.contains("b.json is no JSON at line 2, column 2:"), "{told}");
        assert!(told.ends_with("  2 |  x}\n    |  ^"), "{told}");
    }

    #[test]
    fn what_is_written_is_what_holds() {
        let folder = Folder::new();
        let lay_out = |text: &str| text.to_owned();
        let file = expect(&folder.case(Expectation::Nothing), &failure(), lay_out).unwrap();
        assert!(file.ends_with("a.expected-error.json"));
        let text = fs::read_to_string(&file).unwrap();
        assert_eq!(text, "{\"errorType\":\"E\",\"errorMessage\":\"$$any\"}\n");
        let case = folder.case(Expectation::Failure(file.clone()));
        assert_eq!(judge(&case, &failure()), Verdict::Passed);
        let written = expect(&case, &json("[1]"), lay_out).unwrap();
        assert!(written.ends_with("a.expected.json") && !file.exists());
        let raw = Outcome::Answer { body: Bytes::from_static(b"page"), is_json: false };
        let written = expect(&folder.case(Expectation::Nothing), &raw, lay_out).unwrap();
        assert_eq!(fs::read_to_string(&written).unwrap(), "page\n");
        assert_eq!(judge(&folder.case(Expectation::Text(written)), &raw), Verdict::Passed);
        let bytes = Outcome::Answer { body: Bytes::from_static(b"\xff"), is_json: false };
        assert!(expect(&folder.case(Expectation::Nothing), &bytes, lay_out).is_err());
    }
}
