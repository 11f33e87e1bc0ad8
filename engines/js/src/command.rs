//! The command line of a child process that is started as Node: which code it runs, and with which options.

use crate::options::{NodeOptions, Taken, Token};
use deno_error::JsErrorBox;
use deno_runtime::deno_core::{ToV8, op2};

/// The meaning of a command line of Node's.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct CommandLine {
    pub(crate) task: Task,
    pub(crate) options: NodeOptions,
    /// Whether the text of `--eval` or of standard input is an ES module; `None` leaves it to the text.
    pub(crate) input_is_module: Option<bool>,
    /// Whether that text is TypeScript.
    pub(crate) input_is_typed: bool,
    /// Whether `global.gc` exists.
    pub(crate) exposes_gc: bool,
    /// `process.execArgv`.
    pub(crate) exec_argv: Vec<String>,
    /// The arguments after the script in `process.argv`.
    pub(crate) arguments: Vec<String>,
    /// Options that have no effect here.
    pub(crate) ignored: Vec<String>,
}

/// The action that a command line requests.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Task {
    Version,
    Help,
    /// Running a script.
    Script(String),
    /// Only parsing a script.
    Check(String),
    Eval {
        text: String,
        /// Whether its value goes to standard output.
        prints: bool,
    },
    /// Running the code from standard input.
    Input {
        prints: bool,
    },
}

/// The refusal of an invalid command line, in Node's own words.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refused(pub(crate) String);

/// Prefixes of options that Node or V8 have and that have no effect here. Any other option is an error.
const IGNORED: &[&str] = &[
    "--abort",
    "--allow-",
    "--build-snapshot",
    "--concurrent",
    "--cpu-prof",
    "--debug-arraybuffer-allocations",
    "--diagnostic",
    "--disable-",
    "--disallow-",
    "--enable-",
    "--entry-url",
    "--env-file",
    "--experimental-",
    "--force-",
    "--frozen-intrinsics",
    "--gc-",
    "--harmony",
    "--heap",
    "--icu-data-dir",
    "--insecure-http-parser",
    "--inspect",
    "--interpreted-frames",
    "--jitless",
    "--js-",
    "--loader",
    "--localstorage-file",
    "--log",
    "--max-",
    "--min-",
    "--node-memory-debug",
    "--openssl-",
    "--opt",
    "--perf-",
    "--permission",
    "--predictable",
    "--preserve-symlinks",
    "--prof",
    "--redirect-warnings",
    "--report",
    "--security-revert",
    "--single-threaded",
    "--snapshot-blob",
    "--sparkplug",
    "--stack-size",
    "--tls-keylog",
    "--trace",
    "--track-heap-objects",
    "--turbo",
    "--unhandled-rejections",
    "--use-largepages",
    "--wasm-",
    "--zero-fill-buffers",
];

impl CommandLine {
    /// Parses the words after the program's name, in addition to `options` (those of `NODE_OPTIONS`).
    ///
    /// # Errors
    /// Where Node ends with status 9.
    pub(crate) fn parse(words: &[String], options: NodeOptions) -> Result<Self, Refused> {
        let mut line = Self {
            task: Task::Input { prints: false },
            options,
            input_is_module: None,
            input_is_typed: false,
            exposes_gc: false,
            exec_argv: Vec::new(),
            arguments: Vec::new(),
            ignored: Vec::new(),
        };
        let (mut eval, mut prints, mut checks, mut task) = (None, false, false, None);
        let mut rest = words.iter().map(String::as_str).peekable();
        while let Some(word) = rest.next_if(|word| Token::parse(word).is_some()) {
            let Some(token) = Token::parse(word) else { break };
            let needed = || Refused(format!("{word} requires an argument"));
            match token.name.as_str() {
                "-v" | "--version" => task = Some(Task::Version),
                "-h" | "--help" => task = task.or(Some(Task::Help)),
                "-c" | "--check" => checks = true,
                "-e" | "--eval" => eval = Some(token.value(&mut rest).ok_or_else(needed)?),
                "-pe" | "-ep" => {
                    prints = true;
                    eval = Some(token.value(&mut rest).ok_or_else(needed)?);
                }
                "-p" | "--print" => {
                    prints = true;
                    eval = token.value(&mut rest).or(eval);
                }
                "-i" | "--interactive" => return Err(Refused(INTERACTIVE.to_owned())),
                "--input-type" => {
                    let kind = token.value(&mut rest).ok_or_else(needed)?;
                    line.take_input_type(&kind)?;
                }
                "--expose-gc" => line.exposes_gc = !token.negated,
                "--test" | "--watch" | "--run" | "--watch-path" => {
                    return Err(Refused(format!("{word} is not supported by this runtime")));
                }
                _ => line.take(&token, &mut rest)?,
            }
        }
        line.exec_argv = words[..words.len() - rest.len()].to_vec();
        // What follows this is a script, whatever it begins with.
        rest.next_if_eq(&"--");
        let script = if eval.is_none() && task.is_none() { rest.next() } else { None };
        line.arguments = rest.map(str::to_owned).collect();
        line.task = match (task, eval, script) {
            (Some(task), ..) => task,
            (None, Some(text), _) => Task::Eval { text, prints },
            (None, None, Some("-")) => {
                line.arguments.insert(0, "-".to_owned());
                Task::Input { prints }
            }
            (None, None, Some(script)) if checks => Task::Check(script.to_owned()),
            (None, None, Some(script)) => Task::Script(script.to_owned()),
            (None, None, None) => Task::Input { prints },
        };
        Ok(line)
    }

    fn take<'a>(
        &mut self,
        token: &Token<'_>,
        rest: &mut std::iter::Peekable<impl Iterator<Item = &'a str>>,
    ) -> Result<(), Refused> {
        match self.options.take(token, rest) {
            Taken::Yes => Ok(()),
            Taken::Wrong(what) => Err(Refused(what)),
            Taken::Unknown if IGNORED.iter().any(|start| token.name.starts_with(start)) => {
                let value = token.value_of_unknown(rest);
                let value = value.map(|value| format!(" {value}")).unwrap_or_default();
                self.ignored.push(format!("{}{value}", token.written));
                Ok(())
            }
            Taken::Unknown => Err(Refused(format!("bad option: {}", token.written))),
        }
    }

    fn take_input_type(&mut self, kind: &str) -> Result<(), Refused> {
        let (is_module, is_typed) = match kind {
            "module" => (true, false),
            "commonjs" => (false, false),
            "module-typescript" => (true, true),
            "commonjs-typescript" => (false, true),
            _ => {
                return Err(Refused(
                    "--input-type must be \"module\", \"commonjs\", \"module-typescript\" or \
                     \"commonjs-typescript\""
                        .to_owned(),
                ));
            }
        };
        (self.input_is_module, self.input_is_typed) = (Some(is_module), is_typed);
        Ok(())
    }
}

const INTERACTIVE: &str =
    "this runtime has no interactive mode; name a script, or give code with -e";

/// The translation that the polyfill of `child_process` expects for a command line of Node's.
#[derive(Debug, ToV8)]
pub(crate) struct Translated {
    deno_args: Vec<String>,
    node_options: Vec<String>,
    ca_stores: Option<Vec<String>>,
    use_openssl_ca: bool,
    needs_npm_process_state: bool,
    trace_event_categories: Option<String>,
}

/// Replaces Deno's own translation into a command line of Deno's. This program is started with Node's own one, word for
/// word. So are shell commands (`wraps_eval` is not set): an error leaves them as they are.
#[op2]
pub(crate) fn op_trine_command_line(
    #[scoped] words: Vec<String>,
    _in_package: bool,
    wraps_eval: bool,
) -> Result<Translated, JsErrorBox> {
    if !wraps_eval {
        return Err(JsErrorBox::generic("commands of a shell stay as they are"));
    }
    Ok(Translated {
        deno_args: words,
        node_options: Vec::new(),
        ca_stores: None,
        use_openssl_ca: false,
        needs_npm_process_state: false,
        trace_event_categories: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Result<CommandLine, Refused> {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        CommandLine::parse(&words, NodeOptions::default())
    }

    #[test]
    fn a_script_ends_the_options() {
        let line = parse(&["-r", "./a", "--no-warnings", "tool.js", "-e", "--version"]).unwrap();
        assert_eq!(line.task, Task::Script("tool.js".to_owned()));
        assert_eq!(line.options.requires, ["./a"]);
        assert_eq!(line.exec_argv, ["-r", "./a", "--no-warnings"]);
        assert_eq!(line.arguments, ["-e", "--version"]);
        let line = parse(&["--", "-odd.js", "x"]).unwrap();
        assert_eq!(line.task, Task::Script("-odd.js".to_owned()));
        assert_eq!((line.exec_argv.len(), line.arguments.len()), (0, 1));
    }

    #[test]
    fn code_comes_from_an_option_or_from_standard_input() {
        let eval = |text: &str, prints| Task::Eval { text: text.to_owned(), prints };
        for words in [&["-e", "1"][..], &["--eval", "1"], &["--eval=1"]] {
            assert_eq!(parse(words).unwrap().task, eval("1", false));
        }
        for words in [
            &["-p", "1"][..],
            &["--print", "1"],
            &["-pe", "1"],
            &["-p", "-e", "1"],
            &["-e", "1", "-p"],
            &["--print=1"],
        ] {
            assert_eq!(parse(words).unwrap().task, eval("1", true), "{words:?}");
        }
        let line = parse(&["-e", "1", "a", "b"]).unwrap();
        assert_eq!((line.arguments, line.exec_argv.len()), (vec!["a".into(), "b".into()], 2));
        assert_eq!(parse(&[]).unwrap().task, Task::Input { prints: false });
        assert_eq!(parse(&["-p"]).unwrap().task, Task::Input { prints: true });
        assert_eq!(parse(&["-", "a"]).unwrap().arguments, ["-", "a"]);
        assert_eq!(parse(&["--version", "-e", "1"]).unwrap().task, Task::Version);
        assert_eq!(parse(&["-c", "a.js"]).unwrap().task, Task::Check("a.js".to_owned()));
        assert_eq!(parse(&["--input-type=module", "-e", "1"]).unwrap().input_is_module, Some(true));
    }

    #[test]
    fn mistakes_are_refused_and_what_has_no_effect_is_told() {
        let refused = |words: &[&str]| parse(words).unwrap_err().0;
        assert_eq!(refused(&["--nonsense", "a.js"]), "bad option: --nonsense");
        assert_eq!(refused(&["-x"]), "bad option: -x");
        assert_eq!(refused(&["-e"]), "-e requires an argument");
        assert_eq!(refused(&["--require"]), "--require requires an argument");
        assert!(refused(&["--input-type=text", "-e", "1"]).contains("\"commonjs\""));
        let line = parse(&["--inspect=0", "--loader", "./l.mjs", "a.js"]).unwrap();
        assert_eq!(line.ignored, ["--inspect=0", "--loader ./l.mjs"]);
        assert_eq!(line.task, Task::Script("a.js".to_owned()));
    }
}
