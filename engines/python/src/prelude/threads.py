"""What runs on other threads belongs to an invocation, too: a thread to the one that started it, work of a pool to the one
that submitted it. Log records look for it in the context variable of the thread.
"""

import contextvars
import sys


def threading():
    """Called when `threading` was imported."""
    Thread = sys.modules["threading"].Thread
    plain_start, plain_bootstrap = Thread.start, Thread._bootstrap_inner

    def start(self):
        request = _request.get()
        if request is not None:
            if hasattr(self, "_context"):
                # From Python 3.14 on a thread runs in a context that it has, or gets here.
                _give_context(self, request)
            else:
                self._trine_request = request
        plain_start(self)

    def _bootstrap_inner(self):
        request = self.__dict__.pop("_trine_request", None)
        if request is not None:
            _request.set(request)
        plain_bootstrap(self)

    start.__doc__ = plain_start.__doc__
    Thread.start, Thread._bootstrap_inner = start, _bootstrap_inner


def _give_context(thread, request):
    if thread._context is None:
        inherits = sys.flags.thread_inherit_context
        thread._context = contextvars.copy_context() if inherits else contextvars.Context()
        thread._context.run(_request.set, request)


def futures():
    """Called when `concurrent.futures.thread` was imported."""
    Item = sys.modules["concurrent.futures.thread"]._WorkItem
    plain_init, plain_run = Item.__init__, Item.run

    def __init__(self, *arguments, **named):
        plain_init(self, *arguments, **named)
        self._trine_request = _request.get()

    def run(self, *arguments):
        token = _request.set(self._trine_request)
        try:
            plain_run(self, *arguments)
        finally:
            _request.reset(token)

    Item.__init__, Item.run = __init__, run


class _Work:
    """A function that a pool calls for the invocation that submitted it."""

    __slots__ = ("_function", "_request")

    def __init__(self, function):
        self._function = function
        self._request = _request.get()

    def __call__(self, *arguments, **named):
        token = _request.set(self._request)
        try:
            return self._function(*arguments, **named)
        finally:
            _request.reset(token)


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
