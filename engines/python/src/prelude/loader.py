"""Imports handlers and keeps the modules of several task roots apart.

With one root this is `sys.path` and `import`. When a second root is loaded, what belongs to a root (modules that were
found in its own folders, and those folders on `sys.path`) is put aside while another root imports: at any time one
root is the active one. An import statement, wherever and whenever it runs, first activates the root whose file it
stands in.
"""

import _thread
import builtins
import os
import sys

_lock = _thread.RLock()
_roots = {}
_active = None
_import = builtins.__import__
_owners = {}


class _Root:
    def __init__(self, path):
        self.path = path
        self.inside = path.rstrip(os.sep) + os.sep
        self.entries = []
        self.modules = {}


def load(root, name, path, layer_root):
    """The module `name` of a task root; raises what its import raises."""
    with _lock:
        _activate(_root(root, layer_root))
        dotted = name.replace("/", ".")
        _import(dotted)
        module = sys.modules[dotted]
        found = getattr(module, "__file__", None)
        if found is not None and not _same(found, path):
            raise ImportError(f"its name belongs to {found}; rename {path}", name=dotted)
        return module


def forget():
    """Drops every root's modules, so that a later instance runs their code anew."""
    with _lock:
        if _active is not None:
            _put_aside(_active)
        _roots.clear()
        _owners.clear()


def _same(found, path):
    if found == path:
        return True
    if os.path.dirname(found) == os.path.splitext(path)[0]:
        return True
    try:
        return os.path.samefile(found, path)
    except OSError:
        # A module without a source file beside it, or one that came out of an archive.
        return True


def _root(path, layer_root):
    root = _roots.get(path)
    if root is None:
        if _active is not None:
            _put_aside(_active)
        if _roots:
            _separate()
        _owners.clear()
        root = _roots[path] = _Root(path)
        _add_entries(root, layer_root)
    return root


def _add_entries(root, layer_root):
    own = [root.path, os.path.join(root.path, "package")]
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    layer = os.path.join(layer_root, "python")
    shared = [os.path.join(layer, "lib", version, "site-packages"), layer]
    own = [entry for entry in own if os.path.isdir(entry) and entry not in sys.path]
    shared = [entry for entry in shared if os.path.isdir(entry) and entry not in sys.path]
    sys.path[:0] = own
    if os.environ.get("PYTHONPATH"):
        # Lambda leaves its layers out then. They come last here: found, yet in nobody's way.
        sys.path.extend(shared)
    else:
        sys.path[len(own) : len(own)] = shared
    _add_path_files(shared)
    before = set(sys.path)
    _add_path_files(own)
    root.entries = own + [entry for entry in sys.path if entry not in before]


def _add_path_files(folders):
    for folder in folders:
        if _has_path_file(folder):
            import site

            site.addsitedir(folder, set(sys.path))


def _has_path_file(folder):
    try:
        return any(name.endswith(".pth") for name in os.listdir(folder))
    except OSError:
        return False


def _activate(root):
    global _active
    if _active is root:
        return
    if _active is not None:
        _put_aside(_active)
    sys.path[:0] = [entry for entry in root.entries if entry not in sys.path]
    sys.modules.update(root.modules)
    root.modules = {}
    _active = root


def _put_aside(root):
    global _active
    _active = None
    entries = set(root.entries)
    tops, compiled = set(), set()
    for name, module in list(sys.modules.items()):
        top = name.partition(".")[0]
        if name == top and _folder(module) in entries:
            tops.add(top)
        elif type(getattr(module, "__loader__", None)).__name__ == "ExtensionFileLoader":
            compiled.add(top)
    # Most compiled extensions can be loaded once per process only: such a package is every root's.
    tops -= compiled
    for name in list(sys.modules):
        if name.partition(".")[0] in tops:
            root.modules[name] = sys.modules.pop(name)
    sys.path[:] = [entry for entry in sys.path if entry not in entries]


def _folder(module):
    """The entry of `sys.path` in which a top-level module was found."""
    paths = getattr(module, "__path__", None)
    if paths is not None:
        for path in paths:
            return os.path.dirname(path)
        return None
    file = getattr(module, "__file__", None)
    return None if file is None else os.path.dirname(file)


def _separate():
    """From now on imports look at who imports."""
    import importlib

    if builtins.__import__ is _guarded_import:
        return
    builtins.__import__ = _guarded_import
    plain = importlib.import_module

    def import_module(name, package=None):
        root = _calling_root(sys._getframe().f_back)
        if root is None:
            return plain(name, package)
        with _lock:
            _activate(root)
            return plain(name, package)

    importlib.import_module = import_module


def _guarded_import(name, globals=None, locals=None, fromlist=(), level=0):
    file = globals.get("__file__") if globals is not None else None
    root = _calling_root(sys._getframe().f_back) if file is None else _owner(file)
    if root is None:
        return _import(name, globals, locals, fromlist, level)
    with _lock:
        _activate(root)
        return _import(name, globals, locals, fromlist, level)


def _calling_root(frame):
    while frame is not None:
        root = _owner(frame.f_code.co_filename)
        if root is not None:
            return root
        frame = frame.f_back
    return None


def _owner(file):
    try:
        return _owners[file]
    except KeyError:
        inside = [root for root in _roots.values() if file.startswith(root.inside)]
        found = max(inside, key=lambda root: len(root.path), default=None)
        if len(_owners) < 10_000:
            _owners[file] = found
        return found
