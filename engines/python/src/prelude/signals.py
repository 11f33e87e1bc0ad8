"""SIGTERM and SIGINT belong to the host, which finishes its work and ends. What a guest installs for them on the main
thread is called beside that and takes nothing away from it. Executed when the interpreter starts.
"""

import _signal
import posix

_PROCESS = posix.getpid()

# The guest's handlers. It sees a process in which nobody has installed any.
_handlers = {_signal.SIGTERM: _signal.SIG_DFL, _signal.SIGINT: _signal.SIG_DFL}
# Those signals for which Python's own handler was installed beside the host's.
_beside = set()


def _call(number, frame):
    handler = _handlers[number]
    if callable(handler):
        handler(number, frame)


def _is_shared(number):
    if number not in _handlers or posix.getpid() != _PROCESS:
        return False
    return number in _beside or _trine.host_handles(number)


def signal(signalnum, handler, /):
    usual = callable(handler) or handler in (_signal.SIG_DFL, _signal.SIG_IGN)
    if not usual or not _trine.is_on_main_thread() or not _is_shared(signalnum):
        # It says what is wrong.
        return _plain_signal(signalnum, handler)
    if callable(handler) and signalnum not in _beside:
        _trine.install_beside(signalnum, _plain_signal, _call)
        _beside.add(signalnum)
    before = _handlers[signalnum]
    _handlers[signalnum] = handler
    return before


def getsignal(signalnum, /):
    return _handlers[signalnum] if _is_shared(signalnum) else _plain_getsignal(signalnum)


def _become_a_child():
    """Runs in a child that a guest forked: there is no host, and the guest's handlers are Python's own."""
    for number, handler in _handlers.items():
        if handler != _signal.SIG_DFL:
            _plain_signal(number, handler)
        elif number in _beside:
            is_interrupt = number == _signal.SIGINT
            _plain_signal(number, _signal.default_int_handler if is_interrupt else handler)


_plain_signal, _plain_getsignal = _signal.signal, _signal.getsignal


def install():
    posix.register_at_fork(after_in_child=_become_a_child)
    for function, plain in ((signal, _plain_signal), (getsignal, _plain_getsignal)):
        function.__module__ = "_signal"
        function.__doc__ = plain.__doc__
        setattr(_signal, function.__name__, function)
