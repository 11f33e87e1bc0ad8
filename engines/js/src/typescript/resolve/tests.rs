//! Tests of which file a specifier leads to.

use super::{super::config::tests::Folder, *};
use node_resolver::PackageJsonResolver;
use sys_traits::impls::RealSys;

fn typescript() -> std::rc::Rc<TypeScript> {
    TypeScript::new(deno_maybe_sync::new_rc(PackageJsonResolver::new(RealSys, None)))
}

#[test]
fn endings_are_tried_in_typescripts_order() {
    let folder = Folder::with(
        "endings",
        &[
            ("a.ts", ""),
            ("a.js", ""),
            ("b.js", ""),
            ("b/index.ts", ""),
            ("c/package.json", r#"{"main": "./lib/main.js"}"#),
            ("c/lib/main.ts", ""),
            ("c/index.ts", ""),
            ("d.d.ts", ""),
            ("e.d.ts/index.ts", ""),
            ("f/package.json", r#"{"main": "."}"#),
            ("f/index.mts", ""),
            ("g.min.ts", ""),
            ("h.json", ""),
            ("i.test/index.tsx", ""),
            (".ts", ""),
        ],
    );
    let typescript = typescript();
    let importer = folder.path("main.ts");
    let found = |specifier: &str| {
        let found = typescript.resolve(specifier, &importer, false).expect("no settings");
        found.map(|path| path.strip_prefix(folder.path("")).expect("inside").to_owned())
    };
    for (specifier, expected) in [
        ("./a", Some("a.ts")),
        ("./a.js", Some("a.js")),
        ("./a.ts", Some("a.ts")),
        ("./b", Some("b.js")),
        ("./b/", Some("b/index.ts")),
        ("./b/index", Some("b/index.ts")),
        ("./c", Some("c/lib/main.ts")),
        ("./d", None),
        ("./d.js", None),
        ("./f", Some("f/index.mts")),
        ("./g.min", Some("g.min.ts")),
        ("./g.min.js", Some("g.min.ts")),
        ("./h", Some("h.json")),
        ("./i.test", Some("i.test/index.tsx")),
        ("./x/../a", Some("a.ts")),
        ("./.js", None),
        ("./none", None),
        ("none", None),
        ("#none", None),
        ("https://a/b.ts", None),
    ] {
        assert_eq!(found(specifier), expected.map(PathBuf::from), "{specifier}");
    }
}

#[test]
fn links_lead_to_the_file_itself() {
    let folder = Folder::with(
        "links",
        &[("packages/shared/src/index.ts", ""), ("app/node_modules/keep", "")],
    );
    let link = folder.path("app/node_modules/shared");
    std::os::unix::fs::symlink(folder.path("packages/shared"), link).expect("a link");
    let typescript = typescript();
    let found = typescript.resolve_rest("shared/src", &folder.path("app/main.ts"), None);
    assert_eq!(found, Some(folder.path("packages/shared/src/index.ts")));
    assert_eq!(typescript.resolve_rest("./src", &folder.path("app/main.ts"), None), None);
}

#[test]
fn a_package_with_exports_keeps_its_files_to_itself() {
    let folder = Folder::with(
        "exports",
        &[
            ("node_modules/open/lib/file.js", ""),
            ("node_modules/closed/package.json", r#"{"exports": {}}"#),
            ("node_modules/closed/lib/file.js", ""),
            ("node_modules/@scope/open/file.ts", ""),
        ],
    );
    let typescript = typescript();
    let find = |specifier| typescript.resolve_rest(specifier, &folder.path("main.ts"), None);
    assert_eq!(find("open/lib/file"), Some(folder.path("node_modules/open/lib/file.js")));
    assert_eq!(find("closed/lib/file"), None);
    assert_eq!(find("@scope/open/file"), Some(folder.path("node_modules/@scope/open/file.ts")));
}
