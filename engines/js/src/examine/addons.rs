//! Native addons: files that end in `.node`.

use serde_json::Value;
use std::collections::BTreeMap;
use trine_engine::{ElfFacts, Examination, Finding, MachineCode, PackedFile, PackedFolder};

const TOPIC: &str = "addon";

/// Words by which packages and folders name platforms. A name without them is that of the whole family.
const PLATFORM_WORDS: [&str; 36] = [
    "aarch64",
    "aix",
    "android",
    "apple",
    "arm",
    "arm64",
    "armv6",
    "armv7",
    "armv8",
    "darwin",
    "freebsd",
    "glibc",
    "gnu",
    "gnueabihf",
    "ia32",
    "linux",
    "linuxmusl",
    "loong64",
    "macos",
    "mips64el",
    "msvc",
    "musl",
    "musleabihf",
    "openbsd",
    "pc",
    "ppc64",
    "ppc64le",
    "riscv64",
    "s390x",
    "sunos",
    "universal",
    "unknown",
    "win32",
    "windows",
    "x64",
    "x86_64",
];

/// An addon, and why it cannot be loaded.
struct Addon<'f> {
    file: &'f PackedFile,
    misfit: Option<String>,
}

/// Looks at the addons of a function and its layers.
pub(super) fn look(examination: &Examination<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut fitting = 0;
    for folder in examination.folders() {
        let mut families: BTreeMap<String, Vec<Addon<'_>>> = BTreeMap::new();
        for file in folder.files.iter().filter(|file| file.name.ends_with(".node")) {
            let misfit = misfit(file, examination);
            families.entry(family(&file.name)).or_default().push(Addon { file, misfit });
        }
        for addons in families.values() {
            if addons.iter().any(|addon| addon.misfit.is_none()) {
                fitting += 1;
            } else if let Some(first) = addons.first() {
                findings.push(told(first, addons.len(), folder, examination.machine));
            }
        }
    }
    if findings.is_empty() && fitting > 0 {
        let packages = if fitting == 1 { "package" } else { "packages" };
        let what =
            format!("addons of {fitting} {packages} fit Node-API on {}", examination.machine);
        findings.push(Finding::ok(TOPIC, what));
    }
    findings
}

/// Returns why an addon cannot be loaded; `None` where it can.
fn misfit(file: &PackedFile, examination: &Examination<'_>) -> Option<String> {
    let Some(code) = &file.code else { return Some("holds no machine code".to_owned()) };
    if let Some(why) = code.misfit(examination.machine) {
        return Some(why);
    }
    let MachineCode::Elf(elf) = code else { return None };
    let is_for_v8 = |name: &String| name.starts_with("_ZN2v8") || name.starts_with("_ZN4node");
    if elf.imports.iter().any(is_for_v8) {
        return Some("uses V8 and Node directly (nan), which only Node's own build has".to_owned());
    }
    let lacking = examination.runtime.and_then(|runtime| lacking(elf, runtime))?;
    Some(format!("calls {lacking} of Node-API, which this runtime lacks"))
}

/// Returns a function of Node-API that an addon calls and the runtime does not have.
fn lacking<'e>(elf: &'e ElfFacts, runtime: &ElfFacts) -> Option<&'e String> {
    let is_api = |name: &&String| name.starts_with("napi_") || name.starts_with("node_api_");
    // Another program than this one, whose exports say nothing.
    runtime.exports.iter().find(|name| *name == "napi_create_function")?;
    // What an addon has for its host is defined in it, as `napi_register_module_v1` is.
    elf.imports.iter().filter(is_api).find(|name| !runtime.exports.contains(name))
}

/// Returns what is common to the addons of one package, whatever platform each is for: the package's name, or the path of
/// a file outside of packages, without the words for platforms.
fn family(name: &str) -> String {
    let of = package(name).map_or(name, |(_, package)| package);
    let of = of.replace("x86_64", "x64");
    let words = of.split(['/', '-', '.', '_']).filter(|word| !PLATFORM_WORDS.contains(word));
    words.collect::<Vec<_>>().join(" ")
}

/// Splits a path at the last `node_modules`: the folder of the package, and the package's name.
fn package(name: &str) -> Option<(&str, &str)> {
    let at = name.rfind("node_modules/")? + "node_modules/".len();
    let rest = &name[at..];
    let parts = if rest.starts_with('@') { 2 } else { 1 };
    let length: usize = rest.split('/').take(parts).map(|part| part.len() + 1).sum();
    let package = rest.get(..length.checked_sub(1)?)?;
    Some((&name[..at + package.len()], package))
}

fn told(addon: &Addon<'_>, count: usize, folder: &PackedFolder, machine: &str) -> Finding {
    let cpu = match machine {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        other => other,
    };
    let Addon { file, misfit } = addon;
    let why = misfit.as_deref().unwrap_or_default();
    let others =
        if count > 1 { format!(" (and {} more of its family)", count - 1) } else { String::new() };
    let Some((path, name)) = package(&file.name) else {
        let what = format!("{} {why}{others}", file.name);
        return Finding::fail(
            TOPIC,
            what,
            format!("build it on Linux with glibc for {cpu}, with Node-API"),
        );
    };
    let manifest = folder.file(&format!("{path}/package.json")).and_then(json).unwrap_or_default();
    let version = manifest["version"].as_str().unwrap_or_default();
    let inside = file.name.strip_prefix(path).unwrap_or_default().trim_start_matches('/');
    let what = format!("{name} {version}: {inside} {why}{others}");
    let advice = if why.contains("Node") {
        format!("take a version of {name} that uses Node-API alone, or a package that does")
    } else if let Some(parent) = parent(name, folder) {
        format!("npm install --os=linux --cpu={cpu} --libc=glibc {parent}")
    } else {
        format!("npm rebuild {name} on Linux for {cpu}, as in a container of Amazon Linux 2023")
    };
    Finding::fail(TOPIC, what, advice)
}

/// Returns the package that has another one for some platforms.
fn parent(name: &str, folder: &PackedFolder) -> Option<String> {
    folder.files.iter().filter(|file| file.base() == "package.json").find_map(|file| {
        let (path, parent) = package(&file.name)?;
        let is_top = file.name.len() == path.len() + "/package.json".len();
        let manifest = is_top.then(|| json(file))??;
        manifest["optionalDependencies"].get(name).map(|_| parent.to_owned())
    })
}

fn json(file: &PackedFile) -> Option<Value> {
    serde_json::from_str(&file.text()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_family_is_the_package_without_its_platform() {
        for (name, expected) in [
            ("node_modules/@img/sharp-linux-x64/lib/sharp-linux-x64.node", "@img sharp"),
            ("a/node_modules/@img/sharp-darwin-arm64/lib/x.node", "@img sharp"),
            ("node_modules/bcrypt/prebuilds/linux-x64/bcrypt.glibc.node", "bcrypt"),
            ("node_modules/@swc/core-linux-x64-gnu/swc.linux-x64-gnu.node", "@swc core"),
            ("build/addon.darwin-arm64.node", "build addon node"),
        ] {
            assert_eq!(family(name), expected, "{name}");
        }
        let split = ("x/node_modules/@a/b", "@a/b");
        assert_eq!(package("x/node_modules/@a/b/c.node"), Some(split));
        assert_eq!(package("node_modules/b"), Some(("node_modules/b", "b")));
        assert_eq!(package("b/c.node"), None);
    }
}
