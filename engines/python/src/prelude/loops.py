"""Which loop `asyncio.get_event_loop()` gives where none runs. Executed when a guest imports `asyncio`.

It is the host's own, in which `async def` handlers run, unless another one was set. Functions that know nothing of each
other share the thread: what one root sets is not seen by another.
"""

from asyncio import events
from asyncio.unix_events import _UnixDefaultEventLoopPolicy as _Policy

_plain_get = _Policy.get_event_loop

# The loop that each root has set, while another root is called.
_kept = {}


def _get_event_loop(self):
    if type(self) is _Policy and self._local._loop is None:
        loop = _trine.event_loop()
        if loop is not None:
            self.set_event_loop(loop)
    return _plain_get(self)


def _local():
    # The public function warns from Python 3.14 on.
    policy = getattr(events, "_get_event_loop_policy", events.get_event_loop_policy)()
    return getattr(policy, "_local", None)


def switch(before, after):
    """From one root's functions to another's."""
    local = _local()
    if local is None:
        return
    loop = getattr(local, "_loop", None)
    if loop is not None:
        _kept[before] = loop
    local._loop = _kept.pop(after, None)


def forget(root, active):
    """The end of a root's functions; `active` says that they were called last."""
    _kept.pop(root, None)
    if active and (local := _local()) is not None:
        local._loop = None


def install():
    _get_event_loop.__name__ = _plain_get.__name__
    _get_event_loop.__qualname__ = _plain_get.__qualname__
    _get_event_loop.__doc__ = _plain_get.__doc__
    _Policy.get_event_loop = _get_event_loop
