//! Tests of which settings are found, and how they combine.

use super::*;
use std::fs;

/// A folder with files, removed at the end.
pub(in super::super) struct Folder(PathBuf);

impl Folder {
    pub(in super::super) fn with(name: &str, files: &[(&str, &str)]) -> Self {
        let root = std::env::temp_dir().join(format!("trine-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&root);
        for (path, text) in files {
            let path = root.join(path);
            fs::create_dir_all(path.parent().expect("it has a folder")).expect("writable");
            fs::write(path, text).expect("writable");
        }
        Self(root.canonicalize().expect("the folder exists"))
    }

    pub(in super::super) fn path(&self, path: &str) -> PathBuf {
        self.0.join(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn the_nearest_settings_hold_with_what_they_extend() {
    let folder = Folder::with(
        "settings",
        &[
            (
                "tsconfig.json",
                r#"{"extends": ["./a", "@org/b/strict"], "compilerOptions": {"target": "es2019"}}"#,
            ),
            (
                "a.json",
                r#"{"extends": "./tsconfig.json", "compilerOptions": {"jsx": "react", "jsxFactory": "h", "experimentalDecorators": true}}"#,
            ),
            (
                "node_modules/@org/b/package.json",
                r#"{"exports": {"./strict": {"types": "./no.d.ts", "default": "./settings/strict.json"}}}"#,
            ),
            (
                "node_modules/@org/b/settings/strict.json",
                r#"{"compilerOptions": {"jsx": "react-jsx", "useDefineForClassFields": true}}"#,
            ),
            ("src/deep/file.ts", ""),
            ("node_modules/package/tsconfig.json", "{"),
            ("other/tsconfig.json", r#"{"extends": "../gone.json"}"#),
        ],
    );
    let of = |path: &str| Config::of(&folder.path(path)).expect("settings");
    let (file, config) = of("src/deep/file.ts");
    assert_eq!(file, Some(folder.path("tsconfig.json")));
    assert_eq!(config.jsx.mode.as_deref(), Some("react-jsx"));
    assert_eq!(config.jsx.factory.as_deref(), Some("h"));
    assert_eq!(config.legacy_decorators, Some(true));
    assert!(config.defines_fields(), "it is said, whatever the target");
    assert_eq!(
        of("node_modules/package/index.ts").0,
        None,
        "a package's own settings are not ours"
    );
    assert_eq!(of("other/file.ts").1.missing.len(), 1);
}

#[test]
fn settings_that_are_no_json_are_told_with_their_place() {
    let folder = Folder::with("no-json", &[("tsconfig.json", "{\n  \"a\": oops\n}")]);
    let error = Config::of(&folder.path("a.ts")).expect_err("no JSON").to_string();
    let place = format!("{}:2:8", folder.path("tsconfig.json").display());
    assert!(error.starts_with("the settings are no JSON") && error.ends_with(&place), "{error}");
}

#[test]
fn the_most_precise_mapping_counts() {
    let folder = Folder::with(
        "mappings",
        &[(
            "tsconfig.json",
            r#"{"compilerOptions": {"paths": {"*": ["any/*"], "@a/*": ["a/*"], "@a/b/*": ["b/*", "${configDir}/c/*"], "@a/b/c": ["exact"], "*.x": ["x/*"]}}}"#,
        )],
    );
    let config = Config::of(&folder.path("file.ts")).expect("settings").1;
    let first = |specifier: &str| {
        let found = config.paths.iter().find_map(|mapping| mapping.candidates(specifier));
        found.unwrap_or_default()
    };
    assert_eq!(first("@a/b/c"), [folder.path("exact")]);
    assert_eq!(first("@a/b/d"), [folder.path("b/d"), folder.path("c/d")]);
    assert_eq!(first("@a/d/e"), [folder.path("a/d/e")]);
    assert_eq!(first("other"), [folder.path("any/other")]);
}

#[test]
fn fields_follow_the_target() {
    for (target, defined) in [
        (None, true),
        (Some("ES2022"), true),
        (Some("es2021"), false),
        (Some("es5"), false),
        (Some("ESNext"), true),
        (Some("nonsense"), false),
    ] {
        let config = Config { target: target.map(str::to_owned), ..Config::default() };
        assert_eq!(config.defines_fields(), defined, "{target:?}");
    }
}
