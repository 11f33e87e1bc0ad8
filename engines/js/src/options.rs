//! The options in `NODE_OPTIONS`, and in the command line of a child that is started as Node.

use serde_json::json;
use std::{ffi::OsStr, sync::OnceLock};
use trine_engine::{Level, LogFormat, LogSettings, Stream, json_line, timestamp};

static OPTIONS: OnceLock<NodeOptions> = OnceLock::new();

/// Node's options that mean something here. There is one value for the whole process, worker threads included.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct NodeOptions {
    /// Modules to load before any other: `--require`, `-r`. Names of packages or paths.
    pub(crate) requires: Vec<String>,
    /// Modules to load after those: `--import`. Names of packages, paths or URLs.
    pub(crate) imports: Vec<String>,
    /// Conditions for packages' exports, in addition to the usual ones: `--conditions`, `-C`.
    pub(crate) conditions: Vec<String>,
    /// Whether stacks are traced to the sources that source maps name: `--enable-source-maps`.
    pub(crate) enable_source_maps: bool,
    /// Maximum size of the heap in MiB: `--max-old-space-size`.
    pub(crate) max_old_space_size: Option<u64>,
    /// Members of `process` that are set: `--no-deprecation`, `--throw-deprecation`, `--trace-deprecation`,
    /// `--trace-warnings`.
    pub(crate) process_flags: Vec<&'static str>,
    /// Warnings that are not printed, by name or code: `--disable-warning`.
    pub(crate) disabled_warnings: Vec<String>,
    /// Treatment of promises that are rejected while nobody listens: `--unhandled-rejections`. `None` for Node's
    /// default, which makes errors of them.
    pub(crate) unhandled_rejections: Option<&'static str>,
    /// Maximum number of frames in an error's stack: `--stack-trace-limit`.
    pub(crate) stack_trace_limit: Option<u32>,
    /// Problems to report to the user: options that are unknown or incomplete. A sentence each.
    pub(crate) complaints: Vec<String>,
}

/// Options that take effect elsewhere (Node's polyfills read them), ask for the default, or would not be noticeable
/// here: accepted silently.
const ACCEPTED: &[&str] = &[
    "--addons",
    "--async-context-frame",
    "--expose-gc",
    "--experimental-async-context-frame",
    "--experimental-detect-module",
    "--experimental-eventsource",
    "--experimental-fetch",
    "--experimental-global-customevent",
    "--experimental-global-navigator",
    "--experimental-global-webcrypto",
    "--experimental-import-meta-resolve",
    "--experimental-json-modules",
    "--experimental-modules",
    "--experimental-print-required-tla",
    "--experimental-repl-await",
    "--experimental-require-module",
    "--experimental-sqlite",
    "--experimental-strip-types",
    "--experimental-transform-types",
    "--experimental-wasm-modules",
    "--experimental-websocket",
    "--experimental-worker",
    "--extra-info-on-fatal-exception",
    "--force-context-aware",
    "--global-search-paths",
    "--network-family-autoselection",
    "--node-snapshot",
    "--pending-deprecation",
    "--preserve-symlinks-main",
    "--strip-types",
    "--tls-max-v1.2",
    "--tls-max-v1.3",
    "--tls-min-v1.0",
    "--tls-min-v1.1",
    "--tls-min-v1.2",
    "--tls-min-v1.3",
    "--use-bundled-ca",
    "--use-openssl-ca",
    "--use-system-ca",
    "--verify-base-objects",
    "--warnings",
];

/// Options of the same kind that have a value.
const ACCEPTED_WITH_VALUE: &[&str] = &[
    "--dns-result-order",
    "--max-http-header-size",
    "--max-semi-space-size",
    "--min-semi-space-size",
    "--network-family-autoselection-attempt-timeout",
    "--secure-heap",
    "--secure-heap-min",
    "--semi-space-growth-factor",
    "--title",
    "--tls-cipher-list",
    "--v8-pool-size",
];

/// Options of Node's that have a value and no effect here: reported, together with their value.
const UNKNOWN_WITH_VALUE: &[&str] = &[
    "--diagnostic-dir",
    "--env-file",
    "--experimental-default-type",
    "--experimental-loader",
    "--heapsnapshot-near-heap-limit",
    "--heapsnapshot-signal",
    "--icu-data-dir",
    "--input-type",
    "--loader",
    "--localstorage-file",
    "--openssl-config",
    "--redirect-warnings",
    "--report-dir",
    "--report-directory",
    "--report-filename",
    "--report-signal",
    "--test-reporter",
    "--test-reporter-destination",
    "--trace-event-categories",
    "--trace-event-file-pattern",
];

/// Options that set a member of `process` to true, with or without a `no-`.
const PROCESS_FLAGS: &[(&str, bool, &str)] = &[
    ("--deprecation", true, "noDeprecation"),
    ("--throw-deprecation", false, "throwDeprecation"),
    ("--trace-deprecation", false, "traceDeprecation"),
    ("--trace-warnings", false, "traceProcessWarnings"),
];

/// Values of `--unhandled-rejections`, in addition to Node's default `throw`.
const REJECTIONS: &[&str] = &["strict", "warn", "warn-with-error-codes", "none"];

/// An option and its parts.
pub(crate) struct Token<'a> {
    /// The option as written.
    pub(crate) written: &'a str,
    /// Name in Node's own spelling, without a leading `no-`: `--max-old-space-size` for `--max_old_space_size`.
    pub(crate) name: String,
    /// Whether it was preceded by `no-`.
    pub(crate) negated: bool,
    /// The text after a `=`.
    pub(crate) value: Option<&'a str>,
}

impl<'a> Token<'a> {
    /// Parses an option; returns `None` for an ordinary word.
    pub(crate) fn parse(written: &'a str) -> Option<Self> {
        if written.len() < 2 || !written.starts_with('-') || written == "--" {
            return None;
        }
        if !written.starts_with("--") {
            let name = match written {
                "-r" => "--require",
                "-C" => "--conditions",
                other => other,
            };
            return Some(Self { written, name: name.to_owned(), negated: false, value: None });
        }
        let (name, value) = match written.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (written, None),
        };
        let name = name.replace('_', "-");
        let (name, negated) = match name.strip_prefix("--no-") {
            Some(rest) => (format!("--{rest}"), true),
            None => (name, false),
        };
        Some(Self { written, name, negated, value })
    }

    /// Returns its value, which follows a `=` or is the next word.
    pub(crate) fn value<'b>(
        &self,
        rest: &mut std::iter::Peekable<impl Iterator<Item = &'b str>>,
    ) -> Option<String> {
        match self.value {
            Some(value) => Some(value).filter(|value| !value.is_empty()).map(str::to_owned),
            None => following(rest).map(str::to_owned),
        }
    }

    /// Returns the word that belongs to it, although it has no effect.
    pub(crate) fn value_of_unknown<'b>(
        &self,
        rest: &mut std::iter::Peekable<impl Iterator<Item = &'b str>>,
    ) -> Option<&'b str> {
        let apart = self.value.is_none() && UNKNOWN_WITH_VALUE.contains(&self.name.as_str());
        if apart { following(rest) } else { None }
    }
}

/// The outcome of taking an option.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    Yes,
    /// Not one of those that may occur in `NODE_OPTIONS`.
    Unknown,
    /// Known, but used wrongly.
    Wrong(String),
}

impl NodeOptions {
    /// Returns the options of the process's `NODE_OPTIONS`, or those passed to [`NodeOptions::settle`].
    pub(crate) fn of_process() -> &'static Self {
        OPTIONS.get_or_init(|| Self::parse(std::env::var_os("NODE_OPTIONS").as_deref()))
    }

    /// Makes these the options of this process, which has not asked for them anywhere yet.
    pub(crate) fn settle(self) {
        // Options are settled before anything else happens.
        let _ = OPTIONS.set(self);
    }

    /// Parses the value of `NODE_OPTIONS`.
    pub(crate) fn parse(variable: Option<&OsStr>) -> Self {
        let mut options = Self::default();
        let text = match variable {
            None => return options,
            Some(text) => text.to_string_lossy(),
        };
        let words = words(&text).unwrap_or_else(|(words, problem)| {
            options.complain(&format!("its value has {problem}"));
            words
        });
        let mut words = words.iter().map(String::as_str).peekable();
        while let Some(word) = words.next() {
            let Some(token) = Token::parse(word) else {
                options.complain(&format!("{word:?} is no option; it has no effect"));
                continue;
            };
            match options.take(&token, &mut words) {
                Taken::Yes => {}
                Taken::Wrong(what) => options.complain(&what),
                Taken::Unknown => {
                    let value = token.value_of_unknown(&mut words);
                    let value = value.map(|value| format!(" {value}")).unwrap_or_default();
                    options.complain(&format!("{word}{value} is not supported and has no effect"));
                }
            }
        }
        options
    }

    /// Takes an option, with its value from `rest` where it has not brought it along.
    pub(crate) fn take<'a>(
        &mut self,
        token: &Token<'_>,
        rest: &mut std::iter::Peekable<impl Iterator<Item = &'a str>>,
    ) -> Taken {
        let name = token.name.as_str();
        match name {
            "--enable-source-maps" => self.enable_source_maps = !token.negated,
            "--require"
            | "--import"
            | "--disable-warning"
            | "--unhandled-rejections"
            | "--conditions"
            | "--max-old-space-size"
            | "--stack-trace-limit" => {
                if token.negated {
                    return Taken::Unknown;
                }
                return match token.value(rest) {
                    Some(value) => self.take_value(token, &value),
                    None => Taken::Wrong(format!("{} requires an argument", token.written)),
                };
            }
            _ if self.take_process_flag(token) => {}
            name if ACCEPTED.contains(&name) => {}
            name if ACCEPTED_WITH_VALUE.contains(&name) => {
                if token.value.is_none() {
                    following(rest);
                }
            }
            _ => return Taken::Unknown,
        }
        Taken::Yes
    }

    /// Takes an option that sets a member of `process`; returns whether it is one.
    fn take_process_flag(&mut self, token: &Token<'_>) -> bool {
        let known = PROCESS_FLAGS.iter().find(|(name, ..)| *name == token.name);
        let Some((_, by_no, member)) = known else { return false };
        self.process_flags.retain(|other| other != member);
        if token.negated == *by_no {
            self.process_flags.push(member);
        }
        true
    }

    fn take_value(&mut self, token: &Token<'_>, value: &str) -> Taken {
        let number = || {
            let name = &token.name;
            let wrong = format!("{name} needs a whole number, not {value:?}; it has no effect");
            value.parse::<u32>().map_err(|_| Taken::Wrong(wrong))
        };
        match token.name.as_str() {
            "--require" => self.requires.push(value.to_owned()),
            "--import" => self.imports.push(value.to_owned()),
            "--conditions" => self.conditions.push(value.to_owned()),
            "--disable-warning" => self.disabled_warnings.push(value.to_owned()),
            "--unhandled-rejections" => {
                let known = REJECTIONS.iter().find(|known| **known == value);
                if known.is_none() && value != "throw" {
                    let what = format!(
                        "--unhandled-rejections is throw, {}, not {value:?}; it has no effect",
                        REJECTIONS.join(", ")
                    );
                    return Taken::Wrong(what);
                }
                self.unhandled_rejections = known.copied();
            }
            "--max-old-space-size" => match number() {
                // To V8, 0 means its own choice.
                Ok(size) => self.max_old_space_size = Some(size.into()).filter(|size| *size > 0),
                Err(wrong) => return wrong,
            },
            _ => match number() {
                Ok(limit) => self.stack_trace_limit = Some(limit),
                Err(wrong) => return wrong,
            },
        }
        Taken::Yes
    }

    fn complain(&mut self, what: &str) {
        self.complaints.push(format!("NODE_OPTIONS: {what}"));
    }

    /// Whether anything is to be loaded before any other module.
    pub(crate) fn has_preloads(&self) -> bool {
        !self.requires.is_empty() || !self.imports.is_empty()
    }

    /// Returns the maximum memory of one heap in bytes: the lower of the host's and the user's limits.
    pub(crate) fn memory_limit(&self, of_host: Option<u64>) -> Option<u64> {
        let asked = self.max_old_space_size.map(|size| size.saturating_mul(1 << 20));
        asked.into_iter().chain(of_host).min()
    }

    /// Logs the problems of the variable, once per process.
    pub(crate) fn tell(&self, log: &LogSettings) {
        static TOLD: std::sync::Once = std::sync::Once::new();
        if self.complaints.is_empty() || log.level.is_some_and(|least| Level::Warn < least) {
            return;
        }
        TOLD.call_once(|| {
            for complaint in &self.complaints {
                let line = match log.format {
                    LogFormat::Text => format!("{} WARN {complaint}\n", timestamp()),
                    LogFormat::Json => json_line(Level::Warn, &json!({"message": complaint})),
                };
                log.sink.write(Stream::Stderr, line.as_bytes());
            }
        });
    }
}

/// Takes the next word, unless it is an option itself. A backslash before a dash says that it is not.
fn following<'a>(rest: &mut std::iter::Peekable<impl Iterator<Item = &'a str>>) -> Option<&'a str> {
    let is_number = |word: &str| word.bytes().all(|byte| byte.is_ascii_digit());
    let value = rest.next_if(|word| word.strip_prefix('-').is_none_or(is_number))?;
    Some(if value.starts_with("\\-") { &value[1..] } else { value })
}

/// Splits `NODE_OPTIONS` into words as Node does: at spaces; double quotes keep spaces, and within them a backslash
/// keeps the character after it.
///
/// # Errors
/// The problem with the quotes, and the words nevertheless.
fn words(text: &str) -> Result<Vec<String>, (Vec<String>, &'static str)> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quoted = false;
    let mut characters = text.chars();
    let mut problem = None;
    while let Some(character) = characters.next() {
        match character {
            '\\' if quoted => match characters.next() {
                Some(kept) => word.get_or_insert_default().push(kept),
                None => problem = Some("a backslash at its end"),
            },
            // An empty pair of quotes is not a word, as in Node.
            '"' => quoted = !quoted,
            // Node splits at spaces only. In a variable that spans several lines, line ends mean the same.
            ' ' | '\t' | '\n' | '\r' if !quoted => words.extend(word.take()),
            character => word.get_or_insert_default().push(character),
        }
    }
    words.extend(word);
    if quoted && problem.is_none() {
        problem = Some("a quotation mark without its partner");
    }
    match problem {
        Some(problem) => Err((words, problem)),
        None => Ok(words),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> NodeOptions {
        NodeOptions::parse(Some(OsStr::new(text)))
    }

    #[test]
    fn every_spelling_of_the_options_is_known() {
        let options = parse(
            "-r ./a.cjs --require=b --require c --import ./d.mjs --import=e -C one --conditions=two \
             --enable-source-maps --max_old_space_size=512 --no-warnings --stack-trace-limit=50",
        );
        assert_eq!(options.requires, ["./a.cjs", "b", "c"]);
        assert_eq!(options.imports, ["./d.mjs", "e"]);
        assert_eq!(options.conditions, ["one", "two"]);
        assert!(options.enable_source_maps && options.has_preloads());
        assert_eq!(options.max_old_space_size, Some(512));
        assert_eq!(options.stack_trace_limit, Some(50));
        assert_eq!(options.complaints, [""; 0]);
        assert_eq!(parse("--max-old-space-size 64").max_old_space_size, Some(64));
        assert!(!parse("--enable-source-maps --no-enable-source-maps").enable_source_maps);
        assert_eq!(NodeOptions::parse(None), NodeOptions::default());
        assert_eq!(parse("  "), NodeOptions::default());
    }

    #[test]
    fn words_are_split_and_quoted_as_node_does() {
        assert_eq!(parse(r#"--require "./a b.js" -r ./c"#).requires, ["./a b.js", "./c"]);
        assert_eq!(parse(r#""--require=./a b.js""#).requires, ["./a b.js"]);
        assert_eq!(parse(r#"--require="./a \"b\" \\.js""#).requires, [r#"./a "b" \.js"#]);
        assert_eq!(parse(r"--require ./a\b.js").requires, [r"./a\b.js"]);
        assert_eq!(parse("--require './a'").requires, ["'./a'"]);
        assert_eq!(parse("-r ./a\n-r\t./b").requires, ["./a", "./b"]);
        assert_eq!(parse(r"-r \-odd").requires, ["-odd"]);
        let open = parse(r#"-r "./a b"#);
        assert_eq!(open.requires, ["./a b"]);
        assert!(open.complaints[0].contains("without its partner"), "{:?}", open.complaints);
        let escape = parse(r#"-r "./a\"#);
        assert!(escape.complaints[0].contains("backslash"), "{:?}", escape.complaints);
    }

    #[test]
    fn what_is_unknown_or_incomplete_is_told_and_the_rest_counts() {
        let options = parse("--inspect --loader ./l.mjs -r ./a stray --require --import ./b");
        assert_eq!(options.requires, ["./a"]);
        assert_eq!(options.imports, ["./b"]);
        assert_eq!(
            options.complaints,
            [
                "NODE_OPTIONS: --inspect is not supported and has no effect",
                "NODE_OPTIONS: --loader ./l.mjs is not supported and has no effect",
                "NODE_OPTIONS: \"stray\" is no option; it has no effect",
                "NODE_OPTIONS: --require requires an argument",
            ]
        );
        let number = parse("--max-old-space-size=lots");
        assert_eq!(number.max_old_space_size, None);
        assert!(number.complaints[0].contains("whole number"), "{:?}", number.complaints);
        assert!(parse("--trace-warnings --dns-result-order=ipv4first").complaints.is_empty());
        assert!(parse("--dns-result-order ipv4first -r ./a").complaints.is_empty());
    }

    #[test]
    fn the_tighter_limit_holds() {
        let options = parse("--max-old-space-size=100");
        assert_eq!(options.memory_limit(None), Some(100 << 20));
        assert_eq!(options.memory_limit(Some(64 << 20)), Some(64 << 20));
        assert_eq!(options.memory_limit(Some(200 << 20)), Some(100 << 20));
        assert_eq!(parse("").memory_limit(Some(5)), Some(5));
    }
}
