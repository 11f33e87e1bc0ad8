//! `trine check`: whether what a folder declares can be served.

use super::{Usage, fail, print, settings, target};
use crate::{
    engines::Registry,
    handler::PassedOver,
    http::{Checked, Flaw, Site, check},
};
use clap::Args;
use serde_json::json;
use std::process::ExitCode;

/// Check trine.toml and the functions of a folder without serving them.
///
/// Looks at the routes, files, triggers and settings that trine.toml declares, at every function (whether its file parses
/// and can export its handler) and at the middlewares around it. Runs nothing of them, except that plug-ins are
/// loaded. One line a finding, with file and
/// line, then files that are passed over because they can be no function; exit status 1 if anything is wrong.
#[derive(Debug, Args)]
pub(super) struct Check {
    /// A folder of functions, a file, or a file with an export (app.py:get)
    #[arg(default_value = ".")]
    path: String,
    #[command(flatten)]
    middleware_flag: target::MiddlewareFlag,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Check {
    pub(super) fn run(self, registry: &Registry) -> ExitCode {
        match self.look(registry) {
            Ok(checked) => self.report(&checked),
            Err(error) => {
                let code = if error.is::<Usage>() { 2 } else { 1 };
                fail(&format!("error: {error:#}"), code)
            }
        }
    }

    fn look(&self, registry: &Registry) -> anyhow::Result<Checked> {
        let mut settings = settings()?;
        self.middleware_flag.apply_to(&mut settings);
        let (asked, layers) = (&settings.middlewares, &settings.layer_root.value);
        let registry = Site::languages(&self.path, registry)?;
        Ok(check(&self.path, asked, layers, &registry)?)
    }

    fn report(&self, checked: &Checked) -> ExitCode {
        let Checked { site, flaws } = checked;
        if self.json {
            let findings: Vec<_> = flaws
                .iter()
                .map(|flaw| {
                    json!({
                        "file": flaw.file,
                        "line": Some(flaw.line).filter(|line| *line > 0),
                        "column": Some(flaw.column).filter(|column| *column > 0),
                        "message": flaw.message,
                    })
                })
                .collect();
            let passed_over: Vec<_> = site
                .passed_over()
                .iter()
                .map(|PassedOver { path, why }| json!({ "path": path, "why": why }))
                .collect();
            let ok = flaws.is_empty();
            let told = json!({ "ok": ok, "findings": findings, "passedOver": passed_over });
            print(format_args!("{told:#}"));
        } else {
            flaws.iter().for_each(|flaw| print(line(flaw)));
            for PassedOver { path, why } in site.passed_over() {
                print(format_args!("passed over {path}: {why}"));
            }
            if flaws.is_empty() {
                let count = |number: usize, what: &str| {
                    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
                };
                print(format_args!(
                    "Nothing is wrong with {}, {}, {} of files and {}.",
                    count(site.functions().len(), "function"),
                    count(site.routes().count(), "route"),
                    count(site.folders().count(), "folder"),
                    count(site.triggers().len(), "trigger")
                ));
            }
        }
        ExitCode::from(u8::from(!flaws.is_empty()))
    }
}

/// Returns a finding on one line.
fn line(flaw: &Flaw) -> String {
    let file = flaw.file.display();
    let place = match (flaw.line, flaw.column) {
        _ if flaw.file.as_os_str().is_empty() => String::new(),
        (0, _) => format!("{file}: "),
        (line, 0) => format!("{file}:{line}: "),
        (line, column) => format!("{file}:{line}:{column}: "),
    };
    let lines = flaw.message.lines().map(str::trim).filter(|line| !line.is_empty());
    format!("{place}{}", lines.collect::<Vec<_>>().join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_is_one_line_with_its_place() {
        let flaw = |file: &str, line, column| {
            let message = "no\n  such\n\nfile".to_owned();
            super::line(&Flaw { file: file.into(), line, column, message })
        };
        assert_eq!(flaw("a.py", 3, 7), "a.py:3:7: no; such; file");
        assert_eq!(flaw("trine.toml", 3, 0), "trine.toml:3: no; such; file");
        assert_eq!(flaw("a.py", 0, 0), "a.py: no; such; file");
        assert_eq!(flaw("", 0, 0), "no; such; file");
    }
}
