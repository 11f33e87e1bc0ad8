//! Parameters of a query, of which some come several times.

use super::{super::invoke_api::Rejection, operation::Time};
use crate::answers::percent_decoded;
use chrono::DateTime;

/// The parameters of a request.
pub(super) struct Query<'q>(pub(super) &'q str);

impl Query<'_> {
    /// Returns all values of a parameter, without empty ones.
    pub(super) fn all(&self, name: &str) -> Vec<String> {
        let pairs = self.0.split('&').filter_map(|pair| pair.split_once('='));
        let values = pairs.filter(|(key, _)| *key == name).map(|(_, value)| percent_decoded(value));
        values.filter(|value| !value.is_empty()).collect()
    }

    pub(super) fn get(&self, name: &str) -> Option<String> {
        self.all(name).into_iter().next()
    }

    /// Returns a parameter that is true or false.
    pub(super) fn flag(&self, name: &str, usual: bool) -> Result<bool, Rejection> {
        match self.get(name).as_deref() {
            None => Ok(usual),
            Some("true") => Ok(true),
            Some("false") => Ok(false),
            Some(other) => {
                Err(Rejection::invalid_parameter(format!("{name} is true or false, not {other:?}")))
            }
        }
    }

    /// Returns the number of items that a page may have: 100, where it is not said or 0, and 1000 at most.
    pub(super) fn max_items(&self) -> Result<usize, Rejection> {
        let Some(text) = self.get("MaxItems") else { return Ok(100) };
        match text.parse() {
            Ok(0) => Ok(100),
            Ok(number @ 1..=1000) => Ok(number),
            _ => Err(Rejection::invalid_parameter(format!(
                "MaxItems is a number from 0 to 1000, not {text:?}"
            ))),
        }
    }

    /// Returns the place with which a page begins.
    pub(super) fn marker(&self) -> Result<usize, Rejection> {
        match self.get("Marker") {
            None => Ok(0),
            Some(marker) => marker
                .parse()
                .map_err(|_| Rejection::invalid_parameter(format!("Invalid marker: {marker:?}"))),
        }
    }

    /// Returns a moment: in ISO 8601's form, or in seconds.
    pub(super) fn time(&self, name: &str) -> Result<Option<Time>, Rejection> {
        let Some(text) = self.get(name) else { return Ok(None) };
        let seconds = text
            .parse()
            .ok()
            .and_then(|seconds: f64| Time::from_timestamp_millis((seconds * 1000.0) as i64));
        let time = DateTime::parse_from_rfc3339(&text).ok().map(|time| time.to_utc()).or(seconds);
        let wrong = || {
            let message = format!("{name} is a moment such as 2026-01-02T03:04:05Z, not {text:?}");
            Rejection::invalid_parameter(message)
        };
        time.map(Some).ok_or_else(wrong)
    }
}
