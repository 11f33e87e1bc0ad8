"""What functions side by side keep to themselves: environment variables, the root logger's level and the policy of event
loops.

Each root of functions has a scope. It is the value of a context variable, so it is the right one wherever a function's
code runs: in interleaved tasks, and on threads. What is set while no scope holds (a middleware's `init`, a module of a
layer or of site-packages while it is imported, which happens once for all) is everybody's.
"""

import _contextvars
import _frozen_importlib as _bootstrap
import os
import sys


class Scope:
    """What one root of functions has set."""

    __slots__ = ("environ", "system", "bound", "level", "policy")

    def __init__(self):
        # By encoded name; None is a variable that was taken away. First what `os.environ` shows, then what child processes
        # get (`os.putenv` sets that alone).
        self.environ = {}
        self.system = {}
        # What stands in the place of `os.environ` and `os.environb`.
        self.bound = {}
        self.level = None
        self.policy = None


def begin(variables, sees=None):
    """Called in the context in which the functions of a root will be loaded and called, which see these variables, and of
    the process's those that `sees` is true for. What is returned stands for the root's permits."""
    scope = Scope()
    if sees is not None:
        for name in [*dict.keys(getattr(os.environ, "_data", {})), *_trine.system_variables()]:
            if not sees(os.fsdecode(name)):
                scope.environ[name] = scope.system[name] = None
                _shared.setdefault(name, _trine.system_variable(name))
    for name, value in variables.items():
        if sees is None or sees(name):
            name, value = os.fsencode(name), os.fsencode(value)
            scope.environ[name] = scope.system[name] = value
            _shared.setdefault(name, _trine.system_variable(name))
    _scope.set(scope)
    take_apart()
    return scope


def take_apart():
    """Called in a context that was copied from another one."""
    decimal = sys.modules.get("decimal")
    # Asking for a context makes one, which every task of the root would then share: so only where there is one.
    if decimal is not None and any(v.name == "decimal_context" for v in _contextvars.copy_context()):
        # The copy holds the very same object, which would be changed for both.
        decimal.setcontext(decimal.getcontext().copy())


def _target():
    """The scope for what is being set; None when it is everybody's."""
    scope = _scope.get()
    if scope is None:
        return None
    frame = sys._getframe(2)
    while frame is not None:
        file = frame.f_code.co_filename
        if file.startswith("<frozen importlib"):
            # Nothing of a root's stands between: the module that is being imported is shared.
            return None
        if _trine.owner(file, frame.f_globals) is not None:
            return scope
        frame = frame.f_back
    return scope


class _Data(dict):
    """The storage of `os.environ`. The dictionary itself is what everybody sees; scopes lie over it."""

    def __getitem__(self, key):
        scope = _scope.get()
        if scope is not None and key in scope.environ:
            value = scope.environ[key]
            if value is None:
                raise KeyError(key)
            return value
        return dict.__getitem__(self, key)

    def __setitem__(self, key, value):
        scope = _target()
        if scope is None:
            dict.__setitem__(self, key, value)
        else:
            scope.environ[key] = value

    def __delitem__(self, key):
        scope = _target()
        if scope is None:
            dict.__delitem__(self, key)
            return
        if key not in self:
            raise KeyError(key)
        scope.environ[key] = None

    def __contains__(self, key):
        scope = _scope.get()
        if scope is not None and key in scope.environ:
            return scope.environ[key] is not None
        return dict.__contains__(self, key)

    def copy(self):
        """What is seen here."""
        scope = _scope.get()
        seen = dict(dict.items(self))
        if scope is not None:
            for key, value in scope.environ.items():
                if value is None:
                    seen.pop(key, None)
                else:
                    seen[key] = value
        return seen

    def __iter__(self):
        return iter(self.copy())

    def __len__(self):
        return len(self.copy())

    def keys(self):
        return self.copy().keys()

    def values(self):
        return self.copy().values()

    def items(self):
        return self.copy().items()

    def get(self, key, default=None):
        return self[key] if key in self else default

    def clear(self):
        for key in self.copy():
            del self[key]

    def update(self, other=(), /, **named):
        for key, value in dict(other, **named).items():
            self[key] = value


def _binding(name):
    """A member of `os` in whose place each scope may put something else."""

    def get(os):
        scope = _scope.get()
        if scope is not None and name in scope.bound:
            return scope.bound[name]
        try:
            return os.__dict__[name]
        except KeyError:
            raise AttributeError(f"module 'os' has no attribute '{name}'") from None

    def put(os, value):
        scope = _target()
        if scope is None:
            os.__dict__[name] = value
        else:
            scope.bound[name] = value

    def delete(os):
        scope = _target()
        bound = os.__dict__ if scope is None else scope.bound
        if bound.pop(name, None) is None:
            raise AttributeError(name)

    return property(get, put, delete)


class _Os(type(os)):
    """The module `os`."""

    environ, environb = _binding("environ"), _binding("environb")

    def __reduce__(self):
        # Who pickles modules knows them by their class. Of the functions that import, this one has a name everywhere.
        return _bootstrap._gcd_import, (self.__name__,)


# What everybody gets of those variables in the system's environment that some scope has set.
_shared = {}

_plain = {
    name: getattr(os, name)
    for name in ("execv", "get_exec_path", "putenv", "system", "unsetenv")
}


def _set(key, value):
    """Notes what is about to happen to a variable of the system's environment."""
    # The caller's caller is the one that sets it.
    scope, key = _target(), os.fsencode(key)
    if scope is not None:
        _shared.setdefault(key, _trine.system_variable(key))
        scope.system[key] = value
    elif key in _shared:
        _shared[key] = value


def environ_of_children():
    """The variables that a child process gets, by encoded name; None where it gets the system's, which has what was set
    last, by whomever."""
    scope = _scope.get()
    if scope is None or not _shared:
        return None
    found = _trine.system_variables()
    for variables in (_shared, scope.system):
        for key, value in variables.items():
            if value is None:
                found.pop(key, None)
            else:
                found[key] = value
    return found


def putenv(name, value, /):
    _set(name, os.fsencode(value))
    _plain["putenv"](name, value)


def unsetenv(name, /):
    _set(name, None)
    _plain["unsetenv"](name)


def system(command):
    environ = environ_of_children()
    if environ is None:
        return _plain["system"](command)
    shell = "/bin/sh"
    return os.waitpid(os.posix_spawn(shell, [shell, "-c", command], environ), 0)[1]


def execv(path, argv, /):
    environ = environ_of_children()
    if environ is None:
        _plain["execv"](path, argv)
    else:
        os.execve(path, argv, environ)


def getenv(key, default=None):
    return os.environ.get(key, default)


def getenvb(key, default=None):
    return os.environb.get(key, default)


def get_exec_path(env=None):
    return _plain["get_exec_path"](os.environ if env is None else env)


def install():
    """Called once, in a process that serves several functions."""
    environ = os.environ
    if type(getattr(environ, "_data", None)) is dict:
        data = _Data(environ._data)
        environ._data = data
        os.environb._data = data
    for function in (putenv, unsetenv, system, execv, getenv, getenvb, get_exec_path):
        function.__doc__ = getattr(os, function.__name__).__doc__
        function.__module__ = "os"
        setattr(os, function.__name__, function)
    os.__class__ = _Os


def logging():
    """Called when `logging` was imported."""
    module = sys.modules["logging"]

    class RootLogger(module.RootLogger):
        @property
        def level(self):
            scope = _scope.get()
            if scope is None or scope.level is None:
                return self.__dict__["level"]
            return scope.level

        @level.setter
        def level(self, level):
            scope = _target()
            if scope is None:
                self.__dict__["level"] = level
            else:
                module.Logger.isEnabledFor = _is_enabled_for
                scope.level = level

    RootLogger.__module__, RootLogger.__qualname__ = module.__name__, "RootLogger"
    module.root.__class__ = RootLogger


def _is_enabled_for(self, level):
    """Is this logger enabled for level 'level'?"""
    # Without the cache, which knows one level of the root's only.
    if self.disabled or self.manager.disable >= level:
        return False
    return level >= self.getEffectiveLevel()
