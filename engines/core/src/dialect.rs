//! The look of a language's errors to a caller: the members of the error document that Lambda passes on.

use crate::Error;
use serde_json::{Map, Value};

/// The shape of a language's error document. Callers match on these members, so they follow what each language's
/// official Lambda runtime sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErrorDialect {
    /// The member that holds the stack: `trace` in Node, `stackTrace` elsewhere.
    pub stack_member: &'static str,
    /// Whether the document carries `requestId`, as Python's does.
    pub with_request_id: bool,
    /// Form of the record that an error leaves in a text log.
    pub record: ErrorRecord,
    /// Whether `errorType` comes before `errorMessage` (Node) or after it (Python).
    pub type_first: bool,
    /// The type under which X-Ray hears of an event, a context or a result that cannot be converted, where that is not
    /// the error's own.
    pub fault: Option<&'static str>,
}

/// Form of the record that an error leaves in a text log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorRecord {
    /// A title and the error as a JSON object, as Node's runtime writes it.
    Document,
    /// A traceback, as Python's runtime writes it.
    Traceback,
}

impl ErrorDialect {
    /// The shape that official clients of languages without conventions of their own send (Go, Rust).
    pub const PLAIN: Self = Self {
        stack_member: "stackTrace",
        with_request_id: false,
        record: ErrorRecord::Document,
        type_first: false,
        fault: None,
    };

    /// Returns the error document: `{"errorType": …, "errorMessage": …, "trace": […]}` with this language's member
    /// names. Stack lines beyond `limit` bytes are left out, because the platform refuses large error documents.
    pub fn document(&self, error: &Error, request_id: Option<&str>, limit: usize) -> String {
        Value::Object(self.members(error, request_id, limit)).to_string()
    }

    fn members(&self, error: &Error, request_id: Option<&str>, limit: usize) -> Map<String, Value> {
        let message = truncated(error.message(), limit);
        let mut facts = [("errorMessage", message), ("errorType", error.name())];
        if self.type_first {
            facts.reverse();
        }
        let id = request_id.filter(|_| self.with_request_id);
        let facts = facts.into_iter().chain(id.map(|id| ("requestId", id)));
        let mut members: Map<String, Value> =
            facts.map(|(name, value)| (name.to_owned(), value.into())).collect();
        let mut stack = Vec::new();
        members.insert(self.stack_member.to_owned(), Value::Null);
        let mut length = length_of(&members);
        for line in error.stack() {
            length += json_string(line).len() + 1;
            if length > limit {
                break;
            }
            stack.push(line.as_str());
        }
        members.insert(self.stack_member.to_owned(), stack.into());
        if let Some(cause) = error.cause() {
            let cause = self.members(cause, None, limit / 2);
            if length_of(&members) + length_of(&cause) <= limit {
                members.insert("cause".to_owned(), cause.into());
            }
        }
        members
    }
}

/// Returns the length of an object's JSON text, in bytes.
fn length_of(members: &Map<String, Value>) -> usize {
    serde_json::to_string(members).map_or(0, |text| text.len())
}

/// Returns `text` as a JSON string, quotes included.
pub fn json_string(text: &str) -> String {
    serde_json::to_string(text).expect("a string always has a JSON form")
}

fn truncated(text: &str, limit: usize) -> &str {
    let mut end = text.len().min(limit / 2);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    const NODE: ErrorDialect =
        ErrorDialect { stack_member: "trace", type_first: true, ..ErrorDialect::PLAIN };

    #[test]
    fn a_document_has_the_members_of_its_language_in_their_order() {
        let error = Error::guest("TypeError", "x is \"odd\"").with_stack(["at f".to_owned()]);
        assert_eq!(
            NODE.document(&error, Some("id"), 1000),
            r#"{"errorType":"TypeError","errorMessage":"x is \"odd\"","trace":["at f"]}"#
        );
        let python = ErrorDialect { with_request_id: true, ..ErrorDialect::PLAIN };
        assert_eq!(
            python.document(&error, Some("id"), 1000),
            r#"{"errorMessage":"x is \"odd\"","errorType":"TypeError","requestId":"id","stackTrace":["at f"]}"#
        );
    }

    #[test]
    fn a_long_stack_is_cut_at_the_limit_and_stays_valid_json() {
        let error = Error::new(ErrorKind::Guest, "é".repeat(5000))
            .with_stack((0..1000).map(|n| format!("frame {n} {}", "x".repeat(100))));
        let document = NODE.document(&error, None, 4096);
        assert!(document.len() < 6000, "{}", document.len());
        let value: serde_json::Value = serde_json::from_str(&document).expect("valid JSON");
        assert!(value["trace"].as_array().is_some_and(|lines| lines.len() < 1000));
    }

    #[test]
    fn a_cause_is_an_extra_member() {
        let error = Error::guest("Error", "outer").with_cause(Error::guest("Error", "inner"));
        let value: serde_json::Value =
            serde_json::from_str(&NODE.document(&error, None, 4096)).expect("valid JSON");
        assert_eq!(value["cause"]["errorMessage"], "inner");
    }
}
