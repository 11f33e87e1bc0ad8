"""What functions side by side keep to themselves: environment variables and the root logger's level.

Each root of functions has a scope. It is the value of a context variable, so it is the right one wherever a function's
code runs: in interleaved tasks, and on threads. What is set while no scope holds (a middleware's `init`, a module of a
layer or of site-packages while it is imported, which happens once for all) is everybody's.
"""

import os
import sys


class Scope:
    """What one root of functions has set."""

    __slots__ = ("environ", "level")

    def __init__(self):
        # By encoded name; None is a variable that was taken away.
        self.environ = {}
        self.level = None


def begin():
    """Called in the context in which the functions of a root will be loaded and called."""
    _scope.set(Scope())
    take_apart()


def take_apart():
    """Called in a context that was copied from another one."""
    decimal = sys.modules.get("decimal")
    if decimal is not None:
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


def install():
    """Called once, in a process that serves several functions."""
    environ = os.environ
    if type(getattr(environ, "_data", None)) is dict:
        data = _Data(environ._data)
        environ._data = data
        os.environb._data = data
        _pass_on(data)


def _pass_on(data):
    """Child processes get the environment that is seen here: the system's has what was set last, by whomever."""
    import _posixsubprocess

    plain = _posixsubprocess.fork_exec
    place = 5

    def fork_exec(*arguments):
        scope = _scope.get()
        if scope is not None and len(arguments) > place and arguments[place] is None:
            environ = [name + b"=" + value for name, value in data.items()]
            arguments = (*arguments[:place], environ, *arguments[place + 1 :])
        return plain(*arguments)

    _posixsubprocess.fork_exec = fork_exec
    subprocess = sys.modules.get("subprocess")
    if subprocess is not None:
        for name, value in list(vars(subprocess).items()):
            if value is plain:
                setattr(subprocess, name, fork_exec)


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
