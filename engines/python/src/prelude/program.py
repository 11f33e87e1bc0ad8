"""Runs programs of the earlier runtime: scripts that read standard input, look at `sys.argv` and print.

What such a program sees as its arguments and its standard streams is its thread's alone.
"""

import builtins
import io
import sys
from types import ModuleType

_codes = {}


class _Arguments(list):
    """`sys.argv`: the program's on the thread that runs one, else the process's."""


def _of_thread(name):
    plain = getattr(list, name)

    def method(self, *arguments, **named):
        own = _trine.program_arguments()
        return plain(self if own is None else own, *arguments, **named)

    method.__name__ = name
    return method


for _name in (
    "__getitem__ __setitem__ __delitem__ __len__ __iter__ __reversed__ __contains__ __repr__ "
    "__eq__ __ne__ __lt__ __le__ __gt__ __ge__ __add__ __mul__ __rmul__ __iadd__ append clear "
    "copy count extend index insert pop remove reverse sort"
).split():
    setattr(_Arguments, _name, _of_thread(_name))


class _Input:
    """`sys.stdin`: the program's on the thread that runs one, else the process's."""

    def __init__(self, plain):
        self._plain = plain

    def _current(self):
        own = _trine.program_input()
        return self._plain if own is None else own

    def __getattr__(self, name):
        return getattr(self._current(), name)

    def __iter__(self):
        return iter(self._current())

    def __next__(self):
        return next(self._current())

    def __enter__(self):
        return self

    def __exit__(self, *_raised):
        return None


def install():
    """Puts the streams and arguments of threads in the place of the process's."""
    if not isinstance(sys.argv, _Arguments):
        sys.argv = _Arguments(sys.argv)
    if not isinstance(sys.stdin, _Input):
        sys.stdin = _Input(sys.stdin)


def code(path, stamp):
    """The compiled program; `stamp` changes whenever the file does."""
    known = _codes.get(path)
    if known is None or known[0] != stamp:
        with open(path, "rb") as file:
            known = _codes[path] = (stamp, compile(file.read(), path, "exec", dont_inherit=True))
    return known[1]


def text_input(text):
    """Standard input that holds `text`."""
    return io.TextIOWrapper(io.BytesIO(text), "utf-8")


def module(path):
    """A fresh `__main__`. `open(0)` and `open("/dev/stdin")` in it give the program's input."""

    def open(file, mode="r", *arguments, **named):
        if isinstance(file, (int, str)) and file in (0, "/dev/stdin") and file is not False:
            stdin = _trine.program_input()
            if stdin is not None:
                return stdin.buffer if "b" in mode else stdin
        return builtins.open(file, mode, *arguments, **named)

    made = ModuleType("__main__")
    made.__file__ = path
    made.__builtins__ = {**vars(builtins), "open": open}
    return made


def run(compiled, namespace):
    try:
        exec(compiled, namespace)
    finally:
        # A program may have put a writer of its own around the stream.
        sys.stdout.flush()
