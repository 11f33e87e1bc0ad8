//! Which messages of a batch have failed, as the function's result says it. Contract: Lambda, "Implementing partial batch
//! responses".

use serde_json::Value;
use std::collections::BTreeSet;

/// Returns the positions of the messages that a result names as failed.
///
/// # Errors
/// Why the result says nothing that makes sense, in words: then the whole batch has failed.
pub(super) fn read(result: &[u8], ids: &[&str]) -> Result<BTreeSet<usize>, String> {
    let result: Value = serde_json::from_slice(result)
        .map_err(|error| format!("the function's result is no JSON: {error}"))?;
    let failures = match &result {
        Value::Null => return Ok(BTreeSet::new()),
        Value::Object(result) => result.get("batchItemFailures").unwrap_or(&Value::Null),
        other => {
            return Err(format!(
                "the function's result is {}: return {{\"batchItemFailures\": []}}, or nothing",
                shown(other)
            ));
        }
    };
    let failures = match failures {
        Value::Null => return Ok(BTreeSet::new()),
        Value::Array(failures) => failures,
        other => return Err(format!("'batchItemFailures' is {}, and no list", shown(other))),
    };
    failures
        .iter()
        .map(|failure| match failure.get("itemIdentifier") {
            Some(Value::String(id)) if !id.is_empty() => ids
                .iter()
                .position(|known| known == id)
                .ok_or_else(|| format!("'batchItemFailures' names {id:?}, which is no message of the batch")),
            _ => Err(format!(
                "{} in 'batchItemFailures' names no message: write {{\"itemIdentifier\": messageId}}",
                shown(failure)
            )),
        })
        .collect()
}

/// Returns the beginning of a value's JSON form.
fn shown(value: &Value) -> String {
    const MOST: usize = 80;
    let text = value.to_string();
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// Adds those that must not be done because an earlier one of their group has failed.
pub(super) fn spread(failed: &mut BTreeSet<usize>, groups: &[Option<&str>]) {
    for (index, group) in groups.iter().enumerate() {
        let is_same = |other: &usize| *other < index && groups[*other] == *group;
        if group.is_some() && failed.iter().any(is_same) {
            failed.insert(index);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDS: [&str; 3] = ["a", "b", "c"];

    #[test]
    fn a_result_names_those_that_have_failed() {
        for (result, failed) in [
            (
                r#"{"batchItemFailures": [{"itemIdentifier": "c"}, {"itemIdentifier": "a"}]}"#,
                vec![0, 2],
            ),
            (
                r#"{"batchItemFailures": [{"itemIdentifier": "b"}, {"itemIdentifier": "b"}]}"#,
                vec![1],
            ),
            (r#"{"batchItemFailures": []}"#, vec![]),
            (r#"{"batchItemFailures": null}"#, vec![]),
            (r#"{"statusCode": 200}"#, vec![]),
            ("{}", vec![]),
            ("null", vec![]),
        ] {
            let read = read(result.as_bytes(), &IDS).unwrap();
            assert_eq!(read.into_iter().collect::<Vec<_>>(), failed, "{result}");
        }
    }

    #[test]
    fn a_result_without_sense_is_told() {
        for (result, part) in [
            (r#"{"batchItemFailures": [{"itemIdentifier": ""}]}"#, "names no message"),
            (r#"{"batchItemFailures": [{"itemIdentifier": null}]}"#, "names no message"),
            (r#"{"batchItemFailures": [{"itemId": "a"}]}"#, "{\"itemId\":\"a\"} in 'batch"),
            (r#"{"batchItemFailures": ["a"]}"#, "\"a\" in 'batchItemFailures' names no message"),
            (r#"{"batchItemFailures": [{"itemIdentifier": "d"}]}"#, "\"d\", which is no message"),
            (r#"{"batchItemFailures": "a"}"#, "'batchItemFailures' is \"a\", and no list"),
            (r#""done""#, "the function's result is \"done\""),
            ("[]", "the function's result is []"),
            ("<html>", "the function's result is no JSON"),
        ] {
            let why = read(result.as_bytes(), &IDS).unwrap_err();
            assert!(why.contains(part), "{result}: {why}");
        }
    }

    #[test]
    fn nothing_of_a_group_is_done_after_one_that_has_failed() {
        let mut failed = BTreeSet::from([1]);
        spread(&mut failed, &[Some("x"), Some("x"), Some("y"), Some("x")]);
        assert_eq!(failed, BTreeSet::from([1, 3]));
        let mut failed = BTreeSet::from([0]);
        spread(&mut failed, &[None, None]);
        assert_eq!(failed, BTreeSet::from([0]));
    }
}
