//! Times as RFC 3339, from the forms that columns declared as DATETIME, TIMESTAMP or DATE hold.

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, Utc};

/// The first number that is one of milliseconds, not seconds.
const MILLISECONDS: i64 = 1_000_000_000_000;

/// Returns the time of a number of seconds, or of milliseconds where it is that large, since 1970.
pub(super) fn of_number(number: i64) -> Option<String> {
    let time = match number.unsigned_abs() > MILLISECONDS.unsigned_abs() {
        true => DateTime::<Utc>::from_timestamp_millis(number)?,
        false => DateTime::<Utc>::from_timestamp(number, 0)?,
    };
    written(time.fixed_offset())
}

/// Returns the time of a text, if it has one of the forms.
pub(super) fn of_text(text: &str) -> Option<String> {
    let text = text.strip_suffix('Z').unwrap_or(text);
    // A year of four digits, as SQLite's own functions write it.
    let is_date =
        |(at, byte): (usize, u8)| if at == 4 { byte == b'-' } else { byte.is_ascii_digit() };
    if text.len() < 10 || !text.bytes().take(5).enumerate().all(is_date) {
        return None;
    }
    for form in ["%Y-%m-%d %H:%M:%S%.f%:z", "%Y-%m-%dT%H:%M:%S%.f%:z"] {
        if let Ok(time) = DateTime::parse_from_str(text, form) {
            return written(time);
        }
    }
    for form in ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M"]
    {
        if let Ok(time) = NaiveDateTime::parse_from_str(text, form) {
            return written(time.and_utc().fixed_offset());
        }
    }
    let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    written(date.and_time(NaiveTime::MIN).and_utc().fixed_offset())
}

/// Writes a time, the zeros at the end of its fraction left out.
fn written(time: DateTime<FixedOffset>) -> Option<String> {
    let seconds = time.format("%Y-%m-%dT%H:%M:%S").to_string();
    let fraction = match time.timestamp_subsec_nanos() {
        0 => String::new(),
        nanos => format!(".{nanos:09}").trim_end_matches('0').to_owned(),
    };
    let zone = match time.offset().local_minus_utc() {
        0 => "Z".to_owned(),
        _ => time.format("%:z").to_string(),
    };
    Some(format!("{seconds}{fraction}{zone}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_every_form_become_rfc_3339() {
        for (text, expected) in [
            ("2026-01-31 23:59:59", "2026-01-31T23:59:59Z"),
            ("2026-01-31T23:59:59Z", "2026-01-31T23:59:59Z"),
            ("2026-01-31 23:59:59.120", "2026-01-31T23:59:59.12Z"),
            ("2026-01-31 23:59:59.5+02:00", "2026-01-31T23:59:59.5+02:00"),
            ("2026-01-31T23:59", "2026-01-31T23:59:00Z"),
            ("2026-01-31", "2026-01-31T00:00:00Z"),
        ] {
            assert_eq!(of_text(text).as_deref(), Some(expected), "{text}");
        }
        for text in
            ["", "yesterday", "2026-02-30", "12:00", "2026-1-1 1", "20260131", "é2026-01-31"]
        {
            assert_eq!(of_text(text), None, "{text}");
        }
    }

    #[test]
    fn numbers_are_seconds_or_milliseconds() {
        assert_eq!(of_number(0).as_deref(), Some("1970-01-01T00:00:00Z"));
        assert_eq!(of_number(1_769_903_999).as_deref(), Some("2026-01-31T23:59:59Z"));
        assert_eq!(of_number(1_769_903_999_250).as_deref(), Some("2026-01-31T23:59:59.25Z"));
        assert_eq!(of_number(i64::MAX), None);
        assert_eq!(of_number(i64::MIN), None);
    }
}
