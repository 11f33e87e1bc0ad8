//! Permissions: Lambda runs a function as a user that owns none of its files.

use crate::folder::{Contents, Kind};
use std::{collections::BTreeSet, fs, os::unix::fs::PermissionsExt, path::Path};
use trine_engine::Finding;

const TOPIC: &str = "permissions";

/// The name of the file that Lambda starts.
const BOOTSTRAP: &str = "bootstrap";

/// Looks at the permissions of a function's or a layer's files.
pub(super) fn look(contents: &Contents, is_function: bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    let files = contents.entries.iter().filter(|entry| matches!(entry.kind, Kind::File { .. }));
    let private: Vec<&str> =
        files.filter(|file| file.mode & 0o004 == 0).map(|file| file.name.as_str()).collect();
    let closed: Vec<String> = folders(contents)
        .into_iter()
        .filter(|name| is_closed(&contents.root.join(name)))
        .map(|name| format!("{name}/"))
        .collect();
    let names: Vec<&str> = private.into_iter().chain(closed.iter().map(String::as_str)).collect();
    if let Some(first) = names.first() {
        let what = match names.len() {
            1 => format!("others cannot read {first}"),
            count => format!("others cannot read {count} files and folders, as {first}"),
        };
        let advice = "Lambda's user is another one: chmod -R a+rX, or let 'trine package' make the zip, which sets it";
        findings.push(Finding::warn(TOPIC, what, advice));
    }
    if let Some(file) = contents.entries.iter().find(|entry| entry.name == BOOTSTRAP) {
        let follows = fs::metadata(&file.path).map(|facts| facts.permissions().mode());
        if !follows.is_ok_and(|mode| mode & 0o001 != 0) {
            let what = format!("{} is not executable", file.path.display());
            findings.push(Finding::fail(TOPIC, what, "chmod 755 bootstrap"));
        }
        if is_function {
            let what = "the function has a file 'bootstrap', which Lambda starts in place of the layer's runtime";
            findings.push(Finding::warn(TOPIC, what, "leave it out unless that is meant"));
        }
    }
    findings
}

/// Returns the names of all folders with something in them.
fn folders(contents: &Contents) -> BTreeSet<&str> {
    let mut folders = BTreeSet::new();
    for entry in &contents.entries {
        let mut name = entry.name.as_str();
        while let Some((folder, _)) = name.rsplit_once('/') {
            if !folders.insert(folder) {
                break;
            }
            name = folder;
        }
    }
    folders
}

fn is_closed(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|facts| facts.permissions().mode() & 0o005 != 0o005)
}
