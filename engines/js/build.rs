//! The making of V8's start-up snapshots: Deno's runtime and our prelude, once without and once with those of Node's
//! polyfills that an ordinary CommonJS handler touches. An ES module that never asks for `node:` starts in half the
//! time from the small one.
//!
//! Each snapshot comes with a table of the extension sources that it does not contain, for loading on demand, and V8's
//! code cache of them. Some of those sources are mended. What both lack is in the binary once.

#[path = "build/code_cache.rs"]
mod code_cache;
#[path = "build/mends.rs"]
mod mends;
#[path = "build/minify.rs"]
mod minify;

use code_cache::{Kind, Source};
use deno_runtime::{
    deno_core::{Extension, ModuleCodeString, ModuleName, v8, wrap_lazy_ext_script},
    ops::bootstrap::SnapshotOptions,
    snapshot::{LazyExtensionFileKind, create_runtime_snapshot},
    transpile::maybe_transpile_source,
};
use std::{
    collections::{BTreeMap, HashSet},
    env,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

include!("build/extensions.rs");
prelude_extensions!();

fn main() {
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    if let Some(name) = code_cache::task() {
        let dir = out.join(&name);
        let sources = residual(&dir);
        return code_cache::make(&dir, extensions(&name), sources);
    }
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=build");
    println!("cargo:rerun-if-changed=src/prelude");
    // Isolates that have not started from these snapshots live beside those that have.
    v8::V8::set_flags_from_string(trine_v8::SNAPSHOT_FLAGS);
    let mut texts = BTreeMap::new();
    for name in ["web", "node"] {
        make(&out, name, &mut texts);
        code_cache::order(name);
    }
    write_texts(&out, &texts);
    pass_on_addon_symbols(&out);
}

fn extensions(name: &str) -> Vec<Extension> {
    match name {
        "web" => vec![trine_prelude::init()],
        _ => vec![trine_prelude::init(), trine_node_prelude::init()],
    }
}

/// Writes `snapshot.bin` and `residual.rs` into a folder of this name; adds the texts that the latter refers to, by the
/// names of their constants.
fn make(out: &Path, name: &str, texts: &mut BTreeMap<String, String>) {
    let dir = out.join(name);
    fs::create_dir_all(&dir).expect("OUT_DIR is writable");
    let output = create_runtime_snapshot(
        dir.join("snapshot.bin"),
        SnapshotOptions {
            ts_version: "5.9.2".to_owned(),
            v8_version: v8::VERSION_STRING,
            target: env::var("TARGET").expect("cargo sets TARGET"),
        },
        extensions(name),
    );
    let consumed: HashSet<&str> =
        output.consumed_lazy_specifiers.iter().map(String::as_str).collect();
    let (mut scripts, mut modules, mut list) = (String::new(), String::new(), String::new());
    let mut mends = mends::of(name);
    for file in &output.lazy_extension_files {
        if consumed.contains(file.specifier.as_str()) {
            continue;
        }
        println!("cargo:rerun-if-changed={}", file.path.display());
        let source = fs::read_to_string(&file.path)
            .unwrap_or_else(|e| panic!("cannot read {}: {e}", file.path.display()));
        let (source, _) = maybe_transpile_source(
            ModuleName::from(file.specifier.clone()),
            ModuleCodeString::from(source),
        )
        .unwrap_or_else(|e| panic!("cannot transpile {}: {e}", file.specifier));
        let source = minify::minify(&file.specifier, source.as_str());
        let (table, kind, source) = match file.kind {
            LazyExtensionFileKind::Js => (&mut scripts, "script", wrap_lazy_ext_script(&source)),
            LazyExtensionFileKind::Esm => (&mut modules, "module", source),
        };
        let source = match mends.remove(file.specifier.as_str()) {
            Some(mend) if kind == "script" => mend.script(&source),
            Some(mend) => mend.module(&source),
            None => source,
        };
        // V8 uses these texts as one-byte strings without copying them.
        assert!(source.is_ascii(), "{} is not ASCII", file.specifier);
        let constant = file.specifier.replace(|c: char| !c.is_ascii_alphanumeric(), "_");
        let mut constant = constant.to_ascii_uppercase();
        if texts.get(&constant).is_some_and(|known| *known != source) {
            constant = format!("{constant}_OF_{}", name.to_ascii_uppercase());
        }
        let path = out.join(&constant);
        fs::write(&path, &source).expect("OUT_DIR is writable");
        writeln!(table, "    ({:?}, super::text(&super::texts::{constant})),", file.specifier)
            .expect("writing to a string never fails");
        texts.insert(constant, source);
        writeln!(list, "{kind} {} {}", file.specifier, path.display())
            .expect("writing to a string never fails");
    }
    assert!(mends.is_empty(), "the {name} snapshot holds what is to be mended: {:?}", mends.keys());
    fs::write(dir.join("residual.txt"), list).expect("OUT_DIR is writable");
    fs::write(
        dir.join("residual.rs"),
        format!(
            "/// Extension scripts that the {name} snapshot does not contain.\n\
             pub(super) static SCRIPTS: &[(&str, &str)] = &[\n{scripts}];\n\
             /// Extension modules that the {name} snapshot does not contain.\n\
             pub(super) static MODULES: &[(&str, &str)] = &[\n{modules}];\n"
        ),
    )
    .expect("OUT_DIR is writable");
}

/// Writes `texts.rs`, which holds each text once: as bytes, for what a `&str` refers to has no name, and is there anew in
/// each unit of code that uses it.
fn write_texts(out: &Path, texts: &BTreeMap<String, String>) {
    let mut code = String::new();
    for (constant, text) in texts {
        let (path, length) = (out.join(constant), text.len());
        writeln!(code, "pub(super) static {constant}: [u8; {length}] = *include_bytes!({path:?});")
            .expect("writing to a string never fails");
    }
    fs::write(out.join("texts.rs"), code).expect("OUT_DIR is writable");
}

/// Reads the extension sources that the snapshot in this folder does not contain.
fn residual(dir: &Path) -> Vec<Source> {
    let list = fs::read_to_string(dir.join("residual.txt")).expect("the snapshot has been made");
    list.lines()
        .map(|line| {
            let mut words = line.splitn(3, ' ');
            let mut word = || words.next().expect("a line has three words");
            let kind = if word() == "script" { Kind::Script } else { Kind::Module };
            let specifier = word().to_owned();
            let text = fs::read_to_string(word()).expect("the text has been written");
            Source { kind, specifier, text }
        })
        .collect()
}

/// Asks the binary to export the symbols that native Node addons look for.
fn pass_on_addon_symbols(out: &Path) {
    if env::var("CARGO_CFG_TARGET_OS").as_deref() != Ok("linux") {
        return;
    }
    let list = out.join("napi-symbols.txt");
    let mut text = String::from("{\n");
    for symbol in NAPI_SYMBOLS.split_whitespace() {
        writeln!(text, "  {symbol};").expect("writing to a string never fails");
    }
    text.push_str("};\n");
    fs::write(&list, text).expect("OUT_DIR is writable");
    println!("cargo:link_args=-Wl,--export-dynamic-symbol-list={}", list.display());
}

/// Patterns of the symbols that Node-API consists of. Nothing else may be among them: a symbol that the binary exports
/// replaces every function of that name in all libraries loaded later. libuv reaches those addons that want it in
/// another way (`src/addons`).
const NAPI_SYMBOLS: &str = "napi_* node_api_*";
