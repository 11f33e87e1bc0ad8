//! Numbers in readable form: three significant digits, thin spaces, the unit that fits.

use crate::record::Figure;

/// A narrow space at which no line breaks: between groups of digits, and between a number and its unit.
const THIN: char = '\u{202f}';

/// Placeholder where nothing was measured.
pub(super) const NOTHING: &str = "–";

/// Units, each a thousand times the one before it.
const SCALES: [&[&str]; 2] = [&["ns", "µs", "ms", "s"], &["kB", "MB", "GB"]];

/// Units of what is counted: every digit matters, and the name stands above the number.
const COUNTS: [&str; 3] = ["blocks", "pages", "files"];

/// Formats a number in a unit, without naming that.
fn number(value: f64, unit: &str) -> String {
    if COUNTS.contains(&unit) && value.is_finite() {
        return grouped(&format!("{value:.0}"));
    }
    digits(value)
}

/// Formats a number with three significant digits.
pub(super) fn digits(value: f64) -> String {
    let Some((rounded, exponent)) = round(value) else {
        return NOTHING.to_owned();
    };
    let decimals = usize::try_from(2 - exponent).unwrap_or(0);
    let text = format!("{rounded:.decimals$}");
    let (whole, fraction) = text.split_once('.').map_or((&*text, None), |(w, f)| (w, Some(f)));
    let mut text = grouped(whole);
    if let Some(fraction) = fraction {
        text.push('.');
        text.push_str(fraction);
    }
    text
}

/// Sets thousands apart.
fn grouped(whole: &str) -> String {
    // The sign is not a digit: -123 has no thousands.
    let (sign, whole) = whole.strip_prefix('-').map_or(("", whole), |whole| ("-", whole));
    let mut grouped = sign.to_owned();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            grouped.push(THIN);
        }
        grouped.push(digit);
    }
    grouped
}

/// Returns the value rounded to three significant digits, and its power of ten; `None` if it is not finite.
fn round(value: f64) -> Option<(f64, i32)> {
    if !value.is_finite() {
        return None;
    }
    if value == 0.0 {
        return Some((0.0, 2));
    }
    // Decimal formatting rounds exactly, and a carry (999.6) changes the power with it.
    let text = format!("{value:.2e}");
    let exponent = text.split_once('e')?.1.parse().ok()?;
    Some((text.parse().ok()?, exponent))
}

/// Finds the unit in which a value has one to three digits before the point: what to multiply by, and the unit.
fn fit(value: f64, unit: &str) -> (f64, &str) {
    let Some((units, mut at)) = SCALES
        .iter()
        .find_map(|units| Some((units, units.iter().position(|candidate| *candidate == unit)?)))
    else {
        return (1.0, unit);
    };
    let mut factor = 1.0;
    while at + 1 < units.len() && round(value * factor).is_some_and(|(value, _)| value >= 1000.0) {
        (at, factor) = (at + 1, factor / 1000.0);
    }
    while at > 0 && round(value * factor).is_some_and(|(value, _)| value > 0.0 && value < 1.0) {
        (at, factor) = (at - 1, factor * 1000.0);
    }
    (factor, units[at])
}

/// Formats a number and its unit: `84.1 µs`, `12 300/s`.
pub(super) fn quantity(value: f64, unit: &str) -> String {
    if !value.is_finite() {
        return NOTHING.to_owned();
    }
    let (factor, unit) = fit(value, unit);
    with_unit(&number(value * factor, unit), unit)
}

fn with_unit(number: &str, unit: &str) -> String {
    match unit.strip_prefix("1/") {
        Some(per) => format!("{number}/{per}"),
        None if COUNTS.contains(&unit) => number.to_owned(),
        None => format!("{number}{THIN}{unit}"),
    }
}

/// Formats the median of a figure.
pub(super) fn median(figure: &Figure) -> String {
    quantity(figure.median(), &figure.unit)
}

/// Formats the median of a figure and, in small letters and the same unit, its lowest and highest round.
pub(super) fn spread(figure: &Figure) -> String {
    let median = figure.median();
    if figure.rounds.len() < 2 {
        return quantity(median, &figure.unit);
    }
    let (factor, unit) = fit(median, &figure.unit);
    let (least, most) = figure.spread();
    format!(
        "{} <sub>{}–{}</sub>",
        with_unit(&number(median * factor, unit), unit),
        number(least * factor, unit),
        number(most * factor, unit)
    )
}

/// Formats a ratio: `1.35×`.
pub(super) fn times(ratio: f64) -> String {
    if ratio.is_finite() { format!("{}×", digits(ratio)) } else { NOTHING.to_owned() }
}

/// Formats a duration for a sentence: `52 s`, `38 min`.
pub(super) fn duration(seconds: f64) -> String {
    if seconds < 90.0 {
        format!("{seconds:.0}{THIN}s")
    } else {
        format!("{:.0}{THIN}min", seconds / 60.0)
    }
}

/// Returns the day of an RFC 3339 time.
pub(super) fn day(instant: &str) -> &str {
    instant.split('T').next().unwrap_or(instant)
}

/// Formats an RFC 3339 time in UTC to the minute: `2026-11-21 11:48 UTC`.
pub(super) fn minute(instant: &str) -> String {
    match instant.split_once('T') {
        Some((day, time)) => {
            format!("{day} {} UTC", time.chars().take(5).collect::<String>())
        }
        None => instant.to_owned(),
    }
}

/// Returns the usual spelling of a language, or of a framework.
pub(super) fn language(id: &str) -> &str {
    match id {
        "js" => "JavaScript",
        "python" => "Python",
        "lua" => "Lua",
        "rust" => "Rust",
        "fastapi" => "FastAPI",
        "flask" => "Flask",
        "hono" => "Hono",
        "express" => "Express",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: String) -> String {
        text.replace(THIN, " ")
    }

    #[test]
    fn three_digits_count() {
        for (value, text) in [
            (0.0, "0"),
            (0.001_234_5, "0.00123"),
            (0.999_6, "1.00"),
            (1.0, "1.00"),
            (9.996, "10.0"),
            (12.34, "12.3"),
            (99.96, "100"),
            (123.4, "123"),
            (999.6, "1 000"),
            (1_234.0, "1 230"),
            (12_345.0, "12 300"),
            (123_456.0, "123 000"),
            (1_234_567.0, "1 230 000"),
            (-1_234.0, "-1 230"),
            (-123.0, "-123"),
            (f64::NAN, NOTHING),
            (f64::INFINITY, NOTHING),
        ] {
            assert_eq!(plain(digits(value)), text, "{value}");
        }
    }

    #[test]
    fn the_unit_fits_the_value_as_it_is_shown() {
        for (value, unit, text) in [
            (84.12, "µs", "84.1 µs"),
            (999.4, "µs", "999 µs"),
            (999.6, "µs", "1.00 ms"),
            (1_234_567.0, "µs", "1.23 s"),
            (0.25, "ms", "250 µs"),
            (0.0, "ms", "0 ms"),
            (12_345.0, "1/s", "12 300/s"),
            (48.27, "MB", "48.3 MB"),
            (1_048.0, "MB", "1.05 GB"),
            (3.0, "parsecs", "3.00 parsecs"),
            (14.0, "blocks", "14"),
            (12_345.0, "pages", "12 345"),
            (5e9, "s", "5 000 000 000 s"),
            (f64::NAN, "ms", NOTHING),
        ] {
            assert_eq!(plain(quantity(value, unit)), text, "{value} {unit}");
        }
    }

    #[test]
    fn a_spread_has_the_unit_of_its_median() {
        let figure = |rounds: &[f64]| Figure {
            suite: "warm".to_owned(),
            entrant: "one".to_owned(),
            case: "1 KB".to_owned(),
            metric: "p50".to_owned(),
            unit: "µs".to_owned(),
            rounds: rounds.to_vec(),
        };
        let shown = |rounds: &[f64]| plain(spread(&figure(rounds)));
        assert_eq!(shown(&[1500.0, 900.0, 1100.0]), "1.10 ms <sub>0.900–1.50</sub>");
        assert_eq!(shown(&[84.0]), "84.0 µs");
        assert_eq!(shown(&[]), NOTHING);
    }

    #[test]
    fn times_and_dates_are_short() {
        assert_eq!(times(1.3456), "1.35×");
        assert_eq!(times(f64::NAN), NOTHING);
        assert_eq!(plain(duration(52.4)), "52 s");
        assert_eq!(plain(duration(2280.0)), "38 min");
        assert_eq!(day("2026-11-21T11:48:07Z"), "2026-11-21");
        assert_eq!(minute("2026-11-21T11:48:07Z"), "2026-11-21 11:48 UTC");
        assert_eq!(minute("yesterday"), "yesterday");
    }
}
