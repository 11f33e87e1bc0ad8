//! The look at a folder before it is shipped: whether there are C modules, which this runtime cannot load.

use trine_engine::{Examination, Finding, LayerPlace, MachineCode, PackedFile};

/// Looks for C modules of a function and its layers.
pub(crate) fn examine(examination: &Examination<'_>) -> Vec<Finding> {
    let files = examination.folders().flat_map(|folder| &folder.files);
    let modules: Vec<&PackedFile> = files.filter(|file| is_module(file)).collect();
    let Some(first) = modules.first() else { return Vec::new() };
    let others = match modules.len() - 1 {
        0 => String::new(),
        more => format!(" (and {more} more)"),
    };
    let what = format!("{}{others} is a C module of Lua, and this runtime loads none", first.name);
    vec![Finding::warn("module", what, "take a module that is written in Lua")]
}

/// Returns the folders of a layer in which modules are found.
pub(crate) fn layer_places() -> Vec<LayerPlace> {
    vec![LayerPlace { folder: "lua".to_owned(), holds: "modules of Lua" }]
}

/// Whether a library has the function by which Lua opens it.
fn is_module(file: &PackedFile) -> bool {
    match &file.code {
        Some(MachineCode::Elf(elf)) => elf.exports.iter().any(|name| name.starts_with("luaopen_")),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use trine_engine::{ElfFacts, PackedFolder};

    #[test]
    fn c_modules_are_told_and_other_libraries_are_not() {
        let file = |name: &str, export: &str| {
            let elf = ElfFacts { exports: vec![export.to_owned()], ..ElfFacts::default() };
            let code = Some(MachineCode::Elf(elf));
            PackedFile { name: name.into(), path: name.into(), size: 1, code }
        };
        let told = |files| {
            let function = PackedFolder { root: "/".into(), files };
            examine(&Examination {
                function: &function,
                layers: &[],
                machine: "x86_64",
                runtime: None,
            })
        };
        assert_eq!(told(vec![file("a.so", "open")]), []);
        let findings = told(vec![file("cjson.so", "luaopen_cjson"), file("lfs.so", "luaopen_lfs")]);
        assert_eq!(findings.len(), 1);
        assert!(findings[0].what.starts_with("cjson.so (and 1 more) is a C module"));
    }
}
