//! The check of the interpreter that pyo3 found: whether it is new enough, whether it can be linked, where its standard
//! library is; and the compilation of the prelude with it, so that no Python is parsed at start-up.

use std::{env, path::Path, process::exit};

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
print(sysconfig.get_config_var("LIBRARY") or "")
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
    let [version, prefix, exec_prefix, executable, lib_dir, library, archive, magic, free] =
        facts[..]
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
        if !Path::new(lib_dir).join(archive).exists() {
            fail(&format!("{name} can be linked neither shared nor static: {install}"));
        }
        // Extension modules then look for the interpreter's symbols in our executable. Only these: any other symbol
        // that it exported would replace the one that such a module brings itself.
        arguments
            .extend(["Py*", "_Py*"].map(|names| format!("-Wl,--export-dynamic-symbol={names}")));
        arguments.extend(["-lm", "-ldl", "-lutil"].map(str::to_owned));
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

fn fail(message: &str) -> ! {
    println!("cargo::error={message}");
    exit(1)
}
