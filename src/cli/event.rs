//! `trine event`: sample events of AWS's services and others.

use super::{Usage, print};
use crate::sample_events::{Field, Kind, Sample, sample, samples};
use clap::Args;
use serde_json::{Value, json};

/// Print an event such as AWS's services and others send.
///
/// The same options make the same event each time. 'trine event list' shows all events with their options, 'trine event
/// show NAME' what the options of one stand for.
#[derive(Debug, Args)]
#[command(override_usage = USAGE, after_help = EXAMPLES)]
pub(super) struct Event {
    /// The event's name and its options; or list, or show and a name [default: list]
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "NAME")]
    words: Vec<String>,
}

const USAGE: &str = "\
trine event [list]
       trine event show NAME
       trine event NAME [--OPTION VALUE]...";

const EXAMPLES: &str = "\
Examples:
  trine event s3 --bucket photos --key 'a b.txt'
  trine event http --method PUT --path /pets/7 --body '{\"name\":\"Tom\"}' > events/put.json
  trine invoke app.handler --event '@sqs?queue=orders'";

/// Width of a line of options.
const WIDTH: usize = 100;

impl Event {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let mut words = self.words.iter().map(String::as_str);
        match words.next() {
            None => list(),
            Some("list") => match words.collect::<Vec<_>>().as_slice() {
                [] => list(),
                ["--json"] => list_json(),
                [other, ..] => {
                    return Err(usage(format!("'list' takes nothing but --json, not {other:?}")));
                }
            },
            Some("show") => {
                let name = words.next().ok_or_else(|| {
                    usage(
                        "which event? 'trine event list' shows them all, 'trine event show s3' one",
                    )
                })?;
                show(sample(name).map_err(usage)?);
            }
            Some(name) => {
                if name.starts_with('-') {
                    return Err(usage(format!(
                        "the event's name comes first, then its options: trine event s3 {name} …"
                    )));
                }
                let sample = sample(name).map_err(usage)?;
                let rest: Vec<&str> = words.collect();
                if rest.iter().any(|word| ["--help", "-h"].contains(word)) {
                    show(sample);
                    return Ok(());
                }
                let given = options(sample, &rest).map_err(usage)?;
                let event = sample.make(&given).map_err(usage)?;
                print(format!("{event:#}"));
            }
        }
        Ok(())
    }
}

fn usage(message: impl Into<String>) -> anyhow::Error {
    Usage(message.into()).into()
}

/// Reads options as they are on a command line.
fn options(sample: &Sample, words: &[&str]) -> Result<Vec<(String, String)>, String> {
    let mut given = Vec::new();
    let mut words = words.iter().peekable();
    while let Some(word) = words.next() {
        let Some(option) = word.strip_prefix("--").filter(|option| !option.is_empty()) else {
            return Err(format!(
                "{word:?} is no option of the event '{}': options are written --name value",
                sample.name
            ));
        };
        let (name, value) = match option.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (option, None),
        };
        let field = sample.field(name)?;
        let value = match value {
            Some(value) => value,
            None if field.kind == Kind::Flag => "",
            None => {
                let is_option = |word: &str| {
                    let name = word.strip_prefix("--").unwrap_or_default();
                    let name = name.split('=').next().unwrap_or_default();
                    sample.field(name).is_ok()
                };
                let next = words.next_if(|next| !is_option(next));
                next.copied().ok_or_else(|| {
                    format!("--{name} wants a value: --{name} {}", field.kind.placeholder())
                })?
            }
        };
        given.push((name.to_owned(), value.to_owned()));
    }
    Ok(given)
}

fn list() {
    let width = samples().map(|sample| sample.name.len()).max().unwrap_or_default();
    let mut out = String::new();
    for sample in samples() {
        out += &format!("{:width$}  {}\n", sample.name, sample.about);
        let mut line = String::new();
        for field in sample.fields {
            if width + 3 + line.len() + field.name.len() > WIDTH {
                out += &format!("{:width$}  {}\n", "", line.trim_end());
                line.clear();
            }
            line += &format!("--{} ", field.name);
        }
        out += &format!("{:width$}  {}\n", "", line.trim_end());
    }
    print(out.trim_end());
}

fn list_json() {
    let field = |field: &Field| {
        let default: Value = match field.default {
            [] => Value::Null,
            [only] if !field.kind.repeats() => json!(only),
            several => json!(several),
        };
        json!({
            "name": field.name,
            "takes": match field.kind {
                Kind::Choice(words) => json!(words),
                kind => json!(kind.placeholder()),
            },
            "default": default,
            "repeats": field.kind.repeats(),
            "about": field.about,
        })
    };
    let all = samples().map(|sample| {
        json!({
            "name": sample.name,
            "aliases": sample.aliases,
            "about": sample.about,
            "options": sample.fields.iter().map(field).collect::<Vec<_>>(),
        })
    });
    print(format!("{:#}", Value::Array(all.collect())));
}

fn show(sample: &Sample) {
    let name = sample.name;
    let mut out = format!("{name}: {}\n", sample.about);
    if !sample.aliases.is_empty() {
        out += &format!("Also called {}.\n", sample.aliases.join(", "));
    }
    out += "\nOptions:\n";
    let written = |field: &Field| format!("--{} {}", field.name, field.kind.placeholder());
    let width = sample.fields.iter().map(|field| written(field).len()).max().unwrap_or_default();
    for field in sample.fields {
        let mut about = field.about.to_owned();
        if field.kind.repeats() {
            about += "; may be given several times";
        }
        match field.default {
            [] | [""] => {}
            default => about += &format!(" [default: {}]", default.join(", ")),
        }
        out += &format!("  {:width$}  {about}\n", written(field));
    }
    out += &format!(
        "\nExamples:\n  trine event {name} > events/{name}.json\n  trine invoke app.handler --event @{name}"
    );
    print(out);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(words: &[&str]) -> Result<String, String> {
        let given = options(sample("alb").unwrap(), words)?;
        let given = given.iter().map(|(name, value)| format!("{name}:{value}"));
        Ok(given.collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn options_are_words_or_one_word() {
        assert_eq!(given(&["--path", "/a", "--method=PUT"]).unwrap(), "path:/a method:PUT");
        assert_eq!(given(&["--multi-value", "--path", "--x"]).unwrap(), "multi-value: path:--x");
        assert_eq!(given(&["--body=", "--multi-value=false"]).unwrap(), "body: multi-value:false");
    }

    #[test]
    fn what_is_no_option_is_told() {
        for (words, told) in [
            (&["--path"][..], "--path wants a value: --path TEXT"),
            (&["--path", "--method", "GET"], "--path wants a value: --path TEXT"),
            (
                &["path"],
                "\"path\" is no option of the event 'alb': options are written --name value",
            ),
            (&["--"], "\"--\" is no option of the event 'alb': options are written --name value"),
        ] {
            assert_eq!(given(words).unwrap_err(), told);
        }
        assert!(given(&["--pth", "/"]).unwrap_err().contains("did you mean --path?"));
    }
}
