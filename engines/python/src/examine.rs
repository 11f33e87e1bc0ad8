//! The look at a folder before it is shipped: whether wheels and extension modules were compiled for this interpreter,
//! and whether what the source imports is there.
//!
//! Contract: the names of extension modules (`importlib.machinery.EXTENSION_SUFFIXES`), the tags of wheels (PEP 425 and
//! 600), the modules that Lambda's own Python runtime has beside the standard library.

mod imports;
mod leftovers;

pub(crate) use leftovers::spare;

use std::collections::{BTreeMap, BTreeSet};
use trine_engine::{Examination, Finding, LayerPlace, PackedFile, PackedFolder};

/// The interpreter that compiled code has to fit.
struct Target<'a> {
    major: u32,
    minor: u32,
    free_threaded: bool,
    machine: &'a str,
}

/// A wheel that was installed into a folder.
struct Wheel {
    name: String,
    version: String,
    tags: Vec<String>,
    /// The folder that it was installed into, below the root; empty for the root itself.
    site: String,
    /// The names at the top of that folder that belong to it.
    tops: BTreeSet<String>,
}

/// Looks at the wheels, the extension modules and the imports of a function and its layers.
pub(crate) fn examine(examination: &Examination<'_>) -> Vec<Finding> {
    let target = Target::this(examination.machine);
    let mut findings = Vec::new();
    let mut compiled = 0;
    for folder in examination.folders() {
        let wheels = wheels(folder);
        let (fitting, others): (Vec<&Wheel>, Vec<&Wheel>) =
            wheels.iter().partition(|wheel| target.takes(wheel));
        compiled += fitting.iter().filter(|wheel| wheel.is_compiled()).count();
        findings.extend(others.iter().map(|wheel| wheel.misfit(&target, folder)));
        let belongs = |file: &PackedFile| others.iter().any(|wheel| wheel.holds(&file.name));
        let modules: Vec<&PackedFile> = folder.files.iter().filter(|file| !belongs(file)).collect();
        findings.extend(misfit_modules(&modules, &target, &mut compiled));
    }
    if findings.is_empty() && compiled > 0 {
        let what = format!("compiled packages fit {} on {}", target.version(), target.machine);
        findings.push(Finding::ok("wheel", what));
    }
    findings.extend(imports::missing(examination, &wheels(examination.function)));
    findings
}

/// Returns the folders of a layer in which packages are found.
pub(crate) fn layer_places() -> Vec<LayerPlace> {
    vec![LayerPlace { folder: "python".to_owned(), holds: "packages of Python" }]
}

impl<'a> Target<'a> {
    fn this(machine: &'a str) -> Self {
        let mut numbers = env!("TRINE_PYTHON_VERSION").split('.').map(str::parse);
        let mut next = || numbers.next().and_then(Result::ok).unwrap_or_default();
        let (major, minor) = (next(), next());
        Self { major, minor, free_threaded: env!("TRINE_PYTHON_FREE_THREADED") == "1", machine }
    }

    fn version(&self) -> String {
        format!("CPython {}.{}", self.major, self.minor)
    }

    /// Returns the tag of this interpreter's own binary interface: `cp311`.
    fn abi(&self) -> String {
        let Self { major, minor, .. } = self;
        format!("cp{major}{minor}{}", if self.free_threaded { "t" } else { "" })
    }

    /// Returns the middle of an extension module's name: `cpython-311-x86_64-linux-gnu`.
    fn suffix(&self) -> String {
        let Self { major, minor, machine, .. } = self;
        let threads = if self.free_threaded { "t" } else { "" };
        format!("cpython-{major}{minor}{threads}-{machine}-linux-gnu")
    }

    fn takes(&self, wheel: &Wheel) -> bool {
        // One without tags was not installed by a tool that knows them.
        wheel.tags.is_empty() || wheel.tags.iter().any(|tag| self.takes_tag(tag))
    }

    /// Whether this interpreter takes what has such a tag: `cp311-cp311-manylinux_2_17_x86_64`, `py3-none-any`.
    fn takes_tag(&self, tag: &str) -> bool {
        let parts: Vec<&str> = tag.split('-').collect();
        let [pythons, abis, platforms] = parts[..] else { return false };
        let any = |list: &str, fits: &dyn Fn(&str) -> bool| list.split('.').any(fits);
        let abi3 = any(abis, &|abi| abi == "abi3") && !self.free_threaded;
        let python = |text: &str| {
            let Some((kind, number)) = text.split_at_checked(2) else { return false };
            let Some((major, minor)) = number.split_at_checked(1) else { return false };
            let (Ok(major), Ok(minor)) = (major.parse::<u32>(), format!("0{minor}").parse::<u32>())
            else {
                return false;
            };
            major == self.major
                && match kind {
                    "py" => minor <= self.minor,
                    "cp" if abi3 => minor <= self.minor,
                    "cp" => minor == self.minor,
                    _ => false,
                }
        };
        let abi = |text: &str| text == "none" || text == self.abi() || text == "abi3" && abi3;
        let platform = |text: &str| {
            let linux = text.starts_with("manylinux") || text.starts_with("linux_");
            text == "any" || linux && text.ends_with(&format!("_{}", self.machine))
        };
        any(pythons, &python) && any(abis, &abi) && any(platforms, &platform)
    }
}

impl Wheel {
    fn is_compiled(&self) -> bool {
        self.tags.iter().any(|tag| !tag.ends_with("-any"))
    }

    /// Whether a file belongs to it.
    fn holds(&self, name: &str) -> bool {
        let inside = match self.site.as_str() {
            "" => Some(name),
            site => name.strip_prefix(site).and_then(|rest| rest.strip_prefix('/')),
        };
        let top = inside.map(|rest| rest.split('/').next().unwrap_or_default());
        top.is_some_and(|top| self.tops.contains(top))
    }

    fn misfit(&self, target: &Target<'_>, folder: &PackedFolder) -> Finding {
        let Self { name, version, tags, site, .. } = self;
        let (abi, machine) = (target.abi(), target.machine);
        let what = format!(
            "the wheel {name} {version} is {}; {} on {machine} takes {abi}-{abi}-manylinux2014_{machine}",
            tags.first().map_or("without a tag", String::as_str),
            target.version(),
        );
        let place = if site.is_empty() { folder.root.clone() } else { folder.root.join(site) };
        let advice = format!(
            "pip install --platform manylinux2014_{machine} --python-version {}.{} --only-binary=:all: --upgrade \
             --target {} {name}=={version}",
            target.major,
            target.minor,
            place.display(),
        );
        Finding::fail("wheel", what, advice)
    }
}

/// Returns the wheels of a folder: what the folders `<name>-<version>.dist-info` tell.
fn wheels(folder: &PackedFolder) -> Vec<Wheel> {
    let mut wheels = Vec::new();
    for file in folder.files.iter().filter(|file| file.base() == "WHEEL") {
        let info = file.folder();
        let (site, base) = info.rsplit_once('/').unwrap_or(("", info));
        let Some((name, version)) =
            base.strip_suffix(".dist-info").and_then(|base| base.rsplit_once('-'))
        else {
            continue;
        };
        let text = file.text().unwrap_or_default();
        let tags = text.lines().filter_map(|line| line.strip_prefix("Tag:"));
        let record = folder.file(&format!("{info}/RECORD")).and_then(PackedFile::text);
        let mut tops: BTreeSet<String> = BTreeSet::from([base.to_owned()]);
        for line in record.unwrap_or_default().lines() {
            let top = line.split([',', '/']).next().unwrap_or_default().trim_matches('"');
            if !top.is_empty() && top != ".." && top != "__pycache__" {
                tops.insert(top.to_owned());
            }
        }
        wheels.push(Wheel {
            name: name.to_owned(),
            version: version.to_owned(),
            tags: tags.map(|tag| tag.trim().to_owned()).collect(),
            site: site.to_owned(),
            tops,
        });
    }
    wheels
}

/// Returns what is wrong with extension modules, by the package that they are in. One whose neighbour fits is not told:
/// a package may bring several.
fn misfit_modules(
    files: &[&PackedFile],
    target: &Target<'_>,
    compiled: &mut usize,
) -> Vec<Finding> {
    let own = target.suffix();
    let mut modules: BTreeMap<String, Vec<(&PackedFile, Option<String>)>> = BTreeMap::new();
    for file in files {
        let Some((stem, tag)) = module_tag(file.base()) else { continue };
        let misfit = match (tag, &file.code) {
            (tag, Some(code)) if tag == own || tag == "abi3" => code.misfit(target.machine),
            (tag, None) if tag == own || tag == "abi3" => Some("holds no machine code".to_owned()),
            (tag, _) => Some(format!("is for {tag}")),
        };
        modules.entry(format!("{}/{stem}", file.folder())).or_default().push((file, misfit));
    }
    let mut told: BTreeMap<String, (usize, String)> = BTreeMap::new();
    for known in modules.values() {
        match known.iter().find_map(|(file, misfit)| misfit.as_ref().map(|why| (file, why))) {
            Some((file, why)) if known.iter().all(|(_, misfit)| misfit.is_some()) => {
                let top = file.name.rsplit_once('/').map_or("", |(folder, _)| folder);
                let first = || (0, format!("{} {why}", file.name));
                told.entry(top.to_owned()).or_insert_with(first).0 += 1;
            }
            _ => *compiled += 1,
        }
    }
    told.into_values()
        .map(|(count, first)| {
            let others =
                if count > 1 { format!(" ({} more beside it)", count - 1) } else { String::new() };
            let what =
                format!("{first}{others}; {} imports .{own}.so and .abi3.so", target.version());
            let advice = format!(
                "install or compile it with Python {}.{} on Linux",
                target.major, target.minor
            );
            Finding::fail("wheel", what, advice)
        })
        .collect()
}

/// Returns the stem and the tag of an extension module's file name; `None` where it is none, or has no tag.
fn module_tag(base: &str) -> Option<(&str, &str)> {
    if let Some(stem) = base.strip_suffix(".pyd") {
        return Some((stem.split('.').next().unwrap_or(stem), "Windows"));
    }
    let (stem, tag) = base.strip_suffix(".so")?.split_once('.')?;
    let is_tag =
        tag == "abi3" || ["cpython-", "pypy", "graalpy"].iter().any(|start| tag.starts_with(start));
    is_tag.then_some((stem, tag))
}

#[cfg(test)]
mod tests;
