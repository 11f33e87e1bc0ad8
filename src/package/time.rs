//! The time that everything in a package has: always the same one, so that packages are reproducible.

use super::PackageError;
use chrono::{DateTime, Datelike, Timelike, Utc};

/// The variable by which build tools set another time, in seconds since 1970.
const VARIABLE: &str = "SOURCE_DATE_EPOCH";

/// 1980-01-01, the first day that zip files know.
const FIRST: i64 = 315_532_800;
/// 2107-12-31, the last one.
const LAST: i64 = 4_354_819_198;

/// The time of everything in a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Time(DateTime<Utc>);

impl Time {
    /// Returns the time that `SOURCE_DATE_EPOCH` names, else 1980-01-01. `variable` is its value.
    ///
    /// # Errors
    /// When it is no number. One outside of what zip files can hold becomes the first or the last that they can.
    pub fn of_packages(variable: Option<&str>) -> Result<Self, PackageError> {
        let text = variable.filter(|text| !text.is_empty());
        let seconds = match text.map(|text| (text, text.parse::<i64>())) {
            None => FIRST,
            Some((_, Ok(seconds))) => seconds.clamp(FIRST, LAST),
            Some((text, Err(_))) => {
                return Err(PackageError::Time(format!(
                    "the environment variable {VARIABLE} is {text:?}: write seconds since 1970, or unset it"
                )));
            }
        };
        Ok(Self(DateTime::from_timestamp(seconds, 0).unwrap_or_default()))
    }

    /// Returns the name of the variable.
    pub fn variable() -> &'static str {
        VARIABLE
    }

    /// Returns it in seconds since 1970.
    pub(super) fn seconds(self) -> u64 {
        self.0.timestamp().unsigned_abs()
    }

    /// Returns it as container images write it.
    pub(super) fn text(self) -> String {
        self.0.format("%Y-%m-%dT%H:%M:%SZ").to_string()
    }

    /// Returns it as zip files hold it.
    pub(super) fn in_zip(self) -> zip::DateTime {
        let time = &self.0;
        let (year, number) = (time.year() as u16, |number: u32| number as u8);
        let date = (number(time.month()), number(time.day()));
        zip::DateTime::from_date_and_time(
            year,
            date.0,
            date.1,
            number(time.hour()),
            number(time.minute()),
            number(time.second()),
        )
        .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_that_zip_files_can_hold() {
        let of = |text| Time::of_packages(text).unwrap();
        assert_eq!(of(None).text(), "1980-01-01T00:00:00Z");
        assert_eq!(of(Some("")).text(), "1980-01-01T00:00:00Z");
        assert_eq!(of(Some("0")).text(), "1980-01-01T00:00:00Z");
        assert_eq!(of(Some("1700000000")).text(), "2023-11-14T22:13:20Z");
        assert_eq!(of(Some("1700000000")).seconds(), 1_700_000_000);
        assert_eq!(of(Some("9999999999999")).text(), "2107-12-31T23:59:58Z");
        let zip = of(Some("1700000000")).in_zip();
        assert_eq!((zip.year(), zip.month(), zip.hour(), zip.second()), (2023, 11, 22, 20));
        let why = Time::of_packages(Some("yesterday")).unwrap_err().to_string();
        assert!(why.contains("SOURCE_DATE_EPOCH is \"yesterday\""), "{why}");
    }
}
