"""Which loop `asyncio.get_event_loop()` gives where none runs, and which policy decides it. Executed when a guest imports
`asyncio`.

The loop is the host's own, in which `async def` handlers run, unless another one was set. Functions that know nothing of
each other share the thread: what one root sets, a loop or a policy, is not seen by another.
"""

from asyncio import events
from asyncio.unix_events import SelectorEventLoop
from asyncio.unix_events import _UnixDefaultEventLoopPolicy as _Policy
from types import FunctionType

_plain_get = _Policy.get_event_loop

# The public functions warn from Python 3.14 on. C has kept these two: their code is replaced, they themselves stay.
_get_policy = getattr(events, "_get_event_loop_policy", events.get_event_loop_policy)
_set_policy = getattr(events, "_set_event_loop_policy", events.set_event_loop_policy)

# The loop that each instance has set, while another one is called on the thread.
_kept = {}


def _get_event_loop(self):
    if type(self) is _Policy and self._local._loop is None:
        for_all = _policy_for_all()
        if for_all is self:
            # It outlives instances, and with them their loops.
            loop = _trine.event_loop()
            return _plain_get(self) if loop is None else loop
        loop = getattr(getattr(for_all, "_local", None), "_loop", None) or _trine.event_loop()
        if loop is not None:
            self.set_event_loop(loop)
    return _plain_get(self)


def _policy_for_all():
    """The policy that holds where no scope does, where there are scopes."""
    return events._event_loop_policy if hasattr(events, "_trine_policies") else None


def _local():
    return getattr(_get_policy(), "_local", None)


def switch(before, after):
    """From one instance's functions to another's, where there are no scopes."""
    local = _local()
    if local is None:
        return
    loop = getattr(local, "_loop", None)
    if loop is not None:
        _kept[before] = loop
    local._loop = _kept.pop(after, None)


def forget(instance, active):
    """The end of an instance; `active` says that its functions were called last."""
    _kept.pop(instance, None)
    if active:
        forget_in_scope()


def forget_in_scope():
    """The end of an instance, in the scope of its functions."""
    local = _local()
    if local is not None:
        local._loop = None


def keep_apart(target):
    """From here on each scope has a policy of its own. `target` gives the scope for what is being set."""
    if hasattr(events, "_trine_policies"):
        return
    plain_get, plain_set = _copy(_get_policy), _copy(_set_policy)

    class _Policies:
        @staticmethod
        def get():
            scope = _scope.get()
            if scope is None:
                return plain_get()
            if scope.policy is None:
                scope.policy = _another(events._event_loop_policy)
            return scope.policy

        @staticmethod
        def set(policy):
            scope = target()
            if scope is not None and (policy is None or isinstance(policy, _Policy.__mro__[-2])):
                scope.policy = policy
            else:
                plain_set(policy)

    events._trine_policies = _Policies

    def get_event_loop_policy():
        return _trine_policies.get()

    def set_event_loop_policy(policy):
        return _trine_policies.set(policy)

    _get_policy.__code__ = get_event_loop_policy.__code__
    _set_policy.__code__ = set_event_loop_policy.__code__


def _copy(function):
    return FunctionType(function.__code__, function.__globals__, function.__name__)


def _another(policy):
    """A policy like the one that was set for all: what is set on it is its owner's."""
    if policy is None:
        return _Policy()
    try:
        return type(policy)()
    except Exception:
        # It wants arguments.
        return policy


def _get_child_watcher():
    policy = _get_policy()
    try:
        return policy.get_child_watcher()
    except NotImplementedError:
        # The policy of loops that watch their children themselves. asyncio's own do not.
        if isinstance(events._get_running_loop(), SelectorEventLoop):
            return _watching.get_child_watcher()
        raise


_watching = _Policy()


def install():
    _get_event_loop.__name__ = _plain_get.__name__
    _get_event_loop.__qualname__ = _plain_get.__qualname__
    _get_event_loop.__doc__ = _plain_get.__doc__
    _Policy.get_event_loop = _get_event_loop
    # What loops call. Later versions of Python have no watchers.
    if hasattr(events, "get_child_watcher"):
        events.get_child_watcher = _get_child_watcher
