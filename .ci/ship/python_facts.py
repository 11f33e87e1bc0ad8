"""Prints a fact about the interpreter that runs it: `python3 python_facts.py FACT`.

version     3.11
link        how it can be linked: static, shared or none
pyo3        the configuration file of pyo3
extensions  the folder of the standard library's extension modules
library     the folder of the standard library
"""

import os
import sys
import sysconfig


def get(name):
    return sysconfig.get_config_var(name) or ""


def archive():
    for folder in (get("LIBPL"), get("LIBDIR")):
        path = os.path.join(folder, get("LIBRARY"))
        if get("LIBRARY") and os.path.exists(path):
            return path
    return None


def shared():
    for folder in (get("LIBDIR"), os.path.join(get("LIBDIR"), get("MULTIARCH"))):
        path = os.path.join(folder, get("LDLIBRARY"))
        if get("LDLIBRARY").endswith(".so") and os.path.exists(path):
            return path
    return None


def pyo3():
    version = "%d.%d" % sys.version_info[:2]
    lines = [
        "implementation=CPython",
        "version=" + version,
        "abi3=false",
        "executable=" + (getattr(sys, "_base_executable", None) or sys.executable),
        "pointer_width=64",
        "build_flags=" + ("Py_GIL_DISABLED" if get("Py_GIL_DISABLED") else ""),
    ]
    if archive():
        # Whole: extension modules may use what nothing else in the binary does.
        folder, name = os.path.split(archive())
        name = name.removeprefix("lib").removesuffix(".a")
        lines += [
            "shared=false",
            "suppress_build_script_link_lines=true",
            "extra_build_script_line=cargo:rustc-link-search=native=" + folder,
            "extra_build_script_line=cargo:rustc-link-lib=static:+whole-archive,-bundle=" + name,
        ]
    else:
        folder, name = os.path.split(shared())
        name = name.removeprefix("lib").removesuffix(".so")
        lines += ["shared=true", "lib_name=" + name, "lib_dir=" + folder,
                  "suppress_build_script_link_lines=false"]
    return "\n".join(lines)


def extensions():
    return sysconfig.get_config_var("DESTSHARED") or os.path.join(sysconfig.get_path("stdlib"), "lib-dynload")


FACTS = {
    "version": lambda: "%d.%d" % sys.version_info[:2],
    "link": lambda: "static" if archive() else "shared" if shared() else "none",
    "pyo3": pyo3,
    "extensions": extensions,
    "library": lambda: sysconfig.get_path("stdlib"),
}
print(FACTS[sys.argv[1]]())
