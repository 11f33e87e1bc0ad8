"""Imports handlers and keeps the modules of several task roots apart.

With one root this is `sys.path` and `import`. When a second root is loaded, what belongs to a root (modules that were
found in its own folders, and those folders on `sys.path`) is put aside while another root imports: at any time one
root is the active one. An import statement, wherever and whenever it runs, first activates the root whose file it
stands in.

A file is imported as the module of its package, however the user has named it. Where its relative imports need a package
that the task root itself is, or lies in, the folders above become packages for it.

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
# Whether other processes get `sys.path`, to import modules by their names.
_has_children = False
# Folders of layers on `sys.path`, which are everyone's.
_layers = []
# Beginnings of the paths of tools, which are no root's, wherever they lie.
_tools = ()
# The generation of the roots that are there for a search only.
_SEARCH = -1


class _Root:
    def __init__(self, generation, path):
        self.generation = generation
        self.path = path
        # Beginnings of the paths of its files.
        self.inside = [path.rstrip(os.sep) + os.sep]
        # Folders on `sys.path` that are this root's alone.
        self.entries = []
        # Such folders that stand at its end.
        self.last = []
        # Its modules while another root is active.
        self.modules = {}
        # Names of modules that were loaded by their path; of packages, by their folder.
        self.named = {}
        # Folders in which such packages stand.
        self.above = []
        # Folders of packages that are found by name where nothing else has that name.
        self.packages = {}


def load(generation, root, name, path, layer_root, by_path):
    """The module of a file, which the user has called `name`; raises what its import raises. `by_path` says that the user
    has named the file, and no module: then it is a module of the package in whose folder it stands, whatever the root.
    """
    with _lock:
        root = _root(generation, root, layer_root)
        _activate(root)
        if path in root.named:
            return sys.modules[root.named[path]]
        dotted = _dotted(name, path, layer_root)
        if path.endswith(".py"):
            stem = os.path.basename(path).removesuffix(".py")
            # A dot in the file's own name separates no folders.
            packages = dotted.count(".") - stem.count(".") + (stem == "__init__")
            levels = _trine.relative_levels(path)
            if by_path:
                levels = max(levels, _packages_above(path))
                if dotted.rpartition(".")[2] == "__init__":
                    # The package itself, and not a part of it that would run the same file once more.
                    dotted, packages = dotted.removesuffix(".__init__"), dotted.count(".")
            if levels > packages:
                return _load_in_package(root, path, dotted, levels)
            if "." in stem or dotted == "__main__":
                # No import statement has a name for it.
                return _run(root, _free_name(stem), path)
            if packages == 0:
                _offer_package(root, os.path.dirname(path))
        _import(dotted)
        module = sys.modules[dotted]
        found = getattr(module, "__file__", None)
        if found is not None and not _same(found, path):
            raise ImportError(f"its name belongs to {found}; rename {path}", name=dotted)
        return module


def load_file(generation, root, name, path, layer_root, _by_path):
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
        return _run(root, dotted, path, [os.path.dirname(path)] if is_package else None)


def find(root, name, layer_root):
    """The file that an import of this name would run, without running anything of it; None if there is none, or none
    but a module of the standard library."""
    parts = name.replace("/", ".").split(".")
    if "" in parts or parts[0] in sys.stdlib_module_names or parts[0] in sys.builtin_module_names:
        return None
    with _lock:
        _activate(_root(_SEARCH, root, layer_root))
        try:
            at = parts[0]
            spec = _bootstrap._find_spec(at, None)
            for part in parts[1:]:
                path = None if spec is None else spec.submodule_search_locations
                if path is None:
                    return None
                at += "." + part
                # As the finders do it, without their wish to see the package in `sys.modules`.
                spec = _external.PathFinder._get_spec(at, list(path))
            # A folder without `__init__.py` has no functions.
            if spec is None or spec.loader is None or _is_librarys(spec.origin):
                return None
            return spec.origin or f"<{name}>"
        except Exception:
            # What a finder of somebody else's makes of a name that it does not know.
            return None
        finally:
            forget(_SEARCH)


def import_tool(root, name, layer_root):
    """A module that works for the whole process, found where the packages of this root are."""
    global _tools
    with _lock:
        _activate(_root(_SEARCH, root, layer_root))
        try:
            _import(name)
            module = sys.modules[name]
            folder = os.path.dirname(sys.modules[name.partition(".")[0]].__file__) + os.sep
            _tools = tuple({*_tools, folder})
            return module
        finally:
            forget(_SEARCH)


def _is_librarys(file):
    """Whether a file is the standard library's, which names not all of its modules (`test`)."""
    if file is None or not file.startswith(sys._stdlib_dir + os.sep):
        return False
    folder = file.removeprefix(sys._stdlib_dir + os.sep).partition(os.sep)[0]
    return folder not in ("site-packages", "dist-packages")


def _dotted(name, path, layer_root):
    """The name by which an import statement would name the file."""
    stem = path.removesuffix(".py").removesuffix(os.sep + "__init__")
    if stem == os.path.join(layer_root, name):
        # It was named by its place in the layer; what an import finds it by is its place below a folder of `sys.path`.
        entries = [entry for entry in sys.path if stem.startswith(entry.rstrip(os.sep) + os.sep)]
        if entries:
            name = os.path.relpath(stem, max(entries, key=len))
    return name.replace("/", ".")


def _run(root, name, path, locations=None):
    """Runs a file as the module of this name, which only this root knows; with `locations`, as a package."""
    spec = _external.spec_from_file_location(name, path, submodule_search_locations=locations)
    root.named[path] = name
    try:
        return _bootstrap._load(spec)
    except BaseException:
        del root.named[path]
        raise


def _packages_above(path):
    """How many folders above a file are packages, one in the other."""
    count, folder = 0, os.path.dirname(path)
    while _is_package(folder) and folder != os.path.dirname(folder):
        count, folder = count + 1, os.path.dirname(folder)
    return count


def _load_in_package(root, path, dotted, levels):
    """Runs a file whose package is at least `levels` folders deep, the first of which is its own."""
    folders = [os.path.dirname(path)]
    with os.scandir(folders[0]) as entries:
        for entry in entries:
            if entry.name.endswith(".py"):
                levels = max(levels, _trine.relative_levels(entry.path))
    while True:
        above = os.path.dirname(folders[-1])
        is_part = _is_package(folders[-1]) and _is_package(above)
        if above == folders[-1] or (len(folders) >= levels and not is_part):
            break
        folders.append(above)
    name = None
    for folder in reversed(folders):
        name = _package(root, folder, name)
        if folder == folders[-1]:
            top = name
    # Others find it by its name from the folder above, with `__init__.py` or without.
    if top == os.path.basename(folders[-1]):
        root.above.append(os.path.dirname(folders[-1]))
        if _has_children:
            spawning()
    stem = os.path.basename(path).removesuffix(".py")
    if stem == "__init__":
        return sys.modules[name]
    full_name = f"{name}.{_identifier(stem)}"
    module = sys.modules.get(full_name)
    if module is None or getattr(module, "__file__", None) != path:
        module = _run(root, full_name, path)
    # Else the package has imported it.
    setattr(sys.modules[name], _identifier(stem), module)
    if "." not in dotted and dotted not in sys.stdlib_module_names:
        # Who imports it as a module of the task root gets the same one.
        sys.modules.setdefault(dotted, module)
    return module


def _package(root, folder, parent):
    """The name of the package that a folder is: below the one of this name, or, without a parent, at the top."""
    if folder in root.named:
        return root.named[folder]
    base = os.path.basename(folder)
    name = _free_name(base, folder) if parent is None else f"{parent}.{_identifier(base)}"
    start = os.path.join(folder, "__init__.py")
    if os.path.isfile(start):
        spec = _external.spec_from_file_location(name, start, submodule_search_locations=[folder])
    else:
        spec = _bootstrap.ModuleSpec(name, None, is_package=True)
        spec.submodule_search_locations = [folder]
    root.named[folder] = name
    if parent is None:
        root.inside.append(folder.rstrip(os.sep) + os.sep)
        _owners.clear()
    try:
        module = sys.modules[name] if name in sys.modules else _bootstrap._load(spec)
    except BaseException:
        del root.named[folder]
        raise
    if parent is not None:
        setattr(sys.modules[parent], _identifier(base), module)
    return name


def _offer_package(root, folder):
    """Lets modules of a package whose folder is the task root import one another by the package's name too."""
    if not _is_package(folder):
        return
    while _is_package(os.path.dirname(folder)):
        folder = os.path.dirname(folder)
    root.packages[os.path.basename(folder)] = folder
    if _offered not in sys.meta_path:
        sys.meta_path.append(_offered)


class _Offered:
    """Last on `sys.meta_path`: knows the packages that the active root lies in."""

    def find_spec(self, name, path=None, target=None):
        folder = _active.packages.get(name) if path is None and _active is not None else None
        if folder is None:
            return None
        _active.named[folder] = name
        _active.inside.append(folder + os.sep)
        _owners.clear()
        return _external.spec_from_file_location(
            name, os.path.join(folder, "__init__.py"), submodule_search_locations=[folder]
        )


_offered = _Offered()


def _is_package(folder):
    return os.path.isfile(os.path.join(folder, "__init__.py"))


def _identifier(name):
    return name.replace(".", "_") or "_"


def _free_name(name, folder=None):
    """A name for a module at the top that takes no other module's place; a package that has this folder may have it."""
    name = _identifier(name)
    while name in sys.modules or name in sys.stdlib_module_names or _is_taken(name, folder):
        name += "_"
    return name


def _is_taken(name, folder):
    spec = _bootstrap._find_spec(name, None)
    return spec is not None and folder not in (spec.submodule_search_locations or ())


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
    # As `os.path.dirname` gives it.
    path = path.rstrip(os.sep) or os.sep
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
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    own = [root.path, os.path.join(root.path, "package")]
    # Virtual environments beside the function, by their usual names.
    own += [os.path.join(root.path, name, "lib", version, "site-packages") for name in (".venv", "venv")]
    layer = os.path.join(layer_root, "python")
    shared = [os.path.join(layer, "lib", version, "site-packages"), layer]
    own = [entry for entry in own if os.path.isdir(entry) and entry not in sys.path]
    shared = [entry for entry in shared if os.path.isdir(entry) and entry not in sys.path]
    sys.path[:0] = own
    _layers.extend(shared)
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
        if name == top and _folder(module) in entries and not _is_tools(module):
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


def _is_tools(module):
    return bool(_tools) and (getattr(module, "__file__", None) or "").startswith(_tools)


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


def spawning():
    """Called when `multiprocessing` can start processes that know nothing but `sys.path`: a package that was loaded by its
    path is to be found there by its name. The folder in which it stands comes last, behind site-packages."""
    global _has_children
    _has_children = True
    for root in list(_roots.values()):
        for folder in root.above:
            if root is _active:
                _add_folder(root, folder)
            elif folder not in root.last:
                root.last.append(folder)


def folders_of(frame):
    """The folders on `sys.path` that are the calling function's, and those of the layers."""
    root = _calling_root(frame) or _active
    return ([] if root is None else root.entries), _layers


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


def _depth(root, file):
    """How much of a file's path is that of a folder of the root's."""
    return max(len(folder) if file.startswith(folder) else 0 for folder in root.inside)


def _possible_owners(file):
    if file.startswith(_tools):
        return []
    depths = [(_depth(root, file), root) for root in _roots.values()]
    deepest = max(depth for depth, _ in depths) if depths else 0
    if deepest:
        return [root for depth, root in depths if depth == deepest]
    folder = os.path.dirname(file)
    return [root for root in _roots.values() if folder in root.last]
