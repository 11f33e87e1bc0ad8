//! Lists of plug-ins, and what they must not have in common.

use crate::support::{compile, place};
use tempfile::TempDir;
use trine_engine::EngineInfo;
use trine_plugin::{LoadError, load_all};

/// Makes a folder with plug-ins of these names, ids and extensions.
fn folder(plugins: &[(&str, &str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, id, extension) in plugins {
        let info = format!(r#"-DINFO="{{\"id\":\"{id}\",\"extensions\":[\"{extension}\"]}}""#);
        compile(folder.path(), name, &place("tests/engines/broken.c"), &[&info]);
    }
    folder
}

fn refused(list: &str, folder: &TempDir, built_in: &[EngineInfo]) -> LoadError {
    load_all(list, folder.path(), built_in).err().expect("it is refused")
}

#[test]
fn a_list_is_loaded_in_its_order_from_a_folder() {
    let folder = folder(&[("a.so", "a", "a"), ("b.so", "b", "b")]);
    let engines = load_all(" b.so , ./a.so", folder.path(), []).unwrap();
    let ids: Vec<_> = engines.iter().map(|engine| engine.info().id).collect();
    assert_eq!(ids, ["b", "a"]);
    assert!(load_all(" ", folder.path(), []).unwrap().is_empty());
    let gap = refused("a.so,,b.so", &folder, &[]);
    assert!(
        gap.to_string().contains("missing between commas in the list of plug-ins \"a.so,,b.so\"")
    );
}

#[test]
fn ids_and_extensions_belong_to_one_each() {
    let folder = folder(&[("a.so", "a", "up"), ("b.so", "b", "up"), ("c.so", "a", "c")]);
    let path = |name: &str| folder.path().join(name).display().to_string();
    assert_eq!(
        refused("a.so,b.so", &folder, &[]).to_string(),
        format!(
            "the plug-in {} is for files that end in .up, and so is {}: take one of them",
            path("b.so"),
            path("a.so")
        )
    );
    let told = refused("a.so,c.so", &folder, &[]).to_string();
    assert!(told.contains("c.so is the engine `a`, and so is "), "{told}");
    let told = refused("a.so,a.so", &folder, &[]).to_string();
    assert!(told.contains("is the engine `a`"), "{told}");
}

#[test]
fn what_is_built_in_comes_first() {
    let folder = folder(&[("a.so", "a", "lua"), ("b.so", "lua", "b")]);
    let lua = EngineInfo::new("lua", "Lua", "Lua 5.4").with_extensions(&["lua"]);
    let told = refused("a.so", &folder, std::slice::from_ref(&lua)).to_string();
    let end =
        "a.so is for files that end in .lua, and so is Lua, which is built in: take one of them";
    assert!(told.ends_with(end), "{told}");
    assert!(refused("b.so", &folder, &[lua]).to_string().contains("is the engine `lua`"));
}
