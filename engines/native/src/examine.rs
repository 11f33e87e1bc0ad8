//! The look at a folder before it is shipped: whether handlers in libraries are for the machine that they will run on.

use crate::names::{self, FREE};
use trine_engine::{Examination, Finding, MachineCode};

/// Looks at the libraries of a function that have handlers.
pub(crate) fn examine(examination: &Examination<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in &examination.function.files {
        let Some(code) = &file.code else { continue };
        let MachineCode::Elf(elf) = code else { continue };
        let handlers = names::handlers(&elf.exports);
        if !file.name.ends_with(".so") || handlers.is_empty() {
            continue;
        }
        let name = &file.name;
        findings.push(match code.misfit(examination.machine) {
            Some(why) => {
                let advice = format!("compile it for {} with glibc", examination.machine);
                Finding::fail("handler", format!("{name} {why}"), advice)
            }
            None if !elf.exports.iter().any(|symbol| symbol == FREE) => Finding::fail(
                "handler",
                format!("{name} exports a handler and no {FREE}"),
                "export it, see trine_handler.h",
            ),
            None => Finding::ok("handler", format!("{name} has {}", handlers.join(", "))),
        });
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use trine_engine::{ElfFacts, PackedFile, PackedFolder, Verdict};

    #[test]
    fn handlers_are_told_and_other_libraries_are_not() {
        let file = |name: &str, machine: &str, exports: &[&str]| {
            let exports = exports.iter().map(|name| (*name).to_owned()).collect();
            let elf = ElfFacts { machine: machine.into(), exports, ..ElfFacts::default() };
            let code = Some(MachineCode::Elf(elf));
            PackedFile { name: name.into(), path: name.into(), size: 1, code }
        };
        let handler = ["trine_handle", "trine_free"];
        let files = vec![
            file("app.so", "x86_64", &handler),
            file("arm.so", "aarch64", &handler),
            file("leak.so", "x86_64", &handler[..1]),
            file("libz.so", "x86_64", &["inflate"]),
        ];
        let function = PackedFolder { root: "/".into(), files };
        let examination =
            Examination { function: &function, layers: &[], machine: "x86_64", runtime: None };
        let told: Vec<_> = examine(&examination).into_iter().map(|f| (f.verdict, f.what)).collect();
        assert_eq!(
            told,
            [
                (Verdict::Ok, "app.so has handler".to_owned()),
                (Verdict::Fail, "arm.so is for aarch64".to_owned()),
                (Verdict::Fail, "leak.so exports a handler and no trine_free".to_owned()),
            ]
        );
    }
}
