use super::*;
use std::{fs, path::PathBuf};
use trine_engine::{ElfFacts, MachineCode, PackedFile, PackedFolder, Verdict};

/// A folder on disk, removed when dropped.
struct Disk(PathBuf);

impl Disk {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("trine-addons-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// Makes a packed folder of these files, with the machine code that belongs to each.
    fn packed(&self, files: &[(&str, &str, Option<MachineCode>)]) -> PackedFolder {
        let mut packed: Vec<PackedFile> = Vec::new();
        for (name, text, code) in files {
            let path = self.0.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, text).unwrap();
            packed.push(PackedFile { name: (*name).into(), path, size: 3, code: code.clone() });
        }
        packed.sort_by(|a, b| a.name.cmp(&b.name));
        PackedFolder { root: self.0.clone(), files: packed }
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn elf(machine: &str, imports: &[&str]) -> Option<MachineCode> {
    let imports = imports.iter().map(|name| (*name).to_owned()).collect();
    Some(MachineCode::Elf(ElfFacts { machine: machine.into(), imports, ..ElfFacts::default() }))
}

fn look(function: &PackedFolder, layers: &[PackedFolder]) -> Vec<Finding> {
    let exports = ["napi_create_function", "napi_get_value_int32"].map(str::to_owned).to_vec();
    let runtime = ElfFacts { exports, ..ElfFacts::default() };
    examine(&Examination { function, layers, machine: "x86_64", runtime: Some(&runtime) })
}

#[test]
fn an_addon_of_another_platform_is_told_with_the_command_that_gets_the_right_one() {
    let disk = Disk::new("platform");
    let mac = ("node_modules/@img/sharp-darwin-arm64/lib/s.node", "", Some(MachineCode::MachO));
    let parent = (
        "node_modules/sharp/package.json",
        r#"{"optionalDependencies": {"@img/sharp-darwin-arm64": "1"}}"#,
        None,
    );
    let own =
        ("node_modules/@img/sharp-darwin-arm64/package.json", r#"{"version": "0.33.5"}"#, None);
    let told = look(&disk.packed(&[mac.clone(), parent, own]), &[]);
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0].what, "@img/sharp-darwin-arm64 0.33.5: lib/s.node is for macOS");
    let command = "npm install --os=linux --cpu=x64 --libc=glibc sharp";
    assert_eq!(told[0].advice.as_deref(), Some(command));
    // Beside one that fits it does no harm.
    let right = ("node_modules/@img/sharp-linux-x64/lib/s.node", "", elf("x86_64", &[]));
    let told = look(&disk.packed(&[mac, right]), &[]);
    assert_eq!(told.iter().map(|f| f.verdict).collect::<Vec<_>>(), [Verdict::Ok], "{told:?}");
}

#[test]
fn an_addon_that_needs_more_than_node_api_is_told() {
    let disk = Disk::new("api");
    let of = |imports: &[&str]| {
        let file = ("node_modules/old/build/Release/old.node", "", elf("x86_64", imports));
        look(&disk.packed(&[file]), &[])
    };
    assert_eq!(of(&["napi_create_function"])[0].verdict, Verdict::Ok);
    let told = of(&["_ZN2v86Object3GetENS_5LocalINS_7ContextEEE"]);
    assert!(told[0].what.contains("old.node uses V8 and Node directly"), "{told:?}");
    let told = of(&["napi_from_the_future"]);
    assert!(told[0].what.contains("calls napi_from_the_future of Node-API"), "{told:?}");
}

#[test]
fn the_sdk_is_found_where_node_looks_for_it() {
    let disk = Disk::new("sdk");
    let app = ("src/app.mjs", "import { S3 } from '@aws-sdk/client-s3';\n", None);
    let told = look(&disk.packed(std::slice::from_ref(&app)), &[]);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].what.starts_with("src/app.mjs:1 imports @aws-sdk/client-s3, "), "{told:?}");
    assert!(told[0].advice.as_deref().unwrap().contains("make layer-sdk"));
    for place in ["node_modules", "src/node_modules"] {
        let name = format!("{place}/@aws-sdk/client-s3/package.json");
        assert_eq!(look(&disk.packed(&[app.clone(), (&name, "{}", None)]), &[]), []);
    }
    let layer = Disk::new("sdk-layer");
    for place in ["nodejs", "nodejs/node22"] {
        let name = format!("{place}/node_modules/@aws-sdk/client-s3/package.json");
        let layers = [layer.packed(&[(&name, "{}", None)])];
        assert_eq!(look(&disk.packed(std::slice::from_ref(&app)), &layers), [], "{place}");
    }
}

#[test]
fn caches_of_tools_are_of_no_use() {
    let of = |name: &str, is_folder| {
        spare(&Candidate { path: std::path::Path::new(name), name, is_folder })
    };
    assert_eq!(of("node_modules/.cache", true), Some("caches of tools"));
    assert_eq!(of(".cache", true), None);
    assert_eq!(of("tsconfig.tsbuildinfo", false), Some("caches of tools"));
    assert_eq!(of("node_modules/.bin", true), None);
}
