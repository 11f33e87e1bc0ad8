//! Projects that deploy a package.

use super::{package, packaged};
use crate::support::{Folder, LANGUAGES, run, trine};
use std::fs;

/// The files of each project. Here they are whole and name what was packaged; whether the tools take them is for the
/// tools to say.
const FILES: [(&str, &[&str]); 5] = [
    ("sam", &["template.yaml"]),
    ("cdk", &["app.ts", "cdk.json", "package.json", "tsconfig.json"]),
    ("terraform", &["main.tf"]),
    ("serverless", &["serverless.yml"]),
    ("knative", &["service.yaml"]),
];

#[test]
fn every_project_names_what_was_packaged() {
    for (template, files) in FILES {
        let folder = Folder::probe(LANGUAGES[4]);
        let arguments =
            ["probe.handler", "-o", "function.zip", "--template", template, "--name", "shop"];
        let finished = packaged(&folder, &arguments);
        assert!(finished.stdout.contains("function.zip: 1 file"), "{finished:?}");
        let mut whole = String::new();
        for file in files {
            assert!(finished.stdout.contains(&format!("deploy/{file}\n")), "{finished:?}");
            whole += &fs::read_to_string(folder.file(&format!("deploy/{file}"))).unwrap();
        }
        let names: &[&str] = match template {
            "knative" => &["image: \"shop\"", "/.trine/ready"],
            _ => &["\"probe.handler\"", "\"../function.zip\"", "-python3.11.zip\"", "\"shop\""],
        };
        for name in names {
            assert!(whole.contains(name), "{template} names {name}: {whole}");
        }
        // What was written is not in the next package, and is not replaced.
        let again = [&arguments[..], &["--force"]].concat();
        assert!(packaged(&folder, &again).stdout.contains("function.zip: 1 file"), "{template}");
        fs::remove_file(folder.file("function.zip")).unwrap();
        let finished = package(&folder, &arguments);
        assert_eq!(finished.code, Some(1));
        assert!(finished.stderr.contains("exists already"), "{finished:?}");
        assert!(!folder.task().join("function.zip").exists(), "{template}");
    }
}

#[test]
fn the_json_of_a_project_is_json_and_its_program_parses() {
    let folder = Folder::probe(LANGUAGES[4]);
    packaged(&folder, &["probe.handler", "-o", "f.zip", "--template", "cdk", "--dir", "cdk"]);
    for file in ["cdk.json", "package.json", "tsconfig.json"] {
        let text = fs::read_to_string(folder.file(&format!("cdk/{file}"))).unwrap();
        let read: Result<serde_json::Value, _> = serde_json::from_str(&text);
        assert!(read.is_ok(), "{file}: {text}");
    }
    // What parses and has no handler is told as that.
    let looked_at = run(trine(&folder, &["doctor", "app.handler", "cdk"]));
    assert!(looked_at.stdout.contains("exports no function 'handler'"), "{looked_at:?}");
}
