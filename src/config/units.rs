//! Lengths of time, sizes and counts as people write them: `30s`, `1m30s`, `512MiB`, `1GB`, `64`.
//!
//! Flags and variables share these forms. A number without a unit is in the unit that its setting names.

use std::time::Duration;

const MILLISECOND: u64 = 1_000_000;
const SECOND: u64 = 1_000_000_000;

/// Units of time with their nanoseconds; of several names the first one is used in messages.
const TIMES: &[(&str, u64)] = &[
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("ms", MILLISECOND),
    ("s", SECOND),
    ("m", 60 * SECOND),
    ("h", 3_600 * SECOND),
    ("d", 86_400 * SECOND),
    ("sec", SECOND),
    ("min", 60 * SECOND),
];

/// Units of size with their bytes, in lower case. A letter alone is a power of 1024, as most servers read it.
const SIZES: &[(&str, u64)] = &[
    ("b", 1),
    ("kb", 1_000),
    ("mb", 1_000_000),
    ("gb", 1_000_000_000),
    ("tb", 1_000_000_000_000),
    ("kib", 1 << 10),
    ("mib", 1 << 20),
    ("gib", 1 << 30),
    ("tib", 1 << 40),
    ("k", 1 << 10),
    ("m", 1 << 20),
    ("g", 1 << 30),
    ("t", 1 << 40),
    ("ki", 1 << 10),
    ("mi", 1 << 20),
    ("gi", 1 << 30),
    ("ti", 1 << 40),
];

/// The lengths of time that a setting takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeForm {
    /// The unit of a number without one.
    pub plain: PlainTime,
    /// The shortest.
    pub least: Duration,
    /// The longest.
    pub most: Duration,
}

/// The unit of a length of time without one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlainTime {
    /// Seconds.
    Seconds,
    /// Milliseconds.
    Milliseconds,
}

/// The sizes that a setting takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SizeForm {
    /// The unit of a number without one.
    pub plain: PlainSize,
    /// The smallest, in bytes.
    pub least: u64,
    /// The largest, in bytes.
    pub most: u64,
}

/// The unit of a size without one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlainSize {
    /// Bytes.
    Bytes,
    /// MiB.
    Mebibytes,
}

/// The counts that a setting takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CountForm {
    /// The smallest.
    pub least: u64,
    /// The largest.
    pub most: u64,
}

impl TimeForm {
    /// Reads a length of time: a number with a unit, several of them (`1m30s`), or a number alone.
    ///
    /// # Errors
    /// A message with the expected form or the possible lengths.
    pub fn parse(&self, text: &str) -> Result<Duration, String> {
        let (plain, plain_name) = match self.plain {
            PlainTime::Seconds => (SECOND, "seconds"),
            PlainTime::Milliseconds => (MILLISECOND, "milliseconds"),
        };
        let wrong = || {
            format!(
                "{text:?} is no length of time: write a number with a unit, such as 500ms, 30s or 5m \
                 (a number alone is {plain_name})"
            )
        };
        let mut left = text.trim();
        let mut all: u128 = 0;
        loop {
            let (number, after) = Number::read(left).ok_or_else(wrong)?;
            let after = after.trim_start();
            let end = after.find(|c: char| !c.is_alphabetic()).unwrap_or(after.len());
            let nanoseconds = match &after[..end] {
                // A number alone is the whole text: in `1m30` the unit of the 30 would be a guess.
                "" if after.is_empty() && left.len() == text.trim().len() => plain,
                unit => *TIMES
                    .iter()
                    .find(|(name, _)| *name == unit)
                    .map(|(_, n)| n)
                    .ok_or_else(wrong)?,
            };
            all = all.saturating_add(number.times(nanoseconds));
            left = after[end..].trim_start();
            if left.is_empty() {
                break;
            }
        }
        let most = self.most.as_nanos();
        if all < self.least.as_nanos() {
            return Err(format!("{text:?} is too short: the least is {}", time(self.least)));
        }
        if all > most {
            return Err(format!("{text:?} is too long: the most is {}", time(self.most)));
        }
        let (seconds, rest) = (all / u128::from(SECOND), all % u128::from(SECOND));
        Ok(Duration::new(u64::try_from(seconds).unwrap_or(u64::MAX), rest as u32))
    }
}

impl SizeForm {
    /// Reads a size in bytes: a number with a unit, or a number alone. A fraction of a byte is dropped.
    ///
    /// # Errors
    /// A message with the expected form or the possible sizes.
    pub fn parse(&self, text: &str) -> Result<u64, String> {
        let (plain, plain_name) = match self.plain {
            PlainSize::Bytes => (1, "bytes"),
            PlainSize::Mebibytes => (1 << 20, "MiB"),
        };
        let wrong = || {
            format!(
                "{text:?} is no size: write a number with a unit, such as 64KiB, 512MiB or 1GB (a number \
                 alone is {plain_name})"
            )
        };
        let (number, unit) = Number::read(text.trim()).ok_or_else(wrong)?;
        let unit = unit.trim_start().to_ascii_lowercase();
        let bytes = match unit.as_str() {
            "" => plain,
            unit => {
                *SIZES.iter().find(|(name, _)| *name == unit).map(|(_, n)| n).ok_or_else(wrong)?
            }
        };
        let all = number.times(bytes);
        if all < u128::from(self.least) {
            return Err(format!("{text:?} is too small: the least is {}", size(self.least)));
        }
        match u64::try_from(all) {
            Ok(all) if all <= self.most => Ok(all),
            _ => Err(format!("{text:?} is too large: the most is {}", size(self.most))),
        }
    }
}

impl CountForm {
    /// Reads a count.
    ///
    /// # Errors
    /// A message with the possible counts.
    pub fn parse(&self, text: &str) -> Result<u64, String> {
        let digits = text.trim();
        let wrong = || {
            let range = match self.most {
                u64::MAX => format!("{} on", self.least),
                most => format!("{} to {most}", self.least),
            };
            format!("{text:?} is not possible: write a whole number from {range}")
        };
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(wrong());
        }
        let count = digits.parse().ok().filter(|count| (self.least..=self.most).contains(count));
        count.ok_or_else(wrong)
    }
}

/// Digits before and after the point that count: enough for a nanosecond in 30 years, few enough to compute with.
const PLACES: usize = 18;
/// As many nines: more than any setting takes, whatever the unit.
const NINES: &str = "999999999999999999";

/// A decimal number that is not negative.
struct Number {
    digits: u128,
    /// The power of ten by which the digits are divided.
    scale: u128,
}

impl Number {
    /// Reads a number at the beginning of a text, with what follows it. One too large for any setting stays so.
    fn read(text: &str) -> Option<(Self, &str)> {
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (number, after) = text.split_at(end);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
            return None;
        }
        let whole = whole.trim_start_matches('0');
        let whole = if whole.len() > PLACES { NINES } else { whole };
        let fraction = &fraction[..fraction.len().min(PLACES)];
        let digits = format!("0{whole}{fraction}").parse().ok()?;
        Some((Self { digits, scale: 10_u128.pow(fraction.len() as u32) }, after))
    }

    fn times(&self, unit: u64) -> u128 {
        self.digits.saturating_mul(u128::from(unit)) / self.scale
    }
}

/// Writes a length of time in the largest unit in which it is a whole number.
pub(crate) fn time(length: Duration) -> String {
    let nanoseconds = length.as_nanos();
    let names = ["d", "h", "m", "s", "ms", "us", "ns"];
    let fitting = names.iter().find_map(|name| {
        let (_, unit) = TIMES.iter().find(|(known, _)| known == name)?;
        let whole = nanoseconds > 0 && nanoseconds.is_multiple_of(u128::from(*unit));
        whole.then(|| format!("{}{name}", nanoseconds / u128::from(*unit)))
    });
    fitting.unwrap_or_else(|| "0".to_owned())
}

/// Writes a size in the largest unit in which it is a whole number.
pub(crate) fn size(bytes: u64) -> String {
    let units = [("TiB", 1_u64 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    let fitting = units.iter().find(|(_, unit)| bytes > 0 && bytes.is_multiple_of(*unit));
    fitting.map_or_else(|| format!("{bytes}B"), |(name, unit)| format!("{}{name}", bytes / unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIME: TimeForm = TimeForm {
        plain: PlainTime::Seconds,
        least: Duration::from_millis(1),
        most: Duration::from_secs(86_400),
    };
    const SIZE: SizeForm = SizeForm { plain: PlainSize::Mebibytes, least: 16 << 20, most: 1 << 40 };

    #[test]
    fn lengths_of_time_have_units() {
        for (text, milliseconds) in [
            ("30s", 30_000),
            ("500ms", 500),
            ("5m", 300_000),
            ("5min", 300_000),
            ("2h", 7_200_000),
            ("1d", 86_400_000),
            ("1m30s", 90_000),
            ("1h 5m", 3_900_000),
            (" 1.5 s ", 1_500),
            (".25s", 250),
            ("3.", 3_000),
            ("1500000us", 1_500),
            ("12", 12_000),
            ("0.001", 1),
            ("0000000000000000000012", 12_000),
        ] {
            assert_eq!(TIME.parse(text), Ok(Duration::from_millis(milliseconds)), "{text}");
        }
        let milliseconds = TimeForm { plain: PlainTime::Milliseconds, ..TIME };
        assert_eq!(milliseconds.parse("50"), Ok(Duration::from_millis(50)));
        assert_eq!(milliseconds.parse("0.1s"), Ok(Duration::from_millis(100)));
    }

    #[test]
    fn what_is_no_length_of_time_is_told_with_the_form() {
        for text in
            ["", " ", "s", "-1", "+1", "1x", "1S", "soon", "NaN", "inf", "1e3", "1.2.3s", "."]
        {
            let why = TIME.parse(text).unwrap_err();
            assert!(why.ends_with("such as 500ms, 30s or 5m (a number alone is seconds)"), "{why}");
        }
        for text in ["1m30", "30 1m", "1m,30s"] {
            assert!(TIME.parse(text).unwrap_err().contains("is no length of time"), "{text}");
        }
        assert_eq!(TIME.parse("0").unwrap_err(), "\"0\" is too short: the least is 1ms");
        assert_eq!(TIME.parse("0.9ms").unwrap_err(), "\"0.9ms\" is too short: the least is 1ms");
        assert_eq!(TIME.parse("25h").unwrap_err(), "\"25h\" is too long: the most is 1d");
        assert!(TIME.parse(&"9".repeat(100)).unwrap_err().contains("too long"));
        assert_eq!(TIME.parse(&format!("1.{}s", "0".repeat(100))), Ok(Duration::from_secs(1)));
    }

    #[test]
    fn sizes_have_units() {
        for (text, bytes) in [
            ("512MiB", 512 << 20),
            ("512mib", 512 << 20),
            ("512Mi", 512 << 20),
            ("512m", 512 << 20),
            ("1GB", 1_000_000_000),
            ("1 GiB", 1 << 30),
            ("0.5GiB", 512 << 20),
            ("20000kB", 20_000_000),
            ("33554432B", 32 << 20),
            ("64", 64 << 20),
            ("17.5", 17 * (1 << 20) + (1 << 19)),
        ] {
            assert_eq!(SIZE.parse(text), Ok(bytes), "{text}");
        }
        assert_eq!(SizeForm { plain: PlainSize::Bytes, least: 0, ..SIZE }.parse("1000"), Ok(1000));
    }

    #[test]
    fn what_is_no_size_is_told_with_the_form() {
        for text in ["", "MiB", "-1", "1s", "much", "1MiBs", "1M2K", "1e3"] {
            let why = SIZE.parse(text).unwrap_err();
            assert!(why.ends_with("such as 64KiB, 512MiB or 1GB (a number alone is MiB)"), "{why}");
        }
        assert_eq!(SIZE.parse("1").unwrap_err(), "\"1\" is too small: the least is 16MiB");
        assert_eq!(SIZE.parse("2TiB").unwrap_err(), "\"2TiB\" is too large: the most is 1TiB");
        assert!(SIZE.parse(&format!("{}.9TiB", "9".repeat(40))).unwrap_err().contains("too large"));
    }

    #[test]
    fn counts_are_whole_numbers_of_a_range() {
        let count = CountForm { least: 1, most: 1024 };
        assert_eq!(count.parse(" 64 "), Ok(64));
        for text in ["0", "1025", "-1", "+1", "1.5", "two", "", "99999999999999999999999"] {
            let why = count.parse(text).unwrap_err();
            assert!(why.ends_with("write a whole number from 1 to 1024"), "{why}");
        }
        let endless = CountForm { least: 1, most: u64::MAX };
        assert!(endless.parse("0").unwrap_err().ends_with("from 1 on"));
    }

    #[test]
    fn bounds_are_written_as_people_write_them() {
        assert_eq!(time(Duration::from_secs(90)), "90s");
        assert_eq!(time(Duration::from_millis(1500)), "1500ms");
        assert_eq!(time(Duration::ZERO), "0");
        assert_eq!(
            (size(1 << 30), size(1000), size(0)),
            ("1GiB".into(), "1000B".into(), "0B".into())
        );
    }
}
