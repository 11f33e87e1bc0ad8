//! The check of the interpreter that pyo3 found: whether it is new enough, whether it can be linked, where its standard
//! library is; and the compilation of the prelude with it, so that no Python is parsed at start-up.

use std::{
    env,
    path::Path,
    process::{Command, exit},
};

/// A script that prints one fact a line, in the order in which `main` reads them, and writes the `<name>.bin` files.
const PROBE: &str = r#"
import importlib.util, marshal, os, sys, sysconfig
out, prelude = os.environ["OUT_DIR"], os.path.join("src", "prelude")
for name in sorted(os.listdir(prelude)):
    if name.endswith(".py"):
        with open(os.path.join(prelude, name), encoding="utf-8") as file:
            code = compile(file.read(), "<trine>/" + name, "exec", dont_inherit=True, optimize=0)
        with open(os.path.join(out, name[:-3] + ".bin"), "wb") as file:
            file.write(marshal.dumps(code))
print(".".join(map(str, sys.version_info[:3])))
print(sys.base_prefix)
print(sys.base_exec_prefix)
print(getattr(sys, "_base_executable", None) or sys.executable)
print(sysconfig.get_config_var("LIBDIR") or "")
print(sysconfig.get_config_var("LDLIBRARY") or "")
folders = [sysconfig.get_config_var(name) or "" for name in ("LIBPL", "LIBDIR")]
archives = [os.path.join(folder, sysconfig.get_config_var("LIBRARY") or "") for folder in folders]
print(next(filter(os.path.isfile, archives), ""))
names = [sysconfig.get_config_var(name) or "" for name in ("MODLIBS", "LIBS", "SYSLIBS")]
print(" ".join(dict.fromkeys(" ".join(names).split())))
print(int.from_bytes(importlib.util.MAGIC_NUMBER, "little"))
print(int(bool(sysconfig.get_config_var("Py_GIL_DISABLED"))))
"#;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=src/prelude");
    println!("cargo:rerun-if-env-changed=PYO3_PYTHON");
    let python = pyo3_build_config::get();
    let version = python.version();
    let name = format!("Python {}.{}", version.major, version.minor);
    if (version.major, version.minor) < (3, 11) {
        fail(&format!("{name} is too old: set PYO3_PYTHON to Python 3.11 or later"));
    }
    let probe = python.run_python_script(PROBE).unwrap_or_else(|error| {
        fail(&format!("the interpreter of {name} does not run: {error}"));
    });
    let facts: Vec<&str> = probe.lines().collect();
    let [
        version,
        prefix,
        exec_prefix,
        executable,
        lib_dir,
        library,
        archive,
        libraries,
        magic,
        free,
    ] = facts[..]
    else {
        fail(&format!("the interpreter of {name} gave an unexpected answer: {probe:?}"));
    };
    let install = "install libpython3-dev (Debian, Ubuntu) or python3-devel (Fedora, Amazon \
        Linux), or build Python with --enable-shared";
    let mut arguments = Vec::new();
    if python.shared() {
        if !Path::new(lib_dir).join(library).exists() {
            fail(&format!("{name} has no {library} in {lib_dir}: {install}"));
        }
        arguments.push(format!("-Wl,-rpath,{lib_dir}"));
    } else {
        if archive.is_empty() {
            fail(&format!("{name} can be linked neither shared nor static: {install}"));
        }
        // Extension modules then look for the interpreter's symbols in our executable. Only these: any other symbol
        // that it exported would replace the one that such a module brings itself.
        arguments
            .extend(["Py*", "_Py*"].map(|names| format!("-Wl,--export-dynamic-symbol={names}")));
        arguments.extend(libraries.split_whitespace().map(archived));
    }
    for argument in &arguments {
        println!("cargo:rustc-link-arg={argument}");
    }
    println!("cargo:link_args={}", arguments.join(" "));
    println!("cargo:rustc-env=TRINE_PYTHON_VERSION={version}");
    println!("cargo:rustc-env=TRINE_PYTHON_PREFIX={prefix}");
    println!("cargo:rustc-env=TRINE_PYTHON_EXEC_PREFIX={exec_prefix}");
    println!("cargo:rustc-env=TRINE_PYTHON_EXECUTABLE={executable}");
    println!("cargo:rustc-env=TRINE_PYTHON_MAGIC={magic}");
    println!("cargo:rustc-env=TRINE_PYTHON_FREE_THREADED={free}");
    let out = env::var("OUT_DIR").unwrap_or_default();
    println!("cargo:rustc-env=TRINE_PYTHON_PRELUDE={out}");
}

/// Returns the argument that links the library which this one names: its archive, where there is one, so that it need not
/// be installed where the binary runs. Those of the C library are everywhere.
fn archived(argument: &str) -> String {
    let name = argument.strip_prefix("-l").unwrap_or_default();
    if matches!(name, "" | "c" | "dl" | "m" | "pthread" | "rt" | "util") {
        return argument.to_owned();
    }
    let file = format!("lib{name}.a");
    let answer = Command::new("cc").arg(format!("-print-file-name={file}")).output();
    let path = answer.map(|answer| String::from_utf8_lossy(&answer.stdout).trim().to_owned());
    path.ok()
        .filter(|path| *path != file && !path.is_empty())
        .unwrap_or_else(|| argument.to_owned())
}

fn fail(message: &str) -> ! {
    println!("cargo::error={message}");
    exit(1)
}
