"""Runs first in the interpreter: what `site` would have defined, and the hooks that put off what costs time.

`site` (the `.pth` files of site-packages, `sitecustomize`) is run at the first import that the task root, the layers
and the standard library cannot answer, because it may take longer than everything else together.
"""

import builtins
import sys

# Whoever imports these wants to see every installed package.
_WANT_SITE = frozenset(
    {
        "_distutils_hack",
        "ensurepip",
        "importlib.metadata",
        # Its children get the `sys.path` that it finds.
        "multiprocessing.spawn",
        "pip",
        "pkg_resources",
        "pkgutil",
        "setuptools",
        "site",
        "sitecustomize",
        "usercustomize",
        "venv",
    }
)

# Modules of other platforms that the standard library tries for.
_FOREIGN = sys.stdlib_module_names | {"org", "java", "vms_lib", "_wmi", "riscos", "__main__"}


class _Configuring:
    """The loader of a module, followed by our own configuration of it."""

    def __init__(self, loader, configure):
        self._loader = loader
        self._configure = configure

    def __getattr__(self, name):
        return getattr(self._loader, name)

    def create_module(self, spec):
        return self._loader.create_module(spec)

    def exec_module(self, module):
        module.__loader__ = module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        self._configure()


# Modules of the standard library that are configured as soon as they were imported.
_CONFIGURED = {
    "_posixsubprocess": _trine.configure_children,
    "_ssl": _trine.configure_certificates,
    "asyncio": _trine.configure_asyncio,
    "concurrent.futures.thread": _trine.configure_futures,
    "logging": _trine.configure_logging,
    "multiprocessing.pool": _trine.configure_pool,
    "multiprocessing.spawn": _trine.configure_spawn,
    "threading": _trine.configure_threading,
}


class _Watch:
    """First on `sys.meta_path`: sees every import that is not answered from `sys.modules`."""

    def find_spec(self, name, path=None, target=None):
        if name in _WANT_SITE:
            add_site()
        if name in _CONFIGURED:
            return self._configured(name, path, target)
        return None

    def _configured(self, name, path, target):
        for finder in list(sys.meta_path):
            find = getattr(finder, "find_spec", None)
            spec = None if finder is self or find is None else find(name, path, target)
            if spec is not None:
                if spec.loader is not None and _is_librarys(spec.origin):
                    spec.loader = _Configuring(spec.loader, _CONFIGURED[name])
                return spec
        return None


class _Missing:
    """Last on `sys.meta_path`: nobody before it found the module."""

    def find_spec(self, name, path=None, target=None):
        if path is not None or name in _FOREIGN or not add_site():
            return None
        for finder in list(sys.meta_path):
            if finder is not self and finder is not _watch:
                spec = finder.find_spec(name, path, target)
                if spec is not None:
                    return spec
        return None


class _Own:
    """Behind all others: the modules of AWS's runtime that nobody has installed."""

    def find_spec(self, name, path=None, target=None):
        if name != "snapshot_restore_py":
            return None
        return type(sys.__spec__)(name, self, origin="built-in")

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        _trine.define_snapshot_restore(module)


def _is_librarys(origin):
    return origin == "built-in" or (origin or "").startswith(sys._stdlib_dir)


_watch = _Watch()
_missing = _Missing()
_own = _Own()
_site_added = False


def add_site():
    """Runs `site` once. Whether this call did."""
    global _site_added
    if _site_added:
        return False
    _site_added = True
    if _missing in sys.meta_path:
        sys.meta_path.remove(_missing)
    _trine.set_no_site(True)
    try:
        # Else it would run as it is imported.
        import site
    finally:
        _trine.set_no_site(False)

    if not sys.flags.isolated and not getattr(site, "_trine_ran", False):
        site._trine_ran = True
        # Layers stand behind what `PYTHONPATH` names but before site-packages, as on Lambda.
        site.main()
    return True


def _define_site_builtins():
    import _sitebuiltins

    builtins.quit = _sitebuiltins.Quitter("quit", "Ctrl-D (i.e. EOF)")
    builtins.exit = _sitebuiltins.Quitter("exit", "Ctrl-D (i.e. EOF)")
    builtins.help = _sitebuiltins._Helper()


def install(eager):
    _define_site_builtins()
    sys.meta_path.insert(0, _watch)
    if eager:
        add_site()
    else:
        sys.meta_path.append(_missing)
    sys.meta_path.append(_own)
    for name, configure in _CONFIGURED.items():
        if name in sys.modules:
            configure()
