"""What the scripts of this folder that make packages have in common: dates, versions, folders, and archives whose bytes
depend on nothing but what is in them."""

import ctypes
import functools
import hashlib
import io
import json
import os
import platform
import re
import shutil
import struct
import subprocess
import sys
import tarfile
import time
import zipfile
import zlib

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TARGET = os.environ.get("CARGO_TARGET_DIR") or os.path.expanduser("~/.cache/trine/target")
# Beside the build's outputs, as `.ci/deny` has it.
TOOLS = os.path.join(os.path.dirname(TARGET), "tools")
CACHE = os.path.join(os.path.dirname(TARGET), "ship")
SUMMARY = "Functions in JavaScript, TypeScript, Python and Lua in one process: Lambda runtime, HTTP server, local tool"
LICENSE = "MIT OR Apache-2.0"
# In Markdown.
DESCRIPTION = """# Trine

Trine runs functions written in JavaScript, TypeScript, Python and Lua inside
one process. It is an AWS Lambda custom runtime, an HTTP function server and a
local development tool, in one binary that embeds V8, CPython and Lua. Handlers
run unmodified.

```sh
trine invoke hello.py --event '{"name": "you"}'
trine serve hello.mjs
```

It needs Linux with glibc, and no Node.js or Python beside it.
"""
# What is built, as cargo calls it.
TRIPLE = f"{platform.machine()}-unknown-linux-gnu"
# The names of the C library's own parts, and of what comes with it.
OF_THE_SYSTEM = re.compile(
    r"^(linux-vdso|ld-linux-[a-z0-9-]+|lib(c|m|dl|rt|util|pthread|resolv|nss_[a-z]+|gcc_s|stdc\+\+))\.so"
)
# Megabytes (2^20) that Lambda takes: zipped in a direct upload, and unpacked, all layers and the function together.
ZIPPED, UNPACKED = 50, 250
# 1 to 12; less takes less time.
LEVEL = int(os.environ.get("SHIP_LEVEL") or 12)


def fail(message):
    sys.exit(f"{os.path.basename(sys.argv[0])}: {message}")


def install(package, why):
    """Installs a Debian package, for the reason that is told where that is not possible."""
    if not shutil.which("apt-get"):
        fail(f"{why} (Debian has it as {package})")
    command = f"apt-get update -qq && apt-get install -y -qq --no-install-recommends {package} >&2"
    subprocess.run(command, shell=True, check=True, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})


def arguments(*names):
    """Returns the command line's arguments, or says what they are."""
    if len(sys.argv) != len(names) + 1 or sys.argv[1].startswith("-"):
        fail(f"usage: {sys.argv[0]} {' '.join(names)}")
    return sys.argv[1:]


def default_tree():
    """Returns the place where `make layer` leaves the tree."""
    return os.path.join(CACHE, f"python{python_version()}", "tree")


def tree_and_dist():
    """Returns the command line's arguments of a script that packs a tree: the tree, and where the package goes."""
    if len(sys.argv) not in (2, 3) or sys.argv[1].startswith("-"):
        fail(f"usage: {sys.argv[0]} TREE [FOLDER]")
    return sys.argv[1], sys.argv[2] if len(sys.argv) == 3 else os.path.join(ROOT, "dist")


def epoch():
    """Returns the date of everything that is packed, in seconds: SOURCE_DATE_EPOCH, else the last commit's."""
    given = os.environ.get("SOURCE_DATE_EPOCH")
    return int(given or subprocess.check_output(["git", "log", "-1", "--format=%ct"], cwd=ROOT))


def licence():
    """Returns the text of Trine's own licence."""
    with open(os.path.join(ROOT, "LICENSE"), encoding="utf-8") as file:
        return file.read()


def manifest(tree):
    """Returns the manifest of a tree that ships."""
    path = os.path.join(tree, "share/trine/manifest.json")
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except (OSError, ValueError) as error:
        fail(f"{tree} is no tree that ships ({error}): `make layer` makes one")


def python_version():
    """Returns the version that the layers are for, such as 3.11: PYTHON, else that of this interpreter."""
    wanted = os.environ.get("PYTHON") or "%d.%d" % sys.version_info[:2]
    if "/" in wanted:
        code = "import sys; print('%d.%d' % sys.version_info[:2])"
        return subprocess.check_output([wanted, "-c", code], text=True).strip()
    return wanted


def entries(folder):
    """Lists what is in a folder, sorted: (path within it, mode, contents), where the contents of a link are a string and
    those of a folder `None`."""
    found = []
    for above, folders, files in os.walk(folder):
        for name in folders + files:
            path = os.path.join(above, name)
            inside = os.path.relpath(path, folder)
            if os.path.islink(path):
                found.append((inside, 0o777, os.readlink(path)))
            elif os.path.isdir(path):
                found.append((inside, 0o755, None))
            else:
                with open(path, "rb") as file:
                    data = file.read()
                found.append((inside, 0o755 if os.access(path, os.X_OK) and os.stat(path).st_mode & 0o111 else 0o644, data))
    return sorted(found, key=lambda entry: os.fsencode(entry[0]))


def without_links(found, alias):
    """Replaces links, for formats that have none: those to the binary by a program that starts it under their names, others
    by what they lead to."""
    contents = {path: (mode, data) for path, mode, data in found}
    changed = []
    for path, mode, data in found:
        if isinstance(data, str):
            if path == "bootstrap":
                # For Lambda, where the tree is the layer.
                continue
            target = os.path.normpath(os.path.join(os.path.dirname(path), data))
            if target == "bin/trine":
                mode, data = 0o755, alias
            elif isinstance(contents.get(target, ("", ""))[1], bytes):
                mode, data = contents[target]
            else:
                fail(f"{path} is a link to {data}, which is no file of the tree")
        changed.append((path, mode, data))
    return changed


def alias():
    """Returns the program that takes the place of links."""
    source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "alias.c")
    folder = os.path.join(CACHE, "alias")
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, f"alias.{os.getpid()}")
    options = ["-O2", "-s", "-Wall", "-Wextra", "-Werror", "-Wl,--build-id=none"]
    subprocess.run([os.environ.get("CC", "cc"), *options, "-o", path, source], check=True)
    with open(path, "rb") as file:
        data = file.read()
    os.remove(path)
    return data


@functools.cache
def libdeflate():
    """Returns libdeflate, whose best is 5 % smaller than zlib's best and takes no more time."""
    try:
        library = ctypes.CDLL("libdeflate.so.0")
    except OSError as error:
        install("libdeflate0", error)
        library = ctypes.CDLL("libdeflate.so.0")
    library.libdeflate_alloc_compressor.restype = ctypes.c_void_p
    library.libdeflate_deflate_compress_bound.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
    library.libdeflate_deflate_compress_bound.restype = ctypes.c_size_t
    library.libdeflate_deflate_compress.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t,
                                                    ctypes.c_char_p, ctypes.c_size_t]
    library.libdeflate_deflate_compress.restype = ctypes.c_size_t
    return library, library.libdeflate_alloc_compressor(LEVEL)


def deflate(data):
    """Returns a raw deflate stream of these bytes."""
    library, compressor = libdeflate()
    out = ctypes.create_string_buffer(library.libdeflate_deflate_compress_bound(compressor, len(data)))
    length = library.libdeflate_deflate_compress(compressor, data, len(data), out, len(out))
    return out.raw[:length]


class Compressor:
    """What `zipfile` calls for the bytes of one entry."""

    def __init__(self):
        self.parts = []

    def compress(self, data):
        self.parts.append(bytes(data))
        return b""

    def flush(self):
        return deflate(b"".join(self.parts))


def zip_of(found):
    """Returns a zip file with these entries. Folders have none of their own."""
    date = time.gmtime(max(epoch(), 315532800))[:6]
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for path, mode, data in found:
            if data is None:
                continue
            entry = zipfile.ZipInfo(path, date)
            entry.create_system = 3
            entry.compress_type = zipfile.ZIP_DEFLATED
            kind = 0o120000 if isinstance(data, str) else 0o100000
            entry.external_attr = (kind | mode) << 16
            data = data.encode() if isinstance(data, str) else data
            entry.file_size = len(data)
            with archive.open(entry, "w") as file:
                # The module has no way to bring a compressor of one's own.
                file._compressor = Compressor()
                file.write(data)
    return out.getvalue()


def report_sizes(found, data, remedy=""):
    """Prints the sizes of a layer's entries and of its zip beside Lambda's limits; `remedy` says how to make it smaller."""
    unpacked = sum(len(content or b"") for _, _, content in found)
    print(f"unpacked {unpacked / 2**20:6.1f} of {UNPACKED} MiB, which the function and its other layers share")
    print(f"zipped   {len(data) / 2**20:6.1f} of {ZIPPED} MiB")
    if len(data) > ZIPPED * 2**20:
        print(f"too large for a direct upload: publish the layer from an S3 bucket{remedy and ', or ' + remedy}")
    if unpacked > UNPACKED * 2**20:
        fail(f"too large for a layer{remedy and ': ' + remedy}")


def tar_gz_of(found, folder, folders=True):
    """Returns a compressed tar file with these entries in a folder, owned by root."""
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for path, mode, data in [("", 0o755, None), *found] if folders else found:
            entry = tarfile.TarInfo(os.path.join(folder, path).rstrip("/"))
            entry.mtime, entry.mode, entry.uname, entry.gname = epoch(), mode, "root", "root"
            if data is None:
                entry.type = tarfile.DIRTYPE
                archive.addfile(entry)
            elif isinstance(data, str):
                entry.type, entry.linkname = tarfile.SYMTYPE, data
                archive.addfile(entry)
            else:
                entry.size = len(data)
                archive.addfile(entry, io.BytesIO(data))
    data = tar.getvalue()
    head = struct.pack("<4BLBB", 0x1F, 0x8B, 8, 0, epoch(), 2, 255)
    return head + deflate(data) + struct.pack("<2L", zlib.crc32(data), len(data) & 0xFFFFFFFF)


def write(path, data):
    """Writes a file as a whole, and says what it is."""
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    part = f"{path}.{os.getpid()}.part"
    try:
        with open(part, "wb") as file:
            file.write(data)
        os.replace(part, path)
    finally:
        if os.path.exists(part):
            os.remove(part)
    print(f"{path}  {len(data) / 1e6:.1f} MB  sha256 {hashlib.sha256(data).hexdigest()}")


if __name__ == "__main__":
    print(python_version())
