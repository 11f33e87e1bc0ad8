use super::*;
use std::{fs, path::PathBuf};
use trine_engine::{ElfFacts, MachineCode, Verdict};

const TARGET: Target<'_> = Target { major: 3, minor: 11, free_threaded: false, machine: "x86_64" };

#[test]
fn tags_of_wheels_are_taken_as_pip_takes_them() {
    for (tag, takes) in [
        ("cp311-cp311-manylinux_2_17_x86_64", true),
        ("cp311-cp311-manylinux2014_x86_64", true),
        ("cp311-cp311-linux_x86_64", true),
        ("cp37-abi3-manylinux_2_17_x86_64", true),
        ("py3-none-any", true),
        ("py2.py3-none-any", true),
        ("py311-none-any", true),
        ("py3-none-manylinux1_x86_64", true),
        ("cp312-cp312-manylinux_2_17_x86_64", false),
        ("cp312-abi3-manylinux_2_17_x86_64", false),
        ("cp310-cp310-manylinux_2_17_x86_64", false),
        ("cp311-cp311-manylinux_2_17_aarch64", false),
        ("cp311-cp311-musllinux_1_2_x86_64", false),
        ("cp311-cp311-macosx_11_0_arm64", false),
        ("cp311-cp311-win_amd64", false),
        ("cp311-cp311t-manylinux_2_17_x86_64", false),
        ("pp310-pypy310_pp73-manylinux_2_17_x86_64", false),
        ("py312-none-any", false),
        ("py2-none-any", false),
        ("nonsense", false),
        ("", false),
    ] {
        assert_eq!(TARGET.takes_tag(tag), takes, "{tag}");
    }
}

#[test]
fn names_of_extension_modules_have_tags() {
    let tag = |name| module_tag(name).map(|(_, tag)| tag);
    let own = "cpython-311-x86_64-linux-gnu";
    assert_eq!(tag("_core.cpython-311-x86_64-linux-gnu.so"), Some(own));
    assert_eq!(tag("_core.abi3.so"), Some("abi3"));
    assert_eq!(tag("_core.cp311-win_amd64.pyd"), Some("Windows"));
    assert_eq!(tag("libcore.so"), None);
    assert_eq!(tag("libcore.1.so"), None);
    assert_eq!(TARGET.suffix(), own);
}

/// A folder on disk, removed when dropped.
struct Disk(PathBuf);

impl Disk {
    fn new(name: &str) -> Self {
        let path =
            std::env::temp_dir().join(format!("trine-examine-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// Makes a packed folder of these files; those with machine code are for this machine.
    fn packed(&self, files: &[(&str, &str)]) -> PackedFolder {
        let mut packed: Vec<PackedFile> = Vec::new();
        for (name, text) in files {
            let path = self.0.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, text).unwrap();
            let machine = || ElfFacts { machine: "x86_64".into(), ..ElfFacts::default() };
            let code = (*text == "elf").then(|| MachineCode::Elf(machine()));
            packed.push(PackedFile { name: (*name).into(), path, size: 3, code });
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

fn look(function: &PackedFolder, layers: &[PackedFolder]) -> Vec<Finding> {
    examine(&Examination { function, layers, machine: "x86_64", runtime: None })
}

#[test]
fn a_wheel_of_another_version_is_told_once_with_the_command_that_gets_the_right_one() {
    let disk = Disk::new("wheel");
    let folder = disk.packed(&[
        ("app.py", "import six\n"),
        ("package/six.py", ""),
        ("package/fast-1.2.dist-info/WHEEL", "Tag: cp39-cp39-manylinux_2_17_x86_64\n"),
        ("package/fast-1.2.dist-info/RECORD", "fast/__init__.py,,\nfast/_c.so,,\n../../bin/f,,\n"),
        ("package/fast/_c.cpython-39-x86_64-linux-gnu.so", "elf"),
    ]);
    let told = look(&folder, &[]);
    assert_eq!(told.len(), 1, "{told:?}");
    let Finding { verdict, topic, what, advice } = &told[0];
    assert_eq!((*verdict, *topic), (Verdict::Fail, "wheel"));
    assert!(what.starts_with("the wheel fast 1.2 is cp39-cp39-manylinux_2_17_x86_64; "), "{what}");
    let command = advice.as_deref().unwrap();
    assert!(command.starts_with("pip install --platform manylinux2014_x86_64 "), "{command}");
    assert!(command.ends_with(&format!("--target {} fast==1.2", disk.0.join("package").display())));
}

#[test]
fn a_module_with_the_right_neighbour_is_not_told() {
    let disk = Disk::new("module");
    let own = Target::this("x86_64").suffix();
    let right = format!("fast/_c.{own}.so");
    let wrong = ("fast/_c.cpython-39-x86_64-linux-gnu.so", "elf");
    let told = look(&disk.packed(&[wrong]), &[]);
    assert_eq!(told.len(), 1);
    assert!(told[0].what.starts_with("fast/_c.cpython-39-x86_64-linux-gnu.so is for cpython-39-"));
    let told = look(&disk.packed(&[wrong, (&right, "elf")]), &[]);
    assert_eq!(told.iter().map(|f| f.verdict).collect::<Vec<_>>(), [Verdict::Ok], "{told:?}");
    let told = look(&disk.packed(&[(&right, "a text")]), &[]);
    assert!(told[0].what.contains("holds no machine code"), "{told:?}");
}

#[test]
fn the_sdk_is_told_where_it_is_imported_and_nobody_brings_it() {
    let disk = Disk::new("sdk");
    let app = ("src/app.py", "import json\nimport boto3\n");
    let told = look(&disk.packed(&[app]), &[]);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].what.starts_with("src/app.py:2 imports boto3, "), "{told:?}");
    assert!(told[0].advice.as_deref().unwrap().contains("make layer-sdk"));
    let layer = Disk::new("sdk-layer");
    let layer = layer.packed(&[("python/boto3/__init__.py", "")]);
    assert_eq!(look(&disk.packed(&[app]), &[layer]), []);
    assert_eq!(look(&disk.packed(&[app, ("boto3/__init__.py", "")]), &[]), []);
    let later = ("app.py", "def f():\n    import boto3\n");
    assert_eq!(look(&disk.packed(&[later]), &[])[0].verdict, Verdict::Warn);
}
