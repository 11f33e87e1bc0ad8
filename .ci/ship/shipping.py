"""What the scripts of this folder that make packages have in common: dates, versions, folders, and archives whose bytes
depend on nothing but what is in them."""

import gzip
import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
import time
import zipfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TARGET = os.environ.get("CARGO_TARGET_DIR") or os.path.expanduser("~/.cache/trine/target")
# Beside the build's outputs, as `.ci/deny` has it.
TOOLS = os.path.join(os.path.dirname(TARGET), "tools")
CACHE = os.path.join(os.path.dirname(TARGET), "ship")
SUMMARY = "Functions in JavaScript, TypeScript, Python and Lua in one process: Lambda runtime, HTTP server, local tool"
LICENSE = "MIT OR Apache-2.0"
# 1 to 9; less takes less time.
LEVEL = int(os.environ.get("SHIP_LEVEL") or 9)


def fail(message):
    sys.exit(f"{os.path.basename(sys.argv[0])}: {message}")


def arguments(*names):
    """Returns the command line's arguments, or says what they are."""
    if len(sys.argv) != len(names) + 1 or sys.argv[1].startswith("-"):
        fail(f"usage: {sys.argv[0]} {' '.join(names)}")
    return sys.argv[1:]


def epoch():
    """Returns the date of everything that is packed, in seconds: SOURCE_DATE_EPOCH, else the last commit's."""
    given = os.environ.get("SOURCE_DATE_EPOCH")
    return int(given or subprocess.check_output(["git", "log", "-1", "--format=%ct"], cwd=ROOT))


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
    """Replaces the links to the binary by a program that starts it under their names, for formats without links."""
    changed = []
    for path, mode, data in found:
        if not isinstance(data, str):
            changed.append((path, mode, data))
        elif os.path.dirname(path) == "bin" and data == "trine":
            changed.append((path, 0o755, alias))
        elif path != "bootstrap":
            fail(f"{path} is a link to {data}, which this format cannot have")
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


def zip_of(found):
    """Returns a zip file with these entries. Folders have none of their own."""
    date = time.gmtime(max(epoch(), 315532800))[:6]
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=LEVEL) as archive:
        for path, mode, data in found:
            if data is None:
                continue
            entry = zipfile.ZipInfo(path, date)
            entry.create_system = 3
            entry.compress_type = zipfile.ZIP_DEFLATED
            kind = 0o120000 if isinstance(data, str) else 0o100000
            entry.external_attr = (kind | mode) << 16
            archive.writestr(entry, data, compresslevel=LEVEL)
    return out.getvalue()


def tar_gz_of(found, folder):
    """Returns a compressed tar file with these entries in a folder, owned by root."""
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for path, mode, data in [("", 0o755, None), *found]:
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
    return gzip.compress(tar.getvalue(), LEVEL, mtime=epoch())


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
