//! The times at which a trigger is due: a cron expression in a time zone.

use super::NoSchedule;
use chrono::{DateTime, Utc};
use chrono_tz::{TZ_VARIANTS, Tz};
use croner::{
    Cron,
    parser::{CronParser, Seconds, Year},
};
use std::fmt;
use trine_engine::nearest;

/// Shorthands for whole expressions.
const NAMES: [&str; 6] = ["@hourly", "@daily", "@weekly", "@monthly", "@yearly", "@annually"];

/// The times at which something is due.
#[derive(Debug, Clone)]
pub struct Schedule {
    cron: Cron,
    /// The expression, as it was written.
    written: String,
    zone: Tz,
}

impl Schedule {
    /// Reads an expression of five fields, or of six with the second in front, and a time zone, which is UTC unless it is
    /// named.
    ///
    /// # Errors
    /// What is wrong with either, in words. An expression that no time fits is wrong as well.
    pub(in crate::http) fn parse(written: &str, zone: Option<&str>) -> Result<Self, NoSchedule> {
        let zone = zone
            .map_or(Ok(Tz::UTC), of_name)
            .map_err(|message| NoSchedule { of_zone: true, message })?;
        let wrong = |why: String| NoSchedule {
            of_zone: false,
            message: format!("cron = {written:?}: {why}"),
        };
        let text = written.trim();
        if text.starts_with('@') && !NAMES.contains(&text.to_ascii_lowercase().as_str()) {
            let near = nearest(text, NAMES).map(|near| format!("; did you mean {near}?"));
            let near = near.unwrap_or_default();
            return Err(wrong(format!("use one of {}{near}", NAMES[..5].join(", "))));
        }
        let fields = text.split_whitespace().count();
        if !text.starts_with('@') && !matches!(fields, 5 | 6) {
            return Err(wrong(format!(
                "it has {fields} fields: write minute, hour, day of the month, month and day of the week, such \
                 as \"*/5 * * * *\", or six with the second in front of them"
            )));
        }
        let parser =
            CronParser::builder().seconds(Seconds::Optional).year(Year::Disallowed).build();
        let cron = parser.parse(text).map_err(|e| wrong(e.to_string()))?;
        let schedule = Self { cron, written: text.to_owned(), zone };
        match schedule.next_after(Utc::now()) {
            Some(_) => Ok(schedule),
            None => Err(wrong("no time fits it".to_owned())),
        }
    }

    /// Returns the first time after another at which it is due.
    pub fn next_after(&self, time: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let next = self.cron.find_next_occurrence(&time.with_timezone(&self.zone), false);
        next.ok().map(|next| next.with_timezone(&Utc))
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.zone {
            Tz::UTC => f.write_str(&self.written),
            zone => write!(f, "{} ({})", self.written, zone.name()),
        }
    }
}

fn of_name(name: &str) -> Result<Tz, String> {
    name.parse().map_err(|_| {
        let near = nearest(name, TZ_VARIANTS.iter().map(|zone| zone.name()));
        let near = near.map(|near| format!("; did you mean '{near}'?")).unwrap_or_default();
        format!(
            "timezone = {name:?}: no time zone has this name; use one such as Europe/Berlin{near}"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    /// Returns the times after another at which an expression is due.
    fn times<const N: usize>(cron: &str, zone: &str, after: &str) -> [String; N] {
        let schedule = Schedule::parse(cron, Some(zone)).unwrap();
        let mut time = at(after);
        std::array::from_fn(|_| {
            time = schedule.next_after(time).unwrap();
            time.format("%Y-%m-%dT%H:%M:%SZ").to_string()
        })
    }

    #[test]
    fn five_fields_are_minutes_and_six_begin_with_seconds() {
        assert_eq!(
            times("*/5 * * * *", "UTC", "2026-11-28T01:02:03Z"),
            ["2026-11-28T01:05:00Z", "2026-11-28T01:10:00Z"]
        );
        assert_eq!(
            times("*/20 * * * * *", "UTC", "2026-11-28T01:02:03Z"),
            ["2026-11-28T01:02:20Z", "2026-11-28T01:02:40Z", "2026-11-28T01:03:00Z"]
        );
        assert_eq!(times("@daily", "UTC", "2026-11-28T01:02:03Z"), ["2026-11-29T00:00:00Z"]);
        assert_eq!(times("0 9 * * MON", "UTC", "2026-11-28T00:00:00Z"), ["2026-11-30T09:00:00Z"]);
    }

    #[test]
    fn a_time_zone_keeps_its_hours_in_summer_and_winter() {
        assert_eq!(
            times("0 9 * * *", "Europe/Berlin", "2026-10-24T00:00:00Z"),
            ["2026-10-24T07:00:00Z", "2026-10-25T08:00:00Z"]
        );
        assert_eq!(
            times("0 9 * * *", "Asia/Kolkata", "2026-01-01T00:00:00Z"),
            ["2026-01-01T03:30:00Z"]
        );
    }

    #[test]
    fn an_hour_that_comes_twice_runs_once_and_one_that_is_left_out_does_not_hang() {
        let twice: [String; 2] = times("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z");
        assert_eq!(twice, ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]);
        let left_out: [String; 2] = times("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z");
        assert!(left_out[0].as_str() < "2026-03-29T02:00:00Z", "{left_out:?}");
        assert_eq!(left_out[1], "2026-03-30T00:30:00Z");
    }

    #[test]
    fn what_makes_no_schedule_is_told() {
        for (cron, part) in [
            ("", "it has 0 fields"),
            ("* * * *", "it has 4 fields: write minute, hour"),
            ("* * * * * * *", "it has 7 fields"),
            ("61 * * * *", "cron = \"61 * * * *\": "),
            ("x * * * *", "illegal"),
            ("0 0 30 2 *", "no time fits it"),
            ("@dayly", "did you mean @daily?"),
            ("*/0 * * * *", "cron = "),
        ] {
            let why = Schedule::parse(cron, None).unwrap_err();
            assert!(!why.of_zone && why.message.contains(part), "{why:?}");
        }
        let why = Schedule::parse("* * * * *", Some("Europe/Berln")).unwrap_err();
        assert!(why.of_zone, "{why:?}");
        assert!(why.message.contains("did you mean 'Europe/Berlin'?"), "{why:?}");
    }
}
