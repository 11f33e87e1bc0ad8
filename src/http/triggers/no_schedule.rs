//! Schedules in a build without them: there is none.

use super::NoSchedule;
use chrono::{DateTime, Utc};
use std::fmt;

/// The times at which something is due. This build makes none.
#[derive(Debug, Clone)]
pub struct Schedule(());

impl Schedule {
    /// Refuses an expression.
    ///
    /// # Errors
    /// Always: this build has no schedules.
    pub(in crate::http) fn parse(_: &str, _: Option<&str>) -> Result<Self, NoSchedule> {
        let message = "this build has no schedules: it was made without the feature 'cron'";
        Err(NoSchedule { of_zone: false, message: message.to_owned() })
    }

    /// Returns the first time after another at which it is due.
    pub fn next_after(&self, _: DateTime<Utc>) -> Option<DateTime<Utc>> {
        None
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("never")
    }
}
