//! Imports of packages that Lambda's own runtime has and this one does not, as far as the source's lines tell.

use super::Wheel;
use crate::interpreter;
use std::collections::BTreeMap;
use trine_engine::{Examination, Finding, PackedFile};

/// The packages, by the names under which they are imported.
const BROUGHT_BY_LAMBDA: [&str; 7] =
    ["boto3", "botocore", "dateutil", "jmespath", "s3transfer", "six", "urllib3"];

/// An import, and whether it runs whenever its file is loaded.
#[derive(Debug, PartialEq, Eq)]
struct Import<'s> {
    module: &'s str,
    line: usize,
    at_top: bool,
}

/// Returns what a function's own source imports and nothing brings.
pub(super) fn missing(examination: &Examination<'_>, wheels: &[Wheel]) -> Vec<Finding> {
    let mut places: BTreeMap<&str, (String, bool)> = BTreeMap::new();
    for file in &examination.function.files {
        let is_vendored = wheels.iter().any(|wheel| {
            wheel.holds(&file.name)
                || !wheel.site.is_empty() && file.name.starts_with(&format!("{}/", wheel.site))
        });
        if !file.name.ends_with(".py") || is_vendored {
            continue;
        }
        let text = file.text().unwrap_or_default();
        for import in imports(&text) {
            let Some(known) = BROUGHT_BY_LAMBDA.iter().find(|known| **known == import.module)
            else {
                continue;
            };
            let place = format!("{}:{}", file.name, import.line);
            let (first, at_top) = places.entry(known).or_insert((place.clone(), import.at_top));
            if import.at_top && !*at_top {
                (*first, *at_top) = (place, true);
            }
        }
    }
    places.retain(|module, _| !is_there(module, examination));
    let told = places.into_iter().map(|(module, (place, at_top))| {
        let what = format!(
            "{place} imports {module}, which Lambda's own Python has and neither this runtime nor the function brings"
        );
        let advice = "add the layer that 'make layer-sdk' builds (checked with --layer), or vendor it with pip install \
                      --target";
        match at_top {
            true => Finding::fail("sdk", what, advice),
            false => Finding::warn("sdk", what, advice),
        }
    });
    told.collect()
}

/// Whether a module is among the files.
fn is_there(module: &str, examination: &Examination<'_>) -> bool {
    let own = ["".to_owned(), "package/".to_owned()];
    let packages = format!("python/lib/{}/site-packages/", interpreter::minor_version());
    let layer = ["python/".to_owned(), packages];
    examination.folders().enumerate().any(|(at, folder)| {
        let places = if at == 0 { &own } else { &layer };
        places.iter().any(|place| {
            let has = |file: &PackedFile| file.name == format!("{place}{module}.py");
            folder.has_folder(&format!("{place}{module}")) || folder.files.iter().any(has)
        })
    })
}

/// Returns the top-level modules that a text imports by whole lines.
fn imports(text: &str) -> Vec<Import<'_>> {
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let code = line.trim_start();
        let at_top = code.len() == line.len();
        let names: Vec<&str> = match (code.strip_prefix("from "), code.strip_prefix("import ")) {
            (Some(rest), _) => vec![rest],
            (None, Some(rest)) => rest.split(',').collect(),
            (None, None) => continue,
        };
        for name in names {
            let name = name.trim_start();
            let module = name.split(['.', ' ', '\t', ';', '#']).next().unwrap_or(name);
            if !module.is_empty() {
                found.push(Import { module, line: index + 1, at_top });
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_import_are_read_and_others_are_not() {
        let text = "import os, boto3 as b\nfrom botocore.config import Config\n# import six\n\
                    def f():\n    import urllib3; urllib3.x\nfrom . import boto\nimported = 1\n";
        let found: Vec<_> = imports(text).iter().map(|i| (i.module, i.line, i.at_top)).collect();
        assert_eq!(
            found,
            [("os", 1, true), ("boto3", 1, true), ("botocore", 2, true), ("urllib3", 5, false)]
        );
    }
}
