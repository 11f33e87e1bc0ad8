//! Files that are no plug-ins, or none for here: what was looked for, and what was found.

use crate::support::broken;
use std::fs;
use tempfile::TempDir;
use trine_engine::{Environment, ErrorKind, LogSettings};
use trine_plugin::LoadError;

/// Returns why the plug-in of these macros is refused, without its path.
fn refused(macros: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = broken(&folder, macros);
    let told = trine_plugin::load(&path).err().expect("it is refused").to_string();
    assert!(told.contains(path.to_str().unwrap()), "{told}");
    told.replace(path.to_str().unwrap(), "FILE")
}

fn refused_file(folder: &TempDir, name: &str) -> LoadError {
    trine_plugin::load(&folder.path().join(name)).err().expect("it is refused")
}

#[test]
fn a_file_that_is_missing_or_no_library_is_told() {
    let folder = tempfile::tempdir().unwrap();
    broken(&folder, &[]);
    let missing = refused_file(&folder, "brocken.so").to_string();
    let hint = format!("did you mean {}?", folder.path().join("broken.so").display());
    assert!(missing.starts_with("there is no plug-in /") && missing.ends_with(&hint), "{missing}");
    fs::write(folder.path().join("text.so"), "#!/bin/sh\n").unwrap();
    let text = refused_file(&folder, "text.so").to_string();
    assert!(text.ends_with(
        "text.so is no ELF file; a shared library was looked for, as `cc -shared -fPIC` makes it"
    ));
    assert!(
        matches!(refused_file(&folder, ""), LoadError::NoLibrary { found, .. } if found == "is a folder")
    );
    let device = trine_plugin::load("/dev/null".as_ref()).err().unwrap();
    assert!(device.to_string().contains("is no ordinary file"), "{device}");
}

#[test]
fn a_library_for_another_machine_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut bytes = fs::read(broken(&folder, &[])).unwrap();
    bytes[18..20].copy_from_slice(&22_u16.to_le_bytes());
    fs::write(folder.path().join("other.so"), bytes).unwrap();
    let told = refused_file(&folder, "other.so").to_string();
    let end = format!(
        "is for s390x, and this process runs on {}: build it for that",
        std::env::consts::ARCH
    );
    assert!(told.ends_with(&end), "{told}");
}

#[test]
fn a_library_that_was_copied_in_part_is_told_and_kills_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = fs::read(broken(&folder, &[])).unwrap();
    for length in [30, 100, 600, 1000, 5000, bytes.len() / 2] {
        fs::write(folder.path().join("cut.so"), &bytes[..length]).unwrap();
        let told = refused_file(&folder, "cut.so").to_string();
        assert!(told.contains("cut.so ends "), "{length}: {told}");
    }
}

#[test]
fn a_damaged_library_is_told_in_the_loaders_words() {
    let folder = tempfile::tempdir().unwrap();
    let mut bytes = fs::read(broken(&folder, &[])).unwrap();
    bytes[6] = 9;
    fs::write(folder.path().join("odd.so"), bytes).unwrap();
    let told = refused_file(&folder, "odd.so");
    assert!(
        matches!(&told, LoadError::Unloadable { reason, .. } if reason.contains("odd.so")),
        "{told}"
    );
}

#[test]
fn a_library_that_needs_what_is_not_there_is_told() {
    let told = refused(&["-DSTART=extern int missing_function(void); return missing_function()"]);
    assert!(
        told.contains("FILE cannot be loaded: ") && told.contains("missing_function"),
        "{told}"
    );
}

#[test]
fn a_library_without_the_function_is_no_plug_in() {
    assert_eq!(
        refused(&["-DENTRY=something_else"]),
        "FILE is no plug-in: it exports no function `trine_engine_v1` (in C++ it has to be `extern \"C\"`)"
    );
}

#[test]
fn another_version_is_told_with_the_one_that_is_spoken_here() {
    let newer = "the plug-in FILE speaks version 2 of the plug-in interface, and this build speaks version 1: \
                 take a newer build of Trine, or an older one of the plug-in";
    assert_eq!(refused(&["-DENTRY=trine_engine_v2"]), newer);
    assert_eq!(refused(&["-DVERSION=2"]), newer);
    let told = refused(&["-DVERSION=0"]);
    assert!(
        told.ends_with("version 1: build the plug-in with the header of this version"),
        "{told}"
    );
}

#[test]
fn a_table_that_is_incomplete_is_told() {
    let start = "the plug-in FILE has no usable table of functions: ";
    assert_eq!(refused(&["-DNO_TABLE"]), format!("{start}`trine_engine_v1` has returned NULL"));
    assert_eq!(refused(&["-DCALL=0"]), format!("{start}`call` is NULL"));
    assert_eq!(
        refused(&["-DSIZE=16"]),
        format!("{start}its `size` is 16, and version 1 has 72 bytes")
    );
}

#[test]
fn a_plug_in_that_does_not_say_what_it_is_is_told() {
    let start = "the plug-in FILE does not say what it is: ";
    let told = refused(&["-DINFO=\"{}\""]);
    assert_eq!(told, format!("{start}`info` has no member \"id\""));
    let told = refused(&["-DINFO=\"\\xff\""]);
    assert_eq!(told, format!("{start}`info` is not UTF-8 from byte 0 on"));
    let told = refused(&[r#"-DINFO="{\"id\":\"a\0\"}""#]);
    assert!(told.starts_with(&format!("{start}`info` is no JSON: ")), "{told}");
}

#[test]
fn a_larger_table_of_a_later_header_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let path = broken(&folder, &["-DSIZE=sizeof(trine_engine)+64"]);
    assert_eq!(trine_plugin::load(&path).unwrap().info().id, "broken");
}

#[test]
fn a_start_that_fails_is_told_in_the_plug_ins_words() {
    let folder = tempfile::tempdir().unwrap();
    let path = broken(
        &folder,
        &[
            r#"-DSTART=FAIL("{\"message\": \"no licence\", \"type\": \"Licence\", \"kind\": \"internal\"}")"#,
        ],
    );
    let engine = trine_plugin::load(&path).unwrap();
    let environment = Environment::new("/opt", LogSettings::default());
    let error = engine.start(&environment).err().expect("it does not start");
    assert_eq!((error.name(), error.message()), ("Licence", "no licence"));
    assert_eq!(error.context(), [("plug-in", path.display().to_string())]);
    assert_eq!(error.kind(), ErrorKind::Internal);
}

#[test]
fn a_start_that_fails_without_a_word_names_the_plug_in() {
    let folder = tempfile::tempdir().unwrap();
    let engine = trine_plugin::load(&broken(&folder, &["-DSTART=return 9"])).unwrap();
    let error = engine.start(&Environment::new("/opt", LogSettings::default())).err().unwrap();
    assert!(
        error
            .message()
            .ends_with("broken.so: `start` has failed without a proper error: it is empty: \"\""),
        "{error}"
    );
}
