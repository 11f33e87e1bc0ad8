"""The ends of the process that Python offers besides `sys.exit`: in a call they end the call, as that does.

A child that a guest forked is another process, and ends as it asks to.
"""

import _signal
import os
import posix

_PROCESS = posix.getpid()

# Signals that do not end a process, and the two by which a guest may ask the process itself to finish.
_LEFT = frozenset(
    getattr(_signal, name)
    for name in (
        "SIGCHLD SIGCONT SIGINT SIGSTOP SIGTERM SIGTSTP SIGTTIN SIGTTOU SIGURG SIGWINCH".split()
    )
)


class _Signalled(SystemExit):
    """A signal that would have ended the process. `code` is what a shell shows for it."""

    def __init__(self, number):
        super().__init__(128 + number)
        self.trine_signal = (_signal.strsignal(number) or str(number)).lower()


# The host handles these only to say what happened, and ends then.
_FAULTS = frozenset((_signal.SIGBUS, _signal.SIGSEGV))


def _is_deadly(number):
    if not isinstance(number, int) or not 0 < number < _signal.NSIG or number in _LEFT:
        return False
    # None is a handler that is not Python's.
    handler = _signal.getsignal(number)
    return handler == _signal.SIG_DFL or (handler is None and number in _FAULTS)


def _in_child():
    return posix.getpid() != _PROCESS


def _exit(status):
    """Exit to the system: in a call, the end of that call."""
    if _in_child():
        _plain_exit(status)
    raise SystemExit(status.__index__() & 0xFF)


def abort():
    """Abort: in a call, the end of that call."""
    if _in_child():
        _plain_abort()
    raise _Signalled(_signal.SIGABRT)


def kill(pid, signal, /):
    """Kill a process with a signal."""
    # Groups and "everybody" include us.
    if pid in (_PROCESS, 0, -1, -posix.getpgrp()) and not _in_child() and _is_deadly(signal):
        raise _Signalled(signal)
    return _plain_kill(pid, signal)


def killpg(pgid, signal, /):
    """Kill a process group with a signal."""
    if pgid in (0, posix.getpgrp()) and not _in_child() and _is_deadly(signal):
        raise _Signalled(signal)
    return _plain_killpg(pgid, signal)


def raise_signal(signalnum, /):
    """Send a signal to the executing process."""
    if not _in_child() and _is_deadly(signalnum):
        raise _Signalled(signalnum)
    return _plain_raise_signal(signalnum)


def _become_a_child():
    """Runs in a child that a guest forked: it has the signals of any Python program, and nothing of the host's."""
    _trine.become_a_child()
    for number, default in (
        (_signal.SIGTERM, _signal.SIG_DFL),
        (_signal.SIGINT, _signal.default_int_handler),
    ):
        handler = _signal.getsignal(number)
        # None is a handler that is not Python's. One that Python does not know of may be behind the default, too.
        if handler is None or handler == _signal.SIG_DFL:
            _signal.signal(number, default if handler is None else handler)


_plain_exit, _plain_abort = posix._exit, posix.abort
_plain_kill, _plain_killpg = posix.kill, posix.killpg
_plain_raise_signal = _signal.raise_signal


def install():
    for function in (_exit, abort, kill, killpg):
        function.__module__ = "posix"
        setattr(posix, function.__name__, function)
        setattr(os, function.__name__, function)
    posix.register_at_fork(after_in_child=_become_a_child)
    raise_signal.__module__ = "_signal"
    _signal.raise_signal = raise_signal
