//! `trine doctor`: whether a function is fit to be shipped.

use super::{fail, print, progress::Progress, settings};
use crate::{doctor::Checkup, engines::Registry};
use clap::Args;
use serde_json::json;
use std::{env, path::PathBuf, process::ExitCode};
use trine_engine::{Finding, Verdict};

/// Look for what would keep a function from running on Lambda.
///
/// Finds the handler as Lambda's runtime does and loads it in a process of its own, without an event. Compares wheels,
/// addons and other compiled code with the languages of this runtime and with Amazon Linux 2023, and the function's sizes
/// and permissions with what Lambda takes. One line a finding; exit status 1 if something fails.
#[derive(Debug, Args)]
pub(super) struct Doctor {
    /// The handler as Lambda gets it: app.handler, src/app.py:handler or a file, seen from the function's folder. Without
    /// it, _HANDLER or SCW_HANDLER_PATH.
    handler: Option<String>,
    /// The function's folder [default: the variable LAMBDA_TASK_ROOT, else the working directory]
    folder: Option<PathBuf>,
    /// A layer's folder, as it is unpacked into /opt; may be given several times, in the layers' order.
    #[arg(long = "layer", value_name = "DIR")]
    layers: Vec<PathBuf>,
    /// Another build of this program that will run the function: its file, or the folder that it ships in.
    #[arg(long, value_name = "PATH")]
    runtime: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl Doctor {
    pub(super) fn run(self, registry: &Registry) -> ExitCode {
        match self.examine(registry) {
            Ok(findings) => self.report(&findings),
            Err(error) => fail(&format!("error: {error:#}"), 2),
        }
    }

    fn examine(&self, registry: &Registry) -> anyhow::Result<Vec<Finding>> {
        let settings = settings()?;
        let progress = Progress::new();
        let checkup = Checkup {
            root: self.folder.as_ref().unwrap_or(&settings.task_root.value),
            handler: self.handler.as_deref(),
            layers: &self.layers,
            settings: &settings,
            registry,
            runtime: &runtime(self.runtime.as_deref())?,
            progress: &|text| progress.say(text),
        };
        Ok(checkup.run()?)
    }

    fn report(&self, findings: &[Finding]) -> ExitCode {
        let fails = findings.iter().any(|finding| finding.verdict == Verdict::Fail);
        if self.json {
            let findings: Vec<_> = findings
                .iter()
                .map(|finding| {
                    json!({
                        "verdict": finding.verdict.to_string(),
                        "topic": finding.topic,
                        "what": finding.what,
                        "advice": finding.advice,
                    })
                })
                .collect();
            print(format_args!("{:#}", json!({"ok": !fails, "findings": findings})));
        } else {
            findings.iter().for_each(|finding| print(line(finding)));
        }
        ExitCode::from(u8::from(fails))
    }
}

/// Returns a finding on one line.
fn line(finding: &Finding) -> String {
    let Finding { verdict, topic, what, advice } = finding;
    let what = match advice {
        Some(advice) => format!("{what}: {advice}"),
        None => what.clone(),
    };
    let lines: Vec<&str> = what.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    format!("{verdict:4}  {topic:11}  {}", lines.join("; "))
}

/// Returns the file of the runtime: this program's, that of another build, or the one in the folder that it ships in.
pub(super) fn runtime(other: Option<&std::path::Path>) -> anyhow::Result<PathBuf> {
    use anyhow::Context;
    let Some(other) = other else {
        return env::current_exe()
            .context("cannot tell which file this program is; name it with --runtime");
    };
    let file = if other.is_dir() { other.join("bin/trine") } else { other.to_owned() };
    let file = std::fs::canonicalize(&file);
    let file = file.with_context(|| format!("--runtime {}: no such runtime", other.display()))?;
    anyhow::ensure!(file.is_file(), "--runtime {}: it is no file", other.display());
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_is_one_line() {
        let finding = Finding::fail("handler", "no\n  such\n\nfile", "write\nanother");
        assert_eq!(line(&finding), "fail  handler      no; such; file: write; another");
        assert_eq!(line(&Finding::ok("size", "small")), "ok    size         small");
    }
}
