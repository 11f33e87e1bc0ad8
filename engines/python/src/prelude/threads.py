"""What runs on other threads belongs to an invocation and to a function, too: a thread to those that started it, work of a
pool to those that submitted it. Both are looked for in context variables, which a thread begins without.
"""

import contextvars
import sys


_NOBODY = (None, None)


def _whose():
    """The invocation and the scope of what runs here."""
    return _request.get(), _scope.get()


def _take(whose):
    _request.set(whose[0])
    _scope.set(whose[1])


def threading():
    """Called when `threading` was imported."""
    Thread = sys.modules["threading"].Thread
    plain_start, plain_bootstrap = Thread.start, Thread._bootstrap_inner

    def start(self):
        whose = _whose()
        if whose != _NOBODY:
            if hasattr(self, "_context"):
                # From Python 3.14 on a thread runs in a context that it has, or gets here.
                _give_context(self, whose)
            else:
                self._trine_whose = whose
        plain_start(self)

    def _bootstrap_inner(self):
        whose = self.__dict__.pop("_trine_whose", None)
        if whose is not None:
            _take(whose)
        plain_bootstrap(self)

    start.__doc__ = plain_start.__doc__
    Thread.start, Thread._bootstrap_inner = start, _bootstrap_inner


def _give_context(thread, whose):
    if thread._context is None:
        inherits = sys.flags.thread_inherit_context
        thread._context = contextvars.copy_context() if inherits else contextvars.Context()
        thread._context.run(_take, whose)


def futures():
    """Called when `concurrent.futures.thread` was imported."""
    Item = sys.modules["concurrent.futures.thread"]._WorkItem
    plain_init, plain_run = Item.__init__, Item.run

    def __init__(self, *arguments, **named):
        plain_init(self, *arguments, **named)
        self._trine_whose = _whose()

    def run(self, *arguments):
        before = _whose()
        _take(self._trine_whose)
        try:
            plain_run(self, *arguments)
        finally:
            _take(before)

    Item.__init__, Item.run = __init__, run


class _Work:
    """A function that a pool calls for the invocation that submitted it."""

    __slots__ = ("_function", "_whose")

    def __init__(self, function):
        self._function = function
        self._whose = _whose()

    def __call__(self, *arguments, **named):
        before = _whose()
        _take(self._whose)
        try:
            return self._function(*arguments, **named)
        finally:
            _take(before)


def pool():
    """Called when `multiprocessing.pool` was imported."""
    Pool = sys.modules["multiprocessing.pool"].ThreadPool
    for name in ("apply_async", "_map_async", "imap", "imap_unordered"):
        setattr(Pool, name, _submitting(getattr(Pool, name)))


def _submitting(plain):
    def submit(self, func, *arguments, **named):
        return plain(self, _Work(func), *arguments, **named)

    submit.__name__, submit.__doc__ = plain.__name__, plain.__doc__
    return submit
