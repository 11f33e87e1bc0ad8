"""Imports handlers and keeps the modules of several task roots apart.

With one root this is `sys.path` and `import`. When a second root is loaded, what belongs to a root (modules that were
found in its own folders, and those folders on `sys.path`) is put aside while another root imports: at any time one
root is the active one. An import statement, wherever and whenever it runs, first activates the root whose file it
stands in.

Instances of one generation share a root's modules. One that takes the place of a retired instance is of a new
generation: for it the same folder is another root.
"""

import _thread
import _frozen_importlib as _bootstrap
import _frozen_importlib_external as _external
import builtins
import os
import sys

_lock = _thread.RLock()
_roots = {}
_active = None
# How often the active root changed.
_turn = 0
_import = builtins.__import__
_owners = {}


class _Root:
    def __init__(self, generation, path):
        self.generation = generation
        self.path = path
        self.inside = path.rstrip(os.sep) + os.sep
        # Folders on `sys.path` that are this root's alone.
        self.entries = []
        # Such folders that stand at its end.
        self.last = []
        # Its modules while another root is active.
        self.modules = {}
        # Names of modules that were loaded by their path.
        self.named = {}


def load(generation, root, name, path, layer_root):
    """The module `name` of a task root; raises what its import raises."""
    with _lock:
        _activate(_root(generation, root, layer_root))
        dotted = name.replace("/", ".")
        _import(dotted)
        module = sys.modules[dotted]
        found = getattr(module, "__file__", None)
        if found is not None and not _same(found, path):
            raise ImportError(f"its name belongs to {found}; rename {path}", name=dotted)
        return module


def load_file(generation, root, name, path, layer_root):
    """A middleware: its file may be anywhere, and may have a name that a module of the standard library has."""
    with _lock:
        root = _root(generation, root, layer_root)
        _activate(root)
        if path in root.named:
            return sys.modules[root.named[path]]
        _add_folder(root, os.path.dirname(path))
        is_package = os.path.basename(path) == "index.py"
        # The name under which a handler beside the folder `middlewares` would import it. A package's must be whole,
        # because Python looks for what stands before a dot when the package imports a part of its own.
        dotted = "middlewares." + name.removesuffix(".py").replace("/", ".")
        if is_package:
            dotted = dotted.replace(".", "_")
        while dotted in sys.modules:
            dotted += "_"
        spec = _external.spec_from_file_location(
            dotted,
            path,
            submodule_search_locations=[os.path.dirname(path)] if is_package else None,
        )
        module = _bootstrap.module_from_spec(spec)
        sys.modules[dotted] = module
        root.named[path] = dotted
        try:
            spec.loader.exec_module(module)
        except BaseException:
            del root.named[path]
            sys.modules.pop(dotted, None)
            raise
        return module


def activate(generation, root, layer_root, folder):
    """Makes a root the active one, with the folder of a program that is to run in it."""
    with _lock:
        root = _root(generation, root, layer_root)
        _activate(root)
        _add_folder(root, folder)


def forget(generation):
    """Drops the modules of a generation that has no instances any more."""
    with _lock:
        for key, root in list(_roots.items()):
            if root.generation == generation:
                if root is _active:
                    _put_aside(root)
                del _roots[key]
        _owners.clear()


def _add_folder(root, folder):
    if folder not in sys.path:
        # Last: middlewares may be called like modules of the standard library.
        sys.path.append(folder)
        root.last.append(folder)
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


def _root(generation, path, layer_root):
    root = _roots.get((generation, path))
    if root is None:
        if _active is not None:
            _put_aside(_active)
        if _roots:
            _separate()
        _owners.clear()
        root = _roots[generation, path] = _Root(generation, path)
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
    global _active, _turn
    if _active is root:
        return
    if _active is not None:
        _put_aside(_active)
    sys.path[:0] = [entry for entry in root.entries if entry not in sys.path]
    sys.path += [entry for entry in root.last if entry not in sys.path]
    sys.modules.update(root.modules)
    root.modules = {}
    _turn += 1
    _active = root


def _put_aside(root):
    global _active, _turn
    _turn += 1
    _active = None
    entries = {*root.entries, *root.last}
    tops, compiled = set(), set()
    for name, module in list(sys.modules.items()):
        top = name.partition(".")[0]
        if name == top and _folder(module) in entries:
            tops.add(top)
        elif type(getattr(module, "__loader__", None)).__name__ == "ExtensionFileLoader":
            compiled.add(top)
    # Most compiled extensions can be loaded once per process only: such a package is every root's.
    tops -= compiled
    named = tuple(root.named.values())
    inside = tuple(name + "." for name in named)
    for name in list(sys.modules):
        if name.partition(".")[0] in tops or name in named or name.startswith(inside):
            # In this order: `_loaded` looks without the lock and must find it in one of the two.
            root.modules[name] = sys.modules[name]
            del sys.modules[name]
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
        module = _loaded(root, name) if package is None else None
        if module is not None:
            _trine.if_free(_lock, _activate, root)
            return module
        if not name.startswith(".") and _is_everyones(name):
            # The caller may be a module that is being imported without the lock by code that is everyone's too.
            return plain(name, package)
        with _lock:
            _activate(root)
            return plain(name, package)

    importlib.import_module = import_module


def _guarded_import(name, globals=None, locals=None, fromlist=(), level=0):
    file = globals.get("__file__") if globals is not None else None
    if file is None:
        root = _calling_root(sys._getframe().f_back)
    else:
        root = _owner(file, globals)
    if root is None:
        return _import(name, globals, locals, fromlist, level)
    # Whoever imports may hold a lock (`logging` does around every handler) for which a module waits that another
    # thread is loading: what is there already is had without waiting for that thread.
    module = _imported(root, name, globals, fromlist, level)
    if module is not None:
        _trine.if_free(_lock, _activate, root)
        return module
    with _lock:
        _activate(root)
        return _import(name, globals, locals, fromlist, level)


def _imported(root, name, globals, fromlist, level):
    """What the import of loaded modules gives; None if there is anything to load, or to wait for."""
    if level:
        package = globals.get("__package__") if globals is not None else None
        if not package or not fromlist or package.count(".") < level - 1:
            return None
        package = package.rsplit(".", level - 1)[0]
        name = f"{package}.{name}" if name else package
    module = _loaded(root, name)
    if module is None:
        return None
    if not fromlist:
        top = name.partition(".")[0]
        return module if top == name else _loaded(root, top, True)
    if hasattr(module, "__path__"):
        for part in fromlist:
            # Parts may be modules that are still to be loaded.
            if part == "*" or not hasattr(module, part):
                return None
    return module


def _loaded(root, name, even_partly=False):
    """A module as this root's code sees it, whichever root is active; None unless it is there and complete."""
    while True:
        turn = _turn
        module = root.modules.get(name)
        if module is None:
            module = sys.modules.get(name)
            if module is not None and _active is not root and not _is_everyones(name):
                module = None
        if turn == _turn:
            break
    if module is None or even_partly:
        return module
    spec = getattr(module, "__spec__", None)
    return None if getattr(spec, "_initializing", False) else module


def _is_everyones(name):
    """Whether it is, or is in, a loaded module or package that is no root's; False in doubt."""
    top = name.partition(".")[0]
    module = sys.modules.get(top)
    if module is None:
        return False
    if top in sys.builtin_module_names:
        return True
    # Without a file: a package whose parts may be in several folders.
    if getattr(module, "__file__", None) is None:
        return False
    folder = _folder(module)
    for root in list(_roots.values()):
        if folder in root.entries or folder in root.last or top in root.named.values():
            return False
    return True


def _calling_root(frame):
    while frame is not None:
        root = _owner(frame.f_code.co_filename, frame.f_globals)
        if root is not None:
            return root
        frame = frame.f_back
    return None


def _owner(file, namespace):
    """The root that a file belongs to; where several generations loaded it, the one with this namespace."""
    owners = _owners.get(file)
    if owners is None:
        owners = _possible_owners(file)
        if len(_owners) < 10_000:
            _owners[file] = owners
    if len(owners) < 2:
        return owners[0] if owners else None
    name = namespace.get("__name__")
    for root in owners:
        module = (sys.modules if root is _active else root.modules).get(name)
        if module is not None and getattr(module, "__dict__", None) is namespace:
            return root
    # Code without a module, or of one that was dropped: the latest.
    return owners[-1]


def _possible_owners(file):
    inside = [root for root in _roots.values() if file.startswith(root.inside)]
    if inside:
        longest = max(len(root.path) for root in inside)
        return [root for root in inside if len(root.path) == longest]
    folder = os.path.dirname(file)
    return [root for root in _roots.values() if folder in root.last]
