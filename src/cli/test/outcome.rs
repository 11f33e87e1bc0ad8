//! What became of cases, as text, JSON and JUnit's XML tell it.

use serde_json::{Value, json};
use std::{fmt::Write, path::PathBuf, time::Duration};

/// What became of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    /// The answer is as expected.
    Passed,
    /// It is not, or there is none.
    Failed,
    /// Nothing is expected yet.
    Open,
    /// The answer was written, and is expected from now on.
    Written,
}

impl Status {
    fn name(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Open => "open",
            Self::Written => "written",
        }
    }
}

/// A case that was run.
#[derive(Debug)]
pub(super) struct Ran {
    pub(super) name: String,
    pub(super) event: PathBuf,
    pub(super) status: Status,
    /// What differs or failed, or what was written.
    pub(super) lines: Vec<String>,
    pub(super) log: String,
    pub(super) time: Duration,
}

/// A function whose cases were run.
#[derive(Debug)]
pub(super) struct SuiteRan {
    pub(super) name: String,
    pub(super) engine: &'static str,
    pub(super) cases: Vec<Ran>,
}

/// Whether words have colours.
#[derive(Debug, Clone, Copy)]
pub(super) struct Paint(pub(super) bool);

impl Paint {
    fn paint(self, word: &str, colour: u8) -> String {
        match self.0 {
            true => format!("\x1b[{colour}m{word}\x1b[0m"),
            false => word.to_owned(),
        }
    }
}

impl Ran {
    /// Returns its lines of the report.
    pub(super) fn told(&self, paint: Paint, verbose: bool) -> String {
        let (word, colour) = match self.status {
            Status::Passed => ("ok    ", 32),
            Status::Failed => ("FAIL  ", 31),
            Status::Open => ("open  ", 33),
            Status::Written => ("wrote ", 33),
        };
        let mut told = format!("  {}{}", paint.paint(word, colour), self.name);
        // Without an event, nothing was run.
        if !self.time.is_zero() {
            told += &format!(" ({})", time(self.time));
        }
        match (self.status, self.lines.as_slice()) {
            (Status::Open, _) => {
                told += ": nothing is expected of it; --update writes what it answers";
            }
            (Status::Written, [line]) => told = format!("{told}: {line}"),
            (_, lines) => {
                for line in lines {
                    told = format!("{told}\n        {line}").trim_end().to_owned();
                }
            }
        }
        told.push('\n');
        if !self.log.trim().is_empty() && (verbose || self.status == Status::Failed) {
            told += "        log:\n";
            for line in self.log.trim_end().lines() {
                // Writing to a string does not fail.
                let _ = writeln!(told, "        | {}", line.trim_end_matches('\r'));
            }
        }
        told
    }
}

/// Returns a time as people read it.
fn time(time: Duration) -> String {
    match time.as_secs_f64() {
        seconds if seconds >= 1.0 => format!("{seconds:.1} s"),
        seconds if seconds >= 0.01 => format!("{:.0} ms", seconds * 1000.0),
        seconds => format!("{:.1} ms", seconds * 1000.0),
    }
}

fn count(suites: &[SuiteRan], status: Status) -> usize {
    let cases = suites.iter().flat_map(|suite| &suite.cases);
    cases.filter(|case| case.status == status).count()
}

/// Whether any case has failed.
pub(super) fn has_failed(suites: &[SuiteRan]) -> bool {
    count(suites, Status::Failed) > 0
}

/// Returns the last line of the report.
pub(super) fn summary(suites: &[SuiteRan], paint: Paint, whole: Duration) -> String {
    let parts = [
        (Status::Passed, "passed", 32),
        (Status::Failed, "failed", 31),
        (Status::Open, "open", 33),
        (Status::Written, "written", 33),
    ];
    let told = parts.into_iter().filter_map(|(status, word, colour)| {
        let number = count(suites, status);
        (number > 0).then(|| paint.paint(&format!("{number} {word}"), colour))
    });
    let told: Vec<String> = told.collect();
    let functions = if suites.len() == 1 { "function" } else { "functions" };
    format!("\n{} in {} {functions} ({})", told.join(", "), suites.len(), time(whole))
}

/// Returns the report as JSON.
pub(super) fn as_json(suites: &[SuiteRan], whole: Duration) -> Value {
    let milliseconds = |time: Duration| (time.as_secs_f64() * 1_000_000.0).round() / 1000.0;
    let case = |case: &Ran| {
        json!({
            "name": case.name,
            "event": case.event,
            "status": case.status.name(),
            "ms": milliseconds(case.time),
            "messages": case.lines,
            "log": case.log,
        })
    };
    let suite = |suite: &SuiteRan| {
        json!({
            "function": suite.name,
            "engine": suite.engine,
            "cases": suite.cases.iter().map(case).collect::<Vec<_>>(),
        })
    };
    json!({
        "ok": !has_failed(suites),
        "passed": count(suites, Status::Passed),
        "failed": count(suites, Status::Failed),
        "open": count(suites, Status::Open),
        "written": count(suites, Status::Written),
        "ms": milliseconds(whole),
        "functions": suites.iter().map(suite).collect::<Vec<_>>(),
    })
}

/// Returns the report in the form of JUnit's XML, which most services for continuous integration read.
pub(super) fn as_junit(suites: &[SuiteRan], whole: Duration) -> String {
    let seconds = |time: Duration| format!("{:.6}", time.as_secs_f64());
    let all: usize = suites.iter().map(|suite| suite.cases.len()).sum();
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites tests=\"{all}\" failures=\"{}\" time=\"{}\">\n",
        count(suites, Status::Failed),
        seconds(whole)
    );
    for suite in suites {
        let of = |status| suite.cases.iter().filter(|case| case.status == status).count();
        let name = escaped(&suite.name);
        xml += &format!(
            "  <testsuite name=\"{name}\" tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"{}\" time=\"{}\">\n",
            suite.cases.len(),
            of(Status::Failed),
            of(Status::Open),
            seconds(suite.cases.iter().map(|case| case.time).sum())
        );
        for case in &suite.cases {
            xml += &format!(
                "    <testcase classname=\"{name}\" name=\"{}\" time=\"{}\">\n",
                escaped(&case.name),
                seconds(case.time)
            );
            match case.status {
                Status::Failed => {
                    let first = case.lines.first().map_or("", String::as_str);
                    let whole = case.lines.join("\n");
                    xml += &format!(
                        "      <failure message=\"{}\">{}</failure>\n",
                        escaped(first),
                        escaped(&whole)
                    );
                }
                Status::Open => xml += "      <skipped message=\"nothing is expected of it\"/>\n",
                Status::Passed | Status::Written => {}
            }
            if !case.log.is_empty() {
                xml += &format!("      <system-out>{}</system-out>\n", escaped(&case.log));
            }
            xml += "    </testcase>\n";
        }
        xml += "  </testsuite>\n";
    }
    xml + "</testsuites>\n"
}

/// Escapes a text for XML; what XML cannot hold at all becomes a question mark.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push('\n'),
            '\t' => out.push('\t'),
            letter if letter.is_control() || matches!(letter, '\u{fffe}' | '\u{ffff}') => {
                out.push('?');
            }
            letter => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn suites() -> Vec<SuiteRan> {
        let case = |name: &str, status, lines: &[&str], log: &str| Ran {
            name: name.to_owned(),
            event: PathBuf::from(format!("events/{name}.json")),
            status,
            lines: lines.iter().map(|line| (*line).to_owned()).collect(),
            log: log.to_owned(),
            time: Duration::from_micros(1500),
        };
        let cases = vec![
            case("a", Status::Passed, &[], "quiet\n"),
            case(
                "b",
                Status::Failed,
                &["$.x: expected \"<1>\", found 2", "more"],
                "one\r\ntwo\x1b\n",
            ),
            case("c", Status::Open, &[], ""),
            case("d", Status::Written, &["events/d.expected.json"], ""),
        ];
        vec![SuiteRan { name: "f/handler.py".to_owned(), engine: "python", cases }]
    }

    #[test]
    fn people_read_what_differs_and_the_log_of_what_fails() {
        let suites = suites();
        let told = |paint, verbose| -> String {
            suites[0].cases.iter().map(|case| case.told(Paint(paint), verbose)).collect()
        };
        assert_eq!(
            told(false, false),
            "  ok    a (1.5 ms)\n  \
               FAIL  b (1.5 ms)\n        $.x: expected \"<1>\", found 2\n        more\n        log:\n        | one\n        | two\x1b\n  \
               open  c (1.5 ms): nothing is expected of it; --update writes what it answers\n  \
               wrote d (1.5 ms): events/d.expected.json\n"
        );
        assert!(told(false, true).contains("a (1.5 ms)\n        log:\n        | quiet\n"));
        assert!(told(true, false).contains("\x1b[31mFAIL  \x1b[0mb"));
        let last = summary(&suites, Paint(false), Duration::from_millis(2500));
        assert_eq!(last, "\n1 passed, 1 failed, 1 open, 1 written in 1 function (2.5 s)");
    }

    #[test]
    fn programs_read_the_same() {
        let suites = suites();
        let told = as_json(&suites, Duration::from_millis(3));
        assert_eq!(
            (&told["ok"], &told["failed"], &told["ms"]),
            (&json!(false), &json!(1), &json!(3.0))
        );
        assert_eq!(told["functions"][0]["cases"][1]["status"], "failed");
        assert_eq!(told["functions"][0]["cases"][0]["ms"], 1.5);
        let xml = as_junit(&suites, Duration::from_millis(3));
        for part in [
            "<testsuites tests=\"4\" failures=\"1\" time=\"0.003000\">",
            "<testsuite name=\"f/handler.py\" tests=\"4\" failures=\"1\" errors=\"0\" skipped=\"1\" time=\"0.006000\">",
            "<testcase classname=\"f/handler.py\" name=\"b\" time=\"0.001500\">",
            "<failure message=\"$.x: expected &quot;&lt;1&gt;&quot;, found 2\">",
            "<system-out>one?\ntwo?\n</system-out>",
            "<skipped message=\"nothing is expected of it\"/>",
        ] {
            assert!(xml.contains(part), "{part}\n{xml}");
        }
    }

    #[test]
    fn times_have_the_digits_that_count() {
        for (micros, told) in [(150, "0.1 ms"), (12_400, "12 ms"), (2_340_000, "2.3 s")] {
            assert_eq!(time(Duration::from_micros(micros)), told);
        }
    }
}
