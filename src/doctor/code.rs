//! Compiled code, whatever language it belongs to: whether it is for this machine, and whether the platform's libraries
//! are new enough for it.

use super::{PLATFORM_GLIBC, Version};
use std::collections::BTreeMap;
use trine_engine::{ElfFacts, Examination, Finding, MachineCode, PackedFile, PackedFolder};

const TOPIC: &str = "code";

/// The newest version of libstdc++'s symbols on the platform.
const PLATFORM_CXX: Version = Version(3, 4);
/// Its third number.
const PLATFORM_CXX_PATCH: u32 = 29;

/// Libraries that Amazon Linux 2023 has, as far as they do not change with the kind of function.
const PLATFORM_LIBRARIES: [&str; 16] = [
    "ld-linux-aarch64.so.1",
    "ld-linux-x86-64.so.2",
    "libc.so.6",
    "libcrypto.so.3",
    "libcurl.so.4",
    "libdl.so.2",
    "libgcc_s.so.1",
    "libm.so.6",
    "libpthread.so.0",
    "libresolv.so.2",
    "librt.so.1",
    "libssl.so.3",
    "libstdc++.so.6",
    "libutil.so.1",
    "libz.so.1",
    "libcrypt.so.2",
];

/// Looks at all compiled code of a function and its layers.
pub(super) fn look(examination: &Examination<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut lacking: BTreeMap<String, Vec<&PackedFile>> = BTreeMap::new();
    let mut misfits: BTreeMap<String, Vec<&PackedFile>> = BTreeMap::new();
    for folder in examination.folders() {
        for file in &folder.files {
            let Some(code) = &file.code else { continue };
            if let Some(why) = code.misfit(examination.machine) {
                misfits.entry(why).or_default().push(file);
            } else if let MachineCode::Elf(elf) = code {
                findings.extend(too_new(file, elf, folder));
                for library in elf.needed.iter().filter(|name| !is_brought(name, examination)) {
                    lacking.entry(library.clone()).or_default().push(file);
                }
            }
        }
    }
    findings.extend(lacking.into_iter().filter_map(|(library, files)| {
        let first = files.first()?;
        let more = if files.len() > 1 { format!(" and {} more", files.len() - 1) } else { String::new() };
        let what = format!(
            "{}{more} needs {library}, which neither the function nor a layer brings, nor Amazon Linux 2023's base",
            first.name
        );
        let advice = "put the library into lib/ of a layer, or take a package that brings it";
        Some(Finding::warn(TOPIC, what, advice))
    }));
    findings.extend(misfits.into_iter().map(|(why, files)| {
        let size: u64 = files.iter().map(|file| file.size).sum();
        let what = match files.as_slice() {
            [only] => format!("{} {why}", only.name),
            files => {
                let why = why.replacen("is for", "are for", 1);
                format!("{} files, as {}, {why}: {}", files.len(), files[0].name, super::shown_size(size))
            }
        };
        let advice = "it cannot run here, and counts against Lambda's limit: install for Linux with glibc, and name what is \
                      left of other platforms in .trineignore";
        Finding::warn(TOPIC, what, advice)
    }));
    findings
}

/// Whether a library is the platform's, or comes along somewhere. Where the loader looks is the package's affair.
fn is_brought(library: &str, examination: &Examination<'_>) -> bool {
    PLATFORM_LIBRARIES.contains(&library)
        || examination
            .runtime
            .is_some_and(|runtime| runtime.needed.iter().any(|own| own == library))
        || examination
            .folders()
            .any(|folder| folder.files.iter().any(|file| file.base() == library))
}

/// Returns what is wrong where a file needs a newer C or C++ library than the platform has. One that comes along counts.
fn too_new(file: &PackedFile, elf: &ElfFacts, folder: &PackedFolder) -> Option<Finding> {
    let glibc = elf.versions.iter().filter_map(|version| version.strip_prefix("GLIBC_"));
    let newest = glibc.filter_map(Version::parse).max();
    if let Some(newest) = newest.filter(|newest| *newest > PLATFORM_GLIBC) {
        let what = format!(
            "{} needs GLIBC_{newest}, and Amazon Linux 2023 has {PLATFORM_GLIBC}",
            file.name
        );
        let advice = "take a build for an older system, or compile it on Amazon Linux 2023";
        return Some(Finding::warn(TOPIC, what, advice));
    }
    let brings = |name: &str| folder.files.iter().any(|file| file.base() == name);
    let newer = |version: &&String| {
        let text = version.strip_prefix("GLIBCXX_").unwrap_or_default();
        let patch = text.split('.').nth(2).and_then(|patch| patch.parse().ok()).unwrap_or(0);
        let numbers = Version::parse(text);
        numbers > Some(PLATFORM_CXX) || numbers == Some(PLATFORM_CXX) && patch > PLATFORM_CXX_PATCH
    };
    let newest = elf.versions.iter().find(newer)?;
    if brings("libstdc++.so.6") {
        return None;
    }
    let what = format!("{} needs {newest}, and Amazon Linux 2023 has GLIBCXX_3.4.29", file.name);
    let advice = "compile it on Amazon Linux 2023, or with -static-libstdc++";
    Some(Finding::warn(TOPIC, what, advice))
}

#[cfg(test)]
mod tests {
    use super::*;
    use trine_engine::Verdict;

    fn file(name: &str, versions: &[&str]) -> PackedFile {
        let versions = versions.iter().map(|version| (*version).to_owned()).collect();
        let elf = ElfFacts { machine: "x86_64".into(), versions, ..ElfFacts::default() };
        PackedFile {
            name: name.into(),
            path: name.into(),
            size: 1,
            code: Some(MachineCode::Elf(elf)),
        }
    }

    fn look_at(files: Vec<PackedFile>) -> Vec<Finding> {
        let function = PackedFolder { root: "/".into(), files };
        look(&Examination { function: &function, layers: &[], machine: "x86_64", runtime: None })
    }

    #[test]
    fn versions_are_compared_by_number() {
        assert_eq!(look_at(vec![file("a.so", &["GLIBC_2.4", "GLIBC_2.34", "GLIBCXX_3.4.9"])]), []);
        let told = look_at(vec![file("a.so", &["GLIBC_2.4", "GLIBC_2.35", "GLIBC_PRIVATE"])]);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].what.starts_with("a.so needs GLIBC_2.35"), "{told:?}");
        assert_eq!(told[0].verdict, Verdict::Warn);
    }

    #[test]
    fn a_c_plus_plus_library_that_comes_along_is_new_enough() {
        let needs = || file("a.so", &["GLIBCXX_3.4.30"]);
        assert!(look_at(vec![needs()])[0].what.contains("needs GLIBCXX_3.4.30"));
        assert_eq!(look_at(vec![needs(), file("lib/libstdc++.so.6", &[])]), []);
    }

    #[test]
    fn files_of_other_platforms_are_told_together() {
        let mac = |name: &str| PackedFile { code: Some(MachineCode::MachO), ..file(name, &[]) };
        let told = look_at(vec![mac("a.node"), mac("b.node"), file("c.so", &[])]);
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].what, "2 files, as a.node, are for macOS: 2 bytes");
    }
}
