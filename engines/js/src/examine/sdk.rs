//! Imports of the AWS SDK, which Lambda's own Node runtimes have and this one does not, as far as the source's text tells.

use std::collections::BTreeMap;
use trine_engine::{Examination, Finding, PackedFile, PackedFolder};

/// Extensions of files that may import.
const SOURCES: [&str; 8] = ["mjs", "js", "cjs", "ts", "mts", "cts", "tsx", "jsx"];

/// The scopes of its packages.
const SCOPES: [&str; 3] = ["@aws-sdk/", "@smithy/", "@aws-crypto/"];

/// Returns what a function's own source imports and nothing brings.
pub(super) fn missing(examination: &Examination<'_>) -> Vec<Finding> {
    let mut places: BTreeMap<String, (String, bool)> = BTreeMap::new();
    for file in &examination.function.files {
        let extension = file.name.rsplit_once('.').map_or("", |(_, extension)| extension);
        if !SOURCES.contains(&extension) || file.name.contains("node_modules/") {
            continue;
        }
        for (package, line, at_top) in imports(&file.text().unwrap_or_default()) {
            if is_there(package, file, examination) {
                continue;
            }
            let place = format!("{}:{line}", file.name);
            let (first, known) =
                places.entry(package.to_owned()).or_insert((place.clone(), at_top));
            if at_top && !*known {
                (*first, *known) = (place, true);
            }
        }
    }
    let told = places.into_iter().map(|(package, (place, at_top))| {
        let what = format!(
            "{place} imports {package}, which Lambda's own Node has and neither this runtime nor the function brings"
        );
        let advice = format!(
            "add the layer that 'make layer-sdk' builds (checked with --layer), or npm install {package} into the function"
        );
        match at_top {
            true => Finding::fail("sdk", what, advice),
            false => Finding::warn("sdk", what, advice),
        }
    });
    told.collect()
}

/// Whether a package is found from a file: in `node_modules` of its folder or one above, or of a layer.
fn is_there(package: &str, file: &PackedFile, examination: &Examination<'_>) -> bool {
    let has = |folder: &PackedFolder, place: &str| {
        let slash = if place.is_empty() { "" } else { "/" };
        folder.has_folder(&format!("{place}{slash}node_modules/{package}"))
    };
    let mut place = file.folder();
    loop {
        if has(examination.function, place) {
            return true;
        }
        match place.rsplit_once('/') {
            Some((above, _)) => place = above,
            None if place.is_empty() => break,
            None => place = "",
        }
    }
    let in_layer = |layer: &PackedFolder| {
        has(layer, "nodejs")
            || layer.files.iter().any(|file| {
                let version = file
                    .name
                    .strip_prefix("nodejs/node")
                    .map(|rest| rest.trim_start_matches(|digit: char| digit.is_ascii_digit()));
                version.is_some_and(|rest| rest.starts_with(&format!("/node_modules/{package}/")))
            })
    };
    examination.layers.iter().any(in_layer)
}

/// Returns the SDK's packages that a text imports, each with its line and whether that runs whenever the file is loaded.
fn imports(text: &str) -> Vec<(&str, usize, bool)> {
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let code = line.trim_start();
        let is_comment = ["//", "*", "/*"].iter().any(|start| code.starts_with(start));
        if is_comment || code.starts_with("import type") || code.starts_with("export type") {
            continue;
        }
        for scope in SCOPES {
            for (at, _) in line.match_indices(scope) {
                let (before, rest) = line.split_at(at);
                let Some(before) = before.strip_suffix(['"', '\'', '`']) else { continue };
                let before = before.trim_end();
                let imported = ["from", "import", "require(", "import("]
                    .iter()
                    .any(|word| before.ends_with(word));
                let name =
                    rest[scope.len()..].split(['"', '\'', '`', '/']).next().unwrap_or_default();
                if imported && !name.is_empty() {
                    let at_top = code.len() == line.len() && !before.ends_with("import(");
                    found.push((&rest[..scope.len() + name.len()], index + 1, at_top));
                }
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_in_every_form_are_read_and_other_texts_are_not() {
        let text = "import { S3 } from '@aws-sdk/client-s3';\n\
                    const { D } = require(\"@aws-sdk/lib-dynamodb\");\n\
                    import type { X } from '@aws-sdk/types';\n\
                    // import '@aws-sdk/a';\n\
                    \x20 const c = await import('@smithy/core/sub');\n\
                    console.log('@aws-sdk/b');\n\
                    } from '@aws-sdk/client-sqs'\n";
        assert_eq!(
            imports(text),
            [
                ("@aws-sdk/client-s3", 1, true),
                ("@aws-sdk/lib-dynamodb", 2, true),
                ("@smithy/core", 5, false),
                ("@aws-sdk/client-sqs", 7, true),
            ]
        );
    }
}
